//! The sheet of one application: what block 22(j) states of each line, the figures behind it, and what goes with it.
//!
//! The aggregate of a line is what the ledger counts of it (Supp. 2 to part 748 (c)(4)); beside it stands how the
//! catalogue comes to it: a system unfolded into its circuits, the TPP of one by its highest dense rate. What an
//! application asks for is the regime's: the filings that go with a license, each with the lines that its conditions cover.
//! Pure: no file, no clock. Invariant: an amount is exact, or empty where it leaves the range; a figure is never made up
//! for a circuit that no line names.

use super::tables::{amount, country, country_name};
use crate::intake::{Catalogue, Countries, Device, System};
use crate::quota::application::{Application, Line, LineTpp, declared_findings};
use crate::quota::device::{PeakRate, performance_density, tpp_of_rates};
use crate::quota::finding::{Finding, FindingCode};
use crate::quota::regime::Regime;
use crate::quota::tpp::Tpp;
use crate::report::{Cell, Table, columns};
use crate::screen::rules::Filing;
use crate::screen::{Rule, Rulebook, Status, Transaction, Verdict};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The filings that are checked line by line, by their ids in the regime; any other is told as it stands.
const AGGREGATE: &str = "license_block_22j";
const ONE_COUNTRY: &str = "license_one_country";
const PURCHASE_ORDER: &str = "license_purchase_order";
/// What a filing of an application goes with.
const LICENSE: &str = "license";

/// The sheet of one application.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// The application.
    pub application: &'a Application,
    /// Its lines.
    pub lines: Vec<SheetLine<'a>>,
    /// Sum of the aggregates; `None` beyond the range of exact sums.
    pub sum: Option<Tpp>,
    /// What goes with the application, and whether it is there.
    pub checks: Vec<Check>,
}

/// One line of the sheet.
#[derive(Debug)]
pub struct SheetLine<'a> {
    /// The line as recorded.
    pub line: &'a Line,
    /// The circuits of one unit, where the line names a device.
    pub unit: Option<Unfolded>,
    /// Where the aggregate comes from.
    pub basis: Basis,
    /// The aggregate: what counts of the whole line.
    pub tpp: Tpp,
    /// By the catalogue; `None` without a device, or out of the range of a line.
    pub catalogue_tpp: Option<Tpp>,
    /// Where figures differ.
    pub findings: Vec<Finding>,
}

/// The circuits of one unit of a device or system.
#[derive(Debug)]
pub struct Unfolded {
    /// The circuit.
    pub device: &'static Device,
    /// How many of it.
    pub count: u32,
    /// The system that holds them.
    pub system: Option<&'static System>,
    /// TPP of one circuit.
    pub tpp: Tpp,
    /// The rate that gives it.
    pub rate: &'static PeakRate,
    /// TPP by square millimeter of applicable die area, where that is known.
    pub density: Option<Decimal>,
}

/// Where the aggregate of a line comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// The catalogue.
    DeviceCatalogue,
    /// The declared TPP of a unit.
    TppPerUnit,
    /// The declared TPP of the line.
    TppAggregated,
}

impl Basis {
    /// The word in reports; a declared figure is called by its column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Basis::DeviceCatalogue => "device_catalogue",
            Basis::TppPerUnit => "tpp_per_unit",
            Basis::TppAggregated => "tpp_aggregated",
        }
    }

    fn of(line: &Line) -> Basis {
        match (line.terms.tpp, line.tpp_per_unit) {
            (LineTpp::Aggregate { .. }, _) => Basis::TppAggregated,
            (LineTpp::PerUnit(_), Some(_)) => Basis::TppPerUnit,
            (LineTpp::PerUnit(_), None) => Basis::DeviceCatalogue,
        }
    }
}

/// Whether something that goes with an application is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is.
    Holds,
    /// It is not, and has to be.
    Fails,
    /// It cannot be told from the application; something is left to do.
    ToDo,
    /// No line asks for it.
    NotAsked,
    /// Nothing to do, good to know.
    Note,
}

