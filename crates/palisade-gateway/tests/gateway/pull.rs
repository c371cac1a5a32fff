//! Pulling through: what comes out is what went in, and what is kept back is
//! kept back from every side.

use std::sync::Arc;
use std::time::Duration;

use palisade_gateway::admin::Ruling;
use palisade_gateway::{Answer, ScanError, Scanner, Subject, Verdict, look};
use palisade_store::State;

use crate::client::{get, send};
use crate::upstream::{Manner, Release};
use crate::world::{TOOLCHAINS, World, is_installed};

const OLD: &str = "2020-01-01T00:00:00Z";
const YOUNG: &str = "2026-08-20T06:00:00Z";

/// `qq` 1.0.0 is good, 1.1.0 is an hour old.
fn one_held() -> World {
    let world = World::new("");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    world.upstream.publish(&Release::new("qq", "1.1.0", YOUNG));
    world
}

/// Guards that a line comes through byte for byte, that tags are over what is
/// shown, and that packing changes nothing.
#[test]
fn an_index_file_is_the_upstreams() {
    let world = World::new("");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    world.upstream.publish(&Release::new("qq", "1.0.1", OLD));
    world.upstream.yank("qq", "1.0.0");
    let url = world.url("/index/2/qq");
    let first = get(&url);
    let lines = world.upstream.content.lock().unwrap().index["2/qq"].join("\n") + "\n";
    assert_eq!((first.status, first.text()), (200, lines.clone()));
    let etag = first.field("etag").unwrap().to_owned();
    let again = send("GET", &url, &[("if-none-match", &etag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let packed = send("GET", &url, &[("accept-encoding", "gzip")], b"");
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(&packed.body[..]),
        &mut text,
    )
    .unwrap();
    assert_eq!(text, lines);
    // Nothing else leads to it.
    for path in [
        "/index/2/QQ",
        "/index/3/q/qq",
        "/index/1/qq",
        "/index/qq/qq/qq",
        "/index/2/..%2fqq",
    ] {
        assert_eq!(get(&world.url(path)).status, 404, "{path}");
    }
    world.audit_is_whole();
}

/// Guards what cargo does about a version that is held, in every situation of
/// a user, with an older and a newer cargo.
#[test]
fn cargo_goes_around_a_held_version() {
    for toolchain in TOOLCHAINS.into_iter().filter(|&name| is_installed(name)) {
        let world = one_held();
        let cargo = |home: &str, arguments: &[&str]| {
            world.cargo_with("app", toolchain, home, None, arguments)
        };
        world.package("app", "qq = \"1\"");
        cargo("home", &["generate-lockfile"]).succeeds();
        assert_eq!(world.locked("app", "qq").unwrap(), "1.0.0");
        // No trace of the gateway: the lockfile is everybody's.
        let lock = world.read("app/Cargo.lock");
        assert!(
            lock.contains("registry+https://github.com/rust-lang/crates.io-index"),
            "{lock}"
        );
        cargo("home", &["check"]).succeeds();

        world.package("app", "qq = \"=1.1.0\"");
        cargo("home", &["generate-lockfile"]).fails_with("version 1.1.0 is yanked");

        // A lockfile from somewhere else names the held version.
        let held = lock.replace("\"1.0.0\"", "\"1.1.0\"");
        let bytes = Release::new("qq", "1.1.0", YOUNG).archive();
        let sum = palisade_archive::checksum(&bytes).to_string();
        let start = held.find("checksum = \"").unwrap() + 12;
        let held = format!("{}{sum}{}", &held[..start], &held[start + 64..]);
        world.package("app", "qq = \"1\"");
        world.write("app/Cargo.lock", &held);
        cargo("cold", &["fetch", "--locked"])
            .fails_with("qq 1.1.0 is held until 2026-08-23T06:00:00Z: it is younger than 72 hours (rule `minimum-age`)");
        cargo("cold", &["update"]).succeeds();
        assert_eq!(world.locked("app", "qq").unwrap(), "1.0.0");
        cargo("home", &["install", "qq", "--version", "1.1.0"]).fails_with("yanked");
        cargo("home", &["add", "qq@=1.1.0"]).fails_with("could not be found in registry index");

        // Time passes; nobody has to do anything.
        world.pass(72);
        world.wait_for("qq", "1.1.0", State::Allowed);
        cargo("home", &["update"]).succeeds();
        assert_eq!(world.locked("app", "qq").unwrap(), "1.1.0");
        cargo("home", &["check", "--locked"]).succeeds();
        world.audit_is_whole();
    }
}

/// Guards that a new release of a good crate is passed by while what it needs
/// is held, and that nothing fails.
#[test]
fn cargo_falls_back_when_a_dependency_is_new() {
    let world =
        World::new("[gateway.policy]\nfirst-dependency.mode = \"off\"\nminimum-age.hours = 1");
    for version in ["0.3.8", "0.3.9"] {
        world.upstream.publish(&Release::new("aref", version, OLD));
    }
    let young = "2026-08-20T05:00:00Z";
    world
        .upstream
        .publish(&Release::new("aref", "0.3.10", young).needs("payload", "1"));
    world
        .upstream
        .publish(&Release::new("payload", "1.0.0", YOUNG));
    world.package("app", "aref = \"0.3\"");
    world.cargo("app", &["generate-lockfile"]).succeeds();
    assert_eq!(world.locked("app", "aref").unwrap(), "0.3.9");
    assert_eq!(get(&world.url("/index/pa/yl/payload")).status, 404);
    let download = get(&world.url("/api/v1/crates/payload/1.0.0/download"));
    assert_eq!(download.status, 403);
    assert!(
        download.text().starts_with("payload 1.0.0 is held until"),
        "{}",
        download.text()
    );
    assert_eq!(world.upstream.asked("payload/1.0.0/download"), 0);
}

/// Guards the copy: an upstream that fails, is slow to come back or lies costs
/// nobody what is known.
#[test]
fn what_is_known_survives_the_upstream() {
    let world = World::new("");
    for version in ["1.0.0", "1.1.0"] {
        world.upstream.publish(&Release::new("qq", version, OLD));
    }
    world.package("app", "qq = \"=1.0.0\"");
    world.cargo("app", &["fetch"]).succeeds();
    world.upstream.behave(Manner::Broken);
    world
        .cargo_with("app", None, "other", None, &["fetch", "--locked"])
        .succeeds();
    let unknown = get(&world.url("/index/3/x/xyz"));
    assert_eq!(unknown.status, 503);
    assert!(
        unknown.text().contains("cannot be asked now"),
        "{}",
        unknown.text()
    );
    // An archive that is another one is never served, and not kept either.
    world.upstream.behave(Manner::Lying);
    let lie = get(&world.url("/api/v1/crates/qq/1.1.0/download"));
    assert_eq!(lie.status, 503, "{}", lie.text());
    assert!(lie.text().contains("the index promises"), "{}", lie.text());
    world.upstream.behave(Manner::Well);
    assert_eq!(
        get(&world.url("/api/v1/crates/qq/1.1.0/download")).status,
        200
    );
}

/// Guards that many who ask at once cause one question, and that an archive is
/// fetched once.
#[test]
fn one_question_for_many() {
    let world = World::new("");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    let index = world.url("/index/2/qq");
    let download = world.url("/api/v1/crates/qq/1.0.0/download");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(get(&download).status, 200));
        }
    });
    assert_eq!(world.upstream.asked("qq/1.0.0/download"), 1);
    assert_eq!(get(&index).status, 200);
}

