//! Appending in one transaction, with the sums kept beside the facts.
//!
//! A record is a row with its lines and entries; day totals are gathered in memory and written once, with the month
//! openings, when the transaction commits. From some hundred records on a transaction is a bulk import: the guards are
//! dropped and made again inside it.

use super::companies;
use super::filings;
use super::insert::{Insert, maybe_whole, whole};
use super::read::SqliteReader;
use super::rows::{kept, kept_optional, thousandths};
use super::{schema, storage, sums};
use crate::error::{Error, Result};
use crate::quota::application::{Application, LineTpp};
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization};
use crate::quota::company::fact::{CompanyFact, PartyStatement};
use crate::quota::event::{Act, ActAmount, Basis, Event, Placed};
use crate::quota::filing::Filings;
use crate::quota::posting::Measures;
use crate::quota::tpp::Tpp;
use crate::store::{
    Append, Ask, Batch, Chain, Digest, Dossier, Fact, Head, IdKind, NewRecord, Prepared, Read, Record, RegimeKept, Write,
};
use chrono::NaiveDate;
use hashbrown::HashMap;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// From so many records on, a transaction is a bulk import.
const BULK_FROM: u64 = 256;

/// A transaction of the one writer.
#[derive(Debug)]
pub struct SqliteWriter<'c> {
    view: SqliteReader<'c>,
    batch: Batch,
    batch_number: i64,
    chain: Chain,
    appended: u64,
    bulk: bool,
    moved: HashMap<(Country, NaiveDate), Measures>,
    insert: Inserts<'c>,
    open: bool,
    mark: Option<Mark>,
}

/// What a rewind goes back to.
#[derive(Debug)]
struct Mark {
    head: Head,
    appended: u64,
    bulk: bool,
    moved: HashMap<(Country, NaiveDate), Measures>,
}

const RECORD: &[&str] = &[
    "seq",
    "id",
    "batch",
    "application",
    "allocation",
    "effective_on",
    "what",
    "revision",
    "applicant",
    "license_number",
    "basis",
    "expires_on",
    "last_valid_day",
    "corrects",
    "reference",
    "overrun_authority",
    "refused",
    "findings",
    "line_count",
    "entry_count",
    "digest",
];

const LINE: &[&str] = &[
    "seq",
    "line",
    "destination",
    "ultimate_consignee",
    "consignee_headquarters",
    "parent_headquarters",
    "assumed",
    "eccn",
    "device",
    "tpp_per_unit",
    "tpp_aggregated",
    "catalogue_tpp",
    "counts_per_unit",
    "counts_aggregated",
    "quantity",
    "purchase_order",
    "end_use",
];

const EVENT_LINE: &[&str] = &["seq", "ord", "line", "quantity", "resolved"];

const ENTRY: &[&str] =
    &["seq", "ord", "effective_on", "allocation", "pending", "licensed", "not_limited", "shipped", "increase", "withheld"];

/// The tables that a record has rows in.
#[derive(Debug)]
struct Inserts<'c> {
    record: Insert<'c>,
    line: Insert<'c>,
    event_line: Insert<'c>,
    entry: Insert<'c>,
}

impl<'c> Inserts<'c> {
    fn new(connection: &'c Connection) -> Self {
        Inserts {
            record: Insert::new(connection, "record", &["kind"], RECORD, "ON CONFLICT DO NOTHING"),
            line: Insert::new(connection, "line", &["consignee_kind", "activity"], LINE, ""),
            event_line: Insert::new(connection, "event_line", &[], EVENT_LINE, ""),
            entry: Insert::new(connection, "entry", &["kind"], ENTRY, ""),
        }
    }
}

