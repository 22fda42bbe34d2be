//! Cells as meant: days, whole numbers, amounts, words and texts, each read strictly or named as a problem.
//!
//! A cell is never guessed at and never rounded: what cannot be read is a problem with a hint, and reading goes on, so
//! that all problems of a row are told at once. Nothing here knows which rules a document has.

use super::countries::Countries;
use super::layout::Origin;
use super::place::{Problem, did_you_mean, hint_with};
use super::reading::{Dates, is_year_last};
use super::table::{Column, Columns, Row};
use crate::quota::codes::{Country, Eccn, is_identifier};
use crate::quota::tpp::{AmountError, Tpp, parse_decimal};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// The largest quantity: below 2^31.
pub(super) const QUANTITY_MAX: u32 = (1 << 31) - 1;
/// The largest number of a line.
pub(super) const LINE_MAX: u32 = 1_000_000;
/// What stands in place of a parent where there is none.
pub(super) const NO_PARTY: &str = "none";
/// Characters of a party's name.
const NAME_MAX: usize = 1000;

/// One row under the eyes of a document's reader, and the problems found so far.
pub struct Cells<'r, C> {
    /// The file, and how places in it are written.
    pub origin: &'r Origin,
    /// Where the columns stand.
    pub columns: &'r Columns<C>,
    /// The row.
    pub row: &'r Row,
    /// Problems found so far.
    pub problems: &'r mut Vec<Problem>,
    /// Hints given so far.
    pub hints: &'r mut Hints,
}

