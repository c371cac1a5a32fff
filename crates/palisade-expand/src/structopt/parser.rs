//! What structopt and clap 3 have in common: `parse(..)` and the list of authors.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::Token;
use syn::parse::{ParseStream, Parser as _};

/// Where the value of an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Str,
    TryStr,
    OsStr,
    TryOsStr,
    Occurrences,
    Flag,
}

/// How an argument becomes a value: `parse(source = function)`.
#[derive(Clone, Debug)]
pub(crate) struct Parser {
    pub(crate) source: Source,
    pub(crate) function: TokenStream,
}

impl Parser {
    /// The parser of fields that ask for none.
    pub(crate) fn from_str() -> Self {
        Self {
            source: Source::TryStr,
            function: quote!(::std::str::FromStr::from_str),
        }
    }

    /// Reads `source` or `source = function`.
    pub(crate) fn read(spec: &TokenStream) -> syn::Result<Self> {
        let parse = |input: ParseStream<'_>| {
            let source: Ident = input.parse()?;
            let function: Option<syn::ExprPath> = match input.parse::<Option<Token![=]>>()? {
                Some(_) => Some(input.parse()?),
                None => None,
            };
            input.parse::<Option<Token![,]>>()?;
            Ok((source, function))
        };
        let (ident, function) = parse.parse2(spec.clone())?;
        let (source, default) = match ident.to_string().as_str() {
            "from_str" => (Source::Str, Some(quote!(::std::convert::From::from))),
            "try_from_str" => (Source::TryStr, Some(quote!(::std::str::FromStr::from_str))),
            "from_os_str" => (Source::OsStr, Some(quote!(::std::convert::From::from))),
            "try_from_os_str" => (Source::TryOsStr, None),
            "from_occurrences" => (Source::Occurrences, Some(quote!({ |v| v as _ }))),
            "from_flag" => (Source::Flag, Some(quote!(::std::convert::From::from))),
            _ => return Err(syn::Error::new(ident.span(), "unsupported parser")),
        };
        let function = function
            .map(ToTokens::into_token_stream)
            .or(default)
            .ok_or_else(|| syn::Error::new(ident.span(), "this parser needs a function"))?;
        Ok(Self { source, function })
    }
}

/// Cargo's list of authors, with commas instead of the colons outside of `<>`.
pub(crate) fn separated(authors: &str) -> String {
    let mut text = String::with_capacity(authors.len());
    let mut brackets = 0_usize;
    for character in authors.chars() {
        match character {
            '<' => brackets += 1,
            '>' => brackets = brackets.saturating_sub(1),
            ':' if brackets == 0 => {
                text.push_str(", ");
                continue;
            }
            _ => {}
        }
        text.push(character);
    }
    text
}
