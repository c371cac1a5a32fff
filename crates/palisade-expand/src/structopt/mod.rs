//! `structopt-derive` 0.4: `StructOpt`.
//!
//! The predecessor of `clap_derive`: attributes become calls of clap 2's
//! builder, and what a field needs beyond them follows from the shape of its
//! type and from its parser.

mod args;
mod item;
pub(crate) mod parser;
mod subcommand;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Fields, GenericParam, TypeParamBound, WherePredicate};

use self::item::{Env, Item};
use crate::Invocation;
use crate::clap::casing::Name;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("structopt-derive", "StructOpt", structopt)];

/// `#[derive(StructOpt)]`
fn structopt(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let env: Env<'_> = invocation.env;
    let package = env("CARGO_PKG_NAME").unwrap_or_default();
    let item = Item::container(&input.attrs, Name::Given(package.into_token_stream()), env)?;
    let name = item.cased_name();
    let (setting, from_clap, internal) = match &input.data {
        Data::Struct(data) => {
            let Fields::Named(fields) = &data.fields else {
                return Err(Refusal::new("`StructOpt` needs named fields"));
            };
            let ident = &input.ident;
            let fields = args::arguments(fields, &item, env)?;
            let constructor = args::constructor(&fields)?;
            let augmentation = args::augmentation(&fields, &item, &quote!(app));
            let internal = quote! {
                fn augment_clap<'a, 'b>(
                    app: ::structopt::clap::App<'a, 'b>
                ) -> ::structopt::clap::App<'a, 'b> {
                    #augmentation
                }
                fn is_subcommand() -> bool { false }
            };
            (None, quote!(#ident #constructor), internal)
        }
        Data::Enum(data) => {
            let variants = subcommand::variants(data, &item, env)?;
            let augment = subcommand::augment(&variants, &item, env)?;
            let from_subcommand = subcommand::from_subcommand(&input.ident, &variants, env)?;
            let from_clap = quote! {
                <Self as ::structopt::StructOptInternal>::from_subcommand(matches.subcommand())
                    .expect("structopt misuse: You likely tried to #[flatten] a struct that contains #[subcommand]. This is forbidden.")
            };
            let internal = quote! {
                #augment
                #from_subcommand
                fn is_subcommand() -> bool { true }
            };
            let setting =
                quote!(.setting(::structopt::clap::AppSettings::SubcommandRequiredElseHelp));
            (Some(setting), from_clap, internal)
        }
        Data::Union(_) => return Err(Refusal::new("`StructOpt` needs a struct or an enum")),
    };
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    bound_internal(&mut generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let paw = env("feature:paw").is_some().then(|| {
        quote! {
            impl #impl_generics ::structopt::paw::ParseArgs for #ident #ty_generics #where_clause {
                type Error = std::io::Error;
                fn parse_args() -> std::result::Result<Self, Self::Error> {
                    Ok(<#ident as ::structopt::StructOpt>::from_args())
                }
            }
        }
    });
    Ok(quote! {
        #[allow(unused_variables, dead_code, unreachable_code)]
        impl #impl_generics ::structopt::StructOpt for #ident #ty_generics #where_clause {
            fn clap<'a, 'b>() -> ::structopt::clap::App<'a, 'b> {
                let app = ::structopt::clap::App::new(#name) #setting;
                <Self as ::structopt::StructOptInternal>::augment_clap(app)
            }
            fn from_clap(matches: &::structopt::clap::ArgMatches) -> Self {
                #from_clap
            }
        }

        #[allow(unused_variables, dead_code, unreachable_code)]
        impl #impl_generics ::structopt::StructOptInternal for #ident #ty_generics #where_clause {
            #internal
        }

        #paw
    })
}

/// Whatever is bounded by `StructOpt` needs the hidden half of that trait too.
fn bound_internal(generics: &mut syn::Generics) {
    let is_bounded = |bounds: &syn::punctuated::Punctuated<TypeParamBound, _>| {
        bounds.iter().any(|bound: &TypeParamBound| {
            let TypeParamBound::Trait(bound) = bound else {
                return false;
            };
            let last = bound.path.segments.last();
            last.is_some_and(|last| last.ident == "StructOpt")
        })
    };
    let mut bounded: Vec<TokenStream> = Vec::new();
    for param in &generics.params {
        if let GenericParam::Type(param) = param
            && is_bounded(&param.bounds)
        {
            bounded.push(param.ident.to_token_stream());
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|it| &it.predicates) {
        if let WherePredicate::Type(predicate) = predicate
            && is_bounded(&predicate.bounds)
        {
            bounded.push(predicate.bounded_ty.to_token_stream());
        }
    }
    if bounded.is_empty() {
        return;
    }
    let clause = generics.make_where_clause();
    for ty in bounded {
        clause
            .predicates
            .push(syn::parse_quote!(#ty: ::structopt::StructOptInternal));
    }
}
