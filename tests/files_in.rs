//! Files in: one table written as CSV, as a workbook and as JSON is the same rows, and what a person cannot see in a workbook
//! is told. The workbooks are made here by another library than the one that reads them.

#![allow(clippy::disallowed_types, reason = "a spreadsheet keeps binary floats, and a test writes them as it does")]
#![allow(clippy::disallowed_methods, reason = "a test writes the files that it reads")]

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use std::io::Write;
use std::path::Path;
use tppledger::intake::{AnyItem, ColumnMap, Dates, Problem, Reader, Reading, TableReader, table::Row};

/// Every row of a file as `number: cells`, or what is wrong with it.
fn rows(path: &Path, reading: &Reading) -> Vec<String> {
    let told = |problem: &Problem| problem.to_string().replace(&*path.to_string_lossy(), "f").replace('\n', " | ");
    let mut table = match TableReader::open(path, reading) {
        Ok(table) => table,
        Err(problems) => return problems.iter().map(told).collect(),
    };
    let (mut row, mut seen) = (Row::default(), vec![table.header().join("|")]);
    while table.next_row(&mut row) {
        seen.extend(row.problems.iter().map(told));
        if row.problems.is_empty() {
            let cells: Vec<&str> = row.record.iter().map(str::trim).collect();
            seen.push(format!("{}: {}", row.line, cells.join("|")));
        }
    }
    seen
}

/// The rows of a workbook of one sheet called `Orders`, filled in by `fill`.
fn sheet(fill: impl FnOnce(&mut Worksheet)) -> Vec<String> {
    workbook(|workbook| fill(workbook.add_worksheet().set_name("Orders").unwrap()), &Reading::default())
}

fn workbook(fill: impl FnOnce(&mut Workbook), reading: &Reading) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.xlsx");
    let mut workbook = Workbook::new();
    fill(&mut workbook);
    workbook.save(&path).unwrap();
    rows(&path, reading)
}

/// What is wrong with the header of such a workbook, read as applications.
fn complaints(fill: impl FnOnce(&mut Worksheet)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.xlsx");
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet().set_name("Orders").unwrap());
    workbook.save(&path).unwrap();
    let told = |problem: Problem| problem.to_string().replace(&*path.to_string_lossy(), "f").replace('\n', " | ");
    let read = TableReader::open(&path, &Reading::default()).and_then(|table| Reader::of_table(table, false));
    read.err().unwrap_or_default().into_iter().map(told).collect()
}

fn header(sheet: &mut Worksheet, names: &[&str]) {
    sheet.write_row(0, 0, names.iter().copied()).unwrap();
}

#[test]
fn numbers_are_the_digits_that_the_spreadsheet_shows() {
    let seen = sheet(|sheet| {
        header(sheet, &["a", "b", "c"]);
        sheet.write_row(1, 0, [0.1 + 0.2, 15_832.0, 1_004.999_999_999_999_9]).unwrap();
        sheet.write_row(2, 0, ["Z100101", " x ", "12"]).unwrap();
        sheet.write(3, 0, 123_456_789_012_345_u64).unwrap();
        sheet.write(4, 1, 1_234_567_890_123_456_u64).unwrap();
        sheet.write(5, 2, -0.5).unwrap();
    });
    let too_long = "has more digits than the 15 that a spreadsheet keeps | hint: format the cell as text and write the number \
         again; a computed one is rounded with ROUND";
    assert_eq!(
        seen,
        [
            "a|b|c".to_string(),
            "2: 0.3|15832|1005".into(),
            "3: Z100101|x|12".into(),
            "4: 123456789012345||".into(),
            format!("f:Orders!B5: b: 1234567890123456 {too_long}"),
            "6: ||-0.5".into(),
        ]
    );
}

#[test]
fn days_are_read_in_both_epochs_and_have_no_time() {
    let day = |text: &str| ExcelDateTime::parse_from_str(text).unwrap();
    let iso = Format::new().set_num_format("dd/mm/yyyy");
    let seen = sheet(|sheet| {
        header(sheet, &["a", "b"]);
        sheet.write_with_format(1, 0, day("2026-02-03"), &iso).unwrap();
        sheet.write_with_format(2, 0, day("2026-02-03T08:30:00"), &iso).unwrap();
        sheet.write_with_format(3, 1, 1.5, &Format::new().set_num_format("[h]:mm")).unwrap();
        sheet.write_with_format(4, 0, 46_056, &Format::new().set_num_format("#,##0 \"days\"")).unwrap();
    });
    assert_eq!(
        seen,
        [
            "a|b",
            "2: 2026-02-03|",
            "f:Orders!A3: a: is a day with a time of day | hint: write the day alone, e.g. 2026-02-03",
            "f:Orders!B4: b: is a length of time | hint: format the cell as a number or a date, as it is meant",
            "5: 46056|",
        ]
    );
    // The library that writes here knows one epoch only.
    let cells =
        "<row r='1'><c r='A1' t='inlineStr'><is><t>on</t></is></c></row><row r='2'><c r='A2' s='1'><v>44594</v></c></row>";
    assert_eq!(raw("<workbookPr date1904='1'/>", cells), ["on", "2: 2026-02-03"]);
    assert_eq!(raw("", &cells.replace("44594", "46056")), ["on", "2: 2026-02-03"]);
}

