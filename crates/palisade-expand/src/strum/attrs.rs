//! `#[strum(..)]` and `#[strum_discriminants(..)]`, and the names they lead to.

use heck::{
    ToKebabCase, ToLowerCamelCase, ToShoutyKebabCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase,
    ToTrainCase, ToUpperCamelCase,
};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Lit, LitStr, Path, Token, Visibility};

use crate::support::{Refusal, parse_literal, unraw};

/// All that `#[strum(..)]` can say on an enum, a variant or a field.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) serialize: Vec<String>,
    pub(super) to_string: Option<String>,
    pub(super) serialize_all: Option<String>,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) message: Option<String>,
    pub(super) detailed_message: Option<String>,
    pub(super) props: Vec<(String, Lit)>,
    pub(super) disabled: bool,
    pub(super) default: bool,
    pub(super) transparent: bool,
    pub(super) case_insensitive: Option<bool>,
    pub(super) const_into_str: bool,
    pub(super) default_with: Option<Path>,
    pub(super) parse_err_ty: Option<Path>,
    pub(super) parse_err_fn: Option<Path>,
    pub(super) strum_path: Option<Path>,
}

impl Attrs {
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("strum"))
        {
            attribute.parse_nested_meta(|meta| attrs.entry(&meta))?;
        }
        Ok(attrs)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match name.as_str() {
            "serialize" => self.serialize.push(text(meta)?),
            "to_string" => self.to_string = Some(text(meta)?),
            "serialize_all" => self.serialize_all = Some(text(meta)?),
            "prefix" => self.prefix = text(meta)?,
            "suffix" => self.suffix = text(meta)?,
            "message" => self.message = Some(text(meta)?),
            "detailed_message" => self.detailed_message = Some(text(meta)?),
            "disabled" => self.disabled = flag(meta)?,
            "default" => self.default = flag(meta)?,
            "transparent" => self.transparent = flag(meta)?,
            "ascii_case_insensitive" => self.case_insensitive = Some(flag(meta)?),
            "const_into_str" => self.const_into_str = flag(meta)?,
            "default_with" => self.default_with = Some(parse_literal(&literal(meta)?)?),
            "crate" => self.strum_path = Some(parse_literal(&literal(meta)?)?),
            "parse_err_ty" => self.parse_err_ty = Some(meta.value()?.parse()?),
            "parse_err_fn" => self.parse_err_fn = Some(meta.value()?.parse()?),
            "props" => meta.parse_nested_meta(|meta| {
                let key = meta
                    .path
                    .get_ident()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let value: Lit = meta.value()?.parse()?;
                self.props.push((key, value));
                Ok(())
            })?,
            _ => return Err(meta.error(format!("unknown strum attribute `{name}`"))),
        }
        Ok(())
    }

    /// Everything that a variant is recognised by.
    pub(super) fn serializations(&self, ident: &Ident, style: Option<&str>) -> Vec<String> {
        let mut names = self.serialize.clone();
        names.extend(self.to_string.clone());
        if names.is_empty() {
            names.push(cased(&unraw(ident), style));
        }
        names
    }

    /// The one text that a variant is written as, without prefix and suffix.
    pub(super) fn preferred(&self, ident: &Ident, style: Option<&str>) -> String {
        let longest = || self.serialize.iter().max_by_key(|name| name.len());
        match self.to_string.as_ref().or_else(longest) {
            Some(name) => name.clone(),
            None => cased(&unraw(ident), style),
        }
    }
}

/// `#[strum_discriminants(..)]` on the enum.
#[derive(Default)]
pub(super) struct DiscriminantAttrs {
    pub(super) name: Option<Ident>,
    pub(super) vis: Option<Visibility>,
    pub(super) derives: Vec<Path>,
    /// Attributes handed through, without `#[..]`.
    pub(super) others: Vec<TokenStream>,
}

impl DiscriminantAttrs {
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes {
            if !attribute.path().is_ident("strum_discriminants") {
                continue;
            }
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    attrs.name = Some(content.parse()?);
                } else if meta.path.is_ident("vis") {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    attrs.vis = Some(content.parse()?);
                } else if meta.path.is_ident("derive") {
                    meta.parse_nested_meta(|meta| {
                        attrs.derives.push(meta.path);
                        Ok(())
                    })?;
                } else {
                    attrs.others.push(passed_through(&meta)?);
                }
                Ok(())
            })?;
        }
        Ok(attrs)
    }
}

/// An attribute inside `strum_discriminants` that is meant for the new enum.
fn passed_through(meta: &ParseNestedMeta<'_>) -> syn::Result<TokenStream> {
    let path = &meta.path;
    let mut rest = TokenStream::new();
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        let token: proc_macro2::TokenTree = meta.input.parse()?;
        rest.extend([token]);
    }
    Ok(quote!(#path #rest))
}

fn literal(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    Ok(literal(meta)?.value())
}

/// `name` or `name = false`.
fn flag(meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    if !meta.input.peek(Token![=]) {
        return Ok(true);
    }
    Ok(meta.value()?.parse::<syn::LitBool>()?.value)
}

/// A variant's name in the style that `serialize_all` names.
fn cased(name: &str, style: Option<&str>) -> String {
    match style {
        Some("camelCase" | "mixed_case") => name.to_lower_camel_case(),
        Some("PascalCase" | "pascal_case" | "camel_case") => name.to_upper_camel_case(),
        Some("kebab-case" | "kebab_case") => name.to_kebab_case(),
        Some("snake_case" | "snek_case") => name.to_snake_case(),
        Some("SCREAMING_SNAKE_CASE" | "shouty_snake_case" | "shouty_snek_case") => {
            name.to_shouty_snake_case()
        }
        Some("SCREAMING-KEBAB-CASE") => name.to_shouty_kebab_case(),
        Some("Title Case" | "title_case") => name.to_title_case(),
        Some("Train-Case") => name.to_train_case(),
        Some("UPPERCASE") => name.to_uppercase(),
        Some("lowercase") => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// A variant's name as part of a method's: like snake case, and with a number
/// set apart as well.
pub(super) fn method_part(name: &str) -> String {
    let mut output = String::new();
    let mut last: Option<char> = None;
    for c in name.to_snake_case().chars() {
        if c.is_ascii_digit() && last.is_some_and(|last| !last.is_ascii_digit()) {
            output.push('_');
        }
        output.push(c);
        last = Some(c);
    }
    output
}
