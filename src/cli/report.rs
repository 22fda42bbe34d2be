//! `report`: the quarter's pack.

use super::Ending;
use super::args::{ReportArgs, ReportCommand};
use super::context::{Context, shown, status_line};
use crate::desk::pack::{PackOptions, make_pack};
use crate::error::Result;

pub(super) fn report(context: &Context, args: &ReportArgs) -> Result<Ending> {
    let ReportCommand::Quarter { quarter, out, through, all } = &args.report;
    let quarter = context.quarter(quarter)?;
    let ledger = context.readable()?;
    let options = PackOptions {
        quarter,
        through: *through,
        out: out.clone(),
        all: *all,
        excel: context.global.excel,
        today: context.today(),
        left_out: Vec::new(),
    };
    make_pack(&ledger, &options)?;
    context.say(status_line(&ledger.regime(), quarter.last_day()));
    let provisional = if context.today() < quarter.last_day() { " (provisional: the quarter is not over)" } else { "" };
    context.say(format!("the pack of {quarter} is in {}{provisional}", shown(out)));
    Ok(Ending::default())
}
