//! The heart: amounts, calendar, codes, the regime, applications and events, replay, postings, positions, decisions.
//!
//! Pure. It takes time, data and positions as arguments and sees no file, SQL, CSV, clock, environment or float.
//! In reading order: nouns ([`tpp`], [`calendar`], [`codes`]), law ([`regime`], [`device`]), facts ([`application`],
//! [`event`]), replay ([`timeline`], [`limits`]), entries ([`posting`]), positions ([`position`]), fit ([`decision`]); and beside the countries the companies ([`company`]); last, quarters as they were filed ([`filing`]).

pub mod application;
pub mod calendar;
pub mod codes;
pub mod company;
pub mod decision;
pub mod device;
pub mod event;
pub mod filing;
pub mod finding;
pub mod limits;
pub mod position;
pub mod posting;
pub mod regime;
pub mod timeline;
pub mod tpp;
