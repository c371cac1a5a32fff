//! What belongs to an account beside its roles and locks.

use std::io::BufRead as _;

use anyhow::{Context, Result};
use palisade_gateway::identity::{password, totp};

use super::user::UserCommand;
use super::{Desk, harmless, lines, say};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

pub(super) async fn run(desk: &Desk<'_>, command: &UserCommand) -> Result<Exit> {
    let (store, config, actor, now) = (desk.store, desk.config, &desk.actor, desk.now);
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
