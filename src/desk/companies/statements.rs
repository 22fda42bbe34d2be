//! Statements on parties, and corrections of what is recorded of companies: what was charged moves.

use super::Stand;
use crate::desk::clerk::{Answer, Clerk, Rejection, lost};
use crate::desk::recent::RecentCompanies;
use crate::error::Result;
use crate::quota::company::charges::Charger;
use crate::quota::company::fact::{CompanyFact, Parent, PartyStatement, PartyStatementKind};
use crate::quota::company::party::Parties;
use crate::quota::company::rules::CompanyRules;
use crate::quota::event::{Event, Placed};
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::regime::Regime;
use crate::store::{Append, Fact, Record};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::sync::Arc;

impl<W: Append> Clerk<'_, W> {
    pub(super) fn party_statement(&mut self, rules: &CompanyRules, statement: &PartyStatement) -> Answer {
        let seq = self.next_seq();
        self.parties()?;
        // The parties are many and a statement is one: they are changed in place, and changed back if it is wrong.
        let mut shared = self.recent.companies.parties.take().expect("just loaded");
        let parties = Arc::make_mut(&mut shared);
        let answer = self.stated(rules, parties, statement, seq);
        if !matches!(answer, Ok(Ok(_))) {
            parties.remove(&statement.party, seq);
        }
        self.recent.companies.parties = Some(shared);
        answer
    }

    fn stated(&mut self, rules: &CompanyRules, parties: &mut Parties, statement: &PartyStatement, seq: u64) -> Answer {
        if let Some(rejection) = stated_twice(parties, statement) {
            return Ok(Err(rejection));
        }
        if let Some(rejection) = in_a_territory(self.regime, statement) {
            return Ok(Err(rejection));
        }
        let mut concerned = self.concerned(parties, statement)?;
        parties.add(Placed::new(seq, statement.clone()));
        let column = if statement.kind == PartyStatementKind::Merge { "merged_into" } else { "parent" };
        if let Some(rejection) = makes_ring(parties, statement, column) {
            return Ok(Err(rejection));
        }
        concerned.extend(self.concerned(parties, statement)?);
        let mut charges = Vec::new();
        if !concerned.is_empty() {
            let facts = self.tx.company_facts(Some(&concerned.into_iter().collect::<Vec<_>>()))?;
            self.recent.companies.received.clear();
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

    /// The parties whose facts a statement may charge elsewhere: of those below its party, or where an authorization or a
    /// certificate of the group may come or go, of the whole group.
    fn concerned(&mut self, parties: &Parties, statement: &PartyStatement) -> Result<BTreeSet<String>> {
        self.load_charged()?;
        let RecentCompanies { charged: Some(charged), .. } = &self.recent.companies else { return Ok(BTreeSet::new()) };
        let below = parties.below(&statement.party);
        let authorizes = statement.authorization.is_some() || below.iter().any(|party| parties.was_ever_authorized(party));
        if !authorizes && below.is_disjoint(charged) {
            return Ok(BTreeSet::new());
        }
        let members = members_of(parties, &statement.party, statement.effective_on);
        Ok(members.intersection(charged).cloned().collect())
    }

    /// Undoes a fact of a company: the facts concerned are charged as if it had never been.
    pub(in crate::desk) fn correct_company(&mut self, event: &Event, target: &Record) -> Answer {
        let Fact::Company(fact) = &target.fact else { unreachable!("the caller looked at the kind of the record") };
        let regime = self.regime;
        let Some(rules) = regime.companies.as_ref() else { return Err(lost("the company rules of", fact.id())) };
        let parties = self.parties()?;
        let undone = || {
            let what = format!("{} was corrected already", fact.id());
            Rejection::new("corrects", what, "a correction is made once")
        };
        let (facts, new_parties) = match fact {
            CompanyFact::Party(statement) => {
                if !parties.statements(&statement.party).iter().any(|placed| placed.seq == target.seq) {
                    return self.rejected_unless_known(event, None, undone());
                }
                let new_parties = parties.without(&statement.party, target.seq);
                if let Some(rejection) = makes_ring(&new_parties, statement, "corrects") {
                    return self.rejected_unless_known(event, None, rejection);
                }
                let mut concerned = self.concerned(&parties, statement)?;
                concerned.extend(self.concerned(&new_parties, statement)?);
                (self.tx.company_facts(Some(&concerned.into_iter().collect::<Vec<_>>()))?, new_parties)
            }
            _ => {
                let own: Vec<String> = fact.parties().into_iter().map(String::from).collect();
                let mut facts = self.tx.company_facts(Some(&own))?;
                if facts.iter().any(|placed| placed.seq == target.seq && placed.is_corrected()) {
                    return self.rejected_unless_known(event, None, undone());
                }
                let postings = Charger::new(regime, rules, &parties).charge(target.seq, fact).postings;
                let certified = self.certified_accounts(&parties, &postings)?;
                if certified.is_empty() {
                    facts.retain(|placed| placed.seq == target.seq);
                } else {
                    let members: BTreeSet<String> = certified.iter().flat_map(|account| parties.below(&account.party)).collect();
                    facts = self.tx.company_facts(Some(&members.into_iter().collect::<Vec<_>>()))?;
                }
                (facts, (*parties).clone())
            }
        };
        let mut rest = facts.clone();
        rest.retain(|placed| placed.seq != target.seq);
        let recharged = matches!(fact, CompanyFact::Party(_));
        let old = Stand { facts: &facts, parties: &parties };
        let new = Stand { facts: &rest, parties: &new_parties };
        let charges = match self.difference(rules, old, new, Some(target.seq), recharged) {
            Ok(charges) => charges,
            Err(rejection) => return self.rejected_unless_known(event, None, Rejection { column: "corrects", ..rejection }),
        };
        let judged = match self.judge_charges(rules, &new_parties, &charges, true)? {
            Ok(judged) => judged,
            Err(rejection) => return self.rejected_unless_known(event, None, Rejection { column: "corrects", ..rejection }),
        };
        let answer = self.conclude_company(Fact::Event(event.clone(), None), Vec::new(), charges, judged, true)?;
        self.recent.companies = RecentCompanies::default();
        Ok(answer)
    }
}

/// All parties that ever share an ultimate parent with one from a day on.
fn members_of(parties: &Parties, party: &str, from: NaiveDate) -> BTreeSet<String> {
    let mut members = parties.below(party);
    for ultimate in parties.ultimates(party, from) {
        members.extend(parties.below(ultimate));
    }
    members
}

/// A ring of parents, on a day from the statement's on, that goes through its party.
fn makes_ring(parties: &Parties, statement: &PartyStatement, column: &'static str) -> Option<Rejection> {
    let (on, ring) = parties.ring_through(&statement.party, statement.effective_on)?;
    let names = ring.iter().chain(ring.first()).map(String::as_str).collect::<Vec<_>>().join(" -> ");
    let hint = "a party is not above itself; correct the statement that is wrong";
    Some(Rejection::new(column, format!("makes a ring of parents on {on}: {names}"), hint))
}

/// A national authorization for a territory, whose base is kept with its country.
fn in_a_territory(regime: &Regime, statement: &PartyStatement) -> Option<Rejection> {
    let country = statement.country?;
    let counted_in = regime.counted_in(country);
    (counted_in != country).then(|| {
        let what = format!("what reaches {country} is kept with {counted_in}");
        Rejection::new("country", what, format!("name {counted_in}"))
    })
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
