//! The signature of an async method, with every lifetime named and outlived
//! by that of the future.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericArgument, GenericParam, Lifetime, Pat, PathArguments, Receiver, ReturnType,
    Signature, Type, TypeParamBound, TypeReference, parse_quote,
};

use super::{Context, body};

/// Rewrites `sig`; a default body makes bounds on `Self` necessary.
pub(super) fn transform(context: &Context, sig: &mut Signature, uses_self: bool, has_body: bool) {
    sig.asyncness = None;
    let mut lifetimes = Lifetimes::default();
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) => lifetimes.name_receiver(receiver),
            FnArg::Typed(argument) => lifetimes.visit_type_mut(&mut argument.ty),
        }
    }
    let mut predicates: Vec<TokenStream> = Vec::new();
    for param in &mut sig.generics.params {
        match param {
            GenericParam::Type(param) if param.attrs.is_empty() => {
                let (ident, bounds) = (&param.ident, std::mem::take(&mut param.bounds));
                param.colon_token = None;
                predicates.push(quote!(#ident: 'async_trait + #bounds));
            }
            GenericParam::Type(param) => param.bounds.push(parse_quote!('async_trait)),
            GenericParam::Lifetime(param) if param.attrs.is_empty() => {
                let (lifetime, bounds) = (&param.lifetime, std::mem::take(&mut param.bounds));
                param.colon_token = None;
                predicates.push(quote!(#lifetime: 'async_trait + #bounds));
            }
            GenericParam::Lifetime(param) => param.bounds.push(parse_quote!('async_trait)),
            GenericParam::Const(_) => {}
        }
    }
    for param in context.generics.lifetimes() {
        let lifetime = &param.lifetime;
        if lifetimes.explicit.contains(lifetime) {
            predicates.push(quote!(#lifetime: 'async_trait));
        }
    }
    for lifetime in &lifetimes.elided {
        sig.generics.params.push(parse_quote!(#lifetime));
        predicates.push(quote!(#lifetime: 'async_trait));
    }
    sig.generics.params.push(parse_quote!('async_trait));
    if uses_self {
        let bounds = self_bounds(context, sig, has_body);
        predicates.push(quote!(Self: #bounds 'async_trait));
    }
    if !predicates.is_empty() {
        let clause = sig.generics.make_where_clause();
        for predicate in predicates {
            clause.predicates.push(parse_quote!(#predicate));
        }
    }
    for (index, input) in sig.inputs.iter_mut().enumerate() {
        rebind(index, input);
    }
    let output = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let send = (!context.local).then(|| quote!(::core::marker::Send+));
    sig.output = parse_quote! {
        -> ::core::pin::Pin<Box<
            dyn ::core::future::Future<Output = #output> + #send 'async_trait
        >>
    };
}

/// The future captures `self`, so a default body must know what that means for
/// its auto traits.
fn self_bounds(context: &Context, sig: &Signature, has_body: bool) -> TokenStream {
    let Some(supertraits) = context
        .supertraits
        .as_ref()
        .filter(|_| has_body && !context.local)
    else {
        return TokenStream::new();
    };
    let needed: &[&str] = match sig.receiver() {
        Some(receiver) if is_shared(receiver) => &["Sync"],
        Some(receiver) if is_arc(&receiver.ty) => &["Sync", "Send"],
        _ => &["Send"],
    };
    needed
        .iter()
        .filter(|name| !supertraits.iter().any(|bound| is_marker(bound, name)))
        .map(|name| {
            let name = proc_macro2::Ident::new(name, Span::call_site());
            quote!(::core::marker::#name +)
        })
        .collect()
}

fn is_shared(receiver: &Receiver) -> bool {
    match (&receiver.reference, &receiver.colon_token, &*receiver.ty) {
        (Some(_), _, _) => receiver.mutability.is_none(),
        (None, Some(_), Type::Reference(ty)) => ty.mutability.is_none(),
        _ => false,
    }
}

fn is_arc(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| {
        last.ident == "Arc"
            && matches!(&last.arguments, PathArguments::AngleBracketed(list)
                if matches!(list.args.first(), Some(GenericArgument::Type(Type::Path(inner)))
                    if list.args.len() == 1 && inner.path.is_ident("Self")))
    })
}

/// `Send`, or `Send` of `std::marker` or `core::marker`.
fn is_marker(bound: &TypeParamBound, name: &str) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    let names: Vec<_> = bound
        .path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    match names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [single] => *single == name,
        ["std" | "core", "marker", last] => *last == name,
        _ => false,
    }
}

/// Arguments that the body binds itself get a plain name.
fn rebind(index: usize, input: &mut FnArg) {
    match input {
        FnArg::Receiver(receiver) => {
            if receiver.reference.is_none() {
                receiver.mutability = None;
            }
        }
        FnArg::Typed(argument) => {
            if !matches!(*argument.ty, Type::Reference(_)) {
                if let Pat::Ident(pattern) = &mut *argument.pat {
                    pattern.by_ref = None;
                    pattern.mutability = None;
                } else {
                    let name = body::positional(index);
                    let mutability = binds_mutably(&argument.pat).then(|| quote!(mut));
                    argument.pat = parse_quote!(#mutability #name);
                }
            }
            OutliveOpaque.visit_type_mut(&mut argument.ty);
        }
    }
}

fn binds_mutably(pattern: &Pat) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
            self.0 |= pattern.mutability.is_some();
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut search = Search(false);
    search.visit_pat(pattern);
    search.0
}

/// Names elided lifetimes and remembers the others.
#[derive(Default)]
struct Lifetimes {
    elided: Vec<Lifetime>,
    explicit: Vec<Lifetime>,
}

impl Lifetimes {
    fn name_receiver(&mut self, receiver: &mut Receiver) {
        match &mut receiver.reference {
            Some((ampersand, lifetime)) => self.name(ampersand.span, lifetime),
            None => self.visit_type_mut(&mut receiver.ty),
        }
    }

    fn name(&mut self, span: Span, lifetime: &mut Option<Lifetime>) {
        match lifetime {
            Some(lifetime) => self.note(lifetime),
            None => *lifetime = Some(self.next(span)),
        }
    }

    fn note(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next(lifetime.span());
        } else {
            self.explicit.push(lifetime.clone());
        }
    }

    fn next(&mut self, span: Span) -> Lifetime {
        let lifetime = Lifetime::new(&format!("'life{}", self.elided.len()), span);
        self.elided.push(lifetime.clone());
        lifetime
    }
}

impl VisitMut for Lifetimes {
    fn visit_type_reference_mut(&mut self, ty: &mut TypeReference) {
        self.name(ty.and_token.span, &mut ty.lifetime);
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_generic_argument_mut(&mut self, argument: &mut GenericArgument) {
        if let GenericArgument::Lifetime(lifetime) = argument {
            self.note(lifetime);
        }
        visit_mut::visit_generic_argument_mut(self, argument);
    }
}

/// `impl Trait` arguments live as long as the future.
struct OutliveOpaque;

impl VisitMut for OutliveOpaque {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut syn::TypeImplTrait) {
        ty.bounds.insert(0, parse_quote!('async_trait));
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        // A bound with `+` behind `&` needs parentheses.
        if let Type::Reference(reference) = ty
            && matches!(*reference.elem, Type::ImplTrait(_))
        {
            let elem = &reference.elem;
            let parenthesized = quote!((#elem));
            *reference.elem = Type::Verbatim(parenthesized);
        }
    }

    // An array length is an expression with types of its own.
    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
}
