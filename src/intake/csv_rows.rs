//! CSV as a source of rows: RFC 4180 in UTF-8, with BOM and CRLF accepted and `,`, `;` or tab found from the header.
//!
//! The `csv` crate takes records apart; [`Records`] stands in front of it and hands it one record at a time. A problem of
//! a row never ends the reading, except where the rest of the file cannot be told apart. Invariant: a cell that is given
//! without a problem is what the file says.

use super::csv_records::{Broken, Found, Records};
use super::place::{Place, Problem};
use super::table::{Row, Source};
use std::io::{self, Read};
use std::sync::Arc;

const NOT_UTF8: &str =
    "save the file as UTF-8 (in Excel: `CSV UTF-8`); one from an older Windows program is read with --encoding cp1252";

/// The rows of a CSV text.
pub(super) struct CsvRows<R> {
    file: Arc<str>,
    header: Vec<String>,
    csv: csv::Reader<Records<R>>,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header, and gives it with its line and the rows that follow; the separator is found if it is not given.
    pub(super) fn begin(file: &Arc<str>, input: R, delimiter: Option<u8>) -> Result<(Vec<String>, u64, CsvRows<R>), Problem> {
        let mut records = Records::new(input, delimiter);
        let found = records.advance();
        let line = records.record_line;
        if let Some(problem) = records.no_csv(file) {
            return Err(problem);
        }
        match found {
            Ok(Found::Record) => {}
            Ok(Found::End) => {
                return Err(Problem::new(
                    Place::of_file(file),
                    "is empty",
                    "its first line is the header, with the names of the columns",
                ));
            }
            Ok(Found::Broken(broken)) => return Err(broken.problem(file, line)),
            Err(error) => return Err(read_failed(file, line, &error)),
        }
        let mut csv = reader(records);
        let mut record = csv::StringRecord::new();
        match csv.read_record(&mut record) {
            Ok(_) if !record.as_slice().contains('\0') => {}
            Ok(_) => {
                return Err(Problem::new(
                    Place::of_line(file, line),
                    "has a NUL byte",
                    "the file is no text, or it is UTF-16: save it as UTF-8",
                ));
            }
            Err(_) => return Err(Problem::new(Place::of_line(file, line), "is not UTF-8", NOT_UTF8)),
        }
        let header: Vec<String> = record.iter().map(|name| name.trim().to_string()).collect();
        let rows = CsvRows { file: Arc::clone(file), header: header.clone(), csv };
        Ok((header, line, rows))
    }

    /// Reads the record again byte by byte, so that each cell that is no text is named and the others can be read.
    fn read_lossily(&self, row: &mut Row) {
        let mut bytes = csv::ByteRecord::new();
        let raw = &self.csv.get_ref().record[..];
        if reader_of(self.csv.get_ref().delimiter, raw).read_byte_record(&mut bytes).is_err() {
            return;
        }
        row.record.clear();
        for (position, cell) in bytes.iter().enumerate() {
            row.record.push_field(&String::from_utf8_lossy(cell));
            if let Err(error) = std::str::from_utf8(cell) {
                let what = format!("has the byte 0x{:02X}, which is no UTF-8 here", cell[error.valid_up_to()]);
                row.problems
                    .push(self.cell_problem(row.line, position, what, NOT_UTF8).with_value(&String::from_utf8_lossy(cell)));
            }
        }
    }

    fn cell_problem(&self, line: u64, position: usize, what: impl Into<String>, hint: &str) -> Problem {
        let place = Place::of_line(&self.file, line);
        let place = match self.header.get(position) {
            Some(name) => place.at(name.clone()),
            None => place,
        };
        Problem::new(place, what, hint)
    }
}

impl<R: Read + Send> Source for CsvRows<R> {
    fn next(&mut self, row: &mut Row) -> bool {
        let found = self.csv.get_mut().advance();
        row.line = self.csv.get_ref().record_line;
        match found {
            Ok(Found::End) => return false,
            Ok(Found::Record) => {}
            Ok(Found::Broken(broken)) => {
                row.problems.push(broken.problem(&self.file, row.line));
                if broken == Broken::TextAfterQuote {
                    self.read_lossily(row);
                }
                return true;
            }
            Err(error) => {
                self.csv.get_mut().ended = true;
                row.problems.push(read_failed(&self.file, row.line, &error));
                return true;
            }
        }
        // The only way to fail here is UTF-8: the records come from memory.
        if self.csv.read_record(&mut row.record).is_err() {
            self.read_lossily(row);
        }
        if row.record.as_slice().contains('\0') {
            for (position, cell) in row.record.iter().enumerate().filter(|(_, cell)| cell.contains('\0')) {
                let hint = "the file is damaged, or no text: write it again";
                row.problems.push(self.cell_problem(row.line, position, "has a NUL byte", hint).with_value(cell));
            }
        }
        true
    }

    fn bytes_read(&self) -> u64 {
        self.csv.get_ref().bytes_read
    }
}

