//! Positions: what an allocation holds on a day, its headroom, its floor, its status.
//!
//! A position is a plain sum over entries up to a day and a record. The [`DaySeries`] is the same sum for every day
//! of the period at once, kept in memory while records are written; it is the only state that decisions need.

use super::calendar::Period;
use super::codes::Country;
use super::event::words;
use super::posting::{Entry, Measures};
use super::regime::{Regime, Standing};
use super::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Limit and headroom of one allocation on every day of the period.
#[derive(Clone, Debug)]
pub struct DaySeries {
    period: Period,
    /// Headroom by day; meaningless on a day without a limit.
    headroom: Vec<i64>,
    /// Limit by day, increases included.
    limit: Vec<i64>,
    /// Increases in force by day.
    increase: Vec<i64>,
    /// Whether there is a country limit on the day.
    capped: Vec<bool>,
    /// From this position on every day has a limit.
    capped_from: usize,
    gross: Tpp,
}

impl DaySeries {
    /// The series of a destination before any entry.
    pub fn new(regime: &Regime, destination: Country) -> Self {
        let period = regime.period;
        let base: Vec<Option<Tpp>> = (0..period.len()).map(|index| regime.base(destination, period.day(index))).collect();
        let limit: Vec<i64> = base.iter().map(|tpp| tpp.unwrap_or(Tpp::ZERO).thousandths()).collect();
        DaySeries {
            period,
            headroom: limit.clone(),
            increase: vec![0; limit.len()],
            limit,
            capped_from: base.iter().rposition(Option::is_none).map_or(0, |last| last + 1),
            capped: base.iter().map(Option::is_some).collect(),
            gross: Tpp::ZERO,
        }
    }

    /// Adds what moves on a day and after.
    pub fn add(&mut self, effective_on: NaiveDate, measures: &Measures) {
        self.gross = Tpp::from_thousandths(self.gross.thousandths().saturating_add(measures.gross().thousandths()));
        if effective_on > self.period.to {
            return;
        }
        let from = self.period.index(effective_on).unwrap_or(0);
        let change = (measures.increase - measures.withheld - measures.licensed).thousandths();
        if change != 0 {
            self.headroom[from..].iter_mut().for_each(|headroom| *headroom += change);
        }
        let increase = measures.increase.thousandths();
        if increase != 0 {
            self.limit[from..].iter_mut().for_each(|limit| *limit += increase);
            self.increase[from..].iter_mut().for_each(|sum| *sum += increase);
        }
    }

    /// Adds the entries of this allocation.
    pub fn add_entries(&mut self, allocation: Country, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.allocation == allocation) {
            self.add(entry.effective_on, &entry.measures);
        }
    }

    /// Gross movement so far, for the check of the range.
    pub fn gross(&self) -> Tpp {
        self.gross
    }

    /// The period.
    pub fn period(&self) -> Period {
        self.period
    }

    /// Limit on a day, where there is one.
    pub fn limit_on(&self, day: NaiveDate) -> Option<Tpp> {
        let index = self.period.index(day)?;
        self.capped[index].then(|| Tpp::from_thousandths(self.limit[index]))
    }

    /// Headroom on a day, where there is a limit.
    pub fn headroom_on(&self, day: NaiveDate) -> Option<Tpp> {
        let index = self.period.index(day)?;
        self.capped[index].then(|| Tpp::from_thousandths(self.headroom[index]))
    }

    /// Increases in force on a day of the period.
    pub fn increase_on(&self, day: NaiveDate) -> Tpp {
        self.period.index(day).map_or(Tpp::ZERO, |index| Tpp::from_thousandths(self.increase[index]))
    }

    /// Whether a rise is at most the headroom on every day from `from` to `until` that has a limit.
    pub fn fits_between(&self, from: NaiveDate, until: NaiveDate, rise: Tpp) -> bool {
        let inside = (self.period.index(from.max(self.period.from)), self.period.index(until.min(self.period.to)));
        let (Some(first), Some(last)) = inside else { return true };
        let enough = |headroom: &i64| *headroom >= rise.thousandths();
        if first >= self.capped_from {
            return self.headroom[first..=last].iter().min().is_none_or(enough);
        }
        (first..=last).all(|index| !self.capped[index] || enough(&self.headroom[index]))
    }

    /// The lowest headroom on the days `from` to `until`, both included, and its first day; only days with a limit.
    pub fn floor_between(&self, from: NaiveDate, until: NaiveDate) -> Option<(Tpp, NaiveDate)> {
        if until < self.period.from || from > self.period.to {
            return None;
        }
        let first = self.period.index(from.max(self.period.from))?;
        let last = self.period.index(until.min(self.period.to))?;
        if first >= self.capped_from {
            // Most destinations have a limit on every day: the lowest of a plain slice, then its first day.
            let days = &self.headroom[first..=last];
            let lowest = days.iter().copied().min()?;
            let index = first + days.iter().position(|headroom| *headroom == lowest)?;
            return Some((Tpp::from_thousandths(lowest), self.period.day(index)));
        }
        let mut lowest: Option<(i64, usize)> = None;
        for index in first..=last {
            if self.capped[index] && lowest.is_none_or(|(headroom, _)| self.headroom[index] < headroom) {
                lowest = Some((self.headroom[index], index));
            }
        }
        lowest.map(|(headroom, index)| (Tpp::from_thousandths(headroom), self.period.day(index)))
    }

    /// The headroom floor from a day to the end of the period, and its first day.
    pub fn floor_from(&self, from: NaiveDate) -> Option<(Tpp, NaiveDate)> {
        self.floor_between(from, self.period.to)
    }
}

