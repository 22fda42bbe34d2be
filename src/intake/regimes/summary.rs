//! `summary.toml`: where the summary that people know a regime from differs from the regulation, in words.
//!
//! No figure depends on it and no ledger keeps it; it is told when the two are compared. Nothing is compared here. Invariant:
//! each difference has both sides, what follows for a user, and its citation; no two have the same id.

use super::keys::Keys;
use crate::quota::regime::Citation;

/// One place where the summary differs from the regulation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Its name in answers.
    pub id: String,
    /// What the summary says.
    pub summary: String,
    /// What the regulation says.
    pub regulation: String,
    /// What follows for someone who worked by the summary.
    pub follows: String,
    /// Source of both.
    pub citation: Citation,
}

/// Reads `summary.toml`.
pub(super) fn differences(root: &Keys) -> Option<Vec<Difference>> {
    let seen = std::cell::RefCell::new(Vec::new());
    root.tables("difference", |keys| {
        let id = keys.word("id");
        if let Some(id) = &id {
            if seen.borrow().contains(id) {
                keys.wrong("id", "names a difference above already", "give each difference an id of its own");
            }
            seen.borrow_mut().push(id.clone());
        }
        let (summary, regulation, follows) = (keys.text("summary"), keys.text("regulation"), keys.text("follows"));
        let citation = keys.citation();
        Some(Difference { id: id?, summary: summary?, regulation: regulation?, follows: follows?, citation: citation? })
    })
}
