//! `num_enum_derive`: numbers in and out of enums.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, ExprRange, ExprUnary, Lit, Path, RangeLimits,
    Token, UnOp, parenthesized,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

const PACKAGE: &str = "num_enum_derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "IntoPrimitive", into_primitive),
    Macro::derive(PACKAGE, "FromPrimitive", from_primitive),
    Macro::derive(PACKAGE, "TryFromPrimitive", try_from_primitive),
    Macro::derive(PACKAGE, "UnsafeFromPrimitive", unsafe_from_primitive),
    Macro::derive(PACKAGE, "Default", default),
];

/// Most values that one range of alternatives may stand for.
const RANGE: i128 = 1 << 16;

struct Variant {
    ident: Ident,
    is_default: bool,
    catches_all: bool,
    /// Its own number, then the alternatives.
    values: Vec<TokenStream>,
}

struct Enum {
    name: Ident,
    repr: Ident,
    path: TokenStream,
    /// The error's type and its constructor.
    error: Option<(Path, Path)>,
    variants: Vec<Variant>,
}

impl Enum {
    fn read(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        let input: DeriveInput = syn::parse2(invocation.item.clone())?;
        let Data::Enum(data) = &input.data else {
            return Err(Refusal::new("expected an enum"));
        };
        let (mut repr, mut path, mut error) = (None, quote!(::num_enum), None);
        for attribute in &input.attrs {
            if attribute.path().is_ident("repr") {
                repr = Some(attribute.parse_args::<Ident>()?);
            } else if attribute.path().is_ident("num_enum") {
                attribute.parse_nested_meta(|meta| {
                    if meta.path.is_ident("crate") {
                        let own = meta.value()?.call(Path::parse_mod_style)?;
                        path = own.into_token_stream();
                    } else if meta.path.is_ident("error_type") {
                        error = Some(error_type(meta.input)?);
                    }
                    Ok(())
                })?;
            }
        }
        let mut next: Expr = syn::parse2(quote!(0))?;
        let repr = repr.ok_or_else(|| Refusal::new("expected a repr"))?;
        let mut variants = Vec::new();
        for variant in &data.variants {
            let value = match &variant.discriminant {
                Some((_, value)) => value.clone(),
                None => next,
            };
            next = match number(&value) {
                Some(number) => syn::parse2(literal(number.wrapping_add(1)))?,
                None => syn::parse2(quote!(#repr::wrapping_add(#value, 1)))?,
            };
            let mut read = Variant {
                ident: variant.ident.clone(),
                is_default: false,
                catches_all: false,
                values: vec![value.into_token_stream()],
            };
            read.attributes(&variant.attrs)?;
            variants.push(read);
        }
        Ok(Self {
            name: input.ident,
            repr,
            path,
            error,
            variants,
        })
    }

    /// Whether every number of the type belongs to a variant.
    fn is_exhaustive(&self) -> bool {
        let repr = self.repr.to_string();
        let bits = repr.trim_start_matches(['i', 'u']).parse::<u32>();
        let count = self.variants.iter().map(|it| it.values.len()).sum();
        bits.is_ok_and(|bits| 1_usize.checked_shl(bits) == Some(count))
    }

    /// A constant for each number, and the arms that use them.
    fn constants(&self, arm: impl Fn(&Ident) -> TokenStream) -> (TokenStream, TokenStream) {
        let (mut constants, mut arms) = (TokenStream::new(), TokenStream::new());
        let repr = &self.repr;
        for variant in self.variants.iter().filter(|it| !it.catches_all) {
            let mut names = Vec::new();
            for (index, value) in variant.values.iter().enumerate() {
                let name = format_ident!("{}__num_enum_{index}__", variant.ident);
                constants.extend(quote!(const #name: #repr = #value;));
                names.push(name);
            }
            let value = arm(&variant.ident);
            arms.extend(quote!(#(#names)|* => #value,));
        }
        (constants, arms)
    }
}

/// `(name = Type, constructor = path)`
fn error_type(input: ParseStream<'_>) -> syn::Result<(Path, Path)> {
    let content;
    parenthesized!(content in input);
    let (mut name, mut constructor) = (None, None);
    while !content.is_empty() {
        let key: Ident = content.parse()?;
        content.parse::<Token![=]>()?;
        let path: Path = content.parse()?;
        if key == "name" {
            name = Some(path);
        } else {
            constructor = Some(path);
        }
        content.parse::<Option<Token![,]>>()?;
    }
    match (name, constructor) {
        (Some(name), Some(constructor)) => Ok((name, constructor)),
        _ => Err(input.error("expected name and constructor")),
    }
}

impl Variant {
    fn attributes(&mut self, attributes: &[Attribute]) -> Result<(), Refusal> {
        for attribute in attributes {
            if attribute.path().is_ident("default") {
                self.is_default = true;
            } else if attribute.path().is_ident("num_enum") {
                attribute.parse_args_with(|input: ParseStream<'_>| {
                    while !input.is_empty() {
                        self.word(input)?;
                        input.parse::<Option<Token![,]>>()?;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// `default`, `catch_all` or `alternatives = [1, 2..=4]`.
    fn word(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let word: Ident = syn::ext::IdentExt::parse_any(input)?;
        match word.to_string().as_str() {
            "default" => self.is_default = true,
            "catch_all" => self.catches_all = true,
            "alternatives" => {
                input.parse::<Token![=]>()?;
                let content;
                syn::bracketed!(content in input);
                let mut numbers = Vec::new();
                for value in Punctuated::<Expr, Token![,]>::parse_terminated(&content)? {
                    alternatives(&value, &mut numbers)
                        .ok_or_else(|| content.error("expected numbers"))?;
                }
                numbers.sort_unstable();
                self.values.extend(numbers.into_iter().map(literal));
            }
            _ => return Err(input.error("unknown word")),
        }
        Ok(())
    }
}

/// The numbers of one alternative, which may be a range.
fn alternatives(value: &Expr, numbers: &mut Vec<i128>) -> Option<()> {
    let Expr::Range(ExprRange {
        start: Some(start),
        end: Some(end),
        limits,
        ..
    }) = value
    else {
        numbers.push(number(value)?);
        return Some(());
    };
    let (start, end) = (number(start)?, number(end)?);
    let end = match limits {
        RangeLimits::HalfOpen(_) => end,
        RangeLimits::Closed(_) => end.checked_add(1)?,
    };
    if end.checked_sub(start)? > RANGE {
        return None;
    }
    numbers.extend(start..end);
    Some(())
}

fn number(value: &Expr) -> Option<i128> {
    match value {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => number(expr)?.checked_neg(),
        Expr::Lit(ExprLit {
            lit: Lit::Int(value),
            ..
        }) => value.base10_parse().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Byte(value),
            ..
        }) => Some(value.value().into()),
        _ => None,
    }
}

fn literal(number: i128) -> TokenStream {
    let value = Literal::u128_unsuffixed(number.unsigned_abs());
    let minus = (number < 0).then(|| quote!(-));
    quote!(#minus #value)
}

fn into_primitive(invocation: &Invocation<'_>) -> Expansion {
    let read = Enum::read(invocation)?;
    let (name, repr) = (&read.name, &read.repr);
    let body = match read.variants.iter().find(|it| it.catches_all) {
        Some(Variant { ident, .. }) => quote! {
            match enum_value {
                #name::#ident(raw) => raw,
                rest => unsafe { *(&rest as *const #name as *const Self) }
            }
        },
        None => quote!(enum_value as Self),
    };
    Ok(quote! {
        impl From<#name> for #repr {
            #[inline]
            fn from(enum_value: #name) -> Self {
                #body
            }
        }
    })
}

fn from_primitive(invocation: &Invocation<'_>) -> Expansion {
    let read = Enum::read(invocation)?;
    let Enum {
        name, repr, path, ..
    } = &read;
    let rest = if read.is_exhaustive() {
        quote!(unreachable!("exhaustive enum"))
    } else if let Some(Variant { ident, .. }) = read.variants.iter().find(|it| it.is_default) {
        quote!(Self::#ident)
    } else if let Some(Variant { ident, .. }) = read.variants.iter().find(|it| it.catches_all) {
        quote!(Self::#ident(number))
    } else {
        return Err(Refusal::new("numbers are left over"));
    };
    let (constants, arms) = read.constants(|ident| quote!(Self::#ident));
    Ok(quote! {
        impl #path::FromPrimitive for #name {
            type Primitive = #repr;
            fn from_primitive(number: Self::Primitive) -> Self {
                #![allow(non_upper_case_globals)]
                #constants
                #[deny(unreachable_patterns)]
                match number {
                    #arms
                    #[allow(unreachable_patterns)]
                    _ => #rest,
                }
            }
        }
        impl ::core::convert::From<#repr> for #name {
            #[inline]
            fn from(number: #repr) -> Self {
                #path::FromPrimitive::from_primitive(number)
            }
        }
        #[doc(hidden)]
        impl #path::CannotDeriveBothFromPrimitiveAndTryFromPrimitive for #name {}
    })
}

fn try_from_primitive(invocation: &Invocation<'_>) -> Expansion {
    let read = Enum::read(invocation)?;
    let Enum {
        name, repr, path, ..
    } = &read;
    let (error, constructor) = match &read.error {
        Some((name, constructor)) => (quote!(#name), quote!(#constructor)),
        None => (
            quote!(#path::TryFromPrimitiveError<Self>),
            quote!(#path::TryFromPrimitiveError::<Self>::new),
        ),
    };
    let (constants, arms) =
        read.constants(|ident| quote!(::core::result::Result::Ok(Self::#ident)));
    Ok(quote! {
        impl #path::TryFromPrimitive for #name {
            type Primitive = #repr;
            type Error = #error;
            const NAME: &'static str = stringify!(#name);
            fn try_from_primitive(
                number: Self::Primitive,
            ) -> ::core::result::Result<Self, #error> {
                #![allow(non_upper_case_globals)]
                #constants
                #[deny(unreachable_patterns)]
                match number {
                    #arms
                    #[allow(unreachable_patterns)]
                    _ => ::core::result::Result::Err(#constructor(number)),
                }
            }
        }
        impl ::core::convert::TryFrom<#repr> for #name {
            type Error = #error;
            #[inline]
            fn try_from(number: #repr) -> ::core::result::Result<Self, #error> {
                #path::TryFromPrimitive::try_from_primitive(number)
            }
        }
        #[doc(hidden)]
        impl #path::CannotDeriveBothFromPrimitiveAndTryFromPrimitive for #name {}
    })
}

fn unsafe_from_primitive(invocation: &Invocation<'_>) -> Expansion {
    let Enum {
        name, repr, path, ..
    } = Enum::read(invocation)?;
    Ok(quote! {
        impl #path::UnsafeFromPrimitive for #name {
            type Primitive = #repr;
            unsafe fn unchecked_transmute_from(number: Self::Primitive) -> Self {
                ::core::mem::transmute(number)
            }
        }
    })
}

fn default(invocation: &Invocation<'_>) -> Expansion {
    let read = Enum::read(invocation)?;
    let name = &read.name;
    let Some(Variant { ident, .. }) = read.variants.iter().find(|it| it.is_default) else {
        return Err(Refusal::new("no variant is the default"));
    };
    Ok(quote! {
        impl ::core::default::Default for #name {
            #[inline]
            fn default() -> Self {
                Self::#ident
            }
        }
    })
}
