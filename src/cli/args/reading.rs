//! The arguments that say how files are read, where they do not say it themselves.

use crate::intake::{Dates, Encoding};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How files are read; docs/files-in.md says more of each.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "How files are read")]
pub struct ReadingArgs {
    /// A TOML file that says which of the file's columns are ours.
    #[arg(long, value_name = "MAP")]
    pub columns: Option<PathBuf>,
    /// The sheet of a workbook; the first one if left out.
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// How days are written that are not YYYY-MM-DD: month first (mdy) or day first (dmy).
    #[arg(long, value_enum)]
    pub dates: Option<DatesArg>,
    /// How the bytes of a CSV file are text; utf-8 if left out.
    #[arg(long, value_enum)]
    pub encoding: Option<EncodingArg>,
    /// What parts the cells of a CSV file; found from its header if left out.
    #[arg(long, value_enum)]
    pub delimiter: Option<DelimiterArg>,
}

/// How days are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DatesArg {
    /// 3/4/2026 is the 4th of March.
    Mdy,
    /// 3/4/2026 is the 3rd of April.
    Dmy,
}

/// How bytes are text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum EncodingArg {
    /// UTF-8.
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    /// Windows-1252.
    #[value(alias = "windows-1252")]
    Cp1252,
}

/// What parts cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DelimiterArg {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl From<DatesArg> for Dates {
    fn from(given: DatesArg) -> Dates {
        match given {
            DatesArg::Mdy => Dates::MonthFirst,
            DatesArg::Dmy => Dates::DayFirst,
        }
    }
}

impl From<EncodingArg> for Encoding {
    fn from(given: EncodingArg) -> Encoding {
        match given {
            EncodingArg::Utf8 => Encoding::Utf8,
            EncodingArg::Cp1252 => Encoding::Cp1252,
        }
    }
}

impl From<DelimiterArg> for u8 {
    fn from(given: DelimiterArg) -> u8 {
        match given {
            DelimiterArg::Comma => b',',
            DelimiterArg::Semicolon => b';',
            DelimiterArg::Tab => b'\t',
            DelimiterArg::Pipe => b'|',
        }
    }
}
