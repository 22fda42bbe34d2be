//! Random worlds of a few companies, loaded towards the edges: amounts within a thousandth of a limit or share, days at
//! the turns of years and quarters, parents that change before and after.

use super::law;
use super::model::{Model, PARTIES, Verdict};
use super::rows::{Fact, Line, Place, Said};
use super::story::{Charge, balance, balances};
use crate::reference::dice::Dice;
use crate::reference::law::plus;
use chrono::NaiveDate;

/// Days on which something turns.
const EDGES: [NaiveDate; 14] = [
    law::day(2024, 12, 31),
    law::day(2025, 1, 1),
    law::day(2025, 1, 2),
    law::day(2025, 3, 31),
    law::day(2025, 4, 1),
    law::day(2025, 6, 30),
    law::day(2025, 7, 1),
    law::day(2025, 8, 1),
    law::day(2025, 12, 31),
    law::day(2026, 1, 1),
    law::day(2026, 2, 2),
    law::CAMBODIA,
    law::day(2026, 12, 31),
    law::day(2027, 1, 1),
];

const CAPPED: [&str; 4] = ["PL", "BR", "IN", "KH"];
const FACILITIES: [&str; 2] = ["F1", "F2"];

/// Makes rows one after the other, with an eye on what the model knows.
pub struct Hand {
    pub dice: Dice,
    pub model: Model,
    pub rows: Vec<Fact>,
    ids: u64,
}

impl Hand {
    pub fn new(seed: u64) -> Hand {
        Hand { dice: Dice::new(seed ^ 0x00C0_FFEE), model: Model::default(), rows: Vec::new(), ids: 0 }
    }

    /// The next row, and what the model says of it as record `seq`; rows of which the contract says nothing are thrown again.
    pub fn row(&mut self, seq: u64) -> (Fact, Verdict) {
        loop {
            let fact = if self.ids < 9 { self.beginning() } else { self.any() };
            let verdict = self.model.perform(&fact, seq);
            if !matches!(verdict, Verdict::Open(_)) {
                self.rows.push(fact.clone());
                return (fact, verdict);
            }
        }
    }

    fn id(&mut self, letter: char) -> String {
        self.ids += 1;
        format!("{letter}{}", self.ids)
    }

    fn fact(&mut self, letter: char, on: NaiveDate, party: &'static str, said: Said) -> Fact {
        Fact { id: self.id(letter), on, party, said }
    }

    /// Six parties, two authorizations, a base.
    fn beginning(&mut self) -> Fact {
        let first = law::day(2025, 1, 1);
        let parents = [Some(None), Some(None), Some(Some("A")), Some(Some("B")), Some(Some("C")), None];
        let headquarters = ["US", "DE", "PL", "IN", "BR", "PL"];
        match self.ids {
            at @ 0..=5 => {
                let at = usize::try_from(at).expect("a small number");
                let said = Said::Describe { headquarters: headquarters[at], parent: parents[at] };
                self.fact('P', first, PARTIES[at], said)
            }
            6 => {
                let party = self.dice.one(&["A", "A", "C", "F"]);
                self.fact('P', first, party, Said::Authorize { begins: true, under: "UVEU", country: None })
            }
            7 => {
                let (party, country) = (self.dice.one(&["A", "B", "D"]), self.dice.one(&CAPPED));
                self.fact('P', first, party, Said::Authorize { begins: true, under: "NVEU", country: Some(country) })
            }
            _ => {
                let tpp = self.dice.between(500_000, 3_000_000);
                self.fact('H', first, "A", Said::Installed { under: "UVEU", place: Some("US"), tpp })
            }
        }
    }

    fn any(&mut self) -> Fact {
        match self.dice.between(1, 100) {
            1..=50 => self.shipment(),
            51..=60 => self.moved(),
            61..=66 => self.installed(),
            67..=73 => self.attrition(),
            74..=80 => self.certified(),
            81..=88 => self.statement(),
            89..=95 => self.correction(),
            _ => self.again(),
        }
    }

