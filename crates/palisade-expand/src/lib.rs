//! Token-level expanders for widely used procedural macros.
//!
//! A call graph that stops at `#[derive(Serialize)]` misses most of what an
//! application does. Running the real macro would run code of the analysed
//! dependency tree, so this crate says instead, macro by macro, what the real
//! one would have written: the same helper types, impls and functions, and in
//! them the same calls with the same generic arguments.
//!
//! It is *not* a macro engine: it knows a fixed list of macros by the name of
//! the package that defines them, it neither resolves names nor reads files,
//! and it executes nothing of the crate that it expands. What it does not know
//! is [`ExpandError::Unknown`], and stays a blind spot for the caller.
//!
//! Tokens taken from the input keep their spans; everything generated carries
//! `Span::call_site()`.
//!
//! ```
//! use palisade_expand::{Invocation, MacroKind, expand};
//!
//! let invocation = Invocation {
//!     package: "serde_derive",
//!     version: Some("1.0.219"),
//!     name: "Serialize",
//!     kind: MacroKind::Derive,
//!     item: "struct Point { x: i32, y: i32 }".parse()?,
//!     args: Default::default(),
//!     env: &|_| None,
//! };
//! let output = expand(&invocation)?.to_string();
//! assert!(output.contains("serialize_struct"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

use std::fmt;

use proc_macro2::TokenStream;

mod actix_web;
mod async_entry;
mod async_recursion;
mod async_stream;
mod async_trait;
mod auto_impl;
mod axum;
mod bytemuck;
mod clap;
mod clap3;
mod constants;
mod ctor;
mod dalek;
mod derivative;
mod derive_builder;
mod derive_more;
mod derive_new;
mod derive_setters;
mod derive_where;
mod displaydoc;
mod enum_as_inner;
mod enum_map;
mod enumflags2;
mod function;
mod futures;
mod getset;
mod instability;
mod lazy_regex;
mod limits;
mod maud;
mod miette;
mod num_derive;
mod num_enum;
mod options;
mod paste;
mod phf;
mod pin_project;
mod prost;
mod recursive;
mod registry;
mod rust_embed;
mod rustversion;
mod serde;
mod serde_repr;
mod serde_with;
mod shapes;
mod smart_default;
mod snafu;
mod sqlx;
mod strings;
mod structopt;
mod strum;
mod support;
mod thiserror_impl;
mod time_macros;
mod tokio;
mod tracing;
mod typed_builder;
mod unchanged;
mod yoke;
mod zerocopy;
mod zerofrom;
mod zeroize;
mod zerovec;

pub use limits::Limits;

/// The three ways in which a procedural macro is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacroKind {
    /// `#[derive(Name)]`: the output stands beside the item.
    Derive,
    /// `#[name(args)]`: the output replaces the item.
    Attribute,
    /// `name!(input)`: the output replaces the invocation.
    Function,
}

impl fmt::Display for MacroKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Derive => "derive",
            Self::Attribute => "attribute",
            Self::Function => "function-like",
        })
    }
}

/// One use of a procedural macro, as the compiler would hand it over.
pub struct Invocation<'a> {
    /// The package that defines the macro, as in its manifest: `serde_derive`,
    /// not `serde`, which merely re-exports it.
    pub package: &'a str,
    /// The version of that package; without it the newest known output is produced.
    pub version: Option<&'a str>,
    /// The macro's own name, whatever it is imported as.
    pub name: &'a str,
    /// How it is invoked.
    pub kind: MacroKind,
    /// The item that a derive or an attribute stands on, or what is between the
    /// delimiters of a function-like invocation.
    pub item: TokenStream,
    /// The arguments of an attribute, without their delimiters; else empty.
    pub args: TokenStream,
    /// The calling crate's compile-time environment, such as `CARGO_PKG_VERSION`.
    ///
    /// Three kinds of keys ask for what a real macro finds out by itself, and may
    /// be left unanswered: `file:PATH` for the text of a file, relative to the
    /// calling package (or else to its workspace), `feature:NAME` for whether
    /// the package that defines the macro has this feature, and `rustc:version`
    /// for the compiler's release, such as `1.95.0`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Why there is no expansion.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// Nobody wrote an expander for this macro.
    #[error("no expander for the {kind} macro `{name}` of package `{package}`")]
    Unknown {
        /// The package that defines the macro.
        package: String,
        /// The macro's name.
        name: String,
        /// How it was invoked.
        kind: MacroKind,
    },
    /// The input is not what the macro accepts, or uses something that the
    /// expander does not cover, or exceeds a limit.
    #[error("cannot expand the {kind} macro `{name}` of package `{package}`: {reason}")]
    Input {
        /// The package that defines the macro.
        package: String,
        /// The macro's name.
        name: String,
        /// How it was invoked.
        kind: MacroKind,
        /// What was found, and why it cannot be expanded.
        reason: String,
    },
}

/// Whether an expander is registered for this macro.
pub fn knows(package: &str, name: &str, kind: MacroKind) -> bool {
    registry::find(package, name, kind).is_some()
}

/// Every macro that has an expander, in the order of registration.
pub fn known() -> impl Iterator<Item = (&'static str, &'static str, MacroKind)> {
    registry::all().map(|entry| (entry.package, entry.name, entry.kind))
}

/// Expands one invocation within the default [`Limits`].
///
/// Deterministic, and never panics: input that the real macro would reject, and
/// input beyond the limits, is [`ExpandError::Input`].
pub fn expand(invocation: &Invocation<'_>) -> Result<TokenStream, ExpandError> {
    expand_within(&Limits::default(), invocation)
}

/// Like [`expand`], within limits of the caller's choice.
pub fn expand_within(
    limits: &Limits,
    invocation: &Invocation<'_>,
) -> Result<TokenStream, ExpandError> {
    let Some(entry) = registry::find(invocation.package, invocation.name, invocation.kind) else {
        return Err(ExpandError::Unknown {
            package: invocation.package.to_owned(),
            name: invocation.name.to_owned(),
            kind: invocation.kind,
        });
    };
    limits
        .check(&invocation.item)
        .and_then(|()| limits.check(&invocation.args))
        .and_then(|()| (entry.expand)(invocation))
        .map_err(|refusal| ExpandError::Input {
            package: invocation.package.to_owned(),
            name: invocation.name.to_owned(),
            kind: invocation.kind,
            reason: refusal.reason,
        })
}
