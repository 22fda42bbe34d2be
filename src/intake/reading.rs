//! How files are read where they do not say it themselves: the order of a date, the encoding, the separator, the sheet, and
//! other names for the columns.
//!
//! Nothing here opens a file. Invariant: read as nothing was said, a file means what it always meant.

use super::column_map::ColumnMap;
use crate::quota::calendar::parse_day;
use chrono::NaiveDate;
use std::sync::Arc;

/// How to read a file.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reading {
    /// How days are written that are not `YYYY-MM-DD`.
    pub dates: Dates,
    /// How a CSV file's bytes are text.
    pub encoding: Encoding,
    /// What parts the cells of a CSV file; `None`: it is found from the header.
    pub delimiter: Option<u8>,
    /// The sheet of a workbook; `None`: the first one.
    pub sheet: Option<String>,
    /// Other names for the columns.
    pub columns: Option<Arc<ColumnMap>>,
}

/// How days are written, beside `YYYY-MM-DD`, which is always read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Dates {
    /// In no other way.
    #[default]
    Iso,
    /// Month first: 3/4/2026 is the 4th of March.
    MonthFirst,
    /// Day first: 3/4/2026 is the 3rd of April.
    DayFirst,
}

/// How bytes are text.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// Windows-1252, as older Windows programs write it in western countries.
    Cp1252,
}

impl Reading {
    /// A text that differs wherever two readings may read different rows from the same bytes; `None` where nothing was said.
    pub fn identity(&self) -> Option<String> {
        (*self != Reading::default()).then(|| format!("{self:?}"))
    }

    /// With what a map of columns says of its files, where the command does not say it.
    #[must_use]
    pub fn settled(self) -> Reading {
        let Some(map) = &self.columns else { return self };
        Reading {
            dates: if self.dates == Dates::default() { map.dates } else { self.dates },
            encoding: if self.encoding == Encoding::default() { map.encoding } else { self.encoding },
            delimiter: self.delimiter.or(map.delimiter),
            sheet: self.sheet.or_else(|| map.sheet.clone()),
            columns: self.columns,
        }
    }
}

impl Dates {
    /// The words for them, as options and maps of columns write them.
    pub const WORDS: [(&'static str, Dates); 3] = [("iso", Dates::Iso), ("mdy", Dates::MonthFirst), ("dmy", Dates::DayFirst)];

    /// The day that a text means: `YYYY-MM-DD`, or three numbers with `/`, `.` or `-` between, the year last.
    pub fn parse(self, text: &str) -> Option<NaiveDate> {
        parse_day(text).or_else(|| {
            let (first, second, year) = parts(text)?;
            match self {
                Dates::Iso => None,
                Dates::MonthFirst => NaiveDate::from_ymd_opt(year, first, second),
                Dates::DayFirst => NaiveDate::from_ymd_opt(year, second, first),
            }
        })
    }
}

/// Whether a text is a day with its year last, which can be read in two ways.
pub(super) fn is_year_last(text: &str) -> bool {
    parts(text).is_some()
}

fn parts(text: &str) -> Option<(u32, u32, i32)> {
    let separator = text.chars().find(|c| matches!(c, '/' | '.' | '-'))?;
    let numbers: Vec<&str> = text.split(separator).collect();
    let [first, second, year] = numbers[..] else { return None };
    let number = |text: &str, digits: &[usize]| {
        (digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u32>().ok())?
    };
    Some((number(first, &[1, 2])?, number(second, &[1, 2])?, i32::try_from(number(year, &[4])?).ok()?))
}

impl Encoding {
    /// The words for them.
    pub const WORDS: [(&'static str, Encoding); 2] = [("utf-8", Encoding::Utf8), ("cp1252", Encoding::Cp1252)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_with_its_year_last_is_read_only_as_was_said() {
        let read = |dates: Dates, text: &str| dates.parse(text).map(|day| day.to_string());
        assert_eq!(read(Dates::MonthFirst, "3/4/2026").as_deref(), Some("2026-03-04"));
        assert_eq!(read(Dates::DayFirst, "03.04.2026").as_deref(), Some("2026-04-03"));
        assert_eq!(read(Dates::MonthFirst, "13/4/2026"), None);
        assert_eq!(read(Dates::Iso, "3/4/2026"), None);
        for text in ["3/4/26", "3/4", "3/4/2026/1", "3/4.2026", "2026/03/04", "a/b/2026", "003/4/2026", "/4/2026"] {
            assert_eq!(read(Dates::DayFirst, text), None, "{text}");
        }
        for dates in [Dates::Iso, Dates::MonthFirst, Dates::DayFirst] {
            assert_eq!(read(dates, "2026-03-04").as_deref(), Some("2026-03-04"));
        }
        assert!(is_year_last("3-4-2026") && !is_year_last("2026-03-04"));
    }

    #[test]
    fn a_reading_of_which_nothing_was_said_has_no_identity() {
        assert_eq!(Reading::default().identity(), None);
        let one = Reading { sheet: Some("a".into()), ..Reading::default() };
        let other = Reading { sheet: Some("b".into()), ..Reading::default() };
        assert_ne!(one.identity(), other.identity());
    }
}
