//! `prost-derive`: messages, enumerations and their alternatives on the wire.

mod field;
mod map;
mod message;
mod methods;
mod oneof;
mod scalar;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

const PACKAGE: &str = "prost-derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "Message", message::derive),
    Macro::derive(PACKAGE, "Enumeration", enumeration),
    Macro::derive(PACKAGE, "Oneof", oneof::derive),
];

fn enumeration(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("Enumeration needs an enum"));
    };
    let (mut valid, mut some, mut ok) =
        (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for variant in &data.variants {
        let (Fields::Unit, Some((_, value))) = (&variant.fields, &variant.discriminant) else {
            return Err(Refusal::new("every variant needs a number, and no fields"));
        };
        let ident = &variant.ident;
        valid.extend(quote!(#value => true,));
        some.extend(quote!(#value => ::core::option::Option::Some(#name::#ident),));
        ok.extend(quote!(#value => ::core::result::Result::Ok(#name::#ident),));
    }
    let Some(first) = data.variants.first() else {
        return Err(Refusal::new("Enumeration needs a variant"));
    };
    let default = &first.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let (error, refused) = if at_least(invocation.version, (0, 13, 0)) {
        let error = quote!(::prost::UnknownEnumValue);
        (error.clone(), quote!(#error(value)))
    } else {
        let error = quote!(::prost::DecodeError);
        (
            error.clone(),
            quote!(#error::new("invalid enumeration value")),
        )
    };
    Ok(quote! {
        impl #impl_generics #name #ty_generics #where_clause {
            pub fn is_valid(value: i32) -> bool {
                match value {
                    #valid
                    _ => false,
                }
            }
            #[deprecated = "Use the TryFrom<i32> implementation instead"]
            pub fn from_i32(value: i32) -> ::core::option::Option<#name> {
                match value {
                    #some
                    _ => ::core::option::Option::None,
                }
            }
        }
        impl #impl_generics ::core::default::Default for #name #ty_generics #where_clause {
            fn default() -> #name {
                #name::#default
            }
        }
        impl #impl_generics ::core::convert::From::<#name> for i32 #ty_generics #where_clause {
            fn from(value: #name) -> i32 {
                value as i32
            }
        }
        impl #impl_generics ::core::convert::TryFrom::<i32> for #name #ty_generics #where_clause {
            type Error = #error;
            fn try_from(value: i32) -> ::core::result::Result<#name, #error> {
                match value {
                    #ok
                    _ => ::core::result::Result::Err(#refused),
                }
            }
        }
    })
}
