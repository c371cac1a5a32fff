//! `EnumString`: an enum from text.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Fields;

use super::{Enum, with_enum};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn enum_string(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let matching = Matching::read(item)?;
        let name = &item.input.ident;
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        let (error, arms, fallback) = (&matching.error, &matching.arms, &matching.fallback);
        let from_str_result =
            quote!(::core::result::Result<#name #ty_generics, <Self as ::core::str::FromStr>::Err>);
        let try_from_result = quote!(::core::result::Result<#name #ty_generics, <Self as ::core::convert::TryFrom<&str>>::Error>);
        if item.minor < 28 {
            let last = match fallback {
                Fallback::Value(value) => quote!(_ => return ::core::result::Result::Ok(#value),),
                Fallback::Error(error) => quote!(_ => return ::core::result::Result::Err(#error),),
            };
            return Ok(quote! {
                #[allow(clippy::use_self)]
                #[automatically_derived]
                impl #impl_generics ::core::str::FromStr for #name #ty_generics #where_clause {
                    type Err = #error;
                    #[inline]
                    fn from_str(s: &str) -> #from_str_result {
                        ::core::result::Result::Ok(match s { #arms #last })
                    }
                }
                #[allow(clippy::use_self)]
                #[automatically_derived]
                impl #impl_generics ::core::convert::TryFrom<&str> for #name #ty_generics #where_clause {
                    type Error = #error;
                    #[inline]
                    fn try_from(s: &str) -> #try_from_result {
                        ::core::str::FromStr::from_str(s)
                    }
                }
            });
        }
        // From 0.28 on an enum that accepts everything cannot fail.
        let (error, conversion) = match fallback {
            Fallback::Value(value) => (
                quote!(::core::convert::Infallible),
                quote! {
                    impl #impl_generics ::core::convert::From<&str> for #name #ty_generics #where_clause {
                        #[inline]
                        fn from(s: &str) -> #name #ty_generics {
                            match s { #arms _ => #value, }
                        }
                    }
                },
            ),
            Fallback::Error(value) => (
                error.clone(),
                quote! {
                    impl #impl_generics ::core::convert::TryFrom<&str> for #name #ty_generics #where_clause {
                        type Error = #error;
                        #[inline]
                        fn try_from(s: &str) -> #try_from_result {
                            Ok({
                                match s {
                                    #arms
                                    _ => return ::core::result::Result::Err(#value),
                                }
                            })
                        }
                    }
                },
            ),
        };
        Ok(quote! {
            #[allow(clippy::use_self)]
            #[automatically_derived]
            impl #impl_generics ::core::str::FromStr for #name #ty_generics #where_clause {
                type Err = #error;
                #[inline]
                fn from_str(s: &str) -> #from_str_result {
                    <Self as ::core::convert::TryFrom<&str>>::try_from(s)
                }
            }
            #[allow(clippy::use_self)]
            #[automatically_derived]
            #conversion
        })
    })
}

/// What a text is that no variant goes by.
enum Fallback {
    /// The default variant with the text in it.
    Value(TokenStream),
    Error(TokenStream),
}

struct Matching {
    error: TokenStream,
    arms: TokenStream,
    fallback: Fallback,
}

impl Matching {
    fn read(item: &Enum<'_>) -> Result<Self, Refusal> {
        let (name, strum) = (&item.input.ident, item.strum());
        let mut arms = TokenStream::new();
        let mut fallback = None;
        for variant in item.enabled() {
            let ident = variant.ident;
            if variant.attrs.default {
                fallback = Some(match variant.fields {
                    Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                        quote!(#name::#ident(s.into()))
                    }
                    Fields::Named(fields) if fields.named.len() == 1 => {
                        let field = fields.named.first().and_then(|field| field.ident.as_ref());
                        quote!(#name::#ident { #field: s.into() })
                    }
                    _ => return Err(Refusal::new("a default variant has one field")),
                });
                continue;
            }
            let value = variant.parsed_defaults()?;
            let insensitive = variant
                .attrs
                .case_insensitive
                .or(item.attrs.case_insensitive);
            for text in variant.attrs.serializations(ident, item.style()) {
                arms.extend(if insensitive == Some(true) {
                    quote!(s if s.eq_ignore_ascii_case(#text) => #name::#ident #value,)
                } else {
                    quote!(#text => #name::#ident #value,)
                });
            }
        }
        let error = match &item.attrs.parse_err_ty {
            Some(path) => quote!(#path),
            None => quote!(#strum::ParseError),
        };
        let fallback = match (fallback, &item.attrs.parse_err_fn) {
            (Some(value), _) => Fallback::Value(value),
            (None, Some(function)) => Fallback::Error(quote!(#function(s))),
            (None, None) => Fallback::Error(quote!(#strum::ParseError::VariantNotFound)),
        };
        Ok(Self {
            error,
            arms,
            fallback,
        })
    }
}
