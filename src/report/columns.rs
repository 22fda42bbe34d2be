//! The column dictionary: name, type, unit and meaning of every column of every report.
//!
//! One word has one meaning everywhere: these are the headers of the CSV files, the names in JSON, the fields of
//! `datapackage.json` and the tables of `reports/README.md`, which [`dictionary_markdown`] prints and a test compares.
//! No figure is made here. Invariant: the order of columns is a contract; a new column goes to the end of its report.

pub mod companies;

use super::table::{Column, ColumnType, Schema};
use ColumnType::{Amount, Code, Day, Percent, Text, Whole};
use std::fmt::Write;

const fn col(name: &'static str, kind: ColumnType, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind, unit, meaning }
}

/// What `headroom.csv` may hold beside its base columns.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct HeadroomExtras {
    /// The headroom floor and its day: `--floor`, and always in a pack.
    pub floor: bool,
    /// Headroom in whole units of a device: `--in DEVICE`.
    pub units: bool,
}

/// headroom.csv: one row a destination.
pub fn headroom(extras: HeadroomExtras) -> Schema {
    let mut columns = vec![
        col("regime", Text, "", "Short name of the body of rules under which the figures hold."),
        col("allocation", Code, "", "Rule that limits: country is the country allocation."),
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col("period", Code, "", "First and last day over which the allocation is cumulative, both included."),
        col("as_of", Day, "day", "Entries effective on or before this day are counted."),
        col("base_tpp", Amount, "TPP", "Limit of the regulation before increases; empty where no limit is in force."),
        col("increase_tpp", Amount, "TPP", "Increases in force for a committed government."),
        col("limit_tpp", Amount, "TPP", "Base + increase."),
        col("withheld_tpp", Amount, "TPP", "Set aside from issue by the administrator."),
        col("licensed_tpp", Amount, "TPP", "Licensed, less what was given back, limited or not."),
        col("licensed_not_limited_tpp", Amount, "TPP", "The part of licensed to which the country limit does not apply."),
        col("shipped_tpp", Amount, "TPP", "The part of licensed that left and is still in place."),
        col("unshipped_tpp", Amount, "TPP", "Licensed - shipped."),
        col("pending_tpp", Amount, "TPP", "Requested in applications not yet decided; it does not count in law."),
        col("headroom_tpp", Amount, "TPP", "Limit - withheld - licensed; below zero is an overrun."),
        col("headroom_after_pending_tpp", Amount, "TPP", "Headroom - pending."),
        col("utilization_pct", Percent, "%", "Licensed / limit x 100, rounded half to even, never clipped."),
        col(
            "status",
            Code,
            "",
            "overrun, met, critical, open; uncapped, presumption_of_denial or not_in_force where there is no limit.",
        ),
        col("cite", Text, "", "Section of the regulation on which the row rests."),
    ];
    if extras.floor {
        columns.push(col(
            "headroom_floor_tpp",
            Amount,
            "TPP",
            "Lowest headroom on any day from as_of to the end of the period: what a new license must fit in.",
        ));
        columns.push(col("floor_on", Day, "day", "First day on which the headroom is that low."));
    }
    if extras.units {
        columns.push(col("headroom_units", Whole, "units", "Whole units of the device named by --in that fit in the headroom."));
    }
    Schema { name: "headroom", title: "Headroom of each destination", key: &["allocation", "destination", "as_of"], columns }
}

