//! `select!` and `select_biased!`: handle the first future that is done.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Token};

use crate::Invocation;
use crate::support::Expansion;

pub(super) fn select(invocation: &Invocation<'_>) -> Expansion {
    let select: Select = syn::parse2(invocation.item.clone())?;
    Ok(select.expand(true))
}

pub(super) fn select_biased(invocation: &Invocation<'_>) -> Expansion {
    let select: Select = syn::parse2(invocation.item.clone())?;
    Ok(select.expand(false))
}

struct Branch {
    pattern: Pat,
    future: Expr,
    handler: Expr,
}

#[derive(Default)]
struct Select {
    branches: Vec<Branch>,
    complete: Option<Expr>,
    default: Option<Expr>,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut select = Self::default();
        while !input.is_empty() {
            // `complete` and `default` are branches without a future; with `=` they are patterns.
            let bare = input.peek2(Token![=>]);
            if bare && input.peek(Token![default]) {
                input.parse::<Token![default]>()?;
                select.default = Some(handler(input)?);
            } else if bare
                && input
                    .fork()
                    .parse::<Ident>()
                    .is_ok_and(|name| name == "complete")
            {
                input.parse::<Ident>()?;
                select.complete = Some(handler(input)?);
            } else {
                let pattern = Pat::parse_multi_with_leading_vert(input)?;
                input.parse::<Token![=]>()?;
                let future = input.parse()?;
                let handler = handler(input)?;
                select.branches.push(Branch {
                    pattern,
                    future,
                    handler,
                });
            }
        }
        Ok(select)
    }
}

fn handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=>]>()?;
    let handler = Expr::parse_with_earlier_boundary_rule(input)?;
    if matches!(handler, Expr::Block(_)) || input.is_empty() {
        input.parse::<Option<Token![,]>>()?;
    } else {
        input.parse::<Token![,]>()?;
    }
    Ok(handler)
}

impl Select {
    fn expand(&self, random: bool) -> TokenStream {
        let variants: Vec<_> = (0..self.branches.len())
            .map(|index| format_ident!("_{index}"))
            .collect();
        let mut bindings = Vec::new();
        let mut futures = Vec::new();
        for (branch, variant) in self.branches.iter().zip(&variants) {
            let future = &branch.future;
            // A future that has a name stays where it is and must not mind being moved.
            if let Expr::Path(path) = future {
                bindings.push(quote! {
                    __futures_crate::async_await::assert_fused_future(&#path);
                    __futures_crate::async_await::assert_unpin(&#path);
                });
                futures.push(quote!(#path));
            } else {
                bindings.push(quote!(let mut #variant = #future;));
                futures.push(quote!(#variant));
            }
        }
        let complete = self.complete.iter();
        let complete_variant = self.complete.as_ref().map(|_| quote!(Complete));
        let all_complete = match &self.complete {
            Some(_) => quote!(__futures_crate::task::Poll::Ready(__PrivResult::Complete)),
            None => quote!(panic!(
                "all futures in select! were completed, but no `complete =>` handler was provided"
            )),
        };
        let shuffle =
            random.then(|| quote!(__futures_crate::async_await::shuffle(&mut __select_arr);));
        let (patterns, handlers): (Vec<_>, Vec<_>) = self
            .branches
            .iter()
            .map(|branch| (&branch.pattern, &branch.handler))
            .unzip();
        let arms = quote! {
            #(__PrivResult::#variants(#patterns) => #handlers,)*
            #(__PrivResult::Complete => { #complete },)*
        };
        let (run, result) = match &self.default {
            Some(default) => (
                quote! {
                    __poll_fn(&mut __futures_crate::task::Context::from_waker(
                        __futures_crate::task::noop_waker_ref()
                    ))
                },
                quote! {
                    match __select_result {
                        __futures_crate::task::Poll::Ready(result) => match result { #arms },
                        _ => #default
                    }
                },
            ),
            None => (
                quote!(__futures_crate::future::poll_fn(__poll_fn).await),
                quote!(match __select_result { #arms }),
            ),
        };
        quote! {{
            enum __PrivResult<#(#variants,)*> {
                #(#variants(#variants),)*
                #complete_variant
            }

            let __select_result = {
                #(#bindings)*

                let mut __poll_fn = |__cx: &mut __futures_crate::task::Context<'_>| {
                    let mut __any_polled = false;

                    #(
                        let mut #variants = |__cx: &mut __futures_crate::task::Context<'_>| {
                            let mut #futures = unsafe {
                                __futures_crate::Pin::new_unchecked(&mut #futures)
                            };
                            if __futures_crate::future::FusedFuture::is_terminated(&#futures) {
                                __futures_crate::None
                            } else {
                                __futures_crate::Some(
                                    __futures_crate::future::FutureExt::poll_unpin(&mut #futures, __cx)
                                        .map(__PrivResult::#variants)
                                )
                            }
                        };
                        let #variants: &mut dyn FnMut(
                            &mut __futures_crate::task::Context<'_>
                        ) -> __futures_crate::Option<__futures_crate::task::Poll<_>> = &mut #variants;
                    )*

                    let mut __select_arr = [#(#variants),*];
                    #shuffle
                    for poller in &mut __select_arr {
                        let poller: &mut &mut dyn FnMut(
                            &mut __futures_crate::task::Context<'_>
                        ) -> __futures_crate::Option<__futures_crate::task::Poll<_>> = poller;
                        match poller(__cx) {
                            __futures_crate::Some(x @ __futures_crate::task::Poll::Ready(_)) => return x,
                            __futures_crate::Some(__futures_crate::task::Poll::Pending) => {
                                __any_polled = true;
                            }
                            __futures_crate::None => {}
                        }
                    }

                    if !__any_polled {
                        #all_complete
                    } else {
                        __futures_crate::task::Poll::Pending
                    }
                };

                #run
            };

            #result
        }}
    }
}
