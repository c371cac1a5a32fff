//! `Message`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields, Member};

use super::field::Field;
use super::methods;
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// Whether `#[prost(skip_debug)]` stands there.
pub(super) fn skips_debug(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("prost")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|word| word == "skip_debug")
    })
}

pub(super) fn derive(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("Message needs a struct"));
    };
    let mut next_tag = 1;
    let mut fields: Vec<(TokenStream, Field)> = Vec::new();
    for (member, field) in data.fields.members().zip(&data.fields) {
        let field = Field::read(&field.attrs, Some(next_tag))?;
        if let Some(last) = field.tags.iter().max() {
            next_tag = last.saturating_add(1);
        }
        let member = match member {
            Member::Named(ident) => ident.to_token_stream(),
            Member::Unnamed(index) => index.to_token_stream(),
        };
        fields.push((member, field));
    }
    let is_named = matches!(data.fields, Fields::Named(_));
    let debug = (!skips_debug(&input.attrs)).then(|| debug(&input, &fields, is_named));
    fields.sort_by_key(|(_, field)| field.tags.iter().min().copied());

    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let encode = fields
        .iter()
        .map(|(member, field)| field.encode(&quote!(self.#member)));
    let encoded_len = fields
        .iter()
        .map(|(member, field)| field.encoded_len(&quote!(self.#member)));
    let clear = fields
        .iter()
        .map(|(member, field)| field.clear(&quote!(self.#member)));
    let merge = fields.iter().map(|(member, field)| {
        let (tags, merge) = (&field.tags, field.merge(&quote!(value)));
        quote! {
            #(#tags)|* => {
                let mut value = &mut self.#member;
                #merge.map_err(|mut error| {
                    error.push(STRUCT_NAME, stringify!(#member));
                    error
                })
            }
        }
    });
    let struct_name = (!fields.is_empty()).then(|| {
        quote!(
            const STRUCT_NAME: &'static str = stringify!(#name);
        )
    });
    let default = if is_named {
        let values = fields.iter().map(|(member, field)| {
            let value = field.default();
            quote!(#member: #value)
        });
        quote!(#name { #(#values,)* })
    } else {
        let values = fields.iter().map(|(_, field)| field.default());
        quote!(#name(#(#values,)*))
    };
    let accessors: Vec<_> = fields
        .iter()
        .filter_map(|(member, field)| methods::of(field, member))
        .collect();
    let accessors = (!accessors.is_empty()).then(|| {
        quote! {
            #[allow(dead_code)]
            impl #impl_generics #name #ty_generics #where_clause { #(#accessors)* }
        }
    });
    Ok(quote! {
        impl #impl_generics ::prost::Message for #name #ty_generics #where_clause {
            #[allow(unused_variables)]
            fn encode_raw(&self, buf: &mut impl ::prost::bytes::BufMut) {
                #(#encode)*
            }
            #[allow(unused_variables)]
            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: ::prost::encoding::wire_type::WireType,
                buf: &mut impl ::prost::bytes::Buf,
                ctx: ::prost::encoding::DecodeContext,
            ) -> ::core::result::Result<(), ::prost::DecodeError> {
                #struct_name
                match tag {
                    #(#merge,)*
                    _ => ::prost::encoding::skip_field(wire_type, tag, buf, ctx),
                }
            }
            #[inline]
            fn encoded_len(&self) -> usize {
                0 #(+ #encoded_len)*
            }
            fn clear(&mut self) {
                #(#clear;)*
            }
        }
        impl #impl_generics ::core::default::Default for #name #ty_generics #where_clause {
            fn default() -> Self {
                #default
            }
        }
        #debug
        #accessors
    })
}

fn debug(input: &DeriveInput, fields: &[(TokenStream, Field)], is_named: bool) -> TokenStream {
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let builder = if is_named {
        quote!(f.debug_struct(stringify!(#name)))
    } else {
        quote!(f.debug_tuple(stringify!(#name)))
    };
    let shown = fields.iter().map(|(member, field)| {
        let wrapper = field.debug(&quote!(self.#member));
        let label = is_named.then(|| quote!(stringify!(#member),));
        quote! {
            let builder = {
                let wrapper = #wrapper;
                builder.field(#label &wrapper)
            };
        }
    });
    quote! {
        impl #impl_generics ::core::fmt::Debug for #name #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                let mut builder = #builder;
                #(#shown)*
                builder.finish()
            }
        }
    }
}
