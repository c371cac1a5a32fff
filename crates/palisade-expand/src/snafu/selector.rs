//! What makes an error: context selectors, and conversions in their place.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Subject;
use super::attrs::Suffix;
use super::case::{Case, Kind, Name};
use crate::support::{Expansion, Refusal, unraw};

/// The selector's type and impls, or the impl that stands in its place.
pub(super) fn selector(
    subject: &Subject<'_>,
    case: &Case<'_>,
    visibility: Option<&TokenStream>,
) -> Expansion {
    Ok(match &case.kind {
        Kind::Selector(name) => {
            let name = resolve(name, &subject.suffix, case.ident)?;
            context(subject, case, &name, visibility)
        }
        Kind::Whatever => whatever(subject, case),
        Kind::Converted => converted(subject, case),
    })
}

fn resolve(name: &Name, default: &Suffix, ident: &Ident) -> Result<Ident, Refusal> {
    let suffix = match name {
        Name::Given(name) => return Ok(name.clone()),
        Name::Suffixed(Suffix::Default) => default,
        Name::Suffixed(suffix) => suffix,
    };
    let suffix = match suffix {
        Suffix::Default => "Snafu".to_owned(),
        Suffix::Nothing => String::new(),
        Suffix::Word(word) => unraw(word),
    };
    let text = unraw(ident);
    let base = text.trim_end_matches("Error");
    if suffix.is_empty() && base == text {
        return Ok(ident.clone());
    }
    if suffix.is_empty() && base.is_empty() {
        return Err(Refusal::new("the selector would have no name"));
    }
    Ok(format_ident!("{base}{suffix}", span = ident.span()))
}

fn context(
    subject: &Subject<'_>,
    case: &Case<'_>,
    name: &Ident,
    visibility: Option<&TokenStream>,
) -> TokenStream {
    let Subject {
        ty,
        root,
        predicates,
        ..
    } = subject;
    let path = &case.path;
    let parameters: Vec<_> = (0..case.user.len())
        .map(|index| format_ident!("__T{index}"))
        .collect();
    let (names, types): (Vec<_>, Vec<_>) = case.user.iter().copied().unzip();
    let body = match names.is_empty() {
        true => quote!(;),
        false => quote!({ #(#visibility #names: #parameters,)* }),
    };
    let bounds = quote!(#(#parameters: ::core::convert::Into<#types>,)* #predicates);
    let own = quote!(#(#names: ::core::convert::Into::into(self.#names),)*);
    let generated = generated(subject, case);

    let leaf = case.source.is_none().then(|| {
        let params = subject.params(&[]);
        let fail_params = subject.params(&[format_ident!("__T")]);
        quote! {
            impl<#(#parameters,)*> #name<#(#parameters,)*> {
                #[must_use]
                #[track_caller]
                #visibility fn build<#params>(self) -> #ty where #bounds {
                    #path { #generated #own }
                }
                #[allow(dead_code)]
                #[track_caller]
                #visibility fn fail<#fail_params>(self) -> ::core::result::Result<__T, #ty>
                where
                    #bounds
                {
                    ::core::result::Result::Err(self.build())
                }
            }
        }
    });

    let (given, convert, source, generated) = match &case.source {
        Some(source) => {
            let (name, given) = (source.name, source.given());
            (
                quote!(#given),
                source.convert(),
                quote!(#name: error,),
                generated_with_source(subject, case),
            )
        }
        None => (
            quote!(#root::NoneError),
            TokenStream::new(),
            TokenStream::new(),
            generated,
        ),
    };
    let params = subject.params(&parameters);
    quote! {
        #[derive(Debug, Copy, Clone)]
        #visibility struct #name<#(#parameters,)*> #body
        #leaf
        impl<#params> #root::IntoError<#ty> for #name<#(#parameters,)*>
        where
            #ty: #root::Error + #root::ErrorCompat,
            #bounds
        {
            type Source = #given;
            #[track_caller]
            fn into_error(self, error: Self::Source) -> #ty {
                #convert
                #path { #generated #source #own }
            }
        }
    }
}

fn whatever(subject: &Subject<'_>, case: &Case<'_>) -> TokenStream {
    let (root, path) = (&subject.root, &case.path);
    let message = case.user.iter().map(|(name, _)| name);
    let message = quote!(#(#message: message,)*);
    let (given, source, no_source) = match &case.source {
        Some(source) => {
            let (name, given, function) = (source.name, source.given(), source.function());
            (
                quote!(#given),
                quote!(#name: (#function)(error),),
                quote!(#name: ::core::option::Option::None,),
            )
        }
        None => (
            quote!(#root::NoneError),
            TokenStream::new(),
            TokenStream::new(),
        ),
    };
    let generated = generated(subject, case);
    let generated_with_source = generated_with_source(subject, case);
    let items = quote! {
        type Source = #given;
        #[track_caller]
        fn without_source(message: String) -> Self {
            #path { #generated #no_source #message }
        }
        #[track_caller]
        fn with_source(error: Self::Source, message: String) -> Self {
            #path { #generated_with_source #source #message }
        }
    };
    subject.implement(&quote!(#root::FromString), &TokenStream::new(), &items)
}

fn converted(subject: &Subject<'_>, case: &Case<'_>) -> TokenStream {
    let path = &case.path;
    let generated = generated_with_source(subject, case);
    case.source
        .iter()
        .map(|source| {
            let name = source.name;
            subject.from(source, &quote!(#path { #generated #name: error }))
        })
        .collect()
}

/// The fields that nobody gives.
fn generated(subject: &Subject<'_>, case: &Case<'_>) -> TokenStream {
    let root = &subject.root;
    let names = case.implicit.iter().chain(&case.backtrace);
    quote!(#(#names: #root::GenerateImplicitData::generate(),)*)
}

/// The same where a source is known, which may have a backtrace already.
fn generated_with_source(subject: &Subject<'_>, case: &Case<'_>) -> TokenStream {
    let root = &subject.root;
    let names = case.implicit.iter().chain(&case.backtrace);
    quote! {
        #(#names: {
            use #root::AsErrorSource;
            let error = error.as_error_source();
            #root::GenerateImplicitData::generate_with_source(error)
        },)*
    }
}
