//! The code behind a struct of arguments: `Args` and `FromArgMatches`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Field, Generics};

use super::casing::Name;
use super::item::{Item, Role};
use super::shape::{Shape, delegate_type, value_type};

/// A field with what its attributes say.
pub(super) type Argument<'f> = (&'f Field, Item);

/// `FromArgMatches` and `Args` for the struct `ident`.
pub(super) fn impls(
    item: &Item,
    ident: &Ident,
    generics: &Generics,
    fields: &[Argument<'_>],
) -> syn::Result<TokenStream> {
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let constructor = constructor(fields)?;
    let updater = updater(fields, true)?;
    let app = format_ident!("__clap_app");
    let augment = augment(fields, &app, item, false)?;
    let augment_for_update = self::augment(fields, &app, item, true)?;
    let (first, last) = (item.first_calls(), item.last_calls());
    let group = match &item.group {
        Some(id) => quote!(Some(clap::Id::from(#id))),
        None => quote!(None),
    };
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics clap::FromArgMatches for #ident #ty_generics #where_clause {
            fn from_arg_matches(__clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }

            fn from_arg_matches_mut(__clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                let v = #ident #constructor;
                ::std::result::Result::Ok(v)
            }

            fn update_from_arg_matches(&mut self, __clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                self.update_from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }

            fn update_from_arg_matches_mut(&mut self, __clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                #updater
                ::std::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl #impl_generics clap::Args for #ident #ty_generics #where_clause {
            fn group_id() -> Option<clap::Id> {
                #group
            }
            fn augment_args<'b>(mut #app: clap::Command) -> clap::Command {
                #app = #app #first;
                #app = #augment;
                #app #last
            }
            fn augment_args_for_update<'b>(mut #app: clap::Command) -> clap::Command {
                #app = #app #first;
                #app = #augment_for_update;
                #app #last
            }
        }
    })
}

