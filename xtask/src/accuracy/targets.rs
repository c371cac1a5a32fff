//! The published applications that are measured, fetched and built at fixed
//! versions with their own lockfiles.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::process;

mod list;

pub(crate) use self::list::TARGETS;

/// What kind of program a target is; each kind has its own goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Set {
    /// Synchronous programs without derives that decide what is reached.
    Plain,
    /// Command-line tools with clap's and serde's derives.
    Cli,
    /// Asynchronous programs with derives.
    Async,
    /// Older releases whose lockfiles hold known vulnerabilities; their
    /// verdicts are judged, their call graphs are not.
    Advised,
    /// The plain, the command-line and the asynchronous ones.
    All,
}

/// What a kind of program must reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goals {
    /// Lowest recall with in-process expanders.
    pub(crate) recall: f64,
    /// Lowest recall with real expansion.
    pub(crate) recall_expanded: f64,
    /// Lowest precision.
    pub(crate) precision: f64,
}

impl Set {
    /// The goals for targets of this kind.
    pub(crate) fn goals(self) -> Goals {
        let (recall, recall_expanded, precision) = match self {
            Set::Plain => (0.995, 0.995, 0.96),
            Set::Cli | Set::Advised | Set::All => (0.98, 0.98, 0.94),
            Set::Async => (0.96, 0.99, 0.94),
        };
        Goals {
            recall,
            recall_expanded,
            precision,
        }
    }
}

/// One application.
#[derive(Debug)]
pub(crate) struct Target {
    /// The package's name.
    pub(crate) name: &'static str,
    /// The exact version.
    pub(crate) version: &'static str,
    /// The binary to build.
    pub(crate) bin: &'static str,
    /// What kind of program it is.
    pub(crate) set: Set,
    /// Command lines that exercise it without network or terminal, for the
    /// measurement of executed functions. `{dir}` is its source directory.
    commands: &'static [&'static [&'static str]],
    /// A command line that serves HTTP on `{port}` until it is interrupted;
    /// empty for programs that do not.
    pub(crate) server: &'static [&'static str],
}

/// The targets that a command line asks for, in the order of [`TARGETS`];
/// "all" holds the advised ones only when `advised` says so.
///
/// # Errors
///
/// When a name is not among them.
pub(crate) fn select(set: Set, names: &[String], advised: bool) -> Result<Vec<&'static Target>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| TARGETS.iter().all(|target| target.name != **name))
    {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        bail!(
            "no target is called {unknown}; there are {}",
            known.join(", ")
        );
    }
    Ok(TARGETS
        .iter()
        .filter(|target| {
            if names.is_empty() {
                target.set == set || set == Set::All && (advised || target.set != Set::Advised)
            } else {
                names.iter().any(|name| name == target.name)
            }
        })
        .collect())
}

/// A target that has been built.
pub(crate) struct Built {
    /// The executable.
    pub(crate) executable: Utf8PathBuf,
    /// The libraries that were linked into it.
    pub(crate) libraries: Vec<Library>,
}

/// A library that was linked into a target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// The package's name.
    pub(crate) package: String,
    /// Its version.
    pub(crate) version: String,
    /// The library's name in source.
    pub(crate) name: String,
    /// The archive.
    pub(crate) file: Utf8PathBuf,
}

/// Where sources and builds are kept.
pub(crate) fn cache_dir() -> Utf8PathBuf {
    std::env::var("PALISADE_ACCURACY_DIR").map_or_else(
        |_| process::target_dir().join("accuracy"),
        |dir| process::workspace_root().join(dir),
    )
}

impl Target {
    /// The directory of the unpacked package, fetched when it is not there.
    ///
    /// # Errors
    ///
    /// When cargo cannot download it.
    pub(crate) fn source(&self) -> Result<Utf8PathBuf> {
        let package = format!("{}-{}", self.name, self.version);
        let source = cache_dir().join("src").join(&package);
        if source.join("Cargo.toml").is_file() {
            return Ok(source);
        }
        // `cargo info` is the one command that downloads a single package,
        // programs included, without resolving its dependencies anew.
        let neutral = tempfile::tempdir().context("cannot make a temporary directory")?;
        process::output(
            process::cargo()
                .args(["info", "--quiet"])
                .arg(format!("{}@{}", self.name, self.version))
                .current_dir(neutral.path()),
        )?;
        let unpacked = in_registry(&package)?;
        // Aside first, so that an interrupted copy is not taken for a whole one.
        let partial = cache_dir().join("src").join(format!(".{package}"));
        copy_package(&unpacked, &partial)?;
        std::fs::rename(&partial, &source)
            .with_context(|| format!("cannot rename {partial} to {source}"))?;
        Ok(source)
    }