/// Hints that were looked for already. Looking for what was meant compares with every name there is, and a file may
/// have a wrong word in each of a million rows.
#[derive(Default)]
pub struct Hints(HashMap<(&'static str, String), String>);

impl Hints {
    const MOST: usize = 500;

    fn of(&mut self, column: &'static str, text: &str, look: impl FnOnce() -> String) -> String {
        if self.0.len() >= Self::MOST {
            let known = self.0.get(&(column, text.to_string()));
            return known.map_or_else(|| "look it up in the documentation of the column".to_string(), String::clone);
        }
        self.0.entry((column, text.to_string())).or_insert_with(look).clone()
    }
}

impl<'r, C: Column> Cells<'r, C> {
    /// The cell as written, trimmed.
    pub fn raw(&self, column: C) -> &'r str {
        self.columns.cell(column, self.row)
    }

    /// A text cell: without the `'` that guards it against being read as a formula.
    pub fn text(&self, column: C) -> &'r str {
        unguarded(self.raw(column))
    }

    /// A text, or nothing where the cell is blank.
    pub fn optional_text(&self, column: C) -> Option<String> {
        let text = self.text(column);
        (!text.is_empty()).then(|| text.to_string())
    }

    /// Adds a problem of a column; the cell is its value.
    pub fn wrong(&mut self, column: C, what: impl Into<String>, hint: impl Into<String>) {
        let place = self.origin.row(self.row.line).at(column.name());
        let value = self.raw(column);
        self.problems.push(Problem::new(place, what, hint).with_value(value));
    }

    /// Adds a problem of a column whose cell names nothing; `hint` looks for what was meant.
    pub fn wrong_name(&mut self, column: C, what: impl Into<String>, hint: impl FnOnce() -> String) {
        let hint = self.hints.of(column.name(), self.raw(column), hint);
        self.wrong(column, what, hint);
    }

    /// Whether a cell is there; a blank one is a problem.
    pub fn required(&mut self, column: C, hint: &str) -> bool {
        let given = !self.raw(column).is_empty();
        if !given {
            self.wrong(column, "is blank", hint);
        }
        given
    }

    /// A cell that must be blank, because what the row says takes none; `goes_with` names what does.
    pub fn no_place(&mut self, column: C, what: &str, goes_with: &str) {
        if !self.raw(column).is_empty() {
            self.wrong(
                column,
                format!("has no place here: {what} takes no {}", column.name()),
                format!("leave it blank; it goes with {goes_with}"),
            );
        }
    }

    /// A name, or nothing where the cell is blank.
    pub fn optional_name(&mut self, column: C) -> Option<String> {
        if self.text(column).is_empty() { None } else { self.name(column) }
    }

    /// The name of a party.
    pub fn name(&mut self, column: C) -> Option<String> {
        let text = self.text(column);
        if text.is_empty() {
            self.wrong(column, "is blank", "every row names it");
        } else if text.len() > NAME_MAX && text.chars().count() > NAME_MAX {
            self.wrong(column, format!("has more than {NAME_MAX} characters"), "shorten the name");
        } else {
            return Some(text.to_string());
        }
        None
    }

    /// A day of the years 1900 to 2199; blank is nothing.
    pub fn day(&mut self, column: C) -> Option<NaiveDate> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        match self.columns.dates.parse(text) {
            Some(day) if (1900..2200).contains(&day.year()) => return Some(day),
            Some(_) => self.wrong(column, "is outside the years 1900 to 2199", "check the year"),
            None => {
                let shaped = text.len() == 10
                    && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
                let what = if shaped { "is no day of the calendar" } else { "is not a day" };
                self.wrong(column, what, day_hint(text, shaped, self.columns.dates));
            }
        }
        None
    }

    /// A day that must be there.
    pub fn required_day(&mut self, column: C) -> Option<NaiveDate> {
        if self.required(column, "write the day as YYYY-MM-DD") { self.day(column) } else { None }
    }

    /// A whole number between two; blank is nothing.
    pub fn whole(&mut self, column: C, least: u32, most: u32) -> Option<u32> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        // Spreadsheets and data frames write a whole number as `12.0`; `12.00` or `1.000` may mean something else.
        let digits = text.strip_suffix(".0").unwrap_or(text);
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty();
        match digits.parse::<u32>() {
            Ok(value) if number && (least..=most).contains(&value) => return Some(value),
            Ok(0) if number => self.wrong(column, "is not above zero", format!("write a whole number from {least} on")),
            _ if number => self.wrong(column, "is out of range", format!("the largest is {most}")),
            _ => {
                let negative = digits
                    .strip_prefix('-')
                    .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
                let what = if negative { "is negative" } else { "is not a whole number" };
                self.wrong(
                    column,
                    what,
                    ungrouped(text, &[',', '.', '\'', ' ', '_']).unwrap_or_else(|| "write a whole number, e.g. 12".to_string()),
                );
            }
        }
        None
    }

    /// An amount of TPP above zero; blank is nothing.
    pub fn amount(&mut self, column: C) -> Option<Tpp> {
        let tpp = self.amount_or_zero(column)?;
        if tpp == Tpp::ZERO {
            self.wrong(column, "is not above zero", "leave the cell blank where no amount is meant");
            return None;
        }
        Some(tpp)
    }

    /// An amount of TPP, which may be zero; blank is nothing.
    pub fn amount_or_zero(&mut self, column: C) -> Option<Tpp> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        match Tpp::parse(text) {
            Ok(tpp) => return Some(tpp),
            Err(error) => {
                let hint = match error {
                    AmountError::NotANumber => number_hint(text),
                    AmountError::TooPrecise => "round it yourself, by the rule you go by".to_string(),
                    AmountError::OutOfRange | AmountError::Negative => "check the number and its unit, TPP".to_string(),
                };
                self.wrong(column, error.to_string(), hint);
            }
        }
        None
    }

    /// A classification that must be there.
    pub fn required_eccn(&mut self, column: C) -> Option<Eccn> {
        if !self.required(column, "write the classification, e.g. 3A090.a") {
            return None;
        }
        let eccn = Eccn::new(self.text(column));
        if eccn.is_none() {
            self.wrong(column, "is not an ECCN", "write it like 3A090.a, 4A090.a, 5A992.z.1 or EAR99");
        }
        eccn
    }

    /// `yes` or `no`, in JSON also true and false; blank is no.
    pub fn yes(&mut self, column: C) -> Option<bool> {
        match self.raw(column) {
            "yes" | "true" => Some(true),
            "no" | "false" | "" => Some(false),
            _ => {
                self.wrong(column, "is neither yes nor no", "write yes or no; blank is no");
                None
            }
        }
    }

    /// A percentage above zero; blank is nothing.
    pub fn percent(&mut self, column: C) -> Option<Decimal> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        match parse_decimal(text) {
            Ok(percent) if percent > Decimal::ZERO => return Some(percent),
            Ok(percent) if percent < Decimal::ZERO => self.wrong(column, "is negative", "write a percentage above zero, e.g. 50"),
            Ok(_) => self.wrong(column, "is not above zero", "leave the cell blank where no amount is meant"),
            Err(AmountError::NotANumber) if text.ends_with('%') => {
                self.wrong(column, "is not a decimal number", "write it without the % sign")
            }
            Err(AmountError::NotANumber) => self.wrong(column, "is not a decimal number", "write a percentage, e.g. 50 or 12.5"),
            Err(_) => self.wrong(column, "has too many digits", "a percentage has at most 28 digits"),
        }
        None
    }

    /// A country; blank is nothing.
    pub fn country(&mut self, column: C) -> Option<Country> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let countries = Countries::builtin();
        let found = countries.lookup(text);
        if found.is_none() {
            self.wrong_name(column, "is no country", || countries.hint(text));
        }
        found
    }

    /// One of a document's words; blank is nothing.
    pub fn word<W: Copy>(&mut self, column: C, words: &[W], as_str: impl Fn(W) -> &'static str) -> Option<W> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        let found = words.iter().copied().find(|word| as_str(*word) == text);
        if found.is_none() {
            let all = || words.iter().map(|word| as_str(*word));
            let hint = || hint_with(did_you_mean(text, all()), format!("write one of {}", all().collect::<Vec<_>>().join(", ")));
            self.wrong_name(column, format!("is no {}", column.name().replace('_', " ")), hint);
        }
        found
    }

    /// A number of an application or license; blank is nothing.
    pub fn identifier(&mut self, column: C) -> Option<String> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        if !is_identifier(text) {
            self.wrong(
                column,
                "is not a number that can be kept",
                "use up to 64 letters, digits, `-`, `.` and `_`, e.g. Z102345",
            );
            return None;
        }
        Some(text.to_string())
    }

    /// The identifier of a company, as a parties file gives it; blank is nothing.
    pub fn party(&mut self, column: C) -> Option<String> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let (what, hint) = if !is_identifier(text) {
            ("is no identifier of a party", "use up to 64 letters, digits, `-`, `.` and `_`, e.g. ACME-PL")
        } else if text == NO_PARTY {
            ("stands for no party, and cannot be one's identifier", "give the party another identifier, e.g. NONE-1")
        } else {
            return Some(text.to_string());
        };
        self.wrong(column, what, hint);
        None
    }

    /// The id of an event, act or fact of a company.
    pub fn event_id(&mut self, column: C) -> Option<String> {
        let text = self.text(column);
        if !self.required(column, "give each one an id of its own, e.g. E-17") {
            return None;
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.wrong(column, "has a blank or a control character in it", "write it in one word, e.g. E-17");
        } else if text.len() > 100 && text.chars().count() > 100 {
            self.wrong(column, "has more than 100 characters", "shorten it");
        } else {
            return Some(text.to_string());
        }
        None
    }
}

