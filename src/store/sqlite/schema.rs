//! Migrations by checksum, the guards, and what a healthy schema looks like.
//!
//! `schema/sqlite/NNNN-*.sql` are applied once and in order, each with its SHA-256 on record; `guards.sql` is made anew
//! after them; `ledger.sql` is the whole current schema, commented, and a test holds it against the migrations.

use super::storage;
use crate::error::{Error, Result};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// `TPP1` in the header of the file.
pub const APPLICATION_ID: i64 = 0x5450_5031;

/// A migration.
#[derive(Debug)]
pub struct Migration {
    /// Name of its file.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// All migrations, in order; the version of a ledger is how many were applied.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001-ledger.sql", sql: include_str!("../../../schema/sqlite/0001-ledger.sql") },
    Migration { name: "0002-companies.sql", sql: include_str!("../../../schema/sqlite/0002-companies.sql") },
    Migration { name: "0003-filings.sql", sql: include_str!("../../../schema/sqlite/0003-filings.sql") },
];

/// The guards that keep facts append-only.
pub const GUARDS: &str = include_str!("../../../schema/sqlite/guards.sql");

/// The version that this program writes.
pub fn version() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("a handful of migrations")
}

/// SHA-256 of a migration, as it is kept in the ledger.
pub fn checksum(migration: &Migration) -> String {
    crate::store::hex(&Sha256::digest(migration.sql.as_bytes()).into())
}

/// Makes the schema in an empty database, in one transaction of the caller's.
pub fn create(connection: &Connection) -> Result<()> {
    migrate(connection, 0)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(storage("creating the schema"))
}

/// Brings a ledger of an earlier version up to this one's, in one transaction. What is recorded stays as it is, and so does
/// the chain.
pub fn upgrade(connection: &Connection) -> Result<()> {
    let failed = storage("bringing the ledger up to this version");
    if !is_earlier(connection)? {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(&failed)?;
    let upgraded = (|| {
        // Another process may have done it since.
        let applied: i64 = connection.query_row("SELECT count(*) FROM migration", [], |row| row.get(0)).map_err(&failed)?;
        let applied = usize::try_from(applied).unwrap_or_default();
        if applied < MIGRATIONS.len() {
            drop_guards(connection)?;
            migrate(connection, applied)?;
        }
        connection.execute_batch("COMMIT").map_err(&failed)
    })();
    if upgraded.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    upgraded
}

/// Whether a ledger is of an earlier version than this program writes.
pub fn is_earlier(connection: &Connection) -> Result<bool> {
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    Ok(found.map_err(storage("opening the ledger"))? < version())
}

/// Applies the migrations after the first so many, and makes the guards.
fn migrate(connection: &Connection, applied: usize) -> Result<()> {
    let failed = storage("creating the schema");
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        connection.execute_batch(migration.sql).map_err(&failed)?;
        connection
            .execute(
                "INSERT INTO migration (version, name, sha256) VALUES (?1, ?2, ?3)",
                rusqlite::params![index as i64 + 1, migration.name, checksum(migration)],
            )
            .map_err(&failed)?;
    }
    connection.execute_batch(GUARDS).map_err(&failed)?;
    connection.pragma_update(None, "user_version", version()).map_err(failed)
}

/// Drops the guards, for a bulk import; see [`make_guards`].
pub fn drop_guards(connection: &Connection) -> Result<()> {
    let failed = storage("preparing a bulk import");
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'guard_%'").map_err(&failed)?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(&failed)?;
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER \"{name}\"")).map_err(&failed)?;
    }
    Ok(())
}

/// Makes the guards anew, inside the transaction that dropped them.
pub fn make_guards(connection: &Connection) -> Result<()> {
    connection.execute_batch(GUARDS).map_err(storage("making the guards anew"))
}

/// The definitions in a database, sorted: type, name, text.
pub fn definitions(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    connection
        .prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}

/// The definitions that a ledger of this version has.
pub fn expected_definitions() -> Result<Vec<(String, String, String)>> {
    let failed = storage("building the expected schema");
    let connection = Connection::open_in_memory().map_err(&failed)?;
    create(&connection)?;
    definitions(&connection).map_err(failed)
}

/// Refuses a file that is no ledger, or newer than the program.
pub fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let not_a_ledger = |what: &str| Error::NotALedger {
        path: path.to_path_buf(),
        what: what.to_string(),
        hint: "name the ledger file with --ledger; `tppledger init` makes a new one".into(),
    };
    let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let application_id = number("application_id").map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => not_a_ledger("this is not a ledger: the file is no SQLite database"),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => Error::NotALedger {
            path: path.to_path_buf(),
            what: "the ledger file is damaged".into(),
            hint: "restore it from a backup".into(),
        },
        _ => storage("opening the ledger")(error),
    })?;
    if application_id != APPLICATION_ID {
        return Err(not_a_ledger("this is not a ledger: it is a SQLite database of another program"));
    }
    let found = number("user_version").map_err(storage("opening the ledger"))?;
    if found > version() {
        return Err(Error::Newer { path: path.to_path_buf(), found, known: version() });
    }
    if found < 1 {
        return Err(not_a_ledger("this ledger was left unfinished while it was made"));
    }
    Ok(())
}
