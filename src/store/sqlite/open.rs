//! Opening and creating the ledger file, and refusing what is none.

#![allow(clippy::disallowed_methods, reason = "the edge: the ledger file is opened here")]

use super::{schema, storage};
use crate::error::{Error, Result};
use crate::store::RegimeKept;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::Path;

/// Settings of every connection.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(super::PATIENCE)?;
    // References are documentation: what must hold is guarded by triggers, which hold for every program.
    // A plan must not depend on bound values: the engine would compile a statement anew at each look-up by a partial index.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = OFF;",
    )
}

/// The desk's people share a group: the file is theirs to read and write, and nobody else's.
pub(super) fn share_with_group(file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Only the owner may change the mode; a file shared by a colleague has it already.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o660));
    }
    #[cfg(not(unix))]
    let _ = file;
}

fn look_at(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::NotALedger {
            path: path.to_path_buf(),
            what: "this is a folder, not a ledger file".into(),
            hint: "name the ledger file, e.g. --ledger tppledger.db".into(),
        }),
        Ok(found) if found.len() == 0 => Err(Error::NotALedger {
            path: path.to_path_buf(),
            what: "the file is empty and no ledger".into(),
            hint: "remove it and run `tppledger init`".into(),
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NoLedger { path: path.to_path_buf() }),
        Err(error) => Err(Error::file(path.display().to_string(), &error)),
    }
}

/// For reading and writing.
pub(super) fn writable(path: &Path) -> Result<Connection> {
    look_at(path)?;
    let failed = storage("opening the ledger");
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(&failed)?;
    schema::check_identity(&connection, path)?;
    configure(&connection).map_err(&failed)?;
    connection.execute_batch("PRAGMA synchronous = FULL;").map_err(&failed)?;
    schema::upgrade(&connection)?;
    Ok(connection)
}

/// For reading only. A ledger in a folder that cannot be written needs no lock files when nobody can write it.
pub(super) fn read_only(path: &Path) -> Result<Connection> {
    look_at(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .map_err(storage("opening the ledger"))
        .and_then(|connection| schema::check_identity(&connection, path).map(|()| connection));
    let connection = match opened {
        Ok(connection) => connection,
        Err(error @ Error::Storage { .. }) => immutable(path).ok_or(error)?,
        Err(error) => return Err(error),
    };
    if schema::is_earlier(&connection)? {
        // Its questions would meet tables that are not there yet; who may write it brings it up to date.
        drop(connection);
        drop(writable(path)?);
        return read_only(path);
    }
    configure(&connection).map_err(storage("opening the ledger"))?;
    Ok(connection)
}

/// The file as it lies, when it has no write-ahead log that would hold more.
fn immutable(path: &Path) -> Option<Connection> {
    let mut log = path.as_os_str().to_os_string();
    log.push("-wal");
    if std::fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return None;
    }
    let text = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{text}?immutable=1"), flags).ok()?;
    schema::check_identity(&connection, path).ok().map(|()| connection)
}

/// Makes a new ledger file. It is built beside and put in place whole, so that nobody meets half a ledger, and two
/// processes that make the same one end with one of them.
pub(super) fn create(path: &Path, regime: &RegimeKept) -> Result<Connection> {
    if path.exists() {
        return Err(Error::LedgerExists { path: path.to_path_buf() });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fail = |error: std::io::Error| Error::file(folder.display().to_string(), &error);
    let beside = tempfile::Builder::new().prefix(".tppledger-").suffix(".db").tempfile_in(folder).map_err(fail)?;
    share_with_group(beside.as_file());
    let failed = storage("creating the ledger");
    {
        let connection = Connection::open(beside.path()).map_err(&failed)?;
        connection.execute_batch("PRAGMA page_size = 8192; BEGIN IMMEDIATE;").map_err(&failed)?;
        schema::create(&connection)?;
        connection
            .execute(
                "INSERT INTO regime (adopted_by, id, digest, text) VALUES (0, ?1, ?2, ?3)",
                rusqlite::params![regime.id, regime.digest.as_slice(), regime.text],
            )
            .map_err(&failed)?;
        connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL;").map_err(&failed)?;
        connection.close().map_err(|(_, error)| failed(error))?;
    }
    beside.as_file().sync_all().map_err(fail)?;
    beside.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == std::io::ErrorKind::AlreadyExists {
            Error::LedgerExists { path: path.to_path_buf() }
        } else {
            fail(error.error)
        }
    })?;
    writable(path)
}
