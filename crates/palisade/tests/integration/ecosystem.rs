//! `palisade ecosystem`.
//!
//! Fragments of the standard library take the most time by far, so there is
//! one store and one test for everything that needs them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use crate::fixture::{Fixture, functions};

/// A program that reaches one of two functions of a dependency's dependency
/// through a trait object, and links a crate that nothing can read.
fn fixture() -> Fixture {
    let main = "use demo::Speak;\n\
        fn main() { let all: Vec<Box<dyn Speak>> = vec![Box::new(demo::Loud)]; for one in &all { one.speak(); } }\n";
    Fixture::app("demo = \"1\"\nbroken = \"1\"", main)
        .package(
            "demo",
            "1.0.0",
            "[dependencies]\ndeep = \"1\"\n",
            "pub trait Speak { fn speak(&self); }\n\
             pub struct Loud; impl Speak for Loud { fn speak(&self) { deep::reached() } }\n\
             pub struct Quiet; impl Speak for Quiet { fn speak(&self) { deep::spared() } }\n\
             pub fn never() -> std::io::Result<String> { std::fs::read_to_string(\"x\") }\n",
        )
        .package(
            "deep",
            "1.0.0",
            "",
            "pub fn reached() {}\npub fn spared() {}\n",
        )
        .depends("demo", &["deep"])
        .package(
            "broken",
            "1.0.0",
            "",
            "pub fn a( { ] <<<< fn fn \u{0} ] } }\n",
        )
        .advisory("RUSTSEC-2001-0001", "deep", &functions(&["deep::reached"]))
        .advisory("RUSTSEC-2001-0002", "deep", &functions(&["deep::spared"]))
}

/// Serves the files below a directory until the test's process ends.
fn serve(dir: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let path = first.split(' ').nth(1).unwrap().trim_start_matches('/');
            let body = fs::read(dir.join(path));
            let status = if body.is_ok() {
                "200 OK"
            } else {
                "404 Not Found"
            };
            let body = body.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    address
}

/// Guards the promise of `--fragments`: it saves work, and never changes a
/// verdict; what cannot be used is said, and then nothing is saved.
fn screening(fixture: &Fixture) {
    let verdicts = |arguments: &[&str]| {
        // Not offline: fragments may lie on the network, here this machine's own.
        let mut all = vec!["check", "--db", "../db", "--format", "json"];
        all.extend(arguments);
        let output = fixture.run(&all);
        let json = output.json();
        let findings = json["findings"].as_array().unwrap().clone();
        let mut found: Vec<(String, String, String)> = findings
            .iter()
            .map(|it| {
                let text = |key: &str| it[key].as_str().unwrap().to_owned();
                (text("id"), text("verdict"), text("reason"))
            })
            .collect();
        found.sort();
        (found, output.stderr)
    };
    let plain = |found: &[(String, String, String)]| -> Vec<(String, String)> {
        let pairs = found.iter();
        pairs
            .map(|(id, verdict, _)| (id.clone(), verdict.clone()))
            .collect()
    };
    let (walked, _) = verdicts(&[]);
    let address = serve(fixture.path("graph"));
    for from in ["../graph", &address] {
        let (screened, stderr) = verdicts(&["--fragments", from]);
        assert_eq!(plain(&screened), plain(&walked), "{from}: {stderr}");
        let by_fragments: Vec<&str> = screened
            .iter()
            .filter(|(.., reason)| reason.contains("fragments"))
            .map(|(id, ..)| id.as_str())
            .collect();
        assert_eq!(by_fragments, ["RUSTSEC-2001-0002"], "{screened:?} {stderr}");
    }
    let nowhere = serve(fixture.path("nowhere"));
    for (from, says) in [
        (nowhere.as_str(), "there are none of"),
        ("../nowhere", "there are none of"),
    ] {
        let (screened, stderr) = verdicts(&["--fragments", from]);
        assert_eq!(screened, walked, "{from}");
        assert!(stderr.contains(says), "{from}: {stderr}");
    }
}

