//! Appeals against what keeps a version back.

use jiff::Timestamp;
use palisade_index::canonical_name;
use palisade_store::{Actor, Appeal, BY_PERSON, Cause, Decision, State, Store, StoreError};

use super::{missing, require_no_owner, require_reason};
use crate::GatewayError;

/// Appeals for an owner; the appeal's number.
///
/// # Errors
/// There is no such version, nothing keeps it back, there was an appeal
/// against the same decision, or the text says nothing.
pub async fn appeal(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (name, version): (&str, &str),
    text: &str,
) -> Result<i64, GatewayError> {
    require_reason(text)?;
    let canonical = canonical_name(name);
    let mut tx = store.begin(actor, now).await?;
    let versions = tx.versions(&canonical).await?;
    let found = versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(|| missing(name, version))?;
    let id = tx.appeal(&canonical, found, text).await?;
    tx.commit().await?;
    Ok(id)
}

/// Decides about an appeal. When it is granted, the version is released in the
/// same change.
///
/// # Errors
/// It is decided, somebody has decided anew about the version meanwhile, or
/// whoever decides has a part in it: as an owner, as the one who appeals, or
/// as the one whose decision it is about.
pub async fn decide_appeal(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    id: i64,
    granted: bool,
    reply: &str,
) -> Result<Appeal, GatewayError> {
    require_reason(reply)?;
    let mut tx = store.begin(actor, now).await?;
    let appeal = tx.find_appeal(id).await?;
    require_no_owner(store, actor, &appeal.canonical).await?;
    tx.decide_appeal(&appeal, granted, reply).await?;
    if granted {
        let versions = tx.versions(&appeal.canonical).await?;
        let found = versions
            .iter()
            .find(|known| known.version == appeal.version)
            .ok_or_else(|| missing(&appeal.canonical, &appeal.version))?;
        // The appeal was against another decision, about what may be another
        // archive.
        if found.state_record != appeal.about || found.checksum != appeal.checksum {
            return Err(GatewayError::Store(StoreError::Raced {
                subject: format!("{} {}", appeal.canonical, appeal.version),
            }));
        }
        let decision = Decision {
            state: State::Released,
            rule: Some(BY_PERSON.to_owned()),
            rules: vec![BY_PERSON.to_owned()],
            reason: Some(format!("appeal {id}: {reply}")),
            until: None,
            observed: Vec::new(),
        };
        tx.decide(&appeal.canonical, found, &decision, Cause::Person)
            .await?;
    } else {
        let about = format!("{} {}", appeal.canonical, appeal.version);
        let subject = format!("The appeal about {about} was refused");
        let text = format!("{subject}: {reply}");
        tx.notify_owners(&appeal.canonical, "appeal", &subject, &text)
            .await?;
    }
    tx.commit().await?;
    Ok(appeal)
}
