//! Verdicts, levels, contexts and exit codes.

use crate::fixture::{Fixture, Output, functions};

const DEMO: &str = "pub fn bad() {}\npub fn good() {}\npub struct Parser;\nimpl Parser {\n    pub fn parse(&self) { bad() }\n}\n#[macro_export]\nmacro_rules! twice { ($e:expr) => { ($e, $e) } }\n";

fn demo(main: &str, more: &str) -> Fixture {
    Fixture::app("demo = \"1\"", main)
        .package("demo", "1.0.0", "", DEMO)
        .advisory("RUSTSEC-2099-0001", "demo", more)
}

/// `verdict level context target` of each finding.
#[track_caller]
fn verdicts(output: &Output) -> Vec<String> {
    let json = output.json();
    let findings = json["findings"].as_array().unwrap();
    let field =
        |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| {
            ["verdict", "level", "context", "target"]
                .map(|name| field(finding, name))
                .join(" ")
        })
        .collect()
}

/// Guards the fast path: without a match nothing is loaded, not even a broken
/// source file is noticed.
#[test]
fn nothing_applies() {
    let fixture = Fixture::app("demo = \"1\"", "this is not rust")
        .package("demo", "1.0.1", "", "")
        .advisory("RUSTSEC-2099-0001", "demo", "");
    let output = fixture.check(&[]);
    insta::assert_snapshot!(output.stdout, @"no advisory applies to 2 packages; 2 advisories in the database");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

/// Guards the main answer: a call path with places, the remedy, exit code 1.
#[test]
fn reached() {
    let fixture = demo(
        "mod report;\n\nfn main() {\n    report::all();\n}\n",
        &functions(&["demo::bad"]),
    )
    .file(
        "ws/src/report.rs",
        "pub fn all() {\n    demo::Parser.parse();\n}\n",
    );
    let output = fixture.check(&[]);
    insta::assert_snapshot!(output.settled(), @"
    reached: RUSTSEC-2099-0001: A problem in demo
      package: demo 1.0.0 (vulnerability)
      targets: bin:app
       reason: a call path leads to demo::bad
         path: app::main            src/main.rs:4
               app::report::all     src/report.rs:2
               demo::Parser::parse  demo-1.0.0/src/lib.rs:5
               demo::bad            demo-1.0.0/src/lib.rs:1
       remedy: cargo update -p demo --precise 1.0.1
          see: https://rustsec.org/advisories/RUSTSEC-2099-0001.html

    1 reached, 0 unknown, 0 not reached; 2 packages, 1 target, [N] functions walked; 2 advisories in the database
    ");
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert_eq!(
        verdicts(&fixture.check(&["--format", "json"])),
        ["reached reached run bin:app"]
    );
}

/// Guards the other main answer: imported, but no path leads there.
#[test]
fn not_reached() {
    let fixture = demo("fn main() { demo::good(); }\n", &functions(&["demo::bad"]));
    let output = fixture.check(&[]);
    insta::assert_snapshot!(output.settled(), @"
    not reached: RUSTSEC-2099-0001: A problem in demo
      package: demo 1.0.0 (vulnerability)
      targets: bin:app
       reason: no call path leads to demo::bad
       remedy: cargo update -p demo --precise 1.0.1
          see: https://rustsec.org/advisories/RUSTSEC-2099-0001.html

    0 reached, 0 unknown, 1 not reached; 2 packages, 1 target, [N] functions walked; 2 advisories in the database
    ");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(
        verdicts(&fixture.check(&["--format", "json"])),
        ["not-reached imported run bin:app"]
    );
}

/// Guards the decision at crate level where an advisory names no function.
#[test]
fn without_functions_the_crate_counts() {
    let used = demo("fn main() { demo::good(); }\n", "");
    assert_eq!(
        verdicts(&used.check(&["--format", "json"])),
        ["reached reached run bin:app"]
    );
    let unused = demo("fn main() {}\n", "");
    assert_eq!(
        verdicts(&unused.check(&["--format", "json"])),
        ["not-reached imported run bin:app"]
    );
}

/// Guards that a name which does not exist never makes a *not reached*, and is
/// reported.
#[test]
fn a_missing_function_is_no_good_news() {
    let fixture = demo(
        "fn main() { demo::good(); }\n",
        &functions(&["demo::renamed"]),
    );
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
    assert_eq!(
        output.json()["findings"][0]["missing_functions"][0],
        "demo::renamed"
    );

    let some = demo(
        "fn main() { demo::good(); }\n",
        &functions(&["demo::renamed", "demo::bad"]),
    );
    let output = some.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["not-reached imported run bin:app"]);
    assert_eq!(
        output.json()["findings"][0]["missing_functions"][0],
        "demo::renamed"
    );
}

/// Guards that a macro is decided by where it is expanded: its expansion is
/// code of the crate that defines it, and leaves no call behind.
#[test]
fn a_macro_counts_where_it_is_expanded() {
    let named = |main: &str| {
        let fixture = demo(main, &functions(&["demo::twice"]));
        fixture.check(&["--format", "json"])
    };
    let output = named("fn main() {\n    let _ = demo::twice!(1);\n}\n");
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
    let finding = &output.json()["findings"][0];
    assert_eq!(
        finding["reason"],
        "demo::twice! is expanded in code that a call path leads to"
    );
    assert_eq!(finding["paths"][0][0]["line"], 2);
    assert_eq!(finding["paths"][0][0]["dispatch"], "expansion");
    assert_eq!(finding["paths"][0][1]["function"], "demo::twice!");
    assert_eq!(finding["paths"][0][1]["line"], 7);
    for elsewhere in [
        "fn main() { demo::good(); }\n",
        "fn main() {}\nfn unused() { let _ = demo::twice!(1); }\n",
    ] {
        let output = named(elsewhere);
        assert_eq!(
            verdicts(&output),
            ["not-reached imported run bin:app"],
            "{elsewhere}"
        );
    }
}

/// Guards that a crate of which only macros are used counts as used: what they
/// write in the user's crate is its code. That holds for items, for macros
/// that other macros write, and through what a third crate writes.
#[test]
fn a_crate_that_is_only_expanded_is_reached() {
    const MACROS: &str = "#[macro_export]\nmacro_rules! twice { ($e:expr) => { ($e, $e) } }\n\
        #[macro_export]\nmacro_rules! outer { ($e:expr) => { $crate::twice!($e) } }\n\
        #[macro_export]\nmacro_rules! make { ($n:ident) => { fn $n() {} } }\n\
        #[macro_export]\nmacro_rules! packed { ($n:ident) => { #[repr(packed)] pub struct $n(pub u8, pub u32); } }\n";
    let check = |main: &str| {
        let fixture = Fixture::app("demo = \"1\"\nmiddle = \"1\"", main)
            .package("demo", "1.0.0", "", MACROS)
            .package(
                "middle",
                "1.0.0",
                "[dependencies]\ndemo = \"1\"\n",
                "pub use demo;\npub fn call() { let _ = demo::twice!(1); }\n\
                 #[macro_export]\nmacro_rules! through { () => { $crate::demo::twice!(1) } }\n",
            )
            .depends("middle", &["demo"])
            .advisory("RUSTSEC-2099-0001", "demo", "");
        fixture.check(&["--format", "json"])
    };
    for main in [
        "fn main() { let _ = demo::twice!(1); }\n",
        "fn main() { let _ = demo::outer!(1); }\n",
        "fn main() { let _ = middle::through!(); }\n",
        "fn main() { middle::call(); }\n",
        "demo::make!(made);\nfn main() { made(); }\n",
        "const PAIR: (u8, u8) = demo::twice!(1);\nfn main() { let _ = PAIR; }\n",
    ] {
        let output = check(main);
        assert_eq!(verdicts(&output), ["reached reached run bin:app"], "{main}");
        let paths = &output.json()["findings"][0]["paths"][0];
        let last = paths.as_array().unwrap().last().unwrap().clone();
        let name = last["function"].as_str().unwrap();
        assert!(name.starts_with("demo::") && name.ends_with('!'), "{name}");
    }
    for main in [
        "fn main() {}\n",
        "demo::make!(made);\nfn main() {}\n",
        "fn main() {}\nfn unused() { middle::call(); }\n",
    ] {
        let output = check(main);
        assert_eq!(
            verdicts(&output),
            ["not-reached imported run bin:app"],
            "{main}"
        );
    }
    // Whether the layout of a type matters to those who use it, no call shows.
    let output = check("demo::packed!(Pair);\nfn main() { let _ = Pair(1, 2); }\n");
    assert_eq!(verdicts(&output), ["unknown imported run bin:app"]);
    let spot = &output.json()["blind_spots"][0];
    assert_eq!(
        (spot["cause"].as_str(), spot["detail"].as_str()),
        (
            Some("generated-source"),
            Some("types that `demo::packed!` writes")
        )
    );
}

/// Guards that unseen code which may expand a macro keeps its crate from being
/// cleared.
#[test]
fn unseen_code_may_expand_a_macro() {
    let fixture = Fixture::app(
        "demo = \"1\"\nmagic = \"1\"",
        "fn main() { magic::magic!(demo twice); }\n",
    )
    .package("demo", "1.0.0", "", DEMO)
    .package(
        "magic",
        "1.0.0",
        "[lib]\nproc-macro = true\n",
        "#[proc_macro]\npub fn magic(input: proc_macro::TokenStream) -> proc_macro::TokenStream { input }\n",
    )
    .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::twice"]));
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["unknown imported run bin:app"]);
    assert_eq!(output.json()["blind_spots"][0]["cause"], "unexpanded-macro");
}

