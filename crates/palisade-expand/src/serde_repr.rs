//! `serde_repr`: an enum as its number.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("serde_repr", "Serialize_repr", serialize),
    Macro::derive("serde_repr", "Deserialize_repr", deserialize),
];

/// The enum, taken apart.
struct Numbers {
    name: Ident,
    repr: Ident,
    variants: Vec<Ident>,
    /// The variant for unknown numbers.
    other: Option<Ident>,
}

impl Numbers {
    fn read(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        let input: DeriveInput = syn::parse2(invocation.item.clone())?;
        let Data::Enum(data) = &input.data else {
            return Err(Refusal::new("expected an enum"));
        };
        let repr = input
            .attrs
            .iter()
            .find(|attribute| attribute.path().is_ident("repr"));
        let repr = repr
            .ok_or_else(|| Refusal::new("expected `#[repr(..)]`"))?
            .parse_args()?;
        let mut other = None;
        let mut variants = Vec::new();
        for variant in &data.variants {
            if !matches!(variant.fields, Fields::Unit) {
                return Err(Refusal::new("expected variants without fields"));
            }
            for attribute in &variant.attrs {
                if attribute.path().is_ident("serde") {
                    attribute.parse_nested_meta(|meta| {
                        if meta.path.is_ident("other") {
                            other = Some(variant.ident.clone());
                        }
                        Ok(())
                    })?;
                }
            }
            variants.push(variant.ident.clone());
        }
        if variants.is_empty() {
            return Err(Refusal::new("expected a variant"));
        }
        Ok(Self {
            name: input.ident,
            repr,
            variants,
            other,
        })
    }
}

fn serialize(invocation: &Invocation<'_>) -> Expansion {
    let Numbers {
        name,
        repr,
        variants,
        ..
    } = Numbers::read(invocation)?;
    Ok(quote! {
        #[allow(deprecated)]
        impl serde::Serialize for #name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: serde::Serializer,
            {
                let value: #repr = match *self {
                    #(#name::#variants => #name::#variants as #repr,)*
                };
                serde::Serialize::serialize(&value, serializer)
            }
        }
    })
}

fn deserialize(invocation: &Invocation<'_>) -> Expansion {
    let Numbers {
        name,
        repr,
        variants,
        other,
    } = Numbers::read(invocation)?;
    let unknown: TokenStream = match other {
        Some(other) => quote!(_ => ::core::result::Result::Ok(#name::#other),),
        None => {
            let expected = match variants.len() {
                1 => "invalid value: {}, expected {}".to_owned(),
                2 => "invalid value: {}, expected {} or {}".to_owned(),
                count => {
                    let list = vec!["{}"; count].join(", ");
                    format!("invalid value: {{}}, expected one of: {list}")
                }
            };
            quote! {
                other => ::core::result::Result::Err(serde::de::Error::custom(format_args!(
                    #expected, other, #(discriminant::#variants),*
                ))),
            }
        }
    };
    Ok(quote! {
        #[allow(deprecated)]
        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                #[allow(non_camel_case_types)]
                struct discriminant;

                #[allow(non_upper_case_globals)]
                impl discriminant {
                    #(const #variants: #repr = #name::#variants as #repr;)*
                }

                match <#repr as serde::Deserialize>::deserialize(deserializer)? {
                    #(discriminant::#variants => ::core::result::Result::Ok(#name::#variants),)*
                    #unknown
                }
            }
        }
    })
}