#[test]
fn formulas_count_by_their_kept_value_and_errors_are_none() {
    let seen = sheet(|sheet| {
        header(sheet, &["a", "b"]);
        sheet.write(1, 0, rust_xlsxwriter::Formula::new("=1+1").set_result("2")).unwrap();
        sheet.write(2, 0, rust_xlsxwriter::Formula::new("=A2&\"\"").set_result("two <2>")).unwrap();
        sheet.write(4, 1, rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A")).unwrap();
        sheet.write(5, 0, true).unwrap();
    });
    assert_eq!(seen[..3], ["a|b", "2: 2|", "3: two <2>|"]);
    assert!(seen[3].starts_with("f:Orders!B5: b: is the error #N/A | hint: "));
    assert!(seen[4].starts_with("f:Orders!A6: a: is TRUE, which is neither a text nor a number | hint: "));
    // As programs leave it that write formulas and do not compute them.
    let kept = ["<f>1+1</f><v></v>", "<f>1+1</f>", "<f t='shared' si='0'/><v/>"];
    for kept in kept {
        let cells = format!("<row><c t='inlineStr'><is><t>a</t></is></c></row><row r='4'><c r='A4'>{kept}</c></row>");
        assert!(raw("", &cells)[1].starts_with("f:S!A4: a: is a formula without a result | hint: open the workbook"), "{kept}");
    }
}

#[test]
fn what_is_merged_or_hidden_is_told_and_not_read() {
    let seen = sheet(|sheet| {
        header(sheet, &["a", "b"]);
        sheet.merge_range(1, 0, 2, 0, "x", &Format::new()).unwrap();
        sheet.write(2, 1, 1).unwrap();
        sheet.write_row(3, 0, ["y", "1"]).unwrap();
        sheet.set_row_hidden(3).unwrap();
        sheet.set_row_hidden(4).unwrap();
        sheet.write_row(5, 0, ["z", "2"]).unwrap();
        sheet.merge_range(5, 3, 6, 3, "", &Format::new()).unwrap();
    });
    let merged = "has a part in the merged cells A2:A3 | hint: unmerge them, and write in each cell what it says";
    assert_eq!(
        seen,
        [
            "a|b".to_string(),
            format!("f:Orders!2: {merged}"),
            format!("f:Orders!3: {merged}"),
            "f:Orders!4: is hidden, and has values | hint: show them and look at them (a filter hides rows as well), or \
             delete them; told once"
                .into(),
            "6: z|2".into(),
        ]
    );
    let hidden = complaints(|sheet| {
        header(
            sheet,
            &["application_number", "submitted_on", "applicant", "ultimate_consignee", "destination", "eccn", "quantity"],
        );
        sheet.write(1, 4, "PL").unwrap();
        sheet.set_column_hidden(4).unwrap();
        sheet.set_column_hidden(8).unwrap();
    });
    assert_eq!(
        hidden,
        [
            "f:Orders!E1: destination: stands in column E, which is hidden and has values | hint: show the column and look at it, or delete it"
        ]
    );
}

#[test]
fn the_table_may_stand_anywhere_and_nothing_beside_it_is_passed_over() {
    let seen = sheet(|sheet| {
        sheet.write_row(2, 1, ["a", "b"]).unwrap();
        sheet.write_row(3, 1, ["1", "2"]).unwrap();
        sheet.write_row(6, 1, ["", "3"]).unwrap();
        sheet.write(7, 4, "note").unwrap();
    });
    assert_eq!(
        seen,
        [
            "a|b",
            "4: 1|2",
            "7: |3",
            "f:Orders!8: \"note\" has a value in column E, which has no name in the header | hint: name the column, or clear the cell",
        ]
    );
    let titled = complaints(|sheet| {
        sheet.write(0, 0, "Applications of 2026").unwrap();
        sheet.write_row(2, 0, ["application_number", "applicant", "eccn", "quantity"]).unwrap();
    });
    assert_eq!(
        titled,
        [
            "f:Orders!1: is no header; the names of the columns stand on row 3 | hint: delete what stands above them: the header comes first, and once"
        ]
    );
}

#[test]
fn a_sheet_is_the_first_that_is_shown_or_the_one_named() {
    let fill = |workbook: &mut Workbook| {
        workbook.add_worksheet().set_name("Notes").unwrap().set_hidden(true).write(0, 0, "secret").unwrap();
        workbook.add_worksheet().set_name("About").unwrap().set_first_tab(true).set_active(true).write(0, 0, "about").unwrap();
        workbook.add_worksheet().set_name("Q2 new").unwrap().write(0, 0, "quarter").unwrap();
        workbook.add_worksheet().set_name("Empty").unwrap();
    };
    let named = |name: &str| workbook(fill, &Reading { sheet: Some(name.into()), ..Reading::default() });
    assert_eq!(workbook(fill, &Reading::default()), ["about"]);
    assert_eq!(named("Q2 new"), ["quarter"]);
    assert_eq!(named("Q2 nwe"), ["f: has no sheet \"Q2 nwe\" | hint: did you mean `Q2 new`?"]);
    assert!(named("Notes")[0].starts_with("f: has the sheet \"Notes\" hidden | hint: "));
    assert!(named("Empty")[0].starts_with("f: has nothing in the sheet \"Empty\" | hint: "));
}

#[test]
fn what_is_no_workbook_that_can_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = |bytes: &[u8]| {
        let path = folder.path().join("f.xlsx");
        std::fs::write(&path, bytes).unwrap();
        rows(&path, &Reading::default()).remove(0)
    };
    assert!(said(b"PK\x03\x04 and nothing else").starts_with("f: cannot be read as a workbook: "));
    let older = [b"\xD0\xCF\x11\xE0".as_slice(), &[0; 2000]].concat();
    assert!(said(&older).starts_with("f: is a file of an older Office program (.xls) | hint: save it as an Excel workbook"));
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        said(&[&older[..], &name[..]].concat()),
        "f: is encrypted with a password | hint: save it without a password, or save the sheet as `CSV UTF-8`"
    );
    let mut whole = Workbook::new();
    whole.add_worksheet().write(0, 0, "a").unwrap();
    let bytes = whole.save_to_buffer().unwrap();
    for cut in [1, 100, bytes.len() / 2] {
        assert!(said(&bytes[..bytes.len() - cut]).starts_with("f: cannot be read as a workbook: "), "{cut}");
    }
}

