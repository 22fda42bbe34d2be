//! A quarter as it was filed: which record its figures count through, and the digest of each of its files.
//!
//! Closing a quarter is a record of its own, and so is reopening one. A closing says what was filed and keeps nobody from
//! recording what is learned later; what is effective in a closed quarter is marked. Invariant: a quarter is closed at most
//! once between two reopenings.

use super::calendar::Quarter;
use super::event::words;
use chrono::NaiveDate;
use std::collections::BTreeMap;

words! {
    /// What happens to a quarter.
    FilingKind {
        /// Its reports are filed as they are.
        Close = "close",
        /// It is open again, to be filed anew.
        Reopen = "reopen",
    }
}

/// A file of a filed pack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FiledFile {
    /// Name in the pack.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A quarter is closed or reopened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filing {
    /// Unique id, e.g. `close-2026-Q2`; of the second time `close-2026-Q2-2`.
    pub id: String,
    /// Closed or reopened.
    pub kind: FilingKind,
    /// The quarter.
    pub quarter: Quarter,
    /// The record through which the figures count; of a reopening, the closing that it ends.
    pub through: u64,
    /// Reason of a reopening; document of a closing.
    pub reference: Option<String>,
    /// Files of a closing.
    pub files: Vec<FiledFile>,
}

impl Filing {
    /// The day as of which the figures are: the last of the quarter.
    pub fn as_of(&self) -> NaiveDate {
        self.quarter.last_day()
    }
}

/// The filings of a ledger, in order of record.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filings(pub Vec<(u64, Filing)>);

impl Filings {
    /// The closing in force of a quarter: its last filing, if that is a closing.
    pub fn closed(&self, quarter: Quarter) -> Option<&(u64, Filing)> {
        self.last(quarter).filter(|(_, filing)| filing.kind == FilingKind::Close)
    }

    /// The last filing of a quarter.
    pub fn last(&self, quarter: Quarter) -> Option<&(u64, Filing)> {
        self.0.iter().rev().find(|(_, filing)| filing.quarter == quarter)
    }

    /// The last closing of a quarter, also where it was reopened since.
    pub fn last_closing(&self, quarter: Quarter) -> Option<&(u64, Filing)> {
        self.0.iter().rev().find(|(_, filing)| filing.quarter == quarter && filing.kind == FilingKind::Close)
    }

    /// The first closed quarter that a fact effective on a day is late for: its own, or the first closed one after it.
    pub fn late_for(&self, effective_on: NaiveDate) -> Option<Quarter> {
        let mut last: BTreeMap<NaiveDate, &Filing> = BTreeMap::new();
        for (_, filing) in &self.0 {
            last.insert(filing.as_of(), filing);
        }
        let closed = last.range(effective_on..).map(|(_, filing)| *filing).find(|filing| filing.kind == FilingKind::Close);
        closed.map(|filing| filing.quarter)
    }

    /// Id of the next filing of a kind and quarter; unique among those there are.
    pub fn next_id(&self, kind: FilingKind, quarter: Quarter) -> String {
        let before = self.0.iter().filter(|(_, filing)| filing.kind == kind && filing.quarter == quarter).count();
        if before == 0 { format!("{kind}-{quarter}") } else { format!("{kind}-{quarter}-{}", before + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filing(kind: FilingKind, quarter: &str) -> Filing {
        let quarter = Quarter::parse(quarter).unwrap();
        Filing { id: "x".into(), kind, quarter, through: 1, reference: None, files: Vec::new() }
    }

    #[test]
    fn a_fact_is_late_for_its_quarter_and_for_closed_ones_after_it_until_they_are_reopened() {
        let mut filings = Filings(vec![(1, filing(FilingKind::Close, "2025-Q2")), (2, filing(FilingKind::Close, "2025-Q3"))]);
        let late = |filings: &Filings, day: &str| filings.late_for(day.parse().unwrap()).map(|quarter| quarter.to_string());
        assert_eq!(
            late(&filings, "2025-01-01").as_deref(),
            Some("2025-Q2"),
            "an earlier day moves the figures of a later quarter"
        );
        assert_eq!(late(&filings, "2025-06-30").as_deref(), Some("2025-Q2"));
        assert_eq!(late(&filings, "2025-07-01").as_deref(), Some("2025-Q3"));
        assert_eq!(late(&filings, "2025-10-01"), None);
        filings.0.push((3, filing(FilingKind::Reopen, "2025-Q2")));
        assert_eq!(late(&filings, "2025-06-30").as_deref(), Some("2025-Q3"));
        let quarter = Quarter::parse("2025-Q2").unwrap();
        assert!(filings.closed(quarter).is_none() && filings.last_closing(quarter).is_some());
        assert_eq!(filings.next_id(FilingKind::Close, quarter), "close-2025-Q2-2");
        assert_eq!(filings.next_id(FilingKind::Close, Quarter::parse("2026-Q1").unwrap()), "close-2026-Q1");
    }
}
