//! Why there is no resolution.

use crate::IndexError;

/// Why requirements could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No version fits.
    #[error("no version of `{package}` fits `{requirement}`, which {parent} requires: {reason}")]
    NoVersion {
        /// The package that is required.
        package: String,
        /// The requirement.
        requirement: String,
        /// Who requires it.
        parent: String,
        /// What is in the way: unknown, yanked, other versions, a conflict.
        reason: String,
    },
    /// A root asks for a feature that it does not have.
    #[error("{root} has no feature `{feature}`")]
    NoFeature {
        /// The root.
        root: String,
        /// The feature.
        feature: String,
    },
    /// Packages depend on each other in a circle.
    #[error("packages depend on each other in a circle: {}", .packages.join(" -> "))]
    Cycle {
        /// The circle, the first package again at its end.
        packages: Vec<String>,
    },
    /// The limit was hit before a solution was found.
    #[error("gave up resolving after {steps} candidates")]
    GaveUp {
        /// The limit.
        steps: u64,
    },
    /// The registry could not answer.
    #[error("cannot resolve `{package}`")]
    Registry {
        /// The crate that was asked for.
        package: String,
        /// Why not.
        #[source]
        source: IndexError,
    },
}
