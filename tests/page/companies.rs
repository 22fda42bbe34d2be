//! The lines of a page that record facts of companies, written out as the rows of their files.

use super::{plain, quoted_words};
use std::collections::BTreeMap;
use tppledger::quota::company::fact::HoldingKind;

/// One row: each column with its cell; the columns that are left out are blank.
type Cells = BTreeMap<&'static str, String>;

const PARTY: [&str; 11] = [
    "event_id",
    "effective_on",
    "statement",
    "party",
    "name",
    "headquarters",
    "parent",
    "identifiers",
    "merged_into",
    "authorization",
    "country",
];

const SHIPMENT: [&str; 18] = [
    "shipment_id",
    "line",
    "effective_on",
    "exporter",
    "authorization",
    "activity",
    "destination",
    "consignee",
    "operator",
    "through_distributor",
    "facility",
    "received_on",
    "eccn",
    "device",
    "quantity",
    "tpp_per_unit",
    "tpp_aggregated",
    "already_made",
];

const HOLDING: [&str; 11] = [
    "event_id",
    "effective_on",
    "holding",
    "authorization",
    "party",
    "country",
    "facility",
    "to_country",
    "to_facility",
    "tpp",
    "already_made",
];

/// The rows that a statement of the page stands for.
pub struct Rows {
    pub header: &'static [&'static str],
    rows: Vec<Cells>,
}

impl Rows {
    /// The cells in the order of the header.
    pub fn cells(&self) -> Vec<Vec<&str>> {
        let mut rows = Vec::new();
        for cells in &self.rows {
            rows.push(self.header.iter().map(|name| cells.get(name).map_or("", String::as_str)).collect());
        }
        rows
    }
}

/// The rows of a company's fact; `None` for a line that is something else.
pub fn rows(lines: &[&str]) -> Option<Result<Rows, String>> {
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    let colon_behind = |at: usize| words.get(at).is_some_and(|word| word.ends_with(':'));
    match *words.get(1)? {
        "describes" | "merges" | "authorizes" | "ends" => Some(party(lines[0])),
        "ships" if colon_behind(2) => Some(shipment(lines)),
        // `attrition` is an event of a license too; that of a company has a colon.
        word if HoldingKind::parse(word).is_some() && colon_behind(3) => Some(holding(lines[0])),
        _ => None,
    }
}

/// `ID VERB PARTY DAY: BODY`.
fn head(line: &str) -> Result<([&str; 4], &str), String> {
    let (head, body) = line.split_once(": ").ok_or("a colon before what is said")?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let words = words.try_into().map_err(|_| format!("id, verb, party and day before the colon: {head}"))?;
    Ok((words, body))
}

fn party(line: &str) -> Result<Rows, String> {
    let ([id, verb, party, day], body) = head(line)?;
    let statement = match verb {
        "describes" => "describe",
        "merges" => "merge",
        "authorizes" => "authorize",
        _ => "end_authorization",
    };
    let mut cells = Cells::from([
        ("event_id", id.into()),
        ("effective_on", day.into()),
        ("statement", statement.into()),
        ("party", party.into()),
    ]);
    if verb == "describes" {
        cells.insert("name", party.into());
    }
    for part in body.split(", ") {
        let words = quoted_words(part);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [word @ ("name" | "headquarters" | "parent" | "identifiers"), value] => {
                cells.insert(column(&PARTY, word)?, value.into())
            }
            ["into", other] => cells.insert("merged_into", other.into()),
            [authorization, "in", country] => {
                cells.insert("country", country.into());
                cells.insert("authorization", authorization.into())
            }
            [authorization] => cells.insert("authorization", authorization.into()),
            _ => return Err(format!("not understood: {part}")),
        };
    }
    Ok(Rows { header: &PARTY, rows: vec![cells] })
}

