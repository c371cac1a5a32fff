//! `join!` and `try_join!`: poll every future until all are done.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use crate::Invocation;
use crate::support::Expansion;

pub(super) fn join(invocation: &Invocation<'_>) -> Expansion {
    let (bindings, futures) = bind(&invocation.item)?;
    Ok(quote! {{
        #bindings
        __futures_crate::future::poll_fn(move |__cx: &mut __futures_crate::task::Context<'_>| {
            let mut __all_done = true;
            #(
                __all_done &= __futures_crate::future::Future::poll(#futures.as_mut(), __cx).is_ready();
            )*
            if __all_done {
                __futures_crate::task::Poll::Ready((
                    #(#futures.as_mut().take_output().unwrap(),)*
                ))
            } else {
                __futures_crate::task::Poll::Pending
            }
        }).await
    }})
}

pub(super) fn try_join(invocation: &Invocation<'_>) -> Expansion {
    let (bindings, futures) = bind(&invocation.item)?;
    Ok(quote! {{
        #bindings
        __futures_crate::future::poll_fn(move |__cx: &mut __futures_crate::task::Context<'_>| {
            let mut __all_done = true;
            #(
                if __futures_crate::future::Future::poll(#futures.as_mut(), __cx).is_pending() {
                    __all_done = false;
                } else if #futures.as_mut().output_mut().unwrap().is_err() {
                    #[allow(unreachable_code)]
                    return __futures_crate::task::Poll::Ready(__futures_crate::Err(
                        #futures.as_mut().take_output().unwrap().err().unwrap()
                    ));
                }
            )*
            if __all_done {
                __futures_crate::task::Poll::Ready(__futures_crate::Ok((
                    #(#futures.as_mut().take_output().unwrap().ok().unwrap(),)*
                )))
            } else {
                __futures_crate::task::Poll::Pending
            }
        }).await
    }})
}

/// Statements that pin each future in a local, and the locals' names.
fn bind(input: &TokenStream) -> syn::Result<(TokenStream, Vec<Ident>)> {
    let exprs = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(input.clone())?;
    let names: Vec<_> = (0..exprs.len())
        .map(|index| format_ident!("_fut{index}"))
        .collect();
    let exprs = exprs.iter();
    let bindings = quote! {
        #(
            let mut #names = __futures_crate::future::maybe_done(#exprs);
            let mut #names = unsafe { __futures_crate::Pin::new_unchecked(&mut #names) };
        )*
    };
    Ok((bindings, names))
}
