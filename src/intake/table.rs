//! The cell table: what every format of input is before it means anything. A header, then rows of text with a line.
//!
//! CSV fills it ([`super::csv_rows`]), JSON ([`super::json_rows`]) and workbooks ([`super::workbook`]), each a [`Source`];
//! nothing behind the table knows which ([`super::opening`] does). It never reads a meaning into a cell and never stops at a bad row: the row carries its problems.
//! Invariant: a row's line is the line of the file on which it begins, whatever the line endings and quoting.

use super::csv_rows::CsvRows;
use super::layout::Origin;
use super::made_rows::MadeRows;
use super::place::{Problem, did_you_mean, hint_with};
use super::reading::Dates;
use std::io::Read;
use std::marker::PhantomData;
use std::sync::Arc;

/// A row as written. One `Row` is filled again and again, so that reading does not allocate.
#[derive(Debug, Default)]
pub struct Row {
    /// Line on which it begins, row of a sheet or element of a list; 0 for a row made by hand.
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

/// The column by which a register of ours is known; what a register says beside the input is then passed over.
const RECORD_NUMBER: &str = "seq";

/// A table of cells: its header, and its rows one after the other.
pub struct TableReader {
    origin: Origin,
    header: Vec<String>,
    header_line: u64,
    dates: Dates,
    /// What is wrong with the table as a whole, and is told with its header.
    complaints: Vec<Problem>,
    /// Names of the other tables that the file has.
    others: Vec<String>,
    /// Row in which each column stands first, where there is no row of names.
    first_rows: Vec<u64>,
    pub(super) source: Box<dyn Source>,
}

impl TableReader {
    /// A table of rows, with its header and the row on which it stands.
    pub(super) fn new(origin: Origin, header: Vec<String>, header_line: u64, source: Box<dyn Source>) -> TableReader {
        TableReader {
            origin,
            header,
            header_line,
            dates: Dates::default(),
            complaints: Vec::new(),
            others: Vec::new(),
            first_rows: Vec::new(),
            source,
        }
    }

    /// The same table, its days written in an order of their own.
    pub(super) fn with_dates(self, dates: Dates) -> TableReader {
        TableReader { dates, ..self }
    }

    /// The same table with what is wrong with it as a whole, and the other tables of its file.
    pub(super) fn with_complaints(self, complaints: Vec<Problem>, others: Vec<String>) -> TableReader {
        TableReader { complaints, others, ..self }
    }

    /// The same table, whose columns are named in their rows: for each the first one.
    pub(super) fn named_in(self, first_rows: Vec<u64>) -> TableReader {
        TableReader { first_rows, ..self }
    }

    /// The same rows under another header.
    pub(super) fn under(
        self,
        origin: Origin,
        header: Vec<String>,
        wrap: impl FnOnce(Box<dyn Source>) -> Box<dyn Source>,
    ) -> TableReader {
        TableReader { origin, header, first_rows: Vec::new(), source: wrap(self.source), ..self }
    }

    /// A CSV text from anywhere, under the name that messages give it.
    ///
    /// # Errors
    /// An empty text, or one whose header is no CSV in UTF-8.
    pub fn from_reader(name: &str, input: impl Read + Send + 'static) -> Result<TableReader, Problem> {
        let file: Arc<str> = Arc::from(name);
        let (header, header_line, rows) = CsvRows::begin(&file, input, None)?;
        Ok(TableReader::new(Origin::of_file(&file), header, header_line, Box::new(rows)))
    }

    /// A table in memory: the names of its columns, and rows of as many cells.
    pub fn from_cells(name: &str, header: &[&str], rows: &[Vec<&str>]) -> TableReader {
        let header = header.iter().map(|name| name.trim().to_string()).collect();
        TableReader::new(Origin::of_file(&Arc::from(name)), header, 0, Box::new(MadeRows::new(rows)))
    }

    /// The file's name in messages.
    pub fn file(&self) -> &Arc<str> {
        self.origin.file()
    }

    /// The file, and how places in it are written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Names of the other tables that the file has.
    pub(super) fn others(&self) -> &[String] {
        &self.others
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
                row.problems.push(other_length(&self.origin, row.line, cells, columns));
            }
            return true;
        }
    }

    /// Finds the columns of a document.
    ///
    /// # Errors
    /// Every unknown, unnamed, repeated or missing column.
    pub fn columns<C: Column>(&self) -> Result<Columns<C>, Vec<Problem>> {
        let mut problems = self.complaints.clone();
        let mut at = vec![None; C::ALL.len()];
        // A column that is misspelled is not missing as well.
        let mut meant: Vec<String> = Vec::new();
        let place = || self.origin.row(self.header_line);
        let is_register = self.header.iter().any(|name| name == RECORD_NUMBER);
        for (position, name) in self.header.iter().enumerate() {
            if name.is_empty() {
                let what = format!("column {} has no name", position + 1);
                problems.push(Problem::new(place(), what, "name it, or take the empty column out"));
                continue;
            }
            // A rejects file goes in again as it is, once its rows are corrected.
            if name == REJECT_REASON || (is_register && C::REPORTED.contains(&name.as_str())) {
                continue;
            }
            let Some(column) = C::ALL.iter().find(|column| column.name() == name) else {
                let known = C::ALL.iter().map(|column| column.name());
                let suggestion = did_you_mean(name, known.clone());
                meant.extend(suggestion.clone());
                let hint = hint_with(suggestion, format!("the columns are {}", known.collect::<Vec<_>>().join(", ")));
                let row = self.first_rows.get(position).copied().unwrap_or(self.header_line);
                let place = self.origin.row(row).at(name.clone());
                problems.push(Problem::new(place, "is not a column of this document", hint));
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
        if problems.is_empty() { Ok(Columns { at, dates: self.dates, document: PhantomData }) } else { Err(problems) }
    }
}

/// A row that has more or fewer cells than the header has columns.
pub(super) fn other_length(origin: &Origin, row: u64, cells: usize, columns: usize) -> Problem {
    let noun = if cells == 1 { "cell" } else { "cells" };
    let what = format!("has {cells} {noun} where the header has {columns} columns");
    let hint = "a cell that holds the separator stands in double quotes; an amount has no digit grouping";
    Problem::new(origin.row(row), what, hint)
}

/// A column of a document.
pub trait Column: Copy + Eq + 'static {
    /// All of them, in the order of the documentation.
    const ALL: &'static [Self];
    /// Columns that the register of the document has beside them.
    const REPORTED: &'static [&'static str] = &[];
    /// Name in the header.
    fn name(self) -> &'static str;
    /// Whether the header must have it.
    fn is_required(self) -> bool;
    /// Position in [`Column::ALL`].
    fn index(self) -> usize;
}

/// The columns of one document: an enum whose variants are named as the header names them.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal $($required:ident)?,)+ } $(reported $reported:expr)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "a variant is the column of that name")]
        pub enum $name { $($variant,)+ }
        impl $crate::intake::table::Column for $name {
            const ALL: &'static [$name] = &[$($name::$variant,)+];
            const REPORTED: &'static [&'static str] = columns!(@reported $($reported)?);
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
    (@reported) => { &[] };
    (@reported $reported:expr) => { &$reported };
    (@required required) => { true };
    (@required) => { false };
}
pub(super) use columns;

/// Where the columns of a document stand in a table.
pub struct Columns<C> {
    at: Vec<Option<usize>>,
    /// How the table's days are written.
    pub(super) dates: Dates,
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
        TableReader::from_reader("pets.csv", std::io::Cursor::new(text.to_string())).unwrap()
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
}
