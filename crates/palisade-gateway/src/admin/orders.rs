//! Holds of many versions, names that are set aside, limits of one's own.

use jiff::{SignedDuration, Timestamp};
use palisade_index::canonical_name;
use palisade_store::{Actor, HoldKind, LimitKind, NameKind, Store};

use super::require_reason;
use crate::GatewayError;
use crate::pattern::Pattern;

/// Breaks the glass: every new version of these crates, or of this publisher,
/// waits for a person; the hold's number.
///
/// # Errors
/// There is no such publisher, the pattern is none, or the reason says
/// nothing.
pub async fn add_hold(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (kind, pattern): (HoldKind, &str),
    hours: u32,
    reason: &str,
) -> Result<i64, GatewayError> {
    require_reason(reason)?;
    let pattern = match kind {
        HoldKind::Crate => parse(pattern)?.as_str().to_owned(),
        HoldKind::Publisher => store.user(pattern).await?.login,
    };
    let mut tx = store.begin(actor, now).await?;
    let id = tx
        .add_hold(kind, &pattern, reason, after(now, hours))
        .await?;
    tx.commit().await?;
    Ok(id)
}

/// Sets names aside. The pattern is compared with names as registries compare
/// them: without case, and `_` is `-`.
///
/// # Errors
/// The pattern is none, there is no such user, or the reason says nothing.
pub async fn set_aside(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (kind, pattern): (NameKind, &str),
    login: Option<&str>,
    hours: Option<u32>,
    reason: &str,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let pattern = canonical_pattern(pattern)?;
    let login = match login {
        Some(login) => Some(store.user(login).await?.login),
        None => None,
    };
    let mut tx = store.begin(actor, now).await?;
    let expires = hours.map(|hours| after(now, hours));
    tx.set_name(&pattern, kind, login.as_deref(), reason, expires)
        .await?;
    Ok(tx.commit().await?)
}

/// Gives names back, by the pattern that set them aside.
///
/// # Errors
/// They are not set aside, or the reason says nothing.
pub async fn release_name(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    pattern: &str,
    reason: &str,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let pattern = canonical_pattern(pattern)?;
    let mut tx = store.begin(actor, now).await?;
    tx.release_name(&pattern, reason).await?;
    Ok(tx.commit().await?)
}

/// Sets a limit for one crate or one user.
///
/// # Errors
/// There is no such user, or the reason says nothing.
pub async fn set_limit(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    (kind, name): (LimitKind, &str),
    value: u64,
    hours: u32,
    reason: &str,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let name = match kind {
        LimitKind::ArchiveBytes => canonical_name(name),
        LimitKind::VersionsPerDay | LimitKind::NewCratesPerDay => store.user(name).await?.login,
    };
    let mut tx = store.begin(actor, now).await?;
    tx.set_limit(kind, &name, value, reason, after(now, hours))
        .await?;
    Ok(tx.commit().await?)
}

/// A pattern of names in the form in which they are compared.
fn canonical_pattern(pattern: &str) -> Result<String, GatewayError> {
    let parsed = parse(pattern)?;
    let text = parsed.as_str();
    Ok(match text.strip_suffix('*') {
        Some(beginning) => format!("{}*", canonical_name(beginning)),
        None => canonical_name(text),
    })
}

fn parse(pattern: &str) -> Result<Pattern, GatewayError> {
    Pattern::parse(pattern).map_err(|error| GatewayError::Refused(error.to_string()))
}

fn after(now: Timestamp, hours: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(i64::from(hours)))
        .unwrap_or(Timestamp::MAX)
}
