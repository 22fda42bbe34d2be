//! Applications: who asks to send what, how much, where; and what each line counts.
//!
//! An application has lines; each line counts where it goes. A line's TPP is fixed when it is recorded, so a later
//! change of the device catalogue does not move a figure. The parts of a line that decide anything are its
//! [`Terms`]; names and texts stand beside them.

use super::codes::{Country, Eccn};
use super::finding::{Finding, FindingCode};
use super::regime::{Headquarters, Regime, Standing};
use super::tpp::Tpp;
use chrono::NaiveDate;
use std::fmt;

/// What the license is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Activity {
    /// Out of the home country.
    #[default]
    Export,
    /// From one foreign country to another.
    Reexport,
    /// Inside one foreign country.
    Transfer,
}

impl Activity {
    /// All, in the order of the documentation.
    pub const ALL: [Activity; 3] = [Activity::Export, Activity::Reexport, Activity::Transfer];

    /// The word in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Activity::Export => "export",
            Activity::Reexport => "reexport",
            Activity::Transfer => "transfer",
        }
    }
}

/// Kind of ultimate consignee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConsigneeKind {
    /// A firm or person not controlled by a government.
    #[default]
    PrivateSector,
    /// A government, or controlled by one.
    Government,
}

impl ConsigneeKind {
    /// All, in the order of the documentation.
    pub const ALL: [ConsigneeKind; 2] = [ConsigneeKind::PrivateSector, ConsigneeKind::Government];

    /// The word in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConsigneeKind::PrivateSector => "private_sector",
            ConsigneeKind::Government => "government",
        }
    }
}

/// How many TPP a number of units of a line carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineTpp {
    /// Each unit carries the same.
    PerUnit(Tpp),
    /// The first n of `quantity` units carry ceil(total x n / quantity), in thousandths.
    Aggregate {
        /// TPP of the whole line.
        total: Tpp,
        /// Units of the whole line.
        quantity: u32,
    },
}

impl LineTpp {
    /// TPP of the first `units` units.
    pub fn of(self, units: u64) -> Tpp {
        match self {
            LineTpp::PerUnit(tpp) => tpp.times_saturating(units),
            LineTpp::Aggregate { total, quantity } => total.share(units, quantity),
        }
    }

    /// The largest number of units, at most `most`, that carry no more than `room`.
    pub fn units_within(self, room: Tpp, most: u32) -> u32 {
        largest(most, |units| self.of(u64::from(units)) <= room)
    }
}

/// The largest number up to `most` for which a condition holds that, once false, stays false; 0 if none.
pub fn largest(most: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// The deciding part of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Line number.
    pub line: u32,
    /// Country of ultimate destination, as stated (a territory stays one).
    pub destination: Country,
    /// Where the consignee is headquartered.
    pub consignee_headquarters: Country,
    /// Where its ultimate parent is headquartered.
    pub parent_headquarters: Country,
    /// Export, reexport or transfer.
    pub activity: Activity,
    /// Classification.
    pub eccn: Eccn,
    /// What it counts.
    pub tpp: LineTpp,
    /// Units asked for.
    pub quantity: u32,
    /// Whether headquarters or kind stood blank and were assumed.
    pub assumed: bool,
}

impl Terms {
    /// TPP of all that is asked.
    pub fn requested_tpp(&self) -> Tpp {
        self.tpp.of(u64::from(self.quantity))
    }
}

/// One line item of an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The deciding part.
    pub terms: Terms,
    /// Who receives.
    pub ultimate_consignee: String,
    /// Kind of consignee.
    pub consignee_kind: ConsigneeKind,
    /// Device or system, by its catalogue name.
    pub device: Option<String>,
    /// Declared TPP of a unit.
    pub tpp_per_unit: Option<Tpp>,
    /// Declared TPP of the line, block 22(j).
    pub tpp_aggregated: Option<Tpp>,
    /// TPP of a unit by the catalogue, when the line was recorded.
    pub catalogue_tpp: Option<Tpp>,
    /// Purchase order.
    pub purchase_order: Option<String>,
    /// End use.
    pub end_use: Option<String>,
}

/// Why a line's TPP cannot be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineTppError {
    /// Neither device nor TPP nor aggregate.
    Missing,
    /// The product leaves the range of a line.
    OutOfRange,
}

