//! The cell table: what every format of input is before it means anything. A header, then rows of text with a line.
//!
//! CSV fills it ([`super::csv_rows`]), and JSON ([`super::json_rows`]); a workbook will be another [`Source`], and nothing
//! behind the table will know. It never reads a meaning into a cell and never stops at a bad row: the row carries its problems.
//! Invariant: a row's line is the line of the file on which it begins, whatever the line endings and quoting.

#![allow(clippy::disallowed_methods, reason = "the edge: input files are opened here")]

use super::place::{Place, Problem, did_you_mean, hint_with};
use super::{csv_rows::CsvRows, json_rows::JsonRows, made_rows::MadeRows};
use std::fs::File;
use std::io::{self, Read};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

/// A row as written. One `Row` is filled again and again, so that reading does not allocate.
#[derive(Debug, Default)]
pub struct Row {
    /// Line on which it begins; 0 for a row made by hand.
    pub line: u64,
    /// Its cells, as far as they can be read.
    pub record: csv::StringRecord,
    /// What is wrong with it before any cell has a meaning.
    pub problems: Vec<Problem>,
}

/// Where rows come from.
pub(super) trait Source: Send {
    /// Fills in the next row; `false` when there is none.
    fn next(&mut self, row: &mut Row) -> bool;
    /// Bytes read so far.
    fn bytes_read(&self) -> u64;
}

/// The column of a rejects file that says what was wrong; it is passed over on the way in.
pub const REJECT_REASON: &str = "reject_reason";

/// A table of cells: its header, and its rows one after the other.
pub struct TableReader {
    file: Arc<str>,
    header: Vec<String>,
    header_line: u64,
    source: Box<dyn Source>,
}

impl TableReader {
    /// Opens a CSV file; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read, is empty, or whose header is no CSV in UTF-8.
    pub fn open(path: &Path) -> Result<TableReader, Problem> {
        let name: Arc<str> = Arc::from(path.to_string_lossy());
        if path.as_os_str() == "-" {
            return TableReader::from_reader(&name, io::stdin());
        }
        TableReader::from_reader(&name, open(&name, path)?)
    }

    /// Opens a file of a document whose columns are known: JSON when its name ends in `.json`, `.jsonl` or `.ndjson`, else CSV.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn open_as<C: Column>(path: &Path) -> Result<TableReader, Problem> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_json = ending.is_some_and(|ending| ["json", "jsonl", "ndjson"].contains(&&*ending));
        if !is_json {
            return TableReader::open(path);
        }
        let file: Arc<str> = Arc::from(path.to_string_lossy());
        let columns: Vec<&'static str> = C::ALL.iter().map(|column| column.name()).collect();
        let header = columns.iter().map(ToString::to_string).collect();
        let rows = JsonRows::new(&file, columns, open(&file, path)?);
        Ok(TableReader { file, header, header_line: 0, source: Box::new(rows) })
    }

    /// A CSV text from anywhere, under the name that messages give it.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn from_reader(name: &str, input: impl Read + Send + 'static) -> Result<TableReader, Problem> {
        let file: Arc<str> = Arc::from(name);
        let (header, header_line, rows) = CsvRows::begin(&file, input)?;
        Ok(TableReader { file, header, header_line, source: Box::new(rows) })
    }

    /// A table in memory: the names of its columns, and rows of as many cells.
    pub fn from_cells(name: &str, header: &[&str], rows: &[Vec<&str>]) -> TableReader {
        let header = header.iter().map(|name| name.trim().to_string()).collect();
        TableReader { file: Arc::from(name), header, header_line: 0, source: Box::new(MadeRows::new(rows)) }
    }

    /// The file's name in messages.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Names of the columns, as written and trimmed.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Line on which the header stands; 0 for a table made by hand.
    pub(super) fn header_line(&self) -> u64 {
        self.header_line
    }

    /// Bytes read so far, for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// Fills in the next row; `false` at the end. Rows without any content are passed over.
    pub fn next_row(&mut self, row: &mut Row) -> bool {
        loop {
            row.problems.clear();
            row.record.clear();
            if !self.source.next(row) {
                return false;
            }
            if row.problems.is_empty() && row.record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let (cells, columns) = (row.record.len(), self.header.len());
            if cells != columns && row.problems.is_empty() {
                let noun = if cells == 1 { "cell" } else { "cells" };
                let what = format!("has {cells} {noun} where the header has {columns} columns");
                let hint = "a cell that holds the separator stands in double quotes; an amount has no digit grouping";
                row.problems.push(Problem::new(Place::of_line(&self.file, row.line), what, hint));
            }
            return true;
        }
    }

    /// Finds the columns of a document.
    ///
    /// # Errors
    /// Every unknown, unnamed, repeated or missing column.
    pub fn columns<C: Column>(&self) -> Result<Columns<C>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut at = vec![None; C::ALL.len()];
        // A column that is misspelled is not missing as well.
        let mut meant: Vec<String> = Vec::new();
        let place = || Place::of_line(&self.file, self.header_line);
        for (position, name) in self.header.iter().enumerate() {
            if name.is_empty() {
                let what = format!("column {} has no name", position + 1);
                problems.push(Problem::new(place(), what, "name it, or take the empty column out"));
                continue;
            }
            // A rejects file goes in again as it is, once its rows are corrected.
            if name == REJECT_REASON {
                continue;
            }
            let Some(column) = C::ALL.iter().find(|column| column.name() == name) else {
                let known = C::ALL.iter().map(|column| column.name());
                let suggestion = did_you_mean(name, known.clone());
                meant.extend(suggestion.clone());
                let hint = hint_with(suggestion, format!("the columns are {}", known.collect::<Vec<_>>().join(", ")));
                problems.push(Problem::new(place().at(name.clone()), "is not a column of this document", hint));
                continue;
            };
            if at[column.index()].replace(position).is_some() {
                problems.push(Problem::new(
                    place().at(column.name()),
                    "stands in the header twice",
                    "keep one of the two columns",
                ));
            }
        }
        let absent = |column: &&C| at[column.index()].is_none() && !meant.iter().any(|name| name == column.name());
        for column in C::ALL.iter().filter(|column| column.is_required()).filter(absent) {
            let what = "is missing from the header; it is required";
            problems.push(Problem::new(place().at(column.name()), what, "add the column; the order of columns is free"));
        }
        if problems.is_empty() { Ok(Columns { at, document: PhantomData }) } else { Err(problems) }
    }
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

