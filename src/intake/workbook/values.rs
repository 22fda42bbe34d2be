//! What a cell of a sheet means: texts kept once for the whole workbook, numbers, and numbers that are shown as days.
//!
//! A spreadsheet keeps a day as a number and its look as a format; only the format tells the two apart. Invariant: what is
//! given is text as it would stand in a CSV file, or a sentence that says what is wrong.

use super::package::{Broken, Package, attribute, damaged, elements, xml};
use crate::intake::numbers::{self, NotHeld};
use chrono::{Days, NaiveDate};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use std::io::BufRead;

/// What a format makes of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Number,
    Day,
    Duration,
}

/// What the cells of a workbook refer to.
pub(super) struct Values {
    texts: Texts,
    looks: Vec<Look>,
    epoch: Epoch,
}

/// The day from which a workbook counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Epoch {
    /// 1 is 1900-01-01, and there is a 1900-02-29.
    Of1900,
    /// 0 is 1904-01-01.
    Of1904,
}

/// A cell while it is read.
#[derive(Default)]
pub(super) struct Raw {
    /// The type that the cell states.
    pub kind: String,
    /// Number of its format.
    pub style: usize,
    /// Its value.
    pub value: String,
    pub is_formula: bool,
}

/// What is wrong with a cell, and what to do.
pub(super) type Wrong = (String, &'static str);

impl Values {
    pub(super) fn of(package: &mut Package) -> Result<Values, Broken> {
        let texts = match package.strings.clone() {
            Some(path) => Texts::of(package.unpacked(&path)?)?,
            None => Texts::default(),
        };
        let looks = match package.styles.clone() {
            Some(path) => looks(&package.small(&path)?)?,
            None => Vec::new(),
        };
        let epoch = if package.from_1904 { Epoch::Of1904 } else { Epoch::Of1900 };
        Ok(Values { texts, looks, epoch })
    }

    /// The text of a cell; a blank one is empty.
    pub(super) fn text(&self, cell: &Raw) -> Result<String, Wrong> {
        let value = cell.value.as_str();
        if value.trim().is_empty() {
            if cell.is_formula {
                let hint = "open the workbook in the spreadsheet program and save it, or replace the formula by its value";
                return Err(("is a formula without a result".into(), hint));
            }
            return Ok(String::new());
        }
        match cell.kind.as_str() {
            "s" => {
                let text = value.trim().parse().ok().and_then(|number| self.texts.get(number));
                text.map(String::from)
                    .ok_or(("refers to a text that the workbook does not have".into(), "save the workbook again"))
            }
            "str" | "inlineStr" => Ok(value.to_string()),
            "b" => {
                let word = if matches!(value.trim(), "0" | "false") { "FALSE" } else { "TRUE" };
                Err((format!("is {word}, which is neither a text nor a number"), "write yes or no as a text"))
            }
            "e" => Err((format!("is the error {value}"), "mend the formula, or write the value that is meant")),
            "d" => iso_day(value),
            "n" | "" => self.number(value, cell.style),
            other => Err((format!("is of a kind that is not known: {other}"), "write it as a text")),
        }
    }

    fn number(&self, value: &str, style: usize) -> Result<String, Wrong> {
        let look = self.looks.get(style).copied().unwrap_or(Look::Number);
        // A time of day is noise in most of its digits, and told as what it is.
        let read =
            if look == Look::Number { numbers::of_sheet } else { |text: &str| numbers::plain(text).ok_or(NotHeld::NoNumber) };
        let number = read(value.trim()).map_err(|not_held| match not_held {
            NotHeld::NoNumber => (format!("\"{}\" is no number", crate::intake::place::shortened(value)), "write it as a text"),
            NotHeld::TooManyDigits => (
                format!("{} has more digits than the 15 that a spreadsheet keeps", crate::intake::place::shortened(value)),
                "format the cell as text and write the number again; a computed one is rounded with ROUND",
            ),
        })?;
        match look {
            Look::Number => Ok(number),
            Look::Duration => Err(("is a length of time".into(), "format the cell as a number or a date, as it is meant")),
            Look::Day => self.epoch.day(&number),
        }
    }
}

impl Epoch {
    /// The day of a number.
    fn day(self, number: &str) -> Result<String, Wrong> {
        let hint = "write the day alone, e.g. 2026-02-03";
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if !fraction.is_empty() {
            return Err(("is a day with a time of day".into(), hint));
        }
        let out_of_range = || (format!("{number} is shown as a day, and is none"), hint);
        let days: u64 = whole.parse().map_err(|_| out_of_range())?;
        // Day 60 of the first is a 29th of February that 1900 did not have; it was kept for the sake of an older program.
        let (from, days) = match (self, days) {
            (Epoch::Of1900, 1..=59) => ((1899, 12, 31), days),
            (Epoch::Of1900, 61..) => ((1899, 12, 30), days),
            (Epoch::Of1900, _) => return Err(out_of_range()),
            (Epoch::Of1904, _) => ((1904, 1, 1), days),
        };
        let from = NaiveDate::from_ymd_opt(from.0, from.1, from.2).ok_or_else(out_of_range)?;
        let day = from.checked_add_days(Days::new(days)).filter(|day| day.to_string().len() == 10);
        Ok(day.ok_or_else(out_of_range)?.to_string())
    }
}

/// A day that is written as one.
fn iso_day(value: &str) -> Result<String, Wrong> {
    let (day, time) = value.trim().split_once('T').unwrap_or((value.trim(), ""));
    if time.chars().any(|c| c.is_ascii_digit() && c != '0') {
        return Err(("is a day with a time of day".into(), "write the day alone, e.g. 2026-02-03"));
    }
    Ok(day.to_string())
}

/// Texts of a workbook, end to end.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn of(input: impl std::io::Read) -> Result<Texts, Broken> {
        let (mut xml, mut buffer, mut texts) = (xml(input), Vec::new(), Texts::default());
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer).map_err(damaged)? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {
                    rich_text(&mut xml, "si", &mut texts.text)?;
                    texts.ends.push(texts.text.len());
                }
                Event::Eof => return Ok(texts),
                _ => {}
            }
        }
    }

    fn get(&self, number: usize) -> Option<&str> {
        let from = if number == 0 { 0 } else { *self.ends.get(number - 1)? };
        self.text.get(from..*self.ends.get(number)?)
    }
}