/// What a line counts, in this order: the declared aggregate, the declared TPP of a unit times the quantity, the
/// catalogue's times the quantity. Where the declared ones disagree, the larger counts; Supp. 2 to part 748 (c)(4).
///
/// # Errors
/// [`LineTppError`] when nothing is declared, or the product is out of range.
pub fn line_tpp(
    per_unit: Option<Tpp>,
    aggregate: Option<Tpp>,
    catalogue: Option<Tpp>,
    quantity: u32,
) -> Result<LineTpp, LineTppError> {
    let product = |tpp: Tpp| tpp.times(quantity).ok_or(LineTppError::OutOfRange);
    match (per_unit, aggregate, catalogue) {
        (Some(unit), Some(total), _) if product(unit)? < total => Ok(LineTpp::Aggregate { total, quantity }),
        (Some(unit), ..) => product(unit).map(|_| LineTpp::PerUnit(unit)),
        (None, Some(total), _) => Ok(LineTpp::Aggregate { total, quantity }),
        (None, None, Some(unit)) => product(unit).map(|_| LineTpp::PerUnit(unit)),
        (None, None, None) => Err(LineTppError::Missing),
    }
}

/// A request for a license: one number, one or more lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// Number, e.g. `Z102345`.
    pub number: String,
    /// 1 at first; a higher one replaces the application.
    pub revision: u32,
    /// Day of submission.
    pub submitted_on: NaiveDate,
    /// Who asks.
    pub applicant: String,
    /// The lines, in order of their numbers.
    pub lines: Vec<Line>,
}

impl Application {
    /// The deciding parts of the lines.
    pub fn terms(&self) -> Vec<Terms> {
        self.lines.iter().map(|line| line.terms).collect()
    }

    /// The first field in which another record of the same application says something else, as meant: after
    /// defaults, `Poland` is `PL` and `1.0` is `1`. `None` when they say the same.
    pub fn difference(&self, other: &Application) -> Option<Difference> {
        let field = |name: &'static str, line: Option<u32>, old: String, new: String| {
            (old != new).then_some(Difference { field: name, line, old, new })
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let amount = |value: &Option<Tpp>| value.map(|tpp| tpp.to_string()).unwrap_or_default();
        field("revision", None, self.revision.to_string(), other.revision.to_string())
            .or_else(|| field("submitted_on", None, self.submitted_on.to_string(), other.submitted_on.to_string()))
            .or_else(|| field("applicant", None, self.applicant.clone(), other.applicant.clone()))
            .or_else(|| {
                let numbers = |application: &Application| {
                    application.lines.iter().map(|line| line.terms.line.to_string()).collect::<Vec<_>>().join(", ")
                };
                field("line", None, numbers(self), numbers(other))
            })
            .or_else(|| {
                self.lines.iter().zip(&other.lines).find_map(|(a, b)| {
                    let at = Some(a.terms.line);
                    let (s, t) = (&a.terms, &b.terms);
                    field("destination", at, s.destination.to_string(), t.destination.to_string())
                        .or_else(|| field("eccn", at, s.eccn.to_string(), t.eccn.to_string()))
                        .or_else(|| field("quantity", at, s.quantity.to_string(), t.quantity.to_string()))
                        .or_else(|| field("device", at, text(&a.device), text(&b.device)))
                        .or_else(|| field("tpp_per_unit", at, amount(&a.tpp_per_unit), amount(&b.tpp_per_unit)))
                        .or_else(|| field("tpp_aggregated", at, amount(&a.tpp_aggregated), amount(&b.tpp_aggregated)))
                        .or_else(|| field("activity", at, s.activity.as_str().into(), t.activity.as_str().into()))
                        .or_else(|| field("ultimate_consignee", at, a.ultimate_consignee.clone(), b.ultimate_consignee.clone()))
                        .or_else(|| {
                            field(
                                "consignee_headquarters",
                                at,
                                s.consignee_headquarters.to_string(),
                                t.consignee_headquarters.to_string(),
                            )
                        })
                        .or_else(|| {
                            field("parent_headquarters", at, s.parent_headquarters.to_string(), t.parent_headquarters.to_string())
                        })
                        .or_else(|| {
                            field("consignee_kind", at, a.consignee_kind.as_str().into(), b.consignee_kind.as_str().into())
                        })
                        .or_else(|| field("purchase_order", at, text(&a.purchase_order), text(&b.purchase_order)))
                        .or_else(|| field("end_use", at, text(&a.end_use), text(&b.end_use)))
                })
            })
    }

