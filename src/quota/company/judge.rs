//! Limits of accounts: whether a charge fits on every day from its own on, and whether what is taken away is there.

use super::account::{Account, Charge};
use super::rules::CompanyRule;
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::quota::regime::Step;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What an account holds from each day on.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Balance {
    changes: BTreeMap<NaiveDate, Tpp>,
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
        *self.changes.entry(day).or_default() += tpp;
    }

    /// What the account holds on a day.
    pub fn on(&self, day: NaiveDate) -> Tpp {
        self.changes.range(..=day).map(|(_, tpp)| *tpp).sum()
    }

    /// What moves on each day.
    pub fn gross(&self) -> Vec<Tpp> {
        self.changes.values().copied().collect()
    }

    /// Days on which something moves.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.changes.keys().copied()
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
        let (rise, Some(limit)) = (change.on(day), rule.limit_on(day)) else { continue };
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