/// Guards that running a package's build script is no use of its library.
#[test]
fn a_build_script_is_not_the_library() {
    let fixture = demo("fn main() {}\n", "").file("vendor/demo-1.0.0/build.rs", "fn main() {}\n");
    assert_eq!(
        verdicts(&fixture.check(&["--format", "json"])),
        ["not-reached imported run bin:app"]
    );
}

/// Guards that calling the standard library is no use of a package that passes
/// the same function on.
#[test]
fn what_the_standard_library_defines_is_not_the_package() {
    let check = |main: &str| {
        let fixture = Fixture::app("demo = \"1\"", main)
            .package(
                "demo",
                "1.0.0",
                "",
                "pub use std::mem::drop;\npub fn own() {}\n",
            )
            .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::drop"]));
        verdicts(&fixture.check(&["--format", "json"]))
    };
    assert_eq!(
        check("fn main() { drop(1); }\n"),
        ["not-reached imported run bin:app"]
    );
    assert_eq!(
        check("fn main() { demo::own(); }\n"),
        ["reached reached run bin:app"]
    );
}

/// Guards that code of a foreign library, which calls its own functions, is
/// never taken for code that calls none.
#[test]
fn foreign_code_calls_what_no_source_shows() {
    let check = |main: &str| {
        let fixture = Fixture::app("demo-sys = \"1\"", main)
            .package(
                "demo-sys",
                "1.0.0",
                "links = \"demo\"\n",
                "unsafe extern \"C\" {\n    pub safe fn status();\n    pub safe fn add();\n}\n",
            )
            .file("vendor/demo-sys-1.0.0/build.rs", "fn main() {}\n")
            .advisory(
                "RUSTSEC-2099-0001",
                "demo-sys",
                &functions(&["demo_sys::add"]),
            );
        fixture.check(&["--format", "json"])
    };
    let output = check("fn main() { demo_sys::status(); }\n");
    assert_eq!(verdicts(&output), ["unknown imported run bin:app"]);
    let json = output.json();
    assert_eq!(json["blind_spots"][0]["cause"], "foreign-code");
    assert_eq!(json["findings"][0]["blind_spots"][0], 0);
    assert_eq!(
        json["findings"][0]["reason"],
        "no call path leads to demo_sys::add, but foreign code that is reached through \
         demo_sys::status may call it"
    );
    assert_eq!(
        verdicts(&check("fn main() {}\n")),
        ["not-reached imported run bin:app"]
    );
    assert_eq!(
        verdicts(&check("fn main() { demo_sys::add(); }\n")),
        ["reached reached run bin:app"]
    );
}

