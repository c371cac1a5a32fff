//! Everything that a crate declares, those things inside of bodies too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use palisade_model::{
    BlindSpotCause, Location,
    facts::{
        AdtFact, CallFact, CallKind, CrateFacts, CrateKind, FunctionFact, FunctionKind, ImplFact,
        SpotFact, TraitFact,
    },
};
use palisade_project::{Unit, UnitId};
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, BuiltinDeriveImplId, DefWithBodyId, FunctionId, GenericDefId, ImplId,
    ItemContainerId, ModuleDefId, TraitId,
    expr_store::Body,
    hir::generics::GenericParams,
    nameres::{DefMap, crate_def_map},
    signatures::FunctionSignature,
    src::HasSource,
};
use ra_ap_hir_ty::{
    all_super_traits,
    db::HirDatabase,
    next_solver::{DbInterner, GenericArgs},
};
use ra_ap_ide_db::{RootDatabase, base_db::SourceDatabase};
use ra_ap_rustc_type_ir::{TypeVisitable, inherent::GenericArgs as _};
use ra_ap_syntax::{AstNode, SyntaxNode};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};

use super::tables::Tables;
use crate::{
    blind::Adts,
    facts::variants,
    kept::Kept,
    names::{Definition, Names},
    walk::{Node, in_vtable},
};

/// What is known of a crate before its items are read.
pub(super) struct Context<'a> {
    pub(super) units: &'a [Unit],
    pub(super) unit_of: &'a FxHashMap<Crate, usize>,
    /// What the linker keeps, of every loaded crate.
    pub(super) kept: &'a Kept,
    /// Most expressions of an initialiser that is inferred.
    pub(super) most: usize,
}

/// Takes the facts of one crate.
pub(super) struct Extractor<'a, 'db> {
    pub(super) db: &'db RootDatabase,
    pub(super) it: DbInterner<'db>,
    pub(super) names: &'a Names<'db>,
    pub(super) tables: Tables<'a, 'db>,
    context: &'a Context<'a>,
    krate: Crate,
    unit: &'a Unit,
    symbols: FxHashMap<FunctionId, String>,
    facts: CrateFacts,
    bodies: FxHashSet<DefWithBodyId>,
    places: FxHashMap<String, u32>,
    /// The entry points: functions that are called from outside, and trait
    /// methods that are called on their values.
    roots: Roots,
}

#[derive(Default)]
struct Roots {
    functions: FxHashSet<FunctionId>,
    /// Whether they run by themselves, as `main` does.
    entries: bool,
    methods: Vec<Node>,
}

impl<'a, 'db> Extractor<'a, 'db> {
    pub(super) fn new(
        db: &'db RootDatabase,
        names: &'a Names<'db>,
        context: &'a Context<'a>,
        krate: Crate,
        unit: UnitId,
    ) -> Self {
        Self {
            db,
            it: DbInterner::new_with(db, krate),
            names,
            tables: Tables::new(names, context.units, context.unit_of, krate),
            krate,
            unit: &context.units[unit.0],
            symbols: context.kept.symbols_in(db, krate),
            context,
            facts: CrateFacts::default(),
            bodies: FxHashSet::default(),
            places: FxHashMap::default(),
            roots: Roots::default(),
        }
    }

    /// The most expressions of an initialiser that is inferred.
    pub(super) fn most(&self) -> usize {
        self.context.most
    }

    /// Reads the crate; `roots` are its entry points.
    pub(super) fn run(&mut self, roots: Vec<Node>, kind: CrateKind) {
        self.facts.kind = kind;
        self.facts.name = self.unit.name.clone();
        self.roots.entries = !matches!(kind, CrateKind::Library | CrateKind::Sysroot);
        for node in roots {
            match node {
                Node::Body(DefWithBodyId::FunctionId(f), _) => {
                    self.roots.functions.insert(f);
                }
                Node::Method(..) => self.roots.methods.push(node),
                _ => {}
            }
        }
        let map = crate_def_map(self.db, self.krate);
        self.facts.lines = self.lines(map);
        self.items(map);
    }

    pub(super) fn finish(self) -> CrateFacts {
        let (crates, items, types, files) = self.tables.finish();
        CrateFacts {
            crates,
            items,
            types,
            files,
            ..self.facts
        }
    }

    fn lines(&self, map: &DefMap) -> u32 {
        let mut files: Vec<_> = map
            .modules()
            .filter_map(|(_, module)| module.origin.file_id())
            .map(|file| file.file_id(self.db))
            .collect();
        files.sort();
        files.dedup();
        let lines = files.into_iter().map(|file| {
            let text = self.db.file_text(file);
            text.text(self.db).lines().count()
        });
        u32::try_from(lines.sum::<usize>()).unwrap_or(u32::MAX)
    }

