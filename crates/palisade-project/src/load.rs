//! From options to a plan.

use std::thread;

use camino::Utf8Path;
use guppy::CargoMetadata;
use guppy::graph::cargo::CargoResolverVersion;
use guppy::graph::{BuildTarget, BuildTargetId, PackageGraph, PackageMetadata};

use crate::config::{self, Config};
use crate::lockfile;
use crate::neutral::{MetadataCall, Neutral, Toolchain, unpanicked};
use crate::plan::{Diagnostic, Plan, Target, UnitId};
use crate::sysroot::{self, Std};
use crate::units::{Context, Units};
use crate::{LoadError, LoadOptions, manifest, read, rustflags, selection, toolchain};

/// Loads a workspace: which crates there are, with which features, from which
/// files.
///
/// Nothing of the checkout is run. The toolchain's own `cargo metadata` may
/// write the lockfile, as every cargo command does, unless
/// [`LoadOptions::locked`] is set, and may download packages, unless
/// [`LoadOptions::offline`] is set.
///
/// # Errors
/// See [`LoadError`]; every one names the file or value that is to blame.
pub fn load(options: &LoadOptions) -> Result<Plan, LoadError> {
    let limits = &options.limits;
    let manifest = manifest::find(&options.path, limits)?;
    let root = manifest::workspace_root(&manifest, limits)?;
    let checkout = toolchain::checkout(&root, options);
    let neutral = Neutral::new(&checkout);
    let config = config::load(&manifest::parent(&manifest), &neutral, limits)?;
    let (toolchain, complaint) =
        toolchain::choose(&neutral, &manifest::parent(&manifest), &checkout, options)?;
    let machines = Machines::ask(options, &config, &neutral, &toolchain)?;

    let (metadata, std) = thread::scope(|scope| {
        let std = scope.spawn(|| standard_library(options, &neutral, &toolchain, &machines));
        let metadata = metadata(
            options, &manifest, &root, &config, &neutral, &toolchain, &machines,
        );
        (metadata, unpanicked(std.join()))
    });
    let metadata = metadata?;
    let (std, mut diagnostics) = std?;
    diagnostics.extend(complaint);

    let graph = parse(&manifest, &metadata)?;
    let root = graph.workspace().root().to_owned();
    let root_manifest = read::toml(&root.join("Cargo.toml"), limits.manifest_bytes)?;
    let machines = machines.with_profile(&root_manifest);
    let target = selection::platform(&machines.triple, &machines.cfgs)?;
    let host = selection::platform(&toolchain.host, &machines.host_cfgs)?;
    let selected = selection::members(&graph, options, &root, &manifest)?;
    let resolved = selection::resolve(
        &graph,
        &selected,
        options,
        resolver(&root_manifest),
        [&target, &host],
        &manifest,
    )?;
    let mut units = Units::new(
        Context {
            graph: &graph,
            resolved: &resolved,
            target: &target,
            host: &host,
            native: machines.triple == toolchain.host && machines.cfgs == machines.host_cfgs,
            cfgs: &machines.cfgs,
            host_cfgs: &machines.host_cfgs,
            triple: &machines.triple,
            host_triple: &toolchain.host,
            toolchain: &toolchain.version,
            limits,
        },
        std,
    );
    let targets = targets(&mut units, &selected, options, &manifest)?;
    let (units, found) = units.finish();
    diagnostics.extend(found);
    let locked = lockfile::read_lock(&root.join("Cargo.lock"), limits)?.packages;
    let built: std::collections::HashSet<_> = units.iter().map(|unit| &unit.package).collect();
    let required_only = locked
        .iter()
        .filter(|package| !built.contains(package))
        .cloned()
        .collect();
    Ok(Plan {
        targets,
        cfgs: machines.cfgs,
        host_cfgs: machines.host_cfgs,
        sysroot_cfgs: machines.sysroot_cfgs,
        triple: machines.triple,
        toolchain: toolchain.version,
        workspace_root: root,
        required_only,
        locked,
        diagnostics,
        units,
    })
}

