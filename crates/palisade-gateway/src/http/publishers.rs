//! Trusted publishing: which workflows may publish a crate, and the exchange
//! of what an issuer says about one for a token.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use palisade_index::canonical_name;
use palisade_store::{Actor, Publisher};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Path;
use super::yank::require_owner;
use super::{App, Json, Known};
use crate::failure::Failure;
use crate::identity::{self, ExchangeError, IssuerError};
use crate::scope::Scope;

pub(super) async fn list(
    State(app): State<App>,
    caller: Known,
    Path(name): Path<String>,
) -> Result<Json, Failure> {
    let canonical = authorise(&app, &caller, &name).await?;
    let publishers = app.catalogue.store.publishers(&canonical).await?;
    let publishers: Vec<Value> = publishers.iter().map(shown).collect();
    Ok(Json(json!({ "publishers": publishers })))
}

fn shown(publisher: &Publisher) -> Value {
    json!({
        "id": publisher.id,
        "issuer": publisher.issuer,
        "repository": publisher.repository,
        "repository_id": publisher.repository_id,
        "repository_owner_id": publisher.owner_id,
        "workflow": publisher.workflow,
        "environment": publisher.environment,
    })
}

/// Only owners, with a token for this.
async fn authorise(app: &App, caller: &Known, name: &str) -> Result<String, Failure> {
    caller.require(Scope::TrustedPublishing, name)?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let canonical = canonical_name(name);
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    require_owner(&mut tx, user.id, &canonical, name).await?;
    Ok(canonical)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    issuer: String,
    repository: String,
    repository_id: String,
    repository_owner_id: String,
    workflow: String,
    #[serde(default)]
    environment: Option<String>,
}

pub(super) async fn add(
    State(app): State<App>,
    caller: Known,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json, Failure> {
    let canonical = authorise(&app, &caller, &name).await?;
    let new: New = serde_json::from_slice(&body)
        .map_err(|error| Failure::bad(format!("the request's body: {error}")))?;
    let catalogue = &app.catalogue;
    let trusted = catalogue
        .config
        .trusted_publishing
        .iter()
        .any(|trusted| trusted.issuer == new.issuer);
    if !trusted {
        return Err(Failure::bad(format!(
            "this registry does not trust the issuer `{}` (gateway.trusted-publishing)",
            new.issuer
        )));
    }
    let file = new.workflow.trim_start_matches(".github/workflows/");
    let plain = |text: &str| {
        !text.is_empty()
            && text.len() <= 255
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let repository = new
        .repository
        .split_once('/')
        .is_some_and(|(owner, name)| plain(owner) && plain(name));
    if !repository || !plain(file) {
        return Err(Failure::bad(
            "`repository` is `owner/name`, and `workflow` the name of a file such as `release.yml`",
        ));
    }
    // A name can be taken over when it becomes free; a number cannot.
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !number(&new.repository_id) || !number(&new.repository_owner_id) {
        return Err(Failure::bad(
            "`repository_id` and `repository_owner_id` are the numbers that the issuer gives",
        ));
    }
    let user = caller.user()?;
    let publisher = Publisher {
        id: 0,
        krate: canonical,
        user_id: user.id,
        issuer: new.issuer,
        repository: new.repository,
        repository_id: new.repository_id,
        owner_id: new.repository_owner_id,
        workflow: file.to_owned(),
        environment: new.environment.filter(|name| !name.is_empty()),
    };
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    let id = tx.add_publisher(&publisher).await?;
    tx.commit().await?;
    Ok(Json(
        json!({ "publisher": shown(&Publisher { id, ..publisher }) }),
    ))
}

pub(super) async fn remove(
    State(app): State<App>,
    caller: Known,
    Path((name, id)): Path<(String, i64)>,
) -> Result<Json, Failure> {
    let canonical = authorise(&app, &caller, &name).await?;
    let user = caller.user()?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    tx.remove_publisher(&canonical, id).await?;
    tx.commit().await?;
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
struct Jwt {
    jwt: String,
}

/// What an issuer says about a workflow, for a token of half an hour.
pub(super) async fn exchange(
    State(app): State<App>,
    caller: Known,
    body: Bytes,
) -> Result<Json, Failure> {
    let sent: Jwt = serde_json::from_slice(&body)
        .map_err(|error| Failure::bad(format!("the request's body: {error}")))?;
    let given = identity::exchange(&app.catalogue, &app.issuers, &sent.jwt, &caller.request).await;
    match given {
        Ok((secret, expires)) => Ok(Json(json!({
            "token": secret.expose(),
            "expires": expires.to_string(),
        }))),
        Err(ExchangeError::Gateway(error)) => Err(error.into()),
        Err(error @ ExchangeError::Issuer(IssuerError::Unreachable { .. })) => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error.to_string(),
        )),
        Err(error @ ExchangeError::Issuer(IssuerError::Malformed(_))) => {
            Err(Failure::bad(error.to_string()))
        }
        Err(error) => {
            tracing::warn!(%error, "a workflow gets no token");
            Err(Failure::forbidden(error.to_string()))
        }
    }
}
