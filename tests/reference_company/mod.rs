//! A second, dumb reading of the contract of company allocations, and the machinery that holds the program against it.
//!
//! In reading order: [`rows`] (what is put in), [`law`] (the small regime, by hand), [`story`] (who belongs to whom on a
//! day, and what each fact charges), [`model`] (what becomes of a row), [`dice`] (random worlds), [`trial`] (the program
//! beside the model). Everything is worked out anew from all facts at each question, in plain integers.

pub mod dice;
pub mod law;
pub mod model;
pub mod rows;
pub mod story;
pub mod trial;
