//! What an answer depends on.

use camino::{Utf8Path, Utf8PathBuf};
use palisade_advisory::Matches;
use palisade_project::{LoadOptions, ToolchainId};
use sha2::{Digest, Sha256};

use super::tree::{self, part};
use super::{Cache, hex, stamp};
use crate::session::AnalysisOptions;
use crate::{CheckOptions, Workspace};

/// Environment variables that decide what a build contains. A name that ends
/// in `*` stands for all that start with it.
const ENVIRONMENT: &[&str] = &[
    "CARGO_BUILD_*",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_HOME",
    "CARGO_PROFILE_*",
    "CARGO_REGISTRIES_*",
    "CARGO_REGISTRY_*",
    "CARGO_SOURCE_*",
    "CARGO_TARGET_*",
    "PALISADE_*",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// The digest of everything that an answer depends on, in digits that can name
/// a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The digest.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A key of this name.
    #[cfg(test)]
    pub(super) fn for_tests(name: &str) -> Key {
        Key(name.to_owned())
    }

    /// The key of a question about a workspace; `None` when it cannot be told
    /// whether something will have changed. `question` is all that the answer
    /// depends on beside the workspace, its toolchain and its environment.
    pub(crate) fn of(
        cache: &Cache,
        workspace: &Workspace,
        analysis: &AnalysisOptions,
        cargo_home: Option<&Utf8Path>,
        toolchain: &ToolchainId,
        question: &str,
    ) -> Option<Key> {
        if analysis.expand_macros {
            // What real expansion makes depends on more than can be compared.
            return None;
        }
        let mut hash = Sha256::new();
        let mut add = |name: &str, value: &str| {
            part(&mut hash, name.as_bytes());
            part(&mut hash, value.as_bytes());
        };
        add("program", &cache.program);
        add("question", question);
        add("root", workspace.root.as_str());
        add("lockfile", &content(&workspace.lockfile)?);
        add("sources", &tree::digest(&workspace.root)?);
        add("cargo", &cargo_configuration(workspace, cargo_home)?);
        add("environment", &environment());
        add("flags", &flags(&workspace.load));
        add("analysis", &flags_of(analysis));
        add("configuration", &format!("{:?}", workspace.config));
        add("toolchain", &format!("{toolchain:?}"));
        add("sysroot", &sysroot(&toolchain.sysroot));
        Some(Key(hex(&hash.finalize())))
    }
}

/// What a check asks beside the workspace; `None` when an advisory cannot be
/// read any more. Only the advisories that matched count: others do not change
/// the answer.
pub(crate) fn check_question(options: &CheckOptions<'_>, matches: &Matches) -> Option<String> {
    let mut text = format!(
        "check {:?} {:?}\n{:?}\n",
        options.paths, options.database, matches.diagnostics
    );
    for matched in &matches.matches {
        let digest = content(&matched.advisory.file)?;
        text.push_str(&format!(
            "{} {} {digest}\n",
            matched.package, matched.advisory.id
        ));
    }
    Some(text)
}

/// The digest of a file; `None` when it exists but cannot be read.
fn content(file: &Utf8Path) -> Option<String> {
    match std::fs::read(file) {
        Ok(bytes) => Some(hex(&Sha256::digest(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(String::new()),
        Err(_) => None,
    }
}

/// The configuration files that cargo reads above the workspace and in its
/// home; those inside the workspace are among its sources.
fn cargo_configuration(workspace: &Workspace, cargo_home: Option<&Utf8Path>) -> Option<String> {
    let above = workspace
        .root
        .ancestors()
        .skip(1)
        .map(|dir| dir.join(".cargo"));
    let manifests = workspace
        .root
        .ancestors()
        .skip(1)
        .map(|dir| dir.join("Cargo.toml"));
    let dirs = above.chain(cargo_home.map(Utf8Path::to_owned));
    let files = dirs
        .flat_map(|dir| [dir.join("config"), dir.join("config.toml")])
        .chain(manifests);
    let digests = files.collect::<Vec<Utf8PathBuf>>().into_iter().map(|file| {
        let digest = content(&file)?;
        Some(format!("{file}={digest}\n"))
    });
    digests.collect()
}

fn environment() -> String {
    let is_relevant = |name: &str| {
        ENVIRONMENT
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *pattern,
            })
    };
    let mut variables: Vec<String> = std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(is_relevant))
        .map(|(name, value)| format!("{name:?}={value:?}\n"))
        .collect();
    variables.sort();
    variables.concat()
}

