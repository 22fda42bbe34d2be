//! Reads a `.case` page and holds it against a ledger.

mod companies;
mod words;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use tppledger::desk::clerk::{Clerk, Outcome, Rejection};
use tppledger::desk::figures::{self, QuarterSums};
use tppledger::desk::ledger::{Ledger, to_keep};
use tppledger::desk::recent::Recent;
use tppledger::intake::regimes::RegimeText;
use tppledger::intake::{AnyItem, Item, Problem, Reader, TableReader};
use tppledger::quota::calendar::{Quarter, parse_day};
use tppledger::quota::codes::Country;
use tppledger::quota::company::account::Account;
use tppledger::quota::decision::Shortfall;
use tppledger::quota::event::{EventKind, through};
use tppledger::quota::regime::Regime;
use tppledger::quota::timeline::{Options, replay};
use tppledger::store::{Ask, Batch, Dossier, End, Read, RegimeKept, Store};
use words::{headroom, identities, movement};

/// The regime of the pages.
pub fn regime() -> RegimeKept {
    to_keep(&RegimeText::builtin(), 0).expect("the built-in regime is right").0
}

/// Runs a page; what does not hold, with its line.
#[allow(dead_code, reason = "each test binary uses its part of this module")]
pub fn run<S: Store>(store: S, text: &str) -> Vec<String> {
    run_keeping(store, text).1
}

/// Runs a page on a ledger that goes on afterwards.
#[allow(dead_code, reason = "each test binary uses its part of this module")]
pub fn run_on<S: Store + Clone>(store: &mut S, text: &str) -> Vec<String> {
    let (kept, failures) = run_keeping(store.clone(), text);
    *store = kept;
    failures
}

#[allow(dead_code, reason = "each test binary uses its part of this module")]
pub fn run_keeping<S: Store>(store: S, text: &str) -> (S, Vec<String>) {
    let mut page = Page { ledger: Ledger::new(store).expect("a ledger"), failures: Vec::new() };
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let first = at;
        let mut statement = vec![lines[at]];
        at += 1;
        while at < lines.len() && lines[at].starts_with(' ') && lines[at].trim_start().starts_with("and ") {
            statement.push(lines[at]);
            at += 1;
        }
        if let Err(failure) = page.statement(&statement) {
            page.failures.push(format!("line {}: `{}`: {failure}", first + 1, statement.join(" / ").trim()));
        }
    }
    (page.ledger.store, page.failures)
}

type Check = Result<(), String>;

struct Page<S> {
    ledger: Ledger<S>,
    failures: Vec<String>,
}

enum Seen {
    Outcome(Outcome),
    Rejected { column: String, text: String },
}

impl<S: Store> Page<S> {
    fn statement(&mut self, lines: &[&str]) -> Check {
        let line = lines[0].trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(figure) = line.strip_prefix("=> ") {
            return self.figure(figure);
        }
        let last = lines[lines.len() - 1];
        let (last, expected) = last.split_once(" => ").map_or((last, "accepted"), |(text, expected)| (text, expected.trim()));
        let mut texts: Vec<&str> = lines.to_vec();
        *texts.last_mut().expect("one line") = last;
        let words: Vec<&str> = texts[0].split_whitespace().collect();
        let seen = if let Some(rows) = companies::rows(&texts) {
            let rows = rows?;
            self.record(rows.header, &rows.cells())?
        } else {
            match words.get(1).copied().unwrap_or_default() {
                "asks" | "revises" => self.application(&texts)?,
                word if EventKind::parse(word).is_some() => self.event(texts[0])?,
                _ => self.act(texts[0])?,
            }
        };
        meets(&seen, expected)
    }

    fn batch() -> Batch {
        Batch { recorded_at: 1_893_456_000, recorded_by: "examiner".into(), source: "page".into(), source_sha256: None }
    }

