//! Items: what one or several rows of a document mean together, or everything that is wrong with them.
//!
//! An application or an event may have several rows; they stand together, and are one item: read whole or rejected
//! whole. Each document says how its rows become a value ([`Form`]); the walk over the table is here, once.
//! Invariant: every row of the table is in exactly one item, and only one item is held at a time.

use super::cells::{Cells, Hints};
use super::layout::Origin;
use super::place::{Problem, shortened};
use super::table::{Column, Columns, Row, TableReader};
use std::sync::Arc;

/// Problems of one item that are told; a block of rows that is wrong in every cell says no more in a million.
const PROBLEMS_MAX: usize = 1000;

/// One application, event or act as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item<T> {
    /// What it means, or all that is wrong with it.
    pub value: Result<T, Vec<Problem>>,
    /// Its number or event id, as far as it can be read.
    pub id: String,
    /// Line of each of its rows.
    pub lines: Vec<u64>,
    /// Its rows as written; empty unless the reader keeps them.
    pub raw: Vec<csv::StringRecord>,
}

/// How the rows of a document become its values.
pub trait Form: Default {
    /// Columns of the document.
    type Column: Column;
    /// What an item means.
    type Value;
    /// The column of the number or id.
    const ID: Self::Column;

    /// Whether a row goes on with the item that was begun under `id`.
    fn continues(&self, id: &str, cells: &Cells<Self::Column>) -> bool;
    /// Reads a row; the first after [`Form::finish`] begins an item.
    fn add(&mut self, cells: &mut Cells<Self::Column>);
    /// Ends the item and leaves the form empty. Problems that show only now may be added; the row of `cells` is the last.
    fn finish(&mut self, cells: &mut Cells<Self::Column>) -> Option<Self::Value>;
}

/// The items of a table, one after the other.
pub struct ItemReader<F: Form> {
    table: TableReader,
    columns: Columns<F::Column>,
    form: F,
    /// The row under the eyes, and the one before it.
    row: Row,
    last: Row,
    /// Whether `row` was read and belongs to the next item.
    held: bool,
    keep_raw: bool,
    hints: Hints,
}

impl<F: Form> ItemReader<F> {
    /// Reads a table as this document; `keep_raw` keeps the rows as written in each item.
    ///
    /// # Errors
    /// Everything that is wrong with the header.
    pub fn new(table: TableReader, keep_raw: bool) -> Result<ItemReader<F>, Vec<Problem>> {
        let columns = table.columns()?;
        let (row, last) = (Row::default(), Row::default());
        Ok(ItemReader { table, columns, form: F::default(), row, last, held: false, keep_raw, hints: Hints::default() })
    }

    /// The file's name in messages.
    pub fn file(&self) -> &Arc<str> {
        self.table.file()
    }

    /// The file, and how places in it are written.
    pub fn origin(&self) -> &Origin {
        self.table.origin()
    }

    /// Names of the columns as the file has them.
    pub fn header(&self) -> &[String] {
        self.table.header()
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.table.bytes_read()
    }
}

impl<F: Form> ItemReader<F> {
    /// Reads the row under the eyes into the item.
    fn take_row(&mut self, id: &str, item: &mut Taken) {
        item.lines.push(self.row.line);
        if self.keep_raw {
            item.raw.push(self.row.record.clone());
        }
        if item.problems.len() < PROBLEMS_MAX {
            self.read_cells(&mut item.problems);
            if item.problems.len() >= PROBLEMS_MAX {
                let what = format!(
                    "is one of the last rows of `{}` that were looked at: it has {PROBLEMS_MAX} problems already",
                    shortened(id)
                );
                item.problems.push(Problem::new(self.table.origin().row(self.row.line), what, "mend these first"));
            }
        }
        std::mem::swap(&mut self.row, &mut self.last);
    }

    fn read_cells(&mut self, problems: &mut Vec<Problem>) {
        let before = problems.len();
        problems.append(&mut self.row.problems);
        // Cells of a row of another length do not stand under their columns.
        if self.row.record.len() != self.table.header().len() {
            return;
        }
        let known = problems.len();
        let is_header = |row: &Row, header: &[String]| row.record.iter().map(str::trim).eq(header.iter().map(String::as_str));
        let mut cells =
            Cells { origin: self.table.origin(), columns: &self.columns, row: &self.row, problems, hints: &mut self.hints };
        self.form.add(&mut cells);
        if problems.len() > known && is_header(&self.row, self.table.header()) {
            problems.truncate(known);
            let what = "repeats the header";
            problems.push(Problem::new(self.table.origin().row(self.row.line), what, "delete the row; a table has one header"));
        }
        if known > before {
            // What is wrong with a cell that is no text was said already.
            let said = problems.split_off(known);
            let new = said.into_iter().filter(|problem| !problems[before..].iter().any(|known| known.place == problem.place));
            let new: Vec<Problem> = new.collect();
            problems.extend(new);
        }
    }

