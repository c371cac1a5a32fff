//! `palisade admin owner`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin::Action;
use palisade_index::canonical_name;

use super::{Desk, lines};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum OwnerCommand {
    /// Show who owns a crate
    List {
        #[arg(value_name = "CRATE")]
        name: String,
    },
    /// Make a user an owner
    Add {
        #[arg(value_name = "CRATE")]
        name: String,
        login: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End a user's ownership
    Remove {
        #[arg(value_name = "CRATE")]
        name: String,
        login: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// The crate's name again, to do it without being asked
        #[arg(long, value_name = "CRATE")]
        confirm: Option<String>,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &OwnerCommand) -> Result<Exit> {
    match command {
        OwnerCommand::List { name } => {
            let owners = desk.store.owners(&canonical_name(name)).await?;
            lines(owners.into_iter().map(|owner| owner.login))
        }
        OwnerCommand::Add {
            name,
            login,
            reason,
        } => {
            let action = Action::AddOwner {
                name: name.clone(),
                login: login.clone(),
            };
            desk.act(&action, reason, None).await
        }
        OwnerCommand::Remove {
            name,
            login,
            reason,
            confirm,
        } => {
            let action = Action::RemoveOwner {
                name: name.clone(),
                login: login.clone(),
            };
            desk.act(&action, reason, confirm.as_deref()).await
        }
    }
}
