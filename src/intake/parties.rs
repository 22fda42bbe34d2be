//! Parties: rows of `parties.csv`, one each, as dated [`PartyStatement`]s.
//!
//! Only what a row can say of itself is checked: which cells its kind of statement takes and needs. Whether the parent is
//! stated, and whether parents run in a ring, is seen where all statements stand together. Invariant: a statement has no
//! cell that its kind does not take.

use super::cells::{Cells, NO_PARTY};
use super::items::{Form, ItemReader};
use super::table::columns;
use crate::quota::company::account::Authorization;
use crate::quota::company::fact::{CompanyFact, Parent, PartyStatement, PartyStatementKind};

columns! {
    /// Columns of parties.
    PartyColumn {
        EventId = "event_id" required,
        EffectiveOn = "effective_on" required,
        Statement = "statement" required,
        Party = "party" required,
        Name = "name",
        Headquarters = "headquarters",
        Parent = "parent",
        Identifiers = "identifiers",
        MergedInto = "merged_into",
        Authorization = "authorization",
        Country = "country",
        Reference = "reference",
    }
}

use PartyColumn as C;

/// Authorizations that a party holds.
const HELD: [Authorization; 2] = [Authorization::Uveu, Authorization::Nveu];

/// Reads statements on parties, one a row.
pub type PartyReader = ItemReader<PartyForm>;

/// The statement that was read.
#[derive(Default)]
pub struct PartyForm(Option<PartyStatement>);

impl Form for PartyForm {
    type Column = C;
    type Value = CompanyFact;
    const ID: C = C::EventId;

    fn continues(&self, _: &str, _: &Cells<C>) -> bool {
        false
    }

    fn add(&mut self, cells: &mut Cells<C>) {
        let id = cells.event_id(C::EventId);
        let effective_on = cells.required_day(C::EffectiveOn);
        let kind = if cells.required(C::Statement, "write one of describe, merge, authorize, end_authorization") {
            cells.word(C::Statement, PartyStatementKind::ALL, PartyStatementKind::as_str)
        } else {
            None
        };
        let party = if cells.required(C::Party, "name the company by its identifier") { cells.party(C::Party) } else { None };
        let name = cells.optional_name(C::Name);
        let headquarters = cells.country(C::Headquarters);
        let parent = match cells.text(C::Parent) {
            "" => Parent::Unknown,
            NO_PARTY => Parent::Nobody,
            _ => cells.party(C::Parent).map_or(Parent::Unknown, Parent::Party),
        };
        let identifiers = cells.optional_text(C::Identifiers);
        let merged_into = cells.party(C::MergedInto);
        let authorization = cells.word(C::Authorization, &HELD, Authorization::as_str);
        let country = cells.country(C::Country);
        let reference = cells.optional_text(C::Reference);
        if let Some(kind) = kind {
            check_places(kind, cells);
            check_needs(kind, authorization, cells);
        }
        check_others(party.as_deref(), cells);
        let (Some(id), Some(effective_on), Some(kind), Some(party)) = (id, effective_on, kind, party) else { return };
        self.0 = Some(PartyStatement {
            id,
            effective_on,
            kind,
            party,
            name,
            headquarters,
            parent,
            identifiers,
            merged_into,
            authorization,
            country,
            reference,
        });
    }

    fn finish(&mut self, _: &mut Cells<C>) -> Option<CompanyFact> {
        self.0.take().map(CompanyFact::Party)
    }
}

/// Cells that stand where this kind of statement takes none.
fn check_places(kind: PartyStatementKind, cells: &mut Cells<C>) {
    use PartyStatementKind as K;
    let takers: [(&[C], &[K], &str); 3] = [
        (&[C::Name, C::Headquarters, C::Parent, C::Identifiers], &[K::Describe], "describe"),
        (&[C::MergedInto], &[K::Merge], "merge"),
        (&[C::Authorization, C::Country], &[K::Authorize, K::EndAuthorization], "authorize, end_authorization"),
    ];
    for (columns, _, names) in takers.iter().filter(|(_, takers, _)| !takers.contains(&kind)) {
        columns.iter().for_each(|column| cells.no_place(*column, kind.as_str(), names));
    }
}

/// Cells that this kind of statement needs.
fn check_needs(kind: PartyStatementKind, authorization: Option<Authorization>, cells: &mut Cells<C>) {
    use PartyStatementKind as K;
    match kind {
        K::Describe => {
            cells.required(C::Name, "a description gives the company's name");
            cells.required(C::Headquarters, "name the country in which it is headquartered");
        }
        K::Merge => {
            cells.required(C::MergedInto, "name the party that it is from this day on");
        }
        K::Authorize | K::EndAuthorization => {
            cells.required(C::Authorization, "write UVEU or NVEU");
            match authorization {
                Some(Authorization::Nveu) => {
                    cells.required(C::Country, "an NVEU is for one country: name it");
                }
                Some(universal) => cells.no_place(C::Country, universal.as_str(), Authorization::Nveu.as_str()),
                None => {}
            }
        }
    }
}

