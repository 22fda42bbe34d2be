//! The naive store: a list of records; every question is a fold over it.
//!
//! It is the oracle for the fast store and the ledger of the `.case` pages. It keeps no index and no sum, so that there
//! is nothing in it that could disagree with the records.

use super::{
    Append, Ask, Batch, Chain, Digest, Dossier, End, Fact, Head, IdKind, Prepared, Read, Record, RegimeKept, Store, Write,
    canonical,
};
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge};
use crate::quota::company::fact::{CompanyFact, PartyStatement};
use crate::quota::event::{Act, Event, EventKind, Placed, in_order};
use crate::quota::filing::Filings;
use crate::quota::posting::{Entry, Measures};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A ledger in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    regimes: Vec<RegimeKept>,
    records: Vec<Record>,
    whole_sources: BTreeSet<Digest>,
    /// Parts of filed files by record, file and part.
    filed: BTreeMap<(u64, usize, usize), Vec<u8>>,
}

impl MemoryStore {
    /// A new ledger under a regime.
    pub fn new(id: impl Into<String>, digest: Digest, text: impl Into<String>) -> Self {
        let first = RegimeKept { adopted_by: 0, id: id.into(), digest, text: text.into() };
        MemoryStore { regimes: vec![first], records: Vec::new(), whole_sources: BTreeSet::new(), filed: BTreeMap::new() }
    }

    fn last(&self) -> Head {
        let genesis = canonical::genesis(&self.regimes[0].digest);
        self.records.last().map_or(Head { seq: 0, digest: genesis, recorded_at: 0 }, |last| Head {
            seq: last.seq,
            digest: last.digest,
            recorded_at: last.batch.recorded_at,
        })
    }

    fn accepted(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| !record.is_refused())
    }

    /// The accepted correction of an id, if any.
    fn corrected_by(&self, id: &str) -> Option<u64> {
        self.accepted().find_map(|record| match &record.fact {
            Fact::Event(event, _) if event.corrects.as_deref() == Some(id) => Some(record.seq),
            _ => None,
        })
    }

    /// The accepted facts of companies, in order of record.
    fn company_records(&self) -> impl Iterator<Item = Placed<CompanyFact>> {
        self.accepted().filter_map(|record| match &record.fact {
            Fact::Company(fact) => {
                Some(Placed { seq: record.seq, corrected_by: self.corrected_by(fact.id()), fact: fact.clone() })
            }
            _ => None,
        })
    }

    fn dossier_of(&self, first: u64) -> Dossier {
        let mut dossier = Dossier { first, revisions: Vec::new(), events: Vec::new(), findings: Vec::new() };
        for record in self.accepted().filter(|record| record.application == Some(first)) {
            if !record.findings.is_empty() {
                dossier.findings.push((record.seq, record.findings.clone()));
            }
            match &record.fact {
                Fact::Application(application) => dossier.revisions.push(Placed::new(record.seq, application.clone())),
                Fact::Event(event, _) => {
                    let corrected_by = self.corrected_by(&event.id);
                    dossier.events.push(Placed { seq: record.seq, corrected_by, fact: event.clone() });
                }
                Fact::Act(_) | Fact::Company(_) | Fact::Filing(_) | Fact::Regime { .. } => {}
            }
        }
        in_order(&mut dossier.events, |event: &Event| event.effective_on);
        dossier
    }
}

