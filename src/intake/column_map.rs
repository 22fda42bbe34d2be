//! A map of columns: how a case system's own export is read, without being changed first.
//!
//! A TOML file names the export's columns and ours, values that every row has, and columns that are not ours to read. It is
//! read strictly, since a column that is taken for another is a wrong record. Invariant: every column of the file is mapped,
//! ignored, or known by its own name, and every column that the map names is in the file.

use super::documents::Document;
use super::place::{Place, Problem, did_you_mean, hint_with};
use super::reading::{Dates, Encoding};
use super::table::{Row, Source, TableReader};
use crate::screen::transaction::TransactionColumn;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// Other names for columns, and what goes with them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ColumnMap {
    /// The file's name in messages.
    file: Option<Arc<str>>,
    /// The export's column and ours.
    columns: Vec<(String, String)>,
    /// Our column, and what stands in every row.
    constants: Vec<(String, String)>,
    /// Columns that are passed over.
    ignore: Vec<String>,
    /// How its days are written.
    pub(super) dates: Dates,
    /// How its bytes are text.
    pub(super) encoding: Encoding,
    /// What parts its cells.
    pub(super) delimiter: Option<u8>,
    /// Its sheet.
    pub(super) sheet: Option<String>,
}

/// Words for a separator.
pub const DELIMITERS: [(&str, u8); 4] = [("comma", b','), ("semicolon", b';'), ("tab", b'\t'), ("pipe", b'|')];
const KEYS: [&str; 7] = ["columns", "constants", "ignore", "dates", "encoding", "delimiter", "sheet"];

impl ColumnMap {
    /// Reads a map.
    ///
    /// # Errors
    /// All that is wrong with it, each with its line.
    pub fn parse(name: &str, text: &str) -> Result<ColumnMap, Vec<Problem>> {
        let mut parser = Parser { file: Arc::from(name), text, targets: Vec::new(), problems: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let what = format!("is not TOML: {}", error.message().lines().collect::<Vec<_>>().join("; "));
            parser.wrong(error.span().map_or(0, |span| span.start), None, what, "write it as docs/files-in.md shows");
        }
        let mut map = ColumnMap { file: Some(Arc::clone(&parser.file)), ..ColumnMap::default() };
        for (key, value) in table.get_ref() {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                "columns" => map.columns = parser.pairs("columns", at, value.get_ref()),
                "constants" => map.constants = parser.pairs("constants", at, value.get_ref()),
                "ignore" => map.ignore = parser.texts(at, value.get_ref()),
                "dates" => map.dates = parser.word("dates", at, value.get_ref(), &Dates::WORDS).unwrap_or_default(),
                "encoding" => map.encoding = parser.word("encoding", at, value.get_ref(), &Encoding::WORDS).unwrap_or_default(),
                "delimiter" => map.delimiter = parser.word("delimiter", at, value.get_ref(), &DELIMITERS),
                "sheet" => map.sheet = parser.text("sheet", at, value.get_ref()),
                other => {
                    let hint = hint_with(did_you_mean(other, KEYS), format!("the keys are {}", KEYS.join(", ")));
                    parser.wrong(at, Some(other), "is no key of a map of columns", hint);
                }
            }
        }
        parser.targets.sort_by_key(|target| target.at);
        parser.check_targets();
        parser.problems.sort_by_key(|problem| problem.place.line);
        if parser.problems.is_empty() { Ok(map) } else { Err(parser.problems) }
    }

    /// The table under our names.
    ///
    /// # Errors
    /// Every column that the map names and the file does not have.
    pub(super) fn apply(&self, table: TableReader) -> Result<TableReader, Vec<Problem>> {
        let written = table.header().to_vec();
        let place = |name: &str| table.origin().row(table.header_line()).at(name.to_string());
        let lacking = self.columns.iter().filter(|(theirs, _)| !written.contains(&theirs.trim().to_string()));
        let problems: Vec<Problem> = lacking
            .map(|(theirs, _)| {
                let map = self.file.as_deref().unwrap_or("the map");
                let hint = hint_with(did_you_mean(theirs, written.iter().map(String::as_str)), "take it out of the map");
                Problem::new(place(theirs), format!("is not in the header, and {map} names it"), hint)
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let ours = |name: &str| self.columns.iter().find(|(theirs, _)| theirs.trim() == name).map(|(_, ours)| ours.clone());
        let origin = table.origin().renamed(&written, ours);
        let taken: Vec<usize> =
            (0..written.len()).filter(|at| !self.ignore.iter().any(|name| name.trim() == written[*at])).collect();
        let mut header: Vec<String> =
            taken.iter().map(|at| ours(&written[*at]).unwrap_or_else(|| written[*at].clone())).collect();
        header.extend(self.constants.iter().map(|(ours, _)| ours.clone()));
        let constants = self.constants.iter().map(|(_, value)| value.clone()).collect();
        let file = origin.clone();
        Ok(table.under(origin, header, |source| {
            Box::new(Mapped { source, origin: file, columns: written.len(), taken, constants, row: Row::default() })
        }))
    }
}

/// A map while it is read.
struct Parser<'t> {
    file: Arc<str>,
    text: &'t str,
    targets: Vec<Target>,
    problems: Vec<Problem>,
}