    fn record(&mut self, header: &[&str], rows: &[Vec<&str>]) -> Result<Seen, String> {
        let table = TableReader::from_cells("page", header, rows);
        let mut items = Reader::of_table(table, false).map_err(|problems| problems[0].to_string())?;
        let Some(item) = items.next() else { return Err("no item".into()) };
        let rejected = |problems: Vec<Problem>| {
            let column = problems[0].place.column.clone().unwrap_or_default().into_owned();
            Ok(Seen::Rejected { column, text: problems[0].to_string() })
        };
        match &item {
            AnyItem::Application(Item { value: Err(problems), .. })
            | AnyItem::Event(Item { value: Err(problems), .. })
            | AnyItem::Company(Item { value: Err(problems), .. })
            | AnyItem::Act(Item { value: Err(problems), .. }) => return rejected(problems.clone()),
            _ => {}
        }
        let regime = self.ledger.regime();
        let today = parse_day("2030-01-01").expect("a day");
        let answer = self
            .ledger
            .store
            .write(Self::batch(), |tx| {
                let mut recent = Recent::default();
                let mut clerk = Clerk::new(tx, &regime, today, &mut recent)?;
                let answer = match &item {
                    AnyItem::Application(Item { value: Ok(application), .. }) => clerk.application(application)?,
                    AnyItem::Event(Item { value: Ok(event), .. }) => clerk.event(event)?,
                    AnyItem::Act(Item { value: Ok(act), .. }) => clerk.act(act)?,
                    AnyItem::Company(Item { value: Ok(fact), .. }) => clerk.company(fact)?,
                    _ => unreachable!("what was wrong was returned above"),
                };
                let end = if answer.is_ok() { End::Commit } else { End::Rollback };
                Ok((answer, end))
            })
            .map_err(|error| error.to_string())?;
        Ok(match answer {
            Ok(outcome) => Seen::Outcome(outcome),
            Err(Rejection { column, what, hint, .. }) => Seen::Rejected { column: column.into(), text: format!("{what} {hint}") },
        })
    }

    fn application(&mut self, lines: &[&str]) -> Result<Seen, String> {
        const HEADER: [&str; 15] = [
            "application_number",
            "revision",
            "submitted_on",
            "applicant",
            "ultimate_consignee",
            "consignee_headquarters",
            "parent_headquarters",
            "consignee_kind",
            "destination",
            "activity",
            "line",
            "eccn",
            "device",
            "tpp_per_unit",
            "tpp_aggregated",
        ];
        let (head, first) = lines[0].split_once(": ").ok_or("an application has a colon")?;
        let head: Vec<&str> = head.split_whitespace().collect();
        let (revision, submitted_on) = if head[1] == "revises" { (head[2], head[3]) } else { ("", head[2]) };
        let bodies = std::iter::once(first).chain(lines[1..].iter().map(|line| line.trim().trim_start_matches("and ")));
        let mut rows: Vec<Vec<String>> = Vec::new();
        for body in bodies {
            let mut cells: BTreeMap<&str, String> = BTreeMap::from([
                ("application_number", head[0].into()),
                ("revision", revision.into()),
                ("submitted_on", submitted_on.into()),
                ("applicant", "Applicant".into()),
                ("ultimate_consignee", "Consignee".into()),
                ("eccn", "3A090.a".into()),
            ]);
            let mut parts = body.trim().split(", ");
            let goods = parts.next().unwrap_or_default();
            let (goods, destination) = goods.rsplit_once(" to ").ok_or("goods go to a destination")?;
            cells.insert("destination", destination.trim().into());
            if let Some((quantity, unit)) = goods.split_once(" x ") {
                cells.insert("quantity", plain(quantity));
                cells.insert("tpp_per_unit", plain(unit));
            } else if let Some((quantity, total)) = goods.split_once(" of aggregate ") {
                cells.insert("quantity", plain(quantity));
                cells.insert("tpp_aggregated", plain(total));
            } else if let Some((quantity, device)) = goods.split_once(" of device ") {
                cells.insert("quantity", plain(quantity));
                cells.insert("device", device.into());
            } else {
                return Err(format!("goods not understood: {goods}"));
            }
            for part in parts {
                let (word, value) = part.trim().split_once(' ').ok_or("a word and a value")?;
                let column = match word {
                    "headquarters" => "consignee_headquarters",
                    "parent" => "parent_headquarters",
                    "kind" => "consignee_kind",
                    "aggregate" => "tpp_aggregated",
                    "consignee" => "ultimate_consignee",
                    "activity" | "eccn" | "device" | "line" => word,
                    other => return Err(format!("no such word: {other}")),
                };
                let value = if column == "tpp_aggregated" { plain(value) } else { value.trim().to_string() };
                cells.insert(column, value);
            }
            rows.push(HEADER.iter().chain(&["quantity"]).map(|name| cells.get(name).cloned().unwrap_or_default()).collect());
        }
        let header: Vec<&str> = HEADER.iter().copied().chain(["quantity"]).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        self.record(&header, &rows)
    }

