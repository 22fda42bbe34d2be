//! One file: read on one thread, decided on another, written on the one that has the store.
//!
//! A small file is decided where it is written. Either way each item goes through the clerk, and what is wrong with it is
//! told in its place.

use super::{Course, FileReport, Source, Witness, report_of};
use crate::desk::clerk::{Clerk, Outcome, PreparedApplication, Rejection};
use crate::desk::rejects::Rejects;
use crate::error::{Error, Result};
use crate::intake::{AnyItem, Column, Document, EventColumn, Item, Origin, Problem, ShipmentColumn};
use crate::quota::company::fact::CompanyFact;
use crate::quota::event::{Act, Event};
use crate::quota::regime::Regime;
use crate::store::behind::behind;
use crate::store::{Append, End, IdKind, Write};
use chrono::NaiveDate;
use hashbrown::DefaultHashBuilder;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::mpsc;

/// A document's value, whichever it is.
enum Given {
    Application(PreparedApplication),
    Event(Event),
    Act(Act),
    Company(CompanyFact),
}

/// An item, whichever document it is of.
struct Taken {
    value: std::result::Result<Given, Vec<Problem>>,
    id: String,
    lines: Vec<u64>,
    raw: Vec<csv::StringRecord>,
}

impl Taken {
    fn of<T>(item: Item<T>, wrap: impl FnOnce(T) -> Given) -> Self {
        Taken { value: item.value.map(wrap), id: item.id, lines: item.lines, raw: item.raw }
    }

    /// Works out what can be worked out without the ledger.
    fn new(item: AnyItem, regime: &Regime, today: NaiveDate) -> Self {
        match item {
            AnyItem::Application(item) => {
                Taken::of(item, |application| Given::Application(PreparedApplication::new(application, regime, today)))
            }
            AnyItem::Event(item) => Taken::of(item, Given::Event),
            AnyItem::Act(item) => Taken::of(item, Given::Act),
            AnyItem::Company(item) => Taken::of(item, Given::Company),
        }
    }
}

/// Items handed from the reading thread at a time.
const HANDFUL: usize = 512;

/// From so many bytes on, and for each record of the ledger so many more, a file is written behind: a thread more, and the
/// recorded ids read once, cost more than they save on a small file.
const WRITTEN_BEHIND_FROM: u64 = 2 << 20;
const WRITTEN_BEHIND_PER_RECORD: u64 = 2;

/// Items with the bytes of the file read so far.
type Handful = (Vec<Taken>, u64);

/// What goes back to the reading thread to be dropped where it was made, so that it costs the others nothing.
type Spent = Box<dyn Send>;

