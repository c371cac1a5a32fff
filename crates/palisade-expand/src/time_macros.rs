//! `time-macros`: points in time, and the descriptions of their formats.
//!
//! All of it is evaluated at compile time, so what a call graph needs is the
//! right type. Only the module of `serde::format_description!` has functions
//! of its own.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitInt, LitStr, Token, Visibility};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

const PACKAGE: &str = "time-macros";

pub(crate) const MACROS: &[Macro] = &[
    Macro::function(PACKAGE, "date", |_| Ok(constant(&date()))),
    Macro::function(PACKAGE, "time", |_| Ok(constant(&time()))),
    Macro::function(PACKAGE, "offset", |_| Ok(constant(&offset()))),
    Macro::function(PACKAGE, "datetime", datetime),
    Macro::function(PACKAGE, "utc_datetime", |_| {
        let (date, time) = (date(), time());
        Ok(constant(&quote!(::time::UtcDateTime::new(#date, #time))))
    }),
    Macro::function(PACKAGE, "format_description", format_description),
    Macro::function(PACKAGE, "serde_format_description", serde_module),
];

fn constant(value: &TokenStream) -> TokenStream {
    quote!(const { #value })
}

fn date() -> TokenStream {
    quote!(unsafe { ::time::Date::__from_ordinal_date_unchecked(2000, 1) })
}

fn time() -> TokenStream {
    quote!(unsafe { ::time::Time::__from_hms_nanos_unchecked(0, 0, 0, 0) })
}

fn offset() -> TokenStream {
    quote!(unsafe { ::time::UtcOffset::__from_hms_unchecked(0, 0, 0) })
}

fn datetime(invocation: &Invocation<'_>) -> Expansion {
    let (date, time) = (date(), time());
    let assumed = has_offset(&invocation.item).then(|| {
        let offset = offset();
        quote!(.assume_offset(#offset))
    });
    Ok(constant(&quote! {
        ::time::PrimitiveDateTime::new(#date, #time) #assumed
    }))
}

/// Whether `UTC` or a sign follows the time; signs before it belong to the date.
fn has_offset(tokens: &TokenStream) -> bool {
    let mut in_time = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) if ident == "UTC" => return true,
            // Hours without minutes need `am` or `pm`.
            TokenTree::Ident(ident) => in_time |= ident.to_string().ends_with(['m', 'M']),
            TokenTree::Punct(punct) => match punct.as_char() {
                ':' => in_time = true,
                '+' | '-' if in_time => return true,
                _ => {}
            },
            TokenTree::Group(_) | TokenTree::Literal(_) => {}
        }
    }
    false
}

/// The items of a description, without `version = N,` in front of them.
fn described(input: ParseStream<'_>, item: &TokenStream) -> syn::Result<TokenStream> {
    if input.peek(syn::Ident) && input.peek2(Token![=]) {
        input.parse::<Ident>()?;
        input.parse::<Token![=]>()?;
        let version: LitInt = input.parse()?;
        if version.base10_parse::<u8>()? > 2 {
            return Err(input.error("only versions 1 and 2 are covered"));
        }
        input.parse::<Token![,]>()?;
    }
    Ok(no_items(item))
}

fn no_items(item: &TokenStream) -> TokenStream {
    quote!(const { &[] as &'static [::time::format_description::#item<'static>] })
}

/// What the type of one item is called.
fn item_type(invocation: &Invocation<'_>) -> TokenStream {
    if at_least(invocation.version, (0, 2, 18)) {
        quote!(BorrowedFormatItem)
    } else {
        quote!(FormatItem)
    }
}

fn format_description(invocation: &Invocation<'_>) -> Expansion {
    let item = &item_type(invocation);
    let parser = |input: ParseStream<'_>| {
        let items = described(input, item)?;
        input.parse::<LitStr>()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(items)
    };
    Ok(parser.parse2(invocation.item.clone())?)
}

/// `[version = N,] [pub] name, Type, format`
fn serde_module(invocation: &Invocation<'_>) -> Expansion {
    let has = |feature: &str| (invocation.env)(&format!("feature:{feature}")).is_some();
    let (formats, parses) = (has("formatting"), has("parsing"));
    let item = &item_type(invocation);
    let parser = |input: ParseStream<'_>| {
        let items = if input.peek2(Token![=]) && input.peek3(LitInt) {
            described(input, item)?
        } else {
            no_items(item)
        };
        let vis: Visibility = input.parse()?;
        let name: Ident = input.parse()?;
        input.parse::<Token![,]>()?;
        let ty: syn::Path = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((vis, name, ty, format(input, items)?))
    };
    let (vis, name, ty, format) = parser.parse2(invocation.item.clone())?;
    let ty_name = quote!(#ty).to_string();
    if !(formats || parses) {
        return Err(Refusal::new("the module neither formats nor parses"));
    }
    let visitors = parses.then(|| visitors(&ty_name));
    let format_traits = match (formats, parses) {
        (true, true) => quote!(::time::formatting::Formattable + ::time::parsing::Parsable),
        (true, false) => quote!(::time::formatting::Formattable),
        (false, _) => quote!(::time::parsing::Parsable),
    };
    let serialize = formats.then(|| {
        quote! {
            pub fn serialize<S: ::serde::Serializer>(
                datetime: &__TimeSerdeType,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                use ::serde::Serialize;
                datetime
                    .format(&description())
                    .map_err(::time::error::Format::into_invalid_serde_value::<S>)?
                    .serialize(serializer)
            }
        }
    });
    let serialize_option = formats.then(|| {
        quote! {
            pub fn serialize<S: ::serde::Serializer>(
                option: &Option<__TimeSerdeType>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                use ::serde::Serialize;
                option
                    .map(|datetime| datetime.format(&description()))
                    .transpose()
                    .map_err(::time::error::Format::into_invalid_serde_value::<S>)?
                    .serialize(serializer)
            }
        }
    });
    let deserialize = parses.then(|| {
        quote! {
            pub fn deserialize<'a, D: ::serde::Deserializer<'a>>(
                deserializer: D
            ) -> Result<__TimeSerdeType, D::Error> {
                use ::serde::Deserialize;
                deserializer.deserialize_str(Visitor)
            }
        }
    });
    let deserialize_option = parses.then(|| {
        quote! {
            use super::__hygiene::{OptionVisitor, Visitor};
            pub fn deserialize<'a, D: ::serde::Deserializer<'a>>(
                deserializer: D
            ) -> Result<Option<__TimeSerdeType>, D::Error> {
                use ::serde::Deserialize;
                deserializer.deserialize_option(OptionVisitor)
            }
        }
    });
    Ok(quote! {
        #vis mod #name {
            use super::*;
            use ::time::#ty as __TimeSerdeType;
            pub use self::__hygiene::*;

            const fn description() -> impl #format_traits {
                #format
            }

            mod __hygiene {
                use super::{description, __TimeSerdeType};
                #visitors
                #serialize
                #deserialize
            }

            pub mod option {
                use super::{description, __TimeSerdeType};
                #serialize_option
                #deserialize_option
            }
        }
    })
}

/// A literal format, or an expression that is one.
fn format(input: ParseStream<'_>, items: TokenStream) -> syn::Result<TokenStream> {
    if input.peek(LitStr) {
        input.parse::<LitStr>()?;
        return Ok(items);
    }
    let expression: Expr = input.parse()?;
    Ok(quote!(#expression))
}

fn visitors(ty: &str) -> TokenStream {
    quote! {
        pub(super) struct Visitor;
        pub(super) struct OptionVisitor;

        impl<'a> ::serde::de::Visitor<'a> for Visitor {
            type Value = __TimeSerdeType;

            fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!("a(n) `", #ty, "` in the format \"{}\""), "")
            }

            fn visit_str<E: ::serde::de::Error>(
                self,
                value: &str
            ) -> Result<__TimeSerdeType, E> {
                __TimeSerdeType::parse(value, &description()).map_err(E::custom)
            }
        }

        impl<'a> ::serde::de::Visitor<'a> for OptionVisitor {
            type Value = Option<__TimeSerdeType>;

            fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!("an `Option<", #ty, ">` in the format \"{}\""), "")
            }

            fn visit_some<D: ::serde::de::Deserializer<'a>>(
                self,
                deserializer: D
            ) -> Result<Option<__TimeSerdeType>, D::Error> {
                deserializer.deserialize_str(Visitor).map(Some)
            }

            fn visit_none<E: ::serde::de::Error>(
                self
            ) -> Result<Option<__TimeSerdeType>, E> {
                Ok(None)
            }
        }
    }
}
