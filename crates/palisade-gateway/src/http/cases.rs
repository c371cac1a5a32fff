//! What keeps a version back, for those whom it concerns: its owners, who may
//! add to the evidence and appeal, and whoever needs it and asks for a waiver.

use axum::body::Bytes;
use axum::extract::State;
use palisade_index::canonical_name;
use palisade_store::{Actor, Appeal, Inspection};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Path;
use super::yank::require_owner;
use super::{App, Json, Known, read};
use crate::admin::{self, WaiverRequest};
use crate::catalogue::Freshness;
use crate::failure::Failure;
use crate::pattern::Pattern;
use crate::policy::Viewer;
use crate::scope::Scope;

/// The whole case, for owners and reviewers.
pub(super) async fn show(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json, Failure> {
    let catalogue = &app.catalogue;
    let store = &catalogue.store;
    let canonical = canonical_name(&name);
    let viewer = catalogue.viewer(&canonical, caller.eyes()).await?;
    if !matches!(viewer, Viewer::Owner | Viewer::Reviewer) {
        return Err(Failure::forbidden(format!(
            "the case of `{name}` is for its owners and for reviewers"
        )));
    }
    let versions = store.versions(&canonical).await?;
    let found = versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(|| Failure::missing(format!("there is no {name} {version}")))?;
    let evidence: Vec<Value> = store
        .evidence(&canonical, &version)
        .await?
        .into_iter()
        .map(|piece| {
            json!({
                "id": piece.id, "at": piece.at.to_string(), "author": piece.author,
                "text": piece.body,
            })
        })
        .collect();
    let appeals: Vec<Value> = store
        .appeals()
        .await?
        .iter()
        .filter(|appeal| appeal.canonical == canonical && appeal.version == version)
        .map(shown)
        .collect();
    let inspection = store.inspection(found.checksum).await?;
    Ok(Json(json!({ "case": {
        "crate": canonical,
        "version": found.version,
        "checksum": found.checksum.to_string(),
        "state": found.state.as_str(),
        "rule": found.rule,
        "rules": found.rules,
        "reason": found.reason,
        "until": found.until.map(|until| until.to_string()),
        "first_seen": found.first_seen.to_string(),
        "inspection": inspection.map(inspected),
        "evidence": evidence,
        "appeals": appeals,
    }})))
}

/// What looking into the archive brought.
fn inspected(inspection: Inspection) -> Value {
    json!({
        "defect": inspection.defect,
        "licence": inspection.licence,
        "verdict": inspection.verdict.map(|verdict| json!({
            "scanner": verdict.scanner,
            "risk": verdict.risk,
            "summary": verdict.summary,
            "secret": verdict.secret,
            "imitates": verdict.imitates,
            "findings": serde_json::from_str::<Value>(&verdict.findings).unwrap_or(Value::Null),
        })),
    })
}

/// An appeal as both sides read it.
pub(super) fn shown(appeal: &Appeal) -> Value {
    json!({
        "id": appeal.id,
        "crate": appeal.canonical,
        "version": appeal.version,
        "checksum": appeal.checksum.to_string(),
        "at": appeal.at.to_string(),
        "author": appeal.author,
        "text": appeal.body,
        "outcome": appeal.outcome.as_ref().map(|outcome| json!({
            "by": outcome.by,
            "at": outcome.at.to_string(),
            "granted": outcome.granted,
            "reply": outcome.reply,
        })),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

/// An owner adds to the evidence; there is no way to take it back.
pub(super) async fn add_evidence(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json, Failure> {
    let actor = owner(&app, &caller, &name).await?;
    let text: Text = read(&body)?;
    let catalogue = &app.catalogue;
    let now = catalogue.clock.now();
    let which = (name.as_str(), version.as_str());
    let id = admin::add_evidence(&catalogue.store, &actor, now, which, &text.text).await?;
    Ok(Json(json!({ "ok": true, "id": id })))
}

/// An owner appeals.
pub(super) async fn appeal(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json, Failure> {
    let actor = owner(&app, &caller, &name).await?;
    let text: Text = read(&body)?;
    let catalogue = &app.catalogue;
    let now = catalogue.clock.now();
    let which = (name.as_str(), version.as_str());
    let id = admin::appeal(&catalogue.store, &actor, now, which, &text.text).await?;
    Ok(Json(json!({ "ok": true, "id": id })))
}

/// An owner with a token for the crate, as the audit log names them.
async fn owner(app: &App, caller: &Known, name: &str) -> Result<Actor, Failure> {
    caller.require(Scope::PublishUpdate, name)?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    require_owner(&mut tx, user.id, &canonical_name(name), name).await?;
    Ok(actor)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waive {
    reason: String,
    days: u32,
}

/// Whoever needs a version asks for a waiver, for themselves and of the rules
/// that keep it back. Somebody else has to approve it.
pub(super) async fn request_waiver(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json, Failure> {
    let waive: Waive = read(&body)?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let absent = || Failure::missing(format!("there is no {name} {version}"));
    let view = catalogue.get(&name, Freshness::Any).await?;
    let view = view
        .filter(|view| view.krate.name == name)
        .ok_or_else(absent)?;
    let found = view.version(&version).ok_or_else(absent)?;
    let request = WaiverRequest {
        pattern: Pattern::parse(&name).map_err(|error| Failure::bad(error.to_string()))?,
        versions: Some(
            format!("={version}")
                .parse()
                .map_err(|error| Failure::bad(format!("the version: {error}")))?,
        ),
        rules: found.rules.clone(),
        login: Some(user.login.clone()),
        reason: waive.reason,
        days: waive.days,
    };
    if request.rules.is_empty() {
        return Err(Failure::bad(format!(
            "no rule keeps {name} {version} back; there is nothing to waive"
        )));
    }
    let actor = Actor::user(&user.login, &caller.request);
    let now = catalogue.clock.now();
    let id = admin::request_waiver(&catalogue.store, &actor, now, &request).await?;
    Ok(Json(json!({ "ok": true, "id": id })))
}
