//! The environment that the compiler sees, for `env!` and `option_env!`.

use guppy::graph::{BuildTarget, BuildTargetId, PackageMetadata};

use crate::manifest;
use crate::units::Environment;

/// The variables that cargo sets for every crate of a package. `OUT_DIR` is
/// not among them: what a build script writes does not exist.
pub(crate) fn of(
    package: PackageMetadata<'_>,
    target: &BuildTarget<'_>,
    crate_name: &str,
) -> Environment {
    let version = package.version();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let path = |value: Option<&camino::Utf8Path>| text(value.map(camino::Utf8Path::as_str));
    let mut env: Environment = [
        (
            "CARGO_MANIFEST_DIR",
            manifest::parent(package.manifest_path()).into_string(),
        ),
        ("CARGO_MANIFEST_PATH", package.manifest_path().to_string()),
        ("CARGO_PKG_NAME", package.name().to_owned()),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PKG_AUTHORS", package.authors().join(":")),
        ("CARGO_PKG_DESCRIPTION", text(package.description())),
        ("CARGO_PKG_HOMEPAGE", text(package.homepage())),
        ("CARGO_PKG_REPOSITORY", text(package.repository())),
        ("CARGO_PKG_LICENSE", text(package.license())),
        ("CARGO_PKG_LICENSE_FILE", path(package.license_file())),
        ("CARGO_PKG_README", path(package.readme())),
        (
            "CARGO_PKG_RUST_VERSION",
            package
                .rust_version()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("CARGO_CRATE_NAME", crate_name.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
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
