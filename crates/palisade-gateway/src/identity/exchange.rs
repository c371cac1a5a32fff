//! Trusted publishing: a workflow's identity in exchange for a token that lives
//! half an hour and is for the crates that trust the workflow.
//!
//! A repository is known by its number and its owner's number: whoever takes
//! over a name that became free gets new ones. Each token of an issuer is
//! exchanged once, and remembered for longer than anybody would take it.

use jiff::{SignedDuration, Timestamp};
use palisade_store::{Actor, NewToken, Publisher, User};

use super::issuer::{Claims, IssuerError, Issuers, LEEWAY};
use crate::GatewayError;
use crate::catalogue::Catalogue;
use crate::config::TrustedIssuer;
use crate::scope::Scope;
use crate::token::Secret;

/// How long a token lives.
const LIFE: SignedDuration = SignedDuration::from_mins(30);

/// Events in which a workflow works on what strangers have sent, with the
/// rights of the repository.
const STRANGERS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// Why a workflow gets no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("the issuer's token lacks the claim `{0}`")]
    Claim(&'static str),
    #[error(
        "a workflow that runs by the event `{0}` works on what strangers send; it cannot publish"
    )]
    Event(String),
    #[error("no crate trusts the workflow `{workflow}` of `{repository}`{detail}")]
    Nobody {
        repository: String,
        workflow: String,
        detail: String,
    },
    #[error("the issuer's token was exchanged already; each one is good once")]
    Used,
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// What a workflow says of itself, as far as it counts.
struct Workflow {
    id: String,
    repository: String,
    repository_id: String,
    owner_id: String,
    file: String,
    environment: Option<String>,
    expires: i64,
}

impl Workflow {
    fn read(claims: &Claims) -> Result<Workflow, ExchangeError> {
        let text = |name: &'static str| claims.text(name).ok_or(ExchangeError::Claim(name));
        let event = text("event_name")?;
        if STRANGERS.contains(&event.as_str()) {
            return Err(ExchangeError::Event(event));
        }
        let repository = text("repository")?;
        // `owner/name/.github/workflows/release.yml@refs/heads/main`
        let reference = text("workflow_ref")?;
        let file = reference
            .strip_prefix(&format!("{repository}/.github/workflows/"))
            .and_then(|rest| rest.split_once('@'))
            .map(|(file, _)| file.to_owned())
            .ok_or(ExchangeError::Claim("workflow_ref"))?;
        Ok(Workflow {
            id: text("jti")?,
            repository_id: text("repository_id")?,
            owner_id: text("repository_owner_id")?,
            repository,
            file,
            environment: claims.text("environment"),
            expires: claims.time("exp").ok_or(ExchangeError::Claim("exp"))?,
        })
    }

    fn is(&self, publisher: &Publisher) -> bool {
        let environment = match (&publisher.environment, &self.environment) {
            (None, _) => true,
            // The issuer does not care about their case, either.
            (Some(wanted), Some(is)) => wanted.eq_ignore_ascii_case(is),
            (Some(_), None) => false,
        };
        environment
            && publisher.repository_id == self.repository_id
            && publisher.owner_id == self.owner_id
            && publisher.repository.eq_ignore_ascii_case(&self.repository)
            && publisher.workflow == self.file
    }
}

/// Gives out a token for what an issuer says about a workflow.
pub(crate) async fn exchange(
    catalogue: &Catalogue,
    issuers: &Issuers,
    token: &str,
    request: &str,
) -> Result<(Secret, Timestamp), ExchangeError> {
    let now = catalogue.clock.now();
    let issuer = Issuers::claimed(token)?;
    let trusted = catalogue
        .config
        .trusted_publishing
        .iter()
        .find(|trusted| trusted.issuer == issuer)
        .ok_or(IssuerError::Untrusted(issuer))?;
    let audience = audience(catalogue, trusted);
    let claims = issuers
        .verify(&trusted.issuer, &audience, token, now)
        .await?;
    let workflow = Workflow::read(&claims)?;

    let store = |error: palisade_store::StoreError| GatewayError::from(error);
    let actor = Actor {
        name: format!("workflow:{}/{}", workflow.repository, workflow.file),
        request: request.to_owned(),
    };
    let mut tx = catalogue.store.begin(&actor, now).await.map_err(store)?;
    let until =
        Timestamp::from_second(workflow.expires + 2 * LEEWAY + 60).unwrap_or(Timestamp::MAX);
    if !tx
        .use_id(&trusted.issuer, &workflow.id, until)
        .await
        .map_err(store)?
    {
        return Err(ExchangeError::Used);
    }
    let publishers = tx
        .publishers_of(&trusted.issuer, &workflow.repository_id)
        .await
        .map_err(store)?;
    let (user, crates) = matching(publishers, &workflow)?;
    let secret = Secret::generate()
        .map_err(|error| GatewayError::Refused(format!("the system has no randomness: {error}")))?;
    let expires = now.checked_add(LIFE).unwrap_or(Timestamp::MAX);
    tx.add_token(&NewToken {
        user: &user,
        name: &format!("{} {}", workflow.repository, workflow.file),
        hash: &secret.hash(),
        scopes: &[Scope::PublishUpdate.as_str().to_owned()],
        patterns: &crates,
        expires,
    })
    .await
    .map_err(store)?;
    tx.commit().await.map_err(store)?;
    Ok((secret, expires))
}

/// For whom an issuer's tokens have to be.
pub(crate) fn audience(catalogue: &Catalogue, trusted: &TrustedIssuer) -> String {
    let own = || catalogue.config.address();
    trusted.audience.clone().unwrap_or_else(own)
}

/// In whose name the workflow publishes, and which crates. A token is one
/// user's: where several have set up the workflow, it is for the crates of who
/// was first.
fn matching(
    publishers: Vec<(Publisher, User)>,
    workflow: &Workflow,
) -> Result<(User, Vec<String>), ExchangeError> {
    let known = !publishers.is_empty();
    let mut fitting = publishers
        .into_iter()
        .filter(|(publisher, _)| workflow.is(publisher))
        .peekable();
    let Some((_, user)) = fitting.peek() else {
        let detail = if known {
            "; the repository is known, but workflow, environment or owner differ"
        } else {
            ""
        };
        return Err(ExchangeError::Nobody {
            repository: workflow.repository.clone(),
            workflow: workflow.file.clone(),
            detail: detail.to_owned(),
        });
    };
    let user = user.clone();
    let mut crates: Vec<String> = fitting
        .filter(|(publisher, _)| publisher.user_id == user.id)
        .map(|(publisher, _)| publisher.krate)
        .collect();
    crates.sort();
    crates.dedup();
    Ok((user, crates))
}
