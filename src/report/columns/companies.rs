//! Columns of the reports on companies: lpp.csv, nveu.csv, uveu.csv, notices.csv.

use super::col;
use crate::report::table::ColumnType::{Amount, Code, Day, Percent, Text, Whole};
use crate::report::table::{Column, Schema};

const PARTY: &str = "Identifier of the company, as in the parties files.";
const STATUS: &str = "overrun: past the limit; met: nothing is left; open; no_limit: none is in force.";

fn company() -> [Column; 2] {
    [col("party", Code, "", PARTY), col("party_name", Text, "", "Its name, as last described; empty where it is not.")]
}

/// lpp.csv: one row an ultimate parent and year.
pub fn lpp() -> Schema {
    let mut columns = vec![col("year", Whole, "", "Calendar year of the allocation.")];
    columns.extend(company());
    columns.extend([
        col("headquarters", Code, "", "Country of its headquarters, ISO 3166-1 alpha-2; empty where it is not stated."),
        col("as_of", Day, "day", "Charges on or before this day are counted."),
        col("shipped_tpp", Amount, "TPP", "Charged by shipments recorded here."),
        col("certified_tpp", Amount, "TPP", "What certificates state beyond what is recorded here."),
        col("balance_tpp", Amount, "TPP", "Shipped + certified."),
        col("limit_tpp", Amount, "TPP", "Limit of the year; empty where none is in force."),
        col("headroom_tpp", Amount, "TPP", "Limit - balance; below zero is an overrun."),
        col("status", Code, "", STATUS),
        col("cite", Text, "", "Section of the regulation on which the row rests."),
    ]);
    Schema { name: "lpp", title: "Yearly limit of each company under LPP", key: &["year", "party"], columns }
}

/// nveu.csv: one row a company and country.
pub fn nveu() -> Schema {
    let mut columns = company().to_vec();
    columns.extend([
        col("country", Code, "", "Country of the authorization, ISO 3166-1 alpha-2."),
        col("as_of", Day, "day", "Charges on or before this day are counted."),
        col("base_tpp", Amount, "TPP", "Installed base: what was shipped and installed, less what was lost or moved away."),
        col("limit_tpp", Amount, "TPP", "Limit of the day's quarter; empty where none is in force."),
        col("limit_from", Day, "day", "First day of that limit."),
        col("headroom_tpp", Amount, "TPP", "Limit - base; below zero is an overrun."),
        col("headroom_floor_tpp", Amount, "TPP", "Lowest headroom on any day from as_of on: what a new shipment must fit in."),
        col("status", Code, "", STATUS),
        col("cite", Text, "", "Section of the regulation on which the row rests."),
    ]);
    Schema { name: "nveu", title: "Limit of each national validated end user", key: &["party", "country"], columns }
}

/// uveu.csv: one row a group, day, share and country.
pub fn uveu() -> Schema {
    let mut columns = company().to_vec();
    columns.extend([
        col("measured_on", Day, "day", "Day on which the share is measured."),
        col("measured_as", Code, "", "as_of: as if measured on the as-of day; reporting_date: on the last one before it."),
        col("share", Code, "", "Which share, by its key in the regime."),
        col("country", Code, "", "Country, for a share of each one; empty for a share of all."),
        col("part_tpp", Amount, "TPP", "What the share looks at."),
        col("base_tpp", Amount, "TPP", "The whole installed base of the group."),
        col("share_pct", Percent, "%", "Part / base x 100, to two decimals; empty over an empty base."),
        col("at_most_pct", Percent, "%", "The share may be so much."),
        col("room_installed_tpp", Amount, "TPP", "More that may come from outside the base, which grows with it."),
        col("room_moved_tpp", Amount, "TPP", "More that may be moved there from where the share does not look."),
        col("status", Code, "", STATUS),
        col("cite", Text, "", "Section of the regulation on which the row rests."),
    ]);
    let key = &["party", "measured_on", "measured_as", "share", "country"];
    Schema { name: "uveu", title: "Shares of each universal validated end user's base", key, columns }
}

/// The charges of an account: an explanation's rows.
pub fn charges() -> Schema {
    let columns = vec![
        col("seq", Whole, "", "Number of the record."),
        col("effective_on", Day, "day", "Day from which the charge counts."),
        col("kind", Code, "", "Why: shipped, installed, moved, attrition, certified, corrected or recharged."),
        col("tpp", Amount, "TPP", "What moves."),
        col("balance_tpp", Amount, "TPP", "Sum of the charges so far."),
        col("event_id", Text, "", "Shipment, holding or statement that posts it."),
        col("reference", Text, "", "Document."),
        col("recorded_at", Code, "", "Moment at which the ledger learned of it, UTC."),
    ];
    Schema { name: "charges", title: "Charges of an account", key: &["seq", "effective_on", "kind"], columns }
}

/// notices.csv: what falls due in the quarter.
pub fn notices() -> Schema {
    let columns = vec![
        col("due_on", Day, "day", "Last day for it."),
        col("notice", Code, "", "Which, by its key in the regime."),
        col("authorization", Code, "", "Exception or authorization."),
        col("party", Text, "", "Whose: a company's identifier, or the exporter's name."),
        col("because", Text, "", "Shipment, account or date that makes it due."),
        col("tpp", Amount, "TPP", "Amount that makes it due; empty where none does."),
        col("filed_by", Text, "", "Who files it."),
        col("addressee", Text, "", "With whom."),
        col("subject", Text, "", "Subject line, where the regulation gives one."),
        col("cite", Text, "", "Section of the regulation on which the row rests."),
    ];
    Schema { name: "notices", title: "What is to be filed", key: &["due_on", "notice", "party", "because"], columns }
}
