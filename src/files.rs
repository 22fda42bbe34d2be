//! The only places, beside the report writers and the ledger file, where files are touched by name.

#![allow(clippy::disallowed_methods, reason = "the edge: files are touched here")]

use std::fs::File;
use std::io::Result;
use std::path::Path;

/// Opens a file for reading.
///
/// # Errors
/// As [`File::open`].
pub fn open(path: &Path) -> Result<File> {
    File::open(path)
}

/// Copies a file, replacing what is there.
///
/// # Errors
/// As [`std::fs::copy`].
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).map(|_| ())
}

/// Paths in a folder, in no order.
///
/// # Errors
/// As [`std::fs::read_dir`].
pub fn list(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// Bytes of a file, 0 where that cannot be told.
pub fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}
