//! `serde_derive`: `Serialize` and `Deserialize`.
//!
//! The output follows `serde_derive` function by function, so that each
//! generated visitor, wrapper and identifier enum has the same methods which
//! call the same methods of the runtime. See `version` for what depends on the
//! release.

use proc_macro2::TokenStream;
use quote::quote;

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{self, Expansion};

mod attrs;
mod bounds;
mod de_enum;
mod de_fields;
mod de_identifier;
mod de_variant;
mod deserialize;
mod model;
mod names;
mod ser_enum;
mod ser_fields;
mod serialize;
mod version;

use model::Container;
use version::Version;

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("serde_derive", "Serialize", serialize),
    Macro::derive("serde_derive", "Deserialize", deserialize),
];

fn serialize(invocation: &Invocation<'_>) -> Expansion {
    let input = support::named_input(invocation)?;
    let container = Container::read(&input, Version::new(invocation.version))?;
    Ok(wrap(&container, &serialize::implementation(&container)?))
}

fn deserialize(invocation: &Invocation<'_>) -> Expansion {
    let input = support::named_input(invocation)?;
    let container = Container::read(&input, Version::new(invocation.version))?;
    Ok(wrap(&container, &deserialize::implementation(&container)?))
}

/// The impl inside the anonymous constant that keeps its imports to itself.
fn wrap(container: &Container<'_>, implementation: &TokenStream) -> TokenStream {
    let import = match &container.attrs.serde_path {
        Some(path) => quote!(use #path as _serde;),
        None => quote!(
            #[allow(unused_extern_crates, clippy::useless_attribute)]
            extern crate serde as _serde;
        ),
    };
    let assertion = container
        .version
        .asserts_serde()
        .then(|| quote!(_serde::__require_serde_not_serde_core!();));
    quote! {
        #[doc(hidden)]
        #[allow(
            non_upper_case_globals,
            unused_attributes,
            unused_qualifications,
            clippy::absolute_paths
        )]
        const _: () = {
            #import
            #assertion
            #implementation
        };
    }
}
