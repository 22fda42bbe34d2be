//! Facts to columns and back.

use crate::quota::application::{Activity, Application, ConsigneeKind, Line, LineTpp, Terms};
use crate::quota::calendar::{day_from_number, day_number};
use crate::quota::codes::{Country, Eccn};
use crate::quota::decision::{Allocation, RefusalCode, Shortfall};
use crate::quota::event::{Act, ActAmount, ActKind, Basis, Event, EventKind, EventLine};
use crate::quota::posting::{Entry, EntryKind, Measures};
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Result, Row};

/// A column value that is not what the ledger writes.
pub(super) fn strange(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, format!("not a {what}").into())
}

/// A day from `YYYYMMDD`.
pub(super) struct Day(pub NaiveDate);

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        day_from_number(value.as_i64()?).map(Day).ok_or(FromSqlError::InvalidType)
    }
}

/// An amount from thousandths.
pub(super) struct Amount(pub Tpp);

impl FromSql for Amount {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|thousandths| Amount(Tpp::from_thousandths(thousandths)))
    }
}

/// A country from its code.
pub(super) struct Code(pub Country);

impl FromSql for Code {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Country::new(value.as_str()?).map(Code).ok_or(FromSqlError::InvalidType)
    }
}

pub(super) fn day(row: &Row, column: usize) -> Result<NaiveDate> {
    row.get::<_, Day>(column).map(|day| day.0)
}

pub(super) fn optional_day(row: &Row, column: usize) -> Result<Option<NaiveDate>> {
    row.get::<_, Option<Day>>(column).map(|day| day.map(|day| day.0))
}

pub(super) fn amount(row: &Row, column: usize) -> Result<Tpp> {
    row.get::<_, Amount>(column).map(|amount| amount.0)
}

pub(super) fn optional_amount(row: &Row, column: usize) -> Result<Option<Tpp>> {
    row.get::<_, Option<Amount>>(column).map(|amount| amount.map(|amount| amount.0))
}

pub(super) fn country(row: &Row, column: usize) -> Result<Country> {
    row.get::<_, Code>(column).map(|code| code.0)
}

/// Six measures from six columns on.
pub(super) fn measures(row: &Row, from: usize) -> Result<Measures> {
    let mut array = [Tpp::ZERO; 6];
    for (index, tpp) in array.iter_mut().enumerate() {
        *tpp = amount(row, from + index)?;
    }
    Ok(Measures::from_array(array))
}

/// Columns of `line`, in the order of [`line`].
pub(super) const LINE_COLUMNS: &str = "line, destination, ultimate_consignee, consignee_headquarters, parent_headquarters, \
    consignee_kind, assumed, activity, eccn, device, tpp_per_unit, tpp_aggregated, catalogue_tpp, counts_per_unit, \
    counts_aggregated, quantity, purchase_order, end_use";

/// A line from its columns, beginning at `from`.
pub(super) fn line(row: &Row, from: usize) -> Result<Line> {
    let at = |offset: usize| from + offset;
    let quantity: u32 = row.get(at(15))?;
    let tpp = match (optional_amount(row, at(13))?, optional_amount(row, at(14))?) {
        (Some(unit), _) => LineTpp::PerUnit(unit),
        (None, Some(total)) => LineTpp::Aggregate { total, quantity },
        (None, None) => return Err(strange(at(13), "line's TPP")),
    };
    let kind = row.get_ref(at(5))?.as_str()?;
    let activity = row.get_ref(at(7))?.as_str()?;
    let eccn = row.get_ref(at(8))?.as_str()?;
    Ok(Line {
        terms: Terms {
            line: row.get(at(0))?,
            destination: country(row, at(1))?,
            consignee_headquarters: country(row, at(3))?,
            parent_headquarters: country(row, at(4))?,
            activity: Activity::ALL
                .into_iter()
                .find(|known| known.as_str() == activity)
                .ok_or_else(|| strange(at(7), "activity"))?,
            eccn: Eccn::new(eccn).ok_or_else(|| strange(at(8), "classification"))?,
            tpp,
            quantity,
            assumed: row.get(at(6))?,
        },
        ultimate_consignee: row.get(at(2))?,
        consignee_kind: ConsigneeKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| strange(at(5), "kind of consignee"))?,
        device: row.get(at(9))?,
        tpp_per_unit: optional_amount(row, at(10))?,
        tpp_aggregated: optional_amount(row, at(11))?,
        catalogue_tpp: optional_amount(row, at(12))?,
        purchase_order: row.get(at(16))?,
        end_use: row.get(at(17))?,
    })
}

