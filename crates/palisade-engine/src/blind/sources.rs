//! Source that is not there to be read: files that are missing or broken, what
//! build scripts write, and items that a macro would have written.

use palisade_model::{BlindSpot, BlindSpotCause, Location};
use palisade_project::UnitId;
use ra_ap_base_db::Crate;
use ra_ap_cfg::CfgExpr;
use ra_ap_hir_def::nameres::{
    crate_def_map,
    diagnostics::{DefDiagnostic, DefDiagnosticKind},
};
use ra_ap_hir_expand::{ExpandErrorKind, InFile, MacroCallKind};
use ra_ap_ide_db::{FileId, RootDatabase, base_db::SourceDatabase};
use ra_ap_syntax::{
    AstNode, SyntaxNode, TextRange,
    ast::{self, HasAttrs, HasName},
};
use rustc_hash::FxHashSet;

use super::{Entry, Finder, Live, gaps, is_lang};
use crate::{
    load::{self, Loaded},
    names::Names,
};

impl Finder<'_> {
    /// Files that could not be read. Nothing is known about their text:
    /// everything that the crate can name may be called.
    pub(super) fn broken(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for spot in &self.loaded.files.broken {
            let krate = self.unit_of_file(&spot.location.file).and_then(|unit| {
                self.loaded.crates[unit.0].filter(|krate| live.crates.contains(krate))
            });
            if let Some(krate) = krate {
                let found = self.everything(krate);
                let BlindSpot {
                    location,
                    cause,
                    detail,
                    ..
                } = spot.clone();
                entries.push(self.entry_of(location, cause, detail, found));
            }
        }
        entries
    }

    /// Modules whose file is missing or does not parse. What a missing file
    /// would call is unknown; of a broken one its own words are left.
    pub(super) fn unparsed(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for krate in self.own_crates(live) {
            for module in unparsed(self.db, self.loaded, self.names, krate) {
                let cause = BlindSpotCause::BrokenSource;
                let Some(file) = module.file else {
                    let found = self.everything(krate);
                    entries.push(self.entry_of(module.location, cause, module.detail, found));
                    continue;
                };
                let mut words = FxHashSet::default();
                let text = self.db.file_text(file);
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                words.extend(
                    text.text(self.db)
                        .split(|c| !is_word(c))
                        .filter(|word| !word.is_empty())
                        .map(str::to_owned),
                );
                entries.push(self.entry(krate, module.location, cause, module.detail, &words));
            }
        }
        entries
    }

    /// Files that include what their build script writes.
    pub(super) fn generated(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for path in self.loaded.files.generated() {
            let Some(unit) = self.unit_of_file(path.as_str()) else {
                continue;
            };
            let out_dir = load::out_dir(&self.units[unit.0].package_dir);
            if self.loaded.files.below(&out_dir).next().is_some() {
                continue;
            }
            let Some(krate) = self.loaded.crates[unit.0] else {
                continue;
            };
            if !live.crates.contains(&krate) || !self.includes_out_dir(krate, path) {
                continue;
            }
            let location = Location {
                file: self.names.shown(path),
                line: 1,
            };
            entries.extend(self.written_by_script(krate, location));
        }
        entries
    }

    /// What a crate's build script may write. A script that only holds text
    /// spells all that it writes; one that reads other files or hands them to
    /// a library may write calls of anything in its crate.
    fn written_by_script(&mut self, krate: Crate, location: Location) -> Option<Entry> {
        let unit = self
            .loaded
            .crates
            .iter()
            .position(|it| *it == Some(krate))?;
        let script = self.units[unit].build_script?;
        let mut words = self.vocabulary.of_build_script(script).clone();
        if self.vocabulary.reads_files(script) {
            words.extend(self.candidates.own_names(krate));
        }
        // What it writes may use macros, and those write more.
        for usable in self.vocabulary.usable_macros(UnitId(unit)) {
            words.extend(self.vocabulary.of_macros(usable).iter().cloned());
        }
        let detail = "includes what its build script writes".to_owned();
        let cause = BlindSpotCause::GeneratedSource;
        Some(self.entry(krate, location, cause, detail, &words))
    }

    /// Whether an `include!` of a file is compiled.
    fn includes_out_dir(&self, krate: Crate, path: &camino::Utf8Path) -> bool {
        let Some(id) = self.loaded.files.id(path) else {
            return false;
        };
        let file =
            ra_ap_ide_db::base_db::EditionedFileId::new(self.db, id, krate.data(self.db).edition);
        let tree = file.parse(self.db).tree();
        let calls = tree.syntax().descendants().filter_map(ast::MacroCall::cast);
        let mut including = calls.filter(|call| {
            let text = call.syntax().text();
            text.to_string().contains("include") && text.to_string().contains("OUT_DIR")
        });
        including.any(|call| {
            let range = call.syntax().text_range();
            is_compiled(self.db, krate, tree.syntax(), range)
        })
    }

    /// Macros in the place of items that could not be expanded or found: what
    /// they would have written is only known by the words of the call.
    pub(super) fn item_macros(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for krate in self.own_crates(live) {
            for diagnostic in crate_def_map(self.db, krate).diagnostics() {
                let Some((node, generated, detail)) = self.failed_macro(diagnostic) else {
                    continue;
                };
                let Some(location) = self.names.node_location(node.as_ref()) else {
                    continue;
                };
                if generated && let Some(entry) = self.written_by_script(krate, location.clone()) {
                    entries.push(entry);
                    continue;
                }
                let mut words = FxHashSet::default();
                gaps::collect(&node.value, &mut words);
                let cause = BlindSpotCause::ExpansionFailed;
                entries.push(self.entry(krate, location, cause, detail, &words));
            }
        }
        entries
    }

    /// The call of a macro that name resolution gave up on, whether a file was
    /// missing for it, and what went wrong.
    fn failed_macro(
        &self,
        diagnostic: &DefDiagnostic,
    ) -> Option<(InFile<SyntaxNode>, bool, String)> {
        match &diagnostic.kind {
            DefDiagnosticKind::MacroError { ast, path, err } => {
                let node = ast.to_node(self.db).syntax().clone();
                let reason = match err {
                    ExpandErrorKind::Other(reason) => reason.to_string(),
                    ExpandErrorKind::Mbe(error) => error.to_string(),
                    // Recorded with the use of the procedural macro.
                    _ => return None,
                };
                let missing = reason.starts_with("failed to load file");
                let name = path.segments().last()?.as_str().to_owned();
                Some((
                    InFile::new(ast.file_id, node),
                    missing,
                    format!("macro `{name}`: {reason}"),
                ))
            }
            DefDiagnosticKind::UnresolvedMacroCall { ast, path } => {
                let (file, node) = match ast {
                    MacroCallKind::FnLike { ast_id, .. } => {
                        (ast_id.file_id, ast_id.to_node(self.db).syntax().clone())
                    }
                    MacroCallKind::Derive { ast_id, .. } => {
                        (ast_id.file_id, ast_id.to_node(self.db).syntax().clone())
                    }
                    MacroCallKind::Attr { ast_id, .. } => {
                        (ast_id.file_id, ast_id.to_node(self.db).syntax().clone())
                    }
                };
                let name = path.segments().last()?.as_str().to_owned();
                Some((
                    InFile::new(file, node),
                    false,
                    format!("macro `{name}` is not defined anywhere"),
                ))
            }
            _ => None,
        }
    }

    /// The live crates outside of the standard library, in a stable order.
    pub(super) fn own_crates(&self, live: &Live) -> Vec<Crate> {
        let mut crates: Vec<Crate> = live.crates.iter().copied().collect();
        crates.retain(|krate| !is_lang(self.db, *krate));
        crates.sort();
        crates
    }
}

