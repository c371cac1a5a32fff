//! The sparse protocol.

use std::io::Write;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use flate2::Compression;
use flate2::write::GzEncoder;
use palisade_index::{HttpOptions, IndexError, Registry, SparseRegistry};

use crate::fixture::{Fixture, directory};
use crate::server::{Reply, Request, Server};

pub(crate) const TEXT: &str = "
demo 1.0.0
demo 1.1.0
other 1.0.0
";

pub(crate) fn options() -> HttpOptions {
    HttpOptions {
        timeout: Duration::from_secs(10),
        attempts: 3,
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(20),
        ..HttpOptions::default()
    }
}

pub(crate) fn open(server: &Server, cache: &Utf8Path) -> SparseRegistry {
    SparseRegistry::open(&format!("sparse+{}", server.address), cache, options()).unwrap()
}

/// A well-behaved registry with an ETag for each file.
pub(crate) fn well_behaved(fixture: &Fixture) -> impl FnMut(&Request) -> Reply + Send + 'static {
    let files = fixture.files.clone();
    move |request| {
        if request.path == "/config.json" {
            let host = request.field("host").unwrap();
            return Reply::ok(format!("{{\"dl\":\"http://{host}/dl\",\"new\":1}}"));
        }
        let name = request.path.rsplit('/').next().unwrap();
        let Some(text) = files.get(name) else {
            return Reply::new(404, "");
        };
        let etag = format!("\"{}\"", text.len());
        if request.field("if-none-match") == Some(&etag) {
            return Reply::new(304, "");
        }
        Reply::ok(text.clone()).with("etag", etag)
    }
}

/// Guards the protocol: paths, headers, one question for each file, and none
/// that the answer does not need.
#[test]
fn files_are_fetched_once() {
    let (_guard, cache) = directory();
    let server = Server::start(well_behaved(&Fixture::new(TEXT)));
    let registry = open(&server, &cache);
    let file = registry.index_file("demo").unwrap().unwrap();
    assert_eq!(file.versions.len(), 2);
    assert!(registry.index_file("DEMO").unwrap().is_some());
    assert!(registry.index_file("nobody").unwrap().is_none());
    let requests = server.requests();
    let paths: Vec<&str> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(paths, ["/config.json", "/de/mo/demo", "/no/bo/nobody"]);
    let fields = &requests[1].fields;
    assert_eq!(fields["cargo-protocol"], "version=1");
    assert_eq!(fields["accept-encoding"], "gzip");
    assert!(fields["user-agent"].starts_with("palisade/"));
}

/// Guards that a later run asks whether the file still holds, and that the
/// answer "it does" is enough.
#[test]
fn a_later_run_asks_conditionally() {
    let (_guard, cache) = directory();
    let server = Server::start(well_behaved(&Fixture::new(TEXT)));
    open(&server, &cache).index_file("demo").unwrap();
    server.requests();
    let file = open(&server, &cache).index_file("demo").unwrap().unwrap();
    assert_eq!(file.versions.len(), 2);
    let requests = server.requests();
    assert!(requests[1].field("if-none-match").is_some());

    // Damage in the cache costs a transfer, not versions.
    let mut files = walk(&cache);
    files.retain(|path| path.ends_with("demo"));
    let text = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::write(&files[0], &text[..text.len() - 10]).unwrap();
    let file = open(&server, &cache).index_file("demo").unwrap().unwrap();
    assert_eq!((file.versions.len(), file.problems.len()), (2, 0));
    assert!(server.requests()[1].field("if-none-match").is_none());
}

fn walk(path: &Utf8Path) -> Vec<camino::Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in path.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(entry.path()));
        } else {
            found.push(entry.path().to_owned());
        }
    }
    found
}

/// Guards servers that only know times.
#[test]
fn last_modified_serves_as_well() {
    let (_guard, cache) = directory();
    let time = "Wed, 01 Jan 2020 00:00:00 GMT";
    let text = Fixture::new(TEXT).files["demo"].clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/config.json" => Reply::ok("{\"dl\":\"http://localhost/\"}"),
        _ if request.field("if-modified-since") == Some(time) => Reply::new(304, ""),
        _ => Reply::ok(text.clone()).with("last-modified", time),
    });
    for _ in 0..2 {
        assert!(open(&server, &cache).index_file("demo").unwrap().is_some());
    }
    assert_eq!(
        server.requests().last().unwrap().field("if-modified-since"),
        Some(time)
    );
}

/// Guards patience: failures that pass, a broken connection and a request to
/// wait are tried again; after so many attempts there is an error.
#[test]
fn passing_failures_are_tried_again() {
    let (_guard, cache) = directory();
    let mut good = well_behaved(&Fixture::new(TEXT));
    let mut asked = 0;
    let server = Server::start(move |request| {
        asked += 1;
        let reply = good(request);
        match (request.path.as_str(), asked) {
            ("/config.json", 1) => Reply::new(503, "busy").with("retry-after", 0),
            ("/config.json", 2) => Reply::new(429, "").with("retry-after", 3600),
            ("/de/mo/demo", 4) => reply.cut(20),
            ("/ot/he/other", _) => Reply::new(500, "broken\nin detail"),
            _ => reply,
        }
    });
    let registry = open(&server, &cache);
    assert_eq!(
        registry.index_file("demo").unwrap().unwrap().versions.len(),
        2
    );
    assert_eq!(server.paths().len(), 5);
    let error = registry.index_file("other").unwrap_err();
    assert!(
        matches!(error, IndexError::Fetch { attempts: 3, .. }),
        "{error}"
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        format!("{}ot/he/other answers 500: broken", server.address)
    );
}

