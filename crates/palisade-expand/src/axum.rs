//! `axum-macros`: `FromRef`, and the attributes that only improve messages.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Meta, Type};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};
use crate::unchanged::unchanged;

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("axum-macros", "FromRef", from_ref),
    // The checks beside the function are never called.
    Macro::attribute("axum-macros", "debug_handler", unchanged),
    Macro::attribute("axum-macros", "debug_middleware", unchanged),
];

/// `#[derive(FromRef)]`: every field can be taken out of the state.
fn from_ref(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("only structs hold state"));
    };
    let state = &input.ident;
    let mut output = TokenStream::new();
    for (member, field) in data.fields.members().zip(&data.fields) {
        let skipped = field.attrs.iter().any(|attr| {
            attr.path().is_ident("from_ref")
                && matches!(&attr.meta, Meta::List(list) if list.tokens.to_string() == "skip")
        });
        if skipped {
            continue;
        }
        let ty = &field.ty;
        // A named reference is copied.
        let clone =
            (field.ident.is_none() || !matches!(ty, Type::Reference(_))).then(|| quote!(.clone()));
        output.extend(quote! {
            impl ::axum::extract::FromRef<#state> for #ty {
                fn from_ref(state: &#state) -> Self {
                    state.#member #clone
                }
            }
        });
    }
    Ok(output)
}
