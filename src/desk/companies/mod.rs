//! The clerk's work on a fact of a company: what it is charged to, which limits and shares that meets, what it moves.
//!
//! A new fact, a statement on a party and a correction are one mechanism: the facts concerned are charged as they stand and as
//! they would stand, and the difference is posted. Contract: docs/companies.md.

mod limits;
mod statements;

use super::clerk::{Answer, Clerk, Home, Outcome, Rejection};
use super::recent::RecentCompanies;
use crate::error::Result;
use crate::quota::company::account::{Account, Charge, ChargeKind};
use crate::quota::company::certificate::{Received, certified, settle};
use crate::quota::company::charges::{ChargePosting, Charged, Charger, charge_difference};
use crate::quota::company::fact::{CompanyFact, HoldingKind};
use crate::quota::company::party::Parties;
use crate::quota::company::rules::CompanyRules;
use crate::quota::decision::Shortfall;
use crate::quota::event::Placed;
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::tpp::Tpp;
use crate::store::{Append, Fact};
use limits::balances;
use std::collections::BTreeSet;
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
    fn parties(&mut self) -> Result<Arc<Parties>> {
        if self.recent.companies.parties.is_none() {
            self.recent.companies.parties = Some(Arc::new(Parties::new(self.tx.party_statements()?)));
        }
        Ok(Arc::clone(self.recent.companies.parties.as_ref().expect("just loaded")))
    }

    /// Loads, once, of whom a shipment or holding is recorded.
    fn load_charged(&mut self) -> Result<()> {
        if self.recent.companies.charged.is_none() {
            let charged = self.tx.charged_parties()?;
            let certified = charged.iter().filter(|(_, certified)| *certified).map(|(party, _)| party.clone());
            self.recent.companies.certified = certified.collect();
            self.recent.companies.charged = Some(charged.into_iter().map(|(party, _)| party).collect());
        }
        Ok(())
    }

    fn charged_fact(&mut self, rules: &CompanyRules, fact: &CompanyFact) -> Answer {
        if let Some(rejection) = beyond_range(fact) {
            return Ok(Err(rejection));
        }
        let (seq, regime, parties) = (self.next_seq(), self.regime, self.parties()?);
        let Charged { findings: mut said, faults, postings } = Charger::new(regime, rules, &parties).charge(seq, fact);
        for fault in faults {
            if fault.always || !fact.already_made() {
                return Ok(Err(Rejection { line: fault.line, ..Rejection::new(fault.column, fault.what, fault.hint) }));
            }
            let line = fault.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            said.push(Finding::new(FindingCode::AuthorizationNotAvailable, format!("{line}{}", fault.what)));
        }
        let charges = self.charges_with(rules, &parties, &postings)?;
        said.extend(self.certificate_below(fact, &postings)?);
        let stated = matches!(fact, CompanyFact::Holding(holding) if holding.kind == HoldingKind::Installed);
        let judged = match self.judge_charges(rules, &parties, &charges, stated)? {
            Ok(judged) => judged,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let answer = self.conclude_company(Fact::Company(fact.clone()), said, charges, judged, fact.already_made())?;
        if matches!(answer, Ok(Outcome::Recorded { .. })) {
            self.remember_company(fact, &postings);
        }
        Ok(answer)
    }

    /// The charges of new postings, and of the certificates that they settle anew.
    fn charges_with(&mut self, rules: &CompanyRules, parties: &Parties, postings: &[ChargePosting]) -> Result<Vec<Charge>> {
        let (mut before, mut after) = (Vec::new(), postings.to_vec());
        for account in self.certified_accounts(parties, postings)? {
            let known = self.received(rules, parties, &account)?.as_slice();
            let new = postings.iter().filter(|it| it.charge.account == account).map(Received::from);
            let (old, new) = (certified(known), certified(&known.iter().copied().chain(new).collect::<Vec<_>>()));
            for it in after.iter_mut().filter(|it| it.charge.account == account && it.charge.kind == ChargeKind::Certified) {
                it.charge.tpp = new[&it.cause];
            }
            for it in known.iter().filter(|it| it.is_certificate) {
                before.push(it.certifies(&account, old[&it.cause]));
                after.push(it.certifies(&account, new[&it.cause]));
            }
        }
        Ok(charge_difference(&before, &after, None, false))
    }

    /// Those of the accounts charged in which a certificate may stand.
    fn certified_accounts(&mut self, parties: &Parties, postings: &[ChargePosting]) -> Result<BTreeSet<Account>> {
        self.load_charged()?;
        let certified = &self.recent.companies.certified;
        let by_year = postings.iter().map(|posting| &posting.charge).filter(|charge| charge.account.year().is_some());
        let may_stand = |charge: &&Charge| {
            let ultimate = &charge.account.party;
            charge.kind == ChargeKind::Certified || certified.iter().any(|party| parties.was_ever_below(party, ultimate))
        };
        Ok(by_year.filter(may_stand).map(|charge| charge.account.clone()).collect())
    }

    /// What an account received, as its certificates see it; worked out once from all facts of its group.
    fn received(&mut self, rules: &CompanyRules, parties: &Parties, account: &Account) -> Result<&mut Vec<Received>> {
        if !self.recent.companies.received.contains_key(account) {
            let members: Vec<String> = parties.below(&account.party).into_iter().collect();
            let charger = Charger::new(self.regime, rules, parties);
            let facts = self.tx.company_facts(Some(&members))?;
            let postings = facts.iter().filter(|it| !it.is_corrected()).flat_map(|it| charger.charge(it.seq, &it.fact).postings);
            let received = postings.filter(|it| it.charge.account == *account).map(|it| Received::from(&it)).collect();
            self.recent.companies.received.insert(account.clone(), received);
        }
        Ok(self.recent.companies.received.get_mut(account).expect("just inserted"))
    }

    /// What later facts need to know of one that was recorded.
    fn remember_company(&mut self, fact: &CompanyFact, postings: &[ChargePosting]) {
        for it in postings {
            if let Some(received) = self.recent.companies.received.get_mut(&it.charge.account) {
                received.push(it.into());
            }
        }
        let RecentCompanies { charged: Some(charged), certified, .. } = &mut self.recent.companies else { return };
        charged.extend(fact.parties().into_iter().map(String::from));
        certified.extend(fact.certified().map(String::from));
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
        findings.extend(self.dated(fact.effective_on()));
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
}

fn unsettled(fact: &CompanyFact, what: &str) -> Rejection {
    let what = format!("with it, the recorded {} {} would not stand: {what}", fact.what(), fact.id());
    Rejection::new("effective_on", what, format!("correct {} first, or check the date", fact.id()))
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