words! {
    /// What a destination's row says, first that applies.
    Status {
        /// Limited licenses pass limit less withheld.
        Overrun = "overrun",
        /// Nothing is left.
        Met = "met",
        /// Little is left.
        Critical = "critical",
        /// Something is left.
        Open = "open",
        /// No country limit here.
        Uncapped = "uncapped",
        /// No country limit; denial is presumed.
        PresumptionOfDenial = "presumption_of_denial",
        /// The day is outside the period.
        NotInForce = "not_in_force",
    }
}

/// One row of headroom.csv. The limit and what follows from it are empty where no limit is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headroom {
    /// Destination.
    pub destination: Country,
    /// The day.
    pub as_of: NaiveDate,
    /// Base of the limit.
    pub base: Option<Tpp>,
    /// Increases in force.
    pub increase: Option<Tpp>,
    /// Base + increase.
    pub limit: Option<Tpp>,
    /// Set aside from issue.
    pub withheld: Option<Tpp>,
    /// Licensed.
    pub licensed: Tpp,
    /// The part that the limit does not bind.
    pub licensed_not_limited: Tpp,
    /// Shipped.
    pub shipped: Tpp,
    /// Licensed, not shipped.
    pub unshipped: Tpp,
    /// Pending.
    pub pending: Tpp,
    /// Limit - withheld - licensed.
    pub headroom: Option<Tpp>,
    /// Headroom - pending.
    pub headroom_after_pending: Option<Tpp>,
    /// Licensed / limit x 100.
    pub utilization_pct: Option<Decimal>,
    /// Status.
    pub status: Status,
}

impl Headroom {
    /// The row of a destination on a day from its position, by the groups in force on that day.
    pub fn new(regime: &Regime, destination: Country, as_of: NaiveDate, position: &Measures) -> Self {
        let standing = regime.standing(destination, as_of);
        let base = regime.base(destination, as_of);
        let limit = base.map(|base| base + position.increase);
        let headroom = limit.map(|limit| limit - position.withheld - position.licensed);
        let status = match (standing, limit, headroom) {
            (Standing::PresumptionOfDenial, ..) => Status::PresumptionOfDenial,
            (Standing::Unlimited | Standing::Home, ..) => Status::Uncapped,
            (Standing::Capped, Some(limit), Some(headroom)) => status(regime, limit, headroom, position),
            (Standing::Capped, ..) => Status::NotInForce,
        };
        let not_limited = if standing == Standing::Capped { position.not_limited } else { position.licensed };
        Headroom {
            destination,
            as_of,
            base,
            increase: limit.map(|_| position.increase),
            limit,
            withheld: limit.map(|_| position.withheld),
            licensed: position.licensed,
            licensed_not_limited: not_limited,
            shipped: position.shipped,
            unshipped: position.unshipped(),
            pending: position.pending,
            headroom,
            headroom_after_pending: headroom.map(|headroom| headroom - position.pending),
            utilization_pct: limit.and_then(|limit| position.licensed.utilization_pct(limit)),
            status,
        }
    }
}

fn status(regime: &Regime, limit: Tpp, headroom: Tpp, position: &Measures) -> Status {
    if position.licensed - position.not_limited > limit - position.withheld {
        Status::Overrun
    } else if headroom <= Tpp::ZERO {
        Status::Met
    } else if headroom.to_decimal() * Decimal::ONE_HUNDRED <= limit.to_decimal() * regime.critical_percent {
        Status::Critical
    } else {
        Status::Open
    }
}
