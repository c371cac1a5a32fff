//! `palisade admin limit`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::admin;
use palisade_index::canonical_name;
use palisade_store::LimitKind;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;
use crate::gateway_args::names;

#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Set a limit for one crate or one user, for a while
    Set {
        #[arg(value_parser = parse_kind)]
        limit: LimitKind,
        /// The crate (`archive-bytes`) or the login of the user
        name: String,
        value: u64,
        /// For how long
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Show every limit that was set
    List,
    /// Take a limit back
    Clear {
        #[arg(value_parser = parse_kind)]
        limit: LimitKind,
        /// The crate or the login of the user
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &LimitCommand) -> Result<Exit> {
    match command {
        LimitCommand::Set {
            limit,
            name,
            value,
            hours,
            reason,
        } => {
            let what = (*limit, name.as_str());
            admin::set_limit(
                desk.store,
                &desk.actor,
                desk.now,
                what,
                *value,
                *hours,
                reason,
            )
            .await?;
        }
        LimitCommand::List => {
            let limits = desk.store.limits().await?;
            return lines(limits.iter().map(|limit| {
                let word = if limit.expires > desk.now {
                    "until"
                } else {
                    "expired"
                };
                format!(
                    "{}  {} {}  {word} {}  {}: {}",
                    limit.subject,
                    limit.kind.as_str(),
                    limit.value,
                    limit.expires,
                    limit.author,
                    harmless(&limit.reason)
                )
            }));
        }
        LimitCommand::Clear {
            limit,
            name,
            reason,
        } => {
            admin::require_reason(reason)?;
            let name = match limit {
                LimitKind::ArchiveBytes => canonical_name(name),
                LimitKind::VersionsPerDay | LimitKind::NewCratesPerDay => name.to_ascii_lowercase(),
            };
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.clear_limit(*limit, &name, reason).await?;
            tx.commit().await?;
        }
    }
    say("done")
}

fn parse_kind(text: &str) -> Result<LimitKind, String> {
    LimitKind::parse(text).ok_or_else(|| names(LimitKind::ALL.map(LimitKind::as_str).as_slice()))
}
