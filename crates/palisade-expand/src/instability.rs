//! `instability`: items that are public only with a feature of their crate.

use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, MetaNameValue, Token, Visibility, parse_quote};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};
use crate::unchanged::unchanged;

const PACKAGE: &str = "instability";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "unstable", unstable),
    // Nothing but documentation.
    Macro::attribute(PACKAGE, "stable", unchanged),
];

/// Without its feature the item is still there, but for its own crate alone;
/// an impl is not.
fn unstable(invocation: &Invocation<'_>) -> Expansion {
    let arguments = syn::parse::Parser::parse2(
        Punctuated::<MetaNameValue, Token![,]>::parse_terminated,
        invocation.args.clone(),
    )?;
    let mut feature = "unstable".to_owned();
    for argument in arguments {
        match &argument.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if argument.path.is_ident("feature") => {
                feature = format!("unstable-{}", text.value());
            }
            _ if argument.path.is_ident("issue") => {}
            _ => return Err(Refusal::new("unknown option")),
        }
    }
    let item: Item = syn::parse2(invocation.item.clone())?;
    let mut hidden = item.clone();
    let Some(vis) = visibility(&mut hidden) else {
        return match item {
            Item::Impl(item) => Ok(quote!(#[cfg(any(doc, feature = #feature))] #item)),
            _ => Err(Refusal::new("unknown kind of item")),
        };
    };
    if !matches!(vis, Visibility::Public(_)) {
        return Ok(invocation.item.clone());
    }
    *vis = parse_quote!(pub(crate));
    let allow: Attribute = parse_quote!(#[allow(dead_code, unused_imports)]);
    Ok(quote! {
        #[cfg(any(doc, feature = #feature))]
        #item
        #[cfg(not(any(doc, feature = #feature)))]
        #allow
        #hidden
    })
}

fn visibility(item: &mut Item) -> Option<&mut Visibility> {
    match item {
        Item::Type(item) => Some(&mut item.vis),
        Item::Enum(item) => Some(&mut item.vis),
        Item::Struct(item) => Some(&mut item.vis),
        Item::Fn(item) => Some(&mut item.vis),
        Item::Mod(item) => Some(&mut item.vis),
        Item::Trait(item) => Some(&mut item.vis),
        Item::Const(item) => Some(&mut item.vis),
        Item::Static(item) => Some(&mut item.vis),
        Item::Use(item) => Some(&mut item.vis),
        _ => None,
    }
}
