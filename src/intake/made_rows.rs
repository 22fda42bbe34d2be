//! A table made in memory: rows that no file holds, such as an event recorded by hand.
//!
//! They go through the very same readers as the rows of a file, so that a hand-made event is checked no less. A
//! single row has line 0, since there is no file to look into; several are numbered from 1. It is also the smallest
//! example of a source that is no CSV.

use super::table::{Row, Source};

/// Rows in memory.
pub(super) struct MadeRows {
    rows: std::vec::IntoIter<csv::StringRecord>,
    numbered: bool,
    given: u64,
}

impl MadeRows {
    /// From cells as they would be written in a file.
    pub(super) fn new(rows: &[Vec<&str>]) -> MadeRows {
        let records: Vec<csv::StringRecord> = rows.iter().map(|cells| cells.iter().collect()).collect();
        MadeRows { numbered: records.len() > 1, rows: records.into_iter(), given: 0 }
    }
}

impl Source for MadeRows {
    fn next(&mut self, row: &mut Row) -> bool {
        let Some(record) = self.rows.next() else { return false };
        self.given += 1;
        row.record = record;
        row.line = if self.numbered { self.given } else { 0 };
        true
    }

    fn bytes_read(&self) -> u64 {
        0
    }
}