    fn day(&mut self) -> NaiveDate {
        match self.dice.between(1, 10) {
            1..=4 => self.dice.one(&EDGES),
            5..=7 => {
                let days: Vec<NaiveDate> = self.rows.iter().map(|fact| fact.on).collect();
                plus(self.dice.one(&days), self.dice.between(-1, 1))
            }
            _ => plus(law::day(2025, 1, 1), self.dice.between(0, 800)),
        }
    }

    fn charges(&self) -> Vec<Charge> {
        self.model.charges(u64::MAX)
    }

    /// About what still fits in an account from a day on; nothing in particular where it has no limit.
    fn room(&mut self, under: &str, consignee: &'static str, payer: &'static str, destination: &str, on: NaiveDate) -> i64 {
        let (story, charges) = (self.model.story(u64::MAX), self.charges());
        let mut rooms = Vec::new();
        let account = match under {
            "LPP" => Some(law::lpp(story.ultimate(payer, on), on)),
            "NVEU" => story.holder(payer, destination, on).map(|holder| format!("NVEU:{holder}:country={destination}")),
            _ => None,
        };
        if let Some(account) = account {
            let turns = charges.iter().map(|charge| charge.on).chain(EDGES).filter(|day| *day >= on).chain([on]);
            let left = turns.filter_map(|day| Some(law::limit(&account, day)? - balance(&charges, &account, day)));
            rooms.extend(left.min());
        }
        if under == "UVEU" || story.group_has_uveu(consignee, on) {
            let group = story.ultimate(consignee, on);
            let all = balances(&charges, on);
            let of = |country: &str| all.get(&format!("UVEU:{group}:country={country}")).copied().unwrap_or(0);
            let whole: i64 = ["US", "DE", "JP"].into_iter().chain(CAPPED).map(of).sum();
            let outside: i64 = CAPPED.into_iter().map(of).sum();
            rooms.push((7 * whole - 100 * of(destination)).div_euclid(93));
            rooms.push((25 * whole - 100 * outside).div_euclid(75));
        }
        match self.dice.between(1, 6) {
            1 => self.dice.one(&[1, 1_000, 50_000]),
            2 => rooms.iter().copied().max().unwrap_or(70_000),
            _ => rooms.iter().copied().min().unwrap_or(70_000),
        }
    }

    fn shipment(&mut self) -> Fact {
        let on = self.day();
        let count = self.dice.one(&[1, 1, 1, 1, 2, 3]);
        let lines = (0..count).map(|_| self.line(on)).collect();
        let made = self.dice.chance(12);
        self.fact('S', on, "", Said::Ships { made, lines })
    }

