//! `serde_derive`: `Serialize` and `Deserialize`.
//!
//! The output follows `serde_derive` function by function, so that each
//! generated visitor, wrapper and identifier enum has the same methods which
//! call the same methods of the runtime. See `version` for what depends on the
//! release.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{DeriveInput, parse_quote};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

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
    let input = input(invocation)?;
    let container = Container::read(&input, Version::new(invocation.version))?;
    Ok(wrap(&container, &serialize::implementation(&container)?))
}

fn deserialize(invocation: &Invocation<'_>) -> Expansion {
    let input = input(invocation)?;
    let container = Container::read(&input, Version::new(invocation.version))?;
    Ok(wrap(&container, &deserialize::implementation(&container)?))
}

/// The item, with `Self` replaced by its name: types of fields are repeated in
/// impls of helper types, where `Self` means something else.
fn input(invocation: &Invocation<'_>) -> syn::Result<DeriveInput> {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ident = &input.ident;
    let (_, arguments, _) = input.generics.split_for_impl();
    let mut replace = ReplaceSelf(syn::parse2(quote!(#ident #arguments))?);
    replace.visit_generics_mut(&mut input.generics);
    replace.visit_data_mut(&mut input.data);
    Ok(input)
}

struct ReplaceSelf(syn::TypePath);

impl VisitMut for ReplaceSelf {
    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        if let syn::Type::Path(path) = ty
            && path.qself.is_none()
            && path.path.is_ident("Self")
        {
            *ty = syn::Type::Path(self.0.clone());
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        if path.qself.is_none()
            && path.path.segments.len() > 1
            && path.path.segments[0].ident == "Self"
        {
            let this = &self.0;
            let rest = path.path.segments.iter().skip(1);
            *path = parse_quote!(<#this>::#(#rest)::*);
        }
        visit_mut::visit_type_path_mut(self, path);
    }
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
