//! Days, quarters, periods, and the last valid day of a license.
//!
//! All dates are calendar days without a time zone; the clock is read at the edge and handed in as a day.
//! 15 CFR 750.7(g): a license is valid for a number of years, and an expiry on a day that is no business day
//! rolls to the next one.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::BTreeSet;
use std::fmt;

/// A day, read strictly as `YYYY-MM-DD`: `2026-02-30` and `2026-2-3` are no days.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u32> {
        bytes[from..to].iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)
}

/// A day as the whole number `YYYYMMDD`, the form in which the ledger file keeps it.
pub fn day_number(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// The day of a `YYYYMMDD` number; `None` when there is no such day.
pub fn day_from_number(number: i64) -> Option<NaiveDate> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

/// `days` after a day. Days of input are years 0 to 9999 and offsets are small, so the calendar does not end.
pub fn days_after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).expect("a four-digit year plus a short offset is a day")
}

/// The day before a day.
pub fn day_before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().expect("a day of the years 0 to 9999 has one before it")
}

/// A span of days, both ends included; written `2025-01-01/2027-12-31`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl Period {
    /// Whether the day is inside, ends included.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// Number of days, ends included.
    pub fn len(self) -> usize {
        usize::try_from((self.to - self.from).num_days() + 1).expect("a period ends after it begins")
    }

    /// A period has at least one day.
    pub fn is_empty(self) -> bool {
        false
    }

    /// Position of a day in the period, 0 for the first; `None` outside.
    pub fn index(self, day: NaiveDate) -> Option<usize> {
        self.contains(day).then(|| usize::try_from((day - self.from).num_days()).expect("the day is not before the first"))
    }

    /// The day at a position.
    pub fn day(self, index: usize) -> NaiveDate {
        days_after(self.from, index as u64)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.from, self.to)
    }
}

/// A calendar quarter, written `2026-Q2`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Quarter {
    year: i32,
    /// 1 to 4.
    number: u32,
}

impl Quarter {
    /// Reads `2026-Q2`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Quarter> {
        let (year, number) = text.split_once("-Q")?;
        let four_digits = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = number.parse().ok()?;
        (four_digits && (1..=4).contains(&number)).then(|| Quarter { year: year.parse().expect("four digits"), number })
    }

    /// The quarter a day is in.
    pub fn of(day: NaiveDate) -> Quarter {
        Quarter { year: day.year(), number: day.month0() / 3 + 1 }
    }

    /// First day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.number * 3 - 2, 1).expect("a quarter begins on a first of a month")
    }

    /// Last day.
    pub fn last_day(self) -> NaiveDate {
        day_before(self.next().first_day())
    }

    /// The quarter after.
    pub fn next(self) -> Quarter {
        if self.number == 4 { Quarter { year: self.year + 1, number: 1 } } else { Quarter { number: self.number + 1, ..self } }
    }

    /// The quarter before.
    pub fn previous(self) -> Quarter {
        if self.number == 1 { Quarter { year: self.year - 1, number: 4 } } else { Quarter { number: self.number - 1, ..self } }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-Q{}", self.year, self.number)
    }
}

/// How the last valid day of a license is found where nobody wrote it: 15 CFR 750.7(g).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Validity {
    /// Years of validity.
    pub years: u32,
    /// Whether an expiry on a Saturday or Sunday rolls to the next business day.
    pub rolls_over_weekends: bool,
    /// Days that are no business days (federal holidays as observed, 5 U.S.C. 6103).
    pub holidays: BTreeSet<NaiveDate>,
}

impl Validity {
    /// The last valid day of a license effective on a day: the same calendar day `years` later (29 February: 28),
    /// rolled over weekends and holidays.
    pub fn last_valid_day(&self, effective_on: NaiveDate) -> NaiveDate {
        let mut day = effective_on
            .checked_add_months(chrono::Months::new(self.years * 12))
            .expect("a four-digit year plus a validity is a day");
        while !self.is_business_day(day) {
            day = days_after(day, 1);
        }
        day
    }

    fn is_business_day(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        !((self.rolls_over_weekends && weekend) || self.holidays.contains(&day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_day(text).unwrap()
    }

    #[test]
    fn days_are_read_strictly() {
        for wrong in ["2026-02-30", "2026-2-3", "02/03/2026", "2026-02-03 ", "", "20260203", "2026-13-01", "２026-01-01"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
        assert_eq!(day_number(day("2026-02-03")), 20_260_203);
        assert_eq!(day_from_number(20_260_203), Some(day("2026-02-03")));
    }

    #[test]
    fn quarters_have_their_days() {
        let quarter = Quarter::parse("2026-Q4").unwrap();
        assert_eq!((quarter.first_day(), quarter.last_day()), (day("2026-10-01"), day("2026-12-31")));
        assert_eq!(quarter.next().to_string(), "2027-Q1");
        assert_eq!(Quarter::parse("2026-Q5"), None);
        assert_eq!(Quarter::of(day("2026-06-30")).to_string(), "2026-Q2");
    }

    #[test]
    fn an_expiry_rolls_over_weekends_and_observed_holidays() {
        let validity = Validity { years: 1, rolls_over_weekends: true, holidays: BTreeSet::from([day("2026-07-03")]) };
        assert_eq!(validity.last_valid_day(day("2025-07-03")), day("2026-07-06"));
        assert_eq!(validity.last_valid_day(day("2025-03-15")), day("2026-03-16"));
        assert_eq!(validity.last_valid_day(day("2028-02-29")), day("2029-02-28"));
    }
}
