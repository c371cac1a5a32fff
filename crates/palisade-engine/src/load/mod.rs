//! From a plan to a database, with nothing executed unless the user asks for it.

mod auto_traits;
mod edition_2015;
mod execute;
pub(crate) mod expander;
pub(crate) mod files;
mod graph;
mod macros;
mod package;
mod tokens;
pub(crate) mod warm;

use std::{borrow::Cow, path::Path, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_project::{Executed, Plan, Unit, UnitId, UnitKind};
use parking_lot::Mutex;
use ra_ap_base_db::{Crate, CrateBuilderId, SourceDatabase, SourceRootId};
use ra_ap_hir_expand::proc_macro::{ProcMacro, ProcMacrosBuilder};
use ra_ap_ide_db::{ChangeWithProcMacros, RootDatabase};
use rustc_hash::{FxHashMap, FxHashSet};
use salsa::Durability;

use crate::api::{EngineError, Expansion, LoadOptions};
use execute::Real;
use expander::MacroLog;
use files::{Files, Generated, Reading, Treatment};
use graph::Graph;
use package::Package;

/// A plan in a database.
pub(crate) struct Loaded {
    /// The database; a handle on it is not shared between threads, but cloned
    /// for each.
    pub(crate) db: Mutex<RootDatabase>,
    pub(crate) files: Files,
    /// The plan's units, with what their build scripts said where those ran.
    pub(crate) units: Vec<Unit>,
    /// The crate of each unit.
    pub(crate) crates: Vec<Option<Crate>>,
    /// Every use of a procedural macro that was not expanded, as it is met.
    pub(crate) macro_log: Arc<MacroLog>,
    graph: Graph,
    /// The macros of every procedural-macro crate; the database takes them all
    /// at once.
    macros: Vec<(CrateBuilderId, Vec<ProcMacro>)>,
    /// Source roots so far.
    roots: u32,
}

pub(crate) fn load(plan: &Plan, options: &LoadOptions) -> Result<Loaded, EngineError> {
    let real = match &options.expansion {
        Expansion::InProcess => None,
        Expansion::Execute { project } => Some(Real::build(project, options.threads)?),
    };
    let built = real.as_ref().map(Real::built);
    let plan = built.map_or(Cow::Borrowed(plan), |built| Cow::Owned(built.apply(plan)));
    let plan: &Plan = &plan;
    let mut db = RootDatabase::new(None);
    db.enable_proc_attr_macros();
    let mut loaded = Loaded {
        db: Mutex::new(db),
        files: Files::default(),
        units: Vec::new(),
        crates: Vec::new(),
        macro_log: Arc::default(),
        graph: Graph::default(),
        macros: Vec::new(),
        roots: 0,
    };
    loaded.add(plan, real.as_ref(), options)?;
    loaded.units = plan.units.clone();
    for target in &plan.targets {
        let root = &plan.units[target.unit.0].root_file;
        if loaded.files.id(root).is_none() {
            return Err(EngineError::CrateRoot {
                file: root.clone(),
                source: std::io::Error::from(std::io::ErrorKind::NotFound),
            });
        }
    }
    Ok(loaded)
}

impl Loaded {
    /// Adds the units that `plan` has beyond those that are loaded. What the
    /// database has worked out of the others stays.
    pub(crate) fn grow(&mut self, plan: &Plan, options: &LoadOptions) -> Result<(), EngineError> {
        self.add(plan, None, options)
    }

    fn add(
        &mut self,
        plan: &Plan,
        real: Option<&Real>,
        options: &LoadOptions,
    ) -> Result<(), EngineError> {
        let known = self.graph.ids.len();
        let mut change = ChangeWithProcMacros::default();
        let built = real.map(Real::built);
        load_files(plan, known, built, options, &mut self.files, &mut change);
        self.graph.extend(plan, &self.files);
        let all_macros = self.macros.len();
        for (index, unit) in plan.units.iter().enumerate().skip(known) {
            if let (UnitKind::ProcMacro, Some(id)) = (unit.kind, self.graph.ids[index]) {
                let macros = expanders(UnitId(index), unit, real, &self.macro_log, options)?;
                self.macros.push((id, macros));
            }
        }
        let db = self.db.get_mut();
        let roots = self.files.take_roots();
        let first = self.roots;
        self.roots += u32::try_from(roots.len()).unwrap_or(u32::MAX);
        if first == 0 {
            change.set_roots(roots);
        } else {
            // A change would set every root anew, and with it forget all that
            // was worked out of its files.
            for (id, root) in (first..).map(SourceRootId).zip(roots) {
                for file in root.iter() {
                    db.set_file_source_root_with_durability(file, id, Durability::MEDIUM);
                }
                db.set_source_root_with_durability(
                    id,
                    triomphe::Arc::new(root),
                    Durability::MEDIUM,
                );
            }
        }
        change.set_crate_graph(self.graph.builder.clone());
        if first == 0 || self.macros.len() > all_macros {
            let mut proc_macros = ProcMacrosBuilder::default();
            for (id, macros) in &self.macros {
                proc_macros.insert(*id, Ok(macros.clone()));
            }
            change.set_proc_macros(proc_macros);
        }
        db.apply_change(change);
        // Applying the change keeps the map from builder ids to itself; setting
        // an equal graph again gives the same crates and the map.
        let map = self.graph.builder.clone().set_in_db(db);
        let ids = self.graph.ids.iter();
        self.crates = ids.map(|id| id.map(|id| map[&id])).collect();
        Ok(())
    }
}

/// The macros of a procedural-macro unit: real ones where there are, else what
/// stands in for them.
fn expanders(
    id: UnitId,
    unit: &Unit,
    real: Option<&Real>,
    log: &Arc<MacroLog>,
    options: &LoadOptions,
) -> Result<Vec<ProcMacro>, EngineError> {
    let mut unavailable = None;
    if let Some(real) = real {
        match real.macros(id, unit, &options.limits, log)? {
            Some(macros) => return Ok(macros),
            None => unavailable = Some("its crate was not built"),
        }
    }
    Ok(macros::of_unit(id, unit, log, &options.limits, unavailable))
}

/// Reads the files of the units from `known` on, of packages that have not
/// been read.
fn load_files(
    plan: &Plan,
    known: usize,
    built: Option<&Executed>,
    options: &LoadOptions,
    files: &mut Files,
    change: &mut ChangeWithProcMacros,
) {
    let mut units_of: FxHashMap<&Utf8Path, Vec<&Unit>> = FxHashMap::default();
    for unit in &plan.units[known..] {
        units_of.entry(&unit.package_dir).or_default().push(unit);
    }
    // Deepest directories first: a file belongs to the innermost package.
    let mut dirs: Vec<&Utf8Path> = plan.units[known..]
        .iter()
        .map(|unit| unit.package_dir.as_path())
        .filter(|dir| !files.packages.contains(*dir))
        .collect();
    dirs.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    files
        .packages
        .extend(dirs.iter().map(|dir| dir.to_path_buf()));
    let packages = files.packages.clone();
    let mut done = FxHashSet::default();
    for dir in dirs {
        if !done.insert(dir) {
            continue;
        }
        let units = &units_of[dir];
        let skip = |path: &Path| {
            if Utf8Path::from_path(path).is_some_and(|path| packages.contains(path)) {
                return true;
            }
            let unused = path.parent() == Some(dir.as_std_path())
                && path.file_name().is_some_and(|name| {
                    [
                        "target",
                        "tests",
                        "benches",
                        "examples",
                        "coretests",
                        "alloctests",
                    ]
                    .iter()
                    .any(|unused| name == *unused)
                });
            // Unless a target of the plan lives there.
            unused
                && !units
                    .iter()
                    .any(|unit| unit.root_file.as_std_path().starts_with(path))
        };
        let package = match Package::open(dir) {
            Ok(package) => package,
            Err(problem) => {
                files.unreadable(dir, problem);
                continue;
            }
        };
        let generated = Generated {
            known: generated(plan, units, dir, &package),
            written: built
                .into_iter()
                .flat_map(|built| built.out_dirs(dir))
                .map(Utf8Path::to_owned)
                .collect(),
        };
        let treatment = if units.iter().any(|unit| unit.kind == UnitKind::Sysroot) {
            Treatment::Sysroot
        } else if units.iter().any(|unit| unit.edition == "2015") {
            Treatment::Edition2015
        } else {
            Treatment::AsItStands
        };
        let reading = Reading {
            package: &package,
            treatment,
            limits: &options.limits,
        };
        files.load_root(dir, reading, &skip, &generated, change);
    }
}

/// The directory that stands for a package's `OUT_DIR`. It lies in the package,
/// whose source its files are; nothing is ever written there.
pub(crate) fn out_dir(package_dir: &Utf8Path) -> Utf8PathBuf {
    package_dir.join(".palisade-out")
}

/// The files that the build scripts of a package's units would write, as far
/// as they are known without running them.
fn generated(
    plan: &Plan,
    units: &[&Unit],
    dir: &Utf8Path,
    package: &Package,
) -> Vec<(Utf8PathBuf, String)> {
    let mut files: Vec<_> = units
        .iter()
        .filter(|unit| !has_run(unit))
        .flat_map(|unit| plan.generated_files(unit, package))
        .map(|(name, text)| (out_dir(dir).join(name), text))
        .collect();
    files.sort();
    files.dedup_by(|a, b| a.0 == b.0);
    files
}

/// Whether the build script of a unit's package has run, so that the unit knows
/// the real `OUT_DIR`.
fn has_run(unit: &Unit) -> bool {
    unit.env.contains_key("OUT_DIR")
}
