//! Explaining a company's account: its balance down to the charges that sum to it, with the limits it meets.

use super::company_reports::Companies;
use super::explain::{Explanation, Section};
use super::ledger::Ledger;
use super::pack::{moment, through_note};
use crate::error::{Error, Result};
use crate::quota::company::account::Account;
use crate::quota::company::rules::CompanyRule;
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Table, columns};
use crate::store::{Fact, Read, Record, Store};
use chrono::NaiveDate;
use std::borrow::Cow;

/// Why an account holds what it holds on a day, through a record.
///
/// # Errors
/// When the name is no account's, or nothing was ever charged to it.
pub fn account<S: Store>(ledger: &Ledger<S>, name: &str, as_of: NaiveDate, through: Option<u64>) -> Result<Explanation> {
    let not_found = |what: String| Error::NotFound {
        what,
        hint: "an account is named e.g. LPP:ACME:year=2026 or NVEU:ACME:country=IN; `tppledger list lpp` and so on list them"
            .into(),
    };
    let account = Account::parse(name).ok_or_else(|| not_found(format!("{name} is not the name of an account")))?;
    let read = ledger.store.read()?;
    let through = through_note(&read, through)?.seq;
    let (regime, _) = ledger.regime_at(through)?;
    let companies = Companies::gather(&read, through)?;
    let (mut balance, mut later, mut table) = (Tpp::ZERO, 0_usize, Table::new(columns::companies::charges()));
    for (seq, charge) in companies.of(&account) {
        if charge.effective_on > as_of {
            later += 1;
            continue;
        }
        balance += charge.tpp;
        let record = read.record(seq)?;
        table.push(vec![
            Cell::Whole(seq as i64),
            Cell::Day(charge.effective_on),
            Cell::code(charge.kind.as_str()),
            Cell::Amount(charge.tpp),
            Cell::Amount(balance),
            Cell::text(record.as_ref().map(|record| record.fact.id()).unwrap_or_default()),
            Cell::text(record.as_ref().map(reference).unwrap_or_default()),
            Cell::Code(Cow::Owned(record.map(|record| moment(record.batch.recorded_at)).unwrap_or_default())),
        ]);
    }
    if table.rows.is_empty() && later == 0 {
        return Err(not_found(format!("nothing is charged to {account}")));
    }
    let mut answer = Section::new("Answer");
    answer.fact(
        "balance",
        balance.grouped(),
        format!("sum of {} charges up to {as_of}, through record {through}", table.rows.len()),
    );
    if let Some(rule) = regime.companies.as_ref().and_then(|companies| companies.rule(account.authorization)) {
        limits(&mut answer, rule, &account, as_of, balance);
    }
    if later > 0 {
        answer.fact("later charges", later, format!("effective after {as_of}"));
    }
    let mut charges = Section::new("Charges");
    charges.table = Some(table);
    Ok(Explanation { title: format!("{account} as of {as_of}"), sections: vec![answer, charges] })
}

/// What a record charged to accounts, where it charged any.
pub(super) fn charges_of(record: &Record) -> Option<Section> {
    let mut section = Section::new("Charges it posted");
    for charge in &record.charges {
        let what = format!("{} TPP, {} on {}", charge.tpp.grouped(), charge.kind, charge.effective_on);
        section.fact(charge.account.to_string(), what, "");
    }
    (!section.facts.is_empty()).then_some(section)
}

fn limits(answer: &mut Section, rule: &CompanyRule, account: &Account, as_of: NaiveDate, balance: Tpp) {
    answer.fact("charged to", format!("{} ({})", account.party, rule.charged_to), rule.citation.cite.clone());
    if let Some(step) = rule.limit_of(account, as_of) {
        answer.fact("limit", step.tpp.grouped(), format!("{}, from {}", step.citation.cite, step.from));
        answer.fact("headroom", (step.tpp - balance).grouped(), "limit - balance");
    }
    if let Some((threshold, citation)) = &rule.threshold {
        answer.fact("threshold", threshold.grouped(), citation.cite.clone());
        answer.fact("left to the threshold", (*threshold - balance).grouped(), "threshold - balance");
    }
    for share in &rule.shares {
        answer.fact(
            format!("share {}", share.id),
            format!("at most {} %, measured {}", share.percent, share.measured),
            share.citation.cite.clone(),
        );
    }
}

fn reference(record: &Record) -> String {
    match &record.fact {
        Fact::Company(fact) => fact.reference().unwrap_or_default().to_string(),
        Fact::Event(event, _) => event.reference.clone().unwrap_or_default(),
        Fact::Regime { reference, .. } => reference.clone(),
        Fact::Filing(filing) => filing.reference.clone().unwrap_or_default(),
        Fact::Application(_) | Fact::Act(_) => String::new(),
    }
}
