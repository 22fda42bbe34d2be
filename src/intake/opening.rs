//! Opening a file: what it is shows from its first bytes, and each format gives the same table.
//!
//! A name that ends in `.json`, `.jsonl` or `.ndjson` promises JSON; all else is told from the content. A file that can only
//! be read once (standard input, a pipe) is kept in a temporary file where its format needs more. Invariant: CSV is read as a
//! stream, however the file came.

#![allow(clippy::disallowed_methods, reason = "the edge: input files are opened here")]

use super::json_rows::JsonRows;
use super::layout::Origin;
use super::place::{Place, Problem, did_you_mean, hint_with};
use super::reading::{Encoding, Reading};
use super::table::TableReader;
use super::{csv_rows::CsvRows, decoded::Decoded, workbook};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::Path;
use std::sync::Arc;

/// First bytes by which a format is told.
const HEAD: u64 = 512;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
    /// A zip archive.
    Workbook,
    /// A compound file, as older spreadsheets and encrypted workbooks are.
    Compound,
}

impl TableReader {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read, is empty, or is no table; and what is wrong with the map of its columns.
    pub fn open(path: &Path, reading: &Reading) -> Result<TableReader, Vec<Problem>> {
        TableReader::open_as(&path.to_string_lossy(), path, reading)
    }

    /// Opens a file under another name in messages.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn open_as(name: &str, path: &Path, reading: &Reading) -> Result<TableReader, Vec<Problem>> {
        let file: Arc<str> = Arc::from(name);
        let table = open_table(&file, path, reading).map_err(|problem| vec![problem])?;
        match &reading.columns {
            Some(map) => map.apply(table),
            None => Ok(table),
        }
    }
}

fn open_table(name: &Arc<str>, path: &Path, reading: &Reading) -> Result<TableReader, Problem> {
    let failed = |error: io::Error| cannot_read(name, path, &error);
    if path.as_os_str() == "-" {
        let (format, head) = sniffed(&mut io::stdin(), path).map_err(failed)?;
        return read_once(name, path, format, head, io::stdin(), reading);
    }
    let mut input = open(name, path)?;
    let (format, head) = sniffed(&mut input, path).map_err(failed)?;
    match format {
        Format::Csv => csv(name, Cursor::new(head).chain(input), reading),
        // A pipe has a name as well.
        _ if input.rewind().is_err() => read_once(name, path, format, head, input, reading),
        _ => read_again(name, format, input, reading),
    }
}

/// A file that is read as it comes.
fn read_once(
    name: &Arc<str>,
    path: &Path,
    format: Format,
    head: Vec<u8>,
    rest: impl Read + Send + 'static,
    reading: &Reading,
) -> Result<TableReader, Problem> {
    let mut input = Cursor::new(head).chain(rest);
    if format == Format::Csv {
        return csv(name, input, reading);
    }
    let kept = tempfile::tempfile().and_then(|mut kept| {
        io::copy(&mut input, &mut kept)?;
        kept.rewind()?;
        Ok(kept)
    });
    read_again(name, format, kept.map_err(|error| cannot_read(name, path, &error))?, reading)
}

/// A file that stands at its beginning, and may be read as often as is needed.
fn read_again(name: &Arc<str>, format: Format, input: File, reading: &Reading) -> Result<TableReader, Problem> {
    let is_workbook = matches!(format, Format::Workbook | Format::Compound);
    if let (false, Some(sheet)) = (is_workbook, &reading.sheet) {
        return Err(no_sheets(name, sheet));
    }
    if reading.encoding != Encoding::Utf8 || reading.delimiter.is_some() {
        let what = "is no CSV file, and an encoding or a separator was given for it";
        return Err(Problem::new(Place::of_file(name), what, "leave --encoding and --delimiter out; the file says it itself"));
    }
    match format {
        Format::Compound => Err(workbook::compound(name, input)),
        Format::Workbook => workbook::open(name, input, reading.sheet.as_deref()).map(|table| table.with_dates(reading.dates)),
        Format::Json | Format::Csv => {
            let (origin, keys, rows) = JsonRows::begin(name, input)?;
            let table = TableReader::new(origin, keys.names, 0, Box::new(rows)).named_in(keys.first_rows);
            Ok(table.with_dates(reading.dates))
        }
    }
}

