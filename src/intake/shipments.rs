//! Shipments: consecutive rows of one shipment_id, as one [`Shipment`] with a line a row.
//!
//! Only what the rows can say of themselves is checked. Whether the law serves the shipment, and whether a limit leaves room
//! for it, is seen with the ledger. Invariant: the lines of a shipment are in order of their numbers, each number once, and
//! the TPP of each is known.

use super::amounts::{AmountColumns, AmountReader};
use super::cells::{Cells, LINE_MAX};
use super::items::{Form, ItemReader};
use super::place::Problem;
use super::table::{Column, columns};
use crate::quota::application::Activity;
use crate::quota::company::account::Authorization;
use crate::quota::company::fact::{CompanyFact, Shipment, ShipmentLine};
use chrono::NaiveDate;

/// Lines that one shipment may have.
const LINES_MAX: usize = 10_000;

columns! {
    /// Columns of shipments.
    ShipmentColumn {
        ShipmentId = "shipment_id" required,
        Line = "line",
        EffectiveOn = "effective_on" required,
        Exporter = "exporter" required,
        Authorization = "authorization" required,
        Activity = "activity",
        Destination = "destination" required,
        Consignee = "consignee" required,
        Operator = "operator",
        ThroughDistributor = "through_distributor",
        Facility = "facility",
        ReceivedOn = "received_on",
        Eccn = "eccn" required,
        Device = "device",
        Quantity = "quantity" required,
        TppPerUnit = "tpp_per_unit",
        TppAggregated = "tpp_aggregated",
        AlreadyMade = "already_made",
        Reference = "reference",
    }
}

use ShipmentColumn as C;

const AMOUNTS: AmountColumns<C> =
    AmountColumns { device: C::Device, tpp_per_unit: C::TppPerUnit, tpp_aggregated: C::TppAggregated, quantity: C::Quantity };

/// Columns that say the same in every row of a shipment.
const HEAD: [C; 4] = [C::EffectiveOn, C::Exporter, C::AlreadyMade, C::Reference];

/// Reads shipments; consecutive rows of one shipment_id are one.
pub type ShipmentReader = ItemReader<ShipmentForm>;

/// The shipment that is being read.
#[derive(Default)]
pub struct ShipmentForm {
    head: Option<Head>,
    lines: Vec<ShipmentLine>,
    rows: usize,
    /// Row of the first line without a number.
    unnamed: Option<u64>,
    too_many: bool,
    amounts: AmountReader,
}

/// What all rows of a shipment share, as far as it can be read.
struct Head {
    id: Option<String>,
    effective_on: Option<NaiveDate>,
    exporter: Option<String>,
    already_made: Option<bool>,
    reference: Option<String>,
    /// The cells of [`HEAD`] as they stand in the first row.
    said: [String; 4],
    row: u64,
}

impl Form for ShipmentForm {
    type Column = C;
    type Value = CompanyFact;
    const ID: C = C::ShipmentId;

    fn continues(&self, id: &str, cells: &Cells<C>) -> bool {
        let Some(head) = &self.head else { return false };
        let own = cells.text(C::ShipmentId);
        if !own.is_empty() {
            return own == id;
        }
        // A row without an id that says nothing else is taken for a row of the shipment above it, so that this one is
        // not recorded without it.
        let [day, exporter, ..] = &head.said;
        [(C::EffectiveOn, day), (C::Exporter, exporter)]
            .into_iter()
            .all(|(column, first)| cells.raw(column).is_empty() || cells.text(column) == first)
    }

    fn add(&mut self, cells: &mut Cells<C>) {
        if self.too_many {
            return;
        }
        self.rows += 1;
        match &self.head {
            Some(head) => compare(head, cells),
            None => self.head = Some(read_head(cells)),
        }
        let number = cells.whole(C::Line, 1, LINE_MAX);
        if cells.raw(C::Line).is_empty() {
            self.unnamed.get_or_insert(cells.row.line);
        }
        if let Some(line) = self.read_line(number.unwrap_or(1), cells) {
            self.insert(line, number.is_some(), cells);
        }
    }

