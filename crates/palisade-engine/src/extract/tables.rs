//! What is named, each thing once.

use std::hash::Hash;

use palisade_model::facts::{BUILTINS, CrateRef, Item, TypeFact};
use palisade_project::Unit;
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{AdtId, DefWithBodyId, FunctionId, Lookup, TraitId};
use ra_ap_hir_ty::next_solver::{GenericArgs, Ty, TyKind};
use ra_ap_rustc_type_ir::{
    FloatTy, IntTy, Mutability, UintTy,
    inherent::{BoundExistentialPredicates as _, IntoKind},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::names::{Definition, Names, TypeOrTrait, Value};

/// Types are written down to this depth; what lies deeper is open. Deep types
/// are long chains of adapters whose ends say little about a call.
const TYPE_DEPTH: usize = 3;

/// A list without repetitions.
struct Table<T> {
    entries: Vec<T>,
    index: FxHashMap<T, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: FxHashMap::default(),
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn place(&mut self, entry: T) -> u32 {
        if let Some(&known) = self.index.get(&entry) {
            return known;
        }
        let place = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.index.insert(entry.clone(), place);
        self.entries.push(entry);
        place
    }
}

/// What an item is made from; paths are only put together once for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Definition(Definition),
    Adt(AdtId),
    Trait(TraitId),
    Value(DefWithBodyId),
}

/// The tables of one crate's facts.
pub(super) struct Tables<'a, 'db> {
    names: &'a Names<'db>,
    units: &'a [Unit],
    unit_of: &'a FxHashMap<Crate, usize>,
    /// Not without repetitions: a program may be called as its library is.
    crates: Vec<CrateRef>,
    crate_places: FxHashMap<Crate, u32>,
    items: Table<Item>,
    item_places: FxHashMap<Key, u32>,
    types: Table<TypeFact>,
    pub(super) files: Vec<String>,
}

impl<'a, 'db> Tables<'a, 'db> {
    pub(super) fn new(
        names: &'a Names<'db>,
        units: &'a [Unit],
        unit_of: &'a FxHashMap<Crate, usize>,
        own: Crate,
    ) -> Self {
        let mut tables = Self {
            names,
            units,
            unit_of,
            crates: Vec::new(),
            crate_places: FxHashMap::default(),
            items: Table::default(),
            item_places: FxHashMap::default(),
            types: Table::default(),
            files: Vec::new(),
        };
        tables.krate(own);
        // What is linked counts even where no call names it: its impls may be
        // for types that others make.
        for dependency in &own.data(names.db()).dependencies {
            tables.krate(dependency.crate_id);
        }
        tables
    }

    pub(super) fn finish(self) -> (Vec<CrateRef>, Vec<Item>, Vec<TypeFact>, Vec<String>) {
        (
            self.crates,
            self.items.entries,
            self.types.entries,
            self.files,
        )
    }

    fn krate(&mut self, krate: Crate) -> u32 {
        if let Some(&known) = self.crate_places.get(&krate) {
            return known;
        }
        let entry = match self.unit_of.get(&krate) {
            Some(&unit) => CrateRef {
                package: self.units[unit].package.name.clone(),
                version: self.units[unit].package.version.to_string(),
                name: self.units[unit].name.clone(),
            },
            // Every crate of the graph was made from a unit.
            None => CrateRef {
                package: String::new(),
                version: String::new(),
                name: self.names.krate(krate).0,
            },
        };
        let place = u32::try_from(self.crates.len()).unwrap_or(u32::MAX);
        self.crates.push(entry);
        self.crate_places.insert(krate, place);
        place
    }

    fn item(&mut self, key: Key) -> u32 {
        if let Some(&known) = self.item_places.get(&key) {
            return known;
        }
        let (krate, path) = match key {
            Key::Definition(def) => self.names.definition_path(def),
            Key::Adt(adt) => self.names.item_path(TypeOrTrait::Type(adt)),
            Key::Trait(tr) => self.names.item_path(TypeOrTrait::Trait(tr)),
            Key::Value(DefWithBodyId::StaticId(id)) => self.names.value_path(Value::Static(id)),
            Key::Value(DefWithBodyId::ConstId(id)) => self.names.value_path(Value::Const(id)),
            Key::Value(DefWithBodyId::FunctionId(f)) => {
                self.names.definition_path(Definition::Function(f))
            }
            // A discriminant is evaluated where its type is.
            Key::Value(DefWithBodyId::VariantId(id)) => {
                let parent = id.lookup(self.names.db()).parent;
                self.names.item_path(TypeOrTrait::Type(parent.into()))
            }
        };
        let path = match path.split_once("::") {
            Some((_, inner)) => inner.to_owned(),
            None => path,
        };
        let krate = self.krate(krate);
        let place = self.items.place(Item { krate, path });
        self.item_places.insert(key, place);
        place
    }