fn csv(name: &Arc<str>, input: impl Read + Send + 'static, reading: &Reading) -> Result<TableReader, Problem> {
    if let Some(sheet) = &reading.sheet {
        return Err(no_sheets(name, sheet));
    }
    let input: Box<dyn Read + Send> = match reading.encoding {
        Encoding::Utf8 => Box::new(input),
        Encoding::Cp1252 => Box::new(Decoded::cp1252(input)),
    };
    let (header, header_line, rows) = CsvRows::begin(name, input, reading.delimiter)?;
    Ok(TableReader::new(Origin::of_file(name), header, header_line, Box::new(rows)).with_dates(reading.dates))
}

fn no_sheets(name: &Arc<str>, sheet: &str) -> Problem {
    let what = format!("is no workbook, and the sheet \"{}\" was asked for", super::place::shortened(sheet));
    Problem::new(Place::of_file(name), what, "leave the sheet out, or name the workbook")
}

/// The first bytes of a file, and what it is by them.
fn sniffed(input: &mut impl Read, path: &Path) -> io::Result<(Format, Vec<u8>)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut head)?;
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let format = match head.as_slice() {
        [b'P', b'K', 3, 4, ..] => Format::Workbook,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Format::Compound,
        _ if ending.is_some_and(|ending| ["json", "jsonl", "ndjson"].contains(&&*ending)) => Format::Json,
        text if begins_json(text) => Format::Json,
        _ => Format::Csv,
    };
    Ok((format, head))
}

/// Whether a text begins with an object, or with a list of objects. No header of CSV does.
fn begins_json(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut marks = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let mut begins = || (marks.next().copied(), marks.next().copied());
    matches!(begins(), (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b']')))
}

fn open(name: &Arc<str>, path: &Path) -> Result<File, Problem> {
    let failed = |error: &io::Error| cannot_read(name, path, error);
    if path.metadata().map_err(|error| failed(&error))?.is_dir() {
        return Err(Problem::new(
            Place::of_file(name),
            "is a folder, not a file",
            "name the files in it, or use `tppledger run` for a whole inbox",
        ));
    }
    File::open(path).map_err(|error| failed(&error))
}

/// A file that cannot be opened, with what to do about it.
fn cannot_read(name: &Arc<str>, path: &Path, error: &io::Error) -> Problem {
    let (what, hint) = match error.kind() {
        io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let names: Vec<String> = folder
                .read_dir()
                .map(|entries| {
                    entries.flatten().take(1000).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
                })
                .unwrap_or_default();
            let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            ("does not exist".to_string(), hint_with(did_you_mean(&wanted, names.iter().map(String::as_str)), "check the path"))
        }
        io::ErrorKind::PermissionDenied => {
            ("may not be read by this user".to_string(), "ask its owner for the right to read it".to_string())
        }
        _ => (format!("cannot be read: {error}"), "check the path and the disk".to_string()),
    };
    Problem::new(Place::of_file(name), what, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| TableReader::open(path, &Reading::default()).err().unwrap().remove(0);
        std::fs::write(folder.path().join("events.csv"), "a\n").unwrap();
        let missing = open(&folder.path().join("evnts.csv"));
        assert_eq!((missing.what.as_str(), &*missing.hint), ("does not exist", "did you mean `events.csv`?"));
        let is_folder = open(folder.path());
        assert_eq!(is_folder.what, "is a folder, not a file");
        assert!(TableReader::open(Path::new(""), &Reading::default()).is_err());
    }
}