    fn line(&mut self, on: NaiveDate) -> Line {
        let under = self.dice.one(&["LPP", "LPP", "LPP", "LPP", "NVEU", "NVEU", "NVEU", "UVEU", "UVEU", "AIA", "ACM", "ACA"]);
        let mut consignee = if self.dice.chance(1) { "NOBODY" } else { self.dice.one(&PARTIES) };
        // Nearly always somebody who may use it; the other rows are errors, and those are soon told.
        for _ in 0..8 {
            let story = self.model.story(u64::MAX);
            let may = match under {
                "NVEU" => CAPPED.into_iter().any(|country| story.holder(consignee, country, on).is_some()),
                "UVEU" => story.group_has_uveu(consignee, on),
                _ => !story.chain(consignee, on).into_iter().any(|at| story.headquarters(at, on) == Some("CN")),
            };
            if may {
                break;
            }
            consignee = self.dice.one(&PARTIES);
        }
        let operator = if under == "LPP" && self.dice.chance(15) { Some(self.dice.one(&PARTIES)) } else { None };
        let held: Vec<&'static str> = {
            let story = self.model.story(u64::MAX);
            CAPPED.into_iter().filter(|country| story.holder(consignee, country, on).is_some()).collect()
        };
        let anywhere = self.dice.one(&["PL", "BR", "IN", "KH", "DE", "JP", "PL", "BR"]);
        let destination = match under {
            _ if self.dice.chance(2) => "CN",
            "NVEU" if self.dice.chance(90) => self.dice.pick(&held).copied().unwrap_or(anywhere),
            _ => anywhere,
        };
        let room = self.room(under, consignee, operator.unwrap_or(consignee), destination, on);
        let total = (room + self.dice.one(&[-1, 0, 0, 1, 1])).max(1);
        let quantity = if self.dice.chance(70) { 1 } else { self.dice.between(2, 9) };
        Line {
            under,
            activity: if self.dice.chance(4) { "transfer" } else { self.dice.one(&["export", "reexport"]) },
            destination,
            consignee,
            operator,
            distributor: self.dice.chance(3),
            facility: if under == "ACM" { Some(self.dice.one(&FACILITIES)) } else { None },
            eccn: if under == "LPP" && self.dice.chance(3) { "3A090.b" } else { "3A090.a" },
            quantity: u32::try_from(quantity).expect("a small quantity"),
            unit: (total / quantity).max(1),
        }
    }

    /// Somewhere where a party has something, and how much; else anywhere.
    fn held(&mut self, on: NaiveDate) -> (&'static str, &'static str, Place, i64) {
        let party = self.dice.one(&PARTIES);
        let story = self.model.story(u64::MAX);
        let all = balances(&self.charges(), on);
        let mut places: Vec<(&'static str, Place, i64)> = Vec::new();
        for country in ["US", "DE", "JP"].into_iter().chain(CAPPED) {
            let of = |account: String| all.get(&account).copied();
            let base = of(format!("UVEU:{}:country={country}", story.ultimate(party, on)));
            places.extend(base.map(|tpp| ("UVEU", Some(country), tpp)));
            let holder = story.holder(party, country, on);
            places.extend(
                holder.and_then(|holder| of(format!("NVEU:{holder}:country={country}"))).map(|tpp| ("NVEU", Some(country), tpp)),
            );
        }
        for facility in FACILITIES {
            let account = format!("ACM:{}:facility={facility}", story.same_as(party, on));
            places.extend(all.get(&account).map(|tpp| ("ACM", Some(facility), *tpp)));
        }
        places.extend(all.get(&format!("AIA:{}", story.same_as(party, on))).map(|tpp| ("AIA", None, *tpp)));
        let (under, place, tpp) = self.dice.pick(&places).copied().unwrap_or(("UVEU", Some("US"), 5_000));
        (party, under, place, tpp)
    }

    fn moved(&mut self) -> Fact {
        let on = self.day();
        let (mut party, mut under, mut from, mut held) = self.held(on);
        for _ in 0..5 {
            if under != "AIA" {
                break;
            }
            (party, under, from, held) = self.held(on);
        }
        if under == "AIA" {
            return self.installed();
        }
        let places: &[&str] = if under == "ACM" { &FACILITIES } else { &["PL", "BR", "IN", "KH", "DE", "US"] };
        let to = loop {
            let to = self.dice.one(places);
            if Some(to) != from {
                break to;
            }
        };
        let tpp = if self.dice.chance(25) {
            held + self.dice.between(-1, 1)
        } else if under == "UVEU" {
            let story = self.model.story(u64::MAX);
            let group = story.ultimate(party, on);
            let all = balances(&self.charges(), on);
            let of = |country: &str| all.get(&format!("UVEU:{group}:country={country}")).copied().unwrap_or(0);
            let whole: i64 = ["US", "DE", "JP"].into_iter().chain(CAPPED).map(of).sum();
            let outside: i64 = CAPPED.into_iter().map(of).sum();
            let room = (7 * whole / 100 - of(to)).min(if self.dice.chance(50) { 25 * whole / 100 - outside } else { i64::MAX });
            room + self.dice.between(0, 1)
        } else {
            self.room(under, party, party, to, on) + self.dice.between(0, 1)
        };
        let made = self.dice.chance(10);
        self.fact('H', on, party, Said::Moved { under, from, to: Some(to), tpp: tpp.max(1), made })
    }

    fn installed(&mut self) -> Fact {
        let on = self.day();
        let party = self.dice.one(&PARTIES);
        let (under, place) = match self.dice.between(1, 8) {
            1..=3 => ("UVEU", Some(self.dice.one(&["US", "DE", "JP"]))),
            4 => ("UVEU", Some(self.dice.one(&CAPPED))),
            5 | 6 => ("NVEU", Some(self.dice.one(&CAPPED))),
            7 => ("ACM", Some(self.dice.one(&FACILITIES))),
            _ => ("AIA", None),
        };
        let tpp = self.dice.one(&[1, 1_000, 50_000, 400_000]);
        self.fact('H', on, party, Said::Installed { under, place, tpp })
    }

    fn attrition(&mut self) -> Fact {
        let on = self.day();
        let (party, under, place, held) = self.held(on);
        let tpp = if self.dice.chance(30) { held + self.dice.between(-1, 1) } else { self.dice.between(1, held.max(2)) };
        self.fact('H', on, party, Said::Attrition { under, place, tpp: tpp.max(1) })
    }

    fn certified(&mut self) -> Fact {
        let (on, party) = (self.day(), self.dice.one(&PARTIES));
        let story = self.model.story(u64::MAX);
        let stands = balance(&self.charges(), &law::lpp(story.ultimate(party, on), on), on);
        let tpp = match self.dice.between(1, 6) {
            1 => 0,
            2 => stands + self.dice.between(-1, 1),
            3 => 1_000_000 + self.dice.between(-1, 1),
            _ => stands + self.dice.between(0, (1_000_000 - stands).max(0) / 2),
        };
        self.fact('H', on, party, Said::Certified { tpp: tpp.max(0) })
    }

    fn statement(&mut self) -> Fact {
        let (on, party) = (self.day(), self.dice.one(&PARTIES));
        let said = match self.dice.between(1, 10) {
            1..=4 => {
                let headquarters = self.dice.one(&["US", "DE", "PL", "PL", "IN", "BR", "DE", "PL", "CN"]);
                let other = self.dice.one(&PARTIES);
                let parent = match self.dice.between(1, 6) {
                    1 => None,
                    2 | 3 => Some(None),
                    _ if other == party => Some(None),
                    _ => Some(Some(other)),
                };
                Said::Describe { headquarters, parent }
            }
            5 => {
                let into = self.dice.one(&PARTIES);
                if into == party {
                    return self.shipment();
                }
                Said::Merge { into }
            }
            6..=8 => Said::Authorize { begins: self.dice.chance(80), under: "NVEU", country: Some(self.dice.one(&CAPPED)) },
            _ => Said::Authorize { begins: self.dice.chance(70), under: "UVEU", country: None },
        };
        self.fact('P', on, party, said)
    }

    fn correction(&mut self) -> Fact {
        let rows = &self.rows[self.rows.len().saturating_sub(12)..];
        let target = self.dice.pick(rows).cloned();
        let (target, on) = target.map_or(("S999".to_string(), law::day(2025, 1, 1)), |fact| (fact.id, fact.on));
        let on = plus(on, if self.dice.chance(5) { -1 } else { self.dice.between(0, 40) });
        self.fact('K', on, "", Said::Correct { target })
    }

    /// A row that was put in before, as it was or a little otherwise.
    fn again(&mut self) -> Fact {
        let mut fact = self.dice.pick(&self.rows).cloned().expect("rows of the beginning");
        if self.dice.chance(30) {
            fact.on = plus(fact.on, 1);
        }
        fact
    }
}
