//! One consistent view: the questions of [`Ask`] and [`Read`] in SQL.
//!
//! A position as of a day is a month opening plus the days since; through an earlier record, less the entries after it.
//! So the cost of a headroom does not grow with the ledger.

use super::companies;
use super::filings;
use super::rows::{self, LINE_COLUMNS, RECORD_COLUMNS, kept};
use super::{digest_of, storage};
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::company::account::{Account, Authorization, Charge};
use crate::quota::company::fact::{CompanyFact, PartyStatement};
use crate::quota::event::{Act, Event, EventLine, Placed, in_order};
use crate::quota::filing::Filings;
use crate::quota::posting::{Entry, Measures};
use crate::quota::tpp::Tpp;
use crate::store::{Ask, Batch, Digest, Dossier, Fact, Head, Read, Record, RegimeKept, canonical};
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// The corrections of a record: the accepted event that names its id.
const CORRECTED_BY: &str = "(SELECT min(c.seq) FROM record c WHERE c.corrects = record.id AND c.refused = 0 AND record.kind NOT IN ('application', 'regime'))";

/// A view that does not move while it is held.
#[derive(Debug)]
pub struct SqliteReader<'c> {
    connection: &'c Connection,
    own_transaction: bool,
}

impl<'c> SqliteReader<'c> {
    /// A view in a transaction of its own, which ends with it.
    pub(super) fn begin(connection: &'c Connection) -> Result<Self> {
        connection.execute_batch("BEGIN DEFERRED").map_err(storage("beginning to read"))?;
        let reader = SqliteReader { connection, own_transaction: true };
        // The snapshot is taken by the first question.
        reader.head()?;
        Ok(reader)
    }

    /// A view inside a writer's transaction.
    pub(super) fn inside(connection: &'c Connection) -> Self {
        SqliteReader { connection, own_transaction: false }
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    fn batch(&self, number: i64) -> rusqlite::Result<Batch> {
        self.connection
            .prepare_cached("SELECT recorded_at, recorded_by, source, source_sha256 FROM batch WHERE batch = ?1")?
            .query_row([number], |row| {
                Ok(Batch {
                    recorded_at: row.get(0)?,
                    recorded_by: row.get(1)?,
                    source: row.get(2)?,
                    source_sha256: row.get_ref(3)?.as_blob_or_null()?.map(digest_of),
                })
            })
    }

    fn lines(&self, seq: i64) -> rusqlite::Result<Vec<crate::quota::application::Line>> {
        self.connection
            .prepare_cached(&format!("SELECT {LINE_COLUMNS} FROM line WHERE seq = ?1 ORDER BY line"))?
            .query_map([seq], |row| rows::line(row, 0))?
            .collect()
    }

    /// Fills an event's lines in, where it has any.
    fn fill_event(&self, event: &mut Event, seq: i64, line_count: i64) -> rusqlite::Result<()> {
        if line_count == 0 {
            return Ok(());
        }
        event.lines.clear();
        let mut statement =
            self.connection.prepare_cached("SELECT line, quantity, resolved FROM event_line WHERE seq = ?1 ORDER BY ord")?;
        let mut rows = statement.query([seq])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, bool>(2)? {
                event.resolved.push((row.get(0)?, row.get(1)?));
            } else {
                event.lines.push(EventLine { line: row.get(0)?, quantity: row.get(1)? });
            }
        }
        Ok(())
    }

    /// One accepted record of an application into its dossier.
    fn add_to(&self, dossier: &mut Dossier, row: &Row, corrected_by: Option<i64>) -> rusqlite::Result<()> {
        let seq: i64 = row.get(0)?;
        let findings = row.get_ref(18)?.as_str()?;
        if !findings.is_empty() {
            dossier.findings.push((seq as u64, findings.to_string()));
        }
        if row.get_ref(1)?.as_str()? == "application" {
            let mut application = rows::application(row)?;
            application.lines = self.lines(seq)?;
            dossier.revisions.push(Placed::new(seq as u64, application));
        } else {
            let mut event = rows::event(row)?;
            self.fill_event(&mut event, seq, row.get(19)?)?;
            event.application = dossier.revisions.first().map(|first| first.fact.number.clone());
            dossier.events.push(Placed { seq: seq as u64, corrected_by: corrected_by.map(|by| by as u64), fact: event });
        }
        Ok(())
    }

