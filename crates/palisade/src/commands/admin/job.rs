//! `palisade admin job`: work in the background.

use anyhow::Result;
use clap::Subcommand;

use super::{Desk, harmless, lines, say};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Show what waits, what is worked on, and what was given up
    List,
    /// Try a job again now
    Retry {
        /// Its number
        id: i64,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &JobCommand) -> Result<Exit> {
    match command {
        JobCommand::List => {
            let jobs = desk.store.jobs().await?;
            lines(jobs.iter().map(|job| {
                let state = match (job.dead, &job.leased_by) {
                    (true, _) => "given up".to_owned(),
                    (false, Some(worker)) => format!("worked on by {}", harmless(worker)),
                    (false, None) => format!("waits for {}", job.run_at),
                };
                let error = match &job.error {
                    Some(error) => format!("  {}", harmless(error)),
                    None => String::new(),
                };
                format!(
                    "{:<5} {} {}  {state}  attempts {}{error}",
                    job.id,
                    harmless(&job.kind),
                    harmless(&job.subject),
                    job.attempts
                )
            }))
        }
        JobCommand::Retry { id } => {
            let mut tx = desk.store.begin(&desk.actor, desk.now).await?;
            tx.retry_job(*id, desk.now).await?;
            tx.commit().await?;
            say("done")
        }
    }
}
