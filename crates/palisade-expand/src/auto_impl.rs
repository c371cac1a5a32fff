//! `auto_impl`: a trait's impls for references, smart pointers and closures.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, FnArg, GenericParam, ItemTrait, Lifetime, Pat, Receiver, ReturnType, Signature,
    TraitBoundModifier, TraitItem, TraitItemFn, Type, TypeParamBound, WherePredicate,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute("auto_impl", "auto_impl", auto_impl)];

/// What the trait is implemented for.
#[derive(Clone, Copy, PartialEq)]
enum Proxy {
    Ref,
    RefMut,
    Arc,
    Rc,
    Box,
    Fn,
    FnMut,
    FnOnce,
}

impl Proxy {
    /// The list in `#[auto_impl(&, Box)]`.
    fn list(tokens: TokenStream) -> Result<Vec<Self>, Refusal> {
        let mut proxies = Vec::new();
        for token in tokens {
            let text = token.to_string();
            let proxy = match text.as_str() {
                "," => continue,
                "&" => Self::Ref,
                "mut" if proxies.last() == Some(&Self::Ref) => {
                    proxies.pop();
                    Self::RefMut
                }
                "Arc" => Self::Arc,
                "Rc" => Self::Rc,
                "Box" => Self::Box,
                "Fn" => Self::Fn,
                "FnMut" => Self::FnMut,
                "FnOnce" => Self::FnOnce,
                _ => return Err(Refusal::new(format!("no impl is known for `{text}`"))),
            };
            proxies.push(proxy);
        }
        Ok(proxies)
    }

    fn is_closure(self) -> bool {
        matches!(self, Self::Fn | Self::FnMut | Self::FnOnce)
    }

    fn is_pointer(self) -> bool {
        matches!(self, Self::Arc | Self::Rc | Self::Box)
    }
}

/// How a method takes its `self`.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    None,
    Ref,
    Mut,
    Value,
}

impl Access {
    fn of(signature: &Signature) -> Result<Self, Refusal> {
        Ok(match signature.inputs.first() {
            Some(FnArg::Receiver(Receiver {
                colon_token: Some(_),
                ..
            })) => return Err(Refusal::new("a receiver with a type of its own")),
            Some(FnArg::Receiver(receiver)) => match (&receiver.reference, receiver.mutability) {
                (None, _) => Self::Value,
                (Some(_), None) => Self::Ref,
                (Some(_), Some(_)) => Self::Mut,
            },
            Some(FnArg::Typed(_)) | None => Self::None,
        })
    }
}

