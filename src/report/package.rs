//! `datapackage.json`: what the files of a report are, for machines and for whoever proves them later.
//!
//! A Frictionless Data Package with a Table Schema for every file: type, unit and meaning of each column, bytes and
//! SHA-256. Under `tppledger` stands what determines the figures: as-of, through with the digest of the record chain,
//! the regime with its digest and legal status. Only the empty cell is a missing value: `NA` is Namibia. Invariant: the
//! bytes follow from the ledger alone; no program version, clock, host or path is in them.

use super::Format;
use super::table::{Column, Schema};
use super::tally::Written;
use crate::quota::event::words;
use crate::quota::regime::LegalStatus;
use chrono::NaiveDate;
use serde::Serialize;

/// Name of the file.
pub const FILE_NAME: &str = "datapackage.json";
/// The member under which the program's own facts stand; it is also how the program knows its own folders again.
pub const OWN_MEMBER: &str = "tppledger";

words! {
    /// Whether a pack may still change.
    PackStatus {
        /// Made after the quarter's last day.
        Final = "final",
        /// Made before the quarter's last day.
        Provisional = "provisional",
    }
}

/// Up to which record a report counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Through {
    /// Number of the last record.
    pub seq: u64,
    /// Digest of the record chain there, in hexadecimal digits.
    pub digest: String,
    /// When that record was made; `None` for an empty ledger.
    pub recorded_at: Option<String>,
}

/// The regime under which the figures hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RegimeNote {
    /// Short name.
    pub id: String,
    /// Digest of its deciding values, in hexadecimal digits.
    pub digest: String,
    /// Its legal status on the as-of day; `None` before the first.
    pub legal_status: Option<LegalStatusNote>,
}

/// The legal status as it is printed in reports. The day on which the source was last looked at is left out: it
/// decides nothing and would change the bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LegalStatusNote {
    /// First day.
    #[serde(serialize_with = "as_day")]
    pub from: NaiveDate,
    /// One word.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// Citation.
    pub cite: String,
}

impl From<&LegalStatus> for LegalStatusNote {
    fn from(status: &LegalStatus) -> Self {
        LegalStatusNote {
            from: status.from,
            code: status.code.clone(),
            text: status.text.clone(),
            cite: status.citation.cite.clone(),
        }
    }
}

/// One file of the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resource {
    /// Its name in the folder.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// What its table is made of.
    pub schema: Schema,
    /// What was written.
    pub written: Written,
}

/// A report as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// Entries effective on or before this day are counted.
    pub as_of: NaiveDate,
    /// Records up to here are counted.
    pub through: Through,
    /// Under which regime.
    pub regime: RegimeNote,
    /// The quarter of a pack, e.g. `2026-Q2`; `None` for a single report.
    pub quarter: Option<String>,
    /// Whether it may still change.
    pub status: PackStatus,
    /// Names of the input files that were left out because of errors.
    pub incomplete: Vec<String>,
    /// Its files.
    pub resources: Vec<Resource>,
}

impl Package {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.as_written()).expect("texts, numbers and lists are always JSON");
        bytes.push(b'\n');
        bytes
    }

    fn as_written(&self) -> PackageText<'_> {
        let what = self.quarter.as_ref().map_or_else(|| self.as_of.to_string(), |quarter| quarter.to_ascii_lowercase());
        let mut incomplete: Vec<&str> = self.incomplete.iter().map(|file| bare_name(file)).collect();
        incomplete.sort_unstable();
        PackageText {
            profile: "tabular-data-package",
            name: identifier(&format!("{}-{what}", self.regime.id)),
            title: match &self.quarter {
                Some(quarter) => format!("Country allocations, quarter {quarter}"),
                None => format!("Country allocations as of {}", self.as_of),
            },
            tppledger: OwnText {
                as_of: self.as_of.to_string(),
                through: &self.through,
                regime: &self.regime,
                quarter: self.quarter.as_deref(),
                status: self.status.as_str(),
                incomplete,
            },
            resources: self.resources.iter().map(resource_text).collect(),
        }
    }
}

/// The document as it is written; the order of the members is the order here.
#[derive(Serialize)]
struct PackageText<'a> {
    profile: &'static str,
    name: String,
    title: String,
    tppledger: OwnText<'a>,
    resources: Vec<ResourceText<'a>>,
}

#[derive(Serialize)]
struct OwnText<'a> {
    as_of: String,
    through: &'a Through,
    regime: &'a RegimeNote,
    quarter: Option<&'a str>,
    status: &'static str,
    incomplete: Vec<&'a str>,
}

