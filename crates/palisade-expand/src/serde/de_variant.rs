//! Deserialising one variant whose identity is already known or is being tried.

use proc_macro2::TokenStream;
use quote::quote;

use super::de_fields::{self, Form};
use super::deserialize::Context;
use super::model::{Field, Shape, Variant};
use crate::support::{Expansion, Refusal};

/// A newtype variant whose field is skipped is like a unit variant.
fn effective_shape(variant: &Variant<'_>) -> Shape {
    match variant.newtype() {
        Some(field) if field.skips_de() => Shape::Unit,
        _ => variant.shape,
    }
}

/// The only field of a newtype variant.
fn newtype<'v, 'a>(variant: &'v Variant<'a>) -> Result<&'v Field<'a>, Refusal> {
    variant
        .fields
        .first()
        .ok_or_else(|| Refusal::new("a newtype has one field"))
}

/// A variant of an externally tagged enum, from `__variant`.
pub(super) fn external(cx: &Context<'_>, variant: &Variant<'_>) -> Expansion {
    let Context {
        private: p,
        this_value,
        ..
    } = cx;
    let ident = variant.ident;
    if let Some(function) = &variant.attrs.with.de {
        let types = variant.fields.iter().map(|field| field.ty);
        let (wrapper, wrapper_ty) = cx.wrap_with(function, &quote!((#(#types),*)));
        let unwrap = cx.unwrap_variant(variant, true);
        return Ok(quote! {
            #wrapper
            #p::Result::map(
                _serde::de::VariantAccess::newtype_variant::<#wrapper_ty>(__variant), #unwrap)
        });
    }
    Ok(match variant.shape {
        Shape::Unit => quote! {
            _serde::de::VariantAccess::unit_variant(__variant)?;
            #p::Ok(#this_value::#ident)
        },
        Shape::Newtype => {
            let field = newtype(variant)?;
            let ty = field.ty;
            if field.skips_de() {
                let missing = cx.missing(field);
                return Ok(quote! {
                    _serde::de::VariantAccess::unit_variant(__variant)?;
                    #p::Ok(#this_value::#ident(#missing))
                });
            }
            match &field.attrs.with.de {
                None => quote! {
                    #p::Result::map(
                        _serde::de::VariantAccess::newtype_variant::<#ty>(__variant),
                        #this_value::#ident)
                },
                Some(function) => {
                    let (wrapper, wrapper_ty) = cx.wrap_with(function, &quote!(#ty));
                    quote! {
                        #wrapper
                        #p::Result::map(
                            _serde::de::VariantAccess::newtype_variant::<#wrapper_ty>(__variant),
                            |__wrapper| #this_value::#ident(__wrapper.value))
                    }
                }
            }
        }
        Shape::Tuple => de_fields::tuple(cx, &variant.fields, Form::External(ident)),
        Shape::Named => de_fields::named(cx, &variant.fields, Form::External(ident)),
    })
}

/// A variant of an internally tagged enum, from what is left without the tag.
pub(super) fn internal(cx: &Context<'_>, variant: &Variant<'_>) -> Expansion {
    let Context {
        private: p,
        this_value,
        ..
    } = cx;
    let ident = variant.ident;
    if let Some(output) = with(cx, variant) {
        return Ok(output);
    }
    Ok(match effective_shape(variant) {
        Shape::Unit => {
            let (type_name, name) = (cx.type_name(), ident.to_string());
            let default = skipped_newtype(cx, variant);
            quote! {
                _serde::Deserializer::deserialize_any(
                    __deserializer,
                    #p::de::InternallyTaggedUnitVisitor::new(#type_name, #name))?;
                #p::Ok(#this_value::#ident #default)
            }
        }
        Shape::Newtype => newtype_content(cx, variant)?,
        Shape::Named => de_fields::named(cx, &variant.fields, Form::Internal(ident)),
        Shape::Tuple => return Err(Refusal::new("a tuple variant cannot be tagged internally")),
    })
}

/// A variant without any tag in its content; also what is in the content field
/// of an adjacently tagged enum.
pub(super) fn untagged(cx: &Context<'_>, variant: &Variant<'_>) -> Expansion {
    let Context {
        private: p,
        this_value,
        ..
    } = cx;
    let ident = variant.ident;
    if let Some(output) = with(cx, variant) {
        return Ok(output);
    }
    Ok(match effective_shape(variant) {
        Shape::Unit => {
            let (type_name, name) = (cx.type_name(), ident.to_string());
            let default = skipped_newtype(cx, variant);
            quote! {
                match _serde::Deserializer::deserialize_any(
                    __deserializer,
                    #p::de::UntaggedUnitVisitor::new(#type_name, #name)
                ) {
                    #p::Ok(()) => #p::Ok(#this_value::#ident #default),
                    #p::Err(__err) => #p::Err(__err),
                }
            }
        }
        Shape::Newtype => newtype_content(cx, variant)?,
        Shape::Tuple => de_fields::tuple(cx, &variant.fields, Form::Untagged(ident)),
        Shape::Named => de_fields::named(cx, &variant.fields, Form::Untagged(ident)),
    })
}

/// The whole variant through the function of its `with`.
fn with(cx: &Context<'_>, variant: &Variant<'_>) -> Option<TokenStream> {
    let p = &cx.private;
    let function = variant.attrs.with.de.as_ref()?;
    let unwrap = cx.unwrap_variant(variant, false);
    Some(quote!(#p::Result::map(#function(__deserializer), #unwrap)))
}

/// `(default)` of a newtype variant whose field is skipped.
fn skipped_newtype(cx: &Context<'_>, variant: &Variant<'_>) -> Option<TokenStream> {
    let missing = cx.missing(variant.fields.first()?);
    Some(quote!((#missing)))
}

fn newtype_content(cx: &Context<'_>, variant: &Variant<'_>) -> Expansion {
    let Context {
        private: p,
        this_value,
        ..
    } = cx;
    let ident = variant.ident;
    let field = newtype(variant)?;
    let ty = field.ty;
    Ok(match &field.attrs.with.de {
        None => quote! {
            #p::Result::map(
                <#ty as _serde::Deserialize>::deserialize(__deserializer),
                #this_value::#ident)
        },
        Some(function) => quote! {
            let __value: #p::Result<#ty, _> = #function(__deserializer);
            #p::Result::map(__value, #this_value::#ident)
        },
    })
}
