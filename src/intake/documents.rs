//! Documents: acts, parties, applications, holdings, shipments, events, told apart by their header and never by the name
//! of the file.
//!
//! No cell is looked at here. The order of the variants is the order in which a job takes them: limits first, then who is
//! who, then what is asked, held and shipped, then what happens to it. Invariant: a header is of one document, or a problem
//! that says what each document needs.

use super::acts::ActColumn;
use super::applications::ApplicationColumn;
use super::events::EventColumn;
use super::holdings::HoldingColumn;
use super::parties::PartyColumn;
use super::place::{Problem, did_you_mean};
use super::shipments::ShipmentColumn;
use super::table::{Column, Row, TableReader};
use std::fmt;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Document {
    /// What the administrator does to limits.
    Acts,
    /// What is stated of companies.
    Parties,
    /// Requests for licenses.
    Applications,
    /// What companies hold, move, lose and certify.
    Holdings,
    /// What is shipped without a license.
    Shipments,
    /// What happens to an application or license.
    Events,
}

impl Document {
    /// All of them, in the order in which a job takes them.
    pub const ALL: [Document; 6] =
        [Document::Acts, Document::Parties, Document::Applications, Document::Holdings, Document::Shipments, Document::Events];
    /// The column that only one document has, for each but applications, which have none that may not be misspelled.
    const MARKS: [(&str, Document); 5] = [
        ("act", Document::Acts),
        ("statement", Document::Parties),
        ("holding", Document::Holdings),
        ("shipment_id", Document::Shipments),
        ("event", Document::Events),
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Document::Acts => "acts",
            Document::Parties => "parties",
            Document::Applications => "applications",
            Document::Holdings => "holdings",
            Document::Shipments => "shipments",
            Document::Events => "events",
        }
    }

    /// Its columns in the order of the documentation, and whether each is required.
    pub fn columns(self) -> Vec<(&'static str, bool)> {
        fn of<C: Column>() -> Vec<(&'static str, bool)> {
            C::ALL.iter().map(|column| (column.name(), column.is_required())).collect()
        }
        match self {
            Document::Acts => of::<ActColumn>(),
            Document::Parties => of::<PartyColumn>(),
            Document::Applications => of::<ApplicationColumn>(),
            Document::Holdings => of::<HoldingColumn>(),
            Document::Shipments => of::<ShipmentColumn>(),
            Document::Events => of::<EventColumn>(),
        }
    }

    /// What a table holds, by its header: each document has a column of its own, applications none of these.
    ///
    /// # Errors
    /// When the header fits none, or two. The next rows are then read as well: the header may stand below a title.
    pub fn of(table: &mut TableReader) -> Result<Document, Problem> {
        let has = |name: &str| table.header().iter().any(|column| column == name);
        let marked: Vec<Document> = Self::MARKS.into_iter().filter(|(name, _)| has(name)).map(|(_, document)| document).collect();
        match marked[..] {
            [document] => Ok(document),
            [] if Document::asks(has) => Ok(Document::Applications),
            _ => Err(unclear(table)),
        }
    }

    /// Whether a header is of applications: it has a column that neither acts nor events have, and no more of shipments, so
    /// that one with a misspelled `event` or `shipment_id` is not taken for one.
    fn asks(has: impl Fn(&str) -> bool) -> bool {
        let own = Document::Applications.columns();
        let others = [Document::Acts, Document::Events].map(Document::columns).concat();
        let known = |columns: &[(&'static str, bool)]| columns.iter().filter(|(name, _)| has(name)).count();
        let is_own = own.iter().any(|(name, _)| has(name) && !others.iter().any(|(other, _)| other == name));
        is_own && !has("event_id") && known(&own) >= known(&Document::Shipments.columns())
    }
}

/// Rows in which a header is looked for below the first one.
const TITLES_MAX: usize = 10;

/// The row further down that has the names of columns, if there is one.
fn lower_header(table: &mut TableReader, known: &[&str]) -> Option<u64> {
    let mut row = Row::default();
    for _ in 0..TITLES_MAX {
        if !table.next_row(&mut row) {
            return None;
        }
        // Cells that stand beside a title are problems of their row.
        let beside = row.problems.iter().filter_map(|problem| problem.value.as_deref());
        if row.record.iter().chain(beside).filter(|cell| known.contains(&cell.trim())).count() > 1 {
            return Some(row.line);
        }
    }
    None
}

fn unclear(table: &mut TableReader) -> Problem {
    let required = |document: Document| {
        let names: Vec<&str> = document.columns().into_iter().filter(|(_, required)| *required).map(|(name, _)| name).collect();
        format!("{document} need {}", names.join(", "))
    };
    let needed = Document::ALL.map(required).join("; ");
    let known: Vec<&str> = Document::ALL.iter().flat_map(|document| document.columns()).map(|(name, _)| name).collect();
    let meant = table.header().iter().filter(|name| !known.contains(&name.as_str())).find_map(|name| {
        did_you_mean(name, known.iter().copied())
            .map(|meant| format!("did you mean `{meant}` by `{}`? ", super::place::shortened(name)))
    });
    let place = table.origin().row(table.header_line());
    if meant.is_none()
        && !table.header().iter().any(|name| known.contains(&name.as_str()))
        && let Some(row) = lower_header(table, &known)
    {
        let what = format!("is no header; the names of the columns stand on {}", table.origin().row_name(row));
        return Problem::new(place, what, "delete what stands above them: the header comes first, and once");
    }
    let what = "has a header that is of no document, or of two";
    if !table.others().is_empty() {
        let sheets = table.others().iter().map(|name| super::place::shortened(name)).collect::<Vec<_>>().join(", ");
        let hint = format!("name the sheet with --sheet: the workbook has {sheets} too");
        return Problem::new(place, what, hint);
    }
    Problem::new(place, what, format!("{}{needed}", meant.unwrap_or_default()))
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<Document, Problem> {
        Document::of(&mut TableReader::from_cells("f.csv", &header.split(',').collect::<Vec<_>>(), &[]))
    }

    #[test]
    fn a_document_is_told_by_its_header() {
        assert_eq!(of("event_id,effective_on,event,application_number"), Ok(Document::Events));
        assert_eq!(of("event_id,effective_on,act,destination,reference"), Ok(Document::Acts));
        assert_eq!(of("application_number,eccn,quantity"), Ok(Document::Applications));
        assert_eq!(of("applicant,wrong"), Ok(Document::Applications));
        assert_eq!(of("event_id,effective_on,statement,party"), Ok(Document::Parties));
        assert_eq!(of("event_id,effective_on,holding,authorization,party,tpp"), Ok(Document::Holdings));
        assert_eq!(of("shipment_id,effective_on,exporter,destination,eccn,quantity"), Ok(Document::Shipments));
    }

    #[test]
    fn an_unclear_header_is_told_what_each_document_needs() {
        let problem = of("event_id,effective_on,evnt").unwrap_err();
        assert_eq!(problem.to_string().lines().count(), 2);
        assert!(
            problem
                .hint
                .starts_with("did you mean `event` by `evnt`? acts need event_id, effective_on, act, destination, reference; ")
        );
        assert!(problem.hint.contains(
            "applications need application_number, submitted_on, applicant, ultimate_consignee, destination, eccn, quantity; "
        ));
        assert!(problem.hint.ends_with("events need event_id, effective_on, event"));
        let misspelled = of("shipmentid,effective_on,exporter,authorization,destination,consignee,eccn,quantity").unwrap_err();
        assert!(misspelled.hint.starts_with("did you mean `shipment_id` by `shipmentid`? "), "{}", misspelled.hint);
        assert!(of("statement,holding").is_err());
        assert!(of("event,act").is_err() && of("a,b").is_err() && of("application_number,quantity").is_err());
    }
}