    fn items(&mut self, map: &DefMap) {
        for (_, module) in map.modules() {
            for def in module.scope.declarations() {
                match def {
                    ModuleDefId::FunctionId(f) => self.function(f),
                    ModuleDefId::AdtId(adt) => self.adt(adt),
                    ModuleDefId::TraitId(tr) => self.tr(tr),
                    ModuleDefId::ConstId(id) => self.value(id.into()),
                    ModuleDefId::StaticId(id) => self.value(id.into()),
                    _ => {}
                }
            }
            for id in module.scope.unnamed_consts() {
                self.value(id.into());
            }
            for id in module.scope.impls() {
                self.implementation(id);
            }
            for id in module.scope.builtin_derive_impls() {
                self.derive(id);
            }
        }
    }

    fn function(&mut self, f: FunctionId) {
        let signature = FunctionSignature::of(self.db, f);
        let foreign = matches!(f.loc(self.db).container, ItemContainerId::ExternBlockId(_));
        let kind = match (signature.has_body(), foreign) {
            (true, _) => FunctionKind::Function,
            (false, true) => FunctionKind::Foreign,
            (false, false) => FunctionKind::Required,
        };
        let root = self.roots.functions.contains(&f);
        let symbol = match kind {
            FunctionKind::Foreign => Some(signature.name.as_str().to_owned()),
            _ => self.symbols.get(&f).cloned(),
        };
        let generics = GenericParams::of(self.db, f.into()).len_type_or_consts();
        let mut function = FunctionFact {
            item: self.tables.function(f),
            kind,
            public: root,
            is_unsafe: signature.is_unsafe(),
            entry: root && self.roots.entries,
            symbol,
            generics: u32::try_from(generics).unwrap_or(u32::MAX),
            ..FunctionFact::default()
        };
        self.place(
            &mut function,
            self.names.definition_location(Definition::Function(f)),
        );
        function.hash = hash(f.loc(self.db).source(self.db).value.syntax());
        if function.entry {
            for node in self.roots.methods.clone() {
                let call = self.root_call(&node);
                function.calls.extend(call);
            }
        }
        self.finish_function(f.into(), function, kind == FunctionKind::Function);
    }

    fn root_call(&mut self, node: &Node) -> Option<CallFact> {
        let Node::Method(f, args) = node else {
            return None;
        };
        let args: GenericArgs<'db> = args.as_ref();
        Some(self.call(*f, args, CallKind::Call))
    }

    fn value(&mut self, def: DefWithBodyId) {
        let mut function = FunctionFact {
            item: self.tables.value(def),
            kind: FunctionKind::Value,
            ..FunctionFact::default()
        };
        if let DefWithBodyId::StaticId(id) = def {
            if let Some(methods) = self.context.kept.keeps(self.db, id) {
                function.entry = true;
                for node in methods {
                    let call = self.root_call(&node);
                    function.calls.extend(call);
                }
            }
            let source = id.loc(self.db).source(self.db);
            let node = source.as_ref().map(|it| it.syntax());
            self.place(&mut function, self.names.node_location(node));
        }
        self.finish_function(def, function, true);
    }

    /// Adds a function with what its body does and declares.
    fn finish_function(&mut self, def: DefWithBodyId, mut function: FunctionFact, has_body: bool) {
        if !self.bodies.insert(def) {
            return;
        }
        if has_body && self.body(def, &mut function) {
            self.facts.blind_spots.push(SpotFact {
                cause: BlindSpotCause::AnalysisPanic,
                detail: "a function's body".to_owned(),
                file: self
                    .tables
                    .files
                    .get(function.file as usize)
                    .cloned()
                    .unwrap_or_default(),
                line: function.line,
            });
        }
        self.facts.functions.push(function);
        if has_body {
            let db = self.db;
            let blocks = catch_unwind(AssertUnwindSafe(|| {
                Body::of(db, def)
                    .blocks(db)
                    .map(|(_, map)| map)
                    .collect::<Vec<&DefMap>>()
            }));
            for map in blocks.unwrap_or_default() {
                self.items(map);
            }
        }
    }

    fn adt(&mut self, adt: AdtId) {
        let hir: &dyn HirDatabase = self.db;
        let mut parts = Adts::default();
        for variant in variants(hir, adt) {
            for (_, field) in hir.field_types(variant).iter() {
                field.ty().skip_binder().visit_with(&mut parts);
            }
        }
        let item = self.tables.adt(adt);
        let parts = self.tables.adts(parts.found);
        self.facts.adts.push(AdtFact { item, parts });
    }

    fn tr(&mut self, tr: TraitId) {
        let item = self.tables.tr(tr);
        let supertraits = all_super_traits(self.db, tr)
            .iter()
            .filter(|other| **other != tr)
            .map(|other| self.tables.tr(*other))
            .collect();
        let mut fact = TraitFact {
            item,
            supertraits,
            members: Vec::new(),
            in_vtable: Vec::new(),
        };
        for (_, member) in tr.trait_items(self.db).items.iter() {
            match *member {
                AssocItemId::FunctionId(f) => {
                    let place = self.tables.function(f);
                    fact.members.push(place);
                    if in_vtable(self.db, f) {
                        fact.in_vtable.push(place);
                    }
                    self.function(f);
                }
                AssocItemId::ConstId(c) => {
                    fact.members.push(self.tables.value(c.into()));
                    self.value(c.into());
                }
                AssocItemId::TypeAliasId(_) => {}
            }
        }
        self.facts.traits.push(fact);
    }