/// A column of ours that is filled, by which key, and where that stands.
struct Target {
    ours: String,
    key: String,
    at: usize,
}

impl Parser<'_> {
    fn wrong(&mut self, at: usize, key: Option<&str>, what: impl Into<String>, hint: impl Into<String>) {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let place = Place::of_line(&self.file, line);
        let place = match key {
            Some(key) => place.at(key.to_string()),
            None => place,
        };
        self.problems.push(Problem::new(place, what, hint));
    }

    fn text(&mut self, key: &str, at: usize, value: &DeValue) -> Option<String> {
        let text = value.as_str().map(String::from);
        if text.is_none() {
            self.wrong(at, Some(key), "is not a text", "write it in double quotes");
        }
        text
    }

    fn word<T: Copy>(&mut self, key: &str, at: usize, value: &DeValue, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key, at, value)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = hint_with(did_you_mean(&text, all.iter().copied()), format!("write one of {}", all.join(", ")));
            self.wrong(at, Some(key), format!("\"{}\" is not known", super::place::shortened(&text)), hint);
        }
        found
    }

    fn texts(&mut self, at: usize, value: &DeValue) -> Vec<String> {
        let texts = value.as_array().map(|items| items.iter().map(|item| item.get_ref().as_str().map(String::from)).collect());
        texts.flatten().unwrap_or_else(|| {
            self.wrong(at, Some("ignore"), "is not a list of texts", "write ignore = [\"Officer\", \"Remark\"]");
            Vec::new()
        })
    }

    fn pairs(&mut self, key: &str, at: usize, value: &DeValue) -> Vec<(String, String)> {
        let Some(table) = value.as_table() else {
            self.wrong(at, Some(key), "is not a table", format!("begin it with [{key}] on a line of its own"));
            return Vec::new();
        };
        let pair = |(name, value): (&toml::Spanned<std::borrow::Cow<str>>, &toml::Spanned<DeValue>)| {
            let (name, at) = (name.get_ref().to_string(), name.span().start);
            let text = self.text(&name, at, value.get_ref())?;
            // The export's column stands first in [columns], ours in [constants].
            let ours = if key == "columns" { text.clone() } else { name.clone() };
            self.targets.push(Target { ours, key: name.clone(), at });
            Some((name, text))
        };
        table.iter().filter_map(pair).collect()
    }

    /// Each target is a column of ours, and stands once.
    fn check_targets(&mut self) {
        let known = known_columns();
        let mut seen: Vec<String> = Vec::new();
        for Target { ours, key, at } in std::mem::take(&mut self.targets) {
            if !known.contains(&ours.as_str()) {
                let hint =
                    hint_with(did_you_mean(&ours, known.iter().copied()), "docs/files-in.md says where the columns are listed");
                let what = format!("goes to `{}`, which is no column of ours", super::place::shortened(&ours));
                self.wrong(at, Some(&key), what, hint);
            } else if seen.contains(&ours) {
                self.wrong(at, Some(&key), format!("goes to `{ours}`, and so does another"), "a column is filled once");
            }
            seen.push(ours);
        }
    }
}

/// Names of all columns that a file may have.
pub(super) fn known_columns() -> Vec<&'static str> {
    let documents = Document::ALL.iter().flat_map(|document| document.columns()).map(|(name, _)| name);
    documents.chain(TransactionColumn::ALL.iter().map(|column| column.as_str())).collect()
}

/// Rows with the cells that are taken, and what stands in every row behind them.
struct Mapped {
    source: Box<dyn Source>,
    origin: super::layout::Origin,
    columns: usize,
    taken: Vec<usize>,
    constants: Vec<String>,
    row: Row,
}

impl Source for Mapped {
    fn next(&mut self, row: &mut Row) -> bool {
        self.row.problems.clear();
        self.row.record.clear();
        if !self.source.next(&mut self.row) {
            return false;
        }
        row.line = self.row.line;
        let renamed = |problem: Problem| Problem { place: self.origin.place(problem.place), ..problem };
        row.problems.extend(self.row.problems.drain(..).map(renamed));
        let record = &self.row.record;
        // A row of another length keeps no cells: they do not stand under their columns.
        if record.len() != self.columns {
            if row.problems.is_empty() && record.iter().any(|cell| !cell.trim().is_empty()) {
                row.problems.push(super::table::other_length(&self.origin, row.line, record.len(), self.columns));
            }
            return true;
        }
        let cells = || self.taken.iter().map(|at| record.get(*at).unwrap_or_default());
        if cells().any(|cell| !cell.trim().is_empty()) {
            row.record.extend(cells().chain(self.constants.iter().map(String::as_str)));
        }
        true
    }

    fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Reader;

    const EXPORT: &str =
        "Case No;Filed;Exporter;Consignee;Country;eccn;TPP;Units;Officer\n7;3/4/2026;Acme;Beta;PL;3A090.a;1;2;Kim\n;;;;;;;;\n";
    const MAP: &str = "dates = \"mdy\"\nignore = [\"Officer\"]\n[columns]\n\"Case No\" = \"application_number\"\nFiled = \"submitted_on\"\nExporter = \"applicant\"\nConsignee = \"ultimate_consignee\"\nCountry = \"destination\"\nTPP = \"tpp_per_unit\"\nUnits = \"quantity\"\n[constants]\nactivity = \"reexport\"\n";

    fn wrong(text: &str) -> Vec<String> {
        let problems = ColumnMap::parse("map.toml", text).err().unwrap_or_default();
        problems.iter().map(|problem| problem.to_string().replace('\n', " | ")).collect()
    }

    fn table(map: &str) -> Result<TableReader, Vec<Problem>> {
        table_of(EXPORT, map)
    }

    fn table_of(export: &str, map: &str) -> Result<TableReader, Vec<Problem>> {
        let map = ColumnMap::parse("map.toml", map)?;
        let dates = map.dates;
        let table = TableReader::from_reader("export.csv", std::io::Cursor::new(export.to_string())).unwrap();
        map.apply(table.with_dates(dates))
    }

    #[test]
    fn an_export_is_read_under_our_names_with_its_constants() {
        let Ok(Reader::Applications(mut reader)) = Reader::of_table(table(MAP).unwrap(), false) else { panic!("applications") };
        let first = reader.next().unwrap().value.unwrap();
        assert_eq!((first.number.as_str(), first.submitted_on.to_string().as_str()), ("7", "2026-03-04"));
        assert_eq!(first.lines[0].terms.activity.as_str(), "reexport");
        assert!(reader.next().is_none());
    }

    #[test]
    fn a_row_of_another_length_is_told_as_the_file_has_it() {
        let mut table = table_of(&format!("{EXPORT}8;x;y\n"), MAP).unwrap();
        let (mut row, mut seen) = (Row::default(), Vec::new());
        while table.next_row(&mut row) {
            seen.extend(row.problems.iter().map(ToString::to_string));
        }
        assert_eq!(seen.len(), 1);
        assert!(seen[0].starts_with("export.csv:4: has 3 cells where the header has 9 columns"));
    }

    #[test]
    fn a_cell_is_told_under_both_names() {
        let text = MAP.replace("dates = \"mdy\"", "");
        let mut reader = Reader::of_table(table(&text).unwrap(), false).ok().unwrap();
        let Some(super::super::AnyItem::Application(item)) = reader.next() else { panic!("an application") };
        assert!(
            item.value.unwrap_err()[0].to_string().starts_with("export.csv:2: submitted_on (Filed): \"3/4/2026\" is not a day")
        );
    }

    #[test]
    fn a_column_that_the_file_lacks_is_told() {
        let problems = table(&MAP.replace("Exporter", "Exportr")).err().unwrap();
        assert_eq!(
            problems.iter().map(|problem| problem.to_string().replace('\n', " | ")).collect::<Vec<_>>(),
            ["export.csv:1: Exportr: is not in the header, and map.toml names it | hint: did you mean `Exporter`?"]
        );
    }

    #[test]
    fn a_map_is_read_strictly() {
        assert_eq!(
            wrong("colums = 1\ndates = \"us\"\nignore = \"Officer\"\nsheet = 3\ndelimiter = \"commas\"\n"),
            [
                "map.toml:1: colums: is no key of a map of columns | hint: did you mean `columns`?",
                "map.toml:2: dates: \"us\" is not known | hint: write one of iso, mdy, dmy",
                "map.toml:3: ignore: is not a list of texts | hint: write ignore = [\"Officer\", \"Remark\"]",
                "map.toml:4: sheet: is not a text | hint: write it in double quotes",
                "map.toml:5: delimiter: \"commas\" is not known | hint: did you mean `comma`?",
            ]
        );
        assert_eq!(
            wrong("[columns]\n\"A\" = \"quantty\"\n\"B\" = \"eccn\"\n\"C\" = \"eccn\"\n"),
            [
                "map.toml:2: A: goes to `quantty`, which is no column of ours | hint: did you mean `quantity`?",
                "map.toml:4: C: goes to `eccn`, and so does another | hint: a column is filled once",
            ]
        );
        assert!(
            wrong("ignore = [\"Officer\"]\n[columns]\nOfficer = \"xyz\"\n")[0].starts_with("map.toml:3: Officer: goes to `xyz`")
        );
        assert!(wrong("columns =\n")[0].starts_with("map.toml:1: is not TOML: "));
        assert_eq!(
            wrong("columns = 3\n"),
            ["map.toml:1: columns: is not a table | hint: begin it with [columns] on a line of its own"]
        );
    }
}
