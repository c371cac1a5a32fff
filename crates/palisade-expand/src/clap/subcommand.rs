//! The code behind an enum of subcommands: `Subcommand` and `FromArgMatches`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Fields, FieldsNamed, Generics, Type, Variant};

use super::args;
use super::item::{Env, Item, Role};
use super::shape::{argument_of, is_named};

/// A variant with what its attributes say.
pub(super) type Command<'v> = (&'v Variant, Item);

/// `FromArgMatches` and `Subcommand` for the enum `ident`.
pub(super) fn impls(
    item: &Item,
    ident: &Ident,
    generics: &Generics,
    variants: &[Command<'_>],
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let from_matches = from_matches(variants, env)?;
    let update = update(variants, env)?;
    let augment = augment(variants, item, false, env)?;
    let augment_for_update = self::augment(variants, item, true, env)?;
    let has_subcommand = has_subcommand(variants)?;
    let (first, last) = (item.first_calls(), item.last_calls());
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics clap::FromArgMatches for #ident #ty_generics #where_clause {
            fn from_arg_matches(__clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }

            fn from_arg_matches_mut(__clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                #from_matches
            }

            fn update_from_arg_matches(&mut self, __clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                self.update_from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }

            fn update_from_arg_matches_mut<'b>(&mut self, __clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                #update
            }
        }

        #[automatically_derived]
        impl #impl_generics clap::Subcommand for #ident #ty_generics #where_clause {
            fn augment_subcommands<'b>(mut __clap_app: clap::Command) -> clap::Command {
                __clap_app = __clap_app #first;
                __clap_app = { #augment __clap_app };
                __clap_app #last
            }
            fn augment_subcommands_for_update<'b>(mut __clap_app: clap::Command) -> clap::Command {
                __clap_app = __clap_app #first;
                __clap_app = { #augment_for_update __clap_app };
                __clap_app #last
            }
            fn has_subcommand(__clap_name: &str) -> bool {
                #has_subcommand
            }
        }
    })
}

