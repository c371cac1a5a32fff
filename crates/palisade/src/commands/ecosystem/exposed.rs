//! `palisade ecosystem exposed`.

use std::io::Write;

use anyhow::{Context, Result};
use palisade_advisory::{
    Advisory, DEFAULT_URL, Database, FunctionPath, Snapshot, default_cache_dir,
};
use palisade_graph::{Exposure, FunctionName, Question, Step, When};
use semver::Version;
use serde::Serialize;

use super::universe::{self, Opened};
use crate::cli::{ExposedArgs, WhyFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

/// Whether a version is one that is asked about.
type Affects<'a> = Box<dyn Fn(&Version) -> bool + 'a>;

/// One of the command's arguments.
enum Asked {
    Function(FunctionName),
    Advisory(Box<Advisory>, Vec<FunctionName>),
}

impl Asked {
    fn names(&self) -> Vec<FunctionName> {
        match self {
            Asked::Function(name) => vec![name.clone()],
            Asked::Advisory(_, names) => names.clone(),
        }
    }

    fn affects(&self, version: &Version) -> bool {
        match self {
            Asked::Function(_) => true,
            Asked::Advisory(advisory, _) => advisory.versions.is_affected(version),
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    asked: &'a str,
    functions: Vec<String>,
    exposed: Vec<Line<'a>>,
    listing_only: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    package: &'a str,
    version: &'a str,
    #[serde(rename = "crate")]
    krate: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
    dependents: usize,
    blind_spots: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<Hop<'a>>,
}

#[derive(Serialize)]
struct Hop<'a> {
    function: String,
    version: &'a str,
    file: &'a str,
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<&'a str>,
}

pub(crate) fn run(args: &ExposedArgs) -> Result<Exit> {
    let asked: Vec<Asked> = args
        .what
        .iter()
        .map(|what| ask(args, what))
        .collect::<Result<_>>()?;
    let Opened { universe, own } = universe::open(&args.graph)?;
    let affects: Vec<Affects<'_>> = asked
        .iter()
        .map(|asked| -> Affects<'_> { Box::new(|version| asked.affects(version)) })
        .collect();
    let questions: Vec<Question<'_>> = asked
        .iter()
        .zip(&affects)
        .map(|(asked, versions)| Question {
            names: asked.names(),
            versions,
        })
        .collect();
    for (question, what) in questions.iter().zip(&args.what) {
        if universe.functions(question).is_empty() {
            let unknown = universe::unknown(what);
            // One of many questions does not stop the others.
            match questions.len() {
                1 => return Err(unknown.into()),
                _ => output::warn(&unknown.message),
            }
        }
    }
    let found = universe.exposed(&questions, |package, version| {
        own.as_ref().is_none_or(|own| {
            own.iter()
                .any(|(name, of)| name == package && of == version)
        })
    });
    let reached = found
        .iter()
        .flatten()
        .any(|exposure| exposure.when.is_some());
    output::to_stdout(|out| {
        let answers = questions.iter().zip(&args.what).zip(&found);
        if args.graph.format == WhyFormat::Json {
            let answers: Vec<Answer<'_>> = answers
                .map(|((question, asked), found)| Answer {
                    asked,
                    functions: universe
                        .functions(question)
                        .into_iter()
                        .map(|(version, path)| format!("{path} {version}"))
                        .collect(),
                    exposed: found
                        .iter()
                        .filter(|it| it.when.is_some())
                        .map(line)
                        .collect(),
                    listing_only: found
                        .iter()
                        .filter(|it| it.when.is_none())
                        .map(line)
                        .collect(),
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &answers)?;
            return writeln!(out);
        }
        for (place, ((question, asked), found)) in answers.enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            text(out, asked, &universe.functions(question), found)?;
        }
        Ok(())
    })
    .context("cannot write the answer")?;
    Ok(if reached { Exit::Reached } else { Exit::Clean })
}

fn ask(args: &ExposedArgs, what: &str) -> Result<Asked> {
    if what.contains("::") {
        return Ok(Asked::Function(universe::name(what)?));
    }
    let dir = match &args.db {
        Some(dir) => dir.clone(),
        None => {
            let cache = default_cache_dir();
            let snapshot = cache.map(|cache| Snapshot::current(&cache, DEFAULT_URL));
            let snapshot = snapshot.transpose()?.flatten().ok_or_else(|| Usage {
                message: "there is no copy of the advisory database yet".to_owned(),
                hint: "run `palisade db update`, or give a directory with --db".to_owned(),
            })?;
            snapshot.dir
        }
    };
    let (database, _) =
        Database::open(&dir, &Default::default()).map_err(palisade_check::CheckError::from)?;
    let advisory = database.find(what).0.ok_or_else(|| Usage {
        message: format!("there is no advisory `{what}` in `{dir}`"),
        hint: "name an advisory by its id, or a function by its path, the crate first".to_owned(),
    })?;
    let mut names = Vec::new();
    for function in &advisory.functions {
        match &function.path {
            Ok(path) => names.extend(named(&advisory, path)),
            Err(error) => output::warn(&format!("{what}: `{}`: {error}", function.text)),
        }
    }
    if names.is_empty() {
        return Err(Usage {
            message: format!("{what} names no function"),
            hint: "ask for functions of its package by their paths".to_owned(),
        }
        .into());
    }
    Ok(Asked::Advisory(Box::new(advisory), names))
}

/// A function as an advisory names it; its crate is the package's where none
/// is named.
pub(in crate::commands) fn named(advisory: &Advisory, path: &FunctionPath) -> Option<FunctionName> {
    let mut segments: Vec<String> = path
        .segments
        .iter()
        .map(|segment| segment.name.clone())
        .collect();
    if let Some(qualified) = &path.qualified {
        let bare = qualified
            .self_type
            .split(['<', ' '])
            .next()
            .unwrap_or_default();
        let own = bare.rsplit("::").next().unwrap_or_default();
        segments.insert(0, own.to_owned());
    }
    let own = advisory.package.replace('-', "_");
    if path.crate_name() == Some(own.as_str()) && path.qualified.is_none() {
        segments.remove(0);
    }
    (!segments.is_empty()).then_some(FunctionName {
        krate: own,
        path: segments,
    })
}

fn line(exposure: &Exposure) -> Line<'_> {
    Line {
        package: &exposure.package,
        version: &exposure.version,
        krate: &exposure.krate,
        kind: exposure.kind.as_str(),
        when: exposure.when.map(when),
        dependents: exposure.dependents,
        blind_spots: exposure.blind_spots,
        path: exposure.path.iter().map(hop).collect(),
    }
}

fn hop(step: &Step) -> Hop<'_> {
    Hop {
        function: format!("{}::{}", step.krate, step.path),
        version: &step.version,
        file: &step.file,
        line: (step.line != 0).then_some(step.line),
        through: step.through.as_deref(),
    }
}

fn when(when: When) -> &'static str {
    match when {
        When::Run => "run",
        When::Build => "build",
    }
}

