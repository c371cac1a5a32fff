//! `palisade ecosystem callers`.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use palisade_graph::{Meant, Question};
use palisade_tables::{Hop, Search, Tables};
use semver::{Version, VersionReq};
use serde::Serialize;

use super::graph;
use crate::cli::WhyFormat;
use crate::ecosystem_args::CallersArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer {
    schema: u32,
    functions: Vec<String>,
    /// All callers, not only those that are listed.
    total: usize,
    direct: usize,
    callers: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    package: String,
    version: String,
    #[serde(rename = "crate")]
    krate: String,
    path: String,
    file: Option<String>,
    line: Option<u32>,
    how: &'static str,
    /// Calls between the caller and the function.
    distance: usize,
}

/// A caller: the node, what it calls on the way, how, and how far away.
type Found = (u32, u32, &'static str, usize);

pub(crate) fn run(args: &CallersArgs) -> Result<Exit> {
    let requirement = args.versions.as_deref().map(VersionReq::parse);
    let requirement = requirement.transpose().map_err(|error| Usage {
        message: format!("--versions is no requirement: {error}"),
        hint: "write it as in a Cargo.toml, as in `<0.15`".to_owned(),
    })?;
    let versions = |version: &Version| {
        let known = requirement.as_ref();
        known.is_none_or(|requirement| requirement.matches(version))
    };
    let question = Question {
        names: vec![graph::name(&args.function)?],
        versions: &versions,
    };
    let opened = graph::open(&args.graph)?;
    let view = opened.view();
    let meant = Meant::of(&view, &question);
    if meant.is_empty() {
        return Err(graph::unknown(&args.function).into());
    }
    let search = Search::new(&view, graph::threads());
    let direct = search.direct(&meant.start);
    let mut found: Vec<Found> = direct
        .iter()
        .filter(|(caller, _, _)| !meant.start.nodes.contains(caller))
        .map(|&(caller, next, hop)| (caller, next, how(hop), 0))
        .collect();
    let directs = found.len();
    let mut total = directs;
    if args.transitive {
        let reached = search.transitive(&meant.start);
        let known: std::collections::BTreeSet<u32> = found.iter().map(|it| it.0).collect();
        total = reached.len().max(directs);
        // The nearest ones are listed; a sweep goes level by level, so a
        // few candidates more than the limit are enough to look at.
        let mut far: Vec<Found> = Vec::new();
        for node in reached.nodes().filter(|node| !known.contains(node)) {
            let way = reached.way(node);
            let next = way.get(1).copied().unwrap_or(node);
            far.push((node, next, "call", way.len().saturating_sub(2).max(1)));
            if far.len() >= CANDIDATES.max(4 * args.limit.get()) {
                break;
            }
        }
        far.sort_by_key(|it| (it.3, it.0));
        found.extend(far);
    }
    found.truncate(args.limit.get());
    // Asked only of those that are listed: a hub has many callers.
    for (caller, next, way, distance) in &mut found {
        if *distance > 0
            && let Some(hop) = search.hop(*caller, *next)
        {
            *way = how(hop);
        }
    }
    let lines = lines(&opened.tables, &found);
    let answer = Answer {
        schema: 1,
        functions: meant
            .functions
            .iter()
            .map(|(version, path)| format!("{path} {version}").trim_end().to_owned())
            .collect(),
        total,
        direct: directs,
        callers: lines,
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

/// How many far callers are looked at for the nearest ones.
const CANDIDATES: usize = 100_000;

fn how(hop: Hop) -> &'static str {
    match hop {
        Hop::Named => "call",
        Hop::Typed | Hop::Open => "trait",
        Hop::Drop => "drop",
    }
}

fn lines(tables: &Tables, found: &[Found]) -> Vec<Line> {
    let mut files: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut lines: Vec<Line> = found
        .iter()
        .map(|&(node, next, how, distance)| {
            let krate = tables.node_crate(node);
            let (package, name, _) = tables.lib_names(tables.crate_lib(krate));
            let (start, file) = tables.node_place(node);
            let files = files.entry(krate).or_insert_with(|| tables.files(krate));
            let line = tables.call_line(node, next);
            Line {
                package: package.to_owned(),
                version: tables.version(krate).to_owned(),
                krate: name.to_owned(),
                path: tables.symbol_name(tables.node_symbol(node)).1,
                file: files
                    .get(file as usize)
                    .filter(|it| !it.is_empty())
                    .cloned(),
                line: [line, start].into_iter().find(|line| *line != 0),
                how,
                distance,
            }
        })
        .collect();
    lines.sort_by(|a, b| {
        let key = |it: &Line| {
            (
                it.distance,
                it.package.clone(),
                Version::parse(&it.version).ok(),
                it.krate.clone(),
                it.path.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    lines
}

fn text(out: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    for function in &answer.functions {
        writeln!(out, "{function}")?;
    }
    writeln!(
        out,
        "{} direct callers, {} in all",
        answer.direct, answer.total
    )?;
    let mut package = None;
    for caller in &answer.callers {
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
        if let (Some(file), Some(line)) = (&caller.file, caller.line) {
            write!(out, "  {file}:{line}")?;
        }
        match caller.how {
            "call" => writeln!(out)?,
            how => writeln!(out, "  ({how})")?,
        }
    }
    if answer.callers.len() < answer.total {
        writeln!(
            out,
            "\n{} more, see --limit",
            answer.total - answer.callers.len()
        )?;
    }
    Ok(())
}
