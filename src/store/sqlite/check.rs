//! The checks of the file that only the engine can make.

use super::{SqliteStore, schema, storage};
use crate::error::Result;
use crate::quota::calendar::day_from_number;
use rusqlite::Connection;

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
        wrong.extend(account_totals_that_differ(connection).map_err(&failed)?);
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
        let mut statement =
            self.connection().prepare("SELECT version, name, sha256 FROM migration ORDER BY version").map_err(&failed)?;
        let kept: Vec<(i64, String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect)
            .map_err(&failed)?;
        for (index, migration) in schema::MIGRATIONS.iter().enumerate() {
            let same =
                kept.get(index).is_some_and(|(_, name, sha256)| name == migration.name && *sha256 == schema::checksum(migration));
            if !same {
                wrong.push(format!("the schema is not intact: migration {} has another checksum", migration.name));
            }
        }
        Ok(wrong)
    }
}

const SIX: [&str; 6] = ["pending", "licensed", "not_limited", "shipped", "increase", "withheld"];

/// Day totals against the sums of the entries: taken from one another they leave nothing.
fn sums_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let (plus, minus) = (SIX.join(", "), SIX.map(|name| format!("-{name}")).join(", "));
    let left = SIX.map(|name| format!("sum({name}) <> 0")).join(" OR ");
    let sql = format!(
        "SELECT allocation, day FROM (SELECT allocation, effective_on AS day, {plus} FROM entry \
         UNION ALL SELECT allocation, day, {minus} FROM day_total) GROUP BY allocation, day HAVING {left} LIMIT 20"
    );
    let what = |allocation: &str, day: &str| format!("the day total of {allocation} on {day} is not the sum of its entries");
    places(connection, &sql, what)
}

/// Account totals against the sums of the charges.
fn account_totals_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT account, day FROM (SELECT account, effective_on AS day, tpp FROM charge \
         UNION ALL SELECT account, day, -tpp FROM account_total) GROUP BY account, day HAVING sum(tpp) <> 0 LIMIT 20";
    let what = |account: &str, day: &str| format!("the total of {account} on {day} is not the sum of its charges");
    places(connection, sql, what)
}

/// Month openings against the day totals before them, one after each month that moved.
fn openings_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let running = SIX.map(|name| format!("sum(sum({name})) OVER w AS {name}")).join(", ");
    let (plus, minus) = (SIX.join(", "), SIX.map(|name| format!("-{name}")).join(", "));
    let left = SIX.map(|name| format!("sum({name}) <> 0")).join(" OR ");
    let next = "CASE day / 100 % 100 WHEN 12 THEN (day / 10000 + 1) * 10000 + 101 ELSE (day / 100 + 1) * 100 + 1 END";
    let sql = format!(
        "WITH r AS (SELECT allocation, {next} AS month, 1 AS there, {running} FROM day_total GROUP BY allocation, day / 100 \
         WINDOW w AS (PARTITION BY allocation ORDER BY day / 100)) \
         SELECT allocation, month FROM (SELECT allocation, month, there, {plus} FROM r \
         UNION ALL SELECT allocation, month, -1, {minus} FROM month_opening) \
         GROUP BY allocation, month HAVING sum(there) <> 0 OR {left} LIMIT 20"
    );
    let what =
        |allocation: &str, month: &str| format!("the opening of {allocation} on {month} is not the sum of the days before it");
    places(connection, &sql, what)
}

/// A sentence for each allocation and day that a question finds.
fn places(connection: &Connection, sql: &str, what: impl Fn(&str, &str) -> String) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(sql)?
        .query_map([], |row| {
            let (allocation, day): (String, i64) = (row.get(0)?, row.get(1)?);
            let day = day_from_number(day).map_or_else(|| day.to_string(), |day| day.to_string());
            Ok(what(&allocation, &day))
        })?
        .collect()
}

/// The rows that records state, against the rows there are. What belongs to a record is in its digest; a row that belongs
/// to none shows here.
fn counts_that_differ(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let mut wrong = Vec::new();
    let mut compare = |what: &str, stated: i64, there: i64| {
        if stated != there {
            wrong.push(format!("{what}: the records state {stated}, and there are {there}"));
        }
    };
    compare("records", number("SELECT coalesce(max(seq), 0) FROM record")?, number("SELECT count(*) FROM record")?);
    compare(
        "entries",
        number("SELECT coalesce(sum(entry_count), 0) FROM record")?,
        number("SELECT count(*) FROM entry")? + number("SELECT count(*) FROM charge")?,
    );
    let lines = number("SELECT count(*) FROM line")?
        + number("SELECT count(*) FROM event_line")?
        + number("SELECT count(*) FROM shipment_line")?
        + number("SELECT count(*) FROM filed_file")?;
    compare("lines", number("SELECT coalesce(sum(line_count), 0) FROM record")?, lines);
    compare("acts", number("SELECT count(*) FROM record WHERE kind = 'act'")?, number("SELECT count(*) FROM act")?);
    let companies = number("SELECT count(*) FROM holding")?
        + number("SELECT count(*) FROM party")?
        + number("SELECT count(DISTINCT seq) FROM shipment_line")?;
    compare("facts of companies", number("SELECT count(*) FROM record WHERE kind = 'company'")?, companies);
    let filings = number("SELECT count(*) FROM filing")?;
    compare("filings", number("SELECT count(*) FROM record WHERE kind = 'filing'")?, filings);
    let last_batch = number("SELECT coalesce((SELECT batch FROM record ORDER BY seq DESC LIMIT 1), 0)")?;
    compare("batches", last_batch, number("SELECT coalesce(max(batch), 0) FROM batch")?);
    let refused = number("SELECT count(*) FROM record WHERE refused = 1")?;
    compare("refusals", refused, number("SELECT count(DISTINCT seq) FROM refusal")?);
    Ok(wrong)
}
