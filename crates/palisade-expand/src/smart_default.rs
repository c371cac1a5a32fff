//! `smart-default`: `Default` with a value for each field.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Attribute, Data, DeriveInput, Fields, Lit, LitStr, Meta, Token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive(
    "smart-default",
    "SmartDefault",
    smart_default,
)];

fn smart_default(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    let value = match &input.data {
        Data::Struct(data) => {
            let fields = values(&data.fields)?;
            quote!(#name #fields)
        }
        Data::Enum(data) => {
            let chosen = data.variants.iter().find(|variant| {
                let mut attributes = variant.attrs.iter();
                attributes.any(|attribute| attribute.path().is_ident("default"))
            });
            let chosen = chosen.ok_or_else(|| Refusal::new("no variant is the default"))?;
            let (ident, fields) = (&chosen.ident, values(&chosen.fields)?);
            quote!(#name::#ident #fields)
        }
        Data::Union(_) => return Err(Refusal::new("a union has no default")),
    };
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics Default for #name #ty_generics #where_clause {
            fn default() -> Self {
                #value
            }
        }
    })
}

fn values(fields: &Fields) -> Result<TokenStream, Refusal> {
    let values = fields
        .iter()
        .map(|field| value(&field.attrs))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match fields {
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!({ #(#names: #values),* })
        }
        Fields::Unnamed(_) => quote!((#(#values),*)),
        Fields::Unit => TokenStream::new(),
    })
}

/// What `#[default = value]`, `#[default(value)]` or `#[default(_code = "..")]` gives.
fn value(attributes: &[Attribute]) -> Result<TokenStream, Refusal> {
    let mut found = attributes.iter().filter(|it| it.path().is_ident("default"));
    let value = match found.next().map(|attribute| &attribute.meta) {
        None => return Ok(quote!(Default::default())),
        Some(Meta::Path(_)) => return Err(Refusal::new("`default` without a value")),
        Some(Meta::NameValue(pair)) => pair.value.to_token_stream(),
        Some(Meta::List(list)) => {
            let code = |input: ParseStream<'_>| {
                let key: Ident = input.parse()?;
                if key != "_code" {
                    return Err(input.error("expected `_code`"));
                }
                input.parse::<Token![=]>()?;
                input.parse::<LitStr>()
            };
            if let Ok(code) = list.parse_args_with(code) {
                return Ok(parse_literal(&code)?);
            }
            list.tokens.clone()
        }
    };
    // Text is converted, because hardly any field is a `&'static str`.
    Ok(match syn::parse2::<Lit>(value.clone()) {
        Ok(Lit::Str(_) | Lit::ByteStr(_)) => quote!((#value).into()),
        _ => value,
    })
}
