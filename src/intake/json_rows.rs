//! JSON as a table: objects one after the other, by the line or in a list, each a row.
//!
//! The stream is cut into objects before any of it is read as JSON, so that memory stays bounded and a row knows the line
//! on which it begins. A number is taken as it is written: no float is made of it. Invariant: the header is the document's
//! columns in their order, whatever the keys of an object and their order.

use super::place::{Place, Problem, did_you_mean, hint_with};
use super::table::{Row, Source};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::io::{BufReader, Bytes, Read};
use std::sync::Arc;

/// An object is not that long.
const OBJECT_MAX: usize = 1 << 20;

/// What is wrong with the stream, in a sentence and a hint.
type Broken = (String, &'static str);

/// Objects as rows.
pub(super) struct JsonRows<R: Read> {
    file: Arc<str>,
    columns: Vec<&'static str>,
    bytes: Bytes<BufReader<R>>,
    line: u64,
    read: u64,
    objects: u64,
    list: List,
    ended: bool,
}

/// Whether the objects stand in a list, and where in it the stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Begun,
    Ended,
}

impl<R: Read> JsonRows<R> {
    /// From a stream, under the columns of a document.
    pub(super) fn new(file: &Arc<str>, columns: Vec<&'static str>, input: R) -> JsonRows<R> {
        JsonRows {
            file: Arc::clone(file),
            columns,
            bytes: BufReader::new(input).bytes(),
            line: 1,
            read: 0,
            objects: 0,
            list: List::None,
            ended: false,
        }
    }

    fn byte(&mut self) -> std::io::Result<Option<u8>> {
        let byte = self.bytes.next().transpose()?;
        if let Some(byte) = byte {
            self.read += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// The next object as text, and the line on which it begins.
    fn object(&mut self) -> Result<Option<(u64, Vec<u8>)>, Broken> {
        let failed = |error: std::io::Error| (format!("cannot be read on from here: {error}"), "check the file");
        loop {
            match self.byte().map_err(failed)? {
                None if self.list == List::Begun => return Err(("ends in the middle of its list".into(), "is the file whole?")),
                None => return Ok(None),
                Some(b' ' | b'\t' | b'\r' | b'\n') => {}
                // A byte order mark.
                Some(0xEF | 0xBB | 0xBF) if self.read <= 3 => {}
                Some(b'[') if self.list == List::None && self.objects == 0 => self.list = List::Begun,
                Some(b',') if self.list == List::Begun && self.objects > 0 => {}
                Some(b']') if self.list == List::Begun => self.list = List::Ended,
                Some(b'{') if self.list != List::Ended => break,
                Some(other) => {
                    let what = format!("has `{}` where an object begins", char::from(other));
                    return Err((what, "write one object a line, or a list of objects"));
                }
            }
        }
        self.objects += 1;
        let (begins, mut text) = (self.line, vec![b'{']);
        let (mut depth, mut in_text, mut escaped) = (1, false, false);
        while depth > 0 {
            let Some(byte) = self.byte().map_err(failed)? else {
                return Err(("ends in the middle of an object".into(), "is the file whole?"));
            };
            text.push(byte);
            match (in_text, escaped, byte) {
                (true, true, _) => escaped = false,
                (true, false, b'\\') => escaped = true,
                (_, _, b'"') => in_text = !in_text,
                (false, _, b'{' | b'[') => depth += 1,
                (false, _, b'}' | b']') => depth -= 1,
                _ => {}
            }
            if text.len() > OBJECT_MAX {
                return Err(("has an object longer than 1 MiB".into(), "a row is not that long"));
            }
        }
        Ok(Some((begins, text)))
    }

    fn fill(&self, row: &mut Row, text: &[u8]) {
        let mut wrong = |key: Option<&str>, what: String, hint: String| {
            let place = Place::of_line(&self.file, row.line);
            let place = key.map_or(place.clone(), |key| place.at(key.to_string()));
            row.problems.push(Problem::new(place, what, hint));
        };
        let Pairs(object) = match serde_json::from_slice(text) {
            Ok(object) => object,
            Err(error) => return wrong(None, format!("is not JSON: {error}"), "check quotes, commas and brackets".into()),
        };
        let mut cells = vec![String::new(); self.columns.len()];
        for (at, (key, value)) in object.iter().enumerate() {
            if object[..at].iter().any(|(other, _)| other == key) {
                wrong(Some(key), "stands in the object twice".into(), "keep one of the two".into());
                continue;
            }
            match (self.columns.iter().position(|column| column == key), cell(value.get())) {
                (None, _) => {
                    let hint = hint_with(did_you_mean(key, self.columns.iter().copied()), "take the key out");
                    wrong(Some(key), "is not a column of this document".into(), hint);
                }
                (Some(_), None) => {
                    let hint = "a cell is a text, a number, true, false or null";
                    wrong(Some(key), "holds a list or an object".into(), hint.into());
                }
                (Some(position), Some(text)) => cells[position] = text,
            }
        }
        row.record = cells.into_iter().collect();
    }
}

/// Keys and values in their order; a key that stands twice is there twice.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// A value as it would stand in a cell.
fn cell(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b't' => Some("yes".into()),
        b'f' => Some("no".into()),
        b'n' => Some(String::new()),
        b'{' | b'[' => None,
        _ => Some(raw.to_string()),
    }
}

impl<R: Read + Send> Source for JsonRows<R> {
    fn next(&mut self, row: &mut Row) -> bool {
        if self.ended {
            return false;
        }
        match self.object() {
            Ok(None) => false,
            Ok(Some((line, text))) => {
                row.line = line;
                self.fill(row, &text);
                true
            }
            Err((what, hint)) => {
                // Where one object ends badly the next cannot be found.
                self.ended = true;
                row.line = self.line;
                row.problems.push(Problem::new(Place::of_line(&self.file, self.line), what, hint));
                true
            }
        }
    }