#[derive(Serialize)]
struct ResourceText<'a> {
    name: String,
    path: &'a str,
    title: &'static str,
    profile: &'static str,
    format: &'static str,
    mediatype: &'static str,
    encoding: &'static str,
    bytes: u64,
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<DialectText>,
    schema: SchemaText,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DialectText {
    delimiter: &'static str,
    line_terminator: &'static str,
    quote_char: &'static str,
    double_quote: bool,
    header: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SchemaText {
    fields: Vec<FieldText>,
    primary_key: &'static [&'static str],
    missing_values: [&'static str; 1],
}

#[derive(Serialize)]
struct FieldText {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'static str,
    description: &'static str,
}

fn resource_text(resource: &Resource) -> ResourceText<'_> {
    let (format, mediatype) = match resource.format {
        Format::Csv => ("csv", "text/csv"),
        Format::Json => ("json", "application/json"),
        Format::JsonLines => ("jsonl", "application/jsonl"),
        Format::Table => ("txt", "text/plain"),
    };
    let dialect = DialectText { delimiter: ",", line_terminator: "\n", quote_char: "\"", double_quote: true, header: true };
    let field = |column: &Column| FieldText {
        name: column.name,
        kind: column.kind.frictionless(),
        unit: column.unit,
        description: column.meaning,
    };
    ResourceText {
        name: identifier(resource.path.rsplit_once('.').map_or(resource.path.as_str(), |(stem, _)| stem)),
        path: &resource.path,
        title: resource.schema.title,
        profile: "tabular-data-resource",
        format,
        mediatype,
        encoding: "utf-8",
        bytes: resource.written.bytes,
        hash: resource.written.hash(),
        dialect: (resource.format == Format::Csv).then_some(dialect),
        schema: SchemaText {
            fields: resource.schema.columns.iter().map(field).collect(),
            primary_key: resource.schema.key,
            missing_values: [""],
        },
    }
}

fn as_day<S: serde::Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// A name as Frictionless wants it: small letters, digits, `.`, `-` and `_`.
fn identifier(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '.' | '-' | '_');
    text.to_ascii_lowercase().chars().map(|letter| if fits(letter) { letter } else { '-' }).collect()
}

/// The name of a file without the folder it was in: a path of one machine is of no use on another.
fn bare_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::super::columns;
    use super::super::csv::CsvWriter;
    use super::*;
    use serde_json::{Value, json};

    fn package() -> Package {
        let schema = columns::schedule();
        let written = CsvWriter::new(Vec::new(), &schema, false).unwrap().finish().unwrap();
        Package {
            as_of: "2026-06-30".parse().unwrap(),
            through: Through { seq: 143, digest: "ab".repeat(32), recorded_at: Some("2026-07-01T08:00:00Z".into()) },
            regime: RegimeNote {
                id: "us-ear-ai-diffusion".into(),
                digest: "cd".repeat(32),
                legal_status: Some(LegalStatusNote {
                    from: "2025-05-13".parse().unwrap(),
                    code: "not_enforced".into(),
                    text: "On the books.".into(),
                    cite: "Commerce press release of 13 May 2025".into(),
                }),
            },
            quarter: Some("2026-Q2".into()),
            status: PackStatus::Final,
            incomplete: vec!["inbox/z.csv".into(), "C:\\inbox\\a.csv".into()],
            resources: vec![Resource { path: "schedule.csv".into(), format: Format::Csv, schema, written }],
        }
    }

    #[test]
    fn a_pack_says_what_determines_it() {
        let value: Value = serde_json::from_slice(&package().to_bytes()).unwrap();
        assert_eq!(value["name"], "us-ear-ai-diffusion-2026-q2");
        let own = &value[OWN_MEMBER];
        assert_eq!(own["as_of"], "2026-06-30");
        assert_eq!(own["through"]["seq"], 143);
        assert_eq!(own["regime"]["legal_status"]["code"], "not_enforced");
        assert_eq!((&own["quarter"], &own["status"]), (&json!("2026-Q2"), &json!("final")));
        assert_eq!(own["incomplete"], json!(["a.csv", "z.csv"]), "names without their folders, sorted");
    }

    #[test]
    fn every_column_has_type_unit_and_meaning_and_only_the_empty_cell_is_missing() {
        let value: Value = serde_json::from_slice(&package().to_bytes()).unwrap();
        let resource = &value["resources"][0];
        assert_eq!(resource["name"], "schedule");
        assert_eq!(resource["bytes"], 42);
        assert!(resource["hash"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!(resource["schema"]["missingValues"], json!([""]), "NA is Namibia");
        assert_eq!(resource["schema"]["primaryKey"], json!(["destination", "day", "kind"]));
        let tpp = &resource["schema"]["fields"][4];
        assert_eq!((&tpp["name"], &tpp["type"], &tpp["unit"]), (&json!("tpp"), &json!("number"), &json!("TPP")));
    }

    #[test]
    fn the_same_report_gives_the_same_bytes() {
        assert_eq!(package().to_bytes(), package().to_bytes());
        let text = String::from_utf8(package().to_bytes()).unwrap();
        assert!(!text.contains(env!("CARGO_PKG_VERSION")), "no program version");
        let place = |member: &str| text.find(&format!("\"{member}\"")).unwrap();
        assert!(
            place("profile") < place(OWN_MEMBER) && place(OWN_MEMBER) < place("resources"),
            "what determines it stands first"
        );
    }
}
