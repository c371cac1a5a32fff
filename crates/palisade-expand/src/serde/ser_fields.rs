//! The statements that serialise fields, one after the other.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Index, Member};

use super::model::Field;
use super::serialize::Context;

/// Fields with names, through `SerializeStruct`, `SerializeStructVariant` or
/// `SerializeMap`. Those of a variant are bound to their names.
pub(super) fn members(
    cx: &Context<'_>,
    fields: &[Field<'_>],
    of_variant: bool,
    kind: &str,
) -> TokenStream {
    let p = &cx.private;
    let as_map = kind == "SerializeMap";
    let kind = Ident::new(kind, Span::call_site());
    let mut output = TokenStream::new();
    for field in fields.iter().filter(|field| !field.skips_ser()) {
        let member = &field.member;
        let name = &field.name.ser;
        let mut value = if of_variant {
            quote!(#member)
        } else {
            cx.access(field, member)
        };
        let skip = field
            .attrs
            .skip_if
            .as_ref()
            .map(|path| quote!(#path(#value)));
        if let Some(path) = &field.attrs.with.ser {
            value = cx.wrap_with(path, &[field.ty], &[value]);
        }
        let write = if field.attrs.flatten {
            quote!(_serde::Serialize::serialize(&#value, #p::ser::FlatMapSerializer(&mut __serde_state))?;)
        } else if as_map {
            quote!(_serde::ser::SerializeMap::serialize_entry(&mut __serde_state, #name, #value)?;)
        } else {
            quote!(_serde::ser::#kind::serialize_field(&mut __serde_state, #name, #value)?;)
        };
        output.extend(match skip {
            None => write,
            Some(skip) if as_map => quote!(if !#skip { #write }),
            Some(skip) => quote! {
                if !#skip {
                    #write
                } else {
                    _serde::ser::#kind::skip_field(&mut __serde_state, #name)?;
                }
            },
        });
    }
    output
}

/// Fields without names, through one of the traits for tuples.
pub(super) fn elements(
    cx: &Context<'_>,
    fields: &[Field<'_>],
    of_variant: bool,
    kind: &str,
) -> TokenStream {
    let method = if kind == "SerializeTuple" {
        "serialize_element"
    } else {
        "serialize_field"
    };
    let (kind, method) = (
        Ident::new(kind, Span::call_site()),
        Ident::new(method, Span::call_site()),
    );
    let mut output = TokenStream::new();
    for (index, field) in fields.iter().enumerate() {
        if field.skips_ser() {
            continue;
        }
        let mut value = if of_variant {
            let bound = binding(index);
            quote!(#bound)
        } else {
            cx.access(field, &Member::Unnamed(Index::from(index)))
        };
        let skip = field
            .attrs
            .skip_if
            .as_ref()
            .map(|path| quote!(#path(#value)));
        if let Some(path) = &field.attrs.with.ser {
            value = cx.wrap_with(path, &[field.ty], &[value]);
        }
        let write = quote!(_serde::ser::#kind::#method(&mut __serde_state, #value)?;);
        output.extend(match skip {
            None => write,
            Some(skip) => quote!(if !#skip { #write }),
        });
    }
    output
}

/// How many fields will be written: an expression, as some decide at run time.
pub(super) fn length(
    fields: &[Field<'_>],
    start: TokenStream,
    access: impl Fn(usize, &Field<'_>) -> TokenStream,
) -> TokenStream {
    let mut sum = start;
    for (index, field) in fields.iter().enumerate() {
        if field.skips_ser() {
            continue;
        }
        sum.extend(match &field.attrs.skip_if {
            None => quote!(+ 1),
            Some(path) => {
                let value = access(index, field);
                quote!(+ if #path(#value) { 0 } else { 1 })
            }
        });
    }
    sum
}

/// `mut`, unless that would be unused.
pub(super) fn mut_if(is_mut: bool) -> Option<TokenStream> {
    is_mut.then(|| quote!(mut))
}

/// The variable that a field of a tuple variant is bound to.
pub(super) fn binding(index: usize) -> Ident {
    format_ident!("__field{index}")
}