/// Guards against an upstream that changes what was published: the first line
/// counts, and what disappears is kept back.
#[test]
fn lines_are_pinned() {
    let world = World::new("");
    for version in ["1.0.0", "1.1.0"] {
        world.upstream.publish(&Release::new("qq", version, OLD));
    }
    let url = world.url("/index/2/qq");
    let before = get(&url).text();
    let other = palisade_archive::checksum(b"other").to_string();
    world.upstream.change("qq", |lines| {
        let at = lines[0].find("\"cksum\":\"").unwrap() + 9;
        lines[0].replace_range(at..at + 64, &other);
        lines.pop();
    });
    let after = get(&url).text();
    let (first, second) = before.split_once('\n').unwrap();
    let (kept, removed) = after.split_once('\n').unwrap();
    assert_eq!(kept, first);
    assert_eq!(
        removed,
        second.replace("\"yanked\":false,\"zz", "\"yanked\":true,\"zz")
    );
    assert_eq!(world.state("qq", "1.1.0"), Some(State::Quarantined));
    let refused = get(&world.url("/api/v1/crates/qq/1.1.0/download"));
    assert_eq!(refused.status, 403);
    assert!(
        refused.text().contains("(rule `removed`)"),
        "{}",
        refused.text()
    );
    world.audit_is_whole();
}

