//! The clerk's work on a fact of a company: what it is charged to, which limits and shares that meets, what it moves.
//!
//! A new fact, a statement on a party and a correction are one mechanism: the facts concerned are charged as they stand and as
//! they would stand, and the difference is posted. Contract: docs/companies.md.

use super::clerk::{Answer, Clerk, Home, Outcome, Rejection, lost};
use super::recent::Companies;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge, ChargeKind};
use crate::quota::company::charges::{ChargePosting, Charged, Charger, charge_difference, settle};
use crate::quota::company::fact::{CompanyFact, HoldingKind, Parent, PartyStatement, PartyStatementKind};
use crate::quota::company::judge::{Balance, below_zero, judge, of_account};
use crate::quota::company::party::Parties;
use crate::quota::company::ratio::{Base, judge_share};
use crate::quota::company::rules::{CompanyRule, CompanyRules, Measured};
use crate::quota::decision::Shortfall;
use crate::quota::event::{Event, Placed};
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::tpp::Tpp;
use crate::store::{Append, Ask, Fact, Record};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Decided<T> = std::result::Result<T, Rejection>;

/// Facts and the parties they are charged under.
#[derive(Clone, Copy)]
struct Stand<'s> {
    facts: &'s [Placed<CompanyFact>],
    parties: &'s Parties,
}

/// What a change comes to.
#[derive(Default)]
struct Judged {
    shortfalls: Vec<Shortfall>,
    findings: Vec<Finding>,
}