/// A company is neither its own parent nor merged into itself.
fn check_others(party: Option<&str>, cells: &mut Cells<C>) {
    for (column, hint) in [
        (C::Parent, "write none where it has no parent, and leave it blank where that is not known"),
        (C::MergedInto, "name the other party, into which it is merged"),
    ] {
        if party.is_some_and(|party| cells.text(column) == party) {
            cells.wrong(column, "is the party itself", hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::table::TableReader;

    const HEADER: &str =
        "event_id,effective_on,statement,party,name,headquarters,parent,identifiers,merged_into,authorization,country,reference";

    fn read(row: &str) -> Result<PartyStatement, Vec<String>> {
        let table = TableReader::from_reader("p.csv", std::io::Cursor::new(format!("{HEADER}\n{row}\n"))).unwrap();
        let item = PartyReader::new(table, false).ok().unwrap().next().unwrap();
        match item.value {
            Ok(CompanyFact::Party(statement)) => Ok(statement),
            Ok(other) => panic!("{other:?}"),
            Err(problems) => {
                let first_line = |text: String| text.lines().next().unwrap_or_default().replace("p.csv:2: ", "");
                Err(problems.iter().map(|problem| first_line(problem.to_string())).collect())
            }
        }
    }

    #[test]
    fn a_description_says_who_a_company_is() {
        let of = |parent: &str| read(&format!("P1,2025-01-15,describe,ACME-PL,Acme Polska,Poland,{parent},LEI 549300,,,,letter"));
        let acme = of("ACME").unwrap();
        assert_eq!(
            (acme.kind, acme.party.as_str(), acme.name.as_deref()),
            (PartyStatementKind::Describe, "ACME-PL", Some("Acme Polska"))
        );
        assert_eq!((acme.headquarters.unwrap().as_str(), acme.identifiers.as_deref()), ("PL", Some("LEI 549300")));
        assert_eq!(acme.parent, Parent::Party("ACME".into()));
        assert_eq!(of("none").unwrap().parent, Parent::Nobody);
        assert_eq!(of("").unwrap().parent, Parent::Unknown);
        assert_eq!(of("None").unwrap().parent, Parent::Party("None".into()), "only the word as it is written stands for nobody");
    }

    #[test]
    fn the_other_statements_have_their_own_cells() {
        let merge = read("P1,2025-01-15,merge,ACME2,,,,,ACME,,,").unwrap();
        assert_eq!((merge.kind, merge.merged_into.as_deref()), (PartyStatementKind::Merge, Some("ACME")));
        let national = read("P1,2025-01-15,authorize,ACME,,,,,,NVEU,India,").unwrap();
        assert_eq!((national.authorization, national.country.unwrap().as_str()), (Some(Authorization::Nveu), "IN"));
        let universal = read("P1,2025-01-15,end_authorization,ACME,,,,,,UVEU,,").unwrap();
        assert_eq!((universal.authorization, universal.country), (Some(Authorization::Uveu), None));
    }

    #[test]
    fn a_statement_has_the_cells_that_it_needs() {
        assert_eq!(read("P1,2025-01-15,describe,A,,,,,,,,").unwrap_err(), ["name: is blank", "headquarters: is blank"]);
        assert_eq!(read("P1,2025-01-15,merge,A,,,,,,,,").unwrap_err(), ["merged_into: is blank"]);
        assert_eq!(read("P1,2025-01-15,authorize,A,,,,,,,,").unwrap_err(), ["authorization: is blank"]);
        assert_eq!(read("P1,2025-01-15,authorize,A,,,,,,NVEU,,").unwrap_err(), ["country: is blank"]);
        assert_eq!(read(",,,,,,,,,,,letter").unwrap_err().len(), 4);
    }

    #[test]
    fn a_statement_has_no_cell_that_it_does_not_take() {
        assert_eq!(
            read("P1,2025-01-15,merge,A,Acme,PL,none,LEI 5,B,UVEU,,").unwrap_err(),
            [
                "name: \"Acme\" has no place here: merge takes no name",
                "headquarters: \"PL\" has no place here: merge takes no headquarters",
                "parent: \"none\" has no place here: merge takes no parent",
                "identifiers: \"LEI 5\" has no place here: merge takes no identifiers",
                "authorization: \"UVEU\" has no place here: merge takes no authorization",
            ]
        );
        assert_eq!(
            read("P1,2025-01-15,describe,A,Acme,PL,,,B,,IN,").unwrap_err(),
            [
                "merged_into: \"B\" has no place here: describe takes no merged_into",
                "country: \"IN\" has no place here: describe takes no country",
            ]
        );
        assert_eq!(
            read("P1,2025-01-15,authorize,A,,,,,,UVEU,IN,").unwrap_err(),
            ["country: \"IN\" has no place here: UVEU takes no country"]
        );
    }

    #[test]
    fn a_company_is_neither_its_own_parent_nor_merged_into_itself() {
        assert_eq!(read("P1,2025-01-15,describe,A,Acme,PL,A,,,,,").unwrap_err(), ["parent: \"A\" is the party itself"]);
        assert_eq!(read("P1,2025-01-15,merge,A,,,,,A,,,").unwrap_err(), ["merged_into: \"A\" is the party itself"]);
    }

    #[test]
    fn all_problems_of_a_row_are_told() {
        let columns: Vec<String> = read("P 1,2025-02-30,authorise,A B,Acme,Polnd,B C,,none,LPP,Nowhere,")
            .unwrap_err()
            .iter()
            .map(|told| told.split(": ").next().unwrap_or_default().to_string())
            .collect();
        assert_eq!(
            columns,
            [
                "event_id",
                "effective_on",
                "statement",
                "party",
                "headquarters",
                "parent",
                "merged_into",
                "authorization",
                "country"
            ]
        );
    }
}
