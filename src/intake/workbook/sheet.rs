//! The rows of a sheet.
//!
//! The sheet is gone through twice: first for what is hidden, merged or nowhere shown, which the file says partly behind its
//! cells; then row by row. Invariant: a row that is hidden, or has a part in merged cells, has a problem that says so.

use super::package::{Broken, attribute, damaged, is_true, xml};
use super::placed;
use super::values::{Raw, Values, referred, rich_text};
use crate::intake::layout::{Origin, letters};
use crate::intake::place::{Place, Problem};
use crate::intake::table::{Row, Source};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::sync::Arc;

/// Merged cells that are told apart; a sheet with more is no table.
const MERGED_MAX: usize = 10_000;

/// A rectangle of cells, rows and columns from 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Merged {
    from: (u64, usize),
    to: (u64, usize),
}

/// What a sheet says of itself beside its cells.
#[derive(Default)]
pub(super) struct Findings {
    /// Hidden columns, first and last, from 0.
    hidden: Vec<(usize, usize)>,
    /// Hidden rows with something in them.
    hidden_rows: u64,
    /// Columns with something in them.
    used: BTreeSet<usize>,
    merged: Vec<Merged>,
    rows: u64,
}

impl Findings {
    /// Goes through a sheet, which then stands at its beginning again.
    pub(super) fn of(mut input: &File) -> Result<Findings, Broken> {
        let (mut xml, mut buffer, mut found) = (xml(input), Vec::new(), Findings::default());
        let (mut column, mut row_is_hidden, mut row_is_counted) = (0, false, false);
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer).map_err(damaged)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "col" if is_hidden(&element, "width")? => {
                        let number =
                            |name| attribute(&element, name).map(|text| text.and_then(|text| text.parse::<usize>().ok()));
                        if let (Some(from @ 1..), Some(to)) = (number("min")?, number("max")?) {
                            found.hidden.push((from - 1, to.saturating_sub(1)));
                        }
                    }
                    "row" => {
                        (column, row_is_counted) = (0, false);
                        row_is_hidden = is_hidden(&element, "ht")?;
                        found.rows += 1;
                    }
                    "c" => column = position(&element)?.map_or(column, |(_, column)| column) + 1,
                    "v" | "is" | "f" if column > 0 => {
                        found.used.insert(column - 1);
                        found.hidden_rows += u64::from(row_is_hidden && !row_is_counted);
                        row_is_counted = true;
                    }
                    "mergeCell" => found.merge(&element)?,
                    _ => {}
                },
                Event::Eof => break,
                _ => {}
            }
        }
        found.merged.sort();
        input.rewind().map_err(damaged)?;
        Ok(found)
    }

    fn merge(&mut self, element: &BytesStart) -> Result<(), Broken> {
        let range = attribute(element, "ref")?.unwrap_or_default();
        let (from, to) = range.split_once(':').unwrap_or((&range, &range));
        if let (Some(from), Some(to)) = (cell_position(from), cell_position(to))
            && from != to
        {
            self.merged.push(Merged { from, to });
        }
        if self.merged.len() > MERGED_MAX {
            return Err((
                format!("has more than {MERGED_MAX} merged cells in the sheet"),
                "unmerge them, and fill each cell".into(),
            ));
        }
        Ok(())
    }
}

/// Whether a row or column is not shown: said so, or of no size.
fn is_hidden(element: &BytesStart, size: &str) -> Result<bool, Broken> {
    let hidden = attribute(element, "hidden")?.is_some_and(|value| is_true(&value));
    Ok(hidden || attribute(element, size)?.is_some_and(|size| size.bytes().all(|byte| matches!(byte, b'0' | b'.'))))
}

/// Row and column of a cell, from 0; `None` where it stands behind the one before.
fn position(element: &BytesStart) -> Result<Option<(u64, usize)>, Broken> {
    let Some(text) = attribute(element, "r")? else { return Ok(None) };
    cell_position(&text)
        .map(Some)
        .ok_or_else(|| damaged(format!("a cell stands at \"{}\"", crate::intake::place::shortened(&text))))
}

