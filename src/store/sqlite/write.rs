//! Appending in one transaction, with the sums kept beside the facts.
//!
//! A record is a row with its lines and entries; day totals are gathered in memory and written once, with the month
//! openings, when the transaction commits. From some hundred records on a transaction is a bulk import: the guards are
//! dropped and made again inside it.

use super::read::SqliteReader;
use super::rows::{kept, kept_optional, thousandths};
use super::{schema, storage};
use crate::error::{Error, Result};
use crate::quota::application::{Application, LineTpp};
use crate::quota::calendar::day_number;
use crate::quota::codes::Country;
use crate::quota::event::{Act, ActAmount, Basis, Event, Placed};
use crate::quota::posting::{EntryKind, Measures};
use crate::store::{
    Append, Ask, Batch, Digest, Dossier, Fact, Head, IdKind, NewRecord, Prepared, Read, Record, RegimeKept, Write, canonical,
};
use chrono::NaiveDate;
use hashbrown::HashMap;
use rusqlite::{Connection, Statement, ToSql, params};
use std::borrow::Cow;
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
    batch_part: Vec<u8>,
    batch_number: i64,
    head: Head,
    appended: u64,
    bulk: bool,
    moved: HashMap<(Country, NaiveDate), Measures>,
    buffer: Vec<u8>,
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

/// A statement that is prepared when it is first executed: one `record` needs two or three of them.
#[derive(Debug)]
struct Insert<'c> {
    sql: Cow<'static, str>,
    connection: &'c Connection,
    statement: Option<Statement<'c>>,
}

impl Insert<'_> {
    fn execute(&mut self, params: &[&dyn ToSql]) -> rusqlite::Result<usize> {
        let statement = match &mut self.statement {
            Some(statement) => statement,
            none => none.insert(self.connection.prepare(&self.sql)?),
        };
        statement.execute(params)
    }
}

/// The statements of a bulk import. Columns that a kind of record never fills are left out of its statement, and words
/// that never differ stand in it: what is not bound costs nothing.
#[derive(Debug)]
struct Inserts<'c> {
    application: Insert<'c>,
    event: Insert<'c>,
    other: Insert<'c>,
    line: Insert<'c>,
    event_line: Insert<'c>,
    /// One for each kind of entry, in the order of [`EntryKind::ALL`].
    entry: Vec<Insert<'c>>,
}

