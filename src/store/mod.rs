//! The memory of the ledger: records in one order, their entries, and the sums over them.
//!
//! A store is read in one consistent view and written by one writer at a time. It decides nothing: it finds what is
//! known, appends what was decided, and sums. The naive [`memory::MemoryStore`] folds over all entries at each
//! question and is the oracle for the fast one. Only `store/sqlite/` knows the database engine.

pub mod behind;
pub mod canonical;
pub mod memory;
pub mod sqlite;

use crate::error::Result;
use crate::quota::application::Application;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge};
use crate::quota::company::fact::{CompanyFact, PartyStatement};
use crate::quota::decision::Shortfall;
use crate::quota::event::{Act, Event, Placed};
use crate::quota::filing::{Filing, Filings};
use crate::quota::posting::{Entry, Measures};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// A digest in hexadecimal.
pub fn hex(digest: &Digest) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string does not fail");
        out
    })
}

/// The last record: its number, its digest (the head of the chain), when it was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Number of the last record; 0 for a new ledger.
    pub seq: u64,
    /// Digest of the record chain.
    pub digest: Digest,
    /// Seconds since 1970-01-01 UTC.
    pub recorded_at: i64,
}

/// A regime's text, kept by digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegimeKept {
    /// First record under it is the next one after this; 0 for the first regime.
    pub adopted_by: u64,
    /// Name.
    pub id: String,
    /// Digest of its deciding values.
    pub digest: Digest,
    /// Its files as one text.
    pub text: String,
}

/// Who records, when, and from which file: common to what one transaction records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Seconds since 1970-01-01 UTC, not before the last record's.
    pub recorded_at: i64,
    /// Person or login name.
    pub recorded_by: String,
    /// Name of the file, or `record`.
    pub source: String,
    /// SHA-256 of the file, where there is one.
    pub source_sha256: Option<Digest>,
}

/// One unit of input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// An application or a revision of one.
    Application(Application),
    /// An event; the application's number, where it is about one.
    Event(Event, Option<String>),
    /// An act of the administrator.
    Act(Act),
    /// A fact of a company: a shipment, a holding, a statement on a party.
    Company(CompanyFact),
    /// A quarter is closed or reopened.
    Filing(Filing),
    /// Another regime is adopted.
    Regime {
        /// Name of the regime.
        id: String,
        /// Digest of its deciding values.
        digest: Digest,
        /// Reason or document.
        reference: String,
        /// The day from which the change is dated.
        effective_on: NaiveDate,
    },
}

impl Fact {
    /// Application number, event id, or the digest of a regime.
    pub fn id(&self) -> String {
        match self {
            Fact::Application(application) => application.number.clone(),
            Fact::Event(event, _) => event.id.clone(),
            Fact::Act(act) => act.id.clone(),
            Fact::Company(fact) => fact.id().to_string(),
            Fact::Filing(filing) => filing.id.clone(),
            Fact::Regime { digest, .. } => hex(digest),
        }
    }

    /// The day the fact counts from.
    pub fn effective_on(&self) -> NaiveDate {
        match self {
            Fact::Application(application) => application.submitted_on,
            Fact::Event(event, _) => event.effective_on,
            Fact::Act(act) => act.effective_on,
            Fact::Company(fact) => fact.effective_on(),
            Fact::Filing(filing) => filing.as_of(),
            Fact::Regime { effective_on, .. } => *effective_on,
        }
    }
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The fact.
    pub fact: Fact,
    /// Record of the application it belongs to; `None` for an application's first record and for acts.
    pub application: Option<u64>,
    /// In whose allocation an act, or the correction of one, stands.
    pub allocation: Option<Country>,
    /// The limits it breaks: a refusal.
    pub shortfalls: Vec<Shortfall>,
    /// Findings, as text.
    pub findings: String,
    /// What it posts; nothing, for a refusal.
    pub entries: Vec<Entry>,
    /// What it charges to companies; nothing, for a refusal.
    pub charges: Vec<Charge>,
}

impl NewRecord {
    /// With its canonical body written, which needs no ledger; shared between who decides and who writes.
    pub fn prepare(self) -> Arc<Prepared> {
        let mut body = Vec::with_capacity(320);
        canonical::body_part(&mut body, &self.fact, &self.findings, &self.shortfalls, &self.entries, &self.charges);
        Arc::new(Prepared { record: self, body })
    }
}

