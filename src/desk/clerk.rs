//! The clerk: takes one fact, decides it and records it, inside a writer's transaction.
//!
//! known already? -> the application's timeline -> old and new postings -> their difference -> does the rise fit -> append.
//! The clerk is made anew for each transaction; what its command remembers (day series, undecided applications) is handed
//! in. It reads no clock: today is handed in.

use crate::error::{Error, Result};
use crate::quota::application::{Application, Difference};
use crate::quota::codes::Country;
use crate::quota::company::account::Charge;
use crate::quota::decision::{Shortfall, judge};
use crate::quota::finding::{Finding, FindingCode, findings_text};
use crate::quota::position::DaySeries;
use crate::quota::posting::{Entry, difference};
use crate::quota::regime::{Regime, Standing};
use crate::quota::timeline::{Broken, Options, replay};
use crate::quota::tpp::Tpp;
use crate::store::{Append, Dossier, Fact, NewRecord, Prepared, Record, Wanted};
use chrono::NaiveDate;
use std::sync::Arc;

use super::recent::{Recent, RecentApplications};

/// What became of a fact.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It stands.
    Recorded {
        /// Its record.
        seq: u64,
        /// What it has to say.
        findings: Vec<Finding>,
        /// Number of entries it posted.
        entries: usize,
    },
    /// The same row was recorded before.
    Known {
        /// Its record.
        seq: u64,
        /// Whether that was refused, for ever.
        refused: bool,
    },
    /// A limit says no; the refusal is recorded.
    Refused {
        /// Its record.
        seq: u64,
        /// Every broken limit.
        shortfalls: Vec<Shortfall>,
    },
}

/// Why a fact is wrong as input. Nothing of it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// Column at fault.
    pub column: &'static str,
    /// Line of the application at fault, where it is one.
    pub line: Option<u32>,
    /// What is wrong, with the numbers.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// The application that is not in the ledger, where that is the fault.
    pub unknown_application: Option<String>,
}

impl Rejection {
    /// A rejection at a column.
    pub fn new(column: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Rejection { column, line: None, what: what.into(), hint: hint.into(), unknown_application: None }
    }

    pub(super) fn unknown_application(number: &str) -> Self {
        Rejection {
            unknown_application: Some(number.to_string()),
            ..Rejection::new(
                "application_number",
                format!("{number} is not in the ledger"),
                "import the file with this application first, or check the number",
            )
        }
    }

    /// The known record of an id says something else.
    pub(super) fn differs(column: &'static str, id: &str, seq: u64, difference: &Difference) -> Self {
        Rejection {
            line: difference.line,
            ..Rejection::new(
                column,
                format!("{id} is recorded already (record {seq}) with other content: {difference}"),
                match column {
                    "application_number" => "a change is a new revision; the rows of one application stand together in one file",
                    _ => "an id is unique for ever; use a new id, or leave the recorded row as it was",
                },
            )
        }
    }

    /// An event of the timeline does not stand; `new` is the record being made.
    pub(super) fn broken(broken: &Broken, new: u64) -> Self {
        if broken.seq == new {
            return Rejection::new(broken.column, broken.what.clone(), broken.hint.clone());
        }
        // A cumulative total that makes a later one fall is a wrong total; anything else is a wrong event.
        let column = if broken.column == "quantity" { "quantity" } else { "event" };
        Rejection::new(
            column,
            format!("with it, the recorded event {} would not stand: {}", broken.event_id, broken.what),
            format!("correct {} first, or check the date", broken.event_id),
        )
    }
}

/// An application worked out as a new one: what it posts, what it has to say, its canonical body. It needs no ledger, so
/// that the reading thread can do it.
#[derive(Clone, Debug)]
pub struct PreparedApplication {
    record: Arc<Prepared>,
    findings: Vec<Finding>,
}

