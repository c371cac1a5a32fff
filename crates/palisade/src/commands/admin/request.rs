//! `palisade admin request`: what waits for a second person.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Show every request
    List,
    /// Approve what somebody else has asked for; it is done at once
    Approve {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Refuse it, or take back what one has asked for
    Refuse {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &RequestCommand) -> Result<Exit> {
    let (what, reason) = match command {
        RequestCommand::List => {
            let requests = desk.store.requests().await?;
            return lines(requests.iter().map(|request| {
                let state = match (&request.decided_by, request.is_open(desk.now)) {
                    (Some(by), _) if request.approved => format!("approved by {by}"),
                    (Some(by), _) => format!("refused by {by}"),
                    (None, true) => format!("waits until {}", request.expires),
                    (None, false) => "forgotten".to_owned(),
                };
                format!(
                    "{:<4} {}  {state}  {}: {}",
                    request.id,
                    harmless(&request.title),
                    request.author,
                    harmless(&request.reason)
                )
            }));
        }
        RequestCommand::Approve { id, reason } => ((*id, true), reason),
        RequestCommand::Refuse { id, reason } => ((*id, false), reason),
    };
    let (store, config) = (desk.store, desk.config);
    let title = admin::settle_request(store, config, &desk.actor, desk.now, what, reason).await?;
    say(&match what.1 {
        true => format!("done: {}", harmless(&title)),
        false => format!("refused: {}", harmless(&title)),
    })
}
