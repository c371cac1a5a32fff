//! The options in helper attributes: words, `key = value` and `key(..)`.

use quote::ToTokens;
use syn::parse::Parse;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

use crate::support::{Refusal, parse_literal};

/// Every option, in the order in which they are written.
#[derive(Default)]
pub(crate) struct Options(Vec<Meta>);

impl Options {
    /// What is in all `#[name(..)]` together.
    pub(crate) fn of(attributes: &[Attribute], name: &str) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|it| it.path().is_ident(name)) {
            if matches!(attribute.meta, Meta::List(_)) {
                options.0.extend(
                    attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?,
                );
            }
        }
        Ok(options)
    }

    /// The last option of this name.
    pub(crate) fn find(&self, key: &str) -> Option<&Meta> {
        self.0.iter().rev().find(|meta| meta.path().is_ident(key))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The options inside of all `key(..)` together.
    pub(crate) fn inside(&self, key: &str) -> Result<Self, Refusal> {
        let groups = self.groups(key)?;
        Ok(Self(groups.into_iter().flat_map(|group| group.0).collect()))
    }

    /// The options inside of each `key(..)`.
    pub(crate) fn groups(&self, key: &str) -> Result<Vec<Self>, Refusal> {
        let mut groups = Vec::new();
        for meta in self.0.iter().filter(|meta| meta.path().is_ident(key)) {
            if let Meta::List(list) = meta {
                let inner =
                    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
                groups.push(Self(inner.into_iter().collect()));
            }
        }
        Ok(groups)
    }

    /// Whether `key`, `key = true` or `key = "true"` stands there.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        Some(match self.find(key)? {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Bool(value),
                    ..
                }) => value.value,
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => text.value() == "true",
                _ => true,
            },
            Meta::Path(_) | Meta::List(_) => true,
        })
    }

    /// The string in `key = "text"`.
    pub(crate) fn text(&self, key: &str) -> Option<&LitStr> {
        match self.find(key)? {
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

    /// What `key = "value"`, `key = value` or `key(value)` spells.
    pub(crate) fn parse<T: Parse>(&self, key: &str) -> Result<Option<T>, Refusal> {
        if let Some(text) = self.text(key) {
            return Ok(Some(parse_literal(text)?));
        }
        Ok(match self.find(key) {
            Some(Meta::NameValue(pair)) => Some(syn::parse2(pair.value.to_token_stream())?),
            Some(Meta::List(list)) => Some(syn::parse2(list.tokens.clone())?),
            Some(Meta::Path(_)) | None => None,
        })
    }
}