/// Guards the whole way from source to answers: that fragments are made and
/// kept, that a crate that cannot be read costs only itself, that a trait
/// object leads to the types that are made into one and no further, and what
/// the answers look like.
#[test]
fn from_source_to_answers() {
    let fixture = fixture();
    let build = [
        "ecosystem",
        "build",
        "../graph",
        "--from-lock",
        "Cargo.lock",
        "--offline",
        "--format",
        "json",
    ];
    let first = fixture.run(&build);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let first = first.json();
    let made = first["made"].as_u64().unwrap();
    assert!(made > 10, "{first}");
    assert_eq!(first["failed"].as_array().unwrap().len(), 0, "{first}");
    let incomplete = first["incomplete"].as_array().unwrap();
    assert_eq!(incomplete.len(), 1, "{first}");
    assert_eq!(incomplete[0]["package"], "broken");

    // Everything but the program's own source is there already.
    let second = fixture.run(&build).json();
    assert_eq!(second["made"], 1, "{second}");
    assert_eq!(second["kept"].as_u64().unwrap(), made, "{second}");

    let stats = fixture.run(&["ecosystem", "stats", "../graph", "--format", "json"]);
    assert_eq!(stats.json()["made"], first["made"]);

    let ask = |what: &str| {
        fixture.run(&[
            "ecosystem",
            "exposed",
            "--graph",
            "../graph",
            "--lock",
            "Cargo.lock",
            what,
        ])
    };
    let reached = ask("deep::reached");
    assert_eq!(reached.code, 1, "{}", reached.stderr);
    insta::assert_snapshot!(reached.stdout, @r"
    deep::reached
      is deep::reached 1.0.0
    1 of 1 crates that it is linked or built with may reach it

    app 0.1.0 (bin app), 0 dependents
      app::main  src/main.rs:2  (calls Speak::speak)
      demo::<Loud as Speak>::speak  src/lib.rs:2
      deep::reached  src/lib.rs:1
    ");
    let spared = ask("deep::spared");
    assert_eq!(spared.code, 0, "{}", spared.stdout);
    insta::assert_snapshot!(spared.stdout, @r"
    deep::spared
      is deep::spared 1.0.0
    0 of 1 crates that it is linked or built with may reach it

    only linked with it:
      app 0.1.0 (bin app), 1 places not followed
    ");
    let database = fixture.path("db");
    let advisory = fixture.finish(
        fixture
            .command()
            .args([
                "ecosystem",
                "exposed",
                "--graph",
                "../graph",
                "--lock",
                "Cargo.lock",
                "RUSTSEC-2001-0001",
                "--db",
            ])
            .arg(database),
    );
    assert_eq!(advisory.code, 1, "{}", advisory.stderr);
    let missing = ask("deep::nothing");
    assert_eq!(missing.code, 2);
    insta::assert_snapshot!(missing.stderr, @r"
    error: no fragment has a function `deep::nothing`

    hint: name it by its crate's library name, or by its full path in the source; `--all-versions` asks old versions too
    ");

    let callers = fixture.run(&[
        "ecosystem",
        "callers",
        "--graph",
        "../graph",
        "deep::spared",
        "--transitive",
    ]);
    insta::assert_snapshot!(callers.stdout, @r"
    deep::spared 1.0.0
    1 direct callers, 2 in all

    demo 1.0.0
      demo::<Quiet as Speak>::speak  src/lib.rs:3

    app 0.1.0, 1 calls away
      app::main  src/main.rs:2  (trait)
    ");

    let listed = fixture.run(&[
        "ecosystem",
        "functions",
        "demo@1.0.0",
        "--graph",
        "../graph",
    ]);
    insta::assert_snapshot!(listed.stdout, @r"
    demo 1.0.0  pub demo::<Loud as Speak>::speak  src/lib.rs:2
    demo 1.0.0  pub demo::<Quiet as Speak>::speak  src/lib.rs:3
    demo 1.0.0  pub demo::never  src/lib.rs:4  [filesystem]
    ");

    // A scan asks the same fragments about vulnerable dependencies; one without
    // a fix in reach is worth a finding.
    fixture.write(
        "db/crates/deep/RUSTSEC-2001-0003.md",
        "```toml\n[advisory]\nid = \"RUSTSEC-2001-0003\"\npackage = \"deep\"\ndate = \"2023-01-01\"\n\n[affected.functions]\n\"deep::reached\" = []\n\n[versions]\npatched = []\n```\n\n# A problem\n\nText.\n",
    );
    let scan = fixture.run(&[
        "scan",
        "../vendor/demo-1.0.0",
        "--db",
        "../db",
        "--graph",
        "../graph",
        "--format",
        "json",
    ]);
    let scan = scan.json();
    let finding = &scan["targets"][0]["findings"][0];
    assert_eq!(finding["detector"], "vulnerable-dependency", "{scan}");
    assert_eq!(finding["severity"], "high", "{scan}");
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("; reached: ") && message.ends_with("deep::reached"),
        "{message}"
    );

    // A damaged file is made again, and told until then.
    let demo = fixture.path("graph/fragments/de/mo/demo/1.0.0");
    let file = fs::read_dir(demo).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "PALF").unwrap();
    let stats = fixture.run(&["ecosystem", "stats", "../graph"]);
    assert!(stats.stdout.contains("failed:      1"), "{}", stats.stdout);
    assert_eq!(fixture.run(&build).json()["made"], 2);
    assert!(fs::metadata(&file).unwrap().len() > 50);
    screening(&fixture);
}

/// Guards that what is left out is asked for, not guessed.
#[test]
fn arguments_that_make_no_sense() {
    let fixture = Fixture::app("", "fn main() {}\n");
    for arguments in [
        vec!["ecosystem", "build", "../graph"],
        vec!["ecosystem", "stats", "../graph"],
        vec!["ecosystem", "exposed", "--graph", "../graph", "a::b"],
        vec!["ecosystem", "callers", "--graph", "../graph", "nonsense"],
    ] {
        let output = fixture.run(&arguments);
        assert_eq!(output.code, 2, "{arguments:?}");
        assert!(output.stderr.contains("hint: "), "{}", output.stderr);
    }
}