/// All options but the path, which only serves to find the workspace. Taken
/// apart, so that a new one cannot be forgotten.
fn flags(load: &LoadOptions) -> String {
    let LoadOptions {
        path,
        packages,
        workspace,
        exclude,
        lib,
        all_bins,
        bins,
        tests,
        features,
        all_features,
        no_default_features,
        target,
        locked,
        offline,
        sysroot_source,
        limits,
    } = load;
    // Without a selection, the package that the path lies in is checked.
    let selects_by_path = packages.is_empty() && !workspace;
    let path = if selects_by_path {
        camino::absolute_utf8(path).unwrap_or_default()
    } else {
        Utf8PathBuf::new()
    };
    format!(
        "{:?}",
        (
            (
                path, packages, workspace, exclude, lib, all_bins, bins, tests
            ),
            (
                features,
                all_features,
                no_default_features,
                target,
                locked,
                offline
            ),
            (sysroot_source, limits),
        )
    )
}

/// The number of threads does not change an answer, nor does what is freed.
fn flags_of(options: &AnalysisOptions) -> String {
    let AnalysisOptions {
        threads: _,
        expand_macros,
        limits,
        one_shot: _,
    } = options;
    format!("{:?}", (expand_macros, limits))
}

/// What tells one installation of the standard library from another: updates
/// rewrite the manifests that rustup keeps beside it.
fn sysroot(sysroot: &Utf8Path) -> String {
    let files = [
        "bin/rustc",
        "lib/rustlib/components",
        "lib/rustlib/multirust-channel-manifest.toml",
    ];
    let library = sysroot.join("lib/rustlib/src/rust/library/Cargo.lock");
    let stamped = |file: Utf8PathBuf| Some(format!("{file} {}\n", stamp(&file)?));
    files
        .iter()
        .map(|file| sysroot.join(file))
        .chain([library])
        .filter_map(stamped)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    use palisade_advisory::{Database, TargetInfo};
    use semver::Version;

    use crate::session::NoProgress;
    use crate::testing::package;
    use crate::{Config, FailOn};

    /// A workspace and a database in a temporary directory.
    struct World {
        dir: tempfile::TempDir,
    }

    impl World {
        fn new() -> World {
            let world = World {
                dir: tempfile::tempdir().unwrap(),
            };
            world.write("ws/Cargo.lock", "version = 4\n");
            world.write("ws/Cargo.toml", "[package]\nname = \"app\"\n");
            world.write("ws/src/main.rs", "fn main() {}\n");
            world.write("sysroot/lib/rustlib/components", "rustc\n");
            world.advisory("first");
            world
        }

        fn path(&self, name: &str) -> Utf8PathBuf {
            Utf8Path::from_path(self.dir.path()).unwrap().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let file = self.path(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn advisory(&self, title: &str) {
            let text = format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"demo\"\n\
                 date = \"2099-01-01\"\n\n[versions]\npatched = []\n```\n\n# {title}\n\nText.\n"
            );
            self.write("db/crates/demo/RUSTSEC-2099-0001.md", &text);
        }

        /// The key of a check after `change` has changed its parts.
        fn key(
            &self,
            change: impl FnOnce(&mut Workspace, &mut CheckOptions<'_>, &mut ToolchainId),
        ) -> Key {
            let mut workspace = Workspace {
                root: self.path("ws"),
                lockfile: self.path("ws/Cargo.lock"),
                config: Config::default(),
                load: LoadOptions {
                    path: self.path("ws"),
                    ..LoadOptions::default()
                },
            };
            let mut options = CheckOptions {
                database: self.path("db"),
                database_age_days: None,
                today: jiff::civil::date(2099, 1, 1),
                analysis: AnalysisOptions {
                    threads: 1,
                    expand_macros: false,
                    limits: Default::default(),
                    one_shot: false,
                },
                paths: 1,
                cargo_home: Some(self.path("cargo")),
                cache: Some(Cache {
                    dir: self.path("cache"),
                    program: "1".to_owned(),
                }),
                progress: &NoProgress,
                screener: None,
            };
            let mut toolchain = ToolchainId {
                version: Version::new(1, 95, 0),
                host: "x86_64-unknown-linux-gnu".to_owned(),
                sysroot: self.path("sysroot"),
            };
            change(&mut workspace, &mut options, &mut toolchain);
            let (database, _) = Database::open(&options.database, &Default::default()).unwrap();
            let anywhere = TargetInfo {
                os: String::new(),
                arch: String::new(),
            };
            let matches = database.matches(&[package("demo 1.0.0")], &anywhere, &toolchain.version);
            assert_eq!(matches.matches.len(), 1, "{:?}", matches.diagnostics);
            let question = check_question(&options, &matches).unwrap();
            let cache = options.cache.clone().unwrap();
            let home = options.cargo_home.as_deref();
            Key::of(
                &cache,
                &workspace,
                &options.analysis,
                home,
                &toolchain,
                &question,
            )
            .unwrap()
        }
    }

    /// Guards against answers that no longer hold: whatever an answer depends
    /// on changes the key.
    #[test]
    fn every_part_counts() {
        let world = World::new();
        let mut keys = vec![world.key(|_, _, _| {})];
        assert_eq!(world.key(|_, _, _| {}), keys[0], "nothing changed");
        assert_eq!(
            world.key(|_, options, _| options.analysis.threads = 7),
            keys[0],
            "threads do not count"
        );
        let mut is_new = |what: &str, key: Key| {
            assert!(!keys.contains(&key), "{what} does not count");
            keys.push(key);
        };

        is_new(
            "a feature",
            world.key(|workspace, _, _| workspace.load.features.push("f".to_owned())),
        );
        is_new(
            "all features",
            world.key(|workspace, _, _| workspace.load.all_features = true),
        );
        is_new(
            "no default features",
            world.key(|workspace, _, _| workspace.load.no_default_features = true),
        );
        is_new(
            "the target",
            world.key(|workspace, _, _| workspace.load.target = Some("wasm32-wasip1".into())),
        );
        is_new(
            "the entry point",
            world.key(|workspace, _, _| workspace.load.bins.push("app".to_owned())),
        );
        is_new(
            "tests",
            world.key(|workspace, _, _| workspace.load.tests = true),
        );
        is_new(
            "the package",
            world.key(|workspace, _, _| workspace.load.packages.push("app".to_owned())),
        );
        is_new(
            "a flag",
            world.key(|workspace, _, _| workspace.load.offline = true),
        );
        is_new(
            "the configuration",
            world.key(|workspace, _, _| {
                workspace.config.fail_on = FailOn {
                    unknown: true,
                    ..FailOn::default()
                };
            }),
        );
        is_new(
            "the number of paths",
            world.key(|_, options, _| options.paths = 2),
        );
        is_new(
            "limits",
            world.key(|_, options, _| options.analysis.limits.type_depth = 3),
        );
        is_new(
            "the program",
            world.key(|_, options, _| {
                options.cache.as_mut().unwrap().program = "2".to_owned();
            }),
        );
        is_new(
            "the toolchain",
            world.key(|_, _, toolchain| toolchain.version = Version::new(1, 96, 0)),
        );
        is_new(
            "the sysroot",
            world.key(|_, _, toolchain| toolchain.sysroot = "/elsewhere".into()),
        );

        world.advisory("second");
        is_new("the advisory", world.key(|_, _, _| {}));
        world.write("sysroot/lib/rustlib/components", "rustc\nrust-src\n");
        is_new("a component", world.key(|_, _, _| {}));
        world.write("cargo/config.toml", "[build]\n");
        is_new("cargo's configuration", world.key(|_, _, _| {}));
        world.write("ws/Cargo.lock", "version = 3\n");
        is_new("the lockfile", world.key(|_, _, _| {}));
        world.write("ws/Cargo.toml", "[package]\nname = \"other\"\n");
        is_new("the manifest", world.key(|_, _, _| {}));
        world.write("ws/src/main.rs", "fn main() { loop {} }\n");
        is_new("a source", world.key(|_, _, _| {}));
    }

    /// Guards that advisories which did not match do not invalidate answers.
    #[test]
    fn other_advisories_do_not_count() {
        let world = World::new();
        let before = world.key(|_, _, _| {});
        world.write(
            "db/crates/other/RUSTSEC-2099-0002.md",
            "not even an advisory",
        );
        assert_eq!(world.key(|_, _, _| {}), before);
    }

    /// Guards that what executes code is never answered from the cache.
    #[test]
    fn real_expansion_is_not_kept() {
        let world = World::new();
        let workspace = Workspace {
            root: world.path("ws"),
            lockfile: world.path("ws/Cargo.lock"),
            config: Config::default(),
            load: LoadOptions::default(),
        };
        let analysis = AnalysisOptions {
            threads: 1,
            expand_macros: true,
            limits: Default::default(),
            one_shot: false,
        };
        let cache = Cache {
            dir: world.path("cache"),
            program: String::new(),
        };
        let toolchain = ToolchainId {
            version: Version::new(1, 95, 0),
            host: String::new(),
            sysroot: world.path("sysroot"),
        };
        assert_eq!(
            Key::of(&cache, &workspace, &analysis, None, &toolchain, ""),
            None
        );
    }
}
