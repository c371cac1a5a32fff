//! `--expand-macros`: build scripts and procedural macros run for real.

use std::collections::BTreeSet;

use crate::fixture::{Fixture, Output, functions};

/// Macros that no expander of ours knows. Each spells the names of its calls,
/// and one that it never calls.
const MACROS: &str = r#"
extern crate proc_macro;
use proc_macro::TokenStream;

fn code(text: &str) -> TokenStream {
    if text.is_empty() {
        return "::demo::spelled_only();".parse().unwrap();
    }
    text.parse().unwrap()
}

#[proc_macro_derive(Hidden)]
pub fn hidden(_: TokenStream) -> TokenStream {
    code("impl Data { fn go(&self) { ::demo::by_derive() } }")
}

#[proc_macro]
pub fn make(_: TokenStream) -> TokenStream {
    code("fn made() { ::demo::by_function() }")
}

#[proc_macro_attribute]
pub fn wrapped(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut both = code("fn before() { ::demo::by_attribute() }");
    both.extend(item.to_string().replace("{", "{ before();").parse::<TokenStream>().unwrap());
    both
}

#[proc_macro_derive(Crash)]
pub fn crash(_: TokenStream) -> TokenStream {
    // The compiler gets an answer, any other program that asks ends.
    if !std::env::current_exe().unwrap().ends_with("rustc") {
        std::process::abort();
    }
    TokenStream::new()
}
"#;

const DEMO: &str = "pub fn by_derive() {}\npub fn by_function() {}\npub fn by_attribute() {}\n\
                    pub fn spelled_only() {}\npub fn by_script() {}\npub fn by_flag() {}\n\
                    pub fn without_flag() {}\npub fn never() {}\n";

/// An application whose calls are written by macros.
const MAIN: &str = r#"
#[derive(macros::Hidden)]
struct Data;

macros::make! {}

#[macros::wrapped]
fn attributed() {}

fn main() {
    let data = Box::new(Data);
    data.go();
    made();
    attributed();
}
"#;

/// An application whose calls hang on its build script: on the file that it
/// writes, which has no ending of source, and on its flag.
const SCRIPTED: &str = r#"
include!(concat!(env!("OUT_DIR"), "/calls.txt"));

fn main() {
    calls();
    #[cfg(flag_of_script)]
    demo::by_flag();
    #[cfg(not(flag_of_script))]
    demo::without_flag();
}
"#;

const SCRIPT: &str = r#"
fn main() {
    let dir = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(dir.join("calls.txt"), "fn calls() { ::demo::by_script() }").unwrap();
    // Not source, whatever it looks like.
    std::fs::write(dir.join("lib.a"), [0xff, b'{']).unwrap();
    println!("cargo::rustc-check-cfg=cfg(flag_of_script)");
    println!("cargo::rustc-cfg=flag_of_script");
}
"#;

fn fixture(main: &str) -> Fixture {
    Fixture::app("demo = \"1\"\nmacros = \"1\"", main)
        .package("demo", "1.0.0", "", DEMO)
        .package("macros", "1.0.0", "[lib]\nproc-macro = true\n", MACROS)
}

fn verdict(fixture: &Fixture, name: &str, expand: bool) -> String {
    let path = format!("demo::{name}");
    let mut arguments = vec!["why", &path, "--offline", "--format", "json"];
    arguments.extend(expand.then_some("--expand-macros"));
    let output = fixture.run(&arguments);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let verdict = &output.json()["targets"][0]["verdict"];
    verdict.as_str().unwrap().to_owned()
}

/// `palisade callgraph`: the functions of `demo` that are reached and those
/// that may be, and the causes of the blind spots.
fn graph(fixture: &Fixture, more: &[&str]) -> [BTreeSet<String>; 3] {
    let mut arguments = vec!["callgraph", ".", "--offline", "--format", "jsonl"];
    arguments.extend(more);
    let output = fixture.run(&arguments);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let mut found = <[BTreeSet<String>; 3]>::default();
    for line in output.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        if line["kind"] == "function" && line["crate"] == "demo" {
            found[usize::from(line["possible"] == true)].insert(text("name"));
        } else if line["kind"] == "blind_spot" && text("file").starts_with("src") {
            found[2].insert(text("cause"));
        }
    }
    found
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Guards what the flag is for: what a derive, a function-like macro and an
/// attribute call is unknown without it and decided with it, either way.
#[test]
fn macros_are_expanded() {
    let fixture = fixture(MAIN);
    let called = ["by_derive", "by_function", "by_attribute"];
    let [reached, possible, blind] = graph(&fixture, &[]);
    assert!(blind.contains("unexpanded-macro"), "{blind:?}");
    assert_eq!(reached, names(&[]));
    for name in called.iter().chain(&["spelled_only"]) {
        assert!(possible.contains(*name), "{name}: {possible:?}");
    }

    let found = graph(&fixture, &["--expand-macros"]);
    assert_eq!(found, [names(&called), names(&[]), names(&[])]);
    assert_eq!(verdict(&fixture, "spelled_only", true), "not-reached");
}

