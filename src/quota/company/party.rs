//! Parties: who belongs to whom on a day, who is the same, who is authorized.
//!
//! Everything is dated: a parent counts from its statement's day until the next one's. A party whose parent is not stated
//! is taken as its own ultimate parent, with a finding. Invariant: no day has a ring of parents; that is checked before a
//! statement is recorded.

use super::account::Authorization;
use super::fact::{Parent, PartyStatement, PartyStatementKind};
use crate::quota::codes::Country;
use crate::quota::event::Placed;
use crate::quota::regime::{Regime, Standing};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// All parties of a ledger.
#[derive(Clone, Default, Debug)]
pub struct Parties {
    statements: BTreeMap<String, Vec<Placed<PartyStatement>>>,
    /// Above each party those that were ever stated to be.
    above: BTreeMap<String, BTreeSet<String>>,
    /// Below each party those that were ever stated to be.
    below: BTreeMap<String, BTreeSet<String>>,
    /// Parties by identifier.
    by_identifier: BTreeMap<String, BTreeSet<String>>,
    /// Parties of which an authorization was ever stated; they are few.
    authorized: BTreeSet<String>,
}

impl Parties {
    /// The parties that these statements tell of; corrected ones count for nothing.
    pub fn new(statements: impl IntoIterator<Item = Placed<PartyStatement>>) -> Self {
        let mut parties = Parties::default();
        statements.into_iter().for_each(|placed| parties.add(placed));
        parties
    }

    /// One statement more.
    pub fn add(&mut self, placed: Placed<PartyStatement>) {
        if placed.is_corrected() {
            return;
        }
        if placed.fact.authorization.is_some() {
            self.authorized.insert(placed.fact.party.clone());
        }
        let parent = if let Parent::Party(parent) = &placed.fact.parent { Some(parent) } else { None };
        for above in [parent, placed.fact.merged_into.as_ref()].into_iter().flatten() {
            self.below.entry(above.clone()).or_default().insert(placed.fact.party.clone());
            self.above.entry(placed.fact.party.clone()).or_default().insert(above.clone());
        }
        for identifier in identifiers(&placed.fact) {
            self.by_identifier.entry(identifier.to_string()).or_default().insert(placed.fact.party.clone());
        }
        let of_it = self.statements.entry(placed.fact.party.clone()).or_default();
        let at = of_it.partition_point(|known| (known.fact.effective_on, known.seq) <= (placed.fact.effective_on, placed.seq));
        of_it.insert(at, placed);
    }

    /// Takes a statement on a party out again.
    pub fn remove(&mut self, party: &str, seq: u64) {
        let Some(of_it) = self.statements.get_mut(party) else { return };
        of_it.retain(|placed| placed.seq != seq);
        if of_it.is_empty() {
            self.statements.remove(party);
        }
    }

    /// The same without a statement on a party.
    pub fn without(&self, party: &str, seq: u64) -> Parties {
        let mut rest = self.clone();
        rest.remove(party, seq);
        rest
    }

    /// Whether anything is stated of a party.
    pub fn knows(&self, party: &str) -> bool {
        self.statements.contains_key(party)
    }

