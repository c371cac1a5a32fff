//! `palisade ecosystem build` from registries: what they hold may be hostile,
//! damaged or gone, and costs only itself.
//!
//! One store has the fragments of the standard library, which take the most
//! time by far; every test begins with a copy of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use sha2::{Digest, Sha256};

use crate::fixture::Fixture;

/// A registry in the making: archives and index lines.
#[derive(Clone, Default)]
struct Published {
    archives: BTreeMap<String, Vec<u8>>,
    index: BTreeMap<String, String>,
}

impl Published {
    /// A package with a library; `deps` are the names of what it depends on.
    fn package(self, name: &str, version: &str, deps: &[&str], lib: &str) -> Published {
        let list = |text: &mut String, dep: &&str| text.push_str(&format!("{dep} = \"1\"\n"));
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n[dependencies]\n"
        );
        deps.iter().for_each(|dep| list(&mut manifest, dep));
        let archive = archive(
            &format!("{name}-{version}"),
            &[("Cargo.toml", &manifest), ("src/lib.rs", lib)],
        );
        self.archive(name, version, deps, archive)
    }

    /// A package with any archive.
    fn archive(mut self, name: &str, version: &str, deps: &[&str], archive: Vec<u8>) -> Published {
        let checksum: String = Sha256::digest(&archive)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let deps: Vec<String> = deps
            .iter()
            .map(|dep| {
                format!(
                    r#"{{"name":"{dep}","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}}"#
                )
            })
            .collect();
        let line = format!(
            r#"{{"name":"{name}","vers":"{version}","deps":[{}],"cksum":"{checksum}","features":{{}},"yanked":false,"unheard-of":{{"a":1}}}}"#,
            deps.join(",")
        );
        self.archives
            .insert(format!("{name}-{version}.crate"), archive);
        let file = self.index.entry(name.to_owned()).or_default();
        file.push_str(&line);
        file.push('\n');
        self
    }

    /// As a local directory.
    fn lay_out(&self, fixture: &Fixture) -> PathBuf {
        let root = fixture.path("registry");
        for (name, bytes) in &self.archives {
            fs::create_dir_all(&root).unwrap();
            fs::write(root.join(name), bytes).unwrap();
        }
        for (name, lines) in &self.index {
            let path = root.join("index").join(palisade_index::index_path(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, lines).unwrap();
        }
        root
    }
}

/// A gzipped archive with these files below a directory.
fn archive(directory: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        let path = format!("{directory}/{path}");
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A copy of a store that has the standard library's fragments.
fn with_std(fixture: &Fixture) -> String {
    static STORE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let store = STORE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let fixture = Fixture::app("", "fn main() {}\n");
        let registry = Published::default()
            .package("only", "1.0.0", &[], "pub fn f() {}\n")
            .lay_out(&fixture);
        let output = fixture.finish(
            fixture
                .command()
                .args(["ecosystem", "build", "--registry-dir"])
                .arg(registry)
                .arg(dir.path()),
        );
        assert_eq!(output.code, 0, "{}", output.stderr);
        dir
    });
    let to = fixture.path("graph");
    copy(store.path(), &to);
    to.to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn reason(json: &serde_json::Value, list: &str, package: &str) -> String {
    let entries = json[list].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["package"] == package);
    entry.map_or_else(String::new, |entry| {
        entry["reason"].as_str().unwrap().to_owned()
    })
}

