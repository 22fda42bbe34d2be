//! `companies.toml`: the exceptions and authorizations under which limits belong to companies, and what is to be filed.
//!
//! Steps are checked as they are read, and mechanisms against each other: a yearly account without a limit, a notice of a
//! threshold that is not there. Nothing is decided here and nothing has a default. Invariant: each authorization is there
//! once, each share and notice has an id of its own, and every notice speaks of an authorization that is there.

use super::keys::Keys;
use super::law::{ascending, paragraphs, switch};
use crate::quota::application::Activity;
use crate::quota::company::account::Authorization;
use crate::quota::company::rules::{
    ChargedTo, CompanyRule, CompanyRules, KeptBy, Measured, NoticeRule, NoticeWhen, Share, ShareOf,
};
use crate::quota::regime::{Citation, Step};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Who may have something to file.
const FILED_BY: [&str; 3] = ["exporter", "consignee", "holder"];

/// Reads `companies.toml`.
pub(super) fn companies(root: &Keys) -> Option<CompanyRules> {
    let seen = RefCell::new(Vec::new());
    let rules = root.tables("authorization", |keys| authorization(keys, &seen));
    let rules: Option<BTreeMap<Authorization, CompanyRule>> =
        rules.map(|rules| rules.into_iter().map(|rule| (rule.authorization, rule)).collect());
    if rules.as_ref().is_some_and(BTreeMap::is_empty) {
        root.wrong("authorization", "names none", "write each as [[authorization]], or leave the file out");
    }
    let charged_on_receipt = root.table("switch", |keys| keys.table("charged_on_receipt", switch));
    let dates = root.table("reporting_dates", reporting_dates);
    let ids = RefCell::new(Vec::new());
    let notices = root.optional_tables("notice", |keys| notice(keys, &ids, rules.as_ref()));
    let (reporting_dates, reporting_dates_citation) = dates?;
    Some(CompanyRules {
        rules: rules?,
        charged_on_receipt: charged_on_receipt?,
        reporting_dates,
        reporting_dates_citation,
        notices: notices?,
    })
}

fn authorization(keys: &Keys, seen: &RefCell<Vec<Authorization>>) -> Option<CompanyRule> {
    let code = keys.one_of("code", Authorization::ALL, Authorization::as_str);
    if let Some(code) = code {
        if seen.borrow().contains(&code) {
            keys.wrong("code", "stands above already", "say all of an authorization in one table");
        }
        seen.borrow_mut().push(code);
    }
    let charged_to = keys.one_of("charged_to", ChargedTo::ALL, ChargedTo::as_str);
    let kept_by = keys.one_of("kept_by", KeptBy::ALL, KeptBy::as_str);
    let limit = limit(keys, kept_by);
    let threshold = keys.optional_table("threshold", |keys| {
        let (tpp, citation) = (keys.amount("tpp"), keys.citation());
        Some((tpp?, citation?))
    });
    let ids = RefCell::new(Vec::new());
    let shares = keys.optional_tables("share", |keys| share(keys, &ids));
    let (held, activities, distributors) = (keys.truth("held"), activities(keys), keys.truth("distributors"));
    let (operator, presumption_of_denial) = (keys.truth("operator"), keys.truth("presumption_of_denial"));
    let (eccn, citation) = (paragraphs(keys, "eccn"), keys.citation());
    let rule = CompanyRule {
        authorization: code?,
        charged_to: charged_to?,
        kept_by: kept_by?,
        limit: limit?,
        threshold: threshold?,
        shares: shares?,
        held: held?,
        activities: activities?,
        distributors: distributors?,
        operator: operator?,
        presumption_of_denial: presumption_of_denial?,
        eccn: eccn?,
        citation: citation?,
    };
    fits_together(keys, &rule);
    Some(rule)
}

/// The mechanisms of a rule against each other.
fn fits_together(keys: &Keys, rule: &CompanyRule) {
    if rule.charged_to == ChargedTo::Nobody {
        for (key, stands) in
            [("limit", !rule.limit.is_empty()), ("threshold", rule.threshold.is_some()), ("share", !rule.shares.is_empty())]
        {
            if stands {
                keys.wrong(key, "stands where nobody is charged", "say to whom it is charged, or leave this out");
            }
        }
        if rule.kept_by != KeptBy::Whole {
            keys.wrong("kept_by", "keeps something apart where nobody is charged", "write whole");
        }
    }
    if rule.charged_to == ChargedTo::Holder && !(rule.held && rule.kept_by == KeptBy::Country) {
        let hint = "what its holder is charged is held and kept by country: held = true, kept_by = \"country\"";
        keys.wrong("charged_to", "needs an authorization that is held for a country", hint);
    }
    if rule.kept_by == KeptBy::CalendarYear && rule.limit.is_empty() {
        keys.wrong("kept_by", "keeps years apart, and there is no limit of a year", "write one as [[authorization.limit]]");
    }
    if !rule.shares.is_empty() && rule.kept_by != KeptBy::Country {
        keys.wrong("share", "is a share of what is in countries, which are not kept apart", "write kept_by = \"country\"");
    }
}

/// The steps of a limit, oldest first. That of a calendar year changes with the year, so that each year has one.
fn limit(keys: &Keys, kept_by: Option<KeptBy>) -> Option<Vec<Step>> {
    let last = Cell::new(None);
    keys.optional_tables("limit", |keys| {
        let from = keys.day("from");
        ascending(keys, "from", from, &last);
        if kept_by == Some(KeptBy::CalendarYear) && from.is_some_and(|from| from.ordinal() != 1) {
            keys.wrong("from", "is not the first day of a year", "a limit of calendar years begins on 1 January");
        }
        let (tpp, citation) = (keys.amount("tpp"), keys.citation());
        Some(Step { from: from?, tpp: tpp?, citation: citation? })
    })
}