fn auto_impl(invocation: &Invocation<'_>) -> Expansion {
    let mut item: ItemTrait = syn::parse2(invocation.item.clone())?;
    let proxies = Proxy::list(invocation.args.clone())?;
    let (parameter, lifetime) = free_names(&item);
    let mut impls = TokenStream::new();
    for proxy in proxies {
        impls.extend(implement(&item, proxy, &parameter, &lifetime)?);
    }
    for item in &mut item.items {
        if let TraitItem::Fn(method) = item {
            method.attrs.retain(|attribute| !is_ours(attribute));
        }
    }
    Ok(quote!(#item #impls))
}

fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("auto_impl")
}

/// A letter for the type and one for the lifetime that the trait leaves free.
fn free_names(item: &ItemTrait) -> (Ident, Lifetime) {
    let mut bare = item.clone();
    for item in &mut bare.items {
        if let TraitItem::Fn(method) = item {
            method.default = None;
        }
    }
    let (mut types, mut lifetimes) = (BTreeSet::new(), BTreeSet::new());
    let mut streams = vec![bare.into_token_stream()];
    while let Some(stream) = streams.pop() {
        let mut after_quote = false;
        for token in stream {
            let is_quote = matches!(&token, TokenTree::Punct(punct)
                if punct.as_char() == '\'' && punct.spacing() == Spacing::Joint);
            match token {
                TokenTree::Ident(ident) if after_quote => {
                    lifetimes.insert(ident.to_string());
                }
                TokenTree::Ident(ident) => {
                    types.insert(ident.to_string());
                }
                TokenTree::Group(group) => streams.push(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            after_quote = is_quote;
        }
    }
    let span = item.ident.span();
    let parameter = ('T'..='Z')
        .chain('A'..='S')
        .map(String::from)
        .find(|name| !types.contains(name))
        .unwrap_or_else(|| "__AutoImplProxyT".to_owned());
    let lifetime = ('a'..='z')
        .map(String::from)
        .find(|name| !lifetimes.contains(name))
        .unwrap_or_else(|| "__auto_impl_proxy_lifetime".to_owned());
    (
        format_ident!("{parameter}", span = span),
        Lifetime::new(&format!("'{lifetime}"), span),
    )
}

/// Whether the default of a method is good enough for this proxy.
fn keeps_default(method: &TraitItemFn, proxy: Proxy) -> Result<bool, Refusal> {
    let Some(attribute) = method.attrs.iter().find(|attribute| is_ours(attribute)) else {
        return Ok(false);
    };
    let mut kept = None;
    attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("keep_default_for") {
            return Err(meta.error("expected `keep_default_for`"));
        }
        let content;
        syn::parenthesized!(content in meta.input);
        kept = Some(content.parse::<TokenStream>()?);
        Ok(())
    })?;
    let keeps = Proxy::list(kept.unwrap_or_default())?.contains(&proxy);
    match keeps && method.default.is_none() {
        true => Err(Refusal::new("a method without a default cannot keep it")),
        false => Ok(keeps),
    }
}

fn implement(item: &ItemTrait, proxy: Proxy, parameter: &Ident, lifetime: &Lifetime) -> Expansion {
    // The real macro's impl would not say `unsafe`, so it is never compiled.
    if item.unsafety.is_some() {
        return Err(Refusal::new("an unsafe trait"));
    }
    let name = &item.ident;
    let (_, arguments, clause) = item.generics.split_for_impl();
    let bounds = bounds(item, proxy)?;
    let bounds = match proxy {
        _ if proxy.is_closure() => closure(item, proxy)?,
        Proxy::Ref | Proxy::RefMut => quote!(#lifetime + #name #arguments #bounds),
        _ => quote!(#name #arguments #bounds),
    };
    let ty = match proxy {
        Proxy::Ref => quote!(&#lifetime #parameter),
        Proxy::RefMut => quote!(&#lifetime mut #parameter),
        Proxy::Arc => quote!(alloc::sync::Arc<#parameter>),
        Proxy::Rc => quote!(alloc::rc::Rc<#parameter>),
        Proxy::Box => quote!(alloc::boxed::Box<#parameter>),
        Proxy::Fn | Proxy::FnMut | Proxy::FnOnce => quote!(#parameter),
    };
    let first = matches!(proxy, Proxy::Ref | Proxy::RefMut).then_some(lifetime);
    let first = first.into_iter();
    let own = item.generics.params.iter().map(|param| {
        let mut param = param.clone();
        // Defaults have no place in an impl.
        match &mut param {
            GenericParam::Type(param) => (param.eq_token, param.default) = (None, None),
            GenericParam::Const(param) => (param.eq_token, param.default) = (None, None),
            GenericParam::Lifetime(_) => {}
        }
        param
    });
    let supertraits = &item.supertraits;
    let is_sub = (!supertraits.is_empty()).then(|| quote!(#ty: #supertraits,));
    let predicates = clause.map(|clause| &clause.predicates);
    let mut items = TokenStream::new();
    for item in &item.items {
        items.extend(member(item, proxy, parameter)?);
    }
    let alloc = proxy.is_pointer().then(|| {
        quote!(
            extern crate alloc;
        )
    });
    Ok(quote! {
        const _: () = {
            #alloc
            impl<#(#first,)* #(#own,)* #parameter: #bounds> #name #arguments for #ty
            where
                #is_sub
                #predicates
            {
                #items
            }
        };
    })
}

/// What the target of a pointer must be beside an implementor of the trait.
fn bounds(item: &ItemTrait, proxy: Proxy) -> Expansion {
    let mut additional = Vec::new();
    let mut is_sized = false;
    for item in &item.items {
        let TraitItem::Fn(method) = item else {
            continue;
        };
        if keeps_default(method, proxy)? {
            continue;
        }
        let is_self = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident("Self"));
        is_sized |= Access::of(&method.sig)? == Access::Value
            || matches!(&method.sig.output, ReturnType::Type(_, ty) if is_self(ty));
        let clause = method.sig.generics.where_clause.iter();
        for predicate in clause.flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(predicate) = predicate
                && is_self(&predicate.bounded_ty)
            {
                for bound in &predicate.bounds {
                    if let TypeParamBound::Trait(bound) = bound {
                        is_sized |= matches!(bound.modifier, TraitBoundModifier::None)
                            && bound.path.is_ident("Sized");
                        additional.push(bound.clone());
                    }
                }
            }
        }
    }
    let relaxed = (!is_sized).then(|| quote!(+ ?::core::marker::Sized));
    Ok(quote!(#relaxed #(+ #additional)*))
}

/// The closures that can stand for the one method of the trait.
fn closure(item: &ItemTrait, proxy: Proxy) -> Expansion {
    let [TraitItem::Fn(method)] = item.items.as_slice() else {
        return Err(Refusal::new("a closure has exactly one method"));
    };
    let name = match proxy {
        Proxy::Fn => quote!(::core::ops::Fn),
        Proxy::FnMut => quote!(::core::ops::FnMut),
        _ => quote!(::core::ops::FnOnce),
    };
    let lifetimes = method.sig.generics.lifetimes();
    let output = &method.sig.output;
    let types = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&input.ty),
        FnArg::Receiver(_) => None,
    });
    Ok(quote!(for<#(#lifetimes),*> #name(#(#types,)*) #output))
}

/// One item of the impl.
fn member(item: &TraitItem, proxy: Proxy, parameter: &Ident) -> Expansion {
    let conditions = |attributes: &[Attribute]| {
        let conditions = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"));
        quote!(#(#conditions)*)
    };
    match item {
        TraitItem::Const(item) => {
            let (attrs, name, ty) = (conditions(&item.attrs), &item.ident, &item.ty);
            Ok(quote!(#attrs const #name: #ty = #parameter::#name;))
        }
        TraitItem::Type(item) => {
            let (attrs, name) = (conditions(&item.attrs), &item.ident);
            let (params, arguments, clause) = item.generics.split_for_impl();
            Ok(quote!(#attrs type #name #params = #parameter::#name #arguments #clause;))
        }
        TraitItem::Fn(method) if keeps_default(method, proxy)? => Ok(TokenStream::new()),
        TraitItem::Fn(method) => {
            let attrs = conditions(&method.attrs);
            let (signature, body) = forward(&method.sig, proxy, parameter)?;
            Ok(quote!(#attrs #signature { #body }))
        }
        _ => Err(Refusal::new("an unknown item of the trait")),
    }
}

/// A method that calls the one of the target.
fn forward(
    signature: &Signature,
    proxy: Proxy,
    parameter: &Ident,
) -> Result<(Signature, TokenStream), Refusal> {
    let mut signature = signature.clone();
    let access = Access::of(&signature)?;
    let mut values = Vec::new();
    for input in &mut signature.inputs {
        let FnArg::Typed(input) = input else {
            continue;
        };
        let Pat::Ident(name) = &mut *input.pat else {
            return Err(Refusal::new("a parameter without a name"));
        };
        (name.by_ref, name.mutability) = (None, None);
        values.push(name.ident.clone());
    }
    let name = &signature.ident;
    let arguments: Vec<_> = signature
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let turbofish = (!arguments.is_empty()).then(|| quote!(::<#(#arguments,)*>));
    let this = match access {
        Access::None => None,
        Access::Value => Some(quote!(*self)),
        Access::Ref | Access::Mut => Some(quote!(self)),
    };
    let this = this.into_iter();
    let call = match proxy.is_closure() {
        true => quote!(({ self })(#(#values,)*)),
        false => quote!(#parameter::#name #turbofish(#(#this,)* #(#values,)*)),
    };
    let wait = signature.asyncness.map(|_| quote!(.await));
    Ok((signature, quote!(#call #wait)))
}
