//! The other judge: compiles a section and asks the linker.
//!
//! A function is kept when the unoptimised binary has a symbol for it, or for
//! a closure inside of it. That is what "reached" approximates from above, so
//! `reaches` must be kept and both `not reached` and `over-approximated` must
//! not be; `unknown` says nothing about what the compiler would do.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, ObjectSymbol};
use palisade_model::Function;

use crate::assertion::Claim;
use crate::document::{BUILD_SCRIPT, Crate, Kind, Section};
use crate::path::{Pattern, closing, segments, split_as, type_name};
use crate::world;

/// Compiles the section and compares its assertions with the symbols.
pub(crate) fn check(section: &Section) -> Result<(), String> {
    if section.config.rustc.compile.is_some() {
        return Ok(());
    }
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = Utf8Path::from_path(directory.path()).ok_or("a temporary path is not UTF-8")?;
    world::write(section, root)?;
    let mut build = Build {
        section,
        root,
        out: root.join("out"),
        built: BTreeMap::new(),
    };
    fs::create_dir(&build.out).map_err(|error| error.to_string())?;
    let linked = build.krate("main")?;
    if section.config.rustc.symbols.is_some() {
        return Ok(());
    }
    let run = symbols(section, &linked)?;
    let mut built = Vec::new();
    for file in build
        .built
        .values()
        .filter(|file| file.as_str().ends_with(".so"))
    {
        built.extend(symbols(section, file)?);
    }
    let scripts = section
        .crates
        .iter()
        .map(|krate| build.out.join(format!("build-{}", krate.name)));
    for file in scripts.filter(|file| file.exists()) {
        built.extend(symbols(section, &file)?);
    }
    let failures = compare(section, &run, &built);
    if failures.is_empty() {
        return Ok(());
    }
    // Symbols without a path are those of the C library, above all.
    let kept = run
        .iter()
        .filter(|it| section.has_crate(&it.crate_name) && it.path != it.name);
    let kept: Vec<String> = kept.map(|it| format!("    {}", it.path)).collect();
    Err(format!(
        "{}\nthe linker kept:\n{}",
        failures.join("\n"),
        kept.join("\n")
    ))
}

fn compare(section: &Section, run: &[Function], built: &[Function]) -> Vec<String> {
    let has = |kept: &[Function], path: &Pattern| {
        kept.iter()
            .any(|it| (path.is_std() || section.has_crate(&it.crate_name)) && path.matches(it))
    };
    let mut failures = Vec::new();
    for assertion in &section.assertions {
        let mut expect = |kept: &[Function], path: &Pattern, expected: bool| {
            if has(kept, path) != expected {
                let verb = if expected { "is not kept" } else { "is kept" };
                failures.push(format!("{}: {} {verb}", assertion.place, path.text));
            }
        };
        match &assertion.claim {
            Claim::Calls { callee: path, .. } | Claim::Reaches(path) => expect(run, path, true),
            Claim::ReachesAtBuildTime(path) => expect(built, path, true),
            Claim::NotReached(path) | Claim::OverApproximated(path) => expect(run, path, false),
            Claim::Dispatch { from, to, .. } => {
                expect(run, from, true);
                expect(run, to, true);
            }
            Claim::Unknown { .. } | Claim::BlindSpot { .. } => {}
        }
    }
    failures
}

struct Build<'a> {
    section: &'a Section,
    root: &'a Utf8Path,
    out: Utf8PathBuf,
    /// The file of each crate that was built.
    built: BTreeMap<String, Utf8PathBuf>,
}

