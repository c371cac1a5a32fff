//! What those who run the gateway do to it.

use palisade_gateway::Config;
use palisade_gateway::Scope::{PublishNew, PublishUpdate, Read};
use palisade_gateway::admin::{self, Action, Done};
use palisade_store::{Actor, LimitKind, NameKind, Role, State};

use crate::client::get_as;
use crate::publish::{put, simple};
use crate::upstream::Release;
use crate::world::{World, wait};

const OLD: &str = "2020-01-01T00:00:00Z";
const REASON: &str = "asked for by the test";

fn house(settings: &str) -> (World, String) {
    let world = World::new(&format!("auth-required = true\n{settings}"));
    world.user("ann", &[Role::Publisher]);
    let ann = world.token("ann", &[PublishNew, PublishUpdate, Read], "*");
    (world, ann)
}

fn publish(world: &World, token: &str, name: &str, version: &str) -> (u16, String) {
    let metadata = format!("{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[]}}");
    put(world, token, &metadata, &simple(name, version))
}

fn config(world: &World, text: &str) -> Config {
    let text = format!("[gateway]\ndata = \"data\"\n{text}");
    Config::parse(&world.path("palisade.toml"), &text).unwrap()
}

/// Guards reserved and blocked names, with every spelling of them.
#[test]
fn names_that_are_set_aside() {
    let (world, ann) = house("");
    world.user("ben", &[Role::Publisher]);
    let ben = world.token("ben", &[PublishNew, Read], "*");
    let actor = Actor::operator("test");
    let set = |kind: NameKind, pattern: &str, login: Option<&str>, hours: Option<u32>| {
        let what = (kind, pattern);
        let set = admin::set_aside(
            world.store(),
            &actor,
            world.now(),
            what,
            login,
            hours,
            "set aside for the test",
        );
        world.runtime.block_on(set).unwrap();
    };
    set(NameKind::Reserved, "Acme_*", Some("ann"), None);
    // Each try is a name of its own, because the first may come too early.
    let tries = std::cell::Cell::new(0);
    wait(|| {
        tries.set(tries.get() + 1);
        let name = format!("acme-x{}", tries.get());
        publish(&world, &ben, &name, "1.0.0").0 == 403
    });
    assert!(
        publish(&world, &ben, "ACME_y", "1.0.0")
            .1
            .contains("is reserved: set aside for the test")
    );
    assert_eq!(publish(&world, &ann, "acme-y", "1.0.0").0, 200);
    assert_eq!(publish(&world, &ben, "other", "1.0.0").0, 200);

    world
        .upstream
        .publish(&Release::new("bad_one", "1.0.0", OLD));
    let url = world.url("/api/v1/crates/bad_one/1.0.0/download");
    assert_eq!(get_as(&url, &ann).status, 200);
    set(NameKind::Blocked, "bad-one", None, Some(2));
    wait(|| get_as(&url, &ann).status == 403);
    let text = get_as(&url, &ann).text();
    assert!(
        text.starts_with("bad_one 1.0.0 is denied: set aside for the test (rule `blocked`)"),
        "{text}"
    );
    assert!(
        publish(&world, &ann, "bad-one", "1.0.0")
            .1
            .contains("is blocked")
    );
    // It ends by itself.
    world.pass(3);
    wait(|| get_as(&url, &ann).status == 200);
    world.audit_is_whole();
}

