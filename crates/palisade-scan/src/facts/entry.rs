//! Where code begins that leads to something.

use crate::source::{ItemKind, Unit};

/// Where code begins, the most telling first: what runs without being asked
/// for, before what somebody has to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// Before `main`, or when a library is loaded.
    Constructor,
    /// The `main` of a build script.
    BuildScript,
    /// A procedural macro, in the compiler.
    ProcMacro,
    /// A function that whoever uses the library can call.
    PublicFunction,
    /// The `main` of a program.
    Main,
    /// The `main` of an example.
    Example,
    /// A test or benchmark.
    Test,
}

impl Entry {
    /// What begins in an item, if something does.
    pub(super) fn of(
        kind: ItemKind,
        name: &str,
        constructor: bool,
        public: bool,
        unit: Unit,
    ) -> Option<Entry> {
        if constructor {
            return Some(Entry::Constructor);
        }
        if kind != ItemKind::Function {
            return None;
        }
        match unit {
            Unit::BuildScript => (name == "main").then_some(Entry::BuildScript),
            Unit::ProcMacro => public.then_some(Entry::ProcMacro),
            Unit::Library | Unit::Loose => public.then_some(Entry::PublicFunction),
            Unit::Binary => (name == "main").then_some(Entry::Main),
            Unit::Example => (name == "main").then_some(Entry::Example),
            Unit::Test => Some(Entry::Test),
        }
    }

    /// Whether it runs without anybody asking for it.
    pub(crate) fn is_unasked(self) -> bool {
        self <= Entry::ProcMacro
    }

    /// How findings say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Entry::Constructor => "what runs before `main`",
            Entry::BuildScript => "the build script",
            Entry::ProcMacro => "a procedural macro",
            Entry::PublicFunction => "a public function",
            Entry::Main => "a program's `main`",
            Entry::Example => "an example's `main`",
            Entry::Test => "a test",
        }
    }
}

/// How something is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Where it begins.
    pub(crate) entry: Entry,
    /// The functions from there on, the last one being where the evidence is
    /// or what calls it.
    pub(crate) chain: Vec<String>,
}
