//! Reading source files, which may be hostile: huge, deeply nested, looping
//! through links, or not text at all.

use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::{BlindSpot, BlindSpotCause, Location};
use ra_ap_ide_db::{ChangeWithProcMacros, base_db::SourceRoot};
use ra_ap_paths::AbsPathBuf;
use ra_ap_vfs::{FileId, VfsPath, file_set::FileSet};
use rustc_hash::FxHashMap;

use super::{auto_traits, edition_2015};
use crate::api::Limits;

/// Attributes that make the linker keep an item, or that let another language
/// call it.
const KEPT: [&str; 5] = [
    "no_mangle",
    "export_name",
    "global_allocator",
    "link_section",
    "#[used",
];

/// Directories whose files are not read as they stand.
#[derive(Default)]
pub(crate) struct Special {
    /// The standard library's crates.
    pub(crate) sysroot: Vec<Utf8PathBuf>,
    /// Packages of the 2015 edition.
    pub(crate) edition_2015: Vec<Utf8PathBuf>,
}

/// What build scripts contribute to a package's source.
#[derive(Default)]
pub(crate) struct Generated {
    /// Files that are known without running anything, by the paths that they
    /// are included by.
    pub(crate) known: Vec<(Utf8PathBuf, String)>,
    /// Directories that a build script has really written into. Where there is
    /// one, nothing about the package's generated source stays open.
    pub(crate) written: Vec<Utf8PathBuf>,
}

/// Endings of what a build script writes for `include!`.
const SOURCES: [&str; 3] = ["rs", "in", "inc"];

/// The files of an engine, by the ids that its database uses.
#[derive(Default)]
pub(crate) struct Files {
    paths: Vec<Utf8PathBuf>,
    ids: FxHashMap<Utf8PathBuf, FileId>,
    roots: Vec<SourceRoot>,
    /// Directories whose files are not read as they stand.
    special: Special,
    /// Files that include what a build script writes.
    generated: Vec<Utf8PathBuf>,
    /// Files with attributes that make the linker keep an item on its own.
    kept: Vec<FileId>,
    /// Files that could not be read or parsed.
    pub(crate) broken: Vec<BlindSpot>,
}

impl Files {
    /// No files yet.
    pub(crate) fn new(special: Special) -> Self {
        Self {
            special,
            ..Self::default()
        }
    }

    pub(crate) fn path(&self, id: FileId) -> Option<&Utf8Path> {
        self.paths
            .get(id.index() as usize)
            .map(Utf8PathBuf::as_path)
    }

    pub(crate) fn id(&self, path: &Utf8Path) -> Option<FileId> {
        self.ids.get(path).copied()
    }

    /// Files that include what a build script writes.
    pub(crate) fn generated(&self) -> impl Iterator<Item = &Utf8Path> {
        self.generated.iter().map(Utf8PathBuf::as_path)
    }

    /// Files with attributes that make the linker keep an item on its own
    /// account.
    pub(crate) fn kept(&self) -> &[FileId] {
        &self.kept
    }

    /// Every file of a package.
    pub(crate) fn below(&self, dir: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
        self.paths
            .iter()
            .map(Utf8PathBuf::as_path)
            .filter(move |path| path.starts_with(dir))
    }

    pub(crate) fn take_roots(&mut self) -> Vec<SourceRoot> {
        std::mem::take(&mut self.roots)
    }

    /// Reads every Rust file below `dir` as one source root. Links to
    /// directories are not followed: a loop would never end, and what lies
    /// outside the package is not its source. Generated files are added as if
    /// they stood there.
    pub(crate) fn load_root(
        &mut self,
        dir: &Utf8Path,
        skip: &dyn Fn(&Path) -> bool,
        generated: &Generated,
        change: &mut ChangeWithProcMacros,
        limits: &Limits,
    ) {
        let mut set = FileSet::default();
        let known = self.generated.len();
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
        for entry in walk.flatten() {
            // A link to a file is read: workspaces share modules that way.
            let is_file = entry.file_type().is_file()
                || (entry.file_type().is_symlink() && entry.path().is_file());
            if is_file && entry.path().extension().is_some_and(|ext| ext == "rs") {
                let Ok(path) = Utf8PathBuf::from_path_buf(PathBuf::from(entry.path())) else {
                    continue;
                };
                self.load_file(path, &mut set, change, limits);
            }
        }
        for (path, text) in &generated.known {
            self.add(path.clone(), text.clone(), &mut set, change);
        }
        if !generated.written.is_empty() {
            let includers = self.generated.split_off(known);
            let names: Vec<String> = includers
                .iter()
                .flat_map(|path| included_names(&read(path, limits).0))
                .collect();
            for dir in &generated.written {
                self.load_written(dir, &names, &mut set, change, limits);
            }
            self.generated.truncate(known);
        }
        self.roots.push(SourceRoot::new_library(set));
    }

