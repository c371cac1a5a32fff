//! Deciding about versions.

use jiff::Timestamp;
use palisade_index::canonical_name;
use palisade_model::Checksum;
use palisade_store::{Actor, BY_PERSON, Cause, Decision, State, Store};

use super::{missing, require_no_owner, require_reason};
use crate::GatewayError;

/// What a person decides about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Everybody may have it.
    Release,
    /// Nobody may have it.
    Reject,
    /// Nobody may have it until a person decides.
    Quarantine,
}

impl Ruling {
    /// From its name.
    pub fn parse(text: &str) -> Option<Ruling> {
        match text {
            "release" => Some(Ruling::Release),
            "reject" => Some(Ruling::Reject),
            "quarantine" => Some(Ruling::Quarantine),
            _ => None,
        }
    }

    fn state(self) -> State {
        match self {
            Ruling::Release => State::Released,
            Ruling::Reject => State::Rejected,
            Ruling::Quarantine => State::Quarantined,
        }
    }
}

/// Decides about a version, and about these bytes only when `checksum` is
/// given.
///
/// # Errors
/// There is no such version, its archive is another one, it stands there
/// already, or the reason says nothing.
pub async fn decide(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (name, version): (&str, &str),
    ruling: Ruling,
    reason: &str,
    checksum: Option<Checksum>,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let canonical = canonical_name(name);
    require_no_owner(store, actor, &canonical).await?;
    let mut tx = store.begin(actor, now).await?;
    let versions = tx.versions(&canonical).await?;
    let found = versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(|| missing(name, version))?;
    if checksum.is_some_and(|checksum| checksum != found.checksum) {
        return Err(GatewayError::Refused(format!(
            "the archive of {name} {version} has the checksum {}; another one was looked at",
            found.checksum
        )));
    }
    let decision = Decision {
        state: ruling.state(),
        rule: Some(BY_PERSON.to_owned()),
        rules: vec![BY_PERSON.to_owned()],
        reason: Some(reason.to_owned()),
        until: None,
        observed: Vec::new(),
    };
    tx.decide(&canonical, found, &decision, Cause::Person)
        .await?;
    Ok(tx.commit().await?)
}

/// Adds what somebody has to say about a version; its number. Nothing that was
/// added is ever deleted.
///
/// # Errors
/// There is no such version, or the text says nothing.
pub async fn add_evidence(
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
    let id = tx.add_evidence(&canonical, found, text).await?;
    tx.commit().await?;
    Ok(id)
}
