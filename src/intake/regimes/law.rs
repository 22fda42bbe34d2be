//! `regime.toml` and `allocations.toml`: what the regime is, how long a license is valid, and the country allocation.
//!
//! Dated values are checked as they are read: steps in order, none on the same day, no hole before the first one.
//! Nothing is decided here and nothing has a default. Invariant: the base has a value on every day of the period, and
//! every switch has one value.

use super::keys::Keys;
use crate::quota::calendar::{Period, Validity};
use crate::quota::codes::Eccn;
use crate::quota::regime::{Citation, LegalStatus, Step, Switch, SwitchKey};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// What `regime.toml` says.
pub(super) struct Frame {
    pub id: String,
    pub title: String,
    pub citation: Citation,
    pub legal_status: Vec<LegalStatus>,
    pub license: License,
}

/// How long a license is valid, and when its unused quantity comes back.
pub(super) struct License {
    pub validity: Validity,
    pub validity_citation: Citation,
    pub roll_citation: Citation,
    pub unused_after_days: u32,
    pub unused_citation: Citation,
}

/// What `allocations.toml` says of the country allocation.
pub(super) struct Country {
    pub period: (Period, Citation),
    pub base: Vec<Step>,
    pub increase_maximum: (Decimal, Citation),
    pub critical: (Decimal, Citation),
    pub counted_eccn: (Vec<Eccn>, Citation),
    pub switches: BTreeMap<SwitchKey, Switch>,
}

/// Reads `regime.toml`.
pub(super) fn frame(root: &Keys) -> Option<Frame> {
    let named = root.table("regime", |keys| {
        let (id, title, citation) = (keys.word("id"), keys.text("title"), keys.citation());
        Some((id?, title?, citation?))
    });
    let last = std::cell::Cell::new(None);
    let legal_status = root.tables("legal_status", |keys| {
        let from = keys.day("from");
        ascending(keys, "from", from, &last);
        let (code, text, citation) = (keys.word("code"), keys.text("text"), keys.citation());
        Some(LegalStatus { from: from?, code: code?, text: text?, citation: citation? })
    });
    let license = root.table("license", license);
    let (id, title, citation) = named?;
    Some(Frame { id, title, citation, legal_status: legal_status?, license: license? })
}

fn license(keys: &Keys) -> Option<License> {
    let validity = keys.table("validity", |keys| {
        let (years, citation) = (keys.whole("years", 1, 100), keys.citation());
        Some((years?, citation?))
    });
    let roll = keys.table("roll", |keys| {
        let (weekends, citation) = (keys.truth("weekends"), keys.citation());
        Some((weekends?, citation?))
    });
    let holidays = keys.table("holidays", holidays);
    let unused = keys.table("unused", |keys| {
        let (after_days, citation) = (keys.whole("after_days", 0, 3650), keys.citation());
        Some((after_days?, citation?))
    });
    let ((years, validity_citation), (rolls_over_weekends, roll_citation), (unused_after_days, unused_citation)) =
        (validity?, roll?, unused?);
    let validity = Validity { years, rolls_over_weekends, holidays: holidays? };
    Some(License { validity, validity_citation, roll_citation, unused_after_days, unused_citation })
}

fn holidays(keys: &Keys) -> Option<BTreeSet<NaiveDate>> {
    let (from, to, dates, citation) = (keys.day("from"), keys.day("to"), keys.days("dates"), keys.citation());
    let (from, to, dates) = (from?, to?, dates?);
    if from > to {
        keys.wrong("to", format!("is before from, {from}"), "a span of days ends after it begins");
    }
    let mut days = BTreeSet::new();
    for (position, day) in dates.into_iter().enumerate() {
        if !(from..=to).contains(&day) {
            keys.wrong_item(
                "dates",
                position,
                format!("is outside {from} to {to}"),
                "put the day right, or make the span longer",
            );
        } else if !days.insert(day) {
            keys.wrong_item("dates", position, "stands in the list twice", "name each day once");
        }
    }
    citation.map(|_| days)
}

