//! `palisade callgraph`.

use crate::fixture::Fixture;

fn fixture() -> Fixture {
    Fixture::app("demo = \"1\"", "fn main() { demo::f(); }\n").package(
        "demo",
        "1.0.0",
        "",
        "pub fn f() { g() }\nfn g() {}\npub fn unused() {}\n",
    )
}

/// Guards the contract with other tools: the lines of the program's own and
/// its dependencies' functions, and the calls between them.
#[test]
fn jsonl() {
    let output = fixture().run(&["callgraph", ".", "--bin", "app", "--offline"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let ours =
        |line: &&str| line.contains("\"crate\":\"app\"") || line.contains("\"crate\":\"demo\"");
    let functions: Vec<_> = output.stdout.lines().filter(ours).collect();
    insta::assert_snapshot!(functions.join("\n"), @r#"
    {"kind":"function","crate":"app","version":"0.1.0","self_type":null,"trait":null,"name":"main","path":"app::main","file":"src/main.rs","line":1,"body":true,"inline_always":false,"context":"run"}
    {"kind":"function","crate":"demo","version":"1.0.0","self_type":null,"trait":null,"name":"f","path":"demo::f","file":"[ROOT]/vendor/demo-1.0.0/src/lib.rs","line":1,"body":true,"inline_always":false,"context":"run"}
    {"kind":"function","crate":"demo","version":"1.0.0","self_type":null,"trait":null,"name":"g","path":"demo::g","file":"[ROOT]/vendor/demo-1.0.0/src/lib.rs","line":2,"body":true,"inline_always":false,"context":"run"}
    "#);
    let lines: Vec<serde_json::Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let called = |callee: &str| {
        lines
            .iter()
            .any(|line| line["kind"] == "call" && line["callee"] == callee)
    };
    assert!(called("demo::f") && called("demo::g") && !called("demo::unused"));
}

/// Guards the other format, the second run, and a path from elsewhere.
#[test]
fn dot() {
    let fixture = fixture();
    let manifest = fixture.path("ws/Cargo.toml");
    let arguments = [
        "callgraph",
        manifest.to_str().unwrap(),
        "--offline",
        "--format",
        "dot",
    ];
    let first = fixture.run(&arguments);
    assert!(
        first.stdout.starts_with("digraph callgraph {\n"),
        "{}",
        first.stderr
    );
    assert!(
        first.stdout.contains("label=\"demo 1.0.0\""),
        "{}",
        first.stdout
    );
    assert_eq!(fixture.run(&arguments).stdout, first.stdout);
    assert_eq!(fixture.run(&["callgraph", "../nowhere/at/all"]).code, 2);
}