impl<'c> SqliteWriter<'c> {
    pub(super) fn begin(connection: &'c Connection, path: &Path, mut batch: Batch) -> Result<Self> {
        let failed = storage("beginning to write");
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Error::Busy { path: path.to_path_buf(), waited_seconds: super::PATIENCE.as_secs() }
            }
            _ => failed(error),
        })?;
        let view = SqliteReader::inside(connection);
        let begun = (|| {
            let head = view.head()?;
            batch.recorded_at = batch.recorded_at.max(head.recorded_at);
            let batch_number: i64 =
                connection.query_row("SELECT coalesce(max(batch), 0) + 1 FROM batch", [], |row| row.get(0)).map_err(&failed)?;
            Ok((head, batch_number))
        })();
        let (head, batch_number) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let _ = connection.execute_batch("ROLLBACK");
                return Err(error);
            }
        };
        Ok(SqliteWriter {
            view,
            chain: Chain::new(head, &batch),
            batch,
            batch_number,
            appended: 0,
            bulk: false,
            moved: HashMap::new(),
            insert: Inserts::new(connection),
            open: true,
            mark: None,
        })
    }

    fn connection(&self) -> &'c Connection {
        self.view.connection()
    }

    pub(super) fn commit(mut self) -> Result<()> {
        self.flush()?;
        self.connection().execute_batch("COMMIT").map_err(storage("committing"))?;
        self.open = false;
        Ok(())
    }

    pub(super) fn rollback(mut self) -> Result<()> {
        self.open = false;
        self.connection().execute_batch("ROLLBACK").map_err(storage("rolling back"))
    }

    /// Writes the batch row before the first record.
    fn begin_batch(&mut self) -> Result<()> {
        self.connection()
            .execute(
                "INSERT INTO batch (batch, recorded_at, recorded_by, source, source_sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    self.batch_number,
                    self.batch.recorded_at,
                    self.batch.recorded_by,
                    self.batch.source,
                    self.batch.source_sha256.as_ref().map(<[u8; 32]>::as_slice)
                ],
            )
            .map_err(storage("recording"))?;
        Ok(())
    }

    fn begin_bulk(&mut self) -> Result<()> {
        schema::drop_guards(self.connection())?;
        self.bulk = true;
        Ok(())
    }

    /// Writes what moved into the day totals and the month openings, and the guards back.
    fn flush(&mut self) -> Result<()> {
        if self.bulk {
            schema::make_guards(self.connection())?;
            self.bulk = false;
        }
        let mut moved: BTreeMap<Country, BTreeMap<NaiveDate, Measures>> = BTreeMap::new();
        for ((allocation, day), measures) in self.moved.drain() {
            moved.entry(allocation).or_default().insert(day, measures);
        }
        sums::add(self.connection(), moved).map_err(storage("writing the day totals"))
    }

    fn known(&self, record: &NewRecord) -> Result<bool> {
        let failed = storage("looking an id up");
        let (sql, id, extra): (&str, String, i64) = match (&record.fact, record.application) {
            (Fact::Application(application), None) => (
                "SELECT count(*) FROM record WHERE id = ?1 AND kind = 'application' AND application = seq AND ?2 = 0",
                application.number.clone(),
                0,
            ),
            (Fact::Application(application), Some(first)) => (
                "SELECT count(*) FROM record WHERE application = ?1 + 0 AND application <> seq AND revision = ?2 AND kind = 'application'",
                first.to_string(),
                i64::from(application.revision),
            ),
            (fact @ (Fact::Event(..) | Fact::Act(_) | Fact::Company(_) | Fact::Filing(_)), _) => {
                ("SELECT count(*) FROM record WHERE id = ?1 AND kind NOT IN ('application', 'regime') AND ?2 = 0", fact.id(), 0)
            }
            (Fact::Regime { .. }, _) => return Ok(false),
        };
        let count: i64 = self
            .connection()
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params![id, extra], |row| row.get(0)))
            .map_err(failed)?;
        Ok(count > 0)
    }

    fn insert_record(&mut self, seq: u64, digest: &Digest, record: &NewRecord) -> rusqlite::Result<bool> {
        let fact = &record.fact;
        let application = if let Fact::Application(application) = fact { Some(application) } else { None };
        let event = if let Fact::Event(event, _) = fact { Some(event) } else { None };
        let adopted = if let Fact::Regime { .. } = fact { Some(fact.id()) } else { None };
        let (kind, id, what, reference) = match fact {
            Fact::Application(application) => (0, application.number.as_str(), None, None),
            Fact::Event(event, _) => (1, event.id.as_str(), Some(event.kind.as_str()), event.reference.as_deref()),
            Fact::Act(act) => (2, act.id.as_str(), Some(act.kind.as_str()), Some(act.reference.as_str())),
            Fact::Company(company) => (3, company.id(), Some(company.what()), company.reference()),
            Fact::Filing(filing) => (5, filing.id.as_str(), Some(filing.kind.as_str()), filing.reference.as_deref()),
            Fact::Regime { reference, .. } => {
                (4, adopted.as_deref().unwrap_or_default(), Some("adopt"), Some(reference.as_str()))
            }
        };
        let belongs_to = record.application.or(application.map(|_| seq)).map(|seq| seq as i64);
        let values = [
            whole(seq as i64),
            id.into(),
            whole(self.batch_number),
            maybe_whole(belongs_to),
            record.allocation.as_ref().map(Country::as_str).into(),
            whole(kept(fact.effective_on())),
            what.into(),
            maybe_whole(application.map(|application| i64::from(application.revision))),
            application.map(|application| application.applicant.as_str()).into(),
            event.and_then(|event| event.license_number.as_deref()).into(),
            event.filter(|event| event.basis == Basis::Cumulative).map(|_| "cumulative").into(),
            maybe_whole(event.and_then(|event| kept_optional(event.expires_on))),
            maybe_whole(event.and_then(|event| kept_optional(event.last_valid_day))),
            event.and_then(|event| event.corrects.as_deref()).into(),
            reference.into(),
            event.and_then(|event| event.overrun_authority.as_deref()).into(),
            whole(!record.shortfalls.is_empty()),
            record.findings.as_str().into(),
            whole(line_count(fact) as i64),
            whole((record.entries.len() + record.charges.len()) as i64),
            ValueRef::Blob(digest),
        ];
        let word = ["application", "event", "act", "company", "regime", "filing"][usize::from(kind)];
        Ok(self.insert.record.execute(kind, &[word], &values)? == 1)
    }

    fn insert_rows(&mut self, seq: u64, record: &NewRecord) -> rusqlite::Result<()> {
        match &record.fact {
            Fact::Application(application) => self.insert_lines(seq, application)?,
            Fact::Event(event, _) => self.insert_event_lines(seq, event)?,
            Fact::Act(act) => self.insert_act(seq, act)?,
            Fact::Company(company) => companies::insert(self.connection(), seq as i64, company)?,
            Fact::Filing(filing) => filings::insert(self.connection(), seq as i64, filing)?,
            Fact::Regime { .. } => {}
        }
        if !record.charges.is_empty() {
            companies::insert_charges(self.connection(), seq as i64, &record.charges)?;
        }
        for (ord, shortfall) in record.shortfalls.iter().enumerate() {
            self.connection()
                .prepare_cached(
                    "INSERT INTO refusal (seq, ord, code, allocation, requested, limit_tpp, headroom_floor, floor_on, shortfall, \
                     largest, largest_quantity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    seq as i64,
                    ord as i64,
                    shortfall.code.as_str(),
                    shortfall.allocation.to_string(),
                    shortfall.requested.thousandths(),
                    shortfall.limit.thousandths(),
                    shortfall.headroom_floor.thousandths(),
                    kept(shortfall.floor_on),
                    shortfall.shortfall.thousandths(),
                    shortfall.largest.thousandths(),
                    shortfall.largest_quantity
                ])?;
        }
        for (ord, entry) in record.entries.iter().enumerate() {
            let [pending, licensed, not_limited, shipped, increase, withheld] =
                entry.measures.as_array().map(|tpp| tpp.thousandths());
            let values = [
                whole(seq as i64),
                whole(ord as i64),
                whole(kept(entry.effective_on)),
                entry.allocation.as_str().into(),
                whole(pending),
                whole(licensed),
                whole(not_limited),
                whole(shipped),
                whole(increase),
                whole(withheld),
            ];
            self.insert.entry.execute(entry.kind as u8, &[entry.kind.as_str()], &values)?;
            *self.moved.entry((entry.allocation, entry.effective_on)).or_default() += entry.measures;
        }
        Ok(())
    }

    fn insert_lines(&mut self, seq: u64, application: &Application) -> rusqlite::Result<()> {
        for line in &application.lines {
            let terms = &line.terms;
            let (per_unit, aggregated) = match terms.tpp {
                LineTpp::PerUnit(tpp) => (Some(tpp.thousandths()), None),
                LineTpp::Aggregate { total, .. } => (None, Some(total.thousandths())),
            };
            let values = [
                whole(seq as i64),
                whole(terms.line),
                terms.destination.as_str().into(),
                line.ultimate_consignee.as_str().into(),
                terms.consignee_headquarters.as_str().into(),
                terms.parent_headquarters.as_str().into(),
                whole(terms.assumed),
                terms.eccn.as_str().into(),
                line.device.as_deref().into(),
                maybe_whole(thousandths(line.tpp_per_unit)),
                maybe_whole(thousandths(line.tpp_aggregated)),
                maybe_whole(thousandths(line.catalogue_tpp)),
                maybe_whole(per_unit),
                maybe_whole(aggregated),
                whole(terms.quantity),
                line.purchase_order.as_deref().into(),
                line.end_use.as_deref().into(),
            ];
            let (kind, activity) = (line.consignee_kind, terms.activity);
            let variant = kind as u8 * 16 + activity as u8;
            self.insert.line.execute(variant, &[kind.as_str(), activity.as_str()], &values)?;
        }
        Ok(())
    }

    fn insert_event_lines(&mut self, seq: u64, event: &Event) -> rusqlite::Result<()> {
        if line_count_of(event) == 0 {
            return Ok(());
        }
        let given = event.lines.iter().map(|line| (line.line, line.quantity, false));
        let resolved = event.resolved.iter().map(|(line, units)| (Some(*line), Some(*units), true));
        for (ord, (line, quantity, resolved)) in given.chain(resolved).enumerate() {
            let (line, quantity) = (maybe_whole(line.map(i64::from)), maybe_whole(quantity.map(i64::from)));
            self.insert.event_line.execute(0, &[], &[whole(seq as i64), whole(ord as i64), line, quantity, whole(resolved)])?;
        }
        Ok(())
    }

    fn insert_act(&mut self, seq: u64, act: &Act) -> rusqlite::Result<()> {
        let percent = if let ActAmount::Percent(percent) = act.amount { Some(percent.normalize().to_string()) } else { None };
        let given = if let ActAmount::Tpp(tpp) = act.amount { Some(tpp.thousandths()) } else { None };
        self.connection()
            .prepare_cached("INSERT INTO act (seq, destination, percent, tpp_given, tpp) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![seq as i64, act.destination.as_str(), percent, given, thousandths(act.tpp)])?;
        Ok(())
    }
}

