//! The two helpers of tokio's `select!`.

use proc_macro2::TokenTree;
use quote::{ToTokens, format_ident, quote};
use syn::Pat;
use syn::parse::Parser;
use syn::visit_mut::{self, VisitMut};

use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// `( _ _ _ )`, one `_` for each branch: an enum with a variant for each, and
/// the integer that holds a bit for each.
pub(super) fn declare_output_enum(invocation: &Invocation<'_>) -> Expansion {
    let branches = match invocation.item.clone().into_iter().next() {
        Some(TokenTree::Group(group)) => group.stream().into_iter().count(),
        _ => return Err(Refusal::new("expected one `_` for each branch")),
    };
    let mask = match branches {
        0..=8 => "u8",
        9..=16 => "u16",
        17..=32 => "u32",
        33..=64 => "u64",
        _ => return Err(Refusal::new("more than 64 branches")),
    };
    let mask = format_ident!("{mask}");
    let variants: Vec<_> = (0..branches)
        .map(|branch| format_ident!("_{branch}"))
        .collect();
    Ok(quote! {
        pub(super) enum Out<#(#variants),*> {
            #(#variants(#variants),)*
            Disabled,
        }

        pub(super) type Mask = #mask;
    })
}

/// A pattern without its `ref` and `mut`.
pub(super) fn clean_pattern(invocation: &Invocation<'_>) -> Expansion {
    // The front end uses it where a pattern must stand, so that whatever is
    // none gets its error there.
    let Ok(mut pattern) = Pat::parse_single.parse2(invocation.item.clone()) else {
        return Ok(invocation.item.clone());
    };
    Clean.visit_pat_mut(&mut pattern);
    Ok(pattern.into_token_stream())
}

struct Clean;

impl VisitMut for Clean {
    fn visit_pat_ident_mut(&mut self, pattern: &mut syn::PatIdent) {
        pattern.by_ref = None;
        pattern.mutability = None;
        visit_mut::visit_pat_ident_mut(self, pattern);
    }

    fn visit_pat_reference_mut(&mut self, pattern: &mut syn::PatReference) {
        pattern.mutability = None;
        visit_mut::visit_pat_reference_mut(self, pattern);
    }

    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
}
