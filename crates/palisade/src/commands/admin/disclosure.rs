//! `palisade admin disclosure`: problems that owners are told of first.

use anyhow::{Result, bail};
use clap::Subcommand;
use jiff::SignedDuration;
use palisade_gateway::admin;
use palisade_index::canonical_name;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum DisclosureCommand {
    /// Open one
    Open {
        #[arg(value_name = "CRATE")]
        name: String,
        /// What it is, in one line
        #[arg(long)]
        title: String,
        /// What it is
        #[arg(long)]
        text: String,
        /// How long until it becomes public
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Show every one, the nearest deadline first
    List,
    /// Tell the owners
    Notify {
        /// Its number
        id: i64,
    },
    /// Move the deadline to so many days from now
    Extend {
        /// Its number
        id: i64,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End it
    Resolve {
        /// Its number
        id: i64,
        /// How it ended
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &DisclosureCommand) -> Result<Exit> {
    let deadline = |days: u32| {
        desk.now
            .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
    };
    if let DisclosureCommand::List = command {
        let all = desk.store.disclosures().await?;
        return lines(all.iter().map(|one| {
            let state = match (one.resolved, one.notified) {
                (Some(at), _) => format!("resolved {at}"),
                (None, _) if one.deadline <= desk.now => format!("OVERDUE since {}", one.deadline),
                (None, Some(at)) => format!("owners told {at}, public {}", one.deadline),
                (None, None) => format!("owners not told, public {}", one.deadline),
            };
            format!(
                "{:<4} {}  {state}  {}",
                one.id,
                one.canonical,
                harmless(&one.title)
            )
        }));
    }
    let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
    let message = match command {
        DisclosureCommand::List => String::new(),
        DisclosureCommand::Open {
            name,
            title,
            text,
            days,
        } => {
            admin::require_reason(text)?;
            let canonical = canonical_name(name);
            if tx.find_crate(&canonical).await?.is_none() {
                bail!("there is no crate `{}` here", harmless(name));
            }
            let id = tx
                .open_disclosure(&canonical, title, text, deadline(*days)?)
                .await?;
            format!("disclosure {id}; `disclosure notify {id}` tells the owners")
        }
        DisclosureCommand::Notify { id } => match tx.notify_disclosure(*id).await? {
            // Crates of other registries have no owners here.
            0 => "nobody owns the crate here; tell its owners yourself".to_owned(),
            owners => format!("{owners} owners are told"),
        },
        DisclosureCommand::Extend { id, days, reason } => {
            admin::require_reason(reason)?;
            tx.move_disclosure(*id, deadline(*days)?, reason).await?;
            "done".to_owned()
        }
        DisclosureCommand::Resolve { id, reason } => {
            admin::require_reason(reason)?;
            tx.resolve_disclosure(*id, reason).await?;
            "done".to_owned()
        }
    };
    tx.commit().await?;
    say(&message)
}