impl<W: Append> Clerk<'_, W> {
    /// Records a fact of a company: accepted, refused by a limit, known already, or rejected.
    ///
    /// # Errors
    /// When the store fails.
    pub fn company(&mut self, fact: &CompanyFact) -> Answer {
        if let Some(record) = self.tx.find(fact.id())? {
            return Ok(self.known(&record, &Fact::Company(fact.clone())));
        }
        let regime = self.regime;
        let Some(rules) = regime.companies.as_ref() else {
            let what = format!("the regime {} of this ledger has no company allocations", regime.id);
            return Ok(Err(Rejection::new("authorization", what, "adopt one that has: `tppledger regime adopt`")));
        };
        match fact {
            CompanyFact::Party(statement) => self.party_statement(rules, statement),
            CompanyFact::Shipment(_) | CompanyFact::Holding(_) => self.charged_fact(rules, fact),
        }
    }

    /// The parties of the ledger, loaded once.
    fn companies(&mut self) -> Result<Arc<Companies>> {
        if self.recent.companies.is_none() {
            let parties = Parties::new(self.tx.party_statements()?);
            let certified = self.tx.certified_parties()?.into_iter().collect();
            self.recent.companies = Some(Arc::new(Companies { parties, certified }));
        }
        Ok(Arc::clone(self.recent.companies.as_ref().expect("just loaded")))
    }

    fn charged_fact(&mut self, rules: &CompanyRules, fact: &CompanyFact) -> Answer {
        if let Some(rejection) = beyond_range(fact) {
            return Ok(Err(rejection));
        }
        let (seq, regime, companies) = (self.next_seq(), self.regime, self.companies()?);
        let charger = Charger::new(regime, rules, &companies.parties);
        let Charged { findings: mut said, faults, postings } = charger.charge(seq, fact);
        for fault in faults {
            if fault.always || !fact.already_made() {
                return Ok(Err(Rejection { line: fault.line, ..Rejection::new(fault.column, fault.what, fault.hint) }));
            }
            let line = fault.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            said.push(Finding::new(FindingCode::AuthorizationNotAvailable, format!("{line}{}", fault.what)));
        }
        let placed = Placed::new(seq, fact.clone());
        let members = certified_members(&companies, &postings);
        let known = if members.is_empty() { Vec::new() } else { self.tx.company_facts(Some(&members))? };
        let new: Vec<_> = known.iter().cloned().chain([placed]).collect();
        let old = Stand { facts: &known, parties: &companies.parties };
        let new = Stand { facts: &new, parties: &companies.parties };
        let charges = match self.difference(rules, old, new, None, false) {
            Ok(charges) => charges,
            Err(rejection) => return Ok(Err(rejection)),
        };
        said.extend(self.certificate_below(fact, &postings)?);
        let stated = matches!(fact, CompanyFact::Holding(holding) if holding.kind == HoldingKind::Installed);
        let judged = match self.judge_charges(rules, &companies.parties, &charges, stated)? {
            Ok(judged) => judged,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let answer = self.conclude_company(Fact::Company(fact.clone()), said, charges, judged, fact.already_made())?;
        if let (CompanyFact::Holding(holding), Ok(Outcome::Recorded { .. })) = (fact, &answer)
            && holding.kind == HoldingKind::Certified
            && let Some(companies) = &mut self.recent.companies
        {
            Arc::make_mut(companies).certified.insert(holding.party.clone());
        }
        Ok(answer)
    }

    /// A certificate that states less than stands in its account on its day.
    fn certificate_below(&self, fact: &CompanyFact, postings: &[ChargePosting]) -> Result<Option<Finding>> {
        let (CompanyFact::Holding(holding), [posting]) = (fact, postings) else { return Ok(None) };
        if holding.kind != HoldingKind::Certified {
            return Ok(None);
        }
        let account = &posting.charge.account;
        let stands = balances(&*self.tx, account.authorization, &account.party)?.remove(account).unwrap_or_default();
        let stands = stands.on(holding.effective_on);
        Ok((stands > holding.tpp).then(|| {
            let what = format!("{account}: states {}, and {} stands on {}", holding.tpp, stands, holding.effective_on);
            Finding::new(FindingCode::CertificateBelowRecorded, what)
        }))
    }

    /// Records what was worked out. What binds nobody any more is told instead of refused.
    fn conclude_company(
        &mut self,
        fact: Fact,
        mut findings: Vec<Finding>,
        charges: Vec<Charge>,
        judged: Judged,
        made: bool,
    ) -> Answer {
        let mut shortfalls = judged.shortfalls;
        findings.extend(judged.findings);
        findings.extend(self.future_dated(fact.effective_on()));
        if made {
            findings.extend(shortfalls.drain(..).map(|shortfall| {
                let over = format!("{}: {} TPP over on {}", shortfall.allocation, shortfall.shortfall, shortfall.floor_on);
                Finding::new(FindingCode::CompanyLimitPassed, over)
            }));
        }
        findings.sort();
        findings.dedup();
        self.conclude(fact, Home::Company(charges), findings, Vec::new(), shortfalls)
    }

    /// What the facts are charged as they would stand, less what they are charged as they stand.
    fn difference(
        &self,
        rules: &CompanyRules,
        old: Stand,
        new: Stand,
        corrected: Option<u64>,
        recharged: bool,
    ) -> Decided<Vec<Charge>> {
        let mut stood: BTreeSet<u64> = BTreeSet::new();
        let mut postings = |stand: Stand, new: bool| -> Decided<Vec<ChargePosting>> {
            let charger = Charger::new(self.regime, rules, stand.parties);
            let mut all = Vec::new();
            for placed in stand.facts.iter().filter(|placed| !placed.is_corrected()) {
                let charged = charger.charge(placed.seq, &placed.fact);
                match charged.faults.iter().find(|fault| fault.always) {
                    Some(fault) if new && stood.contains(&placed.seq) => return Err(unsettled(&placed.fact, &fault.what)),
                    Some(_) => {}
                    None if !new => drop(stood.insert(placed.seq)),
                    None => {}
                }
                all.extend(charged.postings);
            }
            Ok(settle(all))
        };
        let (before, after) = (postings(old, false)?, postings(new, true)?);
        Ok(charge_difference(&before, &after, corrected, recharged))
    }

    fn party_statement(&mut self, rules: &CompanyRules, statement: &PartyStatement) -> Answer {
        let seq = self.next_seq();
        self.companies()?;
        // The parties are many and a statement is one: they are changed in place, and changed back if it is wrong.
        let mut companies = self.recent.companies.take().expect("just loaded");
        let parties = &mut Arc::make_mut(&mut companies).parties;
        let answer = self.stated(rules, parties, statement, seq);
        if !matches!(answer, Ok(Ok(_))) {
            parties.remove(&statement.party, seq);
        }
        self.recent.companies = Some(companies);
        answer
    }

    fn stated(&mut self, rules: &CompanyRules, parties: &mut Parties, statement: &PartyStatement, seq: u64) -> Answer {
        if let Some(rejection) = stated_twice(parties, statement) {
            return Ok(Err(rejection));
        }
        let mut members = members_of(parties, &statement.party, statement.effective_on);
        parties.add(Placed::new(seq, statement.clone()));
        let column = if statement.kind == PartyStatementKind::Merge { "merged_into" } else { "parent" };
        if let Some(rejection) = makes_ring(parties, statement, column) {
            return Ok(Err(rejection));
        }
        members.extend(members_of(parties, &statement.party, statement.effective_on));
        let facts = self.tx.company_facts(Some(&members.into_iter().collect::<Vec<_>>()))?;
        let mut charges = Vec::new();
        if !facts.is_empty() {
            let before = parties.without(&statement.party, seq);
            let old = Stand { facts: &facts, parties: &before };
            match self.difference(rules, old, Stand { facts: &facts, parties }, None, true) {
                Ok(difference) => charges = difference,
                Err(rejection) => return Ok(Err(rejection)),
            }
        }
        let judged = match self.judge_charges(rules, parties, &charges, true)? {
            Ok(judged) => judged,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let said = statement_findings(parties, statement);
        self.conclude_company(Fact::Company(CompanyFact::Party(statement.clone())), said, charges, judged, true)
    }

    /// Undoes a fact of a company: the facts concerned are charged as if it had never been.
    pub(super) fn correct_company(&mut self, event: &Event, target: &Record) -> Answer {
        let Fact::Company(fact) = &target.fact else { unreachable!("the caller looked at the kind of the record") };
        let regime = self.regime;
        let Some(rules) = regime.companies.as_ref() else { return Err(lost("the company rules of", fact.id())) };
        let companies = self.companies()?;
        let undone = || {
            let what = format!("{} was corrected already", fact.id());
            Rejection::new("corrects", what, "a correction is made once")
        };
        let (facts, parties) = match fact {
            CompanyFact::Party(statement) => {
                if !companies.parties.statements(&statement.party).iter().any(|placed| placed.seq == target.seq) {
                    return self.rejected_unless_known(event, None, undone());
                }
                let parties = companies.parties.without(&statement.party, target.seq);
                if let Some(rejection) = makes_ring(&parties, statement, "corrects") {
                    return self.rejected_unless_known(event, None, rejection);
                }
                let mut members = members_of(&companies.parties, &statement.party, statement.effective_on);
                members.extend(members_of(&parties, &statement.party, statement.effective_on));
                (self.tx.company_facts(Some(&members.into_iter().collect::<Vec<_>>()))?, parties)
            }
            _ => {
                let own: Vec<String> = fact.parties().into_iter().map(String::from).collect();
                let mut facts = self.tx.company_facts(Some(&own))?;
                if facts.iter().any(|placed| placed.seq == target.seq && placed.is_corrected()) {
                    return self.rejected_unless_known(event, None, undone());
                }
                let postings = Charger::new(regime, rules, &companies.parties).charge(target.seq, fact).postings;
                match certified_members(&companies, &postings) {
                    members if members.is_empty() => facts.retain(|placed| placed.seq == target.seq),
                    members => facts = self.tx.company_facts(Some(&members))?,
                }
                (facts, companies.parties.clone())
            }
        };
        let mut rest = facts.clone();
        rest.retain(|placed| placed.seq != target.seq);
        let recharged = matches!(fact, CompanyFact::Party(_));
        let old = Stand { facts: &facts, parties: &companies.parties };
        let new = Stand { facts: &rest, parties: &parties };
        let charges = match self.difference(rules, old, new, Some(target.seq), recharged) {
            Ok(charges) => charges,
            Err(rejection) => return self.rejected_unless_known(event, None, Rejection { column: "corrects", ..rejection }),
        };
        let judged = match self.judge_charges(rules, &parties, &charges, true)? {
            Ok(judged) => judged,
            Err(rejection) => return self.rejected_unless_known(event, None, Rejection { column: "corrects", ..rejection }),
        };
        let answer = self.conclude_company(Fact::Event(event.clone(), None), Vec::new(), charges, judged, true)?;
        self.recent.companies = None;
        Ok(answer)
    }

    /// Every account that moves against its range, its floor of zero, its limit and its shares.
    fn judge_charges(
        &self,
        rules: &CompanyRules,
        parties: &Parties,
        charges: &[Charge],
        stated: bool,
    ) -> Result<Decided<Judged>> {
        let mut judged = Judged::default();
        let groups: BTreeSet<(Authorization, &str)> =
            charges.iter().map(|charge| (charge.account.authorization, charge.account.party.as_str())).collect();
        for (authorization, party) in groups {
            let Some(rule) = rules.rule(authorization) else { continue };
            let before = balances(&*self.tx, authorization, party)?;
            let own: BTreeSet<&Account> = charges
                .iter()
                .map(|charge| &charge.account)
                .filter(|account| account.authorization == authorization && account.party == party)
                .collect();
            for account in &own {
                let (stood, change) = (before.get(account).cloned().unwrap_or_default(), of_account(charges, account));
                if let Some(rejection) =
                    out_of_range(account, &before, charges).or_else(|| taken_too_much(account, &stood, &change))
                {
                    return Ok(Err(rejection));
                }
                judged.shortfalls.extend(judge(rule, account, &stood, &change));
            }
            if !rule.shares.is_empty() {
                match self.judge_shares(rules, rule, parties, party, &before, charges, stated) {
                    Ok(shares) => {
                        judged.shortfalls.extend(shares.shortfalls);
                        judged.findings.extend(shares.findings);
                    }
                    Err(rejection) => return Ok(Err(rejection)),
                }
            }
        }
        Ok(Ok(judged))
    }

    #[allow(clippy::too_many_arguments, reason = "a share is judged by the rule, the parties, what stood and what moves")]
    fn judge_shares(
        &self,
        rules: &CompanyRules,
        rule: &CompanyRule,
        parties: &Parties,
        ultimate: &str,
        before: &BTreeMap<Account, Balance>,
        charges: &[Charge],
        stated: bool,
    ) -> Decided<Judged> {
        let of_group = |account: &Account| account.authorization == rule.authorization && account.party == ultimate;
        let by_country = |account: &Account| account.country();
        let stood: BTreeMap<Country, Balance> =
            before.iter().filter_map(|(account, balance)| Some((by_country(account)?, balance.clone()))).collect();
        let mut stands = stood.clone();
        for charge in charges.iter().filter(|charge| of_group(&charge.account)) {
            if let Some(country) = charge.account.country() {
                stands.entry(country).or_default().add(charge.effective_on, charge.tpp);
            }
        }
        let Some(first) = charges.iter().filter(|charge| of_group(&charge.account)).map(|charge| charge.effective_on).min()
        else {
            return Ok(Judged::default());
        };
        let days: BTreeSet<NaiveDate> =
            stands.values().flat_map(Balance::days).filter(|day| *day >= first).chain([first]).collect();
        let mut judged = Judged::default();
        for share in &rule.shares {
            let judge_on = |day: NaiveDate| {
                let home = parties.headquarters(ultimate, day) == Some(self.regime.groups.home);
                let (was, is) = (Base::on(&stood, day), Base::on(&stands, day));
                let group = (ultimate, rule.authorization, home);
                (was.whole(), judge_share(share, self.regime, group, &was, &is, day))
            };
            if share.measured == Measured::ReportingDates {
                let Some(date) = rules.reporting_date_from(first) else { continue };
                for shortfall in judge_on(date).1 {
                    let over = format!("{} of {}: {} TPP over on {date}", share.id, shortfall.allocation, shortfall.shortfall);
                    judged.findings.push(Finding::new(FindingCode::SharePassedOnReportingDate, over));
                }
                continue;
            }
            let mut worst: BTreeMap<String, Shortfall> = BTreeMap::new();
            for day in &days {
                let (whole, shortfalls) = judge_on(*day);
                if whole <= Tpp::ZERO && !shortfalls.is_empty() && !stated {
                    let what = format!("{ultimate} has no installed base on {day}, of which {} could be a share", share.id);
                    return Err(Rejection::new("destination", what, "state its base in a holdings file first: `installed`"));
                }
                for shortfall in shortfalls {
                    let key = shortfall.allocation.to_string();
                    if worst.get(&key).is_none_or(|known| known.shortfall < shortfall.shortfall) {
                        worst.insert(key, shortfall);
                    }
                }
            }
            judged.shortfalls.extend(worst.into_values());
        }
        Ok(judged)
    }
}

/// The balances of a party's accounts under an authorization.
fn balances(ask: &impl Ask, authorization: Authorization, party: &str) -> Result<BTreeMap<Account, Balance>> {
    let mut balances: BTreeMap<Account, Balance> = BTreeMap::new();
    for (account, day, tpp) in ask.account_days(authorization, party)? {
        balances.entry(account).or_default().add(day, tpp);
    }
    Ok(balances)
}

/// The parties whose facts are to be settled together, because a certificate stands in an account that is charged.
fn certified_members(companies: &Companies, postings: &[ChargePosting]) -> Vec<String> {
    let parties = &companies.parties;
    let mut members: BTreeSet<String> = BTreeSet::new();
    for ChargePosting { charge, .. } in postings.iter().filter(|posting| posting.charge.account.year().is_some()) {
        let group = parties.below(&charge.account.party);
        if charge.kind == ChargeKind::Certified || group.iter().any(|party| companies.certified.contains(party)) {
            members.extend(group);
        }
    }
    members.into_iter().collect()
}

/// All parties that ever share an ultimate parent with one from a day on.
fn members_of(parties: &Parties, party: &str, from: NaiveDate) -> BTreeSet<String> {
    let mut members = parties.below(party);
    for ultimate in parties.ultimates(party, from) {
        members.extend(parties.below(ultimate));
    }
    members
}

fn unsettled(fact: &CompanyFact, what: &str) -> Rejection {
    let what = format!("with it, the recorded {} {} would not stand: {what}", fact.what(), fact.id());
    Rejection::new("effective_on", what, format!("correct {} first, or check the date", fact.id()))
}

/// A ring of parents, on a day from the statement's on, that goes through its party.
fn makes_ring(parties: &Parties, statement: &PartyStatement, column: &'static str) -> Option<Rejection> {
    let (on, ring) = parties.ring_through(&statement.party, statement.effective_on)?;
    let names = ring.iter().chain(ring.first()).map(String::as_str).collect::<Vec<_>>().join(" -> ");
    let hint = "a party is not above itself; correct the statement that is wrong";
    Some(Rejection::new(column, format!("makes a ring of parents on {on}: {names}"), hint))
}

/// One description, and one merger, of a party a day.
fn stated_twice(parties: &Parties, statement: &PartyStatement) -> Option<Rejection> {
    let once = matches!(statement.kind, PartyStatementKind::Describe | PartyStatementKind::Merge);
    let same = |placed: &&Placed<PartyStatement>| {
        placed.fact.kind == statement.kind && placed.fact.effective_on == statement.effective_on
    };
    let known = parties.statements(&statement.party).iter().find(same).filter(|_| once)?;
    let (on, id) = (statement.effective_on, &known.fact.id);
    let what = match (statement.kind, &known.fact.parent, &statement.parent) {
        (PartyStatementKind::Describe, Parent::Party(one), Parent::Party(other)) if one != other => {
            format!("{} has two parents on {on}: {one} by {id}, and {other}", statement.party)
        }
        (PartyStatementKind::Merge, ..) => format!("{} has a merger on {on} already, {id}", statement.party),
        _ => format!("{} has a description on {on} already, {id}", statement.party),
    };
    Some(Rejection::new("effective_on", what, format!("correct {id} first, or check the date")))
}

fn statement_findings(parties: &Parties, statement: &PartyStatement) -> Vec<Finding> {
    let mut findings = Vec::new();
    if statement.kind != PartyStatementKind::Describe {
        return findings;
    }
    match &statement.parent {
        Parent::Unknown => findings.push(Finding::new(FindingCode::ParentUnknown, statement.party.clone())),
        Parent::Party(parent) if !parties.knows(parent) => {
            findings.push(Finding::new(FindingCode::ParentUnknown, format!("{parent}, parent of {}", statement.party)));
        }
        Parent::Party(_) | Parent::Nobody => {}
    }
    for (identifier, other) in parties.sharing(statement) {
        findings.push(Finding::new(FindingCode::IdentifierShared, format!("{identifier}: {} and {other}", statement.party)));
    }
    findings
}

/// Lines that together pass the range of exact sums.
fn beyond_range(fact: &CompanyFact) -> Option<Rejection> {
    let CompanyFact::Shipment(shipment) = fact else { return None };
    let sum = shipment.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.tpp.thousandths()));
    (sum >= Tpp::GROSS_MAX.thousandths()).then(|| {
        let what = format!("the lines of {} pass the range of exact sums, {} TPP", shipment.id, Tpp::GROSS_MAX.grouped());
        Rejection::new("quantity", what, "check the quantities; the amounts are far beyond any real shipment")
    })
}

