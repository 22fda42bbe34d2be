//! Places and problems: where something stands in the input, and what is wrong with it.
//!
//! A problem has four parts in a fixed order: where (`file:line: column`, see `layout`), the value, what is wrong, and one hint.
//! It is a value that is collected, never an end of the work: other rows go on. Invariant: a message is always two
//! lines of printable text, however long or strange the value is.

use super::layout::Layout;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// Where something stands in the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// File as it was named; `-` is standard input, `record` a row made by hand.
    pub file: Arc<str>,
    /// Line on which the row begins, row of a sheet or element of a list, from 1; 0 means the file as a whole.
    pub line: u64,
    /// Column, or key of a regime file.
    pub column: Option<Cow<'static, str>>,
    /// How the place is written, where the file is no text under the names of the documentation.
    pub layout: Option<Arc<Layout>>,
}

impl Place {
    /// A file as a whole.
    pub fn of_file(file: &Arc<str>) -> Place {
        Place { file: Arc::clone(file), line: 0, column: None, layout: None }
    }

    /// A line of a file.
    pub fn of_line(file: &Arc<str>, line: u64) -> Place {
        Place { file: Arc::clone(file), line, column: None, layout: None }
    }

    /// The same place, in a column.
    pub fn at(mut self, column: impl Into<Cow<'static, str>>) -> Place {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.file))?;
        if let Some(layout) = &self.layout {
            return layout.write(f, self.line, self.column.as_deref());
        }
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        match &self.column {
            Some(column) => write!(f, ": {}", shortened(column)),
            None => Ok(()),
        }
    }
}

/// Something wrong with the input, in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The value as written, where one value is at fault.
    pub value: Option<Box<str>>,
    /// What is wrong; goes on behind the value: `is not a whole number`.
    pub what: String,
    /// What to do.
    pub hint: Box<str>,
    /// Whether it only follows from something else that was rejected, and is told once.
    pub follows: bool,
}

impl Problem {
    /// A problem without a value of its own.
    pub fn new(place: Place, what: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { place, value: None, what: what.into(), hint: hint.into().into_boxed_str(), follows: false }
    }

    /// The same problem, naming the value at fault. A blank value is not named.
    pub fn with_value(mut self, value: &str) -> Problem {
        self.value = (!value.is_empty()).then(|| Box::from(value));
        self
    }

    /// The same problem, marked as one that only follows from another rejection.
    pub fn following(mut self) -> Problem {
        self.follows = true;
        self
    }

    /// As JSON: file, line or row, cell of a sheet or path of a list, column, value, what, hint; what is not known is null.
    pub fn to_json(&self) -> serde_json::Value {
        let Place { line, column, layout, .. } = &self.place;
        let shows_row = *line > 0 && layout.as_ref().is_none_or(|layout| layout.shows_rows());
        serde_json::json!({
            "file": &*self.place.file,
            "line": shows_row.then_some(line),
            "at": layout.as_ref().and_then(|layout| layout.at(*line, column.as_deref())),
            "column": self.place.column.as_deref(),
            "value": self.value.as_deref().map(shortened),
            "what": self.what,
            "hint": self.hint,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(value) = &self.value {
            write!(f, "\"{}\" ", shortened(value))?;
        }
        f.write_str(&printable(&self.what))?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\nhint: {}", printable(&self.hint)) }
    }
}

/// A value for a message: control characters escaped, and cut with `…` where it is long.
pub fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", printable(&value[..cut])),
        None => printable(value).into_owned(),
    }
}

/// The text with control characters, line breaks and writing-direction marks escaped.
pub fn printable(text: &str) -> Cow<'_, str> {
    let strange = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    if !text.contains(strange) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if strange(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The candidate a word most likely means: the same but for case and separators, or a few letters away.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    // A distance is quadratic in the length, and no name that can be meant is this long.
    if word.is_empty() || word.len() > 100 {
        return None;
    }
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = plain(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let name = plain(candidate);
        let distance = if name == wanted { 0 } else { strsim::osa_distance(&wanted, &name).max(1) };
        let allowed = if distance == 0 { 0 } else { (wanted.chars().count().max(name.chars().count()) / 3).max(1) };
        // One letter of two is no resemblance.
        if distance <= allowed && distance < name.chars().count().max(1) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_string())
}

/// `did you mean X?` before another hint, where there is something that can be meant.
pub fn hint_with(suggestion: Option<String>, otherwise: impl Into<String>) -> String {
    suggestion.map_or_else(|| otherwise.into(), |name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    #[test]
    fn a_problem_is_place_value_what_and_hint() {
        let place = Place::of_line(&file("apps.csv"), 3).at("quantity");
        let problem = Problem::new(place, "is not a whole number", "write whole units, e.g. 12").with_value("12.5");
        assert_eq!(problem.to_string(), "apps.csv:3: quantity: \"12.5\" is not a whole number\nhint: write whole units, e.g. 12");
        let json = problem.to_json();
        assert_eq!(
            (json["line"].as_u64(), json["column"].as_str(), json["value"].as_str()),
            (Some(3), Some("quantity"), Some("12.5"))
        );
    }

    #[test]
    fn parts_that_are_not_known_are_left_out() {
        assert_eq!(Place::of_file(&file("a.csv")).to_string(), "a.csv");
        assert_eq!(Place::of_file(&file("record")).at("event").to_string(), "record: event");
        let problem = Problem::new(Place::of_line(&file("a.csv"), 2), "is blank", "").with_value("");
        assert_eq!(problem.to_string(), "a.csv:2: is blank");
        assert!(Problem::new(Place::of_file(&file("a")), "x", "y").to_json()["line"].is_null());
    }

    #[test]
    fn a_long_or_strange_value_stays_one_short_line() {
        assert_eq!(shortened(&"ü".repeat(100)), format!("{}…", "ü".repeat(60)));
        assert_eq!(shortened("a\nb\u{1b}[31m\u{202e}"), "a\\nb\\u{1b}[31m\\u{202e}");
        let problem = Problem::new(Place::of_file(&file("a\nb")), "w", "h").with_value("x\ny");
        assert_eq!(problem.to_string().lines().count(), 2);
    }

    #[test]
    fn a_hint_names_what_was_meant() {
        let names = ["quantity", "application_number", "line"];
        assert_eq!(did_you_mean("Quantity", names).as_deref(), Some("quantity"));
        assert_eq!(did_you_mean("application number", names).as_deref(), Some("application_number"));
        assert_eq!(did_you_mean("qantity", names).as_deref(), Some("quantity"));
        assert_eq!(did_you_mean("weight", names), None);
        assert_eq!(did_you_mean("", names), None);
        assert_eq!(did_you_mean("XQ", ["DE", "PL"]), None);
    }
}
