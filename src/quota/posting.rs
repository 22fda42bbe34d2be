//! Postings and entries: what a record moves, and the difference of two timelines.
//!
//! A timeline yields postings; what a record posts into the ledger is the postings of the new timeline less those
//! of the old. An issue, a late shipment, an amendment and a correction are one mechanism. Invariant: the entries of
//! an application sum to the postings of its timeline.

use super::codes::Country;
use super::event::words;
use super::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Neg, Sub};

words! {
    /// Why an entry moves what it moves; the columns of movements.csv.
    EntryKind {
        /// Asked for, or decided without a license.
        Pending = "pending",
        /// Charged by a license, or by a shipment without one.
        Issued = "issued",
        /// Left under a license.
        Shipped = "shipped",
        /// Unused at expiry, given back (750.7(g)).
        Expired = "expired",
        /// Unused at revocation, given back (750.8).
        Revoked = "revoked",
        /// Surrendered by the licensee, given back.
        Surrendered = "surrendered",
        /// Licensed quantity set anew.
        Amended = "amended",
        /// Shipped and since lost.
        Attrition = "attrition",
        /// Reversal of a corrected event or act.
        Corrected = "corrected",
        /// Licensed before the ledger was kept.
        CarriedIn = "carried_in",
        /// The limit's increase.
        Increase = "increase",
        /// Set aside from issue.
        Withheld = "withheld",
    }
}

/// A movement over the measures of an allocation, or a position as the sum of such.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Measures {
    /// Asked for and not decided.
    pub pending: Tpp,
    /// Licensed, less what was given back.
    pub licensed: Tpp,
    /// The part of licensed that the limit does not bind.
    pub not_limited: Tpp,
    /// The part of licensed that left.
    pub shipped: Tpp,
    /// Increase of the limit.
    pub increase: Tpp,
    /// Set aside from issue.
    pub withheld: Tpp,
}

impl Measures {
    /// Nothing moved.
    pub const ZERO: Measures = Measures {
        pending: Tpp::ZERO,
        licensed: Tpp::ZERO,
        not_limited: Tpp::ZERO,
        shipped: Tpp::ZERO,
        increase: Tpp::ZERO,
        withheld: Tpp::ZERO,
    };

    /// Whether nothing moves.
    pub fn is_zero(&self) -> bool {
        *self == Measures::ZERO
    }

    /// Licensed and not yet shipped.
    pub fn unshipped(&self) -> Tpp {
        self.licensed - self.shipped
    }

    /// Sum of absolute values, stopping at [`Tpp::GROSS_MAX`].
    pub fn gross(&self) -> Tpp {
        let sum: u128 = self.as_array().iter().map(|tpp| u128::from(tpp.thousandths().unsigned_abs())).sum();
        Tpp::from_thousandths(i64::try_from(sum).unwrap_or(i64::MAX).min(Tpp::GROSS_MAX.thousandths()))
    }

    /// The measures in the order of the documentation: pending, licensed, not limited, shipped, increase, withheld.
    pub fn as_array(&self) -> [Tpp; 6] {
        [self.pending, self.licensed, self.not_limited, self.shipped, self.increase, self.withheld]
    }

    /// From that order.
    pub fn from_array([pending, licensed, not_limited, shipped, increase, withheld]: [Tpp; 6]) -> Self {
        Measures { pending, licensed, not_limited, shipped, increase, withheld }
    }
}

impl Add for Measures {
    type Output = Measures;
    fn add(self, other: Measures) -> Measures {
        let (a, b) = (self.as_array(), other.as_array());
        Measures::from_array(std::array::from_fn(|i| a[i] + b[i]))
    }
}

impl Neg for Measures {
    type Output = Measures;
    fn neg(self) -> Measures {
        Measures::from_array(self.as_array().map(|tpp| -tpp))
    }
}

impl Sub for Measures {
    type Output = Measures;
    fn sub(self, other: Measures) -> Measures {
        self + -other
    }
}

impl AddAssign for Measures {
    fn add_assign(&mut self, other: Measures) {
        *self = *self + other;
    }
}

/// What a timeline posts: which record moves what of which line, on which day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Record that causes it; `None` for what follows by the calendar (expiry).
    pub cause: Option<u64>,
    /// Day.
    pub effective_on: NaiveDate,
    /// Line of the application, 0 for an act.
    pub line: u32,
    /// In whose allocation.
    pub allocation: Country,
    /// Why.
    pub kind: EntryKind,
    /// What moves.
    pub measures: Measures,
}

