//! The rules that are about archives, advisories and people, each with what it
//! is there for, and the dry run of them all.

use std::sync::Arc;

use palisade_gateway::Scope::{PublishNew, PublishUpdate, Read};
use palisade_gateway::admin::{self, Moment};
use palisade_gateway::{Answer, Config, ScanError, Scanner, Subject, Verdict, look};
use palisade_store::{Actor, HoldKind, Role, State};

use crate::client::{get, get_as};
use crate::publish::{put, simple};
use crate::upstream::{Release, archive};
use crate::world::{World, wait};

const OLD: &str = "2020-01-01T00:00:00Z";
const YOUNG: &str = "2026-08-20T06:00:00Z";

/// Finds what the crate's name tells it to find.
struct ByName;

impl Scanner for ByName {
    fn scan(&self, subject: &Subject) -> Result<Answer, ScanError> {
        let has = |word: &str| subject.name.contains(word);
        Ok(Answer {
            look: look(
                &subject.name,
                &subject.version,
                subject.checksum,
                &subject.archive,
            ),
            verdict: Verdict {
                scanner: "by name 1".to_owned(),
                secret: has("leaky").then(|| "it ships a key of a payment service".to_owned()),
                imitates: has("squat").then(|| "the name looks like serde".to_owned()),
                ..Verdict::default()
            },
        })
    }
}

fn house(settings: &str) -> (World, String) {
    let world = World::with_scanner(
        &format!("auth-required = true\n{settings}"),
        Some(Arc::new(ByName)),
    );
    world.user("ann", &[Role::Publisher]);
    let ann = world.token("ann", &[PublishNew, PublishUpdate, Read], "*");
    (world, ann)
}

fn publish(world: &World, token: &str, name: &str, version: &str) -> (u16, String) {
    let metadata = format!("{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[]}}");
    put(world, token, &metadata, &simple(name, version))
}

/// Guards that a token of ours that somebody publishes is revoked before
/// anybody can read it, that its owner hears of it, and that the version waits.
#[test]
fn a_token_in_an_archive_is_revoked() {
    let (world, ann) = house("");
    world.user("ben", &[Role::Publisher]);
    let ben = world.token("ben", &[Read], "*");
    let current = world.url("/api/v1/tokens/current");
    assert_eq!(get_as(&current, &ben).status, 200);
    let manifest =
        "[package]\nname = \"oops\"\nversion = \"1.0.0\"\ndescription = \"d\"\nlicense = \"MIT\"\n";
    // In a file that is no text, behind something else.
    let hidden = format!("\u{0}\u{1}registry={ben};");
    let bytes = archive(
        "oops-1.0.0",
        &[
            ("Cargo.toml", manifest),
            ("src/lib.rs", ""),
            ("data.bin", &hidden),
        ],
    );
    let metadata = "{\"name\":\"oops\",\"vers\":\"1.0.0\",\"deps\":[]}";
    let (status, text) = put(&world, &ann, metadata, &bytes);
    assert!(
        status == 200 && text.contains("ships a token of this registry"),
        "{status} {text}"
    );
    assert_eq!(world.state("oops", "1.0.0"), Some(State::Quarantined));
    let gone = get_as(&current, &ben);
    assert!(
        gone.status == 403 && gone.text().contains("was revoked at"),
        "{}",
        gone.text()
    );
    let fresh = world.token("ben", &[Read], "*");
    let notices = get_as(&world.url("/api/v1/notices"), &fresh).json();
    let text = notices["notices"][0]["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("found in oops 1.0.0, data.bin") && !text.contains(&ben),
        "{text}"
    );
    // The publisher's own token, which is not in it, lives.
    assert_eq!(get_as(&current, &ann).status, 200);

    // Pulled through: the same, also without a scanner.
    let world = World::new("");
    world.user("ben", &[]);
    let ben = world.token("ben", &[Read], "*");
    let release = Release::new("leak", "1.0.0", OLD).source(&format!("const T: &str = \"{ben}\";"));
    world.upstream.publish(&release);
    get(&world.url("/api/v1/crates/leak/1.0.0/download"));
    assert_eq!(
        get_as(&world.url("/api/v1/tokens/current"), &ben).status,
        403
    );
    world.audit_is_whole();
}

