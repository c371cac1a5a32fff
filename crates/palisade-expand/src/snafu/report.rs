//! `#[report]`: shows the error that a function returns.

use quote::quote;

use super::Era;
use crate::Invocation;
use crate::function::Function;
use crate::support::{Expansion, at_least};

pub(super) fn report(invocation: &Invocation<'_>) -> Expansion {
    let era = Era::of(invocation)?;
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    let output = function.output();
    let body = &function.body;
    let is_async = function.sig.asyncness.is_some();
    let error = quote!(<#output as ::snafu::__InternalExtractErrorType>::Err);
    // Before `Termination` was stable, the report had to be the error of a `Result`.
    let is_report = era >= Era::V0_9 || (invocation.env)("feature:rust_1_61").is_some();

    let (first, value) = if at_least(invocation.version, (0, 8, 2)) {
        let called = match is_async {
            true => quote!(async #body.await),
            false => quote!((|| #body)()),
        };
        (
            quote!(let __snafu_body: #output = #called;),
            quote!(__snafu_body),
        )
    } else if is_async {
        (
            quote!(let __snafu_body = async #body;),
            quote!(__snafu_body.await),
        )
    } else {
        (quote!(let __snafu_body = || #body;), quote!(__snafu_body()))
    };
    let (output, result) = if is_report {
        (
            quote!(-> ::snafu::Report<#error>),
            quote!(<::snafu::Report<_> as ::core::convert::From<_>>::from(#value)),
        )
    } else {
        (
            quote!(-> ::core::result::Result<(), ::snafu::Report<#error>>),
            quote!(::core::result::Result::map_err(#value, ::snafu::Report::from_error)),
        )
    };
    let statements = quote!(#first #result);
    function.sig.output = syn::parse2(output)?;
    Ok(function.with_body(&statements))
}