fn augment(
    variants: &[Command<'_>],
    parent: &Item,
    update: bool,
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let method = if update {
        format_ident!("augment_subcommands_for_update")
    } else {
        format_ident!("augment_subcommands")
    };
    let mut additions = Vec::new();
    for (variant, item) in variants {
        additions.push(match &item.role {
            Role::Skip(_) | Role::Arg | Role::FromGlobal | Role::Value => TokenStream::new(),
            Role::External => {
                let ty = external_type(variant)?;
                quote! {
                    __clap_app = __clap_app
                        .external_subcommand_value_parser(clap::value_parser!(#ty));
                }
            }
            Role::Flatten => {
                let ty = newtype(variant)?;
                let calls = item.flatten_calls();
                quote! {
                    __clap_app = __clap_app #calls;
                    __clap_app = <#ty as clap::Subcommand>::#method(__clap_app);
                }
            }
            Role::Subcommand => nested(variant, item, &method, update)?,
            Role::Command => leaf(variant, item, parent, update, env)?,
        });
    }
    Ok(quote!(#(#additions)*))
}

/// A variant that has subcommands of its own.
fn nested(
    variant: &Variant,
    item: &Item,
    method: &Ident,
    update: bool,
) -> syn::Result<TokenStream> {
    let inner = match &variant.fields {
        Fields::Unit => quote!(__clap_subcommand),
        _ => {
            let ty = newtype(variant)?;
            quote!({ <#ty as clap::Subcommand>::#method(__clap_subcommand) })
        }
    };
    let name = item.cased_name();
    let (first, last) = (item.first_calls(), item.last_calls());
    let relaxed = update.then(|| quote!(.subcommand_required(false).arg_required_else_help(false)));
    Ok(quote! {
        __clap_app = __clap_app.subcommand({
            let mut __clap_subcommand = clap::Command::new(#name);
            __clap_subcommand = __clap_subcommand
                .subcommand_required(true)
                .arg_required_else_help(true);
            __clap_subcommand = __clap_subcommand #first;
            __clap_subcommand = #inner;
            __clap_subcommand #last #relaxed
        });
    })
}

/// A variant that is a command with arguments.
fn leaf(
    variant: &Variant,
    item: &Item,
    parent: &Item,
    update: bool,
    env: Env<'_>,
) -> syn::Result<TokenStream> {
    let subcommand = format_ident!("__clap_subcommand");
    let mut inner = match &variant.fields {
        Fields::Named(fields) => {
            let fields = arguments(fields, item, env)?;
            args::augment(&fields, &subcommand, item, update)?
        }
        Fields::Unit => quote!(#subcommand),
        Fields::Unnamed(_) => {
            let ty = newtype(variant)?;
            let method = if update {
                format_ident!("augment_args_for_update")
            } else {
                format_ident!("augment_args")
            };
            quote!({ <#ty as clap::Args>::#method(#subcommand) })
        }
    };
    if parent.defer {
        inner = quote!(#subcommand.defer(|mut #subcommand| { #inner }));
    }
    let name = item.cased_name();
    let (first, last) = (item.first_calls(), item.last_calls());
    Ok(quote! {
        __clap_app = __clap_app.subcommand({
            let mut #subcommand = clap::Command::new(#name) #first;
            #subcommand = #inner;
            #subcommand #last
        });
    })
}

fn has_subcommand(variants: &[Command<'_>]) -> syn::Result<TokenStream> {
    let mut tests = Vec::new();
    let mut delegated = Vec::new();
    for (variant, item) in variants {
        match &item.role {
            // Whatever is not known belongs to the external subcommand.
            Role::External => return Ok(quote!(true)),
            Role::Flatten => {
                let ty = newtype(variant)?;
                delegated.push(quote! {
                    if <#ty as clap::Subcommand>::has_subcommand(__clap_name) {
                        return true;
                    }
                });
            }
            Role::Command | Role::Subcommand => {
                let name = item.cased_name();
                tests.push(quote! {
                    if #name == __clap_name {
                        return true
                    }
                });
            }
            Role::Skip(_) | Role::Arg | Role::FromGlobal | Role::Value => {}
        }
    }
    Ok(quote!(#(#tests)* #(#delegated)else* false))
}

fn from_matches(variants: &[Command<'_>], env: Env<'_>) -> syn::Result<TokenStream> {
    let mut own = Vec::new();
    let mut delegated = Vec::new();
    let mut otherwise = quote! {
        ::std::result::Result::Err(clap::Error::raw(
            clap::error::ErrorKind::InvalidSubcommand,
            format!("the subcommand '{}' wasn't recognized", __clap_name)
        ))
    };
    for (variant, item) in variants {
        let name = &variant.ident;
        match &item.role {
            Role::External => {
                let ty = external_type(variant)?;
                let ty = if is_named(ty, "OsString") {
                    quote!(::std::ffi::OsString)
                } else {
                    quote!(::std::string::String)
                };
                otherwise = quote! {
                    ::std::result::Result::Ok(Self::#name(
                        ::std::iter::once(#ty::from(__clap_name))
                            .chain(
                                __clap_arg_matches
                                    .remove_many::<#ty>("")
                                    .unwrap()
                                    .map(#ty::from)
                            )
                            .collect::<::std::vec::Vec<_>>()
                    ))
                };
            }
            Role::Flatten => {
                let ty = newtype(variant)?;
                delegated.push(quote! {
                    if __clap_arg_matches
                        .subcommand_name()
                        .map(|__clap_name| <#ty as clap::Subcommand>::has_subcommand(__clap_name))
                        .unwrap_or_default()
                    {
                        let __clap_res = <#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?;
                        return ::std::result::Result::Ok(Self::#name(__clap_res));
                    }
                });
            }
            Role::Command | Role::Subcommand => {
                let typed = item.cased_name();
                let constructor = match &variant.fields {
                    Fields::Named(fields) => args::constructor(&arguments(fields, item, env)?)?,
                    Fields::Unit => TokenStream::new(),
                    Fields::Unnamed(_) => {
                        let ty = newtype(variant)?;
                        quote!((
                            <#ty as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?
                        ))
                    }
                };
                own.push(quote! {
                    if __clap_name == #typed && !__clap_arg_matches.contains_id("") {
                        return ::std::result::Result::Ok(Self::#name #constructor)
                    }
                });
            }
            Role::Skip(_) | Role::Arg | Role::FromGlobal | Role::Value => {}
        }
    }
    Ok(quote! {
        #(#delegated)else*

        if let Some((__clap_name, mut __clap_arg_sub_matches)) = __clap_arg_matches.remove_subcommand() {
            let __clap_arg_matches = &mut __clap_arg_sub_matches;
            #(#own)*
            #otherwise
        } else {
            ::std::result::Result::Err(clap::Error::raw(
                clap::error::ErrorKind::MissingSubcommand,
                "a subcommand is required but one was not provided"
            ))
        }
    })
}

fn update(variants: &[Command<'_>], env: Env<'_>) -> syn::Result<TokenStream> {
    let mut own = Vec::new();
    let mut delegated = Vec::new();
    for (variant, item) in variants {
        let name = &variant.ident;
        match &item.role {
            Role::Flatten => {
                let ty = newtype(variant)?;
                delegated.push(quote! {
                    if <#ty as clap::Subcommand>::has_subcommand(__clap_name) {
                        if let Self::#name(child) = s {
                            <#ty as clap::FromArgMatches>::update_from_arg_matches_mut(child, __clap_arg_matches)?;
                            return ::std::result::Result::Ok(());
                        }
                    }
                });
            }
            Role::Command | Role::Subcommand => {
                let typed = item.cased_name();
                let (pattern, updater) = match &variant.fields {
                    Fields::Named(fields) => {
                        let names = fields.named.iter().map(|field| &field.ident);
                        let updater = args::updater(&arguments(fields, item, env)?, false)?;
                        (quote!({ #(#names,)* }), quote!({ #updater }))
                    }
                    Fields::Unit => (TokenStream::new(), quote!({})),
                    Fields::Unnamed(_) => {
                        newtype(variant)?;
                        let updater = quote! {
                            clap::FromArgMatches::update_from_arg_matches_mut(
                                __clap_arg,
                                __clap_arg_matches
                            )?
                        };
                        (quote!((__clap_arg)), updater)
                    }
                };
                own.push(quote! {
                    Self::#name #pattern if #typed == __clap_name => {
                        let (_, mut __clap_arg_sub_matches) =
                            __clap_arg_matches.remove_subcommand().unwrap();
                        let __clap_arg_matches = &mut __clap_arg_sub_matches;
                        #updater
                    }
                });
            }
            Role::Skip(_) | Role::Arg | Role::FromGlobal | Role::Value | Role::External => {}
        }
    }
    Ok(quote! {
        if let Some(__clap_name) = __clap_arg_matches.subcommand_name() {
            match self {
                #(#own,)*
                s => {
                    #(#delegated)*
                    *s = <Self as clap::FromArgMatches>::from_arg_matches_mut(__clap_arg_matches)?;
                }
            }
        }
        ::std::result::Result::Ok(())
    })
}

fn arguments<'f>(
    fields: &'f FieldsNamed,
    parent: &Item,
    env: Env<'_>,
) -> syn::Result<Vec<args::Argument<'f>>> {
    fields
        .named
        .iter()
        .map(|field| Ok((field, Item::argument(field, parent, env)?)))
        .collect()
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

/// `T` of the `Vec<T>` that collects an external subcommand.
fn external_type(variant: &Variant) -> syn::Result<&Type> {
    argument_of(newtype(variant)?, "Vec")
        .ok_or_else(|| syn::Error::new_spanned(variant, "expected a `Vec` in this variant"))
}
