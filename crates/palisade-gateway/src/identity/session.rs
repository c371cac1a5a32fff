//! Sessions of browsers. What the browser shows is random; the store has its
//! hash, so that a session can be ended, and a copy of the state holds none
//! that could be used.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use palisade_store::{Actor, Session, Store, StoreError, User};
use subtle::ConstantTimeEq as _;

use crate::GatewayError;
use crate::token::Secret;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) session: Session,
}

/// How sessions are kept.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    /// Whether the gateway is reached over TLS.
    secure: bool,
    /// How long a session lasts after its last use.
    idle: SignedDuration,
}

impl Sessions {
    pub(crate) fn new(address: &str, hours: u32) -> Sessions {
        Sessions {
            secure: address.starts_with("https://"),
            idle: SignedDuration::from_hours(i64::from(hours)),
        }
    }

    /// Browsers take a cookie with this prefix only from the host itself, over
    /// TLS.
    fn name(&self) -> &'static str {
        if self.secure {
            "__Host-palisade"
        } else {
            "palisade-session"
        }
    }

    /// Begins a session; the cookie for the browser.
    pub(crate) async fn begin(
        &self,
        store: &Store,
        user: &User,
        step: Option<i64>,
        request: &str,
        now: Timestamp,
    ) -> Result<HeaderValue, GatewayError> {
        let random = || {
            Secret::generate().map_err(|error| {
                GatewayError::Refused(format!("the system has no randomness: {error}"))
            })
        };
        let (secret, proof) = (random()?, random()?);
        let session = Session {
            hash: secret.hash(),
            proof: proof.hash(),
            created: now,
            used: now,
            expires: now.checked_add(self.idle).unwrap_or(Timestamp::MAX),
        };
        let actor = Actor::user(&user.login, request);
        let mut tx = store.begin(&actor, now).await?;
        tx.sign_in(user, &session, step).await?;
        tx.commit().await?;
        Ok(self.cookie(secret.expose(), self.idle.as_secs()))
    }

    /// The cookie that ends a session in the browser.
    pub(crate) fn ended(&self) -> HeaderValue {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
            self.name()
        );
        let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// Whose session a request belongs to.
    pub(crate) async fn of(
        &self,
        store: &Store,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = cookie(headers, self.name()).and_then(Secret::from_header) else {
            return Ok(None);
        };
        let Some((session, user)) = store.session(&secret.hash(), now).await? else {
            return Ok(None);
        };
        if user.is_locked(now) {
            return Ok(None);
        }
        let expires = now.checked_add(self.idle).unwrap_or(Timestamp::MAX);
        // A full disk must not keep people from reading.
        if let Err(error) = store.session_used(&session, now, expires).await {
            let error = crate::catalogue::chain(&error);
            tracing::warn!(error, "cannot note that a session was used");
        }
        Ok(Some(SignedIn { user, session }))
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}

impl SignedIn {
    /// Whether a form was made for this session: no other site knows what to
    /// show back.
    pub(crate) fn sent(&self, proof: &str) -> bool {
        self.session.proof.as_bytes().ct_eq(proof.as_bytes()).into()
    }
}
