//! Countries: the codes there are, and the names by which people mean them.
//!
//! The table is data (`data/countries.csv`). A name is compared without regard to case, accents and punctuation, and
//! means one country or none: a name that could mean two is not guessed, it gets a hint. Invariant: a text of two
//! letters that is a code means that code, whatever else it might abbreviate.

use super::place::did_you_mean;
use crate::quota::codes::Country;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

static BUILTIN: LazyLock<Countries> = LazyLock::new(|| Countries::parse(include_str!("../../data/countries.csv")));

/// A country or territory of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountryEntry {
    /// ISO 3166-1 alpha-2, or `XK`.
    pub code: Country,
    /// ISO 3166-1 alpha-3, or `XKX`.
    pub alpha3: String,
    /// The name that agencies write.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
}

/// All countries, by code and by name.
pub struct Countries {
    entries: Vec<CountryEntry>,
    /// Position in `entries` by the two letters of the code, for the common case.
    by_code: Vec<Option<u16>>,
    /// By what two spellings of a name have in common; made when the first name is looked up, codes do without it.
    by_key: OnceLock<HashMap<String, Country>>,
}

impl Countries {
    /// The table that the program carries.
    pub fn builtin() -> &'static Countries {
        &BUILTIN
    }

    fn parse(text: &str) -> Countries {
        let mut countries = Countries { entries: Vec::new(), by_code: vec![None; 26 * 26], by_key: OnceLock::new() };
        for record in csv::Reader::from_reader(text.as_bytes()).into_records() {
            let record = record.expect("data/countries.csv is well-formed; a test reads it");
            let code = Country::new(&record[0]).expect("data/countries.csv has codes of two letters; a test reads it");
            let aliases = record[3].split(';').filter(|alias| !alias.is_empty()).map(str::to_string).collect();
            let entry = CountryEntry { code, alpha3: record[1].to_string(), name: record[2].to_string(), aliases };
            countries.by_code[slot(code)] = u16::try_from(countries.entries.len()).ok();
            countries.entries.push(entry);
        }
        countries
    }

    fn by_key(&self, key_of_name: &str) -> Option<Country> {
        let all = || {
            let names = |entry: &CountryEntry| {
                let code = entry.code;
                let names = [&entry.alpha3, &entry.name].into_iter().chain(&entry.aliases);
                names.map(|name| (key(name), code)).collect::<Vec<_>>()
            };
            self.entries.iter().flat_map(names).collect()
        };
        self.by_key.get_or_init(all).get(key_of_name).copied()
    }

    /// All entries, by code.
    pub fn all(&self) -> &[CountryEntry] {
        &self.entries
    }

    /// All codes, in order.
    pub fn codes(&self) -> impl Iterator<Item = Country> + Clone {
        self.entries.iter().map(|entry| entry.code)
    }

    /// The entry of a code; `None` when there is no such country.
    pub fn entry(&self, country: Country) -> Option<&CountryEntry> {
        self.by_code[slot(country)].and_then(|position| self.entries.get(usize::from(position)))
    }

    /// The name of a country; blank where the table has none.
    pub fn name(&self, country: Country) -> &str {
        self.entry(country).map_or("", |entry| &entry.name)
    }

    /// The country of a code of two letters, in any case; `None` when there is none.
    pub fn code(&self, text: &str) -> Option<Country> {
        Country::new(text).filter(|country| self.by_code[slot(*country)].is_some())
    }

    /// The country that a text means: a code of two or three letters, a name or an alias.
    pub fn lookup(&self, text: &str) -> Option<Country> {
        self.code(text).or_else(|| {
            let wanted = key(text);
            let bare = || wanted.strip_prefix("the").and_then(|rest| self.by_key(rest));
            self.by_key(&wanted).or_else(bare)
        })
    }

    /// As [`Countries::lookup`].
    ///
    /// # Errors
    /// The hint for the one who wrote it.
    pub fn find(&self, text: &str) -> Result<Country, String> {
        self.lookup(text).ok_or_else(|| self.hint(text))
    }

    /// What to say of a text that means no country. Takes its time: it compares with every name.
    pub(super) fn hint(&self, text: &str) -> String {
        let written = |entry: &CountryEntry| format!("{} ({})", entry.name, entry.code);
        if text.chars().count() == 2 {
            return "a text of two letters is a country code, and this is none; write the code or the name".to_string();
        }
        // "Korea", "Congo", "Virgin Islands": part of the names of several.
        let word = |name: &str| format!(" {} ", words(name).join(" "));
        let part = word(text);
        let several: Vec<String> = self.entries.iter().filter(|entry| word(&entry.name).contains(&part)).map(written).collect();
        if part.len() > 5 && (1..=6).contains(&several.len()) {
            return format!("did you mean {}?", several.join(" or "));
        }
        let names = self.entries.iter().flat_map(|entry| std::iter::once(&entry.name).chain(&entry.aliases)).map(String::as_str);
        match did_you_mean(text, names).and_then(|name| self.by_key(&key(&name))).and_then(|country| self.entry(country)) {
            Some(entry) => format!("did you mean {}?", written(entry)),
            None => "write a code of ISO 3166-1, e.g. PL, or the name of a country".to_string(),
        }
    }
}

