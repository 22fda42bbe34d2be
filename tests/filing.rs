//! A quarter is filed, a thousand rows come late, and what was filed stays as filed: the same bytes any time later, and a
//! restatement that sums to the difference in every cell.

#![allow(clippy::disallowed_methods, reason = "a test lays out files, runs the program and looks at what it left")]

#[allow(dead_code, reason = "of the commands only the program in a folder is used here")]
mod command;

use command::{Said, program};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// 2026-07-14, after the quarter.
const CLOCK: &str = "1784000000";

fn tppledger(folder: &Path, arguments: &[&str]) -> Said {
    let output = program(folder).env("SOURCE_DATE_EPOCH", CLOCK).args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { stdout: text(output.stdout), stderr: text(output.stderr), exit: output.status.code() }
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let said = tppledger(folder, arguments);
    assert_eq!(said.exit, Some(0), "{arguments:?}: {}", said.stderr);
    said.stdout
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).expect("a file"))).collect()
}

/// Rows of a CSV by column name.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Thousandths; an empty cell is no figure.
fn tpp(cell: &str) -> Option<i64> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let digits = format!("{whole}{fraction:0<3}");
    if cell.is_empty() { None } else { Some(digits.parse().expect("an amount")) }
}

/// The sample's ledger, closed, with its pack in `filed`.
fn closed_sample() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().to_path_buf();
    let inbox = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let said = tppledger(&folder, &["run", inbox.to_str().unwrap(), "--quarter", "2026-Q2", "--out", "pack", "--quiet"]);
    // Singapore's limit is met, and one issue is refused.
    assert_eq!(said.exit, Some(3), "{}", said.stderr);
    done(&folder, &["close", "2026-Q2", "--out", "filed", "--quiet"]);
    (place, folder)
}

/// A thousand late rows: applications and licenses effective in the quarter and before it, acts, and rows after it, which are
/// not the quarter's.
fn late_rows(folder: &Path) {
    let mut applications =
        String::from("application_number,submitted_on,applicant,ultimate_consignee,destination,eccn,tpp_per_unit,quantity\n");
    let mut events = String::from("event_id,effective_on,event,application_number,license_number\n");
    let destinations = ["PL", "IN", "BR", "DE", "ZA", "CN"];
    for at in 0..500_usize {
        let (month, day) = (at / 6 % 6 + 2, at % 28 + 1);
        let destination = destinations[at % destinations.len()];
        writeln!(applications, "L{at},2026-{month:02}-{day:02},Late Inc.,Late,{destination},3A090.a,{}.{:03},3", at + 1, at)
            .unwrap();
        if at % 3 != 0 {
            writeln!(events, "LE{at},2026-{:02}-{day:02},issue,L{at},LD{at}", month).unwrap();
        }
        if at % 3 == 1 {
            writeln!(events, "LS{at},2026-{:02}-{:02},ship,L{at},", month + 1, day).unwrap();
        }
    }
    let acts = "event_id,effective_on,act,destination,percent,tpp,reference\n\
                LA1,2026-06-01,withhold,BR,,1000.5,note\nLA2,2026-06-30,commit,ZA,,,note\nLA3,2026-06-30,increase,ZA,10,,note\n";
    std::fs::write(folder.join("late-applications.csv"), applications).unwrap();
    std::fs::write(folder.join("late-events.csv"), events).unwrap();
    std::fs::write(folder.join("late-acts.csv"), acts).unwrap();
    let said = tppledger(folder, &["import", "late-acts.csv", "late-applications.csv", "late-events.csv"]);
    assert_eq!(said.exit, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("closed_quarter"), "late rows are marked: {}", said.stderr);
}

#[test]
fn what_was_filed_is_written_again_byte_for_byte_after_a_thousand_late_rows() {
    let (_place, folder) = closed_sample();
    let filed = files(&folder.join("filed"));
    late_rows(&folder);
    done(&folder, &["close", "2026-Q2", "--out", "again", "--quiet"]);
    assert!(files(&folder.join("again")) == filed, "the bytes kept in the ledger are those filed");
    let package: serde_json::Value = serde_json::from_slice(&filed["datapackage.json"]).unwrap();
    let through = package["tppledger"]["through"]["seq"].to_string();
    done(&folder, &["report", "quarter", "2026-Q2", "--through", &through, "--out", "anew", "--quiet"]);
    assert!(files(&folder.join("anew")) == filed, "as-of and through determine every byte");
    done(&folder, &["report", "quarter", "2026-Q2", "--out", "now", "--quiet"]);
    assert!(files(&folder.join("now")) != filed, "the late rows changed something");
    let verified = done(&folder, &["verify"]);
    assert!(verified.contains(&format!("{} filed files", filed.len())), "{verified}");
}

