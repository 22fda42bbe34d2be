//! `close` and `restate`: a quarter as it was filed, and what is known of it now.

use super::Ending;
use super::args::{CloseArgs, RestateArgs};
use super::context::{Context, shown, status_line};
use crate::desk::close::{CloseOptions, close as close_quarter, reopen};
use crate::desk::restate::restate as restate_quarter;
use crate::error::{Error, Result};
use crate::report::Table;
use crate::store::Batch;

pub(super) fn close(context: &Context, args: &CloseArgs) -> Result<Ending> {
    let quarter = context.quarter(&args.quarter)?;
    let mut ledger = context.writable()?;
    let batch = Batch {
        recorded_at: context.clock.seconds,
        recorded_by: context.recorded_by(),
        source: "close".into(),
        source_sha256: None,
    };
    if let Some(reason) = &args.reopen {
        let (seq, filing) = reopen(&mut ledger, batch, quarter, reason)?;
        context.say(format!("{quarter} is open again, by record {seq} ({}); what was filed stays in the ledger", filing.id));
        return Ok(Ending::default());
    }
    let Some(out) = args.out.clone() else {
        return Err(Error::usage("no folder is named for the pack", format!("`tppledger close {quarter} --out DIR`")));
    };
    let (all, reference, today) = (args.all, args.reference.clone(), context.today());
    let closed = close_quarter(&mut ledger, batch, &CloseOptions { quarter, out: out.clone(), all, reference, today })?;
    context.say(status_line(&ledger.regime(), quarter.last_day()));
    let (seq, id) = (closed.seq, &closed.filing.id);
    context.say(if closed.again {
        format!("{quarter} was closed by record {seq} ({id}); what was filed is in {}", shown(&out))
    } else {
        let (files, through) = (closed.filing.files.len(), closed.filing.through);
        format!("{quarter} is closed by record {seq} ({id}): {files} files, through record {through}, are in {}", shown(&out))
    });
    Ok(Ending::default())
}

pub(super) fn restate(context: &Context, args: &RestateArgs) -> Result<Ending> {
    let quarter = context.quarter(&args.quarter)?;
    let ledger = context.readable()?;
    let restated = restate_quarter(&ledger, quarter)?;
    context.print_table(&if context.is_table() { for_people(&restated.table) } else { restated.table })?;
    let (filed, through) = (restated.filed_through, restated.through);
    let changed = match restated.destinations {
        0 => "no figure changed".to_string(),
        1 => "the figures of 1 destination changed".to_string(),
        many => format!("the figures of {many} destinations changed"),
    };
    context.say(format!("{quarter} was filed through record {filed}, and through record {through} {changed}"));
    Ok(Ending::default())
}

/// The columns that fit a terminal.
fn for_people(table: &Table) -> Table {
    const LEFT_OUT: [&str; 3] = ["destination_name", "recorded_at", "recorded_by"];
    let kept: Vec<usize> =
        (0..table.schema.columns.len()).filter(|at| !LEFT_OUT.contains(&table.schema.columns[*at].name)).collect();
    let mut schema = table.schema.clone();
    schema.columns = kept.iter().map(|at| table.schema.columns[*at]).collect();
    let mut short = Table::new(schema);
    table.rows.iter().for_each(|row| short.push(kept.iter().map(|at| row[*at].clone()).collect()));
    short
}