/// A new record with its canonical body.
#[derive(Clone, Debug)]
pub struct Prepared {
    record: NewRecord,
    body: Vec<u8>,
}

impl std::ops::Deref for Prepared {
    type Target = NewRecord;

    fn deref(&self) -> &NewRecord {
        &self.record
    }
}

impl Prepared {
    /// Whether it is refused.
    pub fn is_refused(&self) -> bool {
        !self.shortfalls.is_empty()
    }
}

/// The end of the chain while a batch is recorded: the head, and what every record of the batch has in common.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The last record.
    pub head: Head,
    recorded_at: i64,
    batch_part: Vec<u8>,
    buffer: Vec<u8>,
}

impl Chain {
    /// The chain that a batch goes on with.
    pub fn new(head: Head, batch: &Batch) -> Self {
        Chain { head, recorded_at: batch.recorded_at, batch_part: canonical::batch_part(batch), buffer: Vec::with_capacity(1024) }
    }

    /// The head after a record, which is not yet this chain's; see [`canonical::digest`].
    pub fn after(&mut self, record: &Prepared) -> Head {
        let seq = self.head.seq + 1;
        let belongs = canonical::Belongs { application: record.application, allocation: record.allocation };
        let digest = canonical::digest(&self.head.digest, seq, &self.batch_part, belongs, &record.body, &mut self.buffer);
        Head { seq, digest, recorded_at: self.recorded_at }
    }
}

/// A record as it stands in the ledger.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Number, dense from 1.
    pub seq: u64,
    /// Who, when, from where.
    pub batch: Batch,
    /// The fact.
    pub fact: Fact,
    /// Record of the application it belongs to (its own number for an application's first record).
    pub application: Option<u64>,
    /// In whose allocation an act, or the correction of one, stands.
    pub allocation: Option<Country>,
    /// The limits it breaks: a refusal.
    pub shortfalls: Vec<Shortfall>,
    /// Findings, as text.
    pub findings: String,
    /// What it posts.
    pub entries: Vec<Entry>,
    /// What it charges to companies.
    pub charges: Vec<Charge>,
    /// Head of the chain after it.
    pub digest: Digest,
}

impl Record {
    /// Whether it was refused.
    pub fn is_refused(&self) -> bool {
        !self.shortfalls.is_empty()
    }
}

/// Everything recorded of one application; refused events are left out.
#[derive(Clone, PartialEq, Debug)]
pub struct Dossier {
    /// Record of its first revision.
    pub first: u64,
    /// Its revisions, ascending.
    pub revisions: Vec<Placed<Application>>,
    /// Its accepted events, corrected ones and corrections included, in order.
    pub events: Vec<Placed<Event>>,
    /// What its records have to say, by record.
    pub findings: Vec<(u64, String)>,
}

impl Dossier {
    /// The revision in force.
    pub fn latest(&self) -> &Application {
        &self.revisions.last().expect("an application has a first revision").fact
    }

    /// What was recorded through a record; `None` before its first.
    pub fn through(self, seq: u64) -> Option<Dossier> {
        let revisions = crate::quota::event::through(self.revisions, seq);
        let events = crate::quota::event::through(self.events, seq);
        let findings = self.findings.into_iter().filter(|(record, _)| *record <= seq).collect();
        (!revisions.is_empty()).then_some(Dossier { first: self.first, revisions, events, findings })
    }
}

/// What a decision asks of a ledger.
pub trait Ask {
    /// The last record.
    fn head(&self) -> Result<Head>;
    /// An application by number.
    fn dossier(&self, number: &str) -> Result<Option<Dossier>>;
    /// The record of an event or act by id.
    fn find(&self, id: &str) -> Result<Option<Record>>;
    /// Numbers of the applications that bear a license number: accepted issues that stand.
    fn license(&self, number: &str) -> Result<Vec<String>>;
    /// The accepted acts in an allocation, in order.
    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>>;
    /// Sums by day of one allocation, at the head.
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>>;
    /// What is stated of parties, accepted, in order of record.
    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>>;
    /// Accepted shipments and holdings, in order of record: of these parties, or of all.
    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>>;
    /// Parties of accepted shipments and holdings by name, and whether one of them is a certificate of theirs.
    fn charged_parties(&self) -> Result<Vec<(String, bool)>>;
    /// Quarters closed and reopened.
    fn filings(&self) -> Result<Filings>;
    /// Sums by day of the accounts of one party under one authorization, at the head.
    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>>;
}

