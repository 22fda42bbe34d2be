//! Doors out: typed tables become bytes.
//!
//! A typed table comes before any format: [`table`] says what a cell is, [`columns`] says what every column of every
//! report means, and the writers ([`csv`], [`json`], [`terminal`]) turn rows into bytes one at a time. [`package`]
//! describes the files of a report to machines, [`files`] puts them in place. A writer never computes and a report
//! never knows CSV from JSON. Invariant: the same rows give the same bytes; no clock, host, path or program version is
//! in them.

pub mod columns;
pub mod csv;
pub mod error;
pub mod files;
pub mod json;
pub mod package;
pub mod table;
pub mod tally;
pub mod terminal;

pub use error::WriteError;
pub use files::{FileSink, PackFolder, write_file};
pub use package::{LegalStatusNote, PackStatus, Package, RegimeNote, Resource, Through};
pub use table::{Cell, Column, ColumnType, Schema, Table};
pub use tally::Written;

use crate::quota::event::words;
use std::io::Write;

words! {
    /// How a table is written.
    Format {
        /// For people, at a terminal.
        Table = "table",
        /// Comma-separated values.
        Csv = "csv",
        /// One JSON array of objects.
        Json = "json",
        /// One JSON object a line.
        JsonLines = "jsonl",
    }
}

/// What may differ in the look of a table without touching what it says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Look {
    /// CSV begins with a byte order mark, so that Excel reads it as UTF-8.
    pub excel: bool,
    /// Width of the terminal in columns; `None` leaves the table as wide as it is.
    pub width: Option<u16>,
    /// The terminal table is colored.
    pub color: bool,
}

/// Takes the rows of one table, in order, and writes them in one format.
pub trait RowWriter {
    /// Writes one row.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError>;

    /// Writes what is still held back and says what was written.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    fn finish(self: Box<Self>) -> Result<Written, WriteError>;
}

/// The writer of a format. All but the terminal's write each row as it comes; the terminal's has to see the whole
/// table before it knows how wide a column is.
///
/// # Errors
/// [`WriteError`] when the header cannot be written.
pub fn writer<'w>(
    format: Format,
    schema: &Schema,
    out: impl Write + 'w,
    look: Look,
) -> Result<Box<dyn RowWriter + 'w>, WriteError> {
    Ok(match format {
        Format::Table => Box::new(terminal::TerminalWriter::new(out, schema, look)),
        Format::Csv => Box::new(csv::CsvWriter::new(out, schema, look.excel)?),
        Format::Json => Box::new(json::JsonWriter::document(out, schema)?),
        Format::JsonLines => Box::new(json::JsonWriter::lines(out, schema)?),
    })
}

/// Writes a table that is already whole.
///
/// # Errors
/// [`WriteError`] when the output cannot be written.
pub fn write_table(format: Format, table: &Table, out: impl Write, look: Look) -> Result<Written, WriteError> {
    let mut writer = writer(format, &table.schema, out, look)?;
    for row in &table.rows {
        writer.row(row)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::tpp::Tpp;

    #[test]
    fn one_table_is_written_in_every_format() {
        let mut table = Table::new(columns::schedule());
        table.push(vec![
            Cell::code("PL"),
            Cell::text("Poland"),
            Cell::Day("2026-07-31".parse().unwrap()),
            Cell::code("expired"),
            Cell::Amount(Tpp::from_thousandths(1_583_200_500)),
        ]);
        let written = |format| {
            let mut out = Vec::new();
            let written = write_table(format, &table, &mut out, Look::default()).unwrap();
            assert_eq!((written.rows, written.bytes), (1, out.len() as u64));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(Format::Csv), "destination,destination_name,day,kind,tpp\nPL,Poland,2026-07-31,expired,1583200.5\n");
        let object = r#"{"destination":"PL","destination_name":"Poland","day":"2026-07-31","kind":"expired","tpp":"1583200.5"}"#;
        assert_eq!(written(Format::Json), format!("[\n{object}\n]\n"));
        assert_eq!(written(Format::JsonLines), format!("{object}\n"));
        assert!(written(Format::Table).contains("1,583,200.5"));
    }
}
