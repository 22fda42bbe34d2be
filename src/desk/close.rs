//! Closing a quarter: its pack is made, and recorded with its bytes; asked again, the same bytes are written again.
//!
//! What is learned later is recorded as ever and marked (`closed_quarter`); `restate` shows what it changes. Invariant: the
//! digests of what was filed are in the record chain, so that no filed byte can change unseen.

use super::clerk::lost;
use super::ledger::Ledger;
use super::pack::{PackOptions, make_pack};
use crate::error::{Error, Result};
use crate::files;
use crate::quota::calendar::Quarter;
use crate::quota::filing::{FiledFile, Filing, FilingKind, Filings};
use crate::report::{FileSink, PackFolder};
use crate::store::{Append, Ask, Batch, End, Fact, NewRecord, Read, Store, Write, hex};
use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of a kept part, about.
const PART: usize = 1 << 20;

/// How to close a quarter.
#[derive(Clone, Debug)]
pub struct CloseOptions {
    /// The quarter.
    pub quarter: Quarter,
    /// Where the pack is put.
    pub out: PathBuf,
    /// Rows of uncapped and presumption-of-denial destinations too.
    pub all: bool,
    /// Document.
    pub reference: Option<String>,
    /// The day of closing.
    pub today: NaiveDate,
}

/// A closed quarter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// Record of the closing.
    pub seq: u64,
    /// The closing.
    pub filing: Filing,
    /// Whether it was closed before, and the filed bytes were written again.
    pub again: bool,
}

/// Closes a quarter, or writes again what was filed.
///
/// # Errors
/// When the quarter is not over, the pack cannot be made or written, or the ledger cannot be read or written.
pub fn close<S: Store>(ledger: &mut Ledger<S>, batch: Batch, options: &CloseOptions) -> Result<Closed> {
    let quarter = options.quarter;
    let read = ledger.store.read()?;
    if let Some((seq, filing)) = read.filings()?.closed(quarter) {
        write_again(&read, *seq, filing, &options.out)?;
        return Ok(Closed { seq: *seq, filing: filing.clone(), again: true });
    }
    let through = read.head()?.seq;
    drop(read);
    if options.today <= quarter.last_day() {
        return Err(Error::usage(
            format!("{quarter} is not over before {}", quarter.next().first_day()),
            "`tppledger report quarter` makes a provisional pack",
        ));
    }
    let (out, all) = (options.out.clone(), options.all);
    let pack =
        PackOptions { quarter, through: Some(through), out, all, excel: false, today: options.today, left_out: Vec::new() };
    let folder = make_pack(ledger, &pack)?;
    let mut paths = files::list(&folder).map_err(unreadable(&folder))?;
    paths.sort();
    ledger.store.write(batch, |tx| {
        let filings = tx.filings()?;
        if let Some((seq, _)) = filings.closed(quarter) {
            return Err(Error::usage(format!("{quarter} was closed meanwhile, by record {seq}"), "run the same command again"));
        }
        let kept: Vec<(FiledFile, Vec<Vec<u8>>)> = paths.iter().map(|path| keep(path)).collect::<Result<_>>()?;
        let (filed, parts): (Vec<FiledFile>, Vec<Vec<Vec<u8>>>) = kept.into_iter().unzip();
        let id = free_id(tx, &filings, FilingKind::Close, quarter)?;
        let reference = options.reference.clone();
        let filing = Filing { id, kind: FilingKind::Close, quarter, through, reference, files: filed };
        let seq = append(tx, &filing)?;
        for (ord, parts) in parts.iter().enumerate() {
            for (part, gzip) in parts.iter().enumerate() {
                tx.keep_filed(seq, ord, part, gzip)?;
            }
        }
        Ok((Closed { seq, filing, again: false }, End::Commit))
    })
}

/// Reopens a closed quarter. What was filed stays in the ledger.
///
/// # Errors
/// When it is not closed, or the ledger cannot be written.
pub fn reopen<S: Store>(ledger: &mut Ledger<S>, batch: Batch, quarter: Quarter, reason: &str) -> Result<(u64, Filing)> {
    ledger.store.write(batch, |tx| {
        let filings = tx.filings()?;
        let Some((closing, _)) = filings.closed(quarter) else {
            return Err(Error::usage(format!("{quarter} is not closed"), "`tppledger list events --event close` shows what is"));
        };
        let id = free_id(tx, &filings, FilingKind::Reopen, quarter)?;
        let reference = Some(reason.to_string());
        let filing = Filing { id, kind: FilingKind::Reopen, quarter, through: *closing, reference, files: Vec::new() };
        let seq = append(tx, &filing)?;
        Ok(((seq, filing), End::Commit))
    })
}

