//! The rules of screening as data: lists of rules, each made of conditions with their citation.
//!
//! A condition is one [`Test`], and another where the text can be read in a second way. What the rules say is written in the
//! regime's `screening.toml`; a rule holds when all its conditions do.

use super::test::Test;
use super::transaction::Transaction;
use super::truth::Verdict;
use crate::quota::regime::Citation;

/// The law of screening, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// What is announced as enforced.
    pub enforcement: Vec<Rule>,
    /// What makes an item subject to the rule.
    pub subject: Vec<Rule>,
    /// What requires a license.
    pub requirement: Vec<Rule>,
    /// Exceptions and authorizations that serve instead.
    pub exception: Vec<Rule>,
    /// How an application is reviewed: the first that holds decides.
    pub policy: Vec<Rule>,
    /// What to file and keep.
    pub filing: Vec<Rule>,
    /// What to clear up first.
    pub red_flag: Vec<Rule>,
}

/// A rule: it holds when all its conditions do.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in its list.
    pub id: String,
    /// What people call it: `LPP`, a paragraph, a review policy.
    pub code: String,
    /// One line.
    pub title: String,
    /// Of an exception: the allocation it is charged to.
    pub counts_in: Option<String>,
    /// Of a policy: whether what is licensed under it is counted in the country allocation.
    pub counts: bool,
    /// Of a policy: the one that follows when the country allocation is met.
    pub when_met: Option<String>,
    /// Of a filing: the exceptions it goes with, or `license`.
    pub goes_with: Vec<String>,
    /// Of a filing: to whom, under which subject, by when.
    pub filing: Option<Filing>,
    /// Source.
    pub citation: Citation,
    /// What it asks.
    pub conditions: Vec<Condition>,
}

/// What is filed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filing {
    /// To whom.
    pub to: String,
    /// Its subject line, where one is prescribed.
    pub subject: String,
    /// By when.
    pub due: String,
}

/// One thing that a rule asks.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Unique in its rule.
    pub id: String,
    /// As a sentence.
    pub text: String,
    /// The section it stands in.
    pub cite: String,
    /// The test, by the default reading.
    pub test: Test,
    /// The other reading, where the text is open, in words and as a test.
    pub other: Option<(String, Test)>,
}

impl Condition {
    /// Its outcome for a transaction.
    pub fn verdict(&self, transaction: &Transaction) -> Verdict {
        let truth = self.test.truth(transaction);
        Verdict::of(truth, self.other.as_ref().map(|(_, other)| other.truth(transaction)))
    }

    /// The amounts that it compares, with their names, as far as they are known; "at least" where only a part is.
    pub fn amounts(&self, transaction: &Transaction) -> Vec<String> {
        self.test.amounts_told(transaction)
    }
}
