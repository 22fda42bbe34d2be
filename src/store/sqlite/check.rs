//! The sums kept beside the facts, and the checks of the file that only the engine can make.

use super::rows::{self, kept};
use super::{SqliteStore, schema, storage};
use crate::error::Result;
use crate::quota::calendar::day_from_number;
use crate::quota::codes::Country;
use crate::quota::posting::Measures;
use chrono::{Datelike, Months, NaiveDate};
use rusqlite::{Connection, OptionalExtension, params};

/// Writes the month openings of an allocation anew, from the month after a day on. An opening is the sum of all days
/// before the first of its month; one stands after each month in which something moved.
pub(super) fn refresh_openings(connection: &Connection, allocation: Country, from: NaiveDate) -> rusqlite::Result<()> {
    let month = first_of_month(from);
    connection
        .prepare_cached("DELETE FROM month_opening WHERE allocation = ?1 AND month > ?2")?
        .execute(params![allocation.as_str(), kept(month)])?;
    let opening = connection
        .prepare_cached(
            "SELECT month, pending, licensed, not_limited, shipped, increase, withheld FROM month_opening \
             WHERE allocation = ?1 ORDER BY month DESC LIMIT 1",
        )?
        .query_row([allocation.as_str()], |row| Ok((row.get::<_, i64>(0)?, rows::measures(row, 1)?)))
        .optional()?;
    let (since, mut sum) = opening.unwrap_or((0, Measures::ZERO));
    let mut days = connection.prepare_cached(
        "SELECT day, pending, licensed, not_limited, shipped, increase, withheld FROM day_total \
         WHERE allocation = ?1 AND day >= ?2 ORDER BY day",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO month_opening (allocation, month, pending, licensed, not_limited, shipped, increase, withheld) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut rows = days.query(params![allocation.as_str(), since])?;
    let mut current: Option<NaiveDate> = None;
    loop {
        let row = rows.next()?;
        let day = row.map(|row| rows::day(row, 0)).transpose()?;
        if let Some(month) = current.filter(|month| day.is_none_or(|day| first_of_month(day) != *month)) {
            let next = month.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
            let [pending, licensed, not_limited, shipped, increase, withheld] = sum.as_array().map(|tpp| tpp.thousandths());
            insert.execute(params![
                allocation.as_str(), kept(next), pending, licensed, not_limited, shipped, increase, withheld
            ])?;
        }
        let (Some(row), Some(day)) = (row, day) else { return Ok(()) };
        sum += rows::measures(row, 1)?;
        current = Some(first_of_month(day));
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first")
}

/// What is wrong in the file, one sentence each; empty when all is well.
impl SqliteStore {
    /// The engine's own check, the schema against the program's, and the kept sums against SQL sums over the entries.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub fn check_file(&self) -> Result<Vec<String>> {
        let failed = storage("checking the file");
        let connection = self.connection();
        let mut wrong = Vec::new();
        let answers: Vec<String> = connection
            .prepare("PRAGMA quick_check(20)")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(&failed)?;
        wrong.extend(answers.into_iter().filter(|answer| answer != "ok").map(|answer| format!("the file is damaged: {answer}")));
        wrong.extend(self.check_schema()?);
        wrong.extend(sums_that_differ(connection).map_err(&failed)?);
        wrong.extend(openings_that_differ(connection).map_err(&failed)?);
        wrong.extend(counts_that_differ(connection).map_err(&failed)?);
        Ok(wrong)
    }

    fn check_schema(&self) -> Result<Vec<String>> {
        let failed = storage("checking the schema");
        let found = schema::definitions(self.connection()).map_err(&failed)?;
        let expected = schema::expected_definitions()?;
        let mut wrong = Vec::new();
        for (kind, name, _) in expected.iter().filter(|definition| !found.contains(definition)) {
            wrong.push(format!("the schema is not intact: {kind} {name} is missing or changed"));
        }
        for (kind, name, _) in found.iter().filter(|(kind, name, _)| !expected.iter().any(|(k, n, _)| (k, n) == (kind, name))) {
            wrong.push(format!("the schema is not intact: {kind} {name} is not the ledger's"));
        }
        let mut statement = self.connection().prepare("SELECT version, name, sha256 FROM migration ORDER BY version").map_err(&failed)?;
        let kept: Vec<(i64, String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect)
            .map_err(&failed)?;
        for (index, migration) in schema::MIGRATIONS.iter().enumerate() {
            let same = kept.get(index).is_some_and(|(_, name, sha256)| name == migration.name && *sha256 == schema::checksum(migration));
            if !same {
                wrong.push(format!("the schema is not intact: migration {} has another checksum", migration.name));
            }
        }
        Ok(wrong)
    }
}

const SIX: [&str; 6] = ["pending", "licensed", "not_limited", "shipped", "increase", "withheld"];

/// Day totals against the sums of the entries.
fn sums_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sums = SIX.map(|name| format!("sum({name}) AS {name}")).join(", ");
    let differ = SIX.map(|name| format!("coalesce(t.{name}, 0) <> coalesce(s.{name}, 0)")).join(" OR ");
    let sql = format!(
        "WITH s AS (SELECT allocation, effective_on AS day, {sums} FROM entry GROUP BY allocation, effective_on) \
         SELECT coalesce(t.allocation, s.allocation), coalesce(t.day, s.day), coalesce(t.licensed, 0), coalesce(s.licensed, 0) \
         FROM day_total t FULL JOIN s ON s.allocation = t.allocation AND s.day = t.day WHERE {differ} ORDER BY 1, 2 LIMIT 20"
    );
    connection
        .prepare(&sql)?
        .query_map([], |row| {
            let (allocation, day): (String, i64) = (row.get(0)?, row.get(1)?);
            let day = day_from_number(day).map_or_else(|| day.to_string(), |day| day.to_string());
            let (total, sum) = (rows::amount(row, 2)?, rows::amount(row, 3)?);
            Ok(format!("the day total of {allocation} on {day} is not the sum of its entries: licensed {total}, entries {sum}"))
        })?
        .collect()
}