/// A module whose source is not what it should be.
pub(crate) struct Unparsed {
    pub(crate) location: Location,
    pub(crate) detail: String,
    /// The file that does not parse; `None` when it is missing.
    file: Option<FileId>,
}

/// The modules of a crate whose file is missing or does not parse.
pub(crate) fn unparsed(
    db: &RootDatabase,
    loaded: &Loaded,
    names: &Names<'_>,
    krate: Crate,
) -> Vec<Unparsed> {
    let mut found = Vec::new();
    let map = crate_def_map(db, krate);
    for diagnostic in map.diagnostics() {
        if let DefDiagnosticKind::UnresolvedModule { ast, .. } = &diagnostic.kind {
            let node = ast.to_node(db);
            let name = node.name().map(|name| name.text().to_string());
            let location = names.node_location(InFile::new(ast.file_id, node.syntax()));
            found.extend(location.map(|location| Unparsed {
                location,
                detail: format!(
                    "the file of module `{}` is missing",
                    name.unwrap_or_default()
                ),
                file: None,
            }));
        }
    }
    for (_, module) in map.modules() {
        let Some(file) = module.origin.file_id() else {
            continue;
        };
        let Some(errors) = file.parse_errors(db) else {
            continue;
        };
        let tree = file.parse(db).tree();
        let compiled = |range| is_compiled(db, krate, tree.syntax(), range);
        if !errors.iter().any(|error| compiled(error.range())) {
            continue;
        }
        let id = file.file_id(db);
        found.extend(loaded.files.path(id).map(|path| Unparsed {
            location: Location {
                file: names.shown(path),
                line: 1,
            },
            detail: "does not parse".to_owned(),
            file: Some(id),
        }));
    }
    found
}

/// Whether the part of a file is compiled at all: no `#[cfg]` around it
/// switches it off.
fn is_compiled(db: &RootDatabase, krate: Crate, root: &SyntaxNode, range: TextRange) -> bool {
    let options = krate.cfg_options(db);
    let off = |owner: ast::AnyHasAttrs| {
        owner.attrs().any(|attr| {
            let Some(ast::Meta::CfgMeta(meta)) = attr.meta() else {
                return false;
            };
            meta.cfg_predicate().is_some_and(|predicate| {
                options.check(&CfgExpr::parse_from_ast(predicate)) == Some(false)
            })
        })
    };
    let range = root.text_range().intersect(range).unwrap_or_default();
    root.covering_element(range)
        .ancestors()
        .filter_map(ast::AnyHasAttrs::cast)
        .all(|owner| !off(owner))
}