    /// Whether the row under the eyes goes on with the item.
    fn goes_on(&mut self, id: &str) -> bool {
        let mut problems = Vec::new();
        let cells = Cells {
            origin: self.table.origin(),
            columns: &self.columns,
            row: &self.row,
            problems: &mut problems,
            hints: &mut self.hints,
        };
        let own = cells.text(F::ID);
        if self.row.record.len() != self.table.header().len() {
            // As far as it can be read: what cannot be told apart is taken for a part of what it stands behind,
            // so that nothing is recorded in part.
            return own.is_empty() || own == id;
        }
        self.form.continues(id, &cells)
    }
}

/// An item while its rows are read.
#[derive(Default)]
struct Taken {
    problems: Vec<Problem>,
    lines: Vec<u64>,
    raw: Vec<csv::StringRecord>,
}

impl<F: Form> Iterator for ItemReader<F> {
    type Item = Item<F::Value>;

    fn next(&mut self) -> Option<Item<F::Value>> {
        if !self.held && !self.table.next_row(&mut self.row) {
            return None;
        }
        let id = super::cells::unguarded(self.columns.cell(F::ID, &self.row)).to_string();
        let mut item = Taken::default();
        self.take_row(&id, &mut item);
        loop {
            self.held = self.table.next_row(&mut self.row);
            if !self.held || !self.goes_on(&id) {
                break;
            }
            self.take_row(&id, &mut item);
        }
        let Taken { mut problems, lines, raw } = item;
        let mut cells = Cells {
            origin: self.table.origin(),
            columns: &self.columns,
            row: &self.last,
            problems: &mut problems,
            hints: &mut self.hints,
        };
        let value = self.form.finish(&mut cells);
        let value = match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(problems),
        };
        Some(Item { value, id, lines, raw })
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test writes the file that it reads")]
mod tests {
    use super::*;
    use crate::intake::{AnyItem, Document, EventReader, Reader, Reading, read_row};
    use std::path::Path;

    fn table(text: impl Into<Vec<u8>>) -> TableReader {
        TableReader::from_reader("e.csv", std::io::Cursor::new(text.into())).unwrap()
    }

    #[test]
    fn every_row_is_in_one_item_and_can_be_kept_as_written() {
        let text = "event_id,effective_on,event,application_number\nE1,2025-01-02,hold, Z1 \n\nE2,x,resume,Z1\n";
        let items: Vec<_> = EventReader::new(table(text), true).ok().unwrap().collect();
        assert_eq!(items.iter().map(|item| item.lines.clone()).collect::<Vec<_>>(), [vec![2], vec![4]]);
        assert_eq!(items[0].raw[0].iter().collect::<Vec<_>>(), ["E1", "2025-01-02", "hold", " Z1 "]);
        assert!(items[0].value.is_ok() && items[1].value.is_err());
        assert!(EventReader::new(table(text), false).ok().unwrap().all(|item| item.raw.is_empty()));
    }

    #[test]
    fn a_cell_that_is_no_text_is_told_once_and_the_others_are_read() {
        let text = b"event_id,effective_on,event,application_number\nE1,2025-02-30,h\xF6ld,Z1\n".to_vec();
        let item = EventReader::new(table(text), false).ok().unwrap().next().unwrap();
        let columns: Vec<_> = item.value.unwrap_err().into_iter().filter_map(|problem| problem.place.column).collect();
        assert_eq!(columns, ["event", "effective_on"]);
    }

    #[test]
    fn a_block_of_wrong_rows_is_told_up_to_a_number() {
        let text = format!("event_id,effective_on,event,application_number\n{}", "E1,x,y,z z\n".repeat(5000));
        let item = EventReader::new(table(text), false).ok().unwrap().next().unwrap();
        assert_eq!(item.lines.len(), 5000);
        assert!(item.value.unwrap_err().len() < PROBLEMS_MAX + 5);
    }

    #[test]
    fn a_row_made_by_hand_goes_through_the_same_code() {
        let read = |cells: &[(&str, &str)]| read_row(Document::Events, cells);
        let Ok(AnyItem::Event(item)) = read(&[
            ("event_id", "E1"),
            ("effective_on", "2025-01-02"),
            ("event", "ship"),
            ("quantity", "0"),
            ("application_number", "Z1"),
        ]) else {
            panic!("an event was given");
        };
        assert_eq!((item.lines.as_slice(), item.id.as_str()), ([0].as_slice(), "E1"));
        assert_eq!(
            item.value.unwrap_err()[0].to_string(),
            "record: quantity: \"0\" is not above zero\nhint: write a whole number from 1 on"
        );
        assert_eq!(read(&[("event_id", "E1"), ("evnt", "ship")]).unwrap_err().len(), 2);
    }

    #[test]
    fn a_file_is_opened_by_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anything.csv");
        std::fs::write(&path, "event_id,effective_on,act,destination,reference\nA1,2025-01-02,commit,PL,G2G\n").unwrap();
        let open = |path: &Path| TableReader::open(path, &Reading::default()).and_then(|table| Reader::of_table(table, false));
        let mut reader = open(&path).ok().unwrap();
        assert_eq!(reader.document(), Document::Acts);
        assert!(matches!(reader.next(), Some(AnyItem::Act(item)) if item.value.is_ok()) && reader.next().is_none());
        assert!(open(&folder.path().join("none.csv")).is_err());
    }
}
