//! All sections as one build plan, written to a temporary directory.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_engine::{Engine, Expansion, Limits, LoadOptions};
use palisade_model::{Function, Package, PackageSource};
use palisade_project::{Plan, Target, Unit, UnitId, UnitKind};

use crate::document::{BUILD_SCRIPT, Crate, Kind, Section};

/// Every section, and the engines that hold them.
pub(crate) struct World {
    pub(crate) sections: Vec<Section>,
    /// One group per set of limits; each is loaded when first asked.
    groups: Vec<Group>,
}

struct Group {
    limits: BTreeMap<String, u64>,
    loaded: OnceLock<Result<Loaded, String>>,
}

/// An engine with the targets of its sections, by section index.
pub(crate) struct Loaded {
    pub(crate) engine: Mutex<Engine>,
    pub(crate) targets: BTreeMap<usize, Target>,
    /// The libraries of each section.
    pub(crate) libraries: BTreeMap<usize, Vec<Library>>,
    _directory: tempfile::TempDir,
}

/// A library of a section.
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) package: Package,
    /// One for the target, one for the host, or both.
    pub(crate) units: Vec<UnitId>,
    /// Where its files are shown to lie.
    directory: String,
}

impl Library {
    /// Whether it defines a function.
    pub(crate) fn owns(&self, function: &Function) -> bool {
        let place = function.location.as_ref();
        place.is_some_and(|location| location.file.contains(&self.directory))
    }
}

impl World {
    pub(crate) fn new(sections: Vec<Section>) -> World {
        let mut groups: Vec<Group> = Vec::new();
        for section in &sections {
            if !groups
                .iter()
                .any(|group| group.limits == section.config.limits)
            {
                let limits = section.config.limits.clone();
                groups.push(Group {
                    limits,
                    loaded: OnceLock::new(),
                });
            }
        }
        World { sections, groups }
    }

    /// The engine that holds a section; loads it when it is the first of its
    /// group.
    pub(crate) fn loaded(&self, section: usize) -> Result<&Loaded, String> {
        let limits = &self.sections[section].config.limits;
        let group = self
            .groups
            .iter()
            .find(|group| group.limits == *limits)
            .expect("every section has a group");
        group
            .loaded
            .get_or_init(|| self.load(group))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn load(&self, group: &Group) -> Result<Loaded, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = Utf8Path::from_path(directory.path()).ok_or("a temporary path is not UTF-8")?;
        let root = root
            .canonicalize_utf8()
            .map_err(|error| error.to_string())?;
        let mut plan = empty_plan(&root)?;
        let mut targets = BTreeMap::new();
        let mut libraries = BTreeMap::new();
        for (index, section) in self.sections.iter().enumerate() {
            if section.config.limits == group.limits {
                let directory = root.join(&section.name);
                write(section, &directory)?;
                let first = plan.units.len();
                targets.insert(index, add(section, &directory, &mut plan));
                libraries.insert(index, libraries_of(section, &plan, first));
            }
        }
        plan.targets = targets.values().cloned().collect();
        let options = LoadOptions {
            threads: 2,
            expansion: Expansion::InProcess,
            limits: limits(&group.limits)?,
        };
        let engine = Engine::load(&plan, &options).map_err(|error| error.to_string())?;
        Ok(Loaded {
            engine: Mutex::new(engine),
            targets,
            libraries,
            _directory: directory,
        })
    }
}