/// Guards the rules about secrets and imitated names: what is published here
/// waits, what the world has seen for long does not.
#[test]
fn secrets_and_look_alikes() {
    let (world, ann) = house("");
    assert_eq!(publish(&world, &ann, "leaky", "1.0.0").0, 200);
    assert_eq!(world.state("leaky", "1.0.0"), Some(State::Quarantined));
    assert_eq!(publish(&world, &ann, "squat", "1.0.0").0, 200);
    assert_eq!(world.state("squat", "1.0.0"), Some(State::Quarantined));
    assert_eq!(publish(&world, &ann, "fine", "1.0.0").0, 200);
    assert_eq!(world.state("fine", "1.0.0"), Some(State::Allowed));
    for name in ["leaky-old", "squat-old"] {
        world.upstream.publish(&Release::new(name, "1.0.0", OLD));
        let url = world.url(&format!("/api/v1/crates/{name}/1.0.0/download"));
        assert_eq!(get_as(&url, &ann).status, 200, "{name}");
    }
    // A new crate of the upstream that imitates waits for a person, not for
    // its third day.
    world
        .upstream
        .publish(&Release::new("squat-new", "1.0.0", "2026-08-18T00:00:00Z"));
    get_as(&world.url("/index/sq/ua/squat-new"), &ann);
    world.pass(24);
    world.wait_for("squat-new", "1.0.0", State::Quarantined);
    world.audit_is_whole();
}

/// Guards the licences of the house, alternatives included.
#[test]
fn licences() {
    let world =
        World::new("[gateway.policy.licence]\nallow = [\"MIT\", \"Apache-2.0\"]\ndeny = [\"MIT\"]");
    let add = |name: &str, licence: &str| {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n{licence}\n");
        let bytes = archive(
            &format!("{name}-1.0.0"),
            &[("Cargo.toml", &manifest), ("src/lib.rs", "")],
        );
        world
            .upstream
            .add_archive(&Release::new(name, "1.0.0", OLD), bytes);
        get(&world.url(&format!("/api/v1/crates/{name}/1.0.0/download")))
    };
    assert_eq!(add("either", "license = \"MIT OR Apache-2.0\"").status, 200);
    let refused = add("denied", "license = \"MIT\"");
    assert!(
        refused.status == 403 && refused.text().contains("its licence `MIT`"),
        "{}",
        refused.text()
    );
    assert_eq!(add("unlisted", "license = \"GPL-3.0-only\"").status, 403);
    assert_eq!(
        add("both", "license = \"Apache-2.0 AND GPL-3.0-only\"").status,
        403
    );
    let unnamed = add("unnamed", "license-file = \"X\"");
    assert!(
        unnamed.text().contains("names no licence"),
        "{}",
        unnamed.text()
    );
    world.audit_is_whole();
}

/// Guards the advisories: a malicious version is kept back however old it is,
/// another one only where the house wants that.
#[test]
fn advisories() {
    let mut world = World::new("");
    let write = |world: &World, name: &str, id: &str, category: &str, patched: &str| {
        world.write(
            &format!("db/crates/{name}/{id}.md"),
            &format!(
                "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{name}\"\ndate = \"2026-08-01\"\n\
                 {category}\n[versions]\npatched = [{patched}]\n```\n\n# {name} is bad\n\nReally.\n"
            ),
        );
    };
    let malicious = "categories = [\"malicious\"]";
    write(
        &world,
        "evil",
        "RUSTSEC-2026-9001",
        malicious,
        "\">= 2.0.0\"",
    );
    write(&world, "buggy", "RUSTSEC-2026-9002", "", "");
    for (name, version) in [("evil", "1.0.0"), ("evil", "2.0.0"), ("buggy", "1.0.0")] {
        world.upstream.publish(&Release::new(name, version, OLD));
    }
    let status = |world: &World, which: &str| {
        get(&world.url(&format!("/api/v1/crates/{which}/download"))).status
    };
    assert_eq!(status(&world, "evil/1.0.0"), 200, "no database, no opinion");
    let database = format!("advisories = \"{}\"", world.path("db"));
    world.restart(&database);
    assert_eq!(status(&world, "evil/1.0.0"), 403);
    assert_eq!(status(&world, "evil/2.0.0"), 200);
    assert_eq!(status(&world, "buggy/1.0.0"), 200);
    let shown = get(&world.url("/api/v1/crates/evil/1.0.0")).json();
    assert_eq!(shown["version"]["reason"], "RUSTSEC-2026-9001: evil is bad");
    let all = "[gateway.policy.advisory]\nkinds = [\"malicious\", \"vulnerability\"]\nignore = [\"RUSTSEC-2026-9001\"]";
    world.restart(&format!("{database}\n{all}"));
    assert_eq!(status(&world, "buggy/1.0.0"), 403);
    assert_eq!(
        world.state("evil", "1.0.0"),
        Some(State::Quarantined),
        "a quarantine ends by a person, or with its rule"
    );
    world.restart("");
    assert_eq!(status(&world, "buggy/1.0.0"), 403);
    world.audit_is_whole();
}