/// A plan of the standard library alone, for the caller's own toolchain: what
/// crates of a registry are added to. `options.path` is a directory of the
/// caller's in which no toolchain lies; nothing is looked for in it.
///
/// # Errors
/// There is no usable toolchain, or no source of its standard library.
pub fn base(options: &LoadOptions) -> Result<Plan, LoadError> {
    let neutral = Neutral::new(&options.path);
    let toolchain = neutral.toolchain(None)?;
    let machines = Machines::ask(options, &Config::default(), &neutral, &toolchain)?;
    let (units, diagnostics) = standard_library(options, &neutral, &toolchain, &machines)?;
    Ok(Plan {
        units,
        targets: Vec::new(),
        cfgs: machines.cfgs,
        host_cfgs: machines.host_cfgs,
        sysroot_cfgs: machines.sysroot_cfgs,
        triple: machines.triple,
        toolchain: toolchain.version,
        workspace_root: options.path.clone(),
        required_only: Vec::new(),
        locked: Vec::new(),
        diagnostics,
    })
}

/// The target and the host, and what the compiler says about them.
#[derive(Clone, Debug)]
struct Machines {
    triple: String,
    rustflags: Vec<String>,
    cfgs: Vec<String>,
    host_cfgs: Vec<String>,
    sysroot_cfgs: Vec<String>,
}

impl Machines {
    fn ask(
        options: &LoadOptions,
        config: &Config,
        neutral: &Neutral,
        toolchain: &Toolchain,
    ) -> Result<Machines, LoadError> {
        let wanted = options
            .target
            .clone()
            .or_else(|| std::env::var("CARGO_BUILD_TARGET").ok())
            .or_else(|| config.target.clone())
            .filter(|triple| !triple.is_empty() && triple != "host-tuple");
        let triple = wanted.clone().unwrap_or_else(|| toolchain.host.clone());
        // A path to a specification would be a file of the checkout, and a
        // leading dash an option.
        if triple.starts_with('-')
            || !triple
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            || triple.ends_with(".json")
        {
            return Err(LoadError::Target {
                triple,
                message: "only the built-in targets are supported".to_owned(),
            });
        }
        // Which flags apply may depend on the target's own flags, which are
        // only known afterwards; with none configured one question suffices.
        let plain = || neutral.cfgs(toolchain, &triple, &[], false);
        let (cfgs, sysroot_cfgs) = thread::scope(|scope| {
            let sysroot = scope.spawn(|| neutral.cfgs(toolchain, &triple, &[], true));
            (plain(), unpanicked(sysroot.join()))
        });
        let plain = cfgs?;
        let rustflags = rustflags::select(config, &triple, &plain);
        let cfgs = if rustflags.is_empty() {
            plain.clone()
        } else {
            neutral.cfgs(toolchain, &triple, &rustflags, false)?
        };
        // cargo gives the host the flags too unless a target was named.
        let host_cfgs = if wanted.is_none() {
            cfgs.clone()
        } else if triple == toolchain.host {
            plain
        } else {
            neutral.cfgs(toolchain, &toolchain.host, &[], false)?
        };
        Ok(Machines {
            triple,
            rustflags,
            cfgs,
            host_cfgs,
            sysroot_cfgs: sysroot_cfgs?,
        })
    }

    /// What the workspace's development profile changes.
    fn with_profile(mut self, root_manifest: &toml::Table) -> Machines {
        let dev = root_manifest
            .get("profile")
            .and_then(|profiles| profiles.get("dev"));
        let dev = |key: &str| dev.and_then(|dev| dev.get(key));
        if dev("debug-assertions").and_then(toml::Value::as_bool) == Some(false) {
            self.cfgs.retain(|cfg| cfg != "debug_assertions");
        }
        if dev("panic").and_then(toml::Value::as_str) == Some("abort") {
            for cfg in &mut self.cfgs {
                if cfg == "panic=\"unwind\"" {
                    "panic=\"abort\"".clone_into(cfg);
                }
            }
        }
        self
    }
}