impl<'c> Inserts<'c> {
    fn new(connection: &'c Connection) -> Self {
        let insert = |sql: Cow<'static, str>| Insert { sql, connection, statement: None };
        let entry = |kind: &EntryKind| {
            let sql = format!(
                "INSERT INTO entry (seq, ord, effective_on, allocation, kind, pending, licensed, not_limited, shipped, increase, \
                 withheld) VALUES (?1, ?2, ?3, ?4, '{kind}', ?5, ?6, ?7, ?8, ?9, ?10)"
            );
            insert(sql.into())
        };
        Inserts {
            application: insert(
                "INSERT INTO record (seq, kind, id, batch, application, effective_on, revision, applicant, refused, findings, \
                 line_count, entry_count, digest) VALUES (?1, 'application', ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11) \
                 ON CONFLICT DO NOTHING"
                    .into(),
            ),
            event: insert(
                "INSERT INTO record (seq, kind, id, batch, application, effective_on, what, expires_on, last_valid_day, reference, \
                 refused, findings, line_count, entry_count, digest) \
                 VALUES (?1, 'event', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING"
                    .into(),
            ),
            other: insert(
                "INSERT INTO record (seq, kind, id, batch, application, allocation, effective_on, what, license_number, basis, \
                 expires_on, last_valid_day, corrects, reference, overrun_authority, refused, findings, line_count, entry_count, \
                 digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
                 ON CONFLICT DO NOTHING"
                    .into(),
            ),
            line: insert(
                "INSERT INTO line (seq, line, destination, ultimate_consignee, consignee_headquarters, parent_headquarters, \
                 consignee_kind, assumed, activity, eccn, device, tpp_per_unit, tpp_aggregated, catalogue_tpp, counts_per_unit, \
                 counts_aggregated, quantity, purchase_order, end_use) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
                 ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
                    .into(),
            ),
            event_line: insert("INSERT INTO event_line (seq, ord, line, quantity, resolved) VALUES (?1, ?2, ?3, ?4, ?5)".into()),
            entry: EntryKind::ALL.iter().map(entry).collect(),
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
            batch_part: canonical::batch_part(&batch),
            batch,
            batch_number,
            head,
            appended: 0,
            bulk: false,
            moved: HashMap::new(),
            buffer: Vec::with_capacity(1024),
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
        let failed = storage("writing the day totals");
        let mut moved: Vec<_> = self.moved.drain().collect();
        moved.sort_unstable_by_key(|(key, _)| *key);
        let mut first_days: BTreeMap<Country, NaiveDate> = BTreeMap::new();
        let connection = self.connection();
        let mut add = connection
            .prepare_cached(
                "INSERT INTO day_total (allocation, day, pending, licensed, not_limited, shipped, increase, withheld) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (allocation, day) DO UPDATE SET \
                 pending = pending + excluded.pending, licensed = licensed + excluded.licensed, \
                 not_limited = not_limited + excluded.not_limited, shipped = shipped + excluded.shipped, \
                 increase = increase + excluded.increase, withheld = withheld + excluded.withheld",
            )
            .map_err(&failed)?;
        for ((allocation, day), measures) in moved {
            let [pending, licensed, not_limited, shipped, increase, withheld] = measures.as_array().map(|tpp| tpp.thousandths());
            add.execute(params![
                allocation.as_str(),
                day_number(day),
                pending,
                licensed,
                not_limited,
                shipped,
                increase,
                withheld
            ])
            .map_err(&failed)?;
            first_days.entry(allocation).or_insert(day);
        }
        drop(add);
        for (allocation, first_day) in first_days {
            super::check::refresh_openings(connection, allocation, first_day).map_err(&failed)?;
        }
        Ok(())
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
            (fact @ (Fact::Event(..) | Fact::Act(_)), _) => {
                ("SELECT count(*) FROM record WHERE id = ?1 AND kind IN ('event', 'act') AND ?2 = 0", fact.id(), 0)
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
        let changed = match &record.fact {
            Fact::Application(application) => self.insert.application.execute(params![
                seq as i64,
                application.number,
                self.batch_number,
                record.application.unwrap_or(seq) as i64,
                kept(application.submitted_on),
                application.revision,
                application.applicant,
                record.findings,
                application.lines.len() as i64,
                record.entries.len() as i64,
                digest.as_slice(),
            ])?,
            Fact::Event(event, _) if is_plain(event) && record.allocation.is_none() => self.insert.event.execute(params![
                seq as i64,
                event.id,
                self.batch_number,
                record.application.map(|seq| seq as i64),
                kept(event.effective_on),
                event.kind.as_str(),
                kept_optional(event.expires_on),
                kept_optional(event.last_valid_day),
                event.reference,
                !record.shortfalls.is_empty(),
                record.findings,
                line_count_of(event) as i64,
                record.entries.len() as i64,
                digest.as_slice(),
            ])?,
            fact => self.insert_other(seq, digest, record, fact)?,
        };
        Ok(changed == 1)
    }

    /// An event with rarer fields, an act, or the adoption of a regime.
    fn insert_other(&mut self, seq: u64, digest: &Digest, record: &NewRecord, fact: &Fact) -> rusqlite::Result<usize> {
        let event = if let Fact::Event(event, _) = fact { Some(event) } else { None };
        let (kind, what, reference) = match fact {
            Fact::Event(event, _) => ("event", event.kind.as_str(), event.reference.as_deref()),
            Fact::Act(act) => ("act", act.kind.as_str(), Some(act.reference.as_str())),
            Fact::Regime { reference, .. } => ("regime", "adopt", Some(reference.as_str())),
            Fact::Application(_) => unreachable!("an application has its own statement"),
        };
        self.insert.other.execute(params![
            seq as i64,
            kind,
            fact.id(),
            self.batch_number,
            record.application.map(|seq| seq as i64),
            record.allocation.as_ref().map(Country::as_str),
            kept(fact.effective_on()),
            what,
            event.and_then(|event| event.license_number.as_deref()),
            event.filter(|event| event.basis == Basis::Cumulative).map(|_| "cumulative"),
            event.and_then(|event| kept_optional(event.expires_on)),
            event.and_then(|event| kept_optional(event.last_valid_day)),
            event.and_then(|event| event.corrects.as_deref()),
            reference,
            event.and_then(|event| event.overrun_authority.as_deref()),
            !record.shortfalls.is_empty(),
            record.findings,
            line_count(fact) as i64,
            record.entries.len() as i64,
            digest.as_slice(),
        ])
    }

    fn insert_rows(&mut self, seq: u64, record: &NewRecord) -> rusqlite::Result<()> {
        match &record.fact {
            Fact::Application(application) => self.insert_lines(seq, application)?,
            Fact::Event(event, _) => self.insert_event_lines(seq, event)?,
            Fact::Act(act) => self.insert_act(seq, act)?,
            Fact::Regime { .. } => {}
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
                    shortfall.allocation.as_str(),
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
            self.insert.entry[entry.kind as usize].execute(params![
                seq as i64,
                ord as i64,
                kept(entry.effective_on),
                entry.allocation.as_str(),
                pending,
                licensed,
                not_limited,
                shipped,
                increase,
                withheld
            ])?;
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
            self.insert.line.execute(params![
                seq as i64,
                terms.line,
                terms.destination.as_str(),
                line.ultimate_consignee,
                terms.consignee_headquarters.as_str(),
                terms.parent_headquarters.as_str(),
                line.consignee_kind.as_str(),
                terms.assumed,
                terms.activity.as_str(),
                terms.eccn.as_str(),
                line.device,
                thousandths(line.tpp_per_unit),
                thousandths(line.tpp_aggregated),
                thousandths(line.catalogue_tpp),
                per_unit,
                aggregated,
                terms.quantity,
                line.purchase_order,
                line.end_use
            ])?;
        }
        Ok(())
    }

    fn insert_event_lines(&mut self, seq: u64, event: &Event) -> rusqlite::Result<()> {
        if line_count_of(event) == 0 {
            return Ok(());
        }
        let mut ord = 0_i64;
        for line in &event.lines {
            self.insert.event_line.execute(params![seq as i64, ord, line.line, line.quantity, false])?;
            ord += 1;
        }
        for (line, units) in &event.resolved {
            self.insert.event_line.execute(params![seq as i64, ord, line, units, true])?;
            ord += 1;
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

/// Whether an event has only the fields of the statement for plain ones.
fn is_plain(event: &Event) -> bool {
    event.license_number.is_none() && event.basis == Basis::Delta && event.corrects.is_none() && event.overrun_authority.is_none()
}

/// Rows of `line` or `event_line` that a record has.
fn line_count(fact: &Fact) -> usize {
    match fact {
        Fact::Application(application) => application.lines.len(),
        Fact::Event(event, _) => line_count_of(event),
        Fact::Act(_) | Fact::Regime { .. } => 0,
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
        let failed = storage("recording");
        let seq = self.head.seq + 1;
        let digest = record.digest(&self.head.digest, seq, &self.batch_part, &mut self.buffer);
        if self.appended == 0 {
            self.begin_batch()?;
        }
        if self.appended == BULK_FROM {
            self.begin_bulk()?;
        }
        if !self.insert_record(seq, &digest, record).map_err(&failed)? {
            return Ok(None);
        }
        self.insert_rows(seq, record).map_err(&failed)?;
        self.head = Head { seq, digest, recorded_at: self.batch.recorded_at };
        self.appended += 1;
        Ok(Some(seq))
    }
}

impl Write for SqliteWriter<'_> {
    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        self.view.dossiers(visit)
    }

    fn ids(&self, kind: IdKind, visit: &mut dyn FnMut(&str)) -> Result<()> {
        let sql = match kind {
            IdKind::Application => "SELECT id FROM record WHERE kind = 'application' AND application = seq",
            IdKind::Event => "SELECT id FROM record WHERE kind IN ('event', 'act')",
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
        self.mark = Some(Mark { head: self.head, appended: self.appended, bulk: self.bulk, moved: self.moved.clone() });
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        let Some(mark) = self.mark.take() else { return Ok(()) };
        self.connection().execute_batch("ROLLBACK TO file; RELEASE file").map_err(storage("going back to a mark"))?;
        (self.head, self.appended, self.bulk, self.moved) = (mark.head, mark.appended, mark.bulk, mark.moved);
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
        Ok(self.head)
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
    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        let mut totals: BTreeMap<NaiveDate, Measures> = self.view.day_totals(allocation)?.into_iter().collect();
        for ((_, day), measures) in self.moved.iter().filter(|((moved, _), _)| *moved == allocation) {
            *totals.entry(*day).or_default() += *measures;
        }
        Ok(totals.into_iter().collect())
    }
}
