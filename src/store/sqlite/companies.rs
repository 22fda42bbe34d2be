//! Facts of companies to rows and back, and the sums of their accounts.

use super::rows::{Day, amount, country, day, kept, kept_optional, optional_amount, optional_day, strange, thousandths};
use crate::quota::application::Activity;
use crate::quota::codes::{Country, Eccn};
use crate::quota::company::account::{Account, Authorization, Charge, ChargeKind};
use crate::quota::company::fact::{
    CompanyFact, Holding, HoldingKind, Parent, PartyStatement, PartyStatementKind, Shipment, ShipmentLine,
};
use crate::quota::event::Placed;
use crate::quota::tpp::Tpp;
use chrono::NaiveDate;
use rusqlite::{Connection, Result, Row, params};
use std::collections::BTreeMap;

/// Writes the rows of a fact beside its record.
pub(super) fn insert(connection: &Connection, seq: i64, fact: &CompanyFact) -> Result<()> {
    match fact {
        CompanyFact::Shipment(shipment) => insert_shipment(connection, seq, shipment),
        CompanyFact::Holding(holding) => {
            let code = |country: &Option<Country>| country.map(|country| country.as_str());
            connection
                .prepare_cached(
                    "INSERT INTO holding (seq, authorization, party, country, facility, to_country, to_facility, tpp, already_made) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    seq,
                    holding.authorization.as_str(),
                    holding.party,
                    code(&holding.country),
                    holding.facility,
                    code(&holding.to_country),
                    holding.to_facility,
                    holding.tpp.thousandths(),
                    holding.already_made
                ])?;
            Ok(())
        }
        CompanyFact::Party(statement) => {
            let parent = Some(statement.parent.to_string()).filter(|parent| !parent.is_empty());
            connection
                .prepare_cached(
                    "INSERT INTO party (seq, party, name, headquarters, parent, identifiers, merged_into, authorization, country) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    seq,
                    statement.party,
                    statement.name,
                    statement.headquarters.map(|country| country.as_str()),
                    parent,
                    statement.identifiers,
                    statement.merged_into,
                    statement.authorization.map(Authorization::as_str),
                    statement.country.map(|country| country.as_str())
                ])?;
            Ok(())
        }
    }
}

fn insert_shipment(connection: &Connection, seq: i64, shipment: &Shipment) -> Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO shipment_line (seq, line, exporter, already_made, authorization, activity, destination, consignee, operator, \
         through_distributor, facility, received_on, eccn, device, quantity, tpp_per_unit, tpp_aggregated, tpp) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    for line in &shipment.lines {
        insert.execute(params![
            seq,
            line.line,
            shipment.exporter,
            shipment.already_made,
            line.authorization.as_str(),
            line.activity.as_str(),
            line.destination.as_str(),
            line.consignee,
            line.operator,
            line.through_distributor,
            line.facility,
            kept_optional(line.received_on),
            line.eccn.as_str(),
            line.device,
            line.quantity,
            thousandths(line.tpp_per_unit),
            thousandths(line.tpp_aggregated),
            line.tpp.thousandths()
        ])?;
    }
    Ok(())
}

/// Writes the charges of a record.
pub(super) fn insert_charges(connection: &Connection, seq: i64, charges: &[Charge]) -> Result<()> {
    let mut charge = connection
        .prepare_cached("INSERT INTO charge (seq, ord, effective_on, account, kind, tpp) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut total = connection.prepare_cached(
        "INSERT INTO account_total (account, day, tpp) VALUES (?1, ?2, ?3) \
         ON CONFLICT (account, day) DO UPDATE SET tpp = tpp + excluded.tpp",
    )?;
    for (ord, it) in charges.iter().enumerate() {
        let (account, tpp) = (it.account.to_string(), it.tpp.thousandths());
        charge.execute(params![seq, ord as i64, kept(it.effective_on), account, it.kind.as_str(), tpp])?;
        total.execute(params![account, kept(it.effective_on), tpp])?;
    }
    Ok(())
}

/// Columns of `record` that a fact of a company needs, in the order of [`fact`].
const FACT_COLUMNS: &str = "record.seq, record.id, record.effective_on, record.what, record.reference";

/// A fact from those columns, beginning at `from`.
fn fact(connection: &Connection, row: &Row, from: usize) -> Result<CompanyFact> {
    let seq: i64 = row.get(from)?;
    let (id, effective_on) = (row.get::<_, String>(from + 1)?, day(row, from + 2)?);
    let (what, reference) = (row.get_ref(from + 3)?.as_str()?, row.get::<_, Option<String>>(from + 4)?);
    if let Some(kind) = HoldingKind::parse(what) {
        return holding(connection, seq, Holding { id, effective_on, kind, reference, ..blank_holding(effective_on) });
    }
    if let Some(kind) = PartyStatementKind::parse(what) {
        return statement(connection, seq, id, effective_on, kind, reference);
    }
    let mut shipment = Shipment { id, effective_on, exporter: String::new(), already_made: false, reference, lines: Vec::new() };
    let mut statement = connection.prepare_cached(
        "SELECT exporter, already_made, line, authorization, activity, destination, consignee, operator, through_distributor, \
         facility, received_on, eccn, device, quantity, tpp_per_unit, tpp_aggregated, tpp FROM shipment_line WHERE seq = ?1 \
         ORDER BY line",
    )?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        (shipment.exporter, shipment.already_made) = (row.get(0)?, row.get(1)?);
        shipment.lines.push(shipment_line(row, 2)?);
    }
    Ok(CompanyFact::Shipment(shipment))
}

