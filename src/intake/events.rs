//! Events: consecutive rows that share an event_id, as one [`Event`] with a line a row.
//!
//! Only what a row can say of itself is checked here: which cells its kind of event takes and needs, and that the
//! rows of one event agree. Whether the application's state allows it is the replay's to say. Invariant: the lines of
//! an event are in order of their numbers, each once; a kind that takes no lines has one blank line.

use super::cells::{Cells, LINE_MAX, QUANTITY_MAX};
use super::items::{Form, ItemReader};
use super::place::Problem;
use super::table::{Column, columns};
use crate::quota::event::{Basis, Event, EventKind, EventLine};
use chrono::NaiveDate;

/// Lines that one event may have.
const LINES_MAX: usize = 10_000;

columns! {
    /// Columns of events.
    EventColumn {
        EventId = "event_id" required,
        EffectiveOn = "effective_on" required,
        Event = "event" required,
        ApplicationNumber = "application_number",
        Line = "line",
        Quantity = "quantity",
        Basis = "basis",
        LicenseNumber = "license_number",
        ExpiresOn = "expires_on",
        Corrects = "corrects",
        Reference = "reference",
        OverrunAuthority = "overrun_authority",
    }
}

use EventColumn as C;

/// Reads events; consecutive rows that share an event_id are one.
pub type EventReader = ItemReader<EventForm>;

/// The event that is being read.
#[derive(Default)]
pub struct EventForm {
    first: Option<Head>,
    lines: Vec<EventLine>,
    /// Row of a line without a number.
    unnamed: Option<u64>,
    too_many: bool,
}

/// What all rows of an event share, as far as it can be read in one of them.
struct Head {
    id: Option<String>,
    effective_on: Option<NaiveDate>,
    kind: Option<EventKind>,
    application: Option<String>,
    license_number: Option<String>,
    basis: Option<Basis>,
    expires_on: Option<NaiveDate>,
    corrects: Option<String>,
    reference: Option<String>,
    overrun_authority: Option<String>,
    /// Columns whose cell is blank, a bit each.
    blank: u32,
    row: u64,
}

impl Form for EventForm {
    type Column = C;
    type Value = Event;
    const ID: C = C::EventId;

    fn continues(&self, id: &str, cells: &Cells<C>) -> bool {
        let Some(first) = &self.first else { return false };
        let own = cells.text(C::EventId);
        if !own.is_empty() {
            return own == id;
        }
        // A row without an id that says nothing else is taken for a row of the event above it, so that this one is
        // not recorded without it.
        let (day, kind, application) = (cells.raw(C::EffectiveOn), cells.raw(C::Event), cells.text(C::ApplicationNumber));
        (day.is_empty() || cells.columns.dates.parse(day) == first.effective_on)
            && (kind.is_empty() || EventKind::parse(kind) == first.kind)
            && (application.is_empty() || Some(application) == first.application.as_deref())
    }

    fn add(&mut self, cells: &mut Cells<C>) {
        if self.too_many {
            return;
        }
        let here = read_head(cells);
        let kind = self.first.as_ref().map_or(here.kind, |first| first.kind);
        let basis = self.first.as_ref().map_or(here.basis, |first| first.basis);
        if let Some(kind) = kind {
            check_places(kind, cells);
        }
        match &self.first {
            Some(first) => compare(first, &here, cells),
            None => {
                if let Some(kind) = kind {
                    check_needs(kind, &here, cells);
                }
                self.first = Some(here);
            }
        }
        if let Some(line) = read_line(kind, basis, cells) {
            self.insert(line, cells);
        }
    }

    fn finish(&mut self, cells: &mut Cells<C>) -> Option<Event> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_unstable_by_key(|line| line.line);
        if let Some(row) = self.unnamed.take()
            && lines.len() > 1
        {
            let place = cells.origin.row(row).at(C::Line.name());
            cells.problems.push(Problem::new(
                place,
                "is blank; an event of several rows names a line in each",
                "write the line's number in each row",
            ));
        }
        self.too_many = false;
        let first = self.first.take()?;
        Some(Event {
            id: first.id?,
            effective_on: first.effective_on?,
            kind: first.kind?,
            application: first.application,
            license_number: first.license_number,
            lines,
            basis: first.basis?,
            expires_on: first.expires_on,
            corrects: first.corrects,
            reference: first.reference,
            overrun_authority: first.overrun_authority,
            last_valid_day: None,
            resolved: Vec::new(),
        })
    }
}

