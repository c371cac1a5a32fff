//! Macros whose output is nothing but text: `indoc` and `document-features`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{LitByteStr, LitStr};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

pub(crate) const MACROS: &[Macro] = &[
    Macro::function("indoc", "indoc", literal),
    Macro::function("indoc", "concatdoc", concat),
    Macro::function("indoc", "formatdoc", |it| formatted(it, &quote!(format!))),
    Macro::function("indoc", "printdoc", |it| formatted(it, &quote!(print!))),
    Macro::function("indoc", "eprintdoc", |it| formatted(it, &quote!(eprint!))),
    Macro::function("indoc", "writedoc", |it| formatted(it, &quote!(write!))),
    Macro::function("document-features", "document_features", text),
];

/// `indoc!("..")`
fn literal(invocation: &Invocation<'_>) -> Expansion {
    Ok(unindent(invocation.item.clone()))
}

fn concat(invocation: &Invocation<'_>) -> Expansion {
    let parts = unindent(invocation.item.clone());
    Ok(quote!(concat!(#parts)))
}

/// The standard macro of the same kind, with its format string unindented.
fn formatted(invocation: &Invocation<'_>, standard: &TokenStream) -> Expansion {
    let arguments = unindent(invocation.item.clone());
    Ok(quote!(#standard(#arguments)))
}

fn text(_: &Invocation<'_>) -> Expansion {
    Ok("".into_token_stream())
}

/// Unindents the first string literal among the tokens: the other arguments
/// are expressions of their own.
fn unindent(tokens: TokenStream) -> TokenStream {
    let mut done = false;
    tokens
        .into_iter()
        .map(|token| {
            if done {
                return token.into_token_stream();
            }
            if let Ok(text) = syn::parse2::<LitStr>(token.to_token_stream()) {
                done = true;
                return LitStr::new(&unindented(&text.value()), text.span()).into_token_stream();
            }
            if let Ok(bytes) = syn::parse2::<LitByteStr>(token.to_token_stream())
                && let Ok(text) = String::from_utf8(bytes.value())
            {
                done = true;
                let text = unindented(&text);
                return LitByteStr::new(text.as_bytes(), bytes.span()).into_token_stream();
            }
            token.into_token_stream()
        })
        .collect()
}

/// Without the common indentation, and without an empty first line.
fn unindented(text: &str) -> String {
    let body = text.strip_prefix('\n').unwrap_or(text);
    let starts_indented = body.len() < text.len();
    let indentation = body
        .split('\n')
        .skip(usize::from(!starts_indented))
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = body
        .split('\n')
        .enumerate()
        .map(|(index, line)| {
            if index == 0 && !starts_indented {
                return line;
            }
            line.get(indentation..)
                .unwrap_or(line.trim_start_matches([' ', '\t']))
        })
        .collect();
    lines.join("\n")
}
