//! `palisade diff`.

use anyhow::{Context, Result};
use palisade_index::CargoCache;
use palisade_scan::{Input, Inputs, Surroundings};

use super::now;
use super::scan::{Unscanned, caches, exit, scanner, start_workers};
use crate::cli::{DiffArgs, ScoreFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::report::scan::diff;

pub(crate) fn run(args: &DiffArgs) -> Result<Exit> {
    let caches = caches()?;
    let old = one(&args.old, &caches)?;
    let new = one(&args.new, &caches)?;
    let surroundings = Surroundings {
        at: Some(now()?),
        ..Surroundings::default()
    };
    let scanner = scanner(args.dump.as_deref(), caches, surroundings)?;
    let request = scanner.request_both(&old, &new)?;
    let workers = start_workers(1, args.dump.as_deref(), &[old, new])?;
    let (changes, report) = workers.compare(&scanner, &request)?;
    output::to_stdout(|out| match args.format {
        ScoreFormat::Text => diff::text(&changes, &report, out),
        ScoreFormat::Json => diff::json(&changes, &report, out),
    })
    .context("cannot write the changes")?;
    let reports = std::slice::from_ref(&report);
    Ok(exit(reports, args.fail_on, Unscanned::Nothing))
}

fn one(target: &str, caches: &[CargoCache]) -> Result<Input> {
    let mut inputs = Inputs::default();
    inputs.add(target, caches)?;
    match <[Input; 1]>::try_from(inputs.inputs) {
        Ok([input]) => Ok(input),
        Err(_) => Err(Usage {
            message: format!("`{target}` is not one package"),
            hint: "name a `.crate` file, a directory or `name@version`".to_owned(),
        }
        .into()),
    }
}
