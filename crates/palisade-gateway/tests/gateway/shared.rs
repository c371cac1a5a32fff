//! Two gateways over one PostgreSQL database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_gateway::admin::{self, Ruling, TokenRequest};
use palisade_gateway::{Config, Gateway, Parts, Pattern, Scope};
use palisade_store::{Actor, Role};
use tokio::runtime::Runtime;

use crate::client::{get, get_as, send};
use crate::postgres;
use crate::upload::{body, try_upload};

/// What a change may take until everybody sees it.
const SOON: Duration = Duration::from_secs(1);

#[track_caller]
fn soon(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < SOON, "{what}: not within a second");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Guards several processes over one state: what one is told, the other does
/// within a second, of two who publish the same version one succeeds, and the
/// chain of records stays one.
#[test]
fn two_gateways_share_a_database() {
    let Some(database) = postgres::Database::new() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = camino::Utf8PathBuf::from_path_buf(dir.path().join("palisade.toml")).unwrap();
    let text = format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\ndatabase = \"{}\"\n",
        database.url
    );
    let config = Config::parse(&file, &text).unwrap();
    let runtime = Runtime::new().unwrap();
    let start = || {
        let gateway = Gateway::start(config.clone(), Parts::default());
        runtime.block_on(gateway).unwrap()
    };
    let gateways = [start(), start()];
    let urls = gateways
        .each_ref()
        .map(|gateway| format!("http://{}", gateway.address()));
    let (actor, now) = (Actor::operator("test"), jiff::Timestamp::now());
    let store = gateways[0].store().clone();
    let token = runtime.block_on(async {
        admin::add_user(&store, &actor, now, "ann", &[Role::Publisher])
            .await
            .unwrap();
        let request = TokenRequest {
            login: "ann".to_owned(),
            name: "test".to_owned(),
            scopes: vec![Scope::PublishNew, Scope::PublishUpdate, Scope::Yank],
            crates: vec![Pattern::parse("*").unwrap()],
            days: 30,
        };
        let given = admin::add_token(&store, &config, &actor, now, &request)
            .await
            .unwrap();
        given.secret.expose().to_owned()
    });

    // Published at one, had at the other, whose memory says there is none.
    let index = |at: usize| get(&format!("{}/index/de/mo/demo", urls[at]));
    let download = |at: usize, version: &str| {
        get(&format!(
            "{}/api/v1/crates/demo/{version}/download",
            urls[at]
        ))
    };
    assert_eq!(index(1).status, 404);
    let (first, bytes) = body("demo", "1.0.0", "");
    assert_eq!(try_upload(&urls[0], &token, &first).unwrap().status, 200);
    soon("a publish", || index(1).status == 200);
    assert_eq!(download(1, "1.0.0").body, bytes);

    // Yanked at the other, and held by command.
    let yank = format!("{}/api/v1/crates/demo/1.0.0/yank", urls[1]);
    assert_eq!(
        send("DELETE", &yank, &[("authorization", &token)], b"").status,
        200
    );
    soon("a yank", || index(0).text().contains("\"yanked\":true"));
    let decide = |ruling| {
        let (reason, version) = ("a person has looked at it", ("demo", "1.0.0"));
        let decide = admin::decide(&store, &actor, now, version, ruling, reason, None);
        runtime.block_on(decide).unwrap();
    };
    decide(Ruling::Quarantine);
    for at in [0, 1] {
        soon("a quarantine", || download(at, "1.0.0").status == 403);
    }
    decide(Ruling::Release);
    for at in [0, 1] {
        soon("a release", || download(at, "1.0.0").status == 200);
    }

    // Of many who publish the same, at both, one succeeds.
    for round in 1..8 {
        let version = format!("1.{round}.0");
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    let (url, token, version) = (&urls[number % 2], &token, &version);
                    scope.spawn(move || {
                        let (sent, _) = body("demo", version, &format!("// {number}"));
                        try_upload(url, token, &sent).unwrap().status
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let taken = answers.iter().filter(|&&status| status == 200).count();
        assert_eq!(taken, 1, "{version}: {answers:?}");
        assert!(
            answers
                .iter()
                .all(|status| [200, 400, 409].contains(status)),
            "{answers:?}"
        );

        soon("a publish", || {
            download(1, &version).status == 200 && download(0, &version).status == 200
        });

        assert_eq!(download(0, &version).body, download(1, &version).body);
    }

    // Revoked at one, refused at the other.
    let current = |at: usize| format!("{}/api/v1/tokens/current", urls[at]);
    assert_eq!(get_as(&current(1), &token).status, 200);
    assert_eq!(
        send("DELETE", &current(0), &[("authorization", &token)], b"").status,
        200
    );
    soon("a revocation", || get_as(&current(1), &token).status == 403);

    let found = runtime.block_on(store.verify(None)).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    for gateway in gateways {
        runtime.block_on(gateway.stop());
    }
    let _ = Arc::new(database);
}
