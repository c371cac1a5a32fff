//! Owners.

use axum::body::Bytes;
use axum::extract::State;
use palisade_index::canonical_name;
use palisade_store::{Actor, Origin, User};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Path;
use super::yank::require_owner;
use super::{App, Json, Known};
use crate::catalogue::Freshness;
use crate::failure::Failure;
use crate::policy::{Access, Viewer};
use crate::scope::Scope;

#[derive(Deserialize)]
struct Logins {
    #[serde(alias = "owners")]
    users: Vec<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Known,
    Path(name): Path<String>,
) -> Result<Json, Failure> {
    let catalogue = &app.catalogue;
    let absent = || Failure::missing(format!("there is no crate `{name}` that is published here"));
    let view = catalogue.get(&name, Freshness::Any).await?;
    let view = view
        .filter(|view| view.krate.origin == Origin::Hosted)
        .ok_or_else(absent)?;
    let viewer = catalogue
        .viewer(&view.krate.canonical, caller.eyes())
        .await?;
    // Whoever may not know of a crate must not learn of it here.
    let visible = viewer != Viewer::Public
        || view.versions.iter().any(|version| {
            version.was_public || catalogue.access(&view, version, &viewer) == Access::Open
        });
    if !visible {
        return Err(absent());
    }
    let owners = catalogue.store.owners(&view.krate.canonical).await?;
    let users: Vec<Value> = owners
        .iter()
        .map(|user| json!({ "id": user.id, "login": user.login, "name": null }))
        .collect();
    Ok(Json(json!({ "users": users })))
}

pub(super) async fn add(
    state: State<App>,
    caller: Known,
    path: Path<String>,
    body: Bytes,
) -> Result<Json, Failure> {
    change(state, caller, path, body, true).await
}

pub(super) async fn remove(
    state: State<App>,
    caller: Known,
    path: Path<String>,
    body: Bytes,
) -> Result<Json, Failure> {
    change(state, caller, path, body, false).await
}

async fn change(
    State(app): State<App>,
    caller: Known,
    Path(name): Path<String>,
    body: Bytes,
    add: bool,
) -> Result<Json, Failure> {
    caller.require(Scope::ChangeOwners, &name)?;
    let logins: Logins = serde_json::from_slice(&body)
        .map_err(|error| Failure::bad(format!("the request's body: {error}")))?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let canonical = canonical_name(&name);
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    require_owner(&mut tx, user.id, &canonical, &name).await?;
    let mut others: Vec<User> = Vec::new();
    for login in &logins.users {
        others.push(catalogue.store.user(login).await?);
    }
    // While a person decides, nobody can slip out of the responsibility.
    let versions = tx.versions(&canonical).await?;
    let quarantined = versions
        .iter()
        .any(|version| version.state == palisade_store::State::Quarantined);
    if !add && quarantined {
        return Err(Failure::forbidden(format!(
            "a version of `{name}` is quarantined; until it is decided, no owner can be removed"
        )));
    }
    for other in &others {
        if add {
            tx.add_owner(&canonical, other).await?;
        } else {
            tx.remove_owner(&canonical, other).await?;
        }
    }
    tx.commit().await?;
    let message = match add {
        true => format!("{} now own `{name}`", logins.users.join(", ")),
        false => format!("{} no longer own `{name}`", logins.users.join(", ")),
    };
    Ok(Json(json!({ "ok": true, "msg": message })))
}
