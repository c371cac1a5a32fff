//! The build as data: what the engine loads.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::Package;

use crate::build_cfg::{generated_by, variable};
use crate::{Limits, PackageFiles};

/// Index of a [`Unit`] in [`Plan::units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub usize);

/// Everything needed to analyse a workspace without asking cargo again.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The crates to load, dependencies before their dependents; the standard
    /// library's crates come first.
    pub units: Vec<Unit>,
    /// The targets to analyse, in the order of the workspace's manifest.
    pub targets: Vec<Target>,
    /// The target triple's configuration flags as `rustc --print cfg` gives
    /// them (`unix`, `target_os="linux"`, …).
    pub cfgs: Vec<String>,
    /// The host's configuration flags, for units with [`Unit::host`]; the same
    /// as [`Plan::cfgs`] unless another target was asked for.
    pub host_cfgs: Vec<String>,
    /// The configuration flags of the precompiled standard library, for units
    /// of [`UnitKind::Sysroot`] instead of [`Plan::cfgs`]: the compiler's
    /// internal flags too, and no `debug_assertions`.
    pub sysroot_cfgs: Vec<String>,
    /// The target triple.
    pub triple: String,
    /// The version of the toolchain that is modelled.
    pub toolchain: semver::Version,
    /// The root of the workspace.
    pub workspace_root: Utf8PathBuf,
    /// Packages of the lockfile that no unit builds for this target and these
    /// features.
    pub required_only: Vec<Package>,
    /// Every package of the lockfile, in its order.
    pub locked: Vec<Package>,
    /// What could not be loaded as it should, in the order found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Plan {
    /// The files that a unit's build script would put into `OUT_DIR`, by name,
    /// as far as they are known without running it.
    pub fn generated_files(&self, unit: &Unit, files: &dyn PackageFiles) -> Vec<(String, String)> {
        let script = unit
            .build_script
            .and_then(|script| self.units.get(script.0));
        let limit = Limits::default().build_script_bytes;
        let text = script.and_then(|script| files.text(&script.root_file, limit));
        text.map_or_else(Vec::new, |text| generated_by(&text, &unit.package.version))
    }

    /// The compile-time variables of a unit of which these generated files are
    /// known: `OUT_DIR`, and those that name a file, for an `out_dir` of the
    /// caller's.
    pub fn generated_env<'f>(
        &self,
        unit: &Unit,
        files: impl IntoIterator<Item = &'f str>,
        out_dir: &Utf8Path,
    ) -> Vec<(&'static str, String)> {
        let mut env = Vec::new();
        for name in files {
            if env.is_empty() {
                env.push(("OUT_DIR", out_dir.to_string()));
            }
            if let Some(variable) = variable(&unit.package.name, name) {
                env.push((variable, out_dir.join(name).into_string()));
            }
        }
        env
    }

    /// The standard library's crate of that name: `core`, `alloc`, `std`,
    /// `proc_macro`, `test`. No unit lists them among its dependencies.
    pub fn sysroot_unit(&self, name: &str) -> Option<UnitId> {
        self.units
            .iter()
            .position(|unit| unit.kind == UnitKind::Sysroot && unit.name == name)
            .map(UnitId)
    }
}

/// Something that is not as it should be, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file that it concerns.
    pub file: Utf8PathBuf,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do, when there is something to do.
    pub hint: Option<String>,
}

/// One crate of the crate graph: a library, a binary, a build script, …
#[derive(Clone, Debug)]
pub struct Unit {
    /// The package that it belongs to.
    pub package: Package,
    /// The crate's name as code writes it, with underscores.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// The file that holds the crate root.
    pub root_file: Utf8PathBuf,
    /// The directory of the package's manifest; source files are read from
    /// below it.
    pub package_dir: Utf8PathBuf,
    /// The edition, `2015` to `2024`.
    pub edition: String,
    /// Enabled features.
    pub features: Vec<String>,
    /// Configuration flags beyond the target's: what a build script is known
    /// to set, in the form of [`Plan::cfgs`].
    pub extra_cfgs: Vec<String>,
    /// Names of configuration flags that the build script may set but whose
    /// value is not known; each is a blind spot. A name may end in `*`, which
    /// stands for any ending; `*` alone is any name. One that is also in
    /// [`Unit::extra_cfgs`] is assumed to be set.
    pub unknown_cfgs: Vec<String>,
    /// The environment that the compiler would see (`CARGO_PKG_NAME`, …).
    pub env: BTreeMap<String, String>,
    /// Dependencies: the name that code uses, and the unit.
    pub deps: Vec<(String, UnitId)>,
    /// Whether the unit is compiled for the host, to run at build time.
    pub host: bool,
    /// The unit of the package's build script, when it has one.
    pub build_script: Option<UnitId>,
}

/// What a [`Unit`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKind {
    /// A crate of the standard library or vendored with it.
    Sysroot,
    /// A library.
    Lib,
    /// A procedural-macro library.
    ProcMacro,
    /// A binary.
    Bin,
    /// A build script.
    BuildScript,
    /// An integration test, or the unit tests of a library or binary.
    Test,
    /// A benchmark.
    Bench,
    /// An example.
    Example,
}

/// A target of the workspace that the user asked to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `bin:name`, `lib:name`, `test:name`, `bench:name`, `example:name`.
    pub label: String,
    /// The unit to start from: `main`, or for a library its public paths.
    pub unit: UnitId,
    /// The units that run when this target is built: build scripts and
    /// procedural macros of its dependency closure.
    pub build_units: Vec<UnitId>,
}