/// Month openings against the day totals before them, and that there is one after each month that moved.
fn openings_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let running = SIX.map(|name| format!("sum({name}) OVER w AS {name}")).join(", ");
    let differ = SIX.map(|name| format!("o.{name} <> r.{name}")).join(" OR ");
    let months = SIX.map(|name| format!("sum({name}) AS {name}")).join(", ");
    let sql = format!(
        "WITH m AS (SELECT allocation, day / 100 AS month, {months} FROM day_total GROUP BY allocation, day / 100), \
         r AS (SELECT allocation, CASE month % 100 WHEN 12 THEN (month / 100 + 1) * 10000 + 101 ELSE (month + 1) * 100 + 1 END AS month, \
               {running} FROM m WINDOW w AS (PARTITION BY allocation ORDER BY month)) \
         SELECT coalesce(o.allocation, r.allocation), coalesce(o.month, r.month) FROM month_opening o \
         FULL JOIN r ON r.allocation = o.allocation AND r.month = o.month \
         WHERE o.allocation IS NULL OR r.allocation IS NULL OR {differ} ORDER BY 1, 2 LIMIT 20"
    );
    connection
        .prepare(&sql)?
        .query_map([], |row| {
            let (allocation, month): (String, i64) = (row.get(0)?, row.get(1)?);
            let month = day_from_number(month).map_or_else(|| month.to_string(), |day| day.to_string());
            Ok(format!("the opening of {allocation} on {month} is not the sum of the days before it"))
        })?
        .collect()
}

/// The number of rows that each record states, against the rows there are.
fn counts_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong: Vec<String> = connection
        .prepare(
            "WITH e AS (SELECT seq, count(*) AS n FROM entry GROUP BY seq) SELECT coalesce(record.seq, e.seq) FROM record \
             FULL JOIN e ON e.seq = record.seq WHERE coalesce(record.entry_count, -1) <> coalesce(e.n, 0) LIMIT 20",
        )?
        .query_map([], |row| row.get::<_, i64>(0).map(|seq| format!("record {seq} does not have the entries it states")))?
        .collect::<rusqlite::Result<_>>()?;
    let (count, last): (i64, i64) = connection.query_row("SELECT count(*), coalesce(max(seq), 0) FROM record", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if count != last {
        wrong.push(format!("records are not dense: {count} records, the last is {last}"));
    }
    Ok(wrong)
}