/// The next id of a filing that no event has.
fn free_id(ask: &impl Ask, filings: &Filings, kind: FilingKind, quarter: Quarter) -> Result<String> {
    let mut id = filings.next_id(kind, quarter);
    while ask.find(&id)?.is_some() {
        id.push('x');
    }
    Ok(id)
}

fn append(tx: &mut impl Append, filing: &Filing) -> Result<u64> {
    let record = NewRecord {
        fact: Fact::Filing(filing.clone()),
        application: None,
        allocation: None,
        shortfalls: Vec::new(),
        findings: String::new(),
        entries: Vec::new(),
        charges: Vec::new(),
    };
    tx.append(&record.prepare())?.ok_or_else(|| lost("filing", &filing.id))
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |error| Error::File {
        path: path.display().to_string(),
        reason: error.to_string(),
        hint: "check the folder, and run the same command again".into(),
    }
}

/// A file's digest, and its bytes as a gzip stream in parts.
fn keep(path: &Path) -> Result<(FiledFile, Vec<Vec<u8>>)> {
    let failed = unreadable(path);
    let mut file = files::open(path).map_err(&failed)?;
    let (mut hasher, mut bytes, mut parts) = (Sha256::new(), 0_u64, Vec::new());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut buffer = vec![0; PART];
    loop {
        let length = file.read(&mut buffer).map_err(&failed)?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
        bytes += length as u64;
        encoder.write_all(&buffer[..length]).map_err(&failed)?;
        if encoder.get_ref().len() >= PART {
            parts.push(std::mem::take(encoder.get_mut()));
        }
    }
    parts.push(encoder.finish().map_err(&failed)?);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((FiledFile { name, bytes, sha256: hasher.finalize().into() }, parts))
}

/// The bytes of a filed file, handed to a writer; an error when they are not what was filed.
///
/// # Errors
/// When they cannot be read or written, or their digest is another.
pub fn filed_bytes(read: &impl Read, seq: u64, ord: usize, file: &FiledFile, out: &mut impl io::Write) -> Result<()> {
    let damaged = |reason: String| Error::Storage {
        what: format!("reading the filed {}", file.name),
        reason,
        hint: "run `tppledger verify`; restore the ledger from a backup".into(),
    };
    let mut decoder = GzDecoder::new(Digesting { out, hasher: Sha256::new() });
    read.filed(seq, ord, &mut |gzip| decoder.write_all(gzip).map_err(|error| damaged(error.to_string())))?;
    let digesting = decoder.finish().map_err(|error| damaged(error.to_string()))?;
    let digest: [u8; 32] = digesting.hasher.finalize().into();
    let reason = || format!("its SHA-256 is {}, and {} was filed", hex(&digest), hex(&file.sha256));
    if digest == file.sha256 { Ok(()) } else { Err(damaged(reason())) }
}

struct Digesting<'w, W> {
    out: &'w mut W,
    hasher: Sha256,
}

impl<W: io::Write> io::Write for Digesting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.out.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        Ok(length)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a pack as it was filed.
fn write_again(read: &impl Read, seq: u64, filing: &Filing, out: &Path) -> Result<()> {
    let mut folder = PackFolder::create(out)?;
    for (ord, file) in filing.files.iter().enumerate() {
        folder.write(&file.name, |sink: &mut FileSink| filed_bytes(read, seq, ord, file, sink))?;
    }
    folder.put_in_place()?;
    Ok(())
}

/// The closing whose pack stands in a folder.
///
/// # Errors
/// When the ledger cannot be read.
pub fn filed_in(read: &impl Read, folder: &Path) -> Result<Option<Filing>> {
    let filings = read.filings()?.0;
    if filings.is_empty() {
        return Ok(None);
    }
    let name = crate::report::package::FILE_NAME;
    let Ok((here, _)) = keep(&folder.join(name)) else { return Ok(None) };
    let is_it = |filing: &Filing| filing.files.iter().any(|file| file.name == name && file.sha256 == here.sha256);
    Ok(filings.into_iter().map(|(_, filing)| filing).find(is_it))
}
