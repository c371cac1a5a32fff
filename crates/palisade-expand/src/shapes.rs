//! Structs and enums alike, as what a `match` on a value distinguishes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

use crate::support::Refusal;

/// A struct, or one variant of an enum.
pub(crate) struct Shape<'a> {
    /// `Name` or `Name::Variant`.
    pub(crate) path: TokenStream,
    pub(crate) fields: &'a Fields,
}

/// The struct, or each variant of the enum.
pub(crate) fn shapes(input: &DeriveInput) -> Result<Vec<Shape<'_>>, Refusal> {
    let name = &input.ident;
    match &input.data {
        Data::Struct(data) => Ok(vec![Shape {
            path: quote!(#name),
            fields: &data.fields,
        }]),
        Data::Enum(data) => Ok(data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                Shape {
                    path: quote!(#name::#ident),
                    fields: &variant.fields,
                }
            })
            .collect()),
        Data::Union(_) => Err(Refusal::new("expected a struct or an enum")),
    }
}

impl Shape<'_> {
    /// One name for each field, made of the prefix and the field's position.
    pub(crate) fn numbered(&self, prefix: &str) -> Vec<Ident> {
        (0..self.fields.len())
            .map(|index| format_ident!("{prefix}{index}"))
            .collect()
    }

    /// The path with one value or pattern for each field, in their order.
    pub(crate) fn with(&self, values: &[TokenStream]) -> TokenStream {
        let path = &self.path;
        match self.fields {
            Fields::Named(fields) => {
                let names = fields.named.iter().map(|field| &field.ident);
                quote!(#path { #(#names: #values,)* })
            }
            Fields::Unnamed(_) => quote!(#path(#(#values,)*)),
            Fields::Unit => quote!(#path),
        }
    }
}
