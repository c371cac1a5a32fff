//! `palisade admin hold`: breaking the glass.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin;
use palisade_store::HoldKind;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// From now on, every new version of some crates or of a publisher waits
    /// for a person
    Add {
        /// Which crates: a name, a beginning with `*`, or `*` for everything
        #[arg(long = "crate", value_name = "PATTERN", conflicts_with = "publisher")]
        pattern: Option<String>,
        /// Whose versions; only of crates that are published here
        #[arg(long, value_name = "LOGIN", required_unless_present = "pattern")]
        publisher: Option<String>,
        /// For how long
        #[arg(long, value_name = "N", default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
        /// Why; whoever wants a version reads it
        #[arg(long)]
        reason: String,
    },
    /// Show every hold
    List,
    /// End a hold before its time; what it has kept back still waits
    End {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &HoldCommand) -> Result<Exit> {
    match command {
        HoldCommand::Add {
            pattern,
            publisher,
            hours,
            reason,
        } => {
            let what = match (pattern, publisher) {
                (_, Some(login)) => (HoldKind::Publisher, login.as_str()),
                (pattern, None) => (HoldKind::Crate, pattern.as_deref().unwrap_or("*")),
            };
            let id =
                admin::add_hold(desk.store, &desk.actor, desk.now, what, *hours, reason).await?;
            say(&format!("hold {id}"))
        }
        HoldCommand::List => {
            let holds = desk.store.holds().await?;
            lines(holds.iter().map(|hold| {
                let state = match (hold.ended, hold.is_in_force(desk.now)) {
                    (Some(at), _) => format!("ended {at}"),
                    (None, true) => format!("until {}", hold.expires),
                    (None, false) => format!("expired {}", hold.expires),
                };
                format!(
                    "{:<4} {} {}  {state}  {}: {}",
                    hold.id,
                    hold.kind,
                    hold.pattern,
                    hold.author,
                    harmless(&hold.reason)
                )
            }))
        }
        HoldCommand::End { id, reason } => {
            admin::require_reason(reason)?;
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.end_hold(*id, reason).await?;
            tx.commit().await?;
            say("done")
        }
    }
}
