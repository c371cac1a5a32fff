//! `Oneof`: an enum of which one alternative is on the wire.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use super::field::Field;
use super::message::skips_debug;
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn derive(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("Oneof needs an enum"));
    };
    let name = &input.ident;
    let (mut encode, mut merge, mut encoded_len, mut debug) = (
        TokenStream::new(),
        TokenStream::new(),
        TokenStream::new(),
        TokenStream::new(),
    );
    for variant in &data.variants {
        if variant.fields.len() != 1 {
            return Err(Refusal::new("every alternative needs one field"));
        }
        let ident = &variant.ident;
        let field = Field::read_in_oneof(&variant.attrs)?;
        let place = quote!(*value);
        let (write, length) = (field.encode(&place), field.encoded_len(&place));
        let (read, shown) = (field.merge(&quote!(value)), field.debug(&place));
        let tags = &field.tags;
        encode.extend(quote!(#name::#ident(ref value) => { #write }));
        encoded_len.extend(quote!(#name::#ident(ref value) => #length,));
        merge.extend(quote! {
            #(#tags)|* => if let ::core::option::Option::Some(#name::#ident(value)) = field {
                #read
            } else {
                let mut owned_value = ::core::default::Default::default();
                let value = &mut owned_value;
                #read.map(|_| {
                    *field = ::core::option::Option::Some(#name::#ident(owned_value))
                })
            }
        });
        debug.extend(quote! {
            #name::#ident(ref value) => {
                let wrapper = #shown;
                f.debug_tuple(stringify!(#ident)).field(&wrapper).finish()
            }
        });
    }
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let debug = (!skips_debug(&input.attrs)).then(|| {
        quote! {
            impl #impl_generics ::core::fmt::Debug for #name #ty_generics #where_clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                    match *self { #debug }
                }
            }
        }
    });
    Ok(quote! {
        impl #impl_generics #name #ty_generics #where_clause {
            pub fn encode(&self, buf: &mut impl ::prost::bytes::BufMut) {
                match *self { #encode }
            }
            pub fn merge(
                field: &mut ::core::option::Option<#name #ty_generics>,
                tag: u32,
                wire_type: ::prost::encoding::wire_type::WireType,
                buf: &mut impl ::prost::bytes::Buf,
                ctx: ::prost::encoding::DecodeContext,
            ) -> ::core::result::Result<(), ::prost::DecodeError> {
                match tag {
                    #merge
                    _ => unreachable!(concat!("invalid ", stringify!(#name), " tag: {}"), tag),
                }
            }
            #[inline]
            pub fn encoded_len(&self) -> usize {
                match *self { #encoded_len }
            }
        }
        #debug
    })
}
