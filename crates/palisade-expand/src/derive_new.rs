//! `derive-new`: constructors.

use heck::ToSnakeCase;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Expr, Fields, LitStr};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal, unraw};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("derive-new", "new", new)];

/// `#[new(..)]` on a field.
#[derive(Default)]
struct Attrs {
    default: bool,
    into: bool,
    value: Option<Expr>,
}

impl Attrs {
    fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("new"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    attrs.default = true;
                } else if meta.path.is_ident("into") {
                    attrs.into = true;
                } else if meta.path.is_ident("value") {
                    attrs.value = Some(parse_literal(&meta.value()?.parse::<LitStr>()?)?);
                } else {
                    return Err(meta.error("expected `default`, `into` or `value`"));
                }
                Ok(())
            })?;
        }
        Ok(attrs)
    }
}

fn new(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    match &input.data {
        Data::Struct(data) => {
            constructor(&input, &format_ident!("new"), &quote!(#name), &data.fields)
        }
        Data::Enum(data) => {
            let mut output = TokenStream::new();
            for variant in &data.variants {
                let ident = &variant.ident;
                let method = format_ident!("new_{}", unraw(ident).to_snake_case());
                let path = quote!(#name::#ident);
                output.extend(constructor(&input, &method, &path, &variant.fields)?);
            }
            Ok(output)
        }
        Data::Union(_) => Err(Refusal::new("a union cannot be constructed")),
    }
}

fn constructor(
    input: &DeriveInput,
    method: &Ident,
    path: &TokenStream,
    fields: &Fields,
) -> Expansion {
    let (mut params, mut values) = (Vec::new(), Vec::new());
    for (index, field) in fields.iter().enumerate() {
        let attrs = Attrs::read(&field.attrs)?;
        let param = field
            .ident
            .clone()
            .unwrap_or_else(|| format_ident!("f{index}"));
        let ty = &field.ty;
        let is_phantom = matches!(ty, syn::Type::Path(path)
            if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"));
        let value = if let Some(value) = attrs.value {
            quote!(#value)
        } else if attrs.default {
            quote!(::core::default::Default::default())
        } else if is_phantom {
            quote!(::core::marker::PhantomData)
        } else if attrs.into {
            params.push(quote!(#param: impl ::core::convert::Into<#ty>));
            quote!(::core::convert::Into::into(#param))
        } else {
            params.push(quote!(#param: #ty));
            quote!(#param)
        };
        values.push(match &field.ident {
            Some(ident) => quote!(#ident: #value),
            None => value,
        });
    }
    let fields = match fields {
        Fields::Unit => quote!(),
        Fields::Unnamed(_) => quote!((#(#values),*)),
        Fields::Named(_) => quote!({ #(#values),* }),
    };
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics #name #ty_generics #where_clause {
            pub fn #method(#(#params),*) -> Self {
                #path #fields
            }
        }
    })
}