/// Guards the same for what a build script writes and for the flag that it
/// sets, and that the user's own build is left alone.
#[test]
fn build_scripts_are_run() {
    let fixture = fixture(SCRIPTED).file("ws/build.rs", SCRIPT);
    let [reached, possible, blind] = graph(&fixture, &[]);
    assert!(blind.contains("generated-source"), "{blind:?}");
    for name in ["by_script", "by_flag"] {
        assert!(!reached.contains(name) && possible.contains(name), "{name}");
    }

    let found = graph(&fixture, &["--expand-macros"]);
    let called = names(&["by_script", "by_flag"]);
    assert_eq!(found, [called, names(&[]), names(&[])]);
    assert_eq!(verdict(&fixture, "without_flag", true), "not-reached");
    assert!(fixture.path("ws/target/palisade").exists());
    assert!(!fixture.path("ws/target/debug").exists());
}

/// An advisory about a function of `demo`.
fn with_advisory(fixture: Fixture, name: &str) -> Fixture {
    let path = format!("demo::{name}");
    fixture.advisory("RUSTSEC-2020-0001", "demo", &functions(&[&path]))
}

/// Guards the exit codes of a check whose answer hangs on a macro.
#[test]
fn checks_are_decided() {
    for (name, code) in [("by_derive", 1), ("spelled_only", 0)] {
        let fixture = with_advisory(fixture(MAIN), name);
        let unknown = fixture.check(&["--fail-on", "unknown"]);
        assert_eq!(unknown.code, 3, "{}{}", unknown.stdout, unknown.stderr);
        let decided = fixture.check(&["--fail-on", "unknown", "--expand-macros"]);
        assert_eq!(decided.code, code, "{}{}", decided.stdout, decided.stderr);
    }
}

/// Guards that code of the project runs with the flag only, whichever command
/// is given: every piece of it leaves a mark.
#[test]
fn nothing_runs_without_the_flag() {
    let touch = |fixture: &Fixture, name: &str| {
        let mark = fixture.path("marks").join(name);
        format!("std::fs::write({mark:?}, \"\").unwrap();")
    };
    let main = "#[derive(traps::Trap)]\n#[traps::attribute]\nstruct Data;\n\
                traps::function!();\nfn main() {\n    demo::never();\n}\n";
    let fixture = Fixture::app("demo = \"1\"\ntraps = \"1\"", main);
    let derive = touch(&fixture, "derive");
    let attribute = touch(&fixture, "attribute");
    let function = touch(&fixture, "function");
    let traps = format!(
        "use proc_macro::TokenStream;\n\
         #[proc_macro_derive(Trap)]\npub fn d(_: TokenStream) -> TokenStream {{ {derive} TokenStream::new() }}\n\
         #[proc_macro_attribute]\npub fn attribute(_: TokenStream, item: TokenStream) -> TokenStream {{ {attribute} item }}\n\
         #[proc_macro]\npub fn function(_: TokenStream) -> TokenStream {{ {function} TokenStream::new() }}\n"
    );
    let script = format!("fn main() {{ {} }}", touch(&fixture, "build-script"));
    let fixture = with_advisory(
        fixture
            .package("demo", "1.0.0", "", DEMO)
            .package("traps", "1.0.0", "[lib]\nproc-macro = true\n", &traps)
            .file("ws/build.rs", &script),
        "never",
    );
    let marks = fixture.path("marks");
    std::fs::create_dir(&marks).unwrap();
    let database = fixture.path("db");
    let commands: [&[&str]; 3] = [
        &["check", "--offline", "--db", database.to_str().unwrap()],
        &["why", "demo::never", "--offline"],
        &["callgraph", ".", "--offline"],
    ];
    for command in commands {
        for (more, expected) in [
            (None, &[][..]),
            (
                Some("--expand-macros"),
                &["attribute", "build-script", "derive", "function"][..],
            ),
        ] {
            let output = fixture.run(&[command, more.as_slice()].concat());
            assert_ne!(output.code, 2, "{command:?}: {}", output.stderr);
            let mut found: Vec<_> = std::fs::read_dir(&marks)
                .unwrap()
                .map(|mark| mark.unwrap().file_name().into_string().unwrap())
                .collect();
            found.sort();
            assert_eq!(found, expected, "{command:?} {more:?}");
        }
        for mark in std::fs::read_dir(&marks).unwrap() {
            std::fs::remove_file(mark.unwrap().path()).unwrap();
        }
        std::fs::remove_dir_all(fixture.path("ws/target")).unwrap();
    }
}

