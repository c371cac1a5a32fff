//! Operators, field by field, and sums over them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::{Item, More, arguments, is_skipped, snake, with_item};
use crate::Invocation;
use crate::support::Expansion;

/// The method of the derived operator.
fn method(item: &Item<'_>) -> Ident {
    let name = snake(&item.derive.to_string());
    // The standard library does not separate the words of these.
    Ident::new(&name.replace("bit_", "bit"), Span::call_site())
}

/// Predicates for those field types that depend on a parameter.
fn generic_bounds(item: &Item<'_>, bound: impl Fn(&Type) -> TokenStream) -> Vec<TokenStream> {
    let types = item.shapes.iter().flat_map(|shape| shape.types());
    types
        .filter(|ty| item.is_generic(ty))
        .map(|ty| {
            let bound = bound(ty);
            quote!(#ty: #bound)
        })
        .collect()
}

/// `Add` and others with an operand of the same type.
pub(super) fn add_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, between_two)
}

fn between_two(item: &Item<'_>) -> Expansion {
    let core = &item.core;
    let (of, method) = (&item.derive, method(item));
    let of = quote!(#core::ops::#of);
    let root = if item.old {
        quote!(::derive_more)
    } else {
        quote!(derive_more)
    };
    let text = method.to_string();
    let mut arms = TokenStream::new();
    let has_units = item.shapes.iter().any(|shape| shape.fields.is_empty());
    for shape in &item.shapes {
        let this = match shape.variant {
            Some(variant) => quote!(Self::#variant),
            None => quote!(Self),
        };
        if item.is_enum && shape.fields.is_empty() {
            let pattern = shape.with_values(&[]);
            arms.extend(quote! {
                (#this #pattern, #this #pattern) => #core::result::Result::Err(
                    #root::BinaryError::Unit(#root::UnitError::new(#text))),
            });
            continue;
        }
        let (left, left_pattern) = shape.bound("__self_");
        let (right, right_pattern) = shape.bound("__rhs_");
        let values: Vec<_> = left
            .iter()
            .zip(&right)
            .map(|(l, r)| quote!(#of::#method(#l, #r)))
            .collect();
        let fields = shape.with_values(&values);
        let value = quote!(#this #fields);
        let value = if item.is_enum {
            quote!(#core::result::Result::Ok(#value))
        } else {
            value
        };
        arms.extend(quote!((#this #left_pattern, #this #right_pattern) => #value,));
    }
    let output = if !item.is_enum {
        quote!(Self)
    } else if item.old && !has_units {
        quote!(#core::result::Result<Self, #root::WrongVariantError>)
    } else {
        quote!(#core::result::Result<Self, #root::BinaryError>)
    };
    if item.is_enum {
        arms.extend(quote! {
            _ => #core::result::Result::Err(
                #root::BinaryError::Mismatch(#root::WrongVariantError::new(#text))),
        });
    }
    let more = More {
        predicates: generic_bounds(item, |ty| quote!(#of<Output = #ty>)),
        ..More::default()
    };
    item.implement(
        &of,
        &more,
        &quote! {
            type Output = #output;
            #[inline]
            #[track_caller]
            fn #method(self, __rhs: Self) -> Self::Output {
                match (self, __rhs) { #arms }
            }
        },
    )
}

/// `AddAssign` and others with an operand of the same type.
pub(super) fn add_assign_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, assign_between_two)
}

fn assign_between_two(item: &Item<'_>) -> Expansion {
    let core = &item.core;
    let (of, method) = (&item.derive, method(item));
    let of = quote!(#core::ops::#of);
    let shape = item.structure()?;
    let (left, left_pattern) = shape.bound("__self_");
    let (right, right_pattern) = shape.bound("__rhs_");
    let more = More {
        predicates: generic_bounds(item, |_| of.clone()),
        ..More::default()
    };
    item.implement(
        &of,
        &more,
        &quote! {
            #[inline]
            #[track_caller]
            fn #method(&mut self, __rhs: Self) {
                match (self, __rhs) {
                    (Self #left_pattern, Self #right_pattern) => {
                        #(#of::#method(#left, #right);)*
                    }
                }
            }
        },
    )
}

/// Whether a multiplication is between two of the type, field by field.
fn is_forwarded(item: &Item<'_>) -> Result<bool, crate::support::Refusal> {
    let attribute = method(item).to_string();
    let list = arguments(&item.input.attrs, &attribute, &["forward"])?;
    Ok(list
        .into_iter()
        .flatten()
        .any(|argument| argument.is_word(&["forward"])))
}

/// The type parameter for a scalar operand.
fn operand(item: &Item<'_>) -> Ident {
    format_ident!(
        "{}",
        if item.old {
            "__RhsT"
        } else {
            "__derive_more_Rhs"
        }
    )
}

/// What a scalar operand needs to be applied to every field.
fn scalar_bounds(item: &Item<'_>, types: &[&Type], bound: impl Fn(&Type) -> TokenStream) -> More {
    let (core, rhs) = (&item.core, operand(item));
    let mut predicates: Vec<_> = types
        .iter()
        .map(|ty| {
            let bound = bound(ty);
            quote!(#ty: #bound)
        })
        .collect();
    if types.len() > 1 {
        predicates.push(quote!(#rhs: #core::marker::Copy));
    }
    More {
        params: vec![quote!(#rhs)],
        predicates,
        ..More::default()
    }
}

/// `Mul` and others with a scalar operand.
pub(super) fn mul_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        if is_forwarded(item)? {
            return between_two(item);
        }
        let core = &item.core;
        let (of, method, rhs) = (&item.derive, method(item), operand(item));
        let of = quote!(#core::ops::#of);
        let shape = item.structure()?;
        let (names, pattern) = shape.bound("__self_");
        let values: Vec<_> = names
            .iter()
            .map(|name| quote!(#of::#method(#name, __rhs)))
            .collect();
        let fields = shape.with_values(&values);
        let more = scalar_bounds(item, &shape.types(), |ty| quote!(#of<#rhs, Output = #ty>));
        item.implement(
            &quote!(#of<#rhs>),
            &more,
            &quote! {
                type Output = Self;
                #[inline]
                #[track_caller]
                fn #method(self, __rhs: #rhs) -> Self::Output {
                    match self { Self #pattern => Self #fields, }
                }
            },
        )
    })
}

/// `MulAssign` and others with a scalar operand.
pub(super) fn mul_assign_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        if is_forwarded(item)? {
            return assign_between_two(item);
        }
        let core = &item.core;
        let (of, method, rhs) = (&item.derive, method(item), operand(item));
        let of = quote!(#core::ops::#of);
        let shape = item.structure()?;
        let (names, pattern) = shape.bound("__self_");
        let more = scalar_bounds(item, &shape.types(), |_| quote!(#of<#rhs>));
        item.implement(
            &quote!(#of<#rhs>),
            &more,
            &quote! {
                #[inline]
                #[track_caller]
                fn #method(&mut self, __rhs: #rhs) {
                    match self { Self #pattern => { #(#of::#method(#names, __rhs);)* } }
                }
            },
        )
    })
}

/// `Not` and `Neg`.
pub(super) fn not_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let core = &item.core;
        let (of, method, this, name) = (&item.derive, method(item), item.this(), item.name());
        let of = quote!(#core::ops::#of);
        let root = if item.old {
            quote!(::derive_more)
        } else {
            quote!(derive_more)
        };
        let more = More {
            predicates: generic_bounds(item, |ty| quote!(#of<Output = #ty>)),
            ..More::default()
        };
        let (output, body) = if item.is_enum {
            let fails = item.shapes.iter().any(|shape| shape.fields.is_empty());
            let text = method.to_string();
            let arms = item.shapes.iter().map(|shape| {
                let path = shape.path(name);
                let (names, pattern) = shape.bound("__");
                if shape.fields.is_empty() {
                    return quote! {
                        #path #pattern =>
                            #core::result::Result::Err(#root::UnitError::new(#text)),
                    };
                }
                let values: Vec<_> = names.iter().map(|name| quote!(#name.#method())).collect();
                let fields = shape.with_values(&values);
                let value = quote!(#path #fields);
                let value = if fails {
                    quote!(#core::result::Result::Ok(#value))
                } else {
                    value
                };
                quote!(#path #pattern => #value,)
            });
            let output = if fails {
                quote!(#core::result::Result<#this, #root::UnitError>)
            } else {
                this
            };
            (output, quote!(match self { #(#arms)* }))
        } else {
            let shape = item.structure()?;
            let values: Vec<_> = shape
                .members()
                .iter()
                .map(|member| quote!(self.#member.#method()))
                .collect();
            let fields = shape.with_values(&values);
            (this, quote!(#name #fields))
        };
        item.implement(
            &of,
            &more,
            &quote! {
                type Output = #output;
                #[inline]
                fn #method(self) -> #output {
                    #body
                }
            },
        )
    })
}

/// `Sum` and `Product`.
pub(super) fn sum_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let core = &item.core;
        let (of, method, this, name) = (&item.derive, method(item), item.this(), item.name());
        let (operator, operation) = if item.derive == "Sum" {
            (format_ident!("Add"), format_ident!("add"))
        } else {
            (format_ident!("Mul"), format_ident!("mul"))
        };
        let of = quote!(#core::iter::#of);
        let shape = item.structure()?;
        let skipped = |field: &syn::Field| is_skipped(&field.attrs, &method.to_string());
        let values: Vec<_> = shape
            .fields
            .iter()
            .filter(|field| !skipped(field))
            .map(|field| {
                let ty = &field.ty;
                quote!(#of::#method(#core::iter::empty::<#ty>()))
            })
            .collect();
        let fields = shape.with_values(&values);
        let mut predicates = generic_bounds(item, |_| of.clone());
        if !predicates.is_empty() {
            predicates.push(quote!(#this: #core::ops::#operator<Output = #this>));
        }
        item.implement(
            &of,
            &More {
                predicates,
                ..More::default()
            },
            &quote! {
                #[inline]
                fn #method<I: #core::iter::Iterator<Item = Self>>(iter: I) -> Self {
                    iter.fold(#name #fields, #core::ops::#operator::#operation)
                }
            },
        )
    })
}
