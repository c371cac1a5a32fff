//! `EnumMessage` and `EnumProperty`: static texts and values of a variant.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit, Meta};

use super::{Enum, Variant, with_enum};
use crate::Invocation;
use crate::support::Expansion;

pub(super) fn enum_message(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let name = &item.input.ident;
        let method = |method: &str, value: &dyn Fn(&Variant<'_>) -> Option<String>| {
            let method = quote::format_ident!("{method}");
            let mut arms = TokenStream::new();
            for variant in item.enabled() {
                let (ident, pattern) = (variant.ident, variant.ignoring());
                if let Some(text) = value(variant) {
                    arms.extend(
                        quote!(&#name::#ident #pattern => ::core::option::Option::Some(#text),),
                    );
                }
            }
            quote! {
                #[inline]
                fn #method(&self) -> ::core::option::Option<&'static str> {
                    match self { #arms _ => ::core::option::Option::None, }
                }
            }
        };
        let message = method("get_message", &|variant| variant.attrs.message.clone());
        let detailed = method("get_detailed_message", &|variant| {
            variant
                .attrs
                .detailed_message
                .clone()
                .or_else(|| variant.attrs.message.clone())
        });
        let documentation = method("get_documentation", &documentation);
        let mut serializations = TokenStream::new();
        for variant in &item.variants {
            let (ident, pattern) = (variant.ident, variant.ignoring());
            let names = variant.attrs.serializations(ident, item.style());
            let count = names.len();
            serializations.extend(quote! {
                &#name::#ident #pattern => {
                    static ARR: [&'static str; #count] = [#(#names),*];
                    &ARR
                }
            });
        }
        if item.variants.is_empty() {
            serializations.extend(quote!(_ => &[],));
        }
        let strum = item.strum();
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::EnumMessage for #name #ty_generics #where_clause {
                #message
                #detailed
                #documentation
                #[inline]
                fn get_serializations(&self) -> &'static [&'static str] {
                    match self { #serializations }
                }
            }
        })
    })
}

/// The doc comment of a variant, its lines joined.
fn documentation(variant: &Variant<'_>) -> Option<String> {
    let mut lines = Vec::new();
    for attribute in &variant.source.attrs {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &meta.value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').map(str::to_owned).unwrap_or(text));
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

pub(super) fn enum_property(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let (name, strum) = (&item.input.ident, item.strum());
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        let text = property(item, "get_str", &quote!(&'static str), |value| {
            matches!(value, Lit::Str(_))
        });
        let others = (item.minor >= 27).then(|| {
            let int = property(item, "get_int", &quote!(i64), |value| {
                matches!(value, Lit::Int(_))
            });
            let bool = property(item, "get_bool", &quote!(bool), |value| {
                matches!(value, Lit::Bool(_))
            });
            quote!(#int #bool)
        });
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::EnumProperty for #name #ty_generics #where_clause {
                #text
                #others
            }
        })
    })
}

fn property(
    item: &Enum<'_>,
    method: &str,
    ty: &TokenStream,
    accepts: fn(&Lit) -> bool,
) -> TokenStream {
    let name = &item.input.ident;
    let method = quote::format_ident!("{method}");
    let mut arms = TokenStream::new();
    for variant in item.enabled() {
        let (ident, pattern) = (variant.ident, variant.ignoring());
        let props = variant
            .attrs
            .props
            .iter()
            .filter(|(_, value)| accepts(value));
        let values =
            props.map(|(key, value)| quote!(#key => ::core::option::Option::Some(#value),));
        arms.extend(quote! {
            &#name::#ident #pattern => match prop { #(#values)* _ => ::core::option::Option::None },
        });
    }
    if item.has_disabled() || item.variants.is_empty() {
        arms.extend(quote!(_ => ::core::option::Option::None,));
    }
    quote! {
        #[inline]
        fn #method(&self, prop: &str) -> ::core::option::Option<#ty> {
            match self { #arms }
        }
    }
}
