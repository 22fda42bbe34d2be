//! The quarter's pack: headroom, movements, schedule, registers, refusals and datapackage.json, in one folder.
//!
//! As-of (the quarter's last day) and through (a record) determine every byte. Only the words `provisional` and
//! `incomplete` come from when and how the pack was made.

use super::close::filed_in;
use super::company_reports::Companies;
use super::figures::{self, QuarterSums};
use super::ledger::Ledger;
use super::registers::Registered;
use super::tables::{self, HeadroomRow};
use crate::error::{Error, Result};
use crate::quota::calendar::Quarter;
use crate::quota::regime::Regime;
use crate::report::package::{LegalStatusNote, PackStatus, Package, RegimeNote, Resource, Through};
use crate::report::{Cell, FileSink, Format, Look, PackFolder, RowWriter, Schema, Table, WriteError, Written, columns, writer};
use crate::store::{Read, Record, Store, hex};
use chrono::{DateTime, NaiveDate};
use std::path::PathBuf;

/// How to make a pack.
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// The quarter.
    pub quarter: Quarter,
    /// Records up to here; `None`: the head.
    pub through: Option<u64>,
    /// Where.
    pub out: PathBuf,
    /// Rows of uncapped and presumption-of-denial destinations too.
    pub all: bool,
    /// A byte order mark for Excel.
    pub excel: bool,
    /// The day of making, for `provisional`.
    pub today: NaiveDate,
    /// Files that were left out because of errors.
    pub left_out: Vec<String>,
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        if error.is_broken_pipe() {
            return Error::ClosedPipe;
        }
        let path = error.path().display().to_string();
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default();
        let reason = what.strip_prefix(&format!("{path}: ")).unwrap_or(what).to_string();
        Error::File { path, reason, hint: error.hint().to_string() }
    }
}