impl Outcome {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Fails => "fails",
            Outcome::ToDo => "to_do",
            Outcome::NotAsked => "not_asked",
            Outcome::Note => "note",
        }
    }
}

/// One thing that goes with an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Id of the filing in the regime; `license_validity` for the validity.
    pub id: String,
    /// What is asked.
    pub title: String,
    /// Section.
    pub cite: String,
    /// Whether it is there.
    pub outcome: Outcome,
    /// On what that rests.
    pub details: Vec<String>,
}

impl Unfolded {
    fn of(name: &str) -> Option<Unfolded> {
        let (device, count, system) = Catalogue::builtin().unfold(name)?;
        let (tpp, rate) = tpp_of_rates(&device.rates)?;
        let density = device.die_area_mm2.and_then(|area| performance_density(tpp, area));
        Some(Unfolded { device, count, system, tpp, rate, density })
    }

    /// TPP of so many units, circuit by circuit; `None` out of the range of a line.
    pub fn times(&self, units: u32) -> Option<Tpp> {
        self.tpp.times(self.count)?.times(units)
    }
}

impl<'a> SheetLine<'a> {
    fn new(line: &'a Line) -> Self {
        let unit = line.device.as_deref().and_then(Unfolded::of);
        let (basis, tpp) = (Basis::of(line), line.terms.requested_tpp());
        let catalogue_tpp = unit.as_ref().and_then(|unit| unit.times(line.terms.quantity));
        let mut findings = declared_findings(line);
        if let (Basis::DeviceCatalogue, Some(now)) = (basis, catalogue_tpp)
            && now != tpp
        {
            // What was recorded stays, whatever the catalogue says later.
            let number = line.terms.line;
            let detail =
                format!("line {number}: catalogue when recorded and today: {tpp} and {now}, difference {}", (tpp - now).abs());
            findings.push(Finding::new(FindingCode::TppDiffers, detail));
        }
        SheetLine { line, unit, basis, tpp, catalogue_tpp, findings }
    }

    /// Circuits of the whole line, where they are known.
    pub fn ics(&self) -> Option<u64> {
        self.unit.as_ref().map(|unit| u64::from(unit.count) * u64::from(self.line.terms.quantity))
    }

    /// Where the figures come from.
    pub fn source(&self) -> String {
        let catalogue = self.unit.as_ref().map(|unit| match unit.system {
            Some(system) => format!("{}; {}: {}", unit.device.source, system.name, system.source),
            None => unit.device.source.clone(),
        });
        match (self.basis, catalogue) {
            (Basis::DeviceCatalogue, catalogue) => catalogue.unwrap_or_default(),
            (_, Some(catalogue)) => format!("as declared; catalogue: {catalogue}"),
            (_, None) => "as declared".to_string(),
        }
    }

    fn row(&self, application: &Application) -> Vec<Cell> {
        let (line, terms, unit) = (self.line, &self.line.terms, self.unit.as_ref());
        let text = |pick: fn(&Unfolded) -> String| Cell::text(unit.map(pick).unwrap_or_default());
        vec![
            Cell::text(application.number.clone()),
            Cell::from(application.revision),
            Cell::from(terms.line),
            country(terms.destination),
            country_name(terms.destination),
            Cell::Code(terms.eccn.to_string().into()),
            Cell::text(line.device.clone().unwrap_or_default()),
            Cell::from(terms.quantity),
            text(|unit| unit.device.name.clone()),
            Cell::from(unit.map(|unit| unit.count)),
            Cell::from(self.ics()),
            text(|unit| unit.rate.format.clone()),
            text(|unit| unit.rate.tops.to_string()),
            Cell::from(unit.map(|unit| unit.rate.bits)),
            amount(unit.map(|unit| unit.tpp)),
            text(|unit| unit.density.map(|density| density.to_string()).unwrap_or_default()),
            amount(self.catalogue_tpp),
            amount(line.tpp_per_unit),
            amount(line.tpp_aggregated),
            Cell::Amount(self.tpp),
            Cell::code(self.basis.as_str()),
            Cell::codes(self.findings.first().map(|finding| finding.code.as_str())),
            Cell::text(line.purchase_order.clone().unwrap_or_default()),
            Cell::text(self.source()),
        ]
    }
}