/// movements.csv: how a quarter's opening became its closing.
pub fn movements() -> Schema {
    let columns = vec![
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col("quarter", Code, "", "Calendar quarter, e.g. 2026-Q2."),
        col("opening_licensed_tpp", Amount, "TPP", "Licensed at the end of the day before the quarter."),
        col("carried_in_tpp", Amount, "TPP", "Licensed before this ledger was kept, entered in the quarter."),
        col("issued_tpp", Amount, "TPP", "Charged by licenses, and by shipments that no license covered."),
        col("expired_tpp", Amount, "TPP", "Given back: unused at expiry; less for licenses, so positive."),
        col("revoked_tpp", Amount, "TPP", "Given back: unshipped at revocation."),
        col("surrendered_tpp", Amount, "TPP", "Given back: surrendered by the licensee."),
        col("amended_tpp", Amount, "TPP", "Given back by setting a licensed quantity anew; a rise is negative."),
        col("attrition_tpp", Amount, "TPP", "Given back: shipped and since lost."),
        col("corrected_tpp", Amount, "TPP", "Given back by undoing a corrected event; what rises again is negative."),
        col("closing_licensed_tpp", Amount, "TPP", "Opening + carried in + issued - each kind of give-back."),
        col(
            "opening_limit_tpp",
            Amount,
            "TPP",
            "Limit at the end of the day before the quarter; the base in the first quarter, 0 where a limit begins inside the quarter.",
        ),
        col("base_change_tpp", Amount, "TPP", "Change of the base in the quarter, e.g. by an annual review."),
        col("increase_tpp", Amount, "TPP", "Change of the increases in force in the quarter."),
        col("closing_limit_tpp", Amount, "TPP", "Opening limit + base change + increase."),
        col("opening_withheld_tpp", Amount, "TPP", "Withheld at the end of the day before the quarter."),
        col("closing_withheld_tpp", Amount, "TPP", "Withheld at the end of the quarter."),
        col("closing_headroom_tpp", Amount, "TPP", "Closing limit - closing withheld - closing licensed."),
    ];
    Schema { name: "movements", title: "Movements of the quarter", key: &["destination", "quarter"], columns }
}

/// The restatement of a filed quarter: of each destination what was filed, each change since, and what is known now.
pub fn restatement() -> Schema {
    let columns = vec![
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col(
            "row",
            Code,
            "",
            "filed, now, or why it changed: the kind of the entry; regime where other rules were adopted since.",
        ),
        col("seq", Whole, "", "Record that changes it."),
        col("event_id", Text, "", "Event, act or application that changes it."),
        col("effective_on", Day, "day", "Day from which the change counts."),
        col("recorded_at", Code, "", "Moment at which the ledger learned of it, UTC."),
        col("recorded_by", Text, "", "Who recorded it."),
        col("limit_tpp", Amount, "TPP", "Limit; in a change, by how much."),
        col("withheld_tpp", Amount, "TPP", "Set aside from issue; in a change, by how much."),
        col("licensed_tpp", Amount, "TPP", "Licensed; in a change, by how much."),
        col("shipped_tpp", Amount, "TPP", "Shipped; in a change, by how much."),
        col("pending_tpp", Amount, "TPP", "Pending; in a change, by how much."),
        col("headroom_tpp", Amount, "TPP", "Limit - withheld - licensed; in a change, by how much."),
    ];
    Schema {
        name: "restatement",
        title: "What was filed, what changed, what is known now",
        key: &["destination", "seq", "row", "effective_on"],
        columns,
    }
}

/// schedule.csv: what is already known to change headroom after the as-of day.
pub fn schedule() -> Schema {
    let columns = vec![
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col("day", Day, "day", "Day on which the headroom changes, up to the end of the period."),
        col("kind", Code, "", "Why it changes: the kind of the entries, e.g. expired, issued or increase."),
        col("tpp", Amount, "TPP", "By how much the headroom changes; a fall is negative."),
    ];
    Schema { name: "schedule", title: "What is already known to change headroom", key: &["destination", "day", "kind"], columns }
}

/// refusals.csv: every refusal with its numbers, one row for each limit that was broken.
pub fn refusals() -> Schema {
    let columns = vec![
        col("seq", Whole, "", "Number of the record."),
        col("event_id", Text, "", "Id of the event or act that was refused; it stays refused for ever."),
        col("effective_on", Day, "day", "Day from which it would have counted."),
        col("event", Code, "", "What was asked: the event or act."),
        col("application_number", Text, "", "Application; empty for an act."),
        col("line", Whole, "", "Line of the application, where one line alone was asked."),
        col("destination", Code, "", "Country in whose allocation it does not fit; NA is Namibia."),
        col(
            "allocation",
            Code,
            "",
            "Allocation that limits: country is the country allocation, else a company's account, e.g. LPP:ACME:year=2026.",
        ),
        col("code", Code, "", "Reason of the refusal."),
        col("requested_tpp", Amount, "TPP", "Rise that was asked for, net over the lines of the event."),
        col("limit_tpp", Amount, "TPP", "Limit on floor_on."),
        col("headroom_floor_tpp", Amount, "TPP", "Headroom on floor_on."),
        col("floor_on", Day, "day", "First day with the largest shortfall."),
        col("shortfall_tpp", Amount, "TPP", "By how much it does not fit."),
        col("largest_tpp", Amount, "TPP", "Largest rise that would fit; 0 where the headroom is below zero."),
        col("largest_quantity", Whole, "units", "Largest quantity of the single line that would fit; of an amend the new total."),
        col("cite", Text, "", "Section of the regulation that was not met."),
    ];
    Schema { name: "refusals", title: "Refusals", key: &["seq", "destination", "allocation"], columns }
}

