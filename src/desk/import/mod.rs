//! Importing files: each whole or not at all, all its errors told, the other files going on.
//!
//! How one file goes through the clerk, and on which threads, is in `file`. A refusal by a limit is no error: it
//! is recorded and the file goes on. A dry run is the very same walk in one transaction that leaves no trace. Memory stays
//! flat: problems are handed out as they are found.

mod file;

use super::ledger::Ledger;
use super::recent::Recent;
use crate::error::{Error, Result};
use crate::intake::{Document, Problem, Reader, Reading, TableReader};
use crate::quota::finding::FindingCode;
use crate::store::{Batch, Digest, End, Store, Write};
use chrono::NaiveDate;
use hashbrown::DefaultHashBuilder;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// How to read the files.
    pub reading: Reading,
    /// Decide everything and record nothing.
    pub dry_run: bool,
    /// Record the good items of a file with errors, and write the rest to a rejects file.
    pub accept_good_rows: bool,
    /// Where rejects files go; `None`: beside the file.
    pub rejects_folder: Option<PathBuf>,
    /// Who records.
    pub recorded_by: String,
    /// The clock, in seconds since 1970-01-01 UTC.
    pub recorded_at: i64,
    /// The day of recording.
    pub today: NaiveDate,
    /// Whether to write behind; `None`: large files are. What is recorded is the same.
    pub write_behind: Option<bool>,
}

/// A file to import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Name in messages.
    pub name: String,
    /// Name that the ledger keeps: without its folder.
    pub kept_name: String,
}

impl Source {
    /// A file by its path.
    pub fn file(path: &Path) -> Self {
        let kept = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Source { path: path.to_path_buf(), name: path.display().to_string(), kept_name: kept }
    }

    /// Opens it under the name that messages give it: standard input lies in a file that nobody knows.
    fn table(&self, reading: &Reading) -> std::result::Result<TableReader, Vec<Problem>> {
        TableReader::open_as(&self.name, &self.path, reading)
    }

    fn reader(&self, reading: &Reading, keep_raw: bool) -> std::result::Result<Reader, Vec<Problem>> {
        Reader::of_table(self.table(reading)?, keep_raw)
    }
}

/// What became of a file.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// Name in messages.
    pub name: String,
    /// Name without its folder.
    pub kept_name: String,
    /// What it is; `None` when that could not be told.
    pub document: Option<Document>,
    /// Items recorded: applications, events, shipments, whatever the file holds.
    pub recorded: u64,
    /// Known already.
    pub known: u64,
    /// Refused by a limit, now.
    pub refused: u64,
    /// Rejected as wrong.
    pub rejected: u64,
    /// Problems told.
    pub problems: u64,
    /// Findings by code.
    pub findings: BTreeMap<FindingCode, u64>,
    /// Where the rejected rows were written.
    pub rejects: Option<PathBuf>,
    /// Whether the file was left out.
    pub left_out: bool,
}

/// What an import tells while it goes on.
pub trait Witness {
    /// A problem of the input.
    fn problem(&mut self, problem: &Problem);
    /// A refusal.
    fn refusal(&mut self, source: &str, id: &str, seq: u64, shortfalls: &[crate::quota::decision::Shortfall]);
    /// So many bytes of the file at hand were read.
    fn progress(&mut self, name: &str, bytes: u64, of: u64);
    /// The file is done.
    fn done(&mut self, report: &FileReport);
}

/// What the files of one command share.
struct Course {
    options: ImportOptions,
    recent: Recent,
    /// Hashes of the numbers of applications that were rejected, alone or with their file.
    rejected_applications: HashSet<u64>,
    hasher: DefaultHashBuilder,
}

