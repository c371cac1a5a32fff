//! From an advisory that matches to a question that the walk can answer.

use std::collections::HashSet;

use palisade_advisory::{FunctionPath, Match, Segment};
use palisade_engine::{
    Engine, EngineError, FunctionHandle, Goal, PathQuery, PathSegment, ResolutionKind,
};
use palisade_model::{Kind, Package};
use palisade_project::{Plan, UnitId, UnitKind};

/// What an advisory asks about one package, whatever the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// What to look for.
    pub(crate) subject: Subject,
    /// Named functions that do not exist in this version.
    pub(crate) missing: Vec<String>,
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// These functions.
    Functions(Vec<FunctionHandle>),
    /// Any function of the crate.
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
    /// It names something whose use is not a call: a macro, a constant, a type
    /// without methods. Or its path cannot be read.
    NotCallable(String),
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
        };
        if matched.advisory.kind == Kind::Malicious {
            return Ok(crate_level(CrateLevel::Malicious));
        }
        let mut handles = Vec::new();
        let mut missing = Vec::new();
        let mut not_callable = None;
        let mut loaded = true;
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
            () if handles.is_empty() => Subject::Crate(CrateLevel::AllMissing),
            () => {
                let mut seen = HashSet::new();
                handles.retain(|handle| seen.insert(*handle));
                Subject::Functions(handles)
            }
        };
        Ok(Question { subject, missing })
    }

    /// The question as a goal of a walk; `None` when no walk can answer it.
    pub(crate) fn goal(&self, units: &[UnitId]) -> Option<Goal> {
        match &self.subject {
            Subject::Functions(handles) => Some(Goal::Functions(handles.clone())),
            Subject::Crate(_) => Some(Goal::Units(units.to_vec())),
            Subject::NotLoaded => None,
        }
    }
}

enum Found {
    Functions(Vec<FunctionHandle>),
    NotCallable,
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
    let mut packages: Vec<&Package> = match units.iter().any(|id| is_sysroot(&id)) {
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
        let handles = || {
            resolution
                .functions
                .iter()
                .map(|&(handle, _)| handle)
                .collect()
        };
        let this = match resolution.kind {
            ResolutionKind::Macro | ResolutionKind::Value => Found::NotCallable,
            ResolutionKind::Missing => Found::Missing,
            ResolutionKind::NotLoaded => Found::NotLoaded,
            // A type without methods, a module without functions.
            _ if resolution.functions.is_empty() => Found::NotCallable,
            _ => Found::Functions(handles()),
        };
        match this {
            Found::Functions(_) | Found::NotCallable => return Ok(this),
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
