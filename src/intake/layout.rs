//! How places of a table are written: a line of a text, a cell of a sheet, a path in a list.
//!
//! Whatever the format, a row has a number from 1 and a column a name. What a person looks for in the file follows from
//! them here, and nowhere else: `file:17: quantity`, `file:Orders!D17: quantity`, `file:$[16].quantity`. Invariant: a
//! place is made without looking at the file again.

use super::place::{Place, shortened};
use std::fmt;
use std::sync::Arc;

/// A file, and how places in it are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    file: Arc<str>,
    layout: Option<Arc<Layout>>,
}

/// How places of a table are written that is no text under the names of the documentation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    shape: Shape,
    columns: Vec<LaidOut>,
}

/// What a row's number counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Lines of a text.
    Lines,
    /// Rows of the sheet of that name.
    Sheet(String),
    /// Elements of a JSON list.
    List,
}

/// A column of a table in its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LaidOut {
    /// Name by which it is read.
    pub name: String,
    /// Name in the file.
    pub written: String,
    /// Number of the sheet's column, from 0.
    pub number: usize,
}

impl Origin {
    /// A text under the names of the documentation.
    pub fn of_file(file: &Arc<str>) -> Origin {
        Origin { file: Arc::clone(file), layout: None }
    }

    /// The same file, laid out in another way.
    pub(super) fn laid_out(file: &Arc<str>, shape: Shape, columns: Vec<LaidOut>) -> Origin {
        Origin { file: Arc::clone(file), layout: Some(Arc::new(Layout { shape, columns })) }
    }

    /// The same file where its columns are read under other names; `rename` gives the name of a column as written.
    pub(super) fn renamed(&self, written: &[String], rename: impl Fn(&str) -> Option<String>) -> Origin {
        let (shape, columns) = match &self.layout {
            Some(layout) => (layout.shape.clone(), layout.columns.clone()),
            None => {
                let plain = |(number, name): (usize, &String)| LaidOut { name: name.clone(), written: name.clone(), number };
                (Shape::Lines, written.iter().enumerate().map(plain).collect())
            }
        };
        let renamed = |column: LaidOut| LaidOut { name: rename(&column.written).unwrap_or(column.name), ..column };
        Origin::laid_out(&self.file, shape, columns.into_iter().map(renamed).collect())
    }

    /// The file's name in messages.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The file as a whole.
    pub fn whole(&self) -> Place {
        self.row(0)
    }

    /// A row of the file, by its number.
    pub fn row(&self, number: u64) -> Place {
        Place { line: number, layout: self.layout.clone(), ..Place::of_file(&self.file) }
    }

    /// A place of the file as it was before its columns were renamed, under the new names.
    pub(super) fn place(&self, before: Place) -> Place {
        let columns = self.layout.as_ref().map(|layout| layout.columns.as_slice()).unwrap_or_default();
        let renamed = columns.iter().find(|column| before.column.as_deref() == Some(column.written.as_str()));
        let column = renamed.map_or(before.column, |column| Some(column.name.clone().into()));
        Place { column, layout: self.layout.clone(), ..before }
    }

    /// What a row is called in a sentence, e.g. `line 17`.
    pub(super) fn row_name(&self, number: u64) -> String {
        match self.layout.as_deref().map(|layout| &layout.shape) {
            None | Some(Shape::Lines) => format!("line {number}"),
            Some(Shape::Sheet(_)) => format!("row {number}"),
            Some(Shape::List) => format!("$[{}]", number.saturating_sub(1)),
        }
    }
}

