//! Fields as arguments: what describes them, and what reads them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Field, FieldsNamed, Type};

use super::item::{Env, Item, Role, Shape};
use super::parser::Source;
use crate::clap::shape::{argument_of, delegate_type, value_type};

/// A field with what its attributes say.
pub(super) type Argument<'f> = (&'f Field, Item);

/// The fields of a struct, or of a variant, with their attributes.
pub(super) fn arguments<'f>(
    fields: &'f FieldsNamed,
    parent: &Item,
    env: Env<'_>,
) -> syn::Result<Vec<Argument<'f>>> {
    fields
        .named
        .iter()
        .map(|field| Ok((field, Item::field(field, parent, env)?)))
        .collect()
}

/// A block that adds the arguments to the command in the variable `app`.
pub(super) fn augmentation(
    fields: &[Argument<'_>],
    parent: &Item,
    app: &TokenStream,
) -> TokenStream {
    let mut additions = Vec::new();
    let mut subcommands = None;
    for (field, item) in fields {
        match &item.role {
            Role::Plain => additions.push(argument(field, item, app)),
            Role::Flatten => {
                let ty = &field.ty;
                let augmented = delegated(ty, app);
                additions.push(quote!(let #app = #augmented;));
            }
            Role::Subcommand => {
                let ty = delegate_type(&field.ty);
                let required = argument_of(&field.ty, "Option").is_none().then(|| {
                    quote! {
                        let #app = #app.setting(
                            ::structopt::clap::AppSettings::SubcommandRequiredElseHelp
                        );
                    }
                });
                subcommands = Some(quote! {
                    let #app = <#ty as ::structopt::StructOptInternal>::augment_clap(#app);
                    #required
                });
            }
            Role::Skip(_) | Role::External => {}
        }
    }
    let (calls, version) = (parent.command_calls(), parent.version_call());
    quote! {{
        let #app = #app #calls;
        #(#additions)*
        #subcommands
        #app #version
    }}
}

/// An expression that adds to the command what a type of its own describes.
pub(super) fn delegated(ty: &Type, app: &TokenStream) -> TokenStream {
    quote! {{
        let #app = <#ty as ::structopt::StructOptInternal>::augment_clap(#app);
        if <#ty as ::structopt::StructOptInternal>::is_subcommand() {
            #app.setting(::structopt::clap::AppSettings::SubcommandRequiredElseHelp)
        } else {
            #app
        }
    }}
}

fn argument(field: &Field, item: &Item, app: &TokenStream) -> TokenStream {
    let ty = value_type_of(field, item);
    let function = &item.parser.function;
    let validator = match item.parser.source {
        Source::TryStr => Some(quote! {
            .validator(|s| {
                #function(s.as_str())
                    .map(|_: #ty| ())
                    .map_err(|e| e.to_string())
            })
        }),
        Source::TryOsStr => Some(quote! {
            .validator_os(|s| #function(&s).map(|_: #ty| ()))
        }),
        Source::Str | Source::OsStr | Source::Occurrences | Source::Flag => None,
    };
    let implied = if item.is_switch(&field.ty) {
        quote!(.takes_value(false).multiple(false))
    } else {
        match (item.shape(&field.ty), item.parser.source) {
            (Shape::Option, _) => quote!(.takes_value(true).multiple(false) #validator),
            (Shape::OptionOption, _) => quote! {
                .takes_value(true)
                .multiple(false)
                .min_values(0)
                .max_values(1)
                #validator
            },
            (Shape::OptionVec, _) => {
                quote!(.takes_value(true).multiple(true).min_values(0) #validator)
            }
            (Shape::Vec, _) => quote!(.takes_value(true).multiple(true) #validator),
            (_, Source::Occurrences) => quote!(.takes_value(false).multiple(true)),
            (_, Source::Flag) => quote!(.takes_value(false).multiple(false)),
            _ => {
                let required = !item.has_default();
                quote!(.takes_value(true).multiple(false).required(#required) #validator)
            }
        }
    };
    let (name, calls) = (item.cased_name(), item.argument_calls());
    quote! {
        let #app = #app.arg(::structopt::clap::Arg::with_name(#name) #implied #calls);
    }
}

/// `{ field: value, .. }`, each value read from `matches`.
pub(super) fn constructor(fields: &[Argument<'_>]) -> syn::Result<TokenStream> {
    let mut values = Vec::new();
    for (field, item) in fields {
        let name = &field.ident;
        let value = match &item.role {
            Role::Plain => value(field, item)?,
            Role::Flatten => quote!(::structopt::StructOpt::from_clap(matches)),
            Role::Subcommand => {
                let ty = delegate_type(&field.ty);
                let unwrap = argument_of(&field.ty, "Option")
                    .is_none()
                    .then(|| quote!(.unwrap()));
                quote! {
                    <#ty as ::structopt::StructOptInternal>::from_subcommand(matches.subcommand())
                        #unwrap
                }
            }
            Role::Skip(None) => quote!(Default::default()),
            Role::Skip(Some(value)) => quote!((#value).into()),
            Role::External => {
                return Err(syn::Error::new_spanned(
                    field,
                    "`external_subcommand` is not a role of a field",
                ));
            }
        };
        values.push(quote!(#name: #value));
    }
    Ok(quote!({ #(#values),* }))
}

/// The expression that reads a field's value.
fn value(field: &Field, item: &Item) -> syn::Result<TokenStream> {
    let name = item.cased_name();
    if item.is_switch(&field.ty) {
        return Ok(quote!(matches.is_present(#name)));
    }
    let shape = item.shape(&field.ty);
    let function = &item.parser.function;
    let (one, many, parse) = match item.parser.source {
        Source::Str => (quote!(value_of), quote!(values_of), quote!(#function)),
        Source::TryStr => (
            quote!(value_of),
            quote!(values_of),
            quote!(|s| #function(s).unwrap()),
        ),
        Source::OsStr => (quote!(value_of_os), quote!(values_of_os), quote!(#function)),
        Source::TryOsStr => (
            quote!(value_of_os),
            quote!(values_of_os),
            quote!(|s| #function(s).unwrap()),
        ),
        Source::Occurrences | Source::Flag
            if matches!(shape, Shape::Option | Shape::OptionVec | Shape::Vec) =>
        {
            return Err(syn::Error::new_spanned(
                field,
                "a type of this shape cannot be read from a flag",
            ));
        }
        Source::Occurrences => return Ok(quote!(#function(matches.occurrences_of(#name)))),
        Source::Flag => return Ok(quote!(#function(matches.is_present(#name)))),
    };
    let ty = value_type_of(field, item);
    let collected = quote! {
        matches.#many(#name).map_or_else(Vec::new, |v| v.map::<#ty, _>(#parse).collect())
    };
    Ok(match shape {
        Shape::Option => quote!(matches.#one(#name).map(#parse)),
        Shape::OptionOption => quote! {
            if matches.is_present(#name) {
                Some(matches.#one(#name).map(#parse))
            } else {
                None
            }
        },
        Shape::OptionVec => quote! {
            if matches.is_present(#name) {
                Some(#collected)
            } else {
                None
            }
        },
        Shape::Vec => collected,
        Shape::Unit | Shape::Other => quote!(matches.#one(#name).map(#parse).unwrap()),
    })
}

/// The type of one value, as the parser returns it.
fn value_type_of<'f>(field: &'f Field, item: &Item) -> &'f Type {
    match item.shape(&field.ty) {
        Shape::Unit | Shape::Other => &field.ty,
        _ => value_type(&field.ty),
    }
}
