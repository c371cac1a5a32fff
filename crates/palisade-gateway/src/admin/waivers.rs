//! Asking for waivers. Approving and ending one is the store's.

use jiff::{SignedDuration, Timestamp};
use palisade_store::{Actor, NewWaiver, Store};
use semver::VersionReq;

use super::require_reason;
use crate::GatewayError;
use crate::pattern::Pattern;
use crate::policy::{Policy, modes};

/// The longest life of a waiver, in days: what needs an exception for ever
/// belongs into the allow list, where everybody reads it.
const DAYS: u32 = 365;

/// A waiver as it is asked for.
#[derive(Clone, Debug)]
pub struct WaiverRequest {
    /// Which crates.
    pub pattern: Pattern,
    /// Which of their versions; all unless given.
    pub versions: Option<VersionReq>,
    /// Which rules.
    pub rules: Vec<String>,
    /// For whom, a login; for everybody unless given.
    pub login: Option<String>,
    /// Why.
    pub reason: String,
    /// For how long.
    pub days: u32,
}

/// Asks for a waiver; its number. It lets nothing through until somebody else
/// approves it.
///
/// # Errors
/// A rule or the user does not exist, it would last too long, or the reason
/// says nothing.
pub async fn request_waiver(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    request: &WaiverRequest,
) -> Result<i64, GatewayError> {
    require_reason(&request.reason)?;
    let policy = Policy::default();
    let known: Vec<&str> = modes(&policy).map(|(name, _)| name).collect();
    if request.rules.is_empty() {
        return Err(GatewayError::Refused(
            "a waiver names the rules that it is about".to_owned(),
        ));
    }
    for rule in &request.rules {
        // What a person has kept back is for an appeal.
        if !known.contains(&rule.as_str()) {
            return Err(GatewayError::Refused(format!(
                "there is no rule `{}`; choose from {}",
                rule.escape_debug(),
                known.join(", ")
            )));
        }
    }
    if request.days == 0 || request.days > DAYS {
        return Err(GatewayError::Refused(format!(
            "a waiver lasts from 1 to {DAYS} days; what is right for ever belongs into \
             gateway.policy.allow"
        )));
    }
    let login = match &request.login {
        Some(login) => Some(store.user(login).await?.login),
        None => None,
    };
    let expires = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(request.days)))
        .unwrap_or(Timestamp::MAX);
    let mut tx = store.begin(actor, now).await?;
    let id = tx
        .request_waiver(&NewWaiver {
            pattern: request.pattern.as_str().to_owned(),
            versions: request.versions.as_ref().map(ToString::to_string),
            rules: request.rules.clone(),
            login,
            reason: request.reason.clone(),
            expires,
        })
        .await?;
    tx.commit().await?;
    Ok(id)
}
