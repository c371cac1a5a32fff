//! What can go wrong while loading, and what to do about it.

use std::io;

use camino::Utf8PathBuf;

/// Why a workspace could not be loaded. Every message names its subject;
/// [`LoadError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No manifest at the path, nor in any directory above it.
    #[error("no Cargo.toml in `{path}` or any directory above it")]
    NoManifest {
        /// Where the search began.
        path: Utf8PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read `{file}`")]
    Read {
        /// The file.
        file: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file is larger than its limit.
    #[error("`{file}` is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        file: Utf8PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file is not TOML.
    #[error("`{file}` is not valid TOML")]
    Toml {
        /// The file.
        file: Utf8PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The workspace has no lockfile.
    #[error("`{file}` does not exist")]
    NoLockfile {
        /// Where it would be.
        file: Utf8PathBuf,
    },
    /// The lockfile is TOML but not a lockfile.
    #[error("`{file}` is not a lockfile: {message}")]
    Lockfile {
        /// The lockfile.
        file: Utf8PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// No usable toolchain was found.
    #[error("no Rust toolchain: {message}")]
    Toolchain {
        /// What was tried.
        message: String,
    },
    /// A process could not be started or waited for.
    #[error("cannot run `{program}`")]
    Spawn {
        /// The program.
        program: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The checkout configures something that could run its own programs and
    /// that cannot be neutralised.
    #[error("`{file}` sets `{key}`, which could run a program of the checkout")]
    Refused {
        /// The configuration file, or the environment variable's value.
        file: Utf8PathBuf,
        /// The key.
        key: String,
        /// What to do.
        advice: String,
    },
    /// cargo refused the workspace.
    #[error("cargo cannot read the workspace of `{manifest}`: {message}")]
    Cargo {
        /// The manifest that cargo was given.
        manifest: Utf8PathBuf,
        /// The heart of cargo's message, on one line.
        message: String,
        /// What to do.
        advice: Option<String>,
    },
    /// What `cargo metadata` printed was not understood.
    #[error("cannot understand what `cargo metadata` says about `{manifest}`: {message}")]
    Metadata {
        /// The manifest that cargo was given.
        manifest: Utf8PathBuf,
        /// What was not understood.
        message: String,
    },
    /// The target triple is not known.
    #[error("the target `{triple}` is not known: {message}")]
    Target {
        /// The triple.
        triple: String,
        /// Who does not know it.
        message: String,
    },
    /// The selection names something that does not exist.
    #[error("{message} in `{manifest}`")]
    Selection {
        /// The workspace's manifest.
        manifest: Utf8PathBuf,
        /// What does not exist: "no package `x`".
        message: String,
        /// What does exist.
        advice: Option<String>,
    },
    /// The standard library's source was not found.
    #[error("the standard library's source was not found; looked in {}", .tried.iter().map(|dir| format!("`{dir}`")).collect::<Vec<_>>().join(", "))]
    NoSysrootSource {
        /// The directories that were tried.
        tried: Vec<Utf8PathBuf>,
    },
}

impl LoadError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            LoadError::NoManifest { .. } => {
                "run it inside a Cargo project, or name one with --manifest-path".to_owned()
            }
            LoadError::NoLockfile { .. } => {
                "run `cargo generate-lockfile`, or leave out --locked".to_owned()
            }
            LoadError::Lockfile { .. } => {
                "restore it from version control, or delete it and run `cargo generate-lockfile`"
                    .to_owned()
            }
            LoadError::Toolchain { .. } => {
                "install one from https://rustup.rs, or put `rustc` and `cargo` on the PATH"
                    .to_owned()
            }
            LoadError::Target { .. } => "`rustc --print target-list` lists the targets".to_owned(),
            LoadError::NoSysrootSource { .. } => "run `rustup component add rust-src`, or install \
                 Debian's package `rust-web-src`, or set PALISADE_SYSROOT_SRC"
                .to_owned(),
            LoadError::Refused { advice, .. } => advice.clone(),
            LoadError::Cargo { advice, .. } | LoadError::Selection { advice, .. } => {
                return advice.clone();
            }
            LoadError::Read { .. }
            | LoadError::TooLarge { .. }
            | LoadError::Toml { .. }
            | LoadError::Spawn { .. }
            | LoadError::Metadata { .. } => return None,
        };
        Some(hint)
    }
}
