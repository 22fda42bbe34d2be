//! Shares of an installed base: how much of it is where, and how much more may go there.
//!
//! "Not more than" 25, 7 and 50 percent (Supp. 10 to part 748, paragraph 6): exactly at the share fits. A share over an
//! empty base is no number.

use super::account::{Account, Authorization, Part};
use super::judge::Balance;
use super::rules::{Share, ShareOf};
use crate::quota::codes::Country;
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A group's installed base by country on a day.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Base(pub BTreeMap<Country, Tpp>);

/// One share on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measure {
    /// The one country, for a share that is measured country by country.
    pub country: Option<Country>,
    /// What is there.
    pub part: Tpp,
    /// The whole base.
    pub whole: Tpp,
    /// More that may be installed there from outside the base, the base growing with it; none for a share already passed.
    pub room_installed: Tpp,
    /// More that may be moved there from where the share does not look, the base staying as it is.
    pub room_moved: Tpp,
    /// Whether the share is passed.
    pub is_passed: bool,
}

impl Base {
    /// The base on a day from balances by country.
    pub fn on(balances: &BTreeMap<Country, Balance>, day: NaiveDate) -> Base {
        Base(balances.iter().map(|(country, balance)| (*country, balance.on(day))).filter(|(_, tpp)| *tpp != Tpp::ZERO).collect())
    }

    /// The whole base.
    pub fn whole(&self) -> Tpp {
        self.0.values().copied().sum()
    }

    /// The measures of a share: one, or one for each country that it looks at. `home_headquartered` says whether the entity
    /// is headquartered in the home country, to which some shares apply alone.
    pub fn measures(&self, share: &Share, regime: &Regime, home_headquartered: bool, on: NaiveDate) -> Vec<Measure> {
        let outside_unlimited = |country: Country| is_outside_unlimited(regime, country, on);
        let of = |looks_at: &dyn Fn(Country) -> bool| -> Tpp {
            self.0.iter().filter(|(country, _)| looks_at(**country)).map(|(_, tpp)| *tpp).sum()
        };
        match share.of {
            ShareOf::OutsideUnlimited => vec![self.measure(share, None, of(&outside_unlimited))],
            ShareOf::OutsideHome if home_headquartered => {
                vec![self.measure(share, None, of(&|country| country != regime.groups.home))]
            }
            ShareOf::OutsideHome => Vec::new(),
            ShareOf::EachOutsideUnlimited => {
                let looked_at = self.0.iter().filter(|(country, _)| outside_unlimited(**country));
                looked_at.map(|(country, tpp)| self.measure(share, Some(*country), *tpp)).collect()
            }
        }
    }

    /// The measure that more at a country would raise; `None` where the share does not look there.
    pub fn measure_at(
        &self,
        share: &Share,
        regime: &Regime,
        home_headquartered: bool,
        country: Country,
        on: NaiveDate,
    ) -> Option<Measure> {
        let looks_there = match share.of {
            ShareOf::OutsideUnlimited | ShareOf::EachOutsideUnlimited => is_outside_unlimited(regime, country, on),
            ShareOf::OutsideHome => home_headquartered && country != regime.groups.home,
        };
        if !looks_there {
            return None;
        }
        if share.of == ShareOf::EachOutsideUnlimited {
            return Some(self.measure(share, Some(country), self.0.get(&country).copied().unwrap_or_default()));
        }
        self.measures(share, regime, home_headquartered, on).into_iter().next()
    }

    /// The measure of a country that a share looks at, also where nothing is installed yet.
    pub fn measure(&self, share: &Share, country: Option<Country>, part: Tpp) -> Measure {
        let whole = self.whole();
        let allowed = share.percent * whole.to_decimal() - Decimal::ONE_HUNDRED * part.to_decimal();
        let room = |divisor: Decimal| if divisor.is_zero() { Tpp::ZERO } else { floor(allowed / divisor) };
        Measure {
            country,
            part,
            whole,
            room_installed: room(Decimal::ONE_HUNDRED - share.percent),
            room_moved: room(Decimal::ONE_HUNDRED),
            is_passed: allowed < Decimal::ZERO,
        }
    }
}

fn is_outside_unlimited(regime: &Regime, country: Country, on: NaiveDate) -> bool {
    !matches!(regime.standing(country, on), Standing::Unlimited | Standing::Home)
}

/// Whole thousandths, rounded down; not below zero.
fn floor(tpp: Decimal) -> Tpp {
    let thousandths = (tpp * Decimal::ONE_THOUSAND).floor();
    Tpp::from_thousandths(i64::try_from(thousandths).unwrap_or(0)).floor_at_zero()
}

/// A share that a change passes: it is passed after, and the change adds to what the share looks at or makes it larger. "Cannot
/// transfer or install more than" (Supp. 10 to part 748, paragraph 6) forbids more also where the share is passed already.
pub fn judge_share(
    share: &Share,
    regime: &Regime,
    group: (&str, Authorization, bool),
    before: &Base,
    after: &Base,
    on: NaiveDate,
) -> Vec<Shortfall> {
    let (ultimate, authorization, home_headquartered) = group;
    let mut shortfalls = Vec::new();
    for measure in after.measures(share, regime, home_headquartered, on) {
        if !measure.is_passed {
            continue;
        }
        let was = before.measures(share, regime, home_headquartered, on).into_iter().find(|it| it.country == measure.country);
        let was = was.unwrap_or_else(|| before.measure(share, measure.country, Tpp::ZERO));
        let rise = measure.part - was.part;
        let larger = measure.part.to_decimal() * was.whole.to_decimal() > was.part.to_decimal() * measure.whole.to_decimal();
        if rise <= Tpp::ZERO && !larger {
            continue;
        }
        let limit = floor(share.percent * measure.whole.to_decimal() / Decimal::ONE_HUNDRED);
        let part = measure.country.map_or(Part::Whole, Part::Country);
        let largest = if was.whole == measure.whole { was.room_moved } else { was.room_installed };
        shortfalls.push(Shortfall {
            code: RefusalCode::ShareExceeded,
            allocation: Allocation::Company(Account::new(authorization, ultimate, part)),
            requested: rise,
            limit,
            headroom_floor: limit - was.part,
            floor_on: on,
            shortfall: measure.part - limit,
            largest,
            largest_quantity: None,
        });
    }
    shortfalls
}
