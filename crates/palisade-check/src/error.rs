//! Why a question could not be answered at all.

use palisade_advisory::{DatabaseError, PathError};
use palisade_engine::EngineError;
use palisade_project::{ExecuteError, LoadError};

use crate::ConfigError;

/// Why a question could not be answered at all. What only makes an answer
/// less certain is in the answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The project cannot be loaded.
    #[error(transparent)]
    Project(#[from] LoadError),
    /// The advisory database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The analysis cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The answer cannot be rendered.
    #[error("cannot render the answer")]
    Render {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The name of a function cannot be read.
    #[error("`{text}` does not name a function")]
    FunctionPath {
        /// The name as given.
        text: String,
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
    /// No crate of the build has the name that a path starts with.
    #[error("no crate of the build is named `{name}`")]
    UnknownCrate {
        /// The name.
        name: String,
        /// Names that are close to it.
        similar: Vec<String>,
    },
    /// The crate has no such function.
    #[error("`{path}` names nothing in {package}")]
    UnknownFunction {
        /// The path as given.
        path: String,
        /// The package, with its version.
        package: String,
    },
}

impl CheckError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            CheckError::Project(error) => error.hint(),
            CheckError::Database(error) => Some(error.hint()),
            CheckError::Config(ConfigError::Invalid { .. }) => {
                Some("docs/configuration.md describes the file".to_owned())
            }
            CheckError::Config(_) => None,
            CheckError::Engine(EngineError::Execute { source }) => {
                match source.downcast_ref::<ExecuteError>() {
                    Some(error) => error.hint(),
                    None => Some(
                        "use a toolchain that this release knows, or leave out --expand-macros"
                            .to_owned(),
                    ),
                }
            }
            CheckError::Engine(EngineError::Sysroot { .. }) => {
                Some("reinstall the source with `rustup component add --force rust-src`".to_owned())
            }
            CheckError::Engine(_) | CheckError::Render { .. } => None,
            CheckError::FunctionPath { .. } => {
                Some("write it as code would, the crate first: `time::Tm::to_local`".to_owned())
            }
            CheckError::UnknownCrate { similar, .. } if similar.is_empty() => {
                Some("`cargo tree` lists the packages; write `-` as `_`".to_owned())
            }
            CheckError::UnknownCrate { similar, .. } => {
                Some(format!("there is `{}`", similar.join("`, `")))
            }
            CheckError::UnknownFunction { .. } => Some(
                "features and the target decide which functions exist; paths may go through \
                 re-exports, and a type means all its methods"
                    .to_owned(),
            ),
        }
    }
}
