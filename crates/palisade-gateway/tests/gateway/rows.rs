//! What cargo does with each of the gateway's answers, in situations that are
//! rare and matter: a change of cargo that makes one of them unsafe or
//! misleading fails here.

use palisade_gateway::Scope::{PublishNew, PublishUpdate, Read};
use palisade_gateway::admin::Ruling;
use palisade_store::{Role, State};

use crate::upstream::{Manner, Release};
use crate::world::{Output, TOOLCHAINS, World, is_installed, wait};

const OLD: &str = "2020-01-01T00:00:00Z";
const YOUNG: &str = "2026-08-20T06:00:00Z";

fn toolchains() -> impl Iterator<Item = Option<&'static str>> {
    TOOLCHAINS.into_iter().filter(|&name| is_installed(name))
}

/// Guards what happens to machines that have a version already: an index that
/// is warm does not get around the download, and what is unpacked is out of a
/// registry's reach, which the documentation says.
#[test]
fn what_a_machine_has_already() {
    for toolchain in toolchains() {
        let world = World::new("");
        world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
        world.upstream.publish(&Release::new("qq", "1.1.0", OLD));
        let cargo = |home: &str, arguments: &[&str]| -> Output {
            world.cargo_with("app", toolchain, home, None, arguments)
        };
        world.package("app", "qq = \"1\"");
        // One machine knows the index, another one has the archive as well.
        cargo("index", &["generate-lockfile"]).succeeds();
        cargo("both", &["check"]).succeeds();
        assert_eq!(world.locked("app", "qq").unwrap(), "1.1.0");
        world.decide("qq", "1.1.0", Ruling::Reject);
        wait(|| crate::client::get(&world.url("/api/v1/crates/qq/1.1.0/download")).status == 403);

        cargo("index", &["check", "--locked"])
            .fails_with("qq 1.1.0 is rejected: a person has looked at it (rule `person`)");
        cargo("both", &["check", "--locked"]).succeeds();
        // The way out is the usual command, and it leads to the good version.
        cargo("both", &["update"])
            .succeeds()
            .says("Downgrading qq v1.1.0 -> v1.0.0");
        cargo("index", &["check", "--locked"]).succeeds();
    }
}

/// Guards that a yank which an attacker uses to push people onto a version
/// that is held ends in an error and never in the held version.
#[test]
fn an_attacker_who_yanks_the_good_version_gets_an_error() {
    for toolchain in toolchains() {
        let world = World::new("");
        world.upstream.publish(&Release::new("aref", "0.3.9", OLD));
        world
            .upstream
            .publish(&Release::new("aref", "0.3.10", YOUNG).needs("payload", "1"));
        world
            .upstream
            .publish(&Release::new("payload", "1.0.0", YOUNG));
        // A single yank is passed on at once.
        world.upstream.yank("aref", "0.3.9");
        world.package("app", "aref = \"0.3\"");
        let resolved = world.cargo_with("app", toolchain, "home", None, &["generate-lockfile"]);
        resolved.fails_with("yanked");
        assert_eq!(world.upstream.asked("/download"), 0);
    }
}

/// Guards the message when nobody can help: the upstream is down and there is
/// no copy.
#[test]
fn an_upstream_that_is_down() {
    for toolchain in toolchains() {
        let world = World::new("");
        world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
        world.upstream.behave(Manner::Broken);
        world.package("app", "qq = \"1\"");
        let resolved = world.cargo_with("app", toolchain, "home", None, &["generate-lockfile"]);
        resolved.fails_with("the registry behind this gateway cannot be asked now");
        world.upstream.behave(Manner::Well);
        wait(|| {
            world
                .cargo_with("app", toolchain, "home", None, &["generate-lockfile"])
                .ok
        });
    }
}

