//! The page of a screened transaction: the answer first, the reasons after it, each with its section.
//!
//! What keeps an exception from serving is named; what holds is left out, unless everything is asked for. An open text is always
//! shown with its other reading.

use super::{AccountLeft, Bound, Room, Screened};
use crate::quota::company::account::{Account, Part};
use crate::quota::company::rules::Measured;
use crate::quota::tpp::Tpp;
use crate::screen::{Condition, RuleAnswer, Status, Transaction, Verdict};
use chrono::NaiveDate;
use std::fmt::Write;

/// The page; `in_full` has every rule and condition.
pub fn page(screened: &Screened, room: Option<&Room>, in_full: bool) -> String {
    let mut page = Page { text: String::new(), screened, transaction: &screened.transaction, in_full };
    page.headline();
    let answer = &screened.answer;
    page.section("Enforcement", &answer.enforcement, Told::Unsure);
    if answer.subject != Status::Yes || in_full {
        page.section("Subject to the rule", &answer.subject_by, Told::All);
    }
    let sure = answer.license_required == Status::Yes;
    page.section("License requirement", &answer.required_by, if sure { Told::Open } else { Told::All });
    if answer.license_required != Status::No {
        page.exceptions();
        page.review();
    }
    page.counts(room);
    page.companies(room);
    page.filings();
    let (to_rule_out, raised): (Vec<_>, Vec<_>) =
        answer.red_flags.iter().cloned().partition(|flag| flag.status == Status::Undetermined);
    page.section("Red flags", &raised, Told::Open);
    page.section("Red flags to rule out", &to_rule_out, Told::Open);
    page.text
}

/// Which conditions of a rule are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Those that are open.
    Open,
    /// Those that are open or cannot be told.
    Unsure,
    /// All.
    All,
}

struct Page<'p, 'r> {
    text: String,
    screened: &'p Screened<'r>,
    transaction: &'p Transaction,
    in_full: bool,
}

impl Page<'_, '_> {
    fn line(&mut self, line: std::fmt::Arguments) {
        writeln!(self.text, "{line}").expect("writing to a string does not fail");
    }

    fn headline(&mut self) {
        let (screened, answer) = (self.screened, &self.screened.answer);
        let paragraphs = screened.paragraphs().join("; ");
        match answer.license_required {
            Status::No => {
                self.line(format_args!("No paragraph that is held here requires a license."));
                if answer.red_flags.iter().any(|flag| flag.status == Status::Yes) {
                    self.line(format_args!("Something else may: see the red flags."));
                }
                return self.item();
            }
            Status::Yes => self.line(format_args!("A license is required: {paragraphs}.")),
            status => self.line(format_args!("Whether a license is required is {}: {paragraphs}.", told(status))),
        }
        let served = screened.codes(Status::Yes).join(", ");
        if served.is_empty() {
            self.line(format_args!("No exception or authorization is sure to serve instead."));
        } else {
            self.line(format_args!("Serves instead: {served}."));
        }
        for (status, what) in [(Status::Open, "Open in the text"), (Status::Undetermined, "Undetermined")] {
            let codes = screened.codes(status);
            if !codes.is_empty() {
                self.line(format_args!("{what}: {}.", codes.join(", ")));
            }
        }
        let exceeded = screened.accounts_exceeded();
        if !exceeded.is_empty() {
            self.line(format_args!("The ledger has too little left in: {exceeded}."));
        }
        let needs: Vec<&str> = screened.needs().names().collect();
        if !needs.is_empty() {
            self.line(format_args!("To tell more, give: {}.", needs.join(", ")));
        }
        self.item();
    }

    /// What is screened, as it was understood.
    fn item(&mut self) {
        let transaction = self.transaction;
        let mut parts = vec![transaction.on.to_string(), transaction.activity.as_str().replace('_', " ")];
        parts.extend(transaction.quantity.map(|quantity| format!("{quantity} units")));
        parts.extend(transaction.device.clone());
        parts.push(transaction.eccn.map_or("unclassified".into(), |eccn| eccn.to_string()));
        parts.extend(transaction.shipment_tpp().map(|tpp| format!("{} TPP", tpp.grouped())));
        parts.push(format!("to {}", transaction.destination));
        parts.extend(transaction.consignee.as_ref().map(|consignee| format!("for {consignee}")));
        parts.extend(transaction.operator.as_ref().map(|operator| format!("operated by {operator}")));
        self.line(format_args!("Understood as: {}.", parts.join(", ")));
    }

