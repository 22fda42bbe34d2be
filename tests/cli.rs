//! The commands as a user sees them: every folder of `tests/cli` is a case.
//!
//! A case has `command` (a line a command; `#` begins a remark), `stdout`, `stderr` and `exit`; its other files lie in the
//! folder where the commands run, and those below `expected/` must be there afterwards with the same bytes. `names`, where
//! it is given, lists every file that lies there at the end. `TPPLEDGER_UPDATE=1` writes the expectations anew; read them.

#![allow(clippy::disallowed_methods, reason = "a test lays out files, runs the program and looks at what it left")]

mod command;

use command::{Said, difference, is_update, program, run_line};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

const EXPECTATIONS: [&str; 6] = ["command", "stdout", "stderr", "exit", "expected", "names"];

fn cases() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder of cases").map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    cases
}

/// The files below a folder, by their path in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let inner = files_below(&path);
            let name = PathBuf::from(path.file_name().expect("a name"));
            found.extend(inner.into_iter().map(|file| name.join(file)));
        } else {
            found.push(PathBuf::from(path.file_name().expect("a name")));
        }
    }
    found.sort();
    found
}

/// Copies the files of a case, without its expectations.
fn lay_out(case: &Path, place: &Path) {
    for file in files_below(case) {
        let first = file.iter().next().expect("a name").to_string_lossy().into_owned();
        if EXPECTATIONS.contains(&first.as_str()) {
            continue;
        }
        let to = place.join(&file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder of the case");
        fs::copy(case.join(&file), to).expect("a file of the case");
    }
}

/// Runs the lines of a case; with several, each answer stands below its line.
fn run_case(case: &Path, place: &Path) -> (String, String, String) {
    let script = fs::read_to_string(case.join("command")).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
    let (mut stdout, mut stderr, mut exit) = (String::new(), String::new(), String::new());
    for line in &lines {
        let said: Said = run_line(line, place);
        if lines.len() > 1 {
            stdout.push_str(&format!("$ {line}\n"));
            stderr.push_str(&format!("$ {line}\n"));
        }
        stdout.push_str(&said.stdout);
        stderr.push_str(&said.stderr);
        exit.push_str(&format!("{}\n", said.exit.map_or("killed".to_string(), |code| code.to_string())));
    }
    (stdout, stderr, exit)
}

/// Compares, or writes, one expectation.
fn hold(expected: &Path, seen: &str, failures: &mut Vec<String>) {
    if is_update() {
        fs::write(expected, seen).expect("an expectation");
        return;
    }
    let text = fs::read_to_string(expected).unwrap_or_default();
    if let Some(difference) = difference(&text, seen) {
        failures.push(format!("{}: {difference}", expected.display()));
    }
}

#[test]
fn every_case_is_as_expected() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases found", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let place = tempfile::tempdir().expect("a folder");
        lay_out(case, place.path());
        let (stdout, stderr, exit) = run_case(case, place.path());
        hold(&case.join("stdout"), &stdout, &mut failures);
        hold(&case.join("stderr"), &stderr, &mut failures);
        hold(&case.join("exit"), &exit, &mut failures);
        for file in files_below(&case.join("expected")) {
            let seen = fs::read_to_string(place.path().join(&file)).unwrap_or_else(|error| format!("{error}"));
            hold(&case.join("expected").join(&file), &seen, &mut failures);
        }
        if case.join("names").exists() {
            let names: String = files_below(place.path()).iter().map(|file| format!("{}\n", file.display())).collect();
            hold(&case.join("names"), &names, &mut failures);
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A ledger of one license of 100 TPP to Poland.
fn small_ledger(place: &Path) {
    fs::write(
        place.join("applications.csv"),
        "application_number,submitted_on,applicant,ultimate_consignee,destination,eccn,tpp_per_unit,quantity\n\
         Z1,2025-01-02,Acme,Beta,PL,3A090.a,1,100\n",
    )
    .expect("applications");
    fs::write(place.join("events.csv"), "event_id,effective_on,event,application_number\nE1,2025-03-03,issue,Z1\n")
        .expect("events");
    let said = run_line("tppledger import applications.csv events.csv", place);
    assert_eq!(said.exit, Some(0), "{}", said.stderr);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    // Far more is printed than a pipe holds, so that the program must meet the closed end.
    for line in ["headroom --all --format jsonl", "man", "completions zsh", "devices --format json", "regime show"] {
        let mut child = program(place.path())
            .args(line.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
        reader.read_line(&mut first).expect("a first line");
        drop(reader);
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{line}");
        assert!(!first.is_empty(), "{line}");
    }
}

#[test]
fn a_closed_standard_error_is_nobodys_loss() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let mut child = program(place.path())
        .args(["headroom", "PL"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("the program ends").code(), Some(0));
}

#[test]
fn a_newer_ledger_is_refused_with_7() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let ledger = rusqlite::Connection::open(place.path().join("tppledger.db")).expect("the ledger opens");
    let version: i64 = ledger.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    ledger.pragma_update(None, "user_version", version + 1).expect("a newer version");
    drop(ledger);
    for line in ["headroom", "verify", "record issue Z1", "import events.csv", "report quarter 2025-Q4 --out pack"] {
        let said = run_line(&format!("tppledger {line}"), place.path());
        let expected = format!(
            "error: tppledger.db: the ledger has schema version {}, and this program knows versions up to {version}\n\
             hint: use the newer program; nothing was changed\n",
            version + 1
        );
        assert_eq!((said.exit, said.stderr.as_str(), said.stdout.as_str()), (Some(7), expected.as_str(), ""), "{line}");
    }
}

/// Changes one byte of an amount in the file itself, as a failing disk or a foreign hand would.
#[test]
fn a_changed_byte_fails_the_verification_with_5() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let path = place.path().join("tppledger.db");
    rusqlite::Connection::open(&path)
        .and_then(|ledger| ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .expect("the log is written back");
    let mut bytes = fs::read(&path).expect("the ledger");
    let at = bytes.windows(4).position(|window| window == b"Acme").expect("the applicant stands in the file");
    bytes[at] = b'B';
    fs::write(&path, &bytes).expect("the ledger");
    let said = run_line("tppledger verify", place.path());
    assert_eq!(said.exit, Some(5), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("record 1 (Z1) is not what its digest says"), "{}", said.stdout);
    assert!(said.stderr.starts_with("error: the ledger does not verify\nhint: "), "{}", said.stderr);
    let said = run_line("tppledger verify --format json", place.path());
    assert_eq!(said.exit, Some(5));
    assert!(said.stdout.contains("\"verified\": false"), "{}", said.stdout);
}

#[test]
fn a_busy_ledger_ends_with_6() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let lock = fs::File::create(place.path().join("tppledger.db-lock")).expect("the lock file");
    lock.lock().expect("nobody else has it");
    // Reading needs no turn.
    assert_eq!(run_line("tppledger headroom PL", place.path()).exit, Some(0));
    let said = run_line("tppledger --wait 1 record ship Z1 --quantity 1", place.path());
    let expected = "error: tppledger.db: the ledger is busy: another process has been writing to it for 1 s\n\
                    hint: try again; a long import finishes by itself\n";
    assert_eq!((said.exit, said.stderr.as_str(), said.stdout.as_str()), (Some(6), expected, ""));
}

#[test]
fn a_writer_that_ends_in_time_is_waited_for() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let lock = fs::File::create(place.path().join("tppledger.db-lock")).expect("the lock file");
    lock.lock().expect("nobody else has it");
    let child = program(place.path())
        .args(["record", "ship", "Z1", "--quantity", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(300));
    drop(lock);
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_read_only_ledger_can_be_read_and_not_written() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let path = place.path().join("tppledger.db");
    assert_eq!(fs::metadata(&path).expect("the ledger").permissions().mode() & 0o777, 0o660, "the group shares the ledger");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("read-only");
    let said = run_line("tppledger headroom PL --format csv", place.path());
    assert!(said.exit == Some(0) && said.stdout.contains(",100,"), "{}{}", said.stdout, said.stderr);
}

#[test]
fn colors_are_for_those_who_want_them() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let met = run_line("tppledger record withhold PL --tpp 789999900 --reference memo", place.path());
    assert_eq!(met.exit, Some(0), "{}", met.stderr);
    let colored = |line: &str| run_line(line, place.path()).stdout.contains('\u{1b}');
    assert!(!colored("tppledger headroom PL"), "no terminal, no colors");
    assert!(colored("tppledger headroom PL --color always"), "asked for");
    assert!(!colored("tppledger headroom PL --color never"));
    assert!(!colored("tppledger headroom PL --format csv --color always"), "data has no colors");
}

