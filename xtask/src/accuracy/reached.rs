//! What Palisade reaches: the lines of `palisade callgraph --format jsonl`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Deserialize;

use super::{Function, settled, targets::Target};
use crate::process;

/// The functions of one call graph, those of the standard library left out.
#[derive(Default)]
pub(super) struct CallGraph {
    /// Reached for certain, with a body, each with its place.
    pub(super) reached: BTreeMap<Function, String>,
    /// Reached only through blind spots.
    pub(super) possible: BTreeSet<Function>,
    /// Always inlined: these have no symbol.
    pub(super) always_inlined: BTreeSet<Function>,
    /// Only declared: `extern` blocks.
    pub(super) declared: BTreeSet<Function>,
    /// Blind spots by cause.
    pub(super) blind_spots: BTreeMap<String, usize>,
    /// How long the run took.
    pub(super) took: Duration,
    /// Its peak memory in bytes, where the system tells.
    pub(super) peak_memory: Option<u64>,
}

/// Runs Palisade on a target and reads what it prints.
///
/// # Errors
///
/// When Palisade fails or prints something else.
pub(super) fn run(
    palisade: &Utf8Path,
    target: &Target,
    expand_macros: bool,
    output: &Utf8Path,
) -> Result<CallGraph> {
    let source = target.source()?;
    let mut command = process::command(palisade);
    command
        .args(["callgraph", source.as_str(), "--bin", target.bin])
        .args(["--format", "jsonl"]);
    if expand_macros {
        command.arg("--expand-macros");
    }
    let file = std::fs::File::create(output).with_context(|| format!("cannot create {output}"))?;
    let usage = process::measure(command.stdout(file))?;
    let mut graph = read(output)?;
    graph.took = usage.took;
    graph.peak_memory = usage.peak_memory;
    Ok(graph)
}

/// Reads a call graph that was written to a file.
///
/// # Errors
///
/// When the file is unreadable or a line has another form.
pub(super) fn read(path: &Utf8Path) -> Result<CallGraph> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {path}"))?;
    let mut graph = CallGraph::default();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {path}"))?;
        // Calls are most of the lines and say nothing here.
        if line.starts_with("{\"kind\":\"call\"") {
            continue;
        }
        let line: Line = serde_json::from_str(&line)
            .with_context(|| format!("{path}:{}: not a call graph", number + 1))?;
        graph.add(line);
    }
    let certain = &graph.reached;
    graph
        .possible
        .retain(|function| !certain.contains_key(function));
    Ok(graph)
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Function(FunctionLine),
    BlindSpot {
        cause: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct FunctionLine {
    #[serde(rename = "crate")]
    krate: String,
    version: Option<String>,
    self_type: Option<String>,
    #[serde(rename = "trait")]
    trait_name: Option<String>,
    name: String,
    #[serde(default)]
    path: String,
    file: Option<String>,
    line: Option<u32>,
    body: bool,
    inline_always: bool,
    context: String,
    #[serde(default)]
    possible: bool,
}

impl CallGraph {
    fn add(&mut self, line: Line) {
        let line = match line {
            Line::Function(line) => line,
            Line::BlindSpot { cause } => {
                *self.blind_spots.entry(cause).or_default() += 1;
                return;
            }
            Line::Other => return,
        };
        // The standard library's functions carry no version.
        if line.version.is_none() || line.context != "run" {
            return;
        }
        let function = Function {
            krate: line.krate,
            self_type: line.self_type.map(settled),
            trait_name: line.trait_name,
            name: line.name,
        };
        if !line.body {
            self.declared.insert(function);
        } else if line.inline_always {
            self.always_inlined.insert(function);
        } else if line.possible {
            self.possible.insert(function);
        } else {
            let place = match (line.file, line.line) {
                (Some(file), Some(number)) => format!("{} {file}:{number}", line.path),
                _ => line.path,
            };
            self.reached.entry(function).or_insert(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the contract of the format: what counts, and what is set apart.
    #[test]
    fn sorts_lines_by_what_they_count_as() {
        let line = |name: &str, rest: &str| {
            format!(
                r#"{{"kind":"function","crate":"a","version":"1.0.0","self_type":"S","trait":null,"name":"{name}","path":"a::S::{name}","file":"a.rs","line":3,{rest}}}"#
            )
        };
        let text = [
            line("f", r#""body":true,"inline_always":false,"context":"run""#),
            line("g", r#""body":true,"inline_always":true,"context":"run""#),
            line("h", r#""body":false,"inline_always":false,"context":"run""#),
            line("i", r#""body":true,"inline_always":false,"context":"build""#),
            line("j", r#""body":true,"inline_always":false,"context":"run","possible":true"#),
            line("f", r#""body":true,"inline_always":false,"context":"run","possible":true"#),
            r#"{"kind":"function","crate":"core","version":null,"self_type":null,"trait":null,"name":"k","path":"core::k","file":null,"line":null,"body":true,"inline_always":false,"context":"run"}"#.to_owned(),
            r#"{"kind":"call","caller":0,"callee":1}"#.to_owned(),
            r#"{"kind":"blind_spot","file":"a.rs","line":1,"cause":"limit-hit","may_reach":[]}"#.to_owned(),
        ]
        .join("\n");
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("graph.jsonl");
        std::fs::write(&path, text).unwrap();

        let graph = read(&path).unwrap();
        let names = |functions: Vec<&Function>| -> Vec<String> {
            functions
                .iter()
                .map(|function| function.name.clone())
                .collect()
        };
        assert_eq!(names(graph.reached.keys().collect()), ["f"]);
        assert_eq!(names(graph.always_inlined.iter().collect()), ["g"]);
        assert_eq!(names(graph.declared.iter().collect()), ["h"]);
        assert_eq!(names(graph.possible.iter().collect()), ["j"]);
        assert_eq!(graph.blind_spots["limit-hit"], 1);

        std::fs::write(&path, "palisade: error").unwrap();
        assert!(read(&path).is_err());
    }
}
