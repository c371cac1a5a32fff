//! `palisade admin name`: names that are set aside.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin;
use palisade_store::NameKind;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum NameCommand {
    /// Let nobody publish a new crate of a name, but for one user
    Reserve {
        /// A name, or a beginning with `*`
        pattern: String,
        /// For whom
        #[arg(long = "for", value_name = "LOGIN")]
        login: Option<String>,
        /// For how long; for ever unless given
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
        /// Why; whoever wants the name reads it
        #[arg(long)]
        reason: String,
    },
    /// Let nobody have anything of a name, at once
    Block {
        /// A name, or a beginning with `*`
        pattern: String,
        /// For how long; for ever unless given
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
        /// Why; whoever wants the crate reads it
        #[arg(long)]
        reason: String,
        /// The pattern again, to do it without being asked
        #[arg(long, value_name = "PATTERN")]
        confirm: Option<String>,
    },
    /// Give a name back
    Release {
        pattern: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Show every name that is set aside
    List,
}

pub(super) async fn run(desk: &Desk<'_>, command: &NameCommand) -> Result<Exit> {
    let (store, actor, now) = (desk.store, &desk.actor, desk.now);
    match command {
        NameCommand::Reserve {
            pattern,
            login,
            hours,
            reason,
        } => {
            let what = (NameKind::Reserved, pattern.as_str());
            admin::set_aside(store, actor, now, what, login.as_deref(), *hours, reason).await?;
        }
        NameCommand::Block {
            pattern,
            hours,
            reason,
            confirm,
        } => {
            let warning = format!("nobody will get anything of `{pattern}`, whoever has it locked");
            desk.confirm(&warning, pattern, confirm.as_deref())?;
            let what = (NameKind::Blocked, pattern.as_str());
            admin::set_aside(store, actor, now, what, None, *hours, reason).await?;
        }
        NameCommand::Release { pattern, reason } => {
            admin::release_name(store, actor, now, pattern, reason).await?;
        }
        NameCommand::List => {
            let names = store.names().await?;
            return lines(names.iter().map(|name| {
                let until = match name.expires {
                    Some(expires) if expires > now => format!("until {expires}"),
                    Some(expires) => format!("expired {expires}"),
                    None => "for ever".to_owned(),
                };
                let login = match &name.login {
                    Some(login) => format!(" for {login}"),
                    None => String::new(),
                };
                format!(
                    "{}  {}{login}  {until}  {}: {}",
                    name.pattern,
                    name.kind.as_str(),
                    name.author,
                    harmless(&name.reason)
                )
            }));
        }
    }
    say("done")
}
