//! The error gallery: every page of `tests/errors` is the smallest input that provokes an error, and what the program says.
//!
//! A page is prose, the files behind `--- NAME` (with `(escaped)`: `\n`, `\r`, `\0`, `\xHH` stand for bytes, with `(sheet SHEET)` a workbook as `sheet` writes it, with `(packed)` an archive of them), the commands
//! behind `--- command` (left out: the files are imported), and behind `--- says CODE` standard error with the exit code.
//! `TPPLEDGER_UPDATE=1` writes what is said anew. What no page can hold (a gigabyte, a full disk, a killed process) is
//! tested below, and that no message of the program is missing from the pages is the last test.

#![allow(clippy::disallowed_methods, reason = "a test lays out files, runs the program and looks at what it left")]

mod command;
#[path = "command/sheet.rs"]
mod sheet;

use command::{difference, is_update, program, run_line};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut pages: Vec<(PathBuf, String)> = entries
        .map(|entry| entry.expect("a page").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a readable page");
            (path, text)
        })
        .collect();
    pages.sort();
    pages
}

/// The sections of a page: what stands behind `--- `, and the text below it.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let Some(from) = page.find("--- ") else { return Vec::new() };
    page[from + 4..].split("\n--- ").map(|section| section.split_once('\n').unwrap_or((section, ""))).collect()
}

/// The bytes that an escaped text stands for.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let (byte, length) = match rest.as_bytes().get(at + 1) {
            Some(b'n') => (b'\n', 2),
            Some(b'r') => (b'\r', 2),
            Some(b't') => (b'\t', 2),
            Some(b'0') => (0, 2),
            Some(b'x') => (u8::from_str_radix(&rest[at + 2..at + 4], 16).expect("two hexadecimal digits"), 4),
            other => panic!("unknown escape {other:?}"),
        };
        out.push(byte);
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Lays out the files of a page and gives the commands to run.
fn lay_out(sections: &[(&str, &str)], place: &Path) -> Vec<String> {
    let (mut files, mut commands) = (Vec::new(), Vec::new());
    for (name, text) in sections {
        if *name == "command" {
            commands.extend(text.lines().map(String::from));
        } else if let Some(name) = name.strip_suffix(" (escaped)") {
            // The line breaks of the page are for the reader; those of the file are written out.
            fs::write(place.join(name), unescaped(&text.replace('\n', ""))).expect("a file of the page");
            files.push(name);
        } else if let Some((name, sheet)) = name.strip_suffix(')').and_then(|name| name.split_once(" (sheet ")) {
            sheet::write(&place.join(name), sheet, text);
            files.push(name);
        } else if let Some(name) = name.strip_suffix(" (packed)") {
            sheet::pack(&place.join(name), text);
            files.push(name);
        } else if !name.starts_with("says ") {
            let path = place.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of the page");
            fs::write(path, format!("{}\n", text.trim_end_matches('\n'))).expect("a file of the page");
            files.push(name);
        }
    }
    if commands.is_empty() { vec![format!("tppledger import {} --quiet", files.join(" "))] } else { commands }
}

