//! TOML read strictly: every key is asked for by name, and a key that nobody asks for is a problem.
//!
//! A misplaced key must not leave a value of law standing at something else, so nothing has a default here, and all
//! problems of a file are collected with their line. Amounts and percentages are text, so that no float is made of
//! them. Invariant: a table that was closed has no key that was not read.

use crate::intake::countries::Countries;
use crate::intake::place::{Place, Problem, did_you_mean, hint_with};
use crate::quota::codes::Country;
use crate::quota::regime::Citation;
use crate::quota::tpp::{Tpp, parse_decimal};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A file of a regime while it is read.
pub(super) struct RegimeFile<'t> {
    name: Arc<str>,
    text: &'t str,
    countries: &'t Countries,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> RegimeFile<'t> {
    pub(super) fn new(name: &str, text: &'t str, countries: &'t Countries) -> RegimeFile<'t> {
        RegimeFile { name: Arc::from(name), text, countries, problems: RefCell::default() }
    }

    /// Reads the file through `read`, which gets its outermost table; adds its problems to the others.
    pub(super) fn read<T>(self, problems: &mut Vec<Problem>, read: impl FnOnce(&Keys<'_, 't>) -> Option<T>) -> Option<T> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let place = self.place(error.span().map_or(0, |span| span.start));
            let what = format!("is not TOML: {}", error.message().lines().collect::<Vec<_>>().join("; "));
            self.problems.borrow_mut().push(Problem::new(
                place,
                what,
                "compare with the regime that `tppledger regime show` prints",
            ));
        }
        let root = Keys { file: &self, path: String::new(), at: 0, table: table.get_ref(), asked: RefCell::default() };
        // What the file means is not asked where it cannot be read as a whole.
        let value = if errors.is_empty() { read(&root) } else { None };
        if errors.is_empty() {
            root.close();
        }
        let found = self.problems.into_inner();
        let sound = found.is_empty();
        problems.extend(found);
        value.filter(|_| sound)
    }

    fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        Place::of_line(&self.name, before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1)
    }
}

/// A table of a regime file, and which of its keys were asked for.
pub(super) struct Keys<'f, 't> {
    file: &'f RegimeFile<'t>,
    path: String,
    at: usize,
    table: &'f DeTable<'t>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'f, 't> Keys<'f, 't> {
    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, and where it stands.
    fn find(&self, key: &'static str) -> Option<(&'f DeValue<'t>, std::ops::Range<usize>)> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key).map(|value| (value.get_ref(), value.span()))
    }

    /// Whether a key stands in the table; for keys that may be absent.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Whether a key holds a list without items.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.table.get(key).and_then(|value| value.get_ref().as_array()).is_some_and(|items| items.is_empty())
    }

    fn add(&self, at: usize, key: &str, value: Option<&str>, what: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new(self.file.place(at).at(self.full(key)), what, hint).with_value(value.unwrap_or_default());
        self.file.problems.borrow_mut().push(problem);
    }

    /// Adds a problem of a key, with its value as written.
    pub(super) fn wrong(&self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let (at, value) = match self.table.get(key) {
            Some(value) if !value.get_ref().is_table() && !value.get_ref().is_array() => {
                (value.span().start, self.file.text.get(value.span()).map(|text| text.trim_matches('"')))
            }
            Some(value) => (value.span().start, None),
            None => (self.at, None),
        };
        self.add(at, key, value, what, hint);
    }

    /// Adds a problem of an item of a list, with the item as written.
    pub(super) fn wrong_item(&self, key: &str, position: usize, what: impl Into<String>, hint: impl Into<String>) {
        let item = self.table.get(key).and_then(|value| value.get_ref().as_array()).and_then(|items| items.get(position));
        match item {
            Some(item) => {
                let written = self.file.text.get(item.span()).map(|text| text.trim_matches('"'));
                self.add(item.span().start, key, written, what, hint);
            }
            None => self.wrong(key, what, hint),
        }
    }

    fn need(&self, key: &'static str) -> Option<(&'f DeValue<'t>, std::ops::Range<usize>)> {
        let found = self.find(key);
        if found.is_none() {
            self.add(self.at, key, None, "is missing", "every value of a regime is written; none has a default");
        }
        found
    }

    /// A key whose value `read` can make something of.
    fn read<T>(&self, key: &'static str, wanted: &str, read: impl FnOnce(&'f DeValue<'t>) -> Option<T>) -> Option<T> {
        let (value, _) = self.need(key)?;
        let read = read(value);
        if read.is_none() {
            self.wrong(key, format!("is not {wanted}"), format!("this key takes {wanted}"));
        }
        read
    }

