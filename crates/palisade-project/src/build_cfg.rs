//! Configuration flags that build scripts set, known without running them.

use camino::Utf8Path;
use palisade_model::Package;

use crate::Limits;

/// What is known about the flags of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Flags that the build script sets.
    pub(crate) cfgs: Vec<String>,
    /// Names of flags that it may set.
    pub(crate) unknown: Vec<String>,
}

/// What a build script looks at to decide.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the table is next")]
pub(crate) struct Probe<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a semver::Version,
    pub(crate) toolchain: &'a semver::Version,
    pub(crate) triple: &'a str,
    pub(crate) cfgs: &'a [String],
    pub(crate) features: &'a [String],
}

impl<'a> Probe<'a> {
    pub(crate) fn new(
        name: &'a str,
        version: &'a semver::Version,
        toolchain: &'a semver::Version,
        triple: &'a str,
        cfgs: &'a [String],
        features: &'a [String],
    ) -> Self {
        Probe {
            name,
            version,
            toolchain,
            triple,
            cfgs,
            features,
        }
    }
}

pub(crate) fn evaluate(
    _package: &Package,
    _script: &Utf8Path,
    _probe: &Probe<'_>,
    _limits: &Limits,
) -> Outcome {
    Outcome::default()
}
