//! A published crate: the archive as a whole.

use std::fs::File;
use std::io::Read;

use camino::Utf8Path;
use palisade_model::Checksum;
use sha2::{Digest, Sha256};

use crate::files::Files;
use crate::finding::{FindingKind, Findings};
use crate::gzip::{self, Cut};
use crate::tar::{self, End, Entry, EntryKind};
use crate::{ArchiveError, Finding, Limits, OmittedKind, SourceTree, name, visible};

/// What to do about findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Refuse what a registry would refuse today, what is ambiguous and what
    /// goes beyond a limit.
    Strict,
    /// Read what cargo would read, and report. For versions that were
    /// published under older rules, and for looking at what was refused.
    Lenient,
}

/// A crate's name and version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrateName {
    /// The name as published.
    pub name: String,
    /// The version.
    pub version: semver::Version,
}

impl CrateName {
    /// From `name-version`, as archives and directories are called. The
    /// version begins behind the first dash that a version can follow.
    pub fn parse(text: &str) -> Option<CrateName> {
        text.match_indices('-').find_map(|(at, _)| {
            let version = text[at + 1..].parse().ok()?;
            let name = text[..at].to_owned();
            (!name.is_empty()).then_some(CrateName { name, version })
        })
    }

    /// `name-version`, the directory that every entry must lie below.
    pub fn directory(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// How to read an archive.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// What to do about findings.
    pub mode: Mode,
    /// How much to read.
    pub limits: Limits,
    /// Which crate it has to be; unknown, it is what its first entry says.
    pub expected: Option<CrateName>,
    /// The checksum that the index promises.
    pub checksum: Option<Checksum>,
}

impl ReadOptions {
    /// Refuses whatever a registry would refuse today.
    pub fn strict() -> ReadOptions {
        ReadOptions {
            mode: Mode::Strict,
            limits: Limits::default(),
            expected: None,
            checksum: None,
        }
    }

    /// Reads what cargo would read, with findings.
    pub fn lenient() -> ReadOptions {
        ReadOptions {
            mode: Mode::Lenient,
            ..ReadOptions::strict()
        }
    }

    /// The same, for this crate.
    pub fn expecting(self, expected: CrateName) -> ReadOptions {
        ReadOptions {
            expected: Some(expected),
            ..self
        }
    }
}

/// A published crate, read into memory.
#[derive(Clone, Debug)]
pub struct CrateArchive {
    name: Option<CrateName>,
    checksum: Checksum,
    packed_bytes: u64,
    unpacked_bytes: u64,
    tree: SourceTree,
}

/// The checksum of a `.crate` file's bytes, as an index gives it.
pub fn checksum(bytes: &[u8]) -> Checksum {
    Checksum(Sha256::digest(bytes).into())
}

impl CrateArchive {
    /// Reads the `.crate` file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is too large, is not an archive, is damaged, or is
    /// refused by a strict reader.
    pub fn open(path: &Utf8Path, options: &ReadOptions) -> Result<CrateArchive, ArchiveError> {
        let subject = path.as_str();
        let read = |source| ArchiveError::Read {
            subject: subject.to_owned(),
            source,
        };
        let file = File::open(path).map_err(read)?;
        let limit = options.limits.compressed_bytes;
        let mut bytes = Vec::new();
        // The size is not asked for: a file can grow while it is read.
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(read)?;
        CrateArchive::from_bytes(subject, &bytes, options)
    }

    /// Reads the bytes of a `.crate` file, which messages call `subject`.
    ///
    /// # Errors
    /// As for [`CrateArchive::open`].
    pub fn from_bytes(
        subject: &str,
        bytes: &[u8],
        options: &ReadOptions,
    ) -> Result<CrateArchive, ArchiveError> {
        let limits = &options.limits;
        if bytes.len() as u64 > limits.compressed_bytes {
            return Err(ArchiveError::TooLarge {
                subject: subject.to_owned(),
                limit: limits.compressed_bytes,
            });
        }
        let actual = checksum(bytes);
        if let Some(expected) = options.checksum.filter(|&expected| expected != actual) {
            return Err(ArchiveError::Checksum {
                subject: subject.to_owned(),
                expected,
                actual,
            });
        }
        let mut findings = Findings::new(limits.findings);
        let unpacked = gzip::unpack(subject, bytes, limits, &mut findings)?;
        let whole = unpacked.cut.is_none();
        let (entries, end) = tar::walk(&unpacked.bytes, whole, limits, &mut findings);
        settle(subject, &end, unpacked.cut, &mut findings)?;

        let top = match &options.expected {
            Some(expected) => expected.directory(),
            None => top(&entries),
        };
        let mut files = Files::default();
        for entry in &entries {
            place(
                entry,
                &top,
                &unpacked.bytes,
                limits,
                &mut files,
                &mut findings,
            );
        }
        let unpacked_bytes = unpacked.bytes.len() as u64;
        let tree = files.finish(unpacked.bytes, findings);
        if options.mode == Mode::Strict && tree.refused {
            return Err(ArchiveError::Refused {
                subject: subject.to_owned(),
                findings: tree.findings,
            });
        }
        Ok(CrateArchive {
            name: options.expected.clone().or_else(|| CrateName::parse(&top)),
            checksum: actual,
            packed_bytes: bytes.len() as u64,
            unpacked_bytes,
            tree,
        })
    }

