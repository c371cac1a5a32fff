//! Variants as subcommands.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DataEnum, Fields, Type, Variant};

use super::args;
use super::item::{Env, Item, Role};
use crate::clap::shape::{argument_of, is_named};

/// A variant with what its attributes say.
pub(super) type Command<'v> = (&'v Variant, Item);

/// The variants of an enum with their attributes.
pub(super) fn variants<'d>(
    data: &'d DataEnum,
    parent: &Item,
    env: Env<'_>,
) -> syn::Result<Vec<Command<'d>>> {
    data.variants
        .iter()
        .map(|variant| Ok((variant, Item::variant(variant, parent, env)?)))
        .collect()
}

/// `augment_clap`: describes all subcommands.
pub(super) fn augment(
    variants: &[Command<'_>],
    parent: &Item,
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let mut additions = Vec::new();
    for (variant, item) in variants {
        additions.push(match &item.role {
            Role::Skip(_) => continue,
            Role::External => quote! {
                let app = app.setting(
                    ::structopt::clap::AppSettings::AllowExternalSubcommands
                );
            },
            Role::Flatten => {
                let ty = newtype(variant)?;
                quote! {
                    let app = <#ty as ::structopt::StructOptInternal>::augment_clap(app);
                }
            }
            Role::Plain | Role::Subcommand => {
                let command = quote!(subcommand);
                let (calls, version) = (item.command_calls(), item.version_call());
                let described = match &variant.fields {
                    Fields::Named(fields) => {
                        let fields = args::arguments(fields, item, env)?;
                        args::augmentation(&fields, item, &command)
                    }
                    Fields::Unit => quote!(#command #calls #version),
                    Fields::Unnamed(_) => {
                        let inner = args::delegated(newtype(variant)?, &command);
                        quote!({ let #command = #inner; #command #calls #version })
                    }
                };
                let name = item.cased_name();
                quote! {
                    let app = app.subcommand({
                        let #command = ::structopt::clap::SubCommand::with_name(#name);
                        #described
                    });
                }
            }
        });
    }
    let (calls, version) = (parent.command_calls(), parent.version_call());
    Ok(quote! {
        fn augment_clap<'a, 'b>(
            app: ::structopt::clap::App<'a, 'b>
        ) -> ::structopt::clap::App<'a, 'b> {
            let app = app #calls;
            #(#additions)*
            app #version
        }
    })
}

/// `from_subcommand`: which variant the user chose.
pub(super) fn from_subcommand(
    ident: &Ident,
    variants: &[Command<'_>],
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let mut arms = Vec::new();
    let mut flattened = Vec::new();
    let mut otherwise = quote!(None);
    for (variant, item) in variants {
        let variant_name = &variant.ident;
        match &item.role {
            Role::Skip(_) => {}
            Role::External => otherwise = external(ident, variant)?,
            Role::Flatten => {
                let ty = newtype(variant)?;
                flattened.push(quote! {
                    if let Some(res) =
                        <#ty as ::structopt::StructOptInternal>::from_subcommand(other)
                    {
                        return Some(#ident::#variant_name(res));
                    }
                });
            }
            Role::Plain | Role::Subcommand => {
                let constructor = match &variant.fields {
                    Fields::Named(fields) => {
                        args::constructor(&args::arguments(fields, item, env)?)?
                    }
                    Fields::Unit => TokenStream::new(),
                    Fields::Unnamed(_) => {
                        let ty = newtype(variant)?;
                        quote!((<#ty as ::structopt::StructOpt>::from_clap(matches)))
                    }
                };
                let name = item.cased_name();
                arms.push(quote! {
                    (#name, Some(matches)) => Some(#ident::#variant_name #constructor),
                });
            }
        }
    }
    Ok(quote! {
        fn from_subcommand<'a, 'b>(
            sub: (&'b str, Option<&'b ::structopt::clap::ArgMatches<'a>>)
        ) -> Option<Self> {
            match sub {
                #(#arms)*
                other => {
                    #(#flattened)else*
                    #otherwise
                }
            }
        }
    })
}

/// The variant that takes whatever subcommand is not known.
fn external(ident: &Ident, variant: &Variant) -> syn::Result<TokenStream> {
    let name = &variant.ident;
    let ty = argument_of(newtype(variant)?, "Vec")
        .ok_or_else(|| syn::Error::new_spanned(variant, "expected a `Vec` in this variant"))?;
    let (text, values) = if is_named(ty, "String") {
        (quote!(::std::string::String), quote!(values_of))
    } else {
        (quote!(::std::ffi::OsString), quote!(values_of_os))
    };
    Ok(quote! {
        match other {
            ("", ::std::option::Option::None) => None,
            (external, Some(matches)) => ::std::option::Option::Some(#ident::#name(
                ::std::iter::once(#text::from(external))
                    .chain(matches.#values("").into_iter().flatten().map(#text::from))
                    .collect::<::std::vec::Vec<_>>()
            )),
            (external, None) => ::std::option::Option::Some(#ident::#name(
                ::std::iter::once(#text::from(external)).collect::<::std::vec::Vec<_>>()
            )),
        }
    })
}

fn newtype(variant: &Variant) -> syn::Result<&Type> {
    match (&variant.fields, variant.fields.iter().next()) {
        (Fields::Unnamed(fields), Some(field)) if fields.unnamed.len() == 1 => Ok(&field.ty),
        _ => Err(syn::Error::new_spanned(
            variant,
            "expected a newtype variant",
        )),
    }
}
