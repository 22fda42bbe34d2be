//! Writing behind: decisions go on while what was decided is still being written.
//!
//! The writer's transaction stays on its thread and works off a queue; [`Behind`] is handed to the thread that decides. A
//! question sees all that was appended before it, because the queue is worked off in order. Two things spare the deciding
//! thread the wait:
//! - an id that is surely new is answered "recorded" at once. A Bloom filter over the recorded ids knows them: it never
//!   takes a recorded id for a new one, and where it errs the other way the writer is simply asked;
//! - what the coming rows will ask is asked ahead ([`Append::look_ahead`]), and an answer is dropped when something
//!   appended since touches it.

use super::{Append, Ask, Chain, Dossier, Fact, Head, IdKind, Prepared, Record, Wanted, Write};
use crate::error::{Error, Result};
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization};
use crate::quota::company::fact::{CompanyFact, PartyStatement};
use crate::quota::event::{Act, EventKind, Placed};
use crate::quota::filing::Filings;
use crate::quota::posting::Measures;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use fastbloom::BloomFilter;
use hashbrown::{DefaultHashBuilder, HashMap};
use std::cell::RefCell;
use std::sync::{Arc, mpsc};

/// Records handed to the writer at a time.
const HANDFUL: usize = 256;

/// Jobs that may wait; then the deciding thread waits.
const WAITING: usize = 16;

/// Bits of the filter, 4 MiB: with a million ids one in some thousands is asked for nothing.
const FILTER_BITS: usize = 1 << 25;

/// Hashes of the filter for an id.
const FILTER_HASHES: u32 = 5;

type Question<'s, W> = Box<dyn FnOnce(&mut W) + Send + 's>;

/// One piece of the writer's work.
enum Job<'s, W> {
    Append(Vec<(Arc<Prepared>, Head)>),
    Answer(Question<'s, W>),
}

/// Answers to what was asked ahead.
#[derive(Default)]
struct Answers {
    dossiers: HashMap<String, Option<Dossier>>,
    licenses: HashMap<String, Vec<String>>,
    records: HashMap<String, Option<Record>>,
}

impl Answers {
    fn of<W: Write>(tx: &W, wanted: Wanted) -> Result<Self> {
        let mut answers = Answers::default();
        let Wanted { mut applications, licenses, ids } = wanted;
        for license in licenses {
            let bearers = tx.license(&license)?;
            applications.extend(bearers.iter().cloned());
            answers.licenses.insert(license, bearers);
        }
        for number in applications {
            let dossier = tx.dossier(&number)?;
            answers.dossiers.insert(number, dossier);
        }
        for id in ids {
            let record = tx.find(&id)?;
            answers.records.insert(id, record);
        }
        Ok(answers)
    }

    /// Drops what a record makes stale.
    fn drop_stale(&mut self, record: &Prepared) {
        match &record.fact {
            Fact::Application(application) => {
                self.dossiers.remove(&application.number);
            }
            Fact::Event(event, number) => {
                self.records.remove(&event.id);
                if let Some(number) = number {
                    self.dossiers.remove(number);
                }
                match (&event.license_number, event.kind) {
                    (_, EventKind::Correct) => self.licenses.clear(),
                    (Some(license), _) => drop(self.licenses.remove(license)),
                    (None, _) => {}
                }
            }
            Fact::Act(_) | Fact::Company(_) | Fact::Filing(_) => drop(self.records.remove(&record.fact.id())),
            Fact::Regime { .. } => *self = Answers::default(),
        }
    }
}

/// Answers that are still to come, and what was appended since they were asked for.
struct Coming {
    answers: mpsc::Receiver<Result<Answers>>,
    since: Vec<Arc<Prepared>>,
}

/// The deciding thread's end.
pub struct Behind<'s, W> {
    jobs: mpsc::SyncSender<Job<'s, W>>,
    waiting: RefCell<Vec<(Arc<Prepared>, Head)>>,
    kind: IdKind,
    recorded: BloomFilter<DefaultHashBuilder>,
    /// Digests are made here, where there is time for them.
    chain: Chain,
    at_hand: RefCell<Answers>,
    coming: Option<Coming>,
}