    fn section(&mut self, title: &str, answers: &[RuleAnswer], told: Told) {
        if answers.is_empty() {
            return;
        }
        self.line(format_args!("\n{title}"));
        for answer in answers {
            self.line(format_args!("  {}  [{}]", answer.rule.title, answer.rule.citation.cite));
            let told = if self.in_full { Told::All } else { told };
            self.conditions(answer, |verdict| match verdict {
                Verdict::Open(_) => true,
                Verdict::Undetermined(_) => told != Told::Open,
                Verdict::Pass | Verdict::Fail => told == Told::All,
            });
        }
    }

    fn exceptions(&mut self) {
        self.line(format_args!("\nExceptions and authorizations"));
        for exception in &self.screened.answer.exceptions {
            if !self.in_full && !self.is_nearest(exception) {
                continue;
            }
            let word = match exception.status {
                Status::Yes => "available",
                Status::No => "not available",
                Status::Undetermined => "undetermined",
                Status::Open => "open in the text",
            };
            let rule = exception.rule;
            self.line(format_args!("  {}: {word}: {}  [{}]", rule.code, rule.title, rule.citation.cite));
            let (status, in_full) = (exception.status, self.in_full);
            // Of a condition alone: does it give what the rule gives?
            self.conditions(exception, |verdict| in_full || (status != Status::Yes && Status::all(&[verdict]) == status));
        }
    }

    /// Whether no other rule of the same code has less that keeps it from serving: what is meant for other items is left out.
    fn is_nearest(&self, exception: &RuleAnswer) -> bool {
        let of_code = self.screened.answer.exceptions.iter().filter(|other| other.rule.code == exception.rule.code);
        // The first condition of a rule is its item.
        let fails = |answer: &RuleAnswer| {
            let other_item = answer.verdicts.first() == Some(&Verdict::Fail);
            (other_item, answer.verdicts.iter().filter(|verdict| **verdict == Verdict::Fail).count())
        };
        of_code.map(fails).min() == Some(fails(exception))
    }

    fn review(&mut self) {
        let Some(review) = &self.screened.answer.review else { return };
        match review.status {
            Status::No => self.line(format_args!("\nReview of an application\n  No policy is stated in the text for it.")),
            status => self.line(format_args!("\nReview of an application ({})", told(status))),
        }
        let in_full = self.in_full;
        if let Some(code) =
            self.screened.policies().first().filter(|code| !review.policies.iter().any(|policy| policy.rule.code == **code))
        {
            self.line(format_args!("  {code}: the ledger has nothing left in the allocation; before that:"));
        }
        for policy in &review.policies {
            let rule = policy.rule;
            self.line(format_args!("  {}: {}  [{}]", rule.code, rule.title, rule.citation.cite));
            self.conditions(policy, |verdict| in_full || matches!(verdict, Verdict::Open(_)));
        }
    }

    fn counts(&mut self, room: Option<&Room>) {
        let counts = self.screened.counts_in();
        if counts.is_empty() {
            return;
        }
        self.line(format_args!("\nCounts in\n  {}", counts.join(", ")));
        let (Some(room), Some(country), Some((floor, on))) = (room, self.screened.country, self.screened.left) else { return };
        let fit = self.transaction.shipment_tpp().map_or(String::new(), |shipment| {
            match Tpp::from_decimal(shipment.to_decimal() - floor.to_decimal()) {
                _ if shipment <= floor => format!("; {} TPP fit", shipment.grouped()),
                Ok(over) => format!("; {} TPP do not fit, {} too much", shipment.grouped(), over.grouped()),
                Err(_) => format!("; {} TPP do not fit", shipment.grouped()),
            }
        });
        let floor = floor.grouped();
        let source = format!("{}, through record {}", room.ledger, room.through);
        self.line(format_args!("  {country}: {floor} TPP left for a new license (lowest on {on}){fit}  [{source}]"));
    }

    /// What the ledger states of the parties, and what their accounts have left.
    fn companies(&mut self, room: Option<&Room>) {
        let (Some(room), Some(stated)) = (room, &self.screened.stated) else { return };
        self.line(format_args!("\nFrom the ledger  [{}, through record {}]", room.ledger, room.through));
        for (column, value) in &stated.filled {
            self.line(format_args!("  {}: {value}", column.as_str()));
        }
        for (column, given, has) in &stated.differs {
            self.line(format_args!("  {}: {given} as given; the ledger has {has}", column.as_str()));
        }
        for (column, party) in &stated.unknown {
            self.line(format_args!("  {}: nothing is stated of {party}, and nothing is filled from it", column.as_str()));
        }
        if let Some(party) = &stated.parent_unknown {
            self.line(format_args!("  the parent of {party} is not stated; its own accounts are looked at"));
        }
        let (takes, on) = (self.transaction.shipment_tpp(), self.transaction.on);
        let screened = self.screened;
        if screened.accounts.is_empty() {
            return;
        }
        self.line(format_args!("\nLeft of company allocations"));
        for it in &screened.accounts {
            self.line(format_args!("  {}{}  [{}]", left_told(it, on), takes_told(it, takes), it.citation().cite));
        }
    }

