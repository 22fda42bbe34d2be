//! Decisions: does a rise fit, on every day from its first to the period's end, and if not, by how much.
//!
//! A limited charge must be at most the headroom on every one of those days; exactly at the limit fits ("up to",
//! 742.6(b)(10)(iii)(B)(1)). Pending applications do not count. A refusal names every allocation that does not fit.

use super::calendar::day_before;
use super::codes::Country;
use super::company::account::Account;
use super::event::words;
use super::position::DaySeries;
use super::posting::Rise;
use super::regime::Regime;
use super::tpp::Tpp;
use chrono::NaiveDate;
use std::fmt;

words! {
    /// Why something is refused.
    RefusalCode {
        /// A limited charge does not fit.
        AllocationExceeded = "allocation_exceeded",
        /// Increases in force would pass the regime's maximum.
        IncreaseAboveMaximum = "increase_above_maximum",
        /// More would be withheld than there is headroom.
        WithholdingAboveHeadroom = "withholding_above_headroom",
        /// A charge does not fit in a company's limit.
        CompanyLimitExceeded = "company_limit_exceeded",
        /// A share of an installed base would be passed.
        ShareExceeded = "share_exceeded",
    }
}

/// Whose limit: a country's, or a company's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Allocation {
    /// A destination's.
    Country(Country),
    /// A company's, under an authorization.
    Company(Account),
}

impl Allocation {
    /// The country, for a destination's.
    pub fn country(&self) -> Option<Country> {
        if let Allocation::Country(country) = self { Some(*country) } else { None }
    }

    /// Reads what [`fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Allocation> {
        Country::new(text).map(Allocation::Country).or_else(|| Account::parse(text).map(Allocation::Company))
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allocation::Country(country) => country.fmt(f),
            Allocation::Company(account) => account.fmt(f),
        }
    }
}

/// One broken limit, with its numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shortfall {
    /// Why.
    pub code: RefusalCode,
    /// In whose allocation.
    pub allocation: Allocation,
    /// The rise on the day of the largest shortfall.
    pub requested: Tpp,
    /// Limit on that day; for an increase, the limit in force.
    pub limit: Tpp,
    /// Headroom on that day; for an increase, what is left of the maximum.
    pub headroom_floor: Tpp,
    /// The first day with the largest shortfall.
    pub floor_on: NaiveDate,
    /// Requested - headroom.
    pub shortfall: Tpp,
    /// The largest TPP that would fit; never below zero.
    pub largest: Tpp,
    /// The largest quantity that would fit, for a single line.
    pub largest_quantity: Option<u32>,
}

/// Judges a net rise against the headroom, day by day. `None`: it fits.
pub fn judge(rise: &Rise, series: &DaySeries) -> Option<Shortfall> {
    let steps: Vec<(NaiveDate, Tpp)> =
        rise.steps.iter().map(|(day, net, limited)| (*day, if *limited { *net } else { Tpp::ZERO })).collect();
    judge_steps(RefusalCode::AllocationExceeded, rise.allocation, &steps, series)
}

/// Judges a rise of what is withheld against the headroom, day by day.
pub fn judge_withholding(allocation: Country, steps: &[(NaiveDate, Tpp)], series: &DaySeries) -> Option<Shortfall> {
    judge_steps(RefusalCode::WithholdingAboveHeadroom, allocation, steps, series)
}

fn judge_steps(code: RefusalCode, allocation: Country, steps: &[(NaiveDate, Tpp)], series: &DaySeries) -> Option<Shortfall> {
    let end = series.period().to;
    let mut worst: Option<Shortfall> = None;
    for (index, (from, rise)) in steps.iter().enumerate() {
        // A net charge of zero or less is never refused.
        if *rise <= Tpp::ZERO || *from > end {
            continue;
        }
        let until = steps.get(index + 1).map_or(end, |(next, _)| day_before(*next));
        if series.fits_between(*from, until, *rise) {
            continue;
        }
        let Some((floor, floor_on)) = series.floor_between(*from, until) else { continue };
        let shortfall = *rise - floor;
        if shortfall > Tpp::ZERO && worst.as_ref().is_none_or(|worst| shortfall > worst.shortfall) {
            worst = Some(Shortfall {
                code,
                allocation: Allocation::Country(allocation),
                requested: *rise,
                limit: series.limit_on(floor_on).unwrap_or(Tpp::ZERO),
                headroom_floor: floor,
                floor_on,
                shortfall,
                largest: floor.floor_at_zero(),
                largest_quantity: None,
            });
        }
    }
    worst
}

/// Judges a rise of the increases in force against the regime's maximum (+100 % of the base in the default regime,
/// 742.6(b)(10)(iii)(C)).
pub fn judge_increase(regime: &Regime, allocation: Country, steps: &[(NaiveDate, Tpp)], series: &DaySeries) -> Option<Shortfall> {
    let period = series.period();
    let mut worst: Option<Shortfall> = None;
    for index in 0..period.len() {
        let day = period.day(index);
        let Some(rise) = steps.iter().rev().find(|(from, _)| *from <= day).map(|(_, rise)| *rise) else { continue };
        let Some(base) = regime.base(allocation, day) else { continue };
        let left = regime.increase_maximum(base) - series.increase_on(day);
        let shortfall = rise - left;
        if rise > Tpp::ZERO && shortfall > Tpp::ZERO && worst.as_ref().is_none_or(|worst| shortfall > worst.shortfall) {
            worst = Some(Shortfall {
                code: RefusalCode::IncreaseAboveMaximum,
                allocation: Allocation::Country(allocation),
                requested: rise,
                limit: series.limit_on(day).unwrap_or(base),
                headroom_floor: left,
                floor_on: day,
                shortfall,
                largest: left.floor_at_zero(),
                largest_quantity: None,
            });
        }
    }
    worst
}