/// The standard library and the target's configuration, no target yet: the
/// plan of an empty package, without that package.
fn empty_plan(root: &Utf8Path) -> Result<Plan, String> {
    let package = root.join("empty");
    let file = |path: &str, text: &str| {
        let file = package.join(path);
        fs::write(&file, text).map_err(|error| format!("cannot write {file}: {error}"))
    };
    fs::create_dir_all(package.join("src")).map_err(|error| error.to_string())?;
    file("src/main.rs", "fn main() {}\n")?;
    file(
        "Cargo.toml",
        "[package]\nname = \"empty\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )?;
    file(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"empty\"\nversion = \"0.1.0\"\n",
    )?;
    let options = palisade_project::LoadOptions {
        path: package,
        offline: true,
        ..palisade_project::LoadOptions::default()
    };
    let mut plan = palisade_project::load(&options).map_err(|error| error.to_string())?;
    plan.units.retain(|unit| unit.kind == UnitKind::Sysroot);
    plan.workspace_root = root.to_owned();
    Ok(plan)
}

/// Writes a section's crates below `directory`, one directory each.
pub(crate) fn write(section: &Section, directory: &Utf8Path) -> Result<(), String> {
    for krate in &section.crates {
        for source in &krate.files {
            let file = directory.join(&krate.name).join(&source.path);
            let parent = file.parent().expect("a file has a directory");
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&file, &source.text))
                .map_err(|error| format!("cannot write {file}: {error}"))?;
        }
    }
    Ok(())
}

/// The file that holds a crate's root, below its package's directory.
pub(crate) fn root_file(krate: &Crate) -> &'static str {
    let library = krate.files.iter().any(|source| source.path == "src/lib.rs");
    if library { "src/lib.rs" } else { "src/main.rs" }
}

/// What `main` and the libraries may name: `main` depends on all libraries.
pub(crate) fn dependencies<'a>(section: &'a Section, krate: &'a Crate) -> Vec<&'a str> {
    if krate.name == "main" {
        let all = section.crates.iter().map(|it| it.name.as_str());
        all.filter(|name| *name != "main").collect()
    } else {
        krate.deps.iter().map(String::as_str).collect()
    }
}

/// The environment that cargo gives to the compiler.
pub(crate) fn environment(krate: &Crate, package_dir: &Utf8Path) -> BTreeMap<String, String> {
    let package = krate.package.as_ref().unwrap_or(&krate.name);
    BTreeMap::from([
        ("CARGO_MANIFEST_DIR".to_owned(), package_dir.to_string()),
        ("CARGO_PKG_NAME".to_owned(), package.clone()),
        ("CARGO_PKG_VERSION".to_owned(), "0.1.0".to_owned()),
        ("CARGO_CRATE_NAME".to_owned(), krate.name.clone()),
    ])
}

fn add(section: &Section, directory: &Utf8Path, plan: &mut Plan) -> Target {
    let mut builder = Builder {
        section,
        directory,
        plan,
        done: BTreeMap::new(),
        build_units: Vec::new(),
    };
    let unit = builder.unit("main", false);
    let label = match section.config.kind {
        Kind::Bin => "bin:main",
        Kind::Lib => "lib:main",
        Kind::Test => "test:main",
    };
    Target {
        label: label.to_owned(),
        unit,
        build_units: builder.build_units,
    }
}

/// The libraries among a section's units, which are the plan's last ones.
fn libraries_of(section: &Section, plan: &Plan, first: usize) -> Vec<Library> {
    let mut libraries: Vec<Library> = Vec::new();
    for (index, unit) in plan.units.iter().enumerate().skip(first) {
        let known = libraries.iter_mut().find(|it| it.package == unit.package);
        match known {
            _ if unit.kind != UnitKind::Lib => {}
            Some(library) => library.units.push(UnitId(index)),
            None => libraries.push(Library {
                name: unit.name.clone(),
                package: unit.package.clone(),
                units: vec![UnitId(index)],
                directory: format!("{}/{}/", section.name, unit.name),
            }),
        }
    }
    libraries
}

struct Builder<'a> {
    section: &'a Section,
    directory: &'a Utf8Path,
    plan: &'a mut Plan,
    /// Units by crate name and whether they are for the host.
    done: BTreeMap<(String, bool), UnitId>,
    build_units: Vec<UnitId>,
}

