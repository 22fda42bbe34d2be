//! Writing behind records the same as writing at once: the same records, answers and head of the chain.

#![allow(clippy::disallowed_methods, reason = "a test looks at files")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

mod page;

use std::path::{Path, PathBuf};
use tppledger::desk::import::{FileReport, ImportOptions, Source, Witness, import};
use tppledger::desk::ledger::Ledger;
use tppledger::intake::Problem;
use tppledger::quota::calendar::parse_day;
use tppledger::quota::decision::Shortfall;
use tppledger::store::memory::MemoryStore;
use tppledger::store::sqlite::SqliteStore;
use tppledger::store::{Ask, Store, hex};

/// Keeps what it is told.
#[derive(Default)]
struct Kept(Vec<String>);

impl Witness for Kept {
    fn problem(&mut self, problem: &Problem) {
        self.0.push(problem.to_string());
    }
    fn refusal(&mut self, source: &str, id: &str, seq: u64, shortfalls: &[Shortfall]) {
        self.0.push(format!("{source} {id} {seq} {shortfalls:?}"));
    }
    fn progress(&mut self, _: &str, _: u64, _: u64) {}
    fn done(&mut self, report: &FileReport) {
        self.0.push(format!("{report:?}"));
    }
}

/// Imports into a ledger, file for file, and tells everything that can be seen of it.
fn told<S: Store>(store: S, files: &[Vec<PathBuf>], write_behind: bool) -> (Vec<String>, String, u64) {
    let mut ledger = Ledger::new(store).unwrap();
    let mut kept = Kept::default();
    for files in files {
        let sources: Vec<Source> = files.iter().map(|path| Source::file(path)).collect();
        let options = ImportOptions {
            reading: Default::default(),
            dry_run: false,
            accept_good_rows: true,
            rejects_folder: files[0].parent().map(Path::to_path_buf),
            recorded_by: "examiner".into(),
            recorded_at: 1_782_000_000,
            today: parse_day("2026-06-21").unwrap(),
            write_behind: Some(write_behind),
        };
        import(&mut ledger, &sources, options, &mut kept).unwrap();
    }
    let head = ledger.store.read().unwrap().head().unwrap();
    (kept.0, hex(&head.digest), head.seq)
}

/// The sample; then the same with rows changed: known rows, revisions, errors, and ids that stand twice in a file.
fn files(folder: &Path) -> Vec<Vec<PathBuf>> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let mut names: Vec<String> =
        std::fs::read_dir(&sample).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".csv"));
    names.sort();
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for name in names {
        let text = std::fs::read_to_string(sample.join(&name)).unwrap();
        first.push(folder.join(&name));
        std::fs::write(first.last().unwrap(), &text).unwrap();
        let last = text.lines().next_back().unwrap();
        let other = if name.starts_with("acts") { String::new() } else { format!("{}\n", last.replacen("20", "29", 1)) };
        again.push(folder.join(format!("again-{name}")));
        std::fs::write(again.last().unwrap(), format!("{text}{other}{last}\n")).unwrap();
    }
    vec![first, again]
}

#[test]
fn the_same_is_recorded_and_told_on_both_stores() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let in_memory = |behind| {
        let kept = page::regime();
        told(MemoryStore::new(kept.id, kept.digest, kept.text), &files, behind)
    };
    let in_a_file =
        |name: &str, behind| told(SqliteStore::create(&folder.path().join(name), &page::regime()).unwrap(), &files, behind);
    let at_once = in_memory(false);
    assert!(at_once.2 > 100, "the sample has some hundred records, and {} were made", at_once.2);
    assert!(at_once.0.iter().any(|line| line.contains("known: 1") || line.contains("known: 2")), "{:#?}", at_once.0);
    assert_eq!(in_memory(true), at_once);
    assert_eq!(in_a_file("at-once.db", false), at_once);
    assert_eq!(in_a_file("behind.db", true), at_once);
}

/// Applications, and events of which each touches one that some hundred rows before touched: what was asked ahead goes
/// stale, within a handful of rows and from one to the next.
fn entangled(folder: &Path) -> Vec<Vec<PathBuf>> {
    use std::fmt::Write;
    let (mut applications, mut events) = (String::new(), String::new());
    applications
        .push_str("application_number,submitted_on,applicant,ultimate_consignee,destination,eccn,tpp_per_unit,quantity\n");
    events.push_str("event_id,effective_on,event,application_number,license_number,quantity,corrects,reference\n");
    let destinations = ["PL", "IN", "SG", "BR"];
    for number in 0..1500_usize {
        let destination = destinations[number % 4];
        writeln!(applications, "Z{number},2025-06-02,Applicant,Consignee,{destination},3A090.a,4992,{}", 10 + number % 7)
            .unwrap();
    }
    let row = |events: &mut String, id: &str, rest: String| writeln!(events, "{id},2025-08-01,{rest}").unwrap();
    for number in 0..1500_usize {
        row(&mut events, &format!("I{number}"), format!("issue,Z{number},D{number},,,"));
        if let Some(shipped) = number.checked_sub(number % 13 * 60) {
            row(&mut events, &format!("S{number}"), format!("ship,,D{shipped},1,,"));
        }
        if number % 5 == 0 {
            let undone = number.saturating_sub(number % 600);
            row(&mut events, &format!("C{number}"), format!("correct,,,,S{undone},wrong count"));
            row(&mut events, &format!("J{number}"), format!("issue,Z{},D{undone},,,", (number + 1) % 1500));
        }
    }
    let paths = ["z.csv", "z-events.csv"].map(|name| folder.join(name));
    std::fs::write(&paths[0], applications).unwrap();
    std::fs::write(&paths[1], events).unwrap();
    paths.into_iter().map(|path| vec![path]).collect()
}

#[test]
fn answers_asked_ahead_go_stale_when_something_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let files = entangled(folder.path());
    let in_a_file =
        |name: &str, behind| told(SqliteStore::create(&folder.path().join(name), &page::regime()).unwrap(), &files, behind);
    let at_once = in_a_file("at-once.db", false);
    assert!(at_once.2 > 4000, "{} records", at_once.2);
    assert!(at_once.0.iter().any(|line| line.contains("is in use")), "a license is given twice");
    assert!(at_once.0.iter().any(|line| line.contains("corrected already")), "a row is corrected twice");
    assert_eq!(in_a_file("behind.db", true), at_once);
}