/// applications.csv: the register of applications, one row a line item. The columns of the input come first.
pub fn applications() -> Schema {
    let columns = vec![
        col("application_number", Text, "", "Number of the application."),
        col("revision", Whole, "", "Revision in force."),
        col("submitted_on", Day, "day", "Day of submission; pending from then on."),
        col("applicant", Text, "", "Who applies."),
        col("ultimate_consignee", Text, "", "Who receives the items in the end."),
        col("consignee_headquarters", Code, "", "Country in which the ultimate consignee is headquartered."),
        col("parent_headquarters", Code, "", "Country in which its ultimate parent is headquartered."),
        col("consignee_kind", Code, "", "private_sector or government."),
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("activity", Code, "", "export, reexport or transfer."),
        col("line", Whole, "", "Number of the line item."),
        col("eccn", Code, "", "Export control classification number with its paragraph."),
        col("device", Text, "", "Device or system of the catalogue."),
        col("tpp_per_unit", Amount, "TPP", "TPP of one unit, as declared."),
        col("tpp_aggregated", Amount, "TPP", "TPP of the whole line, as declared in block 22(j)."),
        col("quantity", Whole, "units", "Units requested."),
        col("purchase_order", Text, "", "Order number."),
        col("end_use", Text, "", "Stated end use."),
        col("destination_name", Text, "", "Name of the destination."),
        col("state", Code, "", "State of the application or of its license on the as-of day."),
        col("counts", Code, "", "yes where the line counts, or would if licensed, against an allocation; else no."),
        col(
            "limited",
            Code,
            "",
            "yes where the country limit binds the line; no where it counts without being limited, or not at all.",
        ),
        col("requested_tpp", Amount, "TPP", "TPP of the quantity requested."),
        col("licensed_tpp", Amount, "TPP", "Licensed, less what was given back."),
        col("shipped_tpp", Amount, "TPP", "The part of licensed that left and is still in place."),
        col("unshipped_tpp", Amount, "TPP", "Licensed - shipped."),
        col("license_number", Text, "", "Number of the license."),
        col("expires_on", Day, "day", "Last valid day of the license."),
        col("give_back_on", Day, "day", "Day on which the unused is given back."),
        col("findings", Code, "", "Codes of the findings, with a blank between them."),
        col("seq", Whole, "", "Number of the record of the revision in force."),
    ];
    Schema { name: "applications", title: "Register of applications", key: &["application_number", "line"], columns }
}

/// licenses.csv: the register of licenses, one row a line.
pub fn licenses() -> Schema {
    let columns = vec![
        col("license_number", Text, "", "Number of the license; empty where none was given at issue."),
        col("application_number", Text, "", "Number of the application on which it was issued."),
        col("line", Whole, "", "Number of the line item."),
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col("ultimate_consignee", Text, "", "Who receives the items in the end."),
        col("effective_on", Day, "day", "Day from which the license counts."),
        col("expires_on", Day, "day", "Last valid day."),
        col("give_back_on", Day, "day", "Day on which the unused is given back."),
        col("state", Code, "", "licensed, suspended, expired or revoked on the as-of day."),
        col("counts", Code, "", "yes where the line counts against an allocation; else no."),
        col(
            "limited",
            Code,
            "",
            "yes where the country limit binds the line; no where it counts without being limited, or not at all.",
        ),
        col("licensed_quantity", Whole, "units", "Units licensed, less what was given back."),
        col("shipped_quantity", Whole, "units", "Units that left and are still in place."),
        col("unshipped_quantity", Whole, "units", "Licensed - shipped."),
        col("licensed_tpp", Amount, "TPP", "TPP of the units licensed."),
        col("shipped_tpp", Amount, "TPP", "TPP of the units shipped."),
        col("unshipped_tpp", Amount, "TPP", "Licensed - shipped."),
        col("findings", Code, "", "Codes of the findings, with a blank between them."),
        col("seq", Whole, "", "Number of the record of the issue."),
    ];
    Schema { name: "licenses", title: "Register of licenses", key: &["application_number", "line"], columns }
}

