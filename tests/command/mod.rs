//! Runs the program as a user does: a line of a command, in a folder, with a fixed clock and a fixed clerk.
//!
//! Nothing of the machine reaches the program but the folder: the environment is empty. So that a case reads like a
//! terminal, a line may begin with settings (`TPPLEDGER_DB=x.db tppledger ...`) and end with `< FILE`.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// 2026-01-01, the clock of the cases.
pub const CLOCK: &str = "1767225600";

/// What a command said, and how it ended.
pub struct Said {
    pub stdout: String,
    pub stderr: String,
    /// `None` when a signal ended it.
    pub exit: Option<i32>,
}

/// The program in a folder, with nothing around it.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tppledger"));
    command.current_dir(folder).env_clear().env("SOURCE_DATE_EPOCH", CLOCK).env("LOGNAME", "examiner").env("NO_COLOR", "1");
    command
}

/// Runs a line such as `tppledger headroom PL --format csv < in.csv`.
pub fn run_line(line: &str, folder: &Path) -> Said {
    let mut words = words(line);
    let input = match words.iter().position(|word| word == "<") {
        Some(at) => {
            let path = folder.join(words.get(at + 1).unwrap_or_else(|| panic!("{line}: no file behind <")));
            words.truncate(at);
            Stdio::from(File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        }
        None => Stdio::null(),
    };
    let at = words.iter().position(|word| word == "tppledger").unwrap_or_else(|| panic!("{line}: the program is not named"));
    let mut command = program(folder);
    for setting in &words[..at] {
        let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{line}: {setting} is no setting"));
        command.env(name, value);
    }
    let output = command.args(&words[at + 1..]).stdin(input).output().expect("the program starts");
    Said {
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        exit: output.status.code(),
    }
}

/// The words of a line, parted by blanks; double or single quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut begun, mut quote) = (Vec::new(), String::new(), false, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => word.push(c),
            (None, '"' | '\'') => (quote, begun) = (Some(c), true),
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (None, _) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether expectations are to be written anew.
pub fn is_update() -> bool {
    std::env::var_os("TPPLEDGER_UPDATE").is_some()
}

/// Holds a text against the expected one; what differs, from the first line on that does.
pub fn difference(expected: &str, seen: &str) -> Option<String> {
    if expected == seen {
        return None;
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), seen.split('\n').collect());
    let same = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let shown = |lines: &[&str]| lines.iter().skip(same).take(4).map(|line| format!("\n    {line}")).collect::<String>();
    Some(format!("from line {} on\n  expected:{}\n  seen:{}", same + 1, shown(&left), shown(&right)))
}
