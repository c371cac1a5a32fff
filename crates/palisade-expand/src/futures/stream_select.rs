//! `stream_select!`: the items of several streams as one stream.

use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Index, Token};

use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn stream_select(invocation: &Invocation<'_>) -> Expansion {
    let streams =
        Punctuated::<Expr, Token![,]>::parse_terminated.parse2(invocation.item.clone())?;
    let count = streams.len();
    if count < 2 {
        return Err(Refusal::new("fewer than two streams"));
    }
    let named = |prefix: &str| -> Vec<_> {
        (0..count)
            .map(|index| format_ident!("{prefix}{index}"))
            .collect()
    };
    let (types, fields, finished) = (named("_"), named("__"), named("___"));
    let indices = (0..count).map(Index::from);
    let streams = streams.iter();
    let stream = quote!(__futures_crate::stream::Stream);
    let poll = quote!(__futures_crate::task::Poll);
    let bounds = quote!(#(#types: #stream<Item = ITEM> + ::std::marker::Unpin,)*);
    Ok(quote! {{
        #[derive(Debug)]
        struct StreamSelect<#(#types),*>(#(Option<#types>),*);

        enum StreamEnum<#(#types),*> {
            #(#types(#types),)*
            None,
        }

        impl<ITEM, #(#types),*> #stream for StreamEnum<#(#types),*> where #bounds {
            type Item = ITEM;

            fn poll_next(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut __futures_crate::task::Context<'_>,
            ) -> #poll<Option<Self::Item>> {
                match self.get_mut() {
                    #(Self::#types(#types) => ::std::pin::Pin::new(#types).poll_next(cx),)*
                    Self::None => panic!("StreamEnum::None should never be polled!"),
                }
            }
        }

        impl<ITEM, #(#types),*> #stream for StreamSelect<#(#types),*> where #bounds {
            type Item = ITEM;

            fn poll_next(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut __futures_crate::task::Context<'_>,
            ) -> #poll<Option<Self::Item>> {
                let Self(#(#fields),*) = self.get_mut();
                #(let mut #finished = false;)*
                let mut any_pending = false;
                {
                    let mut stream_array = [
                        #(#fields.as_mut().map(|f| StreamEnum::#types(f)).unwrap_or(StreamEnum::None)),*
                    ];
                    __futures_crate::async_await::shuffle(&mut stream_array);

                    for mut s in stream_array {
                        if let StreamEnum::None = s {
                            continue;
                        } else {
                            match #stream::poll_next(::std::pin::Pin::new(&mut s), cx) {
                                r @ #poll::Ready(Some(_)) => {
                                    return r;
                                },
                                #poll::Pending => {
                                    any_pending = true;
                                },
                                #poll::Ready(None) => match s {
                                    #(StreamEnum::#types(_) => { #finished = true; })*
                                    StreamEnum::None => panic!("StreamEnum::None should never be polled!"),
                                },
                            }
                        }
                    }
                }
                #(
                    if #finished {
                        *#fields = None;
                    }
                )*
                if any_pending {
                    #poll::Pending
                } else {
                    #poll::Ready(None)
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                let mut s = (0, Some(0));
                #(
                    if let Some(new_hint) = self.#indices.as_ref().map(|s| s.size_hint()) {
                        s.0 += new_hint.0;
                        s.1 = s.1.and_then(|a| new_hint.1.map(|b| a + b));
                    }
                )*
                s
            }
        }

        StreamSelect(#(Some(#streams)),*)
    }})
}
