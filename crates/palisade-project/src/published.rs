//! Units of published packages, for whoever has resolved them from an index:
//! no cargo runs, and no manifest is looked for.

use camino::Utf8PathBuf;
use palisade_model::Package;

use crate::build_cfg::{self, Probe};
use crate::environment;
use crate::plan::{Plan, Unit, UnitId, UnitKind};
use crate::units::crate_name;
use crate::{Limits, PackageFiles};

/// One crate of a published package, as whoever resolved it knows it.
#[derive(Clone)]
pub struct Published<'a> {
    /// The package.
    pub package: Package,
    /// Its manifest.
    pub manifest: &'a toml::Table,
    /// The directory of the manifest; for a package that is read from its
    /// archive, the archive.
    pub package_dir: Utf8PathBuf,
    /// The crate's name; dashes become underscores.
    pub name: &'a str,
    /// What the crate is.
    pub kind: UnitKind,
    /// The file that holds the crate root, relative to `package_dir`.
    pub root_file: &'a str,
    /// The edition, `2015` to `2024`.
    pub edition: &'a str,
    /// Enabled features, sorted.
    pub features: Vec<String>,
    /// Dependencies: the name that code uses, and the unit.
    pub deps: Vec<(String, UnitId)>,
    /// The unit of the package's build script, when it has one.
    pub build_script: Option<UnitId>,
    /// Where its files are read from.
    pub files: &'a dyn PackageFiles,
}

/// The unit of a published crate, to be added to `plan`. What the package's
/// build script sets is worked out as for a workspace's packages.
pub fn published_unit(plan: &Plan, published: Published<'_>, limits: &Limits) -> Unit {
    let Published {
        package,
        manifest,
        package_dir,
        name,
        kind,
        root_file,
        edition,
        features,
        deps,
        build_script,
        files,
    } = published;
    let script = build_script.and_then(|script| plan.units.get(script.0));
    let outcome = script.map_or_else(Default::default, |script| {
        let probe = Probe {
            name: &package.name,
            version: &package.version,
            toolchain: &plan.toolchain,
            triple: &plan.triple,
            cfgs: &plan.cfgs,
            features: &features,
        };
        build_cfg::evaluate(&script.root_file, &probe, files, limits)
    });
    let name = crate_name(name);
    Unit {
        env: environment::published(&package, manifest, &package_dir, kind, &name),
        package,
        kind,
        root_file: package_dir.join(root_file),
        package_dir,
        edition: edition.to_owned(),
        features,
        extra_cfgs: outcome.cfgs,
        unknown_cfgs: outcome.unknown,
        deps,
        host: kind == UnitKind::BuildScript,
        build_script,
        name,
    }
}
