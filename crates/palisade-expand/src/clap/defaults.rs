//! `default_value_t` and its relatives: typed defaults, kept as text in statics.

use quote::quote;
use syn::{Expr, Type};

use super::attr::{Directive, Setting};
use super::item::Call;
use super::shape::value_type;

/// The builder call for a typed default of a field of type `ty`.
pub(super) fn call(
    directive: &Directive,
    name: &str,
    ty: Option<&Type>,
    value_enum: bool,
) -> syn::Result<Call> {
    let Some(ty) = ty else {
        return Err(syn::Error::new(
            directive.name.span(),
            format!("`{name}` belongs on a field"),
        ));
    };
    let os = name.contains("_os_");
    if name.starts_with("default_values") {
        let Setting::Assigned(values) = &directive.setting else {
            return Err(syn::Error::new(
                directive.name.span(),
                format!("`{name}` requires a value"),
            ));
        };
        Ok(many(values, value_type(ty), value_enum, os))
    } else {
        Ok(one(directive, ty, value_enum, os))
    }
}

fn one(directive: &Directive, ty: &Type, value_enum: bool, os: bool) -> Call {
    let value = match &directive.setting {
        Setting::Assigned(value) => quote!(#value),
        Setting::Flag | Setting::Call(_) => quote!(<#ty as ::std::default::Default>::default()),
    };
    let (stored, borrowed, text) = match (value_enum, os) {
        (true, _) => (
            quote!(String),
            quote!(str),
            quote!(
                clap::ValueEnum::to_possible_value(&val)
                    .unwrap()
                    .get_name()
                    .to_owned()
            ),
        ),
        (false, true) => (
            quote!(::std::ffi::OsString),
            quote!(::std::ffi::OsStr),
            quote!(::std::ffi::OsString::from(val)),
        ),
        (false, false) => (
            quote!(String),
            quote!(str),
            quote!(::std::string::ToString::to_string(&val)),
        ),
    };
    Call::new(
        "default_value",
        quote!({
            static DEFAULT_VALUE: ::std::sync::OnceLock<#stored> = ::std::sync::OnceLock::new();
            let s = DEFAULT_VALUE.get_or_init(|| {
                let val: #ty = #value;
                #text
            });
            let s: &'static #borrowed = &*s;
            s
        }),
    )
}

fn many(values: &Expr, ty: &Type, value_enum: bool, os: bool) -> Call {
    let (stored, borrowed, borrow) = if os {
        (
            quote!(::std::ffi::OsString),
            quote!(::std::ffi::OsStr),
            quote!(::std::ffi::OsString::as_os_str),
        )
    } else {
        (
            quote!(String),
            quote!(str),
            quote!(::std::string::String::as_str),
        )
    };
    let text = match (value_enum, os) {
        (true, true) => quote! {
            clap::ValueEnum::to_possible_value(val.borrow()).unwrap().get_name().to_owned().into()
        },
        (true, false) => quote! {
            clap::ValueEnum::to_possible_value(val.borrow()).unwrap().get_name().to_owned()
        },
        (false, true) => quote!(val.borrow().into()),
        (false, false) => quote!(val.borrow().to_string()),
    };
    Call::new(
        "default_values",
        quote!({
            fn iter_to_vals<T>(iterable: impl IntoIterator<Item = T>) -> impl Iterator<Item = #stored>
            where
                T: ::std::borrow::Borrow<#ty>,
            {
                iterable.into_iter().map(|val| #text)
            }

            static DEFAULT_STRINGS: ::std::sync::OnceLock<Vec<#stored>> = ::std::sync::OnceLock::new();
            static DEFAULT_VALUES: ::std::sync::OnceLock<Vec<&#borrowed>> = ::std::sync::OnceLock::new();
            DEFAULT_VALUES.get_or_init(|| {
                DEFAULT_STRINGS
                    .get_or_init(|| iter_to_vals(#values).collect())
                    .iter()
                    .map(#borrow)
                    .collect()
            }).iter().copied()
        }),
    )
}
