//! `verify`: every check by name, and what it found.

use super::Ending;
use super::context::Context;
use crate::desk::verify::{Check, verify as recompute};
use crate::error::Result;

pub(super) fn verify(context: &Context) -> Result<Ending> {
    let ledger = context.readable()?;
    let wrong = ledger.store.check_file()?;
    let file = Check { name: "file", looked_at: "the engine's check, schema, guards, sums by SQL".into(), wrong };
    let mut checks = vec![file];
    checks.extend(recompute(&ledger)?);
    let failed = checks.iter().any(|check| !check.wrong.is_empty());
    if context.errors_as_json() {
        let list: Vec<serde_json::Value> = checks
            .iter()
            .map(|check| serde_json::json!({ "check": check.name, "looked_at": check.looked_at, "holds": check.wrong.is_empty(), "wrong": check.wrong }))
            .collect();
        context.print_json(&serde_json::json!({ "verified": !failed, "checks": list }))?;
    } else {
        let mut text = String::new();
        for check in &checks {
            let holds = if check.wrong.is_empty() { "holds" } else { "FAILS" };
            text.push_str(&format!("{:10} {holds}  {}\n", check.name, check.looked_at));
            for wrong in &check.wrong {
                text.push_str(&format!("           {wrong}\n"));
            }
        }
        context.print_bytes(text.as_bytes())?;
        if failed {
            context.tell("error: the ledger does not verify\nhint: keep the file as it is, and restore the last backup that verifies beside it");
        }
    }
    Ok(Ending { unverified: failed, ..Ending::default() })
}
