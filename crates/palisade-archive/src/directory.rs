//! A directory as a source tree: a checked-out crate in cargo's registry, or
//! any package on disk.

use std::fs::{self, File};
use std::io::{self, Read};

use camino::Utf8Path;
use walkdir::WalkDir;

use crate::files::Files;
use crate::finding::{FindingKind, Findings};
use crate::{ArchiveError, Limits, OmittedKind, SourceTree, name, visible};

/// How to read a directory.
#[derive(Clone, Debug, Default)]
pub struct DirectoryOptions {
    /// How much to read.
    pub limits: Limits,
    /// Names at the top to leave out, such as `target` and `.git` of a
    /// checkout; they are listed among what is omitted.
    pub skip: Vec<String>,
}

impl SourceTree {
    /// Reads the files below `dir`. Symbolic links are reported, never
    /// followed (`dir` itself may be one); what is no regular file is never
    /// opened. The marker that cargo leaves in an unpacked crate, `.cargo-ok`
    /// at the top, is no part of it.
    ///
    /// # Errors
    /// `dir` is not a directory or cannot be listed. What cannot be read below
    /// it is a finding.
    pub fn from_directory(
        dir: &Utf8Path,
        options: &DirectoryOptions,
    ) -> Result<SourceTree, ArchiveError> {
        let read = |source| ArchiveError::Read {
            subject: dir.to_string(),
            source,
        };
        if !fs::metadata(dir).map_err(read)?.is_dir() {
            return Err(read(io::ErrorKind::NotADirectory.into()));
        }
        // WalkDir would report this as an entry.
        fs::read_dir(dir).map_err(read)?;
        let limits = &options.limits;
        let mut reader = Reader {
            options,
            bytes: Vec::new(),
            files: Files::default(),
            findings: Findings::new(limits.findings),
        };
        let mut entries = 0_usize;
        let mut walk = WalkDir::new(dir)
            .follow_links(false)
            .max_depth(limits.path_depth.saturating_add(1))
            .sort_by_file_name()
            .min_depth(1)
            .into_iter();
        while let Some(entry) = walk.next() {
            entries += 1;
            if entries > limits.entries {
                let detail = format!("read {}", limits.entries);
                reader.findings.add(FindingKind::EntryLimit, "", detail);
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(dir.as_std_path());
                    let path = path.strip_prefix(dir).unwrap_or(path);
                    reader.unreadable(&visible(&path.to_string_lossy()), &error.to_string());
                    continue;
                }
            };
            match reader.entry(&entry) {
                Next::Go => {}
                Next::SkipDirectory => walk.skip_current_dir(),
                Next::Stop => break,
            }
        }
        Ok(reader.files.finish(reader.bytes, reader.findings))
    }
}

enum Next {
    Go,
    SkipDirectory,
    Stop,
}

struct Reader<'a> {
    options: &'a DirectoryOptions,
    bytes: Vec<u8>,
    files: Files,
    findings: Findings,
}

impl Reader<'_> {
    fn entry(&mut self, entry: &walkdir::DirEntry) -> Next {
        let limits = &self.options.limits;
        // Between the root and an entry there are as many names as it is deep.
        let mut components: Vec<&std::ffi::OsStr> = entry
            .path()
            .components()
            .rev()
            .take(entry.depth())
            .map(|component| component.as_os_str())
            .collect();
        components.reverse();
        let texts: Vec<String> = components
            .iter()
            .map(|component| name::decode(component.as_encoded_bytes(), &mut self.findings))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let kind = entry.file_type();
        if let [top] = texts[..] {
            if self.options.skip.iter().any(|skipped| skipped == top) {
                self.files.omit(top, OmittedKind::Skipped);
                return if kind.is_dir() {
                    Next::SkipDirectory
                } else {
                    Next::Go
                };
            }
            if top == ".cargo-ok" && kind.is_file() {
                return Next::Go;
            }
        }
        let shown = visible(&texts.join("/"));
        let Some(path) = name::check(&texts, shown.clone(), limits, &mut self.findings) else {
            self.files.omit(&shown, OmittedKind::Misplaced);
            return if kind.is_dir() {
                Next::SkipDirectory
            } else {
                Next::Go
            };
        };
        if kind.is_dir() {
            return Next::Go;
        }
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            let target = visible(&target.to_string_lossy());
            self.findings
                .add(FindingKind::Symlink, &shown, format!("to `{target}`"));
            self.files.omit(&path, OmittedKind::Link(target));
            return Next::Go;
        }
        if !kind.is_file() {
            self.findings.add(FindingKind::Device, &shown, "");
            self.files.omit(&path, OmittedKind::Special);
            return Next::Go;
        }
        self.file(entry.path(), path, &shown)
    }

    fn file(&mut self, on_disk: &std::path::Path, path: String, shown: &str) -> Next {
        let limits = &self.options.limits;
        let start = self.bytes.len();
        let left = limits.unpacked_bytes.saturating_sub(start as u64);
        let most = limits.file_bytes.min(left).saturating_add(1);
        let read =
            File::open(on_disk).and_then(|file| file.take(most).read_to_end(&mut self.bytes));
        let length = match read {
            Ok(length) => length as u64,
            Err(error) => {
                self.bytes.truncate(start);
                self.unreadable(shown, &error.to_string());
                return Next::Go;
            }
        };
        if length > limits.file_bytes {
            self.bytes.truncate(start);
            // What it has now; the file was not read to its end.
            let bytes = fs::metadata(on_disk).map_or(length, |data| data.len());
            self.findings
                .add(FindingKind::FileLimit, shown, format!("{bytes} bytes"));
            let checksum = None;
            self.files
                .omit(&path, OmittedKind::TooLarge { bytes, checksum });
            return Next::Go;
        }
        if length > left {
            self.bytes.truncate(start);
            let detail = format!("read {} bytes", limits.unpacked_bytes);
            self.findings.add(FindingKind::UnpackedLimit, shown, detail);
            return Next::Stop;
        }
        self.files
            .add(path, start..self.bytes.len(), &mut self.findings);
        Next::Go
    }

    fn unreadable(&mut self, shown: &str, why: &str) {
        self.findings.add(FindingKind::Unreadable, shown, why);
        self.files.omit(shown, OmittedKind::Unreadable);
    }
}
