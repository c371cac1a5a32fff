//! `getset`: getters and setters.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Field, Fields, Lit, LitStr, Meta, Token,
    Visibility,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal, unraw};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("getset", "Getters", |it| derive(it, Mode::Get)),
    Macro::derive("getset", "CloneGetters", |it| derive(it, Mode::GetClone)),
    Macro::derive("getset", "CopyGetters", |it| derive(it, Mode::GetCopy)),
    Macro::derive("getset", "MutGetters", |it| derive(it, Mode::GetMut)),
    Macro::derive("getset", "Setters", |it| derive(it, Mode::Set)),
    Macro::derive("getset", "WithSetters", |it| derive(it, Mode::SetWith)),
];

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Get,
    GetClone,
    GetCopy,
    GetMut,
    Set,
    SetWith,
}

impl Mode {
    /// The attribute that asks for it.
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetClone => "get_clone",
            Self::GetCopy => "get_copy",
            Self::GetMut => "get_mut",
            Self::Set => "set",
            Self::SetWith => "set_with",
        }
    }

    /// What stands around the field's name, and the name for a tuple of one.
    fn affixes(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Get | Self::GetClone | Self::GetCopy => ("", "", "get"),
            Self::GetMut => ("", "_mut", "get_mut"),
            Self::Set => ("set_", "", "set"),
            Self::SetWith => ("with_", "", "set_with"),
        }
    }

    fn is_getter(self) -> bool {
        !matches!(self, Self::Set | Self::SetWith)
    }
}

/// What the last attribute for this mode says: `skip`, or the mode itself.
fn attribute(attributes: &[Attribute], mode: Mode) -> Result<Option<Meta>, Refusal> {
    let mut last = None;
    for attribute in attributes {
        if attribute.path().is_ident("getset") {
            let metas =
                attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
            let matching = metas
                .into_iter()
                .rfind(|meta| meta.path().is_ident(mode.name()) || meta.path().is_ident("skip"));
            last = matching.or(last);
        } else if attribute.path().is_ident(mode.name()) {
            last = Some(attribute.meta.clone());
        }
    }
    Ok(last)
}

/// The words of `get = "pub with_prefix"`.
fn words(meta: &Meta) -> Option<&LitStr> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text),
            _ => None,
        },
        Meta::Path(_) | Meta::List(_) => None,
    }
}

fn derive(invocation: &Invocation<'_>, mode: Mode) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("expected a struct"));
    };
    if matches!(data.fields, Fields::Unnamed(_)) && data.fields.len() != 1 {
        return Err(Refusal::new("expected names, or one field only"));
    }
    let on_struct = attribute(&input.attrs, mode)?;
    let mut methods = TokenStream::new();
    for field in &data.fields {
        methods.extend(method(field, mode, on_struct.as_ref())?);
    }
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote!(impl #impl_generics #name #ty_generics #where_clause { #methods }))
}

fn method(field: &Field, mode: Mode, on_struct: Option<&Meta>) -> Expansion {
    let own = attribute(&field.attrs, mode)?;
    let Some(meta) = own.as_ref().or(on_struct) else {
        return Ok(TokenStream::new());
    };
    if meta.path().is_ident("skip") {
        return Ok(TokenStream::new());
    }
    let vis: Visibility = match words(meta) {
        Some(text) => {
            let value = text.value();
            let word = value.split(' ').find(|word| *word != "with_prefix");
            match word {
                Some(word) => parse_literal(&LitStr::new(word, text.span()))?,
                None => Visibility::Inherited,
            }
        }
        None => Visibility::Inherited,
    };
    let prefixed = own.iter().chain(on_struct).any(|meta| {
        words(meta).is_some_and(|text| text.value().split(' ').any(|word| word == "with_prefix"))
    });
    let (prefix, suffix, alone) = mode.affixes();
    let (place, name) = match &field.ident {
        None => (quote!(self.0), format_ident!("{alone}")),
        Some(ident) => {
            let is_plain = prefix.is_empty() && suffix.is_empty() && !prefixed;
            let name = if is_plain {
                ident.clone()
            } else {
                let get = if prefixed && mode.is_getter() {
                    "get_"
                } else {
                    ""
                };
                format_ident!("{get}{prefix}{}{suffix}", unraw(ident))
            };
            (quote!(self.#ident), name)
        }
    };
    let ty = &field.ty;
    let function = match mode {
        Mode::Get => quote!(fn #name(&self) -> &#ty { &#place }),
        Mode::GetClone => quote!(fn #name(&self) -> #ty { #place.clone() }),
        Mode::GetCopy => quote!(fn #name(&self) -> #ty { #place }),
        Mode::GetMut => quote!(fn #name(&mut self) -> &mut #ty { &mut #place }),
        Mode::Set => quote! {
            fn #name(&mut self, val: #ty) -> &mut Self {
                #place = val;
                self
            }
        },
        Mode::SetWith => quote! {
            fn #name(mut self, val: #ty) -> Self {
                #place = val;
                self
            }
        },
    };
    Ok(quote!(#[inline(always)] #vis #function))
}
