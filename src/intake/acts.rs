//! Acts: rows of `acts.csv`, one each, as [`Act`]s.
//!
//! Only what a row can say of itself is checked: which amount its kind of act takes and needs. What a percentage comes
//! to is not settled here, since the base on the act's day is the regime's to say. Invariant: an act has an amount by
//! percent or by TPP, never by both, and a reference.

use super::cells::Cells;
use super::items::{Form, ItemReader};
use super::table::columns;
use crate::quota::event::{Act, ActAmount, ActKind};

columns! {
    /// Columns of acts.
    ActColumn {
        EventId = "event_id" required,
        EffectiveOn = "effective_on" required,
        Act = "act" required,
        Destination = "destination" required,
        Percent = "percent",
        Tpp = "tpp",
        Reference = "reference" required,
    }
}

/// Reads acts, one a row.
pub type ActReader = ItemReader<ActForm>;

/// The act that was read.
#[derive(Default)]
pub struct ActForm(Option<Act>);

impl Form for ActForm {
    type Column = ActColumn;
    type Value = Act;
    const ID: ActColumn = ActColumn::EventId;

    fn continues(&self, _: &str, _: &Cells<ActColumn>) -> bool {
        false
    }

    fn add(&mut self, cells: &mut Cells<ActColumn>) {
        use ActColumn as C;
        let id = cells.event_id(C::EventId);
        let effective_on = cells.required_day(C::EffectiveOn);
        let needs =
            "write one of commit, end_commitment, increase, withdraw_increase, withhold, end_withholding, review, carry_in";
        let kind = if cells.required(C::Act, needs) { cells.word(C::Act, ActKind::ALL, ActKind::as_str) } else { None };
        let destination = if cells.required(C::Destination, "name the country whose limit it is") {
            cells.country(C::Destination)
        } else {
            None
        };
        let percent = cells.percent(C::Percent);
        let tpp = cells.amount(C::Tpp);
        let reference = cells.optional_text(C::Reference);
        if reference.is_none() {
            cells.wrong(C::Reference, "is blank", "name the document: every act of the administrator has one");
        }
        if let Some(kind) = kind {
            check_amount(kind, cells);
        }
        let (Some(id), Some(effective_on), Some(kind), Some(destination), Some(reference)) =
            (id, effective_on, kind, destination, reference)
        else {
            return;
        };
        let amount = tpp.map(ActAmount::Tpp).or(percent.map(ActAmount::Percent)).unwrap_or(ActAmount::All);
        self.0 = Some(Act { id, effective_on, kind, destination, amount, tpp, reference });
    }

    fn finish(&mut self, _: &mut Cells<ActColumn>) -> Option<Act> {
        self.0.take()
    }
}

/// Whether the amount is given once, not at all, or either, as the act wants it.
fn check_amount(kind: ActKind, cells: &mut Cells<ActColumn>) {
    use ActColumn as C;
    let given = |column| !cells.raw(column).is_empty();
    let (percent, tpp) = (given(C::Percent), given(C::Tpp));
    match kind {
        ActKind::Commit | ActKind::EndCommitment | ActKind::Review => {
            for column in [C::Percent, C::Tpp] {
                if !cells.raw(column).is_empty() {
                    cells.wrong(column, format!("stands with {kind}, which takes no amount"), "leave the cell blank");
                }
            }
        }
        _ if percent && tpp => {
            cells.wrong(C::Tpp, "stands beside a percent", "give the amount once: percent of the base, or TPP")
        }
        ActKind::Increase | ActKind::Withhold | ActKind::CarryIn if !percent && !tpp => {
            cells.wrong(
                C::Tpp,
                format!("is blank, and so is percent; {kind} needs an amount"),
                "give percent of the base, or TPP",
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::table::TableReader;

    fn read(row: &str) -> Result<Act, String> {
        let text = format!("event_id,effective_on,act,destination,percent,tpp,reference\n{row}\n");
        let table = TableReader::from_reader("acts.csv", std::io::Cursor::new(text)).unwrap();
        let item = ActReader::new(table, false).ok().unwrap().next().unwrap();
        item.value.map_err(|problems| {
            let first_lines = problems.iter().map(|problem| problem.to_string().lines().next().unwrap_or_default().to_string());
            first_lines.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn an_act_is_a_row() {
        let act = read("A3,2025-07-01,increase,Poland,50,,G2G 12").unwrap();
        assert_eq!((act.kind, act.destination.as_str(), act.tpp), (ActKind::Increase, "PL", None));
        assert_eq!(act.amount, ActAmount::Percent(50.into()));
        let act = read("A4,2025-07-01,withhold,PL,,80000000,memo").unwrap();
        assert_eq!(act.tpp.unwrap().to_string(), "80000000");
        assert_eq!(read("A5,2025-07-01,end_withholding,PL,,,memo").unwrap().amount, ActAmount::All);
        assert_eq!(read("A1,2025-06-15,commit,PL,,,text").unwrap().amount, ActAmount::All);
    }

    #[test]
    fn an_amount_is_given_as_the_act_wants_it() {
        assert_eq!(
            read("A,2025-07-01,increase,PL,,,r").unwrap_err(),
            "acts.csv:2: tpp: is blank, and so is percent; increase needs an amount"
        );
        assert_eq!(read("A,2025-07-01,withhold,PL,1,2,r").unwrap_err(), "acts.csv:2: tpp: \"2\" stands beside a percent");
        assert_eq!(
            read("A,2025-07-01,withdraw_increase,PL,1,2,r").unwrap_err(),
            "acts.csv:2: tpp: \"2\" stands beside a percent"
        );
        assert_eq!(
            read("A,2025-07-01,review,PL,1,,r").unwrap_err(),
            "acts.csv:2: percent: \"1\" stands with review, which takes no amount"
        );
        assert!(read("A,2025-07-01,carry_in,PL,,0,r").unwrap_err().contains("tpp: \"0\" is not above zero"));
    }

    #[test]
    fn all_problems_of_a_row_are_told() {
        assert_eq!(read("A 1,2025-02-30,increse,Polnd,5%,,").unwrap_err().lines().count(), 6);
        assert_eq!(read(",,,,,,r").unwrap_err().lines().count(), 4);
    }
}