    fn read_record(&self, row: &Row) -> rusqlite::Result<Record> {
        let seq: i64 = row.get(0)?;
        let application: Option<i64> = row.get(4)?;
        let fact = match row.get_ref(1)?.as_str()? {
            "application" => {
                let mut application = rows::application(row)?;
                application.lines = self.lines(seq)?;
                Fact::Application(application)
            }
            "event" => {
                let mut event = rows::event(row)?;
                self.fill_event(&mut event, seq, row.get(19)?)?;
                let number: Option<String> = match application {
                    None => None,
                    Some(first) => self
                        .connection
                        .prepare_cached("SELECT id FROM record WHERE seq = ?1")?
                        .query_row([first], |row| row.get(0))
                        .optional()?,
                };
                event.application.clone_from(&number);
                Fact::Event(event, number)
            }
            "act" => self
                .connection
                .prepare_cached(
                    "SELECT r.effective_on, r.id, r.what, r.reference, a.destination, a.percent, a.tpp_given, a.tpp \
                     FROM record r JOIN act a USING (seq) WHERE r.seq = ?1",
                )?
                .query_row([seq], |row| rows::act(row, 0).map(Fact::Act))?,
            "company" => Fact::Company(companies::fact_of(self.connection, seq)?),
            "filing" => Fact::Filing(filings::filing(self.connection, seq)?),
            _ => {
                let (id, digest): (String, Vec<u8>) = self
                    .connection
                    .prepare_cached("SELECT id, digest FROM regime WHERE adopted_by = ?1")?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let reference: Option<String> = row.get(15)?;
                let effective_on = rows::day(row, 6)?;
                Fact::Regime { id, digest: digest_of(&digest), reference: reference.unwrap_or_default(), effective_on }
            }
        };
        let mut record = Record {
            seq: seq as u64,
            batch: self.batch(row.get(3)?)?,
            fact,
            application: application.map(|first| first as u64),
            allocation: row.get_ref(5)?.as_str_or_null()?.and_then(Country::new),
            shortfalls: Vec::new(),
            findings: row.get(18)?,
            entries: Vec::new(),
            charges: Vec::new(),
            digest: digest_of(row.get_ref(21)?.as_blob()?),
        };
        self.fill_postings(&mut record, row.get(17)?)?;
        Ok(record)
    }

    /// What a record posts: the limits that it breaks, or its entries and charges.
    fn fill_postings(&self, record: &mut Record, refused: bool) -> rusqlite::Result<()> {
        let seq = record.seq as i64;
        if refused {
            record.shortfalls = self
                .connection
                .prepare_cached(
                    "SELECT code, allocation, requested, limit_tpp, headroom_floor, floor_on, shortfall, largest, largest_quantity \
                     FROM refusal WHERE seq = ?1 ORDER BY ord",
                )?
                .query_map([seq], rows::shortfall)?
                .collect::<rusqlite::Result<_>>()?;
        }
        record.entries = self
            .connection
            .prepare_cached(
                "SELECT effective_on, allocation, kind, pending, licensed, not_limited, shipped, increase, withheld \
                 FROM entry WHERE seq = ?1 ORDER BY ord",
            )?
            .query_map([seq], |row| rows::entry(row, 0))?
            .collect::<rusqlite::Result<_>>()?;
        // Only facts of companies, corrections of them and another regime charge their accounts.
        if matches!(record.fact, Fact::Company(_) | Fact::Event(_, None) | Fact::Regime { .. }) {
            let charges = companies::charges(self.connection, record.seq - 1, record.seq)?;
            record.charges = charges.into_iter().map(|(_, charge)| charge).collect();
        }
        Ok(())
    }

