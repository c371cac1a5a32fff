//! The published versions of a package, from cargo's own copy of the index.
//!
//! cargo keeps what it has asked a registry's index in
//! `registry/index/<registry>/.cache`, one file per package: a short binary
//! head, then pairs of version and JSON, each ended by a zero byte. Only the
//! JSON is read here, which every version of the format has had; whatever
//! does not look like it is skipped.

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::Package;
use semver::Version;
use serde::Deserialize;

/// Largest index file that is read, in bytes. The largest published one has
/// some 3 MB.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
struct Entry {
    name: String,
    vers: String,
    #[serde(default)]
    yanked: bool,
}

/// The versions that cargo knows and that were not yanked; empty when it knows
/// none. A registry that does not list the locked version is another one.
pub(super) fn versions(cargo_home: &Utf8Path, package: &Package) -> Vec<Version> {
    let Some(file) = cache_file(&package.name) else {
        return Vec::new();
    };
    let index = cargo_home.join("registry/index");
    let Ok(registries) = index.read_dir_utf8() else {
        return Vec::new();
    };
    let mut registries: Vec<Utf8PathBuf> = registries
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .collect();
    registries.sort();
    let known = registries
        .iter()
        .map(|registry| read(&registry.join(".cache").join(&file), &package.name));
    known
        .into_iter()
        .find(|entries| {
            entries
                .iter()
                .any(|(version, _)| *version == package.version)
        })
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(version, yanked)| (!yanked).then_some(version))
        .collect()
}

fn read(file: &Utf8Path, name: &str) -> Vec<(Version, bool)> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() <= MAX_BYTES => {}
        _ => return Vec::new(),
    }
    let Ok(bytes) = std::fs::read(file) else {
        return Vec::new();
    };
    bytes
        .split(|&byte| byte == 0)
        .filter(|part| part.first() == Some(&b'{'))
        .filter_map(|part| serde_json::from_slice::<Entry>(part).ok())
        .filter(|entry| entry.name == name)
        .filter_map(|entry| Some((entry.vers.parse().ok()?, entry.yanked)))
        .collect()
}

/// Where the index keeps a package, as the
/// [index format](https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files)
/// says.
fn cache_file(name: &str) -> Option<Utf8PathBuf> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    Some(
        match name.len() {
            1 => format!("1/{name}"),
            2 => format!("2/{name}"),
            3 => format!("3/{}/{name}", &name[..1]),
            _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
        }
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::package;

    fn home(content: &[u8]) -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(dir.path()).unwrap().to_owned();
        let cache = home.join("registry/index/registry-1/.cache/de/mo");
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::write(cache.join("demo"), content).unwrap();
        (dir, home)
    }

    const CACHE: &[u8] =
        b"\x03\x02\x00\x00\x00etag: \"x\"\x001.0.0\x00{\"name\":\"demo\",\"vers\":\"1.0.0\"}\x00\
        1.0.1\x00{\"name\":\"demo\",\"vers\":\"1.0.1\",\"yanked\":true}\x00\
        1.0.2\x00{\"name\":\"demo\",\"vers\":\"1.0.2\",\"yanked\":false}\x00\
        1.0.3\x00{broken\x00";

    /// Guards reading the format, without what was yanked or is broken.
    #[test]
    fn reads_versions() {
        let (_dir, home) = home(CACHE);
        let versions = versions(&home, &package("demo 1.0.0"));
        assert_eq!(versions, [Version::new(1, 0, 0), Version::new(1, 0, 2)]);
    }

    /// Guards that another registry's package of the same name is not taken,
    /// and that names cannot leave the directory.
    #[test]
    fn only_what_lists_the_locked_version() {
        let (_dir, home) = home(CACHE);
        assert_eq!(
            versions(&home, &package("demo 9.0.0")),
            Vec::<Version>::new()
        );
        assert_eq!(
            versions(&home, &package("other 1.0.0")),
            Vec::<Version>::new()
        );
        assert_eq!(cache_file("../x"), None);
        assert_eq!(cache_file("a").as_deref(), Some(Utf8Path::new("1/a")));
        assert_eq!(cache_file("Abc").as_deref(), Some(Utf8Path::new("3/a/abc")));
    }
}
