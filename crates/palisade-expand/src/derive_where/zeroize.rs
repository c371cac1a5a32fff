//! `Zeroize` and `ZeroizeOnDrop`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::WhereClause;

use super::attrs::Trait;
use super::{Context, Item};
use crate::support::{Expansion, Refusal};

/// Some function on a mutable reference to every field.
fn arms(
    item: &Item<'_>,
    name: &str,
    call: impl Fn(&super::Field<'_>) -> TokenStream,
) -> TokenStream {
    item.cases
        .iter()
        .map(|case| {
            let pattern = case.this();
            let calls = case.fields(name).map(&call);
            quote!(#pattern => { #(#calls)* })
        })
        .collect()
}

pub(super) fn zeroize(item: &Item<'_>, root: &TokenStream) -> TokenStream {
    if !item.is_enum && item.is_empty("Zeroize") {
        return quote!(
            fn zeroize(&mut self) {}
        );
    }
    let arms = arms(item, "Zeroize", |field| {
        let this = &field.this;
        match field.attrs.is_qualified {
            true => quote!(#root::Zeroize::zeroize(#this);),
            false => quote!(#this.zeroize();),
        }
    });
    quote! {
        fn zeroize(&mut self) {
            use #root::Zeroize;
            match self { #arms }
        }
    }
}

/// `Drop`, or with `no_drop` only a proof that all fields take care of themselves.
pub(super) fn on_drop(
    context: &Context<'_>,
    item: &Item<'_>,
    of: &Trait,
    root: &TokenStream,
    clause: Option<&WhereClause>,
) -> Expansion {
    if !context.since(5) {
        return Err(Refusal::new("`ZeroizeOnDrop` of a release before 1.5"));
    }
    let name = &context.input.ident;
    let (generics, arguments, _) = context.input.generics.split_for_impl();
    let has_feature = context.has("zeroize-on-drop");
    let marker = has_feature.then(|| {
        quote! {
            #[automatically_derived]
            impl #generics #root::ZeroizeOnDrop for #name #arguments #clause {}
        }
    });
    let is_empty = !item.is_enum && item.is_empty("ZeroizeOnDrop");
    if of.no_drop {
        let arms = arms(item, "ZeroizeOnDrop", |field| {
            let this = &field.this;
            quote!(#this.__derive_where_zeroize_on_drop();)
        });
        let items = match is_empty {
            true => return Err(Refusal::new("`no_drop` without fields")),
            false => quote! {
                fn assert(&mut self) {
                    trait AssertZeroizeOnDrop {
                        fn __derive_where_zeroize_on_drop(&mut self);
                    }
                    impl<T: #root::ZeroizeOnDrop + ?::core::marker::Sized> AssertZeroizeOnDrop
                        for T
                    {
                        fn __derive_where_zeroize_on_drop(&mut self) {}
                    }
                    match self { #arms }
                }
            },
        };
        return Ok(quote! {
            const _: () = {
                trait DeriveWhereAssertZeroizeOnDrop {
                    fn assert(&mut self);
                }
                impl #generics DeriveWhereAssertZeroizeOnDrop for #name #arguments #clause {
                    #items
                }
            };
            #marker
        });
    }
    let body = if is_empty {
        TokenStream::new()
    } else if has_feature {
        let arms = arms(item, "ZeroizeOnDrop", |field| {
            let this = &field.this;
            quote!(#this.__derive_where_zeroize_or_on_drop();)
        });
        quote! {
            trait AssertZeroizeOnDrop {
                fn __derive_where_zeroize_or_on_drop(self);
            }
            impl<T: #root::ZeroizeOnDrop + ?::core::marker::Sized> AssertZeroizeOnDrop for &&mut T {
                fn __derive_where_zeroize_or_on_drop(self) {}
            }
            trait AssertZeroize {
                fn __derive_where_zeroize_or_on_drop(&mut self);
            }
            impl<T: #root::Zeroize + ?::core::marker::Sized> AssertZeroize for T {
                fn __derive_where_zeroize_or_on_drop(&mut self) {
                    #root::Zeroize::zeroize(self);
                }
            }
            match self { #arms }
        }
    } else {
        quote!(#root::Zeroize::zeroize(self);)
    };
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::core::ops::Drop for #name #arguments #clause {
            fn drop(&mut self) { #body }
        }
        #marker
    })
}