    /// A text that is not blank.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.read(key, "a text", |value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_string))
    }

    /// A short name: one word of letters, digits, `:`, `-`, `.` and `_`.
    pub(super) fn word(&self, key: &'static str) -> Option<String> {
        let sound = |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":-._".contains(&b));
        self.read(key, "a short name of letters, digits, `:`, `-`, `.` and `_`", |value| {
            value.as_str().filter(|text| !text.is_empty() && sound(text)).map(str::to_string)
        })
    }

    /// One of some words.
    pub(super) fn one_of<W: Copy>(&self, key: &'static str, all: &[W], as_str: fn(W) -> &'static str) -> Option<W> {
        let wanted = format!("one of {}", all.iter().map(|word| as_str(*word)).collect::<Vec<_>>().join(", "));
        self.read(key, &wanted, |value| all.iter().copied().find(|word| value.as_str() == Some(as_str(*word))))
    }

    /// True or false.
    pub(super) fn truth(&self, key: &'static str) -> Option<bool> {
        self.read(key, "true or false", DeValue::as_bool)
    }

    /// A whole number between two.
    pub(super) fn whole<N>(&self, key: &'static str, least: N, most: N) -> Option<N>
    where
        N: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let wanted = format!("a whole number from {least} to {most}");
        self.read(key, &wanted, |value| {
            let number = value.as_integer().filter(|number| number.radix() == 10)?;
            number.as_str().parse().ok().filter(|number| (least..=most).contains(number))
        })
    }

    /// A day of the years 1900 to 2199.
    pub(super) fn day(&self, key: &'static str) -> Option<NaiveDate> {
        self.read(key, "a day as in 2026-02-03, without quotes", day)
    }

    /// Days.
    pub(super) fn days(&self, key: &'static str) -> Option<Vec<NaiveDate>> {
        self.list(key, "a day as in 2026-02-03, without quotes", day)
    }

    /// A decimal of zero or more, written as text.
    pub(super) fn decimal(&self, key: &'static str) -> Option<Decimal> {
        self.read(key, "a decimal number of zero or more, written as text", |value| {
            parse_decimal(value.as_str()?).ok().filter(|number| *number >= Decimal::ZERO)
        })
    }

    /// As [`Keys::decimal`], for a key that may be absent.
    pub(super) fn optional_decimal(&self, key: &'static str) -> Option<Decimal> {
        if self.table.contains_key(key) { self.decimal(key) } else { self.find(key).and(None) }
    }

    /// An amount of TPP, written as text.
    pub(super) fn amount(&self, key: &'static str) -> Option<Tpp> {
        self.read(key, "an amount of TPP with at most three decimal places, written as text", |value| {
            Tpp::parse(value.as_str()?).ok()
        })
    }

    /// As [`Keys::amount`], for a key that may be absent.
    pub(super) fn optional_amount(&self, key: &'static str) -> Option<Tpp> {
        if self.table.contains_key(key) { self.amount(key) } else { self.find(key).and(None) }
    }

    /// A country, by its code in capitals.
    pub(super) fn country(&self, key: &'static str) -> Option<Country> {
        self.read(key, COUNTRY, |value| self.known_country(value.as_str()?))
    }

    /// Countries, each once, by their codes.
    pub(super) fn countries(&self, key: &'static str) -> Option<Vec<Country>> {
        let countries = self.list(key, COUNTRY, |value| self.known_country(value.as_str()?))?;
        for (position, country) in countries.iter().enumerate() {
            if countries[..position].contains(country) {
                self.wrong_item(key, position, "stands in the list twice", "name each country once");
            }
        }
        Some(countries)
    }

    /// As [`Keys::countries`], for a key that may be absent: none then.
    pub(super) fn optional_countries(&self, key: &'static str) -> Option<Vec<Country>> {
        if self.table.contains_key(key) { self.countries(key) } else { self.find(key).map_or(Some(Vec::new()), |_| None) }
    }

    fn known_country(&self, code: &str) -> Option<Country> {
        self.file.countries.code(code).filter(|country| country.as_str() == code)
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        self.list(key, "a text", |value| value.as_str().map(str::to_string))
    }

    fn list<T>(&self, key: &'static str, wanted: &str, read: impl Fn(&'f DeValue<'t>) -> Option<T>) -> Option<Vec<T>> {
        let items = self.read(key, "a list", DeValue::as_array)?;
        let mut values = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            match read(item.get_ref()) {
                Some(value) => values.push(value),
                None => self.wrong_item(key, position, format!("is not {wanted}"), format!("each item of the list is {wanted}")),
            }
        }
        (values.len() == items.len()).then_some(values)
    }

    /// The sources of a table: where its values come from, where they were read, when they were last compared.
    pub(super) fn citation(&self) -> Option<Citation> {
        let (cite, source, checked) = (self.text("cite"), self.text("source"), self.day("checked"));
        Some(Citation { cite: cite?, source: source?, checked: checked? })
    }

    /// Reads a table below this one, and closes it.
    pub(super) fn table<T>(&self, key: &'static str, read: impl FnOnce(&Keys<'f, 't>) -> Option<T>) -> Option<T> {
        let (_, span) = self.need(key)?;
        let Some(table) = self.table.get(key).and_then(|value| value.get_ref().as_table()) else {
            self.wrong(key, "is not a table", format!("write it as [{}]", self.full(key)));
            return None;
        };
        self.below(key, span.start, table, read)
    }

    /// As [`Keys::table`], for a table that may be absent: `Some(None)` then.
    pub(super) fn optional_table<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Keys<'f, 't>) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.has(key) { self.table(key, read).map(Some) } else { Some(None) }
    }

    /// Reads the tables of a list, and closes each. `None` when one cannot be read.
    pub(super) fn tables<T>(&self, key: &'static str, read: impl Fn(&Keys<'f, 't>) -> Option<T>) -> Option<Vec<T>> {
        let (value, _) = self.need(key)?;
        let items = value.as_array().filter(|items| items.iter().all(|item| item.get_ref().is_table()));
        let Some(items) = items else {
            self.wrong(key, "is not a list of tables", format!("write each as [[{}]]", self.full(key)));
            return None;
        };
        let read: Vec<Option<T>> = items
            .iter()
            .filter_map(|item| item.get_ref().as_table().map(|table| self.below(key, item.span().start, table, &read)))
            .collect();
        read.into_iter().collect()
    }

    /// As [`Keys::tables`], for a list that may be absent: none then.
    pub(super) fn optional_tables<T>(&self, key: &'static str, read: impl Fn(&Keys<'f, 't>) -> Option<T>) -> Option<Vec<T>> {
        if self.table.contains_key(key) { self.tables(key, read) } else { self.find(key).map_or(Some(Vec::new()), |_| None) }
    }

    fn below<T>(&self, key: &str, at: usize, table: &'f DeTable<'t>, read: impl FnOnce(&Keys<'f, 't>) -> Option<T>) -> Option<T> {
        let keys = Keys { file: self.file, path: self.full(key), at, table, asked: RefCell::default() };
        let value = read(&keys);
        keys.close();
        value
    }

    /// A table whose keys are codes of countries, like its values.
    pub(super) fn country_pairs(&self, key: &'static str) -> Option<Vec<(Country, Country)>> {
        let table = self.read(key, "a table", DeValue::as_table)?;
        let mut pairs = Vec::new();
        for (name, value) in table.iter() {
            let pair = self.known_country(name.get_ref()).zip(value.get_ref().as_str().and_then(|code| self.known_country(code)));
            match pair {
                Some(pair) => pairs.push(pair),
                None => self.wrong_below(
                    key,
                    name.get_ref(),
                    format!("stands for a territory and its parent; each is {COUNTRY}"),
                    "write TERRITORY = \"PARENT\"",
                ),
            }
        }
        Some(pairs)
    }

    /// Adds a problem of a key of a table below this one.
    pub(super) fn wrong_below(&self, table: &'static str, key: &str, what: impl Into<String>, hint: &str) {
        if let Some(below) = self.table.get(table).and_then(|value| value.get_ref().as_table()) {
            let keys = Keys { file: self.file, path: self.full(table), at: self.at, table: below, asked: RefCell::default() };
            keys.wrong(key, what, hint);
        }
    }

    /// Every key that nobody asked for is a problem.
    fn close(&self) {
        let asked = self.asked.borrow();
        for (name, _) in self.table.iter().filter(|(name, _)| !asked.contains(&&**name.get_ref())) {
            let hint =
                hint_with(did_you_mean(name.get_ref(), asked.iter().copied()), format!("known here: {}", asked.join(", ")));
            self.add(name.span().start, name.get_ref(), None, "is not a key of this table", hint);
        }
    }
}

const COUNTRY: &str = "a country code of two capital letters";

fn day(value: &DeValue) -> Option<NaiveDate> {
    let written = value.as_datetime().filter(|written| written.time.is_none() && written.offset.is_none())?;
    let date = written.date?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .filter(|day| (1900..2200).contains(&day.year()))
}