impl PreparedApplication {
    /// Works an application out under a regime.
    pub fn new(application: Application, regime: &Regime, today: NaiveDate) -> Self {
        let terms = application.terms();
        let replayed = replay::<&crate::quota::event::Event>(application.submitted_on, &terms, &[], regime, Options::default())
            .expect("a timeline without events has none that could break");
        let entries = difference(&[], &replayed.postings, None);
        let mut findings = application.findings(regime);
        findings.extend(future_dated(application.submitted_on, today));
        let fact = Fact::Application(application);
        let record = NewRecord {
            fact,
            application: None,
            allocation: None,
            shortfalls: Vec::new(),
            findings: findings_text(&findings),
            entries,
            charges: Vec::new(),
        };
        PreparedApplication { record: record.prepare(), findings }
    }

    /// The same with one more thing to say.
    fn with(&self, finding: Finding) -> Self {
        let mut findings = self.findings.clone();
        findings.push(finding);
        findings.sort();
        let record = NewRecord { findings: findings_text(&findings), ..(**self.record).clone() };
        PreparedApplication { record: record.prepare(), findings }
    }

    /// The application.
    pub fn application(&self) -> &Application {
        match &self.record.fact {
            Fact::Application(application) => application,
            _ => unreachable!("it is made of an application"),
        }
    }
}

/// The finding for what is effective after its day of recording.
fn future_dated(effective_on: NaiveDate, today: NaiveDate) -> Option<Finding> {
    (effective_on > today).then(|| Finding::new(FindingCode::FutureDated, format!("{effective_on}, recorded {today}")))
}

/// What a fact belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// The application with this first record.
    Application(u64),
    /// The allocation of a country.
    Allocation(Country),
    /// Accounts of companies, charged so.
    Company(Vec<Charge>),
}

/// Recorded, known, refused; or rejected; or the store failed.
pub type Answer = Result<std::result::Result<Outcome, Rejection>>;

/// Decides and records facts in one transaction.
pub struct Clerk<'t, W: Append> {
    pub(super) tx: &'t mut W,
    pub(super) regime: &'t Regime,
    pub(super) today: NaiveDate,
    pub(super) recent: &'t mut Recent,
    next: u64,
}

