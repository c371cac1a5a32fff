//! The code behind an enum of possible values: `ValueEnum`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Variant;

use super::item::{Item, Role};

/// `ValueEnum` for the enum `ident`.
pub(super) fn impls(ident: &Ident, variants: &[(&Variant, Item)]) -> TokenStream {
    let kept: Vec<_> = variants
        .iter()
        .filter(|(_, item)| !matches!(item.role, Role::Skip(_)))
        .collect();
    let names: Vec<_> = kept.iter().map(|(variant, _)| &variant.ident).collect();
    let values = kept.iter().map(|(_, item)| {
        let name = item.cased_name();
        let calls = item.last_calls();
        quote!({ clap::builder::PossibleValue::new(#name) #calls })
    });
    quote! {
        #[automatically_derived]
        impl clap::ValueEnum for #ident {
            fn value_variants<'a>() -> &'a [Self] {
                &[#(Self::#names),*]
            }
            fn to_possible_value<'a>(&self) -> ::std::option::Option<clap::builder::PossibleValue> {
                match self {
                    #(Self::#names => Some(#values),)*
                    _ => None
                }
            }
        }
    }
}
