//! Vouching for crates.

use jiff::Timestamp;
use palisade_index::canonical_name;
use palisade_store::{Actor, Store};

use crate::GatewayError;
use crate::catalogue::baseline_key;

/// Vouches for crates that were never asked for: what the upstream lists of
/// them when it is first asked counts as old, even without a time.
///
/// # Errors
/// A name is none, or the database cannot be written.
pub async fn baseline(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    names: &[String],
) -> Result<usize, GatewayError> {
    let mut added = 0;
    let mut tx = store.begin(actor, now).await?;
    for name in names {
        if !palisade_index::is_crate_name(name) {
            return Err(GatewayError::Refused(format!(
                "`{}` is not the name of a crate",
                name.escape_debug()
            )));
        }
        let canonical = canonical_name(name);
        // What is known has been judged; vouching for it is a release.
        if tx.find_crate(&canonical).await?.is_none() {
            tx.set(&baseline_key(&canonical), "confirmed").await?;
            added += 1;
        }
    }
    tx.commit().await?;
    Ok(added)
}
