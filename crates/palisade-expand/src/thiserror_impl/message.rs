//! The format string of an error, with its references to fields resolved.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{LitStr, Member};

use super::{Case, Names};

/// The code that writes one message.
pub(super) struct Message {
    pub(super) tokens: TokenStream,
    /// Indices of the fields that are formatted, each with the trait of `core::fmt`.
    pub(super) bounds: BTreeSet<(usize, &'static str)>,
    /// Some field is displayed through the crate's own trait, which knows paths too.
    pub(super) uses_as_display: bool,
}

impl Message {
    pub(super) fn expand(
        text: &LitStr,
        args: &TokenStream,
        case: &Case<'_>,
        names: &Names,
    ) -> syn::Result<Self> {
        let named = named_arguments(args);
        let mut message = Self {
            tokens: TokenStream::new(),
            bounds: BTreeSet::new(),
            uses_as_display: false,
        };
        let value = text.value();
        let mut bindings: Vec<(Ident, TokenStream)> = Vec::new();
        let mut output = String::new();
        let mut rest = value.as_str();
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open + 1);
            output.push_str(before);
            rest = after;
            if let Some(escaped) = rest.strip_prefix('{') {
                output.push('{');
                rest = escaped;
                continue;
            }
            let end = rest
                .find(|character: char| character != '_' && !character.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let (reference, after) = rest.split_at(end);
            rest = after;
            let found = if named.contains(reference) || reference.is_empty() {
                None
            } else {
                case.fields
                    .iter()
                    .position(|field| spelled(&field.member) == reference)
            };
            let spec = after.split('}').next().unwrap_or_default();
            let Some(index) = found else {
                // An argument, or something else in scope: the format macro finds it.
                output.push_str(reference);
                continue;
            };
            let (bound, plain) = trait_of(spec);
            message.bounds.insert((index, bound));
            let field = &case.fields[index];
            let prefix = match (plain, bound) {
                _ if names.one_local_per_field => "__field",
                (true, _) => "__display",
                (false, "Pointer") => "__pointer",
                (false, _) => "__field",
            };
            let mut local = match &field.member {
                Member::Unnamed(index) => format_ident!("{prefix}{}", index.index),
                Member::Named(name) => format_ident!("{prefix}_{}", name.unraw()),
            };
            while named.contains(&local.to_string()) {
                local = format_ident!("_{local}");
            }
            output.push_str(&local.to_string());
            if bindings.iter().any(|(known, _)| *known == local) {
                continue;
            }
            let value = field.local();
            let private = &names.private;
            let value = match (plain, bound) {
                (true, _) => {
                    message.uses_as_display = true;
                    quote!(#value.as_display())
                }
                (false, "Pointer") if !names.one_local_per_field => quote!(#private::Var(#value)),
                (false, _) => value.into_token_stream(),
            };
            bindings.push((local, value));
        }
        output.push_str(rest);
        let written = LitStr::new(&output, text.span());
        let write = if args.is_empty() && !value.contains(['{', '}']) {
            quote!(__formatter.write_str(#written))
        } else {
            quote!(::core::write!(__formatter, #written #args))
        };
        message.tokens = if bindings.is_empty() {
            write
        } else {
            let (locals, values): (Vec<_>, Vec<_>) = bindings.into_iter().unzip();
            quote! {
                match (#(#values,)*) {
                    (#(#locals,)*) => #write
                }
            }
        };
        Ok(message)
    }
}

fn spelled(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// The formatting trait that a placeholder asks for, and whether it has no
/// format specification at all.
fn trait_of(spec: &str) -> (&'static str, bool) {
    let name = match spec.chars().next_back() {
        None => return ("Display", true),
        Some('?') => "Debug",
        Some('o') => "Octal",
        Some('x') => "LowerHex",
        Some('X') => "UpperHex",
        Some('p') => "Pointer",
        Some('b') => "Binary",
        Some('e') => "LowerExp",
        Some('E') => "UpperExp",
        Some(_) => "Display",
    };
    (name, false)
}

/// The names in `, name = expression, ..`.
fn named_arguments(args: &TokenStream) -> BTreeSet<String> {
    let tokens: Vec<_> = args.clone().into_iter().collect();
    let punct = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    tokens
        .windows(4)
        .filter_map(|window| match window {
            [comma, TokenTree::Ident(name), equals, next]
                if punct(comma, ',') && punct(equals, '=') && !punct(next, '=') =>
            {
                Some(name.unraw().to_string())
            }
            _ => None,
        })
        .collect()
}
