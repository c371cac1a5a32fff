//! Enums as text: `Display`, `AsRefStr`, `IntoStaticStr` and their elders.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Fields, GenericParam, LifetimeParam, parse_quote};

use super::{Enum, Variant, with_enum};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn display(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let mut arms = TokenStream::new();
        for variant in item.enabled() {
            arms.extend(display_arm(item, variant)?);
        }
        arms.extend(fallback(item, "fmt() called on disabled variant."));
        let name = &item.input.ident;
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics ::core::fmt::Display for #name #ty_generics #where_clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::result::Result<(), ::core::fmt::Error> {
                    match *self { #arms }
                }
            }
        })
    })
}

fn display_arm(item: &Enum<'_>, variant: &Variant<'_>) -> Expansion {
    let (name, ident) = (&item.input.ident, variant.ident);
    let attrs = &variant.attrs;
    if attrs.transparent || (attrs.default && attrs.to_string.is_none()) {
        let pattern = only_field(variant)?;
        return Ok(quote!(#name::#ident #pattern => ::core::fmt::Display::fmt(field0, f),));
    }
    let text = item.text(variant);
    let used = interpolated(&text, variant.fields);
    if used.is_empty() {
        let pattern = variant.ignoring();
        return Ok(quote!(#name::#ident #pattern => ::core::fmt::Display::fmt(#text, f),));
    }
    Ok(match variant.fields {
        Fields::Named(_) => {
            let formatter = if item.minor < 27 {
                quote!(format)
            } else {
                quote!(format_args)
            };
            let arguments = quote!(#formatter!(#text, #(#used = #used),*));
            quote! {
                #name::#ident { #(ref #used,)* .. } => ::core::fmt::Display::fmt(&#arguments, f),
            }
        }
        _ => {
            let bindings: Vec<_> = (0..variant.fields.len())
                .map(|index| format_ident!("field{index}"))
                .collect();
            // Only those that are written, or the format is an error.
            let highest = used.len();
            let (written, rest) = bindings.split_at(highest.min(bindings.len()));
            let ignored = rest.iter().map(|_| quote!(_));
            let arguments = quote!(format!(#text, #(#written),*));
            quote! {
                #name::#ident(#(ref #written,)* #(#ignored,)*) =>
                    ::core::fmt::Display::fmt(&#arguments, f),
            }
        }
    })
}

/// The fields that a text interpolates: by name, or those up to the last number.
fn interpolated(text: &str, fields: &Fields) -> Vec<proc_macro2::Ident> {
    let mut names = Vec::new();
    let mut positions = 0;
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let end = rest.find(['}', ':']).unwrap_or(rest.len());
        let argument = rest[..end].trim();
        match fields {
            Fields::Named(fields) => {
                let field = fields.named.iter().filter_map(|field| field.ident.as_ref());
                for ident in field.filter(|ident| *ident == argument) {
                    if !names.contains(ident) {
                        names.push(ident.clone());
                    }
                }
            }
            Fields::Unnamed(_) => {
                let position = if argument.is_empty() {
                    Some(positions)
                } else {
                    argument.parse().ok()
                };
                let position: Option<usize> = position.filter(|&index| index < fields.len());
                positions = positions.max(position.map_or(0, |index| index + 1));
            }
            Fields::Unit => {}
        }
    }
    names.extend((0..positions).map(|index| format_ident!("field{index}")));
    names
}

/// `(ref field0)` or `{ ref name }`, for a variant that stands for its field.
fn only_field(variant: &Variant<'_>) -> Result<TokenStream, Refusal> {
    match variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(quote!((ref field0))),
        Fields::Named(fields) if fields.named.len() == 1 => {
            let ident = fields.named.first().and_then(|field| field.ident.as_ref());
            Ok(quote!({ #ident: ref field0 }))
        }
        _ => Err(Refusal::new("expected a variant with one field")),
    }
}

/// The arm for disabled variants, or for an enum without any.
fn fallback(item: &Enum<'_>, message: &str) -> Option<TokenStream> {
    let needed = item.has_disabled() || item.variants.is_empty();
    needed.then(|| quote!(_ => panic!(#message),))
}

pub(super) fn to_string(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let mut arms = TokenStream::new();
        for variant in item.enabled() {
            let (name, ident) = (&item.input.ident, variant.ident);
            if variant.attrs.default && variant.attrs.to_string.is_none() {
                let pattern = only_field(variant)?;
                arms.extend(quote! {
                    #name::#ident #pattern =>
                        ::std::string::ToString::to_string(&::std::string::String::from(field0)),
                });
                continue;
            }
            let (text, pattern) = (item.text(variant), variant.ignoring());
            arms.extend(quote!(#name::#ident #pattern => ::std::string::String::from(#text),));
        }
        arms.extend(fallback(item, "to_string() called on disabled variant."));
        let name = &item.input.ident;
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[allow(clippy::use_self)]
            #[automatically_derived]
            impl #impl_generics ::std::string::ToString for #name #ty_generics #where_clause {
                fn to_string(&self) -> ::std::string::String {
                    match *self { #arms }
                }
            }
        })
    })
}

/// The arms of a `match` that gives a static text. A transparent variant asks
/// its field, through the given function.
fn static_arms(item: &Enum<'_>, ask: &TokenStream) -> Expansion {
    let name = &item.input.ident;
    let mut arms = TokenStream::new();
    for variant in item.enabled() {
        let ident = variant.ident;
        if variant.attrs.transparent {
            let pattern = only_field(variant)?;
            arms.extend(quote!(#name::#ident #pattern => #ask(field0),));
        } else {
            let (text, pattern) = (item.text(variant), variant.ignoring());
            arms.extend(quote!(#name::#ident #pattern => #text,));
        }
    }
    let message =
        "AsRef::<str>::as_ref() or AsStaticRef::<str>::as_static() called on disabled variant.";
    arms.extend(fallback(item, message));
    Ok(arms)
}

pub(super) fn as_ref_str(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let arms = static_arms(item, &quote!(::core::convert::AsRef::<str>::as_ref))?;
        let name = &item.input.ident;
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics ::core::convert::AsRef<str> for #name #ty_generics #where_clause {
                #[inline]
                fn as_ref(&self) -> &str {
                    match *self { #arms }
                }
            }
        })
    })
}

pub(super) fn as_static_str(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let arms = static_arms(item, &quote!(::core::convert::From::from))?;
        let (name, strum) = (&item.input.ident, item.strum());
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::AsStaticRef<str> for #name #ty_generics #where_clause {
                #[inline]
                fn as_static(&self) -> &'static str {
                    match *self { #arms }
                }
            }
        })
    })
}

pub(super) fn into_static_str(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let name = &item.input.ident;
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        let arms = static_arms(item, &quote!(::core::convert::From::from))?;
        let mut borrowed = item.input.generics.clone();
        let lifetime: LifetimeParam = parse_quote!('_derivative_strum);
        borrowed.params.push(GenericParam::Lifetime(lifetime));
        let (borrowed_generics, _, _) = borrowed.split_for_impl();
        let vis = &item.input.vis;
        let (method, by_reference) = if item.attrs.const_into_str {
            let method = quote! {
                #[automatically_derived]
                impl #impl_generics #name #ty_generics #where_clause {
                    #vis const fn into_str(&self) -> &'static str {
                        match *self { #arms }
                    }
                }
            };
            (Some(method), quote!(x.into_str()))
        } else {
            (None, quote!(match *x { #arms }))
        };
        Ok(quote! {
            #method
            #[automatically_derived]
            impl #impl_generics ::core::convert::From<#name #ty_generics> for &'static str #where_clause {
                #[inline]
                fn from(x: #name #ty_generics) -> &'static str {
                    match x { #arms }
                }
            }
            #[automatically_derived]
            impl #borrowed_generics ::core::convert::From<&'_derivative_strum #name #ty_generics> for &'static str #where_clause {
                #[inline]
                fn from(x: &'_derivative_strum #name #ty_generics) -> &'static str {
                    #by_reference
                }
            }
        })
    })
}
