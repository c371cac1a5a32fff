//! Where the standard library's source is.

use std::env;

use camino::{Utf8Path, Utf8PathBuf};

use crate::LoadError;

/// The standard library's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The directory called `library`.
    pub(crate) library: Utf8PathBuf,
    /// Directories that hold the packages that it depends on, each as
    /// `NAME-VERSION`.
    pub(crate) stores: Vec<Utf8PathBuf>,
}

/// Looks in the caller's own choice, the toolchain, and where Debian puts it.
///
/// A source without the packages that it depends on (`vendor`) counts when
/// they are in cargo's own registry cache, which is why that is looked at too;
/// `complete` decides. When no source is complete the first is returned.
pub(crate) fn discover(
    chosen: Option<&Utf8Path>,
    sysroot: &Utf8Path,
    cargo_home: Option<&Utf8Path>,
    complete: impl Fn(&Source) -> bool,
) -> Result<Source, LoadError> {
    let from_environment = env::var("PALISADE_SYSROOT_SRC")
        .ok()
        .filter(|path| !path.is_empty());
    let candidates = match chosen
        .map(Utf8Path::to_owned)
        .or(from_environment.map(Into::into))
    {
        Some(path) => vec![path],
        None => {
            let mut candidates = vec![sysroot.join("lib/rustlib/src/rust/library")];
            candidates.extend(debian());
            candidates
        }
    };
    let caches = cargo_home.map(registry_caches).unwrap_or_default();
    let mut sources: Vec<Source> = candidates
        .iter()
        .filter_map(|path| library(path))
        .map(|library| Source {
            stores: [library.join("vendor")]
                .into_iter()
                .filter(|vendor| vendor.is_dir())
                .chain(caches.iter().cloned())
                .collect(),
            library,
        })
        .collect();
    if sources.is_empty() {
        return Err(LoadError::NoSysrootSource { tried: candidates });
    }
    let best = sources.iter().position(complete).unwrap_or(0);
    Ok(sources.swap_remove(best))
}

/// The `library` directory that a path means: itself or one below it, with
/// everything that is needed in it.
fn library(path: &Utf8Path) -> Option<Utf8PathBuf> {
    [path.to_owned(), path.join("library")]
        .into_iter()
        .find(|dir| dir.join("std/src/lib.rs").is_file() && dir.join("Cargo.lock").is_file())
}

/// Debian's `rust-web-src` and `rust-src`, the newest first.
fn debian() -> Vec<Utf8PathBuf> {
    let mut found: Vec<(Vec<u64>, Utf8PathBuf)> = Utf8Path::new("/usr/src")
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().strip_prefix("rustc-")?;
            let version = version
                .split('.')
                .map(|part| part.parse().unwrap_or(0))
                .collect();
            Some((version, entry.path().join("library")))
        })
        .collect();
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The directories where cargo unpacks packages, one per registry.
fn registry_caches(cargo_home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut caches: Vec<Utf8PathBuf> = cargo_home
        .join("registry/src")
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.into_path())
        .collect();
    caches.sort();
    caches
}
