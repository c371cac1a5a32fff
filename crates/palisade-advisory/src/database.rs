//! A directory of advisories, read lazily.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

use crate::parse::parse;
use crate::{Advisory, Collection, DatabaseDiagnostic, DatabaseError};

/// Bounds on what is read from a database.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest advisory file, in bytes. The largest published one has
    /// some 15 KB.
    pub file_bytes: u64,
    /// The most entries in any one directory. The database has about a
    /// thousand packages.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes: 1 << 20,
            entries: 100_000,
        }
    }
}

/// An advisory database: a directory with `crates/<package>/<id>.md` and
/// `rust/<component>/<id>.md`.
///
/// Opening it only lists the two directories; a package's directory is listed
/// and its files are read when the package is asked for. Symbolic links inside
/// the database are not followed.
#[derive(Clone, Debug)]
pub struct Database {
    dir: Utf8PathBuf,
    limits: Limits,
    crates: BTreeMap<String, Utf8PathBuf>,
    rust: BTreeMap<String, Utf8PathBuf>,
}

impl Database {
    /// Opens the database in a directory, and says what of it is unusable.
    ///
    /// # Errors
    /// When the directory is absent, is no database, or holds no advisories.
    pub fn open(
        dir: &Utf8Path,
        limits: &Limits,
    ) -> Result<(Database, Vec<DatabaseDiagnostic>), DatabaseError> {
        match fs::metadata(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DatabaseError::Missing {
                    dir: dir.to_owned(),
                });
            }
            Err(source) => {
                return Err(DatabaseError::List {
                    dir: dir.to_owned(),
                    source,
                });
            }
            Ok(_) => {}
        }
        let mut diagnostics = Vec::new();
        let mut packages = |collection: Collection| {
            let dir = dir.join(collection.as_str());
            match fs::symlink_metadata(&dir) {
                Ok(metadata) if metadata.is_dir() => {
                    directories(&dir, limits, &mut diagnostics).map(Some)
                }
                _ => Ok(None),
            }
        };
        let Some(crates) = packages(Collection::Crates)? else {
            return Err(DatabaseError::NotADatabase {
                dir: dir.to_owned(),
            });
        };
        let rust = packages(Collection::Rust)?.unwrap_or_default();
        let database = Database {
            dir: dir.to_owned(),
            limits: limits.clone(),
            crates,
            rust,
        };
        if database.ids(&mut Vec::new()).next().is_none() {
            return Err(DatabaseError::Empty {
                dir: dir.to_owned(),
            });
        }
        Ok((database, diagnostics))
    }

    /// The directory that it was opened in.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// How many advisories it holds, by their file names; none is read.
    pub fn count(&self) -> usize {
        self.ids(&mut Vec::new()).count()
    }

    /// The advisories about published packages of these names, in the order
    /// of the names and then of the ids. Names without advisories are fine.
    pub fn advisories_for<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> (Vec<Advisory>, Vec<DatabaseDiagnostic>) {
        let mut reader = Reader::new(&self.limits);
        for name in names {
            // The listing is asked, not the file system: a name cannot escape
            // the database, and case counts wherever the database lies.
            if let Some(dir) = self.crates.get(name) {
                reader.read_package(Collection::Crates, name, dir);
            }
        }
        reader.finish()
    }

    /// The advisories about the standard library and the toolchain.
    pub fn toolchain_advisories(&self) -> (Vec<Advisory>, Vec<DatabaseDiagnostic>) {
        let mut reader = Reader::new(&self.limits);
        for (name, dir) in &self.rust {
            reader.read_package(Collection::Rust, name, dir);
        }
        reader.finish()
    }

    /// Every advisory of the database.
    pub fn all(&self) -> (Vec<Advisory>, Vec<DatabaseDiagnostic>) {
        let mut reader = Reader::new(&self.limits);
        for (collection, name, dir) in self.packages() {
            reader.read_package(collection, name, dir);
        }
        reader.finish()
    }

    /// The advisory of this id, read alone. An alias (`CVE-…`) is looked up
    /// by reading every advisory.
    pub fn find(&self, id: &str) -> (Option<Advisory>, Vec<DatabaseDiagnostic>) {
        let mut diagnostics = Vec::new();
        let place = self
            .ids(&mut diagnostics)
            .find(|(.., file)| file.file_stem() == Some(id));
        if let Some((collection, package, file)) = place {
            let mut reader = Reader::new(&self.limits);
            reader.read_file(collection, package, &file);
            let (mut advisories, found) = reader.finish();
            return (advisories.pop(), found);
        }
        let (advisories, diagnostics) = self.all();
        let named = |advisory: &Advisory| advisory.aliases.iter().any(|alias| alias == id);
        (advisories.into_iter().find(named), diagnostics)
    }

    fn packages(&self) -> impl Iterator<Item = (Collection, &String, &Utf8PathBuf)> {
        let crates = self
            .crates
            .iter()
            .map(|(name, dir)| (Collection::Crates, name, dir));
        crates.chain(
            self.rust
                .iter()
                .map(|(name, dir)| (Collection::Rust, name, dir)),
        )
    }

    /// The files of all advisories, without reading one.
    fn ids<'a>(
        &'a self,
        diagnostics: &'a mut Vec<DatabaseDiagnostic>,
    ) -> impl Iterator<Item = (Collection, &'a str, Utf8PathBuf)> {
        self.packages().flat_map(|(collection, name, dir)| {
            let files = advisory_files(dir, name, &self.limits, diagnostics);
            files
                .into_iter()
                .map(move |file| (collection, name.as_str(), file))
        })
    }
}

