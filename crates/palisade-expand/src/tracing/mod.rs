//! `#[tracing::instrument]`: a function whose body runs inside a span.

mod args;
mod future;
mod params;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, ReturnType, Token, Type, parse_quote};

use self::args::{Args, Format};
use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::Expansion;

pub(crate) const MACROS: &[Macro] = &[Macro::attribute(
    "tracing-attributes",
    "instrument",
    instrument,
)];

fn instrument(invocation: &Invocation<'_>) -> Expansion {
    let args: Args = syn::parse2(invocation.args.clone())?;
    let item = &invocation.item;
    // A body that returns a future is instrumented where the future is made;
    // one that cannot be parsed is wrapped as it is.
    if let Ok(function) = syn::parse2(item.clone())
        && let Some(output) = future::instrument(function, &args)
    {
        return Ok(output);
    }
    Ok(whole(&syn::parse2(item.clone())?, &args))
}

/// A function with its whole body inside the span.
fn whole(function: &Function, args: &Args) -> TokenStream {
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => {
            let mut ty = ty.clone();
            InferOpaque.visit_type_mut(&mut ty);
            ty.into_token_stream()
        }
    };
    let body = &function.body;
    let block = quote!({
        #[allow(unreachable_code)]
        if false {
            let __tracing_attr_fake_return: #output = loop {};
            return __tracing_attr_fake_return;
        }
        #body
    });
    let sig = &function.sig;
    let name = sig.ident.to_string();
    let body = block_in_span(&block, &sig.inputs, sig.asyncness.is_some(), args, &name);
    function.with_body(&body)
}

/// The statements that run `block` in a span called `name`.
fn block_in_span(
    block: &TokenStream,
    inputs: &Punctuated<FnArg, Token![,]>,
    is_async: bool,
    args: &Args,
    name: &str,
) -> TokenStream {
    let span = span(inputs, args, name);
    let follows_from = args.follows_from.iter();
    let follows_from = quote! {
        #(for cause in #follows_from {
            __tracing_attr_span.follows_from(cause);
        })*
    };
    let target = args.target();
    let on_error = args.err.as_ref().map(|event| {
        let level = event
            .level
            .clone()
            .unwrap_or_else(|| quote!(::tracing::Level::ERROR));
        match event.format {
            Format::Debug => quote!(::tracing::event!(target: #target, #level, error = ?e)),
            _ => quote!(::tracing::event!(target: #target, #level, error = %e)),
        }
    });
    let on_return = args.ret.as_ref().map(|event| {
        let level = event.level.clone().unwrap_or_else(|| args.level());
        match event.format {
            Format::Display => quote!(::tracing::event!(target: #target, #level, return = %x)),
            _ => quote!(::tracing::event!(target: #target, #level, return = ?x)),
        }
    });
    if is_async {
        let awaited = quote!(async move #block.await);
        let future = match observed(&awaited, on_error.as_ref(), on_return.as_ref()) {
            Some(observed) => quote!(async move { #observed }),
            None => quote!(async move #block),
        };
        return quote! {
            let __tracing_attr_span = #span;
            let __tracing_instrument_future = #future;
            if !__tracing_attr_span.is_disabled() {
                #follows_from
                ::tracing::Instrument::instrument(
                    __tracing_instrument_future,
                    __tracing_attr_span
                )
                .await
            } else {
                __tracing_instrument_future.await
            }
        };
    }
    let level = args.level();
    let enter = quote! {
        let __tracing_attr_span;
        let __tracing_attr_guard;
        if ::tracing::level_enabled!(#level) || ::tracing::if_log_enabled!(#level, {true} else {false}) {
            __tracing_attr_span = #span;
            #follows_from
            __tracing_attr_guard = __tracing_attr_span.enter();
        }
    };
    match observed(
        &quote!((move || #block)()),
        on_error.as_ref(),
        on_return.as_ref(),
    ) {
        Some(observed) => quote!(#enter #observed),
        None => quote!({ #enter #block }),
    }
}

/// The value with the events on it; none if there are none.
fn observed(
    value: &TokenStream,
    on_error: Option<&TokenStream>,
    on_return: Option<&TokenStream>,
) -> Option<TokenStream> {
    Some(match (on_error, on_return) {
        (Some(on_error), on_return) => {
            let on_return = on_return.into_iter();
            quote! {
                let __match_scrutinee = #value;
                match __match_scrutinee {
                    Ok(x) => {
                        #(#on_return;)*
                        Ok(x)
                    },
                    Err(e) => {
                        #on_error;
                        Err(e)
                    }
                }
            }
        }
        (None, Some(on_return)) => quote! {
            let x = #value;
            #on_return;
            x
        },
        (None, None) => return None,
    })
}

fn span(inputs: &Punctuated<FnArg, Token![,]>, args: &Args, name: &str) -> TokenStream {
    let recorded = params::of(inputs).into_iter().filter(|param| {
        !args.skip_all
            && !args.skips.contains(&param.name)
            && !args.fields.iter().any(|field| field.is_named(&param.name))
    });
    let recorded = recorded.map(|param| {
        let name = &param.name;
        if param.is_value {
            quote!(#name = #name)
        } else {
            quote!(#name = ::tracing::field::debug(&#name))
        }
    });
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name.into_token_stream(),
    };
    let (target, level) = (args.target(), args.level());
    let parent = args.parent.iter();
    let fields = &args.fields;
    quote! {
        ::tracing::span!(
            target: #target,
            #(parent: #parent,)*
            #level,
            #name,
            #(#recorded,)*
            #(#fields),*
        )
    }
}

/// `impl Trait` cannot be the type of a variable: it becomes `_`.
struct InferOpaque;

impl VisitMut for InferOpaque {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::ImplTrait(_)) {
            *ty = parse_quote!(_);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
