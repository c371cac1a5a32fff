//! `enum-as-inner`: access to the fields of one variant.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, unraw};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("enum-as-inner", "EnumAsInner", enum_as_inner)];

fn enum_as_inner(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("EnumAsInner needs an enum"));
    };
    let (name, vis) = (&input.ident, &input.vis);
    let mut methods = TokenStream::new();
    for variant in &data.variants {
        let ident = &variant.ident;
        let part = unraw(ident).to_snake_case();
        let is = format_ident!("is_{part}");
        let bindings: Vec<_> = variant
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| match &field.ident {
                Some(ident) => ident.clone(),
                None if variant.fields.len() == 1 => format_ident!("inner"),
                None => format_ident!("match_{index}"),
            })
            .collect();
        let pattern = match &variant.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((#(#bindings),*)),
            Fields::Named(_) => quote!({ #(#bindings),* }),
        };
        methods.extend(quote! {
            #[inline]
            #[allow(unused_variables)]
            #vis fn #is(&self) -> bool {
                match self { Self::#ident #pattern => true, _ => false }
            }
        });
        if matches!(variant.fields, Fields::Unit) {
            continue;
        }
        let types: Vec<_> = variant.fields.iter().map(|field| &field.ty).collect();
        let (as_mut, as_ref, into) = (
            format_ident!("as_{part}_mut"),
            format_ident!("as_{part}"),
            format_ident!("into_{part}"),
        );
        methods.extend(quote! {
            #[inline]
            #[allow(unused_parens)]
            #vis fn #as_mut(&mut self) -> ::core::option::Option<(#(&mut #types),*)> {
                match self {
                    Self::#ident #pattern => ::core::option::Option::Some((#(#bindings),*)),
                    _ => ::core::option::Option::None,
                }
            }
            #[inline]
            #[allow(unused_parens)]
            #vis fn #as_ref(&self) -> ::core::option::Option<(#(&#types),*)> {
                match self {
                    Self::#ident #pattern => ::core::option::Option::Some((#(#bindings),*)),
                    _ => ::core::option::Option::None,
                }
            }
            #[inline]
            #[allow(unused_parens)]
            #vis fn #into(self) -> ::core::result::Result<(#(#types),*), Self> {
                match self {
                    Self::#ident #pattern => ::core::result::Result::Ok((#(#bindings),*)),
                    _ => ::core::result::Result::Err(self),
                }
            }
        });
    }
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[allow(unreachable_patterns)]
        impl #impl_generics #name #ty_generics #where_clause { #methods }
    })
}