impl<'a> Sheet<'a> {
    /// The sheet of an application under a regime, with its rules on what is filed. Standing and validity are those of the
    /// day of submission.
    pub fn new(application: &'a Application, regime: &Regime, book: &Rulebook) -> Self {
        let lines: Vec<SheetLine> = application.lines.iter().map(SheetLine::new).collect();
        let sum = lines.iter().try_fold(Tpp::ZERO, |sum, line| sum.checked_add(line.tpp));
        let day = application.submitted_on;
        let filings = book.filing.iter().filter(|rule| rule.goes_with.iter().any(|word| word == LICENSE));
        let mut checks: Vec<Check> = filings.map(|rule| check(rule, &lines, regime, day)).collect();
        checks.push(validity(&lines, regime, day));
        Sheet { application, lines, sum, checks }
    }

    /// One row a line.
    pub fn table(&self) -> Table {
        let mut table = Table::new(columns::application_sheet());
        for line in &self.lines {
            table.push(line.row(self.application));
        }
        table
    }

    /// Section that asks for the aggregate, where the regime has it.
    pub fn aggregate_cite(&self) -> &str {
        self.checks.iter().find(|check| check.id == AGGREGATE).map_or("", |check| &check.cite)
    }
}

/// Whether a filing is asked for a line.
fn covers(rule: &Rule, line: &Line, day: NaiveDate) -> Status {
    let mut transaction = Transaction::new(line.terms.destination, day);
    transaction.eccn = Some(line.terms.eccn);
    let verdicts: Vec<Verdict> = rule.conditions.iter().map(|condition| condition.verdict(&transaction)).collect();
    Status::all(&verdicts)
}

/// What the regime asks to file, held against the lines that it covers.
fn check(rule: &Rule, lines: &[SheetLine], regime: &Regime, day: NaiveDate) -> Check {
    let (mut covered, mut unsure, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let number = line.line.terms.line;
        match covers(rule, line.line, day) {
            Status::No => {
                others.push(number);
                continue;
            }
            Status::Yes => {}
            Status::Open | Status::Undetermined => unsure.push(number),
        }
        covered.push(line);
    }
    let (outcome, mut details) = match rule.id.as_str() {
        _ if covered.is_empty() => (Outcome::NotAsked, Vec::new()),
        AGGREGATE => aggregates(&covered),
        ONE_COUNTRY => one_country(&covered, regime),
        PURCHASE_ORDER => purchase_orders(&covered),
        _ => (Outcome::ToDo, rule.filing.iter().map(to_whom).collect()),
    };
    if !unsure.is_empty() {
        details.push(format!("{} taken as covered: the ECCN does not tell", are(&unsure)));
    }
    if !others.is_empty() {
        details.push(format!("{} not covered", are(&others)));
    }
    Check { id: rule.id.clone(), title: rule.title.clone(), cite: rule.citation.cite.clone(), outcome, details }
}

/// To whom something is filed, and by when, where the first does not say it.
fn to_whom(filing: &Filing) -> String {
    if filing.to.contains(&filing.due) { format!("to {}", filing.to) } else { format!("to {}; {}", filing.to, filing.due) }
}

/// An aggregate stands on every line; what is left is to explain those that do not follow from the catalogue.
fn aggregates(covered: &[&SheetLine]) -> (Outcome, Vec<String>) {
    let mut details = Vec::new();
    for line in covered {
        details.extend(line.findings.iter().map(|finding| format!("explain the figure: {}", finding.detail)));
        if line.unit.is_none() {
            let number = line.line.terms.line;
            details
                .push(format!("line {number} names no device of the catalogue: state the number of its ICs and the TPP of each"));
        }
    }
    if details.is_empty() {
        return (Outcome::Holds, vec!["the aggregate of every line follows from the catalogue".to_string()]);
    }
    (Outcome::ToDo, details)
}

