//! Signing in and out with a browser.

use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use palisade_store::{Credentials, User};
use serde::Deserialize;

use super::extract::{Form, Query};
use super::page::{escaped, page as html, to};
use super::{App, Known};
use crate::catalogue::chain;
use crate::failure::Failure;
use crate::identity::oidc::{self, Answer, SignInError};
use crate::identity::{SignedIn, password, totp};

/// How many sign-ins may fail before the account has to wait.
const FREE: u32 = 5;

/// The longest wait. It is not for ever, because strangers could keep somebody
/// out with it.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// How long to wait for others whose passwords are compared.
const PATIENCE: Duration = Duration::from_secs(10);

/// What everybody is told whose sign-in fails, whatever was wrong.
const WRONG: &str =
    "The login, the password or the code is wrong, or too many sign-ins have failed.";

pub(super) async fn page(State(app): State<App>) -> Response {
    form(&app, StatusCode::OK, None)
}

fn form(app: &App, status: StatusCode, problem: Option<&str>) -> Response {
    let sign_in = &app.catalogue.config.sign_in;
    let mut body = String::new();
    if let Some(problem) = problem {
        body.push_str(&format!("<p role=\"alert\">{}</p>\n", escaped(problem)));
    }
    if let Some(elsewhere) = &sign_in.oidc {
        body.push_str(&format!(
            "<p><a href=\"/login/oidc\">Sign in with {}</a></p>\n",
            escaped(&elsewhere.issuer)
        ));
    }
    if sign_in.local {
        body.push_str(
            "<form method=\"post\" action=\"/login\">\n\
             <p><label>Login <input name=\"login\" autocomplete=\"username\" required></label></p>\n\
             <p><label>Password <input name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required></label></p>\n\
             <p><label>Code, where the account has a second factor <input name=\"code\" \
             inputmode=\"numeric\" autocomplete=\"one-time-code\"></label></p>\n\
             <p><button>Sign in</button></p>\n</form>\n",
        );
    }
    body.push_str(
        "<p>Whoever runs this registry makes accounts, and can give out tokens without one.</p>",
    );
    html(status, "Sign in", &body)
}

#[derive(Deserialize)]
pub(super) struct Local {
    login: String,
    password: String,
    #[serde(default)]
    code: String,
}

/// Signs in with a password, and a code where the account has a second factor.
pub(super) async fn local(
    State(app): State<App>,
    caller: Known,
    headers: HeaderMap,
    Form(sent): Form<Local>,
) -> Result<Response, Failure> {
    let catalogue = &app.catalogue;
    if !catalogue.config.sign_in.local {
        return Err(Failure::missing("nobody signs in with a password here"));
    }
    require_own_page(&app, &headers)?;
    let now = catalogue.clock.now();
    let user = catalogue.store.user(&sent.login).await.ok();
    let credentials = match &user {
        Some(user) => Some(catalogue.store.credentials(user.id).await?),
        None => None,
    };
    let refused = || form(&app, StatusCode::FORBIDDEN, Some(WRONG));
    if credentials.as_ref().is_some_and(|known| waits(known, now)) {
        return Ok(refused());
    }
    let _turn = tokio::time::timeout(PATIENCE, app.passwords.acquire())
        .await
        .map_err(|_| {
            Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many sign in at once; try again",
            )
        })?;
    let kept = credentials
        .as_ref()
        .and_then(|known| known.password.clone());
    let right = {
        let password = sent.password.clone();
        tokio::task::spawn_blocking(move || password::verify(&password, kept.as_deref()))
            .await
            .unwrap_or(false)
    };
    let (Some(user), Some(credentials)) = (user, credentials) else {
        return Ok(refused());
    };
    let step = match &credentials.second_factor {
        None => Ok(None),
        Some(key) => totp::verify(key, &sent.code, now.as_second())
            .filter(|step| credentials.second_step.is_none_or(|used| used < *step))
            .map(Some)
            .ok_or(()),
    };
    let (true, Ok(step)) = (right, step) else {
        catalogue.store.sign_in_failed(user.id, now).await?;
        tracing::warn!(user = user.login, "a sign-in has failed");
        return Ok(refused());
    };
    begin(&app, &user, step, &caller.request, now).await
}