/// The rows of a workbook whose sheet `S` is written out, with what its workbook part says.
fn raw(says: &str, cells: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.xlsx");
    let mut zip = begun(&path, says);
    zip.write_all(format!("<worksheet><sheetData>{cells}</sheetData></worksheet>").as_bytes()).unwrap();
    zip.finish().unwrap();
    rows(&path, &Reading::default())
}

/// A workbook but for its sheet, which is to be written next.
fn begun(path: &Path, says: &str) -> zip::ZipWriter<std::fs::File> {
    let relations = |list: &[(&str, &str)]| {
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let one = |(name, target): &(&str, &str)| format!("<Relationship Id='{name}' Type='{kind}/{name}' Target='{target}'/>");
        format!("<Relationships>{}</Relationships>", list.iter().map(one).collect::<String>())
    };
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let parts = [
        ("_rels/.rels", relations(&[("officeDocument", "/xl/workbook.xml")])),
        ("xl/workbook.xml", format!("<workbook>{says}<sheets><sheet name='S' r:id='worksheet'/></sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels", relations(&[("worksheet", "worksheets/s.xml"), ("styles", "styles.xml")])),
        ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>".into()),
        ("xl/worksheets/s.xml", String::new()),
    ];
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip
}

/// A small file that unpacks to more than is read: a third of a gigabyte of blanks in the sheet.
#[test]
fn a_file_that_unpacks_to_more_than_its_bound_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.xlsx");
    let mut zip = begun(&path, "");
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..300 {
        zip.write_all(&blanks).unwrap();
    }
    zip.finish().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
    assert_eq!(
        rows(&path, &Reading::default()),
        ["f: unpacks to more than 256 MiB | hint: save the sheet as `CSV UTF-8`: a CSV file may be of any size"]
    );
}

