//! The attack on arrayref of 20 August 2026, with its times, against the
//! default policy.

use palisade_store::State;

use crate::client::get;
use crate::upstream::Release;
use crate::world::{TOOLCHAINS, World, is_installed};

/// Guards that whoever updates during the attack ends on the last good
/// release, that lockfiles go on working, and that the payload is never
/// served.
#[test]
fn arrayref() {
    for toolchain in TOOLCHAINS.into_iter().filter(|&name| is_installed(name)) {
        let world = World::new("");
        let upstream = &world.upstream;
        let cargo = |at: &str, home: &str, arguments: &[&str]| {
            world.cargo_with(at, toolchain, home, None, arguments)
        };
        // Eleven years without a dependency.
        for (version, year) in [
            ("0.3.5", 2018),
            ("0.3.6", 2020),
            ("0.3.7", 2023),
            ("0.3.8", 2024),
            ("0.3.9", 2024),
        ] {
            let published = format!("{year}-09-14T00:00:00Z");
            let source = "pub fn good() {}";
            upstream.publish(&Release::new("arrayref", version, &published).source(source));
        }
        world.package("app", "arrayref = \"0.3.5\"");
        world.write("app/src/lib.rs", "pub fn f() { arrayref::good() }");
        cargo("app", "home", &["check"]).succeeds();
        assert_eq!(world.locked("app", "arrayref").unwrap(), "0.3.9");

        // 02:00: a copy of a popular crate; 07:11: its malicious release;
        // 07:15: the release that needs it, and the yanks.
        let payload = "compile_error!(\"the payload was built\");";
        upstream.publish(&Release::new(
            "proc-macro1",
            "1.0.106",
            "2026-08-20T02:00:00Z",
        ));
        upstream.publish(
            &Release::new("proc-macro1", "1.0.107", "2026-08-20T07:11:15Z").source(payload),
        );
        upstream.publish(
            &Release::new("arrayref", "0.3.10", "2026-08-20T07:15:00Z")
                .needs("proc-macro1", "1.0.107")
                .source(payload),
        );
        for version in ["0.3.5", "0.3.6", "0.3.7", "0.3.8", "0.3.9"] {
            upstream.yank("arrayref", version);
        }
        world.pass(1);

        cargo("app", "home", &["update"]).succeeds();
        assert_eq!(world.locked("app", "arrayref").unwrap(), "0.3.9");
        cargo("app", "home", &["check"]).succeeds();
        // Somebody else, with nothing cached and a lockfile.
        cargo("app", "fresh", &["check", "--locked"]).succeeds();
        // Somebody who begins now.
        world.package("new", "arrayref = \"0.3\"");
        cargo("new", "fresh", &["check"]).succeeds();
        assert_eq!(world.locked("new", "arrayref").unwrap(), "0.3.9");

        assert_eq!(get(&world.url("/index/pr/oc/proc-macro1")).status, 404);
        for payload in [
            "proc-macro1/1.0.106",
            "proc-macro1/1.0.107",
            "arrayref/0.3.10",
        ] {
            let answer = get(&world.url(&format!("/api/v1/crates/{payload}/download")));
            assert_eq!(answer.status, 403, "{payload}: {}", answer.text());
        }
        // Nobody releases it by waiting.
        world.pass(100);
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(world.state("arrayref", "0.3.10"), Some(State::Quarantined));
        world.audit_is_whole();
    }
}