impl Build<'_> {
    /// Builds a crate after its dependencies, and gives the linked file.
    fn krate(&mut self, name: &str) -> Result<Utf8PathBuf, String> {
        if let Some(file) = self.built.get(name) {
            return Ok(file.clone());
        }
        let section = self.section;
        let krate = section.crates.iter().find(|krate| krate.name == name);
        let krate = krate.ok_or_else(|| format!("no crate `{name}`"))?;
        let kind = if name == "main" {
            section.config.kind
        } else {
            Kind::Lib
        };
        let mut command = self.compiler(krate, world::root_file(krate));
        for dependency in world::dependencies(section, krate) {
            let file = self.krate(dependency)?;
            command.arg("--extern").arg(format!("{dependency}={file}"));
        }
        if krate.proc_macro {
            command.args(["--extern", "proc_macro"]);
        }
        self.build_script(krate, &mut command)?;
        let (arguments, file): (&[&str], _) = match kind {
            _ if krate.proc_macro => (&["--crate-type=proc-macro"], format!("lib{name}.so")),
            Kind::Bin => (&["--crate-type=bin"], name.to_owned()),
            Kind::Lib => (&["--crate-type=rlib"], format!("lib{name}.rlib")),
            Kind::Test => (&["--test"], name.to_owned()),
        };
        let file = self.out.join(file);
        let features = if name == "main" {
            &section.config.features
        } else {
            &krate.features
        };
        for feature in features {
            command.arg("--cfg").arg(format!("feature=\"{feature}\""));
        }
        if name == "main" {
            command.args(section.config.cfgs.iter().flat_map(|cfg| ["--cfg", cfg]));
        }
        run(command
            .args(arguments)
            .arg("--crate-name")
            .arg(name)
            .arg("-o")
            .arg(&file))?;
        let linked = if name == "main" && kind == Kind::Lib {
            self.link(&file)?
        } else {
            file.clone()
        };
        self.built.insert(name.to_owned(), file);
        Ok(linked)
    }

    fn compiler(&self, krate: &Crate, root_file: &str) -> Command {
        let package_dir = self.root.join(&krate.name);
        let edition = krate
            .edition
            .as_ref()
            .unwrap_or(&self.section.config.edition);
        let mut command = program("rustc");
        command
            .current_dir(&package_dir)
            .envs(world::environment(krate, &package_dir))
            .args([
                "-Csymbol-mangling-version=v0",
                "-Copt-level=0",
                "-Cdebuginfo=0",
            ])
            .args([
                "--cap-lints=allow",
                "--color=never",
                "--edition",
                edition.as_str(),
            ])
            .arg(format!("-Ldependency={}", self.out))
            .arg(root_file);
        command
    }

    /// Builds and runs the crate's build script as cargo would, and passes
    /// what it asks for on to the compiler.
    fn build_script(&mut self, krate: &Crate, command: &mut Command) -> Result<(), String> {
        if !krate.files.iter().any(|source| source.path == "build.rs") {
            return Ok(());
        }
        let out_dir = self.out.join(format!("out-{}", krate.name));
        fs::create_dir_all(&out_dir).map_err(|error| error.to_string())?;
        let mut script = self.compiler(krate, "build.rs");
        for dependency in &krate.build_deps {
            let file = self.krate(dependency)?;
            script.arg("--extern").arg(format!("{dependency}={file}"));
        }
        let binary = self.out.join(format!("build-{}", krate.name));
        run(script
            .args(["--crate-name", BUILD_SCRIPT, "-o"])
            .arg(&binary))?;
        let package_dir = self.root.join(&krate.name);
        let text = run(program(binary.as_str())
            .env("OUT_DIR", &out_dir)
            .current_dir(package_dir))?;
        let cfgs = text.lines().filter_map(|line| {
            let line = line.strip_prefix("cargo:")?;
            line.strip_prefix(':')
                .unwrap_or(line)
                .strip_prefix("rustc-cfg=")
        });
        command
            .env("OUT_DIR", &out_dir)
            .args(cfgs.flat_map(|cfg| ["--cfg", cfg]));
        Ok(())
    }

    /// Links a library whole, with its dependencies as far as it needs them,
    /// so that what its exported functions reach can be told apart.
    fn link(&self, library: &Utf8Path) -> Result<Utf8PathBuf, String> {
        let file = self.out.join("main.linked");
        let dependencies = self
            .built
            .values()
            .filter(|file| file.extension() == Some("rlib"));
        run(program("cc")
            .args(["-shared", "-nostdlib", "-Wl,--gc-sections"])
            .args(
                dependencies
                    .clone()
                    .filter_map(|file| Some(format!("-Wl,--exclude-libs={}", file.file_name()?))),
            )
            .args([
                "-Wl,--whole-archive",
                library.as_str(),
                "-Wl,--no-whole-archive",
            ])
            .args(dependencies)
            .args(["-o", file.as_str()]))?;
        Ok(file)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the compiler, and code that this directory's Markdown files spell out"
)]
fn program(name: &str) -> Command {
    Command::new(name)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// The functions that a linked file holds or imports.
fn symbols(section: &Section, file: &Utf8Path) -> Result<Vec<Function>, String> {
    let bytes = fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    let object = object::File::parse(&*bytes).map_err(|error| error.to_string())?;
    let names = object
        .symbols()
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    let mut functions: Vec<Function> = names.filter_map(|name| function(section, &name)).collect();
    functions.sort();
    functions.dedup();
    Ok(functions)
}

/// A symbol as the engine would name it; closures count as their function.
fn function(section: &Section, symbol: &str) -> Option<Function> {
    let Ok(demangled) = rustc_demangle::try_demangle(symbol) else {
        // Exported under its own name: all that is known is that name. Other
        // such symbols are the C library's.
        let mut sources = section.crates.iter().flat_map(|krate| &krate.files);
        let exported = sources.any(|source| source.text.contains("no_mangle"));
        return exported
            .then(|| new_function("main", None, None, symbol.to_owned(), symbol.to_owned()));
    };
    let path = format!("{demangled:#}");
    let (mut self_type, mut trait_name) = (None, None);
    let (mut of, mut rest) = (String::new(), path.as_str());
    if let Some(inner) = path.strip_prefix('<') {
        let close = closing(inner)?;
        rest = inner[close + 1..].strip_prefix("::")?;
        let (ty, tr) = match split_as(&inner[..close]) {
            Some((ty, tr)) => (ty, Some(tr)),
            None => (&inner[..close], None),
        };
        self_type = Some(type_name(ty));
        trait_name = tr.map(type_name);
        let words = inner[..close].split(|c: char| !c.is_alphanumeric() && c != '_');
        of = words
            .filter(|word| section.has_crate(word))
            .map(str::to_owned)
            .next()
            .unwrap_or_default();
    }
    let mut tail = segments(rest);
    let inside = tail.iter().position(|segment| segment.starts_with('{'));
    tail.truncate(inside.unwrap_or(tail.len()));
    if self_type.is_none() {
        of = tail.first()?.clone();
    }
    let name = tail.last()?.clone();
    if self_type.is_some() && tail.len() > 1 {
        // A function inside of a method has no owner of its own.
        (self_type, trait_name) = (None, None);
    }
    if let Some(ty) = &self_type {
        tail = vec![of.clone(), ty.clone(), name.clone()];
    }
    Some(new_function(
        &of,
        self_type,
        trait_name,
        name,
        tail.join("::"),
    ))
}

fn new_function(
    crate_name: &str,
    self_type: Option<String>,
    trait_name: Option<String>,
    name: String,
    path: String,
) -> Function {
    Function {
        crate_name: crate_name.to_owned(),
        version: None,
        self_type,
        trait_name,
        name,
        path,
        location: None,
    }
}
