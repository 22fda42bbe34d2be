//! Applications: consecutive rows of one number and revision, as one [`Application`] with a line a row.
//!
//! Blank cells get their defaults here, and what was assumed is marked. Whether a destination may be one is the
//! regime's to say. Invariant: the lines of an application are in order of their numbers, each number once.

use super::amounts::{AmountColumns, AmountReader};
use super::cells::{Cells, LINE_MAX, QUANTITY_MAX};
use super::items::{Form, ItemReader};
use super::table::columns;
use crate::quota::application::{Activity, Application, ConsigneeKind, Line, Terms};
use crate::quota::codes::Country;
use chrono::NaiveDate;

/// Lines that one application may have.
const LINES_MAX: usize = 10_000;

columns! {
    /// Columns of applications.
    ApplicationColumn {
        ApplicationNumber = "application_number" required,
        Revision = "revision",
        SubmittedOn = "submitted_on" required,
        Applicant = "applicant" required,
        UltimateConsignee = "ultimate_consignee" required,
        ConsigneeHeadquarters = "consignee_headquarters",
        ParentHeadquarters = "parent_headquarters",
        ConsigneeKind = "consignee_kind",
        Destination = "destination" required,
        Activity = "activity",
        Line = "line",
        Eccn = "eccn" required,
        Device = "device",
        TppPerUnit = "tpp_per_unit",
        TppAggregated = "tpp_aggregated",
        Quantity = "quantity" required,
        PurchaseOrder = "purchase_order",
        EndUse = "end_use",
    }
    reported REPORTED
}

/// What applications.csv says beside what it was given, so that a register goes in again as it is.
const REPORTED: [&str; 13] = [
    "destination_name",
    "state",
    "counts",
    "limited",
    "requested_tpp",
    "licensed_tpp",
    "shipped_tpp",
    "unshipped_tpp",
    "license_number",
    "expires_on",
    "give_back_on",
    "findings",
    "seq",
];

use ApplicationColumn as C;

const AMOUNTS: AmountColumns<C> =
    AmountColumns { device: C::Device, tpp_per_unit: C::TppPerUnit, tpp_aggregated: C::TppAggregated, quantity: C::Quantity };

/// Reads applications; consecutive rows of one number and revision are one.
pub type ApplicationReader = ItemReader<ApplicationForm>;

/// The application that is being read.
#[derive(Default)]
pub struct ApplicationForm {
    head: Option<Head>,
    lines: Vec<Line>,
    /// Number of the line read last; the next blank one goes on from it.
    last: u32,
    too_many: bool,
    amounts: AmountReader,
}

/// What all rows of an application share, as far as it can be read.
struct Head {
    number: Option<String>,
    revision: Option<u32>,
    submitted_on: Option<NaiveDate>,
    applicant: Option<String>,
    row: u64,
}

/// Who receives, where, and what was assumed about it.
struct Parties {
    ultimate_consignee: String,
    kind: ConsigneeKind,
    destination: Country,
    consignee_headquarters: Country,
    parent_headquarters: Country,
    assumed: bool,
}

impl Form for ApplicationForm {
    type Column = C;
    type Value = Application;
    const ID: C = C::ApplicationNumber;

    fn continues(&self, id: &str, cells: &Cells<C>) -> bool {
        let Some(head) = &self.head else { return false };
        let number = cells.text(C::ApplicationNumber);
        if number.is_empty() {
            // A row without a number that says nothing else is taken for a row of the application above it, so that
            // this one is not recorded without it.
            let (day, applicant) = (cells.raw(C::SubmittedOn), cells.text(C::Applicant));
            return (day.is_empty() || cells.columns.dates.parse(day) == head.submitted_on)
                && (applicant.is_empty() || Some(applicant) == head.applicant.as_deref());
        }
        let revision = match cells.raw(C::Revision) {
            "" => Some(1),
            text => text.strip_suffix(".0").unwrap_or(text).parse().ok(),
        };
        number == id && (revision.is_none() || head.revision.is_none() || revision == head.revision)
    }

