//! Asks the engine about a section and compares.

use std::collections::BTreeSet;

use palisade_engine::{Collection, ReachedFunction, Request};
use palisade_model::{Context, Location};

use crate::assertion::{Assertion, Caller, Claim};
use crate::document::Section;
use crate::path::Pattern;
use crate::search;
use crate::world::World;

/// Most functions that a failure lists.
const EXCERPT: usize = 40;

/// Walks the section's target and checks every assertion.
pub(crate) fn check(world: &World, index: usize) -> Result<(), String> {
    let section = &world.sections[index];
    let loaded = world.loaded(index)?;
    let request = Request {
        target: &loaded.targets[&index],
        goals: Vec::new(),
        paths: 1,
        build_context: section.config.build_context,
        record: true,
        progress: None,
    };
    let engine = loaded
        .engine
        .lock()
        .map_err(|_| "an earlier section made the engine panic")?;
    let collection = engine
        .collect(&request)
        .map_err(|error| error.to_string())?;
    let searched = search::differences(&engine, &request, &collection, &loaded.libraries[&index])?;
    drop(engine);
    let answer = Answer {
        section,
        collection: &collection,
    };
    let mut failures: Vec<String> = section
        .assertions
        .iter()
        .filter_map(|it| {
            answer
                .check(it)
                .err()
                .map(|message| format!("{}: {message}", it.place))
        })
        .collect();
    failures.extend(searched);
    failures.extend(answer.unexpected_blind_spots());
    failures.extend(answer.leaks());
    if failures.is_empty() {
        return Ok(());
    }
    failures.push(answer.excerpt());
    Err(failures.join("\n"))
}

struct Answer<'a> {
    section: &'a Section,
    collection: &'a Collection,
}

impl<'a> Answer<'a> {
    fn find(&self, path: &Pattern) -> impl Iterator<Item = (usize, &'a ReachedFunction)> {
        let functions = self.collection.functions.iter().enumerate();
        functions.filter(|(_, it)| {
            let known = path.is_std() || self.section.has_crate(&it.function.crate_name);
            known && path.matches(&it.function)
        })
    }

    fn check(&self, assertion: &Assertion) -> Result<(), String> {
        let reached = |path: &Pattern, context: Context| {
            if self
                .find(path)
                .any(|(_, it)| !it.possible && it.context == context)
            {
                return Ok(());
            }
            Err(match self.find(path).next() {
                Some((_, it)) if it.possible => format!("{} is only possibly reached", path.text),
                Some((_, it)) => {
                    format!("{} is only reached at {}", path.text, it.context.as_str())
                }
                None => format!("{} is not reached", path.text),
            })
        };
        match &assertion.claim {
            Claim::Reaches(path) | Claim::OverApproximated(path) => reached(path, Context::Run),
            Claim::ReachesAtBuildTime(path) => reached(path, Context::Build),
            Claim::NotReached(path) => match self.find(path).next() {
                Some((index, _)) => Err(format!("{} is reached{}", path.text, self.how(index))),
                None => Ok(()),
            },
            Claim::Unknown { path, cause } => {
                if let Some((index, _)) = self.find(path).find(|(_, it)| !it.possible) {
                    return Err(format!(
                        "{} is surely reached{}",
                        path.text,
                        self.how(index)
                    ));
                }
                if self.find(path).next().is_none() {
                    return Err(format!("{} is not even possibly reached", path.text));
                }
                cause
                    .as_ref()
                    .map_or(Ok(()), |cause| self.blind_spot(cause, ""))
            }
            Claim::BlindSpot { cause, detail } => self.blind_spot(cause, detail),
            Claim::Calls { caller, callee } => {
                let callers = self.collection.functions.iter().enumerate();
                let callers: BTreeSet<usize> = callers
                    .filter(|(_, it)| is_caller(it, caller))
                    .map(|(index, _)| index)
                    .collect();
                if callers.is_empty() {
                    return Err(format!("the caller {} is not reached", caller.name));
                }
                let callees: BTreeSet<usize> = self.find(callee).map(|(index, _)| index).collect();
                let mut calls = self.collection.calls.iter();
                if calls.any(|it| callers.contains(&it.caller) && callees.contains(&it.callee)) {
                    return Ok(());
                }
                Err(format!("{} does not call {}", caller.name, callee.text))
            }
            Claim::Dispatch { from, to, kind } => {
                let callers: BTreeSet<usize> = self.find(from).map(|(index, _)| index).collect();
                let callees: BTreeSet<usize> = self.find(to).map(|(index, _)| index).collect();
                let calls = self.collection.calls.iter();
                let found: BTreeSet<_> = calls
                    .filter(|it| callers.contains(&it.caller) && callees.contains(&it.callee))
                    .map(|it| it.dispatch.as_str())
                    .collect();
                if found.contains(kind.as_str()) {
                    return Ok(());
                }
                Err(format!(
                    "{} -> {} is {found:?}, not {kind}",
                    from.text, to.text
                ))
            }
        }
    }