fn slot(country: Country) -> usize {
    let letters = country.as_str().as_bytes();
    usize::from(letters[0] - b'A') * 26 + usize::from(letters[1] - b'A')
}

/// What two spellings of a name have in common: its letters and digits, small and without accents.
fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        match plain_letters(c) {
            Some(letters) => key.push_str(letters),
            None if c.is_alphanumeric() => key.push(c),
            None => {}
        }
    }
    key
}

/// The words of a name as keys.
fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric()).map(key).filter(|word| !word.is_empty()).collect()
}

/// A small letter of the Latin script without its accent; `None` for any other.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ǝ' | 'ə' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        // An accent of its own, as in the decomposed form of Unicode.
        '\u{300}'..='\u{36F}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Countries::builtin().find(text).map_or_else(|hint| hint, |country| country.to_string())
    }

    #[test]
    fn the_table_has_every_entry_of_iso_3166_1_and_kosovo() {
        let countries = Countries::builtin();
        let mut expected: Vec<(String, String)> =
            rust_iso3166::ALL.iter().map(|country| (country.alpha2.to_string(), country.alpha3.to_string())).collect();
        expected.push(("XK".to_string(), "XKX".to_string()));
        expected.sort();
        expected.dedup();
        let found: Vec<(String, String)> =
            countries.all().iter().map(|entry| (entry.code.to_string(), entry.alpha3.clone())).collect();
        assert_eq!(found, expected);
        assert_eq!(countries.codes().count(), countries.all().len());
    }

    #[test]
    fn no_name_means_two_countries() {
        let mut owner: HashMap<String, Country> = HashMap::new();
        for entry in Countries::builtin().all() {
            let code = entry.code.to_string();
            for name in [&code, &entry.alpha3, &entry.name].into_iter().chain(&entry.aliases) {
                assert!(!key(name).is_empty(), "{name}");
                let before = owner.insert(key(name), entry.code);
                assert!(before.is_none_or(|country| country == entry.code), "{name} means {before:?} and {}", entry.code);
            }
        }
    }

    #[test]
    fn a_country_is_found_by_code_and_by_the_names_people_write() {
        for (text, expected) in [
            ("pl", "PL"),
            ("POL", "PL"),
            ("Poland", "PL"),
            ("NO", "NO"),
            ("Norge", "NO"),
            ("south korea", "KR"),
            ("Burma", "MM"),
            ("UAE", "AE"),
            ("U.A.E.", "AE"),
            ("Cote d'Ivoire", "CI"),
            ("CÔTE D’IVOIRE", "CI"),
            ("Co\u{302}te d'Ivoire", "CI"),
            ("Osterreich", "AT"),
            ("Kosovo", "XK"),
            ("The Netherlands", "NL"),
            ("Guinea Bissau", "GW"),
            ("UK", "GB"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(Countries::builtin().name(Country::new("MM").unwrap()), "Burma");
    }

    #[test]
    fn what_is_no_country_gets_a_hint() {
        assert_eq!(code("Polnd"), "did you mean Poland (PL)?");
        assert_eq!(code("Korea"), "did you mean North Korea (KP) or South Korea (KR)?");
        assert_eq!(code("Congo"), "did you mean Democratic Republic of the Congo (CD) or Republic of the Congo (CG)?");
        assert!(code("XX").starts_with("a text of two letters is a country code"));
        assert!(code("Atlantis-on-Sea").starts_with("write a code"));
        assert!(code("?!").starts_with("a text of two letters"));
        assert!(code("世界").starts_with("a text of two letters"));
    }
}
