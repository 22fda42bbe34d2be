//! The ledger file: SQLite, append-only, one writer at a time, readable by anybody.
//!
//! Rooms: [`schema`] (migrations, guards, what a healthy schema is), [`open`] (opening, creating, refusing foreign files),
//! [`lock`] (the writers' queue), [`read`] (one consistent view), [`write`] (append in one transaction), [`rows`] (facts to
//! columns and back). Nothing outside this folder names the database engine. Days are kept as whole numbers YYYYMMDD,
//! amounts as whole thousandths of a TPP.

pub mod check;
mod companies;
mod filings;
mod insert;
mod lock;
mod open;
mod read;
mod rows;
pub mod schema;
mod sums;
mod write;

use super::{Batch, Digest, End, RegimeKept, Store};
use crate::error::{Error, Result};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use read::SqliteReader;
pub use write::SqliteWriter;

/// How long a writer waits for the others before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A ledger in a file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    patience: Duration,
}

impl SqliteStore {
    /// Opens a ledger for reading and writing.
    ///
    /// # Errors
    /// When there is none, the file is something else, damaged, or newer than the program.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = open::writable(path)?;
        Ok(SqliteStore { path: path.to_path_buf(), connection, patience: PATIENCE })
    }

    /// Opens a ledger for reading only; works on a read-only file in a read-only folder.
    ///
    /// # Errors
    /// As for [`SqliteStore::open`].
    pub fn open_read_only(path: &Path) -> Result<Self> {
        let connection = open::read_only(path)?;
        Ok(SqliteStore { path: path.to_path_buf(), connection, patience: PATIENCE })
    }

    /// Makes a new ledger under a regime.
    ///
    /// # Errors
    /// [`Error::LedgerExists`] when there is a file already.
    pub fn create(path: &Path, regime: &RegimeKept) -> Result<Self> {
        let connection = open::create(path, regime)?;
        Ok(SqliteStore { path: path.to_path_buf(), connection, patience: PATIENCE })
    }

    /// How long to wait for other writers.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for checks inside this folder.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Store for SqliteStore {
    type Reader<'s> = SqliteReader<'s>;
    type Writer<'s> = SqliteWriter<'s>;

    fn read(&self) -> Result<SqliteReader<'_>> {
        SqliteReader::begin(&self.connection)
    }

    fn write<T>(&mut self, batch: Batch, work: impl FnOnce(&mut SqliteWriter<'_>) -> Result<(T, End)>) -> Result<T> {
        let _turn = lock::wait_for_turn(&self.path, self.patience)?;
        let mut writer = SqliteWriter::begin(&self.connection, &self.path, batch)?;
        let result = work(&mut writer);
        match result {
            Ok((value, End::Commit)) => {
                writer.commit()?;
                Ok(value)
            }
            Ok((value, End::Rollback)) => {
                writer.rollback()?;
                Ok(value)
            }
            Err(error) => {
                // The first error is the one to report; a rollback that fails too changes nothing in the file.
                let _ = writer.rollback();
                Err(error)
            }
        }
    }
}

/// Converts an engine error, with what was being done.
pub(super) fn storage(what: &str) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| {
        let code = error.sqlite_error_code();
        let hint = match code {
            Some(rusqlite::ErrorCode::DiskFull) => {
                "free some space and run the same command again; nothing of the file was recorded"
            }
            Some(rusqlite::ErrorCode::ReadOnly) => "ask for the right to write the ledger file and its folder",
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => "restore the ledger from a backup",
            _ => "run the same command again; `tppledger verify` checks the ledger",
        };
        Error::Storage { what: what.to_string(), reason: error.to_string(), hint: hint.to_string() }
    }
}

/// 32 bytes from a column.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    if bytes.len() == 32 {
        digest.copy_from_slice(bytes);
    }
    digest
}
