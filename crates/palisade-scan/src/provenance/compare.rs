//! A package, file by file, with the revision that it names.

use std::borrow::Cow;

use gix::ObjectId;
use palisade_archive::SourceTree;
use palisade_index::{Manifest, TargetKind};
use sha2::{Digest, Sha256};

use super::repository::{Found, Reachable};
use super::{
    DifferenceKind, FileDifference, FileRole, Provenance, ProvenanceClass, ProvenanceError,
    Repository, Revision, manifest,
};

/// What cargo writes by itself. `Cargo.toml` is compared by its original, and
/// what differs between the two is a finding of its own.
const WRITTEN: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", ".cargo-ok"];
/// The most directories that are searched for a package whose place the
/// archive does not name.
const SEARCHED: usize = 20_000;
/// The most files that are listed.
const LISTED: usize = 500;

/// How a file compares.
enum Compared {
    Same,
    Normalised(&'static str),
    Differs(DifferenceKind, u32, String),
    Unresolved(String),
}

pub(super) fn compare(
    tree: &SourceTree,
    name: &str,
    revision: Revision,
    repository: &Repository,
) -> Result<Provenance, ProvenanceError> {
    let mut result = Provenance {
        class: ProvenanceClass::Match,
        revision: Some(revision.clone()),
        repository: Some(repository.path().to_string()),
        reference: None,
        same: 0,
        normalised: Vec::new(),
        differences: Vec::new(),
        unresolved: Vec::new(),
    };
    let Some(root) = repository.tree(&revision.commit)? else {
        result.class = ProvenanceClass::CommitNotFound;
        if repository.is_shallow() {
            result
                .unresolved
                .push("the clone is shallow: older revisions are not in it".to_owned());
        }
        return Ok(result);
    };
    let mut unreachable = false;
    match repository.reachable(&revision.commit)? {
        Reachable::From(name) => result.reference = Some(name),
        Reachable::No => unreachable = true,
        Reachable::Unknown(reason) => result.unresolved.push(reason.to_owned()),
    }
    let place = match &revision.path {
        Some(path) => Some(path.clone()),
        None => {
            let is_it = |text: &str| manifest::package_name(text).as_deref() == Some(name);
            repository
                .packages(root, SEARCHED, is_it)?
                .into_iter()
                .next()
        }
    };
    match place {
        None => result.differences.push(FileDifference {
            role: FileRole::Manifest,
            kind: DifferenceKind::Extra,
            path: "Cargo.toml".to_owned(),
            line: 0,
            detail: format!("no manifest of the repository is that of `{name}`"),
        }),
        Some(place) => {
            let comparison = Comparison {
                tree,
                repository,
                root,
                place: &place,
                name,
            };
            comparison.run(&mut result)?;
        }
    }
    result.differences.sort();
    result.differences.truncate(LISTED);
    result.class = if !result.differences.is_empty() && !revision.dirty {
        ProvenanceClass::Different
    } else if unreachable {
        ProvenanceClass::CommitUnreachable
    } else if revision.dirty {
        ProvenanceClass::Dirty
    } else if result.normalised.is_empty() {
        ProvenanceClass::Match
    } else {
        ProvenanceClass::MatchNormalised
    };
    Ok(result)
}

struct Comparison<'c> {
    tree: &'c SourceTree,
    repository: &'c Repository,
    root: ObjectId,
    /// The package's directory in the repository; empty for its root.
    place: &'c str,
    name: &'c str,
}