/// The list of events and acts, one row a line.
pub fn events() -> Schema {
    let columns = vec![
        col("seq", Whole, "", "Number of the record."),
        col("event_id", Text, "", "Id, unique for ever."),
        col("effective_on", Day, "day", "Day from which the fact counts."),
        col("event", Code, "", "What happened: the event or act."),
        col("application_number", Text, "", "Application; empty for an act."),
        col("line", Whole, "", "Line, as given; empty for all."),
        col("quantity", Whole, "units", "Quantity, as given; empty for all that can be meant."),
        col("reference", Text, "", "Document, text of a note or order number."),
        col("findings", Code, "", "Codes of the findings, with a blank between them."),
        col("recorded_at", Code, "", "Moment at which the ledger learned of it, UTC."),
        col("recorded_by", Text, "", "Who recorded it."),
    ];
    Schema { name: "events", title: "Events and acts", key: &["seq", "line"], columns }
}

/// What screening says of each transaction.
pub fn screening() -> Schema {
    let columns = vec![
        col("transaction_id", Text, "", "Name of the transaction; the line of its row where it has none."),
        col("on", Day, "day", "The day it was screened for."),
        col("destination", Code, "", "Country of ultimate destination."),
        col("eccn", Text, "", "Classification, as given or by the device; empty where it is not known."),
        col("enforcement", Code, "", "Announcements on enforcement that bear on it, by their ids in the regime."),
        col("subject", Code, "", "Whether the rule reaches the item: yes, no, undetermined, open."),
        col("license_required", Code, "", "Whether a license is required: yes, no, undetermined, open."),
        col("required_by", Text, "", "Paragraphs that require it, or may."),
        col("available", Code, "", "Exceptions and authorizations that serve instead."),
        col("open", Code, "", "Those that serve by one reading of the text and not by another."),
        col("undetermined", Code, "", "Those that cannot be told from what is given."),
        col(
            "review_policy",
            Code,
            "",
            "How an application would be reviewed; several where it is not certain, the default first.",
        ),
        col("review_status", Code, "", "yes when the review policy is certain, else undetermined or open."),
        col("counts_in", Code, "", "Allocations that a license, or an exception, would be charged to."),
        col(
            "headroom_floor_tpp",
            Amount,
            "TPP",
            "What the ledger has left for a new license there, from that day to the end of the period.",
        ),
        col("to_file", Code, "", "What to file and keep, by ids in the regime."),
        col("may_have_to_file", Code, "", "The same where it depends on what is not known, or on how the text is read."),
        col("red_flags", Code, "", "What to clear up first, by ids in the regime."),
        col("needs", Code, "", "Columns that would have to be known for a sure answer."),
        col(
            "company_headroom",
            Text,
            "",
            "Accounts that it would be charged to, each with the TPP that the ledger has left there from that day on.",
        ),
        col("company_exceeded", Text, "", "Accounts for which a shipment of it would be refused."),
        col(
            "from_ledger",
            Text,
            "",
            "What the ledger states of its parties: facts filled, facts that differ, parties not there.",
        ),
    ];
    Schema { name: "screening", title: "What transactions need", key: &["transaction_id"], columns }
}

