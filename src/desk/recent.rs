//! What this command remembers from one transaction to the next: applications it has just recorded and that wait for
//! their decision, and the day series it has loaded.
//!
//! A file of a million applications is mostly followed by a file of their decisions; to read each application back
//! from the store would cost more than to decide it. Only one-line first revisions without events are kept, packed, in a
//! bounded number: what is not here is read from the store. Forgotten whole when a transaction is rolled back, or when
//! another process has recorded in between.

use crate::quota::application::{Activity, Application, LineTpp, Terms};
use crate::quota::calendar::{day_from_number, day_number};
use crate::quota::codes::{Country, Eccn};
use crate::quota::company::account::Account;
use crate::quota::company::certificate::Received;
use crate::quota::company::party::Parties;
use crate::quota::filing::Filings;
use crate::quota::position::DaySeries;
use crate::quota::posting::Entry;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

/// What is remembered.
#[derive(Debug, Default)]
pub struct Recent {
    /// Undecided applications.
    pub(super) applications: RecentApplications,
    /// Day series at the last record, of the allocations that were needed.
    pub(super) series: HashMap<Country, DaySeries>,
    /// Quarters that were closed.
    pub(super) filings: Option<Filings>,
    /// What is known of companies, where it was needed.
    pub(super) companies: RecentCompanies,
    /// The last record that this command has seen.
    through: u64,
}

impl Recent {
    /// Begins a transaction on a ledger with this head. If another process has recorded since, what is remembered may be
    /// out of date, and it is forgotten.
    pub fn begin(&mut self, head: u64) {
        if self.through != head {
            self.clear();
            self.through = head;
        }
    }

    /// This command has recorded up to here, with these entries.
    pub(super) fn recorded(&mut self, seq: u64, entries: &[Entry]) {
        self.through = seq;
        for entry in entries {
            if let Some(series) = self.series.get_mut(&entry.allocation) {
                series.add(entry.effective_on, &entry.measures);
            }
        }
    }

    /// Forgets everything: the transaction that recorded it was rolled back.
    pub fn clear(&mut self) {
        *self = Recent::default();
    }
}

/// Parties and certificates, loaded where they are needed.
#[derive(Debug, Default)]
pub(super) struct RecentCompanies {
    /// All parties.
    pub(super) parties: Option<Arc<Parties>>,
    /// Parties of whom a shipment or holding is recorded.
    pub(super) charged: Option<BTreeSet<String>>,
    /// Those of them who certified something; they are few.
    pub(super) certified: BTreeSet<String>,
    /// What the accounts with certificates received, of those that were needed.
    pub(super) received: HashMap<Account, Vec<Received>>,
}

/// An undecided one-line application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentApplication {
    /// Its record.
    pub seq: u64,
    /// Day of submission.
    pub submitted_on: NaiveDate,
    /// Its only line.
    pub terms: Terms,
}

/// Numbers up to this length are kept; the agency's own have seven characters.
const NUMBER_MAX: usize = 15;

/// An application in 56 bytes.
#[derive(Clone, Copy, Debug)]
struct Packed {
    number: [u8; NUMBER_MAX],
    /// 0 for one that something happened to.
    length: u8,
    line: u32,
    quantity: u32,
    seq: u32,
    submitted_on: u32,
    tpp: i64,
    aggregate: bool,
    assumed: bool,
    activity: Activity,
    eccn: u8,
    countries: [Country; 3],
}

/// Undecided one-line applications by number, in a bounded number.
#[derive(Debug, Default)]
pub struct RecentApplications {
    /// Rooms of the same size, so that growing copies nothing.
    rooms: Vec<Vec<Packed>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The classifications seen; there are a handful.
    eccns: Vec<Eccn>,
}

const ROOM: usize = 8192;

impl RecentApplications {
    /// So many are kept at most.
    const MOST: usize = 1_200_000;

    /// Keeps an application that was just recorded, if it can be packed and there is room.
    pub fn remember(&mut self, seq: u64, application: &Application) {
        let [line] = application.lines.as_slice() else { return };
        let (terms, number) = (&line.terms, application.number.as_bytes());
        if number.len() > NUMBER_MAX || self.places.len() >= Self::MOST {
            return;
        }
        let (Ok(seq), Some(eccn)) = (u32::try_from(seq), self.eccn(terms.eccn)) else { return };
        let (tpp, aggregate) = match terms.tpp {
            LineTpp::PerUnit(tpp) => (tpp, false),
            LineTpp::Aggregate { total, .. } => (total, true),
        };
        let mut packed = Packed {
            number: [0; NUMBER_MAX],
            length: u8::try_from(number.len()).unwrap_or_default(),
            line: terms.line,
            quantity: terms.quantity,
            seq,
            submitted_on: u32::try_from(day_number(application.submitted_on)).unwrap_or_default(),
            tpp: tpp.thousandths(),
            aggregate,
            assumed: terms.assumed,
            activity: terms.activity,
            eccn,
            countries: [terms.destination, terms.consignee_headquarters, terms.parent_headquarters],
        };
        packed.number[..number.len()].copy_from_slice(number);
        if self.rooms.last().is_none_or(|room| room.len() == ROOM) {
            self.rooms.push(Vec::with_capacity(ROOM));
        }
        let place = (self.rooms.len() - 1) * ROOM + self.rooms.last().map_or(0, Vec::len);
        self.rooms.last_mut().expect("a room was made").push(packed);
        let (rooms, hasher) = (&self.rooms, &self.hasher);
        let hash = hasher.hash_one(number);
        let again = |place: &u32| hasher.hash_one(number_of(at(rooms, *place)));
        self.places.insert_unique(hash, u32::try_from(place).unwrap_or_default(), again);
    }

