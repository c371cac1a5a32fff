//! Answers that say no, in the form that cargo prints well.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use palisade_store::StoreError;

use crate::GatewayError;
use crate::catalogue::chain;

/// The most characters of a body that cargo shows on index and download.
const SHOWN: usize = 512;

/// Why a request is not answered as its sender hoped.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Whether the answer says where to get a token.
    pub(crate) login: bool,
}

/// For whom an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// cargo's requests to the API: it prints `detail` of a JSON body.
    Api,
    /// cargo's requests for index files and archives: it prints the body, cut.
    Plain,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure {
            status,
            message: message.into(),
            login: false,
        }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, message)
    }

    /// cargo asks again with its token, or tells where to get one.
    pub(crate) fn login() -> Failure {
        Failure {
            login: true,
            ..Failure::new(StatusCode::UNAUTHORIZED, "this needs a token")
        }
    }

    /// The answer itself.
    pub(crate) fn render(&self, audience: Audience, address: &str) -> Response {
        let shown = palisade_archive::visible(&self.message);
        let (kind, body) = match audience {
            Audience::Api => (
                "application/json",
                serde_json::json!({ "errors": [{ "detail": shown }] }).to_string(),
            ),
            Audience::Plain => (
                "text/plain; charset=utf-8",
                shown.chars().take(SHOWN).collect(),
            ),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if self.login {
            let value = format!("Cargo login_url=\"{address}/me\"");
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(header::WWW_AUTHENTICATE, value);
            }
        }
        response
    }
}

/// The route's layer renders it, because it knows who reads it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Failure {
        match error {
            GatewayError::Store(error) => error.into(),
            GatewayError::Upstream { source } => {
                tracing::warn!(error = %chain(&source), "the upstream cannot be asked");
                Failure::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!(
                        "the registry behind this gateway cannot be asked now, and the gateway \
                         has no copy: {source}"
                    ),
                )
            }
            GatewayError::Refused(message) => Failure::new(StatusCode::CONFLICT, message),
            error => {
                tracing::error!(error = %chain(&error), "a request failed");
                Failure::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the gateway has failed; its log says why",
                )
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Missing { .. } => Failure::missing(error.to_string()),
            // Who asks is why.
            StoreError::SamePerson { .. } => Failure::forbidden(error.to_string()),
            StoreError::Exists { .. }
            | StoreError::Raced { .. }
            | StoreError::Decided { .. }
            | StoreError::Pointless { .. }
            | StoreError::Transition { .. } => {
                Failure::new(StatusCode::CONFLICT, error.to_string())
            }
            error => {
                // Stated once, here, where it is handled; the sender learns
                // nothing about the inside.
                tracing::error!(error = %chain(&error), "the store failed");
                Failure::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the gateway's state cannot be read or changed now; try again",
                )
            }
        }
    }
}
