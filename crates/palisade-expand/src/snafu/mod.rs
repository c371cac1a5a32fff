//! `snafu-derive`: `Snafu` with its context selectors, and `report`.
//!
//! Releases before 0.7.3 construct implicit data differently and are refused,
//! and so is the feature for providing data, which needs a nightly compiler.

mod attrs;
mod case;
mod report;
mod selector;

use heck::ToSnakeCase;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, Type};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least, named_input, unraw};

use attrs::{Attrs, Context, From, Suffix};
use case::{Case, Source};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("snafu-derive", "Snafu", snafu),
    Macro::attribute("snafu-derive", "report", report::report),
];

/// The releases that write different code.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Era {
    V0_7,
    V0_8,
    V0_9,
}

impl Era {
    fn of(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        if (invocation.env)("feature:unstable-provider-api").is_some() {
            return Err(Refusal::new("the feature `unstable-provider-api` is on"));
        }
        let since = |minor, patch| at_least(invocation.version, (0, minor, patch));
        match () {
            () if since(9, 0) => Ok(Self::V0_9),
            () if since(8, 0) => Ok(Self::V0_8),
            () if since(7, 3) => Ok(Self::V0_7),
            () => Err(Refusal::new("a release before 0.7.3")),
        }
    }
}

/// The error type that the impls are for.
struct Subject<'a> {
    era: Era,
    name: &'a Ident,
    generics: &'a Generics,
    /// `Name<'a, T>`
    ty: TokenStream,
    /// The predicates of the `where` clause, each with its comma.
    predicates: TokenStream,
    root: TokenStream,
    /// The suffix of the selectors that have none of their own.
    suffix: Suffix,
}

