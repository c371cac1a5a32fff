//! Which units belong to a target, and when they run.

use std::collections::BTreeSet;

use palisade_model::{Context, Package};
use palisade_project::{Plan, Target, UnitId, UnitKind};

/// The units of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closure {
    /// Those that are part of the program.
    run: BTreeSet<UnitId>,
    /// Those that run while it is built.
    build: BTreeSet<UnitId>,
}

impl Closure {
    /// Follows the dependencies of a target and of what runs to build it.
    pub(crate) fn of(plan: &Plan, target: &Target) -> Closure {
        // A procedural macro is a dependency of what uses it but no part of
        // the program: it runs at build time, and so does all that it needs.
        let run = follow(plan, [target.unit], |kind| kind != UnitKind::ProcMacro);
        let build = follow(plan, target.build_units.iter().copied(), |_| true);
        Closure { run, build }
    }

    /// The package's units of this target, and when the first of them runs;
    /// `None` when the target does not contain the package.
    pub(crate) fn units_of(
        &self,
        plan: &Plan,
        package: &Package,
    ) -> Option<(Context, Vec<UnitId>)> {
        let of = |units: &BTreeSet<UnitId>| -> Vec<UnitId> {
            let ids = units.iter().copied();
            ids.filter(|id| plan.units[id.0].package == *package)
                .collect()
        };
        let (mut units, build) = (of(&self.run), of(&self.build));
        let context = match (units.is_empty(), build.is_empty()) {
            (false, _) => Context::Run,
            (true, false) => Context::Build,
            (true, true) => return None,
        };
        units.extend(build);
        units.sort();
        units.dedup();
        Some((context, units))
    }
}

/// The units of the standard library, which every target contains without
/// saying so.
pub(crate) fn sysroot_units(plan: &Plan) -> Vec<UnitId> {
    let is_sysroot = |id: &UnitId| plan.units[id.0].kind == UnitKind::Sysroot;
    (0..plan.units.len())
        .map(UnitId)
        .filter(is_sysroot)
        .collect()
}

fn follow(
    plan: &Plan,
    roots: impl IntoIterator<Item = UnitId>,
    enter: impl Fn(UnitKind) -> bool,
) -> BTreeSet<UnitId> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<UnitId> = roots.into_iter().collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let deps = plan.units[id.0].deps.iter().map(|&(_, dep)| dep);
        open.extend(deps.filter(|dep| enter(plan.units[dep.0].kind)));
    }
    seen
}