impl Ask for MemoryStore {
    fn head(&self) -> Result<Head> {
        Ok(self.last())
    }

    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        let first = self.records.iter().find(|record| matches!(&record.fact, Fact::Application(known) if known.number == number));
        Ok(first.map(|record| self.dossier_of(record.seq)))
    }

    fn find(&self, id: &str) -> Result<Option<Record>> {
        let found = self.records.iter().find(|record| match &record.fact {
            Fact::Event(event, _) => event.id == id,
            Fact::Act(act) => act.id == id,
            Fact::Company(fact) => fact.id() == id,
            Fact::Filing(filing) => filing.id == id,
            _ => false,
        });
        Ok(found.cloned())
    }

    fn license(&self, number: &str) -> Result<Vec<String>> {
        Ok(self
            .accepted()
            .filter_map(|record| match &record.fact {
                Fact::Event(event, Some(application))
                    if event.kind == EventKind::Issue
                        && event.license_number.as_deref() == Some(number)
                        && self.corrected_by(&event.id).is_none() =>
                {
                    Some(application.clone())
                }
                _ => None,
            })
            .collect())
    }

    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        let mut acts: Vec<Placed<Act>> = self
            .accepted()
            .filter(|record| record.allocation == Some(allocation))
            .filter_map(|record| match &record.fact {
                Fact::Act(act) => Some(Placed { seq: record.seq, corrected_by: self.corrected_by(&act.id), fact: act.clone() }),
                _ => None,
            })
            .collect();
        in_order(&mut acts, |act| act.effective_on);
        Ok(acts)
    }

    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        let mut totals: BTreeMap<NaiveDate, Measures> = BTreeMap::new();
        for entry in self.records.iter().flat_map(|record| &record.entries).filter(|entry| entry.allocation == allocation) {
            *totals.entry(entry.effective_on).or_default() += entry.measures;
        }
        Ok(totals.into_iter().collect())
    }

    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        Ok(self.company_records().filter_map(|placed| placed.statement()).collect())
    }

    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        let wanted = |fact: &CompanyFact| match parties {
            Some(parties) => fact.parties().iter().any(|party| parties.iter().any(|wanted| wanted == party)),
            None => true,
        };
        Ok(self.company_records().filter(|it| !matches!(it.fact, CompanyFact::Party(_)) && wanted(&it.fact)).collect())
    }

    fn filings(&self) -> Result<Filings> {
        let filings = self.records.iter().filter_map(|record| match &record.fact {
            Fact::Filing(filing) => Some((record.seq, filing.clone())),
            _ => None,
        });
        Ok(Filings(filings.collect()))
    }

    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        let mut parties: BTreeMap<String, bool> = BTreeMap::new();
        for placed in self.company_records() {
            for party in placed.fact.parties() {
                *parties.entry(party.to_string()).or_default() |= placed.fact.certified().is_some();
            }
        }
        Ok(parties.into_iter().collect())
    }

    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        let mut totals: BTreeMap<(Account, NaiveDate), Tpp> = BTreeMap::new();
        for charge in self.records.iter().flat_map(|record| &record.charges) {
            if charge.account.authorization == authorization && charge.account.party == party {
                *totals.entry((charge.account.clone(), charge.effective_on)).or_default() += charge.tpp;
            }
        }
        Ok(totals.into_iter().map(|((account, day), tpp)| (account, day, tpp)).collect())
    }
}

impl Read for MemoryStore {
    fn regimes(&self) -> Result<Vec<RegimeKept>> {
        Ok(self.regimes.clone())
    }

    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        for record in self.records.iter().filter(|record| record.application == Some(record.seq)) {
            visit(self.dossier_of(record.seq))?;
        }
        Ok(())
    }

    fn record(&self, seq: u64) -> Result<Option<Record>> {
        Ok(self.records.iter().find(|record| record.seq == seq).cloned())
    }

    fn positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Country, Measures>> {
        let mut positions: BTreeMap<Country, Measures> = BTreeMap::new();
        for record in self.records.iter().filter(|record| record.seq <= through) {
            for entry in record.entries.iter().filter(|entry| entry.effective_on <= as_of) {
                *positions.entry(entry.allocation).or_default() += entry.measures;
            }
        }
        Ok(positions)
    }

    fn account_positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Account, Tpp>> {
        let mut positions: BTreeMap<Account, Tpp> = BTreeMap::new();
        for charge in self.records.iter().filter(|record| record.seq <= through).flat_map(|record| &record.charges) {
            if charge.effective_on <= as_of {
                *positions.entry(charge.account.clone()).or_default() += charge.tpp;
            }
        }
        Ok(positions)
    }

    fn charges(&self, after: u64, through: u64, visit: &mut dyn FnMut(u64, Charge) -> Result<()>) -> Result<()> {
        for record in self.records.iter().filter(|record| after < record.seq && record.seq <= through) {
            record.charges.iter().cloned().try_for_each(|charge| visit(record.seq, charge))?;
        }
        Ok(())
    }

    fn entries(
        &self,
        allocation: Option<Country>,
        after: u64,
        through: u64,
        visit: &mut dyn FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        for record in self.records.iter().filter(|record| after < record.seq && record.seq <= through) {
            for entry in record.entries.iter().filter(|entry| allocation.is_none_or(|one| entry.allocation == one)) {
                visit(record.seq, *entry)?;
            }
        }
        Ok(())
    }

    fn records(&self, after: u64, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.records.iter().filter(|record| after < record.seq && record.seq <= through).cloned().try_for_each(visit)
    }

    fn filed(&self, seq: u64, ord: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.filed.range((seq, ord, 0)..(seq, ord + 1, 0)).try_for_each(|(_, gzip)| visit(gzip))
    }

    fn refusals(&self, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.records.iter().filter(|record| record.is_refused() && record.seq <= through).cloned().try_for_each(visit)
    }

    fn knows_source(&self, sha256: &Digest) -> Result<bool> {
        Ok(self.whole_sources.contains(sha256))
    }
}

