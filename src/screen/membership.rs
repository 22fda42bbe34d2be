//! Which countries are in one of several groups on a day.
//!
//! Worked out once for each test, so that asking costs a look at a bit. Territories are where their parent is.

use crate::quota::codes::Country;
use crate::quota::regime::Groups;
use chrono::NaiveDate;

/// The countries of several groups together, by day: a bit for each pair of letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// From each day on; the first is the beginning of time.
    steps: Vec<(NaiveDate, [u64; 11])>,
}

impl Membership {
    /// Of groups by their ids. A territory is where its parent is.
    pub fn new(groups: &Groups, ids: &[String], countries: impl Iterator<Item = Country> + Clone) -> Membership {
        let chosen: Vec<_> = groups.groups.iter().filter(|group| ids.contains(&group.id)).collect();
        let mut days: Vec<NaiveDate> = chosen.iter().flat_map(|group| group.changes.iter().map(|change| change.on)).collect();
        days.push(NaiveDate::MIN);
        days.sort_unstable();
        days.dedup();
        let is_member = |country, day| chosen.iter().any(|group| group.contains(country, day));
        let step = |day| (day, bits(groups, countries.clone(), |country| is_member(country, day)));
        Membership { steps: days.into_iter().map(step).collect() }
    }

    /// Of countries by name, on every day. A territory is where its parent is.
    pub fn named(groups: &Groups, named: &[Country], countries: impl Iterator<Item = Country>) -> Membership {
        Membership { steps: vec![(NaiveDate::MIN, bits(groups, countries, |country| named.contains(&country)))] }
    }

    /// Whether a country is in one of the groups on a day.
    pub fn contains(&self, country: Country, on: NaiveDate) -> bool {
        let (word, bit) = place(country);
        self.steps.iter().rev().find(|(from, _)| *from <= on).is_some_and(|(_, bits)| bits[word] & bit != 0)
    }
}

fn bits(groups: &Groups, countries: impl Iterator<Item = Country>, is_member: impl Fn(Country) -> bool) -> [u64; 11] {
    let mut bits = [0; 11];
    for country in countries {
        if is_member(groups.territories.get(&country).copied().unwrap_or(country)) {
            let (word, bit) = place(country);
            bits[word] |= bit;
        }
    }
    bits
}

fn place(country: Country) -> (usize, u64) {
    let [first, second] = country.index().to_be_bytes();
    let slot = usize::from(first - b'A') * 26 + usize::from(second - b'A');
    (slot / 64, 1 << (slot % 64))
}