fn text(
    out: &mut dyn Write,
    asked: &str,
    functions: &[(String, String)],
    found: &[Exposure],
) -> std::io::Result<()> {
    writeln!(out, "{asked}")?;
    for (version, path) in functions {
        writeln!(out, "  is {path} {version}")?;
    }
    let exposed = found
        .iter()
        .filter(|exposure| exposure.when.is_some())
        .count();
    writeln!(
        out,
        "{exposed} of {} crates that it is linked or built with may reach it",
        found.len()
    )?;
    for exposure in found.iter().filter(|exposure| exposure.when.is_some()) {
        writeln!(out)?;
        writeln!(
            out,
            "{} {} ({} {}), {} dependents{}",
            exposure.package,
            exposure.version,
            exposure.kind.as_str(),
            exposure.krate,
            exposure.dependents,
            match exposure.when {
                Some(When::Build) => ", when it is built",
                _ => "",
            }
        )?;
        for step in &exposure.path {
            write!(out, "  {}::{}", step.krate, step.path)?;
            if step.line != 0 && !step.file.is_empty() {
                write!(out, "  {}:{}", step.file, step.line)?;
            }
            match &step.through {
                Some(method) => writeln!(out, "  (calls {method})")?,
                None => writeln!(out)?,
            }
        }
    }
    let mut listing = found
        .iter()
        .filter(|exposure| exposure.when.is_none())
        .peekable();
    if listing.peek().is_some() {
        writeln!(out, "\nonly linked with it:")?;
    }
    for exposure in listing {
        writeln!(
            out,
            "  {} {} ({} {}), {} places not followed",
            exposure.package,
            exposure.version,
            exposure.kind.as_str(),
            exposure.krate,
            exposure.blind_spots
        )?;
    }
    Ok(())
}