fn standard_library(
    options: &LoadOptions,
    neutral: &Neutral,
    toolchain: &Toolchain,
    machines: &Machines,
) -> Result<(Vec<crate::plan::Unit>, Vec<Diagnostic>), LoadError> {
    let units = |source: &sysroot::Source| {
        sysroot::units(
            source,
            &machines.triple,
            &machines.sysroot_cfgs,
            &toolchain.version,
            &options.limits,
        )
    };
    let find = || {
        sysroot::discover(
            options.sysroot_source.as_deref(),
            &toolchain.sysroot,
            neutral.cargo_home(),
            |source| units(source).is_ok_and(|std| std.missing.is_empty()),
        )
    };
    let mut source = find()?;
    let mut std = units(&source)?;
    // rustup's component comes without the packages that it depends on. They
    // are downloaded once, as for every other package; when that fails, what
    // is missing is reported below.
    let own = source.library.starts_with(&toolchain.sysroot);
    if own && !std.missing.is_empty() && !options.offline {
        let call = MetadataCall {
            manifest: &source.library.join("Cargo.toml"),
            platforms: vec![&machines.triple],
            features: vec!["--features=sysroot/backtrace".to_owned()],
            config: None,
            rustflags: &[],
            locked: true,
            offline: false,
            bootstrap: true,
            limit: options.limits.metadata_bytes,
        };
        match neutral.metadata(toolchain, &call) {
            Ok(_) => {
                source = find()?;
                std = units(&source)?;
            }
            Err(error) => tracing::warn!(%error, "the standard library's dependencies"),
        }
    }
    let Std { units, missing } = std;
    let diagnostics = missing
        .iter()
        .map(|package| Diagnostic {
            file: source.library.clone(),
            message: format!("the standard library's dependency {package} was not found"),
            hint: Some(
                "run once without --offline, or install Debian's package `rust-web-src`, or set \
                 PALISADE_SYSROOT_SRC to a source with a `vendor` directory"
                    .to_owned(),
            ),
        })
        .collect();
    Ok((units, diagnostics))
}

/// The features of the options as flags. Written with `=`, so that a name that
/// begins with a dash stays a name.
pub(crate) fn feature_flags(options: &LoadOptions) -> Vec<String> {
    let switches = [
        (options.all_features, "--all-features"),
        (options.no_default_features, "--no-default-features"),
    ];
    switches
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, flag)| flag.to_owned())
        .chain(
            options
                .features
                .iter()
                .map(|list| format!("--features={list}")),
        )
        .collect()
}

/// Asks `cargo metadata`, without the network where that suffices.
fn metadata(
    options: &LoadOptions,
    manifest: &Utf8Path,
    root: &Utf8Path,
    config: &Config,
    neutral: &Neutral,
    toolchain: &Toolchain,
    machines: &Machines,
) -> Result<String, LoadError> {
    let spawn = |source| LoadError::Spawn {
        program: "cargo".into(),
        source,
    };
    let ours = if config.harmless.is_empty() {
        None
    } else {
        let text = toml::to_string(&config.harmless).map_err(|error| LoadError::Metadata {
            manifest: manifest.to_owned(),
            message: error.to_string(),
        })?;
        let mut file = tempfile::Builder::new()
            .prefix("palisade-")
            .suffix(".toml")
            .tempfile()
            .map_err(spawn)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(spawn)?;
        Some(file)
    };
    let mut call = MetadataCall {
        manifest,
        platforms: vec![&machines.triple],
        features: feature_flags(options),
        config: ours
            .as_ref()
            .and_then(|file| Utf8Path::from_path(file.path())),
        rustflags: &machines.rustflags,
        locked: true,
        offline: true,
        bootstrap: false,
        limit: options.limits.metadata_bytes,
    };
    if machines.triple != toolchain.host {
        call.platforms.push(&toolchain.host);
    }
    // Without the network it is fast. Without a lockfile it would resolve to
    // whatever happens to be in the cache, so then the user's choice counts.
    if root.join("Cargo.lock").is_file() {
        let first = neutral.metadata(toolchain, &call);
        if first.is_ok() || (options.locked && options.offline) {
            return first;
        }
    }
    call.locked = options.locked;
    call.offline = options.offline;
    neutral.metadata(toolchain, &call)
}

fn parse(manifest: &Utf8Path, json: &str) -> Result<PackageGraph, LoadError> {
    CargoMetadata::parse_json(json)
        .and_then(CargoMetadata::build_graph)
        .map_err(|error| LoadError::Metadata {
            manifest: manifest.to_owned(),
            message: error.to_string(),
        })
}

