//! The digest of a directory of sources.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::hex;

/// Most files and directories; a larger tree has no digest.
const MOST_ENTRIES: usize = 200_000;

/// Largest file whose content is read, in bytes. Of larger ones, and of those
/// that are neither code nor manifests, size and time of change count.
const MAX_BYTES: u64 = 16 << 20;

/// The digest of all that a directory holds; `None` when it cannot be told
/// whether it will have changed: it is too large, unreadable, or links to a
/// directory outside.
///
/// Version control's own files are left out, and so are directories marked as
/// caches by a [`CACHEDIR.TAG`](https://bford.info/cachedir/), which is how
/// cargo marks its target directory.
pub(super) fn digest(root: &Utf8Path) -> Option<String> {
    let real_root = root.canonicalize_utf8().ok()?;
    let mut hash = Sha256::new();
    let mut open = vec![root.to_owned()];
    let mut seen = 0;
    while let Some(dir) = open.pop() {
        let mut entries: Vec<Utf8PathBuf> = dir
            .read_dir_utf8()
            .ok()?
            .map(|entry| entry.map(|entry| entry.into_path()))
            .collect::<Result<_, _>>()
            .ok()?;
        if dir != root
            && entries
                .iter()
                .any(|entry| entry.file_name() == Some("CACHEDIR.TAG"))
        {
            continue;
        }
        entries.sort();
        for path in entries {
            seen += 1;
            if seen > MOST_ENTRIES {
                return None;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).as_str();
            let file_type = path.symlink_metadata().ok()?.file_type();
            if file_type.is_dir() {
                if !matches!(path.file_name(), Some(".git" | ".hg" | ".jj")) {
                    open.push(path);
                }
                continue;
            }
            if file_type.is_symlink() {
                // A dangling link is nothing that can be compiled.
                let Ok(real) = path.canonicalize_utf8() else {
                    continue;
                };
                if real.is_dir() {
                    if !real.starts_with(&real_root) {
                        return None;
                    }
                    part(&mut hash, name.as_bytes());
                    part(&mut hash, real.as_str().as_bytes());
                    continue;
                }
            }
            part(&mut hash, name.as_bytes());
            file(&mut hash, &path)?;
        }
    }
    Some(hex(&hash.finalize()))
}

fn file(hash: &mut Sha256, path: &Utf8Path) -> Option<()> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() {
        // Pipes and devices are no sources, and reading one may never end.
        return Some(());
    }
    let is_source = matches!(path.extension(), Some("rs" | "toml" | "lock"));
    if is_source && metadata.len() <= MAX_BYTES {
        part(hash, &std::fs::read(path).ok()?);
        return Some(());
    }
    let changed = metadata
        .modified()
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    part(hash, &metadata.len().to_le_bytes());
    part(hash, &changed.as_nanos().to_le_bytes());
    Some(())
}

/// Adds one part; its length keeps neighbouring parts apart.
pub(super) fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap().join("ws");
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/main.rs"), "fn main() {}").unwrap();
        fs::write(root.join("data.txt"), "one").unwrap();
        (dir, root)
    }

    /// Guards that each kind of change is seen.
    #[test]
    fn sees_changes() {
        let (_dir, root) = tree();
        let mut digests = vec![digest(&root).unwrap()];
        assert_eq!(digest(&root).as_ref(), Some(&digests[0]), "unchanged");
        let mut changed = || {
            let now = digest(&root).unwrap();
            assert!(!digests.contains(&now), "{now} is not new");
            digests.push(now);
        };
        fs::write(root.join("src/main.rs"), "fn main() { }").unwrap();
        changed();
        fs::write(root.join("src/new.rs"), "").unwrap();
        changed();
        fs::rename(root.join("src/new.rs"), root.join("src/newer.rs")).unwrap();
        changed();
        fs::write(root.join("data.txt"), "other").unwrap();
        changed();
        fs::remove_file(root.join("data.txt")).unwrap();
        changed();
    }

    /// Guards that a build does not change the digest.
    #[test]
    fn leaves_out_caches() {
        let (_dir, root) = tree();
        let before = digest(&root);
        for dir in ["target", ".git"] {
            fs::create_dir_all(root.join(dir)).unwrap();
            fs::write(root.join(dir).join("x.rs"), "x").unwrap();
        }
        fs::write(
            root.join("target/CACHEDIR.TAG"),
            "Signature: 8a477f597d28d172789f06886806bc55",
        )
        .unwrap();
        assert_eq!(digest(&root), before);
    }

    /// Guards that what a link brings in is not overlooked, and that loops end.
    #[cfg(unix)]
    #[test]
    fn links() {
        use std::os::unix::fs::symlink;
        let (dir, root) = tree();
        symlink(&root, root.join("loop")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        assert!(digest(&root).is_some());
        symlink(dir.path(), root.join("outside")).unwrap();
        assert_eq!(digest(&root), None);
    }
}
