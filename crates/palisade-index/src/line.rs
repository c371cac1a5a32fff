//! One line of an index file: everything that resolving needs to know about a
//! published version.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_model::Checksum;
use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::feature::{self, Features, Named};

/// The newest schema of index lines that is understood. cargo ignores lines of
/// a newer one, and so does the resolver.
pub const NEWEST_SCHEMA: u32 = 2;

/// A published version, as an index line gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexVersion {
    /// The crate's name as published.
    pub name: String,
    /// The version, build metadata included.
    pub version: Version,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// The archive's checksum.
    pub checksum: Checksum,
    /// Its features, those implied by optional dependencies included.
    pub features: Features,
    /// Whether the version was withdrawn: nothing new resolves to it.
    pub yanked: bool,
    /// The native library that it alone may link.
    pub links: Option<String>,
    /// The oldest compiler that it promises to work with.
    pub rust_version: Option<String>,
    /// The schema of the line.
    pub schema: u32,
    /// When it was published, where the registry says.
    pub published: Option<Timestamp>,
    /// The line itself, byte for byte: fields that are not known to this
    /// version of Palisade are still there.
    pub raw: String,
}

/// One dependency of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What the manifest calls it.
    pub name: String,
    /// The package's name, which differs when it is renamed.
    pub package: String,
    /// The versions that it accepts.
    pub requirement: VersionReq,
    /// The features that it asks for.
    pub features: Vec<String>,
    /// Whether it has to be enabled by a feature.
    pub optional: bool,
    /// Whether it asks for the default features as well.
    pub default_features: bool,
    /// The platforms that it is for: `cfg(…)` or a target triple. `None` for
    /// all.
    pub target: Option<String>,
    /// What it is for.
    pub kind: DependencyKind,
    /// Another registry that it comes from, by its address.
    pub registry: Option<String>,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DependencyKind {
    /// The package itself.
    Normal,
    /// Its build script.
    Build,
    /// Its tests, examples and benchmarks.
    Development,
}

impl DependencyKind {
    /// The stable name that index lines use.
    pub fn as_str(self) -> &'static str {
        match self {
            DependencyKind::Normal => "normal",
            DependencyKind::Build => "build",
            DependencyKind::Development => "dev",
        }
    }
}

/// A line as it is written. What is `null` in some registries is optional
/// here; what is unknown is skipped.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(default)]
    deps: Option<Vec<LineDependency>>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(default)]
    features: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    features2: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default)]
    links: Option<String>,
    #[serde(default)]
    rust_version: Option<String>,
    #[serde(default)]
    v: Option<u32>,
    #[serde(default)]
    pubtime: Option<String>,
}

#[derive(Deserialize)]
struct LineDependency {
    name: String,
    req: String,
    #[serde(default)]
    features: Option<Vec<String>>,
    #[serde(default)]
    optional: Option<bool>,
    #[serde(default)]
    default_features: Option<bool>,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    package: Option<String>,
}

impl IndexVersion {
    /// Reads one line.
    ///
    /// # Errors
    /// It is not JSON, a field is missing or malformed, or cargo would refuse
    /// its features; the text says what.
    pub fn parse(raw: &str) -> Result<IndexVersion, String> {
        let line: Line<'_> = serde_json::from_str(raw).map_err(|error| error.to_string())?;
        let version: Version = line
            .vers
            .parse()
            .map_err(|error| format!("version `{}`: {error}", line.vers))?;
        let checksum = line
            .cksum
            .parse()
            .map_err(|error| format!("checksum of {version}: {error}"))?;
        let dependencies = line
            .deps
            .unwrap_or_default()
            .into_iter()
            .map(LineDependency::read)
            .collect::<Result<Vec<_>, String>>()
            .map_err(|error| format!("{version}: {error}"))?;
        let mut lists = line.features.unwrap_or_default();
        for (name, values) in line.features2.unwrap_or_default() {
            lists.entry(name).or_default().extend(values);
        }
        let names: Vec<Named<'_>> = dependencies
            .iter()
            .map(|dependency| Named {
                name: &dependency.name,
                optional: dependency.optional,
            })
            .collect();
        let features =
            feature::build(&lists, &names).map_err(|error| format!("{version}: {error}"))?;
        Ok(IndexVersion {
            name: line.name.into_owned(),
            version,
            dependencies,
            checksum,
            features,
            yanked: line.yanked.unwrap_or(false),
            links: line.links,
            rust_version: line.rust_version,
            schema: line.v.unwrap_or(1),
            // An unreadable time is no time: it only orders versions.
            published: line.pubtime.and_then(|time| time.parse().ok()),
            raw: raw.to_owned(),
        })
    }

    /// Whether it was there at `time`. Without a time of publication it always
    /// was.
    pub fn was_published_by(&self, time: Timestamp) -> bool {
        self.published.is_none_or(|published| published <= time)
    }
}

impl LineDependency {
    fn read(self) -> Result<Dependency, String> {
        let requirement = VersionReq::parse(&self.req)
            .map_err(|error| format!("requirement `{}` on `{}`: {error}", self.req, self.name))?;
        if let Some(target) = &self.target {
            target
                .parse::<cargo_platform::Platform>()
                .map_err(|error| format!("target `{target}` of `{}`: {error}", self.name))?;
        }
        let kind = match self.kind.as_deref() {
            None | Some("normal") => DependencyKind::Normal,
            Some("build") => DependencyKind::Build,
            Some("dev") => DependencyKind::Development,
            Some(other) => return Err(format!("unknown kind `{other}` of `{}`", self.name)),
        };
        Ok(Dependency {
            package: self.package.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            requirement,
            features: self.features.unwrap_or_default(),
            optional: self.optional.unwrap_or(false),
            default_features: self.default_features.unwrap_or(true),
            target: self.target,
            kind,
            registry: self.registry,
        })
    }
}
