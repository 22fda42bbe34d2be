//! `explain`: a figure down to its entries, a decision down to its citations.

use super::Ending;
use super::args::{ExplainArg, ExplainArgs};
use super::context::{Context, country};
use crate::desk::explain::{self, Explanation};
use crate::desk::explain_account::account;
use crate::error::{Error, Result};
use crate::report::{Format, Look, terminal, write_table};
use std::fmt::Write;

pub(super) fn explain(context: &Context, args: &ExplainArgs) -> Result<Ending> {
    let as_of = context.as_of(args.as_of.as_deref())?;
    let ledger = context.readable()?;
    let explanation = match args.what {
        ExplainArg::Headroom => explain::headroom(&ledger, country(&args.subject)?, as_of, args.through)?,
        ExplainArg::Application => explain::application(&ledger, &args.subject, as_of, args.through)?,
        ExplainArg::License => explain::license(&ledger, &args.subject, as_of, args.through)?,
        ExplainArg::Account => account(&ledger, &args.subject, as_of, args.through)?,
        ExplainArg::Event => explain::event(&ledger, &args.subject)?,
        ExplainArg::Refusal => {
            let explanation = explain::event(&ledger, &args.subject)?;
            let refused = explanation.sections.iter().any(|section| section.title.starts_with("Does not fit"));
            if !refused {
                return Err(Error::NotFound {
                    what: format!("{} was not refused", args.subject),
                    hint: "`tppledger explain event` explains what was accepted".into(),
                });
            }
            explanation
        }
    };
    match context.format() {
        Format::Table => context.print_bytes(as_text(&explanation, context.look()).as_bytes())?,
        Format::Csv => {
            // The rows of an explanation are its entries.
            let table = explanation.sections.iter().find_map(|section| section.table.as_ref());
            let table = table.ok_or_else(|| Error::usage("this explanation has no table", "leave --format out, or take json"))?;
            context.print_table(table)?;
        }
        Format::Json | Format::JsonLines => context.print_json(&as_json(&explanation))?,
    }
    Ok(Ending::default())
}

fn as_text(explanation: &Explanation, look: Look) -> String {
    let mut text = format!("{}\n", explanation.title);
    for section in &explanation.sections {
        write!(text, "\n{}\n", section.title).expect("writing to a string");
        let width = section.facts.iter().map(|(what, ..)| what.chars().count()).max().unwrap_or(0).min(36);
        for (what, value, source) in &section.facts {
            let source = if source.is_empty() { String::new() } else { format!("  [{source}]") };
            writeln!(text, "  {what:width$}  {value}{source}").expect("writing to a string");
        }
        match &section.table {
            Some(table) if !table.rows.is_empty() => {
                for line in terminal::render(table, look).lines() {
                    writeln!(text, "  {line}").expect("writing to a string");
                }
            }
            _ if section.facts.is_empty() => text.push_str("  none\n"),
            _ => {}
        }
    }
    text
}

fn as_json(explanation: &Explanation) -> serde_json::Value {
    let sections: Vec<serde_json::Value> = explanation
        .sections
        .iter()
        .map(|section| {
            let facts: Vec<serde_json::Value> = section
                .facts
                .iter()
                .map(|(what, value, source)| serde_json::json!({ "what": what, "value": value, "source": source }))
                .collect();
            let rows: Option<serde_json::Value> = section.table.as_ref().and_then(|table| {
                let mut bytes = Vec::new();
                write_table(Format::Json, table, &mut bytes, Look::default()).ok()?;
                serde_json::from_slice(&bytes).ok()
            });
            serde_json::json!({ "title": section.title, "facts": facts, "entries": rows })
        })
        .collect();
    serde_json::json!({ "title": explanation.title, "sections": sections })
}
