//! `zeroize_derive`: `Zeroize` and `ZeroizeOnDrop`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("zeroize_derive", "Zeroize", zeroize),
    Macro::derive("zeroize_derive", "ZeroizeOnDrop", zeroize_on_drop),
];

/// Whether `#[zeroize(word)]` stands there.
fn has(attributes: &[Attribute], word: &str) -> Result<bool, Refusal> {
    let mut found = false;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("zeroize"))
    {
        attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(word);
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// A `match` that calls the method on every field that is not skipped.
fn each_field(input: &DeriveInput, method: &Ident) -> Expansion {
    let name = &input.ident;
    let shapes: Vec<(TokenStream, &Fields)> = match &input.data {
        Data::Struct(data) => vec![(quote!(#name), &data.fields)],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                (quote!(#name::#ident), &variant.fields)
            })
            .collect(),
        Data::Union(_) => return Err(Refusal::new("a union cannot be zeroized")),
    };
    let mut arms = TokenStream::new();
    for (path, fields) in shapes {
        let mut bindings = Vec::new();
        let mut calls = TokenStream::new();
        for (index, field) in fields.iter().enumerate() {
            let fallback = || format_ident!("__zeroize_field_{index}");
            let binding = field.ident.clone().unwrap_or_else(fallback);
            if !has(&field.attrs, "skip")? {
                calls.extend(quote!(#binding.#method();));
            }
            bindings.push(binding);
        }
        let pattern = match fields {
            Fields::Named(_) => quote!({ #(#bindings),* }),
            Fields::Unnamed(_) => quote!((#(#bindings),*)),
            Fields::Unit => quote!(),
        };
        arms.extend(quote! {
            #[allow(unused_variables, unused_assignments)]
            #path #pattern => { #calls }
        });
    }
    Ok(quote!(match self { #arms _ => {} }))
}

fn zeroize(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let body = each_field(&input, &format_ident!("zeroize"))?;
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let mut bounded = input.generics.clone();
    let params: Vec<_> = input
        .generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    for param in params {
        let predicate = syn::parse2(quote!(#param: ::zeroize::Zeroize))?;
        bounded.make_where_clause().predicates.push(predicate);
    }
    let (_, _, bounded) = bounded.split_for_impl();
    let drop = has(&input.attrs, "drop")?.then(|| {
        quote! {
            #[doc(hidden)]
            impl #impl_generics Drop for #name #ty_generics #where_clause {
                fn drop(&mut self) {
                    self.zeroize()
                }
            }
        }
    });
    Ok(quote! {
        impl #impl_generics ::zeroize::Zeroize for #name #ty_generics #bounded {
            #[allow(unreachable_patterns)]
            fn zeroize(&mut self) {
                #body
            }
        }
        #drop
    })
}

fn zeroize_on_drop(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let body = each_field(&input, &format_ident!("zeroize_or_on_drop"))?;
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics Drop for #name #ty_generics #where_clause {
            #[allow(unreachable_patterns)]
            fn drop(&mut self) {
                use ::zeroize::__internal::AssertZeroize;
                use ::zeroize::__internal::AssertZeroizeOnDrop;
                #body
            }
        }
        #[doc(hidden)]
        impl #impl_generics ::zeroize::ZeroizeOnDrop for #name #ty_generics #where_clause {}
    })
}
