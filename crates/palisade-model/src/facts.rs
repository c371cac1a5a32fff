//! What the source of one crate says about calls, before anything is linked.
//!
//! Everything refers to everything else by its place in a list of the same
//! [`CrateFacts`]; what lies in another crate is named by crate and path. A
//! function occurs once, however many instances of it a program has: a call of
//! a trait's method stays one, with its self type as far as it is known.

use crate::BlindSpotCause;

/// The facts of one crate: a library, a program or a build script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrateFacts {
    /// What the crate is.
    pub kind: CrateKind,
    /// The crate's name as code writes it.
    pub name: String,
    /// The crates that are named, the crate itself first.
    pub crates: Vec<CrateRef>,
    /// Everything that is named: functions, types, traits, constants.
    pub items: Vec<Item>,
    /// Types as far as they are known.
    pub types: Vec<TypeFact>,
    /// Source files, relative to the package's directory.
    pub files: Vec<String>,
    /// Functions, and what is evaluated like one.
    pub functions: Vec<FunctionFact>,
    /// The crate's own traits.
    pub traits: Vec<TraitFact>,
    /// The crate's own structs, enums and unions.
    pub adts: Vec<AdtFact>,
    /// The crate's impls of traits.
    pub impls: Vec<ImplFact>,
    /// What could not be followed.
    pub blind_spots: Vec<SpotFact>,
    /// Lines of the source files that belong to the crate.
    pub lines: u32,
}

/// What a crate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CrateKind {
    /// A library.
    #[default]
    Library,
    /// A library of procedural macros; it runs at build time.
    ProcMacro,
    /// A program.
    Binary,
    /// A build script; it runs at build time.
    BuildScript,
    /// A crate of the standard library.
    Sysroot,
}

impl CrateKind {
    /// Every kind, in the order of the fragment format.
    pub const ALL: [CrateKind; 5] = [
        CrateKind::Library,
        CrateKind::ProcMacro,
        CrateKind::Binary,
        CrateKind::BuildScript,
        CrateKind::Sysroot,
    ];

    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            CrateKind::Library => "lib",
            CrateKind::ProcMacro => "proc-macro",
            CrateKind::Binary => "bin",
            CrateKind::BuildScript => "build-script",
            CrateKind::Sysroot => "sysroot",
        }
    }
}

/// A crate that is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrateRef {
    /// The package's name.
    pub package: String,
    /// The version that it had when the facts were taken. What a program is
    /// linked with may be another one.
    pub version: String,
    /// The crate's own name, whatever dependents call it.
    pub name: String,
}

/// Something with a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// In which crate.
    pub krate: u32,
    /// The path in it, without the crate: `module::<Type as Trait>::name`. Two
    /// impls for different instances of one type share their paths.
    pub path: String,
}

/// A type, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeFact {
    /// Nothing is known, or it depends on the generic arguments.
    Open,
    /// A struct, enum or union.
    Named {
        /// Its item.
        item: u32,
        /// Its generic arguments.
        args: Vec<u32>,
    },
    /// A type of the language: `&`, `str`, `u8`, `fn`, …
    Builtin {
        /// Which.
        name: &'static str,
        /// What it is made of.
        args: Vec<u32>,
    },
    /// A trait object.
    Dyn {
        /// Its trait; `None` for one of marker traits alone.
        item: Option<u32>,
    },
}

/// The names that [`TypeFact::Builtin`] uses, in the order of the fragment
/// format; new ones are added at the end.
pub const BUILTINS: [&str; 32] = [
    "bool",
    "char",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f16",
    "f32",
    "f64",
    "f128",
    "!",
    "&",
    "&mut",
    "*",
    "[]",
    "[;]",
    "()",
    "fn",
    "fn item",
    "closure",
    "coroutine",
    "extern type",
    "?",
];

/// What a function is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FunctionKind {
    /// A function with a body.
    #[default]
    Function,
    /// A method that a built-in derive writes.
    Derived,
    /// The initialiser of a constant or static.
    Value,
    /// A method that a trait requires.
    Required,
    /// A declaration in an `extern` block.
    Foreign,
}

