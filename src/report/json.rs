//! JSON: one array of objects, or one object a line.
//!
//! The names are those of the CSV, in the same order. Amounts and percents are strings, because most readers of JSON
//! turn numbers into floats and no float touches an amount; whole numbers (sequence numbers, quantities) are numbers;
//! an empty cell is null, never left out and never zero. Texts stand as they are: a formula is harmless here.
//! Invariant: one row is one line, so that two documents can be compared line by line.

use super::RowWriter;
use super::error::WriteError;
use super::table::{Cell, Schema};
use super::tally::{Tally, Written};
use std::io::Write;

/// How much is held back before it is handed on.
const PIECE: usize = 64 * 1024;

/// Writes one table as JSON.
pub struct JsonWriter<W> {
    out: Tally<W>,
    schema: Schema,
    /// Whether the rows stand in one array.
    array: bool,
    held: Vec<u8>,
    rows: u64,
}

impl<W: Write> JsonWriter<W> {
    /// Begins a document that is one array.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn document(out: W, schema: &Schema) -> Result<Self, WriteError> {
        Ok(JsonWriter { out: Tally::new(out), schema: schema.clone(), array: true, held: b"[".to_vec(), rows: 0 })
    }

    /// Begins JSON Lines.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn lines(out: W, schema: &Schema) -> Result<Self, WriteError> {
        Ok(JsonWriter { out: Tally::new(out), schema: schema.clone(), array: false, held: Vec::new(), rows: 0 })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.schema.check(cells);
        if self.array {
            self.held.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
        }
        for (index, (cell, column)) in cells.iter().zip(&self.schema.columns).enumerate() {
            self.held.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
            self.held.extend_from_slice(column.name.as_bytes());
            self.held.extend_from_slice(b"\":");
            push_value(&mut self.held, cell);
        }
        self.held.extend_from_slice(if self.array { b"}" } else { b"}\n" });
        self.rows += 1;
        if self.held.len() >= PIECE {
            self.out.write(&self.held)?;
            self.held.clear();
        }
        Ok(())
    }

    /// Ends the document and says what was written.
    ///
    /// # Errors
    /// [`WriteError`] when the output cannot be written.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        if self.array {
            self.held.extend_from_slice(if self.rows == 0 { b"]\n" } else { b"\n]\n" });
        }
        self.out.write(&self.held)?;
        self.out.finish(self.rows)
    }
}

impl<W: Write> RowWriter for JsonWriter<W> {
    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        JsonWriter::row(self, cells)
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        JsonWriter::finish(*self)
    }
}

fn push_value(out: &mut Vec<u8>, cell: &Cell) {
    let text: &str = match cell {
        Cell::Empty => return out.extend_from_slice(b"null"),
        Cell::Whole(_) => return cell.push_plain(out),
        Cell::Amount(_) | Cell::Percent(_) | Cell::Day(_) => {
            out.push(b'"');
            cell.push_plain(out);
            return out.push(b'"');
        }
        Cell::Text(text) => text,
        Cell::Code(word) => word,
    };
    serde_json::to_writer(out, text).expect("a text is always JSON, and writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::*;
    use crate::quota::tpp::Tpp;

    fn row(name: &str, tpp: Option<i64>) -> Vec<Cell> {
        let day = Cell::Day("2026-07-31".parse().unwrap());
        vec![Cell::code("NA"), Cell::text(name), day, Cell::code("expired"), tpp.map(Tpp::from_thousandths).into()]
    }

    #[test]
    fn amounts_are_strings_and_nothing_is_null() {
        let mut out = Vec::new();
        let mut writer = JsonWriter::document(&mut out, &columns::schedule()).unwrap();
        writer.row(&row("=a \"b\"\n\u{1}", Some(1))).unwrap();
        writer.row(&row("", None)).unwrap();
        writer.finish().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value[0]["tpp"], "0.001");
        assert_eq!(value[0]["destination_name"], "=a \"b\"\n\u{1}");
        assert_eq!(value[0]["destination"], "NA");
        assert!(value[1]["tpp"].is_null() && value[1]["destination_name"].is_null());
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 4, "one row is one line");
    }

    #[test]
    fn no_rows_are_an_empty_array_or_no_lines() {
        let mut out = Vec::new();
        JsonWriter::document(&mut out, &columns::schedule()).unwrap().finish().unwrap();
        assert_eq!(out, b"[]\n");
        out.clear();
        JsonWriter::lines(&mut out, &columns::schedule()).unwrap().finish().unwrap();
        assert_eq!(out, b"");
    }

    #[test]
    fn whole_numbers_are_numbers() {
        let mut out = Vec::new();
        push_value(&mut out, &Cell::Whole(-3));
        assert_eq!(out, b"-3");
    }
}
