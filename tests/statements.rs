//! The statements of the law that the program is built on, `statements.csv` of the regime: each is held by a key of the
//! regime's data and shown by a test, or says why it is not built. A rule or a reading that rests on no statement is an error
//! here, and so is a name that leads nowhere.

#![allow(clippy::disallowed_methods, reason = "a test looks at files")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const REGIME: &str = "data/regimes/us-ear-ai-diffusion";
const FILES: [&str; 6] = ["regime", "allocations", "country-groups", "devices", "companies", "screening"];
const HOW_SURE: [&str; 6] = ["text read", "two sources", "one source", "reading", "open", "general knowledge"];

type Row = BTreeMap<String, String>;

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

fn rows(path: &str) -> Option<Vec<Row>> {
    let text = read(path)?;
    Some(csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(Result::unwrap).collect())
}

fn statements() -> Vec<Row> {
    rows(&format!("{REGIME}/statements.csv")).expect("the statements")
}

fn names<'a>(row: &'a Row, column: &str) -> Vec<&'a str> {
    row[column].split(';').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// Every key below a value, by its path. An entry of a list goes by its `id`, `eccn` or `code`; a condition stands right below
/// its rule. What only says where a value comes from, or what it means, holds nothing.
fn keys(value: &toml::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            let told = ["id", "cite", "source", "checked", "title", "text", "meaning", "other_meaning", "other_text"];
            for (key, value) in table.iter().filter(|(key, _)| !told.contains(&key.as_str())) {
                let below = if key == "condition" { path.to_string() } else { format!("{path}.{key}") };
                found.insert(below.clone());
                keys(value, &below, found);
            }
        }
        toml::Value::Array(entries) => {
            for entry in entries {
                if let Some(name) = ["id", "eccn", "code"].iter().find_map(|key| entry.get(key)?.as_str()) {
                    let below = format!("{path}.{name}");
                    found.insert(below.clone());
                    keys(entry, &below, found);
                }
            }
        }
        _ => {}
    }
}

fn data(file: &str) -> toml::Value {
    let text = read(&format!("{REGIME}/{file}.toml")).expect("a file of the regime");
    toml::Value::Table(text.parse().expect("TOML"))
}

fn all_keys() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in FILES {
        keys(&data(file), file, &mut found);
    }
    found
}

/// Whether the file has this function, and whether it is a test. `None` when there is no such file.
fn function(place: &str) -> Option<(bool, bool)> {
    let (path, name) = place.split_once("::")?;
    let text = read(path)?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.contains(&format!("fn {name}(")) || line.contains(&format!("fn {name}<")));
    let is_test =
        at.is_some_and(|at| lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).any(|l| *l == "#[test]"));
    Some((at.is_some(), is_test))
}

/// A key of the data; or, for what is arithmetic or procedure, a function of the program.
fn is_held(name: &str, keys: &BTreeSet<String>) -> bool {
    if name.starts_with("src/") { function(name) == Some((true, false)) } else { keys.contains(name) }
}

fn is_shown(name: &str) -> bool {
    if let Some((path, row)) = name.split_once('#') {
        let is_table = path.starts_with("tests/screening/") && Path::new(path).extension().is_some_and(|kind| kind == "csv");
        is_table && rows(path).is_some_and(|rows| rows.iter().any(|found| found["row"] == row))
    } else if name.contains("::") {
        function(name) == Some((true, true))
    } else {
        let is_page = name.starts_with("tests/ledger/") && Path::new(name).extension().is_some_and(|kind| kind == "case");
        is_page && read(name).is_some()
    }
}

