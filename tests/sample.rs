//! The sample: the inbox of `data/sample` makes the pack of `reports/sample`, byte for byte.
//!
//! `data/sample/README.md` works its figures by hand. `TPPLEDGER_UPDATE=1` writes the pack anew; read it before it is kept.

#![allow(clippy::disallowed_methods, reason = "a test lays out files, runs the program and looks at what it left")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// 2026-07-01, the day after the quarter.
const CLOCK: &str = "1782864000";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(ledger: &Path, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tppledger"))
        .args(["run", "data/sample", "--quarter", "2026-Q2", "--by", "sample", "--out"])
        .arg(out)
        .arg("--ledger")
        .arg(ledger)
        .current_dir(root())
        .env("SOURCE_DATE_EPOCH", CLOCK)
        .output()
        .expect("the program starts")
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a file of the pack"))
        })
        .collect()
}

/// The first line in which two texts differ.
fn first_difference(expected: &[u8], seen: &[u8]) -> String {
    let (expected, seen) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(seen));
    let mut lines = expected.lines().zip(seen.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((index, (a, b))) => format!("line {}:\n  expected {a}\n  seen     {b}", index + 1),
        None => format!("{} lines expected, {} seen", expected.lines().count(), seen.lines().count()),
    }
}

#[test]
fn the_sample_inbox_makes_the_sample_pack() {
    let place = tempfile::tempdir().expect("a folder");
    let (ledger, out) = (place.path().join("sample.db"), place.path().join("pack"));
    let kept = root().join("reports/sample");
    let first = run(&ledger, &out);
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    // One application is refused, because Singapore's limit is met; nothing is wrong with the input.
    assert_eq!(first.status.code(), Some(3), "{told}");
    assert_eq!(told.matches(" refused (record ").count(), 1, "{told}");

    let made = files(&out);
    if std::env::var_os("TPPLEDGER_UPDATE").is_some() {
        std::fs::create_dir_all(&kept).expect("reports/sample");
        for (name, bytes) in &made {
            std::fs::write(kept.join(name), bytes).expect("a file of the sample pack");
        }
    }
    let expected = files(&kept);
    assert_eq!(expected.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        assert!(*bytes == made[name], "reports/sample/{name}: {}", first_difference(bytes, &made[name]));
    }

    // Cron runs again: every row is known, nothing is refused anew, and the pack is replaced by the same bytes.
    let second = run(&ledger, &out);
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(files(&out) == made, "the second run changed the pack");
    assert_eq!(first.stdout, second.stdout);
}

/// The header of every file of the inbox together has every column of the input, and every column has a value somewhere.
#[test]
fn the_sample_uses_every_column() {
    use tppledger::intake::{Document, TableReader, table::Row};
    let mut used: BTreeMap<(Document, String), u32> = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("data/sample")).expect("the sample") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let mut table = TableReader::open(&path, &tppledger::intake::Reading::default()).expect("a readable file");
        let document = Document::of(&mut table).expect("a document");
        let header = table.header().to_vec();
        let mut row = Row::default();
        while table.next_row(&mut row) {
            for (name, cell) in header.iter().zip(&row.record) {
                *used.entry((document, name.clone())).or_default() += u32::from(!cell.trim().is_empty());
            }
        }
    }
    for document in Document::ALL {
        for (column, _) in document.columns() {
            assert!(
                used.get(&(document, column.to_string())).is_some_and(|count| *count > 0),
                "{document}: {column} is never used"
            );
        }
    }
}
