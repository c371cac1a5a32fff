//! Accounts and their tokens.

use jiff::{SignedDuration, Timestamp};
use palisade_store::{Actor, NewToken, Role, Store};

use super::require_reason;
use crate::GatewayError;
use crate::config::Config;
use crate::pattern::Pattern;
use crate::scope::Scope;
use crate::token::Secret;

/// Locks an account for so many hours; 0 unlocks it.
///
/// # Errors
/// There is no such user, or the reason says nothing.
pub async fn lock(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    login: &str,
    hours: u32,
    reason: &str,
) -> Result<(), GatewayError> {
    require_reason(reason)?;
    let until = (hours > 0).then(|| {
        now.checked_add(SignedDuration::from_hours(i64::from(hours)))
            .unwrap_or(Timestamp::MAX)
    });
    let mut tx = store.begin(actor, now).await?;
    tx.lock_user(login, until, reason).await?;
    Ok(tx.commit().await?)
}

/// A token as it is asked for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Whose it shall be.
    pub login: String,
    /// What they call it.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// Which crates it is for.
    pub crates: Vec<Pattern>,
    /// How long it lives.
    pub days: u32,
}

/// A token that was given out.
#[derive(Debug)]
pub struct Given {
    /// Its text, which is kept nowhere.
    pub secret: Secret,
    /// Its number.
    pub id: i64,
    /// When it ends.
    pub expires: Timestamp,
    /// What its user may not expect.
    pub warnings: Vec<String>,
}

/// Gives out a token.
///
/// # Errors
/// There is no such user; the token would be for nothing, for longer than
/// tokens may live, or for administration and other things at once.
pub async fn add_token(
    store: &Store,
    config: &Config,
    actor: &Actor,
    now: Timestamp,
    request: &TokenRequest,
) -> Result<Given, GatewayError> {
    let refused = |message: String| Err(GatewayError::Refused(message));
    let admin = request.scopes.iter().filter(|scope| scope.is_admin());
    let admin = admin.count();
    if request.scopes.is_empty() {
        return refused("a token without a scope is good for nothing; give one".to_owned());
    }
    // A publish token lies in many places. None of them may have power over
    // what is not its user's own.
    if admin != 0
        && request
            .scopes
            .iter()
            .any(|scope| !scope.is_admin() && *scope != Scope::Read)
    {
        return refused(
            "a token is for administration or for publishing, never for both; make two".to_owned(),
        );
    }
    if request.days == 0 || request.days > config.tokens.most_days {
        return refused(format!(
            "a token lives from 1 to {} days (gateway.tokens.most-days)",
            config.tokens.most_days
        ));
    }
    let user = store.user(&request.login).await?;
    for scope in &request.scopes {
        if let Some(role) = scope.role().filter(|role| !user.roles.contains(role)) {
            return refused(format!(
                "the scope `{}` needs the role `{}`, which `{}` does not have",
                scope.as_str(),
                role.as_str(),
                user.login
            ));
        }
    }
    let owned = store.owned(user.id).await?;
    let publishes = request.scopes.contains(&Scope::PublishNew);
    let warnings = request
        .crates
        .iter()
        .filter(|pattern| !publishes && admin == 0 && pattern.as_str() != "*")
        .filter(|pattern| !owned.iter().any(|owned| pattern.matches(owned)))
        .map(|pattern| format!("`{pattern}` matches nothing that `{}` owns", user.login))
        .collect();
    let secret = Secret::generate()
        .map_err(|error| GatewayError::Refused(format!("the system has no randomness: {error}")))?;
    let expires = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(request.days)))
        .unwrap_or(Timestamp::MAX);
    let scopes: Vec<String> = request
        .scopes
        .iter()
        .map(|scope| scope.as_str().to_owned())
        .collect();
    let patterns: Vec<String> = request
        .crates
        .iter()
        .map(|pattern| pattern.as_str().to_owned())
        .collect();
    let mut tx = store.begin(actor, now).await?;
    let id = tx
        .add_token(&NewToken {
            user: &user,
            name: &request.name,
            hash: &secret.hash(),
            scopes: &scopes,
            patterns: &patterns,
            expires,
        })
        .await?;
    tx.commit().await?;
    Ok(Given {
        secret,
        id,
        expires,
        warnings,
    })
}

/// Makes an account.
///
/// # Errors
/// The login is taken or is no login.
pub async fn add_user(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    login: &str,
    roles: &[Role],
) -> Result<(), GatewayError> {
    let fits = (1..=39).contains(&login.len())
        && login
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !fits {
        return Err(GatewayError::Refused(format!(
            "`{}` is no login: 1 to 39 letters, digits and dashes",
            login.escape_debug()
        )));
    }
    let mut tx = store.begin(actor, now).await?;
    tx.add_user(login, roles).await?;
    Ok(tx.commit().await?)
}