fn shipment(lines: &[&str]) -> Result<Rows, String> {
    let (head, first) = lines[0].split_once(": ").ok_or("a shipment has a colon")?;
    let head: Vec<&str> = head.split_whitespace().collect();
    let bodies = std::iter::once(first).chain(lines[1..].iter().map(|line| line.trim().trim_start_matches("and ")));
    let mut rows: Vec<Cells> = Vec::new();
    let mut already_made = "";
    for (index, body) in bodies.enumerate() {
        let line = if lines.len() == 1 { String::new() } else { (index + 1).to_string() };
        let mut cells = Cells::from([
            ("shipment_id", head[0].into()),
            ("effective_on", head[2].into()),
            ("exporter", "Exporter".into()),
            ("eccn", "3A090.a".into()),
            ("line", line),
        ]);
        let (goods, rest) = body.trim().split_once(", ").ok_or("goods, and behind them a consignee")?;
        self::goods(goods, &mut cells)?;
        for part in rest.split(", ") {
            match part.trim().split_once(' ') {
                None if part.trim() == "made" => already_made = "yes",
                None if part.trim() == "distributor" => drop(cells.insert("through_distributor", "yes".into())),
                Some(("under", value)) => drop(cells.insert("authorization", value.into())),
                Some(("received", value)) => drop(cells.insert("received_on", value.into())),
                Some(("aggregate", value)) => drop(cells.insert("tpp_aggregated", plain(value))),
                Some((word, value)) => drop(cells.insert(column(&SHIPMENT, word)?, value.into())),
                None => return Err(format!("not understood: {part}")),
            }
        }
        rows.push(cells);
    }
    // What is said of the whole shipment stands in every row of the file, and on one line of the page.
    rows.iter_mut().for_each(|cells| drop(cells.insert("already_made", already_made.into())));
    Ok(Rows { header: &SHIPMENT, rows })
}

/// `GOODS to DESTINATION`.
fn goods(text: &str, cells: &mut Cells) -> Result<(), String> {
    let (goods, destination) = text.rsplit_once(" to ").ok_or("goods go to a destination")?;
    cells.insert("destination", destination.trim().into());
    let (quantity, unit, column) = if let Some((quantity, unit)) = goods.split_once(" x ") {
        (quantity, plain(unit), "tpp_per_unit")
    } else if let Some((quantity, total)) = goods.split_once(" of aggregate ") {
        (quantity, plain(total), "tpp_aggregated")
    } else if let Some((quantity, device)) = goods.split_once(" of device ") {
        (quantity, device.to_string(), "device")
    } else {
        return Err(format!("goods not understood: {goods}"));
    };
    cells.insert("quantity", plain(quantity));
    cells.insert(column, unit);
    Ok(())
}

/// `TPP [in PLACE | from PLACE to PLACE] under AUTHORIZATION[, made]`, a place being a country or `facility NAME`.
fn holding(line: &str) -> Result<Rows, String> {
    let ([id, kind, party, day], body) = head(line)?;
    let (body, already_made) = body.strip_suffix(", made").map_or((body, ""), |body| (body, "yes"));
    let mut words = body.split_whitespace();
    let mut cells = Cells::from([
        ("event_id", id.into()),
        ("effective_on", day.into()),
        ("holding", kind.into()),
        ("party", party.into()),
        ("tpp", plain(words.next().ok_or("an amount")?)),
        ("already_made", already_made.into()),
    ]);
    while let Some(word) = words.next() {
        let mut value = words.next().ok_or("a word and a value")?;
        let is_facility = value == "facility";
        if is_facility {
            value = words.next().ok_or("the name of a facility")?;
        }
        let column = match (word, is_facility) {
            ("under", false) => "authorization",
            ("in" | "from", false) => "country",
            ("in" | "from", true) => "facility",
            ("to", false) => "to_country",
            ("to", true) => "to_facility",
            _ => return Err(format!("no such word: {word}")),
        };
        cells.insert(column, value.into());
    }
    Ok(Rows { header: &HOLDING, rows: vec![cells] })
}

fn column(of: &[&'static str], word: &str) -> Result<&'static str, String> {
    of.iter().copied().find(|name| *name == word).ok_or(format!("no such word: {word}"))
}