    fn add(&mut self, cells: &mut Cells<C>) {
        if self.too_many {
            return;
        }
        self.read_head(cells);
        let given = cells.whole(C::Line, 1, LINE_MAX);
        let number = given.unwrap_or(self.last + 1);
        self.last = number;
        let parties = read_parties(cells);
        let activity = if cells.raw(C::Activity).is_empty() {
            Some(Activity::default())
        } else {
            cells.word(C::Activity, &Activity::ALL, Activity::as_str)
        };
        let eccn = cells.required_eccn(C::Eccn);
        let amounts = self.amounts.read(cells, &AMOUNTS);
        let (Some(parties), Some(activity), Some(eccn), Some(amounts)) = (parties, activity, eccn, amounts) else { return };
        let line = Line {
            terms: Terms {
                line: number,
                destination: parties.destination,
                consignee_headquarters: parties.consignee_headquarters,
                parent_headquarters: parties.parent_headquarters,
                activity,
                eccn,
                tpp: amounts.tpp,
                quantity: amounts.quantity,
                assumed: parties.assumed,
            },
            ultimate_consignee: parties.ultimate_consignee,
            consignee_kind: parties.kind,
            device: amounts.unit.map(|unit| unit.name.clone()),
            tpp_per_unit: amounts.per_unit,
            tpp_aggregated: amounts.aggregate,
            catalogue_tpp: amounts.unit.map(|unit| unit.tpp),
            purchase_order: cells.optional_text(C::PurchaseOrder),
            end_use: cells.optional_text(C::EndUse),
        };
        self.insert(line, given.is_some(), cells);
    }

    fn finish(&mut self, _: &mut Cells<C>) -> Option<Application> {
        let lines = std::mem::take(&mut self.lines);
        (self.last, self.too_many) = (0, false);
        let Head { number, revision, submitted_on, applicant, .. } = self.head.take()?;
        Some(Application { number: number?, revision: revision?, submitted_on: submitted_on?, applicant: applicant?, lines })
    }
}

impl ApplicationForm {
    /// Reads what all rows share, or compares it with what the first row says.
    fn read_head(&mut self, cells: &mut Cells<C>) {
        let revision = if cells.raw(C::Revision).is_empty() { Some(1) } else { cells.whole(C::Revision, 1, QUANTITY_MAX) };
        let submitted_on = cells.required_day(C::SubmittedOn);
        let numbered = cells.required(C::ApplicationNumber, "every row of an application has its number");
        let row = cells.row.line;
        let Some(head) = &mut self.head else {
            let number = if numbered { cells.identifier(C::ApplicationNumber) } else { None };
            let applicant = cells.name(C::Applicant);
            self.head = Some(Head { number, revision, submitted_on, applicant, row });
            return;
        };
        let hint = "the rows of one application agree in it; a change is a new revision";
        match (head.submitted_on, submitted_on) {
            (Some(first), Some(here)) if first != here => {
                cells.wrong(C::SubmittedOn, format!("is not {first}, as on {}", cells.origin.row_name(head.row)), hint);
            }
            (None, here) => head.submitted_on = here,
            _ => {}
        }
        match &head.applicant {
            Some(first) if cells.text(C::Applicant) == first => {}
            Some(first) if cells.required(C::Applicant, "every row names it") => {
                cells.wrong(
                    C::Applicant,
                    format!("is not \"{}\", as on {}", super::place::shortened(first), cells.origin.row_name(head.row)),
                    hint,
                );
            }
            Some(_) => {}
            None => head.applicant = cells.name(C::Applicant),
        }
    }

