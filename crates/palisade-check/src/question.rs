//! From an advisory that matches to a question that the walk can answer.

use std::collections::HashSet;

use palisade_advisory::{FunctionPath, Match, Segment};
use palisade_engine::{
    Engine, EngineError, FunctionHandle, Goal, PathQuery, PathSegment, ResolutionKind,
};
use palisade_model::{Kind, Package};
use palisade_project::{Plan, UnitId, UnitKind};

use crate::foreign;

/// What an advisory asks about one package, whatever the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// What to look for.
    pub(crate) subject: Subject,
    /// Named functions that do not exist in this version.
    pub(crate) missing: Vec<String>,
    /// Whether foreign code may call the named functions too.
    pub(crate) foreign: bool,
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// These functions and macros.
    Functions(Vec<FunctionHandle>),
    /// Any function of the crate, and whatever its macros write.
    Crate(CrateLevel),
    /// The package is part of the build, but could not be loaded.
    NotLoaded,
}

/// Why a question is about the crate as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CrateLevel {
    /// The crate itself is the problem.
    Malicious,
    /// The advisory names no function for this version.
    NoFunctions,
    /// None of the functions exists in this version.
    AllMissing,
    /// It names something whose use is not a call: a constant, a type without
    /// methods. Or its path cannot be read.
    NotCallable(String),
    /// What it names is the standard library's own, which the package only
    /// passes on for this platform.
    StandardLibrary,
}

impl Question {
    /// Asks about a match whose package the build contains.
    ///
    /// # Errors
    /// When the engine is gone.
    pub(crate) fn ask(
        engine: &Engine,
        plan: &Plan,
        matched: &Match,
        units: &[UnitId],
    ) -> Result<Question, EngineError> {
        let crate_level = |level| Question {
            subject: Subject::Crate(level),
            missing: Vec::new(),
            foreign: false,
        };
        if matched.advisory.kind == Kind::Malicious {
            return Ok(crate_level(CrateLevel::Malicious));
        }
        let mut handles = Vec::new();
        let mut missing = Vec::new();
        let mut not_callable = None;
        let mut loaded = true;
        let mut standard = false;
        let mut named = 0;
        for function in matched.functions() {
            named += 1;
            let Ok(path) = &function.path else {
                not_callable.get_or_insert_with(|| function.text.clone());
                continue;
            };
            let query = query(path);
            match resolve(engine, plan, matched, units, &query)? {
                Found::Functions(found) => handles.extend(found),
                Found::NotCallable => {
                    not_callable.get_or_insert_with(|| function.text.clone());
                }
                Found::StandardLibrary => standard = true,
                Found::Missing => missing.push(function.text.clone()),
                Found::NotLoaded => loaded = false,
            }
        }
        let subject = match () {
            () if !loaded => Subject::NotLoaded,
            () if named == 0 => Subject::Crate(CrateLevel::NoFunctions),
            () if not_callable.is_some() => {
                Subject::Crate(CrateLevel::NotCallable(not_callable.unwrap_or_default()))
            }
            () if handles.is_empty() && standard => Subject::Crate(CrateLevel::StandardLibrary),
            () if handles.is_empty() => Subject::Crate(CrateLevel::AllMissing),
            () => {
                let mut seen = HashSet::new();
                handles.retain(|handle| seen.insert(*handle));
                Subject::Functions(handles)
            }
        };
        Ok(Question {
            foreign: matches!(subject, Subject::Functions(_)) && foreign::is_binding(plan, units),
            subject,
            missing,
        })
    }

    /// The question as a goal of a walk; `None` when no walk can answer it.
    pub(crate) fn goal(&self, plan: &Plan, units: &[UnitId]) -> Option<Goal> {
        match &self.subject {
            Subject::Functions(handles) => Some(Goal::Functions(handles.clone())),
            Subject::Crate(CrateLevel::Malicious) => Some(Goal::Units(units.to_vec())),
            Subject::Crate(_) => Some(library(plan, units)),
            Subject::NotLoaded => None,
        }
    }

    /// The further question whether the package is reached at all, where that
    /// decides what foreign code may do.
    pub(crate) fn foreign_goal(&self, plan: &Plan, units: &[UnitId]) -> Option<Goal> {
        self.foreign.then(|| library(plan, units))
    }
}

/// Any function of a package's library. That the package is configured when it
/// is built says nothing about it: the build script of nearly every package
/// that has one is run.
fn library(plan: &Plan, units: &[UnitId]) -> Goal {
    let is_script = |id: &&UnitId| plan.units[id.0].kind == UnitKind::BuildScript;
    let library: Vec<UnitId> = units.iter().filter(|id| !is_script(id)).copied().collect();
    Goal::Units(match library.is_empty() {
        true => units.to_vec(),
        false => library,
    })
}

enum Found {
    Functions(Vec<FunctionHandle>),
    NotCallable,
    /// Only functions that the standard library defines.
    StandardLibrary,
    Missing,
    NotLoaded,
}

/// Resolves one path in the package, or for the standard library in each of
/// its crates, since `std` re-exports what `core` and `alloc` define.
fn resolve(
    engine: &Engine,
    plan: &Plan,
    matched: &Match,
    units: &[UnitId],
    query: &PathQuery,
) -> Result<Found, EngineError> {
    let is_sysroot = |id: &&UnitId| plan.units[id.0].kind == UnitKind::Sysroot;
    let about_standard = units.iter().any(|id| is_sysroot(&id));
    let mut packages: Vec<&Package> = match about_standard {
        true => units
            .iter()
            .filter(is_sysroot)
            .map(|id| &plan.units[id.0].package)
            .collect(),
        false => vec![&matched.package],
    };
    packages.sort();
    packages.dedup();
    let mut found = Found::NotLoaded;
    for package in packages {
        let resolution = engine.resolve(package, query)?;
        // A package may pass on a function of the standard library where that
        // suffices. It is then no code of the package's: who calls the standard
        // library by itself does not use the package.
        let own: Vec<FunctionHandle> = resolution
            .functions
            .iter()
            .filter(|(_, function)| about_standard || function.version.is_some())
            .map(|&(handle, _)| handle)
            .collect();
        let this = match resolution.kind {
            ResolutionKind::Value => Found::NotCallable,
            ResolutionKind::Missing => Found::Missing,
            ResolutionKind::NotLoaded => Found::NotLoaded,
            // A type without methods, a module without functions.
            _ if resolution.functions.is_empty() => Found::NotCallable,
            _ if own.is_empty() => Found::StandardLibrary,
            _ => Found::Functions(own),
        };
        match this {
            Found::Functions(_) | Found::NotCallable | Found::StandardLibrary => return Ok(this),
            Found::Missing => found = Found::Missing,
            Found::NotLoaded => {}
        }
    }
    Ok(found)
}

/// A path in the engine's terms. The trait in `<T as Trait>::method` is not
/// kept: the path then means every method of that name that the type has.
pub(crate) fn query(path: &FunctionPath) -> PathQuery {
    let qualified = path
        .qualified
        .as_ref()
        .and_then(|qualified| FunctionPath::parse(&qualified.self_type).ok());
    let own = qualified
        .iter()
        .flat_map(|path| &path.segments)
        .chain(&path.segments);
    PathQuery {
        segments: own.map(segment).collect(),
    }
}

fn segment(segment: &Segment) -> PathSegment {
    PathSegment {
        name: segment.name.clone(),
        generics: segment.generics.clone(),
    }
}
