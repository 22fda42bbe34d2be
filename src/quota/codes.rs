//! Codes: countries, export control classification numbers (ECCN), identifiers.
//!
//! Codes are small values that are copied, never looked up by name here: names belong to the doors. An ECCN is
//! compared by paragraph, so that `3A090.a.1` is in `3A090.a` and `3A090.aa` is not (Supp. 1 to part 774).

use std::fmt;

/// A country as ISO 3166-1 alpha-2 (and `XK` for Kosovo), two capital letters.
///
/// The letters are held as one number, first letter times 256 plus second, which orders like the letters. (As two bytes
/// beside a day in a tuple, the optimizer of Rust 1.95 with LLVM 22 overwrites a part of the day; ARCHITECTURE.md,
/// decisions.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u16);

/// All pairs of capital letters in order: what the text of a code is cut from.
static PAIRS: [[u8; 2]; 26 * 26] = {
    let mut pairs = [[0; 2]; 26 * 26];
    let mut index = 0;
    while index < pairs.len() {
        pairs[index] = [b'A' + (index / 26) as u8, b'A' + (index % 26) as u8];
        index += 1;
    }
    pairs
};

impl Country {
    /// From two ASCII letters, in any case; `None` otherwise. Whether the code exists is the catalogue's to say.
    pub fn new(code: &str) -> Option<Country> {
        match *code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Country(u16::from(a.to_ascii_uppercase()) << 8 | u16::from(b.to_ascii_uppercase())))
            }
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &'static str {
        let [first, second] = self.0.to_be_bytes();
        let pair = &PAIRS[usize::from(first - b'A') * 26 + usize::from(second - b'A')];
        std::str::from_utf8(pair).expect("a country code is two ASCII letters")
    }

    /// The code as a number, for tables: 256 x first letter + second.
    pub fn index(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An export control classification number with its paragraph, e.g. `3A090.a` or `5A992.z.1`; also `EAR99`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Eccn {
    bytes: [u8; Eccn::MAX],
    len: u8,
}

impl Eccn {
    const MAX: usize = 23;

    /// Reads an ECCN in any case: a digit 0-9, a letter A-E, three digits, then paragraphs each behind a dot.
    /// The category is written in capitals and the paragraphs in small letters; `None` when malformed.
    pub fn new(text: &str) -> Option<Eccn> {
        if text.len() > Self::MAX || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let used = &mut bytes[..text.len()];
        used.make_ascii_lowercase();
        let len = u8::try_from(text.len()).expect("at most 23");
        if used == b"ear99" {
            used.make_ascii_uppercase();
            return Some(Eccn { bytes, len });
        }
        if used.len() < 5 {
            return None;
        }
        used[1] = used[1].to_ascii_uppercase();
        let (head, tail) = used.split_at(5);
        let head_ok = head[0].is_ascii_digit() && (b'A'..=b'E').contains(&head[1]) && head[2..].iter().all(u8::is_ascii_digit);
        let tail_ok = tail.is_empty()
            || (tail[0] == b'.'
                && tail[1..].split(|b| *b == b'.').all(|part| {
                    !part.is_empty() && (part.iter().all(u8::is_ascii_digit) || part.iter().all(u8::is_ascii_lowercase))
                }));
        (head_ok && tail_ok).then_some(Eccn { bytes, len })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("an ECCN is ASCII")
    }

    /// Whether this entry is the paragraph itself or stands below it: `3A090.a.1` is within `3A090.a`.
    pub fn is_within(&self, paragraph: &Eccn) -> bool {
        // Most entries differ in their first five characters, which every one has.
        if self.bytes[..5] != paragraph.bytes[..5] {
            return false;
        }
        let (own, above) = (&self.bytes[..usize::from(self.len)], &paragraph.bytes[..usize::from(paragraph.len)]);
        own.strip_prefix(above).is_some_and(|rest| matches!(rest, [] | [b'.', ..]))
    }
}

impl fmt::Display for Eccn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Eccn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a text may be an identifier (application, license, event): letters, digits, `-`, `.`, `_`.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eccn_is_compared_by_paragraph() {
        let entry = |text: &str| Eccn::new(text).unwrap();
        assert!(entry("3a090.A.1").is_within(&entry("3A090.a")));
        assert!(entry("3A090.a").is_within(&entry("3A090.a")));
        assert!(!entry("3A090.aa").is_within(&entry("3A090.a")));
        assert!(!entry("3A090").is_within(&entry("3A090.a")));
        assert_eq!(entry("ear99").as_str(), "EAR99");
        for wrong in ["", "3A09", "3F090", "3A090.", "3A090..a", "3A090a", "3A090.a1", "XA090", "3A090.ä"] {
            assert!(Eccn::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_country_is_two_letters() {
        assert_eq!(Country::new("pl").unwrap().as_str(), "PL");
        assert!(Country::new("P1").is_none() && Country::new("POL").is_none());
    }
}
