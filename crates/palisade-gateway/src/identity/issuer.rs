//! Issuers of identities: their keys, and what they vouch for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::signature;

/// How long an issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long keys are taken as the issuer's. A key that was withdrawn is taken
/// for as long.
const KEYS_LAST: Duration = Duration::from_secs(3600);

/// How soon keys are fetched again when a token names one that is not known:
/// strangers can send such tokens as often as they like.
const KEYS_REST: Duration = Duration::from_secs(30);

/// The most bytes of what an issuer answers.
const LIMIT: usize = 1 << 20;

/// The longest token that is looked at.
const TOKEN: usize = 16 << 10;

/// By how many seconds clocks may differ.
pub(super) const LEEWAY: i64 = 30;

/// Why an issuer's word is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuerError {
    #[error("it is not a token of an issuer: {0}")]
    Malformed(String),
    #[error("the issuer `{0}` is not one that this registry trusts")]
    Untrusted(String),
    #[error("the issuer's key `{0}` is not known")]
    Key(String),
    #[error("its signature, issuer or audience is wrong: {0}")]
    Wrong(String),
    #[error("it is not good at this time: {0}")]
    Time(&'static str),
    #[error("the issuer `{issuer}` cannot be asked: {reason}")]
    Unreachable { issuer: String, reason: String },
}

/// What an issuer says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Description {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    pub(crate) authorization_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) token_endpoint: Option<String>,
}

/// Issuers and their keys.
pub(crate) struct Issuers {
    client: reqwest::Client,
    keys: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    description: Arc<Description>,
    keys: Arc<JwkSet>,
    fetched: Instant,
}

/// What a token claims, after its signature, issuer, audience and time were
/// found right.
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is a text, or a number that stands for one.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether a claim is true.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// A claim that is a time.
    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }
}

impl Issuers {
    pub(crate) fn new() -> Result<Issuers, String> {
        signature::install();
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // Keys come from the address that was configured, and no other.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Issuers {
            client,
            keys: Mutex::default(),
        })
    }

    /// The issuer that a token claims to come from, before anything of it is
    /// believed.
    pub(crate) fn claimed(token: &str) -> Result<String, IssuerError> {
        #[derive(Deserialize)]
        struct Issued {
            iss: String,
        }
        if token.len() > TOKEN {
            return Err(IssuerError::Malformed("it is too long".to_owned()));
        }
        jsonwebtoken::dangerous::insecure_decode_claims::<Issued>(token)
            .map(|issued| issued.iss)
            .map_err(|error| IssuerError::Malformed(error.to_string()))
    }

    /// What a token of `issuer` for `audience` says.
    pub(crate) async fn verify(
        &self,
        issuer: &str,
        audience: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims, IssuerError> {
        if token.len() > TOKEN {
            return Err(IssuerError::Malformed("it is too long".to_owned()));
        }
        let header =
            decode_header(token).map_err(|error| IssuerError::Malformed(error.to_string()))?;
        // The algorithm is ours to choose, never the token's.
        if header.alg != Algorithm::RS256 {
            return Err(IssuerError::Wrong("it is not signed by RS256".to_owned()));
        }
        let kid = header
            .kid
            .ok_or_else(|| IssuerError::Malformed("it names no key".to_owned()))?;
        let key = self.key(issuer, &kid).await?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        // The time is compared below, with the clock of the gateway.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded = decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|error| IssuerError::Wrong(error.to_string()))?;
        let claims = Claims(decoded.claims);
        check_time(&claims, now.as_second())?;
        Ok(claims)
    }

    /// A key of an issuer, by its id.
    async fn key(&self, issuer: &str, kid: &str) -> Result<DecodingKey, IssuerError> {
        let mut kept = self.kept(issuer, KEYS_LAST).await?;
        if kept.keys.find(kid).is_none() {
            // The issuer may have a new one.
            kept = self.kept(issuer, KEYS_REST).await?;
        }
        let unknown = || IssuerError::Key(kid.to_owned());
        let jwk = kept.keys.find(kid).ok_or_else(unknown)?;
        let signs = !matches!(
            jwk.common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
        match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if signs => {
                DecodingKey::from_rsa_components(&rsa.n, &rsa.e).map_err(|_| unknown())
            }
            _ => Err(unknown()),
        }
    }

    /// What an issuer says of itself.
    pub(crate) async fn description(&self, issuer: &str) -> Result<Arc<Description>, IssuerError> {
        Ok(self.kept(issuer, KEYS_LAST).await?.description)
    }

    async fn kept(&self, issuer: &str, age: Duration) -> Result<Kept, IssuerError> {
        let known = self.lock().get(issuer).cloned();
        if let Some(kept) = known.as_ref().filter(|kept| kept.fetched.elapsed() < age) {
            return Ok(kept.clone());
        }
        let base = issuer.trim_end_matches('/');
        let address = format!("{base}/.well-known/openid-configuration");
        let unreachable = |reason: String| IssuerError::Unreachable {
            issuer: issuer.to_owned(),
            reason,
        };
        let description: Description = self.json(&address).await.map_err(unreachable)?;
        // Else one issuer could hand out another one's keys.
        if description.issuer != issuer {
            return Err(unreachable("it calls itself otherwise".to_owned()));
        }
        let keys: JwkSet = self
            .json(&description.jwks_uri)
            .await
            .map_err(unreachable)?;
        let kept = Kept {
            description: Arc::new(description),
            keys: Arc::new(keys),
            fetched: Instant::now(),
        };
        self.lock().insert(issuer.to_owned(), kept.clone());
        Ok(kept)
    }

    async fn json<T: for<'de> Deserialize<'de>>(&self, address: &str) -> Result<T, String> {
        if !is_protected(address) {
            return Err(format!("`{address}` is not protected by TLS"));
        }
        let response = self.client.get(address).send().await;
        read(response).await
    }

    /// Sends a form to an issuer, for a JSON answer.
    pub(crate) async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        address: &str,
        form: String,
        client: Option<(&str, &str)>,
    ) -> Result<T, String> {
        if !is_protected(address) {
            return Err(format!("`{address}` is not protected by TLS"));
        }
        let mut request = self
            .client
            .post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form);
        if let Some((name, secret)) = client {
            request = request.basic_auth(name, Some(secret));
        }
        read(request.send().await).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read<T: for<'de> Deserialize<'de>>(
    response: Result<reqwest::Response, reqwest::Error>,
) -> Result<T, String> {
    let failed = |error: reqwest::Error| error.without_url().to_string();
    let mut response = response.map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("it answers {}", response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LIMIT {
            return Err("its answer is too long".to_owned());
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Whether nobody on the way can change what is read from an address.
fn is_protected(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

fn check_time(claims: &Claims, now: i64) -> Result<(), IssuerError> {
    let expires = claims
        .time("exp")
        .ok_or(IssuerError::Time("it never ends"))?;
    if expires + LEEWAY <= now {
        return Err(IssuerError::Time("it has expired"));
    }
    for name in ["nbf", "iat"] {
        if claims
            .time(name)
            .is_some_and(|begins| begins - LEEWAY > now)
        {
            return Err(IssuerError::Time("it is from the future"));
        }
    }
    Ok(())
}
