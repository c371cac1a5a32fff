//! `palisade ecosystem verify`.

use anyhow::{Context, Result};
use palisade_graph::{Store, stale, tables_dir};
use palisade_tables::Tables;
use serde::Serialize;

use crate::cli::WhyFormat;
use crate::ecosystem_args::VerifyArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer {
    schema: u32,
    fragments: usize,
    /// What is wrong, a sentence each.
    damaged: Vec<String>,
    /// Fragments that are not in the tables yet.
    not_in_tables: usize,
    /// Fragments of the tables that are gone or were made again.
    outdated: usize,
}

/// Exits with 1 when something is damaged.
pub(crate) fn run(args: &VerifyArgs) -> Result<Exit> {
    let store = Store::new(&args.dir);
    let entries = store.entries()?;
    let tables = Tables::open(&tables_dir(&store))?;
    if entries.is_empty() && tables.is_empty() {
        return Err(Usage {
            message: format!("there are no fragments in `{}`", args.dir),
            hint: "make some with `palisade ecosystem build`".to_owned(),
        }
        .into());
    }
    let mut damaged: Vec<String> = entries
        .iter()
        .filter_map(|entry| {
            let error = entry.fragment.as_ref().err()?;
            Some(format!("`{}`: {error}", entry.path))
        })
        .collect();
    for error in tables.verify()? {
        damaged.push(error.to_string());
    }
    let (not_in_tables, outdated) = stale(&store)?;
    let answer = Answer {
        schema: 1,
        fragments: entries.len(),
        damaged,
        not_in_tables,
        outdated,
    };
    output::to_stdout(|out| match args.format {
        WhyFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => {
            writeln!(
                out,
                "{} fragments, {} damaged files",
                answer.fragments,
                answer.damaged.len()
            )?;
            for damaged in &answer.damaged {
                writeln!(out, "  {damaged}")?;
            }
            if answer.not_in_tables + answer.outdated > 0 {
                writeln!(
                    out,
                    "the tables lack {} fragments and hold {} that are gone: run `palisade ecosystem update {}`",
                    answer.not_in_tables, answer.outdated, args.dir
                )?;
            }
            Ok(())
        }
    })
    .context("cannot write the answer")?;
    Ok(match answer.damaged.is_empty() {
        true => Exit::Clean,
        false => Exit::Found,
    })
}
