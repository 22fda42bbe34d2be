//! The typed table: what a cell is, what a column is, what a report is made of.
//!
//! Every report is rows of [`Cell`]s under a [`Schema`] before any format is chosen. A cell carries its type, so a
//! writer can align a number, guard a text against spreadsheets and leave a number alone. Nothing here computes: an
//! amount arrives as an amount, a percent with its two decimals. Invariant: a cell is empty or of its column's type;
//! "no data" is an empty cell and never a zero.

use crate::quota::codes::Country;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::io::Write;

/// One cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// No value.
    Empty,
    /// What people wrote: names, identifiers, references.
    Text(String),
    /// A word or code of the program or the law: status, country, kind, ECCN.
    Code(Cow<'static, str>),
    /// A whole number.
    Whole(i64),
    /// TPP.
    Amount(Tpp),
    /// Percent, with two decimals.
    Percent(Decimal),
    /// A calendar day.
    Day(NaiveDate),
}

impl Cell {
    /// A text; an empty one is an empty cell.
    pub fn text(text: impl Into<String>) -> Cell {
        let text = text.into();
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }

    /// A word of the program.
    pub const fn code(word: &'static str) -> Cell {
        Cell::Code(Cow::Borrowed(word))
    }

    /// `yes` or `no`.
    pub const fn yes_no(value: bool) -> Cell {
        Cell::code(if value { "yes" } else { "no" })
    }

    /// Several words in one cell, with a blank between them; none is an empty cell.
    pub fn codes<'a>(words: impl IntoIterator<Item = &'a str>) -> Cell {
        let mut joined = String::new();
        for word in words {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(word);
        }
        if joined.is_empty() { Cell::Empty } else { Cell::Code(Cow::Owned(joined)) }
    }

    /// Whether the cell may stand in a column of this type. Words and texts may stand for one another: the guard of
    /// the CSV writer looks at both.
    pub fn fits(&self, kind: ColumnType) -> bool {
        match self {
            Cell::Empty => true,
            Cell::Text(_) | Cell::Code(_) => matches!(kind, ColumnType::Text | ColumnType::Code),
            Cell::Whole(_) => kind == ColumnType::Whole,
            Cell::Amount(_) => kind == ColumnType::Amount,
            Cell::Percent(_) => kind == ColumnType::Percent,
            Cell::Day(_) => kind == ColumnType::Day,
        }
    }

    /// Appends a value as files write it, without quotes: `.` decimals, no digit grouping, no trailing zeros in an
    /// amount, two decimals in a percent, days as `YYYY-MM-DD`. Text is appended as it is.
    pub(super) fn push_plain(&self, out: &mut Vec<u8>) {
        match self {
            Cell::Empty => Ok(()),
            Cell::Text(text) => out.write_all(text.as_bytes()),
            Cell::Code(word) => out.write_all(word.as_bytes()),
            Cell::Whole(number) => write!(out, "{number}"),
            Cell::Amount(tpp) => write!(out, "{tpp}"),
            Cell::Percent(percent) => {
                assert!(percent.scale() <= 2, "percent_has_two_decimals: {percent}");
                write!(out, "{percent:.2}")
            }
            Cell::Day(day) => write!(out, "{day}"),
        }
        .expect("writing to memory does not fail");
    }
}

impl From<Tpp> for Cell {
    fn from(tpp: Tpp) -> Cell {
        Cell::Amount(tpp)
    }
}

impl From<NaiveDate> for Cell {
    fn from(day: NaiveDate) -> Cell {
        Cell::Day(day)
    }
}

impl From<Country> for Cell {
    fn from(country: Country) -> Cell {
        Cell::Code(Cow::Owned(country.as_str().to_owned()))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Cell {
        Cell::Whole(i64::from(number))
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        Cell::Whole(i64::try_from(number).expect("record numbers and quantities are below 2^63"))
    }
}

/// `None` is an empty cell, never a zero.
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Empty, Into::into)
    }
}

/// Type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// What people wrote.
    Text,
    /// A word or code.
    Code,
    /// A whole number.
    Whole,
    /// TPP.
    Amount,
    /// Percent.
    Percent,
    /// A calendar day.
    Day,
}

