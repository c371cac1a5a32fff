//! Items that are reached without being called from Rust: by the linker, by
//! the runtime's allocator hooks, or by another language.

use ra_ap_base_db::{Crate, relevant_crates};
use ra_ap_hir_def::{
    AssocItemId, FunctionId, HasModule, Lookup, ModuleDefId, StaticId, TraitId,
    expr_store::Body,
    nameres::{DefMap, crate_def_map},
    signatures::{FunctionSignature, StaticSignature},
    src::HasSource,
};
use ra_ap_hir_expand::name::Name;
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArg, GenericArgs},
};
use ra_ap_ide_db::{FileId, RootDatabase, base_db::SourceDatabase};
use ra_ap_intern::Symbol;
use ra_ap_syntax::{
    AstNode, Edition, SourceFile,
    ast::{self, HasAttrs, HasName},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{facts::erase, load::files::Files, walk::Node};

/// What is kept on its own account in a program.
#[derive(Default)]
pub(crate) struct Kept {
    /// Functions with a symbol name of their own; a declaration of that name
    /// in an `extern` block means them.
    pub(crate) symbols: FxHashMap<String, FunctionId>,
    /// `#[global_allocator]`.
    allocators: Vec<StaticId>,
    /// `#[used]` or in a link section: constructors, registries.
    used: Vec<StaticId>,
}

impl Kept {
    /// Finds what the crates of a program keep.
    pub(crate) fn find(db: &RootDatabase, files: &Files, krate: Crate) -> Self {
        let mut program: FxHashSet<Crate> = krate.transitive_deps(db).into_iter().collect();
        program.insert(krate);
        Self::of(db, files, program)
    }

    /// Finds what these crates keep.
    pub(crate) fn of(db: &RootDatabase, files: &Files, program: FxHashSet<Crate>) -> Self {
        let mut crates: Vec<Crate> = program
            .into_iter()
            .filter(|krate| !krate.data(db).origin.is_lang())
            .collect();
        crates.sort();
        // Much more may be loaded than is asked about.
        let mut spelled: FxHashSet<Crate> = FxHashSet::default();
        let mut spelling = Vec::new();
        for &file in files.kept() {
            let own = relevant_crates(db, file).iter().copied();
            let mut own = own
                .filter(|krate| crates.binary_search(krate).is_ok())
                .peekable();
            if own.peek().is_some() {
                spelling.push(file);
            }
            spelled.extend(own);
        }
        let mut kept = Kept::default();
        let attributes = Attributes::read(db, &spelling);
        for krate in crates {
            let spelled = spelled.contains(&krate);
            for def in declarations(db, crate_def_map(db, krate)) {
                kept.item(db, &attributes, spelled, def);
            }
        }
        kept
    }

    /// Takes note of one item. `spelled` says whether its crate's source holds
    /// such an attribute at all; otherwise only a macro can have written one.
    fn item(
        &mut self,
        db: &RootDatabase,
        attributes: &Attributes,
        spelled: bool,
        def: ModuleDefId,
    ) {
        match def {
            ModuleDefId::FunctionId(f) => {
                let lookup = f.lookup(db);
                if !spelled && !lookup.id.file_id.is_macro() {
                    return;
                }
                for attr in lookup.source(db).value.attrs() {
                    let text = attr.syntax().text().to_string();
                    if text.contains("no_mangle") {
                        let name = FunctionSignature::of(db, f).name.as_str().to_owned();
                        self.symbols.insert(name, f);
                    } else if text.contains("export_name")
                        && let Some(name) = text.split('"').nth(1)
                    {
                        self.symbols.insert(name.to_owned(), f);
                    }
                }
            }
            ModuleDefId::StaticId(id) => {
                let name = StaticSignature::of(db, id).name.as_str().to_owned();
                let lookup = id.lookup(db);
                let expanded = || {
                    lookup.id.file_id.is_macro()
                        && lookup.source(db).value.attrs().any(|attr| is_kept(&attr))
                };
                if attributes.allocators.contains(&name) {
                    self.allocators.push(id);
                } else if (spelled && attributes.used.contains(&name)) || expanded() {
                    self.used.push(id);
                }
            }
            _ => {}
        }
    }

    /// The functions with a symbol of their own that `krate` itself defines.
    pub(crate) fn exports(&self, db: &RootDatabase, krate: Crate) -> Vec<Node> {
        let mut exports: Vec<FunctionId> = self
            .symbols
            .values()
            .copied()
            .filter(|f| f.krate(db) == krate)
            .collect();
        exports.sort();
        exports
            .into_iter()
            .map(|f| Node::Body(f.into(), crate::walk::no_args()))
            .collect()
    }

    /// The symbols of the functions of one crate.
    pub(crate) fn symbols_in(
        &self,
        db: &RootDatabase,
        krate: Crate,
    ) -> FxHashMap<FunctionId, String> {
        let own = self.symbols.iter().filter(|(_, f)| f.krate(db) == krate);
        own.map(|(symbol, f)| (*f, symbol.clone())).collect()
    }

    /// Whether a static is kept, and which methods are then called on it.
    pub(crate) fn keeps(&self, db: &RootDatabase, id: StaticId) -> Option<Vec<Node>> {
        if self.allocators.contains(&id) {
            return Some(allocator_methods(db, id.krate(db), id));
        }
        self.used.contains(&id).then(Vec::new)
    }

    /// The entry points that these items add.
    pub(crate) fn roots(&self, db: &RootDatabase, krate: Crate) -> Vec<Node> {
        let none = crate::walk::no_args;
        let mut nodes: Vec<Node> = self
            .used
            .iter()
            .map(|id| Node::Body((*id).into(), none()))
            .collect();
        for &id in &self.allocators {
            nodes.push(Node::Body(id.into(), none()));
            nodes.extend(allocator_methods(db, krate, id));
        }
        nodes
    }
}

/// The methods that the runtime calls on a global allocator.
fn allocator_methods(db: &RootDatabase, krate: Crate, id: StaticId) -> Vec<Node> {
    let Some(tr) = global_alloc(db) else {
        return Vec::new();
    };
    let it = DbInterner::new_with(db, krate);
    let hir: &dyn HirDatabase = db;
    let ty = hir
        .type_for_static(id)
        .instantiate_identity()
        .skip_norm_wip();
    let mut nodes = Vec::new();
    for (_, item) in tr.trait_items(db).items.iter() {
        let AssocItemId::FunctionId(f) = item else {
            continue;
        };
        let args = GenericArgs::for_item(it, (*f).into(), |index, param, _, _| {
            if index == 0 {
                ty.into()
            } else {
                GenericArg::error_from_id(it, param)
            }
        });
        nodes.push(Node::Method(*f, erase(it, args).store()));
    }
    nodes
}

/// Names of statics with an attribute that keeps them. They are read from the
/// text: `#[global_allocator]` counts as a macro, and is gone after expansion.
#[derive(Default)]
struct Attributes {
    allocators: FxHashSet<String>,
    used: FxHashSet<String>,
}

impl Attributes {
    fn read(db: &RootDatabase, files: &[FileId]) -> Self {
        let mut attributes = Self::default();
        for &file in files {
            let text = db.file_text(file);
            let tree = SourceFile::parse(text.text(db), Edition::Edition2024).tree();
            for item in tree.syntax().descendants().filter_map(ast::Static::cast) {
                let Some(name) = item.name() else { continue };
                for attr in item.attrs() {
                    if attr
                        .syntax()
                        .text()
                        .to_string()
                        .contains("global_allocator")
                    {
                        attributes.allocators.insert(name.text().to_string());
                    } else if is_kept(&attr) {
                        attributes.used.insert(name.text().to_string());
                    }
                }
            }
        }
        attributes
    }
}

/// Whether an attribute makes the linker keep a static.
fn is_kept(attr: &ast::Attr) -> bool {
    let text = attr.syntax().text().to_string();
    text.contains("link_section") || text.contains("used")
}

/// What a crate's modules declare, in their unnamed constants too, where
/// macros hide what they write.
fn declarations(db: &RootDatabase, map: &DefMap) -> Vec<ModuleDefId> {
    let mut found = Vec::new();
    for (_, module) in map.modules() {
        found.extend(module.scope.declarations());
        for id in module.scope.unnamed_consts() {
            for (_, block) in Body::of(db, id.into()).blocks(db) {
                let modules = block.modules();
                found.extend(modules.flat_map(|(_, module)| module.scope.declarations()));
            }
        }
    }
    found
}

/// `core::alloc::GlobalAlloc`.
fn global_alloc(db: &RootDatabase) -> Option<TraitId> {
    let core = ra_ap_base_db::all_crates(db)
        .iter()
        .copied()
        .find(|krate| {
            krate.data(db).origin.is_lang()
                && krate
                    .extra_data(db)
                    .display_name
                    .as_ref()
                    .is_some_and(|name| name.crate_name().symbol().as_str() == "core")
        })?;
    let map = crate_def_map(db, core);
    let alloc = Name::new_symbol_root(Symbol::intern("alloc"));
    let module = match map[map.root_module_id()].scope.get(&alloc).take_types()? {
        ModuleDefId::ModuleId(module) => module,
        _ => return None,
    };
    let name = Name::new_symbol_root(Symbol::intern("GlobalAlloc"));
    match map[module].scope.get(&name).take_types()? {
        ModuleDefId::TraitId(tr) => Some(tr),
        _ => None,
    }
}