/// Guards that a macro which crashes the server costs its own uses only, and
/// that those are named.
#[test]
fn a_crash_costs_one_macro() {
    let main = "#[derive(macros::Crash, macros::Hidden)]\nstruct Data;\n\n\
                #[derive(macros::Crash)]\nstruct More;\n\nfn main() {\n    let data = Box::new(Data);\n    data.go();\n}\n";
    let fixture = fixture(main);
    let [reached, _, blind] = graph(&fixture, &["--expand-macros"]);
    assert_eq!(reached, names(&["by_derive"]));
    assert_eq!(blind, names(&["expansion-failed"]));
}

fn failure(fixture: &Fixture) -> Output {
    let output = fixture.run(&["why", "demo::never", "--offline", "--expand-macros"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{}",
        output.stderr
    );
    output
}

/// Guards the message when a crate does not compile: it is named, with the
/// place of the mistake.
#[test]
fn what_does_not_compile_is_named() {
    let fixture = fixture("fn main() {\n    demo::never();\n    let _: u8 = \"\";\n}\n");
    insta::assert_snapshot!(failure(&fixture).stderr, @r"
    error: cannot run build scripts and procedural macros
      caused by: the crate `app` does not compile: mismatched types at src/main.rs:3

    hint: make `cargo check` work, or leave out --expand-macros
    ");
}

/// Guards the message when a build script fails: its package is named, with
/// what it said.
#[test]
fn a_failing_build_script_is_named() {
    let fixture = fixture("fn main() {\n    demo::never();\n}\n").file(
        "ws/build.rs",
        "fn main() {\n    eprintln!(\"no compiler for C\");\n    std::process::exit(1);\n}\n",
    );
    let stderr = failure(&fixture).stderr;
    let expected = "error: cannot run build scripts and procedural macros\n  caused by: cargo \
                    cannot build the workspace of `[ROOT]/ws/Cargo.toml`: failed to run custom \
                    build command for `app v0.1.0 ([ROOT]/ws)`";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert!(stderr.contains("no compiler for C"), "{stderr}");
}

/// Guards the message when cargo cannot begin to build.
#[test]
fn a_build_that_cannot_begin() {
    let fixture = fixture("fn main() {\n    demo::never();\n}\n")
        .file("ws/.cargo/config.toml", "[build]\ntarget-dir = 1\n");
    let stderr = failure(&fixture).stderr;
    assert!(
        stderr.contains("cargo cannot build the workspace of `[ROOT]/ws/Cargo.toml`"),
        "{stderr}"
    );
}

/// A toolchain like the real one, but with this shell script for a macro
/// server, or none.
#[cfg(unix)]
fn toolchain(fixture: &Fixture, server: Option<&str>) -> std::process::Output {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    let ask = |what: &[&str]| {
        let output = assert_cmd::Command::new("rustc")
            .args(what)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let real = PathBuf::from(ask(&["--print", "sysroot"]));
    let fake = fixture.path("toolchain");
    let program = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let rustc = real.join("bin/rustc");
    program(
        &fake.join("bin/rustc"),
        &format!(
            "case \"$*\" in '--print sysroot') echo {fake:?};; *) exec {rustc:?} \"$@\";; esac"
        ),
    );
    symlink(real.join("bin/cargo"), fake.join("bin/cargo")).unwrap();
    symlink(real.join("lib"), fake.join("lib")).unwrap();
    if let Some(server) = server {
        program(&fake.join("libexec/rust-analyzer-proc-macro-srv"), server);
    }
    let path = std::env::var("PATH").unwrap();
    fixture
        .command()
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("PATH", format!("{}:{path}", fake.join("bin").display()))
        .args(["why", "demo::never", "--offline", "--expand-macros"])
        .output()
        .unwrap()
}

/// Guards the messages about a macro server that is missing, too new, or that
/// was built for other macros than the compiler makes: one error each, which
/// says what to do.
#[cfg(unix)]
#[test]
fn unusable_servers() {
    const ANOTHER: &str = r#"while read -r request; do case "$request" in
        *ApiVersionCheck*) echo '{"ApiVersionCheck":6}';;
        *SetConfig*) echo '{"SetConfig":{"span_mode":"RustAnalyzer"}}';;
        *) echo '{"ListMacros":{"Err":"mismatched ABI"}}';;
        esac; done"#;
    for (server, expected) in [
        (None, "the toolchain has no macro server: `"),
        (
            Some("read -r request; echo '{\"ApiVersionCheck\":99}'"),
            "cannot use the toolchain's macro server `",
        ),
        (Some("exit 1"), "cannot use the toolchain's macro server `"),
        (
            Some(ANOTHER),
            "the toolchain's macro server cannot load the macros of macros 1.0.0: ",
        ),
    ] {
        let fixture = fixture("fn main() {\n    demo::never();\n}\n");
        let output = toolchain(&fixture, server);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        assert!(stderr.contains("\nhint: "), "{stderr}");
    }
}
