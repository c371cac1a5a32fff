//! The sparse index.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::extract::Path;
use super::{App, Json, Known};
use crate::catalogue::Freshness;
use crate::config::Config;
use crate::failure::Failure;
use crate::policy::Viewer;

pub(super) async fn config(State(app): State<App>) -> Json {
    let config = &app.catalogue.config;
    let address = config.address();
    let mut body = json!({ "dl": format!("{address}/api/v1/crates"), "api": address });
    if config.auth_required {
        body["auth-required"] = json!(true);
    }
    Json(body)
}

#[derive(Deserialize)]
pub(super) struct Name {
    name: String,
}

pub(super) async fn file(
    State(app): State<App>,
    caller: Known,
    Path(Name { name }): Path<Name>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let absent = || Failure::missing("there is no such crate, or none that may be had yet");
    // One crate has one path: no other spelling may lead around a cache.
    if uri.path() != format!("/index/{}", Config::index_path(&name)) {
        return Err(absent());
    }
    let catalogue = &app.catalogue;
    let view = catalogue.get(&name, Freshness::Usual).await?;
    let view = view.ok_or_else(absent)?;
    let viewer = catalogue
        .viewer(&view.krate.canonical, caller.eyes())
        .await?;
    let body = catalogue.body(&view, &viewer).ok_or_else(absent)?;
    let matches = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|value| value.as_bytes() == body.etag.as_bytes());
    let mut response = if matches {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.bytes.clone().into_response()
    };
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "text/plain; charset=utf-8");
    set(header::ETAG, &body.etag);
    // A hold has to be seen at once, so caches ask every time; what one caller
    // sees is never for another.
    let private = viewer != Viewer::Public || catalogue.config.auth_required;
    set(
        header::CACHE_CONTROL,
        if private {
            "private, no-cache"
        } else {
            "public, no-cache"
        },
    );
    set(header::VARY, "authorization, accept-encoding");
    Ok(response)
}