#[test]
fn a_restatement_sums_to_the_difference_in_every_cell() {
    let (_place, folder) = closed_sample();
    late_rows(&folder);
    let restated = rows(&done(&folder, &["restate", "2026-Q2", "--format", "csv"]));
    let filed = std::fs::read_to_string(folder.join("filed/headroom.csv")).unwrap();
    let now = done(&folder, &["headroom", "--as-of", "2026-06-30", "--all", "--format", "csv"]);
    let mut changed = 0;
    for column in ["limit_tpp", "withheld_tpp", "licensed_tpp", "shipped_tpp", "pending_tpp", "headroom_tpp"] {
        let cells = |text: &str| -> BTreeMap<String, Option<i64>> {
            rows(text).into_iter().map(|row| (row["destination"].clone(), tpp(&row[column]))).collect()
        };
        let (filed, now) = (cells(&filed), cells(&now));
        for (destination, is) in &now {
            let of_it: Vec<(&str, Option<i64>)> = restated
                .iter()
                .filter(|row| row["destination"] == *destination)
                .map(|row| (row["row"].as_str(), tpp(&row[column])))
                .collect();
            let cell = |wanted: &str| of_it.iter().find(|(row, _)| *row == wanted).map(|(_, tpp)| *tpp);
            let Some(was) = cell("filed") else {
                // What is not restated is as it was filed; the pack has the limited destinations alone.
                assert!(filed.get(destination).is_none_or(|filed| filed == is), "{destination} {column}");
                continue;
            };
            assert_eq!(cell("now"), Some(*is), "{destination} {column} now");
            if let Some(filed) = filed.get(destination) {
                assert_eq!(was, *filed, "{destination} {column} as filed");
            }
            let changes: i64 = of_it.iter().filter(|(row, _)| !["filed", "now"].contains(row)).filter_map(|(_, tpp)| *tpp).sum();
            assert_eq!(is.unwrap_or_default() - was.unwrap_or_default(), changes, "{destination} {column}");
            changed += i64::from(changes != 0);
        }
    }
    // Every third row is never issued, so that Poland and Germany have more pending (2). India has more licensed and shipped
    // and less headroom (3), Brazil more withheld and licensed and less headroom (3), South Africa those of India and a higher
    // limit (4), China more licensed and no limit (1).
    assert_eq!(changed, 13);
    assert!(restated.iter().all(|row| row["row"] == "filed" || row["row"] == "now" || !row["event_id"].is_empty()));
    assert!(restated.iter().all(|row| row["effective_on"].as_str() <= "2026-06-30"));
}

#[test]
fn a_reopened_quarter_is_filed_anew_and_both_filings_stay() {
    let (_place, folder) = closed_sample();
    late_rows(&folder);
    let twice = tppledger(&folder, &["close", "2026-Q2", "--reopen", "acts were missing"]);
    assert_eq!(twice.exit, Some(0), "{}", twice.stderr);
    let not_closed = tppledger(&folder, &["close", "2026-Q2", "--reopen", "again"]);
    assert_eq!((not_closed.exit, not_closed.stderr.lines().next()), (Some(2), Some("error: 2026-Q2 is not closed")));
    let onto_filed = tppledger(&folder, &["close", "2026-Q2", "--out", "filed"]);
    assert_eq!(onto_filed.exit, Some(2), "a filed pack is never replaced: {}", onto_filed.stderr);
    done(&folder, &["close", "2026-Q2", "--out", "second", "--quiet"]);
    assert!(files(&folder.join("second")) != files(&folder.join("filed")));
    let unchanged = done(&folder, &["restate", "2026-Q2", "--format", "csv"]);
    assert_eq!(rows(&unchanged).len(), 0, "nothing came after the second filing");
    let events = done(&folder, &["list", "events", "--format", "csv", "--event", "close", "--event", "reopen"]);
    let told: Vec<String> = rows(&events).into_iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(told, ["close-2026-Q2", "reopen-2026-Q2", "close-2026-Q2-2"]);
    assert!(events.contains("acts were missing"));
    done(&folder, &["verify"]);
}