/// Rows of `line` or `event_line` that a record has.
fn line_count(fact: &Fact) -> usize {
    match fact {
        Fact::Application(application) => application.lines.len(),
        Fact::Event(event, _) => line_count_of(event),
        Fact::Company(CompanyFact::Shipment(shipment)) => shipment.lines.len(),
        Fact::Filing(filing) => filing.files.len(),
        Fact::Act(_) | Fact::Company(_) | Fact::Regime { .. } => 0,
    }
}

/// An event's lines are kept only where they say something.
fn line_count_of(event: &Event) -> usize {
    let blank = event.lines.iter().all(|line| line.line.is_none() && line.quantity.is_none()) && event.resolved.is_empty();
    if blank { 0 } else { event.lines.len() + event.resolved.len() }
}

impl Drop for SqliteWriter<'_> {
    fn drop(&mut self) {
        if self.open {
            // Reached only when a panic unwinds: the transaction must not outlive it.
            let _ = self.connection().execute_batch("ROLLBACK");
        }
    }
}

impl Append for SqliteWriter<'_> {
    fn append(&mut self, record: &Arc<Prepared>) -> Result<Option<u64>> {
        if !self.bulk && self.known(record)? {
            return Ok(None);
        }
        let head = self.chain.after(record);
        Ok(self.append_at(record, head)?.then_some(head.seq))
    }
}

