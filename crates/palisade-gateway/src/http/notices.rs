//! What a user has to be told.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Query;
use super::{App, Json, Known};
use crate::failure::Failure;

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: i64,
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Known,
    Query(page): Query<Page>,
) -> Result<Json, Failure> {
    let user = caller.user()?;
    let notices = app.catalogue.store.notices(user.id, page.after).await?;
    let notices: Vec<Value> = notices
        .iter()
        .map(|notice| {
            json!({
                "id": notice.id, "at": notice.at.to_string(), "kind": notice.kind,
                "text": notice.body,
            })
        })
        .collect();
    Ok(Json(json!({ "notices": notices })))
}