    /// The command lines that exercise the binary.
    pub(crate) fn command_lines(&self, source: &Utf8Path) -> Vec<Vec<String>> {
        let fill = |argument: &&str| argument.replace("{dir}", source.as_str());
        self.commands
            .iter()
            .map(|arguments| arguments.iter().map(fill).collect())
            .collect()
    }

    /// The command line that serves on a port.
    pub(crate) fn server_line(&self, source: &Utf8Path, port: u16) -> Vec<String> {
        let fill = |argument: &&str| {
            argument
                .replace("{dir}", source.as_str())
                .replace("{port}", &port.to_string())
        };
        self.server.iter().map(fill).collect()
    }

    /// Builds the binary without optimisation, with version 0 symbol names.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched or does not compile.
    pub(crate) fn build(&self) -> Result<Built> {
        self.build_with("", "build")
    }

    /// As [`Target::build`], with more compiler flags and in a directory of
    /// its own.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched or does not compile.
    pub(crate) fn build_with(&self, flags: &str, directory: &str) -> Result<Built> {
        let source = self.source()?;
        let host = host_triple()?;
        let mut command = process::cargo();
        command
            .args(["build", "--locked", "--bin", self.bin])
            // Naming the target keeps what runs at build time, and the flags
            // for it, apart from what is linked.
            .args(["--target", &host])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(&source)
            .env("CARGO_TARGET_DIR", cache_dir().join(directory))
            .env(
                "RUSTFLAGS",
                format!("-C symbol-mangling-version=v0 {flags}").trim_end(),
            )
            // A package may bring its own idea of the profile.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_STRIP", "none")
            .env("CARGO_INCREMENTAL", "0");
        let messages = process::output(&mut command)
            .with_context(|| format!("cannot build {} {}", self.name, self.version))?;
        let built = read_messages(&messages, self.bin, &host)?;
        Ok(built)
    }
}

/// The triple of the machine that this runs on.
///
/// # Errors
///
/// When rustc cannot be asked.
pub(crate) fn host_triple() -> Result<String> {
    let version = process::output(process::command("rustc").arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("`rustc -vV` names no host")
}

/// Finds executable and libraries in what cargo reports.
fn read_messages(messages: &str, bin: &str, host: &str) -> Result<Built> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        #[serde(default)]
        package_id: String,
        target: Option<ArtifactTarget>,
        #[serde(default)]
        filenames: Vec<Utf8PathBuf>,
        executable: Option<Utf8PathBuf>,
    }
    #[derive(Deserialize)]
    struct ArtifactTarget {
        name: String,
    }

    let mut executable = None;
    let mut libraries = Vec::new();
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Message =
            serde_json::from_str(line).context("cargo printed a message of an unknown form")?;
        let Some(target) = message
            .target
            .filter(|_| message.reason == "compiler-artifact")
        else {
            continue;
        };
        let linked = message
            .filenames
            .iter()
            .find(|file| file.extension() == Some("rlib"));
        // What is built for the host alone has no triple in its path.
        if let Some(library) = linked
            && library.components().any(|part| part.as_str() == host)
        {
            let (package, version) = package_and_version(&message.package_id);
            libraries.push(Library {
                package,
                version,
                name: target.name.replace('-', "_"),
                file: library.clone(),
            });
        }
        if target.name == bin && message.executable.is_some() {
            executable = message.executable;
        }
    }
    Ok(Built {
        executable: executable.with_context(|| format!("cargo built no executable {bin}"))?,
        libraries,
    })
}

/// Name and version from a package id, which leaves the name out where the
/// source ends with it.
fn package_and_version(id: &str) -> (String, String) {
    let (source, fragment) = id.split_once('#').unwrap_or(("", id));
    let (name, version) = fragment.split_once('@').unwrap_or_else(|| {
        let last = source.trim_end_matches('/').rsplit('/').next();
        (last.unwrap_or_default(), fragment)
    });
    (name.to_owned(), version.to_owned())
}

