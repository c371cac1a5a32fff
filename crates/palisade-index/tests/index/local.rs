//! Registries on disk: a local directory, and what cargo has fetched.

use palisade_index::{CargoCache, IndexError, LocalRegistry, Registry, index_path};

use crate::fixture::{Fixture, archive, directory};

const TEXT: &str = "
demo 1.0.0
demo 1.1.0
    other ^1
other 1.0.0
";

/// Guards reading versions and archives, and what is not there.
#[test]
fn a_local_registry_is_read() {
    let (_guard, root) = directory();
    Fixture::new(TEXT).write(&root);
    let registry = LocalRegistry::open(&root).unwrap();
    let file = registry.index_file("Demo").unwrap().unwrap();
    assert_eq!(file.versions.len(), 2);
    let version = &file.versions[1];
    assert_eq!(
        registry.archive(version).unwrap().unwrap(),
        archive("demo", "1.1.0")
    );
    assert!(registry.index_file("missing").unwrap().is_none());
    std::fs::remove_file(root.join("demo-1.1.0.crate")).unwrap();
    assert!(registry.archive(version).unwrap().is_none());
}

/// Guards that another archive than the index promises is never handed out.
#[test]
fn a_wrong_checksum_is_an_error() {
    let (_guard, root) = directory();
    Fixture::new(TEXT).write(&root);
    std::fs::write(root.join("demo-1.0.0.crate"), "evil").unwrap();
    let registry = LocalRegistry::open(&root).unwrap();
    let file = registry.index_file("demo").unwrap().unwrap();
    let error = registry.archive(&file.versions[0]).unwrap_err();
    assert!(matches!(error, IndexError::Checksum { .. }), "{error}");
    assert!(error.to_string().contains("demo-1.0.0.crate"), "{error}");
}

/// Guards that a name from outside cannot lead out of the directory.
#[test]
fn names_cannot_lead_elsewhere() {
    let (_guard, root) = directory();
    Fixture::new(TEXT).write(&root);
    let registry = LocalRegistry::open(&root).unwrap();
    let error = registry.index_file("../../etc").unwrap_err();
    assert!(matches!(error, IndexError::Name { .. }), "{error}");
    assert!(matches!(
        LocalRegistry::open(&root.join("no")),
        Err(IndexError::Read { .. })
    ));
}

/// A file of cargo's index cache.
fn cached(text: &str) -> Vec<u8> {
    let mut bytes = vec![3, 2, 0, 0, 0];
    bytes.extend(b"revision\0");
    for line in text.lines() {
        bytes.extend(b"1.0.0\0");
        bytes.extend(line.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Guards cargo's own format, and that damage is an error, not a crate with
/// fewer versions.
#[test]
fn what_cargo_fetched_is_read() {
    let (_guard, home) = directory();
    let fixture = Fixture::new(TEXT);
    let registry = home.join("registry");
    for (name, text) in &fixture.files {
        let path = registry.join("index/host-1/.cache").join(index_path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, cached(text)).unwrap();
    }
    for part in ["cache/host-1", "src/host-1/demo-1.0.0"] {
        std::fs::create_dir_all(registry.join(part)).unwrap();
    }
    std::fs::write(
        registry.join("cache/host-1/demo-1.0.0.crate"),
        archive("demo", "1.0.0"),
    )
    .unwrap();
    std::fs::write(registry.join("cache/host-1/notes.txt"), "").unwrap();

    let caches = CargoCache::all(&home).unwrap();
    assert_eq!(caches.len(), 1);
    let cache = &caches[0];
    assert_eq!(cache.names().unwrap(), ["demo", "other"]);
    let archives = cache.archives().unwrap();
    assert_eq!((archives.len(), archives[0].0.as_str()), (1, "demo"));
    let file = cache.index_file("demo").unwrap().unwrap();
    assert_eq!(file.versions.len(), 2);
    assert_eq!(
        cache.archive(&file.versions[0]).unwrap().unwrap(),
        archive("demo", "1.0.0")
    );
    assert!(cache.archive(&file.versions[1]).unwrap().is_none());
    assert!(cache.unpacked("demo", &file.versions[0].version).is_some());
    assert!(cache.unpacked("demo", &file.versions[1].version).is_none());

    let path = registry
        .join("index/host-1/.cache")
        .join(index_path("demo"));
    let whole = cached(&fixture.files["demo"]);
    let cut = whole.len() - 3;
    for damaged in [&whole[..cut], &b"\x07rest"[..], &b""[..], &whole[..3]] {
        std::fs::write(&path, damaged).unwrap();
        let error = cache.index_file("demo").unwrap_err();
        assert!(matches!(error, IndexError::Malformed { .. }), "{error}");
    }
}
