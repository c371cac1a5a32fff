//! What changed between the versions of `serde_derive`.
//!
//! `serde` and `serde_derive` are released together under the same number, so
//! the version of the macro tells which private functions the runtime has.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::support::patch_of_1_0;

/// The release that is assumed when nothing is known.
const NEWEST_KNOWN: u32 = 229;

/// The last release whose private module has no number in its name.
const LAST_UNNUMBERED: u32 = 224;

/// A release of `serde` 1.0.
#[derive(Clone, Copy)]
pub(super) struct Version {
    patch: u32,
}

impl Version {
    pub(super) fn new(version: Option<&str>) -> Self {
        Self {
            patch: patch_of_1_0(version).unwrap_or(NEWEST_KNOWN),
        }
    }

    /// The module with the runtime's private functions. Its name carries the
    /// patch number since `serde_core` was split off.
    pub(super) fn private(self) -> TokenStream {
        let name = match self.patch {
            0..=LAST_UNNUMBERED => "__private".to_owned(),
            patch => format!("__private{patch}"),
        };
        let name = Ident::new(&name, Span::call_site());
        quote!(_serde::#name)
    }

    /// Whether buffered content is read through a visitor of its own, since
    /// `Content` no longer implements `Deserialize`.
    pub(super) fn has_content_visitor(self) -> bool {
        self.patch >= 222
    }

    /// Whether the tag of an adjacently tagged enum is written and read through
    /// types of the runtime.
    pub(super) fn has_adjacent_variant_types(self) -> bool {
        self.patch >= 181
    }

    /// Whether the output asserts that it was not given `serde_core` for `serde`.
    pub(super) fn asserts_serde(self) -> bool {
        self.patch >= 221
    }

    /// Whether content is compared as text by a function instead of a method.
    pub(super) fn has_content_as_str(self) -> bool {
        self.patch >= 221
    }

    /// Whether visitors of enums return errors by `?` instead of an arm.
    pub(super) fn uses_question_mark(self) -> bool {
        self.patch < 229
    }

    /// Whether buffered content of an adjacently tagged enum goes through the
    /// same seed as content that comes after the tag.
    pub(super) fn seeds_buffered_content(self) -> bool {
        self.patch >= 226
    }
}