/// All covered lines go to one country; a territory is where it is counted.
fn one_country(covered: &[&SheetLine], regime: &Regime) -> (Outcome, Vec<String>) {
    let mut countries: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for line in covered {
        countries.entry(regime.counted_in(line.line.terms.destination)).or_default().push(line.line.terms.line);
    }
    let name = |country| Countries::builtin().name(country);
    let mut details: Vec<String> =
        countries.iter().map(|(country, lines)| format!("{} ({country}): {}", name(*country), named(lines))).collect();
    if countries.len() == 1 {
        return (Outcome::Holds, details);
    }
    details.push(format!("make {} applications of it", countries.len()));
    (Outcome::Fails, details)
}

/// Every covered line names its purchase order; what the orders say is not known here, so their quantities are told.
fn purchase_orders(covered: &[&SheetLine]) -> (Outcome, Vec<String>) {
    let mut orders: Vec<(&str, Vec<String>)> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut without = Vec::new();
    for line in covered {
        let terms = &line.line.terms;
        let Some(order) = line.line.purchase_order.as_deref() else {
            without.push(terms.line);
            continue;
        };
        let at = *place.entry(order).or_insert(orders.len());
        if at == orders.len() {
            orders.push((order, Vec::new()));
        }
        let what = line.line.device.as_deref().map_or_else(|| "units".to_string(), |device| format!("x {device}"));
        orders[at].1.push(format!("{} {what} (line {})", terms.quantity, terms.line));
    }
    let mut details = Vec::new();
    if !without.is_empty() {
        let word = if without.len() == 1 { "names" } else { "name" };
        details.push(format!("{} {word} no purchase order or contract: fill in purchase_order", named(&without)));
    }
    details.extend(orders.iter().map(|(order, parts)| format!("order {order} has to cover {}", parts.join(", "))));
    (if without.is_empty() { Outcome::Holds } else { Outcome::Fails }, details)
}

/// How long a license would be valid; the year is the regime's, for the paragraphs that it counts.
fn validity(lines: &[SheetLine], regime: &Regime, day: NaiveDate) -> Check {
    let years = regime.validity.years;
    let years = if years == 1 { "one year".to_string() } else { format!("{years} years") };
    let counted = |line: &SheetLine| {
        let eccn = line.line.terms.eccn;
        regime.counted_eccn.iter().any(|paragraph| eccn.is_within(paragraph) || paragraph.is_within(&eccn))
    };
    let (outcome, details) = if lines.iter().any(counted) {
        let last = regime.validity.last_valid_day(day);
        (Outcome::Note, vec![format!("effective on {day}, the day of submission, it would be valid to {last}")])
    } else {
        (Outcome::NotAsked, vec!["no line is of a paragraph that counts".to_string()])
    };
    Check {
        id: "license_validity".into(),
        title: format!("A license is valid for {years} from its effective date."),
        cite: regime.validity_citation.cite.clone(),
        outcome,
        details,
    }
}

fn are(lines: &[u32]) -> String {
    format!("{} {}", named(lines), if lines.len() == 1 { "is" } else { "are" })
}