    fn positions_at_head(&self, as_of: NaiveDate) -> rusqlite::Result<BTreeMap<Country, Measures>> {
        let mut positions = BTreeMap::new();
        let mut allocations = self.connection.prepare_cached("SELECT DISTINCT allocation FROM month_opening")?;
        let mut opening = self.connection.prepare_cached(
            "SELECT month, pending, licensed, not_limited, shipped, increase, withheld FROM month_opening \
             WHERE allocation = ?1 AND month <= ?2 ORDER BY month DESC LIMIT 1",
        )?;
        let mut days = self.connection.prepare_cached(
            "SELECT pending, licensed, not_limited, shipped, increase, withheld FROM day_total \
             WHERE allocation = ?1 AND day >= ?2 AND day <= ?3",
        )?;
        let mut codes = allocations.query([])?;
        while let Some(row) = codes.next()? {
            let allocation = rows::country(row, 0)?;
            let found = opening
                .query_row(params![allocation.as_str(), kept(as_of)], |row| Ok((row.get::<_, i64>(0)?, rows::measures(row, 1)?)))
                .optional()?;
            let (month, mut position) = found.unwrap_or((0, Measures::ZERO));
            let mut since = days.query(params![allocation.as_str(), month, kept(as_of)])?;
            while let Some(row) = since.next()? {
                position += rows::measures(row, 0)?;
            }
            positions.insert(allocation, position);
        }
        Ok(positions)
    }

    fn records_where(&self, clause: &str, after: u64, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        let failed = storage("reading the records");
        let sql = format!("SELECT {RECORD_COLUMNS} FROM record WHERE seq > ?1 AND seq <= ?2 {clause} ORDER BY seq");
        let mut statement = self.connection.prepare(&sql).map_err(&failed)?;
        let through = i64::try_from(through).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![after as i64, through]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            visit(self.read_record(row).map_err(&failed)?)?;
        }
        Ok(())
    }
}

impl Drop for SqliteReader<'_> {
    fn drop(&mut self) {
        if self.own_transaction {
            // Ending a transaction that only read cannot lose anything.
            let _ = self.connection.execute_batch("COMMIT");
        }
    }
}

