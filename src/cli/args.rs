//! The arguments exactly as written. What they mean is settled by each command.

mod reading;
mod screen;

pub use reading::ReadingArgs;
pub use screen::ScreenArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The ledger of AI-chip export licenses per destination against the country allocation.
#[derive(Debug, Parser)]
#[command(
    name = "tppledger",
    version,
    max_term_width = 110,
    disable_help_subcommand = true,
    before_help = "Examples:\n  \
        tppledger run inbox --quarter 2026-Q2 --out pack           import what is new, write a quarter's pack\n  \
        tppledger headroom PL IN                                   how much is left today\n  \
        tppledger record issue Z102345 --on 2026-04-02 --dry-run   may I issue this license?\n  \
        tppledger explain headroom PL                              why that number",
    after_help = "Exit codes: 0 done, 1 failure, 2 usage, 3 something was refused, 4 the input has errors, 5 verification failed, \
        6 the ledger is busy, 7 the ledger is newer than the program."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The ledger that is looked for where none is named.
pub const DEFAULT_LEDGER: &str = "tppledger.db";

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The ledger file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TPPLEDGER_DB",
        default_value = DEFAULT_LEDGER,
        help_heading = "Everywhere"
    )]
    pub ledger: PathBuf,
    /// Who records; the login name if left out.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Everywhere")]
    pub by: Option<String>,
    /// Form of the answer.
    #[arg(long, global = true, value_enum, help_heading = "Everywhere")]
    pub format: Option<FormatArg>,
    /// Write the answer to a file instead of standard output.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub output: Option<PathBuf>,
    /// Replace an existing output file.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub force: bool,
    /// Colors.
    #[arg(long, global = true, value_enum, default_value_t = ColorArg::Auto, help_heading = "Everywhere")]
    pub color: ColorArg,
    /// CSV begins with a byte order mark, so that Excel reads it as UTF-8.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub excel: bool,
    /// How long to wait for other writers before giving up as busy.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, help_heading = "Everywhere")]
    pub wait: u64,
    /// Say only what is wrong.
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
}

/// Form of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum FormatArg {
    /// For people.
    Table,
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
    /// One JSON object a line.
    Jsonl,
}

/// When to use colors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole job: import what is new in a folder, write the quarter's pack.
    Run(RunArgs),
    /// Make a new ledger file.
    Init(InitArgs),
    /// Import files: acts, parties, applications, holdings, shipments and events, told apart by their header.
    Import(ImportArgs),
    /// Record one event or act by hand.
    Record(RecordArgs),
    /// Headroom of each destination, or of those named.
    Headroom(HeadroomArgs),
    /// Why: a figure down to its entries, a decision down to its citations.
    Explain(ExplainArgs),
    /// Registers: applications, licenses, events, refusals; companies and what they are to file.
    List(ListArgs),
    /// Reports.
    Report(ReportArgs),
    /// Close a quarter: file its pack in the ledger, or write again what was filed.
    Close(CloseArgs),
    /// What a closed quarter was filed with, what is known now, and every entry between.
    Restate(RestateArgs),
    /// Check the ledger: chain, totals, timelines, identities, schema.
    #[command(before_help = "Example:\n  tppledger verify --ledger desk.db")]
    Verify,
    /// Regimes: show, check, compare, adopt.
    Regime(RegimeArgs),
    /// The device catalogue: rates, TPP, density, classification.
    Devices(DevicesArgs),
    /// What a transaction needs: license, exceptions, review, what to file. No ledger is needed.
    Screen(Box<ScreenArgs>),
    /// The figures an application states: aggregate TPP line by line, and what goes with it.
    ApplicationSheet(ApplicationSheetArgs),
    /// Completions for a shell.
    #[command(before_help = "Example:\n  tppledger completions bash > /etc/bash_completion.d/tppledger")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The manual page.
    #[command(before_help = "Example:\n  tppledger man > tppledger.1; man ./tppledger.1")]
    Man,
}

/// `run`.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  tppledger run inbox --quarter last --out packs/last")]
pub struct RunArgs {
    /// The folder with the files to import.
    pub inbox: PathBuf,
    /// The quarter: 2026-Q2, current or last.
    #[arg(long)]
    pub quarter: String,
    /// Where the pack goes.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// A regime folder, for a new ledger; for a ledger that is there it must be its own.
    #[arg(long, value_name = "DIR")]
    pub regime: Option<PathBuf>,
    /// Record the good applications and events of a file with errors, and write the rest to NAME.rejects.csv beside it.
    #[arg(long)]
    pub accept_good_rows: bool,
    /// Rows of uncapped and presumption-of-denial destinations too.
    #[arg(long)]
    pub all: bool,
    /// How the files are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `init`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tppledger init\n  tppledger init --regime my-regime --ledger my.db")]
pub struct InitArgs {
    /// A regime folder of your own; the built-in us-ear-ai-diffusion if left out.
    #[arg(long, value_name = "DIR")]
    pub regime: Option<PathBuf>,
}

/// `import`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger import acts.csv applications.xlsx events.jsonl\n  tppledger import events.csv --dry-run\n  \
        tppledger import export.csv --columns our-system.toml --dates mdy"
)]
pub struct ImportArgs {
    /// Files: CSV, workbooks (.xlsx), JSON, JSON Lines; `-` is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Decide everything and record nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Record the good applications and events of a file with errors, and write the rest to NAME.rejects.csv beside it.
    #[arg(long)]
    pub accept_good_rows: bool,
    /// A regime folder: it must be the ledger's own.
    #[arg(long, value_name = "DIR")]
    pub regime: Option<PathBuf>,
    /// How the files are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `record`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tppledger record issue Z102345 --on 2026-04-02 --dry-run\n  \
        tppledger record ship D1234567 --line 1=120\n  \
        tppledger record increase PL --percent 50 --reference \"Diplomatic note 17\"\n  \
        tppledger record correct E-17 --reference \"wrong quantity\"")]
