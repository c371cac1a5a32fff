//! The answer to `palisade why`.

use std::io::{self, Write};

use camino::Utf8Path;
use palisade_check::{Answer, Project, Why};
use palisade_model::{Context, Report, Verdict};
use serde::Serialize;

use super::View;
use super::json::{JsonBlindSpot, JsonHop, blind_spot, hops};
use super::text::{printable, write_path};

/// Functions listed before "and more".
const MOST_FUNCTIONS: usize = 10;

/// Writes the answer for people.
pub(crate) fn text(query: &str, why: &Why, root: &Utf8Path, out: &mut dyn Write) -> io::Result<()> {
    for named in &why.named {
        writeln!(out, "{} in {} means:", printable(query), named.package)?;
        for function in named.functions.iter().take(MOST_FUNCTIONS) {
            writeln!(out, "  {}", printable(&function.path))?;
        }
        if named.functions.len() > MOST_FUNCTIONS {
            writeln!(
                out,
                "  … and {} more",
                named.functions.len() - MOST_FUNCTIONS
            )?;
        }
    }
    let report = Report {
        blind_spots: why.blind_spots.clone(),
        ..Report::default()
    };
    let project = Project {
        root: root.to_owned(),
        ..Project::default()
    };
    let view = View {
        report: &report,
        project: &project,
        paths: usize::MAX,
        timestamp: 0,
    };
    for answer in &why.answers {
        writeln!(out, "\n{}: {}", answer.target, words(answer))?;
        for path in &answer.paths {
            write_path(&view, path, out)?;
        }
        for spot in answer
            .blind_spots
            .iter()
            .filter_map(|&index| why.blind_spots.get(index))
        {
            let place = view.plain_place(&spot.location);
            writeln!(
                out,
                "  because: {}",
                printable(&format!(
                    "{}: {} at {place}",
                    spot.cause.as_str(),
                    spot.detail
                ))
            )?;
        }
    }
    Ok(())
}

fn words(answer: &Answer) -> &'static str {
    match (answer.verdict, answer.context) {
        (Verdict::Reached, Context::Run) => "reached",
        (Verdict::Reached, Context::Build) if answer.blind_spots.is_empty() => {
            "reached at build time"
        }
        (Verdict::Reached, Context::Build) => "reached at build time, possibly at run time too",
        (Verdict::Unknown, _) => "unknown: only what could not be followed may lead there",
        (Verdict::NotReached, _) => "not reached",
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    query: &'a str,
    functions: Vec<JsonFunction<'a>>,
    targets: Vec<JsonAnswer<'a>>,
    blind_spots: Vec<JsonBlindSpot<'a>>,
}

#[derive(Serialize)]
struct JsonFunction<'a> {
    package: &'a str,
    version: String,
    function: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
}

#[derive(Serialize)]
struct JsonAnswer<'a> {
    target: &'a str,
    verdict: &'static str,
    context: &'static str,
    paths: Vec<Vec<JsonHop<'a>>>,
    blind_spots: &'a [usize],
}

/// Writes the answer for programs.
pub(crate) fn json(query: &str, why: &Why, out: &mut dyn Write) -> io::Result<()> {
    let functions = why.named.iter().flat_map(|named| {
        named.functions.iter().map(|function| JsonFunction {
            package: &named.package.name,
            version: named.package.version.to_string(),
            function: &function.path,
            file: function
                .location
                .as_ref()
                .map(|location| location.file.as_str()),
            line: function.location.as_ref().map(|location| location.line),
        })
    });
    let targets = why.answers.iter().map(|answer| JsonAnswer {
        target: &answer.target,
        verdict: answer.verdict.as_str(),
        context: answer.context.as_str(),
        paths: answer.paths.iter().map(|path| hops(path)).collect(),
        blind_spots: &answer.blind_spots,
    });
    let document = Document {
        schema: 1,
        query,
        functions: functions.collect(),
        targets: targets.collect(),
        blind_spots: why.blind_spots.iter().map(blind_spot).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