/// The version of cargo's resolver that the root manifest asks for.
fn resolver(root: &toml::Table) -> CargoResolverVersion {
    let package = root.get("package");
    let named = root
        .get("workspace")
        .and_then(|workspace| workspace.get("resolver"))
        .or_else(|| package.and_then(|package| package.get("resolver")))
        .and_then(toml::Value::as_str);
    let edition = package.and_then(|package| package.get("edition"));
    let inherited = || {
        root.get("workspace")?
            .get("package")?
            .get("edition")?
            .as_str()
    };
    let edition = match edition {
        Some(toml::Value::String(edition)) => Some(edition.as_str()),
        Some(_) => inherited(),
        None => None,
    };
    match (named, edition) {
        (Some("1"), _) => CargoResolverVersion::V1,
        (Some("2"), _) => CargoResolverVersion::V2,
        (Some(_), _) => CargoResolverVersion::V3,
        (None, Some("2021")) => CargoResolverVersion::V2,
        (None, None | Some("2015" | "2018")) => CargoResolverVersion::V1,
        (None, Some(_)) => CargoResolverVersion::V3,
    }
}

/// The targets that are asked for, as units.
fn targets<'g>(
    units: &mut Units<'_, 'g>,
    selected: &[PackageMetadata<'g>],
    options: &LoadOptions,
    manifest: &Utf8Path,
) -> Result<Vec<Target>, LoadError> {
    let everything = !options.lib && !options.all_bins && options.bins.is_empty();
    let mut targets = Vec::new();
    for &package in selected {
        let features = units.features(package).unwrap_or_default();
        for target in package.build_targets() {
            let buildable = target
                .required_features()
                .iter()
                .all(|feature| features.contains(feature));
            for (label, unit) in units_of(units, package, &target, options, everything, buildable) {
                targets.push(Target {
                    label,
                    unit,
                    build_units: Vec::new(),
                });
            }
        }
    }
    for wanted in &options.bins {
        let label = format!("bin:{wanted}");
        if !targets.iter().any(|target| target.label == label) {
            return Err(no_binary(selected, wanted, manifest));
        }
    }
    for target in &mut targets {
        target.build_units = units.build_units(target.unit);
    }
    Ok(targets)
}

/// The units that one target of a manifest stands for, with their labels.
fn units_of<'g>(
    units: &mut Units<'_, 'g>,
    package: PackageMetadata<'g>,
    target: &BuildTarget<'g>,
    options: &LoadOptions,
    everything: bool,
    buildable: bool,
) -> Vec<(String, UnitId)> {
    let mut found = Vec::new();
    let tests = options.tests && everything;
    match target.id() {
        BuildTargetId::Library => {
            if (everything || options.lib)
                && let Some(unit) = units.library(package)
            {
                found.push((format!("lib:{}", target.name()), unit));
            }
            if tests && target.test_by_default() {
                let unit = units.executable(package, target, true);
                found.push((format!("test:lib:{}", target.name()), unit));
            }
        }
        BuildTargetId::Binary(name) if buildable => {
            let named = options.bins.iter().any(|wanted| wanted == name);
            if everything || options.all_bins || named {
                found.push((
                    format!("bin:{name}"),
                    units.executable(package, target, false),
                ));
            }
            if tests && target.test_by_default() {
                let unit = units.executable(package, target, true);
                found.push((format!("test:bin:{name}"), unit));
            }
        }
        BuildTargetId::Test(name) if tests && buildable => {
            found.push((
                format!("test:{name}"),
                units.executable(package, target, false),
            ));
        }
        BuildTargetId::Benchmark(name) if tests && buildable => {
            found.push((
                format!("bench:{name}"),
                units.executable(package, target, false),
            ));
        }
        BuildTargetId::Example(name) if tests && buildable => {
            found.push((
                format!("example:{name}"),
                units.executable(package, target, false),
            ));
        }
        _ => {}
    }
    found
}

fn no_binary(selected: &[PackageMetadata<'_>], wanted: &str, manifest: &Utf8Path) -> LoadError {
    let mut names = Vec::new();
    for package in selected {
        for target in package.build_targets() {
            if let BuildTargetId::Binary(name) = target.id() {
                if name == wanted {
                    return LoadError::Selection {
                        manifest: manifest.to_owned(),
                        message: format!(
                            "the binary `{wanted}` needs features that are not enabled"
                        ),
                        advice: Some(format!(
                            "use --features {}",
                            target.required_features().join(",")
                        )),
                    };
                }
                names.push(name);
            }
        }
    }
    LoadError::Selection {
        manifest: manifest.to_owned(),
        message: format!("no binary `{wanted}`"),
        advice: Some(format!(
            "the selected packages have {}",
            selection::listed(&names)
        )),
    }
}
