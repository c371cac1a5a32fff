//! Finds the standard library's source, which the engine reads, or installs
//! it.

use anyhow::{Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::process;

/// Finds or installs the source and says where it is.
///
/// # Errors
///
/// When it is neither there nor installable.
pub(crate) fn run() -> Result<()> {
    println!("standard library source: {}", std_source()?);
    Ok(())
}

/// The directory that holds `std`, `core` and `alloc`.
///
/// Tried in this order: the toolchain's own, an installed Debian package,
/// `rustup component add`, `apt-get install`. What is there comes before what
/// must be fetched.
///
/// # Errors
///
/// When it is neither there nor installable; the message says what to do.
pub(crate) fn std_source() -> Result<Utf8PathBuf> {
    let sysroot = process::output(process::command("rustc").args(["--print", "sysroot"]))?;
    let sysroot = Utf8Path::new(sysroot.trim());
    if let Some(found) =
        in_sysroot(sysroot).or_else(|| in_debian_package(Utf8Path::new("/usr/src")))
    {
        return Ok(found);
    }
    let mut attempts = Vec::new();
    match process::run(process::command("rustup").args(["component", "add", "rust-src"])) {
        Ok(()) => match in_sysroot(sysroot) {
            Some(found) => return Ok(found),
            None => attempts.push("rustup installed rust-src, but not into this toolchain".into()),
        },
        Err(error) => attempts.push(format!("{error:#}")),
    }
    match apt_install("rust-web-src") {
        Ok(()) => match in_debian_package(Utf8Path::new("/usr/src")) {
            Some(found) => return Ok(found),
            None => attempts.push("rust-web-src is installed, but holds no source".into()),
        },
        Err(error) => attempts.push(format!("{error:#}")),
    }
    bail!(
        "the standard library's source is missing: run `rustup component add rust-src`, or on \
         Debian `apt-get install rust-web-src`\ntried:\n  {}",
        attempts.join("\n  ")
    );
}

/// Installs a Debian package when this system has apt and the user may.
///
/// # Errors
///
/// When `apt-get` is missing or refuses.
pub(crate) fn apt_install(package: &str) -> Result<()> {
    process::run(process::command("apt-get").args(["update", "-qq"]))?;
    process::run(
        process::command("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn in_sysroot(sysroot: &Utf8Path) -> Option<Utf8PathBuf> {
    complete(sysroot.join("lib/rustlib/src/rust/library"))
}

/// The newest `/usr/src/rustc-<version>/library`.
fn in_debian_package(root: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut found: Vec<(semver::Version, Utf8PathBuf)> = root
        .read_dir_utf8()
        .ok()?
        .filter_map(|entry| {
            let path = entry.ok()?.into_path();
            let version = path.file_name()?.strip_prefix("rustc-")?.parse().ok()?;
            Some((version, complete(path.join("library"))?))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

fn complete(library: Utf8PathBuf) -> Option<Utf8PathBuf> {
    ["core", "alloc", "std"]
        .iter()
        .all(|name| library.join(name).join("src/lib.rs").is_file())
        .then_some(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the choice among several installed versions, and that a
    /// directory without the source is passed over.
    #[test]
    fn newest_complete_debian_source_wins() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        for version in ["1.9.0", "1.96.0"] {
            for name in ["core", "alloc", "std"] {
                let src = root.join(format!("rustc-{version}/library/{name}/src"));
                std::fs::create_dir_all(&src).unwrap();
                std::fs::write(src.join("lib.rs"), "").unwrap();
            }
        }
        std::fs::create_dir_all(root.join("rustc-1.97.0/library/core/src")).unwrap();
        std::fs::create_dir_all(root.join("python3.11")).unwrap();
        assert_eq!(
            in_debian_package(root),
            Some(root.join("rustc-1.96.0/library"))
        );
        assert_eq!(in_sysroot(root), None);
    }
}
