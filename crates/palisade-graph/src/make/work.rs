//! What is to be made.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::PackageSource;
use palisade_project::{Plan, Unit, UnitId, UnitKind};

use crate::{Key, Origin, Program};

/// Crates to load, and which of them make up each fragment.
#[derive(Debug)]
pub struct Work {
    /// The crates.
    pub plan: Plan,
    /// The fragments.
    pub pieces: Vec<Piece>,
    /// What could not even be planned, with the reason.
    pub unplanned: Vec<(Key, String)>,
    /// The program that all of this belongs to, if it is one.
    pub program: Option<Program>,
}

/// One fragment that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is kept under.
    pub key: Key,
    /// Where its package comes from.
    pub origin: Origin,
    /// The crates that it holds.
    pub units: Vec<UnitId>,
    /// Dependencies that are not there, sorted.
    pub missing: Vec<String>,
}

impl Work {
    /// Everything that a program is made of, the standard library included.
    pub fn of_program(plan: Plan) -> Work {
        let mut groups: BTreeMap<(usize, Vec<String>), Vec<UnitId>> = BTreeMap::new();
        let mut packages = Vec::new();
        for (index, unit) in plan.units.iter().enumerate() {
            let package = packages.iter().position(|known| *known == &unit.package);
            let package = package.unwrap_or_else(|| {
                packages.push(&unit.package);
                packages.len() - 1
            });
            let mut features = unit.features.clone();
            features.sort();
            let group = groups.entry((package, features)).or_default();
            group.push(UnitId(index));
        }
        let absent = |unit: &Unit| !unit.root_file.is_file();
        let mut pieces: Vec<Piece> = groups
            .into_iter()
            .map(|((package, features), units)| Piece {
                key: Key {
                    package: packages[package].name.clone(),
                    version: packages[package].version.to_string(),
                    features,
                },
                origin: origin(&packages[package].source),
                missing: missing(&plan, &units, absent),
                units,
            })
            .collect();
        // A unit for the host that only differs in what it is linked with has
        // the same key; one fragment holds both.
        pieces.sort_by_key(|piece| piece.units.first().copied());
        let program = Program {
            directory: plan.workspace_root.to_string(),
            packages: pieces.iter().map(|piece| piece.key.clone()).collect(),
        };
        Work {
            plan,
            pieces,
            unplanned: Vec::new(),
            program: Some(program),
        }
    }

    /// The standard library alone.
    pub fn of_sysroot(base: Plan) -> Work {
        let mut work = Work::of_program(base);
        work.program = None;
        work
    }
}

/// The packages below some units whose source is not there.
fn missing(plan: &Plan, units: &[UnitId], absent: impl Fn(&Unit) -> bool) -> Vec<String> {
    let below = closure(plan, units.iter().copied());
    let below = below.into_iter().filter(|id| !units.contains(id));
    let names: BTreeSet<String> = below
        .map(|id| &plan.units[id.0])
        .filter(|unit| absent(unit))
        .map(|unit| unit.package.to_string())
        .collect();
    names.into_iter().collect()
}

/// Units and everything that they depend on, build scripts included, in the
/// order of the plan.
pub(super) fn closure(plan: &Plan, units: impl IntoIterator<Item = UnitId>) -> BTreeSet<UnitId> {
    let mut found = BTreeSet::new();
    let mut todo: Vec<UnitId> = units.into_iter().collect();
    while let Some(id) = todo.pop() {
        if found.insert(id) {
            let unit = &plan.units[id.0];
            todo.extend(unit.deps.iter().map(|(_, dep)| *dep));
            todo.extend(unit.build_script);
        }
    }
    found
}

fn origin(source: &PackageSource) -> Origin {
    match source {
        PackageSource::CratesIo | PackageSource::OtherRegistry(_) => Origin::Registry,
        PackageSource::Git(_) | PackageSource::Path => Origin::Local,
        PackageSource::Sysroot => Origin::Sysroot,
    }
}

/// Whether a unit belongs to the standard library.
pub(super) fn is_sysroot(unit: &Unit) -> bool {
    unit.kind == UnitKind::Sysroot
}
