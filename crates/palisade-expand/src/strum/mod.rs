//! `strum_macros`: text, iteration and reflection for enums.
//!
//! Written after 0.26 to 0.28; what older releases derive differs in helper
//! impls, not in the functions that users call.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

mod attrs;
mod discriminants;
mod from_str;
mod iter;
mod messages;
mod repr;
mod text;
mod variants;

use attrs::Attrs;

const PACKAGE: &str = "strum_macros";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "Display", text::display),
    Macro::derive(PACKAGE, "ToString", text::to_string),
    Macro::derive(PACKAGE, "AsRefStr", text::as_ref_str),
    Macro::derive(PACKAGE, "AsStaticStr", text::as_static_str),
    Macro::derive(PACKAGE, "IntoStaticStr", text::into_static_str),
    Macro::derive(PACKAGE, "EnumString", from_str::enum_string),
    Macro::derive(PACKAGE, "EnumIter", iter::enum_iter),
    Macro::derive(
        PACKAGE,
        "EnumDiscriminants",
        discriminants::enum_discriminants,
    ),
    Macro::derive(PACKAGE, "EnumMessage", messages::enum_message),
    Macro::derive(PACKAGE, "EnumProperty", messages::enum_property),
    Macro::derive(PACKAGE, "FromRepr", repr::from_repr),
    Macro::derive(PACKAGE, "EnumCount", variants::enum_count),
    Macro::derive(PACKAGE, "EnumIs", variants::enum_is),
    Macro::derive(PACKAGE, "EnumTryAs", variants::enum_try_as),
    Macro::derive(PACKAGE, "VariantNames", variants::variant_names),
    Macro::derive(PACKAGE, "EnumVariantNames", variants::variant_names),
    Macro::derive(PACKAGE, "VariantArray", variants::variant_array),
];

/// One variant with its attributes.
struct Variant<'a> {
    ident: &'a Ident,
    fields: &'a Fields,
    source: &'a syn::Variant,
    attrs: Attrs,
}

impl Variant<'_> {
    /// What follows the name in a pattern that looks at no field.
    fn ignoring(&self) -> TokenStream {
        match self.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((..)),
            Fields::Named(_) => quote!({ .. }),
        }
    }

    /// The fields by default.
    fn defaults(&self) -> TokenStream {
        self.filled(|_| quote!(Default::default()))
    }

    /// The fields by what `default_with` names, or by default.
    fn parsed_defaults(&self) -> Result<TokenStream, Refusal> {
        let attrs = self.fields.iter().map(|field| Attrs::read(&field.attrs));
        let mut attrs = attrs.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(self.filled(
            |_| match attrs.next().and_then(|attrs| attrs.default_with) {
                Some(path) => quote!(#path()),
                None => quote!(Default::default()),
            },
        ))
    }

    /// The fields of a constructor, each with a value.
    fn filled(&self, mut value: impl FnMut(&syn::Field) -> TokenStream) -> TokenStream {
        let mut values = Vec::new();
        for field in self.fields {
            let value = value(field);
            values.push(match &field.ident {
                Some(ident) => quote!(#ident: #value),
                None => value,
            });
        }
        match self.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((#(#values),*)),
            Fields::Named(_) => quote!({ #(#values),* }),
        }
    }
}

/// An enum with its attributes.
struct Enum<'a> {
    input: &'a DeriveInput,
    attrs: Attrs,
    variants: Vec<Variant<'a>>,
    /// The minor number of the release, as in 0.27.
    minor: u32,
}

impl<'a> Enum<'a> {
    fn read(input: &'a DeriveInput, version: Option<&str>) -> Result<Self, Refusal> {
        let Data::Enum(data) = &input.data else {
            return Err(Refusal::new("strum derives on enums only"));
        };
        let variants = data.variants.iter().map(|variant| {
            let attrs = Attrs::read(&variant.attrs)?;
            Ok(Variant {
                ident: &variant.ident,
                fields: &variant.fields,
                source: variant,
                attrs,
            })
        });
        let minor = version.and_then(|version| version.split('.').nth(1)?.parse().ok());
        Ok(Self {
            input,
            attrs: Attrs::read(&input.attrs)?,
            variants: variants.collect::<Result<_, Refusal>>()?,
            minor: minor.unwrap_or(u32::MAX),
        })
    }

    /// The variants that are not disabled.
    fn enabled(&self) -> impl Iterator<Item = &Variant<'a>> {
        self.variants
            .iter()
            .filter(|variant| !variant.attrs.disabled)
    }

    fn has_disabled(&self) -> bool {
        self.variants.iter().any(|variant| variant.attrs.disabled)
    }

    /// The runtime crate.
    fn strum(&self) -> TokenStream {
        match &self.attrs.strum_path {
            Some(path) => quote!(#path),
            None => quote!(::strum),
        }
    }

    fn style(&self) -> Option<&str> {
        self.attrs.serialize_all.as_deref()
    }

    /// The text of a variant, complete.
    fn text(&self, variant: &Variant<'_>) -> String {
        let name = variant.attrs.preferred(variant.ident, self.style());
        format!("{}{name}{}", self.attrs.prefix, self.attrs.suffix)
    }
}

/// Reads the enum and hands it on.
fn with_enum(
    invocation: &Invocation<'_>,
    expand: impl FnOnce(&Enum<'_>) -> Expansion,
) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    expand(&Enum::read(&input, invocation.version)?)
}
