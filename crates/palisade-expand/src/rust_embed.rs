//! `rust-embed-impl`: files inside of the program, or beside it while debugging.
//!
//! The embedded files are constants, so they are left out.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Expr, ExprLit, Lit, Meta, Path};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("rust-embed-impl", "RustEmbed", rust_embed)];

/// The string literals of `#[name = ".."]`.
fn texts(input: &DeriveInput, name: &str) -> Vec<syn::LitStr> {
    let attributes = input.attrs.iter().filter(|it| it.path().is_ident(name));
    attributes
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.clone()),
                _ => None,
            },
            Meta::Path(_) | Meta::List(_) => None,
        })
        .collect()
}

fn rust_embed(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let has = |feature: &str| (invocation.env)(&format!("feature:{feature}")).is_some();
    if has("compression") {
        return Err(Refusal::new("compressed files are not covered"));
    }
    let path: Path = match texts(&input, "crate_path").last() {
        Some(text) => parse_literal(text)?,
        None => syn::parse2(quote!(rust_embed))?,
    };
    let folder = texts(&input, "folder");
    let [folder] = &folder[..] else {
        return Err(Refusal::new("expected one folder"));
    };
    let prefix = texts(&input, "prefix").into_iter().next();
    let handle_prefix = prefix
        .as_ref()
        .map(|prefix| quote!(let file_path = file_path.strip_prefix(#prefix)?;));
    let name = &input.ident;
    let always = has("debug-embed");
    let not_debug = (!always).then(|| quote!(#[cfg(not(debug_assertions))]));
    let dynamic = (!always).then(|| dynamic(&input, &path, folder, prefix.as_ref()));
    let file = quote!(::std::option::Option<#path::EmbeddedFile>);
    Ok(quote! {
        #not_debug
        impl #name {
            fn __file(file_path: &str) -> #file {
                #handle_prefix
                let key = file_path.replace("\\", "/");
                static ENTRIES: &'static [(&'static str, #path::EmbeddedFile)] = &[];
                let position = ENTRIES.binary_search_by_key(&key.as_str(), |entry| entry.0);
                position.ok().map(|idx| ENTRIES[idx].1.clone())
            }
            pub fn get(file_path: &str) -> #file {
                #name::__file(file_path)
            }
            fn names() -> ::std::slice::Iter<'static, &'static str> {
                const ITEMS: [&str; 0] = [];
                ITEMS.iter()
            }
            pub fn iter()
                -> impl ::std::iter::Iterator<Item = ::std::borrow::Cow<'static, str>> + 'static
            {
                Self::names().map(|x| ::std::borrow::Cow::from(*x))
            }
        }
        #not_debug
        impl #path::RustEmbed for #name {
            fn get(file_path: &str) -> #file {
                #name::get(file_path)
            }
            fn iter() -> #path::Filenames {
                #path::Filenames::Embedded(#name::names())
            }
        }
        #dynamic
    })
}

/// The form that reads the files when they are asked for.
fn dynamic(
    input: &DeriveInput,
    path: &Path,
    folder: &syn::LitStr,
    prefix: Option<&syn::LitStr>,
) -> TokenStream {
    let name = &input.ident;
    let (includes, excludes) = (texts(input, "include"), texts(input, "exclude"));
    let handle_prefix =
        prefix.map(|prefix| quote!(let file_path = file_path.strip_prefix(#prefix)?;));
    let entry = match prefix {
        Some(prefix) => {
            quote!(::std::borrow::Cow::Owned(
                format!("{}{}", #prefix, e.rel_path)
            ))
        }
        None => quote!(::std::borrow::Cow::from(e.rel_path)),
    };
    let strip = input
        .attrs
        .iter()
        .any(|it| it.path().is_ident("metadata_only"))
        .then(|| quote!(.map(|mut file| { file.data = ::std::default::Default::default(); file })));
    let file = quote!(::std::option::Option<#path::EmbeddedFile>);
    let matcher = quote!(#path::utils::PathMatcher);
    quote! {
        #[cfg(debug_assertions)]
        impl #name {
            fn matcher() -> #matcher {
                const INCLUDES: &[&str] = &[#(#includes),*];
                const EXCLUDES: &[&str] = &[#(#excludes),*];
                static PATH_MATCHER: ::std::sync::OnceLock<#matcher> =
                    ::std::sync::OnceLock::new();
                PATH_MATCHER.get_or_init(|| #matcher::new(INCLUDES, EXCLUDES)).clone()
            }
            pub fn get(file_path: &str) -> #file {
                #handle_prefix
                let rel_file_path = file_path.replace("\\", "/");
                let file_path = ::std::path::Path::new(#folder).join(&rel_file_path);
                let canonical_file_path = file_path.canonicalize().ok()?;
                if !canonical_file_path.starts_with(#folder) {
                    let metadata = ::std::fs::symlink_metadata(&file_path).ok()?;
                    if !metadata.is_symlink() {
                        return ::std::option::Option::None;
                    }
                }
                let path_matcher = Self::matcher();
                if path_matcher.is_path_included(&rel_file_path) {
                    #path::utils::read_file_from_fs(&canonical_file_path).ok() #strip
                } else {
                    ::std::option::Option::None
                }
            }
            pub fn iter()
                -> impl ::std::iter::Iterator<Item = ::std::borrow::Cow<'static, str>> + 'static
            {
                use ::std::path::Path;
                #path::utils::get_files(::std::string::String::from(#folder), Self::matcher())
                    .map(|e| #entry)
            }
        }
        #[cfg(debug_assertions)]
        impl #path::RustEmbed for #name {
            fn get(file_path: &str) -> #file {
                #name::get(file_path)
            }
            fn iter() -> #path::Filenames {
                #path::Filenames::Dynamic(::std::boxed::Box::new(#name::iter()))
            }
        }
    }
}
