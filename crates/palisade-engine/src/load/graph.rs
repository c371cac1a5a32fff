//! From the plan's units to rust-analyzer's crate graph.

use camino::Utf8Path;
use palisade_project::{Plan, Unit, UnitId, UnitKind};
use ra_ap_cfg::CfgOptions;
use ra_ap_ide_db::{
    base_db::{
        CrateBuilderId, CrateDisplayName, CrateGraphBuilder, CrateName, CrateOrigin,
        CrateWorkspaceData, DependencyBuilder, Env, LangCrateOrigin,
        target::{Arch, TargetData},
    },
    span::Edition,
};
use ra_ap_intern::Symbol;
use ra_ap_paths::AbsPathBuf;
use ra_ap_vfs::FileId;
use triomphe::Arc;

use super::files::Files;

/// Only sizes of pointers and integers are read from it; every 64-bit target
/// agrees on those.
const DATA_LAYOUT: &str =
    "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128";

/// Crates that every crate can name without declaring them, and whether the
/// name is in scope by default.
const SYSROOT_DEPS: [(&str, bool); 4] = [
    ("core", true),
    ("alloc", false),
    ("std", true),
    ("test", false),
];

#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) builder: CrateGraphBuilder,
    /// The crate of each unit; `None` where its root file could not be read.
    pub(crate) ids: Vec<Option<CrateBuilderId>>,
    workspace: Option<Arc<CrateWorkspaceData>>,
}

impl Graph {
    /// Adds the units that `plan` has beyond those that are there.
    pub(crate) fn extend(&mut self, plan: &Plan, files: &Files) {
        let workspace = self.workspace.get_or_insert_with(|| {
            Arc::new(CrateWorkspaceData {
                toolchain: Some(plan.toolchain.clone()),
                target: Ok(TargetData {
                    data_layout: DATA_LAYOUT.into(),
                    arch: Arch::Other,
                }),
            })
        });
        let workspace = workspace.clone();
        for unit in &plan.units[self.ids.len()..] {
            let id = files.id(&unit.root_file).map(|file| {
                let id = add_crate(&mut self.builder, plan, unit, file, files, &workspace);
                add_deps(self, plan, unit, id);
                id
            });
            self.ids.push(id);
        }
    }
}

fn add_crate(
    builder: &mut CrateGraphBuilder,
    plan: &Plan,
    unit: &Unit,
    file: FileId,
    files: &Files,
    workspace: &Arc<CrateWorkspaceData>,
) -> CrateBuilderId {
    let mut env = Env::default();
    for (key, value) in &unit.env {
        env.set(key, value.clone());
    }
    // A build script that has run has said all this itself.
    if !super::has_run(unit) {
        let names = files.known_generated(&unit.package_dir).iter();
        let names = names
            .map(String::as_str)
            .filter(|_| unit.build_script.is_some());
        let out_dir = super::out_dir(&unit.package_dir);
        for (key, value) in plan.generated_env(unit, names, &out_dir) {
            env.set(key, value);
        }
    }
    let origin = match unit.kind {
        UnitKind::Sysroot => CrateOrigin::Lang(lang_origin(&unit.name)),
        _ => CrateOrigin::Library {
            repo: None,
            name: Symbol::intern(&unit.package.name),
        },
    };
    builder.add_crate_root(
        file,
        edition(&unit.edition),
        Some(CrateDisplayName::from_canonical_name(&unit.name)),
        Some(unit.package.version.to_string()),
        cfg_options(plan, unit),
        None,
        env,
        origin,
        vec![],
        unit.kind == UnitKind::ProcMacro,
        Arc::new(absolute(&unit.package_dir)),
        workspace.clone(),
    )
}

fn add_deps(graph: &mut Graph, plan: &Plan, unit: &Unit, id: CrateBuilderId) {
    if unit.kind != UnitKind::Sysroot {
        for (name, in_prelude) in SYSROOT_DEPS {
            add_sysroot_dep(graph, plan, id, name, in_prelude);
        }
        add_sysroot_dep(
            graph,
            plan,
            id,
            "proc_macro",
            unit.kind == UnitKind::ProcMacro,
        );
    }
    for (name, UnitId(dep)) in &unit.deps {
        if let Some(Some(dep)) = graph.ids.get(*dep) {
            let dep = DependencyBuilder::new(CrateName::normalize_dashes(name), *dep);
            // Only a cycle is refused; dev-dependencies can close one, and
            // then the edge is what rustc does not see either.
            let _ = graph.builder.add_dep(id, dep);
        }
    }
}

fn add_sysroot_dep(
    graph: &mut Graph,
    plan: &Plan,
    id: CrateBuilderId,
    name: &str,
    in_prelude: bool,
) {
    let found = plan
        .units
        .iter()
        .zip(&graph.ids)
        .find(|(unit, _)| unit.kind == UnitKind::Sysroot && unit.name == name);
    if let Some((_, Some(dep))) = found {
        let name = CrateName::normalize_dashes(name);
        let dep = DependencyBuilder::with_prelude(name, *dep, in_prelude, true);
        let _ = graph.builder.add_dep(id, dep);
    }
}

fn lang_origin(name: &str) -> LangCrateOrigin {
    match name {
        "alloc" | "core" | "proc_macro" | "std" | "test" => LangCrateOrigin::from(name),
        _ => LangCrateOrigin::Dependency,
    }
}

fn cfg_options(plan: &Plan, unit: &Unit) -> CfgOptions {
    let mut options = CfgOptions::default();
    let base = match unit.kind {
        UnitKind::Sysroot => &plan.sysroot_cfgs,
        _ if unit.host => &plan.host_cfgs,
        _ => &plan.cfgs,
    };
    for cfg in base.iter().chain(&unit.extra_cfgs) {
        match cfg.split_once('=') {
            Some((key, value)) => options
                .insert_key_value(Symbol::intern(key), Symbol::intern(value.trim_matches('"'))),
            None => options.insert_atom(Symbol::intern(cfg)),
        }
    }
    for feature in &unit.features {
        options.insert_key_value(Symbol::intern("feature"), Symbol::intern(feature));
    }
    if matches!(unit.kind, UnitKind::Test | UnitKind::Bench) {
        options.insert_atom(Symbol::intern("test"));
    }
    options
}

fn edition(text: &str) -> Edition {
    match text {
        "2018" => Edition::Edition2018,
        "2021" => Edition::Edition2021,
        "2024" => Edition::Edition2024,
        _ => Edition::Edition2015,
    }
}

pub(crate) fn absolute(path: &Utf8Path) -> AbsPathBuf {
    AbsPathBuf::assert(path.to_owned())
}
