//! Facts of companies: shipments under an authorization, what is held and moved, what is stated of a party.

use super::account::Authorization;
use crate::quota::application::{Activity, Difference};
use crate::quota::codes::{Country, Eccn};
use crate::quota::event::{Placed, words};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;

/// One line of a shipment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShipmentLine {
    /// Line number.
    pub line: u32,
    /// Under what it goes.
    pub authorization: Authorization,
    /// Export, reexport or transfer.
    pub activity: Activity,
    /// Country of ultimate destination, as stated.
    pub destination: Country,
    /// Party that receives and owns it.
    pub consignee: String,
    /// Party that will operate it, where its limit is used instead of the consignee's (740.29(a)).
    pub operator: Option<String>,
    /// Whether it goes to a distributor.
    pub through_distributor: bool,
    /// Facility.
    pub facility: Option<String>,
    /// Day of receipt, where known.
    pub received_on: Option<NaiveDate>,
    /// Classification.
    pub eccn: Eccn,
    /// Device, by its catalogue name.
    pub device: Option<String>,
    /// Units.
    pub quantity: u32,
    /// Declared TPP of a unit.
    pub tpp_per_unit: Option<Tpp>,
    /// Declared TPP of the line.
    pub tpp_aggregated: Option<Tpp>,
    /// TPP of the line, fixed when it is recorded.
    pub tpp: Tpp,
}

/// A shipment under one or several authorizations, without a license.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shipment {
    /// Unique for ever, in one namespace with events.
    pub id: String,
    /// Day of shipment.
    pub effective_on: NaiveDate,
    /// Who ships.
    pub exporter: String,
    /// It has left: it is recorded whatever the limits say.
    pub already_made: bool,
    /// Document.
    pub reference: Option<String>,
    /// The lines.
    pub lines: Vec<ShipmentLine>,
}

words! {
    /// What is said of a company's holding.
    HoldingKind {
        /// It has this installed beside what was shipped to it here.
        Installed = "installed",
        /// It moves it from one country or facility to another.
        Moved = "moved",
        /// It is lost, and no longer counted.
        Attrition = "attrition",
        /// It certifies that it received so much in the year so far.
        Certified = "certified",
    }
}

/// What a company holds, moves, loses or certifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Unique for ever, in one namespace with events.
    pub id: String,
    /// The day it counts from.
    pub effective_on: NaiveDate,
    /// What is said.
    pub kind: HoldingKind,
    /// Under what authorization.
    pub authorization: Authorization,
    /// Whose.
    pub party: String,
    /// Where.
    pub country: Option<Country>,
    /// In which facility.
    pub facility: Option<String>,
    /// Where it moves to.
    pub to_country: Option<Country>,
    /// The facility it moves to.
    pub to_facility: Option<String>,
    /// How much.
    pub tpp: Tpp,
    /// The move was made: it is recorded whatever the limits say.
    pub already_made: bool,
    /// Document.
    pub reference: Option<String>,
}

words! {
    /// What is stated of a party.
    PartyStatementKind {
        /// Name, headquarters, parent and identifiers, from the day on.
        Describe = "describe",
        /// From the day on it is another party of this ledger.
        Merge = "merge",
        /// It is a validated end user (748.15).
        Authorize = "authorize",
        /// It is one no more.
        EndAuthorization = "end_authorization",
    }
}

/// Whom a party belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parent {
    /// Not stated.
    Unknown,
    /// Nobody: it is its own ultimate parent.
    Nobody,
    /// Another party.
    Party(String),
}

/// A dated statement on a party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartyStatement {
    /// Unique for ever, in one namespace with events.
    pub id: String,
    /// The day it counts from.
    pub effective_on: NaiveDate,
    /// What is stated.
    pub kind: PartyStatementKind,
    /// Of which party.
    pub party: String,
    /// Name.
    pub name: Option<String>,
    /// Headquarters.
    pub headquarters: Option<Country>,
    /// Parent.
    pub parent: Parent,
    /// Identifiers, e.g. `LEI 5493001KJTIIGC8Y1R12`.
    pub identifiers: Option<String>,
    /// The party it is merged into.
    pub merged_into: Option<String>,
    /// The authorization that begins or ends.
    pub authorization: Option<Authorization>,
    /// Its country, for a national one.
    pub country: Option<Country>,
    /// Document.
    pub reference: Option<String>,
}

/// One fact of a company.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompanyFact {
    /// A shipment.
    Shipment(Shipment),
    /// A holding.
    Holding(Holding),
    /// A statement on a party.
    Party(PartyStatement),
}

