//! `enumflags2_derive`: enums whose variants are bits.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Data, DeriveInput, Token, parse_quote};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute(
    "enumflags2_derive",
    "bitflags_internal",
    bitflags,
)];

/// The variants of `default = A | B`.
fn defaults(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let mut variants = Vec::new();
    if input.is_empty() {
        return Ok(variants);
    }
    input.parse::<Ident>()?;
    input.parse::<Token![=]>()?;
    loop {
        variants.push(input.parse()?);
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(variants);
        }
    }
}

fn bitflags(invocation: &Invocation<'_>) -> Expansion {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let default = defaults.parse2(invocation.args.clone())?;
    let mut repr = None;
    for attribute in input.attrs.iter().filter(|it| it.path().is_ident("repr")) {
        repr = Some(attribute.parse_args::<Ident>()?);
    }
    let repr = repr.ok_or_else(|| Refusal::new("expected a repr"))?;
    let Data::Enum(data) = &mut input.data else {
        return Err(Refusal::new("expected an enum"));
    };
    // Variants without a number get the lowest bit that is free; which one it
    // is makes no difference to a call graph, as long as they differ.
    for (bit, variant) in data.variants.iter_mut().enumerate() {
        if variant.discriminant.is_none() {
            variant.discriminant = Some((parse_quote!(=), parse_quote!(1 << #bit)));
        }
    }
    let variants: Vec<_> = data.variants.iter().map(|it| it.ident.clone()).collect();
    let name = &input.ident;
    let operators = [
        ("BitOr", "bitor", quote!(|)),
        ("BitAnd", "bitand", quote!(&)),
        ("BitXor", "bitxor", quote!(^)),
    ];
    let operators = operators.map(|(of, method, operator)| {
        let (of, method) = (format_ident!("{of}"), format_ident!("{method}"));
        quote! {
            impl ::enumflags2::_internal::core::ops::#of for #name {
                type Output = ::enumflags2::BitFlags<Self>;
                #[inline(always)]
                fn #method(self, other: Self) -> Self::Output {
                    use ::enumflags2::BitFlags;
                    BitFlags::from_flag(self) #operator other
                }
            }
        }
    });
    let numeric = quote!(<Self as ::enumflags2::_internal::RawBitFlags>::Numeric);
    let item: TokenStream = input.to_token_stream();
    Ok(quote! {
        #item
        impl ::enumflags2::_internal::core::ops::Not for #name {
            type Output = ::enumflags2::BitFlags<Self>;
            #[inline(always)]
            fn not(self) -> Self::Output {
                use ::enumflags2::BitFlags;
                BitFlags::from_flag(self).not()
            }
        }
        #(#operators)*
        unsafe impl ::enumflags2::_internal::RawBitFlags for #name {
            type Numeric = #repr;
            const EMPTY: #numeric = 0;
            const DEFAULT: #numeric = 0 #(| (Self::#default as #repr))*;
            const ALL_BITS: #numeric = 0 #(| (Self::#variants as #repr))*;
            const BITFLAGS_TYPE_NAME: &'static str =
                concat!("BitFlags<", stringify!(#name), ">");
            fn bits(self) -> #numeric {
                self as #repr
            }
        }
        impl ::enumflags2::BitFlag for #name {}
    })
}
