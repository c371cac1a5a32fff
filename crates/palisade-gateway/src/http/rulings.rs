//! Waivers and appeals, for reviewers.

use axum::body::Bytes;
use axum::extract::State;
use palisade_store::{Actor, Waiver};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Path;
use super::{App, Json, Known, cases, read};
use crate::admin;
use crate::failure::Failure;

/// Every waiver.
pub(super) async fn waivers(State(app): State<App>, _: Known) -> Result<Json, Failure> {
    let now = app.catalogue.clock.now();
    let waivers: Vec<Value> = app
        .catalogue
        .store
        .waivers()
        .await?
        .iter()
        .map(|waiver| waiver_shown(waiver, waiver.is_in_force(now)))
        .collect();
    Ok(Json(json!({ "waivers": waivers })))
}

fn waiver_shown(waiver: &Waiver, in_force: bool) -> Value {
    json!({
        "id": waiver.id,
        "crates": waiver.terms.pattern,
        "versions": waiver.terms.versions,
        "rules": waiver.terms.rules,
        "for": waiver.terms.login,
        "reason": waiver.terms.reason,
        "expires": waiver.terms.expires.to_string(),
        "requested_by": waiver.requested_by,
        "requested": waiver.requested.to_string(),
        "decided_by": waiver.decided_by,
        "approved": waiver.approved,
        "in_force": in_force,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    approve: bool,
    reason: String,
}

/// Approves or refuses a waiver.
pub(super) async fn decide_waiver(
    State(app): State<App>,
    caller: Known,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Json, Failure> {
    let approve: Approve = read(&body)?;
    admin::require_reason(&approve.reason)?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&caller.user()?.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    tx.decide_waiver(id, approve.approve, &approve.reason)
        .await?;
    tx.commit().await?;
    catalogue.reload_orders().await?;
    Ok(Json(json!({ "ok": true })))
}

/// Every appeal.
pub(super) async fn appeals(State(app): State<App>, _: Known) -> Result<Json, Failure> {
    let appeals = app.catalogue.store.appeals().await?;
    let appeals: Vec<Value> = appeals.iter().map(cases::shown).collect();
    Ok(Json(json!({ "appeals": appeals })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    grant: bool,
    reply: String,
}

/// Grants or refuses an appeal.
pub(super) async fn decide_appeal(
    State(app): State<App>,
    caller: Known,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Json, Failure> {
    let grant: Grant = read(&body)?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&caller.user()?.login, &caller.request);
    let now = catalogue.clock.now();
    let appeal =
        admin::decide_appeal(&catalogue.store, &actor, now, id, grant.grant, &grant.reply).await?;
    catalogue.forget(&appeal.canonical);
    Ok(Json(json!({ "ok": true })))
}
