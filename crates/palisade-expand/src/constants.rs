//! Macros whose output is nothing but a constant: `const-random`, `hex-literal`
//! and `const_format`.
//!
//! Its value calls nothing, so it is its type that counts.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Type;

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::function("const-random-macro", "const_random", random),
    Macro::function("hex-literal", "hex", hex),
    Macro::function(
        "const_format_proc_macros",
        "__concatcp_impl",
        |_| Ok(text()),
    ),
    Macro::function(
        "const_format_proc_macros",
        "__formatcp_impl",
        |_| Ok(text()),
    ),
];

fn text() -> TokenStream {
    "".into_token_stream()
}

/// `const_random!(u64)` or `const_random!([u8; 16])`
fn random(invocation: &Invocation<'_>) -> Expansion {
    match syn::parse2(invocation.item.clone())? {
        Type::Array(array) => {
            let length = &array.len;
            Ok(quote!([0u8; #length]))
        }
        ty => Ok(quote!((0 as #ty))),
    }
}

/// `hex!("0123 ff")`, as many bytes as there are pairs of digits.
fn hex(invocation: &Invocation<'_>) -> Expansion {
    let (mut digits, mut groups) = (0, vec![invocation.item.clone()]);
    while let Some(tokens) = groups.pop() {
        for token in tokens {
            match token {
                TokenTree::Group(group) => groups.push(Group::stream(&group)),
                TokenTree::Literal(literal) => digits += digits_in(&literal),
                other => return Err(Refusal::new(format!("`{other}` is no string"))),
            }
        }
    }
    let bytes = Literal::usize_unsuffixed(digits / 2);
    Ok(quote!([0u8; #bytes]))
}

fn digits_in(literal: &Literal) -> usize {
    let text = literal.to_string();
    text.chars().filter(char::is_ascii_hexdigit).count()
}
