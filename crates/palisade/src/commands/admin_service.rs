//! `palisade admin job`, `publisher`, and what belongs to accounts beside their
//! roles and locks.

use std::io::BufRead as _;

use anyhow::{Context, Result};
use jiff::Timestamp;
use palisade_gateway::Config;
use palisade_gateway::identity::{password, totp};
use palisade_store::{Actor, Store};

use super::admin::{harmless, lines, say};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::gateway_args::{JobCommand, PublisherCommand, UserCommand};
use crate::output;

pub(super) async fn job(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    command: &JobCommand,
) -> Result<Exit> {
    match command {
        JobCommand::List => {
            let jobs = store.jobs().await?;
            lines(jobs.iter().map(|job| {
                let state = match (job.dead, &job.leased_by) {
                    (true, _) => "given up".to_owned(),
                    (false, Some(worker)) => format!("worked on by {}", harmless(worker)),
                    (false, None) => format!("waits for {}", job.run_at),
                };
                let error = match &job.error {
                    Some(error) => format!("  {}", harmless(error)),
                    None => String::new(),
                };
                format!(
                    "{:<5} {} {}  {state}  attempts {}{error}",
                    job.id,
                    harmless(&job.kind),
                    harmless(&job.subject),
                    job.attempts
                )
            }))
        }
        JobCommand::Retry { id } => {
            let mut tx = store.begin(actor, now).await?;
            tx.retry_job(*id, now).await?;
            tx.commit().await?;
            say("done")
        }
    }
}

pub(super) async fn publisher(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    command: &PublisherCommand,
) -> Result<Exit> {
    match command {
        PublisherCommand::List { name } => {
            let publishers = store
                .publishers(&palisade_index::canonical_name(name))
                .await?;
            lines(publishers.iter().map(|publisher| {
                let environment = match &publisher.environment {
                    Some(environment) => format!("  environment {}", harmless(environment)),
                    None => String::new(),
                };
                format!(
                    "{:<4} {}  {} ({})  {}{environment}",
                    publisher.id,
                    harmless(&publisher.issuer),
                    harmless(&publisher.repository),
                    harmless(&publisher.repository_id),
                    harmless(&publisher.workflow),
                )
            }))
        }
        PublisherCommand::Remove { name, id } => {
            let mut tx = store.begin(actor, now).await?;
            tx.remove_publisher(&palisade_index::canonical_name(name), *id)
                .await?;
            tx.commit().await?;
            say("done")
        }
    }
}

pub(super) async fn account(
    store: &Store,
    config: &Config,
    actor: &Actor,
    now: Timestamp,
    command: &UserCommand,
) -> Result<Exit> {
    match command {
        UserCommand::Email { login, address } => {
            let user = store.user(login).await?;
            if let Some(address) = address
                && !address.contains('@')
            {
                return Err(usage(
                    format!("`{}` is no address", harmless(address)),
                    "it is of the form `name@example.com`",
                ));
            }
            let mut tx = store.begin(actor, now).await?;
            tx.set_email(&user.login, address.as_deref()).await?;
            tx.commit().await?;
            say("done")
        }
        UserCommand::Password { login, remove } => {
            let user = store.user(login).await?;
            let hash = if *remove {
                None
            } else {
                output::to_stderr("password, on one line of standard input:\n");
                let mut text = String::new();
                std::io::stdin()
                    .lock()
                    .read_line(&mut text)
                    .context("cannot read the password")?;
                let text = text.trim_end_matches(['\r', '\n']);
                let hash =
                    password::hash(text).map_err(|problem| usage(problem, "choose another one"))?;
                Some(hash)
            };
            let mut tx = store.begin(actor, now).await?;
            tx.set_password(&user, hash.as_deref()).await?;
            tx.commit().await?;
            say("done")
        }
        UserCommand::SecondFactor { login, remove } => {
            let user = store.user(login).await?;
            let key = if *remove {
                None
            } else {
                Some(totp::generate().context("the system has no randomness")?)
            };
            let mut tx = store.begin(actor, now).await?;
            tx.set_second_factor(&user, key.as_deref()).await?;
            tx.commit().await?;
            match key {
                Some(key) => {
                    let address = config.address();
                    let registry = address.split("//").nth(1).unwrap_or(&address);
                    say(&totp::link(&user.login, registry, &key))
                }
                None => say("done"),
            }
        }
        UserCommand::Notices { login } => {
            let user = store.user(login).await?;
            let notices = store.notices(user.id).await?;
            lines(notices.iter().map(|notice| {
                let mailed = match notice.mailed {
                    Some(mailed) => format!("mailed {mailed}"),
                    None => "not mailed".to_owned(),
                };
                format!(
                    "{}  {}  {mailed}  {}",
                    notice.created,
                    harmless(&notice.subject),
                    harmless(&notice.body)
                )
            }))
        }
        _ => say("done"),
    }
}

fn usage(message: String, hint: &str) -> anyhow::Error {
    Usage {
        message,
        hint: hint.to_owned(),
    }
    .into()
}
