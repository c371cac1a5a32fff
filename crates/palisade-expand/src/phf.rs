//! `phf_macros`: maps and sets whose hash function is found at compile time.
//!
//! What is left out is the search for that function: the displacements are
//! numbers, and call nothing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, BinOp, Expr, ExprBinary, Token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, at_least};

const PACKAGE: &str = "phf_macros";

pub(crate) const MACROS: &[Macro] = &[
    Macro::function(PACKAGE, "phf_map", |it| expand(it, false, false)),
    Macro::function(PACKAGE, "phf_set", |it| expand(it, true, false)),
    Macro::function(PACKAGE, "phf_ordered_map", |it| expand(it, false, true)),
    Macro::function(PACKAGE, "phf_ordered_set", |it| expand(it, true, true)),
];

/// `key | key => value`, or a key alone.
struct Entry {
    attrs: Vec<Attribute>,
    key: Expr,
    value: Expr,
}

impl Entry {
    fn of_map(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let key = input.parse()?;
        input.parse::<Token![=>]>()?;
        let value = input.parse()?;
        Ok(Self { attrs, key, value })
    }

    fn of_set(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            key: Expr::parse(input)?,
            value: syn::parse2(quote!(()))?,
        })
    }

    /// The pairs for all alternatives of the key.
    fn pairs(&self, output: &mut TokenStream) {
        let mut keys = vec![&self.key];
        while let Some(key) = keys.pop() {
            if let Expr::Binary(ExprBinary {
                left,
                op: BinOp::BitOr(_),
                right,
                ..
            }) = key
            {
                keys.extend([&**right, &**left]);
                continue;
            }
            let (attrs, value) = (&self.attrs, &self.value);
            output.extend(quote!(#(#attrs)* (#key, #value),));
        }
    }
}

fn expand(invocation: &Invocation<'_>, is_set: bool, is_ordered: bool) -> Expansion {
    let entry = if is_set { Entry::of_set } else { Entry::of_map };
    let entries = |input: ParseStream<'_>| {
        Punctuated::<Entry, Token![,]>::parse_terminated_with(input, entry)
    };
    let entries = entries.parse2(invocation.item.clone())?;
    let mut pairs = TokenStream::new();
    for entry in &entries {
        entry.pairs(&mut pairs);
    }
    // Before 0.11, slices were wrapped so that they could be owned as well.
    let slice = |inner: &TokenStream| {
        if at_least(invocation.version, (0, 11, 0)) {
            quote!(&[#inner])
        } else {
            quote!(::phf::Slice::Static(&[#inner]))
        }
    };
    let (none, pairs) = (slice(&TokenStream::new()), slice(&pairs));
    Ok(match (is_set, is_ordered) {
        (false, false) => quote!(phf::Map { key: 0, disps: #none, entries: #pairs }),
        (true, false) => quote! {
            phf::Set { map: phf::Map { key: 0, disps: #none, entries: #pairs } }
        },
        (false, true) => quote! {
            phf::OrderedMap { key: 0, disps: #none, idxs: #none, entries: #pairs }
        },
        (true, true) => quote! {
            phf::OrderedSet {
                map: phf::OrderedMap { key: 0, disps: #none, idxs: #none, entries: #pairs }
            }
        },
    })
}
