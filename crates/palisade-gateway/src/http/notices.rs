//! What a user has to be told.

use axum::extract::State;
use serde_json::{Value, json};

use super::{App, Json, Known};
use crate::failure::Failure;

pub(super) async fn list(State(app): State<App>, caller: Known) -> Result<Json, Failure> {
    let user = caller.user()?;
    let notices = app.catalogue.store.notices(user.id).await?;
    let notices: Vec<Value> = notices
        .iter()
        .map(|notice| {
            json!({
                "id": notice.id, "at": notice.created.to_string(), "kind": notice.kind,
                "subject": notice.subject, "text": notice.body,
            })
        })
        .collect();
    Ok(Json(json!({ "notices": notices })))
}
