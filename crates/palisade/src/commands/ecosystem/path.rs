//! `palisade ecosystem path`.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Meant, Question};
use palisade_tables::{Search, Tables};
use serde::Serialize;

use super::graph;
use crate::cli::WhyFormat;
use crate::ecosystem_args::PathArgs;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer {
    schema: u32,
    from: String,
    to: String,
    /// Empty where there is none.
    path: Vec<Hop>,
}

#[derive(Serialize)]
struct Hop {
    function: String,
    package: String,
    version: String,
    file: Option<String>,
    line: Option<u32>,
}

/// Exits with 0 whether there is a path or not: it is an answer, not a
/// judgement.
pub(crate) fn run(args: &PathArgs) -> Result<Exit> {
    let opened = graph::open(&args.graph)?;
    let view = opened.view();
    let any = |_: &semver::Version| true;
    let mean = |text: &str| -> Result<Meant> {
        let question = Question {
            names: vec![graph::name(text)?],
            versions: &any,
        };
        let meant = Meant::of(&view, &question);
        match meant.is_empty() {
            true => Err(graph::unknown(text).into()),
            false => Ok(meant),
        }
    };
    let to = mean(&args.to)?;
    let tables = &opened.tables;
    let mut from: Vec<u32> = match args.from.contains("::") {
        true => mean(&args.from)?.start.nodes,
        // A package: whatever others can name, and its programs' entries.
        false => {
            let (_, _, crates) = graph::package(&view, &args.from)?;
            let nodes = crates.iter().flat_map(|&krate| tables.nodes_of(krate));
            let wanted = palisade_tables::flag::PUBLIC | palisade_tables::flag::ENTRY;
            nodes
                .filter(|&node| tables.node_flags(node) & wanted != 0)
                .collect()
        }
    };
    let reached = Search::new(&view, graph::threads()).transitive(&to.start);
    from.retain(|&node| reached.contains(node));
    let shortest = from
        .into_iter()
        .map(|node| reached.way(node))
        .min_by_key(|way| (way.len(), way.clone()));
    let way = shortest.unwrap_or_default();
    let answer = Answer {
        schema: 1,
        from: args.from.clone(),
        to: args.to.clone(),
        path: hops(tables, &way),
    };
    output::to_stdout(|out| match args.format {
        WhyFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => text(out, &answer),
    })
    .context("cannot write the answer")?;
    Ok(Exit::Clean)
}

/// The functions of a way, each with the line of the call of the next one, the
/// last with that of its definition.
fn hops(tables: &Tables, way: &[u32]) -> Vec<Hop> {
    let mut hops = Vec::new();
    for (place, &node) in way.iter().enumerate() {
        let krate = tables.node_crate(node);
        let (package, name, _) = tables.lib_names(tables.crate_lib(krate));
        let (start, file) = tables.node_place(node);
        let next = way.get(place + 1).map(|&next| tables.call_line(node, next));
        let line = next.filter(|line| *line != 0).unwrap_or(start);
        hops.push(Hop {
            function: format!("{name}::{}", tables.symbol_name(tables.node_symbol(node)).1),
            package: package.to_owned(),
            version: tables.version(krate).to_owned(),
            file: tables
                .files(krate)
                .get(file as usize)
                .filter(|it| !it.is_empty())
                .cloned(),
            line: (line != 0).then_some(line),
        });
    }
    hops
}

fn text(out: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    if answer.path.is_empty() {
        return writeln!(
            out,
            "{} does not reach {} in the versions that count",
            answer.from, answer.to
        );
    }
    for hop in &answer.path {
        write!(out, "{}  [{} {}]", hop.function, hop.package, hop.version)?;
        match (&hop.file, hop.line) {
            (Some(file), Some(line)) => writeln!(out, "  {file}:{line}")?,
            _ => writeln!(out)?,
        }
    }
    Ok(())
}
