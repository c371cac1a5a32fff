//! `Clone`, `Debug`, `Default` and `Hash`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Member};

use super::attrs::{Generic, Request};
use super::{Context, Item};
use crate::support::{Expansion, Refusal, unraw};

/// The path of a trait of the standard library.
pub(super) fn path(name: &str) -> TokenStream {
    match name {
        "Clone" => quote!(::core::clone::Clone),
        "Copy" => quote!(::core::marker::Copy),
        "Debug" => quote!(::core::fmt::Debug),
        "Default" => quote!(::core::default::Default),
        "Eq" => quote!(::core::cmp::Eq),
        "Hash" => quote!(::core::hash::Hash),
        "Ord" => quote!(::core::cmp::Ord),
        "PartialEq" => quote!(::core::cmp::PartialEq),
        _ => quote!(::core::cmp::PartialOrd),
    }
}

/// Whether the impl goes through another trait of the same request: none of its
/// bounds depends on the trait.
pub(super) fn is_shared(context: &Context<'_>, request: &Request, with: &str) -> bool {
    let mut generics = request.generics.iter();
    let is_independent = match context.since(4) {
        true => generics.all(|generic| matches!(generic, Generic::Predicate(_))),
        false => request.generics.is_empty(),
    };
    is_independent && request.contains(with)
}

pub(super) fn clone(context: &Context<'_>, item: &Item<'_>, request: &Request) -> TokenStream {
    let body = if is_shared(context, request, "Copy") {
        quote!(*self)
    } else if item.is_union {
        quote! {
            struct __AssertCopy<__T: ::core::marker::Copy + ?::core::marker::Sized>(
                ::core::marker::PhantomData<__T>,
            );
            let _: __AssertCopy<Self>;
            *self
        }
    } else {
        let arms = item.cases.iter().map(|case| {
            let path = &case.path;
            if let Fields::Unit = case.shape {
                return quote!(#path => #path,);
            }
            let pattern = case.this();
            let values = case.fields.iter().map(|field| {
                let (member, this) = (&field.member, &field.this);
                match field.attrs.skip.skips("Clone") || case.skip.skips("Clone") {
                    true => quote!(#member: ::core::default::Default::default()),
                    false => quote!(#member: ::core::clone::Clone::clone(#this)),
                }
            });
            quote!(#pattern => #path { #(#values),* },)
        });
        quote!(match self { #(#arms)* })
    };
    quote!(#[inline] fn clone(&self) -> Self { #body })
}

pub(super) fn debug(item: &Item<'_>) -> TokenStream {
    let arms = item.cases.iter().map(|case| {
        let (pattern, name) = (case.this(), case.ident.to_string());
        let values = case.fields("Debug").map(|field| &field.this);
        match case.shape {
            Fields::Named(_) => {
                let names = case.fields("Debug").map(|field| match &field.member {
                    Member::Named(name) => unraw(name),
                    Member::Unnamed(index) => index.index.to_string(),
                });
                let skips = case.skip.skips("Debug")
                    || case
                        .fields
                        .iter()
                        .any(|field| field.attrs.skip.skips("Debug"));
                let finish = match skips {
                    true => quote!(finish_non_exhaustive),
                    false => quote!(finish),
                };
                quote! {
                    #pattern => {
                        let mut __builder = ::core::fmt::Formatter::debug_struct(__f, #name);
                        #(::core::fmt::DebugStruct::field(&mut __builder, #names, #values);)*
                        ::core::fmt::DebugStruct::#finish(&mut __builder)
                    }
                }
            }
            Fields::Unnamed(_) => quote! {
                #pattern => {
                    let mut __builder = ::core::fmt::Formatter::debug_tuple(__f, #name);
                    #(::core::fmt::DebugTuple::field(&mut __builder, #values);)*
                    ::core::fmt::DebugTuple::finish(&mut __builder)
                }
            },
            Fields::Unit => quote!(#pattern => ::core::fmt::Formatter::write_str(__f, #name),),
        }
    });
    quote! {
        fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            match self { #(#arms)* }
        }
    }
}

pub(super) fn default(item: &Item<'_>) -> Expansion {
    let Some(case) = item.cases.iter().find(|case| case.is_default) else {
        return Err(Refusal::new("no variant is the default"));
    };
    let path = &case.path;
    let value = match case.shape {
        Fields::Named(_) => {
            let members = case.fields.iter().map(|field| &field.member);
            quote!(#path { #(#members: ::core::default::Default::default()),* })
        }
        Fields::Unnamed(_) => {
            let values = case
                .fields
                .iter()
                .map(|_| quote!(::core::default::Default::default()));
            quote!(#path(#(#values),*))
        }
        Fields::Unit => quote!(#path),
    };
    Ok(quote!(fn default() -> Self { #value }))
}

pub(super) fn hash(item: &Item<'_>) -> TokenStream {
    let arms = item.cases.iter().map(|case| {
        let pattern = case.this();
        let discriminant = item
            .is_enum
            .then(|| quote!(::core::hash::Hash::hash(&::core::mem::discriminant(self), __state);));
        let values = case.fields("Hash").map(|field| &field.this);
        quote! {
            #pattern => {
                #discriminant
                #(::core::hash::Hash::hash(#values, __state);)*
            }
        }
    });
    quote! {
        fn hash<__H: ::core::hash::Hasher>(&self, __state: &mut __H) {
            match self { #(#arms)* }
        }
    }
}
