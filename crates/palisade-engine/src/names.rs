//! What a function is called and where it stands, for people.

use std::cell::RefCell;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::{Function, Location};
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, BuiltinDeriveImplId, ConstId, DefWithBodyId, FunctionId, HasModule, ImplId,
    ItemContainerId, Lookup, MacroId, ModuleId, StaticId, TraitId,
    expr_store::Body,
    hir::ExprId,
    nameres::crate_def_map,
    signatures::{
        ConstSignature, EnumSignature, FunctionSignature, StaticSignature, StructSignature,
        TraitSignature, UnionSignature,
    },
    src::HasSource,
};
use ra_ap_hir_expand::{InFile, MacroCallId, files::FileRangeWrapper};
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{StoredGenericArgs, Ty, TyKind},
};
use ra_ap_ide_db::{FileId, RootDatabase, base_db::SourceDatabase};
use ra_ap_rustc_type_ir::inherent::IntoKind;
use ra_ap_span::Span;
use ra_ap_syntax::{
    AstNode, SyntaxKind, SyntaxNode, TextSize,
    ast::{self, HasAttrs, HasName},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    load::Loaded,
    walk::{Node, Site},
};

/// Names functions of one loaded engine.
pub(crate) struct Names<'a> {
    loaded: &'a Loaded,
    db: &'a RootDatabase,
    workspace: &'a Utf8Path,
    lines: RefCell<FxHashMap<FileId, Vec<TextSize>>>,
}

/// A function as reported: one per definition and self type.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) def: Definition,
    /// For a trait's default method or a blanket impl's: the concrete self
    /// type.
    pub(crate) self_type: Option<String>,
}

/// What defines a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Definition {
    /// Source that says `fn`.
    Function(FunctionId),
    /// A built-in derive, with the trait's declaration of the method.
    Derive(BuiltinDeriveImplId, FunctionId),
    /// A macro.
    Macro(MacroId),
}

/// A type or a trait that has a path of its own.
#[derive(Clone, Copy)]
pub(crate) enum TypeOrTrait {
    Type(AdtId),
    Trait(TraitId),
}

/// A constant or static.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    Const(ConstId),
    Static(StaticId),
}

/// The parts of a path.
struct Named {
    module: ModuleId,
    self_type: Option<String>,
    trait_name: Option<String>,
    name: String,
}

impl<'a> Names<'a> {
    pub(crate) fn new(loaded: &'a Loaded, db: &'a RootDatabase, workspace: &'a Utf8Path) -> Self {
        Self {
            loaded,
            db,
            workspace,
            lines: RefCell::default(),
        }
    }

    /// The function that a node stands for, if it stands for one.
    pub(crate) fn identity(&self, node: &Node) -> Option<Identity> {
        match node {
            Node::Body(DefWithBodyId::FunctionId(f), args) => {
                let self_type = match f.loc(self.db).container {
                    ItemContainerId::TraitId(_) => Some(self.self_name(args)),
                    ItemContainerId::ImplId(id) => self.blanket_self(id, args),
                    _ => None,
                };
                Some(Identity {
                    def: Definition::Function(*f),
                    self_type,
                })
            }
            Node::Derived(derive, f, _) => Some(Identity {
                def: Definition::Derive(*derive, *f),
                self_type: None,
            }),
            Node::Expansion(id, _) => Some(Identity {
                def: Definition::Macro(*id),
                self_type: None,
            }),
            _ => None,
        }
    }

    /// The concrete self type of an instance of `impl<T> Trait for T`.
    fn blanket_self(&self, id: ImplId, args: &StoredGenericArgs) -> Option<String> {
        let db: &dyn HirDatabase = self.db;
        let ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
        match ty.kind() {
            TyKind::Param(param) => {
                let arg = args.as_ref().as_slice().get(param.index as usize)?.ty()?;
                Some(self.type_name(arg))
            }
            _ => None,
        }
    }

    fn self_name(&self, args: &StoredGenericArgs) -> String {
        match args.as_ref().types().next() {
            Some(ty) => self.type_name(ty),
            None => "?".to_owned(),
        }
    }

    /// The last path segment of a struct, enum or union; else `?`.
    fn type_name(&self, ty: Ty<'_>) -> String {
        match ty.kind() {
            TyKind::Adt(adt, _) => self.adt_name(adt.def_id()),
            _ => "?".to_owned(),
        }
    }

