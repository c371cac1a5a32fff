//! A job on its way to a worker, which is the same executable: a header in
//! JSON behind its length, and then the bytes that it announces.

use std::sync::Arc;

use palisade_archive::CrateName;
use palisade_index::IndexFile;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{DataPaths, WorkersOptions};
use crate::request::{Content, Material};
use crate::{Diff, Limits, Report, Request};

/// What is to be done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Task {
    /// Only to open the data that detectors ask.
    Open,
    Scan,
    Compare,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The data, but for these parts of it.
    Opened(Vec<String>),
    Report(Box<Report>),
    Diff(Box<(Diff, Report)>),
    /// The package is nothing that could be scanned.
    Unreadable(String),
    /// The scanner failed on it.
    Failed(String),
}

/// A job as the worker sees it.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) data: DataPaths,
    pub(super) limits: Limits,
    pub(super) request: Request,
}

#[derive(Serialize, Deserialize)]
struct Header {
    task: Task,
    names: Option<String>,
    limits: WireLimits,
    new: WireMaterial,
    old: Option<WireMaterial>,
    /// The crate's name and the length of its lines.
    index: Option<(String, usize)>,
}

#[derive(Serialize, Deserialize)]
struct WireMaterial {
    target: String,
    name: Option<(String, Version)>,
    /// The length of an archive.
    archive: Option<usize>,
    directory: Option<String>,
}

/// [`Limits`], field by field: what is compared and kept has no format.
#[derive(Serialize, Deserialize)]
struct WireLimits {
    compressed_bytes: u64,
    unpacked_bytes: u64,
    ratio: u64,
    entries: usize,
    file_bytes: u64,
    path_bytes: usize,
    path_depth: usize,
    extension_bytes: u64,
    archive_findings: usize,
    source_bytes: u64,
    text_bytes: u64,
    findings: usize,
}

/// The bytes of a job.
pub(super) fn encode(task: Task, request: &Request, options: &WorkersOptions) -> Vec<u8> {
    let index = request.index.as_deref().map(lines);
    let name = |material: &Material| material.name.as_ref().map(|name| name.name.clone());
    let header = Header {
        task,
        names: options.data.names.as_ref().map(ToString::to_string),
        limits: (&options.scan).into(),
        new: (&request.new).into(),
        old: request.old.as_ref().map(Into::into),
        index: index
            .as_ref()
            .map(|lines| (name(&request.new).unwrap_or_default(), lines.len())),
    };
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let mut job = (header.len() as u64).to_le_bytes().to_vec();
    job.extend(header);
    for material in [Some(&request.new), request.old.as_ref()]
        .into_iter()
        .flatten()
    {
        if let Content::Archive(bytes) = &material.content {
            job.extend(bytes);
        }
    }
    job.extend(index.unwrap_or_default().into_bytes());
    job
}

/// The job in these bytes; `None` when the parent is another program.
pub(super) fn decode(bytes: &[u8]) -> Option<Job> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, mut rest) = rest.split_at_checked(length)?;
    let header: Header = serde_json::from_slice(header).ok()?;
    let new = header.new.read(&mut rest)?;
    let old = match header.old {
        Some(old) => Some(old.read(&mut rest)?),
        None => None,
    };
    let index = match header.index {
        Some((name, length)) => {
            let (lines, _) = rest.split_at_checked(length)?;
            let lines = std::str::from_utf8(lines).ok()?;
            Some(Arc::new(IndexFile::parse(&name, lines)))
        }
        None => None,
    };
    Some(Job {
        task: header.task,
        data: DataPaths {
            names: header.names.map(Into::into),
        },
        limits: header.limits.into(),
        request: Request { new, old, index },
    })
}

/// The lines of an index file as the registry wrote them.
fn lines(index: &IndexFile) -> String {
    let mut text = String::new();
    for version in &index.versions {
        text.push_str(&version.raw);
        text.push('\n');
    }
    text
}

impl From<&Material> for WireMaterial {
    fn from(material: &Material) -> WireMaterial {
        let (archive, directory) = match &material.content {
            Content::Archive(bytes) => (Some(bytes.len()), None),
            Content::Directory(path) => (None, Some(path.to_string())),
        };
        WireMaterial {
            target: material.target.clone(),
            name: material
                .name
                .as_ref()
                .map(|name| (name.name.clone(), name.version.clone())),
            archive,
            directory,
        }
    }
}

impl WireMaterial {
    fn read(self, rest: &mut &[u8]) -> Option<Material> {
        let content = match (self.archive, self.directory) {
            (Some(length), _) => {
                let (bytes, behind) = rest.split_at_checked(length)?;
                *rest = behind;
                Content::Archive(bytes.to_vec())
            }
            (None, Some(path)) => Content::Directory(path.into()),
            (None, None) => return None,
        };
        Some(Material {
            target: self.target,
            content,
            name: self.name.map(|(name, version)| CrateName { name, version }),
        })
    }
}

impl From<&Limits> for WireLimits {
    fn from(limits: &Limits) -> WireLimits {
        let archive = &limits.archive;
        WireLimits {
            compressed_bytes: archive.compressed_bytes,
            unpacked_bytes: archive.unpacked_bytes,
            ratio: archive.ratio,
            entries: archive.entries,
            file_bytes: archive.file_bytes,
            path_bytes: archive.path_bytes,
            path_depth: archive.path_depth,
            extension_bytes: archive.extension_bytes,
            archive_findings: archive.findings,
            source_bytes: limits.source_bytes,
            text_bytes: limits.text_bytes,
            findings: limits.findings,
        }
    }
}

impl From<WireLimits> for Limits {
    fn from(wire: WireLimits) -> Limits {
        Limits {
            archive: palisade_archive::Limits {
                compressed_bytes: wire.compressed_bytes,
                unpacked_bytes: wire.unpacked_bytes,
                ratio: wire.ratio,
                entries: wire.entries,
                file_bytes: wire.file_bytes,
                path_bytes: wire.path_bytes,
                path_depth: wire.path_depth,
                extension_bytes: wire.extension_bytes,
                findings: wire.archive_findings,
            },
            source_bytes: wire.source_bytes,
            text_bytes: wire.text_bytes,
            findings: wire.findings,
        }
    }
}
