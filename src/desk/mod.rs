//! The desk: one file a use case; joins the heart, the doors and the store. It knows the `Store` trait, not the engine.

pub mod acts;
pub mod adopt;
pub mod clerk;
pub mod close;
mod companies;
pub mod company_reports;
pub mod company_rules;
pub mod compare;
pub mod events;
pub mod explain;
pub mod explain_account;
pub mod figures;
pub mod import;
pub mod ledger;
pub mod pack;
pub mod recent;
pub mod registers;
pub mod rejects;
pub mod restate;
pub mod screen;
pub mod sheet;
pub mod tables;
pub mod verify;
