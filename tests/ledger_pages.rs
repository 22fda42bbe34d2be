//! The pages of `tests/ledger/*.case`: small ledgers that an examiner can read, each kept in memory and in a file.
//!
//! `tests/README.md` has the grammar. Every page runs against both stores, through the same doors as a user's files.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

mod page;

use std::fmt::Write as _;
use std::path::PathBuf;
use tppledger::store::memory::MemoryStore;
use tppledger::store::sqlite::SqliteStore;

fn pages() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ledger");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of pages")
        .map(|entry| entry.expect("a page").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    pages.sort();
    pages
}

fn run_all(mut run: impl FnMut(&str, &str) -> Vec<String>) {
    let pages = pages();
    assert!(pages.len() >= 36, "only {} pages found", pages.len());
    let mut failures = String::new();
    for path in &pages {
        let text = std::fs::read_to_string(path).expect("a readable page");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        for failure in run(&name, &text) {
            writeln!(failures, "{name}: {failure}").expect("writing to a string");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn every_page_holds_in_memory() {
    run_all(|_, text| {
        let kept = page::regime();
        page::run(MemoryStore::new(kept.id.clone(), kept.digest, kept.text.clone()), text)
    });
}

#[test]
fn every_page_holds_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    run_all(|name, text| {
        let path = folder.path().join(format!("{name}.db"));
        page::run(SqliteStore::create(&path, &page::regime()).expect("a new ledger"), text)
    });
}
