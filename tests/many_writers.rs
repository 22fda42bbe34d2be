//! Eight processes record against one nearly full limit: exactly what fits is recorded, none is lost, none starves, and
//! no busy error reaches a user.

#![allow(clippy::disallowed_methods, reason = "a test looks at files and runs programs")]
#![allow(missing_docs, reason = "the names of tests are their documents")]

use std::process::{Command, Stdio};

const WRITERS: usize = 8;
const EACH: usize = 12;

fn tppledger(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tppledger"));
    command.current_dir(folder).args(["--ledger", "shared.db"]).env("SOURCE_DATE_EPOCH", "1772323200");
    command
}

#[test]
fn eight_processes_record_exactly_what_fits() {
    let folder = tempfile::tempdir().unwrap();
    let mut applications =
        String::from("application_number,submitted_on,applicant,ultimate_consignee,destination,eccn,tpp_per_unit,quantity\n");
    // One takes all but 50 TPP; the others ask for 1 each, and there are more of them than fit.
    applications.push_str("Z0,2025-02-03,A,C,PL,3A090.a,789999950,1\n");
    for writer in 0..WRITERS {
        for turn in 0..EACH {
            applications.push_str(&format!("Z{writer}-{turn},2025-02-03,A,C,PL,3A090.a,1,1\n"));
        }
    }
    std::fs::write(folder.path().join("applications.csv"), applications).unwrap();
    assert!(tppledger(folder.path()).args(["-q", "import", "applications.csv"]).status().unwrap().success());
    assert!(
        tppledger(folder.path())
            .args(["-q", "record", "issue", "Z0", "--on", "2026-01-05"])
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let path = folder.path();
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    (0..EACH)
                        .map(|turn| {
                            let output = tppledger(path)
                                .args([
                                    "record",
                                    "issue",
                                    &format!("Z{writer}-{turn}"),
                                    "--on",
                                    "2026-01-05",
                                    "--id",
                                    &format!("E{writer}-{turn}"),
                                ])
                                .output()
                                .unwrap();
                            output.status.code().unwrap_or(-1)
                        })
                        .collect::<Vec<i32>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let count = |code: i32| codes.iter().filter(|seen| **seen == code).count();
    assert_eq!((count(0), count(3)), (50, WRITERS * EACH - 50), "{codes:?}");
    let headroom = tppledger(path).args(["headroom", "PL", "--format", "csv", "--as-of", "2026-01-05"]).output().unwrap();
    let text = String::from_utf8(headroom.stdout).unwrap();
    let row: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    let column = |name: &str| row[text.lines().next().unwrap().split(',').position(|head| head == name).unwrap()];
    assert_eq!((column("licensed_tpp"), column("headroom_tpp"), column("status")), ("790000000", "0", "met"));
    let refusals = tppledger(path).args(["list", "refusals", "--format", "csv"]).output().unwrap();
    assert_eq!(String::from_utf8(refusals.stdout).unwrap().lines().count(), 1 + WRITERS * EACH - 50);
    assert!(tppledger(path).arg("verify").stdout(Stdio::null()).status().unwrap().success());
}