/// The text without the guard that keeps spreadsheets from reading it as a formula.
pub(super) fn unguarded(text: &str) -> &str {
    let Some(rest) = text.strip_prefix('\'') else { return text };
    // A text that began with the guard itself has it twice.
    match rest.trim_start_matches('\'').as_bytes() {
        [b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r', ..] => rest,
        _ => text,
    }
}

/// What to do about a text that is no day; `shaped`: it looks like `YYYY-MM-DD`.
fn day_hint(text: &str, shaped: bool, dates: Dates) -> &'static str {
    match dates {
        _ if shaped => "check month and day; days are written YYYY-MM-DD",
        Dates::Iso if is_year_last(text) => {
            "write days as YYYY-MM-DD, or say how the file has them: --dates mdy is month first, --dates dmy day first"
        }
        Dates::MonthFirst if is_year_last(text) => "days of this file are read with the month first (mdy)",
        Dates::DayFirst if is_year_last(text) => "days of this file are read with the day first (dmy)",
        _ if text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            "it may be a spreadsheet's number of a day: format the cell as a date, or write YYYY-MM-DD"
        }
        _ => "write days as YYYY-MM-DD, e.g. 2026-02-03",
    }
}

fn number_hint(text: &str) -> String {
    let grouped = || ungrouped(text, &[',', '\'', ' ', '_']);
    let by_points = || (text.matches('.').count() > 1).then(|| ungrouped(text, &['.'])).flatten();
    let hint = grouped().or_else(by_points).or_else(|| decimal_comma(text));
    hint.unwrap_or_else(|| "write a decimal number, e.g. 15832 or 0.5".to_string())
}