    fn event(&mut self, line: &str) -> Result<Seen, String> {
        const HEADER: [&str; 12] = [
            "event_id",
            "event",
            "application_number",
            "effective_on",
            "line",
            "quantity",
            "basis",
            "license_number",
            "expires_on",
            "corrects",
            "reference",
            "overrun_authority",
        ];
        let words = quoted_words(line);
        let mut cells: BTreeMap<&str, String> =
            BTreeMap::from([("event_id", words[0].clone()), ("event", words[1].clone()), ("effective_on", words[3].clone())]);
        cells.insert(if words[1] == "correct" { "corrects" } else { "application_number" }, words[2].clone());
        let mut lines: Vec<(String, String)> = Vec::new();
        let mut rest = words[4..].iter();
        while let Some(word) = rest.next() {
            let mut next = |what: &str| rest.next().cloned().ok_or(format!("{what} needs a value"));
            match word.trim_end_matches(',') {
                "line" => lines.push((next("line")?, String::new())),
                "expires" => drop(cells.insert("expires_on", next("expires")?)),
                "license" => drop(cells.insert("license_number", next("license")?)),
                "authority" => drop(cells.insert("overrun_authority", next("authority")?)),
                "reference" => drop(cells.insert("reference", next("reference")?)),
                "cumulative" => drop(cells.insert("basis", "cumulative".into())),
                number => match lines.last_mut() {
                    Some((_, quantity)) if quantity.is_empty() => *quantity = plain(number),
                    _ => lines.push((String::new(), plain(number))),
                },
            }
        }
        if lines.is_empty() {
            lines.push((String::new(), String::new()));
        }
        let rows: Vec<Vec<String>> = lines
            .into_iter()
            .map(|(line, quantity)| {
                let mut cells = cells.clone();
                cells.insert("line", line);
                cells.insert("quantity", quantity);
                HEADER.iter().map(|name| cells.get(name).cloned().unwrap_or_default()).collect()
            })
            .collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        self.record(&HEADER, &rows)
    }

    fn act(&mut self, line: &str) -> Result<Seen, String> {
        const HEADER: [&str; 7] = ["event_id", "act", "destination", "effective_on", "percent", "tpp", "reference"];
        let words: Vec<&str> = line.split_whitespace().collect();
        let (percent, tpp) = match words[4..] {
            [] => (String::new(), String::new()),
            [percent, "%"] => (plain(percent), String::new()),
            [tpp] => (String::new(), plain(tpp)),
            _ => return Err("an act ends with an amount".into()),
        };
        let row = vec![words[0], words[1], words[2], words[3], &percent, &tpp, "document"];
        self.record(&HEADER, &[row])
    }

