//! What is to be filed because of what was shipped, held and reached.

use super::account::{Account, Authorization, Charge};
use super::fact::CompanyFact;
use super::party::Parties;
use super::rules::{CompanyRules, NoticeRule, NoticeWhen};
use crate::quota::event::Placed;
use crate::quota::tpp::Tpp;
use chrono::{Days, Months, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};

/// One thing to file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Notice {
    /// Last day for it.
    pub due_on: NaiveDate,
    /// Its rule.
    pub rule: String,
    /// Under which authorization.
    pub authorization: Authorization,
    /// Whose.
    pub party: String,
    /// The fact or account that makes it due.
    pub because: String,
    /// The amount that makes it due, where one does.
    pub tpp: Option<Tpp>,
}

/// The notices due in a span of days, in order of their days.
pub fn notices(
    rules: &CompanyRules,
    parties: &Parties,
    facts: &[Placed<CompanyFact>],
    charges: &[(u64, Charge)],
    from: NaiveDate,
    until: NaiveDate,
) -> Vec<Notice> {
    let mut all: BTreeSet<Notice> = BTreeSet::new();
    for rule in &rules.notices {
        match rule.when {
            NoticeWhen::Shipment | NoticeWhen::ShipmentAtLeast => all.extend(of_shipments(rule, facts)),
            NoticeWhen::LimitReached | NoticeWhen::ThresholdReached => all.extend(of_totals(rule, rules, facts, charges)),
            NoticeWhen::EveryMonths => all.extend(of_months(rule, facts, charges, until)),
            NoticeWhen::ReportingDate => all.extend(of_dates(rule, rules, parties, from, until)),
        }
    }
    all.into_iter().filter(|notice| from <= notice.due_on && notice.due_on <= until).collect()
}

fn due(rule: &NoticeRule, on: NaiveDate) -> NaiveDate {
    let days = Days::new(rule.days.unsigned_abs());
    let moved = if rule.days < 0 { on.checked_sub_days(days) } else { on.checked_add_days(days) };
    moved.unwrap_or(on)
}

fn notice(rule: &NoticeRule, due_on: NaiveDate, party: &str, because: String, tpp: Option<Tpp>) -> Notice {
    Notice { due_on, rule: rule.id.clone(), authorization: rule.authorization, party: party.to_string(), because, tpp }
}

/// A shipment's lines to one consignee are one shipment to it.
fn of_shipments(rule: &NoticeRule, facts: &[Placed<CompanyFact>]) -> Vec<Notice> {
    let mut due_ones = Vec::new();
    for placed in facts.iter().filter(|placed| !placed.is_corrected()) {
        let CompanyFact::Shipment(shipment) = &placed.fact else { continue };
        let mut sums: BTreeMap<&str, Tpp> = BTreeMap::new();
        for line in shipment.lines.iter().filter(|line| line.authorization == rule.authorization) {
            *sums.entry(&line.consignee).or_default() += line.tpp;
        }
        let several = sums.len() > 1;
        for (consignee, tpp) in sums {
            if rule.tpp.is_none_or(|least| tpp >= least) {
                let who = if rule.filed_by == "consignee" { consignee } else { &shipment.exporter };
                let because = if several { format!("{} to {consignee}", shipment.id) } else { shipment.id.clone() };
                due_ones.push(notice(rule, due(rule, shipment.effective_on), who, because, Some(tpp)));
            }
        }
    }
    due_ones
}

