//! Answers that are still good.
//!
//! An answer is kept under the digest of everything that it depends on
//! ([`Key`]). Since that includes the advisories that matched, an answer is
//! only ever given to the very question that it answers: a walk that stopped
//! early knows nothing about others. What the configuration and the calendar
//! change (ignores, ages) is not kept but worked out anew each time.
//!
//! A file that is damaged, of another format or unreadable counts as absent.

mod format;
mod key;
mod tree;

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Checked;

pub(crate) use key::{Key, check_question};

/// Most answers kept; the oldest make room.
const MOST_ENTRIES: usize = 256;

/// Most bytes kept.
const MOST_BYTES: u64 = 1 << 30;

/// Largest answer that is read, in bytes.
const MAX_BYTES: u64 = 512 << 20;

/// What the names of answers end in.
const EXTENSION: &str = "answer";

/// A directory of answers.
#[derive(Clone, Debug)]
pub struct Cache {
    /// The directory, which is made when the first answer is kept.
    pub dir: Utf8PathBuf,
    /// What identifies the program that answers: another build of it may
    /// answer differently.
    pub program: String,
}

/// The first line of a file: what must be unchanged for the rest to hold.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    /// Directories outside the workspace, and the digests of their content.
    outside: Vec<(Utf8PathBuf, String)>,
    /// Files that stand for what is installed, with size and time of change.
    stamps: Vec<(Utf8PathBuf, String)>,
    /// The digest of the rest of the file.
    content: String,
}

/// What an answer depends on that is only known once there is a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// Directories of sources outside the workspace.
    pub(crate) dirs: Vec<Utf8PathBuf>,
    /// Files that stand for what is installed: another installation has
    /// another size or time of change.
    pub(crate) files: Vec<Utf8PathBuf>,
}

impl Cache {
    /// The answer under a key, if there is one and what it depends on outside
    /// the workspace is unchanged.
    pub(crate) fn load(&self, key: &Key) -> Option<Checked> {
        let content = self.load_bytes(key)?;
        format::from_stored(serde_json::from_slice(&content).ok()?)
    }

    /// Keeps an answer. That it cannot be kept is no reason to fail.
    pub(crate) fn store(&self, key: &Key, checked: &Checked, inputs: &Inputs) {
        if let Ok(content) = serde_json::to_vec(&format::to_stored(checked)) {
            self.store_bytes(key, &content, inputs);
        }
    }

    /// As [`Cache::load`], for an answer that is bytes already.
    pub(crate) fn load_bytes(&self, key: &Key) -> Option<Vec<u8>> {
        let file = self.file(key);
        if std::fs::metadata(&file).ok()?.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = std::fs::read(&file).ok()?;
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let unchanged = |(dir, digest): &(Utf8PathBuf, String)| {
            tree::digest(dir).is_some_and(|now| now == *digest)
        };
        let installed =
            |(file, then): &(Utf8PathBuf, String)| stamp(file).is_some_and(|now| now == *then);
        bytes.drain(..=end);
        let is_good = head.format == format::VERSION
            && head.outside.iter().all(unchanged)
            && head.stamps.iter().all(installed)
            && head.content == hex(&Sha256::digest(&bytes));
        is_good.then_some(bytes)
    }

    /// As [`Cache::store`], for an answer that is bytes already.
    pub(crate) fn store_bytes(&self, key: &Key, content: &[u8], inputs: &Inputs) {
        let digests = inputs
            .dirs
            .iter()
            .map(|dir| Some((dir.clone(), tree::digest(dir)?)));
        let Some(outside) = digests.collect::<Option<Vec<_>>>() else {
            return;
        };
        let stamps = inputs
            .files
            .iter()
            .map(|file| Some((file.clone(), stamp(file)?)));
        let Some(stamps) = stamps.collect::<Option<Vec<_>>>() else {
            return;
        };
        let head = Head {
            format: format::VERSION,
            outside,
            stamps,
            content: hex(&Sha256::digest(content)),
        };
        if let Err(error) = self.write(&self.file(key), &head, content) {
            tracing::debug!(%error, dir = %self.dir, "cannot keep the answer");
        }
    }

