//! All records of companies in a small ledger, and what becomes of the next row.
//!
//! A decision charges everything with the row and without it, and compares every day on which something moves.

use super::law;
use super::rows::{Fact, Line, Said};
use super::story::{Charge, Stands, Story, balance};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// A broken limit. Amounts in thousandths.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lack {
    pub account: String,
    pub code: &'static str,
    pub requested: i64,
    pub limit: i64,
    pub shortfall: i64,
    pub on: NaiveDate,
    /// Headroom, and the most that fits; of a share they depend on where the rest of the base goes, and are not compared.
    pub headroom: Option<(i64, i64)>,
}

/// What becomes of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Recorded; whether with the finding that a limit or an always measured share is passed.
    Recorded {
        passed: bool,
    },
    Refused {
        lacks: Vec<Lack>,
    },
    Known {
        refused: bool,
    },
    Error(String),
    /// The contract does not say. Such a row is not put in.
    Open(&'static str),
}

/// A recorded or refused row.
#[derive(Clone, Debug)]
pub struct Record {
    pub seq: u64,
    pub fact: Fact,
    pub refused: bool,
}

/// The parties of the worlds.
pub const PARTIES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// The company side of a ledger.
#[derive(Clone, Default, Debug)]
pub struct Model {
    pub records: Vec<Record>,
    /// How many rows had to fit, and how many of them came within one thousandth of a limit or share.
    pub judged: u64,
    pub close: u64,
}

