//! The code behind a struct of arguments: `Args` and `FromArgMatches`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Field, Fields};

use super::item::{Era, Item, Role};
use crate::clap::shape::{Shape, argument_of, delegate_type, value_type};
use crate::structopt::parser::Source;

/// A field with what its attributes say.
pub(super) type Argument<'f> = (&'f Field, Item);

/// The fields of a struct, or of a variant, with their attributes.
pub(super) fn arguments<'f>(
    fields: &'f Fields,
    parent: &Item,
    era: Era<'_>,
) -> syn::Result<Vec<Argument<'f>>> {
    fields
        .iter()
        .map(|field| Ok((field, Item::field(field, parent, era)?)))
        .collect()
}

/// `FromArgMatches` and `Args` for a struct.
pub(super) fn impls(
    input: &DeriveInput,
    parent: &Item,
    fields: &[Argument<'_>],
    era: Era<'_>,
) -> syn::Result<TokenStream> {
    let (ident, command) = (&input.ident, era.command());
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let constructor = constructor(fields, era)?;
    let from_matches = quote! {
        let v = #ident #constructor;
        ::std::result::Result::Ok(v)
    };
    let functions = era.functions(&from_matches, &updater(fields, true, era)?);
    let app = quote!(__clap_app);
    let augment = augment(fields, &app, parent, false, era);
    let augment_for_update = self::augment(fields, &app, parent, true, era);
    Ok(quote! {
        #[allow(deprecated)]
        impl #impl_generics clap::FromArgMatches for #ident #ty_generics #where_clause {
            #functions
        }

        #[allow(deprecated)]
        impl #impl_generics clap::Args for #ident #ty_generics #where_clause {
            fn augment_args<'b>(#app: #command<'b>) -> #command<'b> {
                #augment
            }
            fn augment_args_for_update<'b>(#app: #command<'b>) -> #command<'b> {
                #augment_for_update
            }
        }
    })
}

