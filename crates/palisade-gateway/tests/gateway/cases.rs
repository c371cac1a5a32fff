//! What people do about what is kept back: waivers, appeals, evidence.

use palisade_gateway::Scope::{AdminReview, PublishNew, PublishUpdate, Read};
use palisade_gateway::admin::Ruling;
use palisade_store::{Role, State};

use crate::client::{Answer, get_as, send};
use crate::publish::{put, simple};
use crate::upstream::Release;
use crate::world::{World, wait};

const OLD: &str = "2020-01-01T00:00:00Z";
const YOUNG: &str = "2026-08-20T06:00:00Z";

fn post(world: &World, path: &str, token: &str, body: &str) -> Answer {
    let fields = [("authorization", token)];
    send("POST", &world.url(path), &fields, body.as_bytes())
}

/// Guards the whole life of a waiver: nobody approves their own, it lets
/// through what it names and for whom it names, and it ends.
#[test]
fn waivers_need_two_and_end() {
    let world = World::new("auth-required = true");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    world.upstream.publish(&Release::new("qq", "1.1.0", YOUNG));
    world.upstream.publish(&Release::new("zz", "1.0.0", YOUNG));
    world.user("dev", &[Role::Reader]);
    world.user("other", &[Role::Reader]);
    world.user("rita", &[Role::Reviewer]);
    world.user("rolf", &[Role::Reviewer]);
    let dev = world.token("dev", &[Read], "*");
    let other = world.token("other", &[Read], "*");
    let rita = world.token("rita", &[AdminReview, Read], "*");
    let rolf = world.token("rolf", &[AdminReview, Read], "*");

    world.package("app", "qq = \"=1.1.0\"");
    world
        .cargo_as("app", &dev, &["generate-lockfile"])
        .fails_with("version 1.1.0 is yanked");
    let refused = get_as(&world.url("/api/v1/crates/qq/1.1.0/download"), &dev);
    assert_eq!(refused.status, 403);
    let ask = |token: &str, which: &str| {
        let body = "{\"reason\":\"the fix for our outage\",\"days\":7}";
        let path = format!("/api/v1/crates/{which}/waiver");
        post(&world, &path, token, body)
    };
    assert_eq!(ask(&dev, "qq/1.0.0").status, 400, "nothing to waive");
    let asked = ask(&dev, "qq/1.1.0");
    assert_eq!(asked.json()["id"], 1, "{}", asked.text());
    // Asking alone changes nothing.
    assert_eq!(
        get_as(&world.url("/api/v1/crates/qq/1.1.0/download"), &dev).status,
        403
    );
    let approve = |token: &str, id: i64| {
        let body = "{\"approve\":true,\"reason\":\"read the diff of it\"}";
        post(&world, &format!("/api/v1/admin/waivers/{id}"), token, body)
    };
    assert_eq!(approve(&dev, 1).status, 403, "no reviewer");
    assert_eq!(approve(&rita, 1).status, 200);
    assert_eq!(approve(&rolf, 1).status, 409, "decided already");

    world
        .cargo_as("app", &dev, &["generate-lockfile"])
        .succeeds();
    world.cargo_as("app", &dev, &["fetch"]).succeeds();
    // For one user alone, and no cache crosses.
    world
        .cargo_as("app", &other, &["generate-lockfile"])
        .fails_with("version 1.1.0 is yanked");
    assert_eq!(
        get_as(&world.url("/api/v1/crates/qq/1.1.0/download"), &other).status,
        403
    );
    assert_eq!(
        world.state("qq", "1.1.0"),
        Some(State::Held),
        "a waiver is no release"
    );

    // Nobody approves their own, reviewer or not.
    // `zz` is held by two rules; the waiver that is asked for names both.
    assert_eq!(ask(&rita, "zz/1.0.0").json()["id"], 2);
    let own = approve(&rita, 2);
    assert!(
        own.status == 403 && own.text().contains("somebody else has to decide"),
        "{}",
        own.text()
    );
    assert_eq!(approve(&rolf, 2).status, 200);

    // It ends by itself.
    world.pass(8 * 24);
    wait(|| {
        let listed = get_as(&world.url("/api/v1/admin/waivers"), &rita).json();
        listed["waivers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|waiver| waiver["in_force"] == false)
    });
    world.audit_is_whole();
}

/// Guards that a waiver of one rule does not let through what another rule
/// keeps back as well.
#[test]
fn a_waiver_covers_every_rule_or_none() {
    let world = World::new("");
    world.upstream.publish(&Release::new("zz", "1.0.0", YOUNG));
    let status = || crate::client::get(&world.url("/api/v1/crates/zz/1.0.0/download")).status;
    crate::client::get(&world.url("/index/2/zz"));
    world.waive("zz", None, &["minimum-age"]);
    wait(|| status() == 403);
    assert_eq!(crate::client::get(&world.url("/index/2/zz")).status, 404);
    world.waive("zz", Some("<1.0.0"), &["minimum-age", "new-crate"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(status(), 403, "another version");
    world.waive("zz", Some("=1.0.0"), &["minimum-age", "new-crate"]);
    wait(|| status() == 200);
    assert_eq!(crate::client::get(&world.url("/index/2/zz")).status, 200);
    // What a person has refused, and what is on the deny list, no waiver opens.
    world.decide("zz", "1.0.0", Ruling::Reject);
    wait(|| status() == 403);
    world.audit_is_whole();
}

/// Guards appeals and evidence: owners add and never delete, and nobody judges
/// what they have decided or what is theirs.
#[test]
fn appeals_are_decided_by_somebody_else() {
    let world = World::new("auth-required = true\n[gateway.policy]\nreview = [\"kept\"]");
    world.user("ann", &[Role::Publisher, Role::Reviewer]);
    world.user("ben", &[Role::Publisher]);
    world.user("rita", &[Role::Reviewer]);
    world.user("rolf", &[Role::Reviewer]);
    let ann = world.token("ann", &[PublishNew, PublishUpdate, Read], "*");
    let ann_reviews = world.token("ann", &[AdminReview], "*");
    let ben = world.token("ben", &[PublishUpdate, Read], "*");
    let rita = world.token("rita", &[AdminReview], "*");
    let rolf = world.token("rolf", &[AdminReview], "*");
    let good = "{\"name\":\"kept\",\"vers\":\"1.0.0\",\"deps\":[]}";
    assert_eq!(put(&world, &ann, good, &simple("kept", "1.0.0")).0, 200);
    assert_eq!(world.state("kept", "1.0.0"), Some(State::Quarantined));
    let checksum = get_as(&world.url("/api/v1/crates/kept/1.0.0"), &ann).json();
    let checksum = checksum["version"]["checksum"].as_str().unwrap().to_owned();

    let text = "{\"text\":\"it is our own build script\"}";
    let evidence = "/api/v1/crates/kept/1.0.0/evidence";
    assert_eq!(post(&world, evidence, &ben, text).status, 403);
    assert_eq!(post(&world, evidence, &ann, text).status, 200);
    assert_eq!(
        post(&world, evidence, &ann, "{\"text\":\"no\"}").status,
        409
    );
    for method in ["DELETE", "PUT", "PATCH"] {
        let fields = [("authorization", ann.as_str())];
        let answer = send(method, &world.url(evidence), &fields, b"{}");
        assert!(answer.status >= 400, "{method}");
    }
    let case = get_as(&world.url("/api/v1/crates/kept/1.0.0/case"), &ann).json();
    assert_eq!(
        case["case"]["evidence"][0]["text"],
        "it is our own build script"
    );
    assert_eq!(case["case"]["rules"][0], "review");

    let decide = |token: &str, decision: &str| {
        let body = format!(
            "{{\"decision\":\"{decision}\",\"reason\":\"looked at it again\",\"checksum\":\"{checksum}\"}}"
        );
        post(&world, "/api/v1/admin/cases/kept/1.0.0", token, &body)
    };
    // An owner who is a reviewer as well.
    let own = decide(&ann_reviews, "release");
    assert!(
        own.text().contains("somebody else has to decide"),
        "{}",
        own.text()
    );
    assert_eq!(decide(&rita, "reject").status, 200);

    let appeal = "/api/v1/crates/kept/1.0.0/appeal";
    let text = "{\"text\":\"the finding is about a test fixture\"}";
    assert_eq!(post(&world, appeal, &ben, text).status, 403);
    assert_eq!(post(&world, appeal, &ann, text).json()["id"], 1);
    assert_eq!(post(&world, appeal, &ann, text).status, 409, "once each");
    let grant = |token: &str, id: i64, grant: bool| {
        let body = format!("{{\"grant\":{grant},\"reply\":\"looked at by a second person\"}}");
        post(&world, &format!("/api/v1/admin/appeals/{id}"), token, &body)
    };
    for (who, token) in [("the one who rejected", &rita), ("the owner", &ann_reviews)] {
        let answer = grant(token, 1, true);
        assert!(
            [403, 409].contains(&answer.status)
                && answer.text().contains("somebody else has to decide"),
            "{who}: {}",
            answer.text()
        );
        assert_eq!(world.state("kept", "1.0.0"), Some(State::Rejected), "{who}");
    }
    assert_eq!(grant(&rolf, 1, true).status, 200);
    assert_eq!(world.state("kept", "1.0.0"), Some(State::Released));
    assert_eq!(grant(&rolf, 1, true).status, 409);
    assert_eq!(
        get_as(&world.url("/api/v1/crates/kept/1.0.0/download"), &ben).status,
        200
    );
    assert_eq!(post(&world, appeal, &ann, text).status, 409, "pointless");

    // A person's decision about an appeal that is out of date releases nothing.
    assert_eq!(decide(&rita, "quarantine").status, 200);
    assert_eq!(post(&world, appeal, &ann, text).json()["id"], 2);
    assert_eq!(decide(&rita, "reject").status, 200);
    assert_eq!(grant(&rolf, 2, true).status, 409);
    assert_eq!(world.state("kept", "1.0.0"), Some(State::Rejected));

    // The owner heard of all of it.
    let notices = get_as(&world.url("/api/v1/notices"), &ann).json();
    let texts: Vec<&str> = notices["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice["text"].as_str().unwrap())
        .collect();
    for part in ["is quarantined", "is rejected", "is released"] {
        assert!(
            texts.iter().any(|text| text.contains(part)),
            "{part}: {texts:?}"
        );
    }
    assert_eq!(
        get_as(&world.url("/api/v1/notices"), &ben).json()["notices"],
        serde_json::json!([])
    );
    world.audit_is_whole();
}
