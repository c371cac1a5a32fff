//! `FromRepr`: a variant from its discriminant.

use heck::ToShoutySnakeCase;
use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::Meta;

use super::with_enum;
use crate::Invocation;
use crate::support::Expansion;

pub(super) fn from_repr(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let (name, vis) = (&item.input.ident, &item.input.vis);
        let repr = representation(&item.input.attrs);
        let mut constants = TokenStream::new();
        let mut arms = TokenStream::new();
        let mut previous = None;
        for variant in &item.variants {
            let ident = variant.ident;
            let constant =
                format_ident!("{}_DISCRIMINANT", ident.to_string().to_shouty_snake_case());
            let value = match (&variant.source.discriminant, &previous) {
                (Some((_, value)), _) => quote!(#value),
                (None, Some(previous)) => quote!(#previous + 1),
                (None, None) => quote!(0),
            };
            constants
                .extend(quote!(#[allow(non_upper_case_globals)] const #constant: #repr = #value;));
            if !variant.attrs.disabled {
                let fields = variant.defaults();
                arms.extend(quote! {
                    v if v == #constant => ::core::option::Option::Some(#name::#ident #fields),
                });
            }
            previous = Some(constant);
        }
        // Default values of fields cannot be made in a constant function.
        let is_const = item
            .variants
            .iter()
            .all(|variant| variant.fields.is_empty());
        let constness = is_const.then(|| quote!(const));
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[allow(clippy::use_self)]
            #[automatically_derived]
            impl #impl_generics #name #ty_generics #where_clause {
                #[inline]
                #vis #constness fn from_repr(discriminant: #repr) -> Option<#name #ty_generics> {
                    #constants
                    match discriminant {
                        #arms
                        _ => ::core::option::Option::None,
                    }
                }
            }
        })
    })
}

/// The integer type of `#[repr(..)]`.
fn representation(attributes: &[syn::Attribute]) -> TokenStream {
    const INTEGERS: [&str; 12] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    ];
    for attribute in attributes {
        if !attribute.path().is_ident("repr") {
            continue;
        }
        let Meta::List(list) = &attribute.meta else {
            continue;
        };
        for token in list.tokens.clone() {
            if let TokenTree::Ident(ident) = token
                && INTEGERS.iter().any(|name| ident == name)
            {
                return quote!(#ident);
            }
        }
    }
    quote!(usize)
}