fn shipment_line(row: &Row, from: usize) -> Result<ShipmentLine> {
    let at = |offset: usize| from + offset;
    let word = |offset: usize| row.get_ref(at(offset))?.as_str().map_err(rusqlite::Error::from);
    let activity = word(2)?;
    Ok(ShipmentLine {
        line: row.get(at(0))?,
        authorization: authorization(row, at(1))?,
        activity: Activity::ALL.into_iter().find(|known| known.as_str() == activity).ok_or_else(|| strange(at(2), "activity"))?,
        destination: country(row, at(3))?,
        consignee: row.get(at(4))?,
        operator: row.get(at(5))?,
        through_distributor: row.get(at(6))?,
        facility: row.get(at(7))?,
        received_on: optional_day(row, at(8))?,
        eccn: Eccn::new(word(9)?).ok_or_else(|| strange(at(9), "classification"))?,
        device: row.get(at(10))?,
        quantity: row.get(at(11))?,
        tpp_per_unit: optional_amount(row, at(12))?,
        tpp_aggregated: optional_amount(row, at(13))?,
        tpp: amount(row, at(14))?,
    })
}

fn authorization(row: &Row, column: usize) -> Result<Authorization> {
    Authorization::parse(row.get_ref(column)?.as_str()?).ok_or_else(|| strange(column, "authorization"))
}

fn optional_country(row: &Row, column: usize) -> Result<Option<Country>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.and_then(Country::new))
}

fn blank_holding(effective_on: NaiveDate) -> Holding {
    Holding {
        id: String::new(),
        effective_on,
        kind: HoldingKind::Installed,
        authorization: Authorization::Uveu,
        party: String::new(),
        country: None,
        facility: None,
        to_country: None,
        to_facility: None,
        tpp: Tpp::ZERO,
        already_made: false,
        reference: None,
    }
}

fn holding(connection: &Connection, seq: i64, head: Holding) -> Result<CompanyFact> {
    connection
        .prepare_cached(
            "SELECT authorization, party, country, facility, to_country, to_facility, tpp, already_made FROM holding WHERE seq = ?1",
        )?
        .query_row([seq], |row| {
            Ok(CompanyFact::Holding(Holding {
                authorization: authorization(row, 0)?,
                party: row.get(1)?,
                country: optional_country(row, 2)?,
                facility: row.get(3)?,
                to_country: optional_country(row, 4)?,
                to_facility: row.get(5)?,
                tpp: amount(row, 6)?,
                already_made: row.get(7)?,
                ..head.clone()
            }))
        })
}

fn statement(
    connection: &Connection,
    seq: i64,
    id: String,
    effective_on: NaiveDate,
    kind: PartyStatementKind,
    reference: Option<String>,
) -> Result<CompanyFact> {
    connection
        .prepare_cached(
            "SELECT party, name, headquarters, parent, identifiers, merged_into, authorization, country FROM party WHERE seq = ?1",
        )?
        .query_row([seq], |row| {
            let parent = match row.get::<_, Option<String>>(3)?.as_deref() {
                None => Parent::Unknown,
                Some("none") => Parent::Nobody,
                Some(parent) => Parent::Party(parent.to_string()),
            };
            Ok(CompanyFact::Party(PartyStatement {
                id: id.clone(),
                effective_on,
                kind,
                party: row.get(0)?,
                name: row.get(1)?,
                headquarters: optional_country(row, 2)?,
                parent,
                identifiers: row.get(4)?,
                merged_into: row.get(5)?,
                authorization: row.get_ref(6)?.as_str_or_null()?.and_then(Authorization::parse),
                country: optional_country(row, 7)?,
                reference: reference.clone(),
            }))
        })
}

/// The fact of a record.
pub(super) fn fact_of(connection: &Connection, seq: i64) -> Result<CompanyFact> {
    connection
        .prepare_cached(&format!("SELECT {FACT_COLUMNS} FROM record WHERE seq = ?1"))?
        .query_row([seq], |row| fact(connection, row, 0))
}

