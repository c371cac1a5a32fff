//! `futures-macro`: what `join!`, `try_join!`, `select!` and `stream_select!` ask for.
//!
//! Their front ends bring the library into scope as `__futures_crate`.

mod join;
mod select;
mod stream_select;

use quote::quote;

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::Expansion;

pub(crate) const MACROS: &[Macro] = &[
    Macro::function("futures-macro", "join_internal", join::join),
    Macro::function("futures-macro", "try_join_internal", join::try_join),
    Macro::function("futures-macro", "select_internal", select::select),
    Macro::function(
        "futures-macro",
        "select_biased_internal",
        select::select_biased,
    ),
    Macro::function(
        "futures-macro",
        "stream_select_internal",
        stream_select::stream_select,
    ),
    Macro::attribute("futures-macro", "test_internal", test),
];

/// `#[futures_test::test]`
fn test(invocation: &Invocation<'_>) -> Expansion {
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    function.sig.asyncness = None;
    let body = &function.body;
    let function = function.with_body(&quote!(::futures_test::__private::block_on(async #body)));
    Ok(quote! {
        #[::core::prelude::v1::test]
        #function
    })
}