pub struct RecordArgs {
    /// An event (hold, resume, return, withdraw, intend_to_deny, deny, issue, amend, extend, ship, suspend, reinstate, revoke,
    /// surrender, attrition, correct, note) or an act (commit, end_commitment, increase, withdraw_increase, withhold,
    /// end_withholding, review, carry_in).
    pub what: String,
    /// Application or license number; destination for an act; event id for correct.
    pub subject: String,
    /// Effective date; today if left out.
    #[arg(long, value_name = "DATE")]
    pub on: Option<String>,
    /// A line of the application, or LINE=QUANTITY; may be given several times.
    #[arg(long, value_name = "LINE[=QUANTITY]")]
    pub line: Vec<String>,
    /// Quantity.
    #[arg(long)]
    pub quantity: Option<String>,
    /// delta or cumulative.
    #[arg(long)]
    pub basis: Option<String>,
    /// License number given by an issue.
    #[arg(long, value_name = "NUMBER")]
    pub license: Option<String>,
    /// Last valid day, for issue and extend.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// Percent of the base, for an act.
    #[arg(long)]
    pub percent: Option<String>,
    /// TPP, for an act.
    #[arg(long)]
    pub tpp: Option<String>,
    /// Document, order number, or the text of a note.
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
    /// Order under which a limit may be passed.
    #[arg(long, value_name = "TEXT")]
    pub authority: Option<String>,
    /// Event id; made if left out.
    #[arg(long)]
    pub id: Option<String>,
    /// Ask "may I?": decide and record nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `headroom`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger headroom PL \"South Korea\"\n  tppledger headroom --as-of 2026-06-30 --format csv\n  tppledger headroom IN --floor --in H100"
)]
pub struct HeadroomArgs {
    /// Destinations: codes or names. All capped ones if left out.
    pub destinations: Vec<String>,
    /// The day; today if left out.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// Count records up to this one; all if left out.
    #[arg(long, value_name = "SEQ")]
    pub through: Option<u64>,
    /// Add the lowest headroom from the day to the period's end, which a new license must fit in.
    #[arg(long)]
    pub floor: bool,
    /// Add headroom in whole units of a device.
    #[arg(long = "in", value_name = "DEVICE")]
    pub device: Option<String>,
    /// Uncapped and presumption-of-denial destinations too.
    #[arg(long)]
    pub all: bool,
}

/// `explain`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger explain headroom PL --as-of 2026-06-30\n  tppledger explain event E-17\n  tppledger explain application Z102345\n  tppledger explain account LPP:ACME:year=2026"
)]
pub struct ExplainArgs {
    /// What to explain.
    #[arg(value_enum)]
    pub what: ExplainArg,
    /// Destination, application number, license number, event id or account.
    pub subject: String,
    /// The day; today if left out.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// Count records up to this one; all if left out.
    #[arg(long, value_name = "SEQ")]
    pub through: Option<u64>,
}

/// What can be explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ExplainArg {
    /// A headroom figure.
    Headroom,
    /// An application.
    Application,
    /// A license.
    License,
    /// An event or act.
    Event,
    /// A refusal, by the id of the event refused.
    Refusal,
    /// A company's account, e.g. LPP:ACME:year=2026.
    Account,
}

/// `list`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger list applications --state pending --destination PL\n  tppledger list licenses --finding unlicensed_shipment\n  tppledger list refusals --from 2026-04-01 --to 2026-06-30\n  tppledger list notices --as-of 2026-06-30"
)]
pub struct ListArgs {
    /// The register.
    #[arg(value_enum)]
    pub what: ListArg,
    /// Only this destination; may be given several times.
    #[arg(long, value_name = "COUNTRY")]
    pub destination: Vec<String>,
    /// Only applicants whose name has this part.
    #[arg(long, value_name = "PART")]
    pub applicant: Option<String>,
    /// Only consignees whose name has this part.
    #[arg(long, value_name = "PART")]
    pub consignee: Option<String>,
    /// Only this state; may be given several times.
    #[arg(long)]
    pub state: Vec<String>,
    /// Only with this finding; may be given several times.
    #[arg(long)]
    pub finding: Vec<String>,
    /// Only this kind of event or act; may be given several times.
    #[arg(long, value_name = "EVENT")]
    pub event: Vec<String>,
    /// Only this application.
    #[arg(long, value_name = "NUMBER")]
    pub application: Option<String>,
    /// Submitted, or effective, from this day on.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Submitted, or effective, to this day.
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// State as of this day; today if left out.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// Count records up to this one; all if left out.
    #[arg(long, value_name = "SEQ")]
    pub through: Option<u64>,
}

