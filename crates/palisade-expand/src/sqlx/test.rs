//! `#[sqlx::test]` and `migrate!`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Meta, Token};

use crate::Invocation;
use crate::function::Function;
use crate::support::Expansion;

/// `migrate!("path")`: the migrations themselves are only text.
pub(super) fn migrate(invocation: &Invocation<'_>) -> Expansion {
    Ok(migrator(invocation.version))
}

fn migrator(version: Option<&str>) -> TokenStream {
    let old =
        version.is_some_and(|version| version.starts_with("0.7.") || version.starts_with("0.6."));
    let rest = if old {
        quote!(ignore_missing: false, locking: true)
    } else {
        quote!(..::sqlx::migrate::Migrator::DEFAULT)
    };
    quote! {
        ::sqlx::migrate::Migrator {
            migrations: ::std::borrow::Cow::Borrowed(&[]),
            #rest
        }
    }
}

/// `#[sqlx::test]`, with a database for each test if it takes arguments.
pub(super) fn test(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    let body = &function.body;
    let mut outer = function.clone();
    outer.sig.asyncness = None;
    outer.sig.inputs.clear();
    if function.sig.inputs.is_empty() {
        let outer = outer.with_body(&quote!(::sqlx::test_block_on(async { #body })));
        return Ok(quote!(#[::core::prelude::v1::test] #outer));
    }
    let name = &function.sig.ident;
    let (inputs, output) = (&function.sig.inputs, &function.sig.output);
    let types = inputs.iter().map(|_| quote!(_));
    let migrations = migrations(invocation)?;
    let outer = outer.with_body(&quote! {
        async fn #name(#inputs) #output #body

        let mut args = ::sqlx::testing::TestArgs::new(concat!(module_path!(), "::", stringify!(#name)));
        #migrations
        args.fixtures(&[]);
        let f: fn(#(#types),*) -> _ = #name;
        ::sqlx::testing::TestFn::run_test(f, args)
    });
    Ok(quote!(#[::core::prelude::v1::test] #outer))
}

fn migrations(invocation: &Invocation<'_>) -> Expansion {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(invocation.args.clone())?;
    for meta in metas {
        let Meta::NameValue(pair) = meta else {
            continue;
        };
        let Expr::Lit(ExprLit { lit, .. }) = &pair.value else {
            continue;
        };
        match lit {
            Lit::Bool(flag) if !flag.value => return Ok(TokenStream::new()),
            Lit::Str(path) if pair.path.is_ident("migrator") => {
                let path: syn::Path = crate::support::parse_literal(path)?;
                return Ok(quote!(args.migrator(&#path);));
            }
            _ => {}
        }
    }
    let migrator = migrator(invocation.version);
    Ok(quote!(args.migrator(&#migrator);))
}
