//! Tables for people: aligned, grouped digits, as wide as the terminal.
//!
//! A number never breaks over two lines and no column is dropped in silence. A table that is too wide first says once,
//! above, what is the same in every row; then it wraps its texts; what still does not fit is written as one block a
//! row. Color is used only when asked and is never the only sign. Invariant: no control character of a user's text
//! reaches the terminal.

use super::error::WriteError;
use super::table::{Cell, Column, ColumnType, Schema, Table};
use super::tally::{Tally, Written};
use super::{Look, RowWriter};
use crate::quota::tpp::Tpp;
use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width};
use std::io::Write;

/// Columns between two columns.
const GAP: u16 = 2;
/// A text column may shrink to this width.
const TEXT_MINIMUM: u16 = 12;
/// Marks before and after a colored word. They take no room on a terminal, so the widths stay right, and they are
/// replaced by color before anything is shown.
const RED: char = '\u{2061}';
const YELLOW: char = '\u{2062}';
const END: char = '\u{2063}';

/// Collects the rows of a table and writes them when all are known.
pub struct TerminalWriter<W> {
    out: Tally<W>,
    table: Table,
    look: Look,
}

impl<W: Write> TerminalWriter<W> {
    /// Begins a table.
    pub fn new(out: W, schema: &Schema, look: Look) -> Self {
        TerminalWriter { out: Tally::new(out), table: Table::new(schema.clone()), look }
    }
}

impl<W: Write> RowWriter for TerminalWriter<W> {
    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.table.push(cells.to_vec());
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, WriteError> {
        self.out.write(render(&self.table, self.look).as_bytes())?;
        self.out.finish(self.table.rows.len() as u64)
    }
}

/// The table as text that ends with a line end.
pub fn render(table: &Table, look: Look) -> String {
    let width = look.width.unwrap_or(u16::MAX);
    let mut text = String::new();
    let (schema, rows) = (&table.schema, &table.rows);
    if let Some(grid) = grid(&schema.columns, rows, width) {
        text.push_str(&grid);
    } else {
        let (same, other) = split_constant(table);
        text.push_str(&same);
        match grid(&other.schema.columns, &other.rows, width) {
            Some(grid) => text.push_str(&grid),
            None => text.push_str(&blocks(&other, width)),
        }
    }
    if rows.is_empty() {
        text.push_str("(no rows)\n");
    }
    paint(&text, look.color)
}

/// Rows under their headings; `None` where that does not fit the width.
fn grid(columns: &[Column], rows: &[Vec<Cell>], width: u16) -> Option<String> {
    let mut grid = comfy_table::Table::new();
    grid.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
    grid.set_header(columns.iter().map(|column| longest_word(&heading(column))));
    for row in rows {
        grid.add_row(row.iter().zip(columns).map(|(cell, column)| shown(cell, column)));
    }
    // The headings are folded to what their column needs anyway, so that a heading never makes a table wide.
    let widths = grid.column_max_content_widths();
    grid.set_header(columns.iter().zip(&widths).map(|(column, width)| fold(&heading(column), *width)));
    let gaps = GAP * u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let minimum = |column: &Column, natural: u16| {
        if column.kind == ColumnType::Text { natural.min(TEXT_MINIMUM) } else { natural }
    };
    let least: u32 = columns.iter().zip(&widths).map(|(column, natural)| u32::from(minimum(column, *natural))).sum();
    if least + u32::from(gaps) > u32::from(width) {
        return None;
    }
    grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    let last = columns.len().saturating_sub(1);
    for (index, (column, natural)) in columns.iter().zip(&widths).enumerate() {
        let gap = if index == last { 0 } else { GAP };
        let shape = grid.column_mut(index).expect("every heading made its column");
        shape.set_padding((0, gap));
        if column.kind.is_number() {
            shape.set_cell_alignment(CellAlignment::Right);
        }
        shape.set_constraint(match column.kind {
            ColumnType::Text => ColumnConstraint::LowerBoundary(Width::Fixed(minimum(column, *natural) + gap)),
            _ => ColumnConstraint::ContentWidth,
        });
    }
    Some(grid.trim_fmt() + "\n")
}

