//! A call graph for [Graphviz](https://graphviz.org/doc/info/lang.html).
//!
//! Functions are grouped by crate. What is only possible is dashed; what runs
//! at build time is grey.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_check::CallGraph;
use palisade_engine::Dispatch;
use palisade_model::Context;

/// Writes the call graph.
pub(crate) fn render(graph: &CallGraph, out: &mut dyn Write) -> io::Result<()> {
    let mut crates: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for (index, reached) in graph.functions.iter().enumerate() {
        let function = &reached.function;
        let key = (function.crate_name.as_str(), function.version.as_deref());
        crates.entry(key).or_default().push(index);
    }
    writeln!(out, "digraph callgraph {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  node [shape=box, fontname=\"monospace\"];")?;
    for (cluster, ((name, version), functions)) in crates.iter().enumerate() {
        let label = match version {
            Some(version) => format!("{name} {version}"),
            None => (*name).to_owned(),
        };
        writeln!(out, "  subgraph cluster_{cluster} {{")?;
        writeln!(out, "    label={};", quoted(&label))?;
        for &index in functions {
            let reached = &graph.functions[index];
            let style = if reached.possible {
                ", style=dashed"
            } else {
                ""
            };
            let colour = if reached.context == Context::Build {
                ", color=grey"
            } else {
                ""
            };
            writeln!(
                out,
                "    f{index} [label={}{style}{colour}];",
                quoted(&reached.function.path)
            )?;
        }
        writeln!(out, "  }}")?;
    }
    for call in &graph.calls {
        let attributes = match call.dispatch {
            Dispatch::Static => String::new(),
            Dispatch::BlindSpot => " [label=\"blind-spot\", style=dashed]".to_owned(),
            other => format!(" [label=\"{}\"]", other.as_str()),
        };
        writeln!(out, "  f{} -> f{}{attributes};", call.caller, call.callee)?;
    }
    writeln!(out, "}}")
}

/// A quoted string of the language, where a backslash starts an escape.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', " ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::call_graph;

    /// Guards the shape that Graphviz reads.
    #[test]
    fn graph() {
        let mut out = Vec::new();
        render(&call_graph(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        digraph callgraph {
          rankdir=LR;
          node [shape=box, fontname="monospace"];
          subgraph cluster_0 {
            label="app 0.1.0";
            f0 [label="app::main"];
          }
          subgraph cluster_1 {
            label="core";
            f1 [label="core::ptr::drop_in_place", color=grey];
          }
          subgraph cluster_2 {
            label="demo 1.0.0";
            f2 [label="demo::Core::search", style=dashed];
          }
          f0 -> f1 [label="drop"];
          f0 -> f2;
        }
        "#);
    }

    /// Guards against names that end the string.
    #[test]
    fn quotes() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }
}
