//! Publishing with cargo, and what cargo says when it is refused.

use palisade_gateway::Scope::{ChangeOwners, PublishNew, PublishUpdate, Read, Yank};
use palisade_gateway::admin::Ruling;
use palisade_store::{Role, State};

use crate::client::{get, get_as, send};
use crate::upstream::{Release, archive};
use crate::world::{TOOLCHAINS, World, is_installed, wait};

const ALL: [palisade_gateway::Scope; 5] = [PublishNew, PublishUpdate, Yank, ChangeOwners, Read];

/// A registry of a house with two people.
fn house(settings: &str) -> (World, String, String) {
    let world = World::new(&format!("auth-required = true\n{settings}"));
    world.user("ann", &[Role::Publisher]);
    world.user("ben", &[Role::Publisher]);
    let (ann, ben) = (world.token("ann", &ALL, "*"), world.token("ben", &ALL, "*"));
    (world, ann, ben)
}

fn publish(world: &World, at: &str, token: &str) -> crate::world::Output {
    world.cargo_as(
        at,
        token,
        &[
            "publish",
            "--registry",
            "gw",
            "--allow-dirty",
            "--no-verify",
        ],
    )
}

/// A publish request without cargo.
pub(crate) fn put(world: &World, token: &str, metadata: &str, archive: &[u8]) -> (u16, String) {
    let mut body = u32::try_from(metadata.len())
        .unwrap()
        .to_le_bytes()
        .to_vec();
    body.extend(metadata.as_bytes());
    body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
    body.extend(archive);
    let url = world.url("/api/v1/crates/new");
    let answer = send("PUT", &url, &[("authorization", token)], &body);
    (answer.status, answer.text())
}

pub(crate) fn simple(name: &str, version: &str) -> Vec<u8> {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\ndescription = \"d\"\nlicense = \"MIT\"\n"
    );
    archive(
        &format!("{name}-{version}"),
        &[("Cargo.toml", &manifest), ("src/lib.rs", "")],
    )
}

/// Guards the life of a crate, with an older and a newer cargo: publish, use,
/// yank, owners, search, install.
#[test]
fn the_life_of_a_crate() {
    for toolchain in TOOLCHAINS.into_iter().filter(|&name| is_installed(name)) {
        let (world, ann, ben) = house("");
        world
            .upstream
            .publish(&Release::new("dep", "1.2.0", "2020-01-01T00:00:00Z"));
        let cargo = |at: &str, token: &str, arguments: &[&str]| {
            world.cargo_with(at, toolchain, "home", Some(token), arguments)
        };
        let publish = |at: &str, token: &str| {
            cargo(at, token, &["publish", "--registry", "gw", "--allow-dirty"])
        };
        world.package("tool", "dep = { version = \"1\", features = [] }");
        world.write("tool/src/main.rs", "fn main() { println!(\"it works\") }");
        // Without a token, cargo says where to get one.
        world
            .cargo_with(
                "tool",
                toolchain,
                "home",
                None,
                &["publish", "--registry", "gw", "--allow-dirty"],
            )
            .fails_with("no token found for `gw`");
        publish("tool", &ann)
            .succeeds()
            .says("Published tool v0.1.0");
        publish("tool", &ann).fails_with("already");
        cargo("tool", &ann, &["search", "--registry", "gw", "tool"])
            .succeeds()
            .says("tool = \"0.1.0\"");
        cargo(
            "tool",
            &ben,
            &["install", "--registry", "gw", "tool", "--root", "out"],
        )
        .succeeds();

        world.package("app", "tool = { version = \"0.1\", registry = \"gw\" }");
        cargo("app", &ben, &["check"]).succeeds();
        cargo("app", &ben, &["add", "dep"]).succeeds();
        cargo("app", &ben, &["yank", "--registry", "gw", "tool@0.1.0"])
            .fails_with("you do not own `tool`");
        cargo("app", &ann, &["yank", "--registry", "gw", "tool@0.1.0"]).succeeds();
        // Yanked: a lockfile goes on, a new resolution does not.
        cargo("app", &ben, &["check", "--locked"]).succeeds();
        world.package("late", "tool = { version = \"0.1\", registry = \"gw\" }");
        cargo("late", &ben, &["generate-lockfile"]).fails_with("yanked");
        cargo(
            "app",
            &ann,
            &["yank", "--undo", "--registry", "gw", "tool@0.1.0"],
        )
        .succeeds();
        cargo("late", &ben, &["generate-lockfile"]).succeeds();

        cargo(
            "app",
            &ann,
            &["owner", "--registry", "gw", "--add", "ben", "tool"],
        )
        .succeeds()
        .says("ben now own `tool`");
        cargo(
            "app",
            &ann,
            &["owner", "--registry", "gw", "--list", "tool"],
        )
        .succeeds()
        .says("ann")
        .says("ben");
        cargo(
            "app",
            &ben,
            &["owner", "--registry", "gw", "--remove", "ann", "tool"],
        )
        .succeeds();
        cargo(
            "app",
            &ben,
            &["owner", "--registry", "gw", "--remove", "ben", "tool"],
        )
        .fails_with("no owner beside the last one");
        let manifest = world.read("tool/Cargo.toml").replace("0.1.0", "0.2.0");
        world.write("tool/Cargo.toml", &manifest);
        publish("tool", &ann).fails_with("you do not own `tool`; ask ben to add you");
        publish("tool", &ben).succeeds();
        world.audit_is_whole();
    }
}

