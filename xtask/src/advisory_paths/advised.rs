//! The paths that a database names.

use anyhow::{Context, Result};
use camino::Utf8Path;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use palisade_advisory::{Advisory, AffectedFunction, Collection, Database, Limits};
use palisade_index::IndexVersion;

use crate::accuracy::targets;

/// Platforms that advisories are limited to, with one triple for each.
const PLATFORMS: &[(&str, &str)] = &[
    ("windows", "x86_64-pc-windows-msvc"),
    ("macos", "aarch64-apple-darwin"),
    ("freebsd", "x86_64-unknown-freebsd"),
    ("netbsd", "x86_64-unknown-netbsd"),
    ("illumos", "x86_64-unknown-illumos"),
    ("x86", "i686-unknown-linux-gnu"),
    ("aarch64", "aarch64-unknown-linux-gnu"),
    ("arm", "armv7-unknown-linux-gnueabihf"),
];

/// One path that an advisory names.
#[derive(Clone, Debug)]
pub(super) struct Advised {
    /// The advisory.
    pub(super) id: String,
    /// The package that it is about.
    pub(super) package: String,
    /// The path as written.
    pub(super) text: String,
    /// Whether the package is a part of the toolchain.
    pub(super) is_toolchain: bool,
    /// A platform that the advisory concerns, the host where it does; `None`
    /// when it concerns none that is known here.
    pub(super) platform: Option<String>,
    date: Date,
    versions: palisade_advisory::Versions,
    function: AffectedFunction,
}

impl Advised {
    /// Whether a version has the problem in this function.
    pub(super) fn affects(&self, version: &semver::Version) -> bool {
        self.versions.is_affected(version) && self.function.applies_to(version)
    }

    /// Whether a version was published when the advisory was written.
    pub(super) fn was_known(&self, version: &IndexVersion) -> bool {
        version
            .published
            .is_some_and(|time| time.to_zoned(TimeZone::UTC).date() <= self.date)
    }
}

/// Every path of a database, in the order of packages and advisories.
///
/// # Errors
///
/// When the database cannot be opened.
pub(super) fn read(dir: &Utf8Path) -> Result<Vec<Advised>> {
    let (database, _) = Database::open(dir, &Limits::default())
        .with_context(|| format!("cannot read the advisories in {dir}"))?;
    let (advisories, diagnostics) = database.all();
    for diagnostic in diagnostics {
        eprintln!("{}: {}", diagnostic.file, diagnostic.message);
    }
    let host = targets::host_triple()?;
    let mut advised = Vec::new();
    for advisory in &advisories {
        let platform = platform(advisory, &host);
        for function in &advisory.functions {
            advised.push(Advised {
                id: advisory.id.clone(),
                package: advisory.package.clone(),
                text: function.text.clone(),
                is_toolchain: advisory.collection == Collection::Rust,
                platform: platform.clone(),
                date: advisory.date,
                versions: advisory.versions.clone(),
                function: function.clone(),
            });
        }
    }
    advised.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
    Ok(advised)
}

/// The host, unless the advisory does not concern it.
fn platform(advisory: &Advisory, host: &str) -> Option<String> {
    let admits = |list: &[String], this: &str| {
        list.is_empty() || list.iter().any(|name| name.eq_ignore_ascii_case(this))
    };
    if admits(&advisory.os, std::env::consts::OS) && admits(&advisory.arch, std::env::consts::ARCH)
    {
        return Some(host.to_owned());
    }
    let names = advisory.os.iter().chain(&advisory.arch);
    names
        .filter_map(|name| PLATFORMS.iter().find(|(known, _)| known == name))
        .map(|(_, triple)| (*triple).to_owned())
        .next()
}