    fn implementation(&mut self, id: ImplId) {
        let hir: &dyn HirDatabase = self.db;
        let of = hir.impl_trait(id);
        let of = of.map(|of| of.instantiate_identity().skip_norm_wip().def_id.0);
        let declared = of.map(|tr| tr.trait_items(self.db));
        let mut members = Vec::new();
        let mut types = Adts::default();
        for (name, member) in id.impl_items(self.db).items.iter() {
            let item = match *member {
                AssocItemId::FunctionId(f) => {
                    self.function(f);
                    self.tables.function(f)
                }
                AssocItemId::ConstId(c) => {
                    self.value(c.into());
                    self.tables.value(c.into())
                }
                AssocItemId::TypeAliasId(alias) => {
                    hir.ty(alias.into()).skip_binder().visit_with(&mut types);
                    continue;
                }
            };
            let of = declared.and_then(|declared| {
                let same = |(other, _): &&(_, AssocItemId)| other == name;
                declared.items.iter().find(same)
            });
            let of = match of {
                Some((_, AssocItemId::FunctionId(f))) => self.tables.function(*f),
                Some((_, AssocItemId::ConstId(c))) => self.tables.value((*c).into()),
                _ => continue,
            };
            members.push((of, item));
        }
        if let Some(tr) = of {
            let self_type = hir.impl_self_ty(id).instantiate_identity().skip_norm_wip();
            let fact = ImplFact {
                of: self.tables.tr(tr),
                self_type: self.tables.ty(self_type),
                members,
                types: self.tables.adts(types.found),
            };
            self.facts.impls.push(fact);
        }
    }

    /// A built-in derive calls the same method on every field.
    fn derive(&mut self, id: BuiltinDeriveImplId) {
        let hir: &dyn HirDatabase = self.db;
        let loc = id.loc(self.db);
        let Some(tr) = loc.trait_.get_id(self.it.lang_items()) else {
            return;
        };
        let args = GenericArgs::identity_for_item(self.it, GenericDefId::from(loc.adt).into());
        let self_type = ra_ap_hir_ty::next_solver::Ty::new_adt(self.it, loc.adt, args);
        let mut members = Vec::new();
        for (_, member) in tr.trait_items(self.db).items.iter() {
            let AssocItemId::FunctionId(f) = *member else {
                continue;
            };
            // The derive writes what has to be written.
            if FunctionSignature::of(self.db, f).has_body() {
                continue;
            }
            let def = Definition::Derive(id, f);
            let mut function = FunctionFact {
                item: self.tables.definition(def),
                kind: FunctionKind::Derived,
                public: true,
                ..FunctionFact::default()
            };
            self.place(&mut function, self.names.definition_location(def));
            let callee = self.tables.function(f);
            members.push((callee, function.item));
            for variant in variants(hir, loc.adt) {
                for (_, field) in hir.field_types(variant).iter() {
                    let call = CallFact {
                        callee,
                        kind: CallKind::Call,
                        self_type: Some(self.tables.ty(field.ty().skip_binder())),
                        args: Vec::new(),
                        line: 0,
                    };
                    if !function.calls.contains(&call) {
                        function.calls.push(call);
                    }
                }
            }
            self.facts.functions.push(function);
        }
        let fact = ImplFact {
            of: self.tables.tr(tr),
            self_type: self.tables.ty(self_type),
            members,
            types: Vec::new(),
        };
        self.facts.impls.push(fact);
    }

    fn place(&mut self, function: &mut FunctionFact, location: Option<Location>) {
        if let Some(location) = location
            && let Some(file) = self.file(&location.file)
        {
            function.file = file;
            function.line = location.line;
        }
    }

    /// A file of the unit's package, by its place in the list.
    pub(super) fn file(&mut self, shown: &str) -> Option<u32> {
        if let Some(&known) = self.places.get(shown) {
            return Some(known);
        }
        let relative = relative(self.names, self.unit, shown)?;
        let place = u32::try_from(self.tables.files.len()).ok()?;
        self.tables.files.push(relative);
        self.places.insert(shown.to_owned(), place);
        Some(place)
    }
}

/// A file as people write it, relative to its package; `None` for another
/// package's.
pub(super) fn relative(names: &Names<'_>, unit: &Unit, shown: &str) -> Option<String> {
    let absolute = names.absolute(shown);
    let relative = absolute.strip_prefix(&unit.package_dir).ok()?;
    Some(
        relative
            .components()
            .map(|part| part.as_str())
            .collect::<Vec<_>>()
            .join("/"),
    )
}

/// A hash of a node's tokens; white space and comments do not count.
fn hash(node: &SyntaxNode) -> u64 {
    let mut hasher = Sha256::new();
    let tokens = node
        .descendants_with_tokens()
        .filter_map(|it| it.into_token());
    for token in tokens.filter(|token| !token.kind().is_trivia()) {
        hasher.update(token.text().as_bytes());
        hasher.update([0]);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest
        .first_chunk()
        .map_or(0, |first| u64::from_le_bytes(*first))
}