    fn figure(&mut self, figure: &str) -> Check {
        let (head, expected) = figure.split_once(": ").ok_or("a figure has a colon")?;
        let words: Vec<&str> = head.split_whitespace().collect();
        let read = self.ledger.store.read().map_err(|error| error.to_string())?;
        let mut seq = read.head().map_err(|error| error.to_string())?.seq;
        if let Some(at) = words.iter().position(|word| *word == "through") {
            seq = words[at + 1].parse().map_err(|_| "a record number")?;
        }
        let (regime, _) = self.ledger.regime_at(seq).map_err(|error| error.to_string())?;
        match words[0] {
            "movements" => {
                let destination = Country::new(words[1]).ok_or("a country")?;
                let quarter = Quarter::parse(words[2]).ok_or("a quarter")?;
                let sums = QuarterSums::gather(&read, quarter.first_day(), quarter.last_day(), seq)
                    .map_err(|error| error.to_string())?;
                let row = sums.movement(&regime, quarter, destination);
                identities(&row)?;
                compare(expected, |word| movement(&row, word))
            }
            "schedule" => {
                let destination = Country::new(words[1]).ok_or("a country")?;
                let as_of = day(words[2])?;
                let sums = QuarterSums::gather(&read, as_of, as_of, seq).map_err(|error| error.to_string())?;
                let rows: Vec<String> = sums
                    .schedule(&regime, as_of)
                    .into_iter()
                    .filter(|row| row.destination == destination)
                    .map(|row| format!("{} {} {}", row.day, row.kind, row.tpp))
                    .collect();
                schedule(expected, &rows)
            }
            "state" => {
                let dossier = read.dossier(words[1]).map_err(|error| error.to_string())?.ok_or("no such application")?;
                same("state", &state_on(&dossier, &regime, day(words[2])?, seq)?, expected.trim())
            }
            "expires" => {
                let dossier = read.dossier(words[1]).map_err(|error| error.to_string())?.ok_or("no such application")?;
                let latest = dossier.latest();
                let replay = replay(latest.submitted_on, &latest.terms(), &dossier.events, &regime, Options::default())
                    .map_err(|broken| broken.what)?;
                let expires = replay.license.map(|license| license.expires_on.to_string()).unwrap_or_default();
                same("expires", &expires, expected.trim())
            }
            account if Account::parse(account).is_some() => {
                let account = Account::parse(account).ok_or("an account")?;
                let balances = read.account_positions(day(words[1])?, seq).map_err(|error| error.to_string())?;
                let balance = balances.get(&account).copied().unwrap_or_default();
                compare(expected, |word| (word == "balance").then(|| balance.to_string()))
            }
            destination => {
                let destination = Country::new(destination).ok_or("a country")?;
                let as_of = day(words[1])?;
                let rows = figures::headroom(&read, &regime, as_of, seq, true).map_err(|error| error.to_string())?;
                let row = rows.iter().find(|row| row.destination == destination).ok_or("no row")?;
                let series = figures::one_series(&read, &regime, destination, seq).map_err(|error| error.to_string())?;
                if let (Some(limit), Some(headroom)) = (row.limit, row.headroom) {
                    same(
                        "limit = base + increase",
                        &(row.base.unwrap_or_default() + row.increase.unwrap_or_default()).to_string(),
                        &limit.to_string(),
                    )?;
                    same("day series", &series.headroom_on(as_of).unwrap_or_default().to_string(), &headroom.to_string())?;
                }
                same("licensed = shipped + unshipped", &(row.shipped + row.unshipped).to_string(), &row.licensed.to_string())?;
                let floor = series.floor_from(as_of).map(|(tpp, on)| format!("{tpp} on {on}"));
                compare(expected, |word| headroom(row, word, floor.as_deref()))
            }
        }
    }
}

fn meets(seen: &Seen, expected: &str) -> Check {
    match (seen, expected) {
        (Seen::Outcome(Outcome::Known { .. }), "known") => Ok(()),
        (Seen::Outcome(Outcome::Recorded { findings, entries, .. }), expected) if expected.starts_with("accepted") => {
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            for part in expected.split(", ").skip(1) {
                let right = match part.trim() {
                    "no entries" => *entries == 0,
                    part => match (part.strip_prefix("finding "), part.strip_prefix("no finding ")) {
                        (Some(code), _) => codes.contains(&code),
                        (_, Some(code)) => !codes.contains(&code),
                        _ => return Err(format!("not understood: {part}")),
                    },
                };
                if !right {
                    return Err(format!("expected {part}; findings {codes:?}, {entries} entries"));
                }
            }
            Ok(())
        }
        (Seen::Outcome(Outcome::Refused { shortfalls, .. }), expected) if expected.starts_with("refused") => {
            let Some((_, numbers)) = expected.split_once(": ") else { return Ok(()) };
            numbers.split("; ").try_for_each(|of_one| refused(shortfalls, of_one))
        }
        (Seen::Rejected { column, text }, expected) if expected.starts_with("error") => {
            let (wanted, fragment) = expected["error".len()..].split_once(": ").unwrap_or((&expected["error".len()..], ""));
            let wanted = wanted.trim();
            if wanted != "*" && wanted != column {
                return Err(format!("expected an error in {wanted}, seen in {column}: {text}"));
            }
            if text.contains(fragment.trim()) { Ok(()) } else { Err(format!("the error does not say {fragment:?}: {text}")) }
        }
        (Seen::Outcome(outcome), expected) => Err(format!("expected {expected}, seen {outcome:?}")),
        (Seen::Rejected { column, text }, expected) => Err(format!("expected {expected}, seen an error in {column}: {text}")),
    }
}

