//! A workspace, packages that look published, and an advisory database, all
//! in a temporary directory.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The checksum that every package of the fixture claims to have.
const CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// 2023-11-14T22:13:20Z.
const NOW: &str = "1700000000";

/// How lines of progress begin.
const PROGRESS: &[&str] = &[
    "asking cargo ",
    "building ",
    "loading ",
    "walking ",
    "scanning ",
];

pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    packages: Vec<(String, String, Vec<String>)>,
}

/// What a run printed, with the temporary directory replaced by `[ROOT]`.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    /// Without the lines of progress, which depend on the machine's speed.
    pub(crate) stderr: String,
    /// Standard output as it was.
    pub(crate) raw: String,
}

impl Output {
    /// Standard output without the number of functions that were walked, which
    /// changes with the standard library.
    pub(crate) fn settled(&self) -> String {
        let settle = |part: &str| match part.strip_suffix(" functions walked") {
            Some(_) => "[N] functions walked".to_owned(),
            None => part.to_owned(),
        };
        let line = |line: &str| {
            let parts = line
                .split("; ")
                .map(|part| part.split(", ").map(settle).collect::<Vec<_>>().join(", "));
            parts.collect::<Vec<_>>().join("; ") + "\n"
        };
        self.stdout.lines().map(line).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

impl Fixture {
    /// An application with one binary; `dependencies` are lines of its
    /// manifest.
    pub(crate) fn app(dependencies: &str, main: &str) -> Fixture {
        let fixture = Fixture {
            dir: tempfile::tempdir().unwrap(),
            packages: Vec::new(),
        };
        fixture.write(
            "cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"local\"\n",
        );
        let vendor = fixture.path("vendor");
        fs::create_dir_all(&vendor).unwrap();
        let config = format!(
            "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\ndirectory = {vendor:?}\n"
        );
        fixture.write("cargo/config.toml", &config);
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n"
        );
        fixture.write("ws/Cargo.toml", &manifest);
        fixture.write("ws/src/main.rs", main);
        fixture.write(
            "db/crates/unrelated/RUSTSEC-2000-0001.md",
            &advisory("RUSTSEC-2000-0001", "unrelated", ""),
        );
        fixture.lock();
        fixture
    }

    /// Adds a published package; `manifest` is what follows `[package]`'s name
    /// and version.
    pub(crate) fn package(
        mut self,
        name: &str,
        version: &str,
        manifest: &str,
        lib: &str,
    ) -> Fixture {
        let dir = format!("vendor/{name}-{version}");
        let head = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{manifest}"
        );
        self.write(&format!("{dir}/Cargo.toml"), &head);
        self.write(&format!("{dir}/src/lib.rs"), lib);
        self.write(
            &format!("{dir}/.cargo-checksum.json"),
            &format!("{{\"files\":{{}},\"package\":\"{CHECKSUM}\"}}"),
        );
        self.packages
            .push((name.to_owned(), version.to_owned(), Vec::new()));
        self.lock();
        self
    }

    /// Says in the lockfile that a package depends on others.
    pub(crate) fn depends(mut self, name: &str, on: &[&str]) -> Fixture {
        let package = self
            .packages
            .iter_mut()
            .find(|(known, ..)| known == name)
            .unwrap();
        package.2 = on.iter().map(|&name| name.to_owned()).collect();
        self.lock();
        self
    }

    /// Adds an advisory; `more` is TOML that follows its head.
    pub(crate) fn advisory(self, id: &str, package: &str, more: &str) -> Fixture {
        self.write(
            &format!("db/crates/{package}/{id}.md"),
            &advisory(id, package, more),
        );
        self
    }

    /// Writes a file and goes on.
    pub(crate) fn file(self, name: &str, text: &str) -> Fixture {
        self.write(name, text);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The lockfile that cargo would write.
    fn lock(&self) {
        let manifest = fs::read_to_string(self.path("ws/Cargo.toml")).unwrap();
        let mut text = "version = 4\n".to_owned();
        let mut entries = vec![("app".to_owned(), "0.1.0".to_owned(), Vec::new(), false)];
        for (name, version, depends) in &self.packages {
            if manifest.contains(&format!("{name} =")) || manifest.contains(&format!("{name}.")) {
                entries[0].2.push(name.clone());
            }
            entries.push((name.clone(), version.clone(), depends.clone(), true));
        }
        entries.sort();
        for (name, version, mut depends, is_published) in entries {
            text.push_str(&format!(
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n"
            ));
            if is_published {
                text.push_str(
                    "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
                );
                text.push_str(&format!("checksum = \"{CHECKSUM}\"\n"));
            }
            depends.sort();
            if !depends.is_empty() {
                text.push_str("dependencies = [\n");
                for dependency in depends {
                    text.push_str(&format!(" \"{dependency}\",\n"));
                }
                text.push_str("]\n");
            }
        }
        self.write("ws/Cargo.lock", &text);
    }

    /// The binary with a scrubbed environment, in the workspace.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.env_clear().current_dir(self.path("ws"));
        let kept = [
            "PATH",
            "RUSTUP_TOOLCHAIN",
            "RUSTUP_HOME",
            "PALISADE_SYSROOT_SRC",
        ];
        for name in kept {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if std::env::var_os("RUSTUP_HOME").is_none() {
            let home = std::env::home_dir().unwrap();
            command.env("RUSTUP_HOME", home.join(".rustup"));
        }
        fs::create_dir_all(self.path("home")).unwrap();
        command
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", self.path("cargo"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("SOURCE_DATE_EPOCH", NOW);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.finish(self.command().args(arguments))
    }

    /// `palisade check --offline --db …`.
    pub(crate) fn check(&self, arguments: &[&str]) -> Output {
        let database = self.path("db");
        let mut command = self.command();
        command
            .args(["check", "--offline", "--db"])
            .arg(database)
            .args(arguments);
        self.finish(&mut command)
    }

    pub(crate) fn finish(&self, command: &mut Command) -> Output {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| {
            let root: &Path = &self.path("");
            let root = root.to_str().unwrap().trim_end_matches('/');
            String::from_utf8_lossy(bytes).replace(root, "[ROOT]")
        };
        Output {
            code: output.status.code().expect("the process was not killed"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr)
                .lines()
                .filter(|line| !PROGRESS.iter().any(|start| line.starts_with(start)))
                .map(|line| format!("{line}\n"))
                .collect(),
            raw: String::from_utf8(output.stdout).unwrap(),
        }
    }
}

/// An advisory that is fixed in 1.0.1.
fn advisory(id: &str, package: &str, more: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2023-01-01\"\n{more}\n\n\
         [versions]\npatched = [\">= 1.0.1\"]\n```\n\n# A problem in {package}\n\nIts description.\n"
    )
}

/// TOML of an advisory that names functions; it must be the last of its head.
pub(crate) fn functions(paths: &[&str]) -> String {
    let mut text = "[affected.functions]\n".to_owned();
    for path in paths {
        text.push_str(&format!("\"{path}\" = [\"< 1.0.1\"]\n"));
    }
    text
}
