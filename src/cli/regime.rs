//! `init` and `regime`: a ledger is bound to its regime; regimes are shown, checked, compared and adopted.

#![allow(clippy::disallowed_methods, reason = "the edge: a ledger is looked for here")]

use super::Ending;
use super::args::{InitArgs, RegimeArgs, RegimeCommand};
use super::context::{Context, regime_text, shown};
use crate::desk::adopt::{adopt, entries_of_change};
use crate::desk::company_rules::company_values;
use crate::desk::compare::Comparison;
use crate::desk::ledger::{read_regime, to_keep};
use crate::error::{Error, Result};
use crate::intake::regimes;
use crate::quota::regime::{Citation, Regime};
use crate::store::{Batch, End, Read, Store, hex};
use std::path::Path;

pub(super) fn init(context: &Context, args: &InitArgs) -> Result<Ending> {
    let ledger = context.make_ledger(args.regime.as_deref())?;
    let kept = &ledger.kept()[0];
    let place = shown(&context.global.ledger);
    if context.errors_as_json() {
        context.print_json(&serde_json::json!({ "ledger": place, "regime": kept.id, "regime_digest": hex(&kept.digest) }))?;
    } else {
        context.say(format!("{place}: a new ledger under {} ({})", kept.id, hex(&kept.digest)));
    }
    Ok(Ending::default())
}

pub(super) fn regime(context: &Context, args: &RegimeArgs) -> Result<Ending> {
    match &args.command {
        RegimeCommand::Show { folder } => show(context, folder.as_deref()),
        RegimeCommand::Check { folder } => {
            let (regime, digest) = read_regime(&regime_text(folder)?).map_err(Error::Input)?;
            let beside = regimes::problems_beside(folder, &regime);
            if !beside.is_empty() {
                return Err(Error::Input(beside));
            }
            context.print_bytes(
                format!("{}: the regime {} is right; digest {}\n", folder.display(), regime.id, hex(&digest)).as_bytes(),
            )?;
            Ok(Ending::default())
        }
        RegimeCommand::Diff { a, b } => diff(context, a, b),
        RegimeCommand::Adopt { folder, reference, dry_run } => adopt_regime(context, folder, reference, *dry_run),
    }
}

fn show(context: &Context, folder: Option<&Path>) -> Result<Ending> {
    let (regime, digest) = match folder {
        Some(folder) => read_regime(&regime_text(folder)?).map_err(Error::Input)?,
        None if context.ledger_exists() => {
            let ledger = context.readable()?;
            let digest = ledger.kept().last().map(|kept| kept.digest).unwrap_or_default();
            (ledger.regime().as_ref().clone(), digest)
        }
        None => read_regime(&regime_text(Path::new("builtin"))?).map_err(Error::Input)?,
    };
    if context.errors_as_json() {
        let list: Vec<serde_json::Value> = regime
            .deciding_values()
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| serde_json::json!({ "key": key, "value": value }))
            .collect();
        context.print_json(&serde_json::json!({ "regime": regime.id, "digest": hex(&digest), "values": list }))?;
        return Ok(Ending::default());
    }
    context.print_bytes(as_text(&regime, &hex(&digest)).as_bytes())?;
    Ok(Ending::default())
}

