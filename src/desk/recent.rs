//! The applications that this command has just recorded and that wait for their decision.
//!
//! A file of a million applications is mostly followed by a file of their decisions; to read each application back
//! from the store would cost more than to decide it. Only one-line first revisions without events are kept, in a bounded
//! number: what is not here is read from the store. Forgotten whole when a transaction is rolled back.

use crate::quota::application::{Application, Terms};
use chrono::NaiveDate;
use std::collections::HashMap;

/// An undecided one-line application.
#[derive(Clone, Copy, Debug)]
pub struct RecentApplication {
    /// Its record.
    pub seq: u64,
    /// Day of submission.
    pub submitted_on: NaiveDate,
    /// Its only line.
    pub terms: Terms,
}

/// Undecided one-line applications by number, in a bounded number.
#[derive(Debug, Default)]
pub struct RecentApplications {
    by_number: HashMap<Box<str>, RecentApplication>,
}

impl RecentApplications {
    /// So many are kept at most, some 100 bytes each.
    const MOST: usize = 450_000;

    /// Keeps an application that was just recorded.
    pub fn remember(&mut self, seq: u64, application: &Application) {
        if let [line] = application.lines.as_slice()
            && self.by_number.len() < Self::MOST
        {
            let recent = RecentApplication { seq, submitted_on: application.submitted_on, terms: line.terms };
            self.by_number.insert(application.number.as_str().into(), recent);
        }
    }

    /// An application without events.
    pub fn get(&self, number: &str) -> Option<&RecentApplication> {
        self.by_number.get(number)
    }

    /// Something happened to it: from now on the store is asked.
    pub fn forget(&mut self, number: &str) {
        self.by_number.remove(number);
    }

    /// Forgets everything: the transaction that recorded it was rolled back.
    pub fn clear(&mut self) {
        self.by_number.clear();
    }
}
