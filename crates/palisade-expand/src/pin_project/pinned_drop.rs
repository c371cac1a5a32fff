//! `#[pinned_drop]`: the destructor, kept out of the way of everyone else.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::{ItemImpl, Type};

use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn pinned_drop(invocation: &Invocation<'_>) -> Expansion {
    let mut item: ItemImpl = syn::parse2(invocation.item.clone())?;
    let [syn::ImplItem::Fn(method)] = &item.items[..] else {
        return Err(Refusal::new("expected one method"));
    };
    let method = method.clone();
    let Some(syn::FnArg::Receiver(receiver)) = method.sig.inputs.first() else {
        return Err(Refusal::new("expected `self: Pin<&mut Self>`"));
    };
    let Some((_, trait_path, _)) = &mut item.trait_ else {
        return Err(Refusal::new("expected an impl of `PinnedDrop`"));
    };
    *trait_path = syn::parse2(quote!(::pin_project::__private::PinnedDrop))?;
    let this = &item.self_ty;
    let (receiver_ty, mutability) = (&receiver.ty, &receiver.mutability);
    let inner_ty = rename_receiver(quote!(#receiver_ty), this);
    let block = &method.block;
    let statements = block
        .stmts
        .iter()
        .map(|statement| rename_receiver(quote!(#statement), this));
    let (impl_generics, _, where_clause) = item.generics.split_for_impl();
    let attributes = &method.attrs;
    item.items = vec![syn::parse2(quote! {
        #(#attributes)*
        unsafe fn drop(self: #receiver_ty) {
            fn __drop_inner #impl_generics (#mutability __self: #inner_ty) #where_clause {
                fn __drop_inner() {}
                #(#statements)*
            }
            __drop_inner(self);
        }
    })?];
    Ok(quote!(#[doc(hidden)] #item))
}

/// `self` as `__self`, and `Self` as the type, for a body that moves into a
/// function outside of the impl.
fn rename_receiver(tokens: TokenStream, this: &Type) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "self" => {
                output.extend([TokenTree::from(Ident::new("__self", ident.span()))]);
            }
            TokenTree::Ident(ident) if ident == "Self" => match tokens.peek() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => {
                    output.extend(quote!(<#this>));
                }
                Some(TokenTree::Group(_)) => output.extend(without_arguments(this)),
                _ => output.extend(quote!(#this)),
            },
            TokenTree::Group(group) => {
                let inner = rename_receiver(group.stream(), this);
                let mut renamed = proc_macro2::Group::new(group.delimiter(), inner);
                renamed.set_span(group.span());
                output.extend([TokenTree::from(renamed)]);
            }
            token => output.extend([token]),
        }
    }
    output
}

/// The path of a type as it stands in a constructor or pattern.
fn without_arguments(ty: &Type) -> TokenStream {
    let Type::Path(path) = ty else {
        return quote!(#ty);
    };
    let mut path = path.path.clone();
    for segment in &mut path.segments {
        segment.arguments = syn::PathArguments::None;
    }
    quote!(#path)
}