/// The sheet of one application, one row a line item.
pub fn application_sheet() -> Schema {
    let columns = vec![
        col("application_number", Text, "", "Number of the application."),
        col("revision", Whole, "", "Revision in force."),
        col("line", Whole, "", "Number of the line item."),
        col("destination", Code, "", "Country of ultimate destination, ISO 3166-1 alpha-2 (and XK); NA is Namibia."),
        col("destination_name", Text, "", "Name of the destination."),
        col("eccn", Code, "", "Export control classification number with its paragraph."),
        col("device", Text, "", "Device or system of the catalogue; empty where the line names none."),
        col("quantity", Whole, "units", "Units requested."),
        col("ic", Text, "", "The integrated circuit, by its name in the catalogue."),
        col("ics_per_unit", Whole, "", "Integrated circuits in one unit."),
        col("ics", Whole, "units", "Quantity x integrated circuits in one unit."),
        col("rate_format", Code, "", "Number format of the dense peak rate that gives the highest TPP, e.g. fp8."),
        col("rate_tops", Text, "", "That rate in tera operations a second, which is 2 x MacTOPS."),
        col("rate_bits", Whole, "", "Bit length of the inputs to its multiplication."),
        col("ic_tpp", Amount, "TPP", "TPP of one integrated circuit: rate x bits, Technical Notes to 3A090.a and .b."),
        col("performance_density", Text, "", "TPP of one integrated circuit by mm2 of applicable die area, where that is known."),
        col(
            "catalogue_tpp",
            Amount,
            "TPP",
            "Integrated circuits x TPP of one, by the catalogue; empty where no device is named.",
        ),
        col("tpp_per_unit", Amount, "TPP", "TPP of one unit, as declared."),
        col("tpp_aggregated", Amount, "TPP", "TPP of the whole line, as declared in block 22(j)."),
        col("aggregate_tpp", Amount, "TPP", "For block 22(j): the TPP of every integrated circuit of the line, added up."),
        col("basis", Code, "", "Where the aggregate comes from: device_catalogue, tpp_per_unit or tpp_aggregated."),
        col("findings", Code, "", "Codes of the findings, with a blank between them."),
        col("purchase_order", Text, "", "Order number."),
        col("source", Text, "", "Sources of the catalogue's figures; as declared where the line declares its own."),
    ];
    Schema { name: "application_sheet", title: "Sheet of an application", key: &["application_number", "line"], columns }
}

/// What differs between two regimes.
pub fn regime_diff() -> Schema {
    let columns = vec![
        col("number", Whole, "", "Place of the row: what is told in words, then what differs in the data."),
        col(
            "part",
            Code,
            "",
            "words: a difference between a summary and the regulation; list: members of a list; value: a single value.",
        ),
        col("what", Text, "", "Id of the difference, or the name of the list or value."),
        col("first", Text, "", "What the first regime says; of a list, what it alone has."),
        col("second", Text, "", "What the second regime says; of a list, what it alone has."),
        col("follows", Text, "", "What follows for someone who worked by the summary."),
        col("cite", Text, "", "Section of the regulation, or the document; of both regimes where they differ."),
        col("source", Text, "", "Where a difference in words was read, and how sure it is."),
    ];
    Schema { name: "regime_diff", title: "What differs between two regimes", key: &["number"], columns }
}

/// The entries behind a figure; each column sums to the figure of that name.
pub fn entries() -> Schema {
    let columns = vec![
        col("seq", Whole, "", "Number of the record that posted the entry."),
        col("ord", Whole, "", "Place of the entry within its record."),
        col("effective_on", Day, "day", "Day from which the entry counts."),
        col("kind", Code, "", "Why it moves what it moves."),
        col("pending_tpp", Amount, "TPP", "Movement of what is pending."),
        col("licensed_tpp", Amount, "TPP", "Movement of licensed: a charge is positive, a give-back negative."),
        col("licensed_not_limited_tpp", Amount, "TPP", "Movement of the part that the limit does not bind."),
        col("shipped_tpp", Amount, "TPP", "Movement of shipped."),
        col("increase_tpp", Amount, "TPP", "Movement of the limit's increase."),
        col("withheld_tpp", Amount, "TPP", "Movement of what is withheld."),
        col("event_id", Text, "", "Event, act or application that posted it."),
    ];
    Schema { name: "entries", title: "Entries behind a figure", key: &["seq", "ord"], columns }
}

