//! `palisade admin publisher`: workflows that may publish.

use anyhow::Result;
use clap::Subcommand;
use palisade_index::canonical_name;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PublisherCommand {
    /// Show a crate's
    List {
        #[arg(value_name = "CRATE")]
        name: String,
    },
    /// Take the right to publish from one
    Remove {
        #[arg(value_name = "CRATE")]
        name: String,
        /// Its number
        id: i64,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &PublisherCommand) -> Result<Exit> {
    match command {
        PublisherCommand::List { name } => {
            let publishers = desk.store.publishers(&canonical_name(name)).await?;
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
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.remove_publisher(&canonical_name(name), *id).await?;
            tx.commit().await?;
            say("done")
        }
    }
}
