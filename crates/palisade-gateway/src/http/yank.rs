//! Yanking, and taking it back.

use axum::extract::State;
use palisade_index::canonical_name;
use palisade_store::{Actor, Origin};
use serde_json::json;

use super::extract::Path;
use super::{App, Json, Known};
use crate::failure::Failure;
use crate::scope::Scope;

pub(super) async fn yank(
    state: State<App>,
    caller: Known,
    path: Path<(String, String)>,
) -> Result<Json, Failure> {
    set(state, caller, path, true).await
}

pub(super) async fn unyank(
    state: State<App>,
    caller: Known,
    path: Path<(String, String)>,
) -> Result<Json, Failure> {
    set(state, caller, path, false).await
}

async fn set(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
    yanked: bool,
) -> Result<Json, Failure> {
    caller.require(Scope::Yank, &name)?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let canonical = canonical_name(&name);
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    require_owner(&mut tx, user.id, &canonical, &name).await?;
    tx.set_yanked(&canonical, &version, yanked).await?;
    tx.commit().await?;
    catalogue.forget(&canonical);
    Ok(Json(json!({ "ok": true })))
}

/// Refuses whoever does not own a crate that is published here.
pub(super) async fn require_owner(
    tx: &mut palisade_store::Tx,
    user: i64,
    canonical: &str,
    name: &str,
) -> Result<(), Failure> {
    match tx.find_crate(canonical).await? {
        Some(krate) if krate.origin == Origin::Upstream => Err(Failure::forbidden(format!(
            "`{name}` comes from another registry; only there it can be changed"
        ))),
        // Spelled otherwise, a token's pattern could mean another crate.
        Some(krate) if krate.name == name => {
            if tx.owns(user, canonical).await? {
                Ok(())
            } else {
                Err(Failure::forbidden(format!("you do not own `{name}`")))
            }
        }
        _ => Err(Failure::missing(format!("there is no crate `{name}`"))),
    }
}
