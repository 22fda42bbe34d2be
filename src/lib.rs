//! tppledger: the ledger of AI-chip export licenses per destination against the country allocation.
//!
//! Rooms, in reading order: [`quota`] (the heart: amounts, law, facts, decisions; pure), [`intake`] (doors in), [`store`]
//! (the ledger's memory), [`report`] (doors out), [`desk`] (one file a use case), [`cli`] (commands).
//! ARCHITECTURE.md tells the way of one event through them.

pub mod cli;
pub mod desk;
pub mod error;
pub mod files;
pub mod intake;
pub mod quota;
pub mod report;
pub mod screen;
pub mod store;

pub use error::{Error, Result};
