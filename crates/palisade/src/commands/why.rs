//! `palisade why`.

use anyhow::{Context, Result};
use palisade_check::{Workspace, why};

use super::{analysis_options, load_options};
use crate::cli::{WhyArgs, WhyFormat};
use crate::exit::Exit;
use crate::output;
use crate::progress::Reporter;
use crate::report::why as render;

/// Exits with 0 whether the function is reached or not: it is an answer, not a
/// judgement.
pub(crate) fn run(args: &WhyArgs) -> Result<Exit> {
    let workspace = Workspace::open(load_options(&args.project, None)?)?;
    let paths = args.show.map_or(1, |show| show.paths);
    let progress = Reporter::new();
    let answer = why(
        &workspace,
        &args.function,
        paths,
        &analysis_options(&args.analysis),
        &progress,
    )?;
    progress.finish();
    output::to_stdout(|out| match args.format {
        WhyFormat::Text => render::text(&args.function, &answer, &workspace.root, out),
        WhyFormat::Json => render::json(&args.function, &answer, out),
    })
    .context("cannot write the answer")?;
    Ok(Exit::Clean)
}