/// Takes records apart; each ends with a single line feed, as [`Records`] hands them over.
fn reader<R: Read>(records: Records<R>) -> csv::Reader<Records<R>> {
    let delimiter = records.delimiter;
    reader_of(delimiter, records)
}

fn reader_of<R: Read>(delimiter: u8, input: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .delimiter(delimiter)
        .from_reader(input)
}

fn read_failed(file: &Arc<str>, line: u64, error: &io::Error) -> Problem {
    Problem::new(
        Place::of_line(file, line),
        format!("cannot be read on from here: {error}"),
        "check the disk; nothing of the file was recorded",
    )
}

#[cfg(test)]
mod tests {
    use crate::intake::table::{Row, TableReader};
    use std::io::{Cursor, Read};

    fn open(text: impl Into<Vec<u8>>) -> TableReader {
        TableReader::from_reader("t.csv", Cursor::new(text.into())).unwrap()
    }

    /// Each row as `line: cells`, or `line! problem`.
    fn rows(text: impl Into<Vec<u8>>) -> Vec<String> {
        let (mut table, mut row, mut seen) = (open(text), Row::default(), Vec::new());
        while table.next_row(&mut row) {
            match row.problems.first() {
                Some(problem) => seen.push(format!("{}! {}", row.line, problem.what)),
                None => seen.push(format!("{}: {}", row.line, row.record.iter().collect::<Vec<_>>().join("|"))),
            }
        }
        seen
    }

    fn refused(text: impl Into<Vec<u8>>) -> String {
        TableReader::from_reader("t.csv", Cursor::new(text.into())).err().unwrap().to_string()
    }

    #[test]
    fn a_row_stands_on_the_line_on_which_it_begins() {
        let text = "a,b\n1,2\n\n\"x\ny\n\",3\n4,5";
        let expected = ["2: 1|2", "4: x\ny\n|3", "7: 4|5"];
        assert_eq!(rows(text), expected);
        let windows: Vec<String> = expected.iter().map(|row| row.replace('\n', "\r\n")).collect();
        assert_eq!(rows(text.replace('\n', "\r\n")), windows);
        assert_eq!(rows(format!("\u{FEFF}{text}")), expected);
        assert_eq!(rows("\r\n\r\na,b\r\n\r\n1,2\r\n"), ["5: 1|2"]);
    }

    #[test]
    fn the_separator_is_found_from_the_header() {
        assert_eq!(open("a;b\n").header(), ["a", "b"]);
        assert_eq!(rows("a;b\n1,5;2\n"), ["2: 1,5|2"]);
        assert_eq!(rows("\"a\"\t\"b;c\"\n1\t2\n"), ["2: 1|2"]);
        assert_eq!(open("\u{FEFF}\"a\",\"b\"\n").header(), ["a", "b"]);
        assert_eq!(rows("a\n1\n"), ["2: 1"]);
    }