/// Row and column of `D17`, from 0.
fn cell_position(text: &str) -> Option<(u64, usize)> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = text.split_at(digits);
    // XFD is the last column that there is, and row 1048576 the last row.
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let column = letters.bytes().fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1);
    let row = digits.parse::<u64>().ok().filter(|row| (1..=1_048_576).contains(row))?;
    Some((row - 1, column - 1))
}

/// The rows of a sheet, one after the other.
pub(super) struct SheetRows {
    xml: Reader<BufReader<File>>,
    values: Values,
    findings: Findings,
    /// Merged cells that reach into the rows at hand, and how many of all were looked at.
    reaching: Vec<Merged>,
    looked_at: usize,
    /// Where the table stands; until its header is known, no place has a name.
    origin: Origin,
    first: usize,
    header: Vec<String>,
    buffer: Vec<u8>,
    cells: Vec<String>,
    raw: Raw,
    /// Number of the row read last, from 1.
    row: u64,
    rows: u64,
    size: u64,
    ended: bool,
}

impl SheetRows {
    pub(super) fn new(input: File, values: Values, findings: Findings, size: u64) -> SheetRows {
        SheetRows {
            xml: xml(input),
            values,
            findings,
            reaching: Vec::new(),
            looked_at: 0,
            origin: Origin::of_file(&Arc::from("")),
            first: 0,
            header: Vec::new(),
            buffer: Vec::new(),
            cells: Vec::new(),
            raw: Raw::default(),
            row: 0,
            rows: 0,
            size,
            ended: false,
        }
    }

    /// From here on rows are read under this header, which begins in column `first`.
    pub(super) fn under(&mut self, origin: Origin, first: usize, header: Vec<String>) {
        (self.origin, self.first, self.header) = (origin, first, header);
    }

    /// Hidden columns of the table that have something in them: position in the header, what, and hint.
    pub(super) fn hidden_columns(&self, first: usize, header: &[String]) -> Vec<(usize, String, &'static str)> {
        let is_hidden = |at: &usize| self.findings.hidden.iter().any(|(from, to)| (*from..=*to).contains(at));
        let table = first..first + header.len();
        self.findings
            .used
            .iter()
            .filter(|at| table.contains(at) && is_hidden(at))
            .map(|at| {
                let what = format!("stands in column {}, which is hidden and has values", letters(*at));
                (*at - first, what, "show the column and look at it, or delete it")
            })
            .collect()
    }

    /// Reads the next row as it stands, all its cells from column A; problems have the number of their column.
    pub(super) fn read(&mut self, row: &mut Row) -> bool {
        row.problems.clear();
        row.record.clear();
        if self.ended {
            return false;
        }
        match self.read_row(row) {
            Ok(found) => {
                self.ended = !found;
                found
            }
            Err((what, hint)) => {
                self.ended = true;
                row.line = self.row;
                row.problems.push(Problem::new(self.origin.row(self.row), what, hint));
                true
            }
        }
    }

