//! What to load, in the terms that cargo's users know.

use camino::Utf8PathBuf;

/// Which workspace, packages, targets and features to load.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// A `Cargo.toml`, or a directory from which the nearest one upwards is
    /// taken.
    pub path: Utf8PathBuf,
    /// `--package`: the members to load; empty for cargo's default members.
    /// An entry is a name, or `name@version`.
    pub packages: Vec<String>,
    /// `--workspace`: every member.
    pub workspace: bool,
    /// `--exclude`: members to leave out of [`LoadOptions::workspace`].
    pub exclude: Vec<String>,
    /// `--lib`: the selected members' libraries.
    pub lib: bool,
    /// `--bins`: all the selected members' binaries.
    pub all_bins: bool,
    /// `--bin`: these binaries. When neither this nor `lib` nor `all_bins` is
    /// set, every library and every binary is taken, as `cargo build` does.
    pub bins: Vec<String>,
    /// `--tests`: unit tests, integration tests, benches and examples too, and
    /// with them the development dependencies.
    pub tests: bool,
    /// `--features`: names, `package/name` or `dependency/name`; an entry may
    /// hold several, separated by commas or spaces.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--target`: the triple; `None` for what the configuration says, else
    /// the host.
    pub target: Option<String>,
    /// `--locked`: refuse to change or to write the lockfile.
    pub locked: bool,
    /// `--offline`: never use the network.
    pub offline: bool,
    /// The directory that holds the standard library's source (`library`),
    /// instead of the one that is found.
    pub sysroot_source: Option<Utf8PathBuf>,
    /// How much is read of what somebody else wrote.
    pub limits: Limits,
}

/// How much is read of what somebody else wrote.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one manifest or configuration file.
    pub manifest_bytes: u64,
    /// Bytes of a lockfile.
    pub lockfile_bytes: u64,
    /// Bytes of what `cargo metadata` prints.
    pub metadata_bytes: u64,
    /// Bytes of one build script that is searched for configuration flags.
    pub build_script_bytes: u64,
    /// Files of one package's build script (`build.rs` and its modules).
    pub build_script_files: usize,
    /// Directories between a manifest and the root of the file system.
    pub ancestors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            manifest_bytes: 4 << 20,
            lockfile_bytes: 64 << 20,
            metadata_bytes: 512 << 20,
            build_script_bytes: 1 << 20,
            build_script_files: 64,
            ancestors: 128,
        }
    }
}
