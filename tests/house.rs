//! The rules of the house: who may import whom, what stands in the heart, what the documents promise.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path.as_ref())).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The room of a file: the folder below src, or the file itself.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).expect("a source file");
    below.components().next().expect("a room").as_os_str().to_string_lossy().trim_end_matches(".rs").to_string()
}

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let without_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    without_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Words that follow `crate::`, and crates named in `use` lines or by path.
fn named(code: &str, before: &str) -> BTreeSet<String> {
    code.match_indices(before)
        .map(|(at, _)| {
            let rest = &code[at + before.len()..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The table of ARCHITECTURE.md: room, rooms it may import, crates it may name.
fn table() -> BTreeMap<String, (BTreeSet<String>, String)> {
    let text = read("ARCHITECTURE.md");
    let table = text.split("<!-- imports -->").nth(1).and_then(|rest| rest.split("<!-- /imports -->").next()).expect("the table");
    let words = |cell: &str| {
        cell.split(',').map(|word| word.trim().trim_matches('`').to_string()).filter(|word| !word.is_empty()).collect()
    };
    table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`').to_string(), (words(cells[1]), cells[2].to_string()))
        })
        .collect()
}

#[test]
fn no_arrow_goes_against_the_table_of_the_architecture() {
    let table = table();
    assert!(table.len() >= 8, "the table of rooms was not found");
    for path in sources("src") {
        let room = room(&path);
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let (rooms, crates) = table.get(&room).unwrap_or_else(|| panic!("the room {room} is not in the table"));
        let code = code(&path);
        for other in named(&code, "crate::") {
            // `crate::Error` and `crate::Result` are names of the room `error`.
            let other = if matches!(other.as_str(), "Error" | "Result") { "error".to_string() } else { other };
            assert!(other == room || rooms.contains(&other), "{}: {room} may not import {other}", path.display());
        }
        let in_engine = path.to_string_lossy().contains("store/sqlite");
        for foreign in [
            "rusqlite",
            "clap",
            "csv",
            "comfy_table",
            "toml",
            "serde_json",
            "indicatif",
            "anstream",
            "calamine",
            "strsim",
            "tempfile",
        ] {
            let used = code.contains(&format!("{foreign}::"));
            let allowed = crates.contains(foreign) && (!matches!(foreign, "rusqlite") || in_engine);
            assert!(!used || allowed, "{}: {room} may not name {foreign}", path.display());
        }
    }
}

#[test]
fn there_is_no_float_and_no_outside_world_in_the_heart() {
    for path in sources("src/quota") {
        let code = code(&path);
        for word in [
            "f32",
            "f64",
            "std::fs",
            "std::env",
            "std::time",
            "SystemTime",
            "Utc::now",
            "Local::now",
            "println!",
            "rusqlite",
            "csv::",
        ] {
            assert!(!code.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn there_is_no_number_of_law_in_the_code() {
    // The limit, the national and company limits, the thresholds: they stand in data/regimes and nowhere else.
    for path in sources("src") {
        let code = code(&path).replace('_', "");
        for number in ["790000000", "1580000000", "26900000", "3200000", "253000000", "5064000000", "4800"] {
            assert!(!code.contains(number), "{}: {number}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for path in sources("src").into_iter().chain(sources("tests")) {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        assert!(text.starts_with("//!"), "{}", path.display());
    }
}

#[test]
fn the_dictionary_of_the_reports_is_the_one_in_the_code() {
    let text = read("reports/README.md");
    let kept = text
        .split("<!-- dictionary: begin -->")
        .nth(1)
        .and_then(|rest| rest.split("<!-- dictionary: end -->").next())
        .expect("the dictionary");
    assert_eq!(kept.trim(), tppledger::report::columns::dictionary_markdown().trim());
}

#[test]
fn every_finding_and_refusal_is_documented() {
    let documents = read("GLOSSARY.md")
        + &read("CONTRIBUTING.md")
        + &read("README.md")
        + &read("tests/README.md")
        + &read("reports/README.md");
    let documents = documents + &read("docs/findings.md");
    for code in tppledger::quota::finding::FindingCode::ALL {
        assert!(documents.contains(code.as_str()), "{code} is not documented");
    }
    for code in tppledger::quota::decision::RefusalCode::ALL {
        assert!(documents.contains(code.as_str()), "{code} is not documented");
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let listed = [
        "README.md",
        "ARCHITECTURE.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/record-chain.md",
        "docs/findings.md",
        "data/README.md",
        "tests/README.md",
        "schema/README.md",
        "benches/peers/README.md",
    ];
    for name in listed {
        let text = read(name);
        let paths = ["work", "root", "home", "tmp"].map(|folder| format!(" /{folder}/"));
        let hosts = [["crates", "io"], ["pypi", "org"], ["npmjs", "com"]].map(|parts| parts.join("."));
        for word in paths.iter().chain(&hosts) {
            assert!(!text.contains(word.as_str()), "{name}: {word}");
        }
    }
}
