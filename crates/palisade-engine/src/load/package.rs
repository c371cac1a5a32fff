//! A package's files, as they lie in a directory or in its archive.
//!
//! The archive of a published version stands in a path where its directory
//! would: `…/demo-1.0.0.crate/src/lib.rs`. It is read into memory and nothing
//! of it is ever written to the disk, so that no path in it can lead anywhere.

use std::path::Path;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use palisade_archive::{CrateArchive, ReadOptions, SourceTree};
use palisade_project::PackageFiles;

use crate::api::Limits;

/// Where the files of a package are read from.
pub(crate) enum Package {
    /// A directory.
    Directory(Utf8PathBuf),
    /// An archive, and its files.
    Archive(Utf8PathBuf, Box<SourceTree>),
}

impl Package {
    /// The package at `path`; what is wrong with an archive that cannot be
    /// read.
    pub(crate) fn open(path: &Utf8Path) -> Result<Package, String> {
        if !path.is_file() {
            return Ok(Package::Directory(path.to_owned()));
        }
        let archive = CrateArchive::open(path, &ReadOptions::lenient());
        let archive = archive.map_err(|error| error.to_string())?;
        let tree = Box::new(archive.into_tree());
        Ok(Package::Archive(path.to_owned(), tree))
    }

    /// Whether an archive was cut short by a limit; directories have limits of
    /// their own.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Package::Directory(_) => true,
            Package::Archive(_, tree) => tree.is_complete(),
        }
    }

    /// Every Rust file, in order, but for those in hidden directories and in
    /// those that `skip` names. Links to directories are not followed: a loop
    /// would never end, and what lies outside the package is not its source.
    pub(crate) fn sources(
        &self,
        skip: &dyn Fn(&Path) -> bool,
        limits: &Limits,
    ) -> Vec<Utf8PathBuf> {
        match self {
            Package::Directory(dir) => {
                let walk = walkdir::WalkDir::new(dir)
                    .max_depth(limits.directory_depth)
                    .sort_by_file_name()
                    .into_iter()
                    .filter_entry(|entry| {
                        entry.depth() == 0
                            || !(entry.file_type().is_dir()
                                && (entry.file_name().as_encoded_bytes().starts_with(b".")
                                    || skip(entry.path())))
                    });
                walk.flatten()
                    .filter(|entry| {
                        // A link to a file is read: workspaces share modules
                        // that way.
                        entry.file_type().is_file()
                            || (entry.file_type().is_symlink() && entry.path().is_file())
                    })
                    .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok())
                    .filter(|path| path.extension() == Some("rs"))
                    .collect()
            }
            Package::Archive(root, tree) => {
                let wanted = |path: &&str| {
                    let directories = Utf8Path::new(path).ancestors().skip(1);
                    let mut directories = directories.filter(|dir| !dir.as_str().is_empty());
                    path.ends_with(".rs")
                        && !directories.any(|dir| {
                            dir.file_name().is_some_and(|name| name.starts_with('.'))
                                || skip(root.join(dir).as_std_path())
                        })
                };
                tree.paths()
                    .filter(wanted)
                    .map(|path| root.join(path))
                    .collect()
            }
        }
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn bytes(&self, path: &Utf8Path, limit: u64) -> Result<Vec<u8>, String> {
        let too_large = |bytes: u64| format!("{bytes} bytes, more than the limit of {limit}");
        if let Some((tree, path)) = self.inside(path) {
            let bytes = tree.get(&path).ok_or("it is not in the archive")?;
            return match bytes.len() as u64 > limit {
                true => Err(too_large(bytes.len() as u64)),
                false => Ok(bytes.to_vec()),
            };
        }
        let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if meta.len() > limit {
            return Err(too_large(meta.len()));
        }
        std::fs::read(path).map_err(unreadable)
    }

    /// A path inside of the archive, as the archive names it.
    fn inside(&self, path: &Utf8Path) -> Option<(&SourceTree, String)> {
        let Package::Archive(root, tree) = self else {
            return None;
        };
        let mut parts = Vec::new();
        for part in path.strip_prefix(root).ok()?.components() {
            match part {
                Utf8Component::Normal(part) => parts.push(part),
                Utf8Component::ParentDir => drop(parts.pop()),
                _ => {}
            }
        }
        Some((tree, parts.join("/")))
    }
}

impl PackageFiles for Package {
    fn text(&self, file: &Utf8Path, limit: u64) -> Option<String> {
        String::from_utf8(self.bytes(file, limit).ok()?).ok()
    }

    fn contains(&self, file: &Utf8Path) -> bool {
        match self.inside(file) {
            Some((tree, path)) => tree.contains(&path),
            None => file.is_file(),
        }
    }
}