/// Guards that a malicious crate counts as reached when it is imported.
#[test]
fn malicious_when_imported() {
    let fixture = demo("fn main() {}\n", "categories = [\"malicious\"]")
        .file(
            "db/crates/demo/RUSTSEC-2099-0001.md",
            "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"demo\"\ndate = \"2023-01-01\"\n\
             categories = [\"malicious\"]\n[versions]\npatched = []\n```\n\n# Malicious code in demo\n\nText.\n",
        );
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
    assert_eq!(output.json()["findings"][0]["kind"], "malicious");
    assert_eq!(output.json()["findings"][0]["remedy"]["kind"], "none");
    assert_eq!(output.code, 1);
}

/// Guards that what another platform needs is required, not imported.
#[test]
fn required_only() {
    let fixture = Fixture::app("", "fn main() {}\n")
        .file(
            "ws/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [target.'cfg(windows)'.dependencies]\ndemo = \"1\"\n",
        )
        .package("demo", "1.0.0", "", DEMO)
        .advisory("RUSTSEC-2099-0001", "demo", "");
    let output = fixture.check(&["--format", "json", "--target", "x86_64-unknown-linux-gnu"]);
    assert_eq!(verdicts(&output), ["not-reached required run "]);
    assert_eq!(output.code, 0);
}

