//! Which of a package's crates each Rust file belongs to.
//!
//! What counts is when code runs, and for whom: a build script runs on the
//! machine of whoever builds, a library in every program that uses it. Files
//! are followed from the crates' roots as the compiler does it, through `mod`,
//! `#[path]` and `include!`, so that a build script's module is found wherever
//! it lies.

use std::collections::{BTreeMap, BTreeSet};

use palisade_index::{Manifest, TargetKind};

use super::file::SourceFile;
use super::items::ModuleFile;

/// When code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// On the machine of whoever builds the package or depends on it.
    BuildScript,
    /// In the compiler of whoever depends on it.
    ProcMacro,
    /// In a program that depends on it.
    Library,
    /// When somebody starts the program.
    Binary,
    /// When somebody tries an example.
    Example,
    /// In a test or benchmark.
    Test,
    /// In none of the package's crates: nothing leads to the file.
    Loose,
}

impl Unit {
    /// How messages say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Unit::BuildScript => "the build script",
            Unit::ProcMacro => "the procedural macro",
            Unit::Library => "the library",
            Unit::Binary => "the program",
            Unit::Example => "an example",
            Unit::Test => "a test",
            Unit::Loose => "a file outside of every crate",
        }
    }

    /// Whether it runs while something is built.
    pub(crate) fn is_build(self) -> bool {
        matches!(self, Unit::BuildScript | Unit::ProcMacro)
    }
}

/// The crates that each file belongs to.
#[derive(Debug, Default)]
pub(crate) struct Units {
    of_file: BTreeMap<String, BTreeSet<Unit>>,
}

impl Units {
    /// The most telling of the file's crates: one that runs at build time
    /// before others.
    pub(crate) fn of(&self, path: &str) -> Unit {
        self.of_file
            .get(path)
            .and_then(|units| units.first().copied())
            .unwrap_or(Unit::Loose)
    }

    /// Follows the modules of the manifest's crates.
    pub(crate) fn find(manifest: Option<&Manifest>, files: &[SourceFile<'_>]) -> Units {
        let by_path: BTreeMap<&str, &SourceFile<'_>> =
            files.iter().map(|file| (file.path, file)).collect();
        let mut roots: Vec<(Unit, String)> = Vec::new();
        match manifest {
            Some(manifest) => {
                for target in manifest.targets(by_path.keys().copied()) {
                    let unit = match target.kind {
                        TargetKind::BuildScript => Unit::BuildScript,
                        TargetKind::ProcMacro => Unit::ProcMacro,
                        TargetKind::Library => Unit::Library,
                        TargetKind::Binary => Unit::Binary,
                        TargetKind::Example => Unit::Example,
                        TargetKind::Test | TargetKind::Benchmark => Unit::Test,
                    };
                    roots.push((unit, target.path));
                }
            }
            // Without a manifest that can be read, the usual places count.
            None => {
                let usual = [
                    (Unit::BuildScript, "build.rs"),
                    (Unit::Library, "src/lib.rs"),
                    (Unit::Binary, "src/main.rs"),
                ];
                roots.extend(usual.map(|(unit, path)| (unit, path.to_owned())));
            }
        }
        let mut units = Units::default();
        let mut queue: Vec<(Unit, String, bool)> = roots
            .into_iter()
            .map(|(unit, path)| (unit, path, true))
            .collect();
        while let Some((unit, path, is_root)) = queue.pop() {
            let Some(file) = by_path.get(path.as_str()) else {
                continue;
            };
            if !units.of_file.entry(path.clone()).or_default().insert(unit) {
                continue;
            }
            for module in &file.outline.modules {
                let inner = if module.test { Unit::Test } else { unit };
                for candidate in candidates(&path, is_root, module) {
                    queue.push((inner, candidate, false));
                }
            }
            for included in &file.outline.includes {
                queue.push((unit, joined(directory(&path), included), false));
            }
        }
        units
    }
}

/// Where a module's file may be.
fn candidates(file: &str, is_root: bool, module: &ModuleFile) -> Vec<String> {
    let here = directory(file);
    let name = file.rsplit('/').next().unwrap_or(file);
    // `a.rs` keeps its modules in `a`, a root and `mod.rs` beside themselves.
    let own = match name.strip_suffix(".rs") {
        Some(stem) if !is_root && name != "mod.rs" => joined(here, stem),
        _ => here.to_owned(),
    };
    let base = module
        .inside
        .iter()
        .fold(own, |base, inside| joined(&base, inside));
    let mut candidates: Vec<String> = module
        .paths
        .iter()
        .map(|path| {
            let from = if module.inside.is_empty() {
                here
            } else {
                &base
            };
            joined(from, path)
        })
        .collect();
    candidates.push(joined(&base, &format!("{}.rs", module.name)));
    candidates.push(joined(&base, &format!("{}/mod.rs", module.name)));
    candidates
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// `path` from `base`, without `.` and `..`. What leads out of the package
/// leads nowhere.
pub(crate) fn joined(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Present, Vocabulary};

    struct NoWords;

    impl Vocabulary for NoWords {
        fn number(&self, _: &str) -> Option<usize> {
            None
        }

        fn is_notable(&self, _: &Present) -> bool {
            false
        }
    }

    /// Guards that what a build script leads to counts as a build script,
    /// wherever it lies: hiding it in a module was used against scanners.
    #[test]
    fn modules_of_a_build_script() {
        let manifest = Manifest::parse(
            "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
        )
        .unwrap();
        let files = [
            (
                "build.rs",
                "#[path = \"src/helper/fetch.rs\"] mod fetch; include!(\"inc/more.rs\");",
            ),
            ("inc/more.rs", ""),
            (
                "src/lib.rs",
                "mod a; #[cfg(test)] mod t; pub mod outer { mod inner; }",
            ),
            ("src/a.rs", "mod b;"),
            ("src/a/b.rs", ""),
            ("src/t.rs", ""),
            ("src/outer/inner.rs", ""),
            ("src/helper/fetch.rs", ""),
            ("src/unused.rs", ""),
            ("examples/e.rs", ""),
        ];
        let files: Vec<SourceFile<'_>> = files
            .iter()
            .map(|(path, text)| SourceFile::read(path, text.as_bytes(), &NoWords))
            .collect();
        let units = Units::find(Some(&manifest), &files);
        let shown: Vec<_> = files.iter().map(|file| units.of(file.path)).collect();
        assert_eq!(
            shown,
            [
                Unit::BuildScript,
                Unit::BuildScript,
                Unit::Library,
                Unit::Library,
                Unit::Library,
                Unit::Test,
                Unit::Library,
                Unit::BuildScript,
                Unit::Loose,
                Unit::Example,
            ]
        );
    }
}
