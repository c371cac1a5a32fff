//! Signing in with an account elsewhere: OpenID Connect's authorisation code,
//! with PKCE. What has to be remembered meanwhile lies in the browser, in a
//! cookie that nothing but this gateway reads, so any process can go on.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_store::{Actor, Role, StoreError, User};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::issuer::{Claims, IssuerError, Issuers};
use super::session::cookie;
use crate::GatewayError;
use crate::catalogue::Catalogue;
use crate::config::SignInElsewhere;

/// The cookie that remembers a sign-in that was begun.
const COOKIE: &str = "palisade-sign-in";

/// How long that may take, in seconds.
const SECONDS: u32 = 600;

/// The most accounts whose name is tried when the one that an issuer gives is
/// taken.
const NAMES: u32 = 20;

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("this sign-in was not begun here, or too long ago; begin again")]
    Forged,
    #[error("the issuer refuses: {0}")]
    Refused(String),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("nobody here is `{0}`; whoever runs the registry can make an account")]
    Unknown(String),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// What the browser brings back.
#[derive(Deserialize)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Where to send the browser, and the cookie for it.
pub(crate) async fn begin(
    catalogue: &Catalogue,
    issuers: &Issuers,
    elsewhere: &SignInElsewhere,
) -> Result<(String, HeaderValue), SignInError> {
    let description = issuers.description(&elsewhere.issuer).await?;
    let endpoint = description
        .authorization_endpoint
        .as_ref()
        .ok_or_else(|| unfit(elsewhere))?;
    let (state, nonce, verifier) = (random()?, random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let mut url = reqwest::Url::parse(endpoint).map_err(|_| unfit(elsewhere))?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &elsewhere.client_id)
        .append_pair("redirect_uri", &back(catalogue))
        .append_pair("scope", "openid profile email")
        .append_pair("state", &state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let value = format!("{state}.{nonce}.{verifier}");
    Ok((url.into(), remember(catalogue, &value, SECONDS)))
}

/// The cookie that forgets a sign-in.
pub(crate) fn forget(catalogue: &Catalogue) -> HeaderValue {
    remember(catalogue, "", 0)
}

fn remember(catalogue: &Catalogue, value: &str, seconds: u32) -> HeaderValue {
    let secure = if catalogue.config.address().starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{COOKIE}={value}; Path=/login; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Who has come back.
pub(crate) async fn finish(
    catalogue: &Catalogue,
    issuers: &Issuers,
    elsewhere: &SignInElsewhere,
    answer: &Answer,
    headers: &HeaderMap,
    request: &str,
) -> Result<User, SignInError> {
    let mut parts = cookie(headers, COOKIE).unwrap_or_default().split('.');
    let (Some(state), Some(nonce), Some(verifier)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(SignInError::Forged);
    };
    // Else a stranger could sign somebody in as the stranger.
    if state.is_empty() || answer.state.as_deref() != Some(state) {
        return Err(SignInError::Forged);
    }
    let code = match (&answer.code, &answer.error) {
        (Some(code), None) => code,
        (_, error) => {
            let error = error.as_deref().unwrap_or("it gives no code");
            return Err(SignInError::Refused(palisade_archive::visible(error)));
        }
    };
    let description = issuers.description(&elsewhere.issuer).await?;
    let endpoint = description
        .token_endpoint
        .as_ref()
        .ok_or_else(|| unfit(elsewhere))?;
    let mut form = reqwest::Url::parse("http://form.invalid").map_err(|_| unfit(elsewhere))?;
    form.query_pairs_mut()
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &back(catalogue))
        .append_pair("client_id", &elsewhere.client_id)
        .append_pair("code_verifier", verifier);
    let form = form.query().unwrap_or_default().to_owned();
    let secret = secret(elsewhere)?;
    #[derive(Deserialize)]
    struct Tokens {
        id_token: String,
    }
    let client = secret
        .as_deref()
        .map(|secret| (elsewhere.client_id.as_str(), secret));
    let tokens: Tokens = issuers
        .post(endpoint, form, client)
        .await
        .map_err(SignInError::Refused)?;
    let now = catalogue.clock.now();
    let claims = issuers
        .verify(
            &elsewhere.issuer,
            &elsewhere.client_id,
            &tokens.id_token,
            now,
        )
        .await?;
    if claims.text("nonce").as_deref() != Some(nonce) {
        return Err(SignInError::Forged);
    }
    account(catalogue, elsewhere, &claims, request).await
}

/// The account of who has signed in, which may be made now.
async fn account(
    catalogue: &Catalogue,
    elsewhere: &SignInElsewhere,
    claims: &Claims,
    request: &str,
) -> Result<User, SignInError> {
    let store = &catalogue.store;
    let failed = |error: StoreError| GatewayError::from(error);
    let subject = claims
        .text("sub")
        .ok_or_else(|| IssuerError::Malformed("it says not who".to_owned()))?;
    if let Some(user) = store
        .identity(&elsewhere.issuer, &subject)
        .await
        .map_err(failed)?
    {
        return Ok(user);
    }
    let name = claims
        .text("preferred_username")
        .unwrap_or_else(|| subject.clone());
    if !elsewhere.create_accounts {
        return Err(SignInError::Unknown(palisade_archive::visible(&name)));
    }
    let roles: Vec<Role> = elsewhere
        .roles
        .iter()
        .filter_map(|role| Role::parse(role))
        .collect();
    let actor = Actor::user(&subject, request);
    let now = catalogue.clock.now();
    // A name that is somebody's already never gives what is theirs: who signs
    // in is known by the subject alone.
    for number in 0..NAMES {
        let login = login(&name, number);
        let mut tx = store.begin(&actor, now).await.map_err(failed)?;
        match tx.add_user(&login, &roles).await {
            Ok(_) => {}
            Err(StoreError::Exists { .. }) => continue,
            Err(error) => return Err(failed(error).into()),
        }
        let user = tx.user(&login).await.map_err(failed)?;
        tx.link_identity(&user, &elsewhere.issuer, &subject)
            .await
            .map_err(failed)?;
        let email = claims.text("email");
        if let Some(email) = email.filter(|_| claims.is_true("email_verified")) {
            tx.set_email(&login, Some(&email)).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        return Ok(user);
    }
    Err(SignInError::Unknown(palisade_archive::visible(&name)))
}

/// A login from what an issuer calls somebody.
fn login(name: &str, number: u32) -> String {
    let mut login: String = name
        .split('@')
        .next()
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(32)
        .collect();
    if login.is_empty() {
        login.push_str("user");
    }
    if number > 0 {
        login.push_str(&format!("-{number}"));
    }
    login
}

fn secret(elsewhere: &SignInElsewhere) -> Result<Option<String>, GatewayError> {
    let Some(file) = &elsewhere.client_secret_file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file).map_err(|source| GatewayError::File {
        operation: "read",
        path: file.clone(),
        source,
    })?;
    Ok(Some(text.trim().to_owned()))
}

fn back(catalogue: &Catalogue) -> String {
    format!("{}/login/oidc/callback", catalogue.config.address())
}

fn unfit(elsewhere: &SignInElsewhere) -> IssuerError {
    IssuerError::Unreachable {
        issuer: elsewhere.issuer.clone(),
        reason: "it names no address to sign in at".to_owned(),
    }
}

fn random() -> Result<String, GatewayError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| GatewayError::Refused(format!("the system has no randomness: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
