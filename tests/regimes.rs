//! Regimes as data: the built-in one is right and complete, and a made-up one works without a line of code.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

use std::collections::BTreeSet;
use std::path::Path;
use tppledger::desk::adopt::adopt;
use tppledger::desk::figures;
use tppledger::desk::ledger::{Ledger, read_regime, to_keep};
use tppledger::intake::Countries;
use tppledger::intake::regimes::{self, RegimeText};
use tppledger::quota::calendar::parse_day;
use tppledger::quota::codes::{Country, Eccn};
use tppledger::quota::company::account::Authorization;
use tppledger::quota::company::rules::{ChargedTo, Measured};
use tppledger::quota::device::{Classification, classify};
use tppledger::quota::regime::{Regime, Standing, SwitchKey};
use tppledger::quota::tpp::Tpp;
use tppledger::store::memory::MemoryStore;
use tppledger::store::{Ask, End, Store};

mod page;

fn folder(name: &str) -> RegimeText {
    RegimeText::from_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regimes").join(name)).expect("a readable folder")
}

/// The built-in regime with one value changed in its allocations.
fn builtin_with(old: &str, new: &str) -> RegimeText {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/regimes/us-ear-ai-diffusion");
    let folder = tempfile::tempdir().unwrap();
    for name in ["regime.toml", "country-groups.toml", "allocations.toml", "devices.toml", "companies.toml"] {
        let text = std::fs::read_to_string(data.join(name)).unwrap();
        let changed = if name == "allocations.toml" { text.replacen(old, new, 1) } else { text.clone() };
        assert!(name != "allocations.toml" || changed != text, "{old:?} is not there");
        std::fs::write(folder.path().join(name), changed).unwrap();
    }
    RegimeText::from_folder(folder.path()).expect("a readable folder")
}

fn builtin() -> Regime {
    read_regime(&RegimeText::builtin()).expect("the built-in regime is right").0
}

fn members(regime: &Regime, standing: Standing, day: &str) -> BTreeSet<String> {
    let on = parse_day(day).unwrap();
    let countries = Countries::builtin().codes();
    countries
        .filter(|country| regime.counted_in(*country) == *country && regime.standing(*country, on) == standing)
        .map(|country| country.to_string())
        .collect()
}

fn codes(list: &str) -> BTreeSet<String> {
    list.split_whitespace().map(str::to_string).collect()
}

#[test]
fn the_groups_are_those_of_january_2025_with_cambodia_leaving_d5_in_february_2026() {
    let regime = builtin();
    // Supplement No. 5(a) to part 740 without the United States, and D:5 with Macau.
    assert_eq!(
        members(&regime, Standing::Unlimited, "2025-01-13"),
        codes("AU BE CA DE DK ES FI FR GB IE IT JP KR NL NO NZ SE TW")
    );
    let denied = "AF BY CD CF CN CU ER HT IQ IR KH KP LB LY MM MO NI RU SD SO SS SY VE ZW";
    assert_eq!(members(&regime, Standing::PresumptionOfDenial, "2026-02-02"), codes(denied));
    let without = codes(denied).into_iter().filter(|code| code != "KH").collect();
    assert_eq!(members(&regime, Standing::PresumptionOfDenial, "2026-02-03"), without);
    // 158 capped destinations that the EAR lists, and AQ and PS on their own.
    assert_eq!(members(&regime, Standing::Capped, "2025-01-13").len(), 158 + 2);
}

#[test]
fn supplement_5b_is_published_empty_and_a_limit_is_never_above_twice_the_base() {
    let regime = builtin();
    let supplement = regime.groups.groups.iter().find(|group| group.id == "supplement_5b").unwrap();
    assert!(supplement.members.is_empty() && supplement.changes.is_empty());
    let base = regime.base[0].tpp;
    assert_eq!((regime.base.len(), regime.increase_maximum_percent.to_string()), (1, "100".to_string()));
    assert_eq!(
        base.percent(regime.increase_maximum_percent).map(|most| (base + most).to_string()).as_deref(),
        Some("1580000000")
    );
}