fn waits(known: &Credentials, now: Timestamp) -> bool {
    let Some(last) = known.last_failure else {
        return false;
    };
    let Some(beyond) = known.failures.checked_sub(FREE) else {
        return false;
    };
    let pause = SignedDuration::from_secs(2)
        .saturating_mul(2_i32.saturating_pow(beyond.min(20)))
        .min(LONGEST);
    now.duration_since(last) < pause
}

async fn begin(
    app: &App,
    user: &User,
    step: Option<i64>,
    request: &str,
    now: Timestamp,
) -> Result<Response, Failure> {
    if let Some(until) = user.locked_until.filter(|_| user.is_locked(now)) {
        let problem = format!(
            "The account is locked until {until}: {}",
            user.lock_reason.as_deref().unwrap_or("no reason was given")
        );
        return Ok(form(app, StatusCode::FORBIDDEN, Some(&problem)));
    }
    let cookie = app
        .sessions
        .begin(&app.catalogue.store, user, step, request, now)
        .await?;
    let mut response = to("/me");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// A form that another site sends would sign somebody in as a stranger.
fn require_own_page(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    if origin.as_bytes() == app.catalogue.config.address().as_bytes() {
        return Ok(());
    }
    Err(Failure::forbidden(
        "this form comes from another site, or gateway.url is not the address in the browser",
    ))
}

/// Sends the browser to the issuer.
pub(super) async fn elsewhere(State(app): State<App>) -> Result<Response, Failure> {
    let Some(elsewhere) = &app.catalogue.config.sign_in.oidc else {
        return Err(Failure::missing("nobody signs in elsewhere here"));
    };
    match oidc::begin(&app.catalogue, &app.issuers, elsewhere).await {
        Ok((place, cookie)) => {
            let mut response = to(&place);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(error) => Ok(failed(&app, &error)),
    }
}

/// The browser comes back from the issuer.
pub(super) async fn back(
    State(app): State<App>,
    caller: Known,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let catalogue = &app.catalogue;
    let Some(elsewhere) = &catalogue.config.sign_in.oidc else {
        return Err(Failure::missing("nobody signs in elsewhere here"));
    };
    let request = &caller.request;
    let found = oidc::finish(
        catalogue,
        &app.issuers,
        elsewhere,
        &answer,
        &headers,
        request,
    )
    .await;
    let mut response = match found {
        Ok(user) => begin(&app, &user, None, request, catalogue.clock.now()).await?,
        Err(error) => failed(&app, &error),
    };
    // What was remembered is good for one answer.
    let forget = oidc::forget(catalogue);
    response.headers_mut().append(header::SET_COOKIE, forget);
    Ok(response)
}

fn failed(app: &App, error: &SignInError) -> Response {
    tracing::warn!(error = %chain(error), "a sign-in elsewhere has failed");
    form(app, StatusCode::FORBIDDEN, Some(&error.to_string()))
}

#[derive(Deserialize)]
pub(super) struct Proven {
    proof: String,
}

pub(super) async fn out(
    State(app): State<App>,
    caller: Known,
    Extension(signed_in): Extension<SignedIn>,
    Form(sent): Form<Proven>,
) -> Result<Response, Failure> {
    if !signed_in.sent(&sent.proof) {
        return Err(Failure::forbidden("this form is not of this session"));
    }
    let catalogue = &app.catalogue;
    let actor = palisade_store::Actor::user(&signed_in.user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    tx.sign_out(&signed_in.user, &signed_in.session.hash)
        .await?;
    tx.commit().await?;
    let mut response = to("/login");
    let ended = app.sessions.ended();
    response.headers_mut().insert(header::SET_COOKIE, ended);
    Ok(response)
}