    fn eccn(&mut self, eccn: Eccn) -> Option<u8> {
        let known = self.eccns.iter().position(|known| *known == eccn);
        let index = known.unwrap_or_else(|| {
            self.eccns.push(eccn);
            self.eccns.len() - 1
        });
        u8::try_from(index).ok()
    }

    fn find(&self, number: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(number.as_bytes());
        self.places.find(hash, |place| number_of(at(&self.rooms, *place)) == number.as_bytes()).copied()
    }

    /// An application without events.
    pub fn get(&self, number: &str) -> Option<RecentApplication> {
        if self.rooms.is_empty() {
            return None;
        }
        let packed = at(&self.rooms, self.find(number)?);
        let tpp = Tpp::from_thousandths(packed.tpp);
        let [destination, consignee_headquarters, parent_headquarters] = packed.countries;
        Some(RecentApplication {
            seq: u64::from(packed.seq),
            submitted_on: day_from_number(i64::from(packed.submitted_on))?,
            terms: Terms {
                line: packed.line,
                destination,
                consignee_headquarters,
                parent_headquarters,
                activity: packed.activity,
                eccn: self.eccns[usize::from(packed.eccn)],
                tpp: if packed.aggregate {
                    LineTpp::Aggregate { total: tpp, quantity: packed.quantity }
                } else {
                    LineTpp::PerUnit(tpp)
                },
                quantity: packed.quantity,
                assumed: packed.assumed,
            },
        })
    }

    /// Something happened to it: from now on the store is asked.
    pub fn forget(&mut self, number: &str) {
        let Some(place) = self.find(number) else { return };
        self.rooms[place as usize / ROOM][place as usize % ROOM].length = 0;
    }
}

fn at(rooms: &[Vec<Packed>], place: u32) -> &Packed {
    &rooms[place as usize / ROOM][place as usize % ROOM]
}

/// The number, while nothing happened to the application; what is forgotten has the empty number, which nothing has.
fn number_of(packed: &Packed) -> &[u8] {
    &packed.number[..usize::from(packed.length)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::application::{ConsigneeKind, Line};

    fn application(number: &str) -> Application {
        let country = Country::new("PL").unwrap();
        let terms = Terms {
            line: 1,
            destination: country,
            consignee_headquarters: country,
            parent_headquarters: Country::new("DE").unwrap(),
            activity: Activity::Reexport,
            eccn: Eccn::new("3A090.a").unwrap(),
            tpp: LineTpp::Aggregate { total: Tpp::from_thousandths(7), quantity: 3 },
            quantity: 3,
            assumed: true,
        };
        let line = Line {
            terms,
            ultimate_consignee: "C".into(),
            consignee_kind: ConsigneeKind::PrivateSector,
            device: None,
            tpp_per_unit: None,
            tpp_aggregated: Some(Tpp::from_thousandths(7)),
            catalogue_tpp: None,
            purchase_order: None,
            end_use: None,
        };
        let submitted_on = NaiveDate::from_ymd_opt(2025, 2, 3).unwrap();
        Application { number: number.into(), revision: 1, submitted_on, applicant: "A".into(), lines: vec![line] }
    }

    #[test]
    fn what_is_remembered_comes_back_as_it_was_and_what_is_forgotten_does_not() {
        let mut recent = RecentApplications::default();
        for index in 0..20_000_u64 {
            recent.remember(index + 1, &application(&format!("Z{index}")));
        }
        let back = recent.get("Z12345").unwrap();
        assert_eq!((back.seq, back.terms), (12_346, application("Z12345").lines[0].terms));
        recent.forget("Z12345");
        assert_eq!(recent.get("Z12345"), None);
        assert_eq!(recent.get("Z20000"), None);
        recent.remember(1, &application("a-number-that-is-too-long"));
        assert_eq!(recent.get("a-number-that-is-too-long"), None);
    }
}
