//! Rows of parties, holdings and shipments as they are put in, with the notation of the `.case` pages.

use chrono::NaiveDate;
use std::fmt;
use tppledger::intake::{AnyItem, Reader, TableReader};

/// One line of a shipment. Amounts are whole thousandths of a TPP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub under: &'static str,
    pub activity: &'static str,
    pub destination: &'static str,
    pub consignee: &'static str,
    pub operator: Option<&'static str>,
    pub distributor: bool,
    pub facility: Option<&'static str>,
    pub eccn: &'static str,
    pub quantity: u32,
    pub unit: i64,
}

impl Line {
    pub fn tpp(&self) -> i64 {
        i64::from(self.quantity) * self.unit
    }
}

/// A place: a country or a facility.
pub type Place = Option<&'static str>;

/// What a fact says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Headquarters and parent; no parent stated, none, or one.
    Describe {
        headquarters: &'static str,
        parent: Option<Option<&'static str>>,
    },
    Merge {
        into: &'static str,
    },
    /// An authorization begins or ends; a national one has a country.
    Authorize {
        begins: bool,
        under: &'static str,
        country: Place,
    },
    Installed {
        under: &'static str,
        place: Place,
        tpp: i64,
    },
    Attrition {
        under: &'static str,
        place: Place,
        tpp: i64,
    },
    Moved {
        under: &'static str,
        from: Place,
        to: Place,
        tpp: i64,
        made: bool,
    },
    Certified {
        tpp: i64,
    },
    Ships {
        made: bool,
        lines: Vec<Line>,
    },
    Correct {
        target: String,
    },
}

/// A fact: its id, its day, the party it is said of (none for a shipment or a correction).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    pub id: String,
    pub on: NaiveDate,
    pub party: &'static str,
    pub said: Said,
}

/// Thousandths as they are written: `0.001`, `12`.
pub fn tpp(thousandths: i64) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn yes(flag: bool) -> String {
    if flag { "yes" } else { "" }.to_string()
}

