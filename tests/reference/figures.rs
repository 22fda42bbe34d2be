//! What the reports must show: plain sums over all that moved, through a record.

use super::law::{self, LAST, is_capped};
use super::limits::{self, Limits};
use super::model::Model;
use super::rows::Operation;
use super::story::{Change, Column};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// One row of headroom.csv, with the floor. Amounts in thousandths; empty cells are `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub base: Option<i64>,
    pub increase: Option<i64>,
    pub limit: Option<i64>,
    pub withheld: Option<i64>,
    pub licensed: i64,
    pub not_limited: i64,
    pub shipped: i64,
    pub unshipped: i64,
    pub pending: i64,
    pub headroom: Option<i64>,
    pub after_pending: Option<i64>,
    pub floor: Option<(i64, NaiveDate)>,
    pub status: &'static str,
}

/// One row of movements.csv.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movement {
    pub opening: i64,
    pub carried_in: i64,
    pub issued: i64,
    pub expired: i64,
    pub revoked: i64,
    pub surrendered: i64,
    pub amended: i64,
    pub attrition: i64,
    pub corrected: i64,
    pub closing: i64,
    /// Opening, base change, increase, closing; opening and closing withheld; closing headroom.
    pub limit: Option<[i64; 7]>,
}

/// Everything that moved, through a record.
#[derive(Clone, Debug)]
pub struct Picture {
    changes: Vec<Change>,
    limits: BTreeMap<&'static str, Limits>,
}

impl Picture {
    pub fn of(model: &Model, through: u64) -> Picture {
        let mut changes = Vec::new();
        for number in model.numbers(through) {
            changes.extend(model.story(number, through, NaiveDate::MAX).changes);
        }
        let mut limits = BTreeMap::new();
        for allocation in law::ALLOCATIONS {
            let told = limits::tell(&model.acts(allocation, through), None).expect("what is recorded stands");
            changes.extend(told.steps.iter().map(|step| carried_in(allocation, step.on, step.carried_in)));
            limits.insert(allocation, told);
        }
        // What was corrected stays where it stood, and its reversal stands beside it.
        for (correction, undone) in model.corrections(through) {
            for posted in own_posting(model, correction, undone) {
                changes.push(posted);
                changes.push(Change {
                    column: Column::Corrected,
                    pending: -posted.pending,
                    licensed: -posted.licensed,
                    not_limited: -posted.not_limited,
                    shipped: -posted.shipped,
                    ..posted
                });
            }
        }
        Picture { changes, limits }
    }