/// Guards the lists, the modes, and that a person's word lasts.
#[test]
fn lists_modes_and_people() {
    let mut world = one_held();
    let status = |world: &World, version: &str| {
        get(&world.url(&format!("/api/v1/crates/qq/{version}/download"))).status
    };
    assert_eq!(
        (status(&world, "1.0.0"), status(&world, "1.1.0")),
        (200, 403)
    );
    let deny = "deny = [{ crate = \"qq\", versions = \"<1.1\", reason = \"we do not want it\" }]";
    world.restart(&format!("[gateway.policy]\nmode = \"audit\"\n{deny}"));
    assert_eq!(
        (status(&world, "1.0.0"), status(&world, "1.1.0")),
        (403, 200)
    );
    world.restart("[gateway.policy]\nminimum-age.mode = \"off\"\nnew-crate.mode = \"off\"");
    assert_eq!(world.state("qq", "1.1.0"), Some(State::Allowed));
    world.restart("");
    assert_eq!(world.state("qq", "1.1.0"), Some(State::Held));
    world.restart("[gateway.policy]\nallow = [{ crate = \"qq\", reason = \"ours\" }]");
    assert_eq!(status(&world, "1.1.0"), 200);
    world.decide("qq", "1.1.0", Ruling::Reject);
    crate::world::wait(|| status(&world, "1.1.0") == 403);
    world.pass(1000);
    world.restart("[gateway.policy]\nmode = \"off\"");
    assert_eq!(status(&world, "1.1.0"), 403);
    world.decide("qq", "1.1.0", Ruling::Release);
    crate::world::wait(|| status(&world, "1.1.0") == 200);
    world.audit_is_whole();
}

/// Guards clients that are not updated (CVE-2026-5223, CVE-2026-33056): an
/// archive with a link is not passed on.
#[test]
fn archives_with_links_are_kept_back() {
    let world = World::new("");
    world.upstream.publish(&Release::new("qq", "1.0.0", OLD));
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "bad-1.0.0/x", "../../../etc")
        .unwrap();
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let line = Release::new("bad", "1.0.0", OLD);
    let sum = palisade_archive::checksum(&bytes).to_string();
    let good = palisade_archive::checksum(&line.archive()).to_string();
    world.upstream.publish(&line);
    world
        .upstream
        .change("bad", |lines| lines[0] = lines[0].replace(&good, &sum));
    world
        .upstream
        .content
        .lock()
        .unwrap()
        .archives
        .insert("bad/1.0.0".to_owned(), bytes);
    let refused = get(&world.url("/api/v1/crates/bad/1.0.0/download"));
    assert_eq!(refused.status, 403);
    assert!(
        refused.text().contains("symbolic link"),
        "{}",
        refused.text()
    );
    assert_eq!(world.state("bad", "1.0.0"), Some(State::Quarantined));
    assert!(
        get(&world.url("/index/3/b/bad"))
            .text()
            .contains("\"yanked\":true,\"zz")
    );
}

/// Says what its source tells it to.
struct Obedient;

impl Scanner for Obedient {
    fn scan(&self, subject: &Subject) -> Result<Answer, ScanError> {
        let risk = match subject.name.as_str() {
            "risky" => 90,
            "broken" => return Err(ScanError("out of memory".to_owned())),
            "crashes" => panic!("as it was told"),
            "slow" => {
                std::thread::sleep(Duration::from_secs(3));
                0
            }
            _ => 0,
        };
        Ok(Answer {
            look: look(
                &subject.name,
                &subject.version,
                subject.checksum,
                &subject.archive,
            ),
            verdict: Verdict {
                scanner: "obedient 1".to_owned(),
                risk,
                summary: "the build script sends the environment away".to_owned(),
                ..Verdict::default()
            },
        })
    }
}