/// Reads a text up to the end of its element: all its runs, without what says how to pronounce it.
pub(super) fn rich_text<R: BufRead>(xml: &mut Reader<R>, end: &str, out: &mut String) -> Result<(), Broken> {
    let (mut buffer, mut in_text, mut in_phonetic) = (Vec::new(), false, false);
    let from = out.len();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(damaged)? {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => in_text = true,
                "rPh" => in_phonetic = true,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "t" => in_text = false,
                "rPh" => in_phonetic = false,
                name if name == end => break,
                _ => {}
            },
            Event::Text(text) if in_text && !in_phonetic => out.push_str(&text.xml10_content()),
            Event::CData(text) if in_text && !in_phonetic => out.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if in_text && !in_phonetic => out.push_str(&referred(&name)?),
            Event::Eof => return Err(damaged("it ends in the middle of a text")),
            _ => {}
        }
    }
    if out[from..].contains("_x") {
        let plain = unescaped(&out[from..]);
        out.truncate(from);
        out.push_str(&plain);
    }
    Ok(())
}

/// The character that `&amp;` or `&#10;` stands for.
pub(super) fn referred(name: &BytesRef) -> Result<String, Broken> {
    if let Some(c) = name.resolve_char_ref().map_err(damaged)? {
        return Ok(c.to_string());
    }
    let name: &str = name;
    let text = quick_xml::escape::resolve_predefined_entity(name);
    text.map(String::from).ok_or_else(|| damaged(format!("&{};", crate::intake::place::shortened(name))))
}

/// The text with `_x000D_` as the character that it stands for, as spreadsheets write what XML cannot.
fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let c = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let (c, length) = c.map_or(('_', 1), |c| (c, 7));
        out.push_str(&rest[..at]);
        out.push(c);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// What each format of a workbook makes of a number.
