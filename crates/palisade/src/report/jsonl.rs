//! A call graph as lines of JSON, the format that other tools read.
//!
//! First one line per function, then one per call, then one per blind spot,
//! each sorted. `docs/json.md` describes the fields; their order is fixed.

use std::io::{self, Write};

use palisade_check::CallGraph;
use palisade_engine::{Call, ReachedFunction};
use palisade_model::{BlindSpot, Location};
use serde::Serialize;

#[derive(Serialize)]
struct FunctionLine<'a> {
    kind: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'a str,
    version: Option<&'a str>,
    self_type: Option<&'a str>,
    #[serde(rename = "trait")]
    trait_name: Option<&'a str>,
    name: &'a str,
    path: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    body: bool,
    inline_always: bool,
    context: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    possible: bool,
}

#[derive(Serialize)]
struct CallLine<'a> {
    kind: &'static str,
    caller: &'a str,
    callee: &'a str,
    caller_index: usize,
    callee_index: usize,
    site: Option<Site<'a>>,
    dispatch: &'static str,
}

#[derive(Serialize)]
struct Site<'a> {
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct BlindSpotLine<'a> {
    kind: &'static str,
    file: &'a str,
    line: u32,
    cause: &'static str,
    may_reach: &'a [String],
    detail: &'a str,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// Writes the call graph.
pub(crate) fn render(graph: &CallGraph, out: &mut dyn Write) -> io::Result<()> {
    for function in &graph.functions {
        line(out, &function_line(function))?;
    }
    for call in &graph.calls {
        line(out, &call_line(graph, call))?;
    }
    for spot in &graph.blind_spots {
        line(out, &blind_spot_line(spot))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn function_line(reached: &ReachedFunction) -> FunctionLine<'_> {
    let function = &reached.function;
    FunctionLine {
        kind: "function",
        crate_name: &function.crate_name,
        version: function.version.as_deref(),
        self_type: function.self_type.as_deref(),
        trait_name: function.trait_name.as_deref(),
        name: &function.name,
        path: &function.path,
        file: function
            .location
            .as_ref()
            .map(|location| location.file.as_str()),
        line: function.location.as_ref().map(|location| location.line),
        body: reached.body,
        inline_always: reached.inline_always,
        context: reached.context.as_str(),
        possible: reached.possible,
    }
}

fn call_line<'a>(graph: &'a CallGraph, call: &'a Call) -> CallLine<'a> {
    CallLine {
        kind: "call",
        caller: &graph.functions[call.caller].function.path,
        callee: &graph.functions[call.callee].function.path,
        caller_index: call.caller,
        callee_index: call.callee,
        site: call
            .site
            .as_ref()
            .map(|Location { file, line }| Site { file, line: *line }),
        dispatch: call.dispatch.as_str(),
    }
}

fn blind_spot_line(spot: &BlindSpot) -> BlindSpotLine<'_> {
    BlindSpotLine {
        kind: "blind_spot",
        file: &spot.location.file,
        line: spot.location.line,
        cause: spot.cause.as_str(),
        may_reach: &spot.may_reach,
        detail: &spot.detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::call_graph;

    /// Guards the contract: these fields, in this order, and `possible` only
    /// where it is so.
    #[test]
    fn lines() {
        let mut out = Vec::new();
        render(&call_graph(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {"kind":"function","crate":"app","version":"0.1.0","self_type":null,"trait":null,"name":"main","path":"app::main","file":"src/main.rs","line":3,"body":true,"inline_always":false,"context":"run"}
        {"kind":"function","crate":"core","version":null,"self_type":null,"trait":null,"name":"drop_in_place","path":"core::ptr::drop_in_place","file":null,"line":null,"body":true,"inline_always":false,"context":"build"}
        {"kind":"function","crate":"demo","version":"1.0.0","self_type":"Core","trait":"Strategy","name":"search","path":"demo::Core::search","file":"/d/demo-1.0.0/src/lib.rs","line":7,"body":true,"inline_always":false,"context":"run","possible":true}
        {"kind":"call","caller":"app::main","callee":"core::ptr::drop_in_place","caller_index":0,"callee_index":1,"site":null,"dispatch":"drop"}
        {"kind":"call","caller":"app::main","callee":"demo::Core::search","caller_index":0,"callee_index":2,"site":{"file":"src/main.rs","line":4},"dispatch":"static"}
        {"kind":"blind_spot","file":"src/main.rs","line":12,"cause":"unexpanded-macro","may_reach":["macros"],"detail":"macros::generate!"}
        "#);
    }
}
