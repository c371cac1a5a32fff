//! `palisade admin case`: what is kept back, and what a person decides.

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use palisade_gateway::admin::{self, Ruling};
use palisade_index::canonical_name;
use palisade_model::Checksum;
use palisade_store::{State, Version};

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Show what is kept back, what waits for a person first
    List {
        /// Only what this rule keeps back
        #[arg(long)]
        rule: Option<String>,
        /// Only what a person has to decide
        #[arg(long)]
        waiting: bool,
    },
    /// Show all that is known about a version
    Show {
        #[arg(value_name = "CRATE")]
        name: String,
        version: String,
    },
    /// Decide about a version
    Decide {
        #[arg(value_name = "CRATE")]
        name: String,
        version: String,
        decision: Decision,
        /// Why; whoever wants the version reads it
        #[arg(long)]
        reason: String,
        /// The checksum of what was looked at; another archive is not meant
        #[arg(long)]
        checksum: Option<Checksum>,
        /// The crate's name again, to reject it without being asked
        #[arg(long, value_name = "CRATE")]
        confirm: Option<String>,
    },
    /// Add to the evidence about a version; it is never deleted
    Note {
        #[arg(value_name = "CRATE")]
        name: String,
        version: String,
        /// What there is to say
        text: String,
    },
}

/// What can be decided about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    /// Everybody may have it
    Release,
    /// Nobody may have it
    Reject,
    /// Nobody may have it until a person decides
    Quarantine,
}

pub(super) async fn run(desk: &Desk<'_>, command: &CaseCommand) -> Result<Exit> {
    match command {
        CaseCommand::List { rule, waiting } => {
            let mut cases = desk.store.in_state(State::Quarantined).await?;
            if !waiting {
                cases.extend(desk.store.in_state(State::Held).await?);
            }
            let wanted = |version: &Version| match rule {
                Some(rule) => version.rules.contains(rule),
                None => true,
            };
            let cases = cases.iter().filter(|(_, version)| wanted(version));
            lines(cases.map(|(name, version)| {
                let until = match version.until {
                    Some(until) => format!(" until {until}"),
                    None => String::new(),
                };
                format!(
                    "{name} {}  {}{until}  {}: {}",
                    version.version,
                    version.state,
                    version.rule.as_deref().unwrap_or_default(),
                    harmless(version.reason.as_deref().unwrap_or_default()),
                )
            }))
        }
        CaseCommand::Show { name, version } => show(desk, name, version).await,
        CaseCommand::Decide {
            name,
            version,
            decision,
            reason,
            checksum,
            confirm,
        } => {
            let ruling = match decision {
                Decision::Release => Ruling::Release,
                Decision::Reject => Ruling::Reject,
                Decision::Quarantine => Ruling::Quarantine,
            };
            if ruling == Ruling::Reject {
                let what = format!("nobody will get {name} {version}, not even who has it locked");
                desk.confirm(&what, name, confirm.as_deref())?;
            }
            admin::decide(
                desk.store,
                &desk.actor,
                desk.now,
                (name, version),
                ruling,
                reason,
                *checksum,
            )
            .await?;
            say("done")
        }
        CaseCommand::Note {
            name,
            version,
            text,
        } => {
            let which = (name.as_str(), version.as_str());
            let id = admin::add_evidence(desk.store, &desk.actor, desk.now, which, text).await?;
            say(&format!("evidence {id}"))
        }
    }
}

async fn show(desk: &Desk<'_>, name: &str, version: &str) -> Result<Exit> {
    let canonical = canonical_name(name);
    let versions = desk.store.versions(&canonical).await?;
    let Some(found) = versions.iter().find(|known| known.version == version) else {
        bail!("there is no {} {}", harmless(name), harmless(version));
    };
    let mut report = vec![
        format!("{canonical} {}", found.version),
        format!("checksum:   {}", found.checksum),
        format!("state:      {}", found.state),
        format!("published:  {}", found.published),
        format!("first seen: {}", found.first_seen),
    ];
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            report.push(format!("{:<11} {}", format!("{name}:"), harmless(&value)));
        }
    };
    field("rule", found.rule.clone());
    field(
        "rules",
        (found.rules.len() > 1).then(|| found.rules.join(", ")),
    );
    field("reason", found.reason.clone());
    field("until", found.until.map(|until| until.to_string()));
    field("rewritten", found.rewritten.clone());
    field(
        "missing",
        found.missing_since.map(|since| format!("since {since}")),
    );
    match desk.store.inspection(found.checksum).await? {
        None => report.push("nobody has looked into its archive".to_owned()),
        Some(inspection) => {
            if let Some(defect) = inspection.defect {
                report.push(format!("archive:    {}", harmless(&defect)));
            }
            if let Some(licence) = inspection.licence {
                report.push(format!("licence:    {}", harmless(&licence)));
            }
            if let Some(verdict) = inspection.verdict {
                report.push(format!(
                    "scan:       risk {} of 100, by {}",
                    verdict.risk, verdict.scanner
                ));
                report.extend(findings(&verdict.findings));
            }
        }
    }
    for piece in desk.store.evidence(&canonical, version).await? {
        report.push(format!(
            "evidence {} of {} at {}: {}",
            piece.id,
            piece.author,
            piece.at,
            harmless(&piece.body)
        ));
    }
    for appeal in desk.store.appeals().await? {
        if appeal.canonical == canonical && appeal.version == version {
            let state = match &appeal.outcome {
                None => "open".to_owned(),
                Some(outcome) => format!(
                    "{} by {}: {}",
                    if outcome.granted {
                        "granted"
                    } else {
                        "refused"
                    },
                    outcome.by,
                    harmless(&outcome.reply)
                ),
            };
            report.push(format!(
                "appeal {} of {} ({state}): {}",
                appeal.id,
                appeal.author,
                harmless(&appeal.body)
            ));
        }
    }
    lines(report.into_iter())
}

/// The findings of a scan, one line for each place.
fn findings(json: &str) -> Vec<String> {
    let parsed: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let text = |value: &serde_json::Value| harmless(value.as_str().unwrap_or_default());
    let mut found = Vec::new();
    for finding in parsed.as_array().into_iter().flatten() {
        found.push(format!(
            "  {} {} ({}): {}",
            text(&finding["severity"]),
            text(&finding["detector"]),
            text(&finding["confidence"]),
            text(&finding["message"]),
        ));
        for place in finding["places"].as_array().into_iter().flatten() {
            found.push(format!(
                "    {}:{}  {}",
                text(&place["file"]),
                place["line"],
                text(&place["text"]),
            ));
        }
    }
    found
}
