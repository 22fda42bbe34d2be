//! Rows as they are put in: an application, an event or an act, with the notation of the `.case` pages.

use chrono::NaiveDate;
use std::fmt;
use tppledger::intake::{AnyItem, Reader, TableReader};
use tppledger::quota::event::{ActKind, EventKind};

/// One line of an application. Amounts are whole thousandths of a TPP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub quantity: u32,
    pub per_unit: Option<i64>,
    pub aggregate: Option<i64>,
    pub destination: &'static str,
    pub headquarters: Option<&'static str>,
    pub parent: Option<&'static str>,
    pub transfer: bool,
    pub eccn: &'static str,
    pub consignee: &'static str,
}

/// An application, or a revision of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    pub number: String,
    pub revision: u32,
    pub submitted_on: NaiveDate,
    pub lines: Vec<Line>,
}

/// An event; each row is a line number and a quantity, both of which may be blank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub id: String,
    pub kind: EventKind,
    pub application: Option<String>,
    pub license: Option<String>,
    pub on: NaiveDate,
    pub rows: Vec<(Option<u32>, Option<u32>)>,
    pub cumulative: bool,
    pub expires: Option<NaiveDate>,
    pub corrects: Option<String>,
    pub authority: bool,
    pub reference: Option<&'static str>,
}

/// The amount of an act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    Blank,
    /// In hundred-thousandths of a percent.
    Percent(i64),
    /// In thousandths of a TPP.
    Tpp(i64),
}

/// An act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    pub id: String,
    pub kind: ActKind,
    pub destination: &'static str,
    pub on: NaiveDate,
    pub amount: Amount,
}

/// One unit of input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    Ask(Ask),
    Event(Event),
    Act(Act),
}

/// Thousandths as they are written: `0.001`, `12`.
pub fn tpp(thousandths: i64) -> String {
    decimal(thousandths, 3)
}

fn decimal(value: i64, places: u32) -> String {
    let unit = 10_i64.pow(places);
    let fraction = format!("{:0width$}", (value % unit).abs(), width = places as usize);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{fraction}", (value / unit).abs()).trim_end_matches('0').trim_end_matches('.').to_string()
}

impl Operation {
    /// What the doors of the program make of the row.
    pub fn read(&self) -> AnyItem {
        let (header, rows): (&[&str], Vec<Vec<String>>) = match self {
            Operation::Ask(ask) => (&ASK, ask.cells()),
            Operation::Event(event) => (&EVENT, event.cells()),
            Operation::Act(act) => (&ACT, vec![act.cells()]),
        };
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let table = TableReader::from_cells("model", header, &rows);
        Reader::of_table(table, false).expect("a right header").next().expect("one item")
    }
}

const ASK: [&str; 14] = [
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
    "eccn",
    "tpp_per_unit",
    "tpp_aggregated",
    "quantity",
];

const EVENT: [&str; 12] = [
    "event_id",
    "event",
    "application_number",
    "license_number",
    "effective_on",
    "line",
    "quantity",
    "basis",
    "expires_on",
    "corrects",
    "overrun_authority",
    "reference",
];

const ACT: [&str; 7] = ["event_id", "act", "destination", "effective_on", "percent", "tpp", "reference"];

impl Ask {
    fn cells(&self) -> Vec<Vec<String>> {
        let cell = |country: Option<&str>| country.unwrap_or_default().to_string();
        let row = |line: &Line| {
            vec![
                self.number.clone(),
                self.revision.to_string(),
                self.submitted_on.to_string(),
                "Applicant".into(),
                line.consignee.into(),
                cell(line.headquarters),
                cell(line.parent),
                "private_sector".into(),
                line.destination.into(),
                if line.transfer { "transfer" } else { "export" }.into(),
                line.eccn.into(),
                line.per_unit.map(tpp).unwrap_or_default(),
                line.aggregate.map(tpp).unwrap_or_default(),
                line.quantity.to_string(),
            ]
        };
        self.lines.iter().map(row).collect()
    }
}

