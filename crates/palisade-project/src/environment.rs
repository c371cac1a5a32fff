//! The environment that the compiler sees, for `env!` and `option_env!`.

use camino::Utf8Path;
use guppy::graph::{BuildTarget, BuildTargetId, PackageMetadata};
use palisade_model::Package;

use crate::manifest;
use crate::plan::UnitKind;
use crate::units::Environment;

/// The variables that cargo sets for every crate of a package. `OUT_DIR` is
/// not among them: what a build script writes does not exist.
pub(crate) fn of(
    package: PackageMetadata<'_>,
    target: &BuildTarget<'_>,
    crate_name: &str,
) -> Environment {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let path = |value: Option<&Utf8Path>| text(value.map(Utf8Path::as_str));
    let told = Told {
        name: package.name(),
        version: package.version(),
        directory: &manifest::parent(package.manifest_path()),
        crate_name,
        authors: package.authors().join(":"),
        description: text(package.description()),
        homepage: text(package.homepage()),
        repository: text(package.repository()),
        license: text(package.license()),
        license_file: path(package.license_file()),
        readme: path(package.readme()),
        rust_version: package
            .rust_version()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let mut env = told.environment();
    if package.in_workspace() {
        env.insert("CARGO_PRIMARY_PACKAGE".to_owned(), "1".to_owned());
    }
    match target.id() {
        BuildTargetId::Binary(name) | BuildTargetId::Example(name) => {
            env.insert("CARGO_BIN_NAME".to_owned(), name.to_owned());
        }
        BuildTargetId::Test(_) | BuildTargetId::Benchmark(_) => {
            // Where cargo would put the package's binaries; only a value is
            // needed, nothing is there.
            let directory = package.graph().workspace().target_directory();
            for bin in package.build_targets() {
                if let BuildTargetId::Binary(name) = bin.id() {
                    env.insert(
                        format!("CARGO_BIN_EXE_{name}"),
                        directory.join("debug").join(name).into_string(),
                    );
                }
            }
            env.insert(
                "CARGO_TARGET_TMPDIR".to_owned(),
                directory.join("tmp").into_string(),
            );
        }
        _ => {}
    }
    env
}

/// [`of`] for a package of a registry.
pub(crate) fn published(
    package: &Package,
    manifest: &toml::Table,
    directory: &Utf8Path,
    kind: UnitKind,
    crate_name: &str,
) -> Environment {
    let table = manifest.get("package").or_else(|| manifest.get("project"));
    let value = |key: &str| table.and_then(|table| table.get(key));
    let text = |key: &str| value(key).and_then(toml::Value::as_str);
    let owned = |key: &str| text(key).unwrap_or_default().to_owned();
    let authors = value("authors").and_then(toml::Value::as_array);
    let authors = authors
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str);
    let told = Told {
        name: &package.name,
        version: &package.version,
        directory,
        crate_name,
        authors: authors.collect::<Vec<_>>().join(":"),
        description: owned("description"),
        homepage: owned("homepage"),
        repository: owned("repository"),
        license: owned("license"),
        license_file: owned("license-file"),
        readme: owned("readme"),
        rust_version: owned("rust-version"),
    };
    let mut env = told.environment();
    if kind == UnitKind::Bin {
        env.insert("CARGO_BIN_NAME".to_owned(), crate_name.to_owned());
    }
    env
}

/// What a manifest tells the compiler.
struct Told<'a> {
    name: &'a str,
    version: &'a semver::Version,
    directory: &'a Utf8Path,
    crate_name: &'a str,
    authors: String,
    description: String,
    homepage: String,
    repository: String,
    license: String,
    license_file: String,
    readme: String,
    rust_version: String,
}

impl Told<'_> {
    fn environment(self) -> Environment {
        let version = self.version;
        [
            ("CARGO_MANIFEST_DIR", self.directory.to_string()),
            (
                "CARGO_MANIFEST_PATH",
                self.directory.join("Cargo.toml").into_string(),
            ),
            ("CARGO_PKG_NAME", self.name.to_owned()),
            ("CARGO_PKG_VERSION", version.to_string()),
            ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
            ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
            ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
            ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
            ("CARGO_PKG_AUTHORS", self.authors),
            ("CARGO_PKG_DESCRIPTION", self.description),
            ("CARGO_PKG_HOMEPAGE", self.homepage),
            ("CARGO_PKG_REPOSITORY", self.repository),
            ("CARGO_PKG_LICENSE", self.license),
            ("CARGO_PKG_LICENSE_FILE", self.license_file),
            ("CARGO_PKG_README", self.readme),
            ("CARGO_PKG_RUST_VERSION", self.rust_version),
            ("CARGO_CRATE_NAME", self.crate_name.to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}
