//! The body of an async method, moved into a boxed future.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, FnArg, Pat, ReturnType, Signature, Type, TypePath, parse_quote};

use super::{Context, receiver};

/// Wraps `block`; `sig` is still the async one.
pub(super) fn transform(context: &Context, sig: &Signature, block: &mut Block) {
    let moves: Vec<TokenStream> = sig
        .inputs
        .iter()
        .enumerate()
        .map(|(index, input)| moved(index, input))
        .collect();
    if sig.receiver().is_some() {
        receiver::rename(block);
    }
    let statements = match &sig.output {
        ReturnType::Default => quote! {
            #(#moves)*
            let _: () = #block;
        },
        ReturnType::Type(_, ty) if is_opaque(context, ty) => quote! {
            #(#moves)*
            #block
        },
        ReturnType::Type(_, ty) => {
            let mut ty = ty.clone();
            InferOpaque.visit_type_mut(&mut ty);
            quote! {
                if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<#ty> {
                    #[allow(unreachable_code)]
                    return __ret;
                }
                #(#moves)*
                let __ret: #ty = #block;
                #[allow(unreachable_code)]
                __ret
            }
        }
    };
    *block = parse_quote!({ Box::pin(async move { #statements }) });
}

/// The name of an argument whose pattern is no identifier.
pub(super) fn positional(index: usize) -> Ident {
    format_ident!("__arg{index}")
}

/// The statement that moves an argument into the future.
fn moved(index: usize, input: &FnArg) -> TokenStream {
    match input {
        FnArg::Receiver(receiver) => {
            let token = &receiver.self_token;
            // The `mut` of `mut self` belongs to the binding, that of `&mut self` does not;
            // the macro writes both.
            let mutability = &receiver.mutability;
            quote!(let #mutability __self = #token;)
        }
        FnArg::Typed(argument) => {
            // References are captured as they are.
            if matches!(*argument.ty, Type::Reference(_)) {
                return TokenStream::new();
            }
            let conditions = argument
                .attrs
                .iter()
                .filter(|attr| attr.path().is_ident("cfg"));
            match &*argument.pat {
                Pat::Ident(pattern) => {
                    let (ident, mutability) = (&pattern.ident, &pattern.mutability);
                    quote!(#(#conditions)* let #mutability #ident = #ident;)
                }
                Pat::Wild(_) => {
                    let ident = positional(index);
                    quote!(#(#conditions)* let #ident = #ident;)
                }
                pattern => {
                    let ident = positional(index);
                    quote! {
                        #(#conditions)*
                        let #pattern = {
                            let #ident = #ident;
                            #ident
                        };
                    }
                }
            }
        }
    }
}

/// Whether the type names an associated type of the impl that is `impl Trait`.
fn is_opaque(context: &Context, ty: &Type) -> bool {
    struct Search<'a>(&'a Context, bool);
    impl Visit<'_> for Search<'_> {
        fn visit_type_path(&mut self, ty: &TypePath) {
            let segments = &ty.path.segments;
            self.1 |= ty.qself.is_none()
                && segments.len() == 2
                && segments[0].ident == "Self"
                && self.0.opaque_types.contains(&segments[1].ident);
            visit::visit_type_path(self, ty);
        }
    }
    let mut search = Search(context, false);
    search.visit_type(ty);
    search.1
}

/// `impl Trait` cannot be written in a body: it becomes `_`.
struct InferOpaque;

impl VisitMut for InferOpaque {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::ImplTrait(_)) {
            *ty = parse_quote!(_);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
