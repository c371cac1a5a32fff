//! Administration, for tokens that are for nothing else.

use axum::body::Bytes;
use axum::extract::State;
use palisade_index::canonical_name;
use palisade_store::{Actor, State as Standing};
use serde::Deserialize;
use serde_json::json;

use super::extract::{Path, Query};
use super::{App, Json, Known, read};
use crate::admin::{self, Ruling};
use crate::failure::Failure;

/// What waits, for a person first.
pub(super) async fn cases(State(app): State<App>, _: Known) -> Result<Json, Failure> {
    let store = &app.catalogue.store;
    let mut cases = Vec::new();
    for state in [Standing::Quarantined, Standing::Held] {
        for (name, version) in store.in_state(state).await? {
            cases.push(json!({
                "crate": name,
                "version": version.version,
                "checksum": version.checksum.to_string(),
                "state": version.state.as_str(),
                "rule": version.rule,
                "rules": version.rules,
                "reason": version.reason,
                "until": version.until.map(|until| until.to_string()),
                "first_seen": version.first_seen.to_string(),
            }));
        }
    }
    Ok(Json(json!({ "cases": cases })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    decision: String,
    reason: String,
    /// What was looked at: a decision is about these bytes and no others.
    checksum: String,
}

pub(super) async fn decide(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json, Failure> {
    let decide: Decide = read(&body)?;
    let ruling = Ruling::parse(&decide.decision)
        .ok_or_else(|| Failure::bad("`decision` is `release`, `reject` or `quarantine`"))?;
    let catalogue = &app.catalogue;
    let user = caller.user()?;
    let canonical = canonical_name(&name);
    let actor = Actor::user(&user.login, &caller.request);
    let checksum = decide
        .checksum
        .parse()
        .map_err(|error| Failure::bad(format!("`checksum`: {error}")))?;
    admin::decide(
        &catalogue.store,
        &actor,
        catalogue.clock.now(),
        (&name, &version),
        ruling,
        &decide.reason,
        Some(checksum),
    )
    .await?;
    catalogue.forget(&canonical);
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    hours: u32,
    reason: String,
}

pub(super) async fn lock(
    State(app): State<App>,
    caller: Known,
    Path(login): Path<String>,
    body: Bytes,
) -> Result<Json, Failure> {
    let lock: Lock = read(&body)?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&caller.user()?.login, &caller.request);
    let now = catalogue.clock.now();
    admin::lock(
        &catalogue.store,
        &actor,
        now,
        &login,
        lock.hours,
        &lock.reason,
    )
    .await?;
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: i64,
}

pub(super) async fn audit(
    State(app): State<App>,
    _: Known,
    Query(page): Query<Page>,
) -> Result<Json, Failure> {
    let records = app.catalogue.store.records(page.after).await?;
    Ok(Json(json!({ "records": records })))
}
