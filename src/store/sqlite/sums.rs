//! The sums kept beside the facts: totals by day, and what had come together before each month.
//!
//! An opening stands after each month in which something moved; it is the sum of all days before the first of its month.

use super::rows::{kept, measures};
use crate::quota::codes::Country;
use crate::quota::posting::Measures;
use chrono::{Datelike, Months, NaiveDate};
use rusqlite::{Connection, Result, params};
use std::collections::BTreeMap;

/// Adds what moved to the day totals and the month openings.
pub(super) fn add(connection: &Connection, moved: BTreeMap<Country, BTreeMap<NaiveDate, Measures>>) -> Result<()> {
    for (allocation, days) in moved {
        add_days(connection, allocation, &days)?;
        add_openings(connection, allocation, &days)?;
    }
    Ok(())
}

fn add_days(connection: &Connection, allocation: Country, days: &BTreeMap<NaiveDate, Measures>) -> Result<()> {
    let mut add = connection.prepare_cached(
        "INSERT INTO day_total (allocation, day, pending, licensed, not_limited, shipped, increase, withheld) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (allocation, day) DO UPDATE SET \
         pending = pending + excluded.pending, licensed = licensed + excluded.licensed, \
         not_limited = not_limited + excluded.not_limited, shipped = shipped + excluded.shipped, \
         increase = increase + excluded.increase, withheld = withheld + excluded.withheld",
    )?;
    for (day, measures) in days {
        let [pending, licensed, not_limited, shipped, increase, withheld] = thousandths(measures);
        add.execute(params![allocation.as_str(), kept(*day), pending, licensed, not_limited, shipped, increase, withheld])?;
    }
    Ok(())
}

/// The openings after the first day that moved, written anew: those that stood and those of the months that moved.
fn add_openings(connection: &Connection, allocation: Country, days: &BTreeMap<NaiveDate, Measures>) -> Result<()> {
    let mut added: BTreeMap<i64, Measures> = BTreeMap::new();
    for (day, measures) in days {
        *added.entry(kept(month_after(*day))).or_default() += *measures;
    }
    let Some((first, _)) = added.first_key_value() else { return Ok(()) };
    let (base, stood) = openings_from(connection, allocation, *first)?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO month_opening (allocation, month, pending, licensed, not_limited, shipped, increase, withheld) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let months: std::collections::BTreeSet<i64> = added.keys().chain(stood.keys()).copied().collect();
    let (mut opening, mut moved) = (base, Measures::ZERO);
    for month in months {
        opening = stood.get(&month).copied().unwrap_or(opening);
        moved += added.get(&month).copied().unwrap_or_default();
        let mut sum = opening;
        sum += moved;
        let [pending, licensed, not_limited, shipped, increase, withheld] = thousandths(&sum);
        insert.execute(params![allocation.as_str(), month, pending, licensed, not_limited, shipped, increase, withheld])?;
    }
    Ok(())
}

/// The opening that stands before a month, and those from it on.
fn openings_from(connection: &Connection, allocation: Country, first: i64) -> Result<(Measures, BTreeMap<i64, Measures>)> {
    let mut statement = connection.prepare_cached(
        "SELECT month, pending, licensed, not_limited, shipped, increase, withheld FROM month_opening \
         WHERE allocation = ?1 AND month >= coalesce(\
         (SELECT max(month) FROM month_opening WHERE allocation = ?1 AND month < ?2), ?2)",
    )?;
    let mut rows = statement.query(params![allocation.as_str(), first])?;
    let (mut base, mut stood) = (Measures::ZERO, BTreeMap::new());
    while let Some(row) = rows.next()? {
        let month: i64 = row.get(0)?;
        if month < first {
            base = measures(row, 1)?;
        } else {
            stood.insert(month, measures(row, 1)?);
        }
    }
    Ok((base, stood))
}

fn month_after(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).expect("every month has a first");
    first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

fn thousandths(measures: &Measures) -> [i64; 6] {
    measures.as_array().map(|tpp| tpp.thousandths())
}