/// Guards the limits of users and crates, raised for a while.
#[test]
fn limits() {
    let (world, ann) =
        house("publish = { versions-per-day = 3, new-crates-per-day = 2, archive-bytes = 2000 }");
    assert_eq!(publish(&world, &ann, "one", "1.0.0").0, 200);
    assert_eq!(publish(&world, &ann, "two", "1.0.0").0, 200);
    let (status, text) = publish(&world, &ann, "three", "1.0.0");
    assert!(
        status == 429 && text.contains("may publish 2 new crates in 24 hours"),
        "{status} {text}"
    );
    assert_eq!(publish(&world, &ann, "one", "1.1.0").0, 200);
    assert_eq!(publish(&world, &ann, "one", "1.2.0").0, 429);
    let actor = Actor::operator("test");
    let set = |kind: LimitKind, name: &str, value: u64| {
        let set = admin::set_limit(
            world.store(),
            &actor,
            world.now(),
            (kind, name),
            value,
            1,
            REASON,
        );
        world.runtime.block_on(set).unwrap();
    };
    set(LimitKind::VersionsPerDay, "ann", 4);
    assert_eq!(publish(&world, &ann, "one", "1.2.0").0, 200);
    assert_eq!(publish(&world, &ann, "one", "1.3.0").0, 429);
    world.pass(25);
    let mut state = 1_u64;
    let noise: String = (0..8000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + u8::try_from(state >> 58).unwrap())
        })
        .collect();
    let manifest =
        "[package]\nname = \"one\"\nversion = \"2.0.0\"\ndescription = \"d\"\nlicense = \"MIT\"\n";
    let large = crate::upstream::archive(
        "one-2.0.0",
        &[("Cargo.toml", manifest), ("src/lib.rs", &noise)],
    );
    assert!(large.len() > 2000, "{}", large.len());
    let metadata = "{\"name\":\"one\",\"vers\":\"2.0.0\",\"deps\":[]}";
    assert_eq!(put(&world, &ann, metadata, &large).0, 413);
    set(LimitKind::ArchiveBytes, "one", 100_000);
    assert_eq!(put(&world, &ann, metadata, &large).0, 200);
    world.audit_is_whole();
}

/// Guards deletion: two people, the evidence stays, the number is never used
/// again, and the log explains it.
#[test]
fn deletion_takes_two_and_keeps_the_evidence() {
    let (world, ann) = house("");
    publish(&world, &ann, "gone", "1.0.0");
    publish(&world, &ann, "gone", "1.1.0");
    let two = config(&world, "administration.second-person = [\"delete\"]");
    let one = config(&world, "");
    let (olga, otto) = (Actor::operator("olga"), Actor::operator("otto"));
    let delete = Action::DeleteVersion {
        name: "gone".to_owned(),
        version: "1.0.0".to_owned(),
    };
    let ask = |config: &Config, actor: &Actor, action: &Action| {
        let ask = admin::ask(world.store(), config, actor, world.now(), action, REASON);
        world.runtime.block_on(ask)
    };
    let settle = |actor: &Actor, id: i64, approve: bool| {
        let settle = admin::settle_request(
            world.store(),
            &two,
            actor,
            world.now(),
            (id, approve),
            REASON,
        );
        world.runtime.block_on(settle)
    };
    assert_eq!(ask(&two, &olga, &delete).unwrap(), Done::Asked(1));
    assert_eq!(world.state("gone", "1.0.0"), Some(State::Allowed));
    let own = settle(&olga, 1, true).unwrap_err();
    assert!(
        format!("{own:?}").contains("SamePerson"),
        "one person was enough: {own:?}"
    );
    // The same person with a token is the same person.
    assert!(settle(&Actor::user("Olga", "1"), 1, true).is_err());
    assert_eq!(world.state("gone", "1.0.0"), Some(State::Allowed));
    settle(&otto, 1, true).unwrap();
    assert_eq!(world.state("gone", "1.0.0"), None);
    assert!(settle(&otto, 1, true).is_err(), "approved twice");

    let url = world.url("/api/v1/crates/gone/1.0.0/download");
    wait(|| get_as(&url, &ann).status == 404);
    let record = world.read("data/evidence/gone-1.0.0/record.json");
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["publisher"], "ann");
    assert_eq!(record["deleted_because"], REASON);
    let kept = std::fs::read(world.path("data/evidence/gone-1.0.0/archive.crate")).unwrap();
    assert_eq!(kept, simple("gone", "1.0.0"));
    let (status, text) = publish(&world, &ann, "gone", "1.0.0");
    assert!(status == 409 && text.contains("deleted"), "{status} {text}");

    let all = Action::DeleteCrate {
        name: "gone".to_owned(),
        block_hours: 24,
    };
    assert_eq!(ask(&one, &olga, &all).unwrap(), Done::Yes);
    wait(|| publish(&world, &ann, "gone", "3.0.0").0 == 403);
    world.pass(25);
    wait(|| publish(&world, &ann, "gone", "3.0.0").0 == 200);
    let (status, _) = publish(&world, &ann, "gone", "1.1.0");
    assert_eq!(status, 409, "a number of the crate before");
    // What comes from elsewhere is not ours to delete.
    world
        .upstream
        .publish(&Release::new("theirs", "1.0.0", OLD));
    get_as(&world.url("/index/th/ei/theirs"), &ann);
    let theirs = Action::DeleteVersion {
        name: "theirs".to_owned(),
        version: "1.0.0".to_owned(),
    };
    assert!(ask(&one, &olga, &theirs).is_err());
    world.audit_is_whole();
}

