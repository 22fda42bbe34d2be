//! The commands: arguments in, one use case of the desk, answers out. One file a command.
//!
//! It holds no rule and no SQL. It constructs the concrete store, and is handed the clock. Data go to standard output,
//! all else to standard error; a closed pipe ends quietly.

mod application_sheet;
mod args;
mod close;
mod context;
mod devices;
mod explain;
mod headroom;
mod import;
mod list;
mod record;
mod regime;
mod report;
mod run;
mod screen;
mod verify;

pub use args::Cli;
pub use context::Clock;

use crate::error::{Error, Result};
use args::Command;
use clap::{CommandFactory, Parser};
use context::Context;
use std::ffi::OsString;
use std::process::ExitCode;

/// What a command ended with, beside errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// Something was refused.
    refused: bool,
    /// The input had errors.
    input_errors: bool,
    /// A verification failed.
    unverified: bool,
}

impl Ending {
    fn code(self) -> u8 {
        match self {
            Ending { unverified: true, .. } => 5,
            Ending { input_errors: true, .. } => 4,
            Ending { refused: true, .. } => 3,
            Ending { .. } => 0,
        }
    }
}

/// Runs the program: parses the arguments, does the command, prints errors, gives the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>, clock: Clock) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are a success; everything else is a usage error, 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let context = Context::new(&cli.global, clock);
    let code = match dispatch(cli, &context) {
        Ok(ending) => ending.code(),
        Err(error) => {
            context.tell_error(&error);
            error.exit_code()
        }
    };
    ExitCode::from(code)
}

fn dispatch(cli: Cli, context: &Context) -> Result<Ending> {
    match cli.command {
        Command::Run(args) => run::run(context, &args),
        Command::Init(args) => regime::init(context, &args),
        Command::Import(args) => import::import(context, &args),
        Command::Record(args) => record::record(context, &args),
        Command::Headroom(args) => headroom::headroom(context, &args),
        Command::Explain(args) => explain::explain(context, &args),
        Command::List(args) => list::list(context, &args),
        Command::Report(args) => report::report(context, &args),
        Command::Close(args) => close::close(context, &args),
        Command::Restate(args) => close::restate(context, &args),
        Command::Verify => verify::verify(context),
        Command::Regime(args) => regime::regime(context, &args),
        Command::Devices(args) => devices::devices(context, &args),
        Command::ApplicationSheet(args) => application_sheet::application_sheet(context, &args),
        Command::Screen(args) => screen::screen_command(context, &args),
        Command::Completions { shell } => completions(context, shell),
        Command::Man => man(context),
    }
}

fn completions(context: &Context, shell: clap_complete::Shell) -> Result<Ending> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tppledger", &mut bytes);
    context.print_bytes(&bytes)?;
    Ok(Ending::default())
}

fn man(context: &Context) -> Result<Ending> {
    let failed = |error: std::io::Error| Error::file("manual page", &error);
    let mut bytes = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut bytes).map_err(failed)?;
    for command in Cli::command().get_subcommands() {
        clap_mangen::Man::new(command.clone()).render(&mut bytes).map_err(failed)?;
    }
    context.print_bytes(&bytes)?;
    Ok(Ending::default())
}