/// Every report in the order of the documentation, with all columns it may have.
pub fn all() -> Vec<Schema> {
    let extras = HeadroomExtras { floor: true, units: true };
    vec![
        headroom(extras),
        movements(),
        schedule(),
        applications(),
        licenses(),
        refusals(),
        events(),
        restatement(),
        entries(),
        screening(),
        application_sheet(),
        regime_diff(),
        companies::lpp(),
        companies::nveu(),
        companies::uveu(),
        companies::notices(),
        companies::charges(),
    ]
}

/// The dictionary as Markdown, for `reports/README.md`.
pub fn dictionary_markdown() -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string does not fail");
    for schema in all() {
        line(format_args!("### {}\n", schema.name));
        line(format_args!("{}. Sorted by `{}`, which tells one row from another.\n", schema.title, schema.key.join("`, `")));
        line(format_args!("| column | type | unit | meaning |\n| --- | --- | --- | --- |"));
        for column in &schema.columns {
            let kind = column.kind.frictionless();
            line(format_args!("| `{}` | {kind} | {} | {} |", column.name, column.unit, column.meaning.replace('|', "\\|")));
        }
        line(format_args!(""));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(schema: &Schema) -> String {
        schema.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn headroom_has_the_columns_of_the_contract_in_order() {
        let base = "regime, allocation, destination, destination_name, period, as_of, base_tpp, increase_tpp, limit_tpp, withheld_tpp, licensed_tpp, \
                    licensed_not_limited_tpp, shipped_tpp, unshipped_tpp, pending_tpp, headroom_tpp, headroom_after_pending_tpp, utilization_pct, status, cite";
        assert_eq!(names(&headroom(HeadroomExtras::default())), base);
        let floor = HeadroomExtras { floor: true, units: false };
        assert_eq!(names(&headroom(floor)), format!("{base}, headroom_floor_tpp, floor_on"));
        assert_eq!(names(&all()[0]), format!("{base}, headroom_floor_tpp, floor_on, headroom_units"));
    }

    #[test]
    fn movements_and_refusals_have_the_columns_of_the_contract_in_order() {
        assert_eq!(
            names(&movements()),
            "destination, destination_name, quarter, opening_licensed_tpp, carried_in_tpp, issued_tpp, expired_tpp, revoked_tpp, surrendered_tpp, \
             amended_tpp, attrition_tpp, corrected_tpp, closing_licensed_tpp, opening_limit_tpp, base_change_tpp, increase_tpp, closing_limit_tpp, \
             opening_withheld_tpp, closing_withheld_tpp, closing_headroom_tpp"
        );
        assert_eq!(
            names(&refusals()),
            "seq, event_id, effective_on, event, application_number, line, destination, allocation, code, requested_tpp, limit_tpp, headroom_floor_tpp, \
             floor_on, shortfall_tpp, largest_tpp, largest_quantity, cite"
        );
    }

    #[test]
    fn every_column_has_one_sentence_and_a_unit_that_fits_its_type() {
        for schema in all() {
            let mut seen = BTreeSet::new();
            for column in &schema.columns {
                let place = format!("{}.{}", schema.name, column.name);
                assert!(seen.insert(column.name), "{place} stands twice");
                assert!(
                    column.meaning.ends_with('.') && !column.meaning.replace("e.g. ", "").contains(". "),
                    "{place}: one sentence"
                );
                let unit_fits = match column.kind {
                    Amount => column.unit == "TPP",
                    Percent => column.unit == "%",
                    Day => column.unit == "day",
                    Whole => matches!(column.unit, "" | "units"),
                    Text | Code => column.unit.is_empty(),
                };
                assert!(unit_fits, "{place}: unit {:?}", column.unit);
                assert_eq!(column.kind == Amount, column.name.contains("tpp"), "{place}: an amount says so in its name");
            }
            assert!(schema.key.iter().all(|name| seen.contains(name)), "{}: the key is of its columns", schema.name);
        }
    }

    #[test]
    fn the_dictionary_has_a_line_for_every_column() {
        let lines = dictionary_markdown().lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(lines, all().iter().map(|schema| schema.columns.len()).sum::<usize>());
    }
}
