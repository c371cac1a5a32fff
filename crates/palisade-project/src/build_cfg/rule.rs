//! The form of the table: flags, and when a build script sets them.

use semver::{Version, VersionReq};

/// What a build script looks at to decide.
#[derive(Clone, Debug)]
pub(crate) struct Probe<'a> {
    /// The package's name.
    pub(crate) name: &'a str,
    /// The package's version.
    pub(crate) version: &'a Version,
    /// The version of the compiler.
    pub(crate) toolchain: &'a Version,
    /// The triple that the package is built for.
    pub(crate) triple: &'a str,
    /// The flags of that target.
    pub(crate) cfgs: &'a [String],
    /// The package's enabled features.
    pub(crate) features: &'a [String],
}

impl Probe<'_> {
    /// Whether `key="value"` is set for the target.
    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        if key == "feature" {
            return self.features.iter().any(|feature| feature == value);
        }
        self.cfgs.iter().any(|cfg| {
            cfg.strip_prefix(key)
                .and_then(|rest| rest.strip_prefix("=\""))
                .and_then(|rest| rest.strip_suffix('"'))
                == Some(value)
        })
    }

    /// Whether a flag without a value is set for the target.
    pub(super) fn has(&self, name: &str) -> bool {
        self.cfgs.iter().any(|cfg| cfg == name)
    }

    fn is_nightly(&self) -> bool {
        self.toolchain.pre.starts_with("nightly") || self.toolchain.pre.starts_with("dev")
    }
}

/// When a flag is set.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Always,
    /// With this minor version of the compiler or a newer one.
    Since(u64),
    /// With an older minor version of the compiler.
    Before(u64),
    /// On a nightly compiler.
    Nightly,
    /// On a beta compiler.
    Beta,
    /// When a probe compiles that uses unstable features: never on a stable
    /// compiler, unknown on a nightly one.
    Probe,
    /// When something is as it is that cannot be known: an environment
    /// variable, an installed library.
    Unknown,
    /// Not known either, but nearly always so: set, and reported as unknown.
    Assumed,
    /// With a feature of the package.
    Feature(&'static str),
    /// When the target's flag of this name has one of these values.
    Is(&'static str, &'static [&'static str]),
    /// When the target has this flag.
    Has(&'static str),
    /// For one of these triples.
    Triple(&'static [&'static str]),
    /// For a triple that starts so.
    TriplePrefix(&'static [&'static str]),
    Not(&'static When),
    All(&'static [When]),
    Any(&'static [When]),
}

impl When {
    /// Whether the flag is set; `None` when that is not known.
    pub(super) fn holds(&self, probe: &Probe<'_>) -> Option<bool> {
        Some(match self {
            When::Always | When::Assumed => true,
            When::Since(minor) => probe.toolchain.minor >= *minor,
            When::Before(minor) => probe.toolchain.minor < *minor,
            When::Nightly => probe.is_nightly(),
            When::Beta => probe.toolchain.pre.starts_with("beta"),
            When::Probe if probe.is_nightly() => return None,
            When::Probe => false,
            When::Unknown => return None,
            When::Feature(feature) => probe.is("feature", feature),
            When::Is(key, values) => values.iter().any(|value| probe.is(key, value)),
            When::Has(name) => probe.has(name),
            When::Triple(triples) => triples.contains(&probe.triple),
            When::TriplePrefix(prefixes) => prefixes
                .iter()
                .any(|prefix| probe.triple.starts_with(prefix)),
            When::Not(when) => return when.holds(probe).map(|holds| !holds),
            When::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.holds(probe)).collect();
                return if parts.contains(&Some(false)) {
                    Some(false)
                } else {
                    parts.into_iter().all(|part| part.is_some()).then_some(true)
                };
            }
            When::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.holds(probe)).collect();
                return if parts.contains(&Some(true)) {
                    Some(true)
                } else {
                    parts
                        .into_iter()
                        .all(|part| part.is_some())
                        .then_some(false)
                };
            }
        })
    }
}

/// The flags of some versions of some packages.
#[derive(Debug)]
pub(super) struct Rule {
    /// The packages' names.
    pub(super) packages: &'static [&'static str],
    /// The versions that it holds for.
    pub(super) versions: &'static str,
    /// The newest version whose build script was read.
    pub(super) reviewed: &'static str,
    /// The flags. One that a version's script does not mention is not set.
    pub(super) flags: &'static [(&'static str, When)],
}

impl Rule {
    /// Whether it holds for a package.
    pub(super) fn applies(&self, probe: &Probe<'_>) -> bool {
        self.packages.contains(&probe.name)
            && VersionReq::parse(self.versions)
                .is_ok_and(|versions| versions.matches(probe.version))
    }

    /// Whether somebody has read the script of this version or a newer one.
    pub(super) fn is_reviewed(&self, version: &Version) -> bool {
        Version::parse(self.reviewed).is_ok_and(|reviewed| *version <= reviewed)
    }
}
