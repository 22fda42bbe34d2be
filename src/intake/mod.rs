//! Doors in: rows as written become values as meant, each with its place, or everything that is wrong with them.
//!
//! A file is a table of cells ([`TableReader`]); its header tells which document it is ([`Document`]); each document
//! has a reader that gives [`Item`]s one by one. Beside them stand the data that rows refer to: countries, the
//! catalogue of devices, and the regimes. Nothing here knows what is recorded already, and nothing here decides by a
//! rule of law. Invariant: no input ends in a panic; what is wrong is a [`Problem`], and all of it is told.

mod acts;
mod amounts;
mod applications;
pub mod catalogue;
mod cells;
mod column_map;
pub mod countries;
mod csv_records;
mod csv_rows;
mod decoded;
mod documents;
mod events;
mod holdings;
mod items;
mod json_rows;
mod layout;
mod made_rows;
mod numbers;
mod opening;
mod parties;
pub mod place;
mod reading;
pub mod regimes;
mod shipments;
pub mod table;
mod transactions;
mod workbook;

pub use acts::{ActColumn, ActReader};
pub use applications::{ApplicationColumn, ApplicationReader};
pub use catalogue::{Catalogue, Device, System, Unit};
pub use column_map::{ColumnMap, DELIMITERS};
pub use countries::{Countries, CountryEntry};
pub use documents::Document;
pub use events::{EventColumn, EventReader};
pub use holdings::{HoldingColumn, HoldingReader};
pub use items::Item;
pub use layout::{Layout, Origin};
pub use parties::{PartyColumn, PartyReader};
pub use place::{Place, Problem, did_you_mean, hint_with, printable, shortened};
pub use reading::{Dates, Encoding, Reading};
pub use shipments::{ShipmentColumn, ShipmentReader};
pub use table::{Column, Columns, REJECT_REASON, Row, TableReader};
pub use transactions::{TransactionReader, WrittenTransaction};

use crate::quota::application::Application;
use crate::quota::company::fact::CompanyFact;
use crate::quota::event::{Act, Event};
use std::sync::Arc;

/// The reader of a file, by what the file holds.
pub enum Reader {
    /// Acts.
    Acts(ActReader),
    /// Statements on parties.
    Parties(PartyReader),
    /// Applications.
    Applications(ApplicationReader),
    /// Holdings.
    Holdings(HoldingReader),
    /// Shipments.
    Shipments(ShipmentReader),
    /// Events.
    Events(EventReader),
}

/// An item of any document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnyItem {
    /// An act.
    Act(Item<Act>),
    /// A statement on a party, a holding or a shipment.
    Company(Item<CompanyFact>),
    /// An application.
    Application(Item<Application>),
    /// An event.
    Event(Item<Event>),
}

impl Reader {
    /// The reader of a table, by its header; `keep_raw` keeps the rows as written.
    ///
    /// # Errors
    /// A header that is no document's, and every wrong column.
    pub fn of_table(mut table: TableReader, keep_raw: bool) -> Result<Reader, Vec<Problem>> {
        let document = Document::of(&mut table).map_err(|problem| vec![problem])?;
        Reader::of_document(table, document, keep_raw)
    }

    fn of_document(table: TableReader, document: Document, keep_raw: bool) -> Result<Reader, Vec<Problem>> {
        Ok(match document {
            Document::Acts => Reader::Acts(ActReader::new(table, keep_raw)?),
            Document::Parties => Reader::Parties(PartyReader::new(table, keep_raw)?),
            Document::Holdings => Reader::Holdings(HoldingReader::new(table, keep_raw)?),
            Document::Shipments => Reader::Shipments(ShipmentReader::new(table, keep_raw)?),
            Document::Applications => Reader::Applications(ApplicationReader::new(table, keep_raw)?),
            Document::Events => Reader::Events(EventReader::new(table, keep_raw)?),
        })
    }

    /// The file, and how places in it are written.
    pub fn origin(&self) -> &Origin {
        match self {
            Reader::Acts(reader) => reader.origin(),
            Reader::Parties(reader) => reader.origin(),
            Reader::Holdings(reader) => reader.origin(),
            Reader::Shipments(reader) => reader.origin(),
            Reader::Applications(reader) => reader.origin(),
            Reader::Events(reader) => reader.origin(),
        }
    }

    /// Names of the columns as the file has them.
    pub fn header(&self) -> &[String] {
        match self {
            Reader::Acts(reader) => reader.header(),
            Reader::Parties(reader) => reader.header(),
            Reader::Holdings(reader) => reader.header(),
            Reader::Shipments(reader) => reader.header(),
            Reader::Applications(reader) => reader.header(),
            Reader::Events(reader) => reader.header(),
        }
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        match self {
            Reader::Acts(reader) => reader.bytes_read(),
            Reader::Parties(reader) => reader.bytes_read(),
            Reader::Holdings(reader) => reader.bytes_read(),
            Reader::Shipments(reader) => reader.bytes_read(),
            Reader::Applications(reader) => reader.bytes_read(),
            Reader::Events(reader) => reader.bytes_read(),
        }
    }

    /// What the file holds.
    pub fn document(&self) -> Document {
        match self {
            Reader::Acts(_) => Document::Acts,
            Reader::Parties(_) => Document::Parties,
            Reader::Holdings(_) => Document::Holdings,
            Reader::Shipments(_) => Document::Shipments,
            Reader::Applications(_) => Document::Applications,
            Reader::Events(_) => Document::Events,
        }
    }
}

impl Iterator for Reader {
    type Item = AnyItem;

    fn next(&mut self) -> Option<AnyItem> {
        Some(match self {
            Reader::Acts(reader) => AnyItem::Act(reader.next()?),
            Reader::Parties(reader) => AnyItem::Company(reader.next()?),
            Reader::Holdings(reader) => AnyItem::Company(reader.next()?),
            Reader::Shipments(reader) => AnyItem::Company(reader.next()?),
            Reader::Applications(reader) => AnyItem::Application(reader.next()?),
            Reader::Events(reader) => AnyItem::Event(reader.next()?),
        })
    }
}

/// Reads one row that no file holds, by the very code that reads files; its place is `record: column`.
///
/// # Errors
/// A column that the document does not have, or a required one that is missing.
pub fn read_row(document: Document, cells: &[(&str, &str)]) -> Result<AnyItem, Vec<Problem>> {
    let (header, row): (Vec<&str>, Vec<&str>) = cells.iter().copied().unzip();
    let table = TableReader::from_cells("record", &header, &[row]);
    let mut reader = Reader::of_document(table, document, false)?;
    // A table passes over rows without content; here it is what was given.
    reader.next().ok_or_else(|| {
        let file = Arc::from("record");
        vec![Problem::new(Place::of_file(&file), "has no content", "give the cells of a row")]
    })
}