/// Columns of `record`, in the order of the functions below.
pub(super) const RECORD_COLUMNS: &str = "seq, kind, id, batch, application, allocation, effective_on, what, revision, applicant, \
    license_number, basis, expires_on, last_valid_day, corrects, reference, overrun_authority, refused, findings, \
    line_count, entry_count, digest";

/// An application from its record's columns, without its lines.
pub(super) fn application(row: &Row) -> Result<Application> {
    Ok(Application {
        number: row.get(2)?,
        revision: row.get(8)?,
        submitted_on: day(row, 6)?,
        applicant: row.get(9)?,
        lines: Vec::new(),
    })
}

/// An event from its record's columns, without its lines and without its application.
pub(super) fn event(row: &Row) -> Result<Event> {
    let what = row.get_ref(7)?.as_str()?;
    let cumulative = row.get_ref(11)?.as_str_or_null()?.is_some();
    Ok(Event {
        id: row.get(2)?,
        effective_on: day(row, 6)?,
        kind: EventKind::parse(what).ok_or_else(|| strange(7, "event"))?,
        application: None,
        license_number: row.get(10)?,
        lines: vec![EventLine { line: None, quantity: None }],
        basis: if cumulative { Basis::Cumulative } else { Basis::Delta },
        expires_on: optional_day(row, 12)?,
        corrects: row.get(14)?,
        reference: row.get(15)?,
        overrun_authority: row.get(16)?,
        last_valid_day: optional_day(row, 13)?,
        resolved: Vec::new(),
    })
}

/// An act from `effective_on, id, what, reference, destination, percent, tpp_given, tpp`.
pub(super) fn act(row: &Row, from: usize) -> Result<Act> {
    let at = |offset: usize| from + offset;
    let what = row.get_ref(at(2))?.as_str()?;
    let amount = match (row.get::<_, Option<String>>(at(5))?, optional_amount(row, at(6))?) {
        (Some(percent), _) => ActAmount::Percent(percent.parse().map_err(|_| strange(at(5), "percentage"))?),
        (None, Some(tpp)) => ActAmount::Tpp(tpp),
        (None, None) => ActAmount::All,
    };
    Ok(Act {
        effective_on: day(row, at(0))?,
        id: row.get(at(1))?,
        kind: ActKind::parse(what).ok_or_else(|| strange(at(2), "act"))?,
        reference: row.get::<_, Option<String>>(at(3))?.unwrap_or_default(),
        destination: country(row, at(4))?,
        amount,
        tpp: optional_amount(row, at(7))?,
    })
}

/// An entry from `effective_on, allocation, kind` and the measures.
pub(super) fn entry(row: &Row, from: usize) -> Result<Entry> {
    let kind = row.get_ref(from + 2)?.as_str()?;
    Ok(Entry {
        effective_on: day(row, from)?,
        allocation: country(row, from + 1)?,
        kind: EntryKind::parse(kind).ok_or_else(|| strange(from + 2, "kind of entry"))?,
        measures: measures(row, from + 3)?,
    })
}

/// A broken limit from `code, allocation, requested, limit_tpp, headroom_floor, floor_on, shortfall, largest, largest_quantity`.
pub(super) fn shortfall(row: &Row) -> Result<Shortfall> {
    let code = row.get_ref(0)?.as_str()?;
    Ok(Shortfall {
        code: RefusalCode::parse(code).ok_or_else(|| strange(0, "refusal"))?,
        allocation: Allocation::parse(row.get_ref(1)?.as_str()?).ok_or_else(|| strange(1, "allocation"))?,
        requested: amount(row, 2)?,
        limit: amount(row, 3)?,
        headroom_floor: amount(row, 4)?,
        floor_on: day(row, 5)?,
        shortfall: amount(row, 6)?,
        largest: amount(row, 7)?,
        largest_quantity: row.get(8)?,
    })
}

/// A day as it is kept.
pub(super) fn kept(day: NaiveDate) -> i64 {
    day_number(day)
}

/// An optional day as it is kept.
pub(super) fn kept_optional(day: Option<NaiveDate>) -> Option<i64> {
    day.map(day_number)
}

/// An optional amount as it is kept.
pub(super) fn thousandths(tpp: Option<Tpp>) -> Option<i64> {
    tpp.map(Tpp::thousandths)
}