    pub(super) fn function(&mut self, f: FunctionId) -> u32 {
        self.item(Key::Definition(Definition::Function(f)))
    }

    pub(super) fn definition(&mut self, def: Definition) -> u32 {
        self.item(Key::Definition(def))
    }

    pub(super) fn adt(&mut self, adt: AdtId) -> u32 {
        self.item(Key::Adt(adt))
    }

    pub(super) fn tr(&mut self, tr: TraitId) -> u32 {
        self.item(Key::Trait(tr))
    }

    pub(super) fn value(&mut self, def: DefWithBodyId) -> u32 {
        self.item(Key::Value(def))
    }

    /// These structs, enums and unions as items, sorted.
    pub(super) fn adts(&mut self, adts: FxHashSet<AdtId>) -> Vec<u32> {
        // The order of the set must not show in the order of the items.
        let mut adts: Vec<AdtId> = adts.into_iter().collect();
        adts.sort();
        let mut places: Vec<u32> = adts.into_iter().map(|adt| self.adt(adt)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// A type of which nothing is known.
    pub(super) fn open(&mut self) -> u32 {
        self.types.place(TypeFact::Open)
    }

    pub(super) fn ty(&mut self, ty: Ty<'_>) -> u32 {
        let fact = self.type_fact(ty, TYPE_DEPTH);
        self.types.place(fact)
    }

    /// The types among some generic arguments.
    pub(super) fn args(&mut self, args: GenericArgs<'_>, skip: usize) -> Vec<u32> {
        args.types().skip(skip).map(|ty| self.ty(ty)).collect()
    }

    fn inner(&mut self, ty: Ty<'_>, depth: usize) -> u32 {
        let fact = match depth {
            0 => TypeFact::Open,
            _ => self.type_fact(ty, depth - 1),
        };
        self.types.place(fact)
    }

    fn type_fact(&mut self, ty: Ty<'_>, depth: usize) -> TypeFact {
        let (name, args) = match ty.kind() {
            TyKind::Adt(adt, args) => {
                return TypeFact::Named {
                    item: self.adt(adt.def_id()),
                    args: args.types().map(|ty| self.inner(ty, depth)).collect(),
                };
            }
            TyKind::Dynamic(predicates, _) => {
                let principal = predicates.principal();
                let item = principal.map(|tr| self.tr(tr.skip_binder().def_id.0));
                return TypeFact::Dyn { item };
            }
            TyKind::Ref(_, ty, Mutability::Not) => ("&", vec![self.inner(ty, depth)]),
            TyKind::Ref(_, ty, Mutability::Mut) => ("&mut", vec![self.inner(ty, depth)]),
            TyKind::RawPtr(ty, _) => ("*", vec![self.inner(ty, depth)]),
            TyKind::Slice(ty) => ("[]", vec![self.inner(ty, depth)]),
            TyKind::Array(ty, _) => ("[;]", vec![self.inner(ty, depth)]),
            TyKind::Tuple(types) => {
                let types = types.iter().map(|ty| self.inner(ty, depth)).collect();
                ("()", types)
            }
            kind => match simple(&kind) {
                Some(name) => (name, Vec::new()),
                None => return TypeFact::Open,
            },
        };
        debug_assert!(
            BUILTINS.contains(&name),
            "{name} has no place in the format"
        );
        TypeFact::Builtin { name, args }
    }
}

/// What a type without parts is called; `None` for one that is not known.
fn simple(kind: &TyKind<'_>) -> Option<&'static str> {
    Some(match kind {
        TyKind::Bool => "bool",
        TyKind::Char => "char",
        TyKind::Str => "str",
        TyKind::Never => "!",
        TyKind::Uint(uint) => match uint {
            UintTy::U8 => "u8",
            UintTy::U16 => "u16",
            UintTy::U32 => "u32",
            UintTy::U64 => "u64",
            UintTy::U128 => "u128",
            UintTy::Usize => "usize",
        },
        TyKind::Int(int) => match int {
            IntTy::I8 => "i8",
            IntTy::I16 => "i16",
            IntTy::I32 => "i32",
            IntTy::I64 => "i64",
            IntTy::I128 => "i128",
            IntTy::Isize => "isize",
        },
        TyKind::Float(float) => match float {
            FloatTy::F16 => "f16",
            FloatTy::F32 => "f32",
            FloatTy::F64 => "f64",
            FloatTy::F128 => "f128",
        },
        TyKind::FnPtr(..) => "fn",
        TyKind::FnDef(..) => "fn item",
        TyKind::Closure(..) | TyKind::CoroutineClosure(..) => "closure",
        TyKind::Coroutine(..) | TyKind::CoroutineWitness(..) => "coroutine",
        TyKind::Foreign(..) => "extern type",
        _ => return None,
    })
}