/// Guards the glass: while it is broken, nothing new of a name or a publisher
/// gets out, and what was there before stays.
#[test]
fn break_glass() {
    let (world, ann) = house("");
    world.user("eve", &[Role::Publisher]);
    let eve = world.token("eve", &[PublishNew, PublishUpdate, Read], "*");
    publish(&world, &eve, "before", "1.0.0");
    let hold = |kind: HoldKind, pattern: &str| {
        let actor = Actor::operator("test");
        let add = admin::add_hold(
            world.store(),
            &actor,
            world.now(),
            (kind, pattern),
            24,
            "an incident is going on",
        );
        world.runtime.block_on(add).unwrap()
    };
    hold(HoldKind::Publisher, "eve");
    wait(|| {
        let version = format!("1.{}.0", world.count("before"));
        publish(&world, &eve, "before", &version);
        world.state("before", &version) == Some(State::Quarantined)
    });
    assert_eq!(world.state("before", "1.0.0"), Some(State::Allowed));
    publish(&world, &ann, "mine", "1.0.0");
    assert_eq!(world.state("mine", "1.0.0"), Some(State::Allowed));
    let number = hold(HoldKind::Crate, "*");
    wait(|| {
        let version = format!("1.{}.0", world.count("mine"));
        publish(&world, &ann, "mine", &version);
        world.state("mine", &version) == Some(State::Quarantined)
    });
    world
        .upstream
        .publish(&Release::new("pulled", "1.0.0", OLD));
    let url = world.url("/api/v1/crates/pulled/1.0.0/download");
    assert_eq!(get_as(&url, &ann).status, 200, "it is old");
    world.runtime.block_on(async {
        let actor = Actor::operator("test");
        let mut tx = world.store().begin(&actor, world.now()).await.unwrap();
        tx.end_hold(number, "the incident is over").await.unwrap();
        tx.commit().await.unwrap();
    });
    wait(|| {
        let version = format!("2.{}.0", world.count("mine"));
        publish(&world, &ann, "mine", &version);
        world.state("mine", &version) == Some(State::Allowed)
    });
    world.audit_is_whole();
}

/// Guards that a dry run says what a policy would do, and does nothing.
#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new("");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    world.upstream.publish(&Release::new("qq", "1.1.0", YOUNG));
    world
        .upstream
        .publish(&Release::new("qq", "1.2.0", "2026-08-17T00:00:00Z"));
    get(&world.url("/index/2/qq"));
    get(&world.url("/api/v1/crates/qq/1.0.0/download"));
    let run = |policy: &str, moment: Moment| {
        let text = format!("[gateway]\n{policy}");
        let config = Config::parse(&world.path("other.toml"), &text).unwrap();
        let head = world.runtime.block_on(world.store().head()).unwrap();
        let run = admin::dry_run(world.store(), &config, false, world.now(), moment);
        let found = world.runtime.block_on(run).unwrap();
        assert_eq!(
            world.runtime.block_on(world.store().head()).unwrap(),
            head,
            "something was written"
        );
        found
    };
    let same = run("", Moment::Now);
    assert_eq!((same.versions, same.changes.len()), (3, 0), "{same:?}");
    assert_eq!(same.not_inspected, 2);
    let longer = run("policy.minimum-age.hours = 100", Moment::Now);
    assert_eq!(longer.changes.len(), 1, "{longer:?}");
    assert_eq!(longer.changes[0].version, "1.2.0");
    assert_eq!(longer.changes[0].from, State::Allowed);
    assert_eq!(longer.changes[0].decision.state, State::Held);
    let shorter = run("policy.minimum-age.hours = 0", Moment::Now);
    assert_eq!(shorter.changes[0].decision.state, State::Allowed);
    let audit = run(
        "policy.minimum-age = { mode = \"audit\", hours = 100 }",
        Moment::Now,
    );
    assert_eq!(audit.objections["minimum-age"], 2);
    // Later, nothing would be held; at first sight, it would have been.
    world.pass(200);
    world.wait_for("qq", "1.1.0", State::Allowed);
    assert_eq!(run("", Moment::Now).changes.len(), 0);
    let then = run("", Moment::FirstSight);
    assert_eq!(then.changes.len(), 1, "{then:?}");
    assert_eq!(then.changes[0].version, "1.1.0");
    // What a person has decided is not for a policy to change.
    world.decide("qq", "1.0.0", admin::Ruling::Reject);
    let deny = run("policy.mode = \"off\"", Moment::Now);
    assert!(deny.changes.iter().all(|change| change.version != "1.0.0"));
}