    /// Puts a line in its place. The same row twice is one line; a line numbered by its order is never such a copy.
    fn insert(&mut self, line: Line, named: bool, cells: &mut Cells<C>) {
        match self.lines.binary_search_by_key(&line.terms.line, |line| line.terms.line) {
            Ok(at) if named && self.lines[at] == line => {}
            Ok(_) => {
                let what = format!("names line {} a second time, with another content", line.terms.line);
                let what = if named {
                    what
                } else {
                    format!("is blank, and the next in order, line {}, is there already", line.terms.line)
                };
                cells.wrong(C::Line, what, "give each line of an application a number of its own, or leave all blank");
            }
            Err(_) if self.lines.len() == LINES_MAX => {
                self.too_many = true;
                cells.wrong(C::Line, format!("is more than an application may have: {LINES_MAX} lines"), "split the application");
            }
            Err(at) => {
                if self.lines.is_empty() {
                    // Most applications have one line, and many are held at a time behind this door.
                    self.lines.reserve_exact(1);
                }
                self.lines.insert(at, line);
            }
        }
    }
}

fn read_parties(cells: &mut Cells<C>) -> Option<Parties> {
    let ultimate_consignee = cells.name(C::UltimateConsignee);
    let destination = if cells.required(C::Destination, "name the country of ultimate destination") {
        cells.country(C::Destination)
    } else {
        None
    };
    let blank = |cells: &Cells<C>, column| cells.raw(column).is_empty();
    let assumed =
        [C::ConsigneeHeadquarters, C::ParentHeadquarters, C::ConsigneeKind].into_iter().any(|column| blank(cells, column));
    let consignee = cells.country(C::ConsigneeHeadquarters);
    let consignee = if blank(cells, C::ConsigneeHeadquarters) { destination } else { consignee };
    let parent = cells.country(C::ParentHeadquarters);
    let parent = if blank(cells, C::ParentHeadquarters) { consignee } else { parent };
    let kind = cells.word(C::ConsigneeKind, &ConsigneeKind::ALL, ConsigneeKind::as_str);
    let kind = if blank(cells, C::ConsigneeKind) { Some(ConsigneeKind::default()) } else { kind };
    Some(Parties {
        ultimate_consignee: ultimate_consignee?,
        kind: kind?,
        destination: destination?,
        consignee_headquarters: consignee?,
        parent_headquarters: parent?,
        assumed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::items::Item;
    use crate::intake::table::TableReader;
    use crate::quota::application::LineTpp;
    use crate::quota::tpp::Tpp;

    const HEADER: &str = "application_number,revision,submitted_on,applicant,ultimate_consignee,consignee_headquarters,parent_headquarters,consignee_kind,destination,activity,line,eccn,device,tpp_per_unit,tpp_aggregated,quantity,purchase_order,end_use";

    fn items(rows: &str) -> Vec<Item<Application>> {
        let table = TableReader::from_reader("a.csv", std::io::Cursor::new(format!("{HEADER}\n{rows}\n"))).unwrap();
        ApplicationReader::new(table, false).ok().unwrap().collect()
    }

    fn application(rows: &str) -> Application {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        items.remove(0).value.unwrap()
    }

    fn wrong(rows: &str) -> Vec<String> {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        let problems = items.remove(0).value.err().unwrap_or_default();
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().replace("a.csv:", "")).collect()
    }

    #[test]
    fn blank_cells_have_their_defaults_and_what_is_assumed_is_marked() {
        let short = application("Z1,,2025-02-03,Acme,Beta,,,,Poland,,,3a090.A,H100,,,100,,");
        let line = &short.lines[0];
        assert_eq!((short.revision, line.terms.line, line.terms.activity), (1, 1, Activity::Export));
        assert_eq!(
            [line.terms.destination, line.terms.consignee_headquarters, line.terms.parent_headquarters].map(|c| c.to_string()),
            ["PL"; 3]
        );
        assert!(line.terms.assumed && line.consignee_kind == ConsigneeKind::PrivateSector);
        assert_eq!(
            (line.device.as_deref(), line.terms.requested_tpp().to_string().as_str()),
            (Some("H100 SXM5 80GB"), "1583200")
        );
        let long = application("Z1,2,2025-02-03,Acme,Beta,DE,,government,PL,transfer,7,3A090.a,,1.5,,2,PO-1,'=training");
        let line = &long.lines[0];
        assert_eq!((line.terms.parent_headquarters.as_str(), line.terms.assumed, line.terms.line), ("DE", true, 7));
        assert_eq!((line.purchase_order.as_deref(), line.end_use.as_deref()), (Some("PO-1"), Some("=training")));
        assert!(!application("Z1,1,2025-02-03,Acme,Beta,DE,FR,private_sector,PL,,,3A090.a,,1.5,,2,,").lines[0].terms.assumed);
    }

    #[test]
    fn rows_of_one_number_and_revision_are_one_application() {
        let row = |number: &str, rest: &str| format!("{number},{rest}");
        let a = "1,2025-02-03,Acme,Beta,,,,PL,,,3A090.a,,1,,1,,";
        let b = ",2025-02-03,Acme,Gamma,,,,DE,,,3A090.a,,1,,2,,";
        let two = application(&[row("Z1", a), row("Z1", b)].join("\n"));
        assert_eq!(two.lines.iter().map(|line| line.terms.line).collect::<Vec<_>>(), [1, 2]);
        let revised = b.replacen(',', "2,", 1);
        let all = items(&[row("Z1", a), row("Z1", &revised), row("Z2", a), row("Z1", a)].join("\n"));
        assert_eq!(
            all.iter().map(|item| (item.id.as_str(), item.lines[0])).collect::<Vec<_>>(),
            [("Z1", 2), ("Z1", 3), ("Z2", 4), ("Z1", 5)]
        );
    }

    #[test]
    fn lines_are_in_order_and_each_number_stands_once() {
        let row = |line: &str, quantity: &str| format!("Z1,,2025-02-03,Acme,Beta,,,,PL,,{line},3A090.a,,1,,{quantity},,");
        let sorted = application(&[row("9", "1"), row("", "2"), row("3", "3"), row("9", "1")].join("\n"));
        assert_eq!(
            sorted.lines.iter().map(|line| (line.terms.line, line.terms.quantity)).collect::<Vec<_>>(),
            [(3, 3), (9, 1), (10, 2)]
        );
        assert_eq!(
            wrong(&[row("9", "1"), row("9", "2")].join("\n")),
            ["3: line: \"9\" names line 9 a second time, with another content"]
        );
        assert_eq!(
            wrong(&[row("2", "1"), row("1", "1"), row("", "1")].join("\n")),
            ["4: line: is blank, and the next in order, line 2, is there already"]
        );
        assert_eq!(wrong(&row("1000001", "1")).len(), 1);
    }

    #[test]
    fn the_rows_of_an_application_agree_in_day_and_applicant() {
        let row = |day: &str, applicant: &str| format!("Z1,,{day},{applicant},Beta,,,,PL,,,3A090.a,,1,,1,,");
        assert_eq!(
            wrong(&[row("2025-02-03", "Acme"), row("2025-02-04", "Acme Ltd")].join("\n")),
            [
                "3: submitted_on: \"2025-02-04\" is not 2025-02-03, as on line 2",
                "3: applicant: \"Acme Ltd\" is not \"Acme\", as on line 2"
            ]
        );
        assert_eq!(
            wrong(&[row("2025-02-03", "Acme"), row("", "")].join("\n")),
            ["3: submitted_on: is blank", "3: applicant: is blank"]
        );
    }

    #[test]
    fn a_row_without_a_number_spoils_the_application_that_it_may_belong_to() {
        let first = "Z1,,2025-02-03,Acme,Beta,,,,PL,,,3A090.a,,1,,1,,";
        assert_eq!(wrong(&format!("{first}\n,,,,Beta,,,,PL,,,3A090.a,,1,,1,,")).len(), 3);
        assert_eq!(
            wrong(&format!("{first}\n,,2025-02-03,Acme,Beta,,,,PL,,,3A090.a,,1,,1,,")),
            ["3: application_number: is blank"]
        );
        assert_eq!(wrong(&format!("{first}\n,,,x")).len(), 1);
        assert_eq!(wrong(&format!("{first}\nZ1,,,")), ["3: has 4 cells where the header has 18 columns"]);
        let others = items(&format!("{first}\n,,2025-02-04,Other,Beta,,,,PL,,,3A090.a,,1,,1,,\nZ2,,,"));
        assert_eq!(
            others.iter().map(|item| (item.id.as_str(), item.value.is_ok())).collect::<Vec<_>>(),
            [("Z1", true), ("", false), ("Z2", false)]
        );
    }

    #[test]
    fn the_tpp_of_a_line_is_given_by_one_of_three() {
        let row = |device: &str, unit: &str, total: &str, quantity: &str| {
            format!("Z1,,2025-02-03,Acme,Beta,,,,PL,,,3A090.a,{device},{unit},{total},{quantity},,")
        };
        assert_eq!(wrong(&row("", "", "", "1")), ["2: device: is blank, and so are tpp_per_unit and tpp_aggregated"]);
        assert_eq!(wrong(&row("H1OO SXM", "", "", "1")), ["2: device: \"H1OO SXM\" is not in the device catalogue"]);
        assert_eq!(wrong(&row("abacus", "5", "", "1")).len(), 1);
        assert_eq!(wrong(&row("", "0", "", "1")), ["2: tpp_per_unit: \"0\" is not above zero"]);
        assert_eq!(
            wrong(&row("", "1000", "", "1000000000")),
            ["2: quantity: \"1000000000\" times 1,000 TPP is out of range; a line carries less than 1,000,000,000,000 TPP"]
        );
        let line = |row: &str| application(row).lines[0].clone();
        assert_eq!(
            line(&row("", "", "1000", "3")).terms.tpp,
            LineTpp::Aggregate { total: Tpp::parse("1000").unwrap(), quantity: 3 }
        );
        let system = line(&row("NVIDIA DGX H100", "", "", "2"));
        assert_eq!((system.device.as_deref(), system.catalogue_tpp.unwrap().to_string().as_str()), (Some("DGX H100"), "126656"));
        assert_eq!(line(&row("H100", "15000", "", "1")).terms.requested_tpp().to_string(), "15000");
    }

    #[test]
    fn all_problems_of_a_row_are_told() {
        let columns: Vec<String> = wrong("Z 1,0,2026-02-30,,,NX,XN,state,Atlantis,sale,0,3A09,abacus,x,-1,1e9,,")
            .iter()
            .map(|told| told.split(": ").nth(1).unwrap_or_default().to_string())
            .collect();
        assert_eq!(
            columns,
            [
                "revision",
                "submitted_on",
                "application_number",
                "applicant",
                "line",
                "ultimate_consignee",
                "destination",
                "consignee_headquarters",
                "parent_headquarters",
                "consignee_kind",
                "activity",
                "eccn",
                "quantity",
                "device",
                "tpp_per_unit",
                "tpp_aggregated",
            ]
        );
        assert_eq!(wrong(&format!("Z1,,2025-02-03,{},Beta,,,,PL,,,3A090.a,,1,,1,,", "ä".repeat(1001))).len(), 1);
    }

    #[test]
    fn an_application_of_too_many_lines_is_told_once() {
        let rows = "Z1,,2025-02-03,Acme,Beta,,,,PL,,,3A090.a,,1,,1,,\n".repeat(LINES_MAX + 5);
        let told = wrong(&rows);
        assert!(told.len() == 1 && told[0].starts_with("10002: line: is more than an application may have"), "{told:?}");
    }
}