    fn bytes_read(&self) -> u64 {
        self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        let mut rows = JsonRows::new(&Arc::from("t.json"), vec!["name", "tpp"], std::io::Cursor::new(text.to_string()));
        let (mut told, mut row) = (Vec::new(), Row::default());
        loop {
            row.problems.clear();
            row.record.clear();
            if !rows.next(&mut row) {
                return told;
            }
            let problems = row.problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().to_string());
            let cells = format!("{}: {}", row.line, row.record.iter().collect::<Vec<_>>().join("|"));
            told.extend(if row.problems.is_empty() { vec![cells] } else { problems.collect() });
        }
    }

    #[test]
    fn objects_stand_by_the_line_or_in_a_list_and_know_their_line() {
        let by_line = "{\"name\": \"a\"}\n\n{\"tpp\": 15824.000, \"name\": null}\n";
        assert_eq!(rows(by_line), ["1: a|", "3: |15824.000"]);
        let list = "[\n  {\"name\": \"b, {c\\\"}\",\n   \"tpp\": 1e3},\n  {\"tpp\": true}]";
        assert_eq!(rows(list), ["2: b, {c\"}|1e3", "4: |yes"]);
        assert!(rows("").is_empty() && rows("[]").is_empty());
    }

    #[test]
    fn what_is_no_row_is_told_with_its_line() {
        assert_eq!(rows("{\"nmae\": 1}"), ["t.json:1: nmae: is not a column of this document"]);
        assert_eq!(rows("{\"name\": [1]}"), ["t.json:1: name: holds a list or an object"]);
        assert!(rows("{\"name\": x}")[0].starts_with("t.json:1: is not JSON: "));
        assert_eq!(rows("{\"tpp\": 1, \"tpp\": 2}"), ["t.json:1: tpp: stands in the object twice"]);
        assert_eq!(rows("[{\"tpp\": 1},\n"), ["1: |1", "t.json:2: ends in the middle of its list"]);
        assert_eq!(rows("[{\"tpp\": 1}]\n]"), ["1: |1", "t.json:2: has `]` where an object begins"]);
        assert_eq!(rows("{}\nname"), ["1: |", "t.json:2: has `n` where an object begins"]);
        assert_eq!(rows("{\"name\": \"a"), ["t.json:1: ends in the middle of an object"]);
        let long = format!("{{\"name\": \"{}\"}}", "a".repeat(OBJECT_MAX));
        assert_eq!(rows(&long), ["t.json:1: has an object longer than 1 MiB"]);
    }
}
