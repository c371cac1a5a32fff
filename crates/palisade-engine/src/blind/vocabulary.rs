//! The words that unseen code can be made of.

use palisade_project::{Unit, UnitId, UnitKind};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode, ast};
use rustc_hash::{FxHashMap, FxHashSet};

/// Packages that every macro crate builds on and that write no code of their
/// own into its output.
const TOOLING: [&str; 6] = [
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
    "proc-macro-error",
    "proc-macro-error2",
];

/// What build scripts use that writes no Rust code: compilers of other
/// languages, and probes of the system.
const PROBES: [&str; 12] = [
    "autocfg",
    "cc",
    "cfg_aliases",
    "cmake",
    "nasm-rs",
    "pkg-config",
    "rustc_version",
    "rustversion",
    "semver",
    "target-lexicon",
    "vcpkg",
    "version_check",
];

/// How a build script's text shows that it reads files.
const READS: [&str; 6] = [
    "File::open",
    "fs::read",
    "glob",
    "include_bytes!",
    "include_str!",
    "read_to_string",
];

/// Words by the unit that writes the code.
pub(super) struct Vocabulary<'a> {
    units: &'a [Unit],
    by_macro: FxHashMap<UnitId, FxHashSet<String>>,
    by_script: FxHashMap<UnitId, FxHashSet<String>>,
}

impl<'a> Vocabulary<'a> {
    pub(super) fn new(units: &'a [Unit]) -> Self {
        Self {
            units,
            by_macro: FxHashMap::default(),
            by_script: FxHashMap::default(),
        }
    }

    /// What the macros of a unit can spell: identifiers inside its quoting
    /// macros and in string literals, and those of the crates it is built of.
    pub(super) fn of_macros(&mut self, unit: UnitId) -> &FxHashSet<String> {
        let units = self.units;
        self.by_macro.entry(unit).or_insert_with(|| {
            let mut words = FxHashSet::default();
            for unit in closure(units, Some(unit)) {
                collect(&units[unit.0], Part::Quoted, &mut words);
            }
            words
        })
    }

    /// The units of procedural macros that a unit can use: its own dependencies
    /// and what those re-export.
    pub(super) fn usable_macros(&self, unit: UnitId) -> Vec<UnitId> {
        let dependencies = |unit: UnitId| self.units[unit.0].deps.iter().map(|(_, dep)| *dep);
        let mut usable: Vec<UnitId> = dependencies(unit)
            .flat_map(|dep| dependencies(dep).chain([dep]))
            .filter(|dep| self.units[dep.0].kind == UnitKind::ProcMacro)
            .collect();
        usable.sort();
        usable.dedup();
        usable
    }

    /// Whether what a build script writes may come from elsewhere than from its
    /// own text: it reads files, or uses a library that may do.
    pub(super) fn reads_files(&self, script: UnitId) -> bool {
        let unit = &self.units[script.0];
        let library = unit.deps.iter().any(|(_, dep)| {
            let dep = &self.units[dep.0];
            dep.kind != UnitKind::Sysroot && !PROBES.contains(&dep.package.name.as_str())
        });
        library
            || std::fs::read_to_string(&unit.root_file)
                .map_or(true, |text| READS.iter().any(|sign| text.contains(sign)))
    }

    /// What a build script can spell: everything in it, and what the crates
    /// that it uses can write.
    pub(super) fn of_build_script(&mut self, script: UnitId) -> &FxHashSet<String> {
        let units = self.units;
        self.by_script.entry(script).or_insert_with(|| {
            let mut words = FxHashSet::default();
            collect_file(
                units[script.0].root_file.as_std_path(),
                Part::All,
                &mut words,
            );
            for (_, dep) in &units[script.0].deps {
                for unit in closure(units, Some(*dep)) {
                    collect(&units[unit.0], Part::Quoted, &mut words);
                }
            }
            words
        })
    }
}

fn closure(units: &[Unit], start: Option<UnitId>) -> Vec<UnitId> {
    let mut found = Vec::new();
    let mut stack: Vec<UnitId> = start.into_iter().collect();
    while let Some(unit) = stack.pop() {
        let this = &units[unit.0];
        if found.contains(&unit)
            || this.kind == UnitKind::Sysroot
            || TOOLING.contains(&this.package.name.as_str())
        {
            continue;
        }
        found.push(unit);
        stack.extend(this.deps.iter().map(|(_, dep)| *dep));
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Inside quoting macros and string literals.
    Quoted,
    /// Everywhere.
    All,
}

fn collect(unit: &Unit, part: Part, words: &mut FxHashSet<String>) {
    let src = unit.root_file.parent().unwrap_or(&unit.package_dir);
    for entry in walkdir::WalkDir::new(src)
        .max_depth(32)
        .sort_by_file_name()
        .into_iter()
        .flatten()
    {
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|ext| ext == "rs") {
            collect_file(entry.path(), part, words);
        }
    }
}

fn collect_file(path: &std::path::Path, part: Part, words: &mut FxHashSet<String>) {
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    if part == Part::Quoted && !text.contains("quote") && !text.contains("TokenStream") {
        return;
    }
    let file = SourceFile::parse(&text, Edition::Edition2024).tree();
    for node in file.syntax().descendants() {
        let quoting = ast::MacroCall::cast(node.clone()).is_some_and(|call| {
            part == Part::All
                || call
                    .path()
                    .and_then(|path| path.segment())
                    .is_some_and(|segment| segment.syntax().text().to_string().contains("quote"))
        });
        if quoting {
            identifiers(&node, words);
        }
    }
    for token in file
        .syntax()
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
    {
        match token.kind() {
            SyntaxKind::STRING => split(token.text(), words),
            SyntaxKind::IDENT if part == Part::All => {
                words.insert(token.text().to_owned());
            }
            _ => {}
        }
    }
}

fn identifiers(node: &SyntaxNode, words: &mut FxHashSet<String>) {
    for token in node
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
    {
        if token.kind() == SyntaxKind::IDENT {
            words.insert(token.text().to_owned());
        }
    }
}

/// The identifiers in a string literal: code is also made by parsing text.
fn split(text: &str, words: &mut FxHashSet<String>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for word in text.split(|c| !is_word(c)) {
        if !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()) {
            words.insert(word.to_owned());
        }
    }
}
