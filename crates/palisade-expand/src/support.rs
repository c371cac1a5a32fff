//! What the expanders share.

use proc_macro2::TokenStream;

/// Why an expander gives up on its input.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl From<syn::Error> for Refusal {
    fn from(error: syn::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// What every expander returns.
pub(crate) type Expansion = Result<TokenStream, Refusal>;