impl FunctionKind {
    /// Every kind, in the order of the fragment format.
    pub const ALL: [FunctionKind; 5] = [
        FunctionKind::Function,
        FunctionKind::Derived,
        FunctionKind::Value,
        FunctionKind::Required,
        FunctionKind::Foreign,
    ];
}

/// A function, and what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionFact {
    /// Its item.
    pub item: u32,
    /// What it is.
    pub kind: FunctionKind,
    /// Whether another crate can name it.
    pub public: bool,
    /// Whether it is declared `unsafe`.
    pub is_unsafe: bool,
    /// Whether its body holds an `unsafe` block.
    pub has_unsafe: bool,
    /// Whether it is reached without a call: `main`, a procedural macro, what
    /// the linker or the allocator's hooks keep.
    pub entry: bool,
    /// Its symbol, where it has one of its own: as another language or an
    /// `extern` block knows it.
    pub symbol: Option<String>,
    /// How many type and constant parameters it has of its own.
    pub generics: u32,
    /// The place of its definition: the file, and the line from 1; 0 where it
    /// is not known.
    pub file: u32,
    /// See [`FunctionFact::file`].
    pub line: u32,
    /// A hash of its tokens, to tell versions apart; 0 where there are none.
    pub hash: u64,
    /// What it calls, each callee once for the same types.
    pub calls: Vec<CallFact>,
    /// What it turns into trait objects.
    pub unsizings: Vec<Unsizing>,
    /// The structs, enums and unions that occur in the types of its values, as
    /// items, sorted.
    pub uses: Vec<u32>,
    /// Calls whose callee has no name.
    pub unresolved: Vec<UnresolvedFact>,
}

/// How a call finds its callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallKind {
    /// It is called.
    Call,
    /// It is named as a value.
    Mention,
    /// It is a constant or static that is mentioned.
    Value,
    /// It is awaited.
    Await,
}

impl CallKind {
    /// Every kind, in the order of the fragment format.
    pub const ALL: [CallKind; 4] = [
        CallKind::Call,
        CallKind::Mention,
        CallKind::Value,
        CallKind::Await,
    ];
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallFact {
    /// The callee's item. A trait's item stands for those of its impls.
    pub callee: u32,
    /// How it is called.
    pub kind: CallKind,
    /// For a trait's item: the type that implements the trait.
    pub self_type: Option<u32>,
    /// The generic arguments, apart from `self_type`; lifetimes are left out.
    pub args: Vec<u32>,
    /// The line of the first such call in the function's file; 0 where it
    /// stands elsewhere, in a macro for example.
    pub line: u32,
}

/// A type that is made into a trait object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unsizing {
    /// The type.
    pub from: u32,
    /// The trait's item.
    pub to: u32,
    /// The line, as in [`CallFact::line`].
    pub line: u32,
}

/// A call whose callee has no name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnresolvedFact {
    /// What the callee is called in the source.
    pub name: String,
    /// The line, as in [`CallFact::line`].
    pub line: u32,
}

/// A trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraitFact {
    /// Its item.
    pub item: u32,
    /// Its supertraits, theirs included.
    pub supertraits: Vec<u32>,
    /// Its methods and constants, as items.
    pub members: Vec<u32>,
    /// Those that a trait object's table has, as items.
    pub in_vtable: Vec<u32>,
}

/// A struct, enum or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdtFact {
    /// Its item.
    pub item: u32,
    /// The structs, enums and unions that its fields are made of, as items.
    pub parts: Vec<u32>,
}

/// An impl of a trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImplFact {
    /// The trait's item.
    pub of: u32,
    /// The type that it is for.
    pub self_type: u32,
    /// Which item of the trait is given by which of the crate's functions, by
    /// their items.
    pub members: Vec<(u32, u32)>,
    /// The structs, enums and unions that its associated types name, as items.
    pub types: Vec<u32>,
}

/// Something that could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpotFact {
    /// Why not.
    pub cause: BlindSpotCause,
    /// What exactly.
    pub detail: String,
    /// The file, relative to the package's directory; empty where it is
    /// another package's.
    pub file: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u32,
}