impl Comparison<'_> {
    fn run(&self, result: &mut Provenance) -> Result<(), ProvenanceError> {
        let targets = self.tree.text("Cargo.toml").and_then(|text| {
            let manifest = Manifest::parse(text).ok()?;
            Some(manifest.targets(self.tree.paths()))
        });
        let built = |path: &str, kind: TargetKind| {
            let targets = targets.iter().flatten();
            targets
                .filter(|target| target.kind == kind)
                .any(|target| target.path == path)
        };
        let original = self.tree.has_original_manifest();
        for (path, bytes) in self.tree.files() {
            // The normalised manifest is compared by its original.
            if WRITTEN.contains(&path) || (path == "Cargo.toml" && original) {
                continue;
            }
            let compared = match path {
                "Cargo.toml" | "Cargo.toml.orig" => self.manifest(bytes)?,
                path => self.file(path, bytes)?,
            };
            let path = palisade_archive::visible(path);
            match compared {
                Compared::Same => result.same += 1,
                Compared::Normalised(how) => result.normalised.push((path, how.to_owned())),
                Compared::Unresolved(why) => result.unresolved.push(format!("`{path}`: {why}")),
                Compared::Differs(kind, line, detail) => {
                    let role = role(&path, built(&path, TargetKind::BuildScript), bytes);
                    result.differences.push(FileDifference {
                        role,
                        kind,
                        path,
                        line,
                        detail,
                    });
                }
            }
        }
        Ok(())
    }

    fn at(&self, path: &str) -> String {
        if self.place.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.place)
        }
    }

    fn manifest(&self, bytes: &[u8]) -> Result<Compared, ProvenanceError> {
        let missing = |what: String| Compared::Differs(DifferenceKind::Extra, 0, what);
        let theirs = match self.repository.find(self.root, &self.at("Cargo.toml"))? {
            Found::File { bytes, .. } => bytes,
            _ => {
                return Ok(missing(format!(
                    "the repository has no manifest at `{}`",
                    palisade_archive::visible(&self.at("Cargo.toml"))
                )));
            }
        };
        if let Some(equal) = equal(bytes, &theirs) {
            return Ok(equal);
        }
        let (ours, theirs) = (lossy(bytes), lossy(&theirs));
        let other = manifest::package_name(&theirs);
        if other.as_deref().is_some_and(|other| other != self.name) {
            let other = palisade_archive::visible(&other.unwrap_or_default());
            return Ok(missing(format!(
                "the repository's manifest at that place is that of `{other}`"
            )));
        }
        Ok(match manifest::only_the_version(&ours, &theirs) {
            true => Compared::Normalised("the version was set while publishing"),
            false => Compared::Differs(
                DifferenceKind::Modified,
                first_difference(ours.as_bytes(), theirs.as_bytes()),
                manifest::changes(&ours, &theirs),
            ),
        })
    }

    fn file(&self, path: &str, bytes: &[u8]) -> Result<Compared, ProvenanceError> {
        let place = self.at(path);
        let found = self.repository.find(self.root, &place)?;
        let differs = match &found {
            Found::File {
                bytes: theirs,
                linked,
            } => {
                match equal(bytes, theirs) {
                    Some(Compared::Same) if *linked => {
                        return Ok(Compared::Normalised("a link was followed"));
                    }
                    Some(equal) => return Ok(equal),
                    None => {}
                }
                if is_large_file(theirs, bytes) {
                    return Ok(Compared::Normalised(
                        "the repository keeps it as a large file elsewhere",
                    ));
                }
                Compared::Differs(
                    DifferenceKind::Modified,
                    first_difference(bytes, theirs),
                    sizes(bytes.len(), theirs.len()),
                )
            }
            Found::Large(size) => {
                return Ok(Compared::Unresolved(format!(
                    "the repository's has {size} bytes, which is more than is compared"
                )));
            }
            Found::Submodule => {
                return Ok(Compared::Unresolved(
                    "it lies in a submodule, another repository".to_owned(),
                ));
            }
            Found::Link(target) => Compared::Differs(
                DifferenceKind::Modified,
                0,
                format!(
                    "the repository has a link to `{}`",
                    palisade_archive::visible(target)
                ),
            ),
            Found::Directory | Found::Missing => Compared::Differs(
                DifferenceKind::Extra,
                0,
                format!("{} bytes that the repository does not have", bytes.len()),
            ),
        };
        // Packed on a system without links, a link is a file with its text.
        let link = self.repository.link_text(self.root, &place);
        if link.is_some_and(|text| trimmed(&text) == trimmed(bytes)) {
            return Ok(Compared::Normalised("a link was packed as its text"));
        }
        if self.is_copied(path, bytes)? {
            return Ok(Compared::Normalised(
                "it was copied from outside of the package's directory",
            ));
        }
        Ok(differs)
    }

    /// Whether cargo copied a readme or a licence from further up, as the
    /// manifest says or as workspaces do.
    fn is_copied(&self, path: &str, bytes: &[u8]) -> Result<bool, ProvenanceError> {
        if path.contains('/') {
            return Ok(false);
        }
        let named = manifest::copied_files(self.tree.text("Cargo.toml.orig"))
            .into_iter()
            .filter(|named| named.rsplit('/').next() == Some(path))
            .map(|named| self.at(&named));
        let mut places: Vec<String> = named.collect();
        let mut directory = self.place;
        while !directory.is_empty() {
            directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            places.push(match directory {
                "" => path.to_owned(),
                directory => format!("{directory}/{path}"),
            });
            // What a workspace gives its members lies where its manifest says.
            let manifest = match directory {
                "" => "Cargo.toml".to_owned(),
                directory => format!("{directory}/Cargo.toml"),
            };
            if let Found::File { bytes, .. } = self.repository.find(self.root, &manifest)? {
                let named = manifest::copied_files(std::str::from_utf8(&bytes).ok());
                let here = named
                    .into_iter()
                    .filter(|named| named.rsplit('/').next() == Some(path));
                places.extend(here.map(|named| match directory {
                    "" => named,
                    directory => format!("{directory}/{named}"),
                }));
            }
        }
        for place in places {
            if let Found::File { bytes: theirs, .. } = self.repository.find(self.root, &place)?
                && equal(bytes, &theirs).is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether two files are the same, perhaps but for the ends of lines.
fn equal(ours: &[u8], theirs: &[u8]) -> Option<Compared> {
    if ours == theirs {
        return Some(Compared::Same);
    }
    // A file with a NUL is no text, and its bytes mean what they are.
    let is_text = !ours.contains(&0) && !theirs.contains(&0);
    (is_text && without_returns(ours) == without_returns(theirs))
        .then_some(Compared::Normalised("the ends of lines differ"))
}

fn without_returns(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'\r') {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        // A carriage return inside of a line can hide what follows it.
        if byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

/// Whether the repository's file stands for ours in git's large file storage.
fn is_large_file(theirs: &[u8], ours: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(theirs) else {
        return false;
    };
    if theirs.len() > 1024 || !text.starts_with("version https://git-lfs.github.com/spec/") {
        return false;
    }
    let named = text
        .lines()
        .find_map(|line| line.strip_prefix("oid sha256:"))
        .map(str::trim);
    let digest = Sha256::digest(ours);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    named == Some(digest.as_str())
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn sizes(ours: usize, theirs: usize) -> String {
    format!("{ours} bytes, where the repository has {theirs}")
}

/// The first line that differs, counted from 1; 0 for what is no text.
fn first_difference(ours: &[u8], theirs: &[u8]) -> u32 {
    if ours.contains(&0) {
        return 0;
    }
    let lines = |bytes| <[u8]>::split(bytes, |&byte: &u8| byte == b'\n');
    let same = lines(ours)
        .zip(lines(theirs))
        .take_while(|(one, other)| {
            one.strip_suffix(b"\r").unwrap_or(one) == other.strip_suffix(b"\r").unwrap_or(other)
        })
        .count();
    u32::try_from(same + 1).unwrap_or(u32::MAX)
}

fn role(path: &str, is_build_script: bool, bytes: &[u8]) -> FileRole {
    let below = |directory: &str| path.starts_with(directory);
    if is_build_script || path == "build.rs" || below("build/") {
        return FileRole::BuildScript;
    }
    if matches!(path, "Cargo.toml" | "Cargo.toml.orig") || path.starts_with(".cargo/") {
        return FileRole::Manifest;
    }
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_code = matches!(
        extension,
        "rs" | "c"
            | "cc"
            | "cpp"
            | "cxx"
            | "h"
            | "hpp"
            | "s"
            | "asm"
            | "S"
            | "m"
            | "mm"
            | "py"
            | "sh"
            | "bash"
            | "ps1"
            | "bat"
            | "cmd"
            | "js"
            | "pl"
            | "cmake"
            | "a"
            | "lib"
            | "so"
            | "dll"
            | "dylib"
            | "exe"
            | "o"
            | "obj"
            | "wasm"
    ) || crate::source::program_head(bytes).is_some();
    match is_code {
        true if ["tests/", "examples/", "benches/", "fuzz/"]
            .iter()
            .any(|at| below(at)) =>
        {
            FileRole::TestCode
        }
        true => FileRole::Code,
        false => FileRole::Other,
    }
}
