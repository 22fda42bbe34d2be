//! The law of the small regime, written out by hand for the few countries of the random worlds.

use super::rows::Line;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::BTreeSet;

/// A day of the calendar.
pub const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// First and last day of the period.
pub const FIRST: NaiveDate = day(2025, 1, 1);
pub const LAST: NaiveDate = day(2027, 12, 31);
/// Days of the period.
pub const DAYS: usize = 1_095;
/// The day on which Cambodia leaves D:5 and gets a limit.
pub const CAMBODIA: NaiveDate = day(2026, 2, 3);
/// The base of the limit and the largest sum of increases, in thousandths.
pub const BASE: i64 = 1_000_000;
pub const INCREASES_MOST: i64 = 1_000_000;
/// Destinations that have a row of their own, as far as the worlds go.
pub const ALLOCATIONS: [&str; 5] = ["CN", "DE", "IN", "KH", "PL"];

/// Some days later, or earlier.
pub fn plus(day: NaiveDate, days: i64) -> NaiveDate {
    let offset = Days::new(days.unsigned_abs());
    if days < 0 { day - offset } else { day + offset }
}

/// The days of the period.
pub fn period() -> impl Iterator<Item = NaiveDate> {
    FIRST.iter_days().take(DAYS)
}

/// The place of a day in the period; days before it are at its beginning, days after it beyond its end.
pub fn index(day: NaiveDate) -> usize {
    usize::try_from((day - FIRST).num_days().max(0)).expect("not negative").min(DAYS)
}

/// Hong Kong counts in China.
pub fn allocation(destination: &'static str) -> &'static str {
    if destination == "HK" { "CN" } else { destination }
}

/// Under a presumption of denial on a day.
pub fn is_denied(country: &str, on: NaiveDate) -> bool {
    matches!(country, "CN" | "HK" | "MO") || (country == "KH" && on < CAMBODIA)
}

/// In Supplement No. 5(a).
pub fn is_unlimited(country: &str) -> bool {
    matches!(country, "DE" | "US")
}

/// Whether a destination has a country limit on a day, inside the period or not.
pub fn is_capped(country: &str, on: NaiveDate) -> bool {
    !is_denied(country, on) && !is_unlimited(country)
}

/// The base of a destination's limit on a day.
pub fn base(country: &str, on: NaiveDate) -> Option<i64> {
    ((FIRST..=LAST).contains(&on) && is_capped(country, on)).then_some(BASE)
}

/// Whether a line would count if it were licensed.
pub fn would_count(line: &Line) -> bool {
    line.eccn.starts_with("3A090.a") && !line.transfer
}

/// Whether a line counts under a license effective on a day.
pub fn counts(line: &Line, licensed_on: NaiveDate) -> bool {
    would_count(line) && (FIRST..=LAST).contains(&licensed_on)
}

/// Whether the limit binds it.
pub fn is_limited(line: &Line, licensed_on: NaiveDate) -> bool {
    let headquarters = line.headquarters.unwrap_or(line.destination);
    let seats = [headquarters, line.parent.unwrap_or(headquarters)];
    let denied = seats.iter().any(|seat| is_denied(seat, licensed_on));
    let unlimited = seats.iter().any(|seat| is_unlimited(seat));
    counts(line, licensed_on) && is_capped(line.destination, licensed_on) && (denied || !unlimited)
}

/// TPP of the first `units` units of a line, in thousandths.
pub fn units_tpp(line: &Line, units: u64) -> i64 {
    let units = i64::try_from(units).expect("few units");
    let quantity = i64::from(line.quantity);
    match (line.per_unit, line.aggregate) {
        (Some(unit), Some(total)) if unit * quantity < total => ceiling(total * units, quantity),
        (Some(unit), _) => unit * units,
        (None, total) => ceiling(total.expect("one of the two is declared") * units, quantity),
    }
}

fn ceiling(numerator: i64, denominator: i64) -> i64 {
    numerator / denominator + i64::from(numerator % denominator != 0)
}

/// The last valid day of a license where nobody wrote it.
pub fn last_valid_day(effective_on: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> NaiveDate {
    let (year, month) = (effective_on.year() + 1, effective_on.month());
    let mut last = NaiveDate::from_ymd_opt(year, month, effective_on.day()).unwrap_or_else(|| day(year, 2, 28));
    while matches!(last.weekday(), Weekday::Sat | Weekday::Sun) || holidays.contains(&last) {
        last = plus(last, 1);
    }
    last
}

/// The day on which the unused comes back.
pub fn give_back_day(last_valid: NaiveDate) -> NaiveDate {
    plus(last_valid, 31)
}
