//! `#[tokio::main]` and `#[tokio::test]`: an async function on a runtime of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, Lit, Meta, ReturnType, Token, Type};

use crate::Invocation;
use crate::function::Function;
use crate::support::{Expansion, Refusal};

/// `#[tokio::main]` with the multi-threaded runtime compiled in.
pub(super) fn main(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    let config = Config::read(&invocation.args, Flavor::MultiThread)?;
    run(function, &config)
}

/// `#[tokio::main]` without it.
pub(super) fn main_rt(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    let config = Config::read(&invocation.args, Flavor::CurrentThread)?;
    run(function, &config)
}

/// `#[tokio::test]`
pub(super) fn test(invocation: &Invocation<'_>) -> Expansion {
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    let config = Config::read(&invocation.args, Flavor::CurrentThread)?;
    let (tokio, output, block) = (&config.tokio, function.output(), &function.body);
    let runtime = config.runtime();
    function.sig.asyncness = None;
    let function = function.with_body(&quote! {
        let body = async #block;
        #tokio::pin!(body);
        let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = #output>> = body;
        { #runtime }
    });
    Ok(quote! {
        #[::core::prelude::v1::test]
        #function
    })
}

fn run(mut function: Function, config: &Config) -> Expansion {
    let (output, block) = (function.output(), &function.body);
    let runtime = config.runtime();
    // Checks the type of the future, where it can be written down.
    let check = (!is_opaque(&function.sig.output)).then(|| {
        quote! {
            if false {
                let _: &dyn ::core::future::Future<Output = #output> = &body;
            }
        }
    });
    function.sig.asyncness = None;
    Ok(function.with_body(&quote! {
        let body = async #block;
        let body = { #check body };
        #[allow(clippy::expect_used, clippy::diverging_sub_expression, clippy::needless_return)]
        { #runtime }
    }))
}

fn is_opaque(output: &ReturnType) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => {
            let mut search = Search(matches!(**ty, Type::Never(_)));
            visit::visit_type(&mut search, ty);
            search.0
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavor {
    MultiThread,
    CurrentThread,
    Local,
}

/// The arguments of the attribute.
struct Config {
    tokio: TokenStream,
    flavor: Flavor,
    /// Further calls of the runtime's builder.
    calls: TokenStream,
}

impl Config {
    fn read(args: &TokenStream, flavor: Flavor) -> Result<Self, Refusal> {
        let mut config = Self {
            tokio: quote!(tokio),
            flavor,
            calls: TokenStream::new(),
        };
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(args.clone())?;
        // The panic handler names the crate, whichever comes first.
        let mut unhandled_panic = None;
        for meta in metas {
            let pair = meta.require_name_value()?;
            let name = pair.path.require_ident()?.to_string();
            let value = &pair.value;
            match name.as_str() {
                "flavor" => {
                    config.flavor = match text(value)?.as_str() {
                        "multi_thread" | "threaded_scheduler" => Flavor::MultiThread,
                        "current_thread" | "basic_scheduler" => Flavor::CurrentThread,
                        "local" => Flavor::Local,
                        other => return Err(Refusal::new(format!("unknown flavor `{other}`"))),
                    };
                }
                "crate" => {
                    config.tokio = match value {
                        Expr::Lit(ExprLit {
                            lit: Lit::Str(path),
                            ..
                        }) => path.parse::<syn::Path>()?.into_token_stream(),
                        path => path.to_token_stream(),
                    };
                }
                "worker_threads" | "core_threads" => {
                    config.calls.extend(quote!(.worker_threads(#value)));
                }
                "start_paused" => config.calls.extend(quote!(.start_paused(#value))),
                "name" => config.calls.extend(quote!(.name(#value))),
                "unhandled_panic" => unhandled_panic = Some(text(value)?),
                other => return Err(Refusal::new(format!("unknown argument `{other}`"))),
            }
        }
        if let Some(handler) = unhandled_panic {
            let handler = match handler.as_str() {
                "ignore" => format_ident!("Ignore"),
                _ => format_ident!("ShutdownRuntime"),
            };
            let tokio = &config.tokio;
            let call = quote!(.unhandled_panic(#tokio::runtime::UnhandledPanic::#handler));
            config.calls.extend(call);
        }
        Ok(config)
    }

    /// Builds the runtime and blocks on `body`.
    fn runtime(&self) -> TokenStream {
        let Self { tokio, calls, .. } = self;
        let (constructor, build) = match self.flavor {
            Flavor::MultiThread => (quote!(new_multi_thread), quote!(build())),
            Flavor::CurrentThread => (quote!(new_current_thread), quote!(build())),
            Flavor::Local => (
                quote!(new_current_thread),
                quote!(build_local(Default::default())),
            ),
        };
        quote! {
            use #tokio::runtime::Builder;

            return Builder::#constructor()
                #calls
                .enable_all()
                .#build
                .expect("Failed building the Runtime")
                .block_on(body);
        }
    }
}

fn text(value: &Expr) -> Result<String, Refusal> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.value()),
        _ => Err(Refusal::new("expected a string literal")),
    }
}
