//! Everything that a program reaches, as data.

use std::collections::BTreeMap;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use palisade_engine::{Call, Collection, ReachedFunction, Request};
use palisade_model::{BlindSpot, Context};
use palisade_project::Plan;

use crate::cache::{Cache, Key};
use crate::session::{self, AnalysisOptions, Progress, Stage};
use crate::{CheckError, Workspace, check};

/// What the selected targets reach together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallGraph {
    /// One entry per definition and self type, sorted.
    pub functions: Vec<ReachedFunction>,
    /// The calls between them by index, sorted.
    pub calls: Vec<Call>,
    /// What could not be followed, sorted.
    pub blind_spots: Vec<BlindSpot>,
}

/// How to make a call graph.
#[derive(Clone)]
pub struct GraphOptions<'a> {
    /// How to analyse.
    pub analysis: AnalysisOptions,
    /// cargo's home directory, whose configuration decides what a build
    /// contains.
    pub cargo_home: Option<Utf8PathBuf>,
    /// Where answers are kept; `None` to neither read nor keep any.
    pub cache: Option<Cache>,
    /// Who wants to know how far it has come.
    pub progress: &'a dyn Progress,
}

/// The call graph of all selected targets as `render` renders it; from
/// the cache when it is still good. `format` names what `render` makes.
///
/// # Errors
/// As [`call_graph`], and when `render` fails.
pub fn rendered_call_graph(
    workspace: &Workspace,
    options: &GraphOptions<'_>,
    format: &str,
    render: &dyn Fn(&CallGraph, &mut dyn Write) -> io::Result<()>,
) -> Result<Vec<u8>, CheckError> {
    let toolchain = palisade_project::toolchain(&workspace.load).ok();
    let question = format!("callgraph {format}");
    let key = || {
        let (cache, toolchain) = options.cache.as_ref().zip(toolchain.as_ref())?;
        let home = options.cargo_home.as_deref();
        let key = Key::of(
            cache,
            workspace,
            &options.analysis,
            home,
            toolchain,
            &question,
        )?;
        Some((cache, key))
    };
    let before = key();
    if let Some((cache, key)) = &before
        && let Some(bytes) = cache.load_bytes(key)
    {
        return Ok(bytes);
    }
    let (plan, graph) = walk(workspace, &options.analysis, options.progress)?;
    let mut bytes = Vec::new();
    render(&graph, &mut bytes).map_err(|source| CheckError::Render { source })?;
    // Whatever changed while the analysis ran may or may not have been seen.
    if let (Some((cache, before)), Some((_, after))) = (before, key())
        && before == after
    {
        cache.store_bytes(&after, &bytes, &check::inputs(workspace, &plan));
    }
    Ok(bytes)
}

/// Walks all selected targets to the end.
///
/// # Errors
/// When the project cannot be read or the analysis cannot be started.
pub fn call_graph(
    workspace: &Workspace,
    options: &AnalysisOptions,
    progress: &dyn Progress,
) -> Result<CallGraph, CheckError> {
    Ok(walk(workspace, options, progress)?.1)
}

fn walk(
    workspace: &Workspace,
    options: &AnalysisOptions,
    progress: &dyn Progress,
) -> Result<(Plan, CallGraph), CheckError> {
    let plan = session::plan(workspace, progress)?;
    let engine = session::engine(workspace, &plan, options, progress)?;
    let mut collections = Vec::new();
    for target in &plan.targets {
        progress.stage(Stage::Walking(&target.label));
        let walked = |instances| progress.walked(instances);
        collections.push(engine.collect(&Request {
            target,
            goals: Vec::new(),
            paths: 1,
            build_context: true,
            record: true,
            progress: Some(&walked),
        })?);
    }
    drop(engine);
    Ok((plan, join(collections)))
}

/// Joins the walks of several targets. A function runs if it runs in any of
/// them, and is only possible if it is in all in which it runs.
fn join(collections: Vec<Collection>) -> CallGraph {
    if let [_] = collections.as_slice() {
        // The common case needs no copy: the engine's lists are sorted.
        return collections
            .into_iter()
            .map(|one| CallGraph {
                functions: one.functions,
                calls: one.calls,
                blind_spots: one.blind_spots,
            })
            .next()
            .unwrap_or_default();
    }
    let mut merged = BTreeMap::new();
    for reached in collections
        .iter()
        .flat_map(|collection| &collection.functions)
    {
        let known = merged
            .entry(&reached.function)
            .or_insert_with(|| reached.clone());
        known.body |= reached.body;
        known.inline_always |= reached.inline_always;
        match (known.context, reached.context) {
            (Context::Build, Context::Run) => {
                (known.context, known.possible) = (Context::Run, reached.possible);
            }
            (Context::Run, Context::Build) => {}
            _ => known.possible &= reached.possible,
        }
    }
    let index: BTreeMap<_, usize> = merged.keys().copied().zip(0..).collect();
    let mut calls = Vec::new();
    for collection in &collections {
        let place = |local: usize| index[&collection.functions[local].function];
        calls.extend(collection.calls.iter().map(|call| Call {
            caller: place(call.caller),
            callee: place(call.callee),
            ..call.clone()
        }));
    }
    calls.sort();
    calls.dedup();
    let mut blind_spots: Vec<BlindSpot> = collections
        .iter()
        .flat_map(|collection| collection.blind_spots.iter().cloned())
        .collect();
    blind_spots.sort();
    blind_spots.dedup();
    CallGraph {
        functions: merged.into_values().collect(),
        calls,
        blind_spots,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_engine::Dispatch;
    use palisade_model::Function;

    fn reached(name: &str, context: Context, possible: bool) -> ReachedFunction {
        let function = Function {
            crate_name: "demo".to_owned(),
            version: None,
            self_type: None,
            trait_name: None,
            name: name.to_owned(),
            path: format!("demo::{name}"),
            location: None,
        };
        ReachedFunction {
            function,
            body: true,
            inline_always: false,
            context,
            possible,
        }
    }

    fn call(caller: usize, callee: usize) -> Call {
        Call {
            caller,
            callee,
            site: None,
            dispatch: Dispatch::Static,
        }
    }

    /// Guards that one function has one line whatever targets reach it, that
    /// `run` wins, and that calls keep meaning the same functions.
    #[test]
    fn targets_are_joined() {
        let first = Collection {
            functions: vec![
                reached("b", Context::Build, true),
                reached("c", Context::Run, true),
            ],
            calls: vec![call(0, 1)],
            ..Collection::default()
        };
        let second = Collection {
            functions: vec![
                reached("a", Context::Run, false),
                reached("b", Context::Run, false),
            ],
            calls: vec![call(0, 1)],
            ..Collection::default()
        };
        let graph = join(vec![first, second]);
        assert_eq!(
            graph.functions,
            [
                reached("a", Context::Run, false),
                reached("b", Context::Run, false),
                reached("c", Context::Run, true),
            ]
        );
        assert_eq!(graph.calls, [call(0, 1), call(1, 2)]);
    }
}