impl ColumnType {
    /// Whether the column is read as numbers and aligned to the right.
    pub const fn is_number(self) -> bool {
        matches!(self, ColumnType::Whole | ColumnType::Amount | ColumnType::Percent)
    }

    /// The type in a Frictionless Table Schema.
    pub const fn frictionless(self) -> &'static str {
        match self {
            ColumnType::Text | ColumnType::Code => "string",
            ColumnType::Whole => "integer",
            ColumnType::Amount | ColumnType::Percent => "number",
            ColumnType::Day => "date",
        }
    }
}

/// One column of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Name, the same in CSV, JSON and the terminal.
    pub name: &'static str,
    /// Type of its cells.
    pub kind: ColumnType,
    /// Unit; blank where there is none.
    pub unit: &'static str,
    /// One sentence.
    pub meaning: &'static str,
}

/// What a report is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schema {
    /// Name of the report; its file is called so.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The columns that tell one row from another, in the order in which rows are sorted.
    pub key: &'static [&'static str],
    /// Columns, in order.
    pub columns: Vec<Column>,
}

impl Schema {
    /// Asserts that a row is one of this table. A row of another shape is a mistake of the program, not of the user.
    pub fn check(&self, cells: &[Cell]) {
        assert_eq!(cells.len(), self.columns.len(), "row_has_every_column: {}", self.name);
        for (cell, column) in cells.iter().zip(&self.columns) {
            assert!(cell.fits(column.kind), "cell_is_of_its_columns_type: {}.{}: {cell:?}", self.name, column.name);
        }
    }

    /// Place of a column.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A report whose rows are all known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// What it is made of.
    pub schema: Schema,
    /// Rows, sorted by the key.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(schema: Schema) -> Self {
        Table { schema, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.schema.check(&row);
        self.rows.push(row);
    }

    /// The same rows with these columns only, in this order, e.g. for a narrow terminal. A name that the table does
    /// not have is left out.
    pub fn select(&self, names: &[&str]) -> Table {
        let places: Vec<usize> = names.iter().filter_map(|name| self.schema.index_of(name)).collect();
        let columns = places.iter().map(|place| self.schema.columns[*place]).collect();
        let rows = self.rows.iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect();
        Table { schema: Schema { columns, ..self.schema.clone() }, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::*;

    fn plain(cell: impl Into<Cell>) -> String {
        let mut out = Vec::new();
        cell.into().push_plain(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_written_as_files_write_them() {
        assert_eq!(plain(Tpp::from_thousandths(790_000_000_500)), "790000000.5");
        assert_eq!(plain(Tpp::from_thousandths(-5_000)), "-5");
        assert_eq!(plain(Cell::Percent(Decimal::new(20, 2))), "0.20");
        assert_eq!(plain(Cell::Percent(Decimal::from(150))), "150.00");
        assert_eq!(plain("2026-02-28".parse::<NaiveDate>().unwrap()), "2026-02-28");
        assert_eq!(plain(Country::new("NA").unwrap()), "NA");
        assert_eq!(plain(None::<Tpp>), "");
        assert_eq!(plain(Cell::codes(["assumed", "future_dated"])), "assumed future_dated");
    }

    #[test]
    fn no_data_is_an_empty_cell_and_never_a_zero() {
        assert_eq!(Cell::from(None::<u32>), Cell::Empty);
        assert_eq!(Cell::from(Some(0_u32)), Cell::Whole(0));
        assert_eq!(Cell::text(""), Cell::Empty);
        assert_eq!(Cell::codes([]), Cell::Empty);
    }

    #[test]
    #[should_panic(expected = "cell_is_of_its_columns_type: schedule.tpp")]
    fn an_amount_is_never_a_text() {
        let day = Cell::Day("2026-02-28".parse().unwrap());
        Table::new(columns::schedule()).push(vec![
            Cell::code("PL"),
            Cell::text("Poland"),
            day,
            Cell::code("expired"),
            Cell::text("5"),
        ]);
    }

    #[test]
    fn columns_can_be_chosen() {
        let chosen = Table::new(columns::schedule()).select(&["tpp", "day", "nothing"]);
        assert_eq!(chosen.schema.columns.iter().map(|column| column.name).collect::<Vec<_>>(), ["tpp", "day"]);
    }
}