    /// Which crate it is: the expected one, or what its directory says; `None`
    /// when that is no name and version.
    pub fn name(&self) -> Option<&CrateName> {
        self.name.as_ref()
    }

    /// The SHA-256 of the archive, as an index gives it.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The archive's size.
    pub fn packed_bytes(&self) -> u64 {
        self.packed_bytes
    }

    /// The size of what was unpacked, headers and filling included.
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes
    }

    /// Its files.
    pub fn tree(&self) -> &SourceTree {
        &self.tree
    }

    /// Its files, without the rest.
    pub fn into_tree(self) -> SourceTree {
        self.tree
    }

    /// What is wrong or unusual, most serious first.
    pub fn findings(&self) -> &[Finding] {
        &self.tree.findings
    }
}

/// Joins how the two layers ended. Damage behind the end mark is nothing to
/// cargo, which stops there; before it, cargo fails.
fn settle(
    subject: &str,
    end: &End,
    cut: Option<Cut>,
    findings: &mut Findings,
) -> Result<(), ArchiveError> {
    let subject = || subject.to_owned();
    match (end, cut) {
        (End::Mark | End::Limit, Some(Cut::Truncated | Cut::Corrupt)) => {
            findings.add(FindingKind::CutTrailer, "", "");
            Ok(())
        }
        (End::Mark | End::Limit, _) | (End::Inside(_), Some(Cut::Limit)) => Ok(()),
        (End::Inside(at), Some(Cut::Corrupt)) => Err(ArchiveError::Corrupt {
            subject: subject(),
            reason: format!("its compressed data, {at} unpacked bytes in"),
        }),
        (End::Inside(at), Some(Cut::Truncated) | None) => Err(ArchiveError::Truncated {
            subject: subject(),
            place: format!("in the entry at unpacked byte {at}"),
        }),
        (End::Damaged(reason), _) => Err(ArchiveError::Corrupt {
            subject: subject(),
            reason: reason.clone(),
        }),
    }
}

/// The directory that the first entry lies in.
fn top(entries: &[Entry]) -> String {
    let first = entries
        .iter()
        .find(|entry| entry.kind != EntryKind::GlobalRecords)
        .map_or(&[][..], |entry| &entry.path);
    let text = String::from_utf8_lossy(first);
    let mut components = text.split('/').filter(|part| !matches!(*part, "" | "."));
    components.next().unwrap_or_default().to_owned()
}

/// Adds an entry to the files, or says why not.
fn place(
    entry: &Entry,
    top: &str,
    bytes: &[u8],
    limits: &Limits,
    files: &mut Files,
    findings: &mut Findings,
) {
    let text = name::decode(&entry.path, findings);
    let kind = match entry.kind {
        // Not an entry of its own, whatever its name.
        EntryKind::GlobalRecords => {
            findings.add(FindingKind::GlobalRecord, visible(&text), "");
            return;
        }
        EntryKind::File | EntryKind::Directory => None,
        EntryKind::Symlink => Some(FindingKind::Symlink),
        EntryKind::HardLink => Some(FindingKind::HardLink),
        EntryKind::Device => Some(FindingKind::Device),
        EntryKind::Sparse => Some(FindingKind::Sparse),
        EntryKind::Unknown(_) => Some(FindingKind::UnknownType),
    };
    let trimmed = text.strip_suffix('/');
    if trimmed.is_some() && entry.kind == EntryKind::File {
        findings.add(FindingKind::TrailingSlash, visible(&text), "");
    }
    let path = name::below(trimmed.unwrap_or(&text), top, limits, findings);
    if let Some(kind) = kind {
        let target = visible(&String::from_utf8_lossy(&entry.link));
        let omitted = if entry.link.is_empty() {
            OmittedKind::Special
        } else {
            OmittedKind::Link(target.clone())
        };
        let detail = match entry.kind {
            EntryKind::Unknown(kind) => format!("type {kind:#04x}"),
            _ if entry.link.is_empty() => String::new(),
            _ => format!("to `{target}`"),
        };
        findings.add(kind, visible(&text), detail);
        files.omit(path.as_deref().unwrap_or(&text), omitted);
        return;
    }
    if entry.kind == EntryKind::Directory {
        return;
    }
    match path {
        Some(path) if path.is_empty() => {
            findings.add(FindingKind::OutsidePrefix, visible(&text), "a file");
            files.omit(&text, OmittedKind::Misplaced);
        }
        None => files.omit(&text, OmittedKind::Misplaced),
        // cargo leaves it out when it unpacks.
        Some(path) if path == ".cargo-ok" || path.ends_with("/.cargo-ok") => {
            findings.add(FindingKind::CargoOk, visible(&path), "");
            files.omit(&path, OmittedKind::Misplaced);
        }
        Some(path) if entry.data.len() as u64 > limits.file_bytes => {
            let size = entry.data.len() as u64;
            findings.add(
                FindingKind::FileLimit,
                visible(&path),
                format!("{size} bytes"),
            );
            let checksum = Some(checksum(&bytes[entry.data.clone()]));
            files.omit(
                &path,
                OmittedKind::TooLarge {
                    bytes: size,
                    checksum,
                },
            );
        }
        Some(path) => files.add(path, entry.data.clone(), findings),
    }
}