const SYMBOLIC_LINK: &str = "it is a symbolic link, which is not followed";

/// The directories in a directory, by name.
fn directories(
    dir: &Utf8Path,
    limits: &Limits,
    diagnostics: &mut Vec<DatabaseDiagnostic>,
) -> Result<BTreeMap<String, Utf8PathBuf>, DatabaseError> {
    let list = |source| DatabaseError::List {
        dir: dir.to_owned(),
        source,
    };
    let mut found = BTreeMap::new();
    for (seen, entry) in dir.read_dir_utf8().map_err(list)?.enumerate() {
        if seen >= limits.entries {
            return Err(DatabaseError::TooLarge {
                dir: dir.to_owned(),
                limit: limits.entries,
            });
        }
        // A name that is not UTF-8 is no package's name.
        let Ok(entry) = entry else { continue };
        let file_type = entry.file_type().map_err(list)?;
        if file_type.is_dir() {
            found.insert(entry.file_name().to_owned(), entry.into_path());
        } else if file_type.is_symlink() {
            let package = Some(entry.file_name().to_owned());
            let message = SYMBOLIC_LINK.to_owned();
            diagnostics.push(DatabaseDiagnostic {
                file: entry.into_path(),
                package,
                message,
            });
        }
    }
    diagnostics.sort();
    Ok(found)
}

/// The advisory files of one package, sorted. Whatever has another extension
/// is no advisory.
fn advisory_files(
    dir: &Utf8Path,
    package: &str,
    limits: &Limits,
    diagnostics: &mut Vec<DatabaseDiagnostic>,
) -> Vec<Utf8PathBuf> {
    let mut diagnose = |file: &Utf8Path, message: String| {
        let package = Some(package.to_owned());
        diagnostics.push(DatabaseDiagnostic {
            file: file.to_owned(),
            package,
            message,
        });
    };
    let entries = match dir.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) => {
            diagnose(dir, format!("it cannot be listed: {error}"));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for (seen, entry) in entries.enumerate() {
        if seen >= limits.entries {
            diagnose(
                dir,
                format!(
                    "it holds more than {} entries; the rest is left out",
                    limits.entries
                ),
            );
            break;
        }
        let Ok(entry) = entry else { continue };
        if entry.path().extension() != Some("md") {
            continue;
        }
        match entry.file_type() {
            Ok(file_type) if file_type.is_file() => files.push(entry.into_path()),
            Ok(file_type) if file_type.is_symlink() => {
                diagnose(entry.path(), SYMBOLIC_LINK.to_owned());
            }
            Ok(_) => diagnose(entry.path(), "it is not a file".to_owned()),
            Err(error) => diagnose(entry.path(), format!("it cannot be inspected: {error}")),
        }
    }
    files.sort();
    files
}

/// Collects advisories, and what kept others from being read.
struct Reader<'a> {
    limits: &'a Limits,
    advisories: Vec<Advisory>,
    diagnostics: Vec<DatabaseDiagnostic>,
}

impl<'a> Reader<'a> {
    fn new(limits: &'a Limits) -> Reader<'a> {
        Reader {
            limits,
            advisories: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    fn finish(self) -> (Vec<Advisory>, Vec<DatabaseDiagnostic>) {
        (self.advisories, self.diagnostics)
    }

    fn read_package(&mut self, collection: Collection, package: &str, dir: &Utf8Path) {
        for file in advisory_files(dir, package, self.limits, &mut self.diagnostics) {
            self.read_file(collection, package, &file);
        }
    }

    fn read_file(&mut self, collection: Collection, package: &str, file: &Utf8Path) {
        let advisory = read_text(file, self.limits.file_bytes)
            .and_then(|text| parse(&text, file, collection, package).map_err(|e| e.to_string()));
        match advisory {
            Ok(advisory) => {
                for function in &advisory.functions {
                    if let Err(error) = &function.path {
                        self.diagnose(package, file, unreadable_path(&function.text, error));
                    }
                }
                self.advisories.push(advisory);
            }
            Err(message) => self.diagnose(package, file, message),
        }
    }

    fn diagnose(&mut self, package: &str, file: &Utf8Path, message: String) {
        let (file, package) = (file.to_owned(), Some(package.to_owned()));
        self.diagnostics.push(DatabaseDiagnostic {
            file,
            package,
            message,
        });
    }
}

fn unreadable_path(text: &str, error: &crate::PathError) -> String {
    format!("it names a function by a path that cannot be read, `{text}`: {error}")
}

/// Reads a file, but never more than the limit: its size may lie or change.
fn read_text(file: &Utf8Path, limit: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(format!("it cannot be read: {error}"));
    }
    if bytes.len() as u64 > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
