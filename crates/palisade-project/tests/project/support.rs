//! Workspaces in temporary directories.

use camino::{Utf8Path, Utf8PathBuf};
use palisade_project::{LoadError, LoadOptions, Plan, Unit, UnitKind, load};
use tempfile::TempDir;

/// A checkout with a standard library beside it, so that no component of the
/// toolchain is needed beyond rustc and cargo.
pub(crate) struct Project {
    directory: TempDir,
}

impl Project {
    /// A checkout with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Project {
        let project = Project {
            directory: TempDir::new().expect("a temporary directory"),
        };
        for (path, text) in files {
            project.write(path, text);
        }
        write_library(&project.outside("library"));
        project
    }

    /// The checkout's directory.
    pub(crate) fn root(&self) -> Utf8PathBuf {
        self.outside("checkout")
    }

    /// A path beside the checkout.
    pub(crate) fn outside(&self, name: &str) -> Utf8PathBuf {
        let directory = Utf8Path::from_path(self.directory.path()).expect("a UTF-8 path");
        // The temporary directory may be behind a symbolic link, and cargo
        // reports real paths.
        directory
            .canonicalize_utf8()
            .expect("the directory exists")
            .join(name)
    }

    /// Writes a file of the checkout.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.root().join(path), text);
    }

    /// Options that load the checkout offline.
    pub(crate) fn options(&self) -> LoadOptions {
        LoadOptions {
            path: self.root(),
            offline: true,
            sysroot_source: Some(self.outside("library")),
            ..LoadOptions::default()
        }
    }

    /// Loads the checkout, which must succeed.
    pub(crate) fn load(&self, change: impl FnOnce(&mut LoadOptions)) -> Plan {
        let mut options = self.options();
        change(&mut options);
        load(&options).unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    /// Loads the checkout, which must fail.
    pub(crate) fn fail(&self, change: impl FnOnce(&mut LoadOptions)) -> LoadError {
        let mut options = self.options();
        change(&mut options);
        load(&options).expect_err("it cannot be loaded")
    }
}

/// Writes a file and the directories above it.
pub(crate) fn write(file: &Utf8Path, text: &str) {
    let parent = file.parent().expect("a file has a directory");
    std::fs::create_dir_all(parent).expect("the directory can be made");
    std::fs::write(file, text).expect("the file can be written");
}

/// An error with its causes and its hint, as a user would see it.
pub(crate) fn chain(error: &LoadError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str("\nhint: ");
        text.push_str(&hint);
    }
    text
}

/// A package's manifest.
pub(crate) fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
}

/// The units that are not the standard library's, as
/// `name kind [features] dependencies` with a mark for the host.
pub(crate) fn shape(plan: &Plan) -> Vec<String> {
    plan.units
        .iter()
        .filter(|unit| unit.kind != UnitKind::Sysroot)
        .map(|unit| {
            let dependencies: Vec<String> = unit
                .deps
                .iter()
                .map(|(name, id)| format!("{name}={}", describe(&plan.units[id.0])))
                .collect();
            format!("{} -> {}", describe(unit), dependencies.join(" "))
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn describe(unit: &Unit) -> String {
    let host = if unit.host { "@host" } else { "" };
    format!(
        "{}:{:?}[{}]{host}",
        unit.package.name,
        unit.kind,
        unit.features.join(",")
    )
}

/// The labels of a plan's targets.
pub(crate) fn labels(plan: &Plan) -> Vec<&str> {
    plan.targets
        .iter()
        .map(|target| target.label.as_str())
        .collect()
}

/// A standard library with the shape of the real one.
fn write_library(library: &Utf8Path) {
    let file = |path: &str, text: &str| write(&library.join(path), text);
    file(
        "Cargo.lock",
        r#"version = 4

[[package]]
name = "alloc"
version = "0.0.0"
dependencies = ["core"]

[[package]]
name = "core"
version = "0.0.0"

[[package]]
name = "hashbrown"
version = "0.16.1"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["rustc-std-workspace-alloc", "rustc-std-workspace-core"]

[[package]]
name = "not-for-this-target"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "rustc-std-workspace-alloc"
version = "1.99.0"
dependencies = ["alloc"]

[[package]]
name = "rustc-std-workspace-core"
version = "1.99.0"
dependencies = ["core"]

[[package]]
name = "std"
version = "0.0.0"
dependencies = ["alloc", "core", "hashbrown", "not-for-this-target"]

[[package]]
name = "sysroot"
version = "0.0.0"
dependencies = ["std"]
"#,
    );
    let local = |name: &str, rest: &str| {
        file(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{rest}"
            ),
        );
        file(&format!("{name}/src/lib.rs"), "");
    };
    local("core", "");
    local("alloc", "[dependencies]\ncore = { path = \"../core\" }\n");
    local(
        "std",
        "[dependencies]\nalloc = { path = \"../alloc\" }\ncore = { path = \"../core\" }\n\
         hashbrown = { version = \"0.16\", default-features = false, features = [\"rustc-dep-of-std\"] }\n\
         [target.'cfg(target_os = \"none\")'.dependencies]\nnot-for-this-target = \"1\"\n\
         [features]\nbacktrace = []\npanic-unwind = []\n",
    );
    local(
        "sysroot",
        "[dependencies]\nstd = { path = \"../std\" }\n\
         [features]\ndefault = [\"std/panic-unwind\"]\nbacktrace = [\"std/backtrace\"]\n",
    );
    file(
        "vendor/hashbrown-0.16.1/Cargo.toml",
        r#"[package]
name = "hashbrown"
version = "0.16.1"
edition = "2021"

[dependencies]
core = { version = "1", optional = true, package = "rustc-std-workspace-core" }
alloc = { version = "1", optional = true, package = "rustc-std-workspace-alloc" }

[features]
default = ["inline-more"]
inline-more = []
nightly = []
rustc-dep-of-std = ["nightly", "core", "alloc"]
"#,
    );
    file("vendor/hashbrown-0.16.1/src/lib.rs", "");
}