    fn read_row(&mut self, row: &mut Row) -> Result<bool, Broken> {
        let mut is_hidden_row = false;
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer).map_err(damaged)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "row" => {
                        let number = attribute(&element, "r")?.and_then(|text| text.parse().ok());
                        self.row = number.unwrap_or(self.row + 1);
                        self.rows += 1;
                        row.line = self.row;
                        is_hidden_row = is_hidden(&element, "ht")?;
                        self.cells.clear();
                    }
                    "c" => {
                        let at = position(&element)?.map_or(self.cells.len(), |(_, column)| column);
                        self.raw.kind = attribute(&element, "t")?.unwrap_or_default();
                        self.raw.style = attribute(&element, "s")?.and_then(|text| text.parse().ok()).unwrap_or_default();
                        self.read_cell()?;
                        self.take(at, row);
                    }
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "row" => {
                    row.record.extend(&self.cells);
                    if is_hidden_row && row.record.iter().any(|cell| !cell.trim().is_empty()) {
                        row.problems.push(self.hidden());
                    }
                    self.tell_merged(row);
                    return Ok(true);
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => return Ok(false),
                Event::Eof => return Err(damaged("the sheet ends in the middle")),
                _ => {}
            }
        }
    }

    /// Reads up to the end of a cell.
    fn read_cell(&mut self) -> Result<(), Broken> {
        self.raw.value.clear();
        self.raw.is_formula = false;
        let mut in_value = false;
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer).map_err(damaged)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => in_value = true,
                    "f" => self.raw.is_formula = true,
                    "is" => rich_text(&mut self.xml, "is", &mut self.raw.value)?,
                    _ => {}
                },
                Event::Text(text) if in_value => self.raw.value.push_str(&text.xml10_content()),
                Event::GeneralRef(name) if in_value => self.raw.value.push_str(&referred(&name)?),
                Event::End(element) => match element.local_name().as_ref() {
                    "v" => in_value = false,
                    "c" => return Ok(()),
                    _ => {}
                },
                Event::Eof => return Err(damaged("the sheet ends in the middle of a cell")),
                _ => {}
            }
        }
    }

    /// Puts the cell that was read into its column, or what is wrong with it.
    fn take(&mut self, at: usize, row: &mut Row) {
        let text = self.values.text(&self.raw).unwrap_or_else(|(what, hint)| {
            let place = Place { line: self.row, ..Place::of_file(self.origin.file()) };
            row.problems.push(Problem::new(place.at(at.to_string()), what, hint));
            // Something stands there, so that it is not called blank as well.
            if self.raw.value.is_empty() { "=".to_string() } else { self.raw.value.clone() }
        });
        if self.cells.len() <= at {
            if text.is_empty() {
                return;
            }
            self.cells.resize(at, String::new());
            self.cells.push(text);
        } else {
            self.cells[at] = text;
        }
    }

    fn hidden(&self) -> Problem {
        let count = self.findings.hidden_rows;
        let what = if count == 1 {
            "is hidden, and has values".into()
        } else {
            format!("is hidden, one of {count} hidden rows with values")
        };
        let hint = "show them and look at them (a filter hides rows as well), or delete them; told once";
        Problem::new(self.origin.row(self.row), what, hint).following()
    }

    /// Tells merged cells that the row has a part in.
    fn tell_merged(&mut self, row: &mut Row) {
        let number = self.row.saturating_sub(1);
        while let Some(merged) = self.findings.merged.get(self.looked_at).filter(|merged| merged.from.0 <= number) {
            self.reaching.push(merged.clone());
            self.looked_at += 1;
        }
        self.reaching.retain(|merged| merged.to.0 >= number);
        let table = self.first..self.first + self.header.len().max(1);
        for Merged { from, to } in &self.reaching {
            let is_beside = !self.header.is_empty() && (to.1 < table.start || from.1 >= table.end);
            if is_beside {
                continue;
            }
            let cell = |(row, column): &(u64, usize)| format!("{}{}", letters(*column), row + 1);
            let what = format!("has a part in the merged cells {}:{}", cell(from), cell(to));
            let hint = "unmerge them, and write in each cell what it says";
            row.problems.push(Problem::new(self.origin.row(self.row), what, hint).following());
        }
    }
}

impl Source for SheetRows {
    fn next(&mut self, row: &mut Row) -> bool {
        if !self.read(row) {
            return false;
        }
        for problem in &mut row.problems {
            *problem = placed(problem.clone(), &self.origin, self.first, &self.header);
        }
        let end = self.first + self.header.len();
        for (at, value) in row.record.iter().enumerate() {
            if !(self.first..end).contains(&at) && !value.trim().is_empty() {
                let what = format!("has a value in column {}, which has no name in the header", letters(at));
                row.problems.push(
                    Problem::new(self.origin.row(row.line), what, "name the column, or clear the cell").with_value(value.trim()),
                );
            }
        }
        let cells = (self.first..end).map(|at| row.record.get(at).unwrap_or_default());
        row.record = cells.collect();
        true
    }

    fn bytes_read(&self) -> u64 {
        self.size * self.rows.min(self.findings.rows) / self.findings.rows.max(1)
    }
}