/// A block that adds the group and the arguments of `fields` to the command `app`.
pub(super) fn augment(
    fields: &[Argument<'_>],
    app: &Ident,
    parent: &Item,
    update: bool,
) -> syn::Result<TokenStream> {
    let mut additions = Vec::new();
    for (field, item) in fields {
        let delegate = delegate_type(&field.ty);
        let optional = Shape::of(&field.ty) == Shape::Option;
        additions.push(match &item.role {
            Role::Arg => argument(field, item, app, update),
            Role::Subcommand => {
                let required = (!optional)
                    .then(|| quote!(.subcommand_required(true).arg_required_else_help(true)));
                let relaxed = update
                    .then(|| quote!(.subcommand_required(false).arg_required_else_help(false)));
                quote! {
                    #app = <#delegate as clap::Subcommand>::augment_subcommands(#app);
                    #app = #app #required #relaxed;
                }
            }
            Role::Flatten => {
                let assert_group = optional.then(|| {
                    quote! {
                        let _ = <#delegate as clap::Args>::group_id()
                            .expect("cannot `#[flatten]` an `Option<Args>` with `#[group(skip)]`");
                    }
                });
                let calls = item.flatten_calls();
                let method = if update {
                    format_ident!("augment_args_for_update")
                } else {
                    format_ident!("augment_args")
                };
                quote! {
                    #assert_group
                    #app = #app #calls;
                    #app = <#delegate as clap::Args>::#method(#app);
                }
            }
            Role::Command | Role::Value | Role::FromGlobal | Role::Skip(_) | Role::External => {
                TokenStream::new()
            }
        });
    }
    let group = parent.group.as_ref().map(|id| group(id, parent, fields));
    Ok(quote! {{
        #app = #app #group;
        #(#additions)*
        #app
    }})
}

/// The group that holds a struct's own arguments; a struct with flattened
/// parts has an empty one.
fn group(id: &Name, parent: &Item, fields: &[Argument<'_>]) -> TokenStream {
    let calls = &parent.group_calls;
    let flattens = fields
        .iter()
        .any(|(_, item)| matches!(item.role, Role::Flatten));
    let members: Vec<_> = fields
        .iter()
        .filter(|(_, item)| !flattens && matches!(item.role, Role::Arg))
        .map(|(_, item)| &item.name)
        .collect();
    let count = members.len();
    quote! {
        .group(
            clap::ArgGroup::new(#id)
                .multiple(true)
                #(#calls)*
                .args({
                    let members: [clap::Id; #count] = [#(clap::Id::from(#members)),*];
                    members
                })
        )
    }
}

fn argument(field: &Field, item: &Item, app: &Ident, update: bool) -> TokenStream {
    let id = &item.name;
    let value_name = item.value_name();
    let value_parser = item.value_parser(&field.ty);
    let action = item.action(&field.ty);
    let implied = match Shape::of(&field.ty) {
        // A value parser for `()` would never succeed.
        Shape::Unit => quote!(.value_name(#value_name) #action),
        Shape::Option => quote!(.value_name(#value_name) #value_parser #action),
        Shape::OptionOption => {
            quote!(.value_name(#value_name).num_args(0..=1) #value_parser #action)
        }
        Shape::Vec | Shape::OptionVec => {
            let many = item.positional.then(|| quote!(.num_args(1..)));
            quote!(.value_name(#value_name) #many #value_parser #action)
        }
        Shape::Other => {
            let required = !item.has_default();
            let takes = &action.args;
            quote! {
                .value_name(#value_name)
                .required(#required && #takes.takes_values())
                #value_parser
                #action
            }
        }
    };
    let calls = item.last_calls();
    let relaxed = update.then(|| quote!(.required(false)));
    quote! {
        #app = #app.arg({
            #[allow(deprecated)]
            let mut arg = clap::Arg::new(#id) #implied;
            arg = arg #calls;
            arg = arg #relaxed;
            arg
        });
    }
}

/// `{ field: value, .. }`, each value taken out of the matches.
pub(super) fn constructor(fields: &[Argument<'_>]) -> syn::Result<TokenStream> {
    let mut values = Vec::new();
    for (field, item) in fields {
        let name = &field.ident;
        let ty = delegate_type(&field.ty);
        let optional = Shape::of(&field.ty) == Shape::Option;
        let value = match &item.role {
            Role::Arg | Role::FromGlobal => taken(field, item),
            Role::Skip(None) => quote!(Default::default()),
            Role::Skip(Some(value)) => quote!((#value).into()),
            Role::Subcommand if optional => quote! {{
                if __clap_arg_matches
                    .subcommand_name()
                    .map(<#ty as clap::Subcommand>::has_subcommand)
                    .unwrap_or(false)
                {
                    Some(<#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?)
                } else {
                    None
                }
            }},
            Role::Flatten if optional => quote! {{
                let group_id = <#ty as clap::Args>::group_id()
                    .expect("asserted during `Arg` creation");
                if __clap_arg_matches.contains_id(group_id.as_str()) {
                    Some(<#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?)
                } else {
                    None
                }
            }},
            Role::Subcommand | Role::Flatten => quote! {
                <#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?
            },
            Role::Command | Role::Value | Role::External => return Err(misplaced(field)),
        };
        values.push(quote!(#name: #value));
    }
    Ok(quote!({ #(#values),* }))
}

/// Statements that overwrite the fields which the matches mention.
pub(super) fn updater(fields: &[Argument<'_>], through_self: bool) -> syn::Result<TokenStream> {
    let mut updates = Vec::new();
    for (field, item) in fields {
        let name = &field.ident;
        let ty = delegate_type(&field.ty);
        let access = through_self.then(|| {
            quote! {
                #[allow(non_snake_case)]
                let #name = &mut self.#name;
            }
        });
        updates.push(match &item.role {
            Role::Arg | Role::FromGlobal => {
                let (id, value) = (&item.name, taken(field, item));
                quote! {
                    if __clap_arg_matches.contains_id(#id) {
                        #access
                        *#name = #value
                    }
                }
            }
            Role::Subcommand | Role::Flatten => {
                let update = quote! {
                    <#ty as clap::FromArgMatches>::update_from_arg_matches_mut(#name, __clap_arg_matches)?;
                };
                let update = if Shape::of(&field.ty) == Shape::Option {
                    quote! {
                        if let Some(#name) = #name.as_mut() {
                            #update
                        } else {
                            *#name = Some(
                                <#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?
                            );
                        }
                    }
                } else {
                    update
                };
                quote!({ #access #update })
            }
            Role::Skip(_) => TokenStream::new(),
            Role::Command | Role::Value | Role::External => return Err(misplaced(field)),
        });
    }
    Ok(quote!(#(#updates)*))
}

/// The expression that removes a field's value from the matches.
fn taken(field: &Field, item: &Item) -> TokenStream {
    let id = &item.name;
    let ty = value_type(&field.ty);
    match Shape::of(&field.ty) {
        Shape::Unit => quote!(()),
        Shape::Option => quote!(__clap_arg_matches.remove_one::<#ty>(#id)),
        Shape::OptionOption => quote! {
            if __clap_arg_matches.contains_id(#id) {
                Some(__clap_arg_matches.remove_one::<#ty>(#id))
            } else {
                None
            }
        },
        Shape::OptionVec => quote! {
            if __clap_arg_matches.contains_id(#id) {
                Some(
                    __clap_arg_matches
                        .remove_many::<#ty>(#id)
                        .map(|v| v.collect::<Vec<_>>())
                        .unwrap_or_else(Vec::new)
                )
            } else {
                None
            }
        },
        Shape::Vec => quote! {
            __clap_arg_matches
                .remove_many::<#ty>(#id)
                .map(|v| v.collect::<Vec<_>>())
                .unwrap_or_else(Vec::new)
        },
        Shape::Other => {
            let text = match id {
                Name::Given(_) => quote! {
                    format!("the following required argument was not provided: {}", #id)
                },
                Name::Derived(_) => quote! {
                    concat!("the following required argument was not provided: ", #id)
                },
            };
            quote! {
                __clap_arg_matches.remove_one::<#ty>(#id).ok_or_else(|| {
                    clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, #text)
                })?
            }
        }
    }
}

fn misplaced(field: &Field) -> syn::Error {
    syn::Error::new_spanned(field, "this role is not one of a field")
}