/// One block a row: a name and its value on each line.
fn blocks(table: &Table, width: u16) -> String {
    let mut text = String::new();
    for (index, row) in table.rows.iter().enumerate() {
        let mut block = comfy_table::Table::new();
        block.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (cell, column) in row.iter().zip(&table.schema.columns) {
            block.add_row([heading(column), shown(cell, column)]);
        }
        if let Some(names) = block.column_mut(0) {
            names.set_padding((0, GAP)).set_constraint(ColumnConstraint::ContentWidth);
        }
        if let Some(values) = block.column_mut(1) {
            values.set_padding((0, 0));
        }
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&block.trim_fmt());
        text.push('\n');
    }
    text
}

/// What is the same in every row, as lines of text, and the table without those columns. A single row is all the same,
/// so nothing is taken out of it; destination and status always stay in the rows.
fn split_constant(table: &Table) -> (String, Table) {
    let (schema, rows) = (&table.schema, &table.rows);
    let stays = |index: usize| {
        let name = schema.columns[index].name;
        rows.len() < 2 || name == "destination" || name == "status" || rows.iter().any(|row| row[index] != rows[0][index])
    };
    let (kept, same): (Vec<usize>, Vec<usize>) = (0..schema.columns.len()).partition(|index| stays(*index));
    let mut text = String::new();
    for index in &same {
        let column = &schema.columns[*index];
        let value = shown(&rows[0][*index], column);
        let value = if value.is_empty() { "(empty)" } else { &value };
        text.push_str(&format!("{}: {value}\n", heading(column)));
    }
    if !same.is_empty() {
        text.push('\n');
    }
    let names: Vec<&str> = kept.iter().map(|index| schema.columns[*index].name).collect();
    (text, table.select(&names))
}

/// The name of a column in words, with its unit.
fn heading(column: &Column) -> String {
    let words = column.name.replace('_', " ");
    match words.rsplit_once(' ') {
        Some((rest, "tpp")) => format!("{rest} TPP"),
        Some((rest, "pct")) => format!("{rest} %"),
        _ if words == "tpp" => String::from("TPP"),
        _ => words,
    }
}

fn longest_word(heading: &str) -> String {
    heading.split(' ').max_by_key(|word| word.len()).unwrap_or_default().to_owned()
}

/// Breaks a heading between words so that no line is longer than the column; a heading is ASCII.
fn fold(heading: &str, width: u16) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in heading.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= usize::from(width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// A cell for people: digits grouped, control characters made harmless, the word of a status marked for its color.
fn shown(cell: &Cell, column: &Column) -> String {
    match cell {
        Cell::Amount(tpp) => tpp.grouped(),
        Cell::Text(text) => harmless(text),
        Cell::Code(word) if column.name == "status" => match word.as_ref() {
            "overrun" => format!("{RED}{word}{END}"),
            "met" | "critical" => format!("{YELLOW}{word}{END}"),
            _ => harmless(word),
        },
        Cell::Code(word) => harmless(word),
        Cell::Whole(number) if column.unit == "units" => match number.checked_mul(1000) {
            Some(thousandths) => Tpp::from_thousandths(thousandths).grouped(),
            None => number.to_string(),
        },
        other => {
            let mut plain = Vec::new();
            other.push_plain(&mut plain);
            String::from_utf8(plain).expect("numbers and days are ASCII")
        }
    }
}

/// A text that cannot steer the terminal: line ends and tabs become blanks; other control characters, marks that turn
/// the writing direction and our own marks of color become a replacement character.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\r' | '\t' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => '\u{fffd}',
            control if control.is_control() => '\u{fffd}',
            letter => letter,
        })
        .collect()
}