/// Whatever stands in a sheet, reading ends without a panic, and what cannot be read is told.
#[test]
fn a_broken_sheet_is_told() {
    let header = "<row><c t='inlineStr'><is><t>a</t></is></c></row>";
    let said = |cells: &str| raw("", &format!("{header}{cells}")).last().unwrap().clone();
    assert!(said("<row r='2'><c r='A2' t='s'><v>7</v></c></row>").contains("refers to a text that the workbook does not have"));
    assert!(said("<row r='2'><c r='ZZZZ2'><v>7</v></c></row>").contains("a cell stands at"));
    assert!(said("<row r='2'><c r='A99999999999999999999'><v>7</v></c></row>").contains("a cell stands at"));
    assert!(said("<row r='2'><c r='A2' s='99999'><v>7</v></c></row>").ends_with("2: 7"));
    assert!(said("<row r='2'><c r='A2'><v>seven</v></c></row>").contains("\"seven\" is no number"));
    assert!(said("<row r='2'><c r='A2' t='q'><v>7</v></c></row>").contains("is of a kind that is not known"));
    assert!(said("<row r='2'><c r='A2'><v>&bad;</v></c></row>").contains("cannot be read as a workbook"));
    assert!(said("<row r='2'><c r='A2'><v").contains("cannot be read as a workbook"));
}

/// A sheet that was cut off, at each kind of place, and one in which everything is merged.
#[test]
fn a_sheet_that_was_cut_off_or_is_no_table_is_told() {
    let header = "<worksheet><sheetData><row><c t='inlineStr'><is><t>a</t></is></c></row>";
    let said = |rest: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.xlsx");
        let mut zip = begun(&path, "");
        zip.write_all(format!("{header}{rest}").as_bytes()).unwrap();
        zip.finish().unwrap();
        rows(&path, &Reading::default()).last().unwrap().clone()
    };
    let middle = said("<row r='2'><c r='A2'><v>7</v></c></row>");
    assert!(middle.contains("the sheet ends in the middle |"), "{middle}");
    let cell = said("<row r='2'><c r='A2'><v>7");
    assert!(cell.contains("the sheet ends in the middle of a cell"), "{cell}");
    let text = said("<row r='2'><c r='A2' t='inlineStr'><is><t>7");
    assert!(text.contains("it ends in the middle of a text"), "{text}");
    let merged: String = (1..=10_001).map(|row| format!("<mergeCell ref='C{row}:D{row}'/>")).collect();
    let merged = said(&format!("</sheetData><mergeCells>{merged}</mergeCells></worksheet>"));
    assert!(
        merged.contains("has more than 10000 merged cells in the sheet | hint: unmerge them, and fill each cell"),
        "{merged}"
    );
}

#[test]
fn a_text_stays_a_text_whatever_it_looks_like() {
    let seen = sheet(|sheet| {
        header(sheet, &["a", "b"]);
        sheet.write_string(1, 0, "<script>alert(1)</script> & \"x\"").unwrap();
        sheet.write_string(1, 1, "=cmd|' /C calc'!A0").unwrap();
        sheet.write_string(2, 0, "line\nbreak _x000D_ ü €").unwrap();
    });
    assert_eq!(seen, ["a|b", "2: <script>alert(1)</script> & \"x\"|=cmd|' /C calc'!A0", "3: line\nbreak _x000D_ ü €|"]);
}

#[test]
fn an_older_encoding_and_a_separator_are_read_as_was_said() {
    use tppledger::intake::Encoding;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    std::fs::write(&path, b"name|place\nM\xFCller|K\xF6ln\n").unwrap();
    let reading = Reading { encoding: Encoding::Cp1252, delimiter: Some(b'|'), ..Reading::default() };
    assert_eq!(rows(&path, &reading), ["name|place", "2: Müller|Köln"]);
    let sheet = Reading { sheet: Some("Orders".into()), ..Reading::default() };
    assert!(rows(&path, &sheet)[0].starts_with("f: is no workbook, and the sheet \"Orders\" was asked for"));
    assert_eq!(rows(&path, &Reading { dates: Dates::DayFirst, ..Reading::default() }).len(), 2);
}

