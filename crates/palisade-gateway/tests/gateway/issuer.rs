//! An issuer of identities, for workflows and for people. It signs whatever it
//! is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// A key that was made for these tests and is used for nothing else.
const KEY: &str = include_str!("issuer.key.b64");

#[derive(Clone)]
pub(crate) struct Issuer {
    key: Arc<RsaKeyPair>,
    pub(crate) address: SocketAddr,
    /// What the token endpoint hands out, by code: the challenge that was sent
    /// with it, and the identity.
    codes: Arc<Mutex<BTreeMap<String, (String, Value)>>>,
}

impl Issuer {
    pub(crate) async fn start() -> Issuer {
        let der = STANDARD.decode(KEY.replace(['\n', '\r'], "")).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Issuer {
            key: Arc::new(RsaKeyPair::from_pkcs8(&der).unwrap()),
            address: listener.local_addr().unwrap(),
            codes: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    pub(crate) fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token that claims this, under a header.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "one" });
        self.sign_with(&header, claims)
    }

    /// A code for somebody who was asked and agreed.
    pub(crate) fn agree(&self, code: &str, challenge: &str, claims: Value) {
        let known = (challenge.to_owned(), claims);
        self.codes.lock().unwrap().insert(code.to_owned(), known);
    }

    /// The modulus, as others may read it.
    pub(crate) fn modulus(&self) -> Vec<u8> {
        PublicKeyComponents::<Vec<u8>>::from(self.key.public()).n
    }
}

fn answer(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

async fn description(State(issuer): State<Issuer>) -> Response {
    let name = issuer.name();
    answer(&json!({
        "issuer": name, "jwks_uri": format!("{name}/keys"),
        "authorization_endpoint": format!("{name}/authorize"),
        "token_endpoint": format!("{name}/token"),
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Response {
    let public = PublicKeyComponents::<Vec<u8>>::from(issuer.key.public());
    answer(&json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
        "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
    }] }))
}

/// As PKCE wants it: only who began the sign-in knows what the challenge is
/// the hash of.
async fn token(State(issuer): State<Issuer>, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let field = |name: &str| {
        let prefix = format!("{name}=");
        body.split('&')
            .find_map(|pair| pair.strip_prefix(&prefix))
            .unwrap_or_default()
            .to_owned()
    };
    let known = issuer.codes.lock().unwrap().remove(&field("code"));
    let hash = ring::digest::digest(&ring::digest::SHA256, field("code_verifier").as_bytes());
    match known {
        Some((challenge, claims)) if challenge == URL_SAFE_NO_PAD.encode(hash) => answer(&json!({
            "access_token": "unused", "token_type": "Bearer", "id_token": issuer.sign(&claims),
        })),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}
