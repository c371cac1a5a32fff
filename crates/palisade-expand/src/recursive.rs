//! `recursive-proc-macro-impl`: a function that grows the stack when it has to.

use quote::quote;
use syn::{ReturnType, Type};

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute(
    "recursive-proc-macro-impl",
    "recursive",
    recursive,
)];

fn recursive(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    if function.sig.asyncness.is_some() {
        return Err(Refusal::new("an async function keeps no stack"));
    }
    let output = match &function.sig.output {
        ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => None,
        output => Some(output),
    };
    let body = &function.body;
    Ok(function.with_body(&quote! {
        ::recursive::__impl::stacker::maybe_grow(
            ::recursive::get_minimum_stack_size(),
            ::recursive::get_stack_allocation_size(),
            move || #output { #body }
        )
    }))
}