#[test]
fn a_device_is_classified_at_the_edges_of_the_thresholds() {
    let thresholds = regimes::thresholds(&RegimeText::builtin()).unwrap();
    let class = |tpp: &str, area: i64, datacenter: bool| match classify(
        &thresholds,
        Tpp::parse(tpp).unwrap(),
        Some(area.into()),
        datacenter,
    ) {
        Classification::Paragraphs(met, _) => met.join(" "),
        Classification::None(_) => String::new(),
        Classification::Undetermined(why) => panic!("{why}"),
    };
    // 3A090.a.1, at 4800, whatever the density.
    assert_eq!(class("4800", 100, true), "3A090.a.1");
    assert_eq!(class("4800", 1_000_000, true), "3A090.a.1");
    assert_eq!(class("4799.999", 3000, true), "");
    // 3A090.a.2, from 1600 TPP and a density of 5.92: 2960 by 500 mm2 is exactly that.
    assert_eq!(class("2960", 500, true), "3A090.a.2");
    assert_eq!(class("2959.999", 500, true), "3A090.b.1 3A090.b.2");
    assert_eq!(class("1600", 250, true), "3A090.a.2");
    assert_eq!(class("1599.999", 100, true), "");
    assert_eq!(class("2400", 400, true), "3A090.a.2");
    // 3A090.b.1, from 2400 TPP and 1.6.
    assert_eq!(class("2400", 1500, true), "3A090.b.1");
    assert_eq!(class("2400", 1501, true), "");
    assert_eq!(class("2399.999", 1000, true), "");
    assert_eq!(class("4799.999", 1000, true), "3A090.b.1 3A090.b.2");
    // 3A090.b.2, from 1600 TPP and 3.2.
    assert_eq!(class("1600", 500, true), "3A090.b.2");
    assert_eq!(class("1600", 501, true), "");
    assert_eq!(class("1599.999", 500, true), "");
    // Note 1: what is not for data centers is caught from 4800 on.
    assert_eq!(class("4799.999", 100, false), "");
    assert_eq!(class("4800", 100, false), "3A090.a.1");
}

#[test]
fn every_iso_country_is_in_the_data_and_every_code_of_the_groups_is_a_country() {
    let ours: BTreeSet<String> = Countries::builtin().codes().map(|code| code.to_string()).collect();
    let iso: BTreeSet<String> =
        rust_iso3166::ALL.iter().map(|country| country.alpha2.to_string()).chain(["XK".to_string()]).collect();
    assert_eq!(ours, iso);
    for group in &builtin().groups.groups {
        assert!(group.members.iter().all(|country| ours.contains(country.as_str())), "{}", group.id);
    }
}

#[test]
fn every_key_of_the_regime_has_its_heading_in_the_law_and_every_heading_a_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/regimes/us-ear-ai-diffusion");
    let law = std::fs::read_to_string(root.join("law.md")).unwrap();
    let headings: BTreeSet<String> = law
        .lines()
        .filter_map(|line| line.strip_prefix("## `"))
        .filter_map(|line| line.split('`').next())
        .map(str::to_string)
        .collect();
    let mut keys = BTreeSet::new();
    for file in ["regime", "allocations", "country-groups", "devices"] {
        let text = std::fs::read_to_string(root.join(format!("{file}.toml"))).unwrap();
        let mut array = String::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
                array = name.to_string();
                if !matches!(name, "group" | "paragraph" | "group.change") {
                    keys.insert(format!("{file}.{name}"));
                }
            } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                if name != "territories.parents" {
                    keys.insert(format!("{file}.{name}"));
                }
            } else if let Some(id) =
                line.strip_prefix("id = \"").or(line.strip_prefix("eccn = \"")).and_then(|rest| rest.strip_suffix('"'))
                && matches!(array.as_str(), "group" | "paragraph")
            {
                keys.insert(format!("{file}.{array}.{id}"));
            }
        }
    }
    assert_eq!(headings, keys);
}