/// A transaction over a [`MemoryStore`].
#[derive(Debug)]
pub struct MemoryWriter<'s> {
    store: &'s mut MemoryStore,
    batch: Batch,
    mark: usize,
}

impl Ask for MemoryWriter<'_> {
    fn head(&self) -> Result<Head> {
        self.store.head()
    }
    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        self.store.dossier(number)
    }
    fn find(&self, id: &str) -> Result<Option<Record>> {
        self.store.find(id)
    }
    fn license(&self, number: &str) -> Result<Vec<String>> {
        self.store.license(number)
    }
    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        self.store.acts(allocation)
    }
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        self.store.day_totals(allocation)
    }
    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        self.store.party_statements()
    }
    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        self.store.company_facts(parties)
    }
    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        self.store.account_days(authorization, party)
    }
    fn filings(&self) -> Result<Filings> {
        self.store.filings()
    }
    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        self.store.charged_parties()
    }
}

impl Append for MemoryWriter<'_> {
    fn append(&mut self, record: &Arc<Prepared>) -> Result<Option<u64>> {
        let known = match &record.fact {
            Fact::Application(application) => match record.application {
                None => self.store.dossier(&application.number)?.is_some(),
                Some(first) => {
                    self.store.dossier_of(first).revisions.iter().any(|known| known.fact.revision == application.revision)
                }
            },
            Fact::Event(..) | Fact::Act(_) | Fact::Company(_) | Fact::Filing(_) => self.store.find(&record.fact.id())?.is_some(),
            Fact::Regime { .. } => false,
        };
        if known {
            return Ok(None);
        }
        let head = self.chain().after(record);
        Ok(self.append_at(record, head)?.then_some(head.seq))
    }
}

