//! Functions that are not async but return a future, such as those that
//! `#[async_trait]` writes: the future is what runs in the span.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprAsync, Item, ItemFn, Stmt};

use super::args::Args;
use super::{block_in_span, whole};

/// The function with its future in a span, if it is of that kind.
pub(super) fn instrument(function: ItemFn, args: &Args) -> Option<TokenStream> {
    if function.sig.asyncness.is_some() {
        return None;
    }
    let statements = &function.block.stmts;
    let last = statements
        .iter()
        .rposition(|statement| matches!(statement, Stmt::Expr(..)))?;
    let Stmt::Expr(expression, _) = &statements[last] else {
        return None;
    };
    let (index, replaced) = match expression {
        Expr::Async(future) => (last, in_span(future, &function, args)),
        Expr::Call(call) => {
            let Expr::Path(path) = &*call.func else {
                return None;
            };
            let mut names = path
                .path
                .segments
                .iter()
                .rev()
                .map(|segment| &segment.ident);
            if !(names.next()? == "pin" && names.next()? == "Box") {
                return None;
            }
            match call.args.first()? {
                Expr::Async(future) => {
                    let future = in_span(future, &function, args);
                    (last, quote!(::std::boxed::Box::pin(#future)))
                }
                Expr::Call(inner) => inner_function(statements, &inner.func, args)?,
                _ => return None,
            }
        }
        _ => return None,
    };
    let mut written: Vec<TokenStream> = statements.iter().map(Stmt::to_token_stream).collect();
    written[index] = replaced;
    let ItemFn {
        attrs, vis, sig, ..
    } = &function;
    let (outer, inner): (Vec<_>, Vec<_>) = attrs
        .iter()
        .partition(|attr| matches!(attr.style, syn::AttrStyle::Outer));
    Some(quote!(#(#outer)* #vis #sig { #(#inner)* #(#written)* }))
}

fn in_span(future: &ExprAsync, function: &ItemFn, args: &Args) -> TokenStream {
    let name = function.sig.ident.to_string();
    let block = future.block.to_token_stream();
    let body = block_in_span(&block, &function.sig.inputs, true, args, &name);
    let attrs = &future.attrs;
    quote!(#(#attrs)* async move { #body })
}

/// An async function that the body defines and calls at once.
fn inner_function(statements: &[Stmt], called: &Expr, args: &Args) -> Option<(usize, TokenStream)> {
    let Expr::Path(path) = called else {
        return None;
    };
    let name = path.path.get_ident()?;
    let index = statements.iter().position(|statement| {
        matches!(statement, Stmt::Item(Item::Fn(inner))
            if inner.sig.asyncness.is_some() && inner.sig.ident == *name)
    })?;
    let inner = syn::parse2(statements[index].to_token_stream()).ok()?;
    Some((index, whole(&inner, args)))
}