/// Guards publishing into quarantine: the owner goes on, nobody else sees it,
/// and a person lets it out.
#[test]
fn an_owner_sees_what_is_kept_back() {
    let (world, ann, ben) = house("[gateway.policy]\nreview = [\"acme-*\"]");
    // A workspace: the second package needs the first at once.
    let package = |name: &str, dependencies: &str| {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"a\"\nlicense = \"MIT\"\n\
             [dependencies]\n{dependencies}\n"
        );
        world.write(&format!("ws/{name}/Cargo.toml"), &manifest);
        world.write(&format!("ws/{name}/src/lib.rs"), "");
    };
    world.write(
        "ws/Cargo.toml",
        "[workspace]\nmembers = [\"acme-a\", \"acme-b\"]\nresolver = \"2\"\n",
    );
    package("acme-a", "");
    package(
        "acme-b",
        "acme-a = { version = \"0.1\", path = \"../acme-a\", registry = \"gw\" }",
    );
    world
        .cargo_as("ws", &ann, &["publish", "--workspace", "--registry", "gw", "--allow-dirty"])
        .succeeds()
        .says("warning: acme-a 0.1.0 was received and is quarantined: a person looks at every new version of `acme-*` (rule `review`)")
        .says("Published acme-b v0.1.0");
    assert_eq!(get_as(&world.url("/index/ac/me/acme-a"), &ben).status, 404);
    let download = world.url("/api/v1/crates/acme-a/0.1.0/download");
    assert_eq!(get_as(&download, &ben).status, 403);
    assert_eq!(get_as(&download, &ann).status, 200);
    // What one caller sees is never for another.
    let seen = get_as(&world.url("/index/ac/me/acme-a"), &ann);
    assert_eq!(seen.field("cache-control"), Some("private, no-cache"));
    // Evidence and responsibility stay.
    world
        .cargo_as(
            "ws",
            &ann,
            &["owner", "--registry", "gw", "--add", "ben", "acme-a"],
        )
        .succeeds();
    world
        .cargo_as(
            "ws",
            &ann,
            &["owner", "--registry", "gw", "--remove", "ann", "acme-a"],
        )
        .fails_with("no owner can be removed");
    world.decide("acme-a", "0.1.0", Ruling::Release);
    let carl = {
        world.user("carl", &[Role::Reader]);
        world.token("carl", &[Read], "*")
    };
    wait(|| get_as(&download, &carl).status == 200);
    assert_eq!(world.state("acme-b", "0.1.0"), Some(State::Quarantined));
    world.audit_is_whole();
}