impl Ask for SqliteReader<'_> {
    fn head(&self) -> Result<Head> {
        let failed = storage("reading the head of the ledger");
        let last = self
            .connection
            .prepare_cached(
                "SELECT r.seq, r.digest, b.recorded_at FROM record r JOIN batch b USING (batch) ORDER BY r.seq DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([], |row| {
                        Ok(Head {
                            seq: row.get::<_, i64>(0)? as u64,
                            digest: digest_of(row.get_ref(1)?.as_blob()?),
                            recorded_at: row.get(2)?,
                        })
                    })
                    .optional()
            })
            .map_err(&failed)?;
        match last {
            Some(head) => Ok(head),
            None => {
                let digest: Vec<u8> = self
                    .connection
                    .query_row("SELECT digest FROM regime WHERE adopted_by = 0", [], |row| row.get(0))
                    .map_err(failed)?;
                Ok(Head { seq: 0, digest: canonical::genesis(&digest_of(&digest)), recorded_at: 0 })
            }
        }
    }

    fn dossier(&self, number: &str) -> Result<Option<Dossier>> {
        let failed = storage("reading an application");
        let first: Option<i64> = self
            .connection
            .prepare_cached("SELECT seq FROM record WHERE id = ?1 AND kind = 'application' AND application = seq")
            .and_then(|mut statement| statement.query_row([number], |row| row.get(0)).optional())
            .map_err(&failed)?;
        let Some(first) = first else { return Ok(None) };
        let mut dossier = Dossier { first: first as u64, revisions: Vec::new(), events: Vec::new(), findings: Vec::new() };
        let fill = |dossier: &mut Dossier| -> rusqlite::Result<()> {
            let sql = format!("SELECT {RECORD_COLUMNS} FROM record WHERE seq = ?1");
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_row([first], |row| self.add_to(dossier, row, None))?;
            let sql = format!(
                "SELECT {RECORD_COLUMNS}, {CORRECTED_BY} FROM record WHERE application = ?1 AND application <> seq AND refused = 0 ORDER BY seq"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([first])?;
            while let Some(row) = rows.next()? {
                self.add_to(dossier, row, row.get(22)?)?;
            }
            Ok(())
        };
        fill(&mut dossier).map_err(failed)?;
        in_order(&mut dossier.events, |event: &Event| event.effective_on);
        Ok(Some(dossier))
    }

    fn find(&self, id: &str) -> Result<Option<Record>> {
        let sql = format!("SELECT {RECORD_COLUMNS} FROM record WHERE id = ?1 AND kind NOT IN ('application', 'regime')");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([id], |row| self.read_record(row)).optional())
            .map_err(storage("looking an id up"))
    }

    fn license(&self, number: &str) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT (SELECT a.id FROM record a WHERE a.seq = record.application) FROM record \
             WHERE license_number = ?1 AND what = 'issue' AND refused = 0 AND {CORRECTED_BY} IS NULL ORDER BY seq"
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_map([number], |row| row.get(0))?.collect())
            .map_err(storage("looking a license up"))
    }

    fn acts(&self, allocation: Country) -> Result<Vec<Placed<Act>>> {
        let sql = format!(
            "SELECT seq, {CORRECTED_BY}, effective_on, id, what, reference, a.destination, a.percent, a.tpp_given, a.tpp \
             FROM act a CROSS JOIN record USING (seq) WHERE allocation = ?1 AND refused = 0"
        );
        let mut acts: Vec<Placed<Act>> = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement
                    .query_map([allocation.as_str()], |row| {
                        Ok(Placed {
                            seq: row.get::<_, i64>(0)? as u64,
                            corrected_by: row.get::<_, Option<i64>>(1)?.map(|by| by as u64),
                            fact: rows::act(row, 2)?,
                        })
                    })?
                    .collect()
            })
            .map_err(storage("reading the acts"))?;
        in_order(&mut acts, |act| act.effective_on);
        Ok(acts)
    }

    fn party_statements(&self) -> Result<Vec<Placed<PartyStatement>>> {
        companies::party_statements(self.connection).map_err(storage("reading the parties"))
    }

    fn company_facts(&self, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
        companies::company_facts(self.connection, parties).map_err(storage("reading the facts of companies"))
    }

    fn account_days(&self, authorization: Authorization, party: &str) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
        companies::account_days(self.connection, authorization, party).map_err(storage("reading the accounts"))
    }

    fn filings(&self) -> Result<Filings> {
        filings::filings(self.connection).map_err(storage("reading the filings"))
    }

    fn charged_parties(&self) -> Result<Vec<(String, bool)>> {
        companies::charged_parties(self.connection).map_err(storage("reading the parties of shipments and holdings"))
    }

    fn day_totals(&self, allocation: Country) -> Result<Vec<(NaiveDate, Measures)>> {
        self.connection
            .prepare_cached(
                "SELECT day, pending, licensed, not_limited, shipped, increase, withheld FROM day_total WHERE allocation = ?1 ORDER BY day",
            )
            .and_then(|mut statement| {
                statement.query_map([allocation.as_str()], |row| Ok((rows::day(row, 0)?, rows::measures(row, 1)?)))?.collect()
            })
            .map_err(storage("reading the day totals"))
    }
}