/// Imports files in the order in which they act, which is that of [`Document`]; those of one document by name.
///
/// # Errors
/// When the ledger cannot be read or written; problems of the input are told to the witness instead.
pub fn import<S: Store>(
    ledger: &mut Ledger<S>,
    sources: &[Source],
    options: ImportOptions,
    witness: &mut (dyn Witness + Send),
) -> Result<Vec<FileReport>> {
    let regime = ledger.regime();
    let mut course = Course {
        options,
        recent: Recent::default(),
        rejected_applications: HashSet::new(),
        hasher: DefaultHashBuilder::default(),
    };
    let (ordered, mut reports) = in_order(sources, &course.options.reading, witness);
    if course.options.dry_run {
        let batch = batch(&course.options, "dry run", None);
        let mut done = ledger.store.write(batch, |tx| {
            let mut done = Vec::new();
            for (document, source) in &ordered {
                tx.mark()?;
                let (report, end) = file::import_one(tx, &regime, *document, source, &mut course, witness)?;
                if end == End::Rollback {
                    tx.rewind()?;
                }
                witness.done(&report);
                done.push(report);
            }
            Ok((done, End::Rollback))
        })?;
        reports.append(&mut done);
        return Ok(reports);
    }
    for (document, source) in &ordered {
        let sha256 = digest_of(&source.path, &course.options.reading)?;
        let batch = batch(&course.options, &source.kept_name, Some(sha256));
        let report = ledger.store.write(batch, |tx| {
            if tx.knows_source(&sha256)? {
                return Ok((known_file(*document, source, &mut course)?, End::Rollback));
            }
            let (report, end) = file::import_one(tx, &regime, *document, source, &mut course, witness)?;
            if end == End::Commit && report.problems == 0 {
                tx.source_is_whole()?;
            }
            Ok((report, end))
        })?;
        // Only now is it recorded: the disk may have been full.
        witness.done(&report);
        reports.push(report);
    }
    Ok(reports)
}

fn batch(options: &ImportOptions, source: &str, source_sha256: Option<Digest>) -> Batch {
    Batch {
        recorded_at: options.recorded_at,
        recorded_by: options.recorded_by.clone(),
        source: source.to_string(),
        source_sha256,
    }
}

/// Tells the documents apart and puts them in the order in which they act. What is no document is told and left out.
fn in_order(
    sources: &[Source],
    reading: &Reading,
    witness: &mut (dyn Witness + Send),
) -> (Vec<(Document, Source)>, Vec<FileReport>) {
    let (mut ordered, mut reports) = (Vec::new(), Vec::new());
    for source in sources {
        let document = source.table(reading).and_then(|mut table| Document::of(&mut table).map_err(|problem| vec![problem]));
        match document {
            Ok(document) => ordered.push((document, source.clone())),
            Err(problems) => {
                problems.iter().for_each(|problem| witness.problem(problem));
                let (problems, report) = (problems.len() as u64, report_of(source, None));
                let report = FileReport { problems, rejected: 1, left_out: true, ..report };
                witness.done(&report);
                reports.push(report);
            }
        }
    }
    ordered.sort_by(|(a, x), (b, y)| (a, &x.kept_name, &x.name).cmp(&(b, &y.kept_name, &y.name)));
    (ordered, reports)
}

fn report_of(source: &Source, document: Option<Document>) -> FileReport {
    FileReport { name: source.name.clone(), kept_name: source.kept_name.clone(), document, ..FileReport::default() }
}

/// By which a file is known again: the digest of its bytes, with how they were read where that was said. Of one workbook two
/// sheets may be imported.
fn digest_of(path: &Path, reading: &Reading) -> Result<Digest> {
    let failed = |error: std::io::Error| Error::file(path.display().to_string(), &error);
    let mut hasher = Sha256::new();
    let mut file = crate::files::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).map_err(failed)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    hasher.update(reading.identity().unwrap_or_default());
    Ok(hasher.finalize().into())
}

/// A file of the same bytes was recorded whole: every row of it is known.
fn known_file(document: Document, source: &Source, course: &mut Course) -> Result<FileReport> {
    let mut report = report_of(source, Some(document));
    report.known = source.reader(&course.options.reading, false).map_err(Error::Input)?.count() as u64;
    course.recent.clear();
    Ok(report)
}
