//! `enum-map-derive`: `Enum`, values that are numbered without gaps.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("enum-map-derive", "Enum", derive)];

/// How the fields of a struct or a variant make up one number.
struct Numbered {
    /// How many values there are.
    count: TokenStream,
    /// The number, from the values at these places.
    number: TokenStream,
    /// The fields, from `value`.
    fields: TokenStream,
}

impl Numbered {
    fn new(fields: &Fields, start: &TokenStream, places: &[TokenStream]) -> Self {
        let mut count = quote!(1usize);
        let mut number = start.clone();
        let mut values = TokenStream::new();
        for (field, place) in fields.iter().zip(places) {
            let ty = &field.ty;
            let length = quote!(<#ty as ::enum_map::Enum>::LENGTH);
            number = quote!((#number + #count * ::enum_map::Enum::into_usize(#place)));
            let name = field.ident.as_ref().map(|ident| quote!(#ident:));
            values.extend(quote! {
                #name <#ty as ::enum_map::Enum>::from_usize(
                    (value - #start) / #count % #length
                ),
            });
            count = quote!((#count * #length));
        }
        let fields = match fields {
            Fields::Named(_) => quote!({ #values }),
            Fields::Unnamed(_) => quote!((#values)),
            Fields::Unit => TokenStream::new(),
        };
        Self {
            count,
            number,
            fields,
        }
    }
}

fn derive(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    let (length, from, into) = match &input.data {
        Data::Struct(data) => {
            let places = data.fields.members().map(|member| quote!(self.#member));
            let places: Vec<_> = places.collect();
            let all = Numbered::new(&data.fields, &quote!(0usize), &places);
            let fields = &all.fields;
            (all.count, quote!(Self #fields), all.number)
        }
        Data::Enum(data) => {
            let mut length = quote!(0usize);
            let (mut from, mut into) = (TokenStream::new(), TokenStream::new());
            for variant in &data.variants {
                let ident = &variant.ident;
                let names: Vec<_> = (0..variant.fields.len())
                    .map(|index| format_ident!("p{index}"))
                    .collect();
                let places: Vec<_> = names.iter().map(|name| quote!(#name)).collect();
                let one = Numbered::new(&variant.fields, &length, &places);
                let pattern = match &variant.fields {
                    Fields::Named(fields) => {
                        let keys = fields.named.iter().map(|field| &field.ident);
                        quote!({ #(#keys: #names,)* })
                    }
                    Fields::Unnamed(_) => quote!((#(#names,)*)),
                    Fields::Unit => TokenStream::new(),
                };
                let (count, number, fields) = (&one.count, &one.number, &one.fields);
                into.extend(quote!(Self::#ident #pattern => #number,));
                length = quote!((#length + #count));
                from.extend(quote!(if value < #length { Self::#ident #fields } else));
            }
            (
                length,
                quote!(#from { ::enum_map::out_of_bounds() }),
                quote!(match self { #into }),
            )
        }
        Data::Union(_) => return Err(Refusal::new("a union cannot be numbered")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::enum_map::Enum for #name {
            const LENGTH: ::enum_map::usize = #length;
            #[inline]
            fn from_usize(value: ::enum_map::usize) -> Self {
                #from
            }
            #[inline]
            fn into_usize(self) -> ::enum_map::usize {
                #into
            }
        }
        #[automatically_derived]
        impl<V> ::enum_map::EnumArray<V> for #name {
            type Array = [V; #length];
        }
    })
}