impl<'t, W: Append> Clerk<'t, W> {
    /// A clerk for a transaction.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(tx: &'t mut W, regime: &'t Regime, today: NaiveDate, recent: &'t mut Recent) -> Result<Self> {
        let head = tx.head()?.seq;
        recent.begin(head);
        if recent.filings.is_none() {
            recent.filings = Some(tx.filings()?);
        }
        let next = head + 1;
        Ok(Clerk { tx, regime, today, recent, next })
    }

    /// What this command recorded and rolled back is not to be remembered.
    pub fn forget_recent(&mut self) {
        self.recent.clear();
    }

    /// Tells the store what will be asked soon; what is remembered here is not asked.
    ///
    /// # Errors
    /// When the store fails.
    pub fn look_ahead(&mut self, add: impl FnOnce(&mut Wanted, &RecentApplications)) -> Result<()> {
        let recent = &self.recent.applications;
        self.tx.look_ahead(|| {
            let mut wanted = Wanted::default();
            add(&mut wanted, recent);
            wanted
        })
    }

    /// Number that the next record will have.
    pub(super) fn next_seq(&self) -> u64 {
        self.next
    }

    /// The day series of an allocation, if it was loaded.
    pub(super) fn loaded_series(&self, allocation: Country) -> Option<&DaySeries> {
        self.recent.series.get(&allocation)
    }

    /// The day series of an allocation, loaded once.
    pub(super) fn series(&mut self, allocation: Country) -> Result<&mut DaySeries> {
        if !self.recent.series.contains_key(&allocation) {
            let mut series = DaySeries::new(self.regime, allocation);
            for (day, measures) in self.tx.day_totals(allocation)? {
                series.add(day, &measures);
            }
            self.recent.series.insert(allocation, series);
        }
        Ok(self.recent.series.get_mut(&allocation).expect("just inserted"))
    }

    /// Appends a record and moves the series; `None` when the id is known.
    fn append(&mut self, record: &Arc<Prepared>) -> Result<Option<u64>> {
        let Some(seq) = self.tx.append(record)? else { return Ok(None) };
        debug_assert_eq!(seq, self.next, "records are numbered densely");
        self.next = seq + 1;
        self.recent.recorded(seq, &record.entries);
        Ok(Some(seq))
    }

    /// Records an event or an act that was worked out: a refusal where limits are broken, and then it posts nothing. An id
    /// that is known answers for itself.
    pub(super) fn conclude(
        &mut self,
        fact: Fact,
        home: Home,
        mut findings: Vec<Finding>,
        entries: Vec<Entry>,
        shortfalls: Vec<Shortfall>,
    ) -> Answer {
        findings.sort();
        let entries = if shortfalls.is_empty() { entries } else { Vec::new() };
        let (application, allocation, charges) = match home {
            Home::Application(first) => (Some(first), None, Vec::new()),
            Home::Allocation(country) => (None, Some(country), Vec::new()),
            Home::Company(charges) if shortfalls.is_empty() => (None, None, charges),
            Home::Company(_) => (None, None, Vec::new()),
        };
        let findings_text = findings_text(&findings);
        let record = NewRecord { fact, application, allocation, shortfalls, findings: findings_text, entries, charges }.prepare();
        let Some(seq) = self.append(&record)? else {
            let id = record.fact.id();
            let known = self.tx.find(&id)?.ok_or_else(|| lost("record", &id))?;
            return Ok(self.known(&known, &record.fact));
        };
        Ok(Ok(if record.is_refused() {
            Outcome::Refused { seq, shortfalls: record.shortfalls.clone() }
        } else {
            Outcome::Recorded { seq, findings, entries: record.entries.len() + record.charges.len() }
        }))
    }

    /// Whether the entries keep every allocation within the range of exact sums.
    pub(super) fn check_range(&mut self, entries: &[Entry]) -> Result<Option<Rejection>> {
        for entry in entries {
            let gross = self.series(entry.allocation)?.gross().thousandths();
            let of_it = entries.iter().filter(|other| other.allocation == entry.allocation);
            // Both stop at the range, so that no sum of them can wrap.
            let moved = of_it.fold(0_i64, |sum, other| sum.saturating_add(other.measures.gross().thousandths()));
            if gross.saturating_add(moved) >= Tpp::GROSS_MAX.thousandths() {
                return Ok(Some(Rejection::new(
                    "quantity",
                    format!(
                        "with it, the movements of {} would pass the range of exact sums, {} TPP",
                        entry.allocation,
                        Tpp::GROSS_MAX.grouped()
                    ),
                    "check the quantities of this destination; the amounts are far beyond any real shipment",
                )));
            }
        }
        Ok(None)
    }

    /// Rises that do not fit.
    pub(super) fn shortfalls(&mut self, rises: &[crate::quota::posting::Rise]) -> Result<Vec<Shortfall>> {
        let mut shortfalls = Vec::new();
        for rise in rises {
            if rise.steps.iter().any(|(_, net, limited)| *limited && *net > Tpp::ZERO) {
                let series = self.series(rise.allocation)?;
                shortfalls.extend(judge(rise, series));
            }
        }
        Ok(shortfalls)
    }

    /// What the day of a fact has to say: it is after the day of recording, or in a quarter that is closed or before one.
    pub(super) fn dated(&self, effective_on: NaiveDate) -> Vec<Finding> {
        future_dated(effective_on, self.today).into_iter().chain(self.late(effective_on)).collect()
    }

    fn late(&self, effective_on: NaiveDate) -> Option<Finding> {
        let quarter = self.recent.filings.as_ref()?.late_for(effective_on)?;
        Some(Finding::new(FindingCode::ClosedQuarter, format!("{effective_on}, and {quarter} is closed")))
    }

    /// Records an application, or a revision of one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn application(&mut self, application: &Application) -> Answer {
        self.prepared_application(&PreparedApplication::new(application.clone(), self.regime, self.today))
    }

    /// Records an application that was worked out before, on another thread.
    ///
    /// # Errors
    /// When the store fails.
    pub fn prepared_application(&mut self, prepared: &PreparedApplication) -> Answer {
        let late = self.late(prepared.application().submitted_on).map(|finding| prepared.with(finding));
        let prepared = late.as_ref().unwrap_or(prepared);
        let application = prepared.application();
        if let Some(rejection) = self.home_destination(application) {
            return Ok(Err(rejection));
        }
        if let Some(rejection) = self.check_range(&prepared.record.entries)? {
            return Ok(Err(rejection));
        }
        // Most applications are new: they are recorded without a look-up, and a known number shows as a conflict.
        match self.append(&prepared.record)? {
            Some(seq) => {
                self.recent.applications.remember(seq, application);
                Ok(Ok(Outcome::Recorded { seq, findings: prepared.findings.clone(), entries: prepared.record.entries.len() }))
            }
            None => self.known_application(application, prepared.findings.clone()),
        }
    }

    fn home_destination(&self, application: &Application) -> Option<Rejection> {
        let home = application
            .lines
            .iter()
            .find(|line| self.regime.standing(line.terms.destination, application.submitted_on) == Standing::Home)?;
        let named = home.terms.destination;
        let exporter = self.regime.groups.home;
        let what = if named == exporter {
            format!("{named} is the exporting country; an export goes to another")
        } else {
            format!("{named} is counted in {exporter}, the exporting country; an export goes to another")
        };
        Some(Rejection {
            line: Some(home.terms.line),
            ..Rejection::new("destination", what, "name the country of ultimate destination")
        })
    }

    /// The same row again, a revision, or something else under a known number.
    fn known_application(&mut self, application: &Application, findings: Vec<Finding>) -> Answer {
        let dossier = self.tx.dossier(&application.number)?.ok_or_else(|| lost("application", &application.number))?;
        let number = &application.number;
        if let Some(known) = dossier.revisions.iter().find(|known| known.fact.revision == application.revision) {
            return Ok(match known.fact.difference(application) {
                None => Ok(Outcome::Known { seq: known.seq, refused: false }),
                Some(difference) => Err(Rejection::differs("application_number", number, known.seq, &difference)),
            });
        }
        let latest = dossier.latest();
        if application.revision < latest.revision {
            let (new, known) = (application.revision, latest.revision);
            return Ok(Err(Rejection::new(
                "revision",
                format!("revision {new} of {number} is lower than the recorded revision {known}"),
                format!("a new revision of {number} is {} or higher", known + 1),
            )));
        }
        if application.submitted_on != latest.submitted_on {
            let (old, new) = (latest.submitted_on, application.submitted_on);
            return Ok(Err(Rejection::new(
                "submitted_on",
                format!("revision {} of {number} says {new}, and the application was submitted on {old}", application.revision),
                "a revision keeps the day of submission",
            )));
        }
        self.revise(application, &dossier, findings)
    }

    fn revise(&mut self, application: &Application, dossier: &Dossier, findings: Vec<Finding>) -> Answer {
        let latest = dossier.latest();
        let old = self.replay(&latest.terms(), latest.submitted_on, &dossier.events, Options::default())?;
        if !old.is_undecided()
            && let Some(difference) = frozen_difference(latest, application)
        {
            let state = old.state_on(self.today);
            return Ok(Err(Rejection {
                line: difference.line,
                ..Rejection::new(
                    difference.field,
                    format!("{} is {state}: {difference}", application.number),
                    "after the decision a revision changes parties, headquarters and texts only; correct the issue first",
                )
            }));
        }
        let new = match replay(application.submitted_on, &application.terms(), &dossier.events, self.regime, Options::default()) {
            Ok(new) => new,
            Err(broken) => return Ok(Err(Rejection::broken(&broken, self.next))),
        };
        let entries = difference(&old.postings, &new.postings, None);
        if let Some(rejection) = self.check_range(&entries)? {
            return Ok(Err(rejection));
        }
        let record = NewRecord {
            fact: Fact::Application(application.clone()),
            application: Some(dossier.first),
            allocation: None,
            shortfalls: Vec::new(),
            findings: findings_text(&findings),
            entries,
            charges: Vec::new(),
        };
        let record = record.prepare();
        let seq = self.append(&record)?.ok_or_else(|| lost("revision of", &application.number))?;
        self.recent.applications.forget(&application.number);
        Ok(Ok(Outcome::Recorded { seq, findings, entries: record.entries.len() }))
    }

    /// Replays what is recorded; that it stands is an invariant of the ledger.
    pub(super) fn replay<E: std::borrow::Borrow<crate::quota::event::Event>>(
        &self,
        terms: &[crate::quota::application::Terms],
        submitted_on: NaiveDate,
        events: &[crate::quota::event::Placed<E>],
        options: Options,
    ) -> Result<crate::quota::timeline::Replay> {
        replay(submitted_on, terms, events, self.regime, options).map_err(|broken| Error::Storage {
            what: "reading the ledger".into(),
            reason: format!("the recorded event {} does not stand: {}", broken.event_id, broken.what),
            hint: "run `tppledger verify`".into(),
        })
    }

    /// What a known id answers: the same content is known, other content is an error that names the field.
    pub(super) fn known(&self, record: &Record, fact: &Fact) -> std::result::Result<Outcome, Rejection> {
        let difference = match (&record.fact, fact) {
            (Fact::Event(known, application), Fact::Event(new, other)) => known.difference(new).or_else(|| {
                (application != other).then(|| Difference {
                    field: "application_number",
                    line: None,
                    old: application.clone().unwrap_or_default(),
                    new: other.clone().unwrap_or_default(),
                })
            }),
            (Fact::Act(known), Fact::Act(new)) => known.difference(new),
            (Fact::Company(known), Fact::Company(new)) => known.difference(new),
            (known, new) => Some(Difference { field: "event", line: None, old: kind_of(known), new: kind_of(new) }),
        };
        match difference {
            None => Ok(Outcome::Known { seq: record.seq, refused: record.is_refused() }),
            Some(difference) => Err(Rejection::differs("event_id", &fact.id(), record.seq, &difference)),
        }
    }
}

