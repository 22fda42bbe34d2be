//! A ledger at work: a store, and the regimes it was kept under.
//!
//! The ledger is bound to its regime: it keeps the text of every regime by digest, and figures through a record use the
//! regime in force at that record, whatever the program's own data say today.

use crate::error::{Error, Result};
use crate::intake::Problem;
use crate::intake::countries::Countries;
use crate::intake::regimes::{self, RegimeText};
use crate::quota::regime::Regime;
use crate::store::{Digest, Read, RegimeKept, Store, hex};
use std::sync::Arc;

/// A store with its regimes.
#[derive(Debug)]
pub struct Ledger<S> {
    /// Where the records are.
    pub store: S,
    kept: Vec<RegimeKept>,
    current: Arc<Regime>,
}

/// A regime read from its text, with its digest.
///
/// # Errors
/// Every problem of the text.
pub fn read_regime(text: &RegimeText) -> std::result::Result<(Regime, Digest), Vec<Problem>> {
    let regime = regimes::parse(text, Countries::builtin())?;
    let digest = regimes::digest(&regime);
    Ok((regime, digest))
}

/// What a ledger keeps of a regime.
///
/// # Errors
/// Every problem of the text.
pub fn to_keep(text: &RegimeText, adopted_by: u64) -> std::result::Result<(RegimeKept, Regime), Vec<Problem>> {
    let (regime, digest) = read_regime(text)?;
    Ok((RegimeKept { adopted_by, id: regime.id.clone(), digest, text: text.to_single_text() }, regime))
}

fn parse_kept(kept: &RegimeKept) -> Result<Regime> {
    let text = RegimeText::from_single_text(&kept.text);
    let (regime, digest) = read_regime(&text).map_err(Error::Input)?;
    if digest != kept.digest {
        return Err(Error::Storage {
            what: "reading the regime kept in the ledger".into(),
            reason: format!("its text has digest {}, and {} is recorded", hex(&digest), hex(&kept.digest)),
            hint: "run `tppledger verify`; restore the ledger from a backup".into(),
        });
    }
    Ok(regime)
}

impl<S: Store> Ledger<S> {
    /// Binds a store to its regimes.
    ///
    /// # Errors
    /// When the store cannot be read, or its regime's text was changed.
    pub fn new(store: S) -> Result<Self> {
        let kept = store.read()?.regimes()?;
        let last = kept.last().ok_or_else(|| Error::Storage {
            what: "reading the ledger".into(),
            reason: "it keeps no regime".into(),
            hint: "restore the ledger from a backup".into(),
        })?;
        let current = Arc::new(parse_kept(last)?);
        Ok(Ledger { store, kept, current })
    }

    /// The regime in force at the head.
    pub fn regime(&self) -> Arc<Regime> {
        Arc::clone(&self.current)
    }

    /// The regimes kept, oldest first.
    pub fn kept(&self) -> &[RegimeKept] {
        &self.kept
    }

    /// The regime in force at a record, with what is kept of it.
    ///
    /// # Errors
    /// When its text was changed.
    pub fn regime_at(&self, seq: u64) -> Result<(Arc<Regime>, &RegimeKept)> {
        let at = self.kept.iter().rposition(|kept| kept.adopted_by <= seq).unwrap_or(0);
        let kept = &self.kept[at];
        let regime = if at + 1 == self.kept.len() { self.regime() } else { Arc::new(parse_kept(kept)?) };
        Ok((regime, kept))
    }

    /// Refuses a regime that is not the ledger's own.
    ///
    /// # Errors
    /// [`Error::OtherRegime`] when the digests differ.
    pub fn insist_on(&self, regime: &Regime, digest: &Digest) -> Result<()> {
        let kept = self.kept.last().expect("a ledger keeps a regime");
        if kept.digest == *digest {
            return Ok(());
        }
        Err(Error::OtherRegime {
            kept: kept.id.clone(),
            kept_digest: hex(&kept.digest),
            given: regime.id.clone(),
            given_digest: hex(digest),
        })
    }

    /// After a regime was adopted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reload(&mut self) -> Result<()> {
        self.kept = self.store.read()?.regimes()?;
        self.current = Arc::new(parse_kept(self.kept.last().expect("a ledger keeps a regime"))?);
        Ok(())
    }
}
