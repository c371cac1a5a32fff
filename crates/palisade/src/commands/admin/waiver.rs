//! `palisade admin waiver`.

use anyhow::Result;
use clap::Subcommand;
use palisade_gateway::Pattern;
use palisade_gateway::admin::{self, WaiverRequest};
use semver::VersionReq;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum WaiverCommand {
    /// Ask for one; it lets nothing through until somebody else approves it
    Request {
        /// Which crates: a name, a beginning with `*`, or `*`
        #[arg(value_name = "CRATE", value_parser = Pattern::parse)]
        pattern: Pattern,
        /// Which of their versions, as a requirement; all unless given
        #[arg(long, value_name = "REQ")]
        versions: Option<VersionReq>,
        /// Of which rules
        #[arg(long = "rule", required = true, value_delimiter = ',')]
        rules: Vec<String>,
        /// For whom; for everybody unless given
        #[arg(long = "for", value_name = "LOGIN")]
        login: Option<String>,
        /// For how long
        #[arg(long, value_name = "N")]
        days: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Show every waiver
    List,
    /// Approve one that somebody else has asked for
    Approve {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Refuse one
    Refuse {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End one before its time
    End {
        /// Its number
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &WaiverCommand) -> Result<Exit> {
    match command {
        WaiverCommand::Request {
            pattern,
            versions,
            rules,
            login,
            days,
            reason,
        } => {
            let request = WaiverRequest {
                pattern: pattern.clone(),
                versions: versions.clone(),
                rules: rules.clone(),
                login: login.clone(),
                reason: reason.clone(),
                days: *days,
            };
            let id = admin::request_waiver(desk.store, &desk.actor, desk.now, &request).await?;
            return say(&format!("waiver {id} waits for somebody else's approval"));
        }
        WaiverCommand::List => return list(desk).await,
        WaiverCommand::Approve { id, reason } => decide(desk, *id, true, reason).await?,
        WaiverCommand::Refuse { id, reason } => decide(desk, *id, false, reason).await?,
        WaiverCommand::End { id, reason } => {
            admin::require_reason(reason)?;
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.end_waiver(*id, reason).await?;
            tx.commit().await?;
        }
    }
    say("done")
}

async fn decide(desk: &Desk<'_>, id: i64, approve: bool, reason: &str) -> Result<()> {
    admin::require_reason(reason)?;
    let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
    tx.decide_waiver(id, approve, reason).await?;
    tx.commit().await?;
    Ok(())
}

async fn list(desk: &Desk<'_>) -> Result<Exit> {
    let waivers = desk.store.waivers().await?;
    lines(waivers.iter().map(|waiver| {
        let terms = &waiver.terms;
        let state = match (&waiver.decided_by, waiver.ended) {
            (_, Some(at)) => format!("ended {at}"),
            (None, None) => "waits for approval".to_owned(),
            (Some(by), None) if !waiver.approved => format!("refused by {by}"),
            (Some(by), None) if waiver.is_in_force(desk.now) => {
                format!("until {} by {by}", terms.expires)
            }
            (Some(_), None) => format!("expired {}", terms.expires),
        };
        format!(
            "{:<4} {} {}  {} for {}  {state}  {}: {}",
            waiver.id,
            terms.pattern,
            terms.versions.as_deref().unwrap_or("*"),
            terms.rules.join(","),
            terms.login.as_deref().unwrap_or("everybody"),
            waiver.requested_by,
            harmless(&terms.reason)
        )
    }))
}
