//! `palisade ecosystem callers`.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Caller, Question};
use serde::Serialize;

use super::universe::{self, Opened};
use crate::cli::{CallersArgs, WhyFormat};
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer<'a> {
    functions: Vec<String>,
    callers: Vec<Line<'a>>,
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
    how: &'a str,
    distance: usize,
}

pub(crate) fn run(args: &CallersArgs) -> Result<Exit> {
    let question = Question {
        names: vec![universe::name(&args.function)?],
        versions: &|_| true,
    };
    let Opened { universe, .. } = universe::open(&args.graph)?;
    let functions = universe.functions(&question);
    if functions.is_empty() {
        return Err(universe::unknown(&args.function).into());
    }
    let callers = universe.callers(&question, args.transitive);
    output::to_stdout(|out| match args.graph.format {
        WhyFormat::Json => {
            let answer = Answer {
                functions: functions
                    .iter()
                    .map(|(version, path)| format!("{path} {version}"))
                    .collect(),
                callers: callers.iter().map(line).collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)
        }
        WhyFormat::Text => text(out, &functions, &callers),
    })
    .context("cannot write the answer")?;
    Ok(Exit::Clean)
}

fn line(caller: &Caller) -> Line<'_> {
    Line {
        package: &caller.package,
        version: &caller.version,
        krate: &caller.krate,
        path: &caller.path,
        file: &caller.file,
        line: (caller.line != 0).then_some(caller.line),
        how: caller.how,
        distance: caller.distance,
    }
}

fn text(
    out: &mut dyn Write,
    functions: &[(String, String)],
    callers: &[Caller],
) -> std::io::Result<()> {
    for (version, path) in functions {
        writeln!(out, "{path} {version}")?;
    }
    let direct = callers.iter().filter(|caller| caller.distance == 0).count();
    writeln!(out, "{direct} direct callers, {} in all", callers.len())?;
    let mut package = None;
    for caller in callers {
        let this = (&caller.package, &caller.version, caller.distance);
        if package != Some(this) {
            package = Some(this);
            writeln!(out)?;
            match caller.distance {
                0 => writeln!(out, "{} {}", caller.package, caller.version)?,
                more => writeln!(
                    out,
                    "{} {}, {more} calls away",
                    caller.package, caller.version
                )?,
            }
        }
        write!(out, "  {}::{}", caller.krate, caller.path)?;
        match (caller.file.as_str(), caller.line) {
            ("", _) | (_, 0) => {}
            (file, line) => write!(out, "  {file}:{line}")?,
        }
        match caller.how {
            "call" => writeln!(out)?,
            how => writeln!(out, "  ({how})")?,
        }
    }
    Ok(())
}
