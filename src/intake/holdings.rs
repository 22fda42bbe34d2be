//! Holdings: rows of `holdings.csv`, one each, as [`Holding`]s.
//!
//! Only what a row can say of itself is checked: which cells its kind of holding and its authorization take and need. What
//! is held already is the ledger's to say. Invariant: a holding has its places if its authorization is kept by place, two
//! different ones if it is moved, and no others.

use super::cells::Cells;
use super::items::{Form, ItemReader};
use super::table::columns;
use crate::quota::company::account::Authorization;
use crate::quota::company::fact::{CompanyFact, Holding, HoldingKind};
use crate::quota::tpp::Tpp;

columns! {
    /// Columns of holdings.
    HoldingColumn {
        EventId = "event_id" required,
        EffectiveOn = "effective_on" required,
        Holding = "holding" required,
        Authorization = "authorization" required,
        Party = "party" required,
        Country = "country",
        Facility = "facility",
        ToCountry = "to_country",
        ToFacility = "to_facility",
        Tpp = "tpp" required,
        AlreadyMade = "already_made",
        Reference = "reference",
    }
}

use HoldingColumn as C;

/// Authorizations under which something is held or certified.
const HELD: [Authorization; 5] =
    [Authorization::Uveu, Authorization::Nveu, Authorization::Acm, Authorization::Aia, Authorization::Lpp];

/// Reads holdings, one a row.
pub type HoldingReader = ItemReader<HoldingForm>;

/// The holding that was read.
#[derive(Default)]
pub struct HoldingForm(Option<Holding>);

impl Form for HoldingForm {
    type Column = C;
    type Value = CompanyFact;
    const ID: C = C::EventId;

    fn continues(&self, _: &str, _: &Cells<C>) -> bool {
        false
    }

    fn add(&mut self, cells: &mut Cells<C>) {
        let id = cells.event_id(C::EventId);
        let effective_on = cells.required_day(C::EffectiveOn);
        let kind = if cells.required(C::Holding, "write one of installed, moved, attrition, certified") {
            cells.word(C::Holding, HoldingKind::ALL, HoldingKind::as_str)
        } else {
            None
        };
        let authorization = if cells.required(C::Authorization, "name the authorization under which it is held") {
            cells.word(C::Authorization, &HELD, Authorization::as_str)
        } else {
            None
        };
        let party = if cells.required(C::Party, "name the company by its identifier") { cells.party(C::Party) } else { None };
        let [country, to_country] = [C::Country, C::ToCountry].map(|column| cells.country(column));
        let [facility, to_facility] = [C::Facility, C::ToFacility].map(|column| cells.optional_name(column));
        let tpp = read_tpp(kind, cells);
        let already_made = cells.yes(C::AlreadyMade);
        if let (Some(kind), Some(authorization)) = (kind, authorization) {
            check_places(kind, authorization, cells);
        }
        if country.is_some() && country == to_country {
            cells.wrong(C::ToCountry, "is the country from which it moves", "name the country to which it moves");
        }
        if facility.is_some() && facility == to_facility {
            cells.wrong(C::ToFacility, "is the facility from which it moves", "name the facility to which it moves");
        }
        let reference = cells.optional_text(C::Reference);
        let (Some(id), Some(effective_on), Some(kind), Some(authorization)) = (id, effective_on, kind, authorization) else {
            return;
        };
        let (Some(party), Some(tpp), Some(already_made)) = (party, tpp, already_made) else { return };
        self.0 = Some(Holding {
            id,
            effective_on,
            kind,
            authorization,
            party,
            country,
            facility,
            to_country,
            to_facility,
            tpp,
            already_made,
            reference,
        });
    }

    fn finish(&mut self, _: &mut Cells<C>) -> Option<CompanyFact> {
        self.0.take().map(CompanyFact::Holding)
    }
}

/// How much. A certificate may state that nothing was received.
fn read_tpp(kind: Option<HoldingKind>, cells: &mut Cells<C>) -> Option<Tpp> {
    if !cells.required(C::Tpp, "write how much, in TPP") {
        return None;
    }
    let tpp = cells.amount_or_zero(C::Tpp)?;
    match kind {
        Some(kind) if tpp == Tpp::ZERO && kind != HoldingKind::Certified => {
            let hint = format!("write how much is {kind}; only a certificate may state zero");
            cells.wrong(C::Tpp, "is not above zero", hint);
            None
        }
        _ => Some(tpp),
    }
}

/// Authorizations with which a kind of holding goes. What moves has a place, and AIA is kept by none.
fn goes_with(kind: HoldingKind) -> &'static [Authorization] {
    use Authorization as A;
    match kind {
        HoldingKind::Certified => &[A::Lpp],
        HoldingKind::Moved => &[A::Uveu, A::Nveu, A::Acm],
        HoldingKind::Installed | HoldingKind::Attrition => &[A::Uveu, A::Nveu, A::Acm, A::Aia],
    }
}