/// A registry whose reading is open, so that cargo shows no token when it
/// reads, with a workspace whose packages wait for a person.
fn open_house() -> (World, String) {
    let world = World::new("[gateway.policy]\nreview = [\"kept*\"]");
    world.user("ann", &[Role::Publisher]);
    let ann = world.token("ann", &[PublishNew, PublishUpdate, Read], "*");
    world.write(
        "ws/Cargo.toml",
        "[workspace]\nmembers = [\"kept-a\", \"kept-b\"]\nresolver = \"2\"\n",
    );
    for (name, dependencies) in [
        ("kept-a", ""),
        (
            "kept-b",
            "kept-a = { version = \"0.1\", path = \"../kept-a\", registry = \"gw\" }",
        ),
    ] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"a\"\nlicense = \"MIT\"\n[dependencies]\n{dependencies}\n"
        );
        world.write(&format!("ws/{name}/Cargo.toml"), &manifest);
        world.write(&format!("ws/{name}/src/lib.rs"), "");
    }
    (world, ann)
}

/// Guards what the documentation says of registries that are open to read: a
/// publish into quarantine ends well after cargo has waited, and a workspace
/// stops behind its first package. A newer cargo lets the wait be shortened,
/// so only that one is asked.
#[test]
fn publishing_into_quarantine_without_a_token_to_read() {
    let Some(nightly) = TOOLCHAINS[1].filter(|&name| is_installed(Some(name))) else {
        return;
    };
    let (world, ann) = open_house();
    let publish = |arguments: &[&str]| {
        let mut all = vec![
            "-Zpublish-timeout",
            "--config",
            "publish.timeout=2",
            "publish",
            "--registry",
            "gw",
            "--allow-dirty",
            "--no-verify",
        ];
        all.extend(arguments);
        world.cargo_with("ws", Some(nightly), "home", Some(&ann), &all)
    };
    publish(&["-p", "kept-a"])
        .succeeds()
        .says("kept-a 0.1.0 was received and is quarantined")
        .says("timed out waiting for");
    assert_eq!(world.state("kept-a", "0.1.0"), Some(State::Quarantined));
    let manifest = world.read("ws/kept-a/Cargo.toml");
    world.write(
        "ws/kept-a/Cargo.toml",
        &manifest.replace("version = \"0.1.0\"", "version = \"0.1.1\""),
    );
    publish(&["--workspace"]).fails_with("due to a timeout while waiting for");
    assert_eq!(world.state("kept-a", "0.1.1"), Some(State::Quarantined));
    assert_eq!(world.state("kept-b", "0.1.0"), None, "it was not reached");
}

/// Guards that source replacement alone never sends a crate to the gateway
/// that was meant for somewhere else.
#[test]
fn publishing_names_its_registry() {
    for toolchain in toolchains() {
        let (world, ann) = open_house();
        let arguments = ["publish", "-p", "kept-a", "--allow-dirty", "--no-verify"];
        world
            .cargo_with("ws", toolchain, "home", Some(&ann), &arguments)
            .fails_with("--registry");
        assert_eq!(world.state("kept-a", "0.1.0"), None);
    }
}

/// Guards installing and adding through source replacement, held versions
/// passed by.
#[test]
fn install_and_add_take_the_good_version() {
    for toolchain in toolchains() {
        let world = World::new("");
        let tool = |version: &str, published: &str| {
            let manifest = format!(
                "[package]\nname = \"tool\"\nversion = \"{version}\"\nedition = \"2021\"\n"
            );
            let bytes = crate::upstream::archive(
                &format!("tool-{version}"),
                &[
                    ("Cargo.toml", &manifest),
                    ("src/lib.rs", ""),
                    ("src/main.rs", "fn main() {}"),
                ],
            );
            let release = Release::new("tool", version, published);
            world.upstream.add_archive(&release, bytes);
        };
        tool("1.0.0", OLD);
        tool("1.1.0", YOUNG);
        world.package("app", "");
        let cargo =
            |arguments: &[&str]| world.cargo_with("app", toolchain, "home", None, arguments);
        cargo(&["install", "tool", "--root", "out"])
            .succeeds()
            .says("Installed package `tool v1.0.0`");
        cargo(&["add", "tool"]).succeeds();
        cargo(&["check"]).succeeds();
        assert_eq!(world.locked("app", "tool").unwrap(), "1.0.0");
    }
}
