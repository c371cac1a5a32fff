//! Questions to an enum: `IsVariant`, `Unwrap`, `TryUnwrap`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Item, More, Shape, arguments, is_skipped, snake, with_item};
use crate::Invocation;
use crate::support::{Expansion, Refusal, unraw};

/// The variants that are asked about, with their names as part of a method's.
fn asked<'i, 'a>(item: &'i Item<'a>, attribute: &str) -> Vec<(&'i Shape<'a>, String)> {
    let shapes = item
        .shapes
        .iter()
        .filter(|shape| !is_skipped(shape.attributes, attribute));
    shapes
        .filter_map(|shape| Some((shape, snake(&unraw(shape.variant?)))))
        .collect()
}

pub(super) fn is_variant(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let name = item.name();
        let constness = (!item.old).then(|| quote!(const));
        let methods = asked(item, "is_variant").into_iter().map(|(shape, part)| {
            let (method, path, pattern) = (
                format_ident!("is_{part}"),
                shape.path(name),
                shape.ignoring(),
            );
            quote! {
                #[inline]
                #[must_use]
                pub #constness fn #method(&self) -> bool {
                    match self { #path #pattern => true, _ => false }
                }
            }
        });
        let methods = quote!(#(#methods)*);
        item.implement(&TokenStream::new(), &More::default(), &methods)
    })
}

/// The ways in which fields are handed out: suffix, receiver and reference.
fn kinds(item: &Item<'_>, attribute: &str) -> Result<Vec<[TokenStream; 3]>, Refusal> {
    const WORDS: [&str; 3] = ["owned", "ref", "ref_mut"];
    let list = arguments(&item.input.attrs, attribute, &WORDS)?.unwrap_or_default();
    let wants = |kind: &str| list.iter().any(|argument| argument.is_word(&[kind]));
    let mut kinds = vec![[quote!(_), quote!(self), quote!()]];
    if wants("ref") {
        kinds.push([quote!(_ref), quote!(&self), quote!(&)]);
    }
    if wants("ref_mut") {
        kinds.push([quote!(_mut), quote!(&mut self), quote!(&mut)]);
    }
    Ok(kinds)
}

fn suffix(kind: &TokenStream) -> String {
    let kind = kind.to_string();
    if kind == "_" { String::new() } else { kind }
}

/// Panics with named fields, as the real derive does by refusing them.
fn refuse_named(item: &Item<'_>, attribute: &str) -> Result<(), Refusal> {
    let named = |shape: &&Shape<'_>| matches!(shape.fields, syn::Fields::Named(_));
    if item
        .shapes
        .iter()
        .filter(|shape| !is_skipped(shape.attributes, attribute))
        .any(|shape| named(&shape))
    {
        return Err(Refusal::new("named fields cannot be unwrapped"));
    }
    Ok(())
}

pub(super) fn unwrap(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        refuse_named(item, "unwrap")?;
        let name = item.name();
        let mut methods = TokenStream::new();
        for (shape, part) in asked(item, "unwrap") {
            for [kind, receiver, reference] in kinds(item, "unwrap")? {
                let method = format_ident!("unwrap_{part}{}", suffix(&kind));
                let (path, types) = (shape.path(name), shape.types());
                let (names, pattern) = shape.bound("field_");
                let failures = item.shapes.iter().map(|other| {
                    let (path, pattern) = (other.path(name), other.ignoring());
                    let variant = other.variant.map(ToString::to_string).unwrap_or_default();
                    let message =
                        format!("called `{name}::{method}()` on a `{name}::{variant}` value");
                    quote!(#path #pattern => panic!(#message),)
                });
                methods.extend(quote! {
                    #[inline]
                    #[track_caller]
                    pub fn #method(#receiver) -> (#(#reference #types),*) {
                        match self {
                            #path #pattern => (#(#names),*),
                            val @ _ => match val { #(#failures)* },
                        }
                    }
                });
            }
        }
        item.implement(&TokenStream::new(), &More::default(), &methods)
    })
}

pub(super) fn try_unwrap(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        refuse_named(item, "try_unwrap")?;
        let (name, core) = (item.name(), &item.core);
        let enum_name = name.to_string();
        let mut methods = TokenStream::new();
        for (shape, part) in asked(item, "try_unwrap") {
            for [kind, receiver, reference] in kinds(item, "try_unwrap")? {
                let method = format_ident!("try_unwrap_{part}{}", suffix(&kind));
                let text = method.to_string();
                let (path, types) = (shape.path(name), shape.types());
                let (names, pattern) = shape.bound("field_");
                let failures = item.shapes.iter().map(|other| {
                    let (path, pattern) = (other.path(name), other.ignoring());
                    let variant = other.variant.map(ToString::to_string).unwrap_or_default();
                    quote! {
                        val @ #path #pattern => #core::result::Result::Err(
                            derive_more::TryUnwrapError::<_>::new(val, #enum_name, #variant, #text)),
                    }
                });
                methods.extend(quote! {
                    #[inline]
                    #[track_caller]
                    pub fn #method(#receiver) -> #core::result::Result<
                        (#(#reference #types),*), derive_more::TryUnwrapError<#reference Self>>
                    {
                        match self {
                            #path #pattern => #core::result::Result::Ok((#(#names),*)),
                            val @ _ => match val { #(#failures)* },
                        }
                    }
                });
            }
        }
        item.implement(&TokenStream::new(), &More::default(), &methods)
    })
}
