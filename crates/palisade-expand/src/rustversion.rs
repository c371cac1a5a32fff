//! `rustversion`: items that depend on the compiler's release.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Token, parenthesized, token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

const PACKAGE: &str = "rustversion";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "stable", kept),
    Macro::attribute(PACKAGE, "beta", kept),
    Macro::attribute(PACKAGE, "nightly", kept),
    Macro::attribute(PACKAGE, "since", kept),
    Macro::attribute(PACKAGE, "before", kept),
    Macro::attribute(PACKAGE, "not", kept),
    Macro::attribute(PACKAGE, "any", kept),
    Macro::attribute(PACKAGE, "all", kept),
    Macro::attribute(PACKAGE, "attr", with_attribute),
    Macro::function(PACKAGE, "cfg", cfg),
];

/// The stable release that is taken for granted when nobody says which it is.
const NEWEST: Release = (1, 95, 0);

type Release = (u32, u32, u32);

/// The compiler's release: the answer to `rustc:version`, if there is one.
fn compiler(invocation: &Invocation<'_>) -> Release {
    let answer = (invocation.env)("rustc:version");
    answer.as_deref().and_then(release).unwrap_or(NEWEST)
}

/// `1.56` or `1.56.1`
fn release(text: &str) -> Option<Release> {
    let mut parts = text.split('.').map(|part| {
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..digits].parse().ok()
    });
    let (major, minor) = (parts.next()??, parts.next()??);
    Some((major, minor, parts.next().flatten().unwrap_or(0)))
}

/// Whether a condition holds for a stable compiler of this release.
fn holds(input: ParseStream<'_>, compiler: Release) -> syn::Result<bool> {
    let word: Ident = input.parse()?;
    let name = word.to_string();
    if !input.peek(token::Paren) {
        return match name.as_str() {
            "stable" => Ok(true),
            "beta" | "nightly" => Ok(false),
            _ => Err(syn::Error::new(word.span(), "expected a condition")),
        };
    }
    let content;
    parenthesized!(content in input);
    match name.as_str() {
        "not" | "any" | "all" => {
            let mut inner = Vec::new();
            while !content.is_empty() {
                inner.push(holds(&content, compiler)?);
                content.parse::<Option<Token![,]>>()?;
            }
            let mut inner = inner.into_iter();
            Ok(match name.as_str() {
                "not" => !inner.next().unwrap_or(false),
                "any" => inner.any(|holds| holds),
                _ => inner.all(|holds| holds),
            })
        }
        _ => {
            let tokens: TokenStream = content.parse()?;
            let text: String = tokens.into_iter().map(|token| token.to_string()).collect();
            let bound = release(text.trim_end_matches(','));
            Ok(match (name.as_str(), bound) {
                ("since", Some(bound)) => compiler >= bound,
                ("before", Some(bound)) => compiler < bound,
                ("stable", Some((major, minor, patch))) => {
                    let whole = text.matches('.').count() > 1;
                    (compiler.0, compiler.1) == (major, minor) && (!whole || compiler.2 == patch)
                }
                // A stable release is older than any date.
                ("before", None) => true,
                ("since" | "nightly" | "stable", _) => false,
                _ => return Err(syn::Error::new(word.span(), "expected a condition")),
            })
        }
    }
}

/// The item, if the condition holds.
fn kept(invocation: &Invocation<'_>) -> Expansion {
    let word = Ident::new(invocation.name, Span::call_site());
    let args = &invocation.args;
    let condition = if args.is_empty() {
        quote!(#word)
    } else {
        quote!(#word(#args))
    };
    let compiler = compiler(invocation);
    let parser = |input: ParseStream<'_>| holds(input, compiler);
    Ok(if parser.parse2(condition)? {
        invocation.item.clone()
    } else {
        TokenStream::new()
    })
}

/// The item, with an attribute or with `const` if the condition holds.
fn with_attribute(invocation: &Invocation<'_>) -> Expansion {
    let compiler = compiler(invocation);
    let parser = |input: ParseStream<'_>| {
        let holds = holds(input, compiler)?;
        input.parse::<Token![,]>()?;
        let attributes: TokenStream = input.parse()?;
        Ok((holds, attributes))
    };
    let (holds, attributes) = parser.parse2(invocation.args.clone())?;
    let item = &invocation.item;
    if !holds {
        return Ok(item.clone());
    }
    if syn::parse2::<Token![const]>(attributes.clone()).is_ok() {
        return Ok(with_const(item));
    }
    Ok(quote!(#[cfg_attr(all(), #attributes)] #item))
}

/// The function with `const` where it belongs.
fn with_const(item: &TokenStream) -> TokenStream {
    let mut is_done = false;
    let is_start = |token: &TokenTree| match token {
        TokenTree::Ident(ident) => ["async", "unsafe", "extern", "fn"]
            .iter()
            .any(|word| ident == word),
        _ => false,
    };
    let mut output = TokenStream::new();
    for token in item.clone() {
        if !is_done && is_start(&token) {
            is_done = true;
            output.extend(quote!(const));
        }
        output.extend([token]);
    }
    output
}

fn cfg(invocation: &Invocation<'_>) -> Expansion {
    let compiler = compiler(invocation);
    let parser = |input: ParseStream<'_>| holds(input, compiler);
    let holds = parser.parse2(invocation.item.clone())?;
    Ok(quote!(#holds))
}