/// The writer's end.
pub struct Queue<'s, W> {
    jobs: mpsc::Receiver<Job<'s, W>>,
}

/// Both ends, for a file whose records have ids of one kind.
///
/// # Errors
/// When the recorded ids cannot be read.
pub fn behind<'s, W: Write>(tx: &W, kind: IdKind) -> Result<(Behind<'s, W>, Queue<'s, W>)> {
    let mut recorded = BloomFilter::with_num_bits(FILTER_BITS).hasher(DefaultHashBuilder::default()).hashes(FILTER_HASHES);
    tx.ids(kind, &mut |id| {
        recorded.insert(id);
    })?;
    let (sender, jobs) = mpsc::sync_channel(WAITING);
    let behind = Behind {
        jobs: sender,
        waiting: RefCell::new(Vec::with_capacity(HANDFUL)),
        kind,
        recorded,
        chain: tx.chain(),
        at_hand: RefCell::default(),
        coming: None,
    };
    Ok((behind, Queue { jobs }))
}

impl<W: Write> Queue<'_, W> {
    /// Works the queue off until the other end is gone. What was written is handed to `done`.
    ///
    /// # Errors
    /// When the store cannot be written; the other end then fails at its next question or append.
    pub fn work_off(self, tx: &mut W, mut done: impl FnMut(Vec<(Arc<Prepared>, Head)>)) -> Result<()> {
        for job in self.jobs {
            match job {
                Job::Answer(question) => question(tx),
                Job::Append(records) => {
                    for (record, head) in &records {
                        if !tx.append_at(record, *head)? {
                            return Err(taken_for_new(&record.fact));
                        }
                    }
                    done(records);
                }
            }
        }
        Ok(())
    }
}

fn taken_for_new(fact: &Fact) -> Error {
    Error::Storage {
        what: format!("recording {}", fact.id()),
        reason: "its id was taken for a new one and is recorded already".into(),
        hint: "run the same command again; nothing of the file was recorded".into(),
    }
}

/// The writer stopped: its own error is the one that is told.
fn stopped() -> Error {
    Error::Storage {
        what: "recording".into(),
        reason: "the writer stopped".into(),
        hint: "run the same command again; nothing of the file was recorded".into(),
    }
}

impl<'s, W: Write + 's> Behind<'s, W> {
    /// Hands over what waits.
    ///
    /// # Errors
    /// When the writer stopped.
    pub fn flush(&self) -> Result<()> {
        if self.waiting.borrow().is_empty() {
            return Ok(());
        }
        let records = self.waiting.replace(Vec::with_capacity(HANDFUL));
        self.jobs.send(Job::Append(records)).map_err(|_| stopped())
    }

    /// Asks, and does not wait.
    fn question<T: Send + 's>(
        &self,
        question: impl FnOnce(&mut W) -> Result<T> + Send + 's,
    ) -> Result<mpsc::Receiver<Result<T>>> {
        self.flush()?;
        let (answer, answered) = mpsc::sync_channel(1);
        let question: Question<'s, W> = Box::new(move |tx| {
            // Nobody waits for it any more only when the deciding thread is gone.
            drop(answer.send(question(tx)));
        });
        self.jobs.send(Job::Answer(question)).map_err(|_| stopped())?;
        Ok(answered)
    }

    fn ask<T: Send + 's>(&self, question: impl FnOnce(&mut W) -> Result<T> + Send + 's) -> Result<T> {
        self.question(question)?.recv().map_err(|_| stopped())?
    }

    fn may_be_recorded(&self, kind: IdKind, id: &str) -> bool {
        self.kind != kind || self.recorded.contains(id)
    }

    /// Whether a record of this id is surely there, surely not, or neither.
    fn is_known(&self, record: &Prepared) -> Option<bool> {
        let at_hand = self.at_hand.borrow();
        match &record.fact {
            Fact::Application(application) if record.application.is_none() => {
                let number = application.number.as_str();
                let known = matches!(at_hand.dossiers.get(number), Some(Some(_)));
                if known { Some(true) } else { (!self.may_be_recorded(IdKind::Application, number)).then_some(false) }
            }
            Fact::Event(event, _) => {
                let known = matches!(at_hand.records.get(&event.id), Some(Some(_)));
                if known { Some(true) } else { (!self.may_be_recorded(IdKind::Event, &event.id)).then_some(false) }
            }
            _ => None,
        }
    }

    fn note(&mut self, record: &Arc<Prepared>, head: Head) {
        self.chain.head = head;
        match &record.fact {
            Fact::Application(application) => self.recorded.insert(application.number.as_str()),
            Fact::Event(event, _) => self.recorded.insert(event.id.as_str()),
            Fact::Act(act) => self.recorded.insert(act.id.as_str()),
            Fact::Company(fact) => self.recorded.insert(fact.id()),
            Fact::Filing(filing) => self.recorded.insert(filing.id.as_str()),
            Fact::Regime { .. } => false,
        };
        self.at_hand.get_mut().drop_stale(record);
        if let Some(coming) = &mut self.coming {
            coming.since.push(Arc::clone(record));
        }
    }
}

