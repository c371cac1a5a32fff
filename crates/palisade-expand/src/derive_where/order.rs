//! `Eq`, `Ord`, `PartialEq` and `PartialOrd`.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Ident, Meta, Token, WhereClause};

use super::attrs::Request;
use super::plain::{self, is_shared};
use super::{Case, Context, Item};
use crate::support::{Expansion, Refusal};

/// The items of `Eq`, and what stands beside the impl: the fields' types must
/// be `Eq` too.
pub(super) fn eq(
    context: &Context<'_>,
    item: &Item<'_>,
    clause: Option<&WhereClause>,
) -> (TokenStream, TokenStream) {
    let types = item
        .cases
        .iter()
        .flat_map(|case| case.fields("Eq"))
        .map(|field| field.ty);
    let body = quote! {
        struct __AssertEq<__T: ::core::cmp::Eq + ?::core::marker::Sized>(
            ::core::marker::PhantomData<__T>,
        );
        #(let _: __AssertEq<#types>;)*
    };
    if !context.since(5) {
        let method = quote!(#[inline] fn assert_receiver_is_total_eq(&self) { #body });
        return (method, TokenStream::new());
    }
    let name = &context.input.ident;
    let (generics, arguments, _) = context.input.generics.split_for_impl();
    let beside = quote! {
        const _: () = {
            trait DeriveWhereAssertEq {
                fn assert(&self);
            }
            impl #generics DeriveWhereAssertEq for #name #arguments #clause {
                fn assert(&self) { #body }
            }
        };
    };
    (TokenStream::new(), beside)
}

/// What comparing must never come to.
fn unreachable(context: &Context<'_>) -> TokenStream {
    match context.has("safe") {
        true => quote!(::core::unreachable!(
            "comparing variants yielded unexpected results"
        )),
        false => quote!(unsafe { ::core::hint::unreachable_unchecked() }),
    }
}

/// Matches the variants that compare with nothing.
fn incomparable(item: &Item<'_>) -> Option<TokenStream> {
    let paths: Vec<_> = item
        .cases
        .iter()
        .filter(|case| case.is_incomparable)
        .map(|case| {
            let path = &case.path;
            quote!(#path { .. })
        })
        .collect();
    (!paths.is_empty()).then(|| quote!(#(#paths)|*))
}

/// Some variant has nothing to compare, and still is equal to itself.
fn some_is_plain(item: &Item<'_>, name: &str) -> bool {
    let mut cases = item.cases.iter();
    cases.any(|case| case.is_empty(name) && !case.is_incomparable)
}

pub(super) fn partial_eq(context: &Context<'_>, item: &Item<'_>) -> TokenStream {
    let name = "PartialEq";
    let is_plural = item.is_enum && item.cases.len() > 1;
    let pattern = incomparable(item).into_iter();
    let same = quote!(::core::mem::discriminant(self) == ::core::mem::discriminant(__other));
    let arms = item
        .cases
        .iter()
        .filter(|case| !case.is_empty(name) && !case.is_incomparable)
        .map(|case| {
            let (this, other) = (case.this(), case.other());
            let these = case.fields(name).map(|field| &field.this);
            let others = case.fields(name).map(|field| &field.other);
            quote! {
                (#this, #other) => true #(&& ::core::cmp::PartialEq::eq(#these, #others))*,
            }
        });
    let body = if item.is_incomparable() {
        quote!(false)
    } else if is_plural && item.is_empty(name) {
        quote! {
            if #same {
                #(if ::core::matches!(self, #pattern) {
                    return false;
                })*
                true
            } else {
                false
            }
        }
    } else if is_plural {
        let rest = match some_is_plain(item, name) {
            true => quote!(true),
            false => unreachable(context),
        };
        quote! {
            if #same {
                match (self, __other) {
                    #(#arms)*
                    #((#pattern, ..) => false,)*
                    _ => #rest,
                }
            } else {
                false
            }
        }
    } else if item.is_empty(name) {
        quote!(true)
    } else {
        quote!(match (self, __other) { #(#arms)* })
    };
    quote! {
        #[inline]
        fn eq(&self, __other: &Self) -> ::core::primitive::bool { #body }
    }
}

pub(super) fn ord(context: &Context<'_>, item: &Item<'_>, request: &Request) -> Expansion {
    let body = compare(context, item, request, "Ord")?;
    Ok(quote! {
        #[inline]
        fn cmp(&self, __other: &Self) -> ::core::cmp::Ordering { #body }
    })
}

pub(super) fn partial_ord(context: &Context<'_>, item: &Item<'_>, request: &Request) -> Expansion {
    let body = match is_shared(context, request, "Ord") {
        true => quote!(::core::option::Option::Some(::core::cmp::Ord::cmp(
            self, __other
        ))),
        false => compare(context, item, request, "PartialOrd")?,
    };
    Ok(quote! {
        #[inline]
        fn partial_cmp(&self, __other: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
            #body
        }
    })
}

/// The body of `cmp` or `partial_cmp`.
fn compare(context: &Context<'_>, item: &Item<'_>, request: &Request, name: &str) -> Expansion {
    let is_partial = name == "PartialOrd";
    let (equal, method) = match is_partial {
        true => (
            quote!(::core::option::Option::Some(::core::cmp::Ordering::Equal)),
            quote!(::core::cmp::PartialOrd::partial_cmp),
        ),
        false => (
            quote!(::core::cmp::Ordering::Equal),
            quote!(::core::cmp::Ord::cmp),
        ),
    };
    if item.is_incomparable() {
        return Ok(quote!(::core::option::Option::None));
    }
    let arms: Vec<_> = item
        .cases
        .iter()
        .filter(|case| !(case.is_empty(name) || is_partial && case.is_incomparable))
        .map(|case| arm(case, name, &method, &equal))
        .collect();
    if !item.is_enum || item.cases.len() < 2 {
        return Ok(match item.is_empty(name) {
            true => equal,
            false => quote!(match (self, __other) { #(#arms)* }),
        });
    }

    let fields = (!item.is_empty(name)).then(|| {
        let rest = match some_is_plain(item, name) {
            true => equal.clone(),
            false => unreachable(context),
        };
        quote!(match (self, __other) { #(#arms)* _ => #rest, })
    });
    let pattern = incomparable(item);
    let mut comparable = item.cases.iter().filter(|case| !case.is_incomparable);
    if let (Some(case), None, Some(pattern)) = (comparable.next(), comparable.next(), &pattern) {
        let value = match fields {
            Some(fields) if !case.is_empty(name) => fields,
            _ => equal,
        };
        return Ok(quote! {
            if ::core::matches!(self, #pattern) || ::core::matches!(__other, #pattern) {
                ::core::option::Option::None
            } else {
                #value
            }
        });
    }
    let pattern = pattern.into_iter();
    let by_variant = by_variant(context, item, request, &method)?;
    let value = match fields {
        None => by_variant,
        Some(fields) => quote! {
            let __self_disc = ::core::mem::discriminant(self);
            let __other_disc = ::core::mem::discriminant(__other);
            if __self_disc == __other_disc { #fields } else { #by_variant }
        },
    };
    Ok(quote! {
        #(if ::core::matches!(self, #pattern) || ::core::matches!(__other, #pattern) {
            return ::core::option::Option::None;
        })*
        #value
    })
}

/// Compares the fields of two values of one variant.
fn arm(case: &Case<'_>, name: &str, method: &TokenStream, equal: &TokenStream) -> TokenStream {
    let (this, other) = (case.this(), case.other());
    let these = case.fields(name).map(|field| &field.this);
    let others = case.fields(name).map(|field| &field.other);
    quote! {
        (#this, #other) => {
            #(match #method(#these, #others) {
                #equal => {}
                __cmp => return __cmp,
            })*
            #equal
        }
    }
}

/// Compares the discriminants.
fn by_variant(
    context: &Context<'_>,
    item: &Item<'_>,
    request: &Request,
    method: &TokenStream,
) -> Expansion {
    if context.has("nightly") {
        return Err(Refusal::new("the feature `nightly` is on"));
    }
    let repr = representation(context)?;
    let is_unit = item.cases.iter().all(|case| case.shape.is_empty());
    let integer = match &repr {
        Some(repr) => repr.to_token_stream(),
        None => quote!(isize),
    };
    let integer = quote!(::core::primitive::#integer);
    if is_unit && request.contains("Copy") {
        return Ok(quote!(#method(&(*self as #integer), &(*__other as #integer))));
    }
    if is_unit && request.contains("Clone") {
        let clone = plain::path("Clone");
        return Ok(quote! {
            #method(
                &(#clone::clone(self) as #integer),
                &(#clone::clone(__other) as #integer),
            )
        });
    }
    // With a representation of its own the discriminant is what an enum starts with.
    if repr.is_some() && !context.has("safe") {
        return Ok(quote! {
            #method(
                &unsafe { *<*const _>::from(self).cast::<#integer>() },
                &unsafe { *<*const _>::from(__other).cast::<#integer>() },
            )
        });
    }
    let name = &context.input.ident;
    let (generics, arguments, clause) = context.input.generics.split_for_impl();
    let mut last = None;
    let mut offset = 0_usize;
    let arms = item.cases.iter().map(|case| {
        if let Some(discriminant) = case.discriminant {
            (last, offset) = (Some(discriminant), 0);
        }
        let number = Literal::usize_unsuffixed(offset);
        let value = match last {
            Some(value) if offset == 0 => value.to_token_stream(),
            Some(value) => quote!((#value) + #number),
            None => number.to_token_stream(),
        };
        offset += 1;
        let pattern = case.this();
        quote!(#pattern => #value,)
    });
    Ok(quote! {
        const fn __discriminant #generics(__this: &#name #arguments) -> #integer #clause {
            match __this { #(#arms)* }
        }
        #method(&__discriminant(self), &__discriminant(__other))
    })
}

/// The integer in `#[repr(u8)]`.
fn representation(context: &Context<'_>) -> Result<Option<Ident>, Refusal> {
    let mut found = None;
    for attribute in &context.input.attrs {
        if attribute.path().is_ident("repr") {
            for meta in
                attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?
            {
                let word = meta.path().require_ident()?;
                let text = word.to_string();
                if text.starts_with(['i', 'u']) {
                    found = Some(word.clone());
                }
            }
        }
    }
    Ok(found)
}
