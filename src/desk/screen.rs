//! Screening at the desk: the answer as a row of a table, as a page for a person, and as JSON.
//!
//! The same answer three times; nothing is decided here. The page says the answer first and the reasons after it; what keeps an
//! exception from serving is named with its section.

use crate::desk::figures;
use crate::error::Result;
use crate::quota::codes::Country;
use crate::quota::position::DaySeries;
use crate::quota::regime::{Regime, Standing};
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Schema, columns};
use crate::screen::answer::Review;
use crate::screen::{Answer, Condition, Needs, RuleAnswer, Status, Transaction, Verdict};
use crate::store::Read;
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

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
    /// An answer, with the allocation that a license would be counted in: the destination's, where it is capped that day and the
    /// review policy counts (742.6(b)(10)(iii)(B)(1)).
    pub fn new(transaction: Transaction, answer: Answer<'r>, regime: &Regime, room: Option<&Room>) -> Self {
        let counted = answer.review.as_ref().is_some_and(|review| review.policies.iter().any(|policy| policy.rule.counts));
        let capped = regime.standing(transaction.destination, transaction.on) == Standing::Capped;
        let counted_eccn = transaction.eccn.is_none_or(|eccn| regime.counts_eccn(&eccn));
        let country = (counted && capped && counted_eccn).then(|| regime.counted_in(transaction.destination));
        let left = room.zip(country).and_then(|(room, country)| room.left(country, transaction.on));
        Screened { transaction, answer, country, left }
    }

    /// Codes of the exceptions with this status, each once; none where no license is required.
    fn codes(&self, status: Status) -> Vec<&'r str> {
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

    /// Whether no other rule of the same code has less that keeps it from serving: what is meant for other items is left out.
    fn is_nearest(&self, exception: &RuleAnswer<'r>) -> bool {
        let of_code = self.answer.exceptions.iter().filter(|other| other.rule.code == exception.rule.code);
        // The first condition of a rule is its item.
        let fails = |answer: &RuleAnswer| {
            let other_item = answer.verdicts.first() == Some(&Verdict::Fail);
            (other_item, answer.verdicts.iter().filter(|verdict| **verdict == Verdict::Fail).count())
        };
        of_code.map(fails).min() == Some(fails(exception))
    }

    /// What is left in the ledger, for people.
    fn left_line(&self, page: &mut String, room: &Room) {
        let (Some(country), Some((floor, on))) = (self.country, self.left) else { return };
        let _ = write!(page, "  {country}: {} TPP left for a new license (lowest on {on})", floor.grouped());
        if let Some(shipment) = self.transaction.shipment_tpp() {
            let over = Tpp::from_decimal(shipment.to_decimal() - floor.to_decimal());
            let _ = match over {
                _ if shipment <= floor => write!(page, "; {} TPP fit", shipment.grouped()),
                Ok(over) => write!(page, "; {} TPP do not fit, {} too much", shipment.grouped(), over.grouped()),
                Err(_) => write!(page, "; {} TPP do not fit", shipment.grouped()),
            };
        }
        let _ = writeln!(page, "  [{}, through record {}]", room.ledger, room.through);
    }

    fn counts_in(&self) -> Vec<String> {
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
    fn needs(&self) -> Needs {
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
        let ids = |answers: &[RuleAnswer<'r>]| Cell::codes(answers.iter().map(|answer| answer.rule.id.as_str()));
        let paragraphs: Vec<&str> = answer.required_by.iter().map(|answer| answer.rule.code.as_str()).collect();
        let review = answer.review.as_ref();
        let filings = |status| {
            Cell::codes(answer.filings.iter().filter(|filing| filing.status == status).map(|filing| filing.rule.id.as_str()))
        };
        vec![
            Cell::text(transaction.id.clone()),
            Cell::Day(transaction.on),
            Cell::code(transaction.destination.as_str()),
            ids(&answer.enforcement),
            Cell::code(answer.subject.as_str()),
            Cell::code(answer.license_required.as_str()),
            Cell::text(paragraphs.join("; ")),
            Cell::codes(self.codes(Status::Yes)),
            Cell::codes(self.codes(Status::Open)),
            Cell::codes(self.codes(Status::Undetermined)),
            review.map_or(Cell::Empty, |review| Cell::codes(policies(review))),
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
            "enforcement": rules(&answer.enforcement),
            "subject": answer.subject.as_str(),
            "subject_by": rules(&answer.subject_by),
            "license_required": answer.license_required.as_str(),
            "required_by": rules(&answer.required_by),
            "exceptions": if answer.license_required == Status::No { Vec::new() } else { rules(&answer.exceptions) },
            "review": answer.review.as_ref().map(|review| json!({
                "status": review.status.as_str(),
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

    /// A short page: the answer first, then the reasons; `in_full` has every condition.
    pub fn page(&self, in_full: bool, room: Option<&Room>) -> String {
        let mut page = String::new();
        self.headline(&mut page);
        let answer = &self.answer;
        section(&mut page, "Enforcement", &answer.enforcement, false);
        if answer.subject != Status::Yes || in_full {
            section(&mut page, "Subject to the rule", &answer.subject_by, true);
        }
        section(&mut page, "License requirement", &answer.required_by, in_full || answer.license_required != Status::Yes);
        if answer.license_required != Status::No {
            page.push_str("\nExceptions and authorizations\n");
            for exception in answer.exceptions.iter().filter(|exception| in_full || self.is_nearest(exception)) {
                exception_lines(&mut page, exception, in_full);
            }
        }
        if let Some(review) = &answer.review {
            let _ = match review.status {
                Status::No => writeln!(page, "\nReview of an application\n  No policy is stated in the text for it."),
                status => writeln!(page, "\nReview of an application ({})", told(status)),
            };
            for policy in &review.policies {
                let _ = writeln!(page, "  {}: {}  [{}]", policy.rule.code, policy.rule.title, policy.rule.citation.cite);
                condition_lines(&mut page, policy, in_full);
            }
        }
        let counts = self.counts_in();
        if !counts.is_empty() {
            let _ = writeln!(page, "\nCounts in\n  {}", counts.join(", "));
            if let Some(room) = room {
                self.left_line(&mut page, room);
            }
        }
        filing_lines(&mut page, &answer.filings);
        let (raised, to_rule_out): (Vec<_>, Vec<_>) =
            answer.red_flags.iter().cloned().partition(|flag| flag.status != Status::Undetermined);
        section(&mut page, "Red flags", &raised, in_full);
        section(&mut page, "Red flags to rule out", &to_rule_out, in_full);
        page
    }

    fn headline(&self, page: &mut String) {
        let answer = &self.answer;
        let paragraphs: Vec<&str> = answer.required_by.iter().map(|answer| answer.rule.code.as_str()).collect();
        let _ = match answer.license_required {
            Status::No => writeln!(page, "No license is required."),
            Status::Yes => writeln!(page, "A license is required: {}.", paragraphs.join("; ")),
            status => writeln!(page, "Whether a license is required is {}: {}.", told(status), paragraphs.join("; ")),
        };
        if answer.license_required == Status::No {
            return;
        }
        let list = |status| self.codes(status).join(", ");
        let served = list(Status::Yes);
        let _ = if served.is_empty() {
            writeln!(page, "No exception or authorization is sure to serve instead.")
        } else {
            writeln!(page, "Serves instead: {served}.")
        };
        for status in [Status::Open, Status::Undetermined] {
            let codes = list(status);
            if !codes.is_empty() {
                let _ = writeln!(page, "{}: {codes}.", if status == Status::Open { "Open in the text" } else { "Undetermined" });
            }
        }
        let needs: Vec<&str> = self.needs().names().collect();
        if !needs.is_empty() {
            let _ = writeln!(page, "To tell more, give: {}.", needs.join(", "));
        }
    }
}

/// Filings that depend on what is not known, or on how the text is read.
fn may_have_to_file<'r>(answer: &Answer<'r>) -> impl Iterator<Item = &'r str> {
    answer.filings.iter().filter(|filing| filing.status != Status::Yes).map(|filing| filing.rule.id.as_str())
}

fn policies<'r>(review: &Review<'r>) -> Vec<&'r str> {
    let mut codes: Vec<&str> = Vec::new();
    for policy in &review.policies {
        if !codes.contains(&policy.rule.code.as_str()) {
            codes.push(&policy.rule.code);
        }
    }
    codes
}

fn told(status: Status) -> &'static str {
    match status {
        Status::Open => "open in the text",
        Status::Yes => "certain",
        status => status.as_str(),
    }
}

fn section(page: &mut String, title: &str, answers: &[RuleAnswer], conditions: bool) {
    if answers.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for answer in answers {
        let _ = writeln!(page, "  {}  [{}]", answer.rule.title, answer.rule.citation.cite);
        condition_lines(page, answer, conditions);
    }
}

fn exception_lines(page: &mut String, exception: &RuleAnswer, in_full: bool) {
    let word = match exception.status {
        Status::Yes => "available",
        Status::No => "not available",
        Status::Undetermined => "undetermined",
        Status::Open => "open in the text",
    };
    let rule = exception.rule;
    let _ = writeln!(page, "  {}: {word}: {}  [{}]", rule.code, rule.title, rule.citation.cite);
    let because: Vec<&str> = exception.because().collect();
    for (condition, verdict) in rule.conditions.iter().zip(&exception.verdicts) {
        if in_full || because.contains(&condition.id.as_str()) {
            condition_line(page, condition, *verdict);
        }
    }
}

fn condition_lines(page: &mut String, answer: &RuleAnswer, in_full: bool) {
    for (condition, verdict) in answer.rule.conditions.iter().zip(&answer.verdicts) {
        if in_full || matches!(verdict, Verdict::Open(_)) {
            condition_line(page, condition, *verdict);
        }
    }
}

fn condition_line(page: &mut String, condition: &Condition, verdict: Verdict) {
    let _ = write!(page, "    {:12} {}  [{}]", verdict.as_str(), condition.text, condition.cite);
    if let Verdict::Undetermined(needs) = verdict {
        let _ = write!(page, "  needs {}", needs.names().collect::<Vec<_>>().join(", "));
    }
    page.push('\n');
    if let (Verdict::Open(default), Some((other, _))) = (verdict, &condition.other) {
        let _ = writeln!(
            page,
            "                 by default it {}; the other reading: {other}",
            if default { "holds" } else { "fails" }
        );
    }
}

fn filing_lines(page: &mut String, filings: &[RuleAnswer]) {
    if filings.is_empty() {
        return;
    }
    page.push_str("\nTo file and keep\n");
    for answer in filings {
        let rule = answer.rule;
        let _ = writeln!(page, "  {}: {}  [{}]", rule.goes_with.join(", "), rule.title, rule.citation.cite);
        if let Some(filing) = &rule.filing {
            let subject = if filing.subject.is_empty() { String::new() } else { format!(", subject \"{}\"", filing.subject) };
            let _ = writeln!(page, "    to {}{subject}; {}", filing.to, filing.due);
        }
        condition_lines(page, answer, false);
    }
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
