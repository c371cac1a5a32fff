//! Search, and where a version stands.

use axum::extract::State;
use palisade_index::canonical_name;
use serde::Deserialize;
use serde_json::json;

use super::extract::{Path, Query};
use super::{App, Json, Known};
use crate::catalogue::Freshness;
use crate::failure::Failure;
use crate::policy::{Access, Viewer};

/// The most results of a search.
const MOST: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    per_page: Option<u32>,
}

/// Searches the names of crates that are known here.
pub(super) async fn search(
    State(app): State<App>,
    caller: Known,
    Query(search): Query<Search>,
) -> Result<Json, Failure> {
    let catalogue = &app.catalogue;
    let most = search.per_page.unwrap_or(10).clamp(1, MOST);
    let found = catalogue
        .store
        .search_crates(&canonical_name(search.q.trim()), MOST)
        .await?;
    let mut crates = Vec::new();
    for krate in found {
        let Some(view) = catalogue.get(&krate.name, Freshness::Any).await? else {
            continue;
        };
        let viewer = catalogue.viewer(&krate.canonical, caller.eyes()).await?;
        let newest = view
            .versions
            .iter()
            .filter(|version| !version.is_shown_yanked())
            .filter(|version| catalogue.access(&view, version, &viewer) == Access::Open)
            .filter_map(|version| version.version.parse::<semver::Version>().ok())
            .max();
        if let Some(newest) = newest {
            crates.push(json!({
                "name": view.krate.name,
                "max_version": newest.to_string(),
                "description": null,
            }));
        }
    }
    let total = crates.len();
    crates.truncate(most as usize);
    Ok(Json(
        json!({ "crates": crates, "meta": { "total": total } }),
    ))
}

/// Where a version stands and why: what a refused download refers to.
pub(super) async fn version(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json, Failure> {
    let catalogue = &app.catalogue;
    let absent = || Failure::missing(format!("there is no {name} {version}"));
    let view = catalogue.get(&name, Freshness::Any).await?;
    let view = view
        .filter(|view| view.krate.name == name)
        .ok_or_else(absent)?;
    let found = view.version(&version).ok_or_else(absent)?;
    let viewer = catalogue
        .viewer(&view.krate.canonical, caller.eyes())
        .await?;
    // The index does not tell of a crate of which nothing was ever public.
    if viewer == Viewer::Public && catalogue.body(&view, &viewer).is_none() {
        return Err(absent());
    }
    let mut body = json!({
        "crate": view.krate.name,
        "version": found.version,
        "checksum": found.checksum.to_string(),
        "first_seen": found.first_seen.to_string(),
        "yanked": found.is_shown_yanked(),
        "available": true,
    });
    if let Access::Refused(refusal) = catalogue.access(&view, found, &viewer) {
        body["available"] = json!(false);
        body["rule"] = json!(refusal.rule);
        body["reason"] = json!(refusal.reason);
        body["until"] = json!(refusal.until.map(|until| until.to_string()));
    }
    if viewer != Viewer::Public {
        body["state"] = json!(found.state.as_str());
        body["rule"] = json!(found.rule);
        body["reason"] = json!(found.reason);
        body["until"] = json!(found.until.map(|until| until.to_string()));
    }
    Ok(Json(json!({ "version": body })))
}
