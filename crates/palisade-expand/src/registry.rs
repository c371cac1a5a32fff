//! The one list of every macro that has an expander.

use proc_macro2::TokenStream;

use crate::support::Refusal;
use crate::{Invocation, MacroKind};

/// What expands one macro. It may rely on the input being within the limits,
/// so that recursion over it is safe.
pub(crate) type Expander = fn(&Invocation<'_>) -> Result<TokenStream, Refusal>;

/// One macro: who defines it, what it is called, and who expands it.
pub(crate) struct Macro {
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: MacroKind,
    pub(crate) expand: Expander,
}

impl Macro {
    /// A derive macro; `name` is the trait-like name inside `#[derive(..)]`.
    pub(crate) const fn derive(
        package: &'static str,
        name: &'static str,
        expand: Expander,
    ) -> Self {
        Self {
            package,
            name,
            kind: MacroKind::Derive,
            expand,
        }
    }

    /// An attribute macro: its output replaces the item.
    pub(crate) const fn attribute(
        package: &'static str,
        name: &'static str,
        expand: Expander,
    ) -> Self {
        Self {
            package,
            name,
            kind: MacroKind::Attribute,
            expand,
        }
    }

    /// A function-like macro.
    pub(crate) const fn function(
        package: &'static str,
        name: &'static str,
        expand: Expander,
    ) -> Self {
        Self {
            package,
            name,
            kind: MacroKind::Function,
            expand,
        }
    }
}

/// Each family lists its own macros in its own file; this is where they meet.
const FAMILIES: &[&[Macro]] = &[
    crate::actix_web::MACROS,
    crate::async_entry::MACROS,
    crate::async_recursion::MACROS,
    crate::async_stream::MACROS,
    crate::async_trait::MACROS,
    crate::auto_impl::MACROS,
    crate::axum::MACROS,
    crate::bytemuck::MACROS,
    crate::clap::MACROS,
    crate::constants::MACROS,
    crate::ctor::MACROS,
    crate::dalek::MACROS,
    crate::derivative::MACROS,
    crate::derive_builder::MACROS,
    crate::derive_more::MACROS,
    crate::derive_more::OLD_MACROS,
    crate::derive_new::MACROS,
    crate::derive_setters::MACROS,
    crate::derive_where::MACROS,
    crate::displaydoc::MACROS,
    crate::enum_as_inner::MACROS,
    crate::enum_map::MACROS,
    crate::enumflags2::MACROS,
    crate::futures::MACROS,
    crate::getset::MACROS,
    crate::instability::MACROS,
    crate::lazy_regex::MACROS,
    crate::maud::MACROS,
    crate::miette::MACROS,
    crate::num_derive::MACROS,
    crate::num_enum::MACROS,
    crate::paste::MACROS,
    crate::phf::MACROS,
    crate::pin_project::MACROS,
    crate::prost::MACROS,
    crate::recursive::MACROS,
    crate::rust_embed::MACROS,
    crate::rustversion::MACROS,
    crate::serde::MACROS,
    crate::serde_repr::MACROS,
    crate::serde_with::MACROS,
    crate::smart_default::MACROS,
    crate::snafu::MACROS,
    crate::sqlx::MACROS,
    crate::strings::MACROS,
    crate::structopt::MACROS,
    crate::strum::MACROS,
    crate::thiserror_impl::MACROS,
    crate::time_macros::MACROS,
    crate::tokio::MACROS,
    crate::tracing::MACROS,
    crate::typed_builder::MACROS,
    crate::unchanged::MACROS,
    crate::yoke::MACROS,
    crate::zerocopy::MACROS,
    crate::zerofrom::MACROS,
    crate::zeroize::MACROS,
    crate::zerovec::MACROS,
];

/// The expander of a macro, if there is one.
pub(crate) fn find(package: &str, name: &str, kind: MacroKind) -> Option<&'static Macro> {
    all().find(|entry| entry.name == name && entry.kind == kind && entry.package == package)
}

/// All registered macros.
pub(crate) fn all() -> impl Iterator<Item = &'static Macro> {
    FAMILIES.iter().copied().flatten()
}
