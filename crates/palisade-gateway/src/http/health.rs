//! Whether the gateway lives, can work, and how much it does.

use axum::extract::State;
use axum::http::StatusCode;

use super::App;
use crate::failure::Failure;

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, Failure> {
    match app.catalogue.store.head().await {
        Ok(_) => Ok("ready\n"),
        Err(_) => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database cannot be read",
        )),
    }
}

pub(super) async fn metrics(State(app): State<App>) -> Result<String, Failure> {
    let states = app.catalogue.store.count_states().await?;
    let jobs = app.catalogue.store.count_jobs().await?;
    Ok(app.catalogue.metrics.text(&states, &jobs))
}
