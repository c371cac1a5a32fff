//! `palisade why`.

use crate::fixture::Fixture;

fn fixture() -> Fixture {
    Fixture::app("demo = \"1\"", "fn main() {\n    demo::f();\n}\n").package(
        "demo",
        "1.0.0",
        "",
        "pub fn f() { g() }\nfn g() {}\npub fn unused() {}\n",
    )
}

/// Guards the path to a function, and the answer that there is none.
#[test]
fn text() {
    let fixture = fixture();
    let reached = fixture.run(&["why", "demo::g", "--offline"]);
    insta::assert_snapshot!(reached.stdout, @"
    demo::g in demo 1.0.0 means:
      demo::g

    bin:app: reached
         path: app::main  src/main.rs:2
               demo::f    demo-1.0.0/src/lib.rs:1
               demo::g    demo-1.0.0/src/lib.rs:2
    ");
    assert_eq!(reached.code, 0, "{}", reached.stderr);
    let not = fixture.run(&["why", "demo::unused", "--offline"]);
    insta::assert_snapshot!(not.stdout, @"
    demo::unused in demo 1.0.0 means:
      demo::unused

    bin:app: not reached
    ");
    assert_eq!(not.code, 0);
}

/// Guards the fields for programs.
#[test]
fn json() {
    let json = fixture()
        .run(&["why", "demo::g", "--offline", "--format", "json"])
        .json();
    assert_eq!(json["functions"][0]["function"], "demo::g");
    assert_eq!(json["targets"][0]["target"], "bin:app");
    assert_eq!(json["targets"][0]["verdict"], "reached");
    assert_eq!(json["targets"][0]["paths"][0][0]["function"], "app::main");
}

/// Guards the messages for names that mean nothing.
#[test]
fn names_that_mean_nothing() {
    let fixture = fixture();
    let error = |name: &str| {
        let output = fixture.run(&["why", name, "--offline"]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        output.stderr
    };
    insta::assert_snapshot!(error("demo::nothing"), @"
    error: `demo::nothing` names nothing in demo 1.0.0

    hint: features and the target decide which functions exist; paths may go through re-exports, and a type means all its methods
    ");
    insta::assert_snapshot!(error("demos::f"), @"
    error: no crate of the build is named `demos`

    hint: there is `demo`
    ");
    insta::assert_snapshot!(error("demo::<"), @"
    error: `demo::<` does not name a function
      caused by: the bracket at offset 6 has no partner

    hint: write it as code would, the crate first: `time::Tm::to_local`
    ");
}

/// Guards that what a package's library leaves open counts for its program:
/// library, program and build script lie side by side, and the macro was taken
/// for one in the build script, which the program does not contain.
#[test]
fn blind_spots_of_a_library_beside_its_program_count() {
    let fixture = Fixture::app(
        "demo = \"1\"\nmacros = \"1\"",
        "fn main() {\n    app::run();\n}\n",
    )
    .package(
        "demo",
        "1.0.0",
        "",
        "pub fn by_derive() {}\npub fn never() {}\n",
    )
    .package(
        "macros",
        "1.0.0",
        "[lib]\nproc-macro = true\n",
        "extern crate proc_macro;\nuse proc_macro::TokenStream;\n\
         #[proc_macro_derive(Hidden)]\npub fn hidden(_: TokenStream) -> TokenStream {\n    \
         \"impl Data { pub fn go(&self) { ::demo::by_derive() } }\".parse().unwrap()\n}\n",
    )
    .file(
        "ws/src/lib.rs",
        "#[derive(macros::Hidden)]\npub struct Data;\n\
         pub fn run() {\n    let data = Box::new(Data);\n    data.go();\n}\n",
    )
    .file("ws/build.rs", "fn main() {}\n");
    let verdict = |function: &str| {
        let output = fixture.run(&["why", function, "--bin", "app", "--offline"]);
        let line = output
            .stdout
            .lines()
            .find(|line| line.starts_with("bin:app"));
        line.unwrap_or(&output.stderr).to_owned()
    };
    let unknown = verdict("demo::by_derive");
    assert!(unknown.starts_with("bin:app: unknown"), "{unknown}");
    assert_eq!(verdict("demo::never"), "bin:app: not reached");
}
