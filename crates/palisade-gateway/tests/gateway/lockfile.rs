//! A large lockfile through the gateway, as a source replacement. The upstream
//! is filled from cargo's own cache, which building this workspace has filled.

use camino::Utf8PathBuf;
use palisade_index::{CargoCache, Lockfile, Registry as _};

use crate::world::{World, workspace};

/// How many crates the lockfile has to have for the test to mean something.
const MANY: usize = 300;

/// Guards real crates at scale: every archive of a large lockfile comes
/// through, past the rules for archives, and the lockfile stays as it is.
#[test]
fn three_hundred_crates() {
    let world = World::new("");
    let root = Utf8PathBuf::from_path_buf(workspace()).unwrap();
    let lockfile = Lockfile::open(&root.join("Cargo.lock")).unwrap();
    let home = std::env::var("CARGO_HOME").map(Utf8PathBuf::from);
    let home = home.unwrap_or_else(|_| {
        Utf8PathBuf::from_path_buf(std::env::home_dir().unwrap().join(".cargo")).unwrap()
    });
    let caches = CargoCache::all(&home).unwrap();
    let size = |cache: &CargoCache| cache.archives().map_or(0, |archives| archives.len());
    let cache = caches.into_iter().max_by_key(size).unwrap();
    let mut dependencies = String::new();
    let mut found = 0;
    for (at, package) in lockfile.packages.iter().enumerate() {
        // Targets of other systems are not downloaded.
        let Some(file) = cache.index_file(&package.name).unwrap() else {
            continue;
        };
        let Some(version) = file.version(&package.version) else {
            continue;
        };
        let Some(archive) = cache.archive(version).unwrap() else {
            continue;
        };
        // One line without dependencies each: what is tested is the way of
        // the archives, and not which of them the cache happens to have.
        let mut line: serde_json::Value = serde_json::from_str(&version.raw).unwrap();
        line["deps"] = serde_json::json!([]);
        line["features"] = serde_json::json!({});
        line["yanked"] = serde_json::json!(false);
        line.as_object_mut().unwrap().remove("features2");
        line.as_object_mut().unwrap().remove("links");
        line["pubtime"] = serde_json::json!("2024-01-01T00:00:00Z");
        let number = package.version.to_string();
        world
            .upstream
            .add(&package.name, &number, line.to_string(), archive);
        dependencies.push_str(&format!(
            "d{at} = {{ package = \"{}\", version = \"={number}\" }}\n",
            package.name
        ));
        found += 1;
        if found == MANY + 20 {
            break;
        }
    }
    assert!(
        found >= MANY,
        "cargo's cache has {found} of the workspace's crates"
    );
    world.package("app", &dependencies);
    world.cargo("app", &["generate-lockfile"]).succeeds();
    let lock = world.read("app/Cargo.lock");
    assert!(
        !lock.contains("127.0.0.1"),
        "the gateway is in the lockfile"
    );
    world.cargo("app", &["fetch", "--locked"]).succeeds();
    assert_eq!(world.read("app/Cargo.lock"), lock);
    assert_eq!(world.upstream.asked("/download"), found);
    world.audit_is_whole();
}
