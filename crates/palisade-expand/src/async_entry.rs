//! Entry points and tests of the smaller async runtimes: `actix-macros`,
//! `actix-web-codegen` and `async-attributes`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Meta, Token};

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::{Expansion, parse_literal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute("actix-macros", "main", actix_main),
    Macro::attribute("actix-macros", "test", actix_test),
    Macro::attribute("actix-web-codegen", "main", actix_web_main),
    Macro::attribute("actix-web-codegen", "test", actix_web_test),
    Macro::attribute("async-attributes", "main", async_std_main),
    Macro::attribute("async-attributes", "test", async_std_test),
];

/// `#[actix_rt::main]`
fn actix_main(invocation: &Invocation<'_>) -> Expansion {
    on_actix(invocation, &system(&invocation.args)?)
}

/// `#[actix_rt::test]`
fn actix_test(invocation: &Invocation<'_>) -> Expansion {
    test_on_actix(invocation, &system(&invocation.args)?)
}

/// `#[actix_web::main]`, which hands on to the runtime's own attribute.
fn actix_web_main(invocation: &Invocation<'_>) -> Expansion {
    on_actix(invocation, &quote!(::actix_web::rt::System))
}

/// `#[actix_web::test]`
fn actix_web_test(invocation: &Invocation<'_>) -> Expansion {
    test_on_actix(invocation, &quote!(::actix_web::rt::System))
}

fn on_actix(invocation: &Invocation<'_>, system: &TokenStream) -> Expansion {
    let (outer, body) = parts(invocation)?;
    Ok(outer.with_body(&quote!(<#system>::new().block_on(async move { #body }))))
}

fn test_on_actix(invocation: &Invocation<'_>, system: &TokenStream) -> Expansion {
    let (outer, body) = parts(invocation)?;
    let is_test = outer.attrs.iter().any(|attr| attr.path().is_ident("test"));
    let test = (!is_test).then(|| quote!(#[::core::prelude::v1::test]));
    let outer = outer.with_body(&quote!(<#system>::new().block_on(async { #body })));
    Ok(quote!(#test #outer))
}

/// `#[async_std::main]`
fn async_std_main(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    let Function {
        attrs, vis, sig, ..
    } = &function;
    let (inputs, output, body) = (&sig.inputs, &sig.output, &function.body);
    Ok(quote! {
        #vis fn main() #output {
            #(#attrs)*
            async fn main(#inputs) #output { #body }

            async_std::task::block_on(async { main().await })
        }
    })
}

/// `#[async_std::test]`
fn async_std_test(invocation: &Invocation<'_>) -> Expansion {
    let (outer, body) = parts(invocation)?;
    let outer = outer.with_body(&quote!(async_std::task::block_on(async { #body })));
    Ok(quote!(#[::core::prelude::v1::test] #outer))
}

/// The function without its `async`, and its body.
fn parts(invocation: &Invocation<'_>) -> syn::Result<(Function, TokenStream)> {
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    function.sig.asyncness = None;
    let body = function.body.to_token_stream();
    Ok((function, body))
}

/// The path in `system = "path"`.
fn system(args: &TokenStream) -> syn::Result<TokenStream> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(args.clone())?;
    for meta in metas {
        if let Meta::NameValue(pair) = meta
            && pair.path.is_ident("system")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(path),
                ..
            }) = &pair.value
        {
            return Ok(parse_literal::<syn::Path>(path)?.into_token_stream());
        }
    }
    Ok(quote!(::actix_rt::System))
}
