//! `palisade ecosystem capabilities`.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Able, Step, Universe, When, closure};
use serde::Serialize;

use super::graph;
use crate::cli::WhyFormat;
use crate::ecosystem_args::CrateArgs;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    crates: Vec<Crate<'a>>,
}

#[derive(Serialize)]
struct Crate<'a> {
    package: &'a str,
    version: &'a str,
    #[serde(rename = "crate")]
    krate: &'a str,
    kind: &'static str,
    blind_spots: usize,
    capabilities: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    capability: &'static str,
    when: &'static str,
    functions: usize,
    path: Vec<Hop<'a>>,
}

/// A function on a way.
#[derive(Serialize)]
pub(super) struct Hop<'a> {
    function: String,
    version: &'a str,
    file: &'a str,
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<&'a str>,
}

pub(crate) fn run(args: &CrateArgs) -> Result<Exit> {
    let opened = graph::open(&args.graph)?;
    let view = opened.view();
    let (package, version, crates) = graph::package(&view, &args.package)?;
    let universe = Universe::of_tables(&view, &closure(&view, &crates));
    let able = universe.capabilities(&package, &version);
    output::to_stdout(|out| match args.format {
        WhyFormat::Json => {
            let answer = Answer {
                schema: 1,
                crates: able.iter().map(krate).collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => text(out, &able),
    })
    .context("cannot write the answer")?;
    Ok(Exit::Clean)
}

fn krate(able: &Able) -> Crate<'_> {
    Crate {
        package: &able.package,
        version: &able.version,
        krate: &able.krate,
        kind: able.kind.as_str(),
        blind_spots: able.blind_spots,
        capabilities: able
            .abilities
            .iter()
            .map(|ability| One {
                capability: ability.capability.as_str(),
                when: when(ability.when),
                functions: ability.functions,
                path: ability.path.iter().map(hop).collect(),
            })
            .collect(),
    }
}

pub(super) fn when(when: When) -> &'static str {
    match when {
        When::Run => "run",
        When::Build => "build",
    }
}

pub(super) fn hop(step: &Step) -> Hop<'_> {
    Hop {
        function: format!("{}::{}", step.krate, step.path),
        version: &step.version,
        file: &step.file,
        line: (step.line != 0).then_some(step.line),
        through: step.through.as_deref(),
    }
}

/// A way, a function a line.
pub(super) fn write_way(out: &mut dyn Write, path: &[Step], indent: &str) -> std::io::Result<()> {
    for step in path {
        write!(out, "{indent}{}::{}", step.krate, step.path)?;
        if step.line != 0 && !step.file.is_empty() {
            write!(out, "  {}:{}", step.file, step.line)?;
        }
        match &step.through {
            Some(method) => writeln!(out, "  (calls {method})")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn text(out: &mut dyn Write, able: &[Able]) -> std::io::Result<()> {
    for (place, able) in able.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{} {} ({} {}), {} places not followed",
            able.package,
            able.version,
            able.kind.as_str(),
            able.krate,
            able.blind_spots
        )?;
        if able.abilities.is_empty() {
            writeln!(out, "  nothing but computing")?;
        }
        for ability in &able.abilities {
            writeln!(
                out,
                "  {}{}, {} functions",
                ability.capability.as_str(),
                match ability.when {
                    When::Run => "",
                    When::Build => " when it is built",
                },
                ability.functions
            )?;
            write_way(out, &ability.path, "    ")?;
        }
    }
    Ok(())
}