#[test]
fn a_workbook_is_read_through_a_map() {
    let map = "sheet = \"Cases\"\n[columns]\n\"Case No\" = \"application_number\"\nTPP = \"tpp_per_unit\"\n[constants]\nactivity = \"reexport\"\n";
    let reading = Reading { columns: Some(ColumnMap::parse("m.toml", map).unwrap().into()), ..Reading::default() }.settled();
    let fill = |workbook: &mut Workbook| {
        workbook.add_worksheet().set_name("About").unwrap();
        let cases = workbook.add_worksheet().set_name("Cases").unwrap();
        header(cases, &["Case No", "TPP"]);
        cases.write_row(1, 0, [7.0, 0.1 + 0.7]).unwrap();
        cases.write(2, 1, true).unwrap();
    };
    let seen = workbook(fill, &reading);
    assert_eq!(seen[..2], ["application_number|tpp_per_unit|activity", "2: 7|0.8|reexport"]);
    assert!(seen[2].starts_with("f:Cases!B3: tpp_per_unit (TPP): is TRUE"), "{}", seen[2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A table written as CSV, as a workbook, as a JSON list and as JSON Lines is the same cells.
    #[test]
    fn a_table_is_the_same_rows_in_every_format(
        cells in proptest::collection::vec(("[ -~é€\n]{0,12}", "[A-Za-z]{1,4}", -1_000_000_i64..1_000_000, 0..1000_u32), 1..12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (mut csv, mut lines) = (csv::Writer::from_path(path("f.csv")).unwrap(), String::new());
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        csv.write_record(["text", "word", "number"]).unwrap();
        header(sheet, &["text", "word", "number"]);
        for (at, (text, word, whole, thousandths)) in cells.iter().enumerate() {
            let number = format!("{whole}.{thousandths:03}");
            let number = number.trim_end_matches('0').trim_end_matches('.');
            csv.write_record([text, word, number]).unwrap();
            let row = at as u32 + 1;
            sheet.write_string(row, 0, text).unwrap();
            sheet.write_string(row, 1, word).unwrap();
            sheet.write(row, 2, number.parse::<f64>().unwrap()).unwrap();
            lines += &format!("{{\"text\":{},\"word\":\"{word}\",\"number\":{number}}}\n", serde_json::to_string(text).unwrap());
        }
        csv.flush().unwrap();
        book.save(path("f.xlsx")).unwrap();
        let list = format!("[{}]", lines.trim_end().replace("}\n{", "},\n{"));
        std::fs::write(path("f.json"), list).unwrap();
        std::fs::write(path("f.jsonl"), lines).unwrap();
        let plain = |name: &str| -> Vec<String> {
            let seen = rows(&path(name), &Reading::default());
            seen.into_iter().map(|row| row.split_once(": ").map_or(row.clone(), |(_, cells)| cells.to_string())).collect()
        };
        let expected = plain("f.csv");
        prop_assert_eq!(expected.len(), cells.len() + 1);
        for name in ["f.xlsx", "f.json", "f.jsonl"] {
            prop_assert_eq!(&plain(name), &expected, "{}", name);
        }
    }
}

/// Another reader of workbooks sees the same in a file of every kind of cell.
#[test]
fn another_reader_sees_the_same_cells() {
    use calamine::{Data, Reader as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    header(sheet, &["a", "b", "c"]);
    for row in 1..200_u32 {
        sheet.write_string(row, 0, format!("text {} <&> é", row % 7)).unwrap();
        sheet.write(row, 1, f64::from(row) / 8.0).unwrap();
        let day = ExcelDateTime::from_serial_datetime(40_000 + row).unwrap();
        sheet.write_with_format(row, 2, &day, &Format::new().set_num_format("d. mmm yyyy")).unwrap();
    }
    book.save(&path).unwrap();
    let mut other: calamine::Xlsx<_> = calamine::open_workbook(&path).unwrap();
    let range = other.worksheet_range("Sheet1").unwrap();
    let cell = |data: &Data| match data {
        Data::DateTime(day) => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    };
    let theirs: Vec<String> = range
        .rows()
        .skip(1)
        .enumerate()
        .map(|(at, row)| format!("{}: {}", at + 2, row.iter().map(cell).collect::<Vec<_>>().join("|")))
        .collect();
    assert_eq!(rows(&path, &Reading::default())[1..], theirs);
}

/// A text that our own CSV guards against being run comes back as it was.
#[test]
fn a_guarded_text_loses_its_guard_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.jsonl");
    std::fs::write(
        &path,
        "{\"event_id\":\"E1\",\"effective_on\":\"2026-01-02\",\"event\":\"note\",\"application_number\":\"Z1\",\"reference\":\"'=1+1\"}\n",
    )
    .unwrap();
    let table = TableReader::open(&path, &Reading::default()).unwrap();
    let Some(AnyItem::Event(item)) = Reader::of_table(table, false).ok().unwrap().next() else { panic!("an event") };
    assert_eq!(item.value.unwrap().reference.as_deref(), Some("=1+1"));
}
