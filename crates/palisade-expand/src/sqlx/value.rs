//! `#[derive(Type, Encode, Decode)]`: values in a database.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields, Type, TypeParamBound, Variant, parse_quote};

use super::Drivers;
use super::attrs::Attrs;
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// The kinds of types that can be a value.
enum Value<'i> {
    /// A newtype, stored as what it wraps.
    Newtype(&'i Type),
    /// An enum with `#[repr(..)]`, stored as that integer.
    Integer(Ident, Vec<&'i Ident>),
    /// Any other enum, stored as the name of the variant.
    Text(Vec<(&'i Ident, String)>),
    /// A struct, stored as a composite of PostgreSQL.
    Record(&'i Fields),
}

impl<'i> Value<'i> {
    fn read(input: &'i DeriveInput, attrs: &Attrs) -> Result<Self, Refusal> {
        match &input.data {
            Data::Struct(data) => match (&data.fields, data.fields.iter().next()) {
                (Fields::Unnamed(_), Some(field)) if data.fields.len() == 1 => {
                    Ok(Self::Newtype(&field.ty))
                }
                (Fields::Named(_), _) => Ok(Self::Record(&data.fields)),
                _ => Err(Refusal::new(
                    "not a newtype and not a struct with named fields",
                )),
            },
            Data::Enum(data) => match &attrs.repr {
                Some(repr) => {
                    let variants = data.variants.iter().map(|variant| &variant.ident);
                    Ok(Self::Integer(repr.clone(), variants.collect()))
                }
                None => {
                    let named = |variant: &'i Variant| {
                        let own = Attrs::read(&variant.attrs)?;
                        Ok((&variant.ident, attrs.name_of(&variant.ident, &own)))
                    };
                    let variants = data
                        .variants
                        .iter()
                        .map(named)
                        .collect::<syn::Result<_>>()?;
                    Ok(Self::Text(variants))
                }
            },
            Data::Union(_) => Err(Refusal::new("a union is no value")),
        }
    }
}

/// `#[derive(Type)]`, which stands for `Encode` and `Decode` as well.
pub(super) fn all(invocation: &Invocation<'_>) -> Expansion {
    let mut output = encode(invocation)?;
    output.extend(decode(invocation)?);
    output.extend(ty(invocation)?);
    Ok(output)
}

fn ty(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let attrs = Attrs::read(&input.attrs)?;
    let drivers = Drivers::of(invocation);
    let ident = &input.ident;
    let delegated = match Value::read(&input, &attrs)? {
        Value::Newtype(inner) if attrs.transparent => quote!(#inner),
        Value::Integer(repr, _) => quote!(#repr),
        kind => return Ok(named_type(&input, &attrs, &kind, &drivers)),
    };
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics
        .params
        .insert(0, parse_quote!(DB: ::sqlx::Database));
    generics
        .make_where_clause()
        .predicates
        .push(parse_quote!(#delegated: ::sqlx::Type<DB>));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let array = (drivers.postgres && !attrs.no_pg_array).then(|| {
        let mut generics = input.generics.clone();
        if matches!(input.data, Data::Struct(_)) {
            let bound = parse_quote!(#delegated: ::sqlx::postgres::PgHasArrayType);
            generics.make_where_clause().predicates.push(bound);
        }
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #impl_generics ::sqlx::postgres::PgHasArrayType for #ident #ty_generics #where_clause {
                fn array_type_info() -> ::sqlx::postgres::PgTypeInfo {
                    <#delegated as ::sqlx::postgres::PgHasArrayType>::array_type_info()
                }
            }
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::Type<DB> for #ident #ty_generics #where_clause {
            fn type_info() -> DB::TypeInfo {
                <#delegated as ::sqlx::Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> ::std::primitive::bool {
                <#delegated as ::sqlx::Type<DB>>::compatible(ty)
            }
        }
        #array
    })
}

/// A type that each database knows by a name of its own.
fn named_type(
    input: &DeriveInput,
    attrs: &Attrs,
    kind: &Value<'_>,
    drivers: &Drivers,
) -> TokenStream {
    let ident = &input.ident;
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let name = attrs.type_name.clone().unwrap_or_else(|| ident.to_string());
    let is_text = matches!(kind, Value::Text(_));
    let mysql = (drivers.mysql && is_text).then(|| {
        quote! {
            #[automatically_derived]
            impl ::sqlx::Type<::sqlx::MySql> for #ident {
                fn type_info() -> ::sqlx::mysql::MySqlTypeInfo {
                    ::sqlx::mysql::MySqlTypeInfo::__enum()
                }
            }
        }
    });
    let postgres = drivers.postgres.then(|| {
        let array = (!attrs.no_pg_array && !matches!(kind, Value::Newtype(_))).then(|| {
            quote! {
                #[automatically_derived]
                impl ::sqlx::postgres::PgHasArrayType for #ident {
                    fn array_type_info() -> ::sqlx::postgres::PgTypeInfo {
                        ::sqlx::postgres::PgTypeInfo::array_of(#name)
                    }
                }
            }
        });
        quote! {
            #[automatically_derived]
            impl ::sqlx::Type<::sqlx::Postgres> for #ident #ty_generics {
                fn type_info() -> ::sqlx::postgres::PgTypeInfo {
                    ::sqlx::postgres::PgTypeInfo::with_name(#name)
                }
            }
            #array
        }
    });
    let sqlite = (drivers.sqlite && is_text).then(|| {
        quote! {
            #[automatically_derived]
            impl ::sqlx::Type<::sqlx::Sqlite> for #ident {
                fn type_info() -> ::sqlx::sqlite::SqliteTypeInfo {
                    <::std::primitive::str as ::sqlx::Type<sqlx::Sqlite>>::type_info()
                }
                fn compatible(ty: &::sqlx::sqlite::SqliteTypeInfo) -> ::std::primitive::bool {
                    <&::std::primitive::str as ::sqlx::types::Type<sqlx::sqlite::Sqlite>>::compatible(ty)
                }
            }
        }
    });
    quote!(#mysql #postgres #sqlite)
}

/// `#[derive(Encode)]`
pub(super) fn encode(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let attrs = Attrs::read(&input.attrs)?;
    let ident = &input.ident;
    let (bound, by_ref, further) = match Value::read(&input, &attrs)? {
        Value::Record(fields) => {
            return Ok(if Drivers::of(invocation).postgres {
                encode_record(&input, fields)
            } else {
                TokenStream::new()
            });
        }
        Value::Newtype(inner) => {
            let encode = quote!(<#inner as ::sqlx::encode::Encode<'q, DB>>);
            (
                quote!(#inner),
                quote!(#encode::encode_by_ref(&self.0, buf)),
                quote! {
                    fn produces(&self) -> Option<DB::TypeInfo> {
                        #encode::produces(&self.0)
                    }
                    fn size_hint(&self) -> usize {
                        #encode::size_hint(&self.0)
                    }
                },
            )
        }
        Value::Integer(repr, variants) => (
            quote!(#repr),
            quote! {
                let value = match self {
                    #(#ident::#variants => (#ident::#variants as #repr),)*
                };
                <#repr as ::sqlx::encode::Encode<DB>>::encode_by_ref(&value, buf)
            },
            quote! {
                fn size_hint(&self) -> usize {
                    <#repr as ::sqlx::encode::Encode<DB>>::size_hint(&Default::default())
                }
            },
        ),
        Value::Text(variants) => {
            let (variants, names): (Vec<_>, Vec<_>) = variants.into_iter().unzip();
            let encode = quote!(<&::std::primitive::str as ::sqlx::encode::Encode<'q, DB>>);
            let name = quote! {
                let val = match self {
                    #(#ident::#variants => #names,)*
                };
            };
            (
                quote!(&'q ::std::primitive::str),
                quote!(#name #encode::encode(val, buf)),
                quote! {
                    fn size_hint(&self) -> ::std::primitive::usize {
                        #name
                        #encode::size_hint(&val)
                    }
                },
            )
        }
    };
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics.params.insert(0, parse_quote!('q));
    generics
        .params
        .insert(1, parse_quote!(DB: ::sqlx::Database));
    let bound = parse_quote!(#bound: ::sqlx::encode::Encode<'q, DB>);
    generics.make_where_clause().predicates.push(bound);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::encode::Encode<'q, DB> for #ident #ty_generics #where_clause {
            fn encode_by_ref(
                &self,
                buf: &mut <DB as ::sqlx::database::Database>::ArgumentBuffer<'q>,
            ) -> ::std::result::Result<::sqlx::encode::IsNull, ::sqlx::error::BoxDynError> {
                #by_ref
            }
            #further
        }
    })
}

fn encode_record(input: &DeriveInput, fields: &Fields) -> TokenStream {
    let ident = &input.ident;
    let (_, ty_generics, where_clause) = input.generics.split_for_impl();
    let generics = for_postgres(
        input,
        &parse_quote!(for<'encode> ::sqlx::encode::Encode<'encode, ::sqlx::Postgres>),
    );
    let (impl_generics, _, _) = generics.split_for_impl();
    let count = fields.len();
    let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let types = fields.iter().map(|field| &field.ty);
    quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::encode::Encode<'_, ::sqlx::Postgres> for #ident #ty_generics #where_clause {
            fn encode_by_ref(
                &self,
                buf: &mut ::sqlx::postgres::PgArgumentBuffer,
            ) -> ::std::result::Result<::sqlx::encode::IsNull, ::sqlx::error::BoxDynError> {
                let mut encoder = ::sqlx::postgres::types::PgRecordEncoder::new(buf);
                #(encoder.encode(&self.#names)?;)*
                encoder.finish();
                ::std::result::Result::Ok(::sqlx::encode::IsNull::No)
            }
            fn size_hint(&self) -> ::std::primitive::usize {
                #count * (4 + 4)
                    #(+ <#types as ::sqlx::encode::Encode<::sqlx::Postgres>>::size_hint(&self.#names))*
            }
        }
    }
}

/// `#[derive(Decode)]`
pub(super) fn decode(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let attrs = Attrs::read(&input.attrs)?;
    let drivers = Drivers::of(invocation);
    let ident = &input.ident;
    let text = ident.to_string();
    let (decoded, body) = match Value::read(&input, &attrs)? {
        Value::Record(fields) => {
            return Ok(if drivers.postgres {
                decode_record(&input, fields)
            } else {
                TokenStream::new()
            });
        }
        Value::Text(variants) => return Ok(decode_text(ident, &variants, &drivers)),
        Value::Newtype(inner) => (
            quote!(#inner),
            quote!(<#inner as ::sqlx::decode::Decode<'r, DB>>::decode(value).map(Self)),
        ),
        Value::Integer(repr, variants) => (
            quote!(#repr),
            quote! {
                let value = <#repr as ::sqlx::decode::Decode<'r, DB>>::decode(value)?;
                match value {
                    #(_ if (#ident::#variants as #repr) == value => ::std::result::Result::Ok(#ident::#variants),)*
                    _ => ::std::result::Result::Err(::std::boxed::Box::new(::sqlx::Error::Decode(
                        ::std::format!("invalid value {:?} for enum {}", value, #text).into(),
                    )))
                }
            },
        ),
    };
    let (_, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics.params.insert(0, parse_quote!('r));
    generics
        .params
        .insert(1, parse_quote!(DB: ::sqlx::Database));
    let bound = parse_quote!(#decoded: ::sqlx::decode::Decode<'r, DB>);
    generics.make_where_clause().predicates.push(bound);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let error = boxed_error();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::decode::Decode<'r, DB> for #ident #ty_generics #where_clause {
            fn decode(
                value: <DB as ::sqlx::database::Database>::ValueRef<'r>,
            ) -> ::std::result::Result<Self, #error> {
                #body
            }
        }
    })
}

fn decode_text(ident: &Ident, variants: &[(&Ident, String)], drivers: &Drivers) -> TokenStream {
    let text = ident.to_string();
    let error = boxed_error();
    let names = variants.iter().map(|(_, name)| name);
    let idents = variants.iter().map(|(ident, _)| ident);
    let body = quote! {
        match value {
            #(#names => ::std::result::Result::Ok(#ident::#idents),)*
            _ => Err(format!("invalid value {:?} for enum {}", value, #text).into())
        }
    };
    let databases = drivers.enabled().map(|(database, value)| {
        quote! {
            #[automatically_derived]
            impl<'r> ::sqlx::decode::Decode<'r, #database> for #ident {
                fn decode(value: #value<'r>) -> ::std::result::Result<Self, #error> {
                    let value = <&'r ::std::primitive::str as ::sqlx::decode::Decode<'r, #database>>::decode(value)?;
                    #body
                }
            }
        }
    });
    quote!(#(#databases)*)
}

fn decode_record(input: &DeriveInput, fields: &Fields) -> TokenStream {
    let ident = &input.ident;
    let (_, ty_generics, where_clause) = input.generics.split_for_impl();
    let mut generics = for_postgres(
        input,
        &parse_quote!(for<'decode> ::sqlx::decode::Decode<'decode, ::sqlx::Postgres>),
    );
    generics.params.insert(0, parse_quote!('r));
    let (impl_generics, _, _) = generics.split_for_impl();
    let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let types = fields.iter().map(|field| &field.ty);
    let error = boxed_error();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::sqlx::decode::Decode<'r, ::sqlx::Postgres> for #ident #ty_generics #where_clause {
            fn decode(value: ::sqlx::postgres::PgValueRef<'r>) -> ::std::result::Result<Self, #error> {
                let mut decoder = ::sqlx::postgres::types::PgRecordDecoder::new(value)?;
                #(let #names = decoder.try_decode::<#types>()?;)*
                ::std::result::Result::Ok(#ident { #(#names),* })
            }
        }
    }
}

/// Every type parameter must itself be a value of PostgreSQL.
fn for_postgres(input: &DeriveInput, bound: &TypeParamBound) -> syn::Generics {
    let mut generics = input.generics.clone();
    for param in generics.type_params_mut() {
        param.bounds.push(bound.clone());
        param
            .bounds
            .push(parse_quote!(::sqlx::types::Type<::sqlx::Postgres>));
    }
    generics
}

fn boxed_error() -> TokenStream {
    quote! {
        ::std::boxed::Box<
            dyn ::std::error::Error + 'static + ::std::marker::Send + ::std::marker::Sync,
        >
    }
}
