//! A search must find what the whole walk finds.
//!
//! A walk that looks for something leaves out what cannot lead there, so each
//! section asks for every function that its walk met, crate by crate, and for
//! what the crates' roots declare beside those.

use std::collections::{BTreeMap, BTreeSet};

use palisade_engine::{
    Collection, Engine, FunctionHandle, Goal, Outcome, PathQuery, PathSegment, Request,
};
use palisade_model::{Context, Function, Location};

use crate::world::Library;

/// What the walk says of a function or a crate; what comes first outweighs
/// what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Run,
    PossibleRun,
    Build,
    PossibleBuild,
    NotReached,
}

impl Verdict {
    fn new(context: Context, possible: bool) -> Self {
        match (context, possible) {
            (Context::Run, false) => Verdict::Run,
            (Context::Run, true) => Verdict::PossibleRun,
            (Context::Build, false) => Verdict::Build,
            (Context::Build, true) => Verdict::PossibleBuild,
        }
    }
}

/// Differences between the whole walk and a search.
pub(crate) fn differences(
    engine: &Engine,
    walk: &Request<'_>,
    whole: &Collection,
    libraries: &[Library],
) -> Result<Vec<String>, String> {
    let mut differences = Vec::new();
    for library in libraries {
        let asked = questions(engine, whole, library)?;
        let mut goals: Vec<(String, Goal, Verdict)> = Vec::new();
        for (location, (function, handles)) in asked {
            let expected = verdict(whole, |it| it.location.as_ref() == Some(&location));
            goals.push((function, Goal::Functions(handles), expected));
        }
        let expected = verdict(whole, |it| library.owns(it));
        let units = Goal::Units(library.units.clone());
        goals.push((format!("crate {}", library.name), units, expected));
        let collection = engine
            .collect(&Request {
                goals: goals.iter().map(|(_, goal, _)| goal.clone()).collect(),
                record: false,
                ..walk.clone()
            })
            .map_err(|error| error.to_string())?;
        for ((what, _, expected), outcome) in goals.iter().zip(&collection.outcomes) {
            let found = match outcome {
                // Reached at build time, and possibly at run time too.
                Outcome::Reached { blind_spots, .. } if !blind_spots.is_empty() => {
                    Verdict::PossibleRun
                }
                Outcome::Reached { context, .. } => Verdict::new(*context, false),
                Outcome::Possible { context, .. } => Verdict::new(*context, true),
                Outcome::NotReached => Verdict::NotReached,
            };
            // A call graph has no macros.
            if found < *expected && is_expansion(outcome) {
                continue;
            }
            if found != *expected {
                differences.push(format!(
                    "a search for {what} says {found:?}, the walk {expected:?}"
                ));
            }
        }
    }
    Ok(differences)
}

/// Whether the evidence is that a macro is expanded.
fn is_expansion(outcome: &Outcome) -> bool {
    let path = match outcome {
        Outcome::Reached { paths, .. } => paths.first(),
        Outcome::Possible { path, .. } => Some(path),
        Outcome::NotReached => None,
    };
    let last = path.and_then(|path| path.last());
    last.is_some_and(|hop| hop.function.name.ends_with('!'))
}

type Questions = BTreeMap<Location, (String, Vec<FunctionHandle>)>;

/// The functions of a library to ask for, by where they are defined.
fn questions(engine: &Engine, whole: &Collection, library: &Library) -> Result<Questions, String> {
    let met = whole.functions.iter().map(|it| &it.function);
    let mut paths: BTreeSet<String> = met
        .filter(|it| library.owns(it))
        .map(|it| it.path.clone())
        .collect();
    paths.insert(library.name.clone());
    let mut asked = Questions::new();
    for path in paths {
        let segments = path.split("::").map(|name| PathSegment {
            name: name.to_owned(),
            generics: None,
        });
        let query = PathQuery {
            segments: segments.collect(),
        };
        let found = engine
            .resolve(&library.package, &query)
            .map_err(|error| error.to_string())?;
        for (handle, function) in found.functions {
            // Other sections have crates of the same name.
            if let Some(location) = function.location.clone()
                && library.owns(&function)
            {
                let (_, handles) = asked
                    .entry(location)
                    .or_insert_with(|| (function.path.clone(), Vec::new()));
                handles.push(handle);
            }
        }
    }
    Ok(asked)
}

fn verdict(whole: &Collection, is_meant: impl Fn(&Function) -> bool) -> Verdict {
    whole
        .functions
        .iter()
        .filter(|it| is_meant(&it.function))
        .map(|it| Verdict::new(it.context, it.possible))
        .min()
        .unwrap_or(Verdict::NotReached)
}
