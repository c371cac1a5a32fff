//! Which unexpanded macro uses matter: those in code that the walk met.

use palisade_expand::MacroKind;
use palisade_model::Location;
use ra_ap_base_db::{Crate, relevant_crates};
use ra_ap_hir_def::{AdtId, DefWithBodyId, HasModule, nameres::crate_def_map};
use ra_ap_hir_ty::next_solver::{GenericArg, TyKind};
use ra_ap_ide_db::{RootDatabase, base_db::SourceDatabase};
use ra_ap_rustc_type_ir::inherent::IntoKind;
use ra_ap_syntax::{
    AstNode, Edition, SourceFile, TextSize,
    ast::{self, HasName},
};
use rustc_hash::FxHashSet;

use crate::{
    load::{Loaded, expander::MacroUse},
    names::{Definition, Names},
    walk::{Node, Walk},
};

pub(super) struct Uses<'a> {
    db: &'a RootDatabase,
    loaded: &'a Loaded,
    names: &'a Names<'a>,
    /// Where the functions are defined that the walk met.
    functions: FxHashSet<Location>,
    /// Types that the walk met, by crate and name.
    types: FxHashSet<(Crate, String)>,
}

impl<'a> Uses<'a> {
    pub(super) fn new(
        db: &'a RootDatabase,
        loaded: &'a Loaded,
        names: &'a Names<'a>,
        walk: &Walk<'_>,
    ) -> Self {
        let mut uses = Self {
            db,
            loaded,
            names,
            functions: FxHashSet::default(),
            types: FxHashSet::default(),
        };
        if loaded.macro_log.uses().is_empty() {
            return uses;
        }
        let mut seen = FxHashSet::default();
        let mut adts = FxHashSet::default();
        for node in &walk.nodes {
            match node {
                Node::Body(DefWithBodyId::FunctionId(f), args) => {
                    if seen.insert(*f)
                        && let Some(location) = names.definition_location(Definition::Function(*f))
                    {
                        uses.functions.insert(location);
                    }
                    adts_of(args.as_ref().iter(), &mut adts);
                }
                Node::Method(_, args) => adts_of(args.as_ref().iter(), &mut adts),
                Node::Drop(ty) => adts_of([ty.as_ref().into()].into_iter(), &mut adts),
                _ => {}
            }
        }
        uses.types = adts
            .into_iter()
            .map(|adt| (adt.module(db).krate(db), names.adt_name(adt)))
            .collect();
        uses
    }

    /// The place of a use.
    pub(super) fn place(&self, used: &MacroUse) -> Option<Location> {
        self.names.span(used.site)
    }

    /// The crates that a use belongs to: a package's library and its programs
    /// lie side by side, and may even share a file.
    pub(super) fn crates(&self, used: &MacroUse) -> Vec<Crate> {
        let file = used.site.anchor.file_id.file_id();
        let beside = relevant_crates(self.db, file);
        let has_module = |krate: &&Crate| {
            let map = crate_def_map(self.db, **krate);
            map.modules_for_file(self.db, file).next().is_some()
        };
        let own: Vec<Crate> = beside.iter().filter(has_module).copied().collect();
        // A file that is included is no module.
        if own.is_empty() { beside.to_vec() } else { own }
    }

    /// Whether the walk met what the macro stands in or on.
    pub(super) fn is_live(&self, used: &MacroUse, krate: Crate) -> bool {
        match used.kind {
            MacroKind::Derive => {
                let name = used
                    .words
                    .iter()
                    .zip(used.words.iter().skip(1))
                    .find(|(word, _)| matches!(word.as_str(), "struct" | "enum" | "union"))
                    .map(|(_, name)| name.clone());
                name.is_none_or(|name| self.types.contains(&(krate, name)))
            }
            // What an attribute writes beside its item need not be asked for.
            MacroKind::Attribute => true,
            MacroKind::Function => self
                .enclosing_function(used)
                .is_none_or(|at| self.functions.contains(&at)),
        }
    }

    /// Where the function is defined whose source the use stands in.
    fn enclosing_function(&self, used: &MacroUse) -> Option<Location> {
        let place = self.names.span(used.site)?;
        let file = used.site.anchor.file_id.file_id();
        let text = self.db.file_text(file);
        let text: &str = text.text(self.db);
        let line = usize::try_from(place.line).ok()?;
        let start: usize = text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let indent = text[start..].len() - text[start..].trim_start().len();
        let offset = TextSize::try_from(start + indent).ok()?;
        let tree = SourceFile::parse(text, Edition::Edition2024).tree();
        let token = tree.syntax().token_at_offset(offset).right_biased()?;
        let function = token.parent_ancestors().find_map(ast::Fn::cast)?;
        let at: usize = function.name()?.syntax().text_range().start().into();
        let line = text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1;
        let path = self.loaded.files.path(file)?;
        Some(Location {
            file: self.names.shown(path),
            line: u32::try_from(line).ok()?,
        })
    }
}

fn adts_of<'db>(args: impl Iterator<Item = GenericArg<'db>>, adts: &mut FxHashSet<AdtId>) {
    for arg in args {
        for inner in arg.walk() {
            if let Some(ty) = inner.ty()
                && let TyKind::Adt(adt, _) = ty.kind()
            {
                adts.insert(adt.def_id());
            }
        }
    }
}