/// Imports one file inside a transaction, and says whether to keep it.
pub(super) fn import_one<W: Write>(
    tx: &mut W,
    regime: &Regime,
    document: Document,
    source: &Source,
    course: &mut Course,
    witness: &mut (dyn Witness + Send),
) -> Result<(FileReport, End)> {
    let report = report_of(source, Some(document));
    let mut reader = match source.reader(&course.options.reading, course.options.accept_good_rows) {
        Ok(reader) => reader,
        Err(problems) => {
            problems.iter().for_each(|problem| witness.problem(problem));
            return Ok((FileReport { problems: problems.len() as u64, left_out: true, ..report }, End::Rollback));
        }
    };
    let size = crate::files::size(&source.path);
    let rejects = Rejects::new(source, reader.header().to_vec());
    let origin = reader.origin().clone();
    let today = course.options.today;
    let written_behind = is_written_behind(size, document, tx.head()?.seq, course.options.write_behind);
    std::thread::scope(|scope| {
        let (sender, handfuls) = mpsc::sync_channel::<Handful>(8);
        let (give_back, spent) = mpsc::channel::<Spent>();
        thread("reading", scope, move || {
            loop {
                spent.try_iter().for_each(drop);
                let handful: Vec<Taken> = reader.by_ref().take(HANDFUL).map(|item| Taken::new(item, regime, today)).collect();
                let bytes = reader.bytes_read();
                // The receiver goes away only when recording failed; then there is nothing left to read for.
                if handful.is_empty() || sender.send((handful, bytes)).is_err() {
                    return;
                }
            }
        })?;
        let work = Work { regime, document, course, origin, rejects, report, size, handfuls, give_back: give_back.clone() };
        let Some(kind) = written_behind else { return work.through(tx, witness) };
        let (mut behind, queue) = behind(tx, kind)?;
        let decided = thread("deciding", scope, move || {
            let done = work.through(&mut behind, witness)?;
            behind.flush()?;
            Ok(done)
        })?;
        // The reading thread may be done; then what was written is dropped here.
        queue.work_off(tx, |records| drop(give_back.send(Box::new(records))))?;
        decided.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Starts a thread under a name.
fn thread<'scope, T: Send + 'scope>(
    name: &str,
    scope: &'scope std::thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>> {
    let builder = std::thread::Builder::new().name(name.into());
    builder.spawn_scoped(scope, work).map_err(|error| Error::file(format!("the {name} thread"), &error))
}

/// The kind of id by which a file is written behind; `None`: it is written as it is decided. Acts are few, and what
/// is of companies is decided on their accounts, which are read as they are written.
fn is_written_behind(size: u64, document: Document, records: u64, asked: Option<bool>) -> Option<IdKind> {
    let large = size >= WRITTEN_BEHIND_FROM && size / WRITTEN_BEHIND_PER_RECORD >= records;
    let kind = match document {
        Document::Applications => IdKind::Application,
        Document::Events => IdKind::Event,
        Document::Acts | Document::Parties | Document::Holdings | Document::Shipments => return None,
    };
    asked.unwrap_or(large).then_some(kind)
}

/// The work on one file.
struct Work<'t> {
    regime: &'t Regime,
    document: Document,
    course: &'t mut Course,
    origin: Origin,
    rejects: Rejects,
    report: FileReport,
    size: u64,
    handfuls: mpsc::Receiver<Handful>,
    give_back: mpsc::Sender<Spent>,
}

impl Work<'_> {
    /// Takes every item through the clerk.
    fn through<W: Append>(self, tx: &mut W, witness: &mut (dyn Witness + Send)) -> Result<(FileReport, End)> {
        let Work { regime, document, course, origin, rejects, mut report, size, handfuls, give_back } = self;
        let mut hand = Hand::new(tx, regime, document, course, origin, rejects)?;
        let mut coming = handfuls.recv().ok();
        hand.look_ahead(coming.as_ref())?;
        while let Some((handful, bytes)) = coming {
            coming = handfuls.recv().ok();
            hand.look_ahead(coming.as_ref())?;
            for item in &handful {
                hand.take(item, &mut report, witness)?;
            }
            // The reading thread may be done; then the handful is dropped here.
            drop(give_back.send(Box::new(handful)));
            witness.progress(&report.name, bytes, size);
        }
        let end = hand.close(&mut report)?;
        Ok((report, end))
    }
}

/// One file in hand.
struct Hand<'t, W: Append> {
    clerk: Clerk<'t, W>,
    document: Document,
    accept_good_rows: bool,
    dry_run: bool,
    origin: Origin,
    rejects: Rejects,
    rejects_folder: Option<PathBuf>,
    rejected_applications: &'t mut HashSet<u64>,
    hasher: DefaultHashBuilder,
    /// Numbers of this file, by hash, should it be left out.
    numbers: Vec<u64>,
    followed: HashSet<u64>,
}

impl<'t, W: Append> Hand<'t, W> {
    fn new(
        tx: &'t mut W,
        regime: &'t Regime,
        document: Document,
        course: &'t mut Course,
        origin: Origin,
        rejects: Rejects,
    ) -> Result<Self> {
        let hasher = course.hasher.clone();
        let Course { options, recent, rejected_applications, .. } = course;
        Ok(Hand {
            clerk: Clerk::new(tx, regime, options.today, recent)?,
            document,
            accept_good_rows: options.accept_good_rows,
            dry_run: options.dry_run,
            origin,
            rejects,
            rejects_folder: options.rejects_folder.clone(),
            rejected_applications,
            hasher,
            numbers: Vec::new(),
            followed: HashSet::new(),
        })
    }

    /// Tells the store what the coming rows will ask.
    fn look_ahead(&mut self, coming: Option<&Handful>) -> Result<()> {
        let facts = coming.into_iter().flat_map(|(items, _)| items).filter_map(|item| item.value.as_ref().ok());
        self.clerk.look_ahead(|wanted, recent| {
            for fact in facts {
                match fact {
                    Given::Application(application) => wanted.applications.push(application.application().number.clone()),
                    Given::Event(event) => {
                        wanted.ids.push(event.id.clone());
                        wanted.licenses.extend(event.license_number.clone());
                        let number = event.application.as_ref().filter(|number| recent.get(number).is_none());
                        wanted.applications.extend(number.cloned());
                    }
                    Given::Act(_) | Given::Company(_) => {}
                }
            }
        })
    }

