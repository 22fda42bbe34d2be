//! `country-groups.toml`: which countries are in which group from which day, and which are counted in another.
//!
//! A country must have one part on each day, so contradictions are problems: a change that changes nothing, a
//! territory whose parent is a territory, a home country that is also something else. What a part means for a license
//! is the heart's to say. Invariant: every group that plays a part exists, and plays one.

use super::keys::Keys;
use super::law::ascending;
use crate::quota::codes::Country;
use crate::quota::regime::{Citation, Group, GroupChange, Groups};
use std::collections::BTreeMap;

/// Reads `country-groups.toml`.
pub(super) fn groups(root: &Keys) -> Option<Groups> {
    let read = root.tables("group", group);
    if let Some(groups) = &read {
        for (position, group) in groups.iter().enumerate() {
            if groups[..position].iter().any(|other| other.id == group.id) {
                root.wrong("group", format!("has two groups {}", group.id), "give each group a name of its own");
            }
        }
    }
    let known = read.as_deref().unwrap_or_default();
    let roles = root.table("roles", |keys| roles(keys, read.as_deref()));
    let territories = root.table("territories", |keys| territories(keys, known, roles.as_ref().map(|roles| roles.home)));
    let not_named = root.table("not_named", |keys| {
        let (members, citation) = (keys.countries("members"), keys.citation());
        let members = members?;
        for (position, country) in members.iter().enumerate() {
            let (parents, home) = (territories.as_ref().map(|(parents, _)| parents), roles.as_ref().map(|roles| roles.home));
            let elsewhere = known.iter().find(|group| group.ever(*country)).map(|group| format!("in group {}", group.id));
            let elsewhere = elsewhere
                .or_else(|| parents.is_some_and(|parents| parents.contains_key(country)).then(|| "a territory".to_string()))
                .or_else(|| (home == Some(*country)).then(|| "home".to_string()));
            if let Some(elsewhere) = elsewhere {
                keys.wrong_item(
                    "members",
                    position,
                    format!("is {elsewhere}, and so it is named"),
                    "take it out of one of the two",
                );
            }
        }
        Some((members, citation?))
    });
    let noted = root.optional_tables("noted", |keys| {
        let (destination, text, citation) = (keys.country("destination"), keys.text("text"), keys.citation());
        if destination.is_some() && destination == roles.as_ref().map(|roles| roles.home) {
            keys.wrong("destination", "is home, and no destination", "take it out");
        }
        Some((destination?, text?, citation?))
    });
    if let Some(noted) = &noted {
        for (position, (country, ..)) in noted.iter().enumerate() {
            if noted[..position].iter().any(|(other, ..)| other == country) {
                root.wrong("noted", format!("has {country} twice"), "join the two remarks");
            }
        }
    }
    let (roles, (territories, territories_citation), (not_named, not_named_citation)) = (roles?, territories?, not_named?);
    Some(Groups {
        home: roles.home,
        unlimited: roles.unlimited,
        presumption_of_denial: roles.presumption_of_denial,
        citation: roles.citation,
        groups: read?,
        territories,
        territories_citation,
        not_named,
        not_named_citation,
        noted: noted?,
    })
}

struct Roles {
    home: Country,
    unlimited: Vec<String>,
    presumption_of_denial: Vec<String>,
    citation: Citation,
}

