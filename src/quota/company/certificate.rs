//! Certificates of what an account received: each states a total, and is charged what it states beyond what the account had
//! received by its day (740.29(f)(iii)). What is still under way comes on top.
//!
//! Invariant: the charge of a certificate follows from the account's other postings alone, so that it is worked out anew
//! whenever one of them comes or goes.

use super::account::{Account, Charge, ChargeKind};
use super::charges::ChargePosting;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// A posting to an account that has certificates, as far as they look at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// The record.
    pub cause: u64,
    /// The day of the charge.
    pub on: NaiveDate,
    /// The day of receipt.
    pub received_on: NaiveDate,
    /// Whether it is a certificate, which states a total.
    pub is_certificate: bool,
    /// The charge; of a certificate, the total that it states.
    pub tpp: Tpp,
}

impl From<&ChargePosting> for Received {
    fn from(posting: &ChargePosting) -> Self {
        let ChargePosting { cause, charge, received_on } = posting;
        let is_certificate = charge.kind == ChargeKind::Certified;
        Received { cause: *cause, on: charge.effective_on, received_on: *received_on, is_certificate, tpp: charge.tpp }
    }
}

impl Received {
    /// A certificate as a posting that charges its account so much.
    pub fn certifies(&self, account: &Account, tpp: Tpp) -> ChargePosting {
        let charge = Charge { effective_on: self.on, account: account.clone(), kind: ChargeKind::Certified, tpp };
        ChargePosting { cause: self.cause, charge, received_on: self.received_on }
    }
}

/// What the certificates of an account are charged, by record.
pub fn certified(received: &[Received]) -> BTreeMap<u64, Tpp> {
    let mut sorted = received.to_vec();
    sorted.sort_by_key(|it| (it.on, it.cause));
    let mut charges = BTreeMap::new();
    for at in 0..sorted.len() {
        let it = sorted[at];
        if it.is_certificate {
            let stands: Tpp = sorted[..at].iter().filter(|other| other.received_on <= it.on).map(|other| other.tpp).sum();
            sorted[at].tpp = (it.tpp - stands).floor_at_zero();
            charges.insert(it.cause, sorted[at].tpp);
        }
    }
    charges
}

/// Postings with their certificates settled.
pub fn settle(mut postings: Vec<ChargePosting>) -> Vec<ChargePosting> {
    let mut accounts: BTreeMap<Account, Vec<Received>> = BTreeMap::new();
    for it in postings.iter().filter(|it| it.charge.kind == ChargeKind::Certified) {
        accounts.entry(it.charge.account.clone()).or_default();
    }
    for it in &postings {
        if let Some(received) = accounts.get_mut(&it.charge.account) {
            received.push(it.into());
        }
    }
    let charges: BTreeMap<u64, Tpp> = accounts.values().flat_map(|received| certified(received)).collect();
    for it in postings.iter_mut().filter(|it| it.charge.kind == ChargeKind::Certified) {
        it.charge.tpp = charges[&it.cause];
    }
    postings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_charged_what_it_states_beyond_what_was_received_before_it() {
        let day = |number: u32| NaiveDate::from_ymd_opt(2025, 3, number).unwrap();
        let it = |cause, on, received_on, is_certificate, tpp| Received {
            cause,
            on: day(on),
            received_on: day(received_on),
            is_certificate,
            tpp: Tpp::from_thousandths(tpp),
        };
        // 5 are under way on day 4 and come on top; of the 10 stated then, 3 stand already; the next certificate sees all.
        let received = [it(1, 2, 2, false, 3), it(2, 3, 9, false, 5), it(3, 4, 4, true, 10), it(4, 10, 10, true, 12)];
        let thousandths = |cause: u64| certified(&received)[&cause].thousandths();
        assert_eq!((thousandths(3), thousandths(4)), (7, 0));
        // On one day, what was recorded later is not yet seen.
        let same_day = [it(7, 4, 4, true, 10), it(8, 4, 4, false, 6)];
        assert_eq!(certified(&same_day)[&7], Tpp::from_thousandths(10));
    }
}
