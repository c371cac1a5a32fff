//! `async-stream-impl`: `stream!` and `try_stream!`, once `async-stream` has
//! handed them on with its own path in front.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Macro as MacroCall, parse_quote};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

const PACKAGE: &str = "async-stream-impl";

pub(crate) const MACROS: &[Macro] = &[
    Macro::function(PACKAGE, "stream_inner", |it| stream(it, false)),
    Macro::function(PACKAGE, "try_stream_inner", |it| stream(it, true)),
];

fn stream(invocation: &Invocation<'_>, fallible: bool) -> Expansion {
    let mut tokens = invocation.item.clone().into_iter();
    let Some(TokenTree::Group(path)) = tokens.next() else {
        return Err(Refusal::new("expected the path of the crate in front"));
    };
    // `$crate` is more than one token, and means nothing outside of its macro.
    let path = path.stream();
    let is_foreign = path.to_string().starts_with('$');
    let path = if is_foreign {
        quote!(::async_stream)
    } else {
        path
    };
    let mut statements = Block::parse_within.parse2(mark_for_await(tokens.collect()))?;
    let mut rewrite = Rewrite {
        fallible,
        has_yielded: false,
        path: path.clone(),
    };
    for statement in &mut statements {
        rewrite.visit_stmt_mut(statement);
    }
    let item_type = (!rewrite.has_yielded).then(|| {
        quote! {
            if false {
                __yield_tx.send(()).await;
            }
        }
    });
    Ok(quote!({
        let (mut __yield_tx, __yield_rx) = unsafe { #path::__private::yielder::pair() };
        #path::__private::AsyncStream::new(__yield_rx, async move {
            '__async_stream_private_check_scope: {
                #item_type
                #(#statements)*
            }
        })
    }))
}

/// Rewrites `yield`, `?` and `for await` of the stream itself, not of closures
/// and async blocks inside of it.
struct Rewrite {
    fallible: bool,
    has_yielded: bool,
    path: TokenStream,
}

impl VisitMut for Rewrite {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Yield(yielded) => {
                self.has_yielded = true;
                visit_mut::visit_expr_yield_mut(self, yielded);
                let mut value = match &yielded.expr {
                    Some(value) => value.to_token_stream(),
                    None => quote!(()),
                };
                if self.fallible {
                    value = quote!(::core::result::Result::Ok(#value));
                }
                *expression = parse_quote!({
                    #[allow(unreachable_code)]
                    if false {
                        break '__async_stream_private_check_scope (loop {});
                    }
                    __yield_tx.send(#value).await
                });
            }
            Expr::Try(tried) => {
                visit_mut::visit_expr_try_mut(self, tried);
                let value = &tried.expr;
                *expression = parse_quote! {
                    match #value {
                        ::core::result::Result::Ok(v) => v,
                        ::core::result::Result::Err(e) => {
                            __yield_tx.send(::core::result::Result::Err(e.into())).await;
                            return;
                        }
                    }
                };
            }
            Expr::Closure(_) | Expr::Async(_) => {}
            Expr::ForLoop(looped) => {
                visit_mut::visit_expr_for_loop_mut(self, looped);
                if !looped.attrs.iter().any(|it| it.path().is_ident(AWAITS)) {
                    return;
                }
                let syn::ExprForLoop {
                    label,
                    pat,
                    expr,
                    body,
                    ..
                } = looped;
                let path = &self.path;
                *expression = parse_quote! {{
                    let mut __pinned = #expr;
                    let mut __pinned = unsafe {
                        ::core::pin::Pin::new_unchecked(&mut __pinned)
                    };
                    #label loop {
                        let #pat = match #path::__private::next(&mut __pinned).await {
                            ::core::option::Option::Some(e) => e,
                            ::core::option::Option::None => break,
                        };
                        #body
                    }
                }};
            }
            _ => visit_mut::visit_expr_mut(self, expression),
        }
    }

    fn visit_macro_mut(&mut self, call: &mut MacroCall) {
        // A stream inside of a stream yields for itself.
        if let Some(last) = call.path.segments.last()
            && (last.ident == "stream" || last.ident == "try_stream")
        {
            return;
        }
        if let Ok(tokens) = self.in_macro(call.tokens.clone()) {
            call.tokens = tokens;
        }
    }

    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        if let syn::Item::Macro(item) = item {
            self.visit_macro_mut(&mut item.mac);
        }
    }
}

/// An expression and whatever follows it.
struct First(Expr, TokenStream);

impl Parse for First {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self(
            Expr::Yield(input.parse::<syn::ExprYield>()?),
            input.parse()?,
        ))
    }
}

impl Rewrite {
    /// The arguments of a macro: any tokens, of which only `yield` is known.
    fn in_macro(&mut self, tokens: TokenStream) -> syn::Result<TokenStream> {
        let mut output = TokenStream::new();
        let mut rest = tokens.into_iter().peekable();
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Ident(ident) if ident == "yield" => {
                    let tail = std::iter::once(ident.into()).chain(rest).collect();
                    let First(mut expression, tail) = syn::parse2(tail)?;
                    self.visit_expr_mut(&mut expression);
                    expression.to_tokens(&mut output);
                    rest = tail.into_iter().peekable();
                }
                TokenTree::Ident(ident) if ident == "stream" || ident == "try_stream" => {
                    output.extend([TokenTree::Ident(ident)]);
                    if matches!(rest.peek(), Some(TokenTree::Punct(it)) if it.as_char() == '!') {
                        output.extend(rest.next());
                        output.extend(rest.next_if(|it| matches!(it, TokenTree::Group(_))));
                    }
                }
                TokenTree::Group(group) => {
                    let inner = self.in_macro(group.stream())?;
                    let mut new = Group::new(group.delimiter(), inner);
                    new.set_span(group.span());
                    output.extend([TokenTree::Group(new)]);
                }
                other => output.extend([other]),
            }
        }
        Ok(output)
    }
}

/// The attribute that marks a loop as one over a stream.
const AWAITS: &str = "await_";

/// `for await` is no syntax of the language: it becomes an attribute.
fn mark_for_await(tokens: TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(ident) => {
                let awaits =
                    |token: &TokenTree| matches!(token, TokenTree::Ident(it) if it == "await");
                if ident == "for" && rest.next_if(awaits).is_some() {
                    output.extend(quote!(#[await_]));
                }
                output.extend([TokenTree::Ident(ident)]);
            }
            TokenTree::Group(group) => {
                let mut new = Group::new(group.delimiter(), mark_for_await(group.stream()));
                new.set_span(group.span());
                output.extend([TokenTree::Group(new)]);
            }
            other => output.extend([other]),
        }
    }
    output
}