impl Builder<'_> {
    fn unit(&mut self, name: &str, host: bool) -> UnitId {
        if let Some(unit) = self.done.get(&(name.to_owned(), host)) {
            return *unit;
        }
        let section = self.section;
        let krate = section
            .crates
            .iter()
            .find(|krate| krate.name == name)
            .unwrap_or_else(|| panic!("{}: no crate `{name}`", section.name));
        let host = host || krate.proc_macro;
        let deps = self.units(dependencies(section, krate), host);
        let build_script = krate
            .files
            .iter()
            .any(|source| source.path == "build.rs")
            .then(|| {
                let deps = self.units(krate.build_deps.iter().map(String::as_str), true);
                let unit = self.new_unit(krate, UnitKind::BuildScript, deps);
                self.push(unit)
            });
        let kind = match section.config.kind {
            _ if krate.proc_macro => UnitKind::ProcMacro,
            _ if name != "main" => UnitKind::Lib,
            Kind::Bin => UnitKind::Bin,
            Kind::Lib => UnitKind::Lib,
            Kind::Test => UnitKind::Test,
        };
        let unit = Unit {
            host,
            build_script,
            ..self.new_unit(krate, kind, deps)
        };
        let unit = self.push(unit);
        self.done.insert((name.to_owned(), host), unit);
        if krate.proc_macro {
            self.build_units.push(unit);
        }
        self.build_units.extend(build_script);
        unit
    }

    fn units<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
        host: bool,
    ) -> Vec<(String, UnitId)> {
        names
            .into_iter()
            .map(|name| (name.to_owned(), self.unit(name, host)))
            .collect()
    }

    fn push(&mut self, unit: Unit) -> UnitId {
        self.plan.units.push(unit);
        UnitId(self.plan.units.len() - 1)
    }

    fn new_unit(&self, krate: &Crate, kind: UnitKind, deps: Vec<(String, UnitId)>) -> Unit {
        let config = &self.section.config;
        let main = krate.name == "main";
        let script = kind == UnitKind::BuildScript;
        let package_dir: Utf8PathBuf = self.directory.join(&krate.name);
        let mut extra_cfgs = if main && !script {
            config.cfgs.clone()
        } else {
            Vec::new()
        };
        if kind == UnitKind::Test {
            extra_cfgs.push("test".to_owned());
        }
        Unit {
            package: Package {
                name: krate.package.as_ref().unwrap_or(&krate.name).clone(),
                version: semver::Version::new(0, 1, 0),
                source: if main {
                    PackageSource::Path
                } else {
                    PackageSource::CratesIo
                },
            },
            name: if script {
                BUILD_SCRIPT.to_owned()
            } else {
                krate.name.clone()
            },
            kind,
            root_file: package_dir.join(if script { "build.rs" } else { root_file(krate) }),
            edition: krate.edition.as_ref().unwrap_or(&config.edition).clone(),
            features: if main {
                config.features.clone()
            } else {
                krate.features.clone()
            },
            extra_cfgs,
            unknown_cfgs: if main && !script {
                config.unknown_cfgs.clone()
            } else {
                Vec::new()
            },
            env: environment(krate, &package_dir),
            deps,
            host: script,
            build_script: None,
            package_dir,
        }
    }
}

fn limits(overrides: &BTreeMap<String, u64>) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, value) in overrides {
        let size = usize::try_from(*value).map_err(|error| error.to_string())?;
        match name.as_str() {
            "file-bytes" => limits.file_bytes = *value,
            "directory-depth" => limits.directory_depth = size,
            "nesting" => limits.nesting = size,
            "inferred-expressions" => limits.inferred_expressions = size,
            "type-size" => limits.type_size = size,
            "type-depth" => limits.type_depth = size,
            "instances-per-function" => limits.instances_per_function = size,
            "instances" => limits.instances = size,
            _ => return Err(format!("there is no limit `{name}`")),
        }
    }
    Ok(limits)
}