impl CompanyFact {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            CompanyFact::Shipment(shipment) => &shipment.id,
            CompanyFact::Holding(holding) => &holding.id,
            CompanyFact::Party(statement) => &statement.id,
        }
    }

    /// The day it counts from.
    pub fn effective_on(&self) -> NaiveDate {
        match self {
            CompanyFact::Shipment(shipment) => shipment.effective_on,
            CompanyFact::Holding(holding) => holding.effective_on,
            CompanyFact::Party(statement) => statement.effective_on,
        }
    }

    /// One word for what it is.
    pub fn what(&self) -> &'static str {
        match self {
            CompanyFact::Shipment(_) => "ship",
            CompanyFact::Holding(holding) => holding.kind.as_str(),
            CompanyFact::Party(statement) => statement.kind.as_str(),
        }
    }

    /// Document.
    pub fn reference(&self) -> Option<&str> {
        match self {
            CompanyFact::Shipment(shipment) => shipment.reference.as_deref(),
            CompanyFact::Holding(holding) => holding.reference.as_deref(),
            CompanyFact::Party(statement) => statement.reference.as_deref(),
        }
    }

    /// The parties that it is charged by.
    pub fn parties(&self) -> Vec<&str> {
        match self {
            CompanyFact::Shipment(shipment) => shipment
                .lines
                .iter()
                .flat_map(|line| [Some(&line.consignee), line.operator.as_ref()])
                .flatten()
                .map(String::as_str)
                .collect(),
            CompanyFact::Holding(holding) => vec![&holding.party],
            CompanyFact::Party(_) => Vec::new(),
        }
    }

    /// Who certifies, where it is a certificate.
    pub fn certified(&self) -> Option<&str> {
        match self {
            CompanyFact::Holding(holding) if holding.kind == HoldingKind::Certified => Some(&holding.party),
            _ => None,
        }
    }

    /// Whether it was made already, so that no limit keeps it out of the ledger.
    pub fn already_made(&self) -> bool {
        match self {
            CompanyFact::Shipment(shipment) => shipment.already_made,
            // A limit binds what is shipped or moved; what is there, lost or certified is so.
            CompanyFact::Holding(holding) => holding.already_made || holding.kind != HoldingKind::Moved,
            CompanyFact::Party(_) => true,
        }
    }

    /// Its fields, column and line beside the value as text: what tells two rows of one id apart.
    pub fn fields(&self) -> Vec<(&'static str, Option<u32>, String)> {
        fn text(value: &Option<impl ToString>) -> String {
            value.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_string();
        let reference = ("reference", None, text(&self.reference()));
        let mut fields = vec![("effective_on", None, self.effective_on().to_string())];
        match self {
            CompanyFact::Shipment(shipment) => {
                fields.push(("exporter", None, shipment.exporter.clone()));
                fields.push(("already_made", None, yes(shipment.already_made)));
                for line in &shipment.lines {
                    let at = Some(line.line);
                    fields.extend([
                        ("line", at, line.line.to_string()),
                        ("authorization", at, line.authorization.to_string()),
                        ("activity", at, line.activity.as_str().to_string()),
                        ("destination", at, line.destination.to_string()),
                        ("consignee", at, line.consignee.clone()),
                        ("operator", at, text(&line.operator)),
                        ("through_distributor", at, yes(line.through_distributor)),
                        ("facility", at, text(&line.facility)),
                        ("received_on", at, text(&line.received_on)),
                        ("eccn", at, line.eccn.to_string()),
                        ("device", at, text(&line.device)),
                        ("quantity", at, line.quantity.to_string()),
                        ("tpp_per_unit", at, text(&line.tpp_per_unit)),
                        ("tpp_aggregated", at, text(&line.tpp_aggregated)),
                    ]);
                }
            }
            CompanyFact::Holding(holding) => fields.extend([
                ("holding", None, holding.kind.to_string()),
                ("authorization", None, holding.authorization.to_string()),
                ("party", None, holding.party.clone()),
                ("country", None, text(&holding.country)),
                ("facility", None, text(&holding.facility)),
                ("to_country", None, text(&holding.to_country)),
                ("to_facility", None, text(&holding.to_facility)),
                ("tpp", None, holding.tpp.to_string()),
                ("already_made", None, yes(holding.already_made)),
            ]),
            CompanyFact::Party(statement) => fields.extend([
                ("statement", None, statement.kind.to_string()),
                ("party", None, statement.party.clone()),
                ("name", None, text(&statement.name)),
                ("headquarters", None, text(&statement.headquarters)),
                ("parent", None, statement.parent.to_string()),
                ("identifiers", None, text(&statement.identifiers)),
                ("merged_into", None, text(&statement.merged_into)),
                ("authorization", None, text(&statement.authorization)),
                ("country", None, text(&statement.country)),
            ]),
        }
        fields.push(reference);
        fields
    }

    /// The first field in which another row of the same id says something else.
    pub fn difference(&self, other: &CompanyFact) -> Option<Difference> {
        if std::mem::discriminant(self) != std::mem::discriminant(other) {
            return Some(Difference { field: "event_id", line: None, old: self.what().into(), new: other.what().into() });
        }
        let (old, new) = (self.fields(), other.fields());
        if old.len() != new.len() {
            let lines = |fields: &[(&'static str, Option<u32>, String)]| {
                fields.iter().filter(|(name, ..)| *name == "line").map(|(.., line)| line.as_str()).collect::<Vec<_>>().join(", ")
            };
            return Some(Difference { field: "line", line: None, old: lines(&old), new: lines(&new) });
        }
        old.into_iter().zip(new).find(|(a, b)| a != b).map(|((field, line, old), (.., new))| Difference { field, line, old, new })
    }
}

impl Placed<CompanyFact> {
    /// The statement on a party, where it is one.
    pub fn statement(self) -> Option<Placed<PartyStatement>> {
        let CompanyFact::Party(fact) = self.fact else { return None };
        Some(Placed { seq: self.seq, corrected_by: self.corrected_by, fact })
    }
}

impl std::fmt::Display for Parent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Parent::Unknown => Ok(()),
            Parent::Nobody => f.write_str("none"),
            Parent::Party(party) => f.write_str(party),
        }
    }
}
