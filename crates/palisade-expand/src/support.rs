//! What the expanders share.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parse;
use syn::visit_mut::{self, VisitMut};
use syn::{DeriveInput, LitStr, parse_quote};

use crate::{Invocation, Limits};

/// Why an expander gives up on its input.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl From<syn::Error> for Refusal {
    fn from(error: syn::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// What every expander returns.
pub(crate) type Expansion = Result<TokenStream, Refusal>;

/// Parses what a string literal spells, such as a path in `with = "module"`.
///
/// The tokens get the literal's span. A string is one token however deep it
/// nests, so it is checked against the limits like any other input.
pub(crate) fn parse_literal<T: Parse>(literal: &LitStr) -> syn::Result<T> {
    let tokens: TokenStream = literal
        .value()
        .parse()
        .map_err(|error: proc_macro2::LexError| syn::Error::new(literal.span(), error))?;
    Limits::default()
        .check(&tokens)
        .map_err(|refusal| syn::Error::new(literal.span(), refusal.reason))?;
    syn::parse2(respan(tokens, literal.span()))
}

/// The same tokens at another place. The recursion is bounded by the limits.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &mut token {
                *group = Group::new(group.delimiter(), respan(group.stream(), span));
            }
            token.set_span(span);
            token
        })
        .collect()
}

/// The patch component of a version, if the version is `1.0.patch`.
///
/// Many macro crates have stayed at 1.0 for years, and what they write is
/// told apart by this number alone.
pub(crate) fn patch_of_1_0(version: Option<&str>) -> Option<u32> {
    let patch = version?.strip_prefix("1.0.")?;
    let digits = patch
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(patch.len());
    patch[..digits].parse().ok()
}

/// An identifier's text without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// The item, with `Self` replaced by its name: types of fields are repeated in
/// impls of helper types, where `Self` means something else.
pub(crate) fn named_input(invocation: &Invocation<'_>) -> syn::Result<DeriveInput> {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ident = &input.ident;
    let (_, arguments, _) = input.generics.split_for_impl();
    let mut replace = ReplaceSelf(syn::parse2(quote!(#ident #arguments))?);
    replace.visit_generics_mut(&mut input.generics);
    replace.visit_data_mut(&mut input.data);
    Ok(input)
}

struct ReplaceSelf(syn::TypePath);

impl VisitMut for ReplaceSelf {
    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        if let syn::Type::Path(path) = ty
            && path.qself.is_none()
            && path.path.is_ident("Self")
        {
            *ty = syn::Type::Path(self.0.clone());
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        if path.qself.is_none()
            && path.path.segments.len() > 1
            && path.path.segments[0].ident == "Self"
        {
            let this = &self.0;
            let rest = path.path.segments.iter().skip(1);
            *path = parse_quote!(<#this>::#(#rest)::*);
        }
        visit_mut::visit_type_path_mut(self, path);
    }
}

/// Whether a version is at least this one; an unknown version is the newest.
pub(crate) fn at_least(version: Option<&str>, wanted: (u32, u32, u32)) -> bool {
    let Some(version) = version else {
        return true;
    };
    let mut parts = version.split('.').map(|part| {
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..digits].parse::<u32>().unwrap_or(0)
    });
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= wanted
}