    /// Reads the source files that a build script has written into `dir`:
    /// those that look like source, and those with one of the names. A build
    /// script may leave much else, whole C libraries say.
    fn load_written(
        &mut self,
        dir: &Utf8Path,
        names: &[String],
        set: &mut FileSet,
        change: &mut ChangeWithProcMacros,
        limits: &Limits,
    ) {
        let walk = walkdir::WalkDir::new(dir)
            .max_depth(limits.directory_depth)
            .sort_by_file_name();
        for entry in walk.into_iter().flatten() {
            let Some(path) = Utf8Path::from_path(entry.path()) else {
                continue;
            };
            let is_source = path.extension().is_some_and(|ext| SOURCES.contains(&ext))
                || names.iter().any(|name| path.ends_with(name));
            if is_source && entry.file_type().is_file() {
                self.load_file(path.to_owned(), set, change, limits);
            }
        }
    }

    fn load_file(
        &mut self,
        path: Utf8PathBuf,
        set: &mut FileSet,
        change: &mut ChangeWithProcMacros,
        limits: &Limits,
    ) {
        if self.ids.contains_key(&path) {
            return;
        }
        let (mut text, problem) = read(&path, limits);
        let below = |dirs: &[Utf8PathBuf]| dirs.iter().any(|dir| path.starts_with(dir));
        if below(&self.special.sysroot) {
            text.push_str(&auto_traits::given(&text));
        } else if below(&self.special.edition_2015) {
            text = edition_2015::name_parameters(&text);
        }
        if let Some(problem) = problem {
            self.broken.push(BlindSpot {
                location: Location {
                    file: path.to_string(),
                    line: 1,
                },
                cause: BlindSpotCause::BrokenSource,
                detail: problem,
                may_reach: Vec::new(),
            });
        }
        if includes_out_dir(&text) {
            self.generated.push(path.clone());
        }
        let included = included(&path, &text);
        self.add(path, text, set, change);
        for path in included {
            self.load_file(path, set, change, limits);
        }
    }

    fn add(
        &mut self,
        path: Utf8PathBuf,
        text: String,
        set: &mut FileSet,
        change: &mut ChangeWithProcMacros,
    ) {
        let Ok(raw) = u32::try_from(self.paths.len()) else {
            return;
        };
        let id = FileId::from_raw(raw);
        if KEPT.iter().any(|attribute| text.contains(attribute)) {
            self.kept.push(id);
        }
        let absolute = AbsPathBuf::assert(path.clone());
        set.insert(id, VfsPath::from(absolute));
        change.change_file(id, Some(text));
        self.ids.insert(path.clone(), id);
        self.paths.push(path);
    }
}

/// Whether a file includes what a build script writes.
fn includes_out_dir(text: &str) -> bool {
    includes_of_out_dir(text).next().is_some()
}

/// The arguments of a file's includes of what a build script writes: `OUT_DIR`
/// stands in the arguments of an `include!`, not just anywhere, as it does in
/// the build script itself.
fn includes_of_out_dir(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("include!").filter_map(|(at, name)| {
        let rest = text[at + name.len()..].trim_start();
        let close = match rest.as_bytes().first() {
            Some(b'(') => ')',
            Some(b'[') => ']',
            Some(b'{') => '}',
            _ => return None,
        };
        let mut depth = 0usize;
        let end = rest.char_indices().find_map(|(at, c)| {
            depth += usize::from(matches!(c, '(' | '[' | '{'));
            depth -= usize::from(depth > 0 && matches!(c, ')' | ']' | '}'));
            (depth == 0 && c == close).then_some(at)
        });
        let arguments = &rest[..end.unwrap_or(rest.len())];
        arguments.contains("OUT_DIR").then_some(arguments)
    })
}

/// What the names of generated files that a file includes may end in, as in
/// `include!(concat!(env!("OUT_DIR"), "/name"))`.
fn included_names(text: &str) -> Vec<String> {
    let includes = includes_of_out_dir(text);
    let literals = includes.flat_map(|arguments| arguments.split('"').skip(1).step_by(2));
    literals
        .map(|name| name.trim_start_matches('/').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Files that a file includes by a literal path and that have another ending
/// than source files, which are read anyway.
fn included(path: &Utf8Path, text: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("include!(") {
        let rest = text[at + "include!(".len()..].trim_start();
        let Some(literal) = rest
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next())
        else {
            continue;
        };
        let file = path.parent().unwrap_or(path).join(literal);
        if file.extension() != Some("rs") && file.is_file() {
            found.push(file);
        }
    }
    found
}

/// The text of a file, and what is wrong with it.
fn read(path: &Utf8Path, limits: &Limits) -> (String, Option<String>) {
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > limits.file_bytes => {
            let problem = format!(
                "{} bytes, more than the limit of {}",
                meta.len(),
                limits.file_bytes
            );
            return (String::new(), Some(problem));
        }
        Ok(_) => {}
        Err(error) => return (String::new(), Some(format!("cannot be read: {error}"))),
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return (String::new(), Some(format!("cannot be read: {error}"))),
    };
    if nesting(&bytes) > limits.nesting {
        let problem = format!("nested deeper than the limit of {}", limits.nesting);
        return (String::new(), Some(problem));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            (text, Some("not valid UTF-8".to_owned()))
        }
    }
}

/// The deepest nesting of brackets; brackets in strings and comments count
/// too, which can only overstate it.
fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for byte in bytes {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