/// Guards that no answer of the scanner means no, and that its answer is bound
/// to the archive.
#[test]
fn without_an_answer_of_the_scanner_nothing_is_served() {
    let world = World::with_scanner(
        "[gateway.policy]\nscan = { mode = \"enforce\", seconds = 1 }",
        Some(Arc::new(Obedient)),
    );
    let status = |name: &str| {
        let answer = get(&world.url(&format!("/api/v1/crates/{name}/1.0.0/download")));
        (answer.status, answer.text())
    };
    for name in ["clean", "risky", "broken", "crashes", "slow"] {
        world.upstream.publish(&Release::new(name, "1.0.0", OLD));
    }
    assert_eq!(status("clean").0, 200);
    let (code, text) = status("risky");
    assert_eq!(code, 403);
    assert!(
        text.contains("sends the environment away (risk 90 of 100) (rule `scan`)"),
        "{text}"
    );
    assert_eq!(world.state("risky", "1.0.0"), Some(State::Quarantined));
    for (name, why) in [
        ("broken", "out of memory"),
        ("crashes", "it crashed"),
        ("slow", "longer than 1 s"),
    ] {
        let (code, text) = status(name);
        assert_eq!(code, 403, "{name}");
        assert!(text.contains(why), "{name}: {text}");
        assert_eq!(world.state(name, "1.0.0"), Some(State::Held), "{name}");
    }
    // Time alone releases nothing.
    world.pass(1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(status("broken").0, 403);
    world.audit_is_whole();
}

/// Guards upstreams without times: what is there at the baseline is old, what
/// comes later is new.
#[test]
fn a_baseline_stands_in_for_times() {
    let world = World::new("");
    let actor = palisade_store::Actor::operator("test");
    let names = ["known".to_owned()];
    let baseline = palisade_gateway::admin::baseline(world.store(), &actor, world.now(), &names);
    assert_eq!(world.runtime.block_on(baseline).unwrap(), 1);
    world.upstream.publish(&Release::new("known", "1.0.0", ""));
    world.upstream.publish(&Release::new("other", "1.0.0", ""));
    assert!(
        get(&world.url("/index/kn/ow/known"))
            .text()
            .contains("\"yanked\":false,\"zz")
    );
    assert_eq!(get(&world.url("/index/ot/he/other")).status, 404);
    world.upstream.publish(&Release::new("known", "1.1.0", ""));
    get(&world.url("/index/kn/ow/known"));
    assert_eq!(world.state("known", "1.1.0"), Some(State::Held));
    assert_eq!(world.state("known", "1.0.0"), Some(State::Allowed));
}

/// Guards names that belong to the house: they are never asked for elsewhere.
#[test]
fn private_names_are_not_looked_up() {
    let world = World::new("publish.private = [\"acme-*\"]");
    for (name, path) in [
        ("acme-core", "ac/me/acme-core"),
        ("acme_core", "ac/me/acme_core"),
    ] {
        world.upstream.publish(&Release::new(name, "1.0.0", OLD));
        assert_eq!(get(&world.url(&format!("/index/{path}"))).status, 404);
    }
    assert_eq!(world.upstream.asked("acme"), 0);
}

/// Guards that a request that is no request is refused in the form that cargo
/// prints: JSON on the API, text on index and download.
#[test]
fn refused_addresses_speak_to_cargo() {
    let world = World::new("");
    for path in [
        "/api/v1/crates?per_page=x",
        "/api/v1/crates?per_page=99999999999",
        "/api/v1/crates/%ff/1.0.0",
    ] {
        let answer = get(&world.url(path));
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(
            answer.json()["errors"][0]["detail"].is_string(),
            "{path}: {}",
            answer.text()
        );
    }
    for path in ["/index/ab/cd/%ff%fe", "/api/v1/crates/%ff/1.0.0/download"] {
        let answer = get(&world.url(path));
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        let kind = answer.field("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/plain"), "{path}: {kind}");
    }
}
