//! `palisade ecosystem unsafe`.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Universe, UnsafeFunction, closure};
use serde::Serialize;

use super::graph;
use crate::cli::WhyFormat;
use crate::ecosystem_args::UnsafeArgs;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    package: &'a str,
    version: &'a str,
    functions: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    package: &'a str,
    version: &'a str,
    #[serde(rename = "crate")]
    krate: &'a str,
    path: &'a str,
    file: &'a str,
    line: Option<u32>,
    declared: bool,
    block: bool,
    public: bool,
    own: bool,
}

pub(crate) fn run(args: &UnsafeArgs) -> Result<Exit> {
    let opened = graph::open(&args.package.graph)?;
    let view = opened.view();
    let (package, version, crates) = graph::package(&view, &args.package.package)?;
    let crates = match args.transitive {
        true => closure(&view, &crates),
        false => crates.into_iter().collect(),
    };
    let universe = Universe::of_tables(&view, &crates);
    let found = universe.unsafe_functions(&package, &version, args.transitive);
    output::to_stdout(|out| match args.package.format {
        WhyFormat::Json => {
            let answer = Answer {
                schema: 1,
                package: &package,
                version: &version,
                functions: found.iter().map(line).collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => text(out, &found),
    })
    .context("cannot write the answer")?;
    Ok(Exit::Clean)
}

fn line(function: &UnsafeFunction) -> Line<'_> {
    let step = &function.step;
    Line {
        package: &function.package,
        version: &step.version,
        krate: &step.krate,
        path: &step.path,
        file: &step.file,
        line: (step.line != 0).then_some(step.line),
        declared: function.declared,
        block: function.block,
        public: function.public,
        own: function.own,
    }
}

fn text(out: &mut dyn Write, found: &[UnsafeFunction]) -> std::io::Result<()> {
    let own = found.iter().filter(|function| function.own).count();
    write!(out, "{own} functions with unsafe")?;
    match found.len() - own {
        0 => writeln!(out)?,
        more => writeln!(out, ", and {more} that it reaches in its dependencies")?,
    }
    let mut package = None;
    for function in found {
        let step = &function.step;
        let this = (&function.package, &step.version);
        if package != Some(this) {
            package = Some(this);
            writeln!(out, "\n{} {}", function.package, step.version)?;
        }
        let public = if function.public { "pub " } else { "" };
        let declared = if function.declared { "unsafe " } else { "" };
        write!(out, "  {public}{declared}{}::{}", step.krate, step.path)?;
        if step.line != 0 && !step.file.is_empty() {
            write!(out, "  {}:{}", step.file, step.line)?;
        }
        match function.block {
            true => writeln!(out, "  (unsafe block)")?,
            false => writeln!(out)?,
        }
    }
    Ok(())
}
