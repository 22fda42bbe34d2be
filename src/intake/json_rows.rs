//! JSON as a table: objects one after the other, by the line or in a list, each a row.
//!
//! The stream is cut into objects before any of it is read as JSON, so that memory stays bounded and a row knows the line
//! on which it begins, or its place in the list. A number is taken as it is written: no float is made of it. Invariant: the
//! header is all keys that there are, whatever the keys of one object and their order.

use super::layout::{LaidOut, Origin, Shape};
use super::place::{Place, Problem};
use super::table::{Row, Source};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Bytes, Read, Seek};
use std::marker::PhantomData;
use std::sync::Arc;

/// An object is not that long.
const OBJECT_MAX: usize = 1 << 20;
/// A table has not that many columns.
const KEYS_MAX: usize = 1000;

/// What is wrong with the stream, in a sentence and a hint.
type Broken = (String, &'static str);

/// Objects as rows.
pub(super) struct JsonRows<R: Read> {
    origin: Origin,
    columns: Vec<String>,
    positions: HashMap<String, usize>,
    bytes: Bytes<BufReader<R>>,
    line: u64,
    read: u64,
    objects: u64,
    list: List,
    ended: bool,
}

/// The keys of all objects, and for each the first row that has it.
pub(super) struct Keys {
    pub names: Vec<String>,
    pub first_rows: Vec<u64>,
}

/// Whether the objects stand in a list, and where in it the stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Begun,
    Ended,
}

impl<R: Read + Seek> JsonRows<R> {
    /// The columns of a text, which are all keys of its objects in the order in which they come, and its rows. The text is read
    /// through once for the keys.
    pub(super) fn begin(file: &Arc<str>, mut input: R) -> Result<(Origin, Keys, JsonRows<R>), Problem> {
        let whole = |what: String, hint: &str| Problem::new(Place::of_file(file), what, hint);
        let failed = |error: std::io::Error| whole(format!("cannot be read: {error}"), "check the file");
        let mut first = JsonRows::new(Origin::of_file(file), Vec::new(), &mut input);
        let (mut keys, mut first_rows, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let end = loop {
            match first.object() {
                Ok(Some((line, text))) => {
                    let row = first.number(line);
                    // What is no JSON is told when its row is read.
                    let Ok(Pairs(object)) = serde_json::from_slice::<Pairs<IgnoredAny>>(&text) else { continue };
                    for (key, _) in object {
                        if !seen.contains(&key) {
                            seen.insert(key.clone());
                            keys.push(key);
                            first_rows.push(row);
                        }
                    }
                    if keys.len() > KEYS_MAX {
                        return Err(whole(format!("has more than {KEYS_MAX} different keys"), "is it a list of rows?"));
                    }
                }
                Ok(None) => break Ok(()),
                Err(broken) => break Err(broken),
            }
        };
        let (in_list, line) = (first.list != List::None, first.line);
        match end {
            Err((what, hint)) if keys.is_empty() => return Err(Problem::new(Place::of_line(file, line), what, hint)),
            Ok(()) if keys.is_empty() => {
                return Err(whole("has no rows".into(), "write a list of objects, or one object a line"));
            }
            _ => {}
        }
        input.rewind().map_err(failed)?;
        let shape = if in_list { Shape::List } else { Shape::Lines };
        let laid_out = |(number, key): (usize, &String)| LaidOut { name: key.trim().into(), written: key.clone(), number };
        let origin = Origin::laid_out(file, shape, keys.iter().enumerate().map(laid_out).collect());
        let names = keys.iter().map(|key| key.trim().to_string()).collect();
        Ok((origin.clone(), Keys { names, first_rows }, JsonRows::new(origin, keys, input)))
    }
}

impl<R: Read> JsonRows<R> {
    fn new(origin: Origin, columns: Vec<String>, input: R) -> JsonRows<R> {
        let positions = columns.iter().cloned().zip(0..).collect();
        let bytes = BufReader::new(input).bytes();
        JsonRows { origin, columns, positions, bytes, line: 1, read: 0, objects: 0, list: List::None, ended: false }
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

    /// Number of the object that was read last, as a place of this text counts: its line, or its place in the list.
    fn number(&self, line: u64) -> u64 {
        if self.list == List::None { line } else { self.objects }
    }

    fn fill(&self, row: &mut Row, text: &[u8]) {
        let mut wrong = |key: Option<&str>, what: String, hint: &str| {
            let place = self.origin.row(row.line);
            let place = key.map_or(place.clone(), |key| place.at(key.trim().to_string()));
            row.problems.push(Problem::new(place, what, hint));
        };
        let mut cells = vec![None; self.columns.len()];
        match serde_json::from_slice::<Pairs<Box<RawValue>>>(text) {
            Err(error) => wrong(None, format!("is not JSON: {error}"), "check quotes, commas and brackets"),
            Ok(Pairs(object)) => {
                for (key, value) in &object {
                    let Some(filled) = self.positions.get(key).map(|position| &mut cells[*position]) else { continue };
                    if filled.is_some() {
                        wrong(Some(key), "stands in the object twice".into(), "keep one of the two");
                        continue;
                    }
                    *filled = cell(value.get());
                    if filled.is_none() {
                        wrong(Some(key), "holds a list or an object".into(), "a cell is a text, a number, true, false or null");
                    }
                }
            }
        }
        row.record = cells.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
    }
}

/// Keys and values in their order; a key that stands twice is there twice.
struct Pairs<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<V>, D::Error> {
        struct Visit<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Visit<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit(PhantomData))
    }
}

