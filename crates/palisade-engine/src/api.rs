//! The engine's public face: what goes in, what comes out.

use camino::Utf8PathBuf;
use palisade_model::{BlindSpot, Context, Function, Hop, Location};
use palisade_project::{Target, UnitId};

/// How procedural macros are expanded.
#[derive(Clone, Debug)]
pub enum Expansion {
    /// By our own expanders, in process; nothing of the workspace runs.
    InProcess,
    /// By the toolchain's macro server and with the build scripts' outputs:
    /// **executes code of the workspace and its dependencies, exactly as
    /// `cargo build` does**.
    Execute {
        /// What to build: what the plan was loaded with.
        project: Box<palisade_project::LoadOptions>,
    },
}

/// How to load a plan.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// How procedural macros are expanded.
    pub expansion: Expansion,
    /// Bounds on files and on the walk.
    pub limits: Limits,
}

/// Bounds on what one analysis may cost. What exceeds one is recorded as a
/// blind spot, never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest source file that is read, in bytes.
    pub file_bytes: u64,
    /// Deepest nesting of brackets in a source file that is parsed.
    pub nesting: usize,
    /// Deepest directory below a package that is read.
    pub directory_depth: usize,
    /// Most expressions in the initialiser of a constant or static for it to be
    /// inferred; of larger ones, generated tables, the names count.
    pub inferred_expressions: usize,
    /// Most nodes in an instantiated type, as a tree; larger ones are
    /// approximated.
    pub type_size: usize,
    /// Deepest instantiated type; deeper ones are approximated.
    pub type_depth: usize,
    /// Most instances of one function; further ones are approximated.
    pub instances_per_function: usize,
    /// Most instances in one walk.
    pub instances: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 16 << 20,
            nesting: 2_000,
            directory_depth: 64,
            inferred_expressions: 20_000,
            type_size: 20_000,
            type_depth: 96,
            instances_per_function: 20_000,
            instances: 4_000_000,
        }
    }
}

/// One segment of a [`PathQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSegment {
    /// The identifier.
    pub name: String,
    /// Generic arguments as written, when there are any.
    pub generics: Option<Vec<String>>,
}

/// A path as an advisory or a user writes it, the crate's name first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathQuery {
    /// The segments; the first is the crate's library name.
    pub segments: Vec<PathSegment>,
}

/// A function or macro of a loaded engine. Only meaningful for the engine that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FunctionHandle(pub(crate) u32);

/// What a path turned out to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What the path names.
    pub kind: ResolutionKind,
    /// Every function that it means, in source order; for a macro the macro
    /// itself, whose name ends with `!`.
    pub functions: Vec<(FunctionHandle, Function)>,
}

/// What kind of item a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolutionKind {
    /// One function or method (or several that share the path).
    Function,
    /// A type: all its methods.
    Type,
    /// A trait: all its methods in all their impls.
    Trait,
    /// A macro, which counts where it is expanded.
    Macro,
    /// A constant or static: decide at crate level.
    Value,
    /// A module: all its functions.
    Module,
    /// Nothing of that name exists in this version with these features.
    Missing,
    /// The package is not loaded (not part of the build).
    NotLoaded,
}

/// A question to the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Is any of these functions reached, or code that one of these macros
    /// wrote?
    Functions(Vec<FunctionHandle>),
    /// Is any function of these units reached, or code that one of their macros
    /// wrote?
    Units(Vec<UnitId>),
}

/// What to walk.
#[derive(Clone)]
pub struct Request<'a> {
    /// The target to start from.
    pub target: &'a Target,
    /// The questions; the walk stops when all are decided. Empty: walk all.
    pub goals: Vec<Goal>,
    /// Most witness paths per goal, at least 1.
    pub paths: usize,
    /// Walk build scripts and procedural macros too.
    pub build_context: bool,
    /// Keep every function and call of the walk, for a call graph. The walk
    /// then never stops early, and leaves out nothing; otherwise it leaves out
    /// what cannot lead to a goal.
    pub record: bool,
    /// Called now and then with the number of instances walked so far.
    pub progress: Option<&'a (dyn Fn(usize) + Sync)>,
}

