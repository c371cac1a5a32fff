//! zerocopy keeps its flags in its manifest: each stands for a compiler that is
//! older than a version.

use camino::Utf8Path;
use semver::Version;

use super::rule::Probe;
use crate::{Limits, PackageFiles, read};

/// The flags of `[package.metadata.build-rs]`, as zerocopy's script sets them.
pub(super) fn flags(
    script: &Utf8Path,
    probe: &Probe<'_>,
    files: &dyn PackageFiles,
    limits: &Limits,
) -> Vec<String> {
    if probe.name != "zerocopy" {
        return Vec::new();
    }
    let manifest = script.with_file_name("Cargo.toml");
    let text = files.text(&manifest, limits.manifest_bytes);
    let table = text.and_then(|text| read::parse_toml(&manifest, &text).ok());
    let Some(table) = table else {
        return Vec::new();
    };
    table
        .get("package")
        .and_then(|package| package.get("metadata")?.get("build-rs")?.as_table())
        .into_iter()
        .flatten()
        .filter(|(_, version)| {
            version
                .as_str()
                .and_then(|version| Version::parse(version).ok())
                .is_some_and(|version| *probe.toolchain < version)
        })
        .map(|(flag, _)| flag.replace('-', "_"))
        .collect()
}