    fn write(&self, file: &Utf8Path, head: &Head, content: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        // Written beside and renamed, so that no reader sees half of it.
        let mut temporary = tempfile::NamedTempFile::new_in(&self.dir)?;
        temporary.write_all(&serde_json::to_vec(head)?)?;
        temporary.write_all(b"\n")?;
        temporary.write_all(content)?;
        temporary.persist(file)?;
        self.make_room()
    }

    /// Removes the oldest answers beyond the limits.
    fn make_room(&self) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in self.dir.read_dir_utf8()? {
            let entry = entry?;
            if entry.path().extension() == Some(EXTENSION) {
                let metadata = entry.metadata()?;
                entries.push((metadata.modified()?, metadata.len(), entry.into_path()));
            }
        }
        entries.sort_by(|a, b| b.cmp(a));
        let (mut kept, mut bytes) = (0, 0);
        for (_, len, file) in entries {
            kept += 1;
            bytes += len;
            if kept > MOST_ENTRIES || bytes > MOST_BYTES {
                std::fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    fn file(&self, key: &Key) -> Utf8PathBuf {
        self.dir.join(format!("{}.{EXTENSION}", key.as_str()))
    }
}

/// The size of a file and when it changed.
fn stamp(file: &Utf8Path) -> Option<String> {
    let metadata = file.metadata().ok()?;
    let changed = metadata
        .modified()
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Some(format!("{} {}", metadata.len(), changed.as_nanos()))
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    use crate::testing::finding;

    struct World {
        dir: tempfile::TempDir,
        cache: Cache,
        inputs: Inputs,
    }

    fn world() -> World {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir_all(root.join("dep/src")).unwrap();
        fs::write(root.join("dep/src/lib.rs"), "").unwrap();
        fs::write(root.join("std.rs"), "").unwrap();
        World {
            cache: Cache {
                dir: root.join("a/b"),
                program: String::new(),
            },
            inputs: Inputs {
                dirs: vec![root.join("dep")],
                files: vec![root.join("std.rs")],
            },
            dir,
        }
    }

    fn answer() -> Checked {
        let mut checked = Checked::default();
        checked
            .report
            .findings
            .push(finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app"));
        checked
    }

    /// Guards the way there and back, and that another key has another answer.
    #[test]
    fn keeps_answers() {
        let World { cache, inputs, .. } = &world();
        let key = Key::for_tests("one");
        assert_eq!(cache.load(&key), None);
        cache.store(&key, &answer(), inputs);
        assert_eq!(cache.load(&key), Some(answer()));
        assert_eq!(cache.load(&Key::for_tests("two")), None);
    }

    /// Guards that a path dependency outside the workspace and the standard
    /// library's source count.
    #[test]
    fn what_lies_outside_counts() {
        for (file, text) in [("dep/src/lib.rs", "fn f() {}"), ("std.rs", "//")] {
            let World { cache, inputs, dir } = &world();
            let key = Key::for_tests("one");
            cache.store(&key, &answer(), inputs);
            fs::write(dir.path().join(file), text).unwrap();
            assert_eq!(cache.load(&key), None, "{file}");
        }
    }

    /// Guards that damage is no answer, wherever it is.
    #[test]
    fn damage_is_no_answer() {
        let World { cache, inputs, .. } = &world();
        let key = Key::for_tests("one");
        cache.store(&key, &answer(), inputs);
        let file = cache.file(&key);
        let good = fs::read(&file).unwrap();
        for damaged in [
            Vec::new(),
            b"{}\n".to_vec(),
            good[..good.len() - 1].to_vec(),
            [good.as_slice(), b" "].concat(),
            String::from_utf8(good.clone())
                .unwrap()
                .replace("not-reached", "reached")
                .into_bytes(),
        ] {
            fs::write(&file, &damaged).unwrap();
            assert_eq!(
                cache.load(&key),
                None,
                "{}",
                String::from_utf8_lossy(&damaged)
            );
        }
        fs::write(&file, &good).unwrap();
        assert!(cache.load(&key).is_some());
    }
}