impl Layout {
    /// Writes a place: what stands behind the file's name.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, row: u64, column: Option<&str>) -> fmt::Result {
        let laid_out = column.and_then(|name| self.columns.iter().find(|column| column.name == name));
        if let Some(at) = self.at(row, column) {
            write!(f, ":{at}")?;
        } else if row > 0 {
            write!(f, ":{row}")?;
        }
        match (&self.shape, laid_out, column) {
            (_, _, None) | (Shape::List, ..) => Ok(()),
            (_, Some(LaidOut { name, written, .. }), _) if name != written => {
                write!(f, ": {} ({})", shortened(name), shortened(written))
            }
            (_, _, Some(column)) => write!(f, ": {}", shortened(column)),
        }
    }

    /// The cell `Orders!D17` or path `$[16].quantity`; `None` in a text, and of a file as a whole.
    pub(super) fn at(&self, row: u64, column: Option<&str>) -> Option<String> {
        let laid_out = column.and_then(|name| self.columns.iter().find(|column| column.name == name));
        match &self.shape {
            Shape::Lines => None,
            Shape::Sheet(_) if row == 0 => None,
            Shape::Sheet(sheet) => {
                let letters = laid_out.map(|column| letters(column.number)).unwrap_or_default();
                Some(format!("{}!{letters}{row}", sheet_name(sheet)))
            }
            Shape::List => {
                let element = if row > 0 { format!("[{}]", row - 1) } else { "[*]".to_string() };
                let written = laid_out.map(|column| column.written.as_str()).or(column);
                match written.map(key) {
                    None if row == 0 => None,
                    path => Some(format!("${element}{}", path.unwrap_or_default())),
                }
            }
        }
    }

    /// Whether a row's number is one that the file shows: a line, or a row of a sheet.
    pub(super) fn shows_rows(&self) -> bool {
        self.shape != Shape::List
    }
}

/// The letters of a sheet's column: 0 is A, 26 is AA.
pub(super) fn letters(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or_default()));
        if number < 26 {
            return letters.into_iter().rev().collect();
        }
        number = number / 26 - 1;
    }
}

/// A sheet's name as spreadsheets write it before the `!`.
fn sheet_name(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain { shortened(name) } else { format!("'{}'", shortened(name).replace('\'', "''")) }
}

/// A key at the end of a JSON path.
fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { format!(".{}", shortened(name)) } else { format!("[\"{}\"]", shortened(name).replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(shape: Shape) -> Origin {
        let column = |name: &str, written: &str, number| LaidOut { name: name.into(), written: written.into(), number };
        let columns = vec![column("quantity", "quantity", 3), column("end_use", "End Use", 27)];
        Origin::laid_out(&Arc::from("f"), shape, columns)
    }

    #[test]
    fn a_cell_of_a_sheet_is_named_as_the_spreadsheet_names_it() {
        let orders = laid_out(Shape::Sheet("Orders".into()));
        assert_eq!(orders.row(17).at("quantity").to_string(), "f:Orders!D17: quantity");
        assert_eq!(orders.row(2).at("end_use").to_string(), "f:Orders!AB2: end_use (End Use)");
        assert_eq!(orders.row(9).to_string(), "f:Orders!9");
        assert_eq!(orders.whole().to_string(), "f");
        assert_eq!(laid_out(Shape::Sheet("Q2 'new'".into())).row(3).to_string(), "f:'Q2 ''new'''!3");
        assert_eq!([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_value_of_a_list_has_its_path_and_one_of_a_text_its_line() {
        let list = laid_out(Shape::List);
        assert_eq!(list.row(1).at("quantity").to_string(), "f:$[0].quantity");
        assert_eq!(list.row(4).at("end_use").to_string(), "f:$[3][\"End Use\"]");
        assert_eq!(list.row(4).to_string(), "f:$[3]");
        assert_eq!(list.whole().at("new").to_string(), "f:$[*].new");
        assert_eq!(list.row_name(4), "$[3]");
        let text = Origin::of_file(&Arc::from("f"));
        assert_eq!((text.row(4).at("a").to_string(), text.row_name(4)), ("f:4: a".into(), "line 4".into()));
        let mapped = text.renamed(&["Case".into(), "b".into()], |name| (name == "Case").then(|| "a".into()));
        assert_eq!(mapped.row(4).at("a").to_string(), "f:4: a (Case)");
        assert_eq!(mapped.row(4).at("b").to_string(), "f:4: b");
    }
}