enum Ruling {
    Stands { passed: bool },
    Lacks(Vec<Lack>),
    Wrong(&'static str),
    Open(&'static str),
}

use Ruling::{Open, Wrong};

impl Model {
    /// What stands through a record: recorded, and not corrected by a record up to it.
    pub fn story(&self, through: u64) -> Story {
        let recorded = || self.records.iter().filter(|record| !record.refused && record.seq <= through);
        let corrected: BTreeSet<&str> = recorded()
            .filter_map(|it| if let Said::Correct { target } = &it.fact.said { Some(target.as_str()) } else { None })
            .collect();
        let stands = recorded().filter(|it| !corrected.contains(it.fact.id.as_str()));
        Story(stands.map(|it| Stands { seq: it.seq, fact: it.fact.clone() }).collect())
    }

    /// Everything charged through a record.
    pub fn charges(&self, through: u64) -> Vec<Charge> {
        self.story(through).charges().unwrap_or_default()
    }

    /// Decides on a row that would become record `seq`, and records it.
    pub fn perform(&mut self, fact: &Fact, seq: u64) -> Verdict {
        if let Some(known) = self.records.iter().find(|record| record.fact.id == fact.id) {
            let same = known.fact == *fact;
            return if same { Verdict::Known { refused: known.refused } } else { Verdict::Error("another content".into()) };
        }
        let refused = match self.rule(fact, seq) {
            Open(why) => return Verdict::Open(why),
            Wrong(why) => return Verdict::Error(why.into()),
            Ruling::Stands { passed } => {
                self.records.push(Record { seq, fact: fact.clone(), refused: false });
                return Verdict::Recorded { passed };
            }
            Ruling::Lacks(lacks) => lacks,
        };
        self.records.push(Record { seq, fact: fact.clone(), refused: true });
        Verdict::Refused { lacks: refused }
    }

    fn rule(&mut self, fact: &Fact, seq: u64) -> Ruling {
        let before = self.story(u64::MAX);
        let mut after = self.story(u64::MAX);
        let mut from = fact.on;
        if let Said::Correct { target } = &fact.said {
            match self.target(target, fact.on) {
                Err(why) => return Wrong(why),
                Ok(on) => from = on,
            }
            after.0.retain(|it| it.fact.id != *target);
        } else {
            after.0.push(Stands { seq, fact: fact.clone() });
        }
        if let Some(ruling) = wrong_by_itself(&before, &after, fact) {
            return ruling;
        }
        let old = before.charges().unwrap_or_default();
        let new = match after.charges() {
            Ok(new) => new,
            Err(none) if none.seq == seq => return Wrong("no account to charge"),
            Err(_) => return Open("a fact of before has no account any more"),
        };
        if is_negative(&new) {
            return if is_statement(&self.records, fact) {
                Open("a statement leaves less than nothing")
            } else {
                Wrong("less than nothing")
            };
        }
        self.judge(fact, from, &old, &new)
    }

    /// The day of the fact that a correction undoes.
    fn target(&self, target: &str, on: NaiveDate) -> Result<NaiveDate, &'static str> {
        let it = self.records.iter().find(|record| record.fact.id == target).ok_or("nothing to correct")?;
        let undone = |record: &Record| matches!(&record.fact.said, Said::Correct { target: other } if other == target);
        match it.fact.said {
            _ if it.refused => Err("a refusal is not corrected"),
            Said::Correct { .. } => Err("a correction is not corrected"),
            _ if self.records.iter().any(undone) => Err("corrected already"),
            _ if on < it.fact.on => Err("corrected before its day"),
            _ => Ok(it.fact.on),
        }
    }

    fn judge(&mut self, fact: &Fact, from: NaiveDate, old: &[Charge], new: &[Charge]) -> Ruling {
        let (mut lacks, mut passed) = limits(from, old, new);
        let (shares, over_nothing) = match shares(from, old, new) {
            Ok(shares) => (shares, false),
            Err(()) => (Vec::new(), true),
        };
        let must_fit = match &fact.said {
            Said::Ships { made, .. } | Said::Moved { made, .. } => !made,
            _ => false,
        };
        if over_nothing {
            return if must_fit { Wrong("a share over an empty base") } else { Open("made, over an empty base") };
        }
        passed |= !shares.is_empty();
        lacks.extend(shares);
        lacks.sort();
        if must_fit {
            self.judged += 1;
            self.close += u64::from(lacks.iter().any(|lack| lack.shortfall <= 1) || lacks.is_empty() && is_full(from, old, new));
        }
        if must_fit && !lacks.is_empty() { Ruling::Lacks(lacks) } else { Ruling::Stands { passed } }
    }
}

/// Whether an account or a share that the change touches is used up but for a thousandth.
fn is_full(from: NaiveDate, old: &[Charge], new: &[Charge]) -> bool {
    let days = days_from(from, new);
    let moves = |account: &&String| days.iter().any(|on| balance(old, account, *on) != balance(new, account, *on));
    let all = accounts(new);
    let touched: BTreeSet<&String> = all.iter().filter(moves).collect();
    let is_near = |on: NaiveDate, account: &str, left: i64| left.abs() <= 1 && balance(new, account, on) > 0;
    let full = |account: &&String| {
        days.iter()
            .any(|on| law::limit(account, *on).is_some_and(|limit| is_near(*on, account, limit - balance(new, account, *on))))
    };
    let share = |account: &&String| {
        let Some((group, country)) = account.strip_prefix("UVEU:").and_then(|rest| rest.split_once(":country=")) else {
            return false;
        };
        let near = |(of, part, whole, percent): (Option<String>, i64, i64, i64)| {
            of.is_none_or(|of| of == country) && part > 0 && (percent * whole - 100 * part).abs() <= 100
        };
        days.iter().any(|on| Base::on(new, group, *on).parts().into_iter().any(near))
    };
    touched.iter().any(full) || touched.iter().any(share)
}

/// What is wrong whatever the accounts say.
fn wrong_by_itself(before: &Story, after: &Story, fact: &Fact) -> Option<Ruling> {
    let (on, party) = (fact.on, fact.party);
    match &fact.said {
        Said::Ships { made, lines } => {
            for line in lines {
                let parties = std::iter::once(line.consignee).chain(line.operator);
                if parties.into_iter().any(|party| !before.knows(party)) {
                    return Some(Wrong("an unknown party"));
                }
            }
            let unserved = lines.iter().any(|line| !is_served(before, line, on));
            let counted = |line: &Line| line.eccn == "3A090.a";
            if unserved && !made {
                return Some(Wrong("not served"));
            }
            if unserved && !lines.iter().all(counted) {
                return Some(Open("whether what is not listed is charged"));
            }
        }
        Said::Describe { parent, .. } => {
            let same_day = |it: &&Stands| it.fact.party == party && it.fact.on == on;
            let described = |it: &Stands| matches!(it.fact.said, Said::Describe { .. });
            if before.0.iter().filter(same_day).any(described) {
                return Some(Wrong("described twice on one day"));
            }
            if parent.flatten().is_some_and(|parent| !before.knows(parent)) {
                return Some(Open("a parent of which nothing is stated"));
            }
        }
        Said::Merge { into } => {
            let merged = |it: &Stands| it.fact.party == party && it.fact.on == on && matches!(it.fact.said, Said::Merge { .. });
            if before.0.iter().any(merged) {
                return Some(Wrong("merged twice on one day"));
            }
            if !before.knows(into) || !before.knows(party) {
                return Some(Open("a merger of which nothing is stated"));
            }
        }
        Said::Authorize { .. } if !before.knows(party) => return Some(Open("an authorization of nobody described")),
        Said::Authorize { .. } | Said::Correct { .. } => {}
        _ if !before.knows(party) => return Some(Wrong("an unknown party")),
        Said::Moved { made: false, to, .. } if to.is_some_and(|to| law::is_denied(to, on)) => {
            return Some(Wrong("moved to where it does not serve"));
        }
        _ => {}
    }
    if after.has_a_ring(&PARTIES) {
        return Some(Wrong("a ring of parents"));
    }
    unsettled(after)
}

/// Places that the contract leaves open: an authorization held by a party that is another by then, a fact of a party of
/// which nothing is stated any more.
fn unsettled(after: &Story) -> Option<Ruling> {
    let days: BTreeSet<NaiveDate> = after.0.iter().map(|it| it.fact.on).collect();
    let merged_holder = |party: &'static str, on: NaiveDate| {
        let held = ["PL", "BR", "IN", "KH"].into_iter().filter_map(|country| after.holder(party, country, on));
        held.into_iter().any(|holder| after.same_as(holder, on) != holder)
    };
    let mut looked_at: BTreeSet<&str> = BTreeSet::new();
    for it in &after.0 {
        let parties: Vec<&'static str> = match &it.fact.said {
            Said::Ships { lines, .. } => {
                lines.iter().flat_map(|line| std::iter::once(line.consignee).chain(line.operator)).collect()
            }
            Said::Describe { parent, .. } => parent.flatten().into_iter().collect(),
            Said::Merge { into } => vec![into],
            Said::Correct { .. } => Vec::new(),
            _ => vec![it.fact.party],
        };
        if parties.iter().any(|party| !after.knows(party)) {
            return Some(Open("a party of which nothing is stated any more"));
        }
        for party in parties {
            if looked_at.insert(party) && days.iter().any(|on| merged_holder(party, *on)) {
                return Some(Open("an authorization of a merged party"));
            }
        }
    }
    None
}