/// One consistent view of a ledger.
pub trait Read: Ask {
    /// The regimes it was kept under, oldest first; never empty.
    fn regimes(&self) -> Result<Vec<RegimeKept>>;
    /// Every application in order of its first record.
    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()>;
    /// A record by number.
    fn record(&self, seq: u64) -> Result<Option<Record>>;
    /// The position of each allocation that has entries, as of a day, through a record.
    fn positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Country, Measures>>;
    /// What each account holds, as of a day, through a record.
    fn account_positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Account, Tpp>>;
    /// Charges of records `after` < seq <= `through`, in order of record.
    fn charges(&self, after: u64, through: u64, visit: &mut dyn FnMut(u64, Charge) -> Result<()>) -> Result<()>;
    /// Entries of records `after` < seq <= `through`, of one allocation or of all, in order of record.
    fn entries(
        &self,
        allocation: Option<Country>,
        after: u64,
        through: u64,
        visit: &mut dyn FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()>;
    /// Records `after` < seq <= `through`, in order.
    fn records(&self, after: u64, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()>;
    /// The parts of a file of a closing, in order: one gzip stream of its bytes.
    fn filed(&self, seq: u64, ord: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
    /// Refused records up to one, in order.
    fn refusals(&self, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()>;
    /// Whether a file of these bytes was recorded whole.
    fn knows_source(&self, sha256: &Digest) -> Result<bool>;
}

/// What an id names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdKind {
    /// An application.
    Application,
    /// An event, an act, or a fact of a company.
    Event,
}

/// Where decisions are recorded, one after another.
pub trait Append: Ask {
    /// Appends a record. `None`: its id is known and nothing was appended.
    fn append(&mut self, record: &Arc<Prepared>) -> Result<Option<u64>>;

    /// Tells what the rows after those at hand will ask, and turns to what was told the last time. Only who answers with
    /// a delay makes something of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn look_ahead(&mut self, wanted: impl FnOnce() -> Wanted) -> Result<()> {
        let _ = wanted;
        Ok(())
    }
}

/// Questions that will be asked soon.
#[derive(Clone, Default, Debug)]
pub struct Wanted {
    /// Applications, by number.
    pub applications: Vec<String>,
    /// Licenses, whose applications are wanted too.
    pub licenses: Vec<String>,
    /// Records of events and acts, by id.
    pub ids: Vec<String>,
}

/// A transaction of the one writer. What was appended in it is visible to its questions.
pub trait Write: Append {
    /// The end of the chain, for who appends with [`Write::append_at`].
    fn chain(&self) -> Chain;
    /// Appends a record whose place in the chain is known. False: its id is known and nothing was appended.
    fn append_at(&mut self, record: &Arc<Prepared>, head: Head) -> Result<bool>;
    /// Every application in order of its first record.
    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()>;
    /// Every id of a kind that is recorded: what a new one must differ from.
    fn ids(&self, kind: IdKind, visit: &mut dyn FnMut(&str)) -> Result<()>;
    /// Whether a file of these bytes was recorded whole.
    fn knows_source(&self, sha256: &Digest) -> Result<bool>;
    /// Keeps a part of a file of a closing that was just appended; its parts together are one gzip stream.
    fn keep_filed(&mut self, seq: u64, ord: usize, part: usize, gzip: &[u8]) -> Result<()>;
    /// Keeps a regime's text, adopted by a record.
    fn keep_regime(&mut self, regime: RegimeKept) -> Result<()>;
    /// Marks a place to which [`Write::rewind`] goes back: how a dry run leaves out a file with errors.
    fn mark(&mut self) -> Result<()>;
    /// Forgets what was appended since the mark.
    fn rewind(&mut self) -> Result<()>;
    /// Notes that the file of this transaction's batch is recorded whole, row for row.
    fn source_is_whole(&mut self) -> Result<()>;
}

/// What a transaction ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Keep it.
    Commit,
    /// Leave no trace.
    Rollback,
}

/// A ledger.
pub trait Store {
    /// A consistent view.
    type Reader<'s>: Read
    where
        Self: 's;
    /// A writer's transaction.
    type Writer<'s>: Write
    where
        Self: 's;

    /// Reads in one consistent view.
    fn read(&self) -> Result<Self::Reader<'_>>;

    /// Takes the writer's lock, waits for it, and works in one transaction.
    fn write<T>(&mut self, batch: Batch, work: impl FnOnce(&mut Self::Writer<'_>) -> Result<(T, End)>) -> Result<T>;
}