    fn filings(&mut self) {
        let answer = &self.screened.answer;
        if answer.filings.is_empty() {
            return;
        }
        self.line(format_args!("\nTo file and keep"));
        let (in_full, serves) = (self.in_full, |code: &&String| answer.available(code) != Status::No || *code == "license");
        for filing in &answer.filings {
            let rule = filing.rule;
            let with: Vec<&str> = rule.goes_with.iter().filter(serves).map(String::as_str).collect();
            self.line(format_args!("  {}: {}  [{}]", with.join(", "), rule.title, rule.citation.cite));
            if let Some(filing) = &rule.filing {
                let subject = if filing.subject.is_empty() { String::new() } else { format!(", subject \"{}\"", filing.subject) };
                self.line(format_args!("    {}{subject}; {}", filing.to, filing.due));
            }
            self.conditions(filing, |verdict| in_full || !matches!(verdict, Verdict::Pass));
        }
    }

    fn conditions(&mut self, answer: &RuleAnswer, is_told: impl Fn(Verdict) -> bool) {
        for (condition, verdict) in answer.rule.conditions.iter().zip(&answer.verdicts) {
            if is_told(*verdict) {
                self.condition(condition, *verdict);
            }
        }
    }

    fn condition(&mut self, condition: &Condition, verdict: Verdict) {
        let amounts = condition.amounts(self.transaction);
        let here = if amounts.is_empty() { String::new() } else { format!("  here {}", amounts.join(", ")) };
        let needs = match verdict {
            Verdict::Undetermined(needs) => format!("  needs {}", needs.names().collect::<Vec<_>>().join(", ")),
            _ => String::new(),
        };
        self.line(format_args!("    {:12} {}  [{}]{here}{needs}", verdict.as_str(), condition.text, condition.cite));
        if let (Verdict::Open(default), Some((other, _))) = (verdict, &condition.other) {
            let default = if default { "holds" } else { "fails" };
            self.line(format_args!("                 by default it {default}; the other reading: {other}"));
        }
    }
}

/// What an account has left, of what, and whose it is.
fn left_told(it: &AccountLeft, from: NaiveDate) -> String {
    let Account { authorization, party, part } = &it.account;
    let whose = match part {
        Part::Whole => party.clone(),
        Part::Year(year) => format!("{party} in {year}"),
        Part::Country(country) => format!("{party} in {country}"),
        Part::Facility(facility) => format!("{party} in {facility}"),
    };
    let (left, of) = (it.left.grouped(), it.of.grouped());
    let lowest = match it.bound {
        Bound::Share(share) if share.measured == Measured::ReportingDates => format!(" (on the reporting date {})", it.on),
        _ if it.on == from => String::new(),
        _ => format!(" (lowest on {})", it.on),
    };
    match it.bound {
        Bound::Limit(_) => format!("{authorization}: {left} of {of} TPP left for {whose}{lowest}"),
        Bound::Threshold(_) => format!("{authorization}: {left} TPP to the threshold of {of} for {whose}"),
        Bound::Share(share) => {
            let percent = share.percent.normalize();
            format!("{authorization}: {left} TPP of room for {whose}: {percent} % {} of a base of {of} TPP{lowest}", share.id)
        }
    }
}

/// What the transaction takes of it, and whether it fits.
fn takes_told(it: &AccountLeft, takes: Option<Tpp>) -> String {
    let Some(takes) = takes else { return String::new() };
    let over = Tpp::from_decimal(takes.to_decimal() - it.left.to_decimal());
    let over = over.map_or(String::new(), |over| format!(", {} too much", over.grouped()));
    let outcome = match it.bound {
        Bound::Threshold(_) if takes >= it.left => ", which reaches it".to_string(),
        Bound::Threshold(_) => String::new(),
        _ if it.fits != Some(false) => " and fits".to_string(),
        _ if it.is_exceeded() => format!(" and does not fit{over}"),
        _ => format!(", which the ledger only tells{over}"),
    };
    format!("; this takes {}{outcome}", takes.grouped())
}

fn told(status: Status) -> &'static str {
    match status {
        Status::Open => "open in the text",
        Status::Yes => "certain",
        status => status.as_str(),
    }
}