/// The registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ListArg {
    /// Applications, one row a line.
    Applications,
    /// Licenses, one row a line.
    Licenses,
    /// Events and acts.
    Events,
    /// Refusals, one row a broken limit.
    Refusals,
    /// What each company received in a year, under LPP.
    Lpp,
    /// The installed base of each national validated end user, against its limit.
    Nveu,
    /// The shares of each universal validated end user's base.
    Uveu,
    /// What is to be filed in the quarter of the day.
    Notices,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The report.
    #[command(subcommand)]
    pub report: ReportCommand,
}

/// The reports.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// The quarter's pack: headroom, movements, schedule, registers, refusals.
    #[command(before_help = "Example:\n  tppledger report quarter 2026-Q2 --out packs/2026-Q2")]
    Quarter {
        /// The quarter: 2026-Q2, current or last.
        quarter: String,
        /// Where the pack goes.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Count records up to this one; all if left out.
        #[arg(long, value_name = "SEQ")]
        through: Option<u64>,
        /// Rows of uncapped and presumption-of-denial destinations too.
        #[arg(long)]
        all: bool,
    },
}

/// `close`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger close 2026-Q2 --out filed/2026-Q2 --reference \"letter 12\"\n  tppledger close 2026-Q2 --reopen \"shipment reports of May were missing\""
)]
pub struct CloseArgs {
    /// The quarter: 2026-Q2 or last.
    pub quarter: String,
    /// Where the pack goes; of a closed quarter, as it was filed.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Document.
    #[arg(long, value_name = "TEXT", conflicts_with = "reopen")]
    pub reference: Option<String>,
    /// Rows of uncapped and presumption-of-denial destinations too.
    #[arg(long, conflicts_with = "reopen")]
    pub all: bool,
    /// Reopen a closed quarter, with the reason; what was filed stays in the ledger.
    #[arg(long, value_name = "REASON", conflicts_with = "out", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reopen: Option<String>,
}

/// `restate`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger restate 2026-Q2\n  tppledger restate 2026-Q2 --format csv --output restatement.csv"
)]
pub struct RestateArgs {
    /// The quarter: 2026-Q2 or last.
    pub quarter: String,
}

/// `regime`.
#[derive(Debug, Args)]
pub struct RegimeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RegimeCommand,
}

/// Commands on regimes.
#[derive(Debug, Subcommand)]
pub enum RegimeCommand {
    /// Show every value with its citation: of the ledger, of a folder, or the built-in one where there is no ledger.
    #[command(before_help = "Examples:\n  tppledger regime show\n  tppledger regime show builtin")]
    Show {
        /// A regime folder, or `builtin`.
        folder: Option<PathBuf>,
    },
    /// Check a regime folder: unknown keys, missing citations, holes and overlaps in dates.
    #[command(before_help = "Example:\n  tppledger regime check my-regime")]
    Check {
        /// A regime folder, or `builtin`.
        folder: PathBuf,
    },
    /// What differs between two regimes: folders, `builtin`, or `summary` (a law firm's summary: what differs in words
    /// comes first).
    #[command(before_help = "Examples:\n  tppledger regime diff builtin my-regime\n  tppledger regime diff builtin summary")]
    Diff {
        /// The first.
        a: PathBuf,
        /// The second.
        b: PathBuf,
    },
    /// Keep the ledger under another regime from now on.
    #[command(
        before_help = "Examples:\n  tppledger regime adopt my-regime --dry-run\n  tppledger regime adopt my-regime --reference \"annual review of 2026\""
    )]
    Adopt {
        /// A regime folder, or `builtin`.
        folder: PathBuf,
        /// Document or reason.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reference: String,
        /// Say what would change and record nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// `devices`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tppledger devices\n  tppledger devices \"NVIDIA H100-SXM5\"")]
pub struct DevicesArgs {
    /// A device or system, by its name or an alias. All if left out.
    pub name: Option<String>,
}

/// `application-sheet`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tppledger application-sheet Z102345\n  tppledger application-sheet --file applications.csv Z102345 --output sheet.txt"
)]
pub struct ApplicationSheetArgs {
    /// Number of the application. May be left out with --file where the file holds one.
    #[arg(required_unless_present = "file")]
    pub number: Option<String>,
    /// A file of applications that are in no ledger yet; `-` is standard input. Nothing is recorded.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// A regime folder; for an application in a ledger it must be the ledger's own.
    #[arg(long, value_name = "DIR")]
    pub regime: Option<PathBuf>,
    /// The revision in force through this record; all records if left out.
    #[arg(long, value_name = "SEQ", conflicts_with = "file")]
    pub through: Option<u64>,
}