fn kind_of(fact: &Fact) -> String {
    match fact {
        Fact::Application(_) => "application".into(),
        Fact::Event(event, _) => event.kind.to_string(),
        Fact::Act(act) => act.kind.to_string(),
        Fact::Company(fact) => fact.what().into(),
        Fact::Filing(filing) => filing.kind.to_string(),
        Fact::Regime { .. } => "regime".into(),
    }
}

pub(super) fn lost(what: &str, id: &str) -> Error {
    Error::Storage {
        what: format!("reading {what} {id}"),
        reason: "the ledger knows the id and cannot find the record".into(),
        hint: "run `tppledger verify`".into(),
    }
}

/// The first difference that a decided application may not have: everything but parties, headquarters and texts.
fn frozen_difference(old: &Application, new: &Application) -> Option<Difference> {
    let mut eased = new.clone();
    eased.revision = old.revision;
    eased.applicant.clone_from(&old.applicant);
    for (line, known) in eased.lines.iter_mut().zip(&old.lines) {
        line.ultimate_consignee.clone_from(&known.ultimate_consignee);
        line.consignee_kind = known.consignee_kind;
        line.purchase_order.clone_from(&known.purchase_order);
        line.end_use.clone_from(&known.end_use);
        line.terms.consignee_headquarters = known.terms.consignee_headquarters;
        line.terms.parent_headquarters = known.terms.parent_headquarters;
    }
    old.difference(&eased)
}
