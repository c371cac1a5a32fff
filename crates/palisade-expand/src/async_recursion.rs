//! `async-recursion`: an async function that returns its boxed future.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, Lifetime, parse_quote};

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute(
    "async-recursion",
    "async_recursion",
    async_recursion,
)];

fn async_recursion(invocation: &Invocation<'_>) -> Expansion {
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    if function.sig.asyncness.take().is_none() {
        return Err(Refusal::new("expected an async function"));
    }
    let has = |wanted: &str| {
        let mut tokens = invocation.args.clone().into_iter();
        tokens.any(|token| token.to_string() == wanted)
    };
    let send = (!has("?")).then(|| quote!(+ ::core::marker::Send));
    let sync = has("Sync").then(|| quote!(+ ::core::marker::Sync));
    let output = function.output();

    let mut references = References::default();
    for input in &mut function.sig.inputs {
        references.visit_fn_arg_mut(input);
    }
    let generics = &mut function.sig.generics;
    let mut bounded: Vec<TokenStream> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .map(|ident: Ident| quote!(#ident))
        .collect();
    bounded.extend(references.all.iter().map(|lifetime| quote!(#lifetime)));
    // Lifetimes stand before all other parameters.
    for lifetime in references.new.iter().rev() {
        generics.params.insert(0, parse_quote!(#lifetime));
    }
    let outlives = (!bounded.is_empty()).then(|| {
        let own: GenericParam = parse_quote!('async_recursion);
        generics.params.insert(0, own);
        quote!(+ 'async_recursion)
    });
    let clause = generics.make_where_clause();
    for bounded in bounded {
        clause
            .predicates
            .push(parse_quote!(#bounded: 'async_recursion));
    }
    function.sig.output = parse_quote! {
        -> ::core::pin::Pin<Box<
            dyn ::core::future::Future<Output = #output> #outlives #send #sync
        >>
    };
    let body = &function.body;
    Ok(function.with_body(&quote!(Box::pin(async move #body))))
}

/// Gives every reference among the parameters a lifetime with a name.
#[derive(Default)]
struct References {
    new: Vec<Lifetime>,
    all: Vec<Lifetime>,
}

impl References {
    fn name(&mut self, lifetime: &mut Option<Lifetime>, new: &str) {
        if let Some(lifetime) = lifetime {
            if !self.all.contains(lifetime) {
                self.all.push(lifetime.clone());
            }
            return;
        }
        let new = Lifetime::new(new, Span::call_site());
        self.new.push(new.clone());
        self.all.push(new.clone());
        *lifetime = Some(new);
    }
}

impl VisitMut for References {
    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        if let Some((_, lifetime)) = &mut receiver.reference {
            self.name(lifetime, "'life_self");
            // What the short form stands for is spelled with the same lifetime.
            if let syn::Type::Reference(ty) = &mut *receiver.ty {
                ty.lifetime.clone_from(lifetime);
            }
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        let new = format!("'life{}", self.new.len());
        self.name(&mut reference.lifetime, &new);
        visit_mut::visit_type_mut(self, &mut reference.elem);
    }
}
