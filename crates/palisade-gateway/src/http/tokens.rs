//! A token about itself.

use axum::extract::State;
use palisade_store::Actor;
use serde_json::json;

use super::{App, Json, Known};
use crate::failure::Failure;

/// What a token is for. crates.io's scoped tokens cannot ask this, and so
/// cannot even be told from revoked ones.
pub(super) async fn show(caller: Known) -> Result<Json, Failure> {
    let (token, user) = caller.known.as_ref().ok_or_else(Failure::login)?;
    Ok(Json(json!({
        "user": user.login,
        "name": token.name,
        "scopes": token.scopes,
        "crates": token.patterns,
        "created": token.created.to_string(),
        "expires": token.expires.to_string(),
        "last_used": token.last_used.map(|used| used.to_string()),
    })))
}

/// Whoever finds a token can end it, and nothing else.
pub(super) async fn revoke(State(app): State<App>, caller: Known) -> Result<Json, Failure> {
    let (token, user) = caller.known.as_ref().ok_or_else(Failure::login)?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    tx.revoke_token(user, token.id, "revoked with the token itself")
        .await?;
    tx.commit().await?;
    Ok(Json(json!({ "ok": true })))
}