    fn finish(&mut self, cells: &mut Cells<C>) -> Option<CompanyFact> {
        let lines = std::mem::take(&mut self.lines);
        let rows = std::mem::take(&mut self.rows);
        if let Some(row) = self.unnamed.take()
            && rows > 1
        {
            let place = cells.origin.row(row).at(C::Line.name());
            let what = "is blank; a shipment of several rows numbers each";
            cells.problems.push(Problem::new(place, what, "number the rows 1, 2, 3, ..."));
        }
        self.too_many = false;
        let head = self.head.take()?;
        Some(CompanyFact::Shipment(Shipment {
            id: head.id?,
            effective_on: head.effective_on?,
            exporter: head.exporter?,
            already_made: head.already_made?,
            reference: head.reference,
            lines,
        }))
    }
}

impl ShipmentForm {
    fn read_line(&mut self, line: u32, cells: &mut Cells<C>) -> Option<ShipmentLine> {
        let authorization = if cells.required(C::Authorization, "name the exception or authorization under which it goes") {
            cells.word(C::Authorization, Authorization::ALL, Authorization::as_str)
        } else {
            None
        };
        let activity = cells.word(C::Activity, &Activity::ALL, Activity::as_str);
        let activity = if cells.raw(C::Activity).is_empty() { Some(Activity::default()) } else { activity };
        let destination = if cells.required(C::Destination, "name the country of ultimate destination") {
            cells.country(C::Destination)
        } else {
            None
        };
        let consignee = if cells.required(C::Consignee, "name the party that receives and owns it, by its identifier") {
            cells.party(C::Consignee)
        } else {
            None
        };
        let operator = cells.party(C::Operator);
        let through_distributor = cells.yes(C::ThroughDistributor);
        let facility = cells.optional_name(C::Facility);
        let received_on = self.read_receipt(cells);
        let eccn = cells.required_eccn(C::Eccn);
        let amounts = self.amounts.read(cells, &AMOUNTS)?;
        Some(ShipmentLine {
            line,
            authorization: authorization?,
            activity: activity?,
            destination: destination?,
            consignee: consignee?,
            operator,
            through_distributor: through_distributor?,
            facility,
            received_on,
            eccn: eccn?,
            device: amounts.unit.map(|unit| unit.name.clone()),
            quantity: amounts.quantity,
            tpp_per_unit: amounts.per_unit,
            tpp_aggregated: amounts.aggregate,
            tpp: amounts.tpp.of(u64::from(amounts.quantity)),
        })
    }

    fn read_receipt(&self, cells: &mut Cells<C>) -> Option<NaiveDate> {
        let received_on = cells.day(C::ReceivedOn)?;
        let shipped_on = self.head.as_ref().and_then(|head| head.effective_on);
        if let Some(shipped_on) = shipped_on.filter(|shipped_on| received_on < *shipped_on) {
            let hint = "it is received on the day of shipment or later";
            cells.wrong(C::ReceivedOn, format!("is before effective_on, {shipped_on}"), hint);
        }
        Some(received_on)
    }

    /// Puts a line in its place. The same row twice is one line.
    fn insert(&mut self, line: ShipmentLine, named: bool, cells: &mut Cells<C>) {
        match self.lines.binary_search_by_key(&line.line, |line| line.line) {
            Ok(at) if named && self.lines[at] != line => {
                let what = format!("names line {} a second time, with another content", line.line);
                cells.wrong(C::Line, what, "give each line of a shipment a number of its own");
            }
            // A second row without a number is told when the shipment ends.
            Ok(_) => {}
            Err(_) if self.lines.len() == LINES_MAX => {
                self.too_many = true;
                cells.wrong(C::Line, format!("is more than a shipment may have: {LINES_MAX} lines"), "split the shipment");
            }
            Err(at) => self.lines.insert(at, line),
        }
    }
}

/// A cell of [`HEAD`] as it is compared: a blank `already_made` says no.
fn said<'r>(cells: &Cells<'r, C>, column: C) -> &'r str {
    match cells.text(column) {
        "" if column == C::AlreadyMade => "no",
        text => text,
    }
}