/// Whether the places are given that the authorization is kept by, and no others.
fn check_places(kind: HoldingKind, authorization: Authorization, cells: &mut Cells<C>) {
    let fitting = goes_with(kind);
    if !fitting.contains(&authorization) {
        let names = fitting.iter().map(|fits| fits.as_str()).collect::<Vec<_>>().join(", ");
        cells.wrong(C::Authorization, format!("does not go with {kind}"), format!("{kind} goes with {names}"));
        return;
    }
    let by_country = matches!(authorization, Authorization::Uveu | Authorization::Nveu);
    let by_facility = authorization == Authorization::Acm;
    let places = [
        (C::Country, C::ToCountry, by_country, "country", "UVEU, NVEU"),
        (C::Facility, C::ToFacility, by_facility, "facility", "ACM"),
    ];
    for (from, to, is_kept_by, noun, keepers) in places {
        if is_kept_by {
            cells.required(from, &format!("{authorization} is kept by {noun}: name it"));
        } else {
            cells.no_place(from, authorization.as_str(), keepers);
        }
        if kind != HoldingKind::Moved {
            cells.no_place(to, kind.as_str(), HoldingKind::Moved.as_str());
        } else if is_kept_by {
            cells.required(to, &format!("name the {noun} to which it moves"));
        } else {
            cells.no_place(to, authorization.as_str(), keepers);
        }
    }
    if kind != HoldingKind::Moved {
        cells.no_place(C::AlreadyMade, kind.as_str(), HoldingKind::Moved.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::table::TableReader;

    const HEADER: &str =
        "event_id,effective_on,holding,authorization,party,country,facility,to_country,to_facility,tpp,already_made,reference";

    fn read(row: &str) -> Result<Holding, Vec<String>> {
        let table = TableReader::from_reader("h.csv", std::io::Cursor::new(format!("{HEADER}\n{row}\n"))).unwrap();
        let item = HoldingReader::new(table, false).ok().unwrap().next().unwrap();
        match item.value {
            Ok(CompanyFact::Holding(holding)) => Ok(holding),
            Ok(other) => panic!("{other:?}"),
            Err(problems) => {
                let first_line = |text: String| text.lines().next().unwrap_or_default().replace("h.csv:2: ", "");
                Err(problems.iter().map(|problem| first_line(problem.to_string())).collect())
            }
        }
    }

    #[test]
    fn a_holding_is_a_row() {
        let base = read("H1,2025-02-01,installed,UVEU,ACME,Brazil,,,,1000.5,,letter").unwrap();
        assert_eq!((base.kind, base.authorization), (HoldingKind::Installed, Authorization::Uveu));
        assert_eq!((base.country.unwrap().as_str(), base.tpp.to_string().as_str()), ("BR", "1000.5"));
        assert!(!base.already_made);
        let moved = read("H2,2025-03-01,moved,ACM,FAB,,TN01,,TN02,5,yes,").unwrap();
        assert_eq!((moved.facility.as_deref(), moved.to_facility.as_deref()), (Some("TN01"), Some("TN02")));
        assert!(moved.already_made);
        assert!(read("H3,2025-03-01,attrition,AIA,ACME,,,,,5,,").is_ok());
    }

    #[test]
    fn only_a_certificate_may_state_zero() {
        assert_eq!(read("H1,2025-03-01,certified,LPP,ACME,,,,,0,,").unwrap().tpp, Tpp::ZERO);
        assert_eq!(read("H1,2025-03-01,attrition,AIA,ACME,,,,,0,,").unwrap_err(), ["tpp: \"0\" is not above zero"]);
    }

    #[test]
    fn a_holding_goes_with_its_authorizations() {
        for (holding, authorization, told) in [
            ("certified", "UVEU", "authorization: \"UVEU\" does not go with certified"),
            ("installed", "LPP", "authorization: \"LPP\" does not go with installed"),
            ("moved", "AIA", "authorization: \"AIA\" does not go with moved"),
            ("installed", "NAC", "authorization: \"NAC\" is no authorization"),
        ] {
            assert_eq!(read(&format!("H1,2025-03-01,{holding},{authorization},ACME,,,,,5,,")).unwrap_err(), [told]);
        }
    }

    #[test]
    fn the_places_are_those_that_the_authorization_is_kept_by() {
        assert_eq!(read("H1,2025-03-01,installed,NVEU,ACME,,,,,5,,").unwrap_err(), ["country: is blank"]);
        assert_eq!(
            read("H1,2025-03-01,installed,ACM,FAB,TW,,,,5,,").unwrap_err(),
            ["country: \"TW\" has no place here: ACM takes no country", "facility: is blank"]
        );
        assert_eq!(
            read("H1,2025-03-01,installed,UVEU,ACME,BR,,IN,,5,no,").unwrap_err(),
            [
                "to_country: \"IN\" has no place here: installed takes no to_country",
                "already_made: \"no\" has no place here: installed takes no already_made",
            ]
        );
        assert_eq!(
            read("H1,2025-03-01,moved,UVEU,ACME,BR,,,D2,5,,").unwrap_err(),
            ["to_country: is blank", "to_facility: \"D2\" has no place here: UVEU takes no to_facility"]
        );
    }

    #[test]
    fn what_moves_moves_somewhere_else() {
        assert_eq!(
            read("H1,2025-03-01,moved,UVEU,ACME,BR,,Brazil,,5,,").unwrap_err(),
            ["to_country: \"Brazil\" is the country from which it moves"]
        );
        assert_eq!(
            read("H1,2025-03-01,moved,ACM,FAB,,TN01,,TN01,5,,").unwrap_err(),
            ["to_facility: \"TN01\" is the facility from which it moves"]
        );
    }

    #[test]
    fn all_problems_of_a_row_are_told() {
        let columns: Vec<String> = read("H 1,2025-02-30,mvoed,UVUE,A B,Nowhere,,Brazl,,x,maybe,")
            .unwrap_err()
            .iter()
            .map(|told| told.split(": ").next().unwrap_or_default().to_string())
            .collect();
        assert_eq!(
            columns,
            ["event_id", "effective_on", "holding", "authorization", "party", "country", "to_country", "tpp", "already_made"]
        );
        assert_eq!(read(",,,,,,,,,,,letter").unwrap_err().len(), 6);
    }
}
