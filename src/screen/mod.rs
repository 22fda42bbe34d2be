//! Screening: what a transaction needs under the rule, with every condition's outcome and citation.
//!
//! A [`Transaction`] is what is known of a shipment, and what is not; a [`Rulebook`] is the law as data; [`screen`] holds
//! one against the other. Nothing is guessed: a fact that is not known makes what depends on it undetermined, and a text
//! that can be read in two ways makes it open where the readings differ. Pure: no file, no clock, no ledger.

pub mod answer;
pub mod membership;
pub mod rules;
pub mod test;
pub mod transaction;
pub mod truth;

pub use answer::{Answer, RuleAnswer, screen};
pub use rules::{Condition, Rule, Rulebook};
pub use transaction::Transaction;
pub use truth::{Needs, Status, Verdict};
