//! The `tppledger` binary: reads the clock and the arguments, and hands both to the library.

#![allow(clippy::disallowed_methods, reason = "the edge: the clock and the arguments are read here")]

use std::process::ExitCode;
use tppledger::cli::{Clock, main as run};

/// An import hands records from thread to thread, and the system's allocator pays dearly for freeing on one thread what
/// another allocated.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // SOURCE_DATE_EPOCH, if set, is the clock, so that a run can be repeated to the byte.
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    run(std::env::args_os(), Clock { seconds: set.unwrap_or_else(now) })
}
