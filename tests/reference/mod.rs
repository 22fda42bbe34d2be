//! A second, dumb reading of the contract, and the machinery that holds the program against it.
//!
//! In reading order: [`rows`] (what is put in, as an examiner writes it), [`law`] and [`story`] (what one application
//! lived through), [`limits`] (what an administrator did), [`model`] (all records, and what becomes of a new one),
//! [`figures`] (what the reports must show), [`dice`] (random worlds), [`trial`] (the program beside the model).
//! Everything is worked out anew from the list of accepted rows at each question, in plain integers.

pub mod dice;
pub mod figures;
pub mod law;
pub mod limits;
pub mod model;
pub mod rows;
pub mod story;
pub mod trial;
