//! Figures: headroom, movements of a quarter, what is already scheduled; on both axes of time.
//!
//! Every figure is a sum over entries effective up to a day, recorded through a record, under the regime in force at that
//! record. Destinations without entries have their rows too: a missing row would be read as no limit or as nothing left.

use crate::error::Result;
use crate::quota::calendar::{Quarter, day_before};
use crate::quota::codes::Country;
use crate::quota::position::{DaySeries, Headroom};
use crate::quota::posting::{Entry, EntryKind, Measures};
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use crate::store::Read;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Headroom of destinations on a day. `all` adds those that are uncapped or under a presumption of denial on that day.
///
/// # Errors
/// When the store cannot be read.
pub fn headroom(read: &impl Read, regime: &Regime, as_of: NaiveDate, through: u64, all: bool) -> Result<Vec<Headroom>> {
    let positions = read.positions(as_of, through)?;
    Ok(regime
        .destinations()
        .filter(|destination| all || regime.standing(*destination, as_of) == Standing::Capped)
        .map(|destination| {
            let position = positions.get(&destination).copied().unwrap_or_default();
            Headroom::new(regime, destination, as_of, &position)
        })
        .collect())
}

/// The day series of every allocation that has entries, through a record.
///
/// # Errors
/// When the store cannot be read.
pub fn all_series(read: &impl Read, regime: &Regime, through: u64) -> Result<BTreeMap<Country, DaySeries>> {
    let mut series: BTreeMap<Country, DaySeries> =
        regime.destinations().map(|destination| (destination, DaySeries::new(regime, destination))).collect();
    for (destination, one) in &mut series {
        for (day, measures) in read.day_totals(*destination)? {
            one.add(day, &measures);
        }
    }
    let head = read.head()?.seq;
    if through < head {
        read.entries(None, through, head, &mut |_, entry| {
            if let Some(one) = series.get_mut(&entry.allocation) {
                one.add(entry.effective_on, &-entry.measures);
            }
            Ok(())
        })?;
    }
    Ok(series)
}

/// The day series of one allocation, through a record.
///
/// # Errors
/// When the store cannot be read.
pub fn one_series(read: &(impl Read + ?Sized), regime: &Regime, destination: Country, through: u64) -> Result<DaySeries> {
    let mut series = DaySeries::new(regime, destination);
    for (day, measures) in read.day_totals(destination)? {
        series.add(day, &measures);
    }
    let head = read.head()?.seq;
    if through < head {
        read.entries(Some(destination), through, head, &mut |_, entry| {
            series.add(entry.effective_on, &-entry.measures);
            Ok(())
        })?;
    }
    Ok(series)
}

/// One row of movements.csv. `closing = opening + carried in + issued - each kind of give-back`, and
/// `closing limit = opening limit + base change + increase`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movement {
    /// Destination.
    pub destination: Country,
    /// Licensed at the end of the day before the quarter.
    pub opening_licensed: Tpp,
    /// Carried in.
    pub carried_in: Tpp,
    /// Issued, and shipped without a license.
    pub issued: Tpp,
    /// Given back: positive is less licensed.
    pub expired: Tpp,
    /// Likewise.
    pub revoked: Tpp,
    /// Likewise.
    pub surrendered: Tpp,
    /// Likewise; a rise is negative.
    pub amended: Tpp,
    /// Likewise.
    pub attrition: Tpp,
    /// Reversals, likewise.
    pub corrected: Tpp,
    /// Licensed at the end of the quarter's last day.
    pub closing_licensed: Tpp,
    /// Limit before the quarter; empty columns where there is no limit at the end.
    pub limit: Option<LimitMovement>,
}

/// The limit's part of a movement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitMovement {
    /// Limit at the end of the day before the quarter; a limit that begins inside the quarter opens at 0.
    pub opening_limit: Tpp,
    /// Change of the base.
    pub base_change: Tpp,
    /// Increases and their withdrawals.
    pub increase: Tpp,
    /// Limit at the end of the quarter's last day.
    pub closing_limit: Tpp,
    /// Withheld before.
    pub opening_withheld: Tpp,
    /// Withheld at the end.
    pub closing_withheld: Tpp,
    /// Headroom at the end.
    pub closing_headroom: Tpp,
}

/// What is already known to change headroom on a later day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scheduled {
    /// Destination.
    pub destination: Country,
    /// Day.
    pub day: NaiveDate,
    /// Why: the kind of entry, or `base`.
    pub kind: &'static str,
    /// Signed as it changes headroom.
    pub tpp: Tpp,
}

/// Sums over all entries through a record that the quarter's tables need, gathered in one pass.
#[derive(Clone, Default, Debug)]
pub struct QuarterSums {
    opening: BTreeMap<Country, Measures>,
    by_kind: BTreeMap<(Country, EntryKind), Measures>,
    later: BTreeMap<Country, BTreeMap<(NaiveDate, EntryKind), Tpp>>,
}