    /// All parties of which something is stated.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.statements.keys().map(String::as_str)
    }

    /// The statements on a party, in order.
    pub fn statements(&self, party: &str) -> &[Placed<PartyStatement>] {
        self.statements.get(party).map_or(&[], Vec::as_slice)
    }

    /// The statement of one kind in force on a day.
    pub fn in_force(&self, party: &str, kind: PartyStatementKind, on: NaiveDate) -> Option<&PartyStatement> {
        let of_kind = self.statements(party).iter().rev().filter(|placed| placed.fact.kind == kind);
        of_kind.map(|placed| &placed.fact).find(|statement| statement.effective_on <= on)
    }

    fn next_up(&self, party: &str, on: NaiveDate) -> Option<&str> {
        if let Some(merged) = self.in_force(party, PartyStatementKind::Merge, on) {
            return merged.merged_into.as_deref();
        }
        match &self.in_force(party, PartyStatementKind::Describe, on)?.parent {
            Parent::Party(parent) => Some(parent),
            Parent::Unknown | Parent::Nobody => None,
        }
    }

    /// The party that a merged one is on a day; itself, if it is not merged.
    pub fn same_as<'p>(&'p self, party: &'p str, on: NaiveDate) -> &'p str {
        let (mut at, mut seen) = (party, BTreeSet::new());
        while let Some(merged) = self.in_force(at, PartyStatementKind::Merge, on).and_then(|it| it.merged_into.as_deref()) {
            if !seen.insert(at) {
                break;
            }
            at = merged;
        }
        at
    }

    /// The party and those above it on a day, the ultimate parent last.
    pub fn chain<'p>(&'p self, party: &'p str, on: NaiveDate) -> Vec<&'p str> {
        let mut chain = vec![party];
        while let Some(up) = self.next_up(chain[chain.len() - 1], on) {
            if chain.contains(&up) {
                break;
            }
            chain.push(up);
        }
        chain
    }

    /// The ultimate parent on a day.
    pub fn ultimate<'p>(&'p self, party: &'p str, on: NaiveDate) -> &'p str {
        self.chain(party, on).last().copied().unwrap_or(party)
    }

    /// A party and all that were ever stated to be below it, on whatever day.
    pub fn below(&self, party: &str) -> BTreeSet<String> {
        reached(&self.below, party)
    }

    /// Whether a party was ever stated to be below another, on whatever day; a party is below itself.
    pub fn was_ever_below(&self, party: &str, other: &str) -> bool {
        reached(&self.above, party).contains(other)
    }

    /// Whether an authorization was ever stated of a party.
    pub fn was_ever_authorized(&self, party: &str) -> bool {
        self.authorized.contains(party)
    }

    /// Identifiers that a statement shares with another party, which is not merged with it.
    pub fn sharing(&self, statement: &PartyStatement) -> Vec<(String, String)> {
        let on = statement.effective_on;
        let mut shared = Vec::new();
        for identifier in identifiers(statement) {
            let others = self.by_identifier.get(identifier).into_iter().flatten();
            // What was taken back leaves its place in the index.
            let has_it = |other: &&String| {
                self.statements(other).iter().any(|placed| identifiers(&placed.fact).any(|theirs| theirs == identifier))
            };
            let is_another = |other: &&String| self.same_as(other, on) != self.same_as(&statement.party, on);
            shared.extend(others.filter(is_another).filter(has_it).map(|other| (identifier.to_string(), other.clone())));
        }
        shared
    }

    /// Whether the ultimate parent is known as one: stated to have no parent.
    pub fn ultimate_is_known(&self, party: &str, on: NaiveDate) -> bool {
        let last = self.ultimate(party, on);
        self.in_force(last, PartyStatementKind::Describe, on).is_some_and(|statement| statement.parent == Parent::Nobody)
    }

    /// Headquarters on a day, where stated.
    pub fn headquarters(&self, party: &str, on: NaiveDate) -> Option<Country> {
        self.in_force(self.same_as(party, on), PartyStatementKind::Describe, on).and_then(|statement| statement.headquarters)
    }

    /// Whether a party is headquartered at home, or in a territory of it, on a day.
    pub fn is_at_home(&self, party: &str, regime: &Regime, on: NaiveDate) -> bool {
        self.headquarters(party, on).is_some_and(|seat| regime.standing(seat, on) == Standing::Home)
    }

    /// Whether a party itself is authorized on a day; for a national one in a country.
    pub fn is_authorized(&self, party: &str, authorization: Authorization, country: Option<Country>, on: NaiveDate) -> bool {
        let mut authorized = false;
        for placed in self.statements(party).iter().take_while(|placed| placed.fact.effective_on <= on) {
            let it = &placed.fact;
            if it.authorization == Some(authorization) && (it.country.is_none() || it.country == country) {
                authorized = it.kind == PartyStatementKind::Authorize;
            }
        }
        authorized
    }

    /// The nearest party upwards that is authorized: whose national authorization covers a consignee.
    pub fn holder<'p>(
        &'p self,
        party: &'p str,
        authorization: Authorization,
        country: Country,
        on: NaiveDate,
    ) -> Option<&'p str> {
        let holds = |at: &str| self.is_authorized(at, authorization, Some(country), on);
        self.chain(party, on).into_iter().map(|at| self.same_as(at, on)).find(|at| {
            // What one name of a company holds, the company holds.
            holds(at) || self.below(at).iter().any(|name| self.same_as(name, on) == *at && holds(name))
        })
    }

    /// Whether any party of an ultimate parent's group is authorized: a universal authorization is the entity's, with all
    /// its subsidiaries and parents (Supp. 10 to part 748, paragraph 6).
    pub fn group_is_authorized(&self, ultimate: &str, authorization: Authorization, on: NaiveDate) -> bool {
        let holds = |party: &str| self.is_authorized(party, authorization, None, on);
        self.authorized.iter().any(|party| holds(party) && self.ultimate(party, on) == ultimate)
    }

    /// The days from one on, on which something changes above a party.
    fn days_above(&self, party: &str, from: NaiveDate) -> BTreeSet<NaiveDate> {
        let concerned = reached(&self.above, party);
        let all = concerned.iter().flat_map(|at| self.statements(at)).map(|placed| placed.fact.effective_on);
        all.filter(|day| *day > from).chain([from]).collect()
    }

    /// The ultimate parents of a party from a day on.
    pub fn ultimates(&self, party: &str, from: NaiveDate) -> BTreeSet<&str> {
        self.days_above(party, from).into_iter().filter_map(|on| self.chain_in_self(party, on)).collect()
    }

    fn chain_in_self(&self, party: &str, on: NaiveDate) -> Option<&str> {
        let (name, _) = self.statements.get_key_value(party)?;
        Some(self.ultimate(name, on))
    }

    /// A ring of parents that goes through a party on a day from `from` on, and that day.
    pub fn ring_through(&self, party: &str, from: NaiveDate) -> Option<(NaiveDate, Vec<String>)> {
        self.days_above(party, from).into_iter().find_map(|on| {
            let chain = self.chain(party, on);
            let last = *chain.last()?;
            let up = self.next_up(last, on)?;
            let ring = chain.iter().position(|at| *at == up)?;
            Some((on, chain[ring..].iter().map(ToString::to_string).collect()))
        })
    }
}

fn identifiers(statement: &PartyStatement) -> impl Iterator<Item = &str> {
    statement.identifiers.iter().flat_map(|text| text.split(';')).map(str::trim).filter(|it| !it.is_empty())
}

/// All that is reached from a party by a relation, with itself.
fn reached(relation: &BTreeMap<String, BTreeSet<String>>, party: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![party]);
    while let Some(at) = open.pop() {
        if found.insert(at.to_string()) {
            open.extend(relation.get(at).into_iter().flatten().map(String::as_str));
        }
    }
    found
}
