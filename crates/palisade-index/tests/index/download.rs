//! Archives over HTTP.

use std::sync::{Arc, Mutex};

use palisade_index::{HttpOptions, IndexError, IndexVersion, Registry, SparseRegistry};

use crate::fixture::{Fixture, archive, directory};
use crate::server::{Reply, Request, Server};
use crate::sparse::{TEXT, open, options, well_behaved};

/// A registry whose archives are answered by `archives`.
fn start(mut archives: impl FnMut(&Request) -> Reply + Send + 'static) -> Server {
    let mut index = well_behaved(&Fixture::new(TEXT));
    Server::start(move |request| {
        if request.path.starts_with("/dl/") {
            archives(request)
        } else {
            index(request)
        }
    })
}

fn version(registry: &SparseRegistry) -> IndexVersion {
    registry.index_file("demo").unwrap().unwrap().versions[0].clone()
}

/// What a server that can resume answers.
fn ranged(request: &Request) -> Reply {
    let whole = archive("demo", "1.0.0");
    let Some(range) = request.field("range") else {
        return Reply::ok(whole);
    };
    let from: usize = range
        .strip_prefix("bytes=")
        .unwrap()
        .strip_suffix('-')
        .unwrap()
        .parse()
        .unwrap();
    if from >= whole.len() {
        return Reply::new(416, "");
    }
    let range = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
    Reply::new(206, &whole[from..]).with("content-range", range)
}

/// Guards that an archive is fetched once and kept.
#[test]
fn archives_are_kept() {
    let (_guard, cache) = directory();
    let server = start(ranged);
    let registry = open(&server, &cache);
    let version = version(&registry);
    server.requests();
    for _ in 0..2 {
        assert_eq!(
            registry.archive(&version).unwrap().unwrap(),
            archive("demo", "1.0.0")
        );
    }
    assert_eq!(server.paths(), ["/dl/demo/1.0.0/download"]);
    let offline = HttpOptions {
        offline: true,
        ..options()
    };
    let offline = SparseRegistry::open(&server.address, &cache, offline).unwrap();
    assert!(offline.archive(&version).unwrap().is_some());
}

/// Guards that a transfer goes on where it broke off, with servers that can
/// resume and with those that cannot.
#[test]
fn transfers_are_resumed() {
    for resumable in [true, false] {
        let (_guard, cache) = directory();
        let mut asked = 0;
        let server = start(move |request| {
            asked += 1;
            let reply = if resumable {
                ranged(request)
            } else {
                Reply::ok(archive("demo", "1.0.0"))
            };
            if asked < 3 { reply.cut(5000) } else { reply }
        });
        let registry = open(&server, &cache);
        let version = version(&registry);
        server.requests();
        assert_eq!(
            registry.archive(&version).unwrap().unwrap(),
            archive("demo", "1.0.0")
        );
        let ranges: Vec<Option<String>> = server
            .requests()
            .iter()
            .map(|request| request.field("range").map(str::to_owned))
            .collect();
        assert_eq!(ranges[0], None);
        if resumable {
            assert_eq!(ranges[1].as_deref(), Some("bytes=5000-"));
            assert_eq!(ranges[2].as_deref(), Some("bytes=10000-"));
        }
    }
}

/// Guards that a run which was given up leaves what the next one needs.
#[test]
fn a_later_run_resumes() {
    let (_guard, cache) = directory();
    let broken = Arc::new(Mutex::new(true));
    let state = broken.clone();
    let server = start(move |request| {
        let reply = ranged(request);
        if *state.lock().unwrap() {
            reply.cut(1000)
        } else {
            reply
        }
    });
    let registry = open(&server, &cache);
    let version = version(&registry);
    let error = registry.archive(&version).unwrap_err();
    assert!(matches!(error, IndexError::Fetch { .. }), "{error}");
    *broken.lock().unwrap() = false;
    server.requests();
    assert_eq!(
        registry.archive(&version).unwrap().unwrap(),
        archive("demo", "1.0.0")
    );
    assert_eq!(server.requests()[0].field("range"), Some("bytes=3000-"));
}