    /// What the record of the application itself has to say: figures that disagree, assumed cells, territories.
    pub fn findings(&self, regime: &Regime) -> Vec<Finding> {
        let mut findings = Vec::new();
        for line in &self.lines {
            findings.extend(declared_findings(line));
            findings.extend(standing_findings(&line.terms, regime, self.submitted_on));
        }
        let mut capped: Vec<Country> = self
            .lines
            .iter()
            .filter(|line| regime.standing(line.terms.destination, self.submitted_on) == Standing::Capped)
            .map(|line| regime.counted_in(line.terms.destination))
            .collect();
        capped.sort_unstable();
        capped.dedup();
        if capped.len() > 1 {
            let names = capped.iter().map(Country::to_string).collect::<Vec<_>>().join(", ");
            findings.push(Finding::new(FindingCode::SeveralCappedDestinations, names));
        }
        findings.sort();
        findings.dedup();
        findings
    }
}

/// Where the declared figures of a line disagree, with the difference.
pub fn declared_findings(line: &Line) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (quantity, number) = (line.terms.quantity, line.terms.line);
    let product = |tpp: Option<Tpp>| tpp.and_then(|tpp| tpp.times(quantity));
    let mut compare = |what: &str, a: Option<Tpp>, b: Option<Tpp>| {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            let detail = format!("line {number}: {what}: {a} and {b}, difference {}", (a - b).abs());
            findings.push(Finding::new(FindingCode::TppDiffers, detail));
        }
    };
    compare("declared aggregate and TPP of a unit times quantity", line.tpp_aggregated, product(line.tpp_per_unit));
    let declared = (line.tpp_per_unit.is_some() || line.tpp_aggregated.is_some()).then(|| line.terms.requested_tpp());
    compare("declared and catalogue", declared, product(line.catalogue_tpp));
    findings
}

/// What a line's destination, headquarters and activity have to say on a day, whether asked or licensed.
pub fn standing_findings(terms: &Terms, regime: &Regime, on: NaiveDate) -> Vec<Finding> {
    use super::regime::SwitchKey;
    let mut findings = Vec::new();
    let mut say = |code, detail: String| findings.push(Finding::new(code, detail));
    let destination = terms.destination;
    let parent = regime.counted_in(destination);
    if parent != destination {
        say(FindingCode::CountedInParent, format!("{destination} in {parent}"));
    }
    if let Some((_, text, _)) = regime.groups.noted.iter().find(|(country, ..)| *country == destination) {
        say(FindingCode::DestinationNoted, format!("{destination}: {text}"));
    }
    if regime.groups.not_named.contains(&destination) {
        say(FindingCode::DestinationNotNamed, destination.to_string());
    }
    if terms.assumed {
        say(FindingCode::Assumed, String::new());
    }
    let counted = regime.counts_eccn(&terms.eccn);
    if !counted && regime.counted_eccn.iter().any(|paragraph| paragraph.is_within(&terms.eccn)) {
        say(FindingCode::ParagraphMissing, terms.eccn.to_string());
    }
    if counted {
        let standing = regime.standing(destination, on);
        match regime.headquarters(terms, on) {
            Headquarters::PresumptionOfDenial if standing != Standing::PresumptionOfDenial => {
                say(
                    FindingCode::DenialHeadquarters,
                    format!("{}, parent {}", terms.consignee_headquarters, terms.parent_headquarters),
                );
            }
            Headquarters::Unlimited if standing == Standing::Capped => {
                say(
                    FindingCode::UnlimitedHeadquarters,
                    format!("{}, parent {}", terms.consignee_headquarters, terms.parent_headquarters),
                );
            }
            _ => {}
        }
        if terms.activity == Activity::Transfer && !regime.is_on(SwitchKey::TransferCounts) {
            say(FindingCode::TransferNotCounted, String::new());
        }
    }
    findings
}

/// A field in which a known record and a new one of the same id differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Column.
    pub field: &'static str,
    /// Line, where it is a field of a line.
    pub line: Option<u32>,
    /// What is recorded.
    pub old: String,
    /// What the new row says.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(" of line {line}")).unwrap_or_default();
        let show = |text: &str| if text.is_empty() { "blank".to_string() } else { format!("{text:?}") };
        write!(f, "{}{line} is recorded as {} and is now {}", self.field, show(&self.old), show(&self.new))
    }
}
