//! What a user reads when something is wrong.

use crate::support::{Project, chain, package};

fn app(files: &[(&str, &str)]) -> Project {
    let project = Project::new(files);
    project.write("src/main.rs", "fn main() {}");
    project
}

/// The message must hold every part, fit a few lines and come with a hint.
#[track_caller]
fn expect(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert!(message.lines().count() <= 8, "{message}");
}

/// Guards the message for a directory without a project.
#[test]
fn no_manifest() {
    let project = app(&[]);
    let message = chain(&project.fail(|_| {}));
    expect(
        &message,
        &[
            "no Cargo.toml in",
            project.root().as_str(),
            "hint: ",
            "--manifest-path",
        ],
    );
    let message =
        chain(&project.fail(|options| options.path = project.root().join("x/Cargo.toml")));
    expect(&message, &["cannot read", "x/Cargo.toml"]);
}

/// Guards the message for a manifest that is not TOML, or not a manifest.
#[test]
fn a_broken_manifest() {
    let project = app(&[("Cargo.toml", "[package\nname =")]);
    expect(
        &chain(&project.fail(|_| {})),
        &["Cargo.toml` is not valid TOML", "line 1"],
    );
    let project = app(&[(
        "Cargo.toml",
        "[package]\nname = \"app\"\nedition = \"1999\"\n",
    )]);
    expect(
        &chain(&project.fail(|_| {})),
        &["failed to parse", "Cargo.toml", "1999"],
    );
}

/// Guards the message for a dependency that the machine does not have.
#[test]
fn a_dependency_missing_offline() {
    let project = app(&[(
        "Cargo.toml",
        &package(
            "app",
            "[dependencies]\nno-such-crate-anywhere-4711 = \"1\"\n",
        ),
    )]);
    expect(
        &chain(&project.fail(|_| {})),
        &["no-such-crate-anywhere-4711", "hint: ", "cargo fetch"],
    );
    let project = app(&[(
        "Cargo.toml",
        &package("app", "[dependencies]\ngone = { path = \"gone\" }\n"),
    )]);
    expect(
        &chain(&project.fail(|_| {})),
        &["gone/Cargo.toml", "hint: "],
    );
}

/// Guards `--locked`: an absent or old lockfile is an error and is not
/// written.
#[test]
fn locked_means_locked() {
    let project = app(&[("Cargo.toml", &package("app", ""))]);
    expect(
        &chain(&project.fail(|options| options.locked = true)),
        &["Cargo.lock", "hint: ", "--locked"],
    );
    assert!(!project.root().join("Cargo.lock").exists());
    project.load(|_| {});
    project.write("b/Cargo.toml", &package("b", ""));
    project.write("b/src/lib.rs", "");
    project.write(
        "Cargo.toml",
        &package("app", "[dependencies]\nb = { path = \"b\" }\n"),
    );
    expect(
        &chain(&project.fail(|options| options.locked = true)),
        &["Cargo.lock", "--locked", "hint: "],
    );
}

/// Guards the message for a lockfile that cargo cannot read.
#[test]
fn a_broken_lockfile() {
    let project = app(&[
        ("Cargo.toml", &package("app", "")),
        ("Cargo.lock", "version = 4\n[[package]]\nname = 3\n"),
    ]);
    expect(&chain(&project.fail(|_| {})), &["Cargo.lock"]);
    project.write("Cargo.lock", "version = 99\n");
    expect(
        &chain(&project.fail(|_| {})),
        &["Cargo.lock", "99", "hint: "],
    );
}

/// Guards the message for a project that only a nightly cargo reads.
#[test]
fn a_project_that_needs_nightly() {
    let project = app(&[(
        "Cargo.toml",
        "cargo-features = [\"codegen-backend\"]\n[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )]);
    if std::env::var("RUSTUP_TOOLCHAIN").is_ok_and(|name| name.starts_with("nightly")) {
        return;
    }
    expect(
        &chain(&project.fail(|_| {})),
        &["Cargo.toml", "hint: ", "nightly"],
    );
}

/// Guards the messages for selections that select nothing.
#[test]
fn selections_that_do_not_exist() {
    let project = app(&[("Cargo.toml", &package("app", "[features]\nreal = []\n"))]);
    expect(
        &chain(&project.fail(|options| options.packages = vec!["x".to_owned()])),
        &["no package `x`", "Cargo.toml", "has `app`"],
    );
    expect(
        &chain(&project.fail(|options| options.bins = vec!["x".to_owned()])),
        &["no binary `x`", "have `app`"],
    );
    expect(
        &chain(&project.fail(|options| options.features = vec!["x".to_owned()])),
        &["feature", "x", "Cargo.toml", "hint: "],
    );
    expect(
        &chain(&project.fail(|options| options.target = Some("no-such-target".to_owned()))),
        &["`no-such-target` is not known", "hint: "],
    );
    expect(
        &chain(&project.fail(|options| options.target = Some("evil.json".to_owned()))),
        &["evil.json"],
    );
}

/// Guards the message that says how to get the standard library's source.
#[test]
fn no_standard_library_source() {
    let project = app(&[("Cargo.toml", &package("app", ""))]);
    expect(
        &chain(&project.fail(|options| options.sysroot_source = Some(project.root()))),
        &[
            "standard library's source was not found",
            "rustup component add rust-src",
            "rust-web-src",
            "PALISADE_SYSROOT_SRC",
        ],
    );
}

/// Guards that source which is missing is named, not skipped.
#[test]
fn a_missing_crate_root() {
    let project = Project::new(&[("Cargo.toml", &package("app", ""))]);
    expect(
        &chain(&project.fail(|_| {})),
        &["no targets specified", "Cargo.toml"],
    );
}
