//! `clap_derive` 4: `Parser`, `Args`, `Subcommand`, `ValueEnum`.
//! Older versions are expanded by [`crate::clap3`].
//!
//! Attributes become calls of clap's builder; what a field needs beyond them
//! follows from the shape of its type.

mod args;
pub(crate) mod attr;
pub(crate) mod casing;
mod defaults;
pub(crate) mod docs;
mod item;
pub(crate) mod shape;
mod subcommand;
mod value_enum;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DataEnum, DeriveInput, Fields};

use self::casing::Name;
use self::item::{Env, Item};
use crate::Invocation;
use crate::clap3;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("clap_derive", "Parser", parser),
    Macro::derive("clap_derive", "Args", args),
    Macro::derive("clap_derive", "Subcommand", subcommand),
    Macro::derive("clap_derive", "ValueEnum", value_enum),
    // Only version 3 has this name.
    Macro::derive("clap_derive", "ArgEnum", clap3::value_enum),
];

/// `#[derive(Parser)]`
fn parser(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (4, 0, 0)) {
        return clap3::parser(invocation);
    }
    let (input, env) = read(invocation)?;
    let package = env("CARGO_PKG_NAME").unwrap_or_default();
    let name = Name::Given(package.into_token_stream());
    let ident = &input.ident;
    let item = Item::command(ident, &input.attrs, name, env)?;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let command_name = item.cased_name();
    let (command, command_for_update, rest) = match &input.data {
        Data::Enum(data) => (
            quote! {
                let __clap_app = clap::Command::new(#command_name)
                    .subcommand_required(true)
                    .arg_required_else_help(true);
                <Self as clap::Subcommand>::augment_subcommands(__clap_app)
            },
            quote! {
                let __clap_app = clap::Command::new(#command_name);
                <Self as clap::Subcommand>::augment_subcommands_for_update(__clap_app)
                    .subcommand_required(false)
                    .arg_required_else_help(false)
            },
            of_enum(&input, data, &item, env)?,
        ),
        _ => (
            quote! {
                let __clap_app = clap::Command::new(#command_name);
                <Self as clap::Args>::augment_args(__clap_app)
            },
            quote! {
                let __clap_app = clap::Command::new(#command_name);
                <Self as clap::Args>::augment_args_for_update(__clap_app)
            },
            of_struct(&input, &item, env)?,
        ),
    };
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics clap::Parser for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics clap::CommandFactory for #ident #ty_generics #where_clause {
            fn command<'b>() -> clap::Command {
                #command
            }
            fn command_for_update<'b>() -> clap::Command {
                #command_for_update
            }
        }

        #rest
    })
}

/// `#[derive(Args)]`
fn args(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (4, 0, 0)) {
        return clap3::args(invocation);
    }
    let (input, env) = read(invocation)?;
    let name = Name::Derived(input.ident.clone());
    let item = Item::command(&input.ident, &input.attrs, name, env)?;
    Ok(of_struct(&input, &item, env)?)
}

/// `#[derive(Subcommand)]`
fn subcommand(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (4, 0, 0)) {
        return clap3::subcommand(invocation);
    }
    let (input, env) = read(invocation)?;
    let name = Name::Derived(input.ident.clone());
    let item = Item::command(&input.ident, &input.attrs, name, env)?;
    match &input.data {
        Data::Enum(data) => Ok(of_enum(&input, data, &item, env)?),
        _ => Err(Refusal::new("`Subcommand` needs an enum")),
    }
}

/// `#[derive(ValueEnum)]`
fn value_enum(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (4, 0, 0)) {
        return clap3::value_enum(invocation);
    }
    let (input, env) = read(invocation)?;
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("`ValueEnum` needs an enum"));
    };
    let item = Item::value_enum(&input.ident, &input.attrs, env)?;
    let variants = data
        .variants
        .iter()
        .map(|variant| Ok((variant, Item::value(variant, &item, env)?)))
        .collect::<syn::Result<Vec<_>>>()?;
    Ok(value_enum::impls(&input.ident, &variants))
}

fn read<'i>(invocation: &Invocation<'i>) -> syn::Result<(DeriveInput, Env<'i>)> {
    Ok((syn::parse2(invocation.item.clone())?, invocation.env))
}

fn of_struct(input: &DeriveInput, item: &Item, env: Env<'_>) -> syn::Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Unnamed(_)) => data
            .fields
            .iter()
            .map(|field| Ok((field, Item::argument(field, item, env)?)))
            .collect::<syn::Result<Vec<_>>>()?,
        _ => {
            return Err(syn::Error::new_spanned(
                input,
                "arguments need a struct with named fields",
            ));
        }
    };
    args::impls(item, &input.ident, &input.generics, &fields)
}

fn of_enum(
    input: &DeriveInput,
    data: &DataEnum,
    item: &Item,
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let variants = data
        .variants
        .iter()
        .map(|variant| Ok((variant, Item::subcommand(variant, item, env)?)))
        .collect::<syn::Result<Vec<_>>>()?;
    subcommand::impls(item, &input.ident, &input.generics, &variants, env)
}
