//! `palisade admin appeal`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum AppealCommand {
    /// Show every appeal, open ones first
    List,
    /// Let the version out
    Grant {
        /// The number of the appeal
        id: i64,
        /// Why; the owners read it
        #[arg(long)]
        reason: String,
    },
    /// Leave the version where it stands
    Refuse {
        /// The number of the appeal
        id: i64,
        /// Why; the owners read it
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &AppealCommand) -> Result<Exit> {
    let (id, granted, reason) = match command {
        AppealCommand::List => return list(desk).await,
        AppealCommand::Grant { id, reason } => (*id, true, reason),
        AppealCommand::Refuse { id, reason } => (*id, false, reason),
    };
    admin::decide_appeal(desk.store, &desk.actor, desk.now, id, granted, reason).await?;
    say("done")
}

async fn list(desk: &Desk<'_>) -> Result<Exit> {
    let appeals = desk.store.appeals().await?;
    lines(appeals.iter().map(|appeal| {
        let state = match &appeal.outcome {
            None => "open".to_owned(),
            Some(outcome) if outcome.granted => format!("granted by {}", outcome.by),
            Some(outcome) => format!("refused by {}", outcome.by),
        };
        format!(
            "{:<4} {} {}  {state}  {} at {}: {}",
            appeal.id,
            appeal.canonical,
            appeal.version,
            appeal.author,
            appeal.at,
            harmless(&appeal.body),
        )
    }))
}
