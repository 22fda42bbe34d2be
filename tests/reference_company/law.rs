//! The companies' law of the small regime, written out by hand for the few countries of the random worlds.

use chrono::{Datelike, NaiveDate};

/// A day of the calendar.
pub const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// The day on which Cambodia leaves D:5.
pub const CAMBODIA: NaiveDate = day(2026, 2, 3);

/// A dated limit in thousandths.
type Steps = &'static [(NaiveDate, i64)];

/// The limit of LPP from the first of a year on; 2027 has a smaller one.
const LPP: Steps = &[(day(2025, 1, 1), 1_000_000), (day(2027, 1, 1), 600_000)];

/// The limit of NVEU from a day on; it falls once, though the law's never does.
pub const NVEU: Steps =
    &[(day(2025, 1, 1), 500_000), (day(2025, 4, 1), 800_000), (day(2025, 7, 1), 1_200_000), (day(2026, 1, 1), 900_000)];

/// The limit of an account on a day, where one is in force.
pub fn limit(account: &str, on: NaiveDate) -> Option<i64> {
    let (steps, on) = match account.split(':').next()? {
        "LPP" => (LPP, day(account.rsplit_once('=')?.1.parse().ok()?, 1, 1)),
        "NVEU" => (NVEU, on),
        _ => return None,
    };
    steps.iter().rev().find(|(from, _)| *from <= on).map(|(_, limit)| *limit)
}

/// In Supplement No. 5(a): no share looks there, and its companies may use the limit of an operator.
pub fn is_unlimited(country: &str) -> bool {
    matches!(country, "DE" | "JP" | "US")
}

/// Under a presumption of denial on a day.
pub fn is_denied(country: &str, on: NaiveDate) -> bool {
    country == "CN" || (country == "KH" && on < CAMBODIA)
}

/// Whether the authorization serves the activity.
pub fn serves(under: &str, activity: &str) -> bool {
    activity != "transfer" || !matches!(under, "LPP" | "NAC")
}

/// The account of LPP in the year of a day.
pub fn lpp(party: &str, on: NaiveDate) -> String {
    format!("LPP:{party}:year={}", on.year())
}