impl Read for SqliteReader<'_> {
    fn regimes(&self) -> Result<Vec<RegimeKept>> {
        let failed = storage("reading the regimes");
        self.connection
            .prepare_cached("SELECT adopted_by, id, digest, text FROM regime ORDER BY adopted_by")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(RegimeKept {
                            adopted_by: row.get::<_, i64>(0)? as u64,
                            id: row.get(1)?,
                            digest: digest_of(row.get_ref(2)?.as_blob()?),
                            text: row.get(3)?,
                        })
                    })?
                    .collect()
            })
            .map_err(failed)
    }

    /// Applications in order of their first record, merged with what happened to them in the order of the timeline index.
    fn dossiers(&self, visit: &mut dyn FnMut(Dossier) -> Result<()>) -> Result<()> {
        let failed = storage("reading the applications");
        let first_sql =
            format!("SELECT {RECORD_COLUMNS} FROM record WHERE kind = 'application' AND application = seq ORDER BY seq");
        let later_sql = format!(
            "SELECT {RECORD_COLUMNS}, {CORRECTED_BY} FROM record WHERE application IS NOT NULL AND application <> seq \
             ORDER BY application, seq"
        );
        let mut first = self.connection.prepare(&first_sql).map_err(&failed)?;
        let mut later = self.connection.prepare(&later_sql).map_err(&failed)?;
        let mut firsts = first.query([]).map_err(&failed)?;
        let mut laters = later.query([]).map_err(&failed)?;
        let mut pending = laters.next().map_err(&failed)?;
        while let Some(row) = firsts.next().map_err(&failed)? {
            let seq: i64 = row.get(0).map_err(&failed)?;
            let mut dossier = Dossier { first: seq as u64, revisions: Vec::new(), events: Vec::new(), findings: Vec::new() };
            self.add_to(&mut dossier, row, None).map_err(&failed)?;
            while let Some(row) = pending {
                if row.get::<_, i64>(4).map_err(&failed)? != seq {
                    pending = Some(row);
                    break;
                }
                if !row.get::<_, bool>(17).map_err(&failed)? {
                    self.add_to(&mut dossier, row, row.get(22).map_err(&failed)?).map_err(&failed)?;
                }
                pending = laters.next().map_err(&failed)?;
            }
            in_order(&mut dossier.events, |event: &Event| event.effective_on);
            visit(dossier)?;
        }
        Ok(())
    }

    fn record(&self, seq: u64) -> Result<Option<Record>> {
        let sql = format!("SELECT {RECORD_COLUMNS} FROM record WHERE seq = ?1");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([seq as i64], |row| self.read_record(row)).optional())
            .map_err(storage("reading a record"))
    }

    fn positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Country, Measures>> {
        let mut positions = self.positions_at_head(as_of).map_err(storage("reading the positions"))?;
        let head = self.head()?.seq;
        if through < head {
            self.entries(None, through, head, &mut |_, entry| {
                if entry.effective_on <= as_of {
                    *positions.entry(entry.allocation).or_default() += -entry.measures;
                }
                Ok(())
            })?;
        }
        Ok(positions)
    }

    fn account_positions(&self, as_of: NaiveDate, through: u64) -> Result<BTreeMap<Account, Tpp>> {
        let mut positions = companies::positions(self.connection, as_of).map_err(storage("reading the accounts"))?;
        let head = self.head()?.seq;
        if through < head {
            self.charges(through, head, &mut |_, charge| {
                if charge.effective_on <= as_of {
                    *positions.entry(charge.account).or_default() -= charge.tpp;
                }
                Ok(())
            })?;
        }
        Ok(positions)
    }

    fn charges(&self, after: u64, through: u64, visit: &mut dyn FnMut(u64, Charge) -> Result<()>) -> Result<()> {
        let charges = companies::charges(self.connection, after, through).map_err(storage("reading the charges"))?;
        charges.into_iter().try_for_each(|(seq, charge)| visit(seq, charge))
    }

    fn entries(
        &self,
        allocation: Option<Country>,
        after: u64,
        through: u64,
        visit: &mut dyn FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        let failed = storage("reading the entries");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT seq, effective_on, allocation, kind, pending, licensed, not_limited, shipped, increase, withheld \
                 FROM entry WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR allocation = ?3) ORDER BY seq, ord",
            )
            .map_err(&failed)?;
        let through = i64::try_from(through).unwrap_or(i64::MAX);
        let mut rows =
            statement.query(params![after as i64, through, allocation.as_ref().map(Country::as_str)]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let seq: i64 = row.get(0).map_err(&failed)?;
            visit(seq as u64, rows::entry(row, 1).map_err(&failed)?)?;
        }
        Ok(())
    }

    fn records(&self, after: u64, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.records_where("", after, through, visit)
    }

    fn filed(&self, seq: u64, ord: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        filings::parts(self.connection, seq, ord, visit)
    }

    fn refusals(&self, through: u64, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        self.records_where("AND seq IN (SELECT seq FROM refusal)", 0, through, visit)
    }

    fn knows_source(&self, sha256: &Digest) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM whole_source WHERE sha256 = ?1)")
            .and_then(|mut statement| statement.query_row([sha256.as_slice()], |row| row.get(0)))
            .map_err(storage("looking a file up"))
    }
}