fn looks(text: &[u8]) -> Result<Vec<Look>, Broken> {
    let (mut own, mut looks, mut in_cells) = (Vec::new(), Vec::new(), false);
    elements(text, |element| {
        let number = |name| attribute(element, name).map(|id| id.and_then(|id| id.parse::<u32>().ok()).unwrap_or_default());
        match element.local_name().as_ref() {
            "numFmt" => own.push((number("numFmtId")?, look(&attribute(element, "formatCode")?.unwrap_or_default()))),
            "cellXfs" => in_cells = true,
            "cellStyles" | "dxfs" => in_cells = false,
            "xf" if in_cells => {
                let id = number("numFmtId")?;
                looks.push(own.iter().find(|(own, _)| *own == id).map_or_else(|| built_in(id), |(_, look)| *look));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(looks)
}

/// What a format without a text makes of a number (ECMA-376, part 1, 18.8.30).
fn built_in(id: u32) -> Look {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Look::Day,
        46 => Look::Duration,
        _ => Look::Number,
    }
}

/// What a format makes of a number: its letters outside quotes and brackets say whether it is a day.
fn look(format: &str) -> Look {
    let mut characters = format.chars();
    let mut look = Look::Number;
    while let Some(c) = characters.next() {
        match c {
            '"' => {
                characters.find(|c| *c == '"');
            }
            '\\' | '_' | '*' => {
                characters.next();
            }
            '[' => {
                let inside: String = characters.by_ref().take_while(|c| *c != ']').collect();
                if !inside.is_empty() && inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                    return Look::Duration;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => look = Look::Day,
            // Only the format of positive numbers.
            ';' => break,
            _ => {}
        }
    }
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_says_whether_a_number_is_a_day() {
        for format in ["yyyy-mm-dd", "d/m/yy", "[$-409]d-mmm-yy;@", "yyyy\"-\"mm", "mm:ss", "[Red]dd.mm.yyyy"] {
            assert_eq!(look(format), Look::Day, "{format}");
        }
        for format in ["General", "0.00", "#,##0 \"days\"", "0.00E+00", "[Red]0", "\\d0", "0_d", "@", "#,##0;[h]"] {
            assert_eq!(look(format), Look::Number, "{format}");
        }
        assert_eq!(look("[h]:mm"), Look::Duration);
        assert_eq!([14, 22, 46, 1, 49].map(built_in), [Look::Day, Look::Day, Look::Duration, Look::Number, Look::Number]);
    }

    #[test]
    fn both_epochs_count_to_the_same_days() {
        let day = |epoch: Epoch, number: &str| epoch.day(number).map_err(|(what, _)| what);
        assert_eq!(day(Epoch::Of1900, "1").as_deref(), Ok("1900-01-01"));
        assert_eq!(day(Epoch::Of1900, "59").as_deref(), Ok("1900-02-28"));
        assert_eq!(day(Epoch::Of1900, "61").as_deref(), Ok("1900-03-01"));
        assert_eq!(day(Epoch::Of1900, "46056").as_deref(), Ok("2026-02-03"));
        assert_eq!(day(Epoch::Of1904, "44594").as_deref(), Ok("2026-02-03"));
        assert_eq!(day(Epoch::Of1904, "0").as_deref(), Ok("1904-01-01"));
        for wrong in ["60", "0", "-1", "99999999", "999999999999999"] {
            assert!(day(Epoch::Of1900, wrong).unwrap_err().ends_with("is shown as a day, and is none"), "{wrong}");
        }
        assert_eq!(day(Epoch::Of1900, "46056.5").unwrap_err(), "is a day with a time of day");
    }

    #[test]
    fn a_day_written_as_one_has_no_time() {
        assert_eq!(iso_day("2026-02-03").as_deref(), Ok("2026-02-03"));
        assert_eq!(iso_day("2026-02-03T00:00:00.000Z").as_deref(), Ok("2026-02-03"));
        assert!(iso_day("2026-02-03T08:00:00").is_err());
    }

    #[test]
    fn what_xml_cannot_hold_is_unescaped() {
        assert_eq!(unescaped("a_x000D_b_x005F_x000D_ _xyz_ _x12"), "a\rb_x000D_ _xyz_ _x12");
    }
}