/// Guards that code which only runs while building is told apart.
#[test]
fn build_time() {
    let fixture = Fixture::app("", "fn main() {}\n")
        .file(
            "ws/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[build-dependencies]\ndemo = \"1\"\n",
        )
        .file("ws/build.rs", "fn main() { demo::bad(); }\n")
        .package("demo", "1.0.0", "", DEMO)
        .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::bad"]));
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached build bin:app"]);
    assert_eq!(output.code, 1);
    assert!(
        fixture
            .check(&[])
            .stdout
            .starts_with("reached at build time: RUSTSEC-2099-0001")
    );
}

/// Guards that each target has its own verdict, and that text shows equal
/// verdicts once.
#[test]
fn several_targets() {
    let fixture = demo("fn main() { demo::bad(); }\n", &functions(&["demo::bad"]))
        .file("ws/src/bin/same.rs", "fn main() { demo::bad(); }\n")
        .file("ws/src/bin/other.rs", "fn main() {}\n");
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(
        verdicts(&output),
        [
            "reached reached run bin:app",
            "reached reached run bin:same",
            "not-reached imported run bin:other",
        ]
    );
    let text = fixture.check(&[]).stdout;
    assert!(text.contains("targets: bin:app, bin:same\n"), "{text}");
    let one = fixture.check(&["--bin", "other", "--format", "json"]);
    assert_eq!(verdicts(&one), ["not-reached imported run bin:other"]);
    assert_eq!(one.code, 0);
}

/// Guards the table of exit codes for informational kinds.
#[test]
fn informational_kinds() {
    let fixture = demo(
        "fn main() { demo::good(); }\n",
        "informational = \"unmaintained\"",
    );
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
    assert_eq!(output.code, 0);
    assert_eq!(fixture.check(&["--fail-on", "unsound,notice"]).code, 0);
    assert_eq!(
        fixture.check(&["--fail-on", "unsound,unmaintained"]).code,
        1
    );
}

/// Guards that an advisory that cannot be read stays unknown, and that only
/// `--fail-on unknown` makes that a failure.
#[test]
fn an_unreadable_advisory_stays_unknown() {
    let fixture =
        demo("fn main() {}\n", "").file("db/crates/demo/RUSTSEC-2099-0001.md", "```toml\nnot toml");
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["unknown required run "]);
    assert_eq!(output.code, 0);
    assert!(
        output.stderr.contains("RUSTSEC-2099-0001.md"),
        "{}",
        output.stderr
    );
    assert_eq!(fixture.check(&["--fail-on", "unknown"]).code, 3);
}

/// Guards that a path package which shares the name is another package.
#[test]
fn a_namesake_is_another_package() {
    let fixture = Fixture::app("demo = { path = \"../demo\" }", "fn main() { demo::bad(); }\n")
        .file("demo/Cargo.toml", "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n")
        .file("demo/src/lib.rs", DEMO)
        .file(
            "ws/Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"demo\",\n]\n\n\
             [[package]]\nname = \"demo\"\nversion = \"1.0.0\"\n",
        )
        .advisory("RUSTSEC-2099-0001", "demo", "");
    let output = fixture.check(&[]);
    assert!(
        output.stdout.starts_with("no advisory applies"),
        "{}",
        output.stdout
    );
    assert_eq!(output.code, 0);
}

/// Guards the remedies: what one update can do, and what is in its way.
#[test]
fn remedies() {
    let text = |requirement: &str| {
        let fixture = Fixture::app(&format!("demo = \"{requirement}\""), "fn main() {}\n")
            .package("demo", "1.0.0", "", DEMO)
            .advisory("RUSTSEC-2099-0001", "demo", "");
        fixture.check(&["--format", "json"]).json()["findings"][0]["remedy"]["text"].clone()
    };
    assert_eq!(text("1"), "cargo update -p demo --precise 1.0.1");
    assert_eq!(
        text("=1.0.0"),
        "demo >= 1.0.1 has the fix, but app 0.1.0 requires demo =1.0.0; change that in its Cargo.toml"
    );
    let fixture = Fixture::app("middle = \"1\"", "fn main() {}\n")
        .package("demo", "1.0.0", "", DEMO)
        .package(
            "middle",
            "1.2.0",
            "[dependencies]\ndemo = \"~1.0.0, <1.0.1\"\n",
            "",
        )
        .depends("middle", &["demo"])
        .advisory("RUSTSEC-2099-0001", "demo", "");
    let remedy = fixture.check(&["--format", "json"]).json()["findings"][0]["remedy"].clone();
    assert_eq!(remedy["kind"], "blocked");
    assert_eq!(remedy["blocked_by"]["parent"], "middle 1.2.0");
    assert_eq!(remedy["blocked_by"]["requirement"], "~1.0.0, <1.0.1");
}

