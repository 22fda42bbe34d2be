//! The writers' queue: an advisory lock on a file beside the ledger, taken before the engine's own lock.
//!
//! The engine's busy handler lets a writer starve; a file lock makes them wait in turn. The lock is on its own file,
//! because closing a second handle to the ledger would drop the engine's locks on it. It is let go when the process
//! ends, however it ends.

#![allow(clippy::disallowed_methods, reason = "the edge: the lock file is opened here")]

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Held while a writer works; dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct Turn {
    _file: File,
}

/// Where the lock of a ledger is.
pub(super) fn lock_path(ledger: &Path) -> PathBuf {
    let mut name = ledger.file_name().unwrap_or_default().to_os_string();
    name.push("-lock");
    ledger.with_file_name(name)
}

/// Waits for the turn of this writer.
pub(super) fn wait_for_turn(ledger: &Path, patience: Duration) -> Result<Turn> {
    let path = lock_path(ledger);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| Error::file(path.display().to_string(), &error))?;
    super::open::share_with_group(&file);
    match file.try_lock() {
        Ok(()) => return Ok(Turn { _file: file }),
        Err(std::fs::TryLockError::WouldBlock) => {}
        Err(std::fs::TryLockError::Error(error)) => return Err(Error::file(path.display().to_string(), &error)),
    }
    // A blocking lock keeps the order of arrival; a helper thread waits, so that patience can end.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let result = file.lock().map(|()| file);
        // The receiver may have lost patience; then the lock is dropped with the file.
        let _ = sender.send(result);
    });
    match receiver.recv_timeout(patience) {
        Ok(Ok(file)) => Ok(Turn { _file: file }),
        Ok(Err(error)) => Err(Error::file(path.display().to_string(), &error)),
        Err(_) => Err(Error::Busy { path: ledger.to_path_buf(), waited_seconds: patience.as_secs() }),
    }
}
