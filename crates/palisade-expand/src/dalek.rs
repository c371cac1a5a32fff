//! `curve25519-dalek-derive`: modules that are compiled once for each set of
//! CPU features, and functions that may be called from outside of them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, FnArg, Generics, Ident, ImplItem, Item, ItemFn, ItemImpl, ItemMod, LitStr, Meta,
    Pat, Token, Type, parenthesized, parse_quote,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

const PACKAGE: &str = "curve25519-dalek-derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "unsafe_target_feature", with_features),
    Macro::attribute(PACKAGE, "unsafe_target_feature_specialize", specialize),
];

fn with_features(invocation: &Invocation<'_>) -> Expansion {
    let features: LitStr = syn::parse2(invocation.args.clone())?;
    item(&features, syn::parse2(invocation.item.clone())?)
}

/// A set of features, and the condition under which it is compiled.
fn feature_set(input: ParseStream<'_>) -> syn::Result<(LitStr, Option<TokenStream>)> {
    if input.peek(LitStr) {
        return Ok((input.parse()?, None));
    }
    let word: Ident = input.parse()?;
    if word != "conditional" {
        return Err(syn::Error::new(word.span(), "expected `conditional`"));
    }
    let content;
    parenthesized!(content in input);
    let features = content.parse()?;
    content.parse::<Token![,]>()?;
    Ok((features, Some(content.parse()?)))
}

fn specialize(invocation: &Invocation<'_>) -> Expansion {
    let sets = |input: ParseStream<'_>| {
        Punctuated::<_, Token![,]>::parse_terminated_with(input, feature_set)
    };
    let original: ItemMod = syn::parse2(invocation.item.clone())?;
    let mut output = TokenStream::new();
    for (features, condition) in sets.parse2(invocation.args.clone())? {
        let list: Vec<String> = features
            .value()
            .split(',')
            .map(|feature| feature.replace(' ', ""))
            .collect();
        let suffix = list.join("_");
        if !suffix
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return Err(Refusal::new("a feature that cannot be part of a name"));
        }
        let mut module = original.clone();
        module.ident = format_ident!("{}_{suffix}", original.ident);
        if let Some(condition) = condition {
            module.attrs.push(parse_quote!(#[cfg(#condition)]));
        }
        if let Some((_, items)) = &mut module.content {
            items.retain_mut(|item| keep_for(item, &list));
        }
        output.extend(in_module(&features, module)?);
    }
    Ok(output)
}

/// Removes `#[for_target_feature("..")]`, and tells whether the item is meant
/// for one of these features, or for all.
fn keep_for(item: &mut Item, features: &[String]) -> bool {
    let attrs = match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Macro(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        _ => return true,
    };
    let mut keep = true;
    attrs.retain(|attribute| {
        let is_condition = attribute.path().is_ident("for_target_feature");
        if is_condition && let Ok(feature) = attribute.parse_args::<LitStr>() {
            keep &= features.contains(&feature.value());
        }
        !is_condition
    });
    keep
}

fn in_module(features: &LitStr, mut module: ItemMod) -> Expansion {
    if let Some((_, items)) = &mut module.content {
        for slot in items {
            let old = std::mem::replace(slot, Item::Verbatim(TokenStream::new()));
            *slot = Item::Verbatim(item(features, old)?);
        }
    }
    Ok(quote!(#module))
}

fn item(features: &LitStr, item: Item) -> Expansion {
    match item {
        Item::Fn(item) => function(features, item, None),
        Item::Impl(item) => in_impl(features, item),
        Item::Mod(item) => in_module(features, item),
        item => Ok(quote!(#item)),
    }
}

fn in_impl(features: &LitStr, mut item: ItemImpl) -> Expansion {
    let (generics, this) = (item.generics.clone(), item.self_ty.clone());
    for member in &mut item.items {
        if let ImplItem::Fn(method) = member {
            let method = ItemFn {
                attrs: method.attrs.clone(),
                vis: method.vis.clone(),
                sig: method.sig.clone(),
                block: Box::new(method.block.clone()),
            };
            let output = function(features, method, Some((&generics, &this)))?;
            *member = ImplItem::Verbatim(output);
        }
    }
    Ok(quote!(#item))
}

/// Whether an attribute stays on the function that is called from outside.
fn stays_outside(attribute: &Attribute) -> bool {
    let path = attribute.path();
    match &attribute.meta {
        Meta::Path(_) => !path.is_ident("inline"),
        Meta::List(_) => ["cfg", "allow", "deny"]
            .iter()
            .any(|name| path.is_ident(name)),
        Meta::NameValue(_) => path.is_ident("doc"),
    }
}

/// A safe function around the one with the features.
fn function(features: &LitStr, function: ItemFn, outer: Option<(&Generics, &Type)>) -> Expansion {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = &function;
    if sig.unsafety.is_some() {
        return Ok(quote!(#[target_feature(enable = #features)] #function));
    }
    let (name, output) = (&sig.ident, &sig.output);
    let inner_name = format_ident!("_impl_{name}");
    let (mut outside, mut values) = (Vec::new(), Vec::new());
    for (index, input) in sig.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                if outer.is_none() {
                    return Err(Refusal::new("`self` outside of an impl"));
                }
                values.push(quote!(self));
                outside.push(quote!(#receiver));
            }
            FnArg::Typed(typed) => {
                let ident = match &*typed.pat {
                    Pat::Ident(pattern) => pattern.ident.clone(),
                    Pat::Wild(_) => format_ident!("__arg_{index}__"),
                    _ => return Err(Refusal::new("a parameter with a pattern")),
                };
                let ty = &typed.ty;
                values.push(quote!(#ident));
                outside.push(quote!(#ident: #ty));
            }
        }
    }
    let inside = sig.inputs.iter();
    let is_inline = attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("inline"));
    let inline = is_inline.then(|| quote!(#[inline]));
    let kept = attrs.iter().filter(|attribute| stays_outside(attribute));
    let (impl_generics, ty_generics, where_clause) = sig.generics.split_for_impl();
    let turbofish = ty_generics.as_turbofish();
    let (items, call) = match outer {
        None => (
            quote! {
                #[target_feature(enable = #features)]
                #inline
                unsafe fn #inner_name #impl_generics (#(#inside),*) #output #where_clause #block
            },
            quote!(#inner_name #turbofish),
        ),
        Some((generics, this)) => {
            let trait_name = format_ident!("__Impl_{name}__");
            let (outer_generics, outer_types, outer_where) = generics.split_for_impl();
            (
                quote! {
                    #[allow(non_camel_case_types)]
                    trait #trait_name #outer_generics #outer_where {
                        unsafe fn #inner_name #impl_generics (#(#outside),*)
                            #output #where_clause;
                    }
                    impl #outer_generics #trait_name #outer_types for #this #outer_where {
                        #[target_feature(enable = #features)]
                        #inline
                        unsafe fn #inner_name #impl_generics (#(#inside),*)
                            #output #where_clause #block
                    }
                },
                quote!(<Self as #trait_name #outer_types>::#inner_name #turbofish),
            )
        }
    };
    Ok(quote! {
        #[inline(always)]
        #(#kept)*
        #vis fn #name #impl_generics (#(#outside),*) #output #where_clause {
            #items
            unsafe { #call(#(#values),*) }
        }
    })
}
