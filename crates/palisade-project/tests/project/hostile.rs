//! A checkout that wants its own programs run.
//!
//! Each test plants traps that leave a mark, shows that the mark is left by
//! plain cargo (so the trap works), and that loading leaves none.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use crate::support::{Project, chain, package, write};

/// Names the checkout to load when this program is its own child.
const CHILD: &str = "PALISADE_TEST_CHECKOUT";

/// Part of a message about the toolchain file that the child must find.
const EXPECTED: &str = "PALISADE_TEST_EXPECTED";

/// A program that leaves a mark and then does what the real one does.
fn trap(file: &Utf8Path, mark: &Utf8Path, real: &Utf8Path) {
    write(
        file,
        &format!("#!/bin/sh\ntouch '{mark}'\nexec '{real}' \"$@\"\n"),
    );
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// A wrapper is called with the real program as its first argument.
fn wrapper(file: &Utf8Path, mark: &Utf8Path) {
    write(file, &format!("#!/bin/sh\ntouch '{mark}'\nexec \"$@\"\n"));
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// The toolchain's own program beside the cargo that runs this test.
fn tool(name: &str) -> Utf8PathBuf {
    let cargo = Utf8PathBuf::from(std::env::var("CARGO").expect("cargo runs this test"));
    cargo.parent().expect("a directory").join(name)
}

fn marks(project: &Project) -> Vec<String> {
    let mut marks: Vec<String> = project
        .outside("marks")
        .read_dir_utf8()
        .expect("the directory of marks")
        .map(|entry| entry.expect("an entry").file_name().to_owned())
        .collect();
    marks.sort();
    marks
}

fn forget(project: &Project) {
    for mark in marks(project) {
        std::fs::remove_file(project.outside("marks").join(mark)).expect("a mark");
    }
}

/// A checkout with a trap of every kind.
fn hostile() -> Project {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "victim",
                "[dependencies]\nderives = { path = \"derives\" }\n",
            ),
        ),
        (
            "src/main.rs",
            "#[derive(derives::Trap)] struct S; derives::trap!(); fn main() {}",
        ),
        (
            "derives/Cargo.toml",
            &package("derives", "[lib]\nproc-macro = true\n"),
        ),
    ]);
    let mark = |name: &str| project.outside("marks").join(name);
    std::fs::create_dir(project.outside("marks")).expect("the directory of marks");
    let touch = |name: &str| format!("std::fs::write({:?}, \"\").unwrap();", mark(name).as_str());
    project.write(
        "build.rs",
        &format!("fn main() {{ {} }}", touch("build-script")),
    );
    project.write(
        "derives/src/lib.rs",
        &format!(
            "use proc_macro::TokenStream;\n\
             #[proc_macro_derive(Trap)] pub fn d(_: TokenStream) -> TokenStream {{ {} TokenStream::new() }}\n\
             #[proc_macro] pub fn trap(_: TokenStream) -> TokenStream {{ {} TokenStream::new() }}\n",
            touch("derive"),
            touch("function-like-macro")
        ),
    );
    let inside = |path: &str| project.root().join(path);
    trap(&inside("evil/rustc"), &mark("build.rustc"), &tool("rustc"));
    wrapper(&inside("evil/wrapper"), &mark("rustc-wrapper"));
    wrapper(&inside("evil/workspace"), &mark("rustc-workspace-wrapper"));
    wrapper(&inside("evil/credentials"), &mark("credential-provider"));
    trap(
        &inside("toolchain/bin/cargo"),
        &mark("toolchain-cargo"),
        &tool("cargo"),
    );
    trap(
        &inside("toolchain/bin/rustc"),
        &mark("toolchain-rustc"),
        &tool("rustc"),
    );
    project.write(
        "rust-toolchain.toml",
        &format!("[toolchain]\npath = {:?}\n", inside("toolchain").as_str()),
    );
    project.write(
        ".cargo/config.toml",
        &format!(
            "[build]\nrustc = {:?}\nrustc-wrapper = {:?}\nrustc-workspace-wrapper = {:?}\n\
             [registry]\nglobal-credential-providers = [{:?}]\n\
             [env]\nRUSTC = {{ value = {:?}, force = true }}\nPATH = {{ value = {:?}, force = true }}\n\
             [alias]\nmetadata = \"run\"\n\
             [net]\ngit-fetch-with-cli = true\n",
            inside("evil/rustc").as_str(),
            inside("evil/wrapper").as_str(),
            inside("evil/workspace").as_str(),
            inside("evil/credentials").as_str(),
            inside("evil/rustc").as_str(),
            format!(
                "{}:{}",
                inside("toolchain/bin"),
                std::env::var("PATH").expect("a path")
            ),
        ),
    );
    project
}

/// Runs a test of this program in the checkout, with a changed environment:
/// rustup's proxies only look for a toolchain file when nothing has chosen a
/// toolchain yet, and an environment cannot be changed from inside.
fn child(project: &Project, test: &str, change: impl FnOnce(&mut Command)) -> (bool, String) {
    let this = std::env::current_exe().expect("this program");
    let mut command = command(&this);
    command
        .args(["--exact", test, "--nocapture", "--ignored"])
        .current_dir(project.root())
        .env(CHILD, project.outside(""))
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC");
    change(&mut command);
    let output = command.output().expect("it runs");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test starts cargo unprotected, to show that its traps work"
)]
fn command(program: &std::path::Path) -> Command {
    Command::new(program)
}