fn named(lines: &[u32]) -> String {
    let numbers: Vec<String> = lines.iter().map(u32::to_string).collect();
    format!("line{} {}", if lines.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::regimes::{self, RegimeText};
    use crate::quota::application::{Activity, ConsigneeKind, Terms, line_tpp};
    use crate::quota::codes::{Country, Eccn};

    fn law() -> (Regime, Rulebook) {
        let regime = regimes::parse(&RegimeText::builtin(), Countries::builtin()).unwrap();
        let book = regimes::screening(&regimes::builtin_screening(), &regime).unwrap();
        (regime, book)
    }

    fn tpp(text: &str) -> Tpp {
        Tpp::parse(text).unwrap()
    }

    /// A line of 3A090.a: where to, what, its declared figures, how many.
    fn line(number: u32, to: &str, device: &str, per_unit: &str, aggregate: &str, quantity: u32) -> Line {
        let given = |text: &str| (!text.is_empty()).then(|| tpp(text));
        let unit = Catalogue::builtin().unit(device);
        let destination = Country::new(to).unwrap();
        let counted = line_tpp(given(per_unit), given(aggregate), unit.map(|unit| unit.tpp), quantity).unwrap();
        Line {
            terms: Terms {
                line: number,
                destination,
                consignee_headquarters: destination,
                parent_headquarters: destination,
                activity: Activity::Export,
                eccn: Eccn::new("3A090.a").unwrap(),
                tpp: counted,
                quantity,
                assumed: false,
            },
            ultimate_consignee: "Beta".into(),
            consignee_kind: ConsigneeKind::PrivateSector,
            device: unit.map(|unit| unit.name.clone()),
            tpp_per_unit: given(per_unit),
            tpp_aggregated: given(aggregate),
            catalogue_tpp: unit.map(|unit| unit.tpp),
            purchase_order: Some("PO-1".into()),
            end_use: None,
        }
    }

    fn application(lines: Vec<Line>) -> Application {
        let submitted_on = "2026-04-07".parse().unwrap();
        Application { number: "Z1".into(), revision: 1, submitted_on, applicant: "Acme".into(), lines }
    }

    fn outcome(application: &Application, id: &str) -> (Outcome, String) {
        let (regime, book) = law();
        let sheet = Sheet::new(application, &regime, &book);
        let check = sheet.checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("{id}"));
        (check.outcome, check.details.join("; "))
    }

    #[test]
    fn a_system_is_unfolded_into_its_circuits() {
        let line = line(1, "PL", "DGX H100", "", "", 50);
        let sheet = SheetLine::new(&line);
        let unit = sheet.unit.as_ref().unwrap();
        assert_eq!((unit.device.name.as_str(), unit.count, sheet.ics()), ("H100 SXM5 80GB", 8, Some(400)));
        assert_eq!((unit.rate.format.as_str(), unit.rate.tops.to_string(), unit.rate.bits), ("fp8", "1979".into(), 8));
        // 1979 x 8 = 15,832; 400 of them.
        assert_eq!((unit.tpp, sheet.tpp, sheet.catalogue_tpp), (tpp("15832"), tpp("6332800"), Some(tpp("6332800"))));
        assert_eq!(
            (sheet.basis, sheet.findings.len(), unit.density.unwrap().to_string().as_str()),
            (Basis::DeviceCatalogue, 0, "19.45")
        );
    }

    #[test]
    fn a_declared_aggregate_counts_and_the_catalogue_stands_beside_it() {
        let line = line(3, "PL", "DGX H100", "", "300000", 2);
        let sheet = SheetLine::new(&line);
        assert_eq!((sheet.basis, sheet.tpp, sheet.catalogue_tpp), (Basis::TppAggregated, tpp("300000"), Some(tpp("253312"))));
        assert_eq!(sheet.findings[0].detail, "line 3: declared and catalogue: 300000 and 253312, difference 46688");
        assert!(sheet.source().starts_with("as declared; catalogue: "));
    }

    #[test]
    fn of_two_declared_figures_the_larger_counts() {
        let basis = |per_unit, aggregate| {
            let line = line(1, "PL", "", per_unit, aggregate, 4);
            let sheet = SheetLine::new(&line);
            (sheet.basis, sheet.tpp.to_string(), sheet.findings.len())
        };
        assert_eq!(basis("2.5", "10.001"), (Basis::TppAggregated, "10.001".into(), 1));
        assert_eq!(basis("2.5", "9"), (Basis::TppPerUnit, "10".into(), 1));
        assert_eq!(basis("2.5", "10"), (Basis::TppPerUnit, "10".into(), 0));
        let declared = line(1, "PL", "", "2.5", "", 4);
        let sheet = SheetLine::new(&declared);
        assert_eq!((sheet.ics(), sheet.catalogue_tpp, sheet.source().as_str()), (None, None, "as declared"));
    }

    #[test]
    fn what_was_recorded_stays_when_the_catalogue_changes() {
        let mut line = line(1, "PL", "H100", "", "", 10);
        line.catalogue_tpp = Some(tpp("15824"));
        line.terms.tpp = LineTpp::PerUnit(tpp("15824"));
        let sheet = SheetLine::new(&line);
        assert_eq!((sheet.tpp, sheet.catalogue_tpp), (tpp("158240"), Some(tpp("158320"))));
        assert_eq!(sheet.findings[0].detail, "line 1: catalogue when recorded and today: 158240 and 158320, difference 80");
    }

    #[test]
    fn figures_out_of_range_are_empty_and_never_wrong() {
        let (regime, book) = law();
        let most = "999999999999.999";
        let far = line(1, "DE", "DGX SuperPOD GB200", "", most, u32::MAX);
        assert_eq!((SheetLine::new(&far).catalogue_tpp, SheetLine::new(&far).tpp), (None, tpp(most)));
        let lines = |count: u32| application((1..=count).map(|number| line(number, "DE", "", "", most, 1)).collect());
        let sum = |application: &Application| Sheet::new(application, &regime, &book).sum;
        // 9,223 x (10^15 - 1) thousandths are within 2^63, and 9,224 x are not.
        assert_eq!(sum(&lines(9_223)).map(|sum| sum.to_string()).as_deref(), Some("9222999999999990.777"));
        assert_eq!(sum(&lines(9_224)), None);
    }

    #[test]
    fn all_lines_to_capped_destinations_go_to_one_country() {
        let to = |countries: &[&str]| {
            let lines = (1..).zip(countries).map(|(number, to)| line(number, to, "H100", "", "", 1)).collect();
            outcome(&application(lines), ONE_COUNTRY)
        };
        assert_eq!(to(&["PL", "PL", "DE"]), (Outcome::Holds, "Poland (PL): lines 1, 2; line 3 is not covered".into()));
        let several = "India (IN): line 3; Poland (PL): lines 1, 2; make 2 applications of it";
        assert_eq!(to(&["PL", "PL", "IN"]), (Outcome::Fails, several.into()));
        assert_eq!(to(&["DE", "FR"]).0, Outcome::NotAsked);
        assert_eq!(to(&["CN"]).0, Outcome::NotAsked);
    }

    #[test]
    fn other_items_are_not_asked_and_an_entry_without_its_paragraph_is_taken_as_covered() {
        let with = |eccn: &str| {
            let mut line = line(1, "PL", "H100", "", "", 1);
            line.terms.eccn = Eccn::new(eccn).unwrap();
            let application = application(vec![line]);
            [AGGREGATE, ONE_COUNTRY, PURCHASE_ORDER, "license_validity"].map(|id| outcome(&application, id).0)
        };
        let (asked, no) = (Outcome::Holds, Outcome::NotAsked);
        assert_eq!(with("EAR99"), [no; 4]);
        assert_eq!(with("3A090"), [asked, asked, asked, Outcome::Note]);
        // The purchase order is asked for the .z "b" items too.
        assert_eq!(with("5A992.z.2"), [no, no, asked, no]);
    }

    #[test]
    fn every_line_names_its_purchase_order() {
        let mut lines: Vec<Line> = (1..=3).map(|number| line(number, "PL", "H100", "", "", number * 10)).collect();
        let held =
            "order PO-1 has to cover 10 x H100 SXM5 80GB (line 1), 20 x H100 SXM5 80GB (line 2), 30 x H100 SXM5 80GB (line 3)";
        assert_eq!(outcome(&application(lines.clone()), PURCHASE_ORDER), (Outcome::Holds, held.into()));
        lines[0].purchase_order = None;
        lines[2].purchase_order = None;
        let missing = "lines 1, 3 name no purchase order or contract: fill in purchase_order; order PO-1 has to cover 20 x H100 SXM5 80GB (line 2)";
        assert_eq!(outcome(&application(lines), PURCHASE_ORDER), (Outcome::Fails, missing.into()));
    }

    #[test]
    fn the_validity_is_the_regimes() {
        let (outcome, told) = outcome(&application(vec![line(1, "PL", "H100", "", "", 1)]), "license_validity");
        // 2027-04-07 is a Wednesday.
        assert_eq!(outcome, Outcome::Note);
        assert_eq!(told, "effective on 2026-04-07, the day of submission, it would be valid to 2027-04-07");
    }
}
