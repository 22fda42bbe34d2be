//! Limits of accounts: whether a charge fits on every day from its own on, and whether what is taken away is there.

use super::account::{Account, Charge};
use super::rules::CompanyRule;
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::quota::regime::Step;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// What an account holds from each day on.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Balance {
    /// Day by day in order: what it holds from then on.
    levels: Vec<(NaiveDate, Tpp)>,
}

impl Balance {
    /// From sums by day.
    pub fn new(days: impl IntoIterator<Item = (NaiveDate, Tpp)>) -> Self {
        let mut balance = Balance::default();
        days.into_iter().for_each(|(day, tpp)| balance.add(day, tpp));
        balance
    }

    /// What moves on a day.
    pub fn add(&mut self, day: NaiveDate, tpp: Tpp) {
        let at = self.levels.partition_point(|(known, _)| *known < day);
        if self.levels.get(at).is_none_or(|(known, _)| *known != day) {
            self.levels.insert(at, (day, self.before(at)));
        }
        self.levels[at..].iter_mut().for_each(|(_, level)| *level += tpp);
    }

    fn before(&self, at: usize) -> Tpp {
        at.checked_sub(1).map_or(Tpp::ZERO, |last| self.levels[last].1)
    }

    /// What the account holds on a day.
    pub fn on(&self, day: NaiveDate) -> Tpp {
        self.before(self.levels.partition_point(|(known, _)| *known <= day))
    }

    /// What moves on each day.
    pub fn gross(&self) -> Vec<Tpp> {
        (0..self.levels.len()).map(|at| self.levels[at].1 - self.before(at)).collect()
    }

    /// Days on which something moves.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.levels.iter().map(|(day, _)| *day)
    }
}

/// The charges of one account among several.
pub fn of_account<'c>(charges: &'c [Charge], account: &'c Account) -> Balance {
    let own = charges.iter().filter(move |charge| charge.account == *account);
    Balance::new(own.map(|charge| (charge.effective_on, charge.tpp)))
}

/// Where an account would hold less than nothing: the day, and what it would hold.
pub fn below_zero(before: &Balance, change: &Balance) -> Option<(NaiveDate, Tpp)> {
    let days: BTreeSet<NaiveDate> = before.days().chain(change.days()).collect();
    days.into_iter()
        .map(|day| (day, before.on(day) + change.on(day)))
        .find(|(day, tpp)| *tpp < Tpp::ZERO && change.on(*day) < Tpp::ZERO)
}

/// The least that a limit leaves of an account on any day from one on, its first day, and the limit of that day; `None` where no
/// limit is in force.
pub fn headroom_floor<'r>(
    rule: &'r CompanyRule,
    account: &Account,
    balance: &Balance,
    from: NaiveDate,
) -> Option<(Tpp, NaiveDate, &'r Step)> {
    let steps = rule.limit.iter().map(|step| step.from);
    let days: BTreeSet<NaiveDate> = balance.days().chain(steps).filter(|day| *day > from).chain([from]).collect();
    let left = days.into_iter().filter_map(|day| rule.limit_of(account, day).map(|step| (step.tpp - balance.on(day), day, step)));
    left.min_by_key(|(left, day, _)| (*left, *day))
}

/// Judges a change against the limit by date. A net charge of zero or less is never refused; exactly at the limit fits.
pub fn judge(rule: &CompanyRule, account: &Account, before: &Balance, change: &Balance) -> Option<Shortfall> {
    let first = change.days().next()?;
    let steps = rule.limit.iter().map(|step| step.from);
    let days: BTreeSet<NaiveDate> = before.days().chain(change.days()).chain(steps).filter(|day| *day >= first).collect();
    let mut worst: Option<Shortfall> = None;
    for day in days {
        let (rise, Some(limit)) = (change.on(day), rule.limit_of(account, day)) else { continue };
        let headroom = limit.tpp - before.on(day);
        let shortfall = rise - headroom;
        if rise > Tpp::ZERO && shortfall > Tpp::ZERO && worst.as_ref().is_none_or(|worst| shortfall > worst.shortfall) {
            worst = Some(Shortfall {
                code: RefusalCode::CompanyLimitExceeded,
                allocation: Allocation::Company(account.clone()),
                requested: rise,
                limit: limit.tpp,
                headroom_floor: headroom,
                floor_on: day,
                shortfall,
                largest: headroom.floor_at_zero(),
                largest_quantity: None,
            });
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_what_moved_up_to_the_day_in_whatever_order_it_was_told() {
        let day = |number: u32| NaiveDate::from_ymd_opt(2025, 1, number).unwrap();
        let tpp = Tpp::from_thousandths;
        let balance = Balance::new([(day(9), tpp(5)), (day(3), tpp(7)), (day(9), tpp(-2)), (day(6), tpp(0))]);
        let on: Vec<i64> = [2, 3, 8, 9, 30].map(|number| balance.on(day(number)).thousandths()).to_vec();
        assert_eq!(on, [0, 7, 7, 10, 10]);
        assert_eq!(balance.gross(), [tpp(7), tpp(0), tpp(3)]);
        assert_eq!(below_zero(&balance, &Balance::new([(day(4), tpp(-8))])), Some((day(4), tpp(-1))));
        assert_eq!(below_zero(&balance, &Balance::new([(day(9), tpp(-10))])), None);
    }
}
