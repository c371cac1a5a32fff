//! `clap_derive` 3: `Parser`, `Args`, `Subcommand`, `ValueEnum` or `ArgEnum`.
//!
//! Version 3 stands between structopt and clap 4: fields have parsers like
//! those of structopt, and from 3.2 on also value parsers and actions.

mod args;
mod defaults;
mod item;
mod subcommand;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DataEnum, DeriveInput, Fields};

use self::item::{Era, Item, Role};
use crate::Invocation;
use crate::clap::casing::Name;
use crate::support::{Expansion, Refusal, at_least};

/// `#[derive(Parser)]`
pub(crate) fn parser(invocation: &Invocation<'_>) -> Expansion {
    let (input, era) = read(invocation)?;
    let package = (era.env)("CARGO_PKG_NAME").unwrap_or_default();
    let item = Item::container(&input.attrs, Name::Given(package.into_token_stream()), era)?;
    let (ident, name, command) = (&input.ident, item.cased_name(), era.command());
    let (setting, augment, augment_for_update, rest) = match &input.data {
        Data::Enum(data) => (
            Some(quote!(.setting(clap::AppSettings::SubcommandRequiredElseHelp))),
            quote!(<Self as clap::Subcommand>::augment_subcommands),
            quote!(<Self as clap::Subcommand>::augment_subcommands_for_update),
            of_enum(&input, data, era)?,
        ),
        _ => (
            None,
            quote!(<Self as clap::Args>::augment_args),
            quote!(<Self as clap::Args>::augment_args_for_update),
            of_struct(&input, era)?,
        ),
    };
    let factory = if era.has_commands {
        quote!(CommandFactory)
    } else {
        quote!(IntoApp)
    };
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics clap::Parser for #ident #ty_generics #where_clause {}

        #[allow(deprecated)]
        impl #impl_generics clap::#factory for #ident #ty_generics #where_clause {
            fn into_app<'b>() -> #command<'b> {
                let __clap_app = #command::new(#name) #setting;
                #augment(__clap_app)
            }
            fn into_app_for_update<'b>() -> #command<'b> {
                let __clap_app = #command::new(#name);
                #augment_for_update(__clap_app)
            }
        }

        #rest
    })
}

/// `#[derive(Args)]`
pub(crate) fn args(invocation: &Invocation<'_>) -> Expansion {
    let (input, era) = read(invocation)?;
    Ok(of_struct(&input, era)?)
}

/// `#[derive(Subcommand)]`
pub(crate) fn subcommand(invocation: &Invocation<'_>) -> Expansion {
    let (input, era) = read(invocation)?;
    match &input.data {
        Data::Enum(data) => Ok(of_enum(&input, data, era)?),
        _ => Err(Refusal::new("`Subcommand` needs an enum")),
    }
}

/// `#[derive(ValueEnum)]`, or `#[derive(ArgEnum)]` as it was called first.
pub(crate) fn value_enum(invocation: &Invocation<'_>) -> Expansion {
    let (input, era) = read(invocation)?;
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("an enum of values needs an enum"));
    };
    let ident = &input.ident;
    let parent = Item::container(&input.attrs, Name::Derived(ident.clone()), era)?;
    let mut names = Vec::new();
    let mut values = Vec::new();
    for variant in &data.variants {
        let item = Item::value(variant, &parent, era)?;
        if matches!(item.role, Role::Skip(_)) {
            continue;
        }
        let (name, calls) = (item.cased_name(), item.field_calls());
        names.push(&variant.ident);
        values.push(quote!(clap::PossibleValue::new(#name) #calls));
    }
    let value_enum = era.value_enum();
    Ok(quote! {
        impl #value_enum for #ident {
            fn value_variants<'a>() -> &'a [Self] {
                &[#(Self::#names),*]
            }
            fn to_possible_value<'a>(&self) -> ::std::option::Option<clap::PossibleValue<'a>> {
                match self {
                    #(Self::#names => Some(#values),)*
                    _ => None
                }
            }
        }
    })
}

fn read<'i>(invocation: &Invocation<'i>) -> Result<(DeriveInput, Era<'i>), Refusal> {
    let version = invocation.version;
    // The versions before 3.0.0 were never finished, and differ from each other.
    if !at_least(version, (3, 0, 0)) || version.is_some_and(|it| it.starts_with("3.0.0-")) {
        return Err(Refusal::new("no expansion is known for this version"));
    }
    let era = Era {
        env: invocation.env,
        has_commands: at_least(version, (3, 1, 0)),
        is_typed: at_least(version, (3, 2, 0)),
        like_4: (invocation.env)("feature:unstable-v4").is_some(),
    };
    Ok((syn::parse2(invocation.item.clone())?, era))
}

fn of_struct(input: &DeriveInput, era: Era<'_>) -> syn::Result<TokenStream> {
    let parent = Item::container(&input.attrs, Name::Derived(input.ident.clone()), era)?;
    let fields = match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Unnamed(_)) => {
            args::arguments(&data.fields, &parent, era)?
        }
        _ => {
            return Err(syn::Error::new_spanned(
                input,
                "arguments need a struct with named fields",
            ));
        }
    };
    args::impls(input, &parent, &fields, era)
}

fn of_enum(input: &DeriveInput, data: &DataEnum, era: Era<'_>) -> syn::Result<TokenStream> {
    let parent = Item::container(&input.attrs, Name::Derived(input.ident.clone()), era)?;
    subcommand::impls(input, data, &parent, era)
}