    pub(crate) fn adt_name(&self, adt: AdtId) -> String {
        let name = match adt {
            AdtId::StructId(id) => &StructSignature::of(self.db, id).name,
            AdtId::EnumId(id) => &EnumSignature::of(self.db, id).name,
            AdtId::UnionId(id) => &UnionSignature::of(self.db, id).name,
        };
        name.as_str().to_owned()
    }

    fn trait_name(&self, tr: TraitId) -> String {
        TraitSignature::of(self.db, tr).name.as_str().to_owned()
    }

    /// Self type and trait of an impl, as last path segments.
    fn impl_names(&self, id: ImplId) -> (String, Option<String>) {
        let db: &dyn HirDatabase = self.db;
        let self_ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
        let tr = db
            .impl_trait(id)
            .map(|tr| self.trait_name(tr.instantiate_identity().skip_norm_wip().def_id.0));
        (self.type_name(self_ty), tr)
    }

    /// Library name and version of a crate.
    pub(crate) fn krate(&self, krate: Crate) -> (String, Option<String>) {
        let data = krate.extra_data(self.db);
        let name = data
            .display_name
            .as_ref()
            .map(|name| name.crate_name().to_string().replace('-', "_"))
            .unwrap_or_default();
        let lang = krate.data(self.db).origin.is_lang();
        (name, data.version.clone().filter(|_| !lang))
    }

    fn module_path(&self, module: ModuleId) -> String {
        let (mut path, _) = self.krate(module.krate(self.db));
        let mut names = Vec::new();
        let mut current = Some(module);
        while let Some(module) = current {
            if let Some(name) = module.name(self.db) {
                names.push(name.as_str().to_owned());
            }
            current = module.containing_module(self.db);
        }
        for name in names.into_iter().rev() {
            path.push_str("::");
            path.push_str(&name);
        }
        path
    }

    /// What a function is called, without looking at its source.
    fn named(&self, identity: &Identity) -> Named {
        let (f, module, self_type, trait_name) = match identity.def {
            Definition::Function(f) => {
                let module = f.module(self.db);
                match f.loc(self.db).container {
                    ItemContainerId::ImplId(id) => {
                        let (self_type, tr) = self.impl_names(id);
                        let concrete = identity.self_type.clone();
                        (f, module, Some(concrete.unwrap_or(self_type)), tr)
                    }
                    ItemContainerId::TraitId(tr) => (
                        f,
                        module,
                        identity.self_type.clone(),
                        Some(self.trait_name(tr)),
                    ),
                    _ => (f, module, None, None),
                }
            }
            Definition::Derive(derive, f) => {
                let adt = derive.loc(self.db).adt;
                let tr = match f.loc(self.db).container {
                    ItemContainerId::TraitId(tr) => Some(self.trait_name(tr)),
                    _ => None,
                };
                (f, derive.module(self.db), Some(self.adt_name(adt)), tr)
            }
            Definition::Macro(id) => return self.named_macro(id),
        };
        Named {
            module,
            self_type,
            trait_name,
            name: FunctionSignature::of(self.db, f).name.as_str().to_owned(),
        }
    }

    /// A macro; what `macro_rules!` or a function makes is named in the crate's
    /// root.
    fn named_macro(&self, id: MacroId) -> Named {
        let root = crate_def_map(self.db, id.krate(self.db)).root_module_id();
        let module = match id {
            MacroId::Macro2Id(_) => id.module(self.db),
            MacroId::MacroRulesId(_) | MacroId::ProcMacroId(_) => root,
        };
        let scope = &module.def_map(self.db)[module].scope;
        let named = scope.macros().find(|(_, item)| item.def == id);
        let name = match (named, id) {
            (Some((name, _)), _) => name.as_str().to_owned(),
            (None, MacroId::Macro2Id(id)) => name_of(&id.lookup(self.db).source(self.db).value),
            (None, MacroId::MacroRulesId(id)) => name_of(&id.lookup(self.db).source(self.db).value),
            (None, MacroId::ProcMacroId(id)) => name_of(&id.lookup(self.db).source(self.db).value),
        };
        Named {
            module,
            self_type: None,
            trait_name: None,
            name: format!("{name}!"),
        }
    }

