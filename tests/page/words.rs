//! The words by which a page asks for figures.

use super::{Check, same};
use tppledger::desk::figures;
use tppledger::quota::position::Headroom;
use tppledger::quota::tpp::Tpp;

pub fn headroom(row: &Headroom, word: &str, floor: Option<&str>) -> Option<String> {
    let optional = |tpp: Option<Tpp>| tpp.map_or("empty".to_string(), |tpp| tpp.to_string());
    Some(match word {
        "base" => optional(row.base),
        "increase" => optional(row.increase),
        "limit" => optional(row.limit),
        "withheld" => optional(row.withheld),
        "licensed" => row.licensed.to_string(),
        "not limited" => row.licensed_not_limited.to_string(),
        "shipped" => row.shipped.to_string(),
        "unshipped" => row.unshipped.to_string(),
        "pending" => row.pending.to_string(),
        "headroom" => optional(row.headroom),
        "after pending" => optional(row.headroom_after_pending),
        "utilization" => row.utilization_pct.map_or("empty".to_string(), |percent| percent.to_string()),
        "status" => row.status.to_string(),
        "floor" => floor.unwrap_or("empty").to_string(),
        _ => return None,
    })
}

pub fn movement(row: &figures::Movement, word: &str) -> Option<String> {
    let limit = |pick: fn(&figures::LimitMovement) -> Tpp| {
        row.limit.as_ref().map_or("empty".to_string(), |limit| pick(limit).to_string())
    };
    Some(match word {
        "opening" => row.opening_licensed.to_string(),
        "carried in" => row.carried_in.to_string(),
        "issued" => row.issued.to_string(),
        "expired" => row.expired.to_string(),
        "revoked" => row.revoked.to_string(),
        "surrendered" => row.surrendered.to_string(),
        "amended" => row.amended.to_string(),
        "attrition" => row.attrition.to_string(),
        "corrected" => row.corrected.to_string(),
        "closing" => row.closing_licensed.to_string(),
        "opening limit" => limit(|limit| limit.opening_limit),
        "base change" => limit(|limit| limit.base_change),
        "limit increase" => limit(|limit| limit.increase),
        "closing limit" => limit(|limit| limit.closing_limit),
        "opening withheld" => limit(|limit| limit.opening_withheld),
        "closing withheld" => limit(|limit| limit.closing_withheld),
        "closing headroom" => limit(|limit| limit.closing_headroom),
        _ => return None,
    })
}

/// The identities that hold on every row.
pub fn identities(row: &figures::Movement) -> Check {
    let given_back = row.expired + row.revoked + row.surrendered + row.amended + row.attrition + row.corrected;
    same(
        "closing licensed",
        &(row.opening_licensed + row.carried_in + row.issued - given_back).to_string(),
        &row.closing_licensed.to_string(),
    )?;
    let Some(limit) = row.limit else { return Ok(()) };
    same(
        "closing limit",
        &(limit.opening_limit + limit.base_change + limit.increase).to_string(),
        &limit.closing_limit.to_string(),
    )
}