/// A moment as it is printed: UTC, to the second.
pub fn moment(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).map_or_else(|| seconds.to_string(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Up to which record a report counts, with the head of the chain there.
///
/// # Errors
/// When there is no such record.
pub fn through_note(read: &impl Read, through: Option<u64>) -> Result<Through> {
    let head = read.head()?;
    let seq = through.unwrap_or(head.seq);
    if seq > head.seq {
        return Err(Error::usage(
            format!("record {seq} is not in the ledger; the last is {}", head.seq),
            "leave --through out for the last record",
        ));
    }
    if seq == head.seq {
        let recorded_at = (seq > 0).then(|| moment(head.recorded_at));
        return Ok(Through { seq, digest: hex(&head.digest), recorded_at });
    }
    let record: Option<Record> = if seq == 0 { None } else { read.record(seq)? };
    let genesis = || read.regimes().map(|kept| crate::store::canonical::genesis(&kept[0].digest));
    Ok(match record {
        Some(record) => Through { seq, digest: hex(&record.digest), recorded_at: Some(moment(record.batch.recorded_at)) },
        None => Through { seq, digest: hex(&genesis()?), recorded_at: None },
    })
}

/// The regime in force, as reports print it.
pub fn regime_note(regime: &Regime, digest: &crate::store::Digest, as_of: NaiveDate) -> RegimeNote {
    RegimeNote {
        id: regime.id.clone(),
        digest: hex(digest),
        legal_status: regime.legal_status_on(as_of).map(LegalStatusNote::from),
    }
}

/// Makes the pack of a quarter and says where it stands.
///
/// # Errors
/// When the ledger cannot be read or the folder cannot be written; nothing half-written remains.
pub fn make_pack<S: Store>(ledger: &Ledger<S>, options: &PackOptions) -> Result<PathBuf> {
    let read = ledger.store.read()?;
    let through = through_note(&read, options.through)?;
    let (regime, kept) = ledger.regime_at(through.seq)?;
    let as_of = options.quarter.last_day();
    if let Some(filing) = filed_in(&read, &options.out)? {
        let out = options.out.display();
        return Err(Error::usage(
            format!("{out} holds the pack of {} as it was filed ({}), which is never replaced", filing.quarter, filing.id),
            "name another folder",
        ));
    }
    // The folder is looked up through links; messages name it as it was given.
    let folder = PackFolder::create(&options.out).map_err(|error| match Error::from(error) {
        Error::File { reason, hint, .. } => Error::File { path: options.out.display().to_string(), reason, hint },
        other => other,
    })?;
    let mut pack = Pack { folder, resources: Vec::new(), excel: options.excel };
    let sums = QuarterSums::gather(&read, options.quarter.first_day(), as_of, through.seq)?;
    let headroom = headroom_rows(&read, &regime, as_of, through.seq, options.all)?;
    pack.table("headroom.csv", &tables::headroom(&regime, &headroom, true, None))?;
    pack.table("movements.csv", &tables::movements(options.quarter, &sums.movements(&regime, options.quarter, options.all)))?;
    pack.table("schedule.csv", &tables::schedule(&sums.schedule(&regime, as_of)))?;
    pack.stream("applications.csv", columns::applications(), |out| {
        registered(&read, &regime, as_of, through.seq, |one| rows(out, one.application_rows(&regime)))
    })?;
    pack.stream("licenses.csv", columns::licenses(), |out| {
        registered(&read, &regime, as_of, through.seq, |one| rows(out, one.license_rows(&regime)))
    })?;
    pack.stream("refusals.csv", columns::refusals(), |out| {
        read.refusals(through.seq, &mut |record| {
            if record.fact.effective_on() > as_of { Ok(()) } else { rows(out, tables::refusal(&regime, &record)) }
        })
    })?;
    if let Some(rules) = &regime.companies {
        let companies = Companies::gather(&read, through.seq)?;
        pack.table("lpp.csv", &companies.yearly(rules, as_of))?;
        pack.table("nveu.csv", &companies.by_country(rules, as_of))?;
        pack.table("uveu.csv", &companies.shares(&regime, rules, as_of))?;
        pack.table("notices.csv", &companies.notices(&read, rules, options.quarter)?)?;
    }
    let package = Package {
        as_of,
        through,
        regime: regime_note(&regime, &kept.digest, as_of),
        quarter: Some(options.quarter.to_string()),
        status: if options.today < as_of { PackStatus::Provisional } else { PackStatus::Final },
        incomplete: options.left_out.clone(),
        resources: pack.resources,
    };
    let mut folder = pack.folder;
    folder.write_bytes(crate::report::package::FILE_NAME, &package.to_bytes())?;
    Ok(folder.put_in_place()?)
}

/// Rows of headroom.csv with their floors.
///
/// # Errors
/// When the ledger cannot be read.
pub fn headroom_rows(read: &impl Read, regime: &Regime, as_of: NaiveDate, through: u64, all: bool) -> Result<Vec<HeadroomRow>> {
    let series = figures::all_series(read, regime, through)?;
    Ok(figures::headroom(read, regime, as_of, through, all)?
        .into_iter()
        .map(|headroom| {
            let floor = series.get(&headroom.destination).and_then(|series| series.floor_from(as_of));
            HeadroomRow { headroom, floor }
        })
        .collect())
}

/// Every application as of a day, through a record.
///
/// # Errors
/// When the ledger cannot be read, or `visit` fails.
pub fn registered(
    read: &impl Read,
    regime: &Regime,
    as_of: NaiveDate,
    through: u64,
    mut visit: impl FnMut(&Registered) -> Result<()>,
) -> Result<()> {
    read.dossiers(&mut |dossier| {
        let Some(dossier) = dossier.through(through) else { return Ok(()) };
        match Registered::new(regime, &dossier, as_of)? {
            Some(one) => visit(&one),
            None => Ok(()),
        }
    })
}

fn rows(out: &mut dyn RowWriter, rows: Vec<Vec<Cell>>) -> Result<()> {
    for row in rows {
        out.row(&row)?;
    }
    Ok(())
}

struct Pack {
    folder: PackFolder,
    resources: Vec<Resource>,
    excel: bool,
}

impl Pack {
    fn table(&mut self, name: &str, table: &Table) -> Result<()> {
        self.stream(name, table.schema.clone(), |out| rows(out, table.rows.clone()))
    }

    fn stream(&mut self, name: &str, schema: Schema, fill: impl FnOnce(&mut dyn RowWriter) -> Result<()>) -> Result<()> {
        let look = Look { excel: self.excel, ..Look::default() };
        let written: Written = self.folder.write(name, |sink: &mut FileSink| -> Result<Written> {
            let mut out = writer(Format::Csv, &schema, sink, look)?;
            fill(out.as_mut())?;
            Ok(out.finish()?)
        })?;
        self.resources.push(Resource { path: name.to_string(), format: Format::Csv, schema, written });
        Ok(())
    }
}