/// A value as it would stand in a cell.
fn cell(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        // Not yes and no: where a country is meant, `no` is Norway.
        b't' | b'f' => Some(raw.to_string()),
        b'n' => Some(String::new()),
        b'{' | b'[' => None,
        _ if raw.contains(['e', 'E']) => Some(super::numbers::plain(raw).unwrap_or_else(|| raw.to_string())),
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
                row.line = self.number(line);
                self.fill(row, &text);
                true
            }
            Err((what, hint)) => {
                // Where one object ends badly the next cannot be found.
                self.ended = true;
                row.line = self.number(self.line);
                row.problems.push(Problem::new(Place::of_line(self.origin.file(), self.line), what, hint));
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

    fn begin(text: &str) -> Result<(Vec<String>, JsonRows<std::io::Cursor<String>>), String> {
        let begun = JsonRows::begin(&Arc::from("t.json"), std::io::Cursor::new(text.to_string()));
        begun.map(|(_, keys, rows)| (keys.names, rows)).map_err(|problem| problem.to_string().replace('\n', " | "))
    }

    fn rows(text: &str) -> Vec<String> {
        let mut rows = begin(text).unwrap().1;
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
    fn objects_stand_by_the_line_or_in_a_list_and_know_their_place() {
        let by_line = "{\"name\": \"a\"}\n\n{\"tpp\": 15824.000, \"name\": null}\n";
        assert_eq!(rows(by_line), ["1: a|", "3: |15824.000"]);
        let list = "[\n  {\"name\": \"b, {c\\\"}\",\n   \"tpp\": 1e3},\n  {\"tpp\": true}]";
        assert_eq!(rows(list), ["1: b, {c\"}|1000", "2: |true"]);
        assert_eq!(begin("{\"b\": 1}{\" a \": 1, \"b\": 2}").unwrap().0, ["b", "a"]);
    }

    #[test]
    fn a_number_is_the_text_that_is_written() {
        let digits = "[{\"tpp\": 123456789012345678.901, \"name\": 2.69E7}]";
        assert_eq!(rows(digits), ["1: 123456789012345678.901|26900000"]);
    }

    #[test]
    fn what_is_no_row_is_told_in_its_place() {
        assert_eq!(rows("{\"name\": [1]}"), ["t.json:1: name: holds a list or an object"]);
        assert_eq!(rows("[{\"tpp\": 1},{\"tpp\": {}}]"), ["1: 1", "t.json:$[1].tpp: holds a list or an object"]);
        assert!(rows("{\"name\": 1}\n{\"name\": x}")[1].starts_with("t.json:2: is not JSON: "));
        assert_eq!(rows("{\"tpp\": 1, \"tpp\": 2}"), ["t.json:1: tpp: stands in the object twice"]);
        assert_eq!(rows("[{\"tpp\": 1},\n"), ["1: 1", "t.json:2: ends in the middle of its list"]);
        assert_eq!(rows("[{\"tpp\": 1}]\n]"), ["1: 1", "t.json:2: has `]` where an object begins"]);
        assert_eq!(rows("{\"a\":1}\nname"), ["1: 1", "t.json:2: has `n` where an object begins"]);
        let long = format!("{{\"name\": 1}}{{\"name\": \"{}\"}}", "a".repeat(OBJECT_MAX));
        assert_eq!(rows(&long), ["1: 1", "t.json:1: has an object longer than 1 MiB"]);
    }

    #[test]
    fn what_has_no_rows_at_all_is_no_table() {
        let refused = |text: &str| begin(text).err().unwrap();
        let none = "t.json: has no rows | hint: write a list of objects, or one object a line";
        assert_eq!([refused(""), refused("[]"), refused("{}"), refused("\u{FEFF}[ ]")], [none; 4]);
        assert!(refused("{\"name\": \"a").starts_with("t.json:1: ends in the middle of an object"));
        assert!(refused("name").starts_with("t.json:1: has `n` where an object begins"));
    }
}
