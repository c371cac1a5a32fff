//! What others know of a program's dependencies before it is analysed.
//!
//! Somebody may have a call graph of the packages in a lockfile already. It is
//! coarser than a walk, and holds everything that a walk would find; what it
//! shows to be out of reach needs no walk.

use palisade_advisory::Match;
use palisade_model::{Context, Finding, Kind, Package, Verdict};
use palisade_project::{Plan, Target, UnitId};

use crate::{foreign, verdict};

/// Makes a [`Screen`] for a plan.
pub trait Screener {
    /// What is known of this plan.
    ///
    /// # Errors
    /// Why nothing is known; then everything is decided by a walk.
    fn screen(&self, plan: &Plan) -> Result<Box<dyn Screen>, String>;
}

/// What is known of the packages of one plan.
pub trait Screen {
    /// Whether a target certainly does not reach the function that is defined
    /// in a package's library under this path, its crate left out. A path that
    /// is not the one of a definition is not spared.
    fn spares_function(&self, target: &Target, package: &Package, path: &[&str]) -> bool;
}

/// The finding about a match that needs no walk.
pub(crate) fn finding(
    screen: &dyn Screen,
    plan: &Plan,
    target: &Target,
    matched: &Match,
    context: Context,
    units: &[UnitId],
) -> Option<Finding> {
    // A malicious package is one as a whole, its build script too.
    if matched.advisory.kind == Kind::Malicious || units.is_empty() {
        return None;
    }
    // A package as a whole is reached by what its macros write, too, of which
    // fragments say nothing; and with a package that binds a foreign library,
    // whatever that library calls by itself.
    let mut named = matched.functions().peekable();
    if named.peek().is_none() || foreign::is_binding(plan, units) {
        return None;
    }
    let mut spared = true;
    for function in named {
        let path = function.path.as_ref().ok();
        let path = path.filter(|path| path.qualified.is_none());
        let segments = path.map(|path| path.segments.as_slice());
        let segments: Vec<&str> = segments
            .into_iter()
            .flatten()
            .map(|segment| segment.name.as_str())
            .collect();
        spared = spared
            && segments
                .split_first()
                .is_some_and(|(_, path)| screen.spares_function(target, &matched.package, path));
    }
    spared.then(|| Finding {
        target: target.label.clone(),
        level: palisade_model::Level::Imported,
        verdict: Verdict::NotReached,
        context,
        reason: "no call in the fragments of its packages leads there, nor can unseen code of \
                 theirs name it"
            .to_owned(),
        ..verdict::blank(matched)
    })
}
