//! `palisade admin audit`.

use anyhow::Result;
use clap::Subcommand;

use super::{Desk, lines};
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find any record that is missing or was changed
    Verify {
        /// The head that an earlier verification printed
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Print every record, one JSON object per line
    Export {
        /// Only records after this number
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: i64,
    },
}

pub(super) async fn run(desk: &Desk<'_>, command: &AuditCommand) -> Result<Exit> {
    match command {
        AuditCommand::Verify { head } => {
            let found = desk.store.verify(head.as_deref()).await?;
            lines(found.problems.iter().cloned().chain([
                format!("records: {}", found.records),
                format!("head:    {}", found.head),
            ]))?;
            Ok(if found.problems.is_empty() {
                Exit::Clean
            } else {
                Exit::Reached
            })
        }
        AuditCommand::Export { after } => {
            let mut after = *after;
            loop {
                let page = desk.store.records(after).await?;
                let Some(last) = page.last() else {
                    return Ok(Exit::Clean);
                };
                after = last.seq;
                let mut text = String::new();
                for record in &page {
                    text.push_str(&serde_json::to_string(record)?);
                    text.push('\n');
                }
                output::bytes_to_stdout(text.as_bytes())?;
            }
        }
    }
}