/// Reads `allocations.toml`.
pub(super) fn country(root: &Keys) -> Option<Country> {
    root.table("country", |keys| {
        let period = keys.table("period", |keys| {
            let (from, to, citation) = (keys.day("from"), keys.day("to"), keys.citation());
            let period = Period { from: from?, to: to? };
            if period.from > period.to {
                keys.wrong("to", format!("is before from, {}", period.from), "a period ends after it begins");
                return None;
            }
            Some((period, citation?))
        });
        let percent = |key| {
            keys.table(key, |keys| {
                let (percent, citation) = (keys.decimal("percent"), keys.citation());
                Some((percent?, citation?))
            })
        };
        let (increase_maximum, critical) = (percent("increase_maximum"), percent("critical"));
        if critical.as_ref().is_some_and(|(percent, _)| *percent > Decimal::ONE_HUNDRED) {
            keys.wrong("critical", "is above 100 percent", "give the share of the limit, from 0 to 100");
        }
        let base = base(keys, period.as_ref().map(|(period, _)| *period), increase_maximum.as_ref().map(|(percent, _)| *percent));
        let counted_eccn = keys.table("counted_eccn", counted_eccn);
        let switches = keys.table("switch", switches);
        Some(Country {
            period: period?,
            base: base?,
            increase_maximum: increase_maximum?,
            critical: critical?,
            counted_eccn: counted_eccn?,
            switches: switches?,
        })
    })
}

/// The steps of the base: from the period's first day on without a hole, and each on a later day than the one before.
fn base(keys: &Keys, period: Option<Period>, increase_maximum: Option<Decimal>) -> Option<Vec<Step>> {
    let last = std::cell::Cell::new(None);
    let steps = keys.tables("base", |keys| {
        let from = keys.day("from");
        let first = last.get().is_none();
        ascending(keys, "from", from, &last);
        if let (Some(from), Some(period)) = (from, period) {
            if first && from > period.from {
                keys.wrong(
                    "from",
                    format!("leaves a hole from {} on, the period's first day", period.from),
                    "let the first step begin with the period",
                );
            } else if from > period.to {
                keys.wrong(
                    "from",
                    format!("is after {}, the period's last day", period.to),
                    "a step holds on a day of the period",
                );
            }
        }
        let (tpp, citation) = (keys.amount("tpp"), keys.citation());
        if let (Some(tpp), Some(percent)) = (tpp, increase_maximum)
            && tpp.percent(percent).is_none_or(|most| most.abs() >= Tpp::LINE_MAX)
        {
            keys.wrong(
                "tpp",
                format!("times the largest increase, {percent} percent, is not a whole number of thousandths in range"),
                "choose figures that come out exactly",
            );
        }
        Some(Step { from: from?, tpp: tpp?, citation: citation? })
    });
    if steps.as_ref().is_some_and(Vec::is_empty) {
        keys.wrong("base", "has no step", "write the base as [[country.base]]");
    }
    steps
}

fn counted_eccn(keys: &Keys) -> Option<(Vec<Eccn>, Citation)> {
    let (paragraphs, citation) = (paragraphs(keys, "paragraphs"), keys.citation());
    let paragraphs = paragraphs?;
    if paragraphs.is_empty() {
        keys.wrong("paragraphs", "names nothing that counts", "name the paragraphs that count");
    }
    Some((paragraphs, citation?))
}

/// Paragraphs, each once.
pub(super) fn paragraphs(keys: &Keys, key: &'static str) -> Option<Vec<Eccn>> {
    let mut read = Vec::new();
    for (position, text) in keys.texts(key)?.iter().enumerate() {
        match Eccn::new(text) {
            Some(eccn) if read.contains(&eccn) => {
                keys.wrong_item(key, position, "stands in the list twice", "name each paragraph once")
            }
            Some(eccn) => read.push(eccn),
            None => keys.wrong_item(key, position, "is not an ECCN", "write it like 3A090.a"),
        }
    }
    Some(read)
}

fn switches(keys: &Keys) -> Option<BTreeMap<SwitchKey, Switch>> {
    let read: Vec<Option<(SwitchKey, Switch)>> = SwitchKey::ALL
        .iter()
        .map(|key| {
            let switch = keys.table(key.as_str(), switch);
            switch.map(|switch| (*key, switch))
        })
        .collect();
    read.into_iter().collect()
}

/// A switch with its two readings.
pub(super) fn switch(keys: &Keys) -> Option<Switch> {
    let (value, open) = (keys.truth("value"), keys.truth("open"));
    let (meaning, other_meaning, citation) = (keys.text("meaning"), keys.text("other_meaning"), keys.citation());
    Some(Switch { value: value?, open: open?, meaning: meaning?, other_meaning: other_meaning?, citation: citation? })
}

/// A dated value must be on a later day than the one before it.
pub(super) fn ascending(keys: &Keys, key: &str, day: Option<NaiveDate>, last: &std::cell::Cell<Option<NaiveDate>>) {
    if let (Some(day), Some(before)) = (day, last.get())
        && day <= before
    {
        let how = if day == before {
            "is the day of the one before it: they overlap".to_string()
        } else {
            format!("is before {before}, where the one before it begins")
        };
        keys.wrong(key, how, "write dated values oldest first, each on a day of its own");
    }
    last.set(day.max(last.get()));
}
