//! From a plan to a database, with nothing executed unless the user asks for it.

mod auto_traits;
mod edition_2015;
mod execute;
pub(crate) mod expander;
pub(crate) mod files;
mod graph;
mod macros;
mod tokens;
pub(crate) mod warm;

use std::{borrow::Cow, path::Path, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_project::{Executed, Plan, Unit, UnitId, UnitKind};
use parking_lot::Mutex;
use ra_ap_base_db::Crate;
use ra_ap_hir_expand::proc_macro::{ProcMacro, ProcMacrosBuilder};
use ra_ap_ide_db::{ChangeWithProcMacros, RootDatabase};
use rustc_hash::FxHashSet;

use crate::api::{EngineError, Expansion, LoadOptions};
use execute::Real;
use expander::MacroLog;
use files::{Files, Generated, Special};

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
}

pub(crate) fn load(plan: &Plan, options: &LoadOptions) -> Result<Loaded, EngineError> {
    let real = match &options.expansion {
        Expansion::InProcess => None,
        Expansion::Execute { project } => Some(Real::build(project, options.threads)?),
    };
    let built = real.as_ref().map(Real::built);
    let plan = built.map_or(Cow::Borrowed(plan), |built| Cow::Owned(built.apply(plan)));
    let plan: &Plan = &plan;
    let mut change = ChangeWithProcMacros::default();
    let dirs = |wanted: &dyn Fn(&Unit) -> bool| {
        let units = plan.units.iter().filter(|unit| wanted(unit));
        // What a build script has written is of its package's edition.
        let of_unit = |unit: &Unit| {
            let written = unit.env.get("OUT_DIR").map(Utf8PathBuf::from);
            [unit.package_dir.clone()].into_iter().chain(written)
        };
        units.flat_map(of_unit).collect()
    };
    let mut files = Files::new(Special {
        sysroot: dirs(&|unit| unit.kind == UnitKind::Sysroot),
        edition_2015: dirs(&|unit| unit.kind != UnitKind::Sysroot && unit.edition == "2015"),
    });
    load_files(plan, built, options, &mut files, &mut change);
    for target in &plan.targets {
        let root = &plan.units[target.unit.0].root_file;
        if files.id(root).is_none() {
            return Err(EngineError::CrateRoot {
                file: root.clone(),
                source: std::io::Error::from(std::io::ErrorKind::NotFound),
            });
        }
    }
    let graph = graph::build(plan, &files);
    let macro_log = Arc::new(MacroLog::default());
    let mut proc_macros = ProcMacrosBuilder::default();
    for (index, (unit, id)) in plan.units.iter().zip(&graph.ids).enumerate() {
        if let (UnitKind::ProcMacro, Some(id)) = (unit.kind, id) {
            let macros = expanders(UnitId(index), unit, real.as_ref(), &macro_log, options)?;
            proc_macros.insert(*id, Ok(macros));
        }
    }
    change.set_roots(files.take_roots());
    change.set_crate_graph(graph.builder.clone());
    change.set_proc_macros(proc_macros);
    let mut db = RootDatabase::new(None);
    db.enable_proc_attr_macros();
    db.apply_change(change);
    // Applying the change keeps the map from builder ids to itself; setting an
    // equal graph again gives the same crates and the map.
    let map = graph.builder.set_in_db(&mut db);
    let crates: Vec<Option<Crate>> = graph.ids.iter().map(|id| id.map(|id| map[&id])).collect();
    Ok(Loaded {
        db: Mutex::new(db),
        files,
        units: plan.units.clone(),
        crates,
        macro_log,
    })
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

fn load_files(
    plan: &Plan,
    built: Option<&Executed>,
    options: &LoadOptions,
    files: &mut Files,
    change: &mut ChangeWithProcMacros,
) {
    // Deepest directories first: a file belongs to the innermost package.
    let mut dirs: Vec<_> = plan
        .units
        .iter()
        .map(|unit| unit.package_dir.clone())
        .collect();
    dirs.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    dirs.dedup();
    let packages: FxHashSet<_> = dirs.iter().cloned().collect();
    let mut done = FxHashSet::default();
    for dir in dirs {
        if !done.insert(dir.clone()) {
            continue;
        }
        let roots: Vec<_> = plan
            .units
            .iter()
            .filter(|unit| unit.package_dir == dir)
            .map(|unit| unit.root_file.clone())
            .collect();
        let skip = |path: &Path| {
            if packages.iter().any(|package| package.as_std_path() == path) {
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
                && !roots
                    .iter()
                    .any(|root| root.as_std_path().starts_with(path))
        };
        let generated = Generated {
            known: generated(plan, &dir),
            written: built
                .into_iter()
                .flat_map(|built| built.out_dirs(&dir))
                .map(Utf8Path::to_owned)
                .collect(),
        };
        files.load_root(&dir, &skip, &generated, change, &options.limits);
    }
}

/// The directory that stands for a package's `OUT_DIR`. It lies in the package,
/// whose source its files are; nothing is ever written there.
pub(crate) fn out_dir(package_dir: &Utf8Path) -> Utf8PathBuf {
    package_dir.join(".palisade-out")
}

/// The files that the build scripts of a package's units would write, as far
/// as they are known without running them.
fn generated(plan: &Plan, dir: &Utf8Path) -> Vec<(Utf8PathBuf, String)> {
    let mut files: Vec<_> = plan
        .units
        .iter()
        .filter(|unit| unit.package_dir == dir && !has_run(unit))
        .flat_map(|unit| plan.generated_files(unit))
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