#[test]
fn every_statement_is_held_and_shown_or_says_why_it_is_not_built() {
    let keys = all_keys();
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for row in statements() {
        let id = &row["statement"];
        let (held, shown) = (names(&row, "held_by"), names(&row, "shown_by"));
        let mut say = |what: &str| wrong.push(format!("{id}: {what}"));
        if id.is_empty() || !ids.insert(id.clone()) {
            say("is no id, or stands twice");
        }
        if row["cite"].is_empty() || !row["says"].ends_with('.') {
            say("has no citation, or does not say what the law says in a sentence");
        }
        if !HOW_SURE.contains(&row["sure"].as_str()) {
            say(&format!("sure is one of {}", HOW_SURE.join(", ")));
        }
        if held.is_empty() != shown.is_empty() || held.is_empty() == row["not_built"].is_empty() {
            say("is either held and shown, or says why it is not built");
        }
        for name in held.iter().filter(|name| !is_held(name, &keys)) {
            say(&format!("held_by {name}: there is no such key"));
        }
        for name in shown.iter().filter(|name| !is_shown(name)) {
            say(&format!("shown_by {name}: there is no such test"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(ids.len() >= 150, "there are {} statements", ids.len());
}

#[test]
fn every_rule_and_every_reading_rests_on_a_statement() {
    let mut wanted = BTreeSet::new();
    for (list, rules) in data("screening").as_table().expect("lists") {
        let rules = rules.as_array().expect("a list of rules");
        wanted.extend(rules.iter().map(|rule| format!("screening.{list}.{}", rule["id"].as_str().expect("an id"))));
    }
    for (allocation, parts) in data("allocations").as_table().expect("allocations") {
        let switches = parts.get("switch").and_then(toml::Value::as_table);
        wanted.extend(switches.into_iter().flatten().map(|(key, _)| format!("allocations.{allocation}.switch.{key}")));
    }
    let companies = data("companies");
    for (list, name) in [("authorization", "code"), ("notice", "id")] {
        let entries = companies[list].as_array().expect("a list");
        wanted.extend(entries.iter().map(|entry| format!("companies.{list}.{}", entry[name].as_str().expect("a name"))));
    }
    wanted.extend(companies["switch"].as_table().expect("switches").keys().map(|key| format!("companies.switch.{key}")));
    assert!(wanted.len() > 75, "{wanted:?}");
    let statements = statements();
    let held: BTreeSet<&str> = statements.iter().flat_map(|row| names(row, "held_by")).collect();
    let rests =
        |rule: &String| held.iter().any(|key| key == rule || key.strip_prefix(rule.as_str()).is_some_and(|k| k.starts_with('.')));
    let missing: Vec<String> = wanted.into_iter().filter(|rule| !rests(rule)).collect();
    assert!(missing.is_empty(), "no statement names {}", missing.join(", "));
}

#[test]
fn a_name_that_leads_nowhere_is_noticed() {
    let keys = all_keys();
    for held in [
        "allocations.country.base",
        "screening.exception.lpp.yearly_limit",
        "screening.exception.lpp.counts_in",
        "devices.paragraph.3A090.a.1",
        "country-groups.group.D:5",
        "companies.authorization.NVEU.limit",
        "companies.authorization.UVEU.share.outside_home.measured",
        "companies.notice.nac_notice.days",
        "regime.license.validity.years",
        "src/quota/device.rs::tpp_of_rates",
    ] {
        assert!(is_held(held, &keys), "{held}");
    }
    for nowhere in [
        "allocations.country.basis",
        "screening.exception.lpp.yearly",
        "screening.exception.lpp.title",
        "companies.authorization.LPP.limits",
        "devices.paragraph.3A090.a",
        "src/quota/device.rs::tpp_is_rate_times_bit_length",
        "src/quota/device.rs::tpp_of",
        "",
    ] {
        assert!(!is_held(nowhere, &keys), "{nowhere}");
    }
    let here = "tests/statements.rs::a_name_that_leads_nowhere_is_noticed";
    for shown in ["tests/ledger/worked-2-exactly-at-the-limit.case", "tests/screening/lpp.csv#base", here] {
        assert!(is_shown(shown), "{shown}");
    }
    let nowhere = [
        "tests/ledger/worked-2.case",
        "tests/README.md",
        "tests/screening/lpp.csv#basis",
        "tests/screening/lpp#base",
        "tests/statements.rs::is_shown",
        "tests/statements.rs::nothing",
    ];
    assert!(nowhere.iter().all(|name| !is_shown(name)));
}