    fn blind_spot(&self, cause: &str, detail: &str) -> Result<(), String> {
        let mut spots = self.collection.blind_spots.iter();
        if spots.any(|it| it.cause.as_str() == cause && it.detail.contains(detail)) {
            return Ok(());
        }
        Err(format!("there is no blind spot `{cause} {detail}`"))
    }

    /// Blind spots in the section's own code that no assertion mentions, those
    /// apart that cannot lead anywhere.
    fn unexpected_blind_spots(&self) -> Vec<String> {
        let expected: BTreeSet<&str> = self
            .section
            .assertions
            .iter()
            .filter_map(|it| match &it.claim {
                Claim::BlindSpot { cause, .. }
                | Claim::Unknown {
                    cause: Some(cause), ..
                } => Some(cause.as_str()),
                _ => None,
            })
            .collect();
        let spots = self.collection.blind_spots.iter();
        spots
            .filter(|it| self.is_own(&it.location) && !it.may_reach.is_empty())
            .filter(|it| !expected.contains(it.cause.as_str()))
            .map(|it| {
                let Location { file, line } = &it.location;
                format!(
                    "unexpected blind spot {}: {} at {file}:{line}",
                    it.cause.as_str(),
                    it.detail
                )
            })
            .collect()
    }

    /// Functions of other sections, which nothing in this one can name.
    fn leaks(&self) -> Option<String> {
        let functions = self.collection.functions.iter().map(|it| &it.function);
        let foreign: Vec<String> = functions
            .filter(|it| it.version.is_some())
            .filter(|it| {
                it.location
                    .as_ref()
                    .is_some_and(|location| !self.is_own(location))
            })
            .map(|it| it.to_string())
            .take(3)
            .collect();
        (!foreign.is_empty()).then(|| {
            format!(
                "reaches crates that it does not depend on: {}",
                foreign.join(", ")
            )
        })
    }

    fn is_own(&self, location: &Location) -> bool {
        location.file.contains(&format!("{}/", self.section.name))
    }

    /// Who calls a function, for messages.
    fn how(&self, callee: usize) -> String {
        let call = self
            .collection
            .calls
            .iter()
            .find(|call| call.callee == callee);
        call.map_or_else(String::new, |call| {
            let caller = &self.collection.functions[call.caller].function;
            format!(", from {caller} ({})", call.dispatch.as_str())
        })
    }

    fn excerpt(&self) -> String {
        let own = self.collection.functions.iter();
        let mut lines: Vec<String> = own
            .filter(|it| self.section.has_crate(&it.function.crate_name))
            .map(|it| {
                let possible = if it.possible { "possible" } else { "reached" };
                let owner = match (&it.function.self_type, &it.function.trait_name) {
                    (Some(ty), Some(tr)) => format!("  <{ty} as {tr}>"),
                    _ => String::new(),
                };
                format!("    {} {possible}{owner}", it.function)
            })
            .collect();
        let more = lines.len().saturating_sub(EXCERPT);
        lines.truncate(EXCERPT);
        if more > 0 {
            lines.push(format!("    and {more} more"));
        }
        let total = self.collection.functions.len();
        format!(
            "of {total} functions, the section's own are:\n{}",
            lines.join("\n")
        )
    }
}

fn is_caller(reached: &ReachedFunction, caller: &Caller) -> bool {
    let function = &reached.function;
    let place = format!("{}/{}", caller.krate, caller.file);
    function.name == caller.name
        && function.crate_name == caller.krate
        && function.location.as_ref().is_none_or(|location| {
            location.file.ends_with(&place)
                && (caller.lines.0..=caller.lines.1).contains(&location.line)
        })
}
