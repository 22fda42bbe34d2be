//! The text of a regime: its files as the program carries them, as a folder has them, as a ledger keeps them.
//!
//! Nothing is read into a meaning here. Invariant: a text that was kept as one comes apart into the same files.

#![allow(clippy::disallowed_methods, reason = "the edge: regime folders are read here")]

use super::keys::{Keys, RegimeFile};
use crate::intake::countries::Countries;
use crate::intake::place::{Place, Problem, did_you_mean, hint_with};
use std::path::Path;
use std::sync::Arc;

/// Files that make up a regime, and whether it must have them. Devices are classified, and company allocations kept, only
/// where a regime says how.
const FILES: [(&str, bool); 5] = [(LAW, true), (ALLOCATIONS, true), (GROUPS, true), (DEVICES, false), (COMPANIES, false)];
pub(super) const LAW: &str = "regime.toml";
pub(super) const ALLOCATIONS: &str = "allocations.toml";
pub(super) const GROUPS: &str = "country-groups.toml";
pub(super) const DEVICES: &str = "devices.toml";
pub(super) const COMPANIES: &str = "companies.toml";

/// The rules of screening: beside the regime's files, and no part of what a ledger keeps, since no figure depends on them.
pub(super) const SCREENING: &str = "screening.toml";

/// The rules of screening that the summary's edition has instead. No folder has one of its own.
pub(super) const SCREENING_SUMMARY: &str = "screening.summary.toml";

/// Where the summary differs from the regulation, in words; beside the regime's files like the rules of screening.
pub(super) const SUMMARY: &str = "summary.toml";

/// The largest file of a regime that is read; the built-in ones have 8 KB.
const FILE_MAX: u64 = 1 << 20;

macro_rules! builtin {
    ($file:literal) => {
        include_str!(concat!("../../../data/regimes/us-ear-ai-diffusion/", $file)).to_string()
    };
}

/// The text of a regime, file by file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegimeText {
    /// Names of the files without their folder, and what they hold.
    pub files: Vec<(String, String)>,
}

impl RegimeText {
    /// The regime that the program carries.
    pub fn builtin() -> RegimeText {
        RegimeText {
            files: vec![
                (LAW.to_string(), builtin!("regime.toml")),
                (ALLOCATIONS.to_string(), builtin!("allocations.toml")),
                (GROUPS.to_string(), builtin!("country-groups.toml")),
                (DEVICES.to_string(), builtin!("devices.toml")),
                (COMPANIES.to_string(), builtin!("companies.toml")),
            ],
        }
    }

    /// The same with the country groups of a law firm's summary, which differ from the regulation. Never a default.
    pub fn builtin_summary_edition() -> RegimeText {
        let mut text = RegimeText::builtin();
        for (name, content) in &mut text.files {
            if name == GROUPS {
                *content = builtin!("country-groups.summary.toml");
            }
        }
        text
    }

    /// The files of a folder. Other TOML files are a problem, so that none is misspelled unnoticed; a second edition
    /// (`NAME.summary.toml`) and files of other kinds may stand beside them.
    ///
    /// # Errors
    /// Every file that is missing, unknown or cannot be read.
    pub fn from_folder(folder: &Path) -> Result<RegimeText, Vec<Problem>> {
        let in_folder = |name: &str| -> Arc<str> { Arc::from(folder.join(name).to_string_lossy()) };
        let entries = folder.read_dir().map_err(|error| {
            let place = Place::of_file(&Arc::from(folder.to_string_lossy()));
            vec![Problem::new(
                place,
                format!("is not a folder that can be read: {error}"),
                "name the folder that holds the regime's files",
            )]
        })?;
        let mut problems = Vec::new();
        for name in entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()) {
            let known = [SCREENING, SUMMARY].contains(&name.as_str()) || FILES.iter().any(|(known, _)| *known == name);
            if name.ends_with(".toml") && !name.ends_with(".summary.toml") && !known {
                let hint = hint_with(
                    did_you_mean(&name, FILES.map(|(known, _)| known)),
                    format!("a regime is {}", FILES.map(|(known, _)| known).join(", ")),
                );
                problems.push(Problem::new(Place::of_file(&in_folder(&name)), "is not a file of a regime", hint));
            }
        }
        let mut files = Vec::new();
        for (name, required) in FILES {
            match read_file(&folder.join(name)) {
                Ok(text) => files.push((name.to_string(), text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if required {
                        problems.push(missing(&in_folder(name)));
                    }
                }
                Err(error) => {
                    let what = format!("cannot be read: {error}");
                    problems.push(Problem::new(
                        Place::of_file(&in_folder(name)),
                        what,
                        "a file of a regime is text in UTF-8, of at most 1 MiB",
                    ));
                }
            }
        }
        if problems.is_empty() { Ok(RegimeText { files }) } else { Err(problems) }
    }

    /// One text that holds all files: before each a line with its name and its length in bytes.
    pub fn to_single_text(&self) -> String {
        self.files.iter().map(|(name, text)| format!("--- {name} {}\n{text}\n", text.len())).collect()
    }

    /// The files of such a text, as far as it is one: what is cut off or changed shows as missing when it is parsed.
    pub fn from_single_text(text: &str) -> RegimeText {
        let mut files = Vec::new();
        let mut rest = text;
        while let Some((name, content, after)) = first_file(rest) {
            files.push((name.to_string(), content.to_string()));
            rest = after;
        }
        RegimeText { files }
    }

    /// What one of the files holds.
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// Reads one of the files through `read`.
    pub(super) fn read<'t, T>(
        &'t self,
        name: &str,
        countries: &'t Countries,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&Keys<'_, 't>) -> Option<T>,
    ) -> Option<T> {
        let Some(text) = self.file(name) else {
            problems.push(missing(&Arc::from(name)));
            return None;
        };
        RegimeFile::new(name, text, countries).read(problems, read)
    }
}

fn first_file(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.strip_prefix("--- ")?.split_once('\n')?;
    let (name, length) = head.rsplit_once(' ')?;
    let length: usize = length.parse().ok()?;
    let (content, after) = (rest.get(..length)?, rest.get(length..)?);
    Some((name, content, after.strip_prefix('\n')?))
}

pub(super) fn read_file(path: &Path) -> std::io::Result<String> {
    if path.metadata()?.len() > FILE_MAX {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    std::fs::read_to_string(path).map(|text| text.strip_prefix('\u{FEFF}').map_or(text.clone(), str::to_string))
}

fn missing(file: &Arc<str>) -> Problem {
    Problem::new(Place::of_file(file), "is missing from the regime", "`tppledger regime show` prints a regime to start from")
}

/// Whether a folder has a file of that name.
pub(super) fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

/// The rules of screening that the program carries.
pub fn builtin_screening() -> String {
    builtin!("screening.toml")
}

/// The rules of screening that the summary's edition has instead of those with the same list and id.
pub fn builtin_screening_summary() -> String {
    builtin!("screening.summary.toml")
}

/// The rules of screening in a regime's folder.
///
/// # Errors
/// When there are none, or they cannot be read.
pub fn screening_in(folder: &Path) -> Result<String, Vec<Problem>> {
    let file: Arc<str> = Arc::from(folder.join(SCREENING).to_string_lossy());
    read_file(&folder.join(SCREENING)).map_err(|error| {
        let hint = "screening needs the rules of the regime; `screening.toml` of the built-in one is a start";
        vec![Problem::new(Place::of_file(&file), format!("cannot be read: {error}"), hint)]
    })
}

/// Where the summary differs from the regulation, as the program carries it.
pub fn builtin_differences() -> String {
    builtin!("summary.toml")
}
