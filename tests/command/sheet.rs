//! Workbooks of the error gallery, written out on the page: a line a row, `|` between the cells.
//!
//! `#1.5` is a number, `@46056` a number that is shown as a day, `~1.5` one as a length of time, `$s` a 7 of that type, `=1+1` a formula without a result, `!N/A` an error, `TRUE` a
//! boolean; all else is text. A row behind `hidden:` is hidden; `merge A2:A3` and `hide columns 3-4` are lines of their own.
//! The parts are written here by hand, so that a page can hold what no library writes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use zip::write::SimpleFileOptions;

/// Writes a workbook with this one sheet.
pub fn write(path: &Path, name: &str, page: &str) {
    let (mut rows, mut merged, mut columns) = (String::new(), String::new(), String::new());
    let mut number = 0;
    for line in page.trim_end().lines() {
        if let Some(range) = line.strip_prefix("merge ") {
            merged += &format!("<mergeCell ref='{range}'/>");
        } else if let Some((from, to)) = line.strip_prefix("hide columns ").and_then(|range| range.split_once('-')) {
            columns += &format!("<col min='{from}' max='{to}' hidden='1'/>");
        } else {
            number += 1;
            let (line, hidden) = line.strip_prefix("hidden: ").map_or((line, ""), |rest| (rest, " hidden='1'"));
            let cells: String = line.split('|').enumerate().map(|(at, text)| cell(at, number, text.trim())).collect();
            rows += &format!("<row r='{number}'{hidden}>{cells}</row>");
        }
    }
    let sheet =
        format!("<worksheet><cols>{columns}</cols><sheetData>{rows}</sheetData><mergeCells>{merged}</mergeCells></worksheet>");
    let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |name: &str, target: &str| format!("<Relationship Id='{name}' Type='{kind}/{name}' Target='{target}'/>");
    let parts = [
        ("_rels/.rels", format!("<Relationships>{}</Relationships>", relation("officeDocument", "xl/workbook.xml"))),
        (
            "xl/workbook.xml",
            format!(
                "<workbook><sheets><sheet name='Notes' state='hidden' r:id='worksheet'/><sheet name='{name}' r:id='worksheet'/>\
                 <sheet name='Older' r:id='worksheet'/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!("<Relationships>{}{}</Relationships>", relation("worksheet", "s.xml"), relation("styles", "styles.xml")),
        ),
        (
            "xl/styles.xml",
            "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='46'/></cellXfs></styleSheet>".into(),
        ),
        ("xl/s.xml", sheet),
    ];
    write_parts(path, parts.iter().map(|(name, text)| (*name, text.as_str())));
}

/// Writes an archive: a part a line, its name and behind a colon its text.
pub fn pack(path: &Path, page: &str) {
    write_parts(path, page.lines().filter_map(|line| line.split_once(": ")));
}

fn write_parts<'t>(path: &Path, parts: impl Iterator<Item = (&'t str, &'t str)>) {
    let mut zip = zip::ZipWriter::new(File::create(path).expect("a workbook"));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(text.as_bytes()).expect("its text");
    }
    zip.finish().expect("a whole workbook");
}

fn cell(at: usize, row: usize, text: &str) -> String {
    let place = format!("r='{}{row}'", char::from(b'A' + at as u8));
    match text.as_bytes() {
        [] => String::new(),
        [b'#', ..] => format!("<c {place}><v>{}</v></c>", &text[1..]),
        [b'@', ..] => format!("<c {place} s='1'><v>{}</v></c>", &text[1..]),
        [b'~', ..] => format!("<c {place} s='2'><v>{}</v></c>", &text[1..]),
        [b'=', ..] => format!("<c {place}><f>{}</f></c>", &text[1..]),
        [b'!', ..] => format!("<c {place} t='e'><v>#{}</v></c>", &text[1..]),
        [b'$', ..] => format!("<c {place} t='{}'><v>7</v></c>", &text[1..]),
        b"TRUE" => format!("<c {place} t='b'><v>1</v></c>"),
        _ => format!("<c {place} t='inlineStr'><is><t>{text}</t></is></c>"),
    }
}
