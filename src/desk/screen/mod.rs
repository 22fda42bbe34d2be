//! Screening at the desk: the answer as a row of a table and as JSON, with what the ledger has left; the page for a person is
//! [`page`]'s.
//!
//! The same answer each time; nothing is decided here.

pub mod page;

use crate::desk::figures;
use crate::error::Result;
use crate::quota::application::{Activity, LineTpp, Terms};
use crate::quota::codes::Country;
use crate::quota::position::DaySeries;
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Schema, columns};
use crate::screen::transaction::TransactionActivity;
use crate::screen::{Answer, Needs, RuleAnswer, Status, Transaction, Verdict};
use crate::store::Read;
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Columns of the answers.
pub fn schema() -> Schema {
    columns::screening()
}

/// What a ledger has left, at one record.
#[derive(Debug)]
pub struct Room {
    /// Name of the ledger, for people.
    pub ledger: String,
    /// The record.
    pub through: u64,
    series: BTreeMap<Country, DaySeries>,
}

impl Room {
    /// Of every destination.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn of(ledger: String, read: &impl Read, regime: &Regime) -> Result<Room> {
        let through = read.head()?.seq;
        Ok(Room { ledger, through, series: figures::all_series(read, regime, through)? })
    }

    fn left(&self, country: Country, on: NaiveDate) -> Option<(Tpp, NaiveDate)> {
        self.series.get(&country).and_then(|series| series.floor_from(on))
    }
}

/// A screened transaction.
#[derive(Clone, Debug)]
pub struct Screened<'r> {
    /// What was asked.
    pub transaction: Transaction,
    /// What was answered.
    pub answer: Answer<'r>,
    /// The country allocation that a license would be counted in.
    pub country: Option<Country>,
    /// What is left there for a new license: the lowest headroom from that day to the period's end, and its day.
    pub left: Option<(Tpp, NaiveDate)>,
}

impl<'r> Screened<'r> {
    /// An answer, with the allocation that a license would be counted in by the regime's own readings: the destination's, where it is
    /// capped that day (742.6(b)(10)(iii)(B)(1)). What is not known of headquarters is taken as the destination's there.
    pub fn new(transaction: Transaction, answer: Answer<'r>, regime: &Regime, room: Option<&Room>) -> Self {
        let reviewed = answer.review.as_ref().is_some_and(|review| review.policies.iter().any(|policy| policy.rule.counts));
        let terms = terms(&transaction).filter(|_| reviewed);
        let treatment = terms.map(|terms| regime.treatment(&terms, transaction.on));
        let country = treatment.filter(|it| it.counts && it.standing == Standing::Capped).map(|it| it.allocation);
        let left = room.zip(country).and_then(|(room, country)| room.left(country, transaction.on));
        Screened { transaction, answer, country, left }
    }

