//! The routes. Each is declared once, with what it takes to use it; the router
//! is made from the declarations, so that no route is without one.

mod admin;
mod cases;
mod crates;
mod download;
mod extract;
mod health;
mod index;
mod me;
mod notices;
mod owners;
mod page;
mod publish;
mod publishers;
mod rulings;
mod sign_in;
mod tokens;
mod yank;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::GatewayError;
use crate::caller::Caller;
use crate::catalogue::{Catalogue, chain};
use crate::failure::{Audience, Failure};
use crate::identity::{Issuers, Sessions};
use crate::scope::Scope;
use crate::token::Secret;

/// How long a request may take. Archives are fetched and scanned meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many passwords are compared at once; each takes 19 MiB.
const PASSWORDS: usize = 2;

/// What it takes to use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A token to read, where the registry is not open.
    Read,
    /// A token in force, whatever it is for.
    Token,
    /// Somebody who is signed in with a browser. A token is none.
    Session,
    /// A token with one of these scopes. What is about one crate asks again
    /// for that crate.
    Scopes(&'static [Scope]),
}

/// A route that the gateway answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The method.
    pub method: &'static str,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// What it takes.
    pub need: Need,
}

struct Route {
    declared: Declared,
    audience: Audience,
    handler: MethodRouter<App>,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) sessions: Sessions,
    pub(crate) issuers: Arc<Issuers>,
    /// Hashing a password takes much memory; strangers must not use up all.
    pub(crate) passwords: Arc<tokio::sync::Semaphore>,
    requests: Arc<AtomicU64>,
}

impl App {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Result<App, GatewayError> {
        let config = &catalogue.config;
        let issuers = Issuers::new().map_err(|reason| GatewayError::Issuers { reason })?;
        Ok(App {
            sessions: Sessions::new(&config.address(), config.sign_in.hours),
            issuers: Arc::new(issuers),
            passwords: Arc::new(tokio::sync::Semaphore::new(PASSWORDS)),
            catalogue,
            requests: Arc::default(),
        })
    }
}