/// Guards each rule for what is published with the request that it is there
/// for.
#[test]
fn what_is_refused() {
    let (world, ann, _) = house("publish.archive-bytes = 20000");
    world
        .upstream
        .publish(&Release::new("taken", "1.0.0", "2020-01-01T00:00:00Z"));
    let good = |name: &str| format!("{{\"name\":\"{name}\",\"vers\":\"1.0.0\",\"deps\":[]}}");
    let refused = |metadata: &str, archive: &[u8], why: &str| {
        let (status, text) = put(&world, &ann, metadata, archive);
        assert!(
            (400..500).contains(&status) && text.contains(why),
            "{status} {text}"
        );
        assert!(text.starts_with("{\"errors\":[{\"detail\":"), "{text}");
    };
    assert_eq!(
        put(
            &world,
            &ann,
            &good("my_crate"),
            &simple("my_crate", "1.0.0")
        )
        .0,
        200
    );
    refused(
        &good("my-crate"),
        &simple("my-crate", "1.0.0"),
        "too like `my_crate`",
    );
    refused(
        &good("My_Crate"),
        &simple("My_Crate", "1.0.0"),
        "too like `my_crate`",
    );
    refused(
        &good("taken"),
        &simple("taken", "1.0.0"),
        "is a crate of the registry behind",
    );
    refused(&good("nul"), &simple("nul", "1.0.0"), "reserved");
    refused(
        &good("9lives"),
        &simple("9lives", "1.0.0"),
        "cannot be the name",
    );
    refused(&good("../x"), &simple("x", "1.0.0"), "cannot be the name");
    refused(&good("other"), &simple("my_crate", "1.0.0"), "not below");
    let build = "{\"name\":\"my_crate\",\"vers\":\"1.0.0+b\",\"deps\":[]}";
    refused(
        build,
        &simple("my_crate", "1.0.0+b"),
        "build metadata makes no",
    );
    refused(
        "{\"name\":\"a\",\"vers\":\"1\"}",
        &simple("a", "1"),
        "the version `1`",
    );
    refused("{", b"", "the metadata");
    refused(&good("empty"), b"", "the archive");
    // Contents that do not pack.
    let mut state = 1_u64;
    let noise: String = (0..60_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + u8::try_from(state >> 58).unwrap())
        })
        .collect();
    let large = archive(
        "big-1.0.0",
        &[("Cargo.toml", "[package]"), ("src/lib.rs", &noise)],
    );
    refused(&good("big"), &large, "20000 bytes");
    let manifest = |text: &str| {
        let head = "[package]\nname = \"m\"\nversion = \"1.0.0\"\ndescription = \"d\"\n";
        archive(
            "m-1.0.0",
            &[("Cargo.toml", &format!("{head}{text}")), ("src/lib.rs", "")],
        )
    };
    refused(
        &good("m"),
        &manifest(""),
        "missing or empty in Cargo.toml: license",
    );
    refused(
        &good("m"),
        &manifest("license = \"mine\""),
        "no SPDX expression",
    );
    refused(
        &good("m"),
        &manifest("license = \"MIT\"\nhomepage = \"javascript:alert(1)\""),
        "`homepage`",
    );
    refused(
        &good("m"),
        &manifest("license = \"MIT\"\n[patch.crates-io]"),
        "no [patch]",
    );
    // A dependency that only one side has: people and tools would see two
    // crates.
    let hidden = manifest("license = \"MIT\"\n[dependencies]\ntaken = \"1\"\n");
    refused(&good("m"), &hidden, "disagree about the dependency `taken`");
    let extra = "{\"name\":\"m\",\"vers\":\"1.0.0\",\"deps\":[{\"name\":\"taken\",\"version_req\":\"^1\",\"features\":[],\"optional\":false,\"default_features\":true,\"target\":null,\"kind\":\"normal\",\"registry\":\"https://registry.example.com\"}]}";
    refused(
        extra,
        &manifest("license = \"MIT\""),
        "a dependency `taken` that",
    );
    let star = manifest("license = \"MIT\"\n[dependencies]\ntaken = \"*\"\n");
    refused(&good("m"), &star, "accepts every version");
    assert_eq!(put(&world, &ann, extra, &hidden).0, 200);
    let absent = extra.replace("taken", "absent").replace("\"m\"", "\"n\"");
    let n = archive(
        "n-1.0.0",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"n\"\nversion = \"1.0.0\"\ndescription = \"d\"\nlicense = \"MIT\"\n[dependencies]\nabsent = \"1\"\n",
            ),
            ("src/lib.rs", ""),
        ],
    );
    refused(&absent, &n, "the dependency `absent` is not known");
    world.audit_is_whole();
}