/// Whether the authorization serves the line, its destination and its parties.
fn is_served(story: &Story, line: &Line, on: NaiveDate) -> bool {
    let denied = |party: &'static str| story.headquarters(party, on).is_some_and(|at| law::is_denied(at, on));
    let parties = std::iter::once(line.consignee).chain(line.operator);
    let may_use_an_operator = || line.under == "LPP" && story.headquarters(line.consignee, on).is_some_and(law::is_unlimited);
    let denial_served = matches!(line.under, "ACA" | "NAC");
    law::serves(line.under, line.activity)
        && !(line.under == "LPP" && (line.distributor || line.eccn != "3A090.a"))
        && (denial_served || !law::is_denied(line.destination, on))
        && (denial_served || !parties.into_iter().any(|party| story.chain(party, on).into_iter().any(denied)))
        && (line.operator.is_none() || may_use_an_operator())
        && (line.under != "UVEU" || story.group_has_uveu(line.consignee, on))
}

fn is_statement(records: &[Record], fact: &Fact) -> bool {
    let of = |said: &Said| matches!(said, Said::Describe { .. } | Said::Merge { .. } | Said::Authorize { .. });
    match &fact.said {
        Said::Correct { target } => records.iter().any(|record| record.fact.id == *target && of(&record.fact.said)),
        said => of(said),
    }
}

/// The days from one on at which a balance may move or a limit may change.
fn days_from(from: NaiveDate, charges: &[Charge]) -> BTreeSet<NaiveDate> {
    let moves = charges.iter().map(|charge| charge.on);
    let steps = law::NVEU.iter().map(|(day, _)| *day);
    moves.chain(steps).chain([from]).filter(|day| *day >= from).collect()
}

fn accounts(charges: &[Charge]) -> BTreeSet<String> {
    charges.iter().map(|charge| charge.account.clone()).collect()
}

fn is_negative(charges: &[Charge]) -> bool {
    accounts(charges).iter().any(|account| charges.iter().any(|charge| balance(charges, account, charge.on) < 0))
}

