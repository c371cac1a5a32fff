//! What a resolution starts from.

use semver::{Comparator, Op, Version, VersionReq};

use crate::feature::Features;
use crate::{Dependency, DependencyKind, IndexVersion, Manifest};

/// A package whose dependencies are to be resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Root {
    /// Its name, for messages.
    pub name: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// Its features.
    pub features: Features,
    /// Which of them are wanted.
    pub requested: Requested,
    /// Whether its development dependencies are wanted as well.
    pub development: bool,
}

/// Which features of a root are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// All of them, and all optional dependencies: what cargo does for a
    /// lockfile.
    All,
    /// These.
    Some {
        /// Their names.
        features: Vec<String>,
        /// Whether the default ones as well.
        default: bool,
    },
}

impl Requested {
    /// The default features alone.
    pub fn default_features() -> Requested {
        Requested::Some {
            features: Vec::new(),
            default: true,
        }
    }
}

impl Root {
    /// An otherwise empty package that depends on exactly one version of one
    /// crate, with its default features.
    pub fn requiring(name: &str, version: &Version) -> Root {
        let exact = Comparator {
            op: Op::Exact,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: version.pre.clone(),
        };
        Root {
            name: format!("requiring {name} {version}"),
            dependencies: vec![Dependency {
                name: name.to_owned(),
                package: name.to_owned(),
                requirement: VersionReq {
                    comparators: vec![exact],
                },
                features: Vec::new(),
                optional: false,
                default_features: true,
                target: None,
                kind: DependencyKind::Normal,
                registry: None,
            }],
            features: Features::new(),
            requested: Requested::default_features(),
            development: false,
        }
    }

    /// A published version as the package at hand, without its development
    /// dependencies.
    pub fn published(version: &IndexVersion, requested: Requested) -> Root {
        Root {
            name: format!("{} {}", version.name, version.version),
            dependencies: version.dependencies.clone(),
            features: version.features.clone(),
            requested,
            development: false,
        }
    }

    /// The package of a manifest.
    pub fn manifest(manifest: &Manifest, requested: Requested, development: bool) -> Root {
        Root {
            name: format!("{} {}", manifest.name, manifest.version),
            dependencies: manifest.dependencies.clone(),
            features: manifest.features.clone(),
            requested,
            development,
        }
    }
}