impl EventForm {
    fn insert(&mut self, line: EventLine, cells: &mut Cells<C>) {
        let same = self.lines.iter().find(|other| other.line == line.line);
        match same {
            Some(other) if *other == line => {}
            Some(_) if line.line.is_some() => {
                cells.wrong(C::Line, "is named a second time in this event, with another quantity", "name each line once");
            }
            _ if self.lines.len() == LINES_MAX => {
                self.too_many = true;
                cells.wrong(C::Line, format!("is more than an event may have: {LINES_MAX} lines"), "split the event");
            }
            _ => {
                if line.line.is_none() {
                    self.unnamed = Some(cells.row.line);
                }
                if self.lines.is_empty() {
                    self.lines.reserve_exact(1);
                }
                self.lines.push(line);
            }
        }
    }
}

fn read_head(cells: &mut Cells<C>) -> Head {
    let id = cells.event_id(C::EventId);
    let effective_on = cells.required_day(C::EffectiveOn);
    let kind = if cells.required(C::Event, "say what happened, e.g. issue") {
        cells.word(C::Event, EventKind::ALL, EventKind::as_str)
    } else {
        None
    };
    let basis = cells.word(C::Basis, Basis::ALL, Basis::as_str);
    let blank = C::ALL.iter().filter(|column| cells.raw(**column).is_empty()).fold(0, |bits, column| bits | 1 << column.index());
    Head {
        id,
        effective_on,
        kind,
        application: cells.identifier(C::ApplicationNumber),
        license_number: cells.identifier(C::LicenseNumber),
        basis: if cells.raw(C::Basis).is_empty() { Some(Basis::Delta) } else { basis },
        expires_on: cells.day(C::ExpiresOn),
        corrects: cells.optional_text(C::Corrects),
        reference: cells.optional_text(C::Reference),
        overrun_authority: cells.optional_text(C::OverrunAuthority),
        blank,
        row: cells.row.line,
    }
}

/// Cells that stand where this kind of event takes none.
fn check_places(kind: EventKind, cells: &mut Cells<C>) {
    use EventKind as K;
    let lines: &[K] = &[K::Issue, K::Amend, K::Ship, K::Surrender, K::Attrition];
    let takers: [(C, &[K]); 6] = [
        (C::Line, lines),
        (C::Quantity, lines),
        (C::Basis, &[K::Ship, K::Attrition]),
        (C::ExpiresOn, &[K::Issue, K::Extend]),
        (C::Corrects, &[K::Correct]),
        (C::OverrunAuthority, &[K::Issue, K::Amend, K::Extend, K::Correct]),
    ];
    for (column, takers) in takers {
        if !takers.contains(&kind) && !cells.raw(column).is_empty() {
            let names = takers.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            cells.no_place(column, kind.as_str(), &names);
        }
    }
}

/// Cells that this kind of event needs, and how they stand to one another.
fn check_needs(kind: EventKind, head: &Head, cells: &mut Cells<C>) {
    if kind == EventKind::Extend {
        cells.required(C::ExpiresOn, "extend needs the new last valid day");
    }
    if kind == EventKind::Correct {
        cells.required(C::Corrects, "name the event_id of what is undone");
    } else if cells.raw(C::ApplicationNumber).is_empty() && cells.raw(C::LicenseNumber).is_empty() {
        cells.wrong(C::ApplicationNumber, "is blank, and so is license_number", "name the application or its license");
    }
    if let (Some(effective_on), Some(expires_on)) = (head.effective_on, head.expires_on)
        && expires_on < effective_on
        && matches!(kind, EventKind::Issue | EventKind::Extend)
    {
        cells.wrong(
            C::ExpiresOn,
            format!("is before effective_on, {effective_on}"),
            "a license is valid on its effective date at least",
        );
    }
}

/// A later row must agree with the first. A blank cell says the same, except where each row names the application.
fn compare(first: &Head, here: &Head, cells: &mut Cells<C>) {
    let is_blank = |head: &Head, column: C| head.blank >> column.index() & 1 == 1;
    let mut agree = |column: C, same: bool, readable: (bool, bool)| {
        // What cannot be read was told already, and is compared with nothing.
        let unreadable = (!readable.0 && !is_blank(first, column)) || (!readable.1 && !is_blank(here, column));
        let left_out = is_blank(here, column) && column != C::ApplicationNumber;
        if !same && !unreadable && !left_out {
            let what = format!("is not as in the first row of this event, on {}", cells.origin.row_name(first.row));
            cells.wrong(column, what, "rows that share an event_id agree in it");
        }
    };
    macro_rules! agree {
        ($($column:expr => $field:ident,)+) => {
            $(agree($column, first.$field == here.$field, (first.$field.is_some(), here.$field.is_some()));)+
        };
    }
    agree! {
        C::EffectiveOn => effective_on,
        C::Event => kind,
        C::ApplicationNumber => application,
        C::LicenseNumber => license_number,
        C::Basis => basis,
        C::ExpiresOn => expires_on,
        C::Corrects => corrects,
        C::Reference => reference,
        C::OverrunAuthority => overrun_authority,
    }
}

