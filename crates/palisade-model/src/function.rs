//! What a function is, and one step of a call path.

use std::fmt;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The path of the file: relative to the workspace for its own files,
    /// absolute for dependencies.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A function of a crate version, by what a reader would call it.
///
/// Two impl blocks for different instances of one generic type share an
/// identity on purpose: advisories and linker symbols cannot tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function {
    /// The library name of the crate, with underscores.
    pub crate_name: String,
    /// The version of the package, `None` for the standard library.
    pub version: Option<String>,
    /// Last path segment of the implementing type; `?` where that type is not
    /// a struct, an enum or a union; `None` for free functions.
    pub self_type: Option<String>,
    /// Last path segment of the trait, for trait methods and their impls.
    pub trait_name: Option<String>,
    /// The function's own name.
    pub name: String,
    /// The full path where it is defined, `crate::module::Type::name`.
    pub path: String,
    /// Where it is defined, when known.
    pub location: Option<Location>,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// One step of a call path: a function, and where it calls the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The function at this step.
    pub function: Function,
    /// The place inside `function` that leads to the next hop; `None` for the
    /// last one.
    pub call_site: Option<Location>,
    /// How the call is dispatched, in words (`static`, `dyn`, `drop`, …);
    /// `None` for the last hop.
    pub dispatch: Option<&'static str>,
}
