//! What `exposed` says of an application, beside what a check reaches.
//!
//! The call graph of a whole application decides: a function that it reaches
//! must be exposed, and of those that it does not reach, not even through a
//! blind spot, most should not be. Functions are told by the file and line of
//! their definition.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result};
use camino::Utf8Path;
use palisade_index::Lockfile;
use serde::Deserialize;
use serde_json::Value;

use super::json;
use crate::accuracy::targets::{self, Set, Target};
use crate::process;

/// Crates of each application that are asked about.
const CRATES: usize = 8;

/// Functions of each crate: so many that are reached, and so many that are not.
const FUNCTIONS: usize = 3;

/// One application's answers.
#[derive(Default)]
struct Tally {
    /// Reached by the check, and how many of those are exposed.
    reached: usize,
    exposed: usize,
    /// Not reached by the check, and how many of those are not exposed.
    unreached: usize,
    spared: usize,
    /// Reached, but not exposed.
    missed: Vec<String>,
}

/// Asks about functions of the first `most` applications.
///
/// # Errors
/// Palisade or cargo fails.
pub(super) fn measure(palisade: &Utf8Path, most: usize, scratch: &Utf8Path) -> Result<String> {
    let graph = scratch.join("truth");
    let mut rows = String::new();
    let mut all = Tally::default();
    let mut count = 0;
    for target in targets::select(Set::All, &[], true)?.into_iter().take(most) {
        let tally = application(palisade, target, &graph, scratch)?;
        eprintln!(
            "{} {}: {} of {} reached exposed, {} of {} others spared",
            target.name,
            target.version,
            tally.exposed,
            tally.reached,
            tally.spared,
            tally.unreached
        );
        writeln!(
            rows,
            "| {} {} | {} | {} | {} | {} |",
            target.name,
            target.version,
            tally.reached,
            tally.exposed,
            tally.unreached,
            tally.spared
        )?;
        count += 1;
        all.reached += tally.reached;
        all.exposed += tally.exposed;
        all.unreached += tally.unreached;
        all.spared += tally.spared;
        all.missed.extend(tally.missed);
    }
    let share = |part: usize, of: usize| 100.0 * part as f64 / of.max(1) as f64;
    let mut text = format!(
        "\n## Truth\n\
         For {count} applications, functions of their dependencies: some that the whole call graph of the application reaches (`palisade callgraph`), and as many that it does not reach, blind spots included.\n\
         `palisade ecosystem exposed --lock` must name the application for each of the former.\n\
         It names it for {:.2} % of {} reached functions and spares {:.1} % of {} that are not reached.\n\n\
         | application | reached | of these exposed | not reached | of these not exposed |\n|---|---|---|---|---|\n{rows}",
        share(all.exposed, all.reached),
        all.reached,
        share(all.spared, all.unreached),
        all.unreached,
    );
    if !all.missed.is_empty() {
        writeln!(text, "\nReached, but not exposed:\n")?;
        for missed in &all.missed {
            writeln!(text, "- {missed}")?;
        }
    }
    Ok(text)
}

fn application(
    palisade: &Utf8Path,
    target: &Target,
    graph: &Utf8Path,
    scratch: &Utf8Path,
) -> Result<Tally> {
    let source = target.source()?;
    let lockfile = source.join("Cargo.lock");
    let mut build = process::command(palisade);
    build
        .args(["ecosystem", "build", graph.as_str(), "--format", "json"])
        .args(["--from-lock", lockfile.as_str()]);
    json(&mut build)?;
    let certain = call_graph(palisade, target, scratch)?;
    let (asked, mut tally) = choose(palisade, &lockfile, graph, &certain)?;
    if asked.is_empty() {
        return Ok(tally);
    }
    let mut exposed = process::command(palisade);
    exposed
        .args(["ecosystem", "exposed", "--graph", graph.as_str()])
        .args(["--lock", lockfile.as_str(), "--format", "json"])
        .args(asked.iter().map(|(name, _)| name));
    let answers = json(&mut exposed)?;
    let answers = answers.as_array().context("the answers are no list")?;
    for ((name, reached), answer) in asked.iter().zip(answers) {
        let exposed = answer["exposed"].as_array().map_or(&[][..], Vec::as_slice);
        let named = exposed.iter().any(|line| {
            line["kind"] == "binary" && line["when"] == "run" && line["package"] == target.name
        });
        match (reached, named) {
            (true, true) => tally.exposed += 1,
            (true, false) => {
                let version = target.version;
                tally
                    .missed
                    .push(format!("`{name}` in {} {version}", target.name));
            }
            (false, false) => tally.spared += 1,
            (false, true) => {}
        }
    }
    Ok(tally)
}

/// Where functions are defined: the file, from its package's directory on, and
/// the line.
type Place = (String, u64);

#[derive(Default)]
struct CallGraph {
    reached: BTreeSet<Place>,
    possible: BTreeSet<Place>,
}

