//! A job on its way to a worker, which is the same executable: the plan, cut
//! down to what the job needs.

use std::collections::{BTreeMap, HashMap};

use palisade_model::{Package, PackageSource};
use palisade_project::{Plan, Unit, UnitId, UnitKind};
use serde::{Deserialize, Serialize};

use super::work::{Piece, closure, is_sysroot};
use crate::{Key, Origin};

/// What a worker is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    units: Vec<WireUnit>,
    pub(super) frame: Frame,
    pub(super) pieces: Vec<WirePiece>,
}

/// What a plan says of all its units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frame {
    cfgs: Vec<String>,
    host_cfgs: Vec<String>,
    sysroot_cfgs: Vec<String>,
    triple: String,
    toolchain: String,
    root: String,
}

/// One fragment of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WirePiece {
    pub(super) key: Key,
    origin: u8,
    units: Vec<usize>,
    pub(super) missing: Vec<String>,
}

/// A unit; two that are equal are loaded once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct WireUnit {
    package: String,
    version: String,
    sysroot: bool,
    name: String,
    kind: u8,
    root_file: String,
    package_dir: String,
    edition: String,
    features: Vec<String>,
    extra_cfgs: Vec<String>,
    unknown_cfgs: Vec<String>,
    env: BTreeMap<String, String>,
    deps: Vec<(String, usize)>,
    host: bool,
    build_script: Option<usize>,
}

/// The kinds by their number on the wire.
const KINDS: [UnitKind; 8] = [
    UnitKind::Sysroot,
    UnitKind::Lib,
    UnitKind::ProcMacro,
    UnitKind::Bin,
    UnitKind::BuildScript,
    UnitKind::Test,
    UnitKind::Bench,
    UnitKind::Example,
];

impl Job {
    /// The job of making some pieces.
    pub(super) fn new<'p>(plan: &Plan, pieces: impl IntoIterator<Item = &'p Piece>) -> Job {
        let pieces: Vec<&Piece> = pieces.into_iter().collect();
        let sysroot = (0..plan.units.len()).map(UnitId);
        let sysroot = sysroot.filter(|id| is_sysroot(&plan.units[id.0]));
        let wanted = pieces.iter().flat_map(|piece| piece.units.iter().copied());
        let kept = closure(plan, sysroot.chain(wanted));
        let places: BTreeMap<UnitId, usize> = kept.iter().copied().zip(0..).collect();
        let units = kept.iter().map(|id| {
            let unit = &plan.units[id.0];
            let kind = KINDS.iter().position(|kind| *kind == unit.kind);
            WireUnit {
                package: unit.package.name.clone(),
                version: unit.package.version.to_string(),
                sysroot: is_sysroot(unit),
                name: unit.name.clone(),
                kind: kind.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(1),
                root_file: unit.root_file.to_string(),
                package_dir: unit.package_dir.to_string(),
                edition: unit.edition.clone(),
                features: unit.features.clone(),
                extra_cfgs: unit.extra_cfgs.clone(),
                unknown_cfgs: unit.unknown_cfgs.clone(),
                env: unit.env.clone(),
                deps: unit
                    .deps
                    .iter()
                    .map(|(name, dep)| (name.clone(), places[dep]))
                    .collect(),
                host: unit.host,
                build_script: unit.build_script.map(|script| places[&script]),
            }
        });
        Job {
            units: units.collect(),
            frame: Frame {
                cfgs: plan.cfgs.clone(),
                host_cfgs: plan.host_cfgs.clone(),
                sysroot_cfgs: plan.sysroot_cfgs.clone(),
                triple: plan.triple.clone(),
                toolchain: plan.toolchain.to_string(),
                root: plan.workspace_root.to_string(),
            },
            pieces: pieces
                .into_iter()
                .map(|piece| WirePiece {
                    key: piece.key.clone(),
                    origin: piece.origin as u8,
                    units: piece.units.iter().map(|id| places[id]).collect(),
                    missing: piece.missing.clone(),
                })
                .collect(),
        }
    }

    /// Adds to a plan what the job has beyond it, and gives the places there of
    /// the job's units. `known` has those of the plan so far.
    ///
    /// # Errors
    /// A version or a place makes no sense; the parent is another program.
    pub(super) fn add_to(
        &self,
        plan: &mut Plan,
        known: &mut HashMap<WireUnit, UnitId>,
    ) -> Result<Vec<UnitId>, String> {
        let mut places: Vec<UnitId> = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            // What comes later cannot be linked yet; nothing that is compiled
            // depends on it.
            let place = |job: usize| places.get(job).map(|place| place.0);
            let deps = unit.deps.iter();
            let unit = WireUnit {
                deps: deps
                    .filter_map(|(name, dep)| Some((name.clone(), place(*dep)?)))
                    .collect(),
                build_script: unit.build_script.and_then(place),
                ..unit.clone()
            };
            let place = match known.get(&unit) {
                Some(&place) => place,
                None => {
                    plan.units.push(unit.unit()?);
                    let place = UnitId(plan.units.len() - 1);
                    known.insert(unit, place);
                    place
                }
            };
            places.push(place);
        }
        Ok(places)
    }
}

impl Frame {
    /// A plan without units.
    ///
    /// # Errors
    /// The version makes no sense; the parent is another program.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        Ok(Plan {
            units: Vec::new(),
            targets: Vec::new(),
            cfgs: self.cfgs.clone(),
            host_cfgs: self.host_cfgs.clone(),
            sysroot_cfgs: self.sysroot_cfgs.clone(),
            triple: self.triple.clone(),
            toolchain: self.toolchain.parse().map_err(|error| format!("{error}"))?,
            workspace_root: self.root.clone().into(),
            required_only: Vec::new(),
            locked: Vec::new(),
            diagnostics: Vec::new(),
        })
    }
}

impl WireUnit {
    fn unit(&self) -> Result<Unit, String> {
        let kind = KINDS.get(usize::from(self.kind));
        Ok(Unit {
            package: Package {
                name: self.package.clone(),
                version: self.version.parse().map_err(|error| format!("{error}"))?,
                source: match self.sysroot {
                    true => PackageSource::Sysroot,
                    false => PackageSource::CratesIo,
                },
            },
            name: self.name.clone(),
            kind: *kind.ok_or("an unknown kind of crate")?,
            root_file: self.root_file.clone().into(),
            package_dir: self.package_dir.clone().into(),
            edition: self.edition.clone(),
            features: self.features.clone(),
            extra_cfgs: self.extra_cfgs.clone(),
            unknown_cfgs: self.unknown_cfgs.clone(),
            env: self.env.clone(),
            deps: self
                .deps
                .iter()
                .map(|(name, dep)| (name.clone(), UnitId(*dep)))
                .collect(),
            host: self.host,
            build_script: self.build_script.map(UnitId),
        })
    }
}

impl WirePiece {
    /// Its units, by their places in the job.
    pub(super) fn units(&self) -> impl Iterator<Item = usize> {
        self.units.iter().copied()
    }

    pub(super) fn origin(&self) -> Origin {
        let origin = Origin::ALL.get(usize::from(self.origin));
        origin.copied().unwrap_or_default()
    }
}