/// A hint for a number with a decimal comma, its digits grouped or not: `1.234.567,5`.
fn decimal_comma(text: &str) -> Option<String> {
    let (whole, fraction) = text.rsplit_once(',')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = || ungrouped(whole, &['.', '\'', ' ']).is_some();
    if !digits(fraction) || !(digits(whole) || grouped()) {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(format!("write it with a decimal point and without digit grouping: {whole}.{fraction}"))
}

/// A hint for digits in groups of three: how they are written without.
fn ungrouped(text: &str, separators: &[char]) -> Option<String> {
    let (whole, fraction) = match text.rsplit_once('.') {
        Some((whole, fraction)) if !separators.contains(&'.') => (whole, Some(fraction)),
        _ => (text, None),
    };
    let separator = whole.chars().find(|c| separators.contains(c) || *c == '\u{A0}' || *c == '\u{202F}')?;
    let mut groups = whole.split(separator);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next()?;
    let grouped =
        digits(first) && first.len() <= 3 && groups.all(|group| group.len() == 3 && digits(group)) && fraction.is_none_or(digits);
    let plain = whole.replace(separator, "");
    grouped.then(|| match fraction {
        Some(fraction) => format!("write it without digit grouping: {plain}.{fraction}"),
        None => format!("write it without digit grouping: {plain}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::table::{TableReader, columns};

    columns! {
        /// One column, read in every way.
        Only { Value = "value" required, }
    }

    /// Reads one cell, and gives what was read or `what | hint`.
    fn read<T: std::fmt::Debug>(cell: &str, how: impl Fn(&mut Cells<Only>) -> Option<T>) -> Result<Option<T>, String> {
        let mut table = TableReader::from_cells("record", &["value", "other"], &[vec![cell, "x"]]);
        let origin = table.origin().clone();
        // The second column only keeps a row with a blank cell from being an empty row.
        let columns = TableReader::from_cells("record", &["value"], &[]).columns().unwrap();
        let (mut row, mut problems) = (Row::default(), Vec::new());
        assert!(table.next_row(&mut row));
        let mut hints = Hints::default();
        let value = how(&mut Cells { origin: &origin, columns: &columns, row: &row, problems: &mut problems, hints: &mut hints });
        match problems.first() {
            Some(problem) => Err(format!("{} | {}", problem.what, problem.hint)),
            None => Ok(value),
        }
    }

    #[test]
    fn quantities_are_whole_numbers_below_two_to_the_31() {
        let whole = |text: &str| read(text, |cells| cells.whole(Only::Value, 1, QUANTITY_MAX));
        assert_eq!(whole(" 2147483647 "), Ok(Some(2_147_483_647)));
        assert_eq!(whole("0012"), Ok(Some(12)));
        assert_eq!(whole("12.0"), Ok(Some(12)));
        assert_eq!(whole(""), Ok(None));
        let wrong = |text: &str| whole(text).unwrap_err();
        assert_eq!(wrong("0"), "is not above zero | write a whole number from 1 on");
        assert_eq!(wrong("-1"), "is negative | write a whole number, e.g. 12");
        assert_eq!(wrong("12.5"), "is not a whole number | write a whole number, e.g. 12");
        assert_eq!(wrong("1,000"), "is not a whole number | write it without digit grouping: 1000");
        assert_eq!(wrong("1.000.000"), "is not a whole number | write it without digit grouping: 1000000");
        assert_eq!(wrong("2147483648"), "is out of range | the largest is 2147483647");
        assert_eq!(wrong(&format!("1{}", "0".repeat(30))), "is out of range | the largest is 2147483647");
        for text in ["1e30", "10^30", "+5", "٣", "1 ", ".0", "1.00"].iter().filter(|text| **text != "1 ") {
            assert!(wrong(text).starts_with("is not a whole number"), "{text}");
        }
    }

    #[test]
    fn days_are_strict() {
        let day = |text: &str| read(text, |cells| cells.day(Only::Value));
        assert_eq!(day("2026-02-03").unwrap().unwrap().to_string(), "2026-02-03");
        assert_eq!(
            day("2026-02-30").unwrap_err(),
            "is no day of the calendar | check month and day; days are written YYYY-MM-DD"
        );
        assert_eq!(day("3 Feb 2026").unwrap_err(), "is not a day | write days as YYYY-MM-DD, e.g. 2026-02-03");
        assert!(day("03/02/2026").unwrap_err().contains("--dates mdy is month first"));
        assert!(day("46056").unwrap_err().contains("format the cell as a date"));
        assert_eq!(day("1899-12-31").unwrap_err(), "is outside the years 1900 to 2199 | check the year");
        assert!(day("2200-01-01").is_err());
        assert!(day("2026-2-3").is_err());
    }

    #[test]
    fn amounts_are_exact_and_above_zero() {
        let amount = |text: &str| read(text, |cells| cells.amount(Only::Value));
        assert_eq!(amount("15832.50").unwrap().unwrap().to_string(), "15832.5");
        let wrong = |text: &str| amount(text).unwrap_err();
        assert_eq!(wrong("1,583.2"), "is not a decimal number | write it without digit grouping: 1583.2");
        assert_eq!(wrong("1\u{A0}583"), "is not a decimal number | write it without digit grouping: 1583");
        let decimal = "is not a decimal number | write it with a decimal point and without digit grouping: ";
        assert_eq!(wrong("15,5"), format!("{decimal}15.5"));
        assert_eq!(wrong("1.234.567,5"), format!("{decimal}1234567.5"));
        assert_eq!(wrong("1 234 567,25"), format!("{decimal}1234567.25"));
        assert_eq!(wrong("1.234.567"), "is not a decimal number | write it without digit grouping: 1234567");
        assert_eq!(wrong("1,234,567"), "is not a decimal number | write it without digit grouping: 1234567");
        assert!(wrong("1.23,4,5").ends_with("write a decimal number, e.g. 15832 or 0.5"));
        assert!(wrong("0.0005").starts_with("has more than three decimal places"));
        assert!(wrong("1000000000000").starts_with("is out of range"));
        assert!(wrong("-1").starts_with("is negative"));
        assert!(wrong("0").starts_with("is not above zero"));
        assert!(wrong("NaN").starts_with("is not a decimal number"));
    }

    #[test]
    fn percentages_are_decimals_above_zero() {
        let percent = |text: &str| read(text, |cells| cells.percent(Only::Value));
        assert_eq!(percent("12.5").unwrap().unwrap().to_string(), "12.5");
        assert_eq!(percent("50%").unwrap_err(), "is not a decimal number | write it without the % sign");
        assert_eq!(percent("-5").unwrap_err(), "is negative | write a percentage above zero, e.g. 50");
        assert!(percent(&format!("0.{}1", "0".repeat(40))).unwrap_err().starts_with("has too many digits"));
        assert!(percent("0").is_err());
    }

    #[test]
    fn a_guarded_text_loses_its_guard_and_no_other_apostrophe() {
        let text = |cell: &str| read(cell, |cells| cells.optional_text(Only::Value)).unwrap();
        assert_eq!(text("'=SUM(A1)").as_deref(), Some("=SUM(A1)"));
        assert_eq!(text("'-5").as_deref(), Some("-5"));
        assert_eq!(text("'@x").as_deref(), Some("@x"));
        assert_eq!(text("'\tx").as_deref(), Some("\tx"));
        assert_eq!(text("''=x").as_deref(), Some("'=x"));
        assert_eq!(text("''t Hart").as_deref(), Some("''t Hart"));
        assert_eq!(text("'t Hart").as_deref(), Some("'t Hart"));
        assert_eq!(text("'"), Some("'".to_string()));
        assert_eq!(text("  "), None);
    }

    #[test]
    fn ids_are_one_word_and_numbers_are_identifiers() {
        let id = |text: &str| read(text, |cells| cells.event_id(Only::Value));
        assert_eq!(id("E-17/ä").unwrap().unwrap(), "E-17/ä");
        assert!(id("E 17").unwrap_err().starts_with("has a blank"));
        assert!(id("").unwrap_err().starts_with("is blank"));
        assert_eq!(id(&"ä".repeat(100)).unwrap().unwrap().chars().count(), 100);
        assert!(id(&"ä".repeat(101)).unwrap_err().starts_with("has more than 100"));
        let number = |text: &str| read(text, |cells| cells.identifier(Only::Value));
        assert_eq!(number("'-Z1").unwrap().unwrap(), "-Z1");
        assert!(number("Z 1").is_err() && number("Ü1").is_err() && number(&"Z".repeat(65)).is_err());
    }

    #[test]
    fn a_word_is_one_of_those_there_are() {
        let word = |text: &str| read(text, |cells| cells.word(Only::Value, &["ship", "issue"], |word| word));
        assert_eq!(word("ship"), Ok(Some("ship")));
        assert_eq!(word("Ship").unwrap_err(), "is no value | did you mean `ship`?");
        assert_eq!(word("cancel").unwrap_err(), "is no value | write one of ship, issue");
    }
}