fn as_text(regime: &Regime, digest: &str) -> String {
    let mut text = format!("{}: {}\ndigest {digest}\n{}\n\n", regime.id, regime.title, cited(&regime.citation));
    let mut line =
        |what: &str, value: String, citation: &Citation| text.push_str(&format!("{what}: {value}\n    {}\n", cited(citation)));
    for status in &regime.legal_status {
        line(&format!("legal status from {}", status.from), format!("{}: {}", status.code, status.text), &status.citation);
    }
    line("period", regime.period.to_string(), &regime.period_citation);
    for step in &regime.base {
        line(&format!("base from {}", step.from), format!("{} TPP", step.tpp.grouped()), &step.citation);
    }
    line("increases at most", format!("{} % of the base", regime.increase_maximum_percent), &regime.increase_maximum_citation);
    line("critical from", format!("{} % of the limit", regime.critical_percent), &regime.critical_citation);
    line("validity of a license", format!("{} year(s)", regime.validity.years), &regime.validity_citation);
    line("expiry rolls over weekends", yes_no(regime.validity.rolls_over_weekends), &regime.roll_citation);
    line(
        "unused given back",
        format!("{} days after the day after the last valid day", regime.unused_after_days),
        &regime.unused_citation,
    );
    let paragraphs: Vec<String> = regime.counted_eccn.iter().map(ToString::to_string).collect();
    line("counted", paragraphs.join(", "), &regime.counted_eccn_citation);
    for (name, switch) in regime.readings() {
        let open = if switch.open { format!(" OPEN: the other reading: {}", switch.other_meaning) } else { String::new() };
        line(name, format!("{}: {}{open}", yes_no(switch.value), switch.meaning), &switch.citation);
    }
    for value in regime.companies.iter().flat_map(company_values) {
        line(&value.what, value.values.join(", "), value.citation);
    }
    for group in &regime.groups.groups {
        let members: Vec<String> = group.members.iter().map(ToString::to_string).collect();
        line(&format!("group {}", group.id), format!("{}: {}", group.name, members.join(" ")), &group.citation);
        for change in &group.changes {
            let list = |countries: &[crate::quota::codes::Country]| {
                countries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            };
            line(
                &format!("  from {}", change.on),
                format!("joins: {}; leaves: {}", list(&change.add), list(&change.remove)),
                &change.citation,
            );
        }
    }
    text
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_string()
}

fn cited(citation: &Citation) -> String {
    format!("[{}; {}; checked {}]", citation.cite, citation.source, citation.checked)
}

fn diff(context: &Context, a: &Path, b: &Path) -> Result<Ending> {
    let read = |folder: &Path| Ok::<_, Error>(read_regime(&regime_text(folder)?).map_err(Error::Input)?.0);
    let (left, right) = (read(a)?, read(b)?);
    // The differences in words are those of the built-in regulation and its summary, and of no other two.
    let names = [a, b].map(|folder| folder.to_string_lossy());
    let in_words = match [&*names[0], &*names[1]] {
        ["builtin", "summary"] | ["summary", "builtin"] => {
            regimes::differences(&regimes::builtin_differences()).map_err(Error::Input)?
        }
        _ => Vec::new(),
    };
    let comparison = Comparison::new(&left, &right, &in_words, names[0] == "builtin");
    if context.is_table() {
        context.print_bytes(comparison.page([&*names[0], &*names[1]]).as_bytes())?;
    } else {
        context.print_table(&comparison.table())?;
    }
    Ok(Ending::default())
}

fn adopt_regime(context: &Context, folder: &Path, reference: &str, dry_run: bool) -> Result<Ending> {
    let text = regime_text(folder)?;
    let (kept, new) = to_keep(&text, 0).map_err(Error::Input)?;
    let mut ledger = context.writable()?;
    let old = ledger.regime();
    if ledger.kept().last().is_some_and(|last| last.digest == kept.digest) {
        context.print_bytes(format!("the ledger is kept under {} already; nothing to adopt\n", kept.id).as_bytes())?;
        return Ok(Ending::default());
    }
    if dry_run {
        let read = ledger.store.read()?;
        let entries = entries_of_change(|visit| read.dossiers(visit), &old, &new)?;
        context.print_bytes(
            format!("adopting {} would post {} entries; nothing was recorded\n", kept.id, entries.len()).as_bytes(),
        )?;
        return Ok(Ending::default());
    }
    let batch = Batch {
        recorded_at: context.clock.seconds,
        recorded_by: context.recorded_by(),
        source: "regime adopt".into(),
        source_sha256: None,
    };
    let (id, digest) = (kept.id.clone(), hex(&kept.digest));
    let today = context.today();
    let (seq, entries) = ledger.store.write(batch, |tx| Ok((adopt(tx, &old, &new, kept, reference, today)?, End::Commit)))?;
    ledger.reload()?;
    context.print_bytes(format!("adopted {id} ({digest}) by record {seq}; {entries} entries\n").as_bytes())?;
    Ok(Ending::default())
}
