//! `EnumDiscriminants`: a second enum with the variants alone.

use quote::{format_ident, quote};
use syn::{GenericParam, LifetimeParam, parse_quote};

use super::attrs::DiscriminantAttrs;
use super::with_enum;
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn enum_discriminants(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        let input = item.input;
        let attrs = DiscriminantAttrs::read(&input.attrs)?;
        let name = &input.ident;
        let discriminants = attrs
            .name
            .clone()
            .unwrap_or_else(|| format_ident!("{name}Discriminants"));
        let vis = attrs.vis.as_ref().unwrap_or(&input.vis);
        let (derives, others) = (&attrs.derives, &attrs.others);
        let repr = input
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("repr"));
        let variants = item.variants.iter().map(|variant| {
            let ident = variant.ident;
            let kept = variant.source.attrs.iter().filter(|attribute| {
                let path = attribute.path();
                path.is_ident("doc") || path.is_ident("default") || path.is_ident("cfg")
            });
            let own = DiscriminantAttrs::read(&variant.source.attrs)?;
            let others = own.others;
            let value = variant
                .source
                .discriminant
                .as_ref()
                .map(|(_, value)| quote!(= #value));
            Ok(quote!(#(#kept)* #(#[#others])* #ident #value))
        });
        let variants = variants.collect::<Result<Vec<_>, Refusal>>()?;
        let arms = item.variants.iter().map(|variant| {
            let (ident, pattern) = (variant.ident, variant.ignoring());
            quote!(#name::#ident #pattern => #discriminants::#ident,)
        });
        let mut arms: proc_macro2::TokenStream = arms.collect();
        if item.variants.is_empty() {
            arms.extend(quote!(_ => unreachable!(),));
        }
        let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
        let mut borrowed = input.generics.clone();
        let lifetime: LifetimeParam = parse_quote!('_enum);
        borrowed.params.push(GenericParam::Lifetime(lifetime));
        let (borrowed_generics, _, _) = borrowed.split_for_impl();
        let strum = item.strum();
        let into = (attrs.vis.is_none() && item.minor >= 27).then(|| {
            quote! {
                #[automatically_derived]
                impl #impl_generics #strum::IntoDiscriminant for #name #ty_generics #where_clause {
                    type Discriminant = #discriminants;
                    #[inline]
                    fn discriminant(&self) -> Self::Discriminant {
                        <Self::Discriminant as ::core::convert::From<&Self>>::from(self)
                    }
                }
            }
        });
        Ok(quote! {
            #[derive(Clone, Copy, Debug, PartialEq, Eq, #(#derives),*)]
            #(#repr)*
            #(#[#others])*
            #vis enum #discriminants { #(#variants),* }
            #into
            #[automatically_derived]
            impl #impl_generics ::core::convert::From<#name #ty_generics> for #discriminants #where_clause {
                #[inline]
                fn from(val: #name #ty_generics) -> #discriminants {
                    match val { #arms }
                }
            }
            #[automatically_derived]
            impl #borrowed_generics ::core::convert::From<&'_enum #name #ty_generics> for #discriminants #where_clause {
                #[inline]
                fn from(val: &'_enum #name #ty_generics) -> #discriminants {
                    match val { #arms }
                }
            }
        })
    })
}
