//! `Error`: the source of an error.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Field, Fields, Meta, Type};

use super::{Item, More, Shape, with_item};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// `#[error(..)]` on a type, variant or field.
#[derive(Default)]
struct Attrs {
    ignore: bool,
    source: Option<bool>,
    backtrace: Option<bool>,
}

impl Attrs {
    fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("error"))
        {
            if !matches!(attribute.meta, Meta::List(_)) {
                continue;
            }
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("not") {
                    meta.parse_nested_meta(|meta| attrs.set(&meta.path, false))
                } else if meta.input.peek(syn::token::Paren) {
                    let path = meta.path.clone();
                    meta.parse_nested_meta(|_| Ok(()))?;
                    attrs.set(&path, true)
                } else {
                    attrs.set(&meta.path, true)
                }
            })?;
        }
        Ok(attrs)
    }

    fn set(&mut self, path: &syn::Path, value: bool) -> syn::Result<()> {
        if path.is_ident("source") {
            self.source = Some(value);
        } else if path.is_ident("backtrace") {
            self.backtrace = Some(value);
        } else if path.is_ident("ignore") || path.is_ident("skip") {
            self.ignore = true;
        }
        Ok(())
    }
}

/// The field that holds the source, by its position.
fn source<'a>(shape: &Shape<'a>) -> Result<Option<(usize, &'a Field)>, Refusal> {
    if Attrs::read(shape.attributes)?.ignore {
        return Ok(None);
    }
    let mut candidates = Vec::new();
    let mut inferred = Vec::new();
    for (index, field) in shape.fields.iter().enumerate() {
        let attrs = Attrs::read(&field.attrs)?;
        if attrs.source == Some(true) {
            candidates.push((index, field));
            continue;
        }
        let is_backtrace = attrs.backtrace.unwrap_or_else(|| is_backtrace(field));
        if attrs.ignore || attrs.source == Some(false) || is_backtrace {
            continue;
        }
        inferred.push((index, field));
    }
    if let Some(found) = candidates.pop() {
        return Ok(Some(found));
    }
    Ok(match shape.fields {
        Fields::Named(_) => inferred
            .into_iter()
            .find(|(_, field)| field.ident.as_ref().is_some_and(|ident| ident == "source")),
        // The only field of a tuple, a backtrace beside it not counted.
        _ => match inferred[..] {
            [found]
                if shape
                    .fields
                    .iter()
                    .filter(|field| !is_backtrace(field))
                    .count()
                    == 1 =>
            {
                Some(found)
            }
            _ => None,
        },
    })
}

fn is_backtrace(field: &Field) -> bool {
    let named = field
        .ident
        .as_ref()
        .is_some_and(|ident| ident == "backtrace");
    let typed = matches!(&field.ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Backtrace"));
    named || typed
}

pub(super) fn error(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let of = if item.old {
            quote!(::std::error::Error)
        } else {
            quote!(derive_more::core::error::Error)
        };
        let core = &item.core;
        let sources = item
            .shapes
            .iter()
            .map(source)
            .collect::<Result<Vec<_>, _>>()?;
        let mut more = More::default();
        for (_, field) in sources.iter().flatten() {
            if item.is_generic(&field.ty) {
                let ty = &field.ty;
                more.predicates
                    .push(quote!(#ty: #core::fmt::Debug + #core::fmt::Display + #of + 'static));
            }
        }
        if item.input.generics.type_params().next().is_some() {
            let this = item.this();
            more.predicates
                .push(quote!(#this: #core::fmt::Debug + #core::fmt::Display));
        }
        let method = sources
            .iter()
            .any(Option::is_some)
            .then(|| method(item, &of, &sources));
        item.implement(&of, &more, &quote!(#method))
    })
}

fn method(item: &Item<'_>, of: &TokenStream, sources: &[Option<(usize, &Field)>]) -> TokenStream {
    let name = item.name();
    let (import, convert): (_, fn(TokenStream) -> TokenStream) = if item.old {
        (
            None,
            |value| quote!(#value as &(dyn ::std::error::Error + 'static)),
        )
    } else {
        let import = quote!(
            use derive_more::__private::AsDynError as _;
        );
        if item.version < (2, 1) {
            (Some(import), |value| quote!(#value.as_dyn_error()))
        } else {
            (
                Some(import),
                |value| quote!(#value.__derive_more_as_dyn_error()),
            )
        }
    };
    let body = if item.is_enum {
        let mut arms = TokenStream::new();
        for (shape, source) in item.shapes.iter().zip(sources) {
            let Some((index, _)) = source else { continue };
            let values: Vec<_> = (0..shape.fields.len())
                .map(|other| {
                    if other == *index {
                        quote!(source)
                    } else {
                        quote!(_)
                    }
                })
                .collect();
            let (path, pattern) = (shape.path(name), shape.with_values(&values));
            let value = convert(quote!(source));
            arms.extend(quote!(#path #pattern => Some(#value),));
        }
        let rest = sources
            .iter()
            .any(Option::is_none)
            .then(|| quote!(_ => None,));
        quote!(match self { #arms #rest })
    } else {
        let member = sources.first().copied().flatten().and_then(|(index, _)| {
            item.shapes
                .first()
                .and_then(|shape| shape.members().into_iter().nth(index))
        });
        let value = convert(quote!((&self.#member)));
        quote!(Some(#value))
    };
    let method = Ident::new("source", proc_macro2::Span::call_site());
    quote! {
        fn #method(&self) -> Option<&(dyn #of + 'static)> {
            #import
            #body
        }
    }
}