/// Accepted facts in order of record, where the clause finds them by the tables beside their records.
fn facts_where(connection: &Connection, clause: &str, wanted: &[&dyn rusqlite::ToSql]) -> Result<Vec<Placed<CompanyFact>>> {
    let sql = format!(
        "SELECT (SELECT min(c.seq) FROM record c WHERE c.corrects = record.id AND c.refused = 0), {FACT_COLUMNS} FROM record \
         WHERE kind = 'company' AND refused = 0 AND {clause} ORDER BY record.seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(wanted)?;
    let mut facts = Vec::new();
    while let Some(row) = rows.next()? {
        let corrected_by = row.get::<_, Option<i64>>(0)?.map(|by| by as u64);
        facts.push(Placed { seq: row.get::<_, i64>(1)? as u64, corrected_by, fact: fact(connection, row, 1)? });
    }
    Ok(facts)
}

/// What is stated of parties.
pub(super) fn party_statements(connection: &Connection) -> Result<Vec<Placed<PartyStatement>>> {
    let facts = facts_where(connection, "record.seq IN (SELECT seq FROM party)", &[])?;
    Ok(facts.into_iter().filter_map(Placed::statement).collect())
}

/// Shipments and holdings of these parties, or of all.
pub(super) fn company_facts(connection: &Connection, parties: Option<&[String]>) -> Result<Vec<Placed<CompanyFact>>> {
    let Some(parties) = parties else {
        return facts_where(connection, "record.seq IN (SELECT seq FROM shipment_line UNION SELECT seq FROM holding)", &[]);
    };
    // Parties mostly come before anything is charged to them.
    let any = "SELECT EXISTS (SELECT 1 FROM shipment_line) OR EXISTS (SELECT 1 FROM holding)";
    if !connection.prepare_cached(any)?.query_row([], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut facts: BTreeMap<u64, Placed<CompanyFact>> = BTreeMap::new();
    for party in parties {
        let clause = "record.seq IN (SELECT seq FROM shipment_line WHERE consignee = ?1 \
                      UNION SELECT seq FROM shipment_line WHERE operator = ?1 UNION SELECT seq FROM holding WHERE party = ?1)";
        facts.extend(facts_where(connection, clause, &[party])?.into_iter().map(|placed| (placed.seq, placed)));
    }
    Ok(facts.into_values().collect())
}

/// Parties of accepted shipments and holdings, and whether they certified something.
pub(super) fn charged_parties(connection: &Connection) -> Result<Vec<(String, bool)>> {
    connection
        .prepare_cached(
            "SELECT party, max(what = 'certified') FROM (
                 SELECT seq, consignee AS party FROM shipment_line
                 UNION ALL SELECT seq, operator FROM shipment_line WHERE operator IS NOT NULL
                 UNION ALL SELECT seq, party FROM holding)
             JOIN record USING (seq) WHERE refused = 0 GROUP BY party ORDER BY party",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn account(row: &Row, column: usize) -> Result<Account> {
    Account::parse(row.get_ref(column)?.as_str()?).ok_or_else(|| strange(column, "account"))
}

/// Sums by day of the accounts of one party under one authorization.
pub(super) fn account_days(
    connection: &Connection,
    authorization: Authorization,
    party: &str,
) -> Result<Vec<(Account, NaiveDate, Tpp)>> {
    // An account is its own name, or that name with a colon and its part; a semicolon follows a colon.
    let whole = format!("{authorization}:{party}");
    connection
        .prepare_cached(
            "SELECT account, day, tpp FROM account_total WHERE account = ?1 OR (account >= ?1 || ':' AND account < ?1 || ';') \
             ORDER BY account, day",
        )?
        .query_map([whole], |row| Ok((account(row, 0)?, row.get::<_, Day>(1)?.0, amount(row, 2)?)))?
        .collect()
}

/// What each account holds on a day, at the head.
pub(super) fn positions(connection: &Connection, as_of: NaiveDate) -> Result<BTreeMap<Account, Tpp>> {
    connection
        .prepare_cached("SELECT account, sum(tpp) FROM account_total WHERE day <= ?1 GROUP BY account")?
        .query_map([kept(as_of)], |row| Ok((account(row, 0)?, amount(row, 1)?)))?
        .collect()
}

/// Charges of records in a span, in order.
pub(super) fn charges(connection: &Connection, after: u64, through: u64) -> Result<Vec<(u64, Charge)>> {
    connection
        .prepare_cached(
            "SELECT seq, effective_on, account, kind, tpp FROM charge WHERE seq > ?1 AND seq <= ?2 ORDER BY seq, ord",
        )?
        .query_map(params![after as i64, i64::try_from(through).unwrap_or(i64::MAX)], |row| {
            let kind = row.get_ref(3)?.as_str()?;
            let charge = Charge {
                effective_on: day(row, 1)?,
                account: account(row, 2)?,
                kind: ChargeKind::parse(kind).ok_or_else(|| strange(3, "kind of charge"))?,
                tpp: amount(row, 4)?,
            };
            Ok((row.get::<_, i64>(0)? as u64, charge))
        })?
        .collect()
}
