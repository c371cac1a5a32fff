//! `#[async_trait]`: async methods as functions that return a boxed future.

mod body;
mod receiver;
mod signature;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Generics, ImplItem, ItemImpl, ItemTrait, Token, TraitItem, Type, TypeParamBound,
    Visibility,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute("async-trait", "async_trait", async_trait)];

/// What a method's transformation needs to know of the trait or impl around it.
struct Context {
    generics: Generics,
    /// The supertraits of a trait; none for an impl.
    supertraits: Option<Punctuated<TypeParamBound, Token![+]>>,
    /// Associated types of an impl that are `impl Trait`: they cannot be
    /// written in the body.
    opaque_types: BTreeSet<Ident>,
    /// `?Send`
    local: bool,
}

fn async_trait(invocation: &Invocation<'_>) -> Expansion {
    let local = match invocation.args.to_string().replace(' ', "").as_str() {
        "" => false,
        "?Send" => true,
        other => return Err(Refusal::new(format!("unknown argument `{other}`"))),
    };
    Ok(match syn::parse2(invocation.item.clone())? {
        Container::Trait(item) => of_trait(item, local),
        Container::Impl(item) => of_impl(item, local),
    })
}

enum Container {
    Trait(ItemTrait),
    Impl(ItemImpl),
}

impl Parse for Container {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![unsafe]>>()?;
        if ahead.peek(Token![impl]) {
            input.parse().map(Self::Impl)
        } else {
            input.parse().map(Self::Trait)
        }
    }
}

fn of_trait(mut item: ItemTrait, local: bool) -> TokenStream {
    let context = Context {
        generics: item.generics.clone(),
        supertraits: Some(item.supertraits.clone()),
        opaque_types: BTreeSet::new(),
        local,
    };
    for member in &mut item.items {
        if let TraitItem::Fn(method) = member
            && method.sig.asyncness.is_some()
        {
            let sig = &mut method.sig;
            let mut uses_self = receiver::in_signature(sig);
            if let Some(block) = &mut method.default {
                uses_self |= receiver::in_block(block);
                body::transform(&context, sig, block);
            }
            signature::transform(&context, sig, uses_self, method.default.is_some());
        }
    }
    item.into_token_stream()
}

fn of_impl(mut item: ItemImpl, local: bool) -> TokenStream {
    let opaque_types = item
        .items
        .iter()
        .filter_map(|member| match member {
            ImplItem::Type(alias) if matches!(alias.ty, Type::ImplTrait(_)) => {
                Some(alias.ident.clone())
            }
            _ => None,
        })
        .collect();
    let context = Context {
        generics: item.generics.clone(),
        supertraits: None,
        opaque_types,
        local,
    };
    for member in &mut item.items {
        if let ImplItem::Fn(method) = member
            && method.sig.asyncness.is_some()
        {
            let uses_self = receiver::in_signature(&method.sig);
            body::transform(&context, &method.sig, &mut method.block);
            signature::transform(&context, &mut method.sig, uses_self, false);
        }
    }
    item.into_token_stream()
}