fn routes() -> Vec<Route> {
    use Audience::{Api, Plain};
    use Need::{Nothing, Read, Scopes, Session, Token};
    vec![
        get("/index/config.json", Read, Plain, index::config),
        get("/index/1/{name}", Read, Plain, index::file),
        get("/index/2/{name}", Read, Plain, index::file),
        get("/index/3/{first}/{name}", Read, Plain, index::file),
        get("/index/{first}/{second}/{name}", Read, Plain, index::file),
        get(
            "/api/v1/crates/{name}/{version}/download",
            Read,
            Plain,
            download::archive,
        ),
        get(
            "/api/v1/crates/{name}/{version}",
            Read,
            Api,
            crates::version,
        ),
        get(
            "/api/v1/crates/{name}/{version}/case",
            Token,
            Api,
            cases::show,
        ),
        route(
            "POST",
            "/api/v1/crates/{name}/{version}/evidence",
            Scopes(&[Scope::PublishUpdate]),
            cases::add_evidence,
        ),
        route(
            "POST",
            "/api/v1/crates/{name}/{version}/appeal",
            Scopes(&[Scope::PublishUpdate]),
            cases::appeal,
        ),
        route(
            "POST",
            "/api/v1/crates/{name}/{version}/waiver",
            Token,
            cases::request_waiver,
        ),
        get("/api/v1/notices", Token, Api, notices::list),
        get("/api/v1/crates", Read, Api, crates::search),
        route(
            "PUT",
            "/api/v1/crates/new",
            Scopes(&[Scope::PublishNew, Scope::PublishUpdate]),
            publish::publish,
        ),
        route(
            "DELETE",
            "/api/v1/crates/{name}/{version}/yank",
            Scopes(&[Scope::Yank]),
            yank::yank,
        ),
        route(
            "PUT",
            "/api/v1/crates/{name}/{version}/unyank",
            Scopes(&[Scope::Yank]),
            yank::unyank,
        ),
        get("/api/v1/crates/{name}/owners", Read, Api, owners::list),
        route(
            "PUT",
            "/api/v1/crates/{name}/owners",
            Scopes(&[Scope::ChangeOwners]),
            owners::add,
        ),
        route(
            "DELETE",
            "/api/v1/crates/{name}/owners",
            Scopes(&[Scope::ChangeOwners]),
            owners::remove,
        ),
        get("/api/v1/tokens/current", Token, Api, tokens::show),
        route("DELETE", "/api/v1/tokens/current", Token, tokens::revoke),
        get(
            "/api/v1/crates/{name}/publishers",
            Scopes(&[Scope::TrustedPublishing]),
            Api,
            publishers::list,
        ),
        route(
            "PUT",
            "/api/v1/crates/{name}/publishers",
            Scopes(&[Scope::TrustedPublishing]),
            publishers::add,
        ),
        route(
            "DELETE",
            "/api/v1/crates/{name}/publishers/{id}",
            Scopes(&[Scope::TrustedPublishing]),
            publishers::remove,
        ),
        route(
            "POST",
            "/api/v1/trusted_publishing/tokens",
            Nothing,
            publishers::exchange,
        ),
        route(
            "DELETE",
            "/api/v1/trusted_publishing/tokens",
            Token,
            tokens::revoke,
        ),
        get("/login", Nothing, Plain, sign_in::page),
        route("POST", "/login", Nothing, sign_in::local),
        get("/login/oidc", Nothing, Plain, sign_in::elsewhere),
        get("/login/oidc/callback", Nothing, Plain, sign_in::back),
        route("POST", "/logout", Session, sign_in::out),
        get("/me", Session, Plain, me::page),
        route("POST", "/me/tokens", Session, me::add_token),
        route("POST", "/me/tokens/{id}/revoke", Session, me::revoke_token),
        get(
            "/api/v1/admin/cases",
            Scopes(&[Scope::AdminReview]),
            Api,
            admin::cases,
        ),
        route(
            "POST",
            "/api/v1/admin/cases/{name}/{version}",
            Scopes(&[Scope::AdminReview]),
            admin::decide,
        ),
        get(
            "/api/v1/admin/waivers",
            Scopes(&[Scope::AdminReview]),
            Api,
            rulings::waivers,
        ),
        route(
            "POST",
            "/api/v1/admin/waivers/{id}",
            Scopes(&[Scope::AdminReview]),
            rulings::decide_waiver,
        ),
        get(
            "/api/v1/admin/appeals",
            Scopes(&[Scope::AdminReview]),
            Api,
            rulings::appeals,
        ),
        route(
            "POST",
            "/api/v1/admin/appeals/{id}",
            Scopes(&[Scope::AdminReview]),
            rulings::decide_appeal,
        ),
        route(
            "POST",
            "/api/v1/admin/users/{login}/lock",
            Scopes(&[Scope::AdminUsers]),
            admin::lock,
        ),
        get(
            "/api/v1/admin/audit",
            Scopes(&[Scope::AdminAudit]),
            Api,
            admin::audit,
        ),
        get("/healthz", Nothing, Plain, health::alive),
        get("/readyz", Nothing, Plain, health::ready),
        get("/metrics", Nothing, Plain, health::metrics),
    ]
}

fn get<H, T>(path: &'static str, need: Need, audience: Audience, handler: H) -> Route
where
    H: Handler<T, App>,
    T: 'static,
{
    Route {
        declared: Declared {
            method: "GET",
            path,
            need,
        },
        audience,
        handler: on(MethodFilter::GET, handler),
    }
}

fn route<H, T>(method: &'static str, path: &'static str, need: Need, handler: H) -> Route
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = match method {
        "PUT" => MethodFilter::PUT,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::POST,
    };
    Route {
        declared: Declared { method, path, need },
        audience: Audience::Api,
        handler: on(filter, handler),
    }
}

/// Every route, for tests that go through all of them.
pub fn declared() -> Vec<Declared> {
    routes().into_iter().map(|route| route.declared).collect()
}

pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = Guard {
            app: app.clone(),
            need: route.declared.need,
            audience: route.audience,
        };
        let handler = route
            .handler
            .layer(CatchPanicLayer::custom(
                |_: Box<dyn std::any::Any + Send>| {
                    Failure::new(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "the gateway has failed; its log says why",
                    )
                    .into_response()
                },
            ))
            .layer(from_fn_with_state(guard, guarded));
        router = router.route(route.declared.path, handler);
    }
    router
        .fallback(|| async {
            Failure::missing("there is nothing at this address").render(Audience::Api, "")
        })
        .layer(
            CompressionLayer::new().gzip(true).compress_when(
                DefaultPredicate::new()
                    // Archives are packed already.
                    .and(NotForContentType::const_new("application/gzip")),
            ),
        )
        .with_state(app)
}

#[derive(Clone)]
struct Guard {
    app: App,
    need: Need,
    audience: Audience,
}

/// What every request goes through: who is asking, may they, and how is a
/// failure written down.
async fn guarded(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let app = &guard.app;
    let number = app.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("{:x}-{number:x}", std::process::id());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let work = async {
        if guard.need == Need::Session {
            let headers = request.headers();
            let now = app.catalogue.clock.now();
            match app.sessions.of(&app.catalogue.store, headers, now).await? {
                Some(signed_in) => request.extensions_mut().insert(signed_in),
                None => return Ok(page::to("/login")),
            };
        }
        let caller = authenticate(app, request.headers(), guard.need, &id).await?;
        request.extensions_mut().insert(caller);
        Ok::<Response, Failure>(next.run(request).await)
    };
    let mut response = match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => failure.into_response(),
        Err(_) => Failure::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the gateway took too long; try again",
        )
        .into_response(),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let address = app.catalogue.config.address();
        response = failure.render(guard.audience, &address);
    }
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    let status = response.status().as_u16();
    app.catalogue.metrics.answered(status);
    log(&method, &path, status, &id);
    response
}

fn log(method: &Method, path: &str, status: u16, id: &str) {
    // The path is a stranger's text, and somebody may have put a token there.
    let path = crate::token::without_tokens(&palisade_archive::visible(path));
    tracing::info!(%method, path, status, id, "request");
}

/// Who sent the request, when they may use the route.
async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    need: Need,
    id: &str,
) -> Result<Caller, Failure> {
    let catalogue = &app.catalogue;
    let mut caller = Caller {
        known: None,
        request: id.to_owned(),
    };
    if matches!(need, Need::Nothing | Need::Session) {
        return Ok(caller);
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let secret = value.to_str().ok().and_then(Secret::from_header);
        let unknown = || {
            Failure::forbidden(
                "this is not a token of this registry; `cargo login` may have kept another one's",
            )
        };
        let secret = secret.ok_or_else(unknown)?;
        let found = catalogue.store.token(&secret.hash()).await?;
        let (token, user) = found.ok_or_else(unknown)?;
        let now = catalogue.clock.now();
        Caller::check(&token, &user, now)?;
        // A full disk must not keep people from reading.
        if let Err(error) = catalogue.store.token_used(&token, now).await {
            tracing::warn!(error = %chain(&error), "cannot note that a token was used");
        }
        caller.known = Some((token, user));
    }
    match need {
        Need::Nothing | Need::Session => {}
        Need::Read if !catalogue.config.auth_required => {}
        Need::Read => caller.require_any(&[Scope::Read])?,
        Need::Token => {
            caller.user()?;
        }
        Need::Scopes(scopes) => caller.require_any(scopes)?,
    }
    Ok(caller)
}

/// A body in the form that the route wants.
fn read<'b, T: serde::Deserialize<'b>>(body: &'b axum::body::Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::bad(format!("the request's body: {error}")))
}

/// The caller that the guard has found.
type Known = Extension<Caller>;

/// A JSON body. axum's own enables a feature of serde_json for everybody.
struct Json(serde_json::Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("application/json");
        let mut response = self.0.to_string().into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        // What is answered here depends on who asks, and on the moment.
        let store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, store);
        response
    }
}