/// A column of a document.
pub trait Column: Copy + Eq + 'static {
    /// All of them, in the order of the documentation.
    const ALL: &'static [Self];
    /// Name in the header.
    fn name(self) -> &'static str;
    /// Whether the header must have it.
    fn is_required(self) -> bool;
    /// Position in [`Column::ALL`].
    fn index(self) -> usize;
}

/// The columns of one document: an enum whose variants are named as the header names them.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal $($required:ident)?,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "a variant is the column of that name")]
        pub enum $name { $($variant,)+ }
        impl $crate::intake::table::Column for $name {
            const ALL: &'static [$name] = &[$($name::$variant,)+];
            fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            fn is_required(self) -> bool {
                match self { $($name::$variant => columns!(@required $($required)?),)+ }
            }
            fn index(self) -> usize {
                self as usize
            }
        }
    };
    (@required required) => { true };
    (@required) => { false };
}
pub(super) use columns;

/// Where the columns of a document stand in a table.
pub struct Columns<C> {
    at: Vec<Option<usize>>,
    document: PhantomData<C>,
}

impl<C: Column> Columns<C> {
    /// The cell of a column, trimmed; blank where the table has no such column or the row no such cell.
    pub fn cell<'r>(&self, column: C, row: &'r Row) -> &'r str {
        self.at[column.index()].and_then(|position| row.record.get(position)).unwrap_or("").trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        /// For these tests.
        Pet { Name = "name" required, Age = "age", }
    }

    fn table(text: &str) -> TableReader {
        TableReader::from_reader("pets.csv", io::Cursor::new(text.to_string())).unwrap()
    }

    fn header_problems(text: &str) -> Vec<String> {
        table(text).columns::<Pet>().err().unwrap().iter().map(|problem| problem.to_string().replace('\n', " | ")).collect()
    }

    #[test]
    fn columns_stand_in_any_order_and_cells_are_trimmed() {
        let mut pets = table(" age ,name\n 3 , Rex \n");
        let columns = pets.columns::<Pet>().unwrap();
        let mut row = Row::default();
        assert!(pets.next_row(&mut row));
        assert_eq!((columns.cell(Pet::Name, &row), columns.cell(Pet::Age, &row), row.line), ("Rex", "3", 2));
        assert!(!pets.next_row(&mut row));
    }

    #[test]
    fn every_wrong_column_is_named() {
        assert_eq!(
            header_problems("nmae,age\n"),
            ["pets.csv:1: nmae: is not a column of this document | hint: did you mean `name`?"]
        );
        assert_eq!(
            header_problems("xyz,age\n"),
            [
                "pets.csv:1: xyz: is not a column of this document | hint: the columns are name, age",
                "pets.csv:1: name: is missing from the header; it is required | hint: add the column; the order of columns is free",
            ]
        );
        assert_eq!(
            header_problems("name,Age\n"),
            ["pets.csv:1: Age: is not a column of this document | hint: did you mean `age`?"]
        );
        assert_eq!(
            header_problems("\n\nname,name\n"),
            ["pets.csv:3: name: stands in the header twice | hint: keep one of the two columns"]
        );
        assert_eq!(
            header_problems("name,,weight\n"),
            [
                "pets.csv:1: column 2 has no name | hint: name it, or take the empty column out",
                "pets.csv:1: weight: is not a column of this document | hint: the columns are name, age",
            ]
        );
    }

    #[test]
    fn a_row_of_another_length_is_a_problem_of_that_row() {
        let mut pets = table("name,age\nRex\nTom,3,4\n,\n  , \nKit,1\n");
        let mut row = Row::default();
        let mut seen = Vec::new();
        while pets.next_row(&mut row) {
            seen.push((row.line, row.problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().join("")));
        }
        assert_eq!(
            seen,
            [
                (2, "has 1 cell where the header has 2 columns".to_string()),
                (3, "has 3 cells where the header has 2 columns".to_string()),
                (6, String::new()),
            ]
        );
    }

    #[test]
    fn a_missing_file_and_a_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("events.csv"), "a\n").unwrap();
        let missing = TableReader::open(&folder.path().join("evnts.csv")).err().unwrap();
        assert_eq!((missing.what.as_str(), missing.hint.as_str()), ("does not exist", "did you mean `events.csv`?"));
        let is_folder = TableReader::open(folder.path()).err().unwrap();
        assert_eq!(is_folder.what, "is a folder, not a file");
        assert!(TableReader::open(Path::new("")).is_err());
    }
}