/// What a walk found.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// One outcome per goal, in the request's order.
    pub outcomes: Vec<Outcome>,
    /// Every function reached, when the request said `record`: one entry per
    /// definition and self type, sorted.
    pub functions: Vec<ReachedFunction>,
    /// Every call between them, when the request said `record`, sorted.
    pub calls: Vec<Call>,
    /// What could not be followed.
    pub blind_spots: Vec<BlindSpot>,
    /// Figures.
    pub stats: Stats,
}

/// The answer to one [`Goal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A path leads there.
    Reached {
        /// When the code runs; `Run` wins over `Build`.
        context: Context,
        /// Witness paths, shortest first, from entry point to goal.
        paths: Vec<Vec<Hop>>,
        /// For what only the build reaches for certain: through which of
        /// [`Collection::blind_spots`] the program may reach it as well.
        blind_spots: Vec<usize>,
    },
    /// Only what could not be followed may lead there.
    Possible {
        /// When the code would run.
        context: Context,
        /// A path from the blind spot's function to the goal.
        path: Vec<Hop>,
        /// Indices into [`Collection::blind_spots`].
        blind_spots: Vec<usize>,
    },
    /// Nothing leads there.
    NotReached,
}

/// A function that the walk reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReachedFunction {
    /// The function.
    pub function: Function,
    /// Whether it has a body (`false` for `extern` declarations and required
    /// trait methods called through an unresolved type).
    pub body: bool,
    /// Whether it is marked with a literal `#[inline(always)]`.
    pub inline_always: bool,
    /// When it runs; `Run` wins over `Build`, even where it is only possible.
    pub context: Context,
    /// Whether it is reached in that context through blind spots only.
    pub possible: bool,
}

/// How a call finds its callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dispatch {
    /// A direct call, or a trait method resolved to its impl.
    Static,
    /// Through a vtable that was made at the site.
    Dyn,
    /// A function named as a value.
    Mention,
    /// Drop glue.
    Drop,
    /// From the initialiser of a constant or static.
    Initialiser,
    /// A macro that wrote a part of the function.
    Expansion,
    /// Through something that could not be followed.
    BlindSpot,
}

impl Dispatch {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Dispatch::Static => "static",
            Dispatch::Dyn => "dyn",
            Dispatch::Mention => "mention",
            Dispatch::Drop => "drop",
            Dispatch::Initialiser => "initialiser",
            Dispatch::Expansion => "expansion",
            Dispatch::BlindSpot => "blind-spot",
        }
    }
}

/// A call between two reached functions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Index of the caller in [`Collection::functions`].
    pub caller: usize,
    /// Index of the callee in [`Collection::functions`].
    pub callee: usize,
    /// Where the caller calls.
    pub site: Option<Location>,
    /// How the call finds its callee.
    pub dispatch: Dispatch,
}

/// Figures of one walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instances walked: functions with their generic arguments, initialisers
    /// and drop glue.
    pub instances: usize,
    /// Distinct functions reached.
    pub functions: usize,
    /// Panics of the analysis library, each of which cost one instance.
    pub panics: usize,
    /// Whether the walk stopped early because every goal was decided.
    pub stopped_early: bool,
}

/// Why an engine could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The crate root of a target cannot be read.
    #[error("cannot read the crate root {file}")]
    CrateRoot {
        /// The file.
        file: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The standard library's source is incomplete.
    #[error("the standard library's source in {dir} lacks the crate `{name}`")]
    Sysroot {
        /// The directory that was searched.
        dir: Utf8PathBuf,
        /// The crate that is missing.
        name: &'static str,
    },
    /// The opt-in to execution was given, but executing failed.
    #[error("cannot run build scripts and procedural macros")]
    Execute {
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The worker thread could not be started or died.
    #[error("the analysis thread failed: {reason}")]
    Thread {
        /// What is known about it.
        reason: String,
    },
}