/// The child: loads what the parent planted.
#[test]
#[ignore = "only as the child of another test"]
fn load_in_child() {
    let Some(directory) = std::env::var_os(CHILD) else {
        return;
    };
    let directory = Utf8PathBuf::from_path_buf(directory.into()).expect("a UTF-8 path");
    let options = palisade_project::LoadOptions {
        path: directory.join("checkout"),
        offline: true,
        tests: true,
        sysroot_source: Some(directory.join("library")),
        ..palisade_project::LoadOptions::default()
    };
    match palisade_project::load(&options) {
        Ok(plan) => {
            assert!(plan.units.iter().any(|unit| unit.name == "victim"));
            if let Ok(expected) = std::env::var(EXPECTED) {
                let found = plan.diagnostics.iter().any(|diagnostic| {
                    diagnostic.file.as_str().contains("rust-toolchain")
                        && diagnostic.message.contains(&expected)
                });
                assert!(found, "{:?}", plan.diagnostics);
            }
        }
        Err(error) => panic!("{}", chain(&error)),
    }
}

/// Guards the promise that loading runs nothing of the checkout.
#[test]
fn loading_runs_nothing_of_the_checkout() {
    let project = hostile();
    // Plain cargo walks into every trap that it can reach by itself.
    let status = command(tool("cargo").as_std_path())
        .args(["check", "--offline", "--quiet"])
        .current_dir(project.root())
        .env_remove("RUSTC")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("CARGO_TARGET_DIR", project.outside("target"))
        .output()
        .expect("cargo runs");
    assert!(status.status.success(), "{status:?}");
    let sprung = marks(&project);
    for trap in [
        "build-script",
        "build.rustc",
        "derive",
        "function-like-macro",
        "rustc-workspace-wrapper",
        "rustc-wrapper",
    ] {
        assert!(sprung.iter().any(|mark| mark == trap), "{trap}: {sprung:?}");
    }
    forget(&project);

    let (success, text) = child(&project, "hostile::load_in_child", |command| {
        command.env(EXPECTED, "not named by its channel");
    });
    assert!(success, "{text}");
    assert_eq!(marks(&project), [""; 0], "{text}");
}

/// Guards the same where the traps are in the way on `PATH`.
#[test]
fn programs_of_the_checkout_on_the_path_are_passed_over() {
    let project = hostile();
    let (success, text) = child(&project, "hostile::load_in_child", |command| {
        let path = std::env::var("PATH").expect("a path");
        command.env(
            "PATH",
            format!(
                "{}:toolchain/bin:{path}",
                project.root().join("toolchain/bin")
            ),
        );
    });
    assert!(success, "{text}");
    assert_eq!(marks(&project), [""; 0], "{text}");
}

/// Guards the case that cargo reads the checkout's file after all, because its
/// home is there: what no variable overrides is refused.
#[test]
fn a_home_inside_the_checkout_is_checked() {
    let project = hostile();
    let home = |command: &mut Command| {
        command.env("CARGO_HOME", project.root().join(".cargo"));
    };
    let (success, text) = child(&project, "hostile::load_in_child", home);
    assert!(!success);
    assert!(
        text.contains(".cargo/config.toml` sets `") && text.contains("hint: "),
        "{text}"
    );
    assert_eq!(marks(&project), [""; 0], "{text}");

    // What the variables override is no reason to refuse.
    let config = project.root().join(".cargo/config.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let overridden: String = text
        .split_inclusive('\n')
        .take_while(|line| *line != "[registry]\n")
        .collect();
    std::fs::write(&config, overridden).expect("the configuration");
    let (success, text) = child(&project, "hostile::load_in_child", home);
    assert!(success, "{text}");
    assert_eq!(marks(&project), [""; 0], "{text}");
}

/// Guards against a toolchain that the checkout brings.
#[test]
fn a_toolchain_inside_the_checkout_is_refused() {
    let project = hostile();
    let (success, text) = child(&project, "hostile::load_in_child", |command| {
        command.env("RUSTUP_TOOLCHAIN", project.root().join("toolchain"));
    });
    assert!(!success);
    assert!(text.contains("RUSTUP_TOOLCHAIN"), "{text}");
    assert_eq!(marks(&project), [""; 0], "{text}");
}

/// Guards that the harmless part of a checkout's configuration still counts:
/// without the replaced source this could not be loaded offline.
#[test]
fn a_vendored_source_is_used() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package("app", "[dependencies]\nvendored-4711 = \"1\"\n"),
        ),
        ("src/main.rs", "fn main() {}"),
        (
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"third party\"\n",
        ),
        (
            "third party/vendored-4711/Cargo.toml",
            "[package]\nname = \"vendored-4711\"\nversion = \"1.2.3\"\nedition = \"2021\"\n",
        ),
        ("third party/vendored-4711/src/lib.rs", ""),
        (
            "third party/vendored-4711/.cargo-checksum.json",
            "{\"files\":{},\"package\":null}",
        ),
    ]);
    let plan = project.load(|_| {});
    let unit = plan
        .units
        .iter()
        .find(|unit| unit.name == "vendored_4711")
        .expect("the vendored crate");
    assert!(unit.package.source.is_crates_io());
    assert_eq!(
        unit.package_dir,
        project.root().join("third party/vendored-4711")
    );
}
