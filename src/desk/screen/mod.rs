//! Screening at the desk: the answer as a row of a table and as JSON, with what the ledger has left; the page for a person is
//! [`page`]'s.
//!
//! The same answer each time; nothing is decided here.

pub mod companies;
pub mod page;
pub mod room;

pub use companies::{AccountLeft, Bound, Stated};
pub use room::Room;

use crate::error::Result;
use crate::quota::application::{Activity, LineTpp, Terms};
use crate::quota::codes::Country;
use crate::quota::company::account::Account;
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Schema, columns};
use crate::screen::transaction::{TransactionActivity, TransactionColumn};
use crate::screen::{Answer, Needs, RuleAnswer, Status, Transaction, Verdict};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of the answers.
pub fn schema() -> Schema {
    columns::screening()
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
    /// What the ledger states of the parties that are named.
    pub stated: Option<Stated>,
    /// What the accounts of companies have left.
    pub accounts: Vec<AccountLeft<'r>>,
}

impl<'r> Screened<'r> {
    /// An answer, with the allocation that a license would be counted in by the regime's own readings: the destination's, where it is
    /// capped that day (742.6(b)(10)(iii)(B)(1)). What is not known of headquarters is taken as the destination's there.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn new(
        transaction: Transaction,
        answer: Answer<'r>,
        regime: &Regime,
        room: Option<&Room<'r>>,
        stated: Option<Stated>,
    ) -> Result<Self> {
        let reviewed = answer.review.as_ref().is_some_and(|review| review.policies.iter().any(|policy| policy.rule.counts));
        let terms = terms(&transaction).filter(|_| reviewed);
        let treatment = terms.map(|terms| regime.treatment(&terms, transaction.on));
        let country = treatment.filter(|it| it.counts && it.standing == Standing::Capped).map(|it| it.allocation);
        let left = match room.zip(country) {
            Some((room, country)) => room.left(country, transaction.on)?,
            None => None,
        };
        let needed = answer.license_required != Status::No;
        let accounts = match room.filter(|_| needed && stated.is_some()) {
            Some(room) => room.accounts_left(&transaction, &answer)?,
            None => Vec::new(),
        };
        Ok(Screened { transaction, answer, country, left, stated, accounts })
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

    /// Each account with what it has left: the least, where several limits look at one.
    fn accounts_told(&self) -> String {
        let mut least: BTreeMap<&Account, Tpp> = BTreeMap::new();
        for it in &self.accounts {
            least.entry(&it.account).and_modify(|left| *left = it.left.min(*left)).or_insert(it.left);
        }
        least.iter().map(|(account, left)| format!("{account} {left}")).collect::<Vec<_>>().join("; ")
    }

    /// The accounts for which a shipment of this would be refused.
    pub(super) fn accounts_exceeded(&self) -> String {
        let exceeded: BTreeSet<&Account> = self.accounts.iter().filter(|it| it.is_exceeded()).map(|it| &it.account).collect();
        exceeded.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
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
            Cell::text(self.accounts_told()),
            Cell::text(self.accounts_exceeded()),
            Cell::text(self.stated.as_ref().map(stated_told).unwrap_or_default()),
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
            "consignee": self.transaction.consignee,
            "operator": self.transaction.operator,
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
            "from_ledger": self.stated.as_ref().map(stated_json),
            "company_headroom": self.accounts.iter().map(|it| account_json(it, self.transaction.shipment_tpp())).collect::<Vec<_>>(),
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

/// What is stated of the parties, in a cell.
fn stated_told(stated: &Stated) -> String {
    let filled = stated.filled.iter().map(|(column, value)| format!("{} {value}", column.as_str()));
    let differs = stated.differs.iter().map(|(column, given, has)| format!("{} {given} given, {has} there", column.as_str()));
    let unknown = stated.unknown.iter().map(|(column, party)| format!("{} {party} not there", column.as_str()));
    let parent = stated.parent_unknown.iter().map(|party| format!("parent of {party} not there"));
    filled.chain(differs).chain(unknown).chain(parent).collect::<Vec<_>>().join("; ")
}

fn stated_json(stated: &Stated) -> Value {
    let differs = |(column, given, has): &(TransactionColumn, String, String)| json!({ "column": column.as_str(), "given": given, "ledger": has });
    json!({
        "filled": stated.filled.iter().map(|(column, value)| (column.as_str().to_string(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "differs": stated.differs.iter().map(differs).collect::<Vec<_>>(),
        "unknown": stated.unknown.iter().map(|(column, party)| json!({ "column": column.as_str(), "party": party })).collect::<Vec<_>>(),
        "parent_unknown": stated.parent_unknown,
    })
}

fn account_json(it: &AccountLeft, takes: Option<Tpp>) -> Value {
    let (bound, share) = match it.bound {
        Bound::Limit(_) => ("limit", None),
        Bound::Threshold(_) => ("threshold", None),
        Bound::Share(share) => ("share", Some(share)),
    };
    json!({
        "account": it.account.to_string(),
        "bound": bound,
        "share": share.map(|share| &share.id),
        "at_most_pct": share.map(|share| share.percent.normalize().to_string()),
        "of_tpp": it.of.to_string(),
        "left_tpp": it.left.to_string(),
        "lowest_on": it.on.to_string(),
        "takes_tpp": takes.map(|takes| takes.to_string()),
        "fits": it.fits,
        "refused": it.is_exceeded(),
        "cite": it.citation().cite,
    })
}

/// What is done, where it is something that ships.
fn shipped(activity: TransactionActivity) -> Option<Activity> {
    match activity {
        TransactionActivity::Export => Some(Activity::Export),
        TransactionActivity::Reexport => Some(Activity::Reexport),
        TransactionActivity::Transfer => Some(Activity::Transfer),
        TransactionActivity::DeemedExport | TransactionActivity::IaasTraining => None,
    }
}

/// The transaction as a line of an application; `None` where it would be none: another activity, or no classification.
fn terms(transaction: &Transaction) -> Option<Terms> {
    let activity = shipped(transaction.activity)?;
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
