//! Workbooks (XLSX) as a table: one sheet, read as it is shown, with nothing guessed and nothing passed over unseen.
//!
//! [`package`] takes the archive apart and bounds it, [`values`] says what a cell means, [`sheet`] walks over the rows. What a
//! person cannot see (hidden rows and columns) or a table cannot have (merged cells) is told instead of read. Numbers stay
//! the digits of the file: no float is made of them. Invariant: a cell that is given without a problem is what the
//! spreadsheet shows for it.

mod package;
mod sheet;
mod values;

use super::layout::{LaidOut, Origin, Shape, letters};
use super::place::{Place, Problem, did_you_mean, hint_with, shortened};
use super::table::{Row, TableReader};
use package::{Broken, Package};
use sheet::{Findings, SheetRows};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use values::Values;

/// Columns of a header; a sheet with a cell further right is no table of rows.
const COLUMNS_MAX: usize = 1000;

/// Opens a sheet of a workbook: the one named, or the first.
///
/// # Errors
/// What is no workbook, cannot be read, or has no such sheet.
pub(super) fn open(file: &Arc<str>, input: File, wanted: Option<&str>) -> Result<TableReader, Problem> {
    let whole = |(what, hint): Broken| Problem::new(Place::of_file(file), what, hint);
    let mut package = Package::open(input).map_err(whole)?;
    let (sheet, others) = chosen(file, &package, wanted)?;
    let xml = package.unpacked(&sheet.path).map_err(whole)?;
    let findings = Findings::of(&xml).map_err(whole)?;
    let values = Values::of(&mut package).map_err(whole)?;
    let mut rows = SheetRows::new(xml, values, findings, package.size);
    let mut header = Row::default();
    let cells = loop {
        if !rows.read(&mut header) {
            let hint = "its first row with anything in it is the header, with the names of the columns";
            return Err(Problem::new(
                Place::of_file(file),
                format!("has nothing in the sheet \"{}\"", shortened(&sheet.name)),
                hint,
            ));
        }
        if !header.problems.is_empty() || header.record.iter().any(|cell| !cell.trim().is_empty()) {
            break &header.record;
        }
    };
    // Empty columns before and behind the table are none of it.
    let names: Vec<String> = cells.iter().map(|name| name.trim().to_string()).collect();
    let first = names.iter().position(|name| !name.is_empty()).unwrap_or(0);
    let end = names.iter().rposition(|name| !name.is_empty()).map_or(first, |last| last + 1);
    if end > COLUMNS_MAX {
        let what = format!("has a header that goes on to column {}", letters(end - 1));
        return Err(Problem::new(Place::of_file(file), what, "is it a table of rows?"));
    }
    let header_names: Vec<String> = names[first..end].to_vec();
    let laid_out = |(at, name): (usize, &String)| LaidOut { name: name.clone(), written: name.clone(), number: first + at };
    let columns = header_names.iter().enumerate().map(laid_out).collect();
    let origin = Origin::laid_out(file, Shape::Sheet(sheet.name.clone()), columns);
    let mut complaints: Vec<Problem> =
        std::mem::take(&mut header.problems).into_iter().map(|problem| placed(problem, &origin, first, &header_names)).collect();
    complaints.extend(rows.hidden_columns(first, &header_names).into_iter().map(|(at, what, hint)| {
        let place = origin.row(header.line);
        Problem::new(
            header_names.get(at).filter(|name| !name.is_empty()).map_or(place.clone(), |name| place.at(name.clone())),
            what,
            hint,
        )
    }));
    let line = header.line;
    rows.under(origin.clone(), first, header_names.clone());
    Ok(TableReader::new(origin, header_names, line, Box::new(rows)).with_complaints(complaints, others))
}

/// A problem that knows its column by number (in `column`, as text) is put in its place.
fn placed(problem: Problem, origin: &Origin, first: usize, header: &[String]) -> Problem {
    let number = problem.place.column.as_deref().and_then(|number| number.parse::<usize>().ok());
    let name = number.and_then(|number| header.get(number.checked_sub(first)?)).filter(|name| !name.is_empty());
    let row = origin.row(problem.place.line);
    let place = match (name, number) {
        (Some(name), _) => row.at(name.clone()),
        (None, Some(number)) => row.at(format!("column {}", letters(number))),
        (None, None) => row,
    };
    Problem { place, ..problem }
}

/// A sheet of a workbook.
#[derive(Clone)]
struct Sheet {
    name: String,
    path: String,
    hidden: bool,
}

/// The sheet that is read, and the names of the others.
fn chosen(file: &Arc<str>, package: &Package, wanted: Option<&str>) -> Result<(Sheet, Vec<String>), Problem> {
    let shown = || package.sheets.iter().filter(|sheet| !sheet.hidden).map(|sheet| sheet.name.as_str());
    let found = match wanted {
        Some(name) => package.sheets.iter().find(|sheet| sheet.name == name),
        None => package.sheets.iter().find(|sheet| !sheet.hidden),
    };
    let Some(sheet) = found else {
        let name = wanted.unwrap_or_default();
        let all = shown().collect::<Vec<_>>().join(", ");
        let otherwise = if all.is_empty() {
            "show the sheet and look at it before it is imported".into()
        } else {
            format!("its sheets are {all}")
        };
        let hint = hint_with(did_you_mean(name, shown()), otherwise);
        let what =
            wanted.map_or("has no sheet that is shown".to_string(), |name| format!("has no sheet \"{}\"", shortened(name)));
        return Err(Problem::new(Place::of_file(file), what, hint));
    };
    if sheet.hidden {
        let what = format!("has the sheet \"{}\" hidden", shortened(&sheet.name));
        return Err(Problem::new(Place::of_file(file), what, "show the sheet and look at it before it is imported"));
    }
    Ok((sheet.clone(), shown().filter(|name| *name != sheet.name).map(String::from).collect()))
}

/// What a compound file is: an encrypted workbook, or one of an older program. Neither is read.
pub(super) fn compound(file: &Arc<str>, mut input: File) -> Problem {
    // The directory of the file names its streams in UTF-16; it stands anywhere, most often near an end.
    const PIECE: u64 = 1 << 20;
    let wanted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut holds = |from: SeekFrom| {
        let mut piece = Vec::new();
        let read = input.seek(from).and_then(|_| input.by_ref().take(PIECE).read_to_end(&mut piece));
        read.is_ok() && piece.windows(wanted.len()).any(|window| window == wanted)
    };
    let is_encrypted = holds(SeekFrom::Start(0)) || holds(SeekFrom::End(-(PIECE as i64)));
    let (what, hint) = if is_encrypted {
        ("is encrypted with a password", "save it without a password, or save the sheet as `CSV UTF-8`")
    } else {
        ("is a file of an older Office program (.xls)", "save it as an Excel workbook (.xlsx), or the sheet as `CSV UTF-8`")
    };
    Problem::new(Place::of_file(file), what, hint)
}