/// Guards that archives are read in memory, that every way in which one can be
/// wrong has its reason on record, and that none of them stops the others.
#[test]
fn a_directory_of_archives_good_and_bad() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let good = archive(
        "cut-1.0.0",
        &[(
            "Cargo.toml",
            "[package]\nname = \"cut\"\nversion = \"1.0.0\"\n",
        )],
    );
    let escaping = {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_cksum();
        builder
            .append_link(&mut header, "linked-1.0.0/src/lib.rs", "/etc/passwd")
            .unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    };
    let published = Published::default()
        .package(
            "base",
            "1.0.0",
            &[],
            "pub fn base() { std::process::exit(0) }\n",
        )
        .package(
            "user",
            "1.0.0",
            &["base"],
            "pub fn user() { base::base() }\n",
        )
        .package("cycle-a", "1.0.0", &["cycle-b"], "")
        .package("cycle-b", "1.0.0", &["cycle-a"], "")
        .package("orphan", "1.0.0", &["nowhere"], "")
        .archive("cut", "1.0.0", &[], good[..good.len() / 2].to_vec())
        .archive("text", "1.0.0", &[], b"no archive at all".to_vec())
        .archive("linked", "1.0.0", &[], escaping)
        .package("changed", "1.0.0", &[], "pub fn f() {}\n")
        .package("needs-cut", "1.0.0", &["cut"], "pub fn f() { cut::g() }\n");
    let registry = published.lay_out(&fixture);
    fs::write(
        registry.join("changed-1.0.0.crate"),
        archive("changed-1.0.0", &[("Cargo.toml", "")]),
    )
    .unwrap();
    // A line that nobody understands hides none of the others.
    let index = registry
        .join("index")
        .join(palisade_index::index_path("base"));
    let lines = fs::read_to_string(&index).unwrap();
    fs::write(&index, format!("{{\"name\":\"base\",\"vers\":\n{lines}")).unwrap();

    let graph = with_std(&fixture);
    let build = |json: bool| {
        let mut command = fixture.command();
        command.args(["ecosystem", "build", &graph, "--registry-dir"]);
        command.arg(&registry);
        if json {
            command.args(["--format", "json"]);
        }
        fixture.finish(&mut command)
    };
    let output = build(true);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let json = output.json();
    assert_eq!(json["made"], 2, "{json}");
    for (list, package, says) in [
        ("failed", "cycle-a", "circle"),
        ("failed", "orphan", "nowhere"),
        ("failed", "cut", "archive"),
        ("failed", "text", "archive"),
        ("failed", "linked", "manifest"),
        ("failed", "changed", "checksum"),
        ("incomplete", "needs-cut", "cut 1.0.0"),
    ] {
        let reason = reason(&json, list, package);
        assert!(reason.contains(says), "{package}: {reason}\n{json}");
    }
    let callers = fixture.run(&["ecosystem", "callers", "--graph", &graph, "base::base"]);
    assert!(
        callers.stdout.contains("user::user  src/lib.rs:1"),
        "{}",
        callers.stdout
    );
    // Nothing is lost, and `stats` counts what was not analysed.
    let stats = fixture
        .run(&["ecosystem", "stats", &graph, "--format", "json"])
        .json();
    assert!(
        reason(&stats, "failed", "text").contains("archive"),
        "{stats}"
    );
    // What is there is kept; what failed is tried again, as it may have been
    // mended.
    fs::write(
        registry.join("changed-1.0.0.crate"),
        &published.archives["changed-1.0.0.crate"],
    )
    .unwrap();
    let again = build(true).json();
    assert_eq!(again["made"], 1, "{again}");
    let stats = fixture
        .run(&["ecosystem", "stats", &graph, "--format", "json"])
        .json();
    assert_eq!(reason(&stats, "failed", "changed"), "");
}