impl QuarterSums {
    /// One pass over the entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn gather(read: &impl Read, first_day: NaiveDate, last_day: NaiveDate, through: u64) -> Result<Self> {
        let mut sums = QuarterSums::default();
        read.entries(None, 0, through, &mut |_, entry| {
            sums.add(&entry, first_day, last_day);
            Ok(())
        })?;
        Ok(sums)
    }

    fn add(&mut self, entry: &Entry, first_day: NaiveDate, last_day: NaiveDate) {
        if entry.effective_on < first_day {
            *self.opening.entry(entry.allocation).or_default() += entry.measures;
        } else if entry.effective_on <= last_day {
            *self.by_kind.entry((entry.allocation, entry.kind)).or_default() += entry.measures;
        } else {
            let change = entry.measures.increase - entry.measures.withheld - entry.measures.licensed;
            *self.later.entry(entry.allocation).or_default().entry((entry.effective_on, entry.kind)).or_default() += change;
        }
    }

    fn licensed(&self, destination: Country, kind: EntryKind) -> Tpp {
        self.by_kind.get(&(destination, kind)).map_or(Tpp::ZERO, |measures| measures.licensed)
    }

    fn moved(&self, destination: Country) -> Measures {
        EntryKind::ALL
            .iter()
            .filter_map(|kind| self.by_kind.get(&(destination, *kind)))
            .fold(Measures::ZERO, |sum, measures| sum + *measures)
    }

    /// One row a destination, with or without movement.
    pub fn movements(&self, regime: &Regime, quarter: Quarter, all: bool) -> Vec<Movement> {
        let last_day = quarter.last_day();
        regime
            .destinations()
            .filter(|destination| all || regime.standing(*destination, last_day) == Standing::Capped)
            .map(|destination| self.movement(regime, quarter, destination))
            .collect()
    }

    /// The row of one destination.
    pub fn movement(&self, regime: &Regime, quarter: Quarter, destination: Country) -> Movement {
        let opening = self.opening.get(&destination).copied().unwrap_or_default();
        let moved = self.moved(destination);
        let closing = opening + moved;
        let licensed = |kind| self.licensed(destination, kind);
        let limit = regime.base(destination, quarter.last_day()).map(|base| {
            let opening_limit = opening_base(regime, destination, quarter) + opening.increase;
            let closing_limit = base + closing.increase;
            LimitMovement {
                opening_limit,
                base_change: closing_limit - opening_limit - moved.increase,
                increase: moved.increase,
                closing_limit,
                opening_withheld: opening.withheld,
                closing_withheld: closing.withheld,
                closing_headroom: closing_limit - closing.withheld - closing.licensed,
            }
        });
        Movement {
            destination,
            opening_licensed: opening.licensed,
            carried_in: licensed(EntryKind::CarriedIn),
            issued: licensed(EntryKind::Issued),
            expired: -licensed(EntryKind::Expired),
            revoked: -licensed(EntryKind::Revoked),
            surrendered: -licensed(EntryKind::Surrendered),
            amended: -licensed(EntryKind::Amended),
            attrition: -licensed(EntryKind::Attrition),
            corrected: -licensed(EntryKind::Corrected),
            closing_licensed: closing.licensed,
            limit,
        }
    }

    /// What changes headroom after the last day, up to the period's end, in order of destination, day and kind.
    pub fn schedule(&self, regime: &Regime, as_of: NaiveDate) -> Vec<Scheduled> {
        let mut rows: Vec<Scheduled> = Vec::new();
        for (destination, days) in &self.later {
            let (destination, seen) = (*destination, |day: NaiveDate| regime.base(*destination, day).is_some());
            rows.extend(
                days.iter()
                    .filter(|((day, _), change)| **change != Tpp::ZERO && seen(*day))
                    .map(|((day, kind), change)| Scheduled { destination, day: *day, kind: kind.as_str(), tpp: *change }),
            );
        }
        for destination in regime.destinations() {
            rows.extend(base_changes(regime, destination, as_of));
        }
        rows.sort_by(|a, b| a.destination.cmp(&b.destination).then(a.day.cmp(&b.day)).then(a.kind.cmp(b.kind)));
        rows
    }
}

/// The base before a quarter: that of the day before; where the period begins with the quarter or inside it, the first base.
fn opening_base(regime: &Regime, destination: Country, quarter: Quarter) -> Tpp {
    let first_day = quarter.first_day();
    let day = if day_before(first_day) < regime.period.from { regime.period.from.max(first_day) } else { day_before(first_day) };
    regime.base(destination, day).unwrap_or(Tpp::ZERO)
}

/// Later days on which the base of a destination changes: a review, or a limit that begins.
fn base_changes(regime: &Regime, destination: Country, as_of: NaiveDate) -> Vec<Scheduled> {
    let steps = regime.base.iter().map(|step| step.from);
    let standings = regime.standing_steps(destination).iter().map(|(day, _)| *day);
    let mut days: Vec<NaiveDate> = steps.chain(standings).filter(|day| *day > as_of && regime.period.contains(*day)).collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter()
        .filter_map(|day| {
            let before = regime.base(destination, day_before(day)).unwrap_or(Tpp::ZERO);
            let change = regime.base(destination, day).unwrap_or(Tpp::ZERO) - before;
            (change != Tpp::ZERO).then_some(Scheduled { destination, day, kind: "base", tpp: change })
        })
        .collect()
}