/// Holds the numbers of one broken limit against a refusal.
fn refused(shortfalls: &[Shortfall], numbers: &str) -> Check {
    let at = numbers.split(", ").find_map(|part| part.trim().strip_prefix("at "));
    let shortfall = shortfalls
        .iter()
        .find(|shortfall| at.is_none_or(|at| shortfall.allocation.to_string() == at))
        .ok_or(format!("no such allocation in the refusal: {shortfalls:?}"))?;
    compare(numbers, |word| match word {
        "requested" => Some(shortfall.requested.to_string()),
        "headroom" => Some(shortfall.headroom_floor.to_string()),
        "shortfall" => Some(shortfall.shortfall.to_string()),
        "largest" => Some(shortfall.largest.to_string()),
        "on" => Some(shortfall.floor_on.to_string()),
        "limit" => Some(shortfall.limit.to_string()),
        "quantity" => Some(shortfall.largest_quantity.map_or("empty".into(), |quantity| quantity.to_string())),
        "at" => Some(shortfall.allocation.to_string()),
        "code" => Some(shortfall.code.to_string()),
        "limits" => Some(shortfalls.len().to_string()),
        _ => None,
    })
}

/// Holds a list `word value, word value` against figures; a word may be of several words.
fn compare(expected: &str, actual: impl Fn(&str) -> Option<String>) -> Check {
    for part in expected.split(", ") {
        let part = part.trim();
        let (word, value) = if let Some(value) = part.strip_prefix("floor ") {
            ("floor", value)
        } else {
            part.rsplit_once(' ').ok_or(format!("not understood: {part}"))?
        };
        let seen = actual(word).ok_or(format!("no such figure: {word}"))?;
        let value = if word == "floor" { value.replace(',', "") } else { plain(value) };
        same(word, &seen, &value)?;
    }
    Ok(())
}

fn same(what: &str, seen: &str, expected: &str) -> Check {
    let equal = seen == expected || matches!((seen.parse::<Decimal>(), expected.parse::<Decimal>()), (Ok(a), Ok(b)) if a == b);
    if equal { Ok(()) } else { Err(format!("{what}: expected {expected}, seen {seen}")) }
}

fn schedule(expected: &str, rows: &[String]) -> Check {
    let (incomplete, list) = expected.trim().strip_prefix("...").map_or((false, expected), |list| (true, list));
    let wanted: Vec<String> =
        list.split(';').map(plain).map(|row| row.trim().to_string()).filter(|row| !row.is_empty() && row != "empty").collect();
    for row in &wanted {
        if !rows.contains(row) {
            return Err(format!("expected {row:?}, seen {rows:?}"));
        }
    }
    if !incomplete && wanted.len() != rows.len() { Err(format!("expected only {wanted:?}, seen {rows:?}")) } else { Ok(()) }
}

fn plain(text: &str) -> String {
    text.replace(',', "").trim().to_string()
}

fn day(text: &str) -> Result<NaiveDate, String> {
    parse_day(text).ok_or(format!("not a day: {text}"))
}

/// Words, a text in double quotes being one.
fn quoted_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = if let Some(text) = rest.strip_prefix('"') {
            text.split_once('"').unwrap_or((text, ""))
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        words.push(word.to_string());
        rest = after.trim_start();
    }
    words
}

/// The state of an application on a day, through a record.
fn state_on(dossier: &Dossier, regime: &Regime, on: NaiveDate, seq: u64) -> Result<String, String> {
    let latest = dossier.latest();
    let events = through(dossier.events.clone(), seq);
    let options = Options { until: Some(on), ..Options::default() };
    let replay = replay(latest.submitted_on, &latest.terms(), &events, regime, options).map_err(|broken| broken.what)?;
    Ok(replay.state_on(on).to_string())
}
