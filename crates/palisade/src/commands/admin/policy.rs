//! `palisade admin policy`: the rules, and what they would do.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Subcommand;
use palisade_gateway::admin::{self, Moment};
use palisade_gateway::{Config, policy};

use super::{Desk, harmless, lines};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show every rule and what it does
    Show,
    /// Show what a policy would do to everything that is known, without doing
    /// it
    DryRun {
        /// A configuration file with another policy; this gateway's own unless
        /// given
        #[arg(long, value_name = "FILE")]
        policy: Option<Utf8PathBuf>,
        /// What it would have kept back when each version was first seen,
        /// instead of what it would change now
        #[arg(long)]
        first_sight: bool,
        /// Only say how many
        #[arg(long)]
        summary: bool,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &PolicyCommand) -> Result<Exit> {
    match command {
        PolicyCommand::Show => {
            let mut settled = desk.config.policy.clone();
            settled.settle(true);
            let mode = |mode: policy::Mode| mode.as_str();
            let head = format!("everything: {}", mode(settled.mode));
            let rules: Vec<String> = policy::modes(&settled)
                .map(|(name, rule)| format!("{name:<18} {}", mode(rule)))
                .collect();
            lines([head].into_iter().chain(rules))
        }
        PolicyCommand::DryRun {
            policy,
            first_sight,
            summary,
        } => {
            let other = policy.as_deref().map(Config::load).transpose()?;
            let config = other.as_ref().unwrap_or(desk.config);
            let moment = if *first_sight {
                Moment::FirstSight
            } else {
                Moment::Now
            };
            let found = admin::dry_run(desk.store, config, true, desk.now, moment).await?;
            let mut report = Vec::new();
            let changed = found
                .changes
                .iter()
                .filter(|change| change.from != change.decision.state);
            let changed = changed.count();
            if !summary {
                for change in &found.changes {
                    report.push(line(change));
                }
            }
            for (rule, count) in &found.objections {
                report.push(format!("{rule}: objects to {count}"));
            }
            report.push(match moment {
                Moment::Now => format!("{} versions, {changed} would change", found.versions),
                Moment::FirstSight => format!(
                    "{} versions, {} would have been kept back or observed",
                    found.versions,
                    found.changes.len()
                ),
            });
            if found.not_inspected > 0 {
                report.push(format!(
                    "nobody has looked into {} of them: what rules about archives would say is \
                     not known",
                    found.not_inspected
                ));
            }
            lines(report.into_iter())
        }
    }
}

fn line(change: &admin::Change) -> String {
    let decision = &change.decision;
    let mut text = format!("{} {}  {}", change.name, change.version, change.from);
    if decision.state != change.from {
        text.push_str(&format!(" -> {}", decision.state));
    }
    if let Some(until) = decision.until {
        text.push_str(&format!(" until {until}"));
    }
    if let (Some(rule), Some(reason)) = (&decision.rule, &decision.reason) {
        text.push_str(&format!("  {rule}: {}", harmless(reason)));
    }
    for observed in &decision.observed {
        text.push_str(&format!("  (only observed) {}", harmless(observed)));
    }
    text
}
