//! `#[derive(FromRow)]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Lifetime, parse_quote};

use super::attrs::{Attrs, Json};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn from_row(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("only structs are rows"));
    };
    let mut generics = input.generics.clone();
    generics.params.insert(0, parse_quote!(R: ::sqlx::Row));
    let lifetime = match input.generics.lifetimes().next() {
        Some(param) => param.lifetime.clone(),
        None => {
            generics.params.insert(0, parse_quote!('a));
            parse_quote!('a)
        }
    };
    let mut bounds = Vec::new();
    let body = match &data.fields {
        Fields::Named(_) => named(&input, &data.fields, &lifetime, &mut bounds)?,
        Fields::Unnamed(_) => unnamed(&input, &data.fields, &lifetime, &mut bounds),
        Fields::Unit => return Err(Refusal::new("a unit struct is no row")),
    };
    let clause = generics.make_where_clause();
    for bound in bounds {
        clause.predicates.push(parse_quote!(#bound));
    }
    let ident = &input.ident;
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::FromRow<#lifetime, R> for #ident #ty_generics #where_clause {
            fn from_row(__row: &#lifetime R) -> ::sqlx::Result<Self> {
                #body
            }
        }
    })
}

fn unnamed(
    input: &DeriveInput,
    fields: &Fields,
    lifetime: &Lifetime,
    bounds: &mut Vec<TokenStream>,
) -> TokenStream {
    let ident = &input.ident;
    bounds.push(quote!(::std::primitive::usize: ::sqlx::ColumnIndex<R>));
    for field in fields {
        decodes(&field.ty, lifetime, bounds);
    }
    let indices = 0..fields.len();
    quote!(::std::result::Result::Ok(#ident(#(__row.try_get(#indices)?),*)))
}

fn named(
    input: &DeriveInput,
    fields: &Fields,
    lifetime: &Lifetime,
    bounds: &mut Vec<TokenStream>,
) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let container = Attrs::read(&input.attrs)?;
    bounds.push(quote!(&#lifetime ::std::primitive::str: ::sqlx::ColumnIndex<R>));
    let default = container.default.then(|| {
        bounds.push(quote!(#ident: ::std::default::Default));
        quote!(let __default = #ident::default();)
    });
    let mut reads = Vec::new();
    for field in fields {
        let Some(name) = &field.ident else { continue };
        let ty = &field.ty;
        let attrs = Attrs::read(&field.attrs)?;
        if attrs.skip {
            reads.push(quote!(let #name: #ty = Default::default();));
            continue;
        }
        let column = container.name_of(name, &attrs);
        let value = value(ty, &attrs, &column, lifetime, bounds);
        let missing = if attrs.default {
            Some(quote!(Default::default()))
        } else {
            container.default.then(|| quote!(__default.#name))
        };
        let value = match missing {
            Some(missing) => quote! {
                #value.or_else(|e| match e {
                    ::sqlx::Error::ColumnNotFound(_) => ::std::result::Result::Ok(#missing),
                    e => ::std::result::Result::Err(e)
                })
            },
            None => value,
        };
        reads.push(quote!(let #name: #ty = #value?;));
    }
    let names = fields.iter().map(|field| &field.ident);
    Ok(quote! {
        #default
        #(#reads)*
        ::std::result::Result::Ok(#ident { #(#names),* })
    })
}

/// The expression that reads one field, a `Result`.
fn value(
    ty: &syn::Type,
    attrs: &Attrs,
    column: &str,
    lifetime: &Lifetime,
    bounds: &mut Vec<TokenStream>,
) -> TokenStream {
    let read = attrs.try_from.as_ref().unwrap_or(ty);
    let value = match (attrs.flatten, attrs.json) {
        (true, _) => {
            bounds.push(quote!(#read: ::sqlx::FromRow<#lifetime, R>));
            quote!(<#read as ::sqlx::FromRow<#lifetime, R>>::from_row(__row))
        }
        (false, None) => {
            decodes(read, lifetime, bounds);
            quote!(__row.try_get(#column))
        }
        (false, Some(Json::Required)) => {
            decodes(&parse_quote!(::sqlx::types::Json<#read>), lifetime, bounds);
            let value = quote!(__row.try_get::<::sqlx::types::Json<_>, _>(#column));
            if attrs.try_from.is_some() {
                value
            } else {
                quote!(#value.map(|x| x.0))
            }
        }
        (false, Some(Json::Nullable)) => {
            let json = parse_quote!(::core::option::Option<::sqlx::types::Json<#read>>);
            decodes(&json, lifetime, bounds);
            quote! {
                __row
                    .try_get::<::core::option::Option<::sqlx::types::Json<_>>, _>(#column)
                    .map(|x| x.and_then(|y| y.0))
            }
        }
    };
    let Some(try_from) = &attrs.try_from else {
        return value;
    };
    let inner = if attrs.json.is_some() {
        quote!(v.0)
    } else {
        quote!(v)
    };
    quote! {
        #value.and_then(|v| {
            <#ty as ::std::convert::TryFrom::<#try_from>>::try_from(#inner).map_err(|e| {
                #[allow(unreachable_code)]
                ::sqlx::Error::ColumnDecode {
                    index: #column.to_string(),
                    source: sqlx::__spec_error!(e),
                }
            })
        })
    }
}

fn decodes(ty: &syn::Type, lifetime: &Lifetime, bounds: &mut Vec<TokenStream>) {
    bounds.push(quote!(#ty: ::sqlx::decode::Decode<#lifetime, R::Database>));
    bounds.push(quote!(#ty: ::sqlx::types::Type<R::Database>));
}