impl Subject<'_> {
    /// The parameters without their defaults, with further types in their place.
    fn params(&self, further: &[Ident]) -> TokenStream {
        let lifetimes = self.generics.lifetimes().map(|it| &it.lifetime);
        let types = self.generics.type_params().map(|it| {
            let (ident, bounds) = (&it.ident, &it.bounds);
            quote!(#ident: #bounds)
        });
        let consts = self.generics.const_params().map(|it| {
            let (ident, ty) = (&it.ident, &it.ty);
            quote!(const #ident: #ty)
        });
        quote!(#(#lifetimes,)* #(#types,)* #(#further,)* #(#consts,)*)
    }

    fn implement(
        &self,
        of: &TokenStream,
        predicates: &TokenStream,
        items: &TokenStream,
    ) -> TokenStream {
        let (params, ty) = (self.params(&[]), &self.ty);
        let rest = &self.predicates;
        quote! {
            #[allow(single_use_lifetimes)]
            impl<#params> #of for #ty where #predicates #rest {
                #items
            }
        }
    }

    /// `From` for what becomes the source; `build` makes the error out of the
    /// local `error`, which has the type of the field by then.
    fn from(&self, source: &Source<'_>, build: &TokenStream) -> TokenStream {
        let (ty, predicates, given) = (&self.ty, &self.predicates, source.given());
        let (further, given, bound) = if source.is_generic {
            let parameter = format_ident!("__SnafuSource");
            let bound = quote!(#parameter: ::core::convert::Into<#given>,);
            (
                vec![parameter.clone()],
                parameter.into_token_stream(),
                bound,
            )
        } else {
            (Vec::new(), given.to_token_stream(), TokenStream::new())
        };
        let params = self.params(&further);
        let convert = source.convert();
        quote! {
            impl<#params> ::core::convert::From<#given> for #ty where #bound #predicates {
                #[track_caller]
                fn from(error: #given) -> Self {
                    #convert
                    #build
                }
            }
        }
    }
}

fn snafu(invocation: &Invocation<'_>) -> Expansion {
    let era = Era::of(invocation)?;
    let input = named_input(invocation)?;
    let attrs = Attrs::read(&input.attrs)?;
    let mut subject = subject(era, &input, &attrs);
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) => {
                let mut fields = fields.unnamed.iter();
                match (fields.next(), fields.next()) {
                    (Some(field), None) => Ok(newtype(&subject, &attrs, &field.ty)),
                    _ => Err(Refusal::new("a tuple must have exactly one field")),
                }
            }
            Fields::Named(_) | Fields::Unit => {
                let visibility = attrs.visibility.clone();
                let module = attrs.module.clone();
                let name = &input.ident;
                let case = Case::new(
                    era,
                    name,
                    (quote!(Self), name.to_token_stream()),
                    &data.fields,
                    attrs,
                )?;
                let own = visibility.clone().or_else(|| in_module(&module));
                let selector = selector::selector(&subject, &case, own.as_ref())?;
                let impls = impls(&subject, &[case]);
                let selectors = wrapped(&subject, module, visibility, selector)?;
                Ok(quote!(#impls #selectors))
            }
        },
        Data::Enum(data) => {
            let mut cases = Vec::new();
            let mut selectors = TokenStream::new();
            let default = attrs.visibility.clone();
            let module = attrs.module;
            if let Some(Context::Suffix(suffix)) = attrs.context {
                subject.suffix = suffix;
            }
            for variant in &data.variants {
                let (name, ident) = (&input.ident, &variant.ident);
                if let Fields::Unnamed(_) = variant.fields {
                    return Err(Refusal::new("a variant must not be a tuple"));
                }
                let path = quote!(#name::#ident);
                let attrs = Attrs::read(&variant.attrs)?;
                let own = attrs.visibility.clone();
                let case = Case::new(era, ident, (path.clone(), path), &variant.fields, attrs)?;
                let own = own
                    .or_else(|| default.clone())
                    .or_else(|| in_module(&module));
                selectors.extend(selector::selector(&subject, &case, own.as_ref())?);
                cases.push(case);
            }
            let impls = impls(&subject, &cases);
            let selectors = wrapped(&subject, module, default, selectors)?;
            Ok(quote!(#selectors #impls))
        }
        Data::Union(_) => Err(Refusal::new("expected a struct or an enum")),
    }
}

fn subject<'a>(era: Era, input: &'a DeriveInput, attrs: &Attrs) -> Subject<'a> {
    let name = &input.ident;
    let arguments = input.generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(it) => it.lifetime.to_token_stream(),
        GenericParam::Type(it) => it.ident.to_token_stream(),
        GenericParam::Const(it) => it.ident.to_token_stream(),
    });
    let predicates = input
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    Subject {
        era,
        name,
        generics: &input.generics,
        ty: quote!(#name<#(#arguments,)*>),
        predicates: quote!(#(#predicates,)*),
        root: attrs.root(),
        suffix: Suffix::Default,
    }
}

/// A private selector would not be visible outside of its module.
fn in_module(module: &Option<Option<Ident>>) -> Option<TokenStream> {
    module.is_some().then(|| quote!(pub(super)))
}

/// The selectors in the module that was asked for.
fn wrapped(
    subject: &Subject<'_>,
    module: Option<Option<Ident>>,
    visibility: Option<TokenStream>,
    selectors: TokenStream,
) -> Expansion {
    let name = match module {
        None => return Ok(selectors),
        Some(Some(name)) => name,
        Some(None) => syn::parse_str(&unraw(subject.name).to_snake_case())?,
    };
    Ok(quote!(#visibility mod #name { use super::*; #selectors }))
}

/// `Display`, `Error` and `ErrorCompat` of a struct or an enum.
fn impls(subject: &Subject<'_>, cases: &[Case<'_>]) -> TokenStream {
    let root = &subject.root;
    let none = TokenStream::new();

    let arms = cases.iter().map(|case| case.display(subject.era));
    let display = quote! {
        fn fmt(&self, __snafu_display_formatter: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
            #[allow(unused_variables)]
            match *self { #(#arms,)* }
        }
    };
    let display = subject.implement(&quote!(::core::fmt::Display), &none, &display);

    let arms: Vec<_> = cases.iter().map(Case::source_arm).collect();
    let body = quote! {
        use #root::AsErrorSource;
        match *self { #(#arms)* }
    };
    let old = (subject.era < Era::V0_9).then(|| {
        let arms = cases.iter().map(|case| {
            let (pattern, path) = (&case.pattern, &case.path);
            quote!(#pattern { .. } => stringify!(#path),)
        });
        quote! {
            fn description(&self) -> &str {
                match *self { #(#arms)* }
            }
            fn cause(&self) -> ::core::option::Option<&dyn #root::Error> {
                #body
            }
        }
    });
    let error = quote! {
        #old
        fn source(&self) -> ::core::option::Option<&(dyn #root::Error + 'static)> {
            #body
        }
    };
    let shown = quote!(Self: ::core::fmt::Debug + ::core::fmt::Display,);
    let error = subject.implement(&quote!(#root::Error), &shown, &error);

    let arms = cases.iter().map(|case| case.backtrace_arm(root));
    let compat = quote! {
        fn backtrace(&self) -> ::core::option::Option<&#root::Backtrace> {
            match *self { #(#arms)* }
        }
    };
    let compat = subject.implement(&quote!(#root::ErrorCompat), &none, &compat);
    quote!(#display #error #compat)
}

/// An opaque error: everything is asked of the one field.
fn newtype(subject: &Subject<'_>, attrs: &Attrs, field: &Type) -> TokenStream {
    let (root, name) = (&subject.root, subject.name);
    let none = TokenStream::new();
    let error = quote! {
        fn description(&self) -> &str {
            #root::Error::description(&self.0)
        }
        fn cause(&self) -> ::core::option::Option<&dyn #root::Error> {
            #root::Error::cause(&self.0)
        }
        fn source(&self) -> ::core::option::Option<&(dyn #root::Error + 'static)> {
            #root::Error::source(&self.0)
        }
    };
    let compat = quote! {
        fn backtrace(&self) -> ::core::option::Option<&#root::Backtrace> {
            #root::ErrorCompat::backtrace(&self.0)
        }
    };
    let display = quote! {
        fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&self.0, f)
        }
    };
    let error = subject.implement(&quote!(#root::Error), &none, &error);
    let compat = subject.implement(&quote!(#root::ErrorCompat), &none, &compat);
    let display = subject.implement(&quote!(::core::fmt::Display), &none, &display);
    let is_generic = subject.era >= Era::V0_9 && matches!(attrs.from, None | Some(From::Generic));
    let source = Source::new(name, field, &attrs.from, is_generic);
    let build = if subject.era >= Era::V0_9 {
        quote!(#name { 0: error })
    } else {
        quote!(#name(error))
    };
    let from = subject.from(&source, &build);
    quote!(#error #compat #display #from)
}
