//! The attributes of clap's derives, read into a flat list of directives.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Token, parenthesized};

/// Which attribute a directive was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `#[clap(..)]` and `#[structopt(..)]`: takes the meaning of its place.
    Any,
    Command,
    Group,
    Arg,
    Value,
}

/// What follows the name of a directive.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    /// `name`
    Flag,
    /// `name = expression`
    Assigned(Box<Expr>),
    /// `name(expression, ..)`: always a builder call.
    Call(TokenStream),
}

/// One comma-separated entry of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) scope: Scope,
    pub(crate) name: Ident,
    pub(crate) setting: Setting,
}

impl Directive {
    /// The directives of all of clap's attributes in `attrs`, in source order.
    pub(crate) fn read(attrs: &[Attribute]) -> syn::Result<Vec<Self>> {
        let mut directives = Vec::new();
        for attr in attrs {
            let scope = match attr.path().get_ident().map(ToString::to_string).as_deref() {
                Some("clap" | "structopt") => Scope::Any,
                Some("command") => Scope::Command,
                Some("group") => Scope::Group,
                Some("arg") => Scope::Arg,
                Some("value") => Scope::Value,
                _ => continue,
            };
            let entries = attr.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated)?;
            directives.extend(entries.into_iter().map(|Entry { name, setting }| Self {
                scope,
                name,
                setting,
            }));
        }
        Ok(directives)
    }

    /// The assigned expression, or an error that names the directive.
    pub(crate) fn required(&self) -> syn::Result<TokenStream> {
        match &self.setting {
            Setting::Assigned(expr) => Ok(expr.to_token_stream()),
            Setting::Call(args) => Ok(args.clone()),
            Setting::Flag => Err(syn::Error::new(
                self.name.span(),
                format!("attribute `{}` requires a value", self.name),
            )),
        }
    }

    /// The assigned literal, when the directive is assigned one.
    pub(crate) fn literal(&self) -> Option<&Lit> {
        match &self.setting {
            Setting::Assigned(expr) => match &**expr {
                Expr::Lit(ExprLit { lit, .. }) => Some(lit),
                _ => None,
            },
            _ => None,
        }
    }
}

struct Entry {
    name: Ident,
    setting: Setting,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        let setting = if input.parse::<Option<Token![=]>>()?.is_some() {
            Setting::Assigned(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let inside;
            parenthesized!(inside in input);
            let args = inside.parse_terminated(Expr::parse, Token![,])?;
            let args = args.iter();
            Setting::Call(quote!(#(#args),*))
        } else {
            Setting::Flag
        };
        Ok(Self { name, setting })
    }
}