/// A registry over HTTP, and what it was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves until the test's process ends. `corrupt` archives are answered
    /// with other bytes, and of `cut` ones only the first half is sent, once.
    fn start(published: Published, corrupt: &'static str, cut: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, base) = (asked.clone(), address.clone());
        std::thread::spawn(move || {
            let mut once = true;
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let _ = answer(stream, &published, &base, corrupt, cut, &mut once, &seen);
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn answer(
    mut stream: TcpStream,
    published: &Published,
    base: &str,
    corrupt: &str,
    cut: &str,
    once: &mut bool,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().unwrap()?;
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let mut fields = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        fields.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    let mut status = "200 OK";
    let mut more = String::new();
    let name = path.rsplit('/').next().unwrap_or_default();
    if path == "/config.json" {
        body = format!("{{\"dl\":\"{base}dl/{{crate}}-{{version}}.crate\"}}").into_bytes();
    } else if let Some(archive) = published.archives.get(name) {
        body.clone_from(archive);
        if name.starts_with(corrupt) && !corrupt.is_empty() {
            body = b"something else".to_vec();
        }
        if let Some(range) = fields.get("range") {
            let from: usize = range
                .trim_start_matches("bytes=")
                .trim_end_matches('-')
                .parse()
                .unwrap();
            status = "206 Partial Content";
            more = format!(
                "content-range: bytes {from}-{}/{}\r\n",
                body.len() - 1,
                body.len()
            );
            body.drain(..from);
        }
    } else if let Some(lines) = published.index.get(name) {
        let tag = format!("\"{}\"", lines.len());
        more = format!("etag: {tag}\r\n");
        if fields.get("if-none-match") == Some(&tag) {
            status = "304 Not Modified";
        } else {
            body = lines.clone().into_bytes();
        }
    } else {
        status = "404 Not Found";
    }
    seen.lock().unwrap().push(format!("{path} {status}"));
    let length = body.len();
    if name.starts_with(cut) && !cut.is_empty() && path.starts_with("/dl/") && std::mem::take(once)
    {
        body.truncate(length / 2);
    }
    write!(
        stream,
        "HTTP/1.1 {status}\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n"
    )?;
    stream.write_all(&body)?;
    stream.flush()
}

/// Guards the way over the network: checksums, a transfer that breaks off and
/// goes on, conditional requests, and that a second run fetches nothing twice.
#[test]
fn a_registry_over_http() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let published = Published::default()
        .package("base", "1.0.0", &[], "pub fn base() {}\n")
        .package(
            "base",
            "1.1.0",
            &[],
            "pub fn base() {}\npub fn newer() {}\n",
        )
        .package(
            "user",
            "1.0.0",
            &["base"],
            "pub fn user() { base::newer() }\n",
        )
        .package("forged", "1.0.0", &[], "pub fn f() {}\n");
    let server = Server::start(published, "forged", "base-1.1.0");
    let graph = with_std(&fixture);
    let build = |crates: &[&str]| {
        let mut command = fixture.command();
        command
            .args([
                "ecosystem",
                "build",
                &graph,
                "--format",
                "json",
                "--registry",
            ])
            .arg(&server.address)
            .args(crates);
        fixture.finish(&mut command)
    };
    let output = build(&["user", "base@1.0.0", "forged"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let json = output.json();
    assert_eq!(json["made"], 2, "{json}");
    let forged = reason(&json, "failed", "forged");
    assert!(forged.contains("the index promises"), "{forged}");
    let asked = server.asked();
    assert!(
        asked.contains(&"/dl/base-1.1.0.crate 206 Partial Content".to_owned()),
        "{asked:?}"
    );

    let json = build(&["user", "base@1.1.0"]).json();
    assert_eq!(
        (&json["made"], &json["kept"]),
        (&1.into(), &json["kept"]),
        "{json}"
    );
    let asked = server.asked();
    assert!(
        !asked.iter().any(|asked| asked.starts_with("/dl/")),
        "{asked:?}"
    );
    assert!(
        asked
            .iter()
            .any(|asked| asked.ends_with("304 Not Modified")),
        "{asked:?}"
    );

    // What is not there is an error that says so, before anything is made.
    let missing = build(&["nothing"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("has no `nothing`"),
        "{}",
        missing.stderr
    );
    let all = build(&[]);
    assert_eq!(all.code, 2, "{}", all.stderr);
}

/// Guards a registry that cannot be reached: one clear error, and what there is
/// stays as it was.
#[test]
fn a_registry_that_is_gone() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let graph = with_std(&fixture);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let output = fixture.finish(fixture.command().args([
        "ecosystem",
        "build",
        &graph,
        "only",
        "--registry",
        &address,
    ]));
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("cannot fetch"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: "), "{}", output.stderr);
    let stats = fixture
        .run(&["ecosystem", "stats", &graph, "--format", "json"])
        .json();
    assert_eq!(stats["failed"].as_array().unwrap().len(), 0, "{stats}");
}

/// Guards that a fragment depends on its crate and its dependencies alone, not
/// on what its worker has loaded before: many share one database.
#[test]
fn what_is_made_together_is_made_alone() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let registry = Published::default()
        .package(
            "base",
            "1.0.0",
            &[],
            "pub trait Speak { fn speak(&self) {} }\npub fn base<T: Speak>(t: &T) { t.speak() }\n",
        )
        .package(
            "one",
            "1.0.0",
            &["base"],
            "pub struct One;\nimpl base::Speak for One {}\npub fn one() { base::base(&One) }\n",
        )
        .package(
            "two",
            "1.0.0",
            &["base", "one"],
            "pub fn two() -> Box<dyn base::Speak> { one::one(); Box::new(one::One) }\n",
        )
        .lay_out(&fixture);
    let graph = with_std(&fixture);
    let build = |graph: &str, crates: &[&str]| {
        let mut command = fixture.command();
        command
            .args([
                "ecosystem",
                "build",
                graph,
                "--workers",
                "1",
                "--registry-dir",
            ])
            .arg(&registry)
            .args(crates);
        let output = fixture.finish(&mut command);
        assert_eq!(output.code, 0, "{}", output.stderr);
    };
    let alone = fixture.path("alone");
    copy(Path::new(&graph), &alone);
    build(&graph, &["base", "one", "two"]);
    for krate in ["two", "one", "base"] {
        build(alone.to_str().unwrap(), &[krate]);
    }
    for krate in ["ba/se/base", "3/o/one", "3/t/two"] {
        let file = |root: &Path| {
            let dir = root.join("fragments").join(krate).join("1.0.0");
            let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap();
            fs::read(entry.path()).unwrap()
        };
        assert!(file(Path::new(&graph)) == file(&alone), "{krate}");
    }
}

/// Guards what is there against a kill, a second process and another engine:
/// nothing is lost, nothing is half written, and what is old is made anew.
#[test]
fn killed_twice_at_once_and_from_another_engine() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let mut published = Published::default();
    for number in 0..6 {
        let name = format!("part-{number}");
        published = published.package(&name, "1.0.0", &[], "pub fn f() -> Vec<u8> { vec![1] }\n");
    }
    let registry = published.lay_out(&fixture);
    let graph = with_std(&fixture);
    let start = || {
        #[expect(
            clippy::disallowed_methods,
            reason = "two runs at a time, which the fixture's command cannot have"
        )]
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_palisade"));
        let home = std::env::var_os("HOME").unwrap_or_default();
        command
            .args([
                "ecosystem",
                "build",
                &graph,
                "--format",
                "json",
                "--registry-dir",
            ])
            .arg(&registry)
            .current_dir(fixture.path("ws"))
            .env("HOME", home)
            .env("CARGO_HOME", fixture.path("cargo"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let mut killed = start();
    std::thread::sleep(std::time::Duration::from_millis(700));
    killed.kill().unwrap();
    killed.wait().unwrap();

    let (first, second) = (start(), start());
    let mut made = 0;
    for run in [first, second] {
        let output = run.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["failed"].as_array().unwrap().len(), 0, "{json}");
        made += json["made"].as_u64().unwrap();
    }
    // Each once, by one of the runs: the other one waited and found them.
    assert!(made <= 6, "{made}");
    let stats = || {
        let output = fixture.run(&["ecosystem", "stats", &graph, "--format", "json"]);
        output.json()
    };
    let all = stats()["made"].as_u64().unwrap();

    let dir = Path::new(&graph).join("fragments/pa/rt/part-3/1.0.0");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&file).unwrap();
    let mut old = palisade_graph::Fragment::decode(&bytes, &Default::default()).unwrap();
    old.engine = "palisade 0.0.1 facts 0".to_owned();
    fs::write(&file, old.encode()).unwrap();
    let output = start().wait_with_output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["made"], 1, "{json}");
    assert!(fs::read(&file).unwrap() == bytes);
    assert_eq!(stats()["made"].as_u64().unwrap(), all);
}