    /// The full path of what `named` stands for.
    fn path(&self, named: &Named) -> String {
        let mut path = self.module_path(named.module);
        match (&named.self_type, &named.trait_name) {
            (Some(ty), Some(tr)) => path.push_str(&format!("::<{ty} as {tr}>")),
            (Some(ty), None) => path.push_str(&format!("::{ty}")),
            (None, Some(tr)) => path.push_str(&format!("::{tr}")),
            (None, None) => {}
        }
        path.push_str("::");
        path.push_str(&named.name);
        path
    }

    /// The crate of a function and its full path, as [`Self::describe`] gives
    /// it for the definition itself.
    pub(crate) fn definition_path(&self, def: Definition) -> (Crate, String) {
        let named = self.named(&Identity {
            def,
            self_type: None,
        });
        (named.module.krate(self.db), self.path(&named))
    }

    /// The crate and the full path of a type or trait.
    pub(crate) fn item_path(&self, item: TypeOrTrait) -> (Crate, String) {
        let (module, name) = match item {
            TypeOrTrait::Type(adt) => (adt.module(self.db), self.adt_name(adt)),
            TypeOrTrait::Trait(tr) => (tr.module(self.db), self.trait_name(tr)),
        };
        let path = self.module_path(module);
        (module.krate(self.db), format!("{path}::{name}"))
    }

    /// The crate and the full path of a constant or static; unnamed constants
    /// are called `_`.
    pub(crate) fn value_path(&self, value: Value) -> (Crate, String) {
        let (module, container, name) = match value {
            Value::Const(id) => {
                let name = ConstSignature::of(self.db, id).name.as_ref();
                let name = name.map_or("_", |name| name.as_str());
                (id.module(self.db), id.loc(self.db).container, name)
            }
            Value::Static(id) => {
                let name = StaticSignature::of(self.db, id).name.as_str();
                (id.module(self.db), id.loc(self.db).container, name)
            }
        };
        let (self_type, trait_name) = match container {
            ItemContainerId::ImplId(id) => {
                let (self_type, tr) = self.impl_names(id);
                (Some(self_type), tr)
            }
            ItemContainerId::TraitId(tr) => (None, Some(self.trait_name(tr))),
            _ => (None, None),
        };
        let named = Named {
            module,
            self_type,
            trait_name,
            name: name.to_owned(),
        };
        (module.krate(self.db), self.path(&named))
    }

    pub(crate) fn describe(&self, identity: &Identity) -> Function {
        let named = self.named(identity);
        let (crate_name, version) = self.krate(named.module.krate(self.db));
        Function {
            crate_name,
            version,
            path: self.path(&named),
            self_type: named.self_type,
            trait_name: named.trait_name,
            name: named.name,
            location: self.definition_location(identity.def),
        }
    }

    /// A trait's method as people write it.
    pub(crate) fn method(&self, f: FunctionId) -> String {
        let name = FunctionSignature::of(self.db, f).name.as_str().to_owned();
        match f.loc(self.db).container {
            ItemContainerId::TraitId(tr) => format!("{}::{name}", self.trait_name(tr)),
            _ => name,
        }
    }

    /// Every identifier in a function's own text.
    pub(crate) fn words(&self, f: FunctionId) -> FxHashSet<String> {
        let source = f.loc(self.db).source(self.db);
        source
            .value
            .syntax()
            .descendants_with_tokens()
            .filter_map(|it| it.into_token())
            .filter(|token| token.kind() == SyntaxKind::IDENT)
            .map(|token| token.text().to_owned())
            .collect()
    }

