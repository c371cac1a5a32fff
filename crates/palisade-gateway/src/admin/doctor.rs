//! Comparing what is on disk with the state, and mending it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use palisade_model::Checksum;
use palisade_store::{Actor, BY_REPAIR, Cause, Decision, Origin, State, Store, Version};

use crate::GatewayError;
use crate::archives::Archives;

/// What `doctor` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// How many archives were compared with their checksums.
    pub archives: usize,
    /// What is wrong, or was.
    pub problems: Vec<Problem>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What, in one sentence without a full stop.
    pub what: String,
    /// Whether it is only in the way: a file that a publish has left which was
    /// cut short.
    pub debris: bool,
    /// What was done about it; `None` when nothing was.
    pub mended: Option<String>,
}

/// Compares the archives of crates that are published here with the state.
/// With `repair`, what is wrong is mended: a broken or missing archive comes
/// back from `sources` (directories with `.crate` files), and where there is
/// no copy, its version is quarantined, so that cargo reads a reason instead
/// of an error. Nothing is deleted; what does not belong is put aside.
///
/// # Errors
/// The database or a directory cannot be read or written.
pub async fn doctor(
    store: &Store,
    data: &Utf8Path,
    actor: &Actor,
    now: Timestamp,
    repair: Option<&[Utf8PathBuf]>,
) -> Result<Diagnosis, GatewayError> {
    let archives = Archives::open(data);
    let mut found = Diagnosis::default();
    let mut wanted = std::collections::BTreeSet::new();
    let copies = match repair {
        Some(sources) => copies(data, sources)?,
        None => BTreeMap::new(),
    };
    for krate in store.search_crates("", u32::MAX).await? {
        if krate.origin != Origin::Hosted {
            continue;
        }
        for version in store.versions(&krate.canonical).await? {
            wanted.insert(archives.path(version.checksum));
            found.archives += 1;
            let subject = format!("{} {}", krate.name, version.version);
            let (what, broken) = match archives.get(version.checksum) {
                Ok(Some(_)) => continue,
                Ok(None) => (format!("the archive of {subject} is gone"), false),
                Err(error) => (
                    format!(
                        "the archive of {subject}: {}",
                        crate::catalogue::chain(&error)
                    ),
                    true,
                ),
            };
            let mut mended = None;
            if repair.is_some() {
                if broken {
                    put_aside(data, &archives.path(version.checksum))?;
                }
                mended = Some(match copies.get(&version.checksum) {
                    Some(copy) => restore(&archives, version.checksum, copy)?,
                    None => quarantine(store, actor, now, &krate.canonical, &version).await?,
                });
            }
            found.problems.push(Problem {
                what,
                debris: false,
                mended,
            });
        }
    }
    for path in archives.all()? {
        if wanted.contains(&path) {
            continue;
        }
        let mended = match repair {
            Some(_) => Some(format!("moved to `{}`", put_aside(data, &path)?)),
            None => None,
        };
        found.problems.push(Problem {
            what: format!("`{path}` belongs to no version"),
            debris: true,
            mended,
        });
    }
    Ok(found)
}

/// Every archive that could stand in for one that is missing: those in the
/// directories that were named, and those that were put aside earlier.
fn copies(
    data: &Utf8Path,
    sources: &[Utf8PathBuf],
) -> Result<BTreeMap<Checksum, Utf8PathBuf>, GatewayError> {
    let mut copies = BTreeMap::new();
    let aside = data.join(ASIDE);
    let own = aside.is_dir().then_some(&aside);
    for directory in sources.iter().chain(own) {
        let failed = |source| GatewayError::File {
            operation: "read",
            path: directory.clone(),
            source,
        };
        for entry in directory.read_dir_utf8().map_err(failed)? {
            let path = entry.map_err(failed)?.into_path();
            if path.extension() != Some("crate") {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed)?;
            copies.insert(palisade_archive::checksum(&bytes), path);
        }
    }
    Ok(copies)
}

/// Where files are put that do not belong where they were.
const ASIDE: &str = "put-aside";

fn put_aside(data: &Utf8Path, path: &Utf8Path) -> Result<Utf8PathBuf, GatewayError> {
    let failed = |source| GatewayError::File {
        operation: "move",
        path: path.to_owned(),
        source,
    };
    let aside = data.join(ASIDE);
    std::fs::create_dir_all(&aside).map_err(failed)?;
    let to = aside.join(path.file_name().unwrap_or("unnamed"));
    std::fs::rename(path, &to).map_err(failed)?;
    Ok(to)
}

fn restore(
    archives: &Archives,
    checksum: Checksum,
    copy: &Utf8Path,
) -> Result<String, GatewayError> {
    let bytes = std::fs::read(copy).map_err(|source| GatewayError::File {
        operation: "read",
        path: copy.to_owned(),
        source,
    })?;
    archives.put(checksum, &bytes)?;
    Ok(format!("restored from `{copy}`"))
}

async fn quarantine(
    store: &Store,
    actor: &Actor,
    now: Timestamp,
    canonical: &str,
    version: &Version,
) -> Result<String, GatewayError> {
    if !version.state.may_become(State::Quarantined, Cause::Person) {
        return Ok(format!("it is {} and stays so", version.state));
    }
    let decision = Decision {
        state: State::Quarantined,
        rule: Some(BY_REPAIR.to_owned()),
        rules: vec![BY_REPAIR.to_owned()],
        reason: Some("its archive is lost or damaged here".to_owned()),
        until: None,
        observed: Vec::new(),
    };
    let mut tx = store.begin(actor, now).await?;
    tx.decide(canonical, version, &decision, Cause::Person)
        .await?;
    tx.commit().await?;
    Ok("no copy was found; the version is quarantined".to_owned())
}
