//! Downloads.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::extract::Path;
use super::{App, Known};
use crate::catalogue::Unserved;
use crate::failure::Failure;

pub(super) async fn archive(
    State(app): State<App>,
    caller: Known,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let catalogue = &app.catalogue;
    let canonical = palisade_index::canonical_name(&name);
    let viewer = catalogue.viewer(&canonical, caller.eyes()).await?;
    match catalogue.archive(&name, &version, &viewer).await {
        Ok(bytes) => {
            catalogue.metrics.served(bytes.len());
            let mut response = bytes.into_response();
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/gzip"),
            );
            // What is held later must not come out of a cache in between.
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-cache"),
            );
            headers.insert(header::VARY, HeaderValue::from_static("authorization"));
            Ok(response)
        }
        Err(Unserved::Refused(refusal)) => {
            catalogue.metrics.refused();
            let address = catalogue.config.address();
            Err(Failure::forbidden(
                refusal.message(&name, &version, &address),
            ))
        }
        Err(Unserved::Missing) => Err(Failure::missing(format!(
            "there is no archive of {name} {version}"
        ))),
        Err(Unserved::Failed(error)) => Err(error.into()),
    }
}
