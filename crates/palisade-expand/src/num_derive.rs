//! `num-derive`: numbers in and out of enums and newtypes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Type};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

const PACKAGE: &str = "num-derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "FromPrimitive", from_primitive),
    Macro::derive(PACKAGE, "ToPrimitive", to_primitive),
    Macro::derive(PACKAGE, "NumOps", num_ops),
    Macro::derive(PACKAGE, "NumCast", num_cast),
    Macro::derive(PACKAGE, "Zero", zero),
    Macro::derive(PACKAGE, "One", one),
    Macro::derive(PACKAGE, "Num", num),
];

/// The primitive types that a newtype converts, in the order of the impl.
const PRIMITIVES: [&str; 14] = [
    "i64", "u64", "isize", "i8", "i16", "i32", "i128", "usize", "u8", "u16", "u32", "u128", "f32",
    "f64",
];

/// The type inside a newtype.
fn newtype(input: &DeriveInput) -> Option<&Type> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                fields.unnamed.first().map(|field| &field.ty)
            }
            _ => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    }
}

fn unit_variants(input: &DeriveInput) -> Result<Vec<&Ident>, Refusal> {
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("expected an enum or a newtype"));
    };
    if data
        .variants
        .iter()
        .any(|variant| !matches!(variant.fields, Fields::Unit))
    {
        return Err(Refusal::new("expected variants without fields"));
    }
    Ok(data.variants.iter().map(|variant| &variant.ident).collect())
}

/// The impl inside the constant that imports the runtime.
fn wrap(implementation: &TokenStream) -> TokenStream {
    quote! {
        #[allow(non_upper_case_globals, unused_qualifications)]
        const _: () = {
            extern crate num_traits as _num_traits;
            #implementation
        };
    }
}

fn from_primitive(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    if let Some(ty) = newtype(&input) {
        let methods = PRIMITIVES.iter().map(|primitive| {
            let (method, primitive) = (
                format_ident!("from_{primitive}"),
                format_ident!("{primitive}"),
            );
            quote! {
                #[inline]
                fn #method(n: #primitive) -> ::core::option::Option<Self> {
                    <#ty as _num_traits::FromPrimitive>::#method(n).map(#name)
                }
            }
        });
        return Ok(wrap(
            &quote!(impl _num_traits::FromPrimitive for #name { #(#methods)* }),
        ));
    }
    let variants = unit_variants(&input)?;
    let chain = variants.iter().map(|variant| {
        quote! {
            if n == #name::#variant as i64 {
                ::core::option::Option::Some(#name::#variant)
            } else
        }
    });
    Ok(wrap(&quote! {
        impl _num_traits::FromPrimitive for #name {
            #[allow(trivial_numeric_casts)]
            #[inline]
            fn from_i64(n: i64) -> ::core::option::Option<Self> {
                #(#chain)* { ::core::option::Option::None }
            }
            #[inline]
            fn from_u64(n: u64) -> ::core::option::Option<Self> {
                Self::from_i64(n as i64)
            }
        }
    }))
}

fn to_primitive(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    if let Some(ty) = newtype(&input) {
        let methods = PRIMITIVES.iter().map(|primitive| {
            let (method, primitive) = (
                format_ident!("to_{primitive}"),
                format_ident!("{primitive}"),
            );
            quote! {
                #[inline]
                fn #method(&self) -> ::core::option::Option<#primitive> {
                    <#ty as _num_traits::ToPrimitive>::#method(&self.0)
                }
            }
        });
        return Ok(wrap(
            &quote!(impl _num_traits::ToPrimitive for #name { #(#methods)* }),
        ));
    }
    let variants = unit_variants(&input)?;
    let body = if variants.is_empty() {
        quote!(match *self {})
    } else {
        quote! {
            ::core::option::Option::Some(match *self {
                #(#name::#variants => #name::#variants as i64,)*
            })
        }
    };
    Ok(wrap(&quote! {
        impl _num_traits::ToPrimitive for #name {
            #[inline]
            #[allow(trivial_numeric_casts)]
            fn to_i64(&self) -> ::core::option::Option<i64> {
                #body
            }
            #[inline]
            fn to_u64(&self) -> ::core::option::Option<u64> {
                self.to_i64().map(|x| x as u64)
            }
        }
    }))
}

/// Expands for a newtype, given its name and the type inside.
fn of_newtype(
    invocation: &Invocation<'_>,
    expand: impl FnOnce(&Ident, &Type) -> TokenStream,
) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ty = newtype(&input).ok_or_else(|| Refusal::new("expected a newtype"))?;
    Ok(expand(&input.ident, ty))
}

fn num_ops(invocation: &Invocation<'_>) -> Expansion {
    of_newtype(invocation, |name, ty| {
        let operators = ["Add", "Sub", "Mul", "Div", "Rem"].map(|operator| {
            let (of, method) = (
                format_ident!("{operator}"),
                format_ident!("{}", operator.to_lowercase()),
            );
            quote! {
                impl ::core::ops::#of for #name {
                    type Output = Self;
                    #[inline]
                    fn #method(self, other: Self) -> Self {
                        #name(<#ty as ::core::ops::#of>::#method(self.0, other.0))
                    }
                }
            }
        });
        quote!(#(#operators)*)
    })
}

fn num_cast(invocation: &Invocation<'_>) -> Expansion {
    of_newtype(invocation, |name, ty| {
        wrap(&quote! {
            impl _num_traits::NumCast for #name {
                #[inline]
                fn from<T: _num_traits::ToPrimitive>(n: T) -> ::core::option::Option<Self> {
                    <#ty as _num_traits::NumCast>::from(n).map(#name)
                }
            }
        })
    })
}

fn zero(invocation: &Invocation<'_>) -> Expansion {
    of_newtype(invocation, |name, ty| {
        wrap(&quote! {
            impl _num_traits::Zero for #name {
                #[inline]
                fn zero() -> Self {
                    #name(<#ty as _num_traits::Zero>::zero())
                }
                #[inline]
                fn is_zero(&self) -> bool {
                    <#ty as _num_traits::Zero>::is_zero(&self.0)
                }
            }
        })
    })
}

fn one(invocation: &Invocation<'_>) -> Expansion {
    of_newtype(invocation, |name, ty| {
        wrap(&quote! {
            impl _num_traits::One for #name {
                #[inline]
                fn one() -> Self {
                    #name(<#ty as _num_traits::One>::one())
                }
                #[inline]
                fn is_one(&self) -> bool {
                    <#ty as _num_traits::One>::is_one(&self.0)
                }
            }
        })
    })
}

fn num(invocation: &Invocation<'_>) -> Expansion {
    of_newtype(invocation, |name, ty| {
        wrap(&quote! {
            impl _num_traits::Num for #name {
                type FromStrRadixErr = <#ty as _num_traits::Num>::FromStrRadixErr;
                #[inline]
                fn from_str_radix(s: &str, radix: u32)
                    -> ::core::result::Result<Self, Self::FromStrRadixErr>
                {
                    <#ty as _num_traits::Num>::from_str_radix(s, radix).map(#name)
                }
            }
        })
    })
}