impl<'s, W: Write + 's> Ask for Behind<'s, W> {
    fn head(&self) -> Result<Head> {
        self.ask(|tx| tx.head())
    }
    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        if let Some(answer) = self.at_hand.borrow_mut().dossiers.remove(number) {
            return Ok(answer);
        }
        let number = number.to_string();
        self.ask(move |tx| tx.dossier(&number))
    }
    fn find(&self, id: &str) -> Result<Option<Record>> {
        if let Some(answer) = self.at_hand.borrow_mut().records.remove(id) {
            return Ok(answer);
        }
        let id = id.to_string();
        self.ask(move |tx| tx.find(&id))
    }
    fn license(&self, number: &str) -> Result<Vec<String>> {
        if let Some(answer) = self.at_hand.borrow().licenses.get(number) {
            return Ok(answer.clone());
        }
        let number = number.to_string();
        self.ask(move |tx| tx.license(&number))
    }
    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        self.ask(move |tx| tx.acts(allocation))
    }
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        self.ask(move |tx| tx.day_totals(allocation))
    }
    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        self.ask(|tx| tx.party_statements())
    }
    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        let parties = parties.map(<[String]>::to_vec);
        self.ask(move |tx| tx.company_facts(parties.as_deref()))
    }
    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        let party = party.to_string();
        self.ask(move |tx| tx.account_days(authorization, &party))
    }
    fn filings(&self) -> Result<Filings> {
        self.ask(|tx| tx.filings())
    }
    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        self.ask(|tx| tx.charged_parties())
    }
}

impl<'s, W: Write + 's> Append for Behind<'s, W> {
    fn append(&mut self, record: &Arc<Prepared>) -> Result<Option<u64>> {
        let head = match self.is_known(record) {
            Some(true) => return Ok(None),
            Some(false) => {
                let head = self.chain.after(record);
                self.waiting.get_mut().push((Arc::clone(record), head));
                if self.waiting.get_mut().len() >= HANDFUL {
                    self.flush()?;
                }
                head
            }
            None => {
                let asked = Arc::clone(record);
                match self.ask(move |tx| Ok(tx.append(&asked)?.is_some().then(|| tx.chain().head)))? {
                    Some(head) => head,
                    None => return Ok(None),
                }
            }
        };
        self.note(record, head);
        Ok(Some(head.seq))
    }

    fn look_ahead(&mut self, wanted: impl FnOnce() -> Wanted) -> Result<()> {
        let mut wanted = wanted();
        // A number that was never recorded is looked up when it comes: it is an error, or it is recorded until then.
        wanted.ids.retain(|id| self.may_be_recorded(IdKind::Event, id));
        if self.kind == IdKind::Application {
            wanted.applications.retain(|number| self.may_be_recorded(IdKind::Application, number));
        }
        let answers = self.question(move |tx| Answers::of(tx, wanted))?;
        let came = self.coming.replace(Coming { answers, since: Vec::new() });
        let mut at_hand = Answers::default();
        if let Some(Coming { answers, since }) = came {
            at_hand = answers.recv().map_err(|_| stopped())??;
            since.iter().for_each(|record| at_hand.drop_stale(record));
        }
        self.at_hand = RefCell::new(at_hand);
        Ok(())
    }
}
