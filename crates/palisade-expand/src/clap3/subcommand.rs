//! The code behind an enum of subcommands: `Subcommand` and `FromArgMatches`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DataEnum, DeriveInput, Fields, Type, Variant};

use super::args;
use super::item::{Era, Item, Role};
use crate::clap::shape::{argument_of, is_named};

/// A variant with what its attributes say.
type Command<'v> = (&'v Variant, Item);

/// `FromArgMatches` and `Subcommand` for an enum.
pub(super) fn impls(
    input: &DeriveInput,
    data: &DataEnum,
    parent: &Item,
    era: Era<'_>,
) -> syn::Result<TokenStream> {
    let variants = data
        .variants
        .iter()
        .map(|variant| Ok((variant, Item::variant(variant, parent, era)?)))
        .collect::<syn::Result<Vec<_>>>()?;
    let (ident, command) = (&input.ident, era.command());
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let functions = era.functions(
        &from_matches(ident, &variants, era)?,
        &update(ident, &variants, era)?,
    );
    let augment = augment(&variants, parent, false, era)?;
    let augment_for_update = self::augment(&variants, parent, true, era)?;
    let has_subcommand = has_subcommand(&variants)?;
    Ok(quote! {
        #[allow(deprecated)]
        impl #impl_generics clap::FromArgMatches for #ident #ty_generics #where_clause {
            #functions
        }

        #[allow(deprecated)]
        impl #impl_generics clap::Subcommand for #ident #ty_generics #where_clause {
            fn augment_subcommands<'b>(__clap_app: #command<'b>) -> #command<'b> {
                #augment
            }
            fn augment_subcommands_for_update<'b>(__clap_app: #command<'b>) -> #command<'b> {
                #augment_for_update
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
    era: Era<'_>,
) -> syn::Result<TokenStream> {
    let subcommands = if update {
        quote!(augment_subcommands_for_update)
    } else {
        quote!(augment_subcommands)
    };
    let mut additions = Vec::new();
    for (variant, item) in variants {
        additions.push(match &item.role {
            Role::Skip(_) => continue,
            Role::External => {
                let ty = external_type(variant)?;
                let is_os = is_named(ty, "OsString");
                let (allow, allow_os) = if era.has_commands {
                    (
                        quote!(.allow_external_subcommands(true)),
                        quote!(.allow_invalid_utf8_for_external_subcommands(true)),
                    )
                } else {
                    (
                        quote!(.setting(clap::AppSettings::AllowExternalSubcommands)),
                        quote!(.setting(clap::AppSettings::AllowInvalidUtf8ForExternalSubcommands)),
                    )
                };
                let allow_os = is_os.then_some(allow_os);
                quote!(let __clap_app = __clap_app #allow #allow_os;)
            }
            Role::Flatten => {
                let (ty, calls) = (newtype(variant)?, item.first_calls());
                let augmented = quote!(<#ty as clap::Subcommand>::#subcommands);
                era.under_heading(&quote!(__clap_app), &calls, &augmented)
            }
            Role::Plain | Role::FromGlobal | Role::Subcommand => {
                let described = described(variant, item, &subcommands, update, era)?;
                let (name, command) = (item.cased_name(), era.command());
                quote! {
                    let __clap_app = __clap_app.subcommand({
                        let __clap_subcommand = #command::new(#name);
                        #described
                    });
                }
            }
        });
    }
    let (first, last) = (parent.first_calls(), parent.last_calls());
    Ok(quote! {
        let __clap_app = __clap_app #first;
        #(#additions)*
        __clap_app #last
    })
}

/// What a variant that is a command adds to it.
fn described(
    variant: &Variant,
    item: &Item,
    subcommands: &TokenStream,
    update: bool,
    era: Era<'_>,
) -> syn::Result<TokenStream> {
    let command = quote!(__clap_subcommand);
    let is_nested = matches!(item.role, Role::Subcommand);
    let inner = match &variant.fields {
        Fields::Named(_) => {
            let fields = args::arguments(&variant.fields, item, era)?;
            return Ok(args::augment(&fields, &command, item, update, era));
        }
        Fields::Unit => command.clone(),
        Fields::Unnamed(_) => {
            let ty = newtype(variant)?;
            if is_nested {
                quote!(<#ty as clap::Subcommand>::#subcommands(#command))
            } else if update {
                quote!(<#ty as clap::Args>::augment_args_for_update(#command))
            } else {
                quote!(<#ty as clap::Args>::augment_args(#command))
            }
        }
    };
    let required =
        is_nested.then(|| quote!(.setting(clap::AppSettings::SubcommandRequiredElseHelp)));
    let (first, last) = (item.first_calls(), item.last_calls());
    Ok(quote! {
        let #command = #command #first;
        let #command = #inner;
        #command #required #last
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
            _ => {
                let name = item.cased_name();
                tests.push(quote! {
                    if #name == __clap_name {
                        return true
                    }
                });
            }
        }
    }
    Ok(quote!(#(#tests)* #(#delegated)else* false))
}

fn from_matches(ident: &Ident, variants: &[Command<'_>], era: Era<'_>) -> syn::Result<TokenStream> {
    let from = era.reader();
    let mut own = Vec::new();
    let mut delegated = Vec::new();
    let mut otherwise = quote! {
        ::std::result::Result::Err(clap::Error::raw(
            clap::ErrorKind::UnrecognizedSubcommand,
            format!("The subcommand '{}' wasn't recognized", __clap_name)
        ))
    };
    for (variant, item) in variants {
        let name = &variant.ident;
        match &item.role {
            Role::External => otherwise = external(ident, variant, era)?,
            Role::Flatten => {
                let ty = newtype(variant)?;
                let is_known = if era.is_typed {
                    quote! {
                        __clap_arg_matches
                            .subcommand_name()
                            .map(|__clap_name| <#ty as clap::Subcommand>::has_subcommand(__clap_name))
                            .unwrap_or_default()
                    }
                } else {
                    quote!(<#ty as clap::Subcommand>::has_subcommand(__clap_name))
                };
                delegated.push(quote! {
                    if #is_known {
                        let __clap_res = <#ty as clap::FromArgMatches>::#from(__clap_arg_matches)?;
                        return ::std::result::Result::Ok(#ident::#name(__clap_res));
                    }
                });
            }
            _ => {
                let typed = item.cased_name();
                let constructor = match &variant.fields {
                    Fields::Named(_) => {
                        args::constructor(&args::arguments(&variant.fields, item, era)?, era)?
                    }
                    Fields::Unit => TokenStream::new(),
                    Fields::Unnamed(_) => {
                        let ty = newtype(variant)?;
                        quote!((<#ty as clap::FromArgMatches>::#from(__clap_arg_matches)?))
                    }
                };
                let not_external = match (era.like_4, era.is_typed) {
                    (false, _) => TokenStream::new(),
                    (true, true) => quote!(&&!__clap_arg_matches.contains_id("")),
                    (true, false) => quote!(&&!__clap_arg_matches.is_present("")),
                };
                own.push(quote! {
                    if #typed == __clap_name #not_external {
                        return ::std::result::Result::Ok(#ident::#name #constructor)
                    }
                });
            }
        }
    }
    let missing = quote! {
        ::std::result::Result::Err(clap::Error::raw(
            clap::ErrorKind::MissingSubcommand,
            "A subcommand is required but one was not provided."
        ))
    };
    Ok(if era.is_typed {
        quote! {
            #(#delegated)else*

            if let Some((__clap_name, mut __clap_arg_sub_matches)) = __clap_arg_matches.remove_subcommand() {
                let __clap_arg_matches = &mut __clap_arg_sub_matches;
                #(#own)*
                #otherwise
            } else {
                #missing
            }
        }
    } else {
        quote! {
            if let Some((__clap_name, __clap_sub_arg_matches)) = __clap_arg_matches.subcommand() {
                {
                    let __clap_arg_matches = __clap_sub_arg_matches;
                    #(#own)*
                }
                #(#delegated)else*
                #otherwise
            } else {
                #missing
            }
        }
    })
}

/// The variant that takes whatever subcommand is not known.
fn external(ident: &Ident, variant: &Variant, era: Era<'_>) -> syn::Result<TokenStream> {
    let name = &variant.ident;
    let (text, values_of) = if is_named(external_type(variant)?, "OsString") {
        (quote!(::std::ffi::OsString), quote!(values_of_os))
    } else {
        (quote!(::std::string::String), quote!(values_of))
    };
    let values = if era.is_typed {
        quote!(__clap_arg_matches.remove_many::<#text>(""))
    } else {
        quote!(__clap_sub_arg_matches.#values_of(""))
    };
    Ok(quote! {
        ::std::result::Result::Ok(#ident::#name(
            ::std::iter::once(#text::from(__clap_name))
                .chain(#values.into_iter().flatten().map(#text::from))
                .collect::<::std::vec::Vec<_>>()
        ))
    })
}

fn update(ident: &Ident, variants: &[Command<'_>], era: Era<'_>) -> syn::Result<TokenStream> {
    let (from, update) = (era.reader(), era.updater());
    let mut own = Vec::new();
    let mut delegated = Vec::new();
    for (variant, item) in variants {
        let name = &variant.ident;
        match &item.role {
            Role::External => {}
            Role::Flatten => {
                let ty = newtype(variant)?;
                delegated.push(quote! {
                    if <#ty as clap::Subcommand>::has_subcommand(__clap_name) {
                        if let #ident::#name(child) = s {
                            <#ty as clap::FromArgMatches>::#update(child, __clap_arg_matches)?;
                            return ::std::result::Result::Ok(());
                        }
                    }
                });
            }
            _ => {
                let typed = item.cased_name();
                let (pattern, updater) = match &variant.fields {
                    Fields::Named(_) => {
                        let names = variant.fields.iter().map(|field| &field.ident);
                        // Each field is updated once for every field.
                        let updaters = args::arguments(&variant.fields, item, era)?
                            .iter()
                            .map(|(_, parent)| {
                                let fields = args::arguments(&variant.fields, parent, era)?;
                                args::updater(&fields, false, era)
                            })
                            .collect::<syn::Result<Vec<_>>>()?;
                        (quote!({ #(ref mut #names,)* }), quote!({ #(#updaters)* }))
                    }
                    Fields::Unit => (TokenStream::new(), quote!({})),
                    Fields::Unnamed(_) => {
                        newtype(variant)?;
                        (
                            quote!((ref mut __clap_arg)),
                            quote!(clap::FromArgMatches::#update(__clap_arg, __clap_arg_matches)?),
                        )
                    }
                };
                let inner = if era.is_typed {
                    quote! {
                        let (_, mut __clap_arg_sub_matches) =
                            __clap_arg_matches.remove_subcommand().unwrap();
                        let __clap_arg_matches = &mut __clap_arg_sub_matches;
                    }
                } else {
                    quote!(let __clap_arg_matches = __clap_sub_arg_matches;)
                };
                own.push(quote! {
                    #ident::#name #pattern if #typed == __clap_name => {
                        #inner
                        #updater
                    }
                });
            }
        }
    }
    let subcommand = if era.is_typed {
        quote!(Some(__clap_name) = __clap_arg_matches.subcommand_name())
    } else {
        quote!(Some((__clap_name, __clap_sub_arg_matches)) = __clap_arg_matches.subcommand())
    };
    Ok(quote! {
        if let #subcommand {
            match self {
                #(#own,)*
                s => {
                    #(#delegated)*
                    *s = <Self as clap::FromArgMatches>::#from(__clap_arg_matches)?;
                }
            }
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

/// `T` of the `Vec<T>` that collects an external subcommand.
fn external_type(variant: &Variant) -> syn::Result<&Type> {
    argument_of(newtype(variant)?, "Vec")
        .ok_or_else(|| syn::Error::new_spanned(variant, "expected a `Vec` in this variant"))
}
