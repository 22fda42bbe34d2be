//! Comma-separated values, as RFC 4180 has them, row by row.
//!
//! UTF-8 without a byte order mark (`excel` adds one), header always, `.` decimals, no digit grouping. Lines end with
//! LF, not CRLF: Excel, pandas, R and databases read both, and diffs, `grep` and version control expect LF; the data
//! package states it. A text that a spreadsheet would run as a formula gets a leading `'`; numbers never do, so that a
//! negative number stays a number. Invariant: cells hold no state between rows; the bytes depend on rows and schema alone.

use super::RowWriter;
use super::error::WriteError;
use super::table::{Cell, Schema};
use super::tally::{Tally, Written};
use std::io::Write;

/// How much is held back before it is handed on.
const PIECE: usize = 64 * 1024;

/// Writes one table as CSV.
pub struct CsvWriter<W> {
    out: Tally<W>,
    schema: Schema,
    held: Vec<u8>,
    rows: u64,
}

impl<W: Write> CsvWriter<W> {
    /// Begins a file: the byte order mark if asked for, and the header.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn new(out: W, schema: &Schema, excel: bool) -> Result<Self, WriteError> {
        let mut writer =
            CsvWriter { out: Tally::new(out), schema: schema.clone(), held: Vec::with_capacity(PIECE + 4096), rows: 0 };
        if excel {
            writer.held.extend_from_slice("\u{feff}".as_bytes());
        }
        for (index, column) in schema.columns.iter().enumerate() {
            if index > 0 {
                writer.held.push(b',');
            }
            writer.held.extend_from_slice(column.name.as_bytes());
        }
        writer.held.push(b'\n');
        Ok(writer)
    }

    /// Writes one row.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.schema.check(cells);
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.held.push(b',');
            }
            match cell {
                Cell::Text(text) => push_text(&mut self.held, text),
                Cell::Code(word) => push_text(&mut self.held, word),
                other => other.push_plain(&mut self.held),
            }
        }
        self.held.push(b'\n');
        self.rows += 1;
        if self.held.len() >= PIECE {
            self.out.write(&self.held)?;
            self.held.clear();
        }
        Ok(())
    }

    /// Writes what is held back and says what was written.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        self.out.write(&self.held)?;
        self.out.finish(self.rows)
    }
}

impl<W: Write> RowWriter for CsvWriter<W> {
    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        CsvWriter::row(self, cells)
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        CsvWriter::finish(*self)
    }
}

/// Appends a text, guarded against spreadsheets and quoted where RFC 4180 asks for it.
fn push_text(out: &mut Vec<u8>, text: &str) {
    // One that looks guarded is guarded once more, since a reader takes one off.
    let bare = text.trim_start_matches('\'').as_bytes();
    let guarded = matches!(bare.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'));
    let quoted = text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if quoted {
        out.push(b'"');
    }
    if guarded {
        out.push(b'\'');
    }
    if quoted {
        for byte in text.bytes() {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{Column, ColumnType};
    use super::*;
    use crate::quota::tpp::Tpp;

    fn schema() -> Schema {
        let column = |name, kind| Column { name, kind, unit: "", meaning: "For the test." };
        Schema {
            name: "test",
            title: "Test",
            key: &["who"],
            columns: vec![column("who", ColumnType::Text), column("tpp", ColumnType::Amount)],
        }
    }

    fn csv(texts: &[&str], excel: bool) -> String {
        let mut out = Vec::new();
        let mut writer = CsvWriter::new(&mut out, &schema(), excel).unwrap();
        for text in texts {
            writer.row(&[Cell::text(*text), Cell::Amount(Tpp::from_thousandths(-1_500))]).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_without_rows_has_its_header() {
        assert_eq!(csv(&[], false), "who,tpp\n");
        assert_eq!(csv(&[], true), "\u{feff}who,tpp\n");
    }

    #[test]
    fn a_formula_in_a_text_is_guarded_and_a_negative_number_is_not() {
        assert_eq!(
            csv(&["=1+1", "+48 12", "-x", "@SUM(A1)", "\tx", "a=b"], false).lines().skip(1).collect::<Vec<_>>(),
            ["'=1+1,-1.5", "'+48 12,-1.5", "'-x,-1.5", "'@SUM(A1),-1.5", "'\tx,-1.5", "a=b,-1.5"]
        );
        assert_eq!(csv(&["\rx", "=A1,B1"], false), "who,tpp\n\"'\rx\",-1.5\n\"'=A1,B1\",-1.5\n");
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted() {
        assert_eq!(
            csv(&["Kraków, \"Dell\"", "two\nlines", ""], false),
            "who,tpp\n\"Kraków, \"\"Dell\"\"\",-1.5\n\"two\nlines\",-1.5\n,-1.5\n"
        );
    }

    #[test]
    fn what_was_written_is_counted_and_hashed_over_many_pieces() {
        let mut out = Vec::new();
        let mut writer = CsvWriter::new(&mut out, &schema(), true).unwrap();
        for number in 0..20_000 {
            writer.row(&[Cell::text("Gdańsk"), Cell::Amount(Tpp::from_thousandths(number))]).unwrap();
        }
        let written = writer.finish().unwrap();
        let mut whole = Tally::new(Vec::new());
        whole.write(&out).unwrap();
        assert_eq!(whole.finish(20_000).unwrap(), written);
    }
}
