//! Which advisories apply to which packages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_model::{Package, PackageSource};
use semver::Version;

use crate::{Advisory, AffectedFunction, Database, DatabaseDiagnostic, TargetInfo};

/// An advisory that applies to a package at its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The advisory.
    pub advisory: Arc<Advisory>,
    /// The affected package. For the `rust` collection it is the component
    /// (`std`, `cargo`) at the toolchain's version.
    pub package: Package,
    /// What kind of thing the package is.
    pub subject: Subject,
    /// Whether the advisory's filters admit the platform; an advisory for
    /// another platform is still worth a mention, but cannot be reached.
    pub applies_to_platform: bool,
    /// Indices into [`Advisory::functions`] of those that are affected in
    /// this version.
    functions: Vec<usize>,
}

/// What a [`Match`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A package of the lockfile.
    Package,
    /// A library of the toolchain, which is part of every program.
    StandardLibrary,
    /// A program of the toolchain (`cargo`, `rustdoc`), which is part of none.
    ToolchainProgram,
}

/// The result of [`Database::matches`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// By package, then by id of the advisory.
    pub matches: Vec<Match>,
    /// What could not be read of the packages' advisories.
    pub diagnostics: Vec<DatabaseDiagnostic>,
}

impl Match {
    /// The functions that the advisory names for this version.
    ///
    /// An advisory that names functions, but none for this version, leaves
    /// this empty while [`Advisory::functions`] is not: it affects the version
    /// all the same, and is then about the package as a whole, as one without
    /// functions is.
    pub fn functions(&self) -> impl Iterator<Item = &AffectedFunction> {
        self.functions
            .iter()
            .map(|&index| &self.advisory.functions[index])
    }

    fn new(
        advisory: &Arc<Advisory>,
        package: Package,
        subject: Subject,
        target: &TargetInfo,
    ) -> Match {
        let functions = advisory.functions.iter().enumerate();
        let functions = functions.filter(|(_, function)| function.applies_to(&package.version));
        Match {
            applies_to_platform: target.is_admitted(&advisory.os, &advisory.arch),
            functions: functions.map(|(index, _)| index).collect(),
            advisory: Arc::clone(advisory),
            package,
            subject,
        }
    }
}

impl Database {
    /// The advisories that apply to these packages and to the toolchain.
    ///
    /// Only packages of the default registry can match: a path or git package
    /// of the same name is a different package. Withdrawn advisories never
    /// match. Version ranges have RustSec's meaning, see
    /// [`VersionRange`](crate::VersionRange).
    pub fn matches(
        &self,
        packages: &[Package],
        target: &TargetInfo,
        toolchain: &Version,
    ) -> Matches {
        let published: BTreeSet<&Package> = packages
            .iter()
            .filter(|package| package.source.is_crates_io())
            .collect();
        let names: BTreeSet<&str> = published
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        let (advisories, mut diagnostics) = self.advisories_for(names);
        let mut by_package: BTreeMap<String, Vec<Arc<Advisory>>> = BTreeMap::new();
        for advisory in advisories {
            let known = by_package.entry(advisory.package.clone()).or_default();
            known.push(Arc::new(advisory));
        }
        let mut matches = Vec::new();
        for package in published {
            for advisory in by_package.get(&package.name).into_iter().flatten() {
                if advisory.affects(&package.version) {
                    matches.push(Match::new(
                        advisory,
                        package.clone(),
                        Subject::Package,
                        target,
                    ));
                }
            }
        }
        let (advisories, more) = self.toolchain_advisories();
        diagnostics.extend(more);
        for advisory in advisories.into_iter().map(Arc::new) {
            if advisory.affects(toolchain) {
                let subject = toolchain_subject(&advisory.package);
                let (name, version) = (advisory.package.clone(), toolchain.clone());
                let component = Package {
                    name,
                    version,
                    source: PackageSource::Sysroot,
                };
                matches.push(Match::new(&advisory, component, subject, target));
            }
        }
        Matches {
            matches,
            diagnostics,
        }
    }
}

impl Advisory {
    /// Whether it stands and the version has the problem.
    fn affects(&self, version: &Version) -> bool {
        self.withdrawn.is_none() && self.versions.is_affected(version)
    }
}

fn toolchain_subject(component: &str) -> Subject {
    match component {
        "std" | "core" | "alloc" | "proc_macro" | "test" => Subject::StandardLibrary,
        _ => Subject::ToolchainProgram,
    }
}
