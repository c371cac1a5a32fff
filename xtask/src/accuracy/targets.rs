//! The published applications that are measured, fetched and built at fixed
//! versions with their own lockfiles.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::process;

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

/// All targets. They are published programs that nobody here wrote, need
/// nothing but a C compiler to build, and together cover what applications
/// use: threads, hand-built vtables, tables of trait objects, derives of
/// every common kind, and the main asynchronous stacks.
pub(crate) const TARGETS: &[Target] = &[
    // Tables of `&dyn Flag`, regex automata, threads, memory maps.
    Target {
        name: "ripgrep",
        version: "14.1.1",
        bin: "rg",
        set: Set::Plain,
        commands: &[
            &["--help"],
            &["fn\\s+main", "{dir}"],
            &["--json", "-i", "-C2", "impl", "{dir}/crates"],
            &["--files", "--sort", "path", "{dir}"],
            &["-c", "-w", "--stats", "use", "{dir}"],
            &["-U", "-o", "-r", "$1", "fn (\\w+)\\(", "{dir}/crates"],
        ],
        server: &[],
    },
    // Parsers, geometry, images and fonts: number crunching behind traits.
    Target {
        name: "resvg",
        version: "0.49.0",
        bin: "resvg",
        set: Set::Plain,
        commands: &[&["--help"], &["--version"]],
        server: &[],
    },
    // clap's builder without derives, closures over iterators.
    Target {
        name: "pastel",
        version: "0.12.0",
        bin: "pastel",
        set: Set::Plain,
        commands: &[
            &["--help"],
            &["--color-mode", "24bit", "format", "lch", "rebeccapurple"],
            &["gradient", "-n", "4", "red", "blue"],
            &["mix", "red", "blue"],
            &["list"],
        ],
        server: &[],
    },
    // clap and serde derives, rayon, a configuration file.
    Target {
        name: "du-dust",
        version: "1.2.7",
        bin: "dust",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["-d", "3", "{dir}"],
            &["-j", "{dir}"],
            &["-t", "-F", "{dir}"],
        ],
        server: &[],
    },
    // derives of clap, serde, snafu and strum; a parser and an evaluator.
    Target {
        name: "just",
        version: "1.59.0",
        bin: "just",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["--justfile", "{dir}/justfile", "--list"],
            &["--justfile", "{dir}/justfile", "--dump"],
            &["--justfile", "{dir}/justfile", "--summary"],
            &[
                "--justfile",
                "{dir}/justfile",
                "--dump",
                "--dump-format",
                "json",
            ],
        ],
        server: &[],
    },
    // derives of clap, serde, derive_more, strum and thiserror; winnow.
    Target {
        name: "typos-cli",
        version: "1.52.0",
        bin: "typos",
        set: Set::Cli,
        commands: &[
            &["--help"],
            &["{dir}"],
            &["--format", "json", "{dir}"],
            &["--dump-config", "-"],
        ],
        server: &[],
    },
    // The smallest real tokio program: derives, tracing, framed streams.
    Target {
        name: "bore-cli",
        version: "0.6.0",
        bin: "bore",
        set: Set::Async,
        commands: &[&["--help"], &["local", "1", "--to", "localhost"]],
        server: &[],
    },
    // hyper, tokio, compression, TLS; generated markup.
    Target {
        name: "static-web-server",
        version: "2.44.1",
        bin: "static-web-server",
        set: Set::Async,
        commands: &[&["--help"], &["--root", "/nonexistent"]],
        server: &[
            "--host",
            "127.0.0.1",
            "--port",
            "{port}",
            "--root",
            "{dir}",
            "--directory-listing",
        ],
    },
    // tonic, tower, hyper, prost: services nested in services.
    Target {
        name: "tokio-console",
        version: "0.1.14",
        bin: "tokio-console",
        set: Set::Async,
        commands: &[&["--help"], &["gen-completion", "bash"]],
        server: &[],
    },
    // actix: actors, handlers as generic functions, multipart; the largest.
    Target {
        name: "miniserve",
        version: "0.35.0",
        bin: "miniserve",
        set: Set::Async,
        commands: &[&["--help"], &["--print-manpage"]],
        server: &["--interfaces", "127.0.0.1", "--port", "{port}", "{dir}"],
    },
    // Advisories: time, chrono, users, regex and thread_local of 2021.
    Target {
        name: "fd-find",
        version: "8.3.0",
        bin: "fd",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: a small program whose affected crates are terminal helpers.
    Target {
        name: "hexyl",
        version: "0.9.0",
        bin: "hexyl",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: rayon's crates, tempfile and structopt of 2020.
    Target {
        name: "sd",
        version: "0.7.6",
        bin: "sd",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: rand, remove_dir_all and regex of 2021.
    Target {
        name: "hyperfine",
        version: "1.12.0",
        bin: "hyperfine",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
    // Advisories: the most advisories: parsers and templates of 2021.
    Target {
        name: "tokei",
        version: "12.1.2",
        bin: "tokei",
        set: Set::Advised,
        commands: &[],
        server: &[],
    },
];

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
    pub(crate) libraries: Vec<Utf8PathBuf>,
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
            libraries.push(library.clone());
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
{"reason":"compiler-artifact","target":{"name":"serde-x"},"filenames":["/t/triple/debug/deps/libserde_x-1.rlib","/t/triple/debug/deps/libserde_x-1.rmeta"],"executable":null}
{"reason":"build-script-executed","package_id":"x","env":[]}
{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/triple/debug/app"],"executable":"/t/triple/debug/app"}
{"reason":"build-finished","success":true}
"#;
        let built = read_messages(messages, "app", "triple").unwrap();
        assert_eq!(built.executable, "/t/triple/debug/app");
        assert_eq!(built.libraries, ["/t/triple/debug/deps/libserde_x-1.rlib"]);
        assert!(read_messages(messages, "other", "triple").is_err());
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
