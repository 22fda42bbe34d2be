//! The rejects file: the rows of a file that were not recorded, with the reasons, to be corrected and imported again.
//!
//! Its columns are those of the file, with `reject_reason` first, which is passed over when the file goes in again.

use super::import::Source;
use crate::error::{Error, Result};
use crate::intake::{Problem, REJECT_REASON};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Rejected rows, gathered in a temporary file so that memory stays flat.
#[derive(Debug)]
pub struct Rejects {
    source: PathBuf,
    header: Vec<String>,
    writer: Option<csv::Writer<std::fs::File>>,
    spool: Option<tempfile::NamedTempFile>,
}

impl Rejects {
    /// For a file with this header.
    pub fn new(source: &Source, header: Vec<String>) -> Self {
        Rejects { source: source.path.clone(), header, writer: None, spool: None }
    }

    /// Adds the rows of an item, with what is wrong with it in its first row.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn add(&mut self, rows: &[csv::StringRecord], problems: &[Problem]) -> Result<()> {
        let failed = |error: &std::io::Error| Error::file("temporary file of rejected rows", error);
        if self.writer.is_none() {
            let spool = tempfile::NamedTempFile::new().map_err(|error| failed(&error))?;
            let file = spool.reopen().map_err(|error| failed(&error))?;
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
            let header = std::iter::once(REJECT_REASON).chain(self.header.iter().map(String::as_str));
            writer.write_record(header).map_err(|error| failed(&error.into()))?;
            (self.writer, self.spool) = (Some(writer), Some(spool));
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let reasons = problems.iter().map(|problem| problem.to_string().replace('\n', "; ")).collect::<Vec<_>>().join(" | ");
        for (index, row) in rows.iter().enumerate() {
            let reason = if index == 0 { reasons.as_str() } else { "" };
            let cells = row.iter().map(guarded);
            let record = std::iter::once(Cow::Borrowed(reason)).chain(cells);
            writer.write_record(record.map(|cell| cell.into_owned())).map_err(|error| failed(&error.into()))?;
        }
        Ok(())
    }

    /// Puts the rejects beside the file, or into a folder, as `NAME.rejects.csv`; an older one is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, folder: Option<&Path>) -> Result<Option<PathBuf>> {
        let (Some(mut writer), Some(spool)) = (self.writer.take(), self.spool.take()) else { return Ok(None) };
        let stem = self.source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{stem}.rejects.csv");
        let path = folder.map_or_else(|| self.source.with_file_name(&name), |folder| folder.join(&name));
        let failed = |error: &std::io::Error| Error::file(path.display().to_string(), error);
        writer.flush().map_err(|error| failed(&error))?;
        drop(writer);
        crate::files::copy(spool.path(), &path).map_err(|error| failed(&error))?;
        Ok(Some(path))
    }
}

/// A cell that a spreadsheet would run is guarded; a workbook or JSON has no need of it, and this is CSV. A number is none.
fn guarded(cell: &str) -> Cow<'_, str> {
    let is_formula = match cell.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        [b'+' | b'-', next, ..] => !next.is_ascii_digit(),
        _ => false,
    };
    if is_formula { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}