    fn hash(&self, number: &str) -> u64 {
        self.hasher.hash_one(number)
    }

    fn take(&mut self, item: &Taken, report: &mut FileReport, witness: &mut (dyn Witness + Send)) -> Result<()> {
        let Taken { value, id, lines, raw } = item;
        if self.document == Document::Applications {
            let hash = self.hash(id);
            self.numbers.push(hash);
        }
        let problems = match value {
            Err(problems) => problems.clone(),
            Ok(fact) => {
                let answer = match fact {
                    Given::Application(application) => self.clerk.prepared_application(application)?,
                    Given::Event(event) => self.clerk.event(event)?,
                    Given::Act(act) => self.clerk.act(act)?,
                    Given::Company(fact) => self.clerk.company(fact)?,
                };
                match answer {
                    Ok(outcome) => {
                        count(&outcome, report);
                        if let Outcome::Refused { seq, shortfalls } = &outcome {
                            witness.refusal(self.origin.file(), id, *seq, shortfalls);
                        }
                        return Ok(());
                    }
                    Err(rejection) => vec![self.problem(&rejection, fact, lines)],
                }
            }
        };
        report.rejected += 1;
        for problem in problems.iter().filter(|problem| !problem.follows || self.is_told_first(problem)) {
            report.problems += 1;
            witness.problem(problem);
        }
        if self.document == Document::Applications {
            let hash = self.hash(id);
            self.rejected_applications.insert(hash);
        }
        if self.accept_good_rows {
            self.rejects.add(raw, &problems)?;
        }
        Ok(())
    }

    /// Whether a problem that only follows from a rejected application is the first one of it.
    fn is_told_first(&mut self, problem: &Problem) -> bool {
        let hash = self.hash(&problem.what);
        self.followed.insert(hash)
    }

    /// The problem of a rejected fact in its place.
    fn problem(&self, rejection: &Rejection, fact: &Given, lines: &[u64]) -> Problem {
        let line_numbers: Vec<Option<u32>> = match fact {
            Given::Application(application) => application.application().lines.iter().map(|line| Some(line.terms.line)).collect(),
            Given::Event(event) => event.lines.iter().map(|line| line.line).collect(),
            Given::Company(CompanyFact::Shipment(shipment)) => shipment.lines.iter().map(|line| Some(line.line)).collect(),
            Given::Act(_) | Given::Company(_) => Vec::new(),
        };
        let at = rejection.line.and_then(|line| line_numbers.iter().position(|number| *number == Some(line))).unwrap_or(0);
        let line = lines.get(at).or(lines.first()).copied().unwrap_or(0);
        let column = match fact {
            // A shipment has its id in a column of another name.
            Given::Company(CompanyFact::Shipment(_)) if rejection.column == EventColumn::EventId.name() => {
                ShipmentColumn::ShipmentId.name()
            }
            _ => rejection.column,
        };
        let problem = Problem::new(self.origin.row(line).at(column), rejection.what.clone(), rejection.hint.clone());
        let Some(number) = &rejection.unknown_application else { return problem };
        let hash = self.hash(number);
        if !self.rejected_applications.contains(&hash) {
            return problem;
        }
        let what = format!("{number} was rejected in this import, and nothing can happen to it");
        Problem { what, hint: "correct the application first; told once for this application".into(), ..problem }.following()
    }

    fn close(mut self, report: &mut FileReport) -> Result<End> {
        if report.rejected == 0 {
            return Ok(End::Commit);
        }
        if self.accept_good_rows {
            if !self.dry_run {
                report.rejects = self.rejects.write(self.rejects_folder.as_deref())?;
            }
            return Ok(End::Commit);
        }
        report.left_out = true;
        self.rejected_applications.extend(self.numbers.drain(..));
        self.clerk.forget_recent();
        Ok(End::Rollback)
    }
}

fn count(outcome: &Outcome, report: &mut FileReport) {
    match outcome {
        Outcome::Recorded { findings, .. } => {
            report.recorded += 1;
            for finding in findings {
                *report.findings.entry(finding.code).or_default() += 1;
            }
        }
        Outcome::Known { .. } => report.known += 1,
        Outcome::Refused { .. } => report.refused += 1,
    }
}