/// The day on which an account comes to its limit or threshold; an account may fall and reach it again.
fn of_totals(rule: &NoticeRule, rules: &CompanyRules, facts: &[Placed<CompanyFact>], charges: &[(u64, Charge)]) -> Vec<Notice> {
    let Some(company_rule) = rules.rule(rule.authorization) else { return Vec::new() };
    // Net for each day: what is charged and corrected on one day never stood.
    let mut by_account: BTreeMap<&Account, BTreeMap<NaiveDate, (u64, Tpp)>> = BTreeMap::new();
    for (seq, charge) in charges.iter().filter(|(_, charge)| charge.account.authorization == rule.authorization) {
        let day = by_account.entry(&charge.account).or_default().entry(charge.effective_on).or_default();
        day.1 += charge.tpp;
        if charge.tpp > Tpp::ZERO {
            day.0 = *seq;
        }
    }
    let received = |seq: u64, shipped: NaiveDate| -> NaiveDate {
        // "As soon as the shipment is actually received" (740.29(g)(2)): the day of receipt, where it is known.
        let fact = facts.iter().find(|placed| placed.seq == seq).map(|placed| &placed.fact);
        let Some(CompanyFact::Shipment(shipment)) = fact else { return shipped };
        shipment.lines.iter().filter_map(|line| line.received_on).max().unwrap_or(shipped)
    };
    let mut due_ones = Vec::new();
    for (account, moves) in by_account {
        let (mut balance, mut reached) = (Tpp::ZERO, false);
        for (day, (seq, tpp)) in moves {
            balance += tpp;
            let level = match rule.when {
                NoticeWhen::LimitReached => company_rule.limit_of(account, day).map(|step| step.tpp),
                _ => rule.tpp.or(company_rule.threshold.as_ref().map(|(tpp, _)| *tpp)),
            };
            let is_reached = level.is_some_and(|level| balance >= level);
            if is_reached && !reached {
                let due_on = due(rule, if rule.when == NoticeWhen::LimitReached { received(seq, day) } else { day });
                due_ones.push(notice(rule, due_on, &account.party, account.to_string(), Some(balance)));
            }
            reached = is_reached;
        }
    }
    due_ones
}

/// Each so many months after the last statement on an account: the one that is due next, and those that were missed.
fn of_months(rule: &NoticeRule, facts: &[Placed<CompanyFact>], charges: &[(u64, Charge)], until: NaiveDate) -> Vec<Notice> {
    let mut stated: BTreeMap<&Account, BTreeSet<NaiveDate>> = BTreeMap::new();
    let standing: BTreeSet<u64> = facts.iter().filter(|placed| !placed.is_corrected()).map(|placed| placed.seq).collect();
    let own = charges.iter().filter(|(seq, charge)| charge.account.authorization == rule.authorization && standing.contains(seq));
    for (_, charge) in own {
        stated.entry(&charge.account).or_default().insert(charge.effective_on);
    }
    let mut due_ones = Vec::new();
    for (account, days) in stated {
        let days: Vec<NaiveDate> = days.into_iter().collect();
        for (index, day) in days.iter().enumerate() {
            let next = days.get(index + 1).copied().unwrap_or(NaiveDate::MAX);
            let mut due_on = *day;
            while let Some(later) = due_on.checked_add_months(Months::new(rule.months.max(1))) {
                due_on = later;
                if due_on >= next || due_on > until {
                    break;
                }
                due_ones.push(notice(rule, due(rule, due_on), &account.party, account.to_string(), None));
            }
        }
    }
    due_ones
}

/// Each reporting date, for each party that holds the authorization then.
fn of_dates(rule: &NoticeRule, rules: &CompanyRules, parties: &Parties, from: NaiveDate, until: NaiveDate) -> Vec<Notice> {
    let mut due_ones = Vec::new();
    let mut day = from;
    while let Some(date) = rules.reporting_date_from(day).filter(|date| *date <= until) {
        for party in parties.names() {
            let countries: Vec<_> = parties.statements(party).iter().map(|placed| placed.fact.country).collect();
            if countries.iter().any(|country| parties.is_authorized(party, rule.authorization, *country, date)) {
                due_ones.push(notice(rule, date, party, format!("{} on {date}", rule.authorization), None));
            }
        }
        let Some(next) = date.succ_opt() else { break };
        day = next;
    }
    due_ones
}
