//! `palisade callgraph`.

use anyhow::{Context, Result};
use palisade_check::{GraphOptions, Workspace, rendered_call_graph};

use super::{analysis_options, cache, cargo_home, load_options};
use crate::cli::{CallgraphArgs, GraphFormat};
use crate::exit::Exit;
use crate::output;
use crate::progress::Reporter;
use crate::report::{dot, jsonl};

pub(crate) fn run(args: &CallgraphArgs) -> Result<Exit> {
    let workspace = Workspace::open(load_options(&args.project, args.path.as_deref())?)?;
    let progress = Reporter::new();
    let options = GraphOptions {
        analysis: analysis_options(&args.analysis),
        cargo_home: cargo_home(),
        cache: cache(&args.analysis),
        progress: &progress,
    };
    let bytes =
        rendered_call_graph(
            &workspace,
            &options,
            args.format.as_str(),
            &|graph, out| match args.format {
                GraphFormat::Jsonl => jsonl::render(graph, out),
                GraphFormat::Dot => dot::render(graph, out),
            },
        )?;
    progress.finish();
    output::bytes_to_stdout(&bytes).context("cannot write the call graph")?;
    Ok(Exit::Clean)
}