/// Where cargo unpacked a package.
fn in_registry(package: &str) -> Result<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME").or_else(|_| {
        std::env::var("HOME").map(|home| Utf8Path::new(&home).join(".cargo").into_string())
    })?;
    let registries = Utf8Path::new(&home).join("registry/src");
    let mut entries = registries
        .read_dir_utf8()
        .with_context(|| format!("cannot read {registries}"))?
        .filter_map(|entry| Some(entry.ok()?.into_path().join(package)));
    entries
        .find(|path| path.join("Cargo.toml").is_file())
        .with_context(|| format!("cargo downloaded {package}, but not into {registries}"))
}

/// Copies a package without its toolchain file and cargo configuration, which
/// would change how it is built, and makes it a workspace of its own.
fn copy_package(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("cannot remove {to}"))?;
    }
    let left_out = |name: &str| {
        matches!(
            name,
            ".cargo" | ".cargo-ok" | "rust-toolchain" | "rust-toolchain.toml"
        )
    };
    let entries = walkdir::WalkDir::new(from)
        .into_iter()
        .filter_entry(|entry| !entry.file_name().to_str().is_some_and(left_out));
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {from}"))?;
        let path = Utf8Path::from_path(entry.path()).context("a path is not UTF-8")?;
        let copy = to.join(path.strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&copy).with_context(|| format!("cannot create {copy}"))?;
        } else {
            std::fs::copy(path, &copy).with_context(|| format!("cannot copy {path} to {copy}"))?;
        }
    }
    let manifest = to.join("Cargo.toml");
    let mut text =
        std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {manifest}"))?;
    if !text.contains("\n[workspace]") {
        text.push_str("\n[workspace]\n");
        std::fs::write(&manifest, text).with_context(|| format!("cannot write {manifest}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that what runs at build time is not taken for linked code.
    #[test]
    fn only_libraries_of_the_target_are_linked() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"quote"},"filenames":["/t/debug/deps/libquote-1.rlib"],"executable":null}
{"reason":"compiler-artifact","package_id":"registry+https://example.org/index#serde-x@1.2.3","target":{"name":"serde-x"},"filenames":["/t/triple/debug/deps/libserde_x-1.rlib","/t/triple/debug/deps/libserde_x-1.rmeta"],"executable":null}
{"reason":"build-script-executed","package_id":"x","env":[]}
{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/triple/debug/app"],"executable":"/t/triple/debug/app"}
{"reason":"build-finished","success":true}
"#;
        let built = read_messages(messages, "app", "triple").unwrap();
        assert_eq!(built.executable, "/t/triple/debug/app");
        let expected = Library {
            package: "serde-x".into(),
            version: "1.2.3".into(),
            name: "serde_x".into(),
            file: "/t/triple/debug/deps/libserde_x-1.rlib".into(),
        };
        assert_eq!(built.libraries, [expected]);
        assert!(read_messages(messages, "other", "triple").is_err());
    }

    /// Guards both forms that cargo writes.
    #[test]
    fn package_ids_hold_name_and_version() {
        let check = |id, name: &str, version: &str| {
            assert_eq!(package_and_version(id), (name.into(), version.into()));
        };
        check("registry+https://example.org/index#a@1.0.0", "a", "1.0.0");
        check("path+file:///work/app#1.2.0", "app", "1.2.0");
        check("path+file:///work/app#other@1.2.0", "other", "1.2.0");
    }

    /// Guards the command line: a misspelt name is an error, not an empty run.
    #[test]
    fn selects_by_set_or_name() {
        let count = |set, names: &[&str], advised| {
            let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
            select(set, &names, advised).map(|found| found.len()).ok()
        };
        assert_eq!(count(Set::All, &[], true), Some(TARGETS.len()));
        assert!(count(Set::All, &[], false) < Some(TARGETS.len()));
        assert_eq!(count(Set::All, &["ripgrep"], false), Some(1));
        assert_eq!(count(Set::Plain, &["ripgrap"], false), None);
        for set in [Set::Plain, Set::Cli, Set::Async, Set::Advised] {
            assert!(count(set, &[], false) >= Some(3));
        }
    }
}