impl Posting {
    fn entry(&self, kind: EntryKind, measures: Measures) -> Entry {
        Entry { effective_on: self.effective_on, allocation: self.allocation, kind, measures }
    }
}

/// One immutable posting of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Day the entry counts from.
    pub effective_on: NaiveDate,
    /// In whose allocation.
    pub allocation: Country,
    /// Why.
    pub kind: EntryKind,
    /// What moves.
    pub measures: Measures,
}

/// The entries that turn the old timeline's postings into the new one's. What the corrected record itself had posted
/// is reversed as `corrected`; everything else stands under the kind of the event it adjusts.
pub fn difference(old: &[Posting], new: &[Posting], corrected: Option<u64>) -> Vec<Entry> {
    let (old, new) = without_common_beginning(old, new);
    let mut entries = Vec::with_capacity(old.len() + new.len());
    for posting in old {
        let own = corrected.is_some() && posting.cause == corrected;
        let in_limit = matches!(posting.kind, EntryKind::Increase | EntryKind::Withheld);
        let kind = if own && !in_limit { EntryKind::Corrected } else { posting.kind };
        entries.push(posting.entry(kind, -posting.measures));
    }
    entries.extend(new.iter().map(|posting| posting.entry(posting.kind, posting.measures)));
    merged(entries)
}

/// One entry for each day, allocation and kind, in this order, without those that move nothing.
pub fn merged(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| a.effective_on.cmp(&b.effective_on).then(a.allocation.cmp(&b.allocation)).then(a.kind.cmp(&b.kind)));
    entries.dedup_by(|next, kept| {
        let same = next.effective_on == kept.effective_on && next.allocation == kept.allocation && next.kind == kept.kind;
        if same {
            kept.measures += next.measures;
        }
        same
    });
    entries.retain(|entry| !entry.measures.is_zero());
    entries
}

/// Two timelines mostly begin alike; what they have in common cancels out.
fn without_common_beginning<'p>(old: &'p [Posting], new: &'p [Posting]) -> (&'p [Posting], &'p [Posting]) {
    let common = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    (&old[common..], &new[common..])
}

/// How a measure changes in one allocation from one timeline to another, day by day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rise {
    /// In whose allocation.
    pub allocation: Country,
    /// From each of these days on: the net change, and whether a limited line rises.
    pub steps: Vec<(NaiveDate, Tpp, bool)>,
}

/// The net change of licensed TPP per allocation from the old postings to the new. An event of several lines is judged
/// where a limited line rises, on its net charge, limited or not.
pub fn rises(old: &[Posting], new: &[Posting]) -> Vec<Rise> {
    let (old, new) = without_common_beginning(old, new);
    type PerLine = BTreeMap<u32, (Tpp, Tpp)>;
    let mut changes: BTreeMap<Country, BTreeMap<NaiveDate, PerLine>> = BTreeMap::new();
    let signed = old.iter().map(|posting| (posting, true)).chain(new.iter().map(|posting| (posting, false)));
    for (posting, negative) in signed {
        let (mut licensed, mut limited) = (posting.measures.licensed, posting.measures.licensed - posting.measures.not_limited);
        if licensed == Tpp::ZERO && limited == Tpp::ZERO {
            continue;
        }
        if negative {
            (licensed, limited) = (-licensed, -limited);
        }
        let line = changes
            .entry(posting.allocation)
            .or_default()
            .entry(posting.effective_on)
            .or_default()
            .entry(posting.line)
            .or_default();
        line.0 += licensed;
        line.1 += limited;
    }
    changes
        .into_iter()
        .map(|(allocation, days)| {
            let mut level: PerLine = BTreeMap::new();
            let steps = days
                .into_iter()
                .map(|(day, lines)| {
                    for (line, (licensed, limited)) in lines {
                        let at = level.entry(line).or_default();
                        at.0 += licensed;
                        at.1 += limited;
                    }
                    let net = level.values().map(|(licensed, _)| *licensed).sum();
                    (day, net, level.values().any(|(_, limited)| *limited > Tpp::ZERO))
                })
                .collect();
            Rise { allocation, steps }
        })
        .collect()
}