    /// A file as people write it: relative where it is the workspace's own.
    pub(crate) fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(self.workspace)
            .unwrap_or(path)
            .to_string()
    }

    /// The path of a file that is given as people write it.
    pub(crate) fn absolute(&self, shown: &str) -> Utf8PathBuf {
        self.workspace.join(shown)
    }

    pub(crate) fn db(&self) -> &'a RootDatabase {
        self.db
    }

    pub(crate) fn definition_location(&self, def: Definition) -> Option<Location> {
        match def {
            Definition::Function(f) => {
                let source = f.loc(self.db).source(self.db);
                let node = match source.value.name() {
                    Some(name) => name.syntax().clone(),
                    None => source.value.syntax().clone(),
                };
                self.node_location(InFile::new(source.file_id, &node))
            }
            Definition::Derive(derive, _) => {
                let (file, node) = match derive.loc(self.db).adt {
                    AdtId::StructId(id) => {
                        let source = id.loc(self.db).source(self.db);
                        (source.file_id, source.value.syntax().clone())
                    }
                    AdtId::EnumId(id) => {
                        let source = id.loc(self.db).source(self.db);
                        (source.file_id, source.value.syntax().clone())
                    }
                    AdtId::UnionId(id) => {
                        let source = id.loc(self.db).source(self.db);
                        (source.file_id, source.value.syntax().clone())
                    }
                };
                self.node_location(InFile::new(file, &node))
            }
            Definition::Macro(id) => {
                let range = id.definition(self.db).definition_range(self.db);
                let place = range.original_node_file_range_rooted(self.db);
                let FileRangeWrapper { file_id, range } = place.into_file_id(self.db);
                self.location(file_id, range.start())
            }
        }
    }

    /// Where the source calls a macro, the outermost one for a call that
    /// another macro wrote.
    pub(crate) fn call_location(&self, call: MacroCallId) -> Option<Location> {
        let range = call
            .loc(self.db)
            .kind
            .original_call_range_with_input(self.db);
        let FileRangeWrapper { file_id, range } = range.into_file_id(self.db);
        self.location(file_id, range.start())
    }

    /// Where a syntax node stands, macros looked through.
    pub(crate) fn node_location(&self, node: InFile<&SyntaxNode>) -> Option<Location> {
        let range = node.original_file_range_rooted(self.db);
        let FileRangeWrapper { file_id, range } = range.into_file_id(self.db);
        self.location(file_id, range.start())
    }

    /// Where an expression stands.
    pub(crate) fn site(&self, site: Site) -> Option<Location> {
        self.expr_location(site.body, site.expr)
    }

    fn expr_location(&self, body: DefWithBodyId, expr: ExprId) -> Option<Location> {
        let (_, map) = Body::with_source_map(self.db, body);
        let pointer = map.expr_syntax(expr).ok()?;
        let root = pointer.file_id.parse_or_expand(self.db);
        let node = pointer.value.syntax_node_ptr().to_node(&root);
        self.node_location(InFile::new(pointer.file_id, &node))
    }

    /// Where a macro was called.
    pub(crate) fn span(&self, span: Span) -> Option<Location> {
        let file_id = span.anchor.file_id.file_id();
        let editioned = ra_ap_hir_expand::HirFileId::from(
            ra_ap_base_db::EditionedFileId::from_span_file_id(self.db, span.anchor.file_id),
        );
        let start = editioned
            .ast_id_map(self.db)
            .get_erased(span.anchor.ast_id)
            .text_range()
            .start();
        self.location(file_id, start + span.range.start())
    }

    /// The line of an offset, and the file as people write it.
    fn location(&self, file: FileId, offset: TextSize) -> Option<Location> {
        let shown = self.shown(self.loaded.files.path(file)?);
        let mut cache = self.lines.borrow_mut();
        let starts = cache.entry(file).or_insert_with(|| {
            let text = self.db.file_text(file);
            let text = text.text(self.db);
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .filter_map(|(at, _)| TextSize::try_from(at + 1).ok())
                .collect()
        });
        let line = starts.partition_point(|start| *start <= offset) + 1;
        Some(Location {
            file: shown,
            line: u32::try_from(line).ok()?,
        })
    }

    /// Whether a function has a body, and whether it says `#[inline(always)]`.
    pub(crate) fn traits_of(&self, def: Definition) -> (bool, bool) {
        match def {
            Definition::Function(f) => {
                let body = FunctionSignature::of(self.db, f).has_body();
                let source = f.loc(self.db).source(self.db);
                (
                    body,
                    source.value.attrs().any(|attr| is_inline_always(&attr)),
                )
            }
            Definition::Derive(..) | Definition::Macro(_) => (true, false),
        }
    }
}

fn name_of(item: &impl HasName) -> String {
    let name = item.name();
    name.map_or_else(String::new, |name| name.text().to_string())
}

fn is_inline_always(attr: &ast::Attr) -> bool {
    let text: String = attr
        .syntax()
        .text()
        .to_string()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    text == "#[inline(always)]"
}