impl Event {
    fn cells(&self) -> Vec<Vec<String>> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
        let row = |(line, quantity): &(Option<u32>, Option<u32>)| {
            vec![
                self.id.clone(),
                self.kind.to_string(),
                text(&self.application),
                text(&self.license),
                self.on.to_string(),
                number(*line),
                number(*quantity),
                if self.cumulative { "cumulative" } else { "" }.into(),
                self.expires.map(|day| day.to_string()).unwrap_or_default(),
                text(&self.corrects),
                if self.authority { "order 1" } else { "" }.into(),
                self.reference.unwrap_or_default().into(),
            ]
        };
        self.rows.iter().map(row).collect()
    }
}

impl Act {
    fn cells(&self) -> Vec<String> {
        let (percent, amount) = match self.amount {
            Amount::Blank => (String::new(), String::new()),
            Amount::Percent(percent) => (decimal(percent, 5), String::new()),
            Amount::Tpp(amount) => (String::new(), tpp(amount)),
        };
        let (kind, on) = (self.kind.to_string(), self.on.to_string());
        vec![self.id.clone(), kind, self.destination.into(), on, percent, amount, "document".into()]
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Ask(ask) => ask.fmt(f),
            Operation::Event(event) => event.fmt(f),
            Operation::Act(act) => act.fmt(f),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            1 => write!(f, "{} asks {}:", self.number, self.submitted_on)?,
            revision => write!(f, "{} revises {revision} {}:", self.number, self.submitted_on)?,
        }
        for (index, line) in self.lines.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { "\n  and " })?;
            match (line.per_unit, line.aggregate) {
                (Some(unit), _) => write!(f, "{} x {} to {}", line.quantity, tpp(unit), line.destination)?,
                (None, total) => write!(f, "{} of aggregate {} to {}", line.quantity, tpp(total.unwrap_or(0)), line.destination)?,
            }
            if let (Some(_), Some(total)) = (line.per_unit, line.aggregate) {
                write!(f, ", aggregate {}", tpp(total))?;
            }
            for (word, country) in [("headquarters", line.headquarters), ("parent", line.parent)] {
                if let Some(country) = country {
                    write!(f, ", {word} {country}")?;
                }
            }
            if line.transfer {
                f.write_str(", activity transfer")?;
            }
            if line.eccn != "3A090.a" {
                write!(f, ", eccn {}", line.eccn)?;
            }
            if line.consignee != "Consignee" {
                write!(f, ", consignee {}", line.consignee)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A page has no word for an event that names its license alone: `license D1` stands where the number would.
        let license = || format!("license {}", self.license.as_deref().unwrap_or_default());
        let subject = self.corrects.clone().or_else(|| self.application.clone()).unwrap_or_else(license);
        write!(f, "{} {} {subject} {}", self.id, self.kind, self.on)?;
        for (index, (line, quantity)) in self.rows.iter().enumerate() {
            if let Some(line) = line {
                write!(f, "{} line {line}", if index == 0 { "" } else { "," })?;
            }
            if let Some(quantity) = quantity {
                write!(f, " {quantity}")?;
            }
        }
        if self.cumulative {
            f.write_str(" cumulative")?;
        }
        if let Some(day) = self.expires {
            write!(f, " expires {day}")?;
        }
        if let (Some(license), Some(_)) = (&self.license, &self.application) {
            write!(f, " license {license}")?;
        }
        if self.authority {
            f.write_str(" authority \"order 1\"")?;
        }
        match self.reference {
            Some(reference) => write!(f, " reference \"{reference}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.id, self.kind, self.destination, self.on)?;
        match self.amount {
            Amount::Blank => Ok(()),
            Amount::Percent(percent) => write!(f, " {} %", decimal(percent, 5)),
            Amount::Tpp(amount) => write!(f, " {}", tpp(amount)),
        }
    }
}
