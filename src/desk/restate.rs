//! Restating a filed quarter: what was filed, what is known now, and every entry between.
//!
//! As of the quarter's last day, through the record that was filed and through the head. Invariant: in every column, what
//! was filed and the changes sum to what is known now.

use super::figures;
use super::ledger::Ledger;
use super::pack::moment;
use super::tables::{country, country_name};
use crate::error::{Error, Result};
use crate::quota::calendar::Quarter;
use crate::quota::codes::Country;
use crate::quota::position::Headroom;
use crate::quota::posting::Entry;
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Table, columns};
use crate::store::{Ask, Read, Record, Store};
use std::collections::BTreeMap;

/// The figures that are restated, in the order of the columns: limit, withheld, licensed, shipped, pending, headroom.
type Figures = [Option<Tpp>; 6];

fn figures_of(row: &Headroom) -> Figures {
    [row.limit, row.withheld, Some(row.licensed), Some(row.shipped), Some(row.pending), row.headroom]
}

/// What an entry does to them; a destination without a limit has no headroom to move.
fn moved(entry: &Entry, limited: bool) -> Figures {
    let it = &entry.measures;
    let limit = |tpp: Tpp| limited.then_some(tpp);
    let headroom = it.increase - it.withheld - it.licensed;
    [limit(it.increase), limit(it.withheld), Some(it.licensed), Some(it.shipped), Some(it.pending), limit(headroom)]
}

/// What a quarter was filed with and what is known now.
#[derive(Clone, Debug)]
pub struct Restatement {
    /// Record of the closing.
    pub closing: u64,
    /// Record through which its figures count.
    pub filed_through: u64,
    /// The last record now.
    pub through: u64,
    /// Destinations of which something changed.
    pub destinations: usize,
    /// The rows: of each destination what was filed, each change, and what is known now.
    pub table: Table,
}

/// Restates a quarter that was closed.
///
/// # Errors
/// When it was never closed, or the ledger cannot be read.
pub fn restate<S: Store>(ledger: &Ledger<S>, quarter: Quarter) -> Result<Restatement> {
    let read = ledger.store.read()?;
    let filings = read.filings()?;
    let Some((closing, filing)) = filings.last_closing(quarter) else {
        return Err(Error::usage(format!("{quarter} was not closed"), format!("`tppledger close {quarter} --out DIR` files it")));
    };
    let (as_of, filed_through, through) = (quarter.last_day(), filing.through, read.head()?.seq);
    let rows_at = |seq: u64| -> Result<BTreeMap<Country, Headroom>> {
        let (regime, _) = ledger.regime_at(seq)?;
        Ok(figures::headroom(&read, &regime, as_of, seq, true)?.into_iter().map(|row| (row.destination, row)).collect())
    };
    let (filed, now) = (rows_at(filed_through)?, rows_at(through)?);
    let mut changes: BTreeMap<Country, Vec<(u64, Entry)>> = BTreeMap::new();
    read.entries(None, filed_through, through, &mut |seq, entry| {
        if entry.effective_on <= as_of {
            changes.entry(entry.allocation).or_default().push((seq, entry));
        }
        Ok(())
    })?;
    let mut table = Table::new(columns::restatement());
    let mut destinations = 0;
    for (destination, is) in &now {
        let was = filed.get(destination);
        let changes = changes.remove(destination).unwrap_or_default();
        let (was, is) = (was.map(figures_of).unwrap_or_default(), figures_of(is));
        if was == is && changes.is_empty() {
            continue;
        }
        destinations += 1;
        push(&mut table, *destination, "filed", None, &was);
        let mut sum = was;
        for (seq, entry) in &changes {
            let moved = moved(entry, was[0].is_some() && is[0].is_some());
            add(&mut sum, &moved);
            let record = read.record(*seq)?.ok_or_else(|| super::clerk::lost("record", &seq.to_string()))?;
            push(&mut table, *destination, entry.kind.as_str(), Some((&record, entry)), &moved);
        }
        // What no entry posts is a base or a standing that another regime, adopted since, has for the day.
        if sum != is {
            push(&mut table, *destination, "regime", None, &rest(&is, &sum));
        }
        push(&mut table, *destination, "now", None, &is);
    }
    Ok(Restatement { closing: *closing, filed_through, through, destinations, table })
}

fn add(sum: &mut Figures, more: &Figures) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.zip(*more).map(|(sum, more)| sum + more).or(*sum);
    }
}

fn rest(is: &Figures, sum: &Figures) -> Figures {
    std::array::from_fn(|at| match (is[at], sum[at]) {
        (Some(is), Some(sum)) => Some(is - sum),
        (Some(is), None) => Some(is),
        (None, Some(sum)) => Some(-sum),
        (None, None) => None,
    })
}

fn push(table: &mut Table, destination: Country, row: &'static str, change: Option<(&Record, &Entry)>, figures: &Figures) {
    let mut cells = vec![country(destination), country_name(destination), Cell::code(row)];
    cells.extend(match change {
        Some((record, entry)) => [
            Cell::Whole(record.seq as i64),
            Cell::text(record.fact.id()),
            Cell::Day(entry.effective_on),
            Cell::Code(moment(record.batch.recorded_at).into()),
            Cell::text(record.batch.recorded_by.clone()),
        ],
        None => [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty],
    });
    cells.extend(figures.iter().map(|tpp| tpp.map_or(Cell::Empty, Cell::Amount)));
    table.push(cells);
}
