//! `default_value_t` and its relatives: typed defaults, kept as text in statics.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::item::{Call, Era};
use crate::clap::attr::{Directive, Setting};
use crate::clap::shape::value_type;

/// The builder call for a typed default of a field of type `ty`.
pub(super) fn call(
    directive: &Directive,
    name: &str,
    ty: Option<&Type>,
    is_enum: bool,
    era: Era<'_>,
) -> syn::Result<Call> {
    let Some(ty) = ty else {
        return Err(syn::Error::new(
            directive.name.span(),
            format!("`{name}` belongs on a field"),
        ));
    };
    // Builder calls are named like the directives, without the `_t`.
    let call = name.strip_suffix("_t").unwrap_or(name);
    let is_os = name.contains("_os_");
    let value_enum = era.value_enum();
    if name.starts_with("default_values") {
        let values = directive.required()?;
        let item = value_type(ty);
        return Ok(Call::new(call, many(&values, item, is_enum, is_os)));
    }
    let value = match &directive.setting {
        Setting::Assigned(value) => quote!(#value),
        Setting::Flag | Setting::Call(_) => quote!(<#ty as ::std::default::Default>::default()),
    };
    if is_enum {
        return Ok(Call::new(
            call,
            quote!({
                let val: #ty = #value;
                #value_enum::to_possible_value(&val).unwrap().get_name()
            }),
        ));
    }
    Ok(Call::new(call, one(&value, ty, is_os, era)))
}

fn one(value: &TokenStream, ty: &Type, is_os: bool, era: Era<'_>) -> TokenStream {
    if era.is_typed {
        let (stored, text) = if is_os {
            (
                quote!(::std::ffi::OsString),
                quote!(::std::ffi::OsString::from(val)),
            )
        } else {
            (
                quote!(String),
                quote!(::std::string::ToString::to_string(&val)),
            )
        };
        let lazy = quote!(clap::__macro_refs::once_cell::sync::Lazy);
        return quote!({
            static DEFAULT_VALUE: #lazy<#stored> = #lazy::new(|| {
                let val: #ty = #value;
                #text
            });
            &*DEFAULT_VALUE
        });
    }
    let (stored, text) = if is_os {
        (
            quote!(::std::ffi::OsStr),
            quote! {
                let s: ::std::ffi::OsString = val.into();
                ::std::boxed::Box::leak(s.into_boxed_os_str())
            },
        )
    } else {
        (
            quote!(str),
            quote! {
                let s = ::std::string::ToString::to_string(&val);
                ::std::boxed::Box::leak(s.into_boxed_str())
            },
        )
    };
    quote!({
        clap::lazy_static::lazy_static! {
            static ref DEFAULT_VALUE: &'static #stored = {
                let val: #ty = #value;
                #text
            };
        }
        *DEFAULT_VALUE
    })
}

/// Only 3.2 has lists of typed defaults.
fn many(values: &TokenStream, ty: &Type, is_enum: bool, is_os: bool) -> TokenStream {
    let lazy = quote!(clap::__macro_refs::once_cell::sync::Lazy);
    if is_enum {
        let (borrowed, convert) = if is_os {
            (
                quote!(::std::ffi::OsStr),
                Some(quote!(.map(::std::ffi::OsStr::new))),
            )
        } else {
            (quote!(str), None)
        };
        return quote!({
            fn iter_to_vals<T>(iterable: impl IntoIterator<Item = T>) -> Vec<&'static #borrowed>
            where
                T: ::std::borrow::Borrow<#ty>
            {
                iterable
                    .into_iter()
                    .map(|val| clap::ValueEnum::to_possible_value(val.borrow()).unwrap().get_name())
                    #convert
                    .collect()
            }
            static DEFAULT_VALUES: #lazy<Vec<&#borrowed>> = #lazy::new(|| iter_to_vals(#values));
            &*DEFAULT_VALUES.as_slice()
        });
    }
    let (stored, borrowed, borrow, text, strings) = if is_os {
        (
            quote!(::std::ffi::OsString),
            quote!(::std::ffi::OsStr),
            quote!(::std::ffi::OsString::as_os_str),
            quote!(val.borrow().into()),
            quote!(DEFAULT_OS_STRINGS),
        )
    } else {
        (
            quote!(::std::string::String),
            quote!(str),
            quote!(::std::string::String::as_str),
            quote!(val.borrow().to_string()),
            quote!(DEFAULT_STRINGS),
        )
    };
    quote!({
        fn iter_to_vals<T>(iterable: impl IntoIterator<Item = T>) -> Vec<#stored>
        where
            T: ::std::borrow::Borrow<#ty>
        {
            iterable.into_iter().map(|val| #text).collect()
        }
        static #strings: #lazy<Vec<#stored>> = #lazy::new(|| iter_to_vals(#values));
        static DEFAULT_VALUES: #lazy<Vec<&#borrowed>> = #lazy::new(|| {
            #strings.iter().map(#borrow).collect()
        });
        &*DEFAULT_VALUES.as_slice()
    })
}
