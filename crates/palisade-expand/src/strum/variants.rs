//! Reflection on variants: `EnumCount`, `EnumIs`, `EnumTryAs`, `VariantNames`
//! and `VariantArray`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Fields;

use super::attrs::method_part;
use super::with_enum;
use crate::Invocation;
use crate::support::{Expansion, unraw};

pub(super) fn enum_count(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let (name, strum) = (&item.input.ident, item.strum());
        let count = item.enabled().count();
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::EnumCount for #name #ty_generics #where_clause {
                const COUNT: usize = #count;
            }
        })
    })
}

pub(super) fn enum_is(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let name = &item.input.ident;
        let methods = item.enabled().map(|variant| {
            let ident = variant.ident;
            let method = format_ident!("is_{}", method_part(&unraw(ident)));
            quote! {
                #[must_use]
                #[inline]
                pub const fn #method(&self) -> bool {
                    match self { &#name::#ident { .. } => true, _ => false }
                }
            }
        });
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #name #ty_generics #where_clause { #(#methods)* }
        })
    })
}

pub(super) fn enum_try_as(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let name = &item.input.ident;
        let mut methods = TokenStream::new();
        for variant in item.enabled() {
            let Fields::Unnamed(fields) = variant.fields else {
                continue;
            };
            let ident = variant.ident;
            let part = method_part(&unraw(ident));
            let values: Vec<_> = (0..fields.unnamed.len())
                .map(|index| format_ident!("x{index}"))
                .collect();
            let types: Vec<_> = fields.unnamed.iter().map(|field| &field.ty).collect();
            let method = |suffix: &str,
                          constness: TokenStream,
                          this: TokenStream,
                          kind: TokenStream| {
                let method = format_ident!("try_as_{part}{suffix}");
                quote! {
                    #[must_use]
                    #[inline]
                    pub #constness fn #method(#this) -> ::core::option::Option<(#(#kind #types),*)> {
                        match self { #name::#ident(#(#values),*) => Some((#(#values),*)), _ => None }
                    }
                }
            };
            methods.extend(method("", quote!(), quote!(self), quote!()));
            methods.extend(method("_ref", quote!(const), quote!(&self), quote!(&)));
            methods.extend(method("_mut", quote!(), quote!(&mut self), quote!(&mut)));
        }
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #name #ty_generics #where_clause { #methods }
        })
    })
}

pub(super) fn variant_names(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let (name, strum) = (&item.input.ident, item.strum());
        let texts = item.variants.iter().map(|variant| item.text(variant));
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::VariantNames for #name #ty_generics #where_clause {
                const VARIANTS: &'static [&'static str] = &[#(#texts),*];
            }
        })
    })
}

pub(super) fn variant_array(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let (name, strum) = (&item.input.ident, item.strum());
        let idents = item.variants.iter().map(|variant| variant.ident);
        let (impl_generics, ty_generics, where_clause) = item.input.generics.split_for_impl();
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #strum::VariantArray for #name #ty_generics #where_clause {
                const VARIANTS: &'static [Self] = &[#(#name::#idents),*];
            }
        })
    })
}