/// A block that adds the arguments of `fields` to the command `app`.
pub(super) fn augment(
    fields: &[Argument<'_>],
    app: &TokenStream,
    parent: &Item,
    update: bool,
    era: Era<'_>,
) -> TokenStream {
    let mut additions = Vec::new();
    let mut subcommands = None;
    for (field, item) in fields {
        match &item.role {
            Role::Plain => additions.push(argument(field, item, app, update, era)),
            Role::Flatten => {
                let (ty, calls) = (&field.ty, item.first_calls());
                let method = if update {
                    quote!(augment_args_for_update)
                } else {
                    quote!(augment_args)
                };
                let augmented = quote!(<#ty as clap::Args>::#method);
                additions.push(era.under_heading(app, &calls, &augmented));
            }
            Role::Subcommand => {
                let ty = delegate_type(&field.ty);
                let is_optional = argument_of(&field.ty, "Option").is_some();
                let required = (!update && !is_optional).then(|| {
                    quote! {
                        let #app = #app.setting(clap::AppSettings::SubcommandRequiredElseHelp);
                    }
                });
                let method = if update {
                    quote!(augment_subcommands_for_update)
                } else {
                    quote!(augment_subcommands)
                };
                subcommands = Some(quote! {
                    let #app = <#ty as clap::Subcommand>::#method(#app);
                    #required
                });
            }
            Role::Skip(_) | Role::External | Role::FromGlobal => {}
        }
    }
    let (first, last) = (parent.first_calls(), parent.last_calls());
    quote! {{
        let #app = #app #first;
        #(#additions)*
        #subcommands
        #app #last
    }}
}

fn argument(
    field: &Field,
    item: &Item,
    app: &TokenStream,
    update: bool,
    era: Era<'_>,
) -> TokenStream {
    let ty = value_type(&field.ty);
    let shape = item.shape(&field.ty);
    let parser = item.parser_for(&field.ty);
    let function = &parser.function;
    let is_parsed = item.is_parsed(era);
    let validator = match parser.source {
        _ if is_parsed || item.is_enum => None,
        Source::TryStr => Some(quote!(.validator(|s| #function(s).map(|_: #ty| ())))),
        Source::TryOsStr => Some(quote!(.validator_os(|s| #function(s).map(|_: #ty| ())))),
        Source::Str | Source::OsStr | Source::Occurrences | Source::Flag => None,
    };
    let invalid_utf8 = match parser.source {
        Source::OsStr | Source::TryOsStr if !era.is_typed && !item.is_enum => {
            Some(quote!(.allow_invalid_utf8(true)))
        }
        _ => None,
    };
    let possible_values = (item.is_enum && !is_parsed).then(|| {
        let value_enum = era.value_enum();
        quote! {
            .possible_values(
                <#ty as #value_enum>::value_variants()
                    .iter()
                    .filter_map(#value_enum::to_possible_value)
            )
        }
    });
    let (value_parser, action) = (
        item.value_parser(&field.ty, era),
        item.action(&field.ty, era),
    );
    let value_name = item.value_name();
    let value = quote!(.takes_value(true).value_name(#value_name));
    let checks = quote!(#possible_values #validator #value_parser #action #invalid_utf8);
    let implied = match (shape, parser.source) {
        (Shape::Option, _) => quote!(#value #checks),
        (Shape::OptionOption, _) => quote! {
            #value.min_values(0).max_values(1).multiple_values(false) #checks
        },
        (Shape::OptionVec | Shape::Vec, _) => {
            let many = if !is_parsed {
                Some(quote!(.multiple_occurrences(true)))
            } else if item.positional {
                Some(quote!(.multiple_values(true)))
            } else {
                None
            };
            quote!(#value #many #checks)
        }
        (_, Source::Occurrences) if !is_parsed => quote!(.multiple_occurrences(true)),
        (_, Source::Flag) if !is_parsed && era.is_typed => quote!(.takes_value(false)),
        // Before 3.2, a switch without a parser of its own asks for nothing.
        (_, Source::Flag) if !is_parsed => {
            let takes_none = item.parser.is_some().then(|| quote!(.takes_value(false)));
            quote!(#takes_none)
        }
        _ => {
            let required = !item.has_default() && !update;
            let takes = action.as_ref().map(|action| {
                let action = &action.args;
                quote!(&& #action.takes_values())
            });
            quote!(#value.required(#required #takes) #checks)
        }
    };
    let deprecation = item
        .parser
        .as_ref()
        .filter(|_| era.is_typed && (era.env)("feature:deprecated").is_some())
        .map(|parser| deprecated(parser.source));
    let (id, calls) = (item.id(era), item.field_calls());
    quote! {
        let #app = #app.arg({
            #deprecation
            #[allow(deprecated)]
            let arg = clap::Arg::new(#id) #implied;
            let arg = arg #calls;
            arg
        });
    }
}

/// The empty function whose call makes the compiler warn of `parse(..)`.
fn deprecated(source: Source) -> TokenStream {
    let name = match source {
        Source::Str => quote!(parse_from_str),
        Source::TryStr => quote!(parse_try_from_str),
        Source::OsStr => quote!(parse_from_os_str),
        Source::TryOsStr => quote!(parse_try_from_os_str),
        Source::Occurrences => quote!(parse_from_occurrences),
        Source::Flag => quote!(parse_from_flag),
    };
    quote! {
        fn #name() {}
        #name();
    }
}

/// `{ field: value, .. }`, each value read from the matches.
pub(super) fn constructor(fields: &[Argument<'_>], era: Era<'_>) -> syn::Result<TokenStream> {
    let from = era.reader();
    let mut values = Vec::new();
    for (field, item) in fields {
        let name = &field.ident;
        let value = match &item.role {
            Role::Plain | Role::FromGlobal => value(field, item, false, era)?,
            Role::Subcommand => {
                let ty = delegate_type(&field.ty);
                let delegated = quote!(<#ty as clap::FromArgMatches>::#from(__clap_arg_matches)?);
                if argument_of(&field.ty, "Option").is_some() {
                    quote! {{
                        if __clap_arg_matches
                            .subcommand_name()
                            .map(<#ty as clap::Subcommand>::has_subcommand)
                            .unwrap_or(false)
                        {
                            Some(#delegated)
                        } else {
                            None
                        }
                    }}
                } else {
                    delegated
                }
            }
            Role::Flatten => quote!(clap::FromArgMatches::#from(__clap_arg_matches)?),
            Role::Skip(None) => quote!(Default::default()),
            Role::Skip(Some(value)) => quote!((#value).into()),
            Role::External => return Err(misplaced(field)),
        };
        values.push(quote!(#name: #value));
    }
    Ok(quote!({ #(#values),* }))
}

/// Statements that overwrite the fields which the matches mention.
pub(super) fn updater(
    fields: &[Argument<'_>],
    through_self: bool,
    era: Era<'_>,
) -> syn::Result<TokenStream> {
    let (from, update) = (era.reader(), era.updater());
    let mut updates = Vec::new();
    for (field, item) in fields {
        let name = &field.ident;
        let access = through_self.then(|| {
            quote! {
                #[allow(non_snake_case)]
                let #name = &mut self.#name;
            }
        });
        updates.push(match &item.role {
            Role::Plain | Role::FromGlobal => {
                let (id, value) = (item.id(era), value(field, item, true, era)?);
                let contains = if era.is_typed {
                    quote!(contains_id)
                } else {
                    quote!(is_present)
                };
                quote! {
                    if __clap_arg_matches.#contains(#id) {
                        #access
                        *#name = #value
                    }
                }
            }
            Role::Subcommand => {
                let ty = delegate_type(&field.ty);
                let updated = quote! {
                    <#ty as clap::FromArgMatches>::#update(#name, __clap_arg_matches)?;
                };
                let updated = if argument_of(&field.ty, "Option").is_some() {
                    quote! {
                        if let Some(#name) = #name.as_mut() {
                            #updated
                        } else {
                            *#name = Some(
                                <#ty as clap::FromArgMatches>::#from(__clap_arg_matches)?
                            );
                        }
                    }
                } else {
                    updated
                };
                quote!({ #access #updated })
            }
            Role::Flatten => quote!({
                #access
                clap::FromArgMatches::#update(#name, __clap_arg_matches)?;
            }),
            Role::Skip(_) => TokenStream::new(),
            Role::External => return Err(misplaced(field)),
        });
    }
    Ok(quote!(#(#updates)*))
}

/// The expression that reads a field's value from the matches.
fn value(field: &Field, item: &Item, update: bool, era: Era<'_>) -> syn::Result<TokenStream> {
    let (id, name) = (item.id(era), &field.ident);
    let ty = value_type(&field.ty);
    let shape = item.shape(&field.ty);
    let parser = item.parser_for(&field.ty);
    let function = &parser.function;
    let matches = quote!(__clap_arg_matches);
    let is_parsed = item.is_parsed(era);
    if !is_parsed && matches!(parser.source, Source::Occurrences | Source::Flag) {
        if matches!(shape, Shape::Option | Shape::Vec | Shape::OptionVec) {
            return Err(syn::Error::new_spanned(
                field,
                "a type of this shape cannot be read from a flag",
            ));
        }
        if parser.source == Source::Occurrences {
            return Ok(quote!(#function(#matches.occurrences_of(#id))));
        }
        let is_bool = crate::clap::shape::is_named(&field.ty, "bool");
        // Before 3.2, switches with a parser are overwritten, and those without are not parsed.
        let has_own = item.parser.is_some() && !era.is_typed;
        return Ok(if is_bool && update && !has_own {
            quote!(*#name || #matches.is_present(#id))
        } else if is_bool && !era.is_typed && !has_own {
            quote!(#matches.is_present(#id))
        } else {
            quote!(#function(#matches.is_present(#id)))
        });
    }
    let is_os = matches!(parser.source, Source::OsStr | Source::TryOsStr);
    let (one, many) = match (era.is_typed, is_parsed, is_os) {
        (true, true, _) => (quote!(remove_one::<#ty>), quote!(remove_many::<#ty>)),
        (true, false, false) => (quote!(get_one::<String>), quote!(get_many::<String>)),
        (true, false, true) => (
            quote!(get_one::<::std::ffi::OsString>),
            quote!(get_many::<::std::ffi::OsString>),
        ),
        (false, _, false) => (quote!(value_of), quote!(values_of)),
        (false, _, true) => (quote!(value_of_os), quote!(values_of_os)),
    };
    let invalid = quote! {
        .map_err(|err| clap::Error::raw(
            clap::ErrorKind::ValueValidation,
            format!("Invalid value for {}: {}", #id, err)
        ))
    };
    let parse = if is_parsed {
        quote!(|s| ::std::result::Result::Ok::<_, clap::Error>(s))
    } else if item.is_enum {
        let (value_enum, ignore_case) = (era.value_enum(), item.ignore_case());
        quote!(|s| <#ty as #value_enum>::from_str(s, #ignore_case) #invalid)
    } else if matches!(parser.source, Source::Str | Source::OsStr) {
        quote!(|s| ::std::result::Result::Ok::<_, clap::Error>(#function(s)))
    } else {
        quote!(|s| #function(s) #invalid)
    };
    let deref = era.is_typed.then(|| {
        if is_parsed {
            quote!(.map(|s| s))
        } else {
            quote!(.map(|s| ::std::ops::Deref::deref(s)))
        }
    });
    let contains = if era.is_typed {
        quote!(contains_id)
    } else {
        quote!(is_present)
    };
    let collected = quote! {
        #matches.#many(#id)
            .map(|v| {
                v #deref
                    .map::<::std::result::Result<#ty, clap::Error>, _>(#parse)
                    .collect::<::std::result::Result<Vec<_>, clap::Error>>()
            })
            .transpose()?
            .unwrap_or_else(Vec::new)
    };
    let optional = quote!(#matches.#one(#id) #deref.map(#parse).transpose()?);
    Ok(match shape {
        Shape::Option => optional,
        Shape::OptionOption => quote! {
            if #matches.#contains(#id) { Some(#optional) } else { None }
        },
        Shape::OptionVec => quote! {
            if #matches.#contains(#id) { Some(#collected) } else { None }
        },
        Shape::Vec => collected,
        Shape::Unit | Shape::Other => quote! {
            #matches.#one(#id)
                #deref
                .ok_or_else(|| clap::Error::raw(
                    clap::ErrorKind::MissingRequiredArgument,
                    format!("The following required argument was not provided: {}", #id)
                ))
                .and_then(#parse)?
        },
    })
}

fn misplaced(field: &Field) -> syn::Error {
    syn::Error::new_spanned(field, "`external_subcommand` is not a role of a field")
}