/// Which groups play which part: each exists, each plays one, and home is under no presumption of denial.
fn roles(keys: &Keys, groups: Option<&[Group]>) -> Option<Roles> {
    let (home, unlimited, denial, citation) =
        (keys.country("home"), keys.texts("unlimited"), keys.texts("presumption_of_denial"), keys.citation());
    let known = groups.unwrap_or_default();
    for (key, ids) in [("unlimited", &unlimited), ("presumption_of_denial", &denial)] {
        for (position, id) in ids.iter().flatten().enumerate() {
            // Where a group cannot be read, which there are is not known.
            if groups.is_some() && !known.iter().any(|group| group.id == *id) {
                let meant = crate::intake::place::did_you_mean(id, known.iter().map(|group| group.id.as_str()));
                let hint = crate::intake::place::hint_with(meant, "write the id of a group");
                keys.wrong_item(key, position, "is not a group of this file", hint);
            }
        }
    }
    let (home, unlimited, denial) = (home?, unlimited?, denial?);
    if let Some(both) = denial.iter().position(|id| unlimited.contains(id)) {
        keys.wrong_item("presumption_of_denial", both, "is unlimited too", "give each group one part");
    }
    if let Some(group) = known.iter().find(|group| denial.contains(&group.id) && group.ever(home)) {
        keys.wrong(
            "home",
            format!("is in group {} too, where denial is presumed", group.id),
            "home is no destination: take it out of the group",
        );
    }
    Some(Roles { home, unlimited, presumption_of_denial: denial, citation: citation? })
}

fn group(keys: &Keys) -> Option<Group> {
    let (id, name, members, citation) = (keys.word("id"), keys.text("name"), keys.countries("members"), keys.citation());
    let mut now = members.clone().unwrap_or_default();
    let readable = members.is_some();
    let last = std::cell::Cell::new(None);
    let now = std::cell::RefCell::new(&mut now);
    let changes = keys.optional_tables("change", |keys| {
        let on = keys.day("on");
        ascending(keys, "on", on, &last);
        let (add, remove, citation) = (keys.optional_countries("add"), keys.optional_countries("remove"), keys.citation());
        let (add, remove) = (add?, remove?);
        if readable {
            apply(keys, &mut now.borrow_mut(), &add, &remove);
        }
        Some(GroupChange { on: on?, add, remove, citation: citation? })
    });
    Some(Group { id: id?, name: name?, members: members?, changes: changes?, citation: citation? })
}

/// A change adds only who is not in yet, and removes only who is.
fn apply(keys: &Keys, now: &mut Vec<Country>, add: &[Country], remove: &[Country]) {
    if add.is_empty() && remove.is_empty() {
        keys.wrong("add", "is missing, and so is remove: the change changes nothing", "say who joins or leaves");
    }
    for (position, _) in add.iter().enumerate().filter(|(_, country)| now.contains(country)) {
        keys.wrong_item("add", position, "is in the group already", "take it out of the change");
    }
    for (position, country) in remove.iter().enumerate() {
        if add.contains(country) {
            keys.wrong_item("remove", position, "is added by the same change", "take it out of one of the two");
        } else if !now.contains(country) {
            keys.wrong_item("remove", position, "is not in the group then", "take it out of the change");
        }
    }
    now.extend(add);
    now.retain(|country| !remove.contains(country));
}

type Territories = (BTreeMap<Country, Country>, Citation);

/// Territories and their parents: no parent is a territory itself, and no territory is a member of a group, because
/// its parent's membership decides.
fn territories(keys: &Keys, known: &[Group], home: Option<Country>) -> Option<Territories> {
    let citation = keys.citation();
    let parents: BTreeMap<Country, Country> = keys.country_pairs("parents")?.into_iter().collect();
    for (territory, parent) in &parents {
        let wrong = |what: String, hint: &str| keys.wrong_below("parents", territory.as_str(), what, hint);
        if territory == parent {
            wrong("is its own parent".to_string(), "take it out");
        } else if let Some(above) = parents.get(parent) {
            wrong(format!("is a territory itself, of {above}"), "name the country at the end of the chain");
        }
        if Some(*territory) == home {
            wrong("makes home a territory".to_string(), "take it out");
        }
        if let Some(group) = known.iter().find(|group| group.ever(*territory)) {
            wrong(
                format!("is the parent of {territory}, which is in group {} itself", group.id),
                "a territory is what its parent is: take it out of one of the two",
            );
        }
    }
    Some((parents, citation?))
}

/// Whether a country is in a group on any day.
trait Ever {
    fn ever(&self, country: Country) -> bool;
}

impl Ever for Group {
    fn ever(&self, country: Country) -> bool {
        self.members.contains(&country) || self.changes.iter().any(|change| change.add.contains(&country))
    }
}