/// The keys of `companies.toml` that are told in words: each table, and each entry of a list by its `code` or `id`. The steps of a
/// limit are told together.
fn company_keys(value: &toml::Value, path: &str, found: &mut BTreeSet<String>) {
    for (key, below) in value.as_table().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match below {
            toml::Value::Table(_) if key == "switch" => company_keys(below, &path, found),
            toml::Value::Table(_) => drop(found.insert(path)),
            toml::Value::Array(entries) if entries.iter().all(toml::Value::is_table) && !entries.is_empty() => {
                for entry in entries {
                    let name = ["code", "id"].iter().find_map(|key| entry.get(key)?.as_str());
                    let path = name.map_or(path.clone(), |name| format!("{path}.{name}"));
                    found.insert(path.clone());
                    company_keys(entry, &path, found);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn every_key_of_the_company_allocations_has_its_heading_and_every_heading_a_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/regimes/us-ear-ai-diffusion");
    let law = std::fs::read_to_string(root.join("law-companies.md")).unwrap();
    let headings: Vec<&str> = law.lines().filter_map(|line| line.strip_prefix("## `")?.split('`').next()).collect();
    let distinct: BTreeSet<String> = headings.iter().map(ToString::to_string).collect();
    assert_eq!(headings.len(), distinct.len(), "a heading stands twice");
    let data = std::fs::read_to_string(root.join("companies.toml")).unwrap();
    let mut keys = BTreeSet::new();
    company_keys(&toml::Value::Table(data.parse().expect("TOML")), "companies", &mut keys);
    assert!(keys.contains("companies.authorization.UVEU.share.outside_home"), "{keys:?}");
    assert_eq!(distinct, keys);
}

#[test]
fn another_regime_has_company_allocations_of_its_own() {
    let (harbor, _) = read_regime(&folder("harbor")).expect("a right regime");
    let companies = harbor.companies.expect("company allocations");
    let day = |text: &str| parse_day(text).unwrap();
    assert_eq!(companies.rules.keys().map(ToString::to_string).collect::<Vec<_>>(), ["AIA", "LPP", "UVEU"]);
    let lpp = companies.rule(Authorization::Lpp).unwrap();
    let limit = |text: &str| lpp.limit_on(day(text)).map(|step| step.tpp.to_string());
    assert_eq!((limit("2029-12-31"), limit("2031-12-31").as_deref()), (None, Some("500")));
    assert_eq!(limit("2032-01-01").as_deref(), Some("250.5"));
    assert_eq!((lpp.charged_to, lpp.distributors, lpp.operator), (ChargedTo::Consignee, true, false));
    assert!(lpp.adds_up(&Eccn::new("9A999").unwrap()), "no paragraph is named, so each one adds up");
    let uveu = companies.rule(Authorization::Uveu).unwrap();
    assert_eq!((uveu.shares.len(), uveu.shares[0].percent.to_string()), (1, "12.5".to_string()));
    assert_eq!(uveu.shares[0].measured, Measured::Always);
    assert_eq!(companies.rule(Authorization::Aia).unwrap().threshold.as_ref().unwrap().0.to_string(), "77.25");
    assert!(companies.rule(Authorization::Nveu).is_none() && companies.charged_on_receipt.value);
    assert_eq!(companies.reporting_date_from(day("2031-04-01")), Some(day("2032-03-31")));
    assert_eq!(companies.notices[0].days, 7);
}

#[test]
fn an_annual_review_is_a_new_dated_limit_and_figures_before_it_do_not_move() {
    let (harbor, _) = read_regime(&folder("harbor")).expect("a right regime");
    let base = |day: &str| harbor.base(Country::new("DE").unwrap(), parse_day(day).unwrap()).map(|tpp| tpp.to_string());
    assert_eq!(base("2030-05-14"), None);
    assert_eq!(base("2030-05-15").as_deref(), Some("1000"));
    assert_eq!(base("2031-05-14").as_deref(), Some("1000"));
    assert_eq!(base("2031-05-15").as_deref(), Some("1500.5"));
    assert_eq!(base("2034-02-14").as_deref(), Some("1500.5"));
    assert_eq!(base("2034-02-15"), None);
}

/// The whole ledger under a regime with other numbers, groups, period and switches; worked by hand.
const HARBOR: &str = "\
Z1 asks 2030-06-01: 100 x 10 to DE, eccn 4A090.b
Z2 asks 2030-06-01: 10 x 10 to DE, eccn 3A090.a
Z3 asks 2030-06-01: 10 x 10 to DE, eccn 4A090.a, activity transfer
Z4 asks 2030-06-01: 10 x 10 to DE, eccn 4A090.a, activity reexport
Z5 asks 2030-06-01: 10 x 10 to DE, eccn 4A090.a, headquarters BE
Z6 asks 2030-06-01: 10 x 10 to DE, eccn 4A090.a, headquarters CA
Z7 asks 2030-06-01: 1 x 1 to NL, eccn 4A090.a => error destination: NL is the exporting country
E1 issue Z2 2030-07-01 => accepted
=> DE 2030-07-01: licensed 0, pending 1,200, headroom 1,000
E2 issue Z3 2030-07-01 => accepted, no finding transfer_not_counted
=> DE 2030-07-01: licensed 100, headroom 900, status open
E3 issue Z4 2030-07-01 => accepted
E4 issue Z5 2030-07-01 => accepted
=> DE 2030-07-01: licensed 100, headroom 900
E5 issue Z1 2030-07-01 => refused: requested 1,000, headroom 900, shortfall 100, largest 900, quantity 90
E6 issue Z1 2030-07-01 90 => accepted
=> DE 2030-07-01: licensed 1,000, headroom 0, status met
E7 issue Z6 2030-07-01 => accepted
=> DE 2030-07-01: licensed 1,100, not limited 100, headroom -100, status met
=> DE 2031-05-15: limit 1,500.5, headroom 400.5, status critical
E8 ship Z1 2030-08-01 40
E9 attrition Z1 2030-09-01 10
=> DE 2030-09-01: licensed 1,100, shipped 400
=> expires Z1: 2032-07-01
=> DE 2032-07-02: licensed 1,100, unshipped 700
E10 surrender Z1 2030-10-01 5
=> DE 2032-07-02: licensed 1,050
A1 commit DE 2031-06-01
A2 increase DE 2031-06-01 25.1 % => error percent: whole thousandths
A3 increase DE 2031-06-01 375.126 => refused: requested 375.126, headroom 375.125, shortfall 0.001
A4 increase DE 2031-06-01 375.125 => accepted
=> DE 2034-02-14: limit 1,875.625
=> DE 2034-02-15: limit empty, status not_in_force
=> BE 2031-01-01: status uncapped
=> CA 2031-01-01: status presumption_of_denial
=> PL 2031-12-31: status uncapped
=> PL 2032-01-01: status open, limit 1,500.5
";

#[test]
fn another_regime_works_without_a_line_of_code() {
    let (kept, _) = to_keep(&folder("harbor"), 0).expect("a right regime");
    let text = HARBOR.replace("25.1 % => error percent: whole thousandths", "25.00001 % => error percent: whole thousandths");
    let failures = page::run(MemoryStore::new(kept.id, kept.digest, kept.text), &text);
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn counted_at_shipment_nothing_counts_before_it_leaves() {
    let other =
        builtin_with("[country.switch.counted_at_issue]\nvalue = true", "[country.switch.counted_at_issue]\nvalue = false");
    let (kept, regime) = to_keep(&other, 0).expect("a right regime");
    assert!(!regime.is_on(SwitchKey::CountedAtIssue));
    let failures = page::run(
        MemoryStore::new(kept.id, kept.digest, kept.text),
        "Z1 asks 2025-01-02: 100 x 1 to PL\n\
         E1 issue Z1 2025-02-03\n\
         => PL 2025-02-03: licensed 0, pending 0\n\
         E2 ship Z1 2025-03-03 40\n\
         => PL 2025-03-03: licensed 40, shipped 40, unshipped 0\n\
         => PL 2026-12-01: licensed 40\n",
    );
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn adopting_another_reading_moves_figures_from_its_record_on_and_none_before() {
    let kept = page::regime();
    let mut store = MemoryStore::new(kept.id, kept.digest, kept.text);
    let failures = page::run(
        store.clone(),
        "Z1 asks 2025-01-02: 100 x 1 to PL, activity transfer\nE1 issue Z1 2025-02-03 => accepted, finding transfer_not_counted\n=> PL 2025-02-03: licensed 0\n",
    );
    assert!(failures.is_empty(), "{failures:#?}");
    // The same again on the store that is kept, since a page works on its own copy.
    let failures = page::run_on(&mut store, "Z1 asks 2025-01-02: 100 x 1 to PL, activity transfer\nE1 issue Z1 2025-02-03\n");
    assert!(failures.is_empty(), "{failures:#?}");
    let old = builtin();
    let other = builtin_with("[country.switch.transfer_counts]\nvalue = false", "[country.switch.transfer_counts]\nvalue = true");
    let (kept, new) = to_keep(&other, 0).expect("a right regime");
    let today = parse_day("2026-07-01").unwrap();
    let batch = tppledger::store::Batch {
        recorded_at: 1_900_000_000,
        recorded_by: "examiner".into(),
        source: "regime adopt".into(),
        source_sha256: None,
    };
    let (seq, entries) = store.write(batch, |tx| Ok((adopt(tx, &old, &new, kept, "a test", today)?, End::Commit))).unwrap();
    assert_eq!(seq, 3);
    assert!(entries > 0);
    let ledger = Ledger::new(store).unwrap();
    let licensed = |through: u64| -> Tpp {
        let read = ledger.store.read().unwrap();
        let (regime, _) = ledger.regime_at(through).unwrap();
        let rows = figures::headroom(&read, &regime, parse_day("2025-02-03").unwrap(), through, false).unwrap();
        rows.iter().find(|row| row.destination.as_str() == "PL").unwrap().licensed
    };
    assert_eq!(licensed(2), Tpp::ZERO);
    assert_eq!(licensed(3).to_string(), "100");
    // The entries still are the postings of the timelines, under the regime now in force.
    let checks = tppledger::desk::verify::verify(&ledger).unwrap();
    assert!(checks.iter().all(|check| check.wrong.is_empty()), "{checks:#?}");
    assert_eq!(ledger.store.read().unwrap().head().unwrap().seq, 3);
}