/// The limits that a change passes on some day on which it adds something: of each account the worst day, the first of
/// equals. And whether there is one.
fn limits(from: NaiveDate, old: &[Charge], new: &[Charge]) -> (Vec<Lack>, bool) {
    let both = [old, new].concat();
    // A statement on a party moves charges of its day and later; any other fact those of its own day and later.
    let days = days_from(from, &both);
    let mut worst: BTreeMap<String, Lack> = BTreeMap::new();
    for account in accounts(&both) {
        for on in &days {
            let Some(limit) = law::limit(&account, *on) else { continue };
            let (was, is) = (balance(old, &account, *on), balance(new, &account, *on));
            let shortfall = is - limit;
            if is <= was || shortfall <= 0 || worst.get(&account).is_some_and(|lack| lack.shortfall >= shortfall) {
                continue;
            }
            let lack = Lack {
                account: account.clone(),
                code: "company_limit_exceeded",
                requested: is - was,
                limit,
                shortfall,
                on: *on,
                headroom: Some((limit - was, (limit - was).max(0))),
            };
            worst.insert(account.clone(), lack);
        }
    }
    let passed = !worst.is_empty();
    (worst.into_values().collect(), passed)
}

/// The ultimate parents that have a base.
fn groups(charges: &[Charge]) -> BTreeSet<String> {
    let of = |account: String| Some(account.strip_prefix("UVEU:")?.split(':').next()?.to_string());
    accounts(charges).into_iter().filter_map(of).collect()
}

/// A group's base on a day: country and what is there.
struct Base(Vec<(String, i64)>);

impl Base {
    fn on(charges: &[Charge], group: &str, on: NaiveDate) -> Base {
        let prefix = format!("UVEU:{group}:country=");
        let of = |account: String| Some((account.strip_prefix(&prefix)?.to_string(), balance(charges, &account, on)));
        Base(accounts(charges).into_iter().filter_map(of).collect())
    }

    /// The shares that are measured always: of which country (all), what is there, the whole, how many percent it may be.
    fn parts(&self) -> Vec<(Option<String>, i64, i64, i64)> {
        let whole = self.0.iter().map(|(_, tpp)| tpp).sum();
        let outside: Vec<&(String, i64)> = self.0.iter().filter(|(country, _)| !law::is_unlimited(country)).collect();
        let all = (None, outside.iter().map(|(_, tpp)| tpp).sum(), whole, 25);
        let each = outside.iter().map(|(country, tpp)| (Some(country.clone()), *tpp, whole, 7));
        std::iter::once(all).chain(each).collect()
    }

    fn part(&self, country: &Option<String>) -> (i64, i64) {
        let parts = self.parts();
        let of_it = parts.iter().find(|(of, ..)| of == country);
        of_it.map_or((0, parts[0].2), |(_, part, whole, _)| (*part, *whole))
    }
}

/// The shares that a change passes and raises on some day: of each the worst day, the first of equals. An error where it
/// would be a share of nothing.
fn shares(from: NaiveDate, old: &[Charge], new: &[Charge]) -> Result<Vec<Lack>, ()> {
    let both = [old, new].concat();
    let mut worst: BTreeMap<String, Lack> = BTreeMap::new();
    for group in groups(&both) {
        for on in days_from(from, &both) {
            let (was, is) = (Base::on(old, &group, on), Base::on(new, &group, on));
            for (country, part, whole, percent) in is.parts() {
                let (part_was, whole_was) = was.part(&country);
                let is_passed = 100 * part > percent * whole;
                if is_passed && whole_was == 0 {
                    return Err(());
                }
                let is_raised = part > part_was || part * whole_was > part_was * whole;
                let limit = percent * whole / 100;
                let account = format!("UVEU:{group}{}", country.as_ref().map(|at| format!(":country={at}")).unwrap_or_default());
                let shortfall = part - limit;
                if !is_passed || !is_raised || worst.get(&account).is_some_and(|lack| lack.shortfall >= shortfall) {
                    continue;
                }
                let requested = part - part_was;
                let lack =
                    Lack { account: account.clone(), code: "share_exceeded", requested, limit, shortfall, on, headroom: None };
                worst.insert(account, lack);
            }
        }
    }
    Ok(worst.into_values().collect())
}