#[test]
fn every_command_has_help_that_begins_with_an_example() {
    let place = tempfile::tempdir().expect("a folder");
    let commands = [
        "run",
        "init",
        "import",
        "record",
        "headroom",
        "explain",
        "list",
        "report quarter",
        "verify",
        "regime show",
        "regime check",
        "regime diff",
        "regime adopt",
        "devices",
        "application-sheet",
        "completions",
        "man",
    ];
    for command in commands {
        let said = run_line(&format!("tppledger {command} --help"), place.path());
        assert_eq!((said.exit, said.stderr.as_str()), (Some(0), ""), "{command}");
        assert!(said.stdout.starts_with("Example"), "{command}: {}", said.stdout);
        assert!(said.stdout.lines().all(|line| line.chars().count() <= 110), "{command}: a line is too long");
    }
}

#[test]
fn completions_and_manual_know_every_command() {
    let place = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = run_line(&format!("tppledger completions {shell}"), place.path());
        assert_eq!(said.exit, Some(0), "{shell}");
        for command in ["import", "headroom", "explain", "regime"] {
            assert!(said.stdout.contains(command), "{shell}: {command}");
        }
    }
    let said = run_line("tppledger man", place.path());
    assert!(said.exit == Some(0) && said.stdout.contains(".TH tppledger 1"), "{}", said.stderr);
}

/// Standard input that is a pipe, not a file, and ends only when the program asked for it.
#[test]
fn standard_input_may_be_a_pipe() {
    let place = tempfile::tempdir().expect("a folder");
    small_ledger(place.path());
    let mut child = program(place.path())
        .args(["import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"event_id,effective_on,event,application_number,quantity\n").expect("a header");
    std::thread::sleep(std::time::Duration::from_millis(50));
    input.write_all(b"E2,2025-04-01,ship,Z1,30\n").expect("a row");
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "-: events: 1 recorded\n");
    assert_eq!(output.status.code(), Some(0));
}
