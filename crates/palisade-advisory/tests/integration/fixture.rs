//! Small databases made up for the tests. The texts are our own (CC0-1.0) and
//! the packages do not exist.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_advisory::{Database, DatabaseDiagnostic, Limits, TargetInfo};
use palisade_model::{Package, PackageSource};
use semver::Version;
use tempfile::TempDir;

/// A database in a temporary directory.
pub(crate) struct Fixture {
    dir: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        let fixture = Fixture {
            dir: TempDir::new().unwrap(),
        };
        fs::create_dir(fixture.path().join("crates")).unwrap();
        fixture
    }

    pub(crate) fn path(&self) -> Utf8PathBuf {
        Utf8PathBuf::try_from(self.dir.path().to_owned()).unwrap()
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Fixture {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes an advisory about a published package: `metadata` continues its
    /// `[advisory]` table, `rest` brings the other tables.
    pub(crate) fn advisory(self, package: &str, id: &str, metadata: &str, rest: &str) -> Fixture {
        let text = advisory(package, id, metadata, rest);
        self.file(&format!("crates/{package}/{id}.md"), text)
    }

    pub(crate) fn open(&self) -> (Database, Vec<DatabaseDiagnostic>) {
        Database::open(&self.path(), &Limits::default()).unwrap()
    }
}

pub(crate) fn advisory(package: &str, id: &str, metadata: &str, rest: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2024-02-29\"\n\
         {metadata}\n{rest}\n```\n\n# A made-up problem\n\nIt does not exist.\n"
    )
}

pub(crate) fn package(name: &str, version: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: Version::parse(version).unwrap(),
        source: PackageSource::CratesIo,
    }
}

pub(crate) fn target(os: &str, arch: &str) -> TargetInfo {
    TargetInfo {
        os: os.to_owned(),
        arch: arch.to_owned(),
    }
}

/// The snapshot of the published database that some tests read, when there is
/// one: `PALISADE_ADVISORY_DB`, or `../shared/advisory-db` next to the
/// workspace.
pub(crate) fn published_database() -> Option<Utf8PathBuf> {
    let dir = match std::env::var("PALISADE_ADVISORY_DB") {
        Ok(dir) => Utf8PathBuf::from(dir),
        Err(_) => Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/advisory-db"),
    };
    dir.join("crates").is_dir().then_some(dir)
}

/// Skips the calling test, with a word about it, where there is no snapshot.
macro_rules! published_or_skip {
    () => {
        match crate::fixture::published_database() {
            Some(dir) => dir,
            None => {
                println!("skipped: no database in PALISADE_ADVISORY_DB");
                return;
            }
        }
    };
}
pub(crate) use published_or_skip;
