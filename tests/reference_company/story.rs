//! Who belongs to whom on a day, and what each fact charges: all of it worked out anew from the list of facts.

use super::law;
use super::rows::{Fact, Line, Said};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A fact that stands, with the number of its record.
#[derive(Clone, Debug)]
pub struct Stands {
    pub seq: u64,
    pub fact: Fact,
}

/// What a fact charges to an account from a day on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    pub seq: u64,
    pub on: NaiveDate,
    pub account: String,
    pub tpp: i64,
}

/// Why there is no account to charge, and for the fact of which record.
pub struct NoAccount {
    pub seq: u64,
}

/// All facts that stand.
pub struct Story(pub Vec<Stands>);

impl Story {
    fn of(&self, party: &str) -> impl Iterator<Item = &Stands> {
        self.0.iter().filter(move |it| it.fact.party == party)
    }

    /// The last fact up to a day of which something is said; on one day the later record.
    fn last<'s, T>(&'s self, party: &str, on: NaiveDate, what: impl Fn(&'s Said) -> Option<T>) -> Option<T> {
        let told = self.of(party).filter(|it| it.fact.on <= on);
        let told = told.filter_map(|it| what(&it.fact.said).map(|said| ((it.fact.on, it.seq), said)));
        told.max_by_key(|(at, _)| *at).map(|(_, said)| said)
    }

    pub fn knows(&self, party: &str) -> bool {
        let is_statement = |said: &Said| matches!(said, Said::Describe { .. } | Said::Merge { .. } | Said::Authorize { .. });
        self.of(party).any(|it| is_statement(&it.fact.said))
    }