#[test]
fn every_error_is_told_as_its_page_says() {
    let pages = pages("tests/errors", "txt");
    assert!(pages.len() >= 100, "only {} pages found", pages.len());
    let mut failures = Vec::new();
    for (path, text) in &pages {
        let place = tempfile::tempdir().expect("a folder");
        let sections = sections(text);
        let said: Vec<_> = lay_out(&sections, place.path()).iter().map(|line| run_line(line, place.path())).collect();
        let last = said.last().expect("a command").exit.map_or("a signal".to_string(), |code| code.to_string());
        let stderr: String = said.iter().map(|said| said.stderr.as_str()).collect();
        let seen = format!("--- says {last}\n{stderr}");
        let at = text.find("--- says ").unwrap_or(text.len());
        if is_update() {
            fs::write(path, format!("{}{seen}", &text[..at])).expect("a page");
        } else if let Some(difference) = difference(&text[at..], &seen) {
            failures.push(format!("{}: {difference}", path.display()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

const APPLICATIONS: &str =
    "application_number,submitted_on,applicant,ultimate_consignee,destination,eccn,tpp_per_unit,quantity\n";

/// Runs the program with no more address space than that, and tells how it ended.
#[cfg(unix)]
fn run_within(mebibytes: u32, arguments: &str, place: &Path) -> (Option<i32>, String) {
    let script = format!("ulimit -v {}; exec \"$0\" {arguments}", mebibytes * 1024);
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_tppledger")])
        .current_dir(place)
        .env("LOGNAME", "examiner")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A gigabyte without a line break, in a row and in the header; the file is sparse, and memory stays flat.
#[cfg(unix)]
#[test]
fn a_line_of_a_gigabyte_is_told_and_passed_over() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("long.csv");
    let mut file = fs::File::create(&path).expect("a file");
    file.write_all(APPLICATIONS.as_bytes()).expect("a header");
    file.seek(SeekFrom::Start(1 << 30)).expect("a sparse file");
    file.write_all(b"\nZ1,2025-01-02,Acme,Beta,PL,3A090.a,1,many\n").expect("a row behind it");
    drop(file);
    let (code, said) = run_within(400, "import long.csv --quiet", place.path());
    assert_eq!(
        said,
        "long.csv:2: is longer than 1 MiB; a row is not that long\n\
         hint: is this a CSV file? its rows end with a line break\n\
         long.csv:3: quantity: \"many\" is not a whole number\n\
         hint: write a whole number, e.g. 12\n\
         long.csv: left out: 2 errors, nothing of it is recorded\n"
    );
    assert_eq!(code, Some(4));
    fs::File::create(&path).and_then(|file| file.set_len(1 << 30)).expect("a file of zeros");
    let (code, said) = run_within(400, "import long.csv --quiet", place.path());
    assert!(said.starts_with("long.csv:1: is longer than 1 MiB"), "{said}");
    assert_eq!(code, Some(4));
}

/// A file of applications, large enough to be in the middle of.
fn many_applications(path: &Path, count: u32) {
    let mut text = String::from(APPLICATIONS);
    for number in 1..=count {
        text.push_str(&format!("Z{number},2025-01-02,Acme Compute Exports LLC,Vistula Cloud S.A.,PL,3A090.a,1,1\n"));
    }
    fs::write(path, text).expect("applications");
}

fn applications_recorded(place: &Path) -> usize {
    run_line("tppledger list applications --format csv", place).stdout.lines().count() - 1
}

/// What is too many rows for a page: lines beyond 10,000, and a block with more than a thousand problems.
#[test]
fn blocks_of_too_many_rows_are_told_once() {
    let place = tempfile::tempdir().expect("a folder");
    let row = "Z1,2025-01-02,Acme,Beta,PL,3A090.a,1,1\n";
    fs::write(place.path().join("lines.csv"), format!("{APPLICATIONS}{}", row.repeat(10_002))).expect("a file");
    fs::write(place.path().join("wrong.csv"), format!("{APPLICATIONS}{}", row.replace(",1\n", ",many\n").repeat(1_100)))
        .expect("a file");
    let events: String = (1..=10_001).map(|line| format!("E1,2025-03-03,issue,Z1,{line}\n")).collect();
    fs::write(place.path().join("events.csv"), format!("event_id,effective_on,event,application_number,line\n{events}"))
        .expect("a file");
    let shipped: String = (1..=10_001).map(|line| format!("S1,{line},2025-03-03,Acme,LPP,PL,BETA,3A090.a,1,1\n")).collect();
    let header = "shipment_id,line,effective_on,exporter,authorization,destination,consignee,eccn,quantity,tpp_per_unit\n";
    fs::write(place.path().join("shipments.csv"), format!("{header}{shipped}")).expect("a file");
    let said = |file: &str| run_line(&format!("tppledger import {file} --quiet"), place.path()).stderr;
    assert_eq!(
        said("lines.csv"),
        "lines.csv:10002: line: is more than an application may have: 10000 lines\nhint: split the application\n\
         lines.csv: left out: 1 error, nothing of it is recorded\n"
    );
    assert_eq!(
        said("events.csv"),
        "events.csv:10002: line: \"10001\" is more than an event may have: 10000 lines\nhint: split the event\n\
         events.csv: left out: 1 error, nothing of it is recorded\n"
    );
    assert_eq!(
        said("shipments.csv"),
        "shipments.csv:10002: line: \"10001\" is more than a shipment may have: 10000 lines\nhint: split the shipment\n\
         shipments.csv: left out: 1 error, nothing of it is recorded\n"
    );
    let keys: String = (0..=1000).map(|key| format!("\"k{key}\": 1, ")).collect();
    fs::write(place.path().join("keys.jsonl"), format!("{{{keys}\"event_id\": \"E1\"}}\n")).expect("a file");
    assert_eq!(
        said("keys.jsonl"),
        "keys.jsonl: has more than 1000 different keys\nhint: is it a list of rows?\n\
         keys.jsonl: left out: 1 error, nothing of it is recorded\n"
    );
    // Only so many lines pass the range of sums together: of one shipment, and of all to a company.
    fs::write(
        place.path().join("parties.csv"),
        "event_id,effective_on,statement,party,name,headquarters,parent\nP1,2025-01-15,describe,BETA,Beta,DE,none\n",
    )
    .expect("a file");
    let largest = |id: &str, lines: u32| -> String {
        (1..=lines).map(|line| format!("{id},{line},2025-03-03,Acme,AIA,DE,BETA,3A090.a,1,999999999999\n")).collect()
    };
    let told = |line: u32, what: &str| {
        format!(
            "shipments.csv:{line}: quantity: {what} pass the range of exact sums, 4,000,000,000,000,000 TPP\n\
             hint: check the quantities; the amounts are far beyond any real shipment\n\
             shipments.csv: left out: 1 error, nothing of it is recorded\n"
        )
    };
    fs::write(place.path().join("shipments.csv"), format!("{header}{}", largest("S1", 4_001))).expect("a file");
    assert_eq!(said("parties.csv shipments.csv"), told(2, "the lines of S1"));
    fs::write(place.path().join("shipments.csv"), format!("{header}{}{}", largest("S1", 2_000), largest("S2", 2_001)))
        .expect("a file");
    assert_eq!(said("shipments.csv"), told(2_002, "with it, the movements of AIA:BETA would"));
    let wrong = said("wrong.csv");
    assert_eq!(wrong.matches("is not a whole number").count(), 1_000);
    let end = "wrong.csv:1001: is one of the last rows of `Z1` that were looked at: it has 1000 problems already\nhint: mend these first\n\
               wrong.csv: left out: 1001 errors, nothing of it is recorded\n";
    assert!(wrong.ends_with(end), "{}", &wrong[wrong.len() - 300..]);
}

/// The disk is full: files may not grow beyond a few hundred blocks here, which a ledger meets as a full disk. A small file
/// meets it when it is committed; a large one, which is decided on one thread while another writes, in the middle.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_of_the_file() {
    for (count, while_doing) in [(12_000, "committing"), (70_000, "recording")] {
        let place = tempfile::tempdir().expect("a folder");
        many_applications(&place.path().join("applications.csv"), count);
        assert_eq!(run_line("tppledger init", place.path()).exit, Some(0));
        // Without the signal, a write beyond the limit fails as one on a full disk does.
        let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" import applications.csv";
        let output = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_tppledger")])
            .current_dir(place.path())
            .env("LOGNAME", "examiner")
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with(&format!("error: {while_doing}: ")) && said.contains("\nhint: "), "{said}");
        assert!(!said.contains("recorded\n"), "it is said to be recorded: {said}");
        assert_eq!(applications_recorded(place.path()), 0);
        let again = run_line("tppledger import applications.csv", place.path());
        assert_eq!((again.exit, applications_recorded(place.path())), (Some(0), count as usize), "{}", again.stderr);
    }
}

/// Killed in the middle of an import: nothing of that file is there, and the same command again succeeds.
#[cfg(unix)]
#[test]
fn a_killed_import_leaves_nothing_of_the_file() {
    let place = tempfile::tempdir().expect("a folder");
    // Large enough to be decided on one thread while another writes.
    many_applications(&place.path().join("applications.csv"), 30_000);
    assert_eq!(run_line("tppledger init", place.path()).exit, Some(0));
    let log = place.path().join("tppledger.db-wal");
    let mut child =
        program(place.path()).args(["import", "applications.csv"]).stderr(Stdio::null()).spawn().expect("the program starts");
    // The log grows while the transaction is written; its first pages show that the import is under way.
    let under_way = || fs::metadata(&log).is_ok_and(|found| found.len() > 1 << 20);
    while !under_way() && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("killed");
    let killed = child.wait().expect("it ended");
    if killed.code() == Some(0) {
        eprintln!("the import was done before it could be killed; nothing was shown");
        return;
    }
    assert_eq!(applications_recorded(place.path()), 0);
    assert_eq!(run_line("tppledger verify", place.path()).exit, Some(0));
    let again = run_line("tppledger import applications.csv --quiet", place.path());
    assert_eq!((again.exit, applications_recorded(place.path())), (Some(0), 30_000), "{}", again.stderr);
}

/// Texts that pages hold: what users read of the program in the tests.
fn corpus() -> String {
    let mut corpus = String::new();
    for (_, text) in pages("tests/errors", "txt").into_iter().chain(pages("tests/ledger", "case")) {
        corpus.push_str(&text);
    }
    for case in fs::read_dir(root().join("tests/cli")).expect("the cases") {
        let case = case.expect("a case").path();
        for name in ["stdout", "stderr", "exit"] {
            corpus.push_str(&fs::read_to_string(case.join(name)).unwrap_or_default());
        }
    }
    for test in ["tests/cli.rs", "tests/error_gallery.rs", "tests/files_in.rs"] {
        corpus.push_str(&fs::read_to_string(root().join(test)).expect("a test"));
    }
    corpus
}

#[test]
fn every_code_appears_in_a_page() {
    use tppledger::quota::decision::RefusalCode;
    use tppledger::quota::finding::FindingCode;
    let corpus = corpus();
    let codes = FindingCode::ALL.iter().map(|code| code.as_str()).chain(RefusalCode::ALL.iter().map(|code| code.as_str()));
    let missing: Vec<&str> = codes.filter(|code| !corpus.contains(code)).collect();
    assert!(missing.is_empty(), "no page shows {missing:?}");
    let mut exits: BTreeSet<i32> = [5, 6, 7].into_iter().filter(|code| corpus.contains(&format!("with_{code}()"))).collect();
    for case in fs::read_dir(root().join("tests/cli")).expect("the cases") {
        let text = fs::read_to_string(case.expect("a case").path().join("exit")).unwrap_or_default();
        exits.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
    }
    assert_eq!(exits, (0..=7).collect(), "every exit code, and no other, is shown");
}

/// Where the messages of a wrong input are written.
const MESSAGES: [&str; 31] = [
    "src/intake/acts.rs",
    "src/intake/amounts.rs",
    "src/intake/applications.rs",
    "src/intake/cells.rs",
    "src/intake/column_map.rs",
    "src/intake/csv_records.rs",
    "src/intake/csv_rows.rs",
    "src/intake/documents.rs",
    "src/intake/events.rs",
    "src/intake/holdings.rs",
    "src/intake/items.rs",
    "src/intake/json_rows.rs",
    "src/intake/opening.rs",
    "src/intake/parties.rs",
    "src/intake/shipments.rs",
    "src/intake/table.rs",
    "src/intake/transactions.rs",
    "src/intake/workbook/mod.rs",
    "src/intake/workbook/package.rs",
    "src/intake/workbook/sheet.rs",
    "src/intake/workbook/values.rs",
    "src/desk/acts.rs",
    "src/desk/clerk.rs",
    "src/desk/companies/mod.rs",
    "src/desk/companies/statements.rs",
    "src/desk/companies/limits.rs",
    "src/desk/events.rs",
    "src/error.rs",
    "src/quota/company/charges.rs",
    "src/quota/limits.rs",
    "src/quota/timeline.rs",
];

/// Texts that no input can provoke in a test, each with the reason.
const NOT_SHOWN: &[(&str, &str)] = &[
    (" different keys", "a thousand names; `blocks_of_too_many_rows_are_told_once` has it"),
    ("has an object longer than 1 MiB", "a megabyte of JSON; a unit test has it"),
    ("cannot be read on from here: ", "a disk that fails in the middle of a file"),
    ("check the disk; nothing of the file was recorded", "a disk that fails in the middle of a file"),
    ("cannot be read: ", "a file that is neither absent nor forbidden, and cannot be read"),
    ("check the path and the disk", "a file that is neither absent nor forbidden, and cannot be read"),
    ("may not be read by this user", "the superuser, who runs tests in a container, may read everything"),
    ("ask its owner for the right to read it", "as above"),
    ("look it up in the documentation of the column", "the 501st misspelled name of one file"),
    ("reading the ledger", "a ledger whose records contradict one another; `verify` tells of it"),
    ("run `tppledger verify`", "as above"),
    ("the ledger knows the id and cannot find the record", "as above"),
    ("the output was closed", "nobody is there to read it"),
    ("permission denied", "the superuser may do everything"),
    ("ask for the right to read or write it", "as above"),
    (
        "free some space and run the same command again; nothing half-written remains",
        "a disk that is full while a report is copied",
    ),
    ("check the file and run the same command again", "any other failure of the operating system"),
    (" at path ", "cut off, never shown"),
    (" of this ledger has no company allocations", "a ledger of a regime without companies.toml"),
    ("adopt one that has: `tppledger regime adopt`", "as above"),
    ("the company rules of", "a ledger that keeps a fact of a company under such a regime"),
    (" is not in the regime of this ledger", "the built-in regime has every authorization"),
    ("name one that it has: `tppledger regime show`", "as above"),
    (
        "a certificate states what was received in a year; a base is held in a country or a facility",
        "the reader knows which holdings go with which authorizations",
    ),
    ("no base is in force", "a regime with a hole in its base does not pass its check"),
    (" names no application", "the reader asks for the application first"),
    ("give the application or its license", "as above"),
    ("the application has no line ", "the clerk looks at the lines before the replay does"),
    (", before the submission of ", "nothing that could be corrected is older than its application"),
];

/// The texts of a source file that a user may read, without their numbers: the longest part of each.
fn texts(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//")
            && !line.contains("assert")
            && !line.contains(".expect(")
            && !line.contains("unreachable!")
            && !line.contains("reason =")
    });
    let code: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
    let (mut texts, mut rest) = (Vec::new(), code.as_str());
    while let Some(at) = rest.find('"') {
        if rest[..at].ends_with('\'') {
            rest = &rest[at + 1..];
            continue;
        }
        let (mut text, mut escaped, mut end) = (String::new(), false, rest.len());
        for (index, c) in rest[at + 1..].char_indices() {
            match (escaped, c) {
                (false, '"') => {
                    end = at + 1 + index;
                    break;
                }
                (false, '\\') => escaped = true,
                (true, '\n') => escaped = false,
                (true, 'n') => {
                    text.push('\n');
                    escaped = false;
                }
                (true, _) => {
                    text.push(c);
                    escaped = false;
                }
                (false, _) => text.push(c),
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
        let parts = text.split(['{', '\n']).flat_map(|part| part.rsplit('}').next());
        let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
        // A text of one word is a name, not a message.
        if longest.trim().contains(' ') {
            texts.push(longest.to_string());
        }
    }
    texts
}

#[test]
fn every_message_appears_in_a_page() {
    let corpus = corpus();
    let mut missing = Vec::new();
    for file in MESSAGES {
        let source = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for text in texts(&source) {
            let excused = NOT_SHOWN.iter().any(|(known, _)| *known == text);
            if !excused && !corpus.contains(&text) {
                missing.push(format!("{file}: {text:?}"));
            }
        }
    }
    assert!(missing.is_empty(), "no page shows:\n{}", missing.join("\n"));
}