#[derive(Deserialize)]
struct FunctionLine {
    file: Option<String>,
    line: Option<u64>,
    context: String,
    #[serde(default)]
    possible: bool,
}

fn call_graph(palisade: &Utf8Path, target: &Target, scratch: &Utf8Path) -> Result<CallGraph> {
    let source = target.source()?;
    let output = scratch.join("callgraph.jsonl");
    let file = std::fs::File::create(&output).with_context(|| format!("cannot create {output}"))?;
    let mut command = process::command(palisade);
    command
        .args(["callgraph", source.as_str(), "--bin", target.bin])
        .args(["--format", "jsonl"]);
    process::measure(command.stdout(file))?;
    let mut graph = CallGraph::default();
    let file = std::fs::File::open(&output).with_context(|| format!("cannot read {output}"))?;
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("cannot read {output}"))?;
        if !line.starts_with("{\"kind\":\"function\"") {
            continue;
        }
        let line: FunctionLine = serde_json::from_str(&line).context("not a call graph")?;
        let (Some(file), Some(number)) = (line.file, line.line) else {
            continue;
        };
        let place = (from_package(&file), number);
        // What only the build runs is not what the program reaches, but no
        // proof of the contrary either.
        if line.possible || line.context != "run" {
            graph.possible.insert(place);
        } else {
            graph.reached.insert(place);
        }
    }
    Ok(graph)
}

/// A path from `name-version/` on, as cargo unpacks packages.
fn from_package(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').collect();
    let at = parts.iter().rposition(|part| {
        part.rsplit_once('-')
            .is_some_and(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
    });
    parts[at.unwrap_or_default()..].join("/")
}

/// Functions to ask about, each with whether the check reaches it: of the
/// packages of which a program has one version, every so many.
fn choose(
    palisade: &Utf8Path,
    lockfile: &Utf8Path,
    graph: &Utf8Path,
    certain: &CallGraph,
) -> Result<(Vec<(String, bool)>, Tally)> {
    let lock = Lockfile::open(lockfile).with_context(|| format!("cannot read {lockfile}"))?;
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock.published() {
        let known = versions.entry(package.name.clone()).or_default();
        known.push(package.version.to_string());
    }
    versions.retain(|_, versions| versions.len() == 1);
    // Only packages that the program uses at all say something.
    versions.retain(|name, versions| {
        let directory = format!("{name}-{}/", versions[0]);
        certain
            .reached
            .iter()
            .any(|(file, _)| file.starts_with(&directory))
    });
    let step = versions.len().div_ceil(CRATES).max(1);
    let mut asked = Vec::new();
    let mut tally = Tally::default();
    for (name, version) in versions.iter().step_by(step) {
        let version = &version[0];
        let mut list = process::command(palisade);
        list.args(["ecosystem", "functions", &format!("{name}@{version}")])
            .args(["--graph", graph.as_str(), "--format", "json"]);
        let Ok(Value::Array(lines)) = json(&mut list) else {
            continue;
        };
        let mut places: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        for line in &lines {
            let text = |key: &str| line[key].as_str();
            let (Some(krate), Some(path), Some(file)) = (text("crate"), text("path"), text("file"))
            else {
                continue;
            };
            if text("kind") != Some("library") {
                continue;
            }
            let place = format!("{name}-{version}/{file}");
            let number = line["line"].as_u64().unwrap_or_default();
            let names = places.entry((place, number)).or_default();
            names.push(format!("{krate}::{path}"));
        }
        // One name may stand for several functions, and one place, in a macro,
        // for many.
        let mut count: BTreeMap<&String, usize> = BTreeMap::new();
        for name in places.values().flatten() {
            *count.entry(name).or_default() += 1;
        }
        for wanted in [true, false] {
            let of: Vec<&String> = places
                .iter()
                .filter(|(place, names)| {
                    let reached = certain.reached.contains(*place);
                    let alone = names.len() == 1 && count[&names[0]] == 1;
                    alone && reached == wanted && (reached || !certain.possible.contains(*place))
                })
                .map(|(_, names)| &names[0])
                .collect();
            let step = of.len().div_ceil(FUNCTIONS).max(1);
            for function in of.into_iter().step_by(step) {
                match wanted {
                    true => tally.reached += 1,
                    false => tally.unreached += 1,
                }
                asked.push((function.clone(), wanted));
            }
        }
    }
    Ok((asked, tally))
}

#[cfg(test)]
mod tests {
    use super::from_package;

    /// Guards the one thing by which two graphs are compared.
    #[test]
    fn files_are_told_by_their_package() {
        assert_eq!(
            from_package("/home/u/registry/src/x-0123/regex-automata-0.4.8/src/dfa/mod.rs"),
            "regex-automata-0.4.8/src/dfa/mod.rs"
        );
        assert_eq!(from_package("a-1.0.0/src/lib.rs"), "a-1.0.0/src/lib.rs");
        assert_eq!(from_package("src/main.rs"), "src/main.rs");
    }
}
