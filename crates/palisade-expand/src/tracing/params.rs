//! The parameters that a span records.

use proc_macro2::Ident;
use quote::format_ident;
use syn::punctuated::Punctuated;
use syn::{FnArg, Pat, Token, Type};

/// One variable that a parameter binds.
pub(super) struct Param {
    pub(super) name: Ident,
    /// Recorded as a value of its own, not through `Debug`.
    pub(super) is_value: bool,
}

/// Every variable that the parameters bind.
pub(super) fn of(inputs: &Punctuated<FnArg, Token![,]>) -> Vec<Param> {
    let mut params = Vec::new();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) => params.push(Param {
                name: format_ident!("self", span = receiver.self_token.span),
                is_value: false,
            }),
            FnArg::Typed(argument) => collect(&argument.pat, is_value(&argument.ty), &mut params),
        }
    }
    params
}

fn collect(pattern: &Pat, is_value: bool, params: &mut Vec<Param>) {
    match pattern {
        Pat::Ident(pattern) => params.push(Param {
            name: pattern.ident.clone(),
            is_value,
        }),
        Pat::Reference(pattern) => collect(&pattern.pat, is_value, params),
        // The type of a part is not known here.
        Pat::Struct(pattern) => {
            pattern
                .fields
                .iter()
                .for_each(|field| collect(&field.pat, false, params));
        }
        Pat::Tuple(pattern) => {
            pattern
                .elems
                .iter()
                .for_each(|part| collect(part, false, params));
        }
        Pat::TupleStruct(pattern) => {
            pattern
                .elems
                .iter()
                .for_each(|part| collect(part, false, params));
        }
        _ => {}
    }
}

/// Types that are recorded as values.
const VALUES: &[&str] = &[
    "bool",
    "str",
    "u8",
    "i8",
    "u16",
    "i16",
    "u32",
    "i32",
    "u64",
    "i64",
    "u128",
    "i128",
    "f32",
    "f64",
    "usize",
    "isize",
    "String",
    "NonZeroU8",
    "NonZeroI8",
    "NonZeroU16",
    "NonZeroI16",
    "NonZeroU32",
    "NonZeroI32",
    "NonZeroU64",
    "NonZeroI64",
    "NonZeroU128",
    "NonZeroI128",
    "NonZeroUsize",
    "NonZeroIsize",
    "Wrapping",
];

fn is_value(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| VALUES.iter().any(|name| last.ident == name)),
        Type::Reference(reference) => is_value(&reference.elem),
        _ => false,
    }
}