fn read_head(cells: &mut Cells<C>) -> Head {
    Head {
        id: cells.event_id(C::ShipmentId),
        effective_on: cells.required_day(C::EffectiveOn),
        exporter: cells.name(C::Exporter),
        already_made: cells.yes(C::AlreadyMade),
        reference: cells.optional_text(C::Reference),
        said: HEAD.map(|column| said(cells, column).to_string()),
        row: cells.row.line,
    }
}

/// A later row says of the shipment what the first one says.
fn compare(head: &Head, cells: &mut Cells<C>) {
    cells.required(C::ShipmentId, "every row of a shipment has its id");
    for (column, first) in HEAD.into_iter().zip(&head.said) {
        if said(cells, column) != first {
            let what = format!("is not as in the first row of this shipment, on {}", cells.origin.row_name(head.row));
            cells.wrong(column, what, "rows that share a shipment_id agree in it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::items::Item;
    use crate::intake::table::TableReader;

    const HEADER: &str = "shipment_id,line,effective_on,exporter,authorization,activity,destination,consignee,operator,through_distributor,facility,received_on,eccn,device,quantity,tpp_per_unit,tpp_aggregated,already_made,reference";

    fn items(rows: &str) -> Vec<Item<CompanyFact>> {
        let table = TableReader::from_reader("s.csv", std::io::Cursor::new(format!("{HEADER}\n{rows}\n"))).unwrap();
        ShipmentReader::new(table, false).ok().unwrap().collect()
    }

    fn shipment(rows: &str) -> Shipment {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        match items.remove(0).value {
            Ok(CompanyFact::Shipment(shipment)) => shipment,
            other => panic!("{other:?}"),
        }
    }

    fn wrong(rows: &str) -> Vec<String> {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        let problems = items.remove(0).value.err().unwrap_or_default();
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().replace("s.csv:", "")).collect()
    }

    /// A line of shipment S1, with so many units of 1,000 TPP.
    fn row(line: &str, quantity: &str) -> String {
        format!("S1,{line},2026-02-03,Acme,LPP,,PL,BETA,,,,,3A090.a,,{quantity},1000,,,")
    }

    #[test]
    fn blank_cells_have_their_defaults() {
        let short = shipment(&row("", "100"));
        let line = &short.lines[0];
        assert_eq!((short.id.as_str(), short.exporter.as_str(), short.already_made), ("S1", "Acme", false));
        assert_eq!((line.line, line.activity, line.authorization), (1, Activity::Export, Authorization::Lpp));
        assert_eq!((line.through_distributor, &line.operator, line.received_on), (false, &None, None));
        assert_eq!(line.tpp.to_string(), "100000");
        let long = shipment("S2,7,2026-02-03,Acme,ACM,reexport,Taiwan,FAB,OPS,yes,TN01,2026-02-03,3A090.a,H100,100,,,yes,AWB 5");
        let line = &long.lines[0];
        assert_eq!((long.already_made, long.reference.as_deref(), line.line), (true, Some("AWB 5"), 7));
        assert_eq!((line.operator.as_deref(), line.facility.as_deref()), (Some("OPS"), Some("TN01")));
        assert!(line.through_distributor && line.received_on == Some(long.effective_on));
        // 100 units of the 15,832 TPP that the catalogue has for an H100.
        assert_eq!((line.device.as_deref(), line.tpp.to_string().as_str()), (Some("H100 SXM5 80GB"), "1583200"));
    }

    #[test]
    fn the_tpp_of_a_line_is_found_as_in_an_application() {
        let line = |unit: &str, total: &str| {
            shipment(&format!("S1,,2026-02-03,Acme,LPP,,PL,BETA,,,,,3A090.a,,3,{unit},{total},,")).lines.remove(0).tpp.to_string()
        };
        assert_eq!(line("", "1000"), "1000");
        assert_eq!(line("300", "1000"), "1000", "the larger of what is declared counts");
        assert_eq!(line("400", "1000"), "1200");
        assert_eq!(
            wrong("S1,,2026-02-03,Acme,LPP,,PL,BETA,,,,,3A090.a,,1,,,,"),
            ["2: device: is blank, and so are tpp_per_unit and tpp_aggregated"]
        );
    }

    #[test]
    fn rows_of_one_id_are_one_shipment_with_its_lines_in_order() {
        let two = shipment(&[row("2", "5"), row("1", "3"), row("2", "5")].join("\n"));
        assert_eq!(two.lines.iter().map(|line| (line.line, line.quantity)).collect::<Vec<_>>(), [(1, 3), (2, 5)]);
        let apart = items(&[row("", "5"), row("", "5").replace("S1", "S2"), row("", "5")].join("\n"));
        assert_eq!(
            apart.iter().map(|item| (item.id.as_str(), item.lines[0])).collect::<Vec<_>>(),
            [("S1", 2), ("S2", 3), ("S1", 4)]
        );
    }

    #[test]
    fn a_line_of_several_has_a_number_of_its_own() {
        assert_eq!(
            wrong(&[row("1", "5"), row("1", "6")].join("\n")),
            ["3: line: \"1\" names line 1 a second time, with another content"]
        );
        assert_eq!(
            wrong(&[row("2", "5"), row("", "5")].join("\n")),
            ["3: line: is blank; a shipment of several rows numbers each"]
        );
        assert_eq!(
            wrong(&[row("", "5"), row("", "5")].join("\n")),
            ["2: line: is blank; a shipment of several rows numbers each"]
        );
    }

    #[test]
    fn the_rows_of_a_shipment_agree_in_what_is_said_of_all_of_it() {
        let other = row("2", "5").replace("2026-02-03,Acme", "2026-02-04,Other").replace("1000,,,", "1000,,yes,AWB");
        assert_eq!(
            wrong(&[row("1", "5"), other].join("\n")),
            [
                "3: effective_on: \"2026-02-04\" is not as in the first row of this shipment, on line 2",
                "3: exporter: \"Other\" is not as in the first row of this shipment, on line 2",
                "3: already_made: \"yes\" is not as in the first row of this shipment, on line 2",
                "3: reference: \"AWB\" is not as in the first row of this shipment, on line 2",
            ]
        );
        let no = row("2", "5").replace("1000,,,", "1000,,no,");
        assert_eq!(shipment(&[row("1", "5"), no].join("\n")).lines.len(), 2, "a blank already_made says no");
    }

    #[test]
    fn a_row_without_an_id_spoils_the_shipment_that_it_may_belong_to() {
        let nameless = row("2", "5").replacen("S1", "", 1);
        assert_eq!(wrong(&[row("1", "5"), nameless.clone()].join("\n")), ["3: shipment_id: is blank"]);
        let other = items(&[row("1", "5"), nameless.replace("Acme", "Other")].join("\n"));
        assert_eq!(other.iter().map(|item| item.value.is_ok()).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn nothing_is_received_before_it_is_shipped() {
        let received = |day: &str| format!("S1,,2026-02-03,Acme,LPP,,PL,BETA,,,,{day},3A090.a,,1,1,,,");
        assert_eq!(wrong(&received("2026-02-02")), ["2: received_on: \"2026-02-02\" is before effective_on, 2026-02-03"]);
        assert!(wrong(&received("2026-02-03")).is_empty());
    }

    #[test]
    fn all_problems_of_a_row_are_told() {
        let told = wrong("S 1,0,2026-02-30,,LLP,sale,Atlantis,B C,D E,maybe,,x,3A09,abacus,1e9,x,-1,ja,");
        let columns: Vec<&str> = told.iter().map(|told| told.split(": ").nth(1).unwrap_or_default()).collect();
        assert_eq!(
            columns,
            [
                "shipment_id",
                "effective_on",
                "exporter",
                "already_made",
                "line",
                "authorization",
                "activity",
                "destination",
                "consignee",
                "operator",
                "through_distributor",
                "received_on",
                "eccn",
                "quantity",
                "device",
                "tpp_per_unit",
                "tpp_aggregated",
            ]
        );
    }

    #[test]
    fn a_shipment_of_too_many_lines_is_told_once() {
        let rows: Vec<String> = (1..=LINES_MAX + 5).map(|line| row(&line.to_string(), "1")).collect();
        let told = wrong(&rows.join("\n"));
        assert!(told.len() == 1 && told[0].starts_with("10002: line: \"10001\" is more than a shipment may have"), "{told:?}");
    }
}