/// Guards the repair of broken archives: a copy brings one back, and without
/// one the version says why it cannot be had.
#[test]
fn a_doctor_for_archives() {
    let (world, ann) = house("");
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        publish(&world, &ann, "ill", version);
    }
    let path = |version: &str| {
        let sum = palisade_archive::checksum(&simple("ill", version)).to_string();
        world.path(&format!("data/archives/{}/{sum}.crate", &sum[..2]))
    };
    let doctor = |repair: bool| {
        let actor = Actor::operator("test");
        let from = [world.path("copies")];
        let data = world.path("data");
        let run = admin::doctor(
            world.store(),
            &data,
            &actor,
            world.now(),
            repair.then_some(&from[..]),
        );
        world.runtime.block_on(run).unwrap()
    };
    assert_eq!(doctor(false).problems, vec![]);
    std::fs::write(path("1.0.0"), "not an archive").unwrap();
    std::fs::remove_file(path("1.1.0")).unwrap();
    world.write("data/archives/ff/stray.crate", "nobody's");
    std::fs::create_dir_all(world.path("copies")).unwrap();
    std::fs::write(world.path("copies/a.crate"), simple("ill", "1.0.0")).unwrap();
    let found = doctor(false);
    assert_eq!((found.archives, found.problems.len()), (3, 3));
    assert!(
        found
            .problems
            .iter()
            .all(|problem| problem.mended.is_none())
    );
    let mended = doctor(true);
    assert!(
        mended
            .problems
            .iter()
            .all(|problem| problem.mended.is_some()),
        "{mended:?}"
    );
    let download = |version: &str| {
        get_as(
            &world.url(&format!("/api/v1/crates/ill/{version}/download")),
            &ann,
        )
    };
    assert_eq!(download("1.0.0").body, simple("ill", "1.0.0"));
    assert_eq!(world.state("ill", "1.1.0"), Some(State::Quarantined));
    let shown = get_as(&world.url("/api/v1/crates/ill/1.1.0"), &ann).json();
    assert_eq!(shown["version"]["rule"], "doctor");
    assert!(world.path("data/put-aside/stray.crate").is_file());
    let after = doctor(false);
    assert_eq!(
        after.problems.len(),
        1,
        "only the one without a copy: {after:?}"
    );
    world.audit_is_whole();
}

/// Guards disclosures: owners hear of it, the world does not.
#[test]
fn owners_are_told_first() {
    let (world, ann) = house("");
    publish(&world, &ann, "weak", "1.0.0");
    world.user("ben", &[Role::Reader]);
    let ben = world.token("ben", &[Read], "*");
    world.runtime.block_on(async {
        let actor = Actor::operator("test");
        let mut tx = world.store().begin(&actor, world.now()).await.unwrap();
        let id = tx
            .open_disclosure("weak", "it overflows", "with a length of -1", world.now())
            .await
            .unwrap();
        assert_eq!(tx.notify_disclosure(id).await.unwrap(), 1);
        tx.resolve_disclosure(id, "fixed in 1.0.1").await.unwrap();
        assert!(tx.resolve_disclosure(id, "again").await.is_err());
        tx.commit().await.unwrap();
    });
    let notices = |token: &str| get_as(&world.url("/api/v1/notices"), token).text();
    assert!(notices(&ann).contains("with a length of -1"));
    assert!(!notices(&ben).contains("length"));
    world.audit_is_whole();
}