/// The line of a row, where its kind takes one.
fn read_line(kind: Option<EventKind>, basis: Option<Basis>, cells: &mut Cells<C>) -> Option<EventLine> {
    use EventKind as K;
    let Some(kind) = kind else {
        cells.whole(C::Line, 1, LINE_MAX);
        cells.whole(C::Quantity, 0, QUANTITY_MAX);
        return None;
    };
    if !matches!(kind, K::Issue | K::Amend | K::Ship | K::Surrender | K::Attrition) {
        return Some(EventLine { line: None, quantity: None });
    }
    let cumulative = basis == Some(Basis::Cumulative) && matches!(kind, K::Ship | K::Attrition);
    let least = u32::from(!(cumulative || kind == K::Amend));
    let before = cells.problems.len();
    let line = cells.whole(C::Line, 1, LINE_MAX);
    let quantity = cells.whole(C::Quantity, least, QUANTITY_MAX);
    if cumulative {
        cells.required(C::Line, "a cumulative feed names the line whose total it states");
    }
    if cumulative || matches!(kind, K::Amend | K::Attrition) {
        let hint = match kind {
            K::Amend => "amend sets the line's licensed quantity to it",
            _ if cumulative => "a cumulative feed states the total so far",
            _ => "attrition needs the number of units",
        };
        cells.required(C::Quantity, hint);
    }
    (cells.problems.len() == before).then_some(EventLine { line, quantity })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::items::Item;
    use crate::intake::table::TableReader;

    const HEADER: &str = "event_id,effective_on,event,application_number,line,quantity,basis,license_number,expires_on,corrects,reference,overrun_authority";

    fn items(rows: &str) -> Vec<Item<Event>> {
        let table = TableReader::from_reader("e.csv", std::io::Cursor::new(format!("{HEADER}\n{rows}\n"))).unwrap();
        EventReader::new(table, false).ok().unwrap().collect()
    }

    fn event(rows: &str) -> Event {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        items.remove(0).value.unwrap()
    }

    /// Places and words of the problems of the only event.
    fn wrong(rows: &str) -> Vec<String> {
        let mut items = items(rows);
        assert_eq!(items.len(), 1, "{rows}");
        let told = |problem: &Problem| problem.to_string().lines().next().unwrap_or_default().replace("e.csv:", "");
        items.remove(0).value.err().unwrap_or_default().iter().map(told).collect()
    }

    #[test]
    fn rows_that_share_an_id_are_one_event_in_order_of_lines() {
        let two = event("E1,2025-03-03,issue,Z1,2,20,,D1,2026-01-31,,ref,\nE1,2025-03-03,issue,Z1,1,80,,,,,,");
        assert_eq!(two.lines, [EventLine { line: Some(1), quantity: Some(80) }, EventLine { line: Some(2), quantity: Some(20) }]);
        assert_eq!((two.license_number.as_deref(), two.reference.as_deref()), (Some("D1"), Some("ref")));
        assert_eq!(items("E1,2025-03-03,hold,Z1,,,,,,,,\nE2,2025-03-03,resume,Z1,,,,,,,,").len(), 2);
    }

    #[test]
    fn a_blank_line_means_all_that_can_be_meant() {
        let all = event("E1,2025-03-03,issue,Z1,,,,,,,,");
        assert_eq!(all.lines, [EventLine { line: None, quantity: None }]);
        assert_eq!((all.basis, all.last_valid_day, all.resolved.len()), (Basis::Delta, None, 0));
        assert_eq!(event("E1,2025-03-03,revoke,,,,,D1,,,,").application, None);
    }

    #[test]
    fn the_same_row_twice_is_one_line() {
        assert_eq!(event("E1,2025-03-03,ship,Z1,1,5,,,,,,\nE1,2025-03-03,ship,Z1,1,5,,,,,,").lines.len(), 1);
        assert_eq!(event("E1,2025-03-03,hold,Z1,,,,,,,,\nE1,2025-03-03,hold,Z1,,,,,,,,").lines.len(), 1);
        assert_eq!(
            wrong("E1,2025-03-03,ship,Z1,1,5,,,,,,\nE1,2025-03-03,ship,Z1,1,6,,,,,,"),
            ["3: line: \"1\" is named a second time in this event, with another quantity"]
        );
        let needed = ["2: line: is blank; an event of several rows names a line in each"];
        assert_eq!(wrong("E1,2025-03-03,ship,Z1,,5,,,,,,\nE1,2025-03-03,ship,Z1,1,6,,,,,,"), needed);
    }

    #[test]
    fn the_rows_of_an_event_agree() {
        let rows = "E1,2025-03-03,issue,Z1,1,5,,D1,,,a,\nE1,2025-03-04,ship,Z2,2,5,cumulative,D2,,,b,x";
        let columns: Vec<String> = wrong(rows).iter().map(|told| told.split(": ").nth(1).unwrap().to_string()).collect();
        assert_eq!(
            columns,
            ["basis", "effective_on", "event", "application_number", "license_number", "basis", "reference", "overrun_authority"]
        );
        assert_eq!(wrong("E1,2025-03-03,ship,Z1,1,5,,,,,,\nE1,2025-03-03,ship,,2,5,,D1,,,,").len(), 2);
        assert_eq!(wrong("E1,2025-02-30,ship,Z1,1,5,,,,,,\nE1,2025-03-03,ship,Z1,2,5,,,,,,").len(), 1);
        assert_eq!(
            event("E1,2025-03-03,ship,Z1,1,5,cumulative,,,,,\nE1,2025-03-03,ship,Z1,2,0,,,,,,").lines[1].quantity,
            Some(0)
        );
    }

    #[test]
    fn cells_stand_only_where_their_kind_takes_them() {
        for (row, column) in [
            ("E,2025-03-03,revoke,Z1,1,,,,,,,", "line"),
            ("E,2025-03-03,suspend,Z1,,5,,,,,,", "quantity"),
            ("E,2025-03-03,issue,Z1,,,delta,,,,,", "basis"),
            ("E,2025-03-03,ship,Z1,,,,,2026-01-01,,,", "expires_on"),
            ("E,2025-03-03,ship,Z1,,,,,,E0,,", "corrects"),
            ("E,2025-03-03,ship,Z1,,,,,,,,order", "overrun_authority"),
            ("E,2025-03-03,ship,,,,,,,,,", "application_number"),
            ("E,2025-03-03,extend,Z1,,,,,,,,", "expires_on"),
            ("E,2025-03-03,extend,Z1,,,,,2025-03-02,,,", "expires_on"),
            ("E,2025-03-03,correct,Z1,,,,,,,,", "corrects"),
            ("E,2025-03-03,amend,Z1,1,,,,,,,", "quantity"),
            ("E,2025-03-03,attrition,Z1,1,,,,,,,", "quantity"),
            ("E,2025-03-03,ship,Z1,1,0,,,,,,", "quantity"),
            ("E,2025-03-03,ship,Z1,1,0,delta,,,,,", "quantity"),
            ("E,2025-03-03,ship,Z1,,5,cumulative,,,,,", "line"),
            ("E,2025-03-03,attrition,Z1,1,,cumulative,,,,,", "quantity"),
            ("E,2025-03-03,issue,Z1,,,,D 1,,,,", "license_number"),
            ("E,2025-03-03,shipp,Z1,,,,,,,,", "event"),
            ("E 1,2025-03-03,ship,Z1,,,,,,,,", "event_id"),
            ("E,2200-01-01,ship,Z1,,,,,,,,", "effective_on"),
        ] {
            let told = wrong(row);
            assert!(told.len() == 1 && told[0].starts_with(&format!("2: {column}: ")), "{row}: {told:?}");
        }
        assert_eq!(wrong("E,2025-03-03,revoke,Z1,1,,,,,,,"), ["2: line: \"1\" has no place here: revoke takes no line"]);
        for row in [
            "E,2025-03-03,amend,Z1,1,0,,,,,,",
            "E,2025-03-03,attrition,Z1,1,0,cumulative,,,,,",
            "E,2025-03-03,correct,,,,,,,A1,,order",
            "E,2025-03-03,issue,Z1,,,,D1,2025-03-03,,,order",
            "E,2025-03-03,note,Z1,,,,,,,\"two\nlines\",",
        ] {
            assert_eq!(event(row).id, "E");
        }
    }

    #[test]
    fn an_event_of_too_many_lines_is_told_once() {
        let rows: Vec<String> = (1..=LINES_MAX + 2).map(|line| format!("E,2025-03-03,ship,Z1,{line},5,,,,,,")).collect();
        let told = wrong(&rows.join("\n"));
        assert!(told.len() == 1 && told[0].starts_with("10002: line: \"10001\" is more than an event may have"), "{told:?}");
    }
}