    #[test]
    fn quotes_are_read_as_rfc_4180_has_them() {
        assert_eq!(rows("a,b\n\"say \"\"hi\"\"\",\"1,2\"\n5\" disk,x\n"), ["2: say \"hi\"|1,2", "3: 5\" disk|x"]);
        assert_eq!(rows("a,b\n\"1\"2,x\n3,4\n"), ["2! has text behind the closing quote of a cell", "3: 3|4"]);
        let unclosed = "has a double quote that is not closed; the rest of the file cannot be read";
        assert_eq!(rows("a,b\n1,2\n3,\"4\n5,6\n"), ["2: 1|2".to_string(), format!("3! {unclosed}")]);
        assert!(refused("\"a,b\n1,2\n").contains("t.csv:1: has a double quote"));
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_named_with_its_column() {
        let mut table = open(b"name,place\nx,Krak\xF3w\nM\xFCller,M\xFCnchen\ny,z\n".to_vec());
        let (mut row, mut seen) = (Row::default(), Vec::new());
        while table.next_row(&mut row) {
            seen.extend(row.problems.iter().map(|problem| problem.to_string()));
        }
        assert_eq!(seen.len(), 3);
        assert!(seen[0].starts_with(
            "t.csv:2: place: \"Krak\u{FFFD}w\" has the byte 0xF3, which is no UTF-8 here\nhint: save the file as UTF-8"
        ));
        assert!(seen[0].contains("cp1252"));
        assert!(seen[1].starts_with("t.csv:3: name") && seen[2].starts_with("t.csv:3: place"));
        assert!(refused(b"na\xEFve\n".to_vec()).starts_with("t.csv:1: is not UTF-8"));
    }

    #[test]
    fn nul_bytes_are_named_with_their_column() {
        let mut table = open("a,b\n1,2\0\n");
        let mut row = Row::default();
        assert!(table.next_row(&mut row));
        assert_eq!(row.problems[0].to_string().lines().next(), Some("t.csv:2: b: \"2\\u{0}\" has a NUL byte"));
        assert!(refused("a\0,b\n").contains("has a NUL byte"));
    }

    #[test]
    fn what_is_no_csv_is_told() {
        assert!(refused("").starts_with("t.csv: is empty"));
        assert!(refused("\u{FEFF}\r\n\n").starts_with("t.csv: is empty"));
        assert!(refused(b"\xFF\xFEa\0,\0b\0".to_vec()).contains("is UTF-16"));
        assert!(refused("a,b\r1,2\r").contains("carriage return alone"));
        assert!(refused(b"SQLite format 3\0".to_vec()).contains("is a database"));
    }

    proptest::proptest! {
        /// A table written with any cells, line endings and blank lines is read back, each row on its line.
        #[test]
        fn what_is_written_is_read_back_on_its_line(
            cells in proptest::collection::vec(("[ab\",;\n é']{0,6}", "[xy\"\n]{1,4}"), 0..12),
            windows in proptest::bool::ANY,
            blanks in 0..3_usize,
        ) {
            let ending = if windows { "\r\n" } else { "\n" };
            let (mut text, mut expected) = (format!("a,b{ending}"), Vec::new());
            for (first, second) in &cells {
                text.push_str(&ending.repeat(blanks));
                expected.push((text.matches('\n').count() as u64 + 1, first.trim().to_string(), second.trim().to_string()));
                text.push_str(&format!("\"{}\",\"{}\"{ending}", first.replace('"', "\"\""), second.replace('"', "\"\"")));
            }
            expected.retain(|(_, first, second)| !first.is_empty() || !second.is_empty());
            let (mut table, mut row, mut seen) = (open(text), Row::default(), Vec::new());
            while table.next_row(&mut row) {
                proptest::prop_assert!(row.problems.is_empty());
                seen.push((row.line, row.record[0].trim().to_string(), row.record[1].trim().to_string()));
            }
            proptest::prop_assert_eq!(seen, expected);
        }

        /// Whatever the bytes are, reading ends, lines rise, and no row is lost without a word.
        #[test]
        fn no_bytes_end_in_a_panic(bytes in proptest::collection::vec(proptest::sample::select(b"ab,;\t\"\r\n\0\xC3\xA9\xFF'= ".to_vec()), 0..60)) {
            if let Ok(mut table) = TableReader::from_reader("t.csv", Cursor::new(bytes.clone())) {
                let (mut row, mut last, mut rows) = (Row::default(), 0, 0);
                while table.next_row(&mut row) {
                    proptest::prop_assert!(row.line > last && rows < bytes.len());
                    proptest::prop_assert!(!row.problems.is_empty() || row.record.len() == table.header().len());
                    (last, rows) = (row.line, rows + 1);
                }
            }
        }
    }

    /// A line of any length that no memory holds.
    struct Long {
        before: &'static [u8],
        length: usize,
        after: &'static [u8],
    }

    impl Read for Long {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if !self.before.is_empty() {
                return self.before.read(out);
            }
            if self.length == 0 {
                return self.after.read(out);
            }
            let count = out.len().min(self.length);
            out[..count].fill(b'x');
            self.length -= count;
            Ok(count)
        }
    }

    #[test]
    fn a_record_over_the_limit_is_passed_over_without_being_held() {
        let seen = |before, length, after| {
            let mut table = TableReader::from_reader("t.csv", Long { before, length, after }).unwrap();
            let (mut row, mut seen) = (Row::default(), Vec::new());
            while table.next_row(&mut row) {
                seen.push((row.line, row.problems.first().map(|problem| problem.what.clone()).unwrap_or_default()));
            }
            (seen, table.bytes_read())
        };
        let (rows, bytes) = seen(b"a,b\n1,", 100_000_000, b"\n3,4\n");
        assert_eq!(rows, [(2, "is longer than 1 MiB; a row is not that long".to_string()), (3, String::new())]);
        assert_eq!(bytes, 100_000_011);
        let (rows, _) = seen(b"a,b\n\"1\n", 3_000_000, b"\n3,4\n");
        assert_eq!(rows.len(), 1);
        assert!(rows[0].0 == 2 && rows[0].1.contains("not closed"));
        let (rows, _) = seen(b"a,b\n1,", 1_000_000, b"");
        assert_eq!(rows, [(2, String::new())]);
        assert!(TableReader::from_reader("t.csv", Long { before: b"a", length: 9_000_000, after: b"" }).is_err());
    }

    #[test]
    fn a_reading_that_fails_half_way_is_a_problem_of_that_place() {
        struct Failing(u8);
        impl Read for Failing {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => {
                        out[..8].copy_from_slice(b"a,b\n1,2\n");
                        Ok(8)
                    }
                    _ => Err(std::io::Error::other("the disk is gone")),
                }
            }
        }
        let mut table = TableReader::from_reader("t.csv", Failing(0)).unwrap();
        let mut row = Row::default();
        assert!(table.next_row(&mut row) && row.problems.is_empty());
        assert!(table.next_row(&mut row));
        assert_eq!(row.problems[0].to_string().lines().next(), Some("t.csv:3: cannot be read on from here: the disk is gone"));
        assert!(!table.next_row(&mut row));
    }
}