    /// Codes of the exceptions with this status, each once; none where no license is required.
    pub(super) fn codes(&self, status: Status) -> Vec<&'r str> {
        let mut codes: Vec<&str> = Vec::new();
        if self.answer.license_required == Status::No {
            return codes;
        }
        for answer in &self.answer.exceptions {
            let code = answer.rule.code.as_str();
            if !codes.contains(&code) && self.answer.available(code) == status {
                codes.push(code);
            }
        }
        codes
    }

    /// The paragraphs that require a license, or may, each once.
    pub(super) fn paragraphs(&self) -> Vec<&'r str> {
        let mut paragraphs: Vec<&str> = Vec::new();
        for rule in &self.answer.required_by {
            if !paragraphs.contains(&rule.rule.code.as_str()) {
                paragraphs.push(&rule.rule.code);
            }
        }
        paragraphs
    }

    /// The review policies that may apply, the default reading's first, each once. Where the ledger has nothing left, what follows when
    /// an allocation is met stands in the place of what precedes it.
    pub(super) fn policies(&self) -> Vec<&'r str> {
        let is_met = self.left.is_some_and(|(floor, _)| floor <= Tpp::ZERO);
        let mut codes: Vec<&str> = Vec::new();
        for policy in self.answer.review.iter().flat_map(|review| &review.policies) {
            let rule = policy.rule;
            let code = rule.when_met.as_deref().filter(|_| is_met).unwrap_or(&rule.code);
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }

    pub(super) fn counts_in(&self) -> Vec<String> {
        let mut allocations: Vec<String> = self.country.map(|country| format!("country:{country}")).into_iter().collect();
        let needed = self.answer.license_required != Status::No;
        for exception in self.answer.exceptions.iter().filter(|answer| needed && answer.status != Status::No) {
            if let Some(allocation) = exception.rule.counts_in.as_ref().filter(|name| !allocations.contains(name)) {
                allocations.push(allocation.clone());
            }
        }
        allocations
    }

    /// What would have to be known for a sure answer.
    pub(super) fn needs(&self) -> Needs {
        let answer = &self.answer;
        let needed = answer.license_required != Status::No;
        let exceptions = answer.exceptions.iter().filter(|exception| needed && exception.status == Status::Undetermined);
        let review = answer.review.iter().flat_map(|review| &review.policies);
        let asked = answer.subject_by.iter().chain(&answer.required_by).chain(exceptions).chain(review);
        asked.fold(Needs::NONE, |needs, rule| needs.and(rule.needs()))
    }

    /// The row under [`schema`].
    pub fn row(&self) -> Vec<Cell> {
        let (transaction, answer) = (&self.transaction, &self.answer);
        // What depends on a fact that is not known is among the needs.
        let ids = |answers: &[RuleAnswer<'r>]| {
            let told = answers.iter().filter(|answer| answer.status != Status::Undetermined);
            Cell::codes(told.map(|answer| answer.rule.id.as_str()))
        };
        let review = answer.review.as_ref();
        let filings = |status| {
            Cell::codes(answer.filings.iter().filter(|filing| filing.status == status).map(|filing| filing.rule.id.as_str()))
        };
        vec![
            Cell::text(transaction.id.clone()),
            Cell::Day(transaction.on),
            Cell::code(transaction.destination.as_str()),
            transaction.eccn.map_or(Cell::Empty, |eccn| Cell::text(eccn.as_str())),
            ids(&answer.enforcement),
            Cell::code(answer.subject.as_str()),
            Cell::code(answer.license_required.as_str()),
            Cell::text(self.paragraphs().join("; ")),
            Cell::codes(self.codes(Status::Yes)),
            Cell::codes(self.codes(Status::Open)),
            Cell::codes(self.codes(Status::Undetermined)),
            Cell::codes(self.policies()),
            review.map_or(Cell::Empty, |review| Cell::code(review.status.as_str())),
            Cell::codes(self.counts_in().iter().map(String::as_str)),
            self.left.map_or(Cell::Empty, |(floor, _)| Cell::Amount(floor)),
            filings(Status::Yes),
            Cell::codes(may_have_to_file(answer)),
            ids(&answer.red_flags),
            Cell::codes(self.needs().names()),
        ]
    }

    /// The answer with every rule and condition.
    pub fn to_json(&self) -> Value {
        let answer = &self.answer;
        let rules = |answers: &[RuleAnswer]| answers.iter().map(rule_json).collect::<Vec<_>>();
        json!({
            "transaction_id": self.transaction.id,
            "on": self.transaction.on.to_string(),
            "destination": self.transaction.destination.as_str(),
            "eccn": self.transaction.eccn.map(|eccn| eccn.to_string()),
            "device": self.transaction.device,
            "enforcement": rules(&answer.enforcement),
            "subject": answer.subject.as_str(),
            "subject_by": rules(&answer.subject_by),
            "license_required": answer.license_required.as_str(),
            "required_by": rules(&answer.required_by),
            "exceptions": if answer.license_required == Status::No { Vec::new() } else { rules(&answer.exceptions) },
            "review": answer.review.as_ref().map(|review| json!({
                "status": review.status.as_str(),
                "codes": self.policies(),
                "policies": rules(&review.policies),
            })),
            "counts_in": self.counts_in(),
            "headroom_floor_tpp": self.left.map(|(floor, _)| floor.to_string()),
            "floor_on": self.left.map(|(_, on)| on.to_string()),
            "to_file": rules(&answer.filings),
            "red_flags": rules(&answer.red_flags),
            "needs": self.needs().names().collect::<Vec<_>>(),
        })
    }
}

/// Filings that depend on what is not known, or on how the text is read.
fn may_have_to_file<'r>(answer: &Answer<'r>) -> impl Iterator<Item = &'r str> {
    answer.filings.iter().filter(|filing| filing.status != Status::Yes).map(|filing| filing.rule.id.as_str())
}

/// The transaction as a line of an application; `None` where it would be none: another activity, or no classification.
fn terms(transaction: &Transaction) -> Option<Terms> {
    let activity = match transaction.activity {
        TransactionActivity::Export => Activity::Export,
        TransactionActivity::Reexport => Activity::Reexport,
        TransactionActivity::Transfer => Activity::Transfer,
        TransactionActivity::DeemedExport | TransactionActivity::IaasTraining => return None,
    };
    let consignee = transaction.consignee_headquarters.unwrap_or(transaction.destination);
    Some(Terms {
        line: 1,
        destination: transaction.destination,
        consignee_headquarters: consignee,
        parent_headquarters: transaction.parent_headquarters.unwrap_or(consignee),
        activity,
        eccn: transaction.eccn?,
        tpp: LineTpp::PerUnit(transaction.tpp_per_unit.unwrap_or(Tpp::ZERO)),
        quantity: transaction.quantity.unwrap_or(1),
        assumed: false,
    })
}

fn rule_json(answer: &RuleAnswer) -> Value {
    let conditions = answer.rule.conditions.iter().zip(&answer.verdicts).map(|(condition, verdict)| {
        let mut value = json!({
            "id": condition.id, "text": condition.text, "cite": condition.cite, "verdict": verdict.as_str(),
        });
        match (verdict, &condition.other) {
            (Verdict::Undetermined(needs), _) => value["needs"] = json!(needs.names().collect::<Vec<_>>()),
            (Verdict::Open(default), Some((other, _))) => {
                value["default_holds"] = json!(default);
                value["other_reading"] = json!(other);
            }
            _ => {}
        }
        value
    });
    let mut value = json!({
        "id": answer.rule.id,
        "code": answer.rule.code,
        "title": answer.rule.title,
        "cite": answer.rule.citation.cite,
        "status": answer.status.as_str(),
        "conditions": conditions.collect::<Vec<_>>(),
    });
    if let Some(filing) = &answer.rule.filing {
        value["to"] = json!(filing.to);
        value["subject"] = json!(filing.subject);
        value["due"] = json!(filing.due);
    }
    value
}
