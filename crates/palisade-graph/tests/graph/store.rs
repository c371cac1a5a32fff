//! The directory of fragments.

use std::cell::Cell;

use camino::Utf8Path;
use palisade_graph::{Fragment, Key, Store, StoreError};

fn key(package: &str, version: &str, features: &[&str]) -> Key {
    Key {
        package: package.to_owned(),
        version: version.to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
    }
}

fn fragment(key: &Key) -> Fragment {
    Fragment {
        package: key.package.clone(),
        version: key.version.clone(),
        features: key.features.clone(),
        ..Fragment::default()
    }
}

/// Guards that versions and features do not overwrite each other, and that a
/// damaged file is told and not passed over.
#[test]
fn what_is_kept_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let store = Store::new(root);
    let keys = [
        key("demo", "1.0.0", &[]),
        key("demo", "1.0.0", &["std"]),
        key("demo", "1.0.1+build.5", &[]),
        key("Other-Name", "0.1.0", &[]),
    ];
    for key in &keys {
        assert!(store.read(key).unwrap().is_none());
        store.write(key, &fragment(key).encode()).unwrap();
    }
    for key in &keys {
        assert_eq!(store.read(key).unwrap(), Some(fragment(key)));
    }
    assert_eq!(store.entries().unwrap().len(), 4);
    assert_eq!(store.versions("demo").unwrap().len(), 3);

    let path = store.entries().unwrap().remove(0).path;
    std::fs::write(&path, b"PALF but not really").unwrap();
    let damaged = store.entries().unwrap();
    assert_eq!(
        damaged
            .iter()
            .filter(|entry| entry.fragment.is_err())
            .count(),
        1
    );
    let errors = keys.iter().filter(|key| store.read(key).is_err());
    assert_eq!(errors.count(), 1);
}

/// Guards against names that would lead out of the store.
#[test]
fn names_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(Utf8Path::from_path(dir.path()).unwrap());
    let bad = [
        key("../../etc", "1.0.0", &[]),
        key("demo", "../1.0.0", &[]),
        key("demo", "", &[]),
        key("", "1.0.0", &[]),
    ];
    for key in bad {
        let refused = store.write(&key, b"");
        assert!(matches!(refused, Err(StoreError::Name { .. })), "{key:?}");
    }
}

/// Guards that a second writer waits for the first.
#[test]
fn two_writers_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(Utf8Path::from_path(dir.path()).unwrap());
    let waited = Cell::new(false);
    let first = store.lock(|| waited.set(true)).unwrap();
    assert!(!waited.get());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut waited = false;
            let lock = store.lock(|| waited = true).unwrap();
            drop(lock);
            waited
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(first);
        assert!(second.join().unwrap());
    });
}