    pub fn merged(&self, party: &str, on: NaiveDate) -> Option<&'static str> {
        self.last(party, on, |said| if let Said::Merge { into } = said { Some(*into) } else { None })
    }

    fn described(&self, party: &str, on: NaiveDate) -> Option<(&'static str, Option<&'static str>)> {
        let of = |said: &Said| match said {
            Said::Describe { headquarters, parent } => Some((*headquarters, parent.flatten())),
            _ => None,
        };
        self.last(party, on, of)
    }

    fn up(&self, party: &str, on: NaiveDate) -> Option<&'static str> {
        self.merged(party, on).or_else(|| self.described(party, on)?.1)
    }

    /// The party and those above it; stops where a ring would close.
    pub fn chain(&self, party: &'static str, on: NaiveDate) -> Vec<&'static str> {
        let mut chain = vec![party];
        while let Some(up) = self.up(chain[chain.len() - 1], on).filter(|up| !chain.contains(up)) {
            chain.push(up);
        }
        chain
    }

    /// Whether parents go round in a ring on any day on which something is stated.
    pub fn has_a_ring(&self, parties: &[&'static str]) -> bool {
        let days: Vec<NaiveDate> = self.0.iter().map(|it| it.fact.on).collect();
        let goes_round = |party: &'static str, on| self.up(self.chain(party, on)[self.chain(party, on).len() - 1], on).is_some();
        days.iter().any(|on| parties.iter().any(|party| goes_round(party, *on)))
    }

    pub fn ultimate(&self, party: &'static str, on: NaiveDate) -> &'static str {
        self.chain(party, on)[self.chain(party, on).len() - 1]
    }

    /// The party that a merged one is.
    pub fn same_as(&self, party: &'static str, on: NaiveDate) -> &'static str {
        let mut at = party;
        for _ in 0..self.0.len() {
            let Some(into) = self.merged(at, on) else { break };
            at = into;
        }
        at
    }

    pub fn headquarters(&self, party: &'static str, on: NaiveDate) -> Option<&'static str> {
        self.described(self.same_as(party, on), on).map(|(headquarters, _)| headquarters)
    }

    fn is_authorized(&self, party: &str, under: &str, country: Option<&str>, on: NaiveDate) -> bool {
        let about = |said: &Said| match said {
            Said::Authorize { begins, under: what, country: place } if *what == under && *place == country => Some(*begins),
            _ => None,
        };
        self.last(party, on, about).unwrap_or(false)
    }

    /// The nearest company upwards that holds an NVEU for the country.
    pub fn holder(&self, party: &'static str, country: &str, on: NaiveDate) -> Option<&'static str> {
        self.chain(party, on).into_iter().find(|at| self.is_authorized(at, "NVEU", Some(country), on))
    }

    /// Whether any company of the party's group holds a UVEU.
    pub fn group_has_uveu(&self, party: &'static str, on: NaiveDate) -> bool {
        let ultimate = self.ultimate(party, on);
        let in_group = |it: &&Stands| self.ultimate(it.fact.party, on) == ultimate;
        self.0.iter().filter(in_group).any(|it| self.is_authorized(it.fact.party, "UVEU", None, on))
    }

    /// The account that is charged for a party under an authorization at a place; outside `Some` nothing is added up.
    fn account(&self, under: &str, party: &'static str, place: Option<&str>, on: NaiveDate) -> Result<Option<String>, ()> {
        let ultimate = self.ultimate(party, on);
        Ok(Some(match under {
            "LPP" => law::lpp(ultimate, on),
            "NVEU" => {
                let country = place.ok_or(())?;
                format!("NVEU:{}:country={country}", self.holder(party, country, on).ok_or(())?)
            }
            "UVEU" => format!("UVEU:{ultimate}:country={}", place.ok_or(())?),
            "AIA" => format!("AIA:{}", self.same_as(party, on)),
            "ACM" => format!("ACM:{}:facility={}", self.same_as(party, on), place.ok_or(())?),
            _ => return Ok(None),
        }))
    }

    fn base(&self, party: &'static str, country: &str, on: NaiveDate) -> String {
        format!("UVEU:{}:country={country}", self.ultimate(party, on))
    }

    fn line_accounts(&self, line: &Line, on: NaiveDate) -> Result<Vec<String>, ()> {
        let place = if line.under == "ACM" { line.facility } else { Some(line.destination) };
        let mut accounts: Vec<String> =
            self.account(line.under, line.operator.unwrap_or(line.consignee), place, on)?.into_iter().collect();
        if line.under != "UVEU" && self.group_has_uveu(line.consignee, on) {
            accounts.push(self.base(line.consignee, line.destination, on));
        }
        Ok(accounts)
    }

    /// What one fact charges, but for certificates.
    fn charges_of(&self, it: &Stands) -> Result<Vec<(String, i64)>, ()> {
        let (on, party) = (it.fact.on, it.fact.party);
        let all = |accounts: Vec<String>, tpp: i64| accounts.into_iter().map(move |account| (account, tpp));
        let one = |account: Option<String>, tpp: i64| account.map(|account| (account, tpp));
        let mut charges = Vec::new();
        match &it.fact.said {
            Said::Installed { under, place, tpp } => charges.extend(one(self.account(under, party, *place, on)?, *tpp)),
            Said::Attrition { under, place, tpp } => charges.extend(one(self.account(under, party, *place, on)?, -*tpp)),
            Said::Moved { under, from, to, tpp, .. } => {
                charges.extend(one(self.account(under, party, *from, on)?, -*tpp));
                charges.extend(one(self.account(under, party, *to, on)?, *tpp));
            }
            Said::Ships { lines, .. } => {
                for line in lines {
                    charges.extend(all(self.line_accounts(line, on)?, line.tpp()));
                }
            }
            _ => {}
        }
        Ok(charges)
    }

    /// Everything that is charged. Certificates last, by day and record: each is charged what it states beyond what stands
    /// up to its day, of that day only what was recorded before it.
    pub fn charges(&self) -> Result<Vec<Charge>, NoAccount> {
        let mut charges = Vec::new();
        for it in &self.0 {
            let of_it = self.charges_of(it).map_err(|()| NoAccount { seq: it.seq })?;
            charges.extend(of_it.into_iter().map(|(account, tpp)| Charge { seq: it.seq, on: it.fact.on, account, tpp }));
        }
        let mut certificates: Vec<&Stands> = self.0.iter().filter(|it| matches!(it.fact.said, Said::Certified { .. })).collect();
        certificates.sort_by_key(|it| (it.fact.on, it.seq));
        for it in certificates {
            let Said::Certified { tpp } = it.fact.said else { continue };
            let account = law::lpp(self.ultimate(it.fact.party, it.fact.on), it.fact.on);
            let before = |charge: &&Charge| charge.account == account && (charge.on, charge.seq) < (it.fact.on, it.seq);
            let stands: i64 = charges.iter().filter(before).map(|charge| charge.tpp).sum();
            if tpp > stands {
                charges.push(Charge { seq: it.seq, on: it.fact.on, account, tpp: tpp - stands });
            }
        }
        Ok(charges)
    }
}

/// The balance of an account on a day.
pub fn balance(charges: &[Charge], account: &str, on: NaiveDate) -> i64 {
    charges.iter().filter(|charge| charge.account == account && charge.on <= on).map(|charge| charge.tpp).sum()
}

/// The balances of all accounts on a day, but those without anything.
pub fn balances(charges: &[Charge], on: NaiveDate) -> BTreeMap<String, i64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for charge in charges.iter().filter(|charge| charge.on <= on) {
        *sums.entry(charge.account.clone()).or_default() += charge.tpp;
    }
    sums.retain(|_, tpp| *tpp != 0);
    sums
}