#[test]
fn a_quarter_that_is_not_over_is_not_closed_and_one_that_was_not_closed_is_not_restated() {
    let (_place, folder) = closed_sample();
    let early = tppledger(&folder, &["close", "2026-Q3", "--out", "early"]);
    assert_eq!(
        (early.exit, early.stderr.as_str()),
        (Some(2), "error: 2026-Q3 is not over before 2026-10-01\nhint: `tppledger report quarter` makes a provisional pack\n")
    );
    assert!(!folder.join("early").exists(), "nothing half-written remains");
    let unknown = tppledger(&folder, &["restate", "2026-Q1"]);
    assert_eq!(
        (unknown.exit, unknown.stderr.as_str()),
        (Some(2), "error: 2026-Q1 was not closed\nhint: `tppledger close 2026-Q1 --out DIR` files it\n")
    );
}

#[test]
fn a_filed_byte_that_was_changed_is_found() {
    let (_place, folder) = closed_sample();
    let ledger = Connection::open(folder.join("tppledger.db")).unwrap();
    let guarded = ledger.execute("UPDATE filed_part SET gzip = x'00' WHERE ord = 3", []).unwrap_err();
    assert!(guarded.to_string().contains("append-only"), "{guarded}");
    let guard: String =
        ledger.query_row("SELECT sql FROM sqlite_schema WHERE name = 'guard_filed_part_update'", [], |row| row.get(0)).unwrap();
    ledger.execute_batch("DROP TRIGGER guard_filed_part_update").unwrap();
    let other = "SELECT gzip FROM filed_part WHERE ord = 4";
    ledger.execute(&format!("UPDATE filed_part SET gzip = ({other}) WHERE ord = 3"), []).unwrap();
    ledger.execute_batch(&guard).unwrap();
    drop(ledger);
    let said = tppledger(&folder, &["verify"]);
    assert_eq!(said.exit, Some(5), "{}", said.stdout);
    assert!(said.stdout.contains("filed      FAILS") && said.stdout.contains("licenses.csv"), "{}", said.stdout);
    let again = tppledger(&folder, &["close", "2026-Q2", "--out", "again"]);
    assert_eq!(again.exit, Some(1), "{}", again.stderr);
    assert!(!folder.join("again").exists(), "nothing half-written remains");
}

/// Another regime is adopted after a closing, with a base that is ten million higher: no entry says so, and one row does, for
/// every destination with a limit.
#[test]
fn other_rules_adopted_since_are_a_row_of_their_own() {
    let (_place, folder) = closed_sample();
    let builtin = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/regimes/us-ear-ai-diffusion");
    std::fs::create_dir(folder.join("higher")).unwrap();
    for (name, bytes) in files(&builtin) {
        let bytes = if name == "allocations.toml" {
            String::from_utf8(bytes).unwrap().replace("\"790000000\"", "\"800000000\"").into_bytes()
        } else {
            bytes
        };
        std::fs::write(folder.join("higher").join(name), bytes).unwrap();
    }
    done(&folder, &["regime", "adopt", "higher", "--reference", "review", "--quiet"]);
    let restated = rows(&done(&folder, &["restate", "2026-Q2", "--format", "csv"]));
    let filed = std::fs::read_to_string(folder.join("filed/headroom.csv")).unwrap();
    let limited: Vec<String> = rows(&filed).iter().map(|row| row["destination"].clone()).collect();
    let changes: Vec<_> = restated.iter().filter(|row| row["row"] == "regime").collect();
    assert_eq!(changes.iter().map(|row| row["destination"].clone()).collect::<Vec<_>>(), limited, "every limited destination");
    // An increase is a percentage of the base of its day, and was worked out when its act was recorded: it stays.
    for row in changes {
        let moved = ["limit_tpp", "withheld_tpp", "licensed_tpp", "shipped_tpp", "pending_tpp", "headroom_tpp"]
            .map(|column| tpp(&row[column]));
        let ten_million = Some(10_000_000_000);
        assert_eq!(moved, [ten_million, Some(0), Some(0), Some(0), Some(0), ten_million], "{}", row["destination"]);
    }
}