type Cells = Vec<(&'static str, String)>;

impl Fact {
    /// What the doors of the program make of the row.
    pub fn read(&self) -> AnyItem {
        let rows = self.cells();
        let header: Vec<&str> = rows[0].iter().map(|(name, _)| *name).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(|(_, cell)| cell.as_str()).collect()).collect();
        let table = TableReader::from_cells("model", &header, &rows);
        Reader::of_table(table, false).expect("a right header").next().expect("one item")
    }

    fn cells(&self) -> Vec<Cells> {
        match &self.said {
            Said::Ships { made, lines } => {
                let several = lines.len() > 1;
                let number = |index: usize| if several { (index + 1).to_string() } else { String::new() };
                lines.iter().enumerate().map(|(index, line)| self.line(*made, number(index), line)).collect()
            }
            Said::Correct { target } => vec![vec![
                ("event_id", self.id.clone()),
                ("event", "correct".into()),
                ("effective_on", self.on.to_string()),
                ("application_number", String::new()),
                ("corrects", target.clone()),
            ]],
            Said::Describe { .. } | Said::Merge { .. } | Said::Authorize { .. } => vec![self.statement()],
            _ => vec![self.holding()],
        }
    }

    fn statement(&self) -> Cells {
        let described = matches!(self.said, Said::Describe { .. });
        let (mut headquarters, mut parent, mut into, mut under, mut country) = ("", "", "", "", "");
        let statement = match &self.said {
            Said::Describe { headquarters: at, parent: of } => {
                headquarters = at;
                parent = of.map_or("", |parent| parent.unwrap_or("none"));
                "describe"
            }
            Said::Merge { into: other } => {
                into = other;
                "merge"
            }
            Said::Authorize { begins, under: what, country: place } => {
                under = what;
                country = place.unwrap_or("");
                if *begins { "authorize" } else { "end_authorization" }
            }
            _ => "",
        };
        vec![
            ("event_id", self.id.clone()),
            ("effective_on", self.on.to_string()),
            ("statement", statement.into()),
            ("party", self.party.into()),
            ("name", if described { self.party } else { "" }.into()),
            ("headquarters", headquarters.into()),
            ("parent", parent.into()),
            ("merged_into", into.into()),
            ("authorization", under.into()),
            ("country", country.into()),
        ]
    }

    fn holding(&self) -> Cells {
        let (kind, under, from, to, amount, made) = match &self.said {
            Said::Installed { under, place, tpp } => ("installed", *under, *place, None, *tpp, false),
            Said::Attrition { under, place, tpp } => ("attrition", *under, *place, None, *tpp, false),
            Said::Moved { under, from, to, tpp, made } => ("moved", *under, *from, *to, *tpp, *made),
            Said::Certified { tpp } => ("certified", "LPP", None, None, *tpp, false),
            _ => ("", "", None, None, 0, false),
        };
        let place = |of: Place, facility: bool| if (under == "ACM") == facility { of.unwrap_or("") } else { "" }.to_string();
        vec![
            ("event_id", self.id.clone()),
            ("effective_on", self.on.to_string()),
            ("holding", kind.into()),
            ("authorization", under.into()),
            ("party", self.party.into()),
            ("country", place(from, false)),
            ("facility", place(from, true)),
            ("to_country", place(to, false)),
            ("to_facility", place(to, true)),
            ("tpp", tpp(amount)),
            ("already_made", yes(made)),
        ]
    }

    fn line(&self, made: bool, number: String, line: &Line) -> Cells {
        vec![
            ("shipment_id", self.id.clone()),
            ("line", number),
            ("effective_on", self.on.to_string()),
            ("exporter", "Exporter".into()),
            ("authorization", line.under.into()),
            ("activity", line.activity.into()),
            ("destination", line.destination.into()),
            ("consignee", line.consignee.into()),
            ("operator", line.operator.unwrap_or("").into()),
            ("through_distributor", yes(line.distributor)),
            ("facility", line.facility.unwrap_or("").into()),
            ("eccn", line.eccn.into()),
            ("quantity", line.quantity.to_string()),
            ("tpp_per_unit", tpp(line.unit)),
            ("already_made", yes(made)),
        ]
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, on, party) = (&self.id, self.on, self.party);
        let at = |place: &Place, under: &str| match place {
            Some(place) if under == "ACM" => format!("facility {place}"),
            Some(place) => (*place).to_string(),
            None => String::new(),
        };
        match &self.said {
            Said::Describe { headquarters, parent } => {
                write!(f, "{id} describes {party} {on}: headquarters {headquarters}")?;
                parent.map_or(Ok(()), |parent| write!(f, ", parent {}", parent.unwrap_or("none")))
            }
            Said::Merge { into } => write!(f, "{id} merges {party} {on}: into {into}"),
            Said::Authorize { begins, under, country } => {
                let verb = if *begins { "authorizes" } else { "ends" };
                let place = country.map(|country| format!(" in {country}")).unwrap_or_default();
                write!(f, "{id} {verb} {party} {on}: {under}{place}")
            }
            Said::Installed { under, place, tpp: amount } | Said::Attrition { under, place, tpp: amount } => {
                let kind = if matches!(self.said, Said::Installed { .. }) { "installed" } else { "attrition" };
                let place = if place.is_some() { format!(" in {}", at(place, under)) } else { String::new() };
                write!(f, "{id} {kind} {party} {on}: {}{place} under {under}", tpp(*amount))
            }
            Said::Moved { under, from, to, tpp: amount, made } => {
                let made = if *made { ", made" } else { "" };
                let (from, to) = (at(from, under), at(to, under));
                write!(f, "{id} moved {party} {on}: {} from {from} to {to} under {under}{made}", tpp(*amount))
            }
            Said::Certified { tpp: amount } => write!(f, "{id} certified {party} {on}: {} under LPP", tpp(*amount)),
            Said::Correct { target } => write!(f, "{id} correct {target} {on}"),
            Said::Ships { made, lines } => {
                write!(f, "{id} ships {on}: ")?;
                for (index, line) in lines.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "\n  and " })?;
                    line.fmt(f)?;
                }
                f.write_str(if *made { ", made" } else { "" })
            }
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { quantity, unit, destination, consignee, under, .. } = self;
        write!(f, "{quantity} x {} to {destination}, consignee {consignee}, under {under}", tpp(*unit))?;
        if self.activity != "export" {
            write!(f, ", activity {}", self.activity)?;
        }
        if self.eccn != "3A090.a" {
            write!(f, ", eccn {}", self.eccn)?;
        }
        for (word, value) in [("operator", self.operator), ("facility", self.facility)] {
            value.map_or(Ok(()), |value| write!(f, ", {word} {value}"))?;
        }
        f.write_str(if self.distributor { ", distributor" } else { "" })
    }
}
