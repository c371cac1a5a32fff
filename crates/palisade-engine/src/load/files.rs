//! Reading source files, which may be hostile: huge, deeply nested, looping
//! through links, or not text at all.

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::{BlindSpot, BlindSpotCause, Location};
use ra_ap_ide_db::{ChangeWithProcMacros, base_db::SourceRoot};
use ra_ap_paths::AbsPathBuf;
use ra_ap_vfs::{FileId, VfsPath, file_set::FileSet};
use rustc_hash::{FxHashMap, FxHashSet};

use palisade_project::PackageFiles as _;

use super::{auto_traits, edition_2015, package::Package};
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

/// How the files of a package are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// As they stand.
    AsItStands,
    /// As those of a crate of the standard library.
    Sysroot,
    /// As those of a package of the 2015 edition.
    Edition2015,
}

/// A package whose files are read, and how.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The package.
    pub(crate) package: &'a Package,
    /// How its files are read.
    pub(crate) treatment: Treatment,
    /// Bounds on them.
    pub(crate) limits: &'a Limits,
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
    /// The directories of the packages that were read.
    pub(super) packages: FxHashSet<Utf8PathBuf>,
    /// Files that include what a build script writes.
    generated: Vec<Utf8PathBuf>,
    /// Files with attributes that make the linker keep an item on its own.
    kept: Vec<FileId>,
    /// Files that could not be read or parsed.
    pub(crate) broken: Vec<BlindSpot>,
    /// The names of the files that are known to be generated, by package.
    known_generated: FxHashMap<Utf8PathBuf, Vec<String>>,
}

impl Files {
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

    /// Reads every Rust file of a package as one source root. Generated files
    /// are added as if they stood there.
    pub(crate) fn load_root(
        &mut self,
        dir: &Utf8Path,
        reading: Reading<'_>,
        skip: &dyn Fn(&Path) -> bool,
        generated: &Generated,
        change: &mut ChangeWithProcMacros,
    ) {
        let Reading {
            package, limits, ..
        } = reading;
        let mut set = FileSet::default();
        let known = self.generated.len();
        for path in package.sources(skip, limits) {
            self.load_file(path, reading, &mut set, change);
        }
        if !package.is_complete() {
            self.broken
                .push(broken(dir, "the archive exceeds a limit".to_owned()));
        }
        for (path, text) in &generated.known {
            self.add(path.clone(), text.clone(), &mut set, change);
        }
        if !generated.known.is_empty() {
            let names = generated.known.iter();
            let names = names.filter_map(|(path, _)| path.strip_prefix(super::out_dir(dir)).ok());
            let names = names.map(|name| name.to_string()).collect();
            self.known_generated.insert(dir.to_owned(), names);
        }
        if !generated.written.is_empty() {
            let includers = self.generated.split_off(known);
            let names: Vec<String> = includers
                .iter()
                .flat_map(|path| included_names(&read(package, path, limits).0))
                .collect();
            for dir in &generated.written {
                self.load_written(dir, reading, &names, &mut set, change);
            }
            self.generated.truncate(known);
        }
        self.roots.push(SourceRoot::new_library(set));
    }

    /// Takes note of a package of which nothing can be read.
    pub(crate) fn unreadable(&mut self, dir: &Utf8Path, problem: String) {
        self.broken.push(broken(dir, problem));
    }

    /// The names of the files that are known to be generated for a package.
    pub(crate) fn known_generated(&self, dir: &Utf8Path) -> &[String] {
        self.known_generated.get(dir).map_or(&[], Vec::as_slice)
    }

    /// Reads the source files that a build script has written into `dir`:
    /// those that look like source, and those with one of the names. A build
    /// script may leave much else, whole C libraries say.
    fn load_written(
        &mut self,
        dir: &Utf8Path,
        reading: Reading<'_>,
        names: &[String],
        set: &mut FileSet,
        change: &mut ChangeWithProcMacros,
    ) {
        let limits = reading.limits;
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
                self.load_file(path.to_owned(), reading, set, change);
            }
        }
    }

    fn load_file(
        &mut self,
        path: Utf8PathBuf,
        reading: Reading<'_>,
        set: &mut FileSet,
        change: &mut ChangeWithProcMacros,
    ) {
        let Reading {
            package,
            treatment,
            limits,
        } = reading;
        if self.ids.contains_key(&path) {
            return;
        }
        let (mut text, problem) = read(package, &path, limits);
        match treatment {
            Treatment::AsItStands => {}
            Treatment::Sysroot => text.push_str(&auto_traits::given(&text)),
            Treatment::Edition2015 => text = edition_2015::name_parameters(&text),
        }
        if let Some(problem) = problem {
            self.broken.push(broken(&path, problem));
        }
        if includes_out_dir(&text) {
            self.generated.push(path.clone());
        }
        let included = included(package, &path, &text);
        self.add(path, text, set, change);
        for path in included {
            self.load_file(path, reading, set, change);
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
fn included(package: &Package, path: &Utf8Path, text: &str) -> Vec<Utf8PathBuf> {
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
        if file.extension() != Some("rs") && package.contains(&file) {
            found.push(file);
        }
    }
    found
}

/// What is wrong with a file.
fn broken(path: &Utf8Path, problem: String) -> BlindSpot {
    BlindSpot {
        location: Location {
            file: path.to_string(),
            line: 1,
        },
        cause: BlindSpotCause::BrokenSource,
        detail: problem,
        may_reach: Vec::new(),
    }
}

/// The text of a file, and what is wrong with it.
fn read(package: &Package, path: &Utf8Path, limits: &Limits) -> (String, Option<String>) {
    let bytes = match package.bytes(path, limits.file_bytes) {
        Ok(bytes) => bytes,
        Err(problem) => return (String::new(), Some(problem)),
    };
    if nesting(&bytes) > limits.nesting {
        let problem = format!("nested deeper than the limit of {}", limits.nesting);
        return (String::new(), Some(problem));
    }
    match String::from_utf8(bytes) {
        // As the compiler reads it: a carriage return by itself is an error in
        // comments and strings.
        Ok(text) if text.contains("\r\n") => (text.replace("\r\n", "\n"), None),
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
