//! One's own account: tokens, and what one was told. `cargo login` sends people
//! here.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_store::{Actor, Token};
use serde::Deserialize;

use super::extract::{Form, Path};
use super::page::{escaped, page as html, to};
use super::{App, Known};
use crate::GatewayError;
use crate::admin::{self, TokenRequest};
use crate::failure::Failure;
use crate::identity::SignedIn;
use crate::pattern::Pattern;
use crate::scope::Scope;

/// How long a token lives unless its user says otherwise, in days.
const DAYS: u32 = 90;

pub(super) async fn page(
    State(app): State<App>,
    Extension(signed_in): Extension<SignedIn>,
) -> Result<Response, Failure> {
    render(&app, &signed_in, StatusCode::OK, "").await
}

/// The page, with `news` (HTML) at its top.
async fn render(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    news: &str,
) -> Result<Response, Failure> {
    let catalogue = &app.catalogue;
    let user = &signed_in.user;
    let proof = format!(
        "<input type=\"hidden\" name=\"proof\" value=\"{}\">",
        escaped(&signed_in.session.proof)
    );
    let now = catalogue.clock.now();
    let tokens = catalogue.store.tokens(user.id).await?;
    let rows: String = tokens
        .iter()
        .map(|token| {
            token_row(
                token,
                token.revoked.is_none() && token.expires > now,
                &proof,
            )
        })
        .collect();
    let notices: String = catalogue
        .store
        .notices(user.id)
        .await?
        .iter()
        .map(|notice| {
            format!(
                "<li><b>{}</b> ({})<br>{}</li>\n",
                escaped(&notice.subject),
                notice.created,
                escaped(&notice.body)
            )
        })
        .collect();
    let scopes: String = Scope::ALL
        .into_iter()
        .filter(|scope| scope.role().is_none_or(|role| user.roles.contains(&role)))
        .map(|scope| {
            let name = scope.as_str();
            format!(
                "<label><input type=\"checkbox\" name=\"scope\" value=\"{name}\"> {name}</label>\n"
            )
        })
        .collect();
    let body = format!(
        "{news}<form method=\"post\" action=\"/logout\">{proof}<button>Sign out</button></form>\n\
         <h2>A new token</h2>\n<form method=\"post\" action=\"/me/tokens\">{proof}\n\
         <p><label>Name <input name=\"name\" required></label></p>\n\
         <fieldset><legend>Scopes</legend>{scopes}</fieldset>\n\
         <p><label>Crates: names, beginnings with <code>*</code>, or <code>*</code> \
         <input name=\"crates\" value=\"*\" required></label></p>\n\
         <p><label>Days <input name=\"days\" type=\"number\" min=\"1\" max=\"{most}\" value=\"{days}\"></label></p>\n\
         <p><button>Make a token</button></p></form>\n\
         <h2>Tokens</h2>\n<table><thead><tr><th>Name</th><th>Scopes</th><th>Crates</th><th>Ends</th>\
         <th>Last used</th><th></th></tr></thead>\n<tbody>{rows}</tbody></table>\n\
         <h2>Notices</h2>\n<ul>{notices}</ul>\n\
         <h2>In cargo's configuration</h2>\n<pre>[registries.NAME]\nindex = \"{index}\"</pre>",
        most = catalogue.config.tokens.most_days,
        days = DAYS.min(catalogue.config.tokens.most_days),
        index = escaped(&catalogue.config.index_address()),
    );
    Ok(html(status, &user.login, &body))
}

fn token_row(token: &Token, in_force: bool, proof: &str) -> String {
    let ends = match token.revoked {
        Some(revoked) => format!("revoked {revoked}"),
        None => token.expires.to_string(),
    };
    let used = token
        .last_used
        .map_or_else(|| "never".to_owned(), |used| used.to_string());
    let revoke = if in_force {
        format!(
            "<form method=\"post\" action=\"/me/tokens/{}/revoke\">{proof}<button>Revoke</button></form>",
            token.id
        )
    } else {
        String::new()
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{ends}</td><td>{used}</td><td>{revoke}</td></tr>\n",
        escaped(&token.name),
        escaped(&token.scopes.join(", ")),
        escaped(&token.patterns.join(", ")),
    )
}