/// Guards that the same program answers as a subcommand of cargo.
#[test]
fn as_a_subcommand_of_cargo() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_cargo-palisade"));
    let database = fixture.path("db");
    command
        .args(["palisade", "check", "--offline", "--db"])
        .arg(database);
    command
        .arg("--manifest-path")
        .arg(fixture.path("ws/Cargo.toml"));
    let output = fixture.finish(&mut command);
    assert!(
        output
            .stdout
            .starts_with("no advisory applies to 1 package"),
        "{}",
        output.stderr
    );
    assert_eq!(output.code, 0);
}

/// Guards the whole text of one advisory.
#[test]
fn explain() {
    let fixture = demo("fn main() { demo::good(); }\n", &functions(&["demo::bad"]));
    let output = fixture.check(&["--explain", "RUSTSEC-2099-0001"]);
    insta::assert_snapshot!(output.stdout, @"
    not reached: RUSTSEC-2099-0001: A problem in demo
      package: demo 1.0.0 (vulnerability)
      targets: bin:app
       reason: no call path leads to demo::bad
       remedy: cargo update -p demo --precise 1.0.1
          see: https://rustsec.org/advisories/RUSTSEC-2099-0001.html

         date: 2023-01-01
        fixed: >= 1.0.1
        names: demo::bad

    Its description.
    ");
    assert_eq!(output.code, 0);
    assert_eq!(fixture.check(&["--explain", "RUSTSEC-2099-9999"]).code, 2);
    assert_eq!(
        fixture
            .check(&["--explain", "RUSTSEC-2099-0001", "--format", "json"])
            .code,
        2
    );
}

/// Guards that a lockfile which a manifest has outgrown does not pass for good
/// news: cargo is asked, and says what is wrong.
#[test]
fn a_stale_lockfile_is_no_good_news() {
    let fixture = Fixture::app("demo = \"1\"", "fn main() {}\n")
        .package("demo", "1.0.0", "", DEMO)
        .advisory("RUSTSEC-2099-0001", "demo", "")
        .file(
            "ws/Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n",
        );
    let locked = fixture.check(&["--locked"]);
    assert_eq!(locked.code, 2, "{}", locked.stdout);
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["not-reached imported run bin:app"]);
}

/// Guards that without a lockfile cargo makes one, and that the answer is the
/// same.
#[test]
fn without_a_lockfile() {
    let fixture = demo("fn main() { demo::bad(); }\n", &functions(&["demo::bad"]));
    std::fs::remove_file(fixture.path("ws/Cargo.lock")).unwrap();
    assert_eq!(fixture.check(&["--locked"]).code, 2);
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
}

/// Guards the collection about the toolchain: functions of the standard
/// library are walked to, programs of the toolchain stay unknown.
#[test]
fn the_toolchain() {
    let advisory = |component: &str, more: &str| {
        format!(
            "```toml\n[advisory]\nid = \"CVE-2099-1\"\npackage = \"{component}\"\ndate = \"2099-01-01\"\n\
             {more}\n[versions]\npatched = []\n```\n\n# A problem in {component}\n\nText.\n"
        )
    };
    let affected = "[affected.functions]\n\"std::fs::remove_dir\" = [\"*\"]\n";
    let fixture = Fixture::app("", "fn main() { let _ = std::fs::remove_dir(\"x\"); }\n")
        .file("db/rust/std/CVE-2099-1.md", &advisory("std", affected));
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["reached reached run bin:app"]);
    fixture.write("ws/src/main.rs", "fn main() {}\n");
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["not-reached imported run bin:app"]);

    let fixture = Fixture::app("", "fn main() {}\n")
        .file("db/rust/cargo/CVE-2099-1.md", &advisory("cargo", ""));
    let output = fixture.check(&["--format", "json"]);
    assert_eq!(verdicts(&output), ["unknown imported build bin:app"]);
    assert_eq!(output.code, 0);
}
