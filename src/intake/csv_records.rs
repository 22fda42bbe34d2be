//! The records of a CSV text, one at a time, each on its line and none longer than memory can hold.
//!
//! This finds where a record begins and ends, and nothing else: the `csv` crate takes it apart. It keeps the line, which
//! the crate has wrong on CRLF files, sees a quote that is not closed, which is no error to the crate, and passes over a
//! record that would fill the memory. Invariant: at most one record, at most [`RECORD_MAX`] bytes of it, is held.

use super::place::{Place, Problem};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

/// Bytes that one record may have.
const RECORD_MAX: usize = 1 << 20;

/// What stands next in the text.
pub(super) enum Found {
    Record,
    End,
    Broken(Broken),
}

/// Why a record cannot be read as one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    TooLong,
    UnclosedQuote,
    TextAfterQuote,
}

impl Broken {
    pub(super) fn problem(self, file: &Arc<str>, line: u64) -> Problem {
        let (what, hint) = match self {
            Broken::TooLong => {
                ("is longer than 1 MiB; a row is not that long", "is this a CSV file? its rows end with a line break")
            }
            Broken::UnclosedQuote => (
                "has a double quote that is not closed; the rest of the file cannot be read",
                "close the quote; one inside a quoted cell is written twice",
            ),
            Broken::TextAfterQuote => {
                ("has text behind the closing quote of a cell", "a double quote inside a quoted cell is written twice")
            }
        };
        Problem::new(Place::of_line(file, line), what, hint)
    }
}

/// The records of a CSV text, one at a time, each on its line. As a `Read` it gives the record that was found last.
pub(super) struct Records<R> {
    input: BufReader<R>,
    /// Separator that was asked for.
    asked: Option<u8>,
    /// As asked, or found from the first line; 0 until then.
    pub(super) delimiter: u8,
    pub(super) record: Vec<u8>,
    /// How much of the record was read.
    given: usize,
    /// Line on which the record begins.
    pub(super) record_line: u64,
    /// Lines read so far.
    lines: u64,
    pub(super) bytes_read: u64,
    pub(super) ended: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, asked: Option<u8>) -> Records<R> {
        let input = BufReader::with_capacity(1 << 16, input);
        Records {
            input,
            asked,
            delimiter: 0,
            record: Vec::new(),
            given: 0,
            record_line: 0,
            lines: 0,
            bytes_read: 0,
            ended: false,
        }
    }

    /// Finds the next record that is not a blank line.
    pub(super) fn advance(&mut self) -> io::Result<Found> {
        loop {
            self.record.clear();
            self.given = 0;
            self.record_line = self.lines + 1;
            let mut quotes = Quotes::default();
            loop {
                let from = self.record.len();
                if self.ended || self.read_line()? == 0 {
                    self.ended = true;
                    return Ok(if from == 0 { Found::End } else { Found::Broken(Broken::UnclosedQuote) });
                }
                if self.delimiter == 0 {
                    self.begin_text();
                }
                if self.record.len() > RECORD_MAX {
                    return self.give_up(quotes.inside);
                }
                quotes.follow(&self.record[from..], self.delimiter);
                if !quotes.inside {
                    break;
                }
            }
            while self.record.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                self.record.pop();
            }
            if self.record.is_empty() {
                continue;
            }
            self.record.push(b'\n');
            return Ok(if quotes.text_after { Found::Broken(Broken::TextAfterQuote) } else { Found::Record });
        }
    }

    /// Adds a line to the record, but no more than shows that it is too long. 0 at the end of the text.
    fn read_line(&mut self) -> io::Result<usize> {
        let room = (RECORD_MAX + 1).saturating_sub(self.record.len());
        let read = (&mut self.input).take(room as u64).read_until(b'\n', &mut self.record)?;
        self.lines += u64::from(read > 0);
        self.bytes_read += read as u64;
        Ok(read)
    }

    /// Passes over the rest of a record that is too long, without holding it.
    fn give_up(&mut self, inside_quotes: bool) -> io::Result<Found> {
        self.ended = inside_quotes;
        let mut at_line_end = self.record.last() == Some(&b'\n');
        while !at_line_end && !self.ended {
            let buffer = self.input.fill_buf()?;
            let line_end = buffer.iter().position(|byte| *byte == b'\n');
            let passed = line_end.map_or(buffer.len(), |position| position + 1);
            at_line_end = line_end.is_some();
            self.ended = passed == 0;
            self.input.consume(passed);
            self.bytes_read += passed as u64;
        }
        Ok(Found::Broken(if inside_quotes { Broken::UnclosedQuote } else { Broken::TooLong }))
    }

    /// Takes the BOM off the first line, and finds the separator that most of its columns are parted by.
    fn begin_text(&mut self) {
        if self.record.starts_with(b"\xEF\xBB\xBF") {
            self.record.drain(..3);
        }
        let count = |separator: u8| {
            let mut quoted = false;
            self.record
                .iter()
                .filter(|byte| {
                    quoted ^= **byte == b'"';
                    !quoted && **byte == separator
                })
                .count()
        };
        let blank = self.record.iter().all(|byte| matches!(byte, b'\n' | b'\r'));
        if !blank {
            // Of several that are equally frequent the first stands: max_by_key would take the last.
            let found = || [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',');
            self.delimiter = self.asked.unwrap_or_else(found);
        }
    }

    /// Whether the text that was just begun is something else than CSV in UTF-8.
    pub(super) fn no_csv(&self, file: &Arc<str>) -> Option<Problem> {
        let problem = |what: &str, hint: &str| Some(Problem::new(Place::of_file(file), what, hint));
        match self.record.as_slice() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => problem("is UTF-16, not UTF-8", "save it as `CSV UTF-8`"),
            [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => {
                problem("is a database, not CSV", "a ledger is named with --ledger")
            }
            [record @ .., _] if record.contains(&b'\r') && !record.contains(&b'"') => {
                problem("has lines that end with a carriage return alone", "save it with line feeds (LF or CRLF)")
            }
            _ => None,
        }
    }
}

impl<R: Read> Read for Records<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = &self.record[self.given..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// Whether a text stands inside a quoted cell, by the very rules of the `csv` crate: a quote opens at the beginning of
/// a cell alone, and two quotes inside are one.
#[derive(Default)]
struct Quotes {
    inside: bool,
    /// Text stood behind a closing quote.
    text_after: bool,
    /// The last byte was a quote inside, which closes unless another follows.
    closing: bool,
    /// The cell has begun.
    begun: bool,
}

impl Quotes {
    /// Follows a line of a record; `inside` tells whether the next line belongs to it.
    fn follow(&mut self, line: &[u8], delimiter: u8) {
        // Most lines have no quote, and finding that out is the fastest there is.
        if !self.inside && !line.contains(&b'"') {
            return;
        }
        for byte in line {
            if self.inside {
                self.inside = *byte != b'"';
                self.closing = !self.inside;
            } else if *byte == delimiter {
                (self.begun, self.closing) = (false, false);
            } else if *byte == b'"' && (self.closing || !self.begun) {
                (self.inside, self.begun, self.closing) = (true, true, false);
            } else if !matches!(byte, b'\r' | b'\n') {
                self.text_after |= self.closing;
                (self.begun, self.closing) = (true, false);
            }
        }
    }
}