/// Guards that what does not pass is not tried again, and that the registry's
/// reason is shown without what could harm a terminal.
#[test]
fn lasting_failures_are_told_at_once() {
    let (_guard, cache) = directory();
    let mut good = well_behaved(&Fixture::new(TEXT));
    let server = Server::start(move |request| match request.path.as_str() {
        "/config.json" => good(request),
        _ => Reply::new(403, "held: too \x1b[31myoung"),
    });
    let error = open(&server, &cache).index_file("demo").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}de/mo/demo answers 403: held: too [31myoung",
            server.address
        )
    );
    assert_eq!(server.paths().len(), 2);
}

/// Guards compressed answers, whose growth is limited.
#[test]
fn compressed_answers_are_read() {
    let (_guard, cache) = directory();
    let text = Fixture::new(TEXT).files["demo"].clone();
    let server = Server::start(move |request| {
        let body = match request.path.as_str() {
            "/config.json" => "{\"dl\":\"http://localhost/\"}".to_owned(),
            "/de/mo/demo" => text.clone(),
            _ => " ".repeat(20_000),
        };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body.as_bytes()).unwrap();
        Reply::ok(encoder.finish().unwrap()).with("content-encoding", "gzip")
    });
    let options = HttpOptions {
        index_file_bytes: 10_000,
        ..options()
    };
    let registry = SparseRegistry::open(&server.address, &cache, options).unwrap();
    let demo = registry.index_file("demo").unwrap().unwrap();
    assert_eq!(demo.versions.len(), 2);
    let error = registry.index_file("bomb").unwrap_err();
    assert!(matches!(error, IndexError::TooLarge { .. }), "{error}");
}

/// Guards the token: only a registry that wants one gets it, and no message
/// shows it.
#[test]
fn a_token_is_sent_where_it_is_wanted() {
    let (_guard, cache) = directory();
    for wanted in [false, true] {
        let mut good = well_behaved(&Fixture::new(TEXT));
        let server = Server::start(move |request| {
            if wanted && request.field("authorization") != Some("secret") {
                return Reply::new(401, "who are you");
            }
            match request.path.as_str() {
                "/config.json" => Reply::ok(format!("{{\"dl\":\"x\",\"auth-required\":{wanted}}}")),
                _ => good(request),
            }
        });
        let with = |token: Option<&str>| {
            let options = HttpOptions {
                token: token.map(str::to_owned),
                ..options()
            };
            assert!(!format!("{options:?}").contains("secret"));
            let registry = SparseRegistry::open(&server.address, &cache, options).unwrap();
            registry.index_file("demo")
        };
        with(Some("secret")).unwrap().unwrap();
        let sent = server
            .requests()
            .iter()
            .filter(|request| request.field("authorization").is_some())
            .count();
        assert_eq!(sent, if wanted { 2 } else { 0 });
        if wanted {
            let error = with(None).unwrap_err();
            assert!(
                matches!(error, IndexError::Status { status: 401, .. }),
                "{error}"
            );
        }
    }
}

/// Guards that without the network, what was fetched before is there.
#[test]
fn offline_knows_what_was_fetched() {
    let (_guard, cache) = directory();
    let server = Server::start(well_behaved(&Fixture::new(TEXT)));
    open(&server, &cache).index_file("demo").unwrap();
    server.requests();
    let options = HttpOptions {
        offline: true,
        ..options()
    };
    let registry = SparseRegistry::open(&server.address, &cache, options).unwrap();
    assert!(registry.index_file("demo").unwrap().is_some());
    assert!(registry.index_file("other").unwrap().is_none());
    assert_eq!(server.paths(), [] as [&str; 0]);
}

/// Guards the rate limit.
#[test]
fn requests_keep_their_distance() {
    let (_guard, cache) = directory();
    let server = Server::start(well_behaved(&Fixture::new(TEXT)));
    let options = HttpOptions {
        interval: Duration::from_millis(60),
        ..options()
    };
    let registry = SparseRegistry::open(&server.address, &cache, options).unwrap();
    let start = Instant::now();
    registry.index_file("demo").unwrap();
    registry.index_file("other").unwrap();
    assert!(start.elapsed() >= Duration::from_millis(120));
}

/// Guards addresses: what is none is refused, and passwords are not shown.
#[test]
fn addresses_are_checked() {
    let (_guard, cache) = directory();
    for wrong in ["", "nothing", "ftp://localhost/", "file:///etc"] {
        let error = SparseRegistry::open(wrong, &cache, options()).unwrap_err();
        assert!(matches!(error, IndexError::Malformed { .. }), "{error}");
    }
    let registry =
        SparseRegistry::open("http://me:hunter2@127.0.0.1:1/", &cache, options()).unwrap();
    let error = registry.index_file("demo").unwrap_err();
    assert!(
        error.to_string().contains("http://127.0.0.1:1/config.json"),
        "{error}"
    );
    let shown = format!("{error:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