/// Guards what a token may not, and that cargo's user learns why.
#[test]
fn tokens_do_only_what_they_are_for() {
    let (world, ann, _) = house("");
    world.package("one", "");
    publish(&world, "one", &ann).succeeds();
    world.package("two", "");
    let update = world.token("ann", &[PublishUpdate, Read], "one*");
    publish(&world, "two", &update)
        .fails_with("this token lacks the scope `publish-new`; it has publish-update, read");
    let other = world.token("ann", &[PublishNew, Read], "three");
    publish(&world, "two", &other)
        .fails_with("this token is for the crates three, which leaves out `two`");
    publish(&world, "two", "palisade_wrong").fails_with("not a token of this registry");

    let current = world.url("/api/v1/tokens/current");
    let shown = get_as(&current, &update).json();
    assert_eq!(
        (shown["user"].as_str(), shown["crates"][0].as_str()),
        (Some("ann"), Some("one*"))
    );
    let bearer = format!("Bearer {update}");
    assert_eq!(get_as(&current, &bearer).status, 200);
    assert_eq!(
        send("DELETE", &current, &[("authorization", &update)], b"").status,
        200
    );
    let gone = get_as(&current, &update);
    assert!(
        gone.status == 403 && gone.text().contains("was revoked at"),
        "{}",
        gone.text()
    );

    world.lock("ann", 1, "the laptop was stolen");
    publish(&world, "two", &ann)
        .fails_with("is locked until 2026-08-20T08:00:00Z: the laptop was stolen");
    world.pass(2);
    publish(&world, "two", &ann).succeeds();
    world.pass(31 * 24);
    publish(&world, "two", &ann).fails_with("this token expired at 2026-09-19T07:00:00Z");

    // Power over others never lies in a token for publishing.
    world.user("rita", &[Role::Reviewer, Role::Publisher]);
    let both = palisade_gateway::admin::TokenRequest {
        login: "rita".to_owned(),
        name: "both".to_owned(),
        scopes: vec![PublishNew, palisade_gateway::Scope::AdminReview],
        crates: vec![palisade_gateway::Pattern::parse("*").unwrap()],
        days: 1,
    };
    let config = palisade_gateway::Config::parse("palisade.toml".into(), "[gateway]").unwrap();
    let actor = palisade_store::Actor::operator("test");
    let refused =
        palisade_gateway::admin::add_token(world.store(), &config, &actor, world.now(), &both);
    let refused = world.runtime.block_on(refused).unwrap_err().to_string();
    assert!(refused.contains("never for both"), "{refused}");
    assert_eq!(get(&current).status, 401);
    let unknown = get(&world.url("/index/config.json"));
    assert!(
        unknown
            .field("www-authenticate")
            .unwrap()
            .starts_with("Cargo login_url=")
    );
}