fn share(keys: &Keys, ids: &RefCell<Vec<String>>) -> Option<Share> {
    let (id, of) = (new_id(keys, ids), keys.one_of("of", ShareOf::ALL, ShareOf::as_str));
    let (percent, measured) = (keys.decimal("percent"), keys.one_of("measured", Measured::ALL, Measured::as_str));
    if percent.is_some_and(|percent| percent > Decimal::ONE_HUNDRED) {
        keys.wrong("percent", "is above 100 percent", "give the share of the installed base, from 0 to 100");
    }
    let citation = keys.citation();
    Some(Share { id: id?, of: of?, percent: percent?, measured: measured?, citation: citation? })
}

fn activities(keys: &Keys) -> Option<Vec<Activity>> {
    let mut read = Vec::new();
    for (position, word) in keys.texts("activities")?.iter().enumerate() {
        match Activity::ALL.into_iter().find(|activity| activity.as_str() == word) {
            Some(activity) if read.contains(&activity) => {
                keys.wrong_item("activities", position, "stands in the list twice", "name each activity once");
            }
            Some(activity) => read.push(activity),
            None => keys.wrong_item("activities", position, "is not an activity", "one of export, reexport, transfer"),
        }
    }
    Some(read)
}

/// Days of every year, each once.
fn reporting_dates(keys: &Keys) -> Option<(Vec<(u32, u32)>, Citation)> {
    let mut read = Vec::new();
    let (texts, citation) = (keys.texts("dates"), keys.citation());
    for (position, text) in texts?.iter().enumerate() {
        match month_and_day(text) {
            Some(date) if read.contains(&date) => {
                keys.wrong_item("dates", position, "stands in the list twice", "name each date once");
            }
            Some(date) => read.push(date),
            None => {
                let hint = "write month and day with two digits each, as \"08-01\"";
                keys.wrong_item("dates", position, "is not a day of every year", hint);
            }
        }
    }
    if read.is_empty() {
        keys.wrong("dates", "names none", "name the dates of a year on which reports are due");
    }
    Some((read, citation?))
}

fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-').filter(|(month, day)| month.len() == 2 && day.len() == 2)?;
    // 2001 has no 29 February, and neither has every year.
    let date = NaiveDate::from_ymd_opt(2001, month.parse().ok()?, day.parse().ok()?)?;
    Some((date.month(), date.day()))
}

/// Reads one notice. The keys that it has follow from what makes it due; `rules` is `None` where those could not be read.
fn notice(
    keys: &Keys,
    ids: &RefCell<Vec<String>>,
    rules: Option<&BTreeMap<Authorization, CompanyRule>>,
) -> Option<NoticeRule> {
    let (id, code) = (new_id(keys, ids), keys.one_of("authorization", Authorization::ALL, Authorization::as_str));
    let when = keys.one_of("when", NoticeWhen::ALL, NoticeWhen::as_str);
    let tpp = if when == Some(NoticeWhen::ShipmentAtLeast) { keys.amount("tpp").map(Some) } else { Some(None) };
    let months = if when == Some(NoticeWhen::EveryMonths) { keys.whole("months", 1, 120) } else { Some(0) };
    // A reporting date is the day on which the report is due.
    let days = if when == Some(NoticeWhen::ReportingDate) { Some(0) } else { keys.whole("days", -3650, 3650) };
    let filed_by = keys.one_of("filed_by", &FILED_BY, |word| word);
    let addressee = keys.text("addressee");
    let subject = if keys.has("subject") { keys.text("subject") } else { Some(String::new()) };
    let citation = keys.citation();
    if let (Some(code), Some(when), Some(rules)) = (code, when, rules) {
        speaks_of(keys, when, rules.get(&code));
    }
    Some(NoticeRule {
        id: id?,
        authorization: code?,
        when: when?,
        tpp: tpp?,
        days: days?,
        months: months?,
        filed_by: filed_by?.to_string(),
        addressee: addressee?,
        subject: subject?,
        citation: citation?,
    })
}

/// A notice speaks of an authorization that is there, and of what it has.
fn speaks_of(keys: &Keys, when: NoticeWhen, rule: Option<&CompanyRule>) {
    let Some(rule) = rule else {
        return keys.wrong("authorization", "is not an authorization of this file", "add its [[authorization]]");
    };
    let missing = match when {
        NoticeWhen::LimitReached if rule.limit.is_empty() => "a limit",
        NoticeWhen::ThresholdReached if rule.threshold.is_none() => "a threshold",
        NoticeWhen::EveryMonths if rule.charged_to == ChargedTo::Nobody => "an account",
        NoticeWhen::ReportingDate if !rule.held => "a holder",
        _ => return,
    };
    keys.wrong("when", format!("needs what {} has none of: {missing}", rule.authorization), "compare the two tables");
}

/// The id of an entry, which no other of the list has.
fn new_id(keys: &Keys, ids: &RefCell<Vec<String>>) -> Option<String> {
    let id = keys.word("id")?;
    if ids.borrow().contains(&id) {
        keys.wrong("id", "stands above already", "give each an id of its own");
    }
    ids.borrow_mut().push(id.clone());
    Some(id)
}
