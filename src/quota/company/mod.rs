//! Companies: who they are, what they receive and hold, and the limits that belong to them.
//!
//! A shipment under a license exception or an authorization, an installed base and its moves are facts beside
//! applications. Each is charged to an [`account::Account`]: one company's allocation under one authorization. Limits of a
//! year, cumulative steps and shares of an installed base read the same balances. In reading order: [`account`], [`fact`],
//! [`party`] (parents by date), [`rules`] (the law, from data), [`charges`] (fact to account), [`certificate`] (totals that
//! consignees state), [`judge`] (limits), [`ratio`] (shares), [`notice`] (what is to be filed).

pub mod account;
pub mod certificate;
pub mod charges;
pub mod fact;
pub mod judge;
pub mod notice;
pub mod party;
pub mod ratio;
pub mod rules;