/// A form with boxes sends a field once for each, which serde's derive does
/// not take.
pub(super) async fn add_token(
    State(app): State<App>,
    caller: Known,
    Extension(signed_in): Extension<SignedIn>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let field = |name: &str| {
        let field = fields.iter().find(|(key, _)| key == name);
        field.map_or("", |(_, value)| value.as_str())
    };
    require_proof(&signed_in, field("proof"))?;
    let request = match read(&fields, &signed_in.user.login) {
        Ok(request) => request,
        Err(problem) => return refuse(&app, &signed_in, &problem).await,
    };
    let catalogue = &app.catalogue;
    let actor = Actor::user(&signed_in.user.login, &caller.request);
    let now = catalogue.clock.now();
    let given = admin::add_token(&catalogue.store, &catalogue.config, &actor, now, &request).await;
    let given = match given {
        Ok(given) => given,
        Err(GatewayError::Refused(problem)) => return refuse(&app, &signed_in, &problem).await,
        Err(error) => return Err(error.into()),
    };
    let mut news = format!(
        "<p role=\"status\">This is shown once: <code>{}</code></p>\n",
        escaped(given.secret.expose())
    );
    for warning in &given.warnings {
        news.push_str(&format!("<p role=\"alert\">{}</p>\n", escaped(warning)));
    }
    render(&app, &signed_in, StatusCode::OK, &news).await
}

fn read(fields: &[(String, String)], login: &str) -> Result<TokenRequest, String> {
    let one = |name: &str| {
        let field = fields.iter().find(|(key, _)| key == name);
        field.map_or("", |(_, value)| value.trim())
    };
    let mut scopes = Vec::new();
    for (_, name) in fields.iter().filter(|(key, _)| key == "scope") {
        scopes.push(Scope::parse(name).ok_or_else(|| format!("`{name}` is no scope"))?);
    }
    let mut crates = Vec::new();
    let texts = one("crates").split([',', ' ']);
    for text in texts.filter(|text| !text.is_empty()) {
        crates.push(Pattern::parse(text).map_err(|error| error.to_string())?);
    }
    if crates.is_empty() {
        return Err("name the crates, or `*`".to_owned());
    }
    let name: String = one("name").chars().take(100).collect();
    if name.is_empty() {
        return Err("give it a name".to_owned());
    }
    Ok(TokenRequest {
        login: login.to_owned(),
        name,
        scopes,
        crates,
        days: one("days")
            .parse()
            .map_err(|_| "`days` is a number".to_owned())?,
    })
}

async fn refuse(app: &App, signed_in: &SignedIn, problem: &str) -> Result<Response, Failure> {
    let news = format!("<p role=\"alert\">{}</p>\n", escaped(problem));
    render(app, signed_in, StatusCode::BAD_REQUEST, &news).await
}

#[derive(Deserialize)]
pub(super) struct Proven {
    proof: String,
}

pub(super) async fn revoke_token(
    State(app): State<App>,
    caller: Known,
    Extension(signed_in): Extension<SignedIn>,
    Path(id): Path<i64>,
    Form(sent): Form<Proven>,
) -> Result<Response, Failure> {
    require_proof(&signed_in, &sent.proof)?;
    let catalogue = &app.catalogue;
    let actor = Actor::user(&signed_in.user.login, &caller.request);
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    // Only one's own: the number of another one's is not found.
    tx.revoke_token(&signed_in.user, id, "revoked by its user")
        .await?;
    tx.commit().await?;
    Ok(to("/me"))
}

fn require_proof(signed_in: &SignedIn, proof: &str) -> Result<(), Failure> {
    if signed_in.sent(proof) {
        return Ok(());
    }
    Err(Failure::forbidden("this form is not of this session"))
}