impl Write for SqliteWriter<'_> {
    fn chain(&self) -> Chain {
        self.chain.clone()
    }

    fn append_at(&mut self, record: &Arc<Prepared>, head: Head) -> Result<bool> {
        let failed = storage("recording");
        if self.appended == 0 {
            self.begin_batch()?;
        }
        if self.appended == BULK_FROM {
            self.begin_bulk()?;
        }
        if !self.insert_record(head.seq, &head.digest, record).map_err(&failed)? {
            return Ok(false);
        }
        self.insert_rows(head.seq, record).map_err(&failed)?;
        self.chain.head = head;
        self.appended += 1;
        Ok(true)
    }

    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        self.view.dossiers(visit)
    }

    fn ids(&self, kind: IdKind, visit: &mut dyn FnMut(&str)) -> Result<()> {
        let sql = match kind {
            IdKind::Application => "SELECT id FROM record WHERE kind = 'application' AND application = seq",
            IdKind::Event => "SELECT id FROM record WHERE kind NOT IN ('application', 'regime')",
        };
        let mut all = || -> rusqlite::Result<()> {
            let mut statement = self.connection().prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                visit(row.get_ref(0)?.as_str()?);
            }
            Ok(())
        };
        all().map_err(storage("reading the recorded ids"))
    }

    fn knows_source(&self, sha256: &Digest) -> Result<bool> {
        self.view.knows_source(sha256)
    }

    fn keep_filed(&mut self, seq: u64, ord: usize, part: usize, gzip: &[u8]) -> Result<()> {
        filings::insert_part(self.connection(), seq, ord, part, gzip).map_err(storage("keeping a filed file"))
    }

    fn keep_regime(&mut self, regime: RegimeKept) -> Result<()> {
        self.connection()
            .execute(
                "INSERT INTO regime (adopted_by, id, digest, text) VALUES (?1, ?2, ?3, ?4)",
                params![regime.adopted_by as i64, regime.id, regime.digest.as_slice(), regime.text],
            )
            .map_err(storage("keeping the regime"))?;
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        let sql = if self.mark.is_some() { "RELEASE file; SAVEPOINT file" } else { "SAVEPOINT file" };
        self.connection().execute_batch(sql).map_err(storage("marking a place"))?;
        self.mark = Some(Mark { head: self.chain.head, appended: self.appended, bulk: self.bulk, moved: self.moved.clone() });
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        let Some(mark) = self.mark.take() else { return Ok(()) };
        self.connection().execute_batch("ROLLBACK TO file; RELEASE file").map_err(storage("going back to a mark"))?;
        (self.chain.head, self.appended, self.bulk, self.moved) = (mark.head, mark.appended, mark.bulk, mark.moved);
        Ok(())
    }

    fn source_is_whole(&mut self) -> Result<()> {
        let Some(sha256) = self.batch.source_sha256.filter(|_| self.appended > 0) else { return Ok(()) };
        if !self.view.knows_source(&sha256)? {
            self.connection()
                .execute(
                    "INSERT INTO whole_source (sha256, batch) VALUES (?1, ?2)",
                    params![sha256.as_slice(), self.batch_number],
                )
                .map_err(storage("noting the file"))?;
        }
        Ok(())
    }
}

/// What was appended in this transaction is visible to its questions; the day totals are those before it, with what
/// moved since.
impl Ask for SqliteWriter<'_> {
    fn head(&self) -> Result<Head> {
        Ok(self.chain.head)
    }
    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        self.view.dossier(number)
    }
    fn find(&self, id: &str) -> Result<Option<Record>> {
        self.view.find(id)
    }
    fn license(&self, number: &str) -> Result<Vec<String>> {
        self.view.license(number)
    }
    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        self.view.acts(allocation)
    }
    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        self.view.party_statements()
    }
    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        self.view.company_facts(parties)
    }
    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        self.view.account_days(authorization, party)
    }
    fn filings(&self) -> Result<Filings> {
        self.view.filings()
    }
    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        self.view.charged_parties()
    }
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        let mut totals: BTreeMap<NaiveDate, Measures> = self.view.day_totals(allocation)?.into_iter().collect();
        for ((_, day), measures) in self.moved.iter().filter(|((moved, _), _)| *moved == allocation) {
            *totals.entry(*day).or_default() += *measures;
        }
        Ok(totals.into_iter().collect())
    }
}
