//! `palisade score`.

use anyhow::{Context, Result};

use super::scan::scan;
use crate::cli::{ScoreArgs, ScoreFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::report::scan::score;
use crate::report::text::printable;

pub(crate) fn run(args: &ScoreArgs) -> Result<Exit> {
    let scanned = scan(&args.packages)?;
    for (target, reason) in &scanned.failed {
        output::warn(&printable(&format!("{target}: {reason}")));
    }
    if let Some(file) = &args.badge {
        let [report] = scanned.reports.as_slice() else {
            return Err(Usage {
                message: format!(
                    "a badge is for one package, and there are {}",
                    scanned.reports.len()
                ),
                hint: "name one package with --badge".to_owned(),
            }
            .into());
        };
        std::fs::write(file, score::badge(report))
            .with_context(|| format!("cannot write `{file}`"))?;
    }
    output::to_stdout(|out| match args.format {
        ScoreFormat::Text => score::text(&scanned.reports, out),
        ScoreFormat::Json => score::json(&scanned.reports, out),
    })
    .context("cannot write the scores")?;
    Ok(if scanned.reports.is_empty() {
        Exit::Error
    } else if scanned.failed.is_empty() && scanned.missing.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}