impl Write for MemoryWriter<'_> {
    fn chain(&self) -> Chain {
        Chain::new(self.store.last(), &self.batch)
    }

    fn append_at(&mut self, record: &Arc<Prepared>, head: Head) -> Result<bool> {
        let is_application = matches!(record.fact, Fact::Application(_));
        self.store.records.push(Record {
            seq: head.seq,
            batch: self.batch.clone(),
            application: record.application.or(is_application.then_some(head.seq)),
            allocation: record.allocation,
            fact: record.fact.clone(),
            shortfalls: record.shortfalls.clone(),
            findings: record.findings.clone(),
            entries: record.entries.clone(),
            charges: record.charges.clone(),
            digest: head.digest,
        });
        Ok(true)
    }

    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        self.store.dossiers(visit)
    }

    fn ids(&self, kind: IdKind, visit: &mut dyn FnMut(&str)) -> Result<()> {
        for record in &self.store.records {
            match (&record.fact, kind) {
                (Fact::Application(application), IdKind::Application) => visit(&application.number),
                (Fact::Event(Event { id, .. }, _) | Fact::Act(Act { id, .. }), IdKind::Event) => visit(id),
                (Fact::Company(fact), IdKind::Event) => visit(fact.id()),
                (Fact::Filing(filing), IdKind::Event) => visit(&filing.id),
                _ => {}
            }
        }
        Ok(())
    }

    fn knows_source(&self, sha256: &Digest) -> Result<bool> {
        self.store.knows_source(sha256)
    }

    fn keep_filed(&mut self, seq: u64, ord: usize, part: usize, gzip: &[u8]) -> Result<()> {
        self.store.filed.insert((seq, ord, part), gzip.to_vec());
        Ok(())
    }

    fn keep_regime(&mut self, regime: RegimeKept) -> Result<()> {
        self.store.regimes.push(regime);
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        self.mark = self.store.records.len();
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        self.store.records.truncate(self.mark);
        Ok(())
    }

    fn source_is_whole(&mut self) -> Result<()> {
        self.store.whole_sources.extend(self.batch.source_sha256);
        Ok(())
    }
}

impl Store for MemoryStore {
    type Reader<'s> = &'s MemoryStore;
    type Writer<'s> = MemoryWriter<'s>;

    fn read(&self) -> Result<Self::Reader<'_>> {
        Ok(self)
    }

    fn write<T>(&mut self, mut batch: Batch, work: impl FnOnce(&mut Self::Writer<'_>) -> Result<(T, End)>) -> Result<T> {
        let before = (self.records.len(), self.regimes.len(), self.whole_sources.clone());
        batch.recorded_at = batch.recorded_at.max(self.head()?.recorded_at);
        let mut writer = MemoryWriter { store: self, batch, mark: 0 };
        let result = work(&mut writer);
        if !matches!(result, Ok((_, End::Commit))) {
            self.records.truncate(before.0);
            self.regimes.truncate(before.1);
            self.filed.retain(|(seq, ..), _| *seq <= before.0 as u64);
            self.whole_sources = before.2;
        }
        result.map(|(value, _)| value)
    }
}

impl<R: Ask + ?Sized> Ask for &R {
    fn head(&self) -> Result<Head> {
        (**self).head()
    }
    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        (**self).dossier(number)
    }
    fn find(&self, id: &str) -> Result<Option<Record>> {
        (**self).find(id)
    }
    fn license(&self, number: &str) -> Result<Vec<String>> {
        (**self).license(number)
    }
    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        (**self).acts(allocation)
    }
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        (**self).day_totals(allocation)
    }
    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        (**self).party_statements()
    }
    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        (**self).company_facts(parties)
    }
    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        (**self).account_days(authorization, party)
    }
    fn filings(&self) -> Result<Filings> {
        (**self).filings()
    }
    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        (**self).charged_parties()
    }
}

impl<R: Read + ?Sized> Read for &R {
    fn regimes(&self) -> Result<Vec<RegimeKept>> {
        (**self).regimes()
    }
    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        (**self).dossiers(visit)
    }
    fn record(&self, seq: u64) -> Result<Option<Record>> {
        (**self).record(seq)
    }
    fn positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Country, Measures>> {
        (**self).positions(as_of, through)
    }
    fn account_positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Account, Tpp>> {
        (**self).account_positions(as_of, through)
    }
    fn charges(&self, after: u64, through: u64, visit: &mut dyn FnMut(u64, Charge) -> Result<()>) -> Result<()> {
        (**self).charges(after, through, visit)
    }
    fn entries(
        &self,
        allocation: Option<Country>,
        after: u64,
        through: u64,
        visit: &mut dyn FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        (**self).entries(allocation, after, through, visit)
    }
    fn records(&self, after: u64, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        (**self).records(after, through, visit)
    }
    fn filed(&self, seq: u64, ord: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        (**self).filed(seq, ord, visit)
    }
    fn refusals(&self, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        (**self).refusals(through, visit)
    }
    fn knows_source(&self, sha256: &Digest) -> Result<bool> {
        (**self).knows_source(sha256)
    }
}