/// A party's accounts, which shares add up, whose movements would pass the range of exact sums.
fn out_of_range(account: &Account, before: &BTreeMap<Account, Balance>, charges: &[Charge]) -> Option<Rejection> {
    let of_party = |other: &Account| other.authorization == account.authorization && other.party == account.party;
    let moved = charges.iter().filter(|charge| of_party(&charge.account)).map(|charge| charge.tpp);
    let gross = before
        .values()
        .flat_map(Balance::gross)
        .chain(moved)
        .fold(0_i64, |sum, tpp| sum.saturating_add(tpp.thousandths().saturating_abs()));
    (gross >= Tpp::GROSS_MAX.thousandths()).then(|| {
        let what =
            format!("with it, the movements of {account} would pass the range of exact sums, {} TPP", Tpp::GROSS_MAX.grouped());
        Rejection::new("quantity", what, "check the quantities; the amounts are far beyond any real shipment")
    })
}

fn taken_too_much(account: &Account, stood: &Balance, change: &Balance) -> Option<Rejection> {
    let (on, would_be) = below_zero(stood, change)?;
    let what = format!(
        "takes {} TPP from {account}, and {} TPP is there on {on}: {} more",
        (-change.on(on)).grouped(),
        stood.on(on).grouped(),
        (-would_be).grouped()
    );
    Some(Rejection::new("tpp", what, "check the amount and the date; nothing can be taken that is not there"))
}