    fn changes(&self, allocation: &str, as_of: NaiveDate) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.allocation == allocation && change.on <= as_of)
    }

    fn licensed(&self, allocation: &str, as_of: NaiveDate) -> i64 {
        self.changes(allocation, as_of).map(|change| change.licensed).sum()
    }

    /// Base + increases on a day, where there is a limit.
    pub fn limit(&self, allocation: &str, on: NaiveDate) -> Option<i64> {
        law::base(allocation, on).map(|base| base + self.limits[allocation].on(on, |step| step.increase))
    }

    /// Headroom on each day of the period, where there is a limit.
    pub fn headroom_by_day(&self, allocation: &str) -> Vec<Option<i64>> {
        let limits = &self.limits[allocation];
        let (increase, withheld) = (limits.by_day(|step| step.increase), limits.by_day(|step| step.withheld));
        let mut licensed = vec![0; law::DAYS];
        for change in self.changes.iter().filter(|change| change.allocation == allocation && change.licensed != 0) {
            licensed[law::index(change.on)..].iter_mut().for_each(|day| *day += change.licensed);
        }
        let days = law::period().enumerate();
        days.map(|(at, on)| law::base(allocation, on).map(|base| base + increase[at] - withheld[at] - licensed[at])).collect()
    }

    /// The row of a destination on a day.
    pub fn row(&self, allocation: &str, as_of: NaiveDate) -> Row {
        let base = law::base(allocation, as_of);
        let increase = self.limits[allocation].on(as_of, |step| step.increase);
        let withheld = self.limits[allocation].on(as_of, |step| step.withheld);
        let limit = base.map(|base| base + increase);
        let licensed = self.licensed(allocation, as_of);
        let shipped = self.changes(allocation, as_of).map(|change| change.shipped).sum();
        let pending = self.changes(allocation, as_of).map(|change| change.pending).sum();
        let not_limited: i64 = self.changes(allocation, as_of).map(|change| change.not_limited).sum();
        let capped = is_capped(allocation, as_of);
        let headroom = limit.map(|limit| limit - withheld - licensed);
        let status = match (limit, headroom) {
            (Some(limit), Some(headroom)) => status(limit, withheld, licensed - not_limited, headroom),
            _ if law::is_unlimited(allocation) => "uncapped",
            _ if !capped => "presumption_of_denial",
            _ => "not_in_force",
        };
        Row {
            base,
            increase: base.map(|_| increase),
            limit,
            withheld: base.map(|_| withheld),
            licensed,
            not_limited: if capped { not_limited } else { licensed },
            shipped,
            unshipped: licensed - shipped,
            pending,
            headroom,
            after_pending: headroom.map(|headroom| headroom - pending),
            floor: self.floor(allocation, as_of),
            status,
        }
    }

    /// The lowest headroom from a day on, and its first day.
    pub fn floor(&self, allocation: &str, from: NaiveDate) -> Option<(i64, NaiveDate)> {
        let headroom = self.headroom_by_day(allocation);
        let days = law::period().zip(headroom).filter(|(day, _)| *day >= from);
        days.filter_map(|(day, headroom)| headroom.map(|headroom| (headroom, day))).min()
    }

    /// The row of a destination for the days of a quarter.
    pub fn movement(&self, allocation: &str, first: NaiveDate, last: NaiveDate) -> Movement {
        let before = law::plus(first, -1);
        let sum = |column: Column| -> i64 {
            let inside = self.changes(allocation, last).filter(|change| change.on >= first && change.column == column);
            inside.map(|change| change.licensed).sum()
        };
        let limits = &self.limits[allocation];
        let base_before = if first == law::FIRST { law::base(allocation, first) } else { law::base(allocation, before) };
        let limit = law::base(allocation, last).map(|base| {
            let increases = [limits.on(before, |step| step.increase), limits.on(last, |step| step.increase)];
            let withheld = [limits.on(before, |step| step.withheld), limits.on(last, |step| step.withheld)];
            let opening = base_before.map_or(0, |base| base + increases[0]);
            let (base_change, closing) = (base - base_before.unwrap_or(0), base + increases[1]);
            let headroom = closing - withheld[1] - self.licensed(allocation, last);
            [opening, base_change, increases[1] - increases[0], closing, withheld[0], withheld[1], headroom]
        });
        Movement {
            opening: self.licensed(allocation, before),
            carried_in: sum(Column::CarriedIn),
            issued: sum(Column::Issued),
            expired: -sum(Column::Expired),
            revoked: -sum(Column::Revoked),
            surrendered: -sum(Column::Surrendered),
            amended: -sum(Column::Amended),
            attrition: -sum(Column::Attrition),
            corrected: -sum(Column::Corrected),
            closing: self.licensed(allocation, last),
            limit: limit.filter(|_| last <= LAST),
        }
    }
}

fn status(limit: i64, withheld: i64, limited: i64, headroom: i64) -> &'static str {
    if limited > limit - withheld {
        "overrun"
    } else if headroom <= 0 {
        "met"
    } else if headroom * 10 <= limit {
        "critical"
    } else {
        "open"
    }
}

fn carried_in(allocation: &'static str, on: NaiveDate, amount: i64) -> Change {
    Change {
        on,
        cause: 0,
        column: Column::CarriedIn,
        allocation,
        line: 0,
        pending: 0,
        licensed: amount,
        not_limited: amount,
        shipped: amount,
    }
}

/// What a record had posted of its own, as it stood just before a correction undid it.
fn own_posting(model: &Model, correction: u64, undone: u64) -> Vec<Change> {
    let record = &model.records[undone as usize - 1];
    match (&record.operation, &record.application) {
        (Operation::Event(_), Some(number)) => {
            let story = model.story(number, correction - 1, NaiveDate::MAX);
            story.changes.into_iter().filter(|change| change.cause == undone).collect()
        }
        (Operation::Act(act), _) => {
            let told = limits::tell(&model.acts(act.destination, correction - 1), None).expect("what is recorded stands");
            let own = told.steps.into_iter().filter(|step| step.cause == undone);
            own.map(|step| carried_in(act.destination, step.on, step.carried_in)).collect()
        }
        _ => Vec::new(),
    }
}