/// Replaces the marks by color, or by nothing. Color ends with its line, so that a word broken by a very narrow
/// terminal does not color what follows.
fn paint(text: &str, color: bool) -> String {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    let mut out = String::with_capacity(text.len());
    let mut open: Option<Style> = None;
    for letter in text.chars() {
        let ends = matches!(letter, END | '\n');
        if let Some(style) = open.take_if(|_| ends) {
            out.push_str(&style.render_reset().to_string());
        }
        match letter {
            RED | YELLOW if color => {
                let style = if letter == RED { red } else { yellow };
                out.push_str(&style.render().to_string());
                open = Some(style);
            }
            RED | YELLOW | END => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::columns::{self, HeadroomExtras};
    use super::*;

    const SHORT: &[&str] =
        &["destination", "destination_name", "limit_tpp", "licensed_tpp", "headroom_tpp", "utilization_pct", "status"];

    fn headroom(rows: &[(&'static str, &str, i64, &'static str)]) -> Table {
        let mut table = Table::new(columns::headroom(HeadroomExtras::default()));
        for (code, name, licensed, status) in rows {
            let tpp = |whole: i64| Cell::Amount(Tpp::from_thousandths(whole * 1000));
            let left = 790_000_000 - licensed;
            table.push(vec![
                Cell::text("us-ear-ai-diffusion"),
                Cell::code("country"),
                Cell::code(code),
                Cell::text(*name),
                Cell::code("2025-01-01/2027-12-31"),
                Cell::Day("2026-06-30".parse().unwrap()),
                tpp(790_000_000),
                tpp(0),
                tpp(790_000_000),
                tpp(0),
                tpp(*licensed),
                tpp(0),
                tpp(0),
                tpp(*licensed),
                Cell::Empty,
                tpp(left),
                tpp(left),
                Cell::from(
                    Tpp::from_thousandths(*licensed).utilization_pct(Tpp::from_thousandths(790_000_000)).map(Cell::Percent),
                ),
                Cell::code(status),
                Cell::text("742.6(b)(10)(iii)"),
            ]);
        }
        table
    }

    fn two() -> Table {
        headroom(&[("BR", "Brazil", 790_000_005, "overrun"), ("PL", "Poland", 1_583_200, "open")])
    }

    #[test]
    fn numbers_stand_right_with_grouped_digits_under_folded_headings() {
        let text = render(&two().select(SHORT), Look::default());
        assert_eq!(
            text,
            "\
destination  destination    limit TPP     licensed     headroom  utilization  status
             name                              TPP          TPP            %
─────────────────────────────────────────────────────────────────────────────────────
BR           Brazil       790,000,000  790,000,005           -5       100.00  overrun
PL           Poland       790,000,000    1,583,200  788,416,800         0.20  open
"
        );
    }

    #[test]
    fn a_narrow_terminal_breaks_texts_and_never_a_number() {
        let table = headroom(&[("BO", "Bolivia (Plurinational State of)", 1, "open"), ("PL", "Poland", 2, "open")]).select(SHORT);
        let text = render(&table, Look { width: Some(90), ..Look::default() });
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
        assert!(text.contains("790,000,000") && text.contains("Bolivia"), "{text}");
    }

    #[test]
    fn what_is_the_same_in_every_row_is_said_once_where_room_is_short() {
        let text = render(&two(), Look { width: Some(150), ..Look::default() });
        assert!(
            text.starts_with(
                "regime: us-ear-ai-diffusion\nallocation: country\nperiod: 2025-01-01/2027-12-31\nas of: 2026-06-30\n"
            ),
            "{text}"
        );
        assert!(text.contains("pending TPP: (empty)\n"), "no data is said and never shown as zero: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 150), "{text}");
    }

    #[test]
    fn a_row_that_does_not_fit_becomes_a_block_and_loses_nothing() {
        let text = render(&headroom(&[("PL", "Poland", 1_583_200, "open")]), Look { width: Some(60), ..Look::default() });
        assert_eq!(text.lines().count(), 20, "{text}");
        assert!(text.contains("headroom after pending TPP  788,416,800\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn color_is_never_the_only_sign_and_takes_no_room() {
        let plain = render(&two().select(SHORT), Look::default());
        let colored = render(&two().select(SHORT), Look { color: true, ..Look::default() });
        assert!(!plain.contains('\u{1b}') && plain.contains("overrun"));
        assert!(colored.contains("\u{1b}[1m\u{1b}[31moverrun\u{1b}[0m"), "{colored:?}");
        assert_eq!(colored.replace("\u{1b}[1m\u{1b}[31m", "").replace("\u{1b}[0m", ""), plain);
    }

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        let table = headroom(&[("PL", "Pol\u{1b}[2Jand\n\u{202e}x", 0, "open")]).select(SHORT);
        let text = render(&table, Look::default());
        assert!(text.contains("Pol\u{fffd}[2Jand \u{fffd}x"), "{text:?}");
    }

    #[test]
    fn a_table_without_rows_says_so() {
        let text = render(&Table::new(columns::schedule()), Look::default());
        assert!(text.ends_with("(no rows)\n") && text.contains("destination"), "{text}");
    }
}
