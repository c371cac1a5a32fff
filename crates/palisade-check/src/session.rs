//! A plan and the engine that has loaded it.

use std::ops::Deref;

use palisade_engine::{Engine, Expansion, Limits, LoadOptions};
use palisade_project::Plan;

use crate::{CheckError, Workspace};

/// How to analyse.
#[derive(Clone, Debug)]
pub struct AnalysisOptions {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Expand procedural macros and run build scripts for real: **executes
    /// code of the workspace and of its dependencies, as `cargo build` does**.
    pub expand_macros: bool,
    /// Bounds on what the analysis may cost.
    pub limits: Limits,
    /// Leave freeing the analysed program's memory to the end of the process:
    /// piece by piece that takes a second or more.
    pub one_shot: bool,
}

/// Does not free the engine when nothing else runs in this process.
pub(crate) struct Session {
    engine: Option<Engine>,
    one_shot: bool,
}

impl Deref for Session {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.engine.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.one_shot {
            std::mem::forget(self.engine.take());
        }
    }
}

/// Who wants to know how far an analysis has come.
pub trait Progress: Sync {
    /// A new stage begins.
    fn stage(&self, stage: Stage<'_>);
    /// The walk has handled so many functions.
    fn walked(&self, instances: usize);
}

/// A stage of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'a> {
    /// Asking cargo what belongs to the build.
    Planning,
    /// Building the project for real, and reading so many crates.
    Building(usize),
    /// Reading so many crates.
    Loading(usize),
    /// Walking from a target's entry points.
    Walking(&'a str),
}

/// Progress that nobody wants to see.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn stage(&self, _stage: Stage<'_>) {}
    fn walked(&self, _instances: usize) {}
}

/// Asks cargo for the plan.
pub(crate) fn plan(workspace: &Workspace, progress: &dyn Progress) -> Result<Plan, CheckError> {
    progress.stage(Stage::Planning);
    Ok(palisade_project::load(&workspace.load)?)
}

/// Loads the plan into an engine.
pub(crate) fn engine(
    workspace: &Workspace,
    plan: &Plan,
    options: &AnalysisOptions,
    progress: &dyn Progress,
) -> Result<Session, CheckError> {
    let crates = plan.units.len();
    let expansion = if options.expand_macros {
        progress.stage(Stage::Building(crates));
        Expansion::Execute {
            project: Box::new(workspace.load.clone()),
        }
    } else {
        progress.stage(Stage::Loading(crates));
        Expansion::InProcess
    };
    let load = LoadOptions {
        threads: options.threads,
        expansion,
        limits: options.limits.clone(),
    };
    Ok(Session {
        engine: Some(Engine::load(plan, &load)?),
        one_shot: options.one_shot,
    })
}