/// Guards that a wrong archive is an error and is not kept, and that a wrong
/// beginning is replaced.
#[test]
fn wrong_archives_are_refused() {
    let (_guard, cache) = directory();
    let evil = Arc::new(Mutex::new(true));
    let state = evil.clone();
    let server = start(move |request| {
        let reply = ranged(request);
        if *state.lock().unwrap() {
            Reply::ok("evil")
        } else {
            reply
        }
    });
    let registry = open(&server, &cache);
    let version = version(&registry);
    let error = registry.archive(&version).unwrap_err();
    assert!(matches!(error, IndexError::Checksum { .. }), "{error}");
    *evil.lock().unwrap() = false;
    // As if an earlier run had stopped in the middle of something else.
    let path = cache.read_dir_utf8().unwrap().next().unwrap().unwrap();
    let path = path.path().join("crates/demo-1.0.0.crate.part");
    for beginning in [vec![b'x'; 100], vec![b'x'; 1_000_000]] {
        std::fs::write(&path, beginning).unwrap();
        assert_eq!(
            registry.archive(&version).unwrap().unwrap(),
            archive("demo", "1.0.0")
        );
        std::fs::remove_file(path.with_extension("")).unwrap();
    }
}

/// Guards that a missing archive is no error, and a refused one is.
#[test]
fn missing_and_refused() {
    let (_guard, cache) = directory();
    let server = start(|request| {
        let missing = request.path.contains("1.0.0");
        Reply::new(if missing { 404 } else { 403 }, "held for review")
    });
    let registry = open(&server, &cache);
    let file = registry.index_file("demo").unwrap().unwrap();
    assert_eq!(registry.archive(&file.versions[0]).unwrap(), None);
    let error = registry.archive(&file.versions[1]).unwrap_err();
    assert!(
        error.to_string().contains("403: held for review"),
        "{error}"
    );
}

/// Guards the limit on archives, and that nothing of one beyond it is kept.
#[test]
fn large_archives_are_refused() {
    let (_guard, cache) = directory();
    let server = start(ranged);
    let options = HttpOptions {
        archive_bytes: archive("demo", "1.0.0").len() as u64 - 1,
        ..options()
    };
    let registry = SparseRegistry::open(&server.address, &cache, options).unwrap();
    let error = registry.archive(&version(&registry)).unwrap_err();
    assert!(matches!(error, IndexError::TooLarge { .. }), "{error}");
}

/// Guards the markers of a download address.
#[test]
fn download_addresses() {
    let (_guard, cache) = directory();
    let mut index = well_behaved(&Fixture::new("Demo_X 1.0.0+b.1\n"));
    let server = Server::start(move |request| match request.path.as_str() {
        "/config.json" => {
            let host = request.field("host").unwrap();
            let markers = "{prefix}/{lowerprefix}/{crate}/{version}/{sha256-checksum}";
            Reply::ok(format!("{{\"dl\":\"http://{host}/{markers}\"}}"))
        }
        "/de/mo/demo_x" => index(&Request {
            path: "/Demo_X".to_owned(),
            ..request.clone()
        }),
        _ => Reply::ok(archive("Demo_X", "1.0.0+b.1")),
    });
    let registry = open(&server, &cache);
    let version = registry.index_file("Demo_X").unwrap().unwrap().versions[0].clone();
    registry.archive(&version).unwrap().unwrap();
    let path = server.paths().pop().unwrap();
    assert_eq!(
        path,
        format!("/De/mo/de/mo/Demo_X/1.0.0+b.1/{}", version.checksum)
    );
}

/// Guards that two threads share one transfer.
#[test]
fn one_transfer_for_all() {
    let (_guard, cache) = directory();
    let server = start(ranged);
    let registry = open(&server, &cache);
    let version = version(&registry);
    server.requests();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| registry.archive(&version).unwrap().unwrap());
        }
    });
    assert_eq!(server.paths().len(), 1);
}
