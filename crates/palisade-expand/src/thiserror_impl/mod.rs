//! `thiserror-impl` 1 and 2: `Error`, with `Display` and the `From` impls beside it.
//!
//! The methods for generic member access exist on nightly compilers alone and
//! are left out.

mod attr;
mod bounds;
mod message;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Data, DeriveInput, Field, Fields, GenericArgument, Generics, Member, PathArguments, Type,
};

pub(crate) use self::attr::shorthand;
use self::attr::{Attrs, Template};
use self::bounds::Bounds;
use self::message::Message;
use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("thiserror-impl", "Error", error)];

/// The names that generated code uses in one version of the crate.
struct Names {
    /// The module with the crate's helper traits.
    private: TokenStream,
    /// Version 1: a field has one local however often and in whatever way it
    /// is formatted, and pointers need no wrapper.
    one_local_per_field: bool,
}

impl Names {
    fn of(version: Option<&str>) -> Self {
        let mut numbers = version
            .unwrap_or_default()
            .split(['.', '-', '+'])
            .map_while(|number| number.parse::<u64>().ok());
        let (major, minor, patch) = (numbers.next(), numbers.next(), numbers.next());
        let private = match (major, minor, patch) {
            // Since 2.0.17 the module is called after the patch release.
            (Some(2), Some(0), Some(patch)) if patch >= 17 => format_ident!("__private{patch}"),
            _ => format_ident!("__private"),
        };
        Self {
            private: quote!(::thiserror::#private),
            one_local_per_field: major == Some(1),
        }
    }
}

/// A struct or a variant: what its impls are made of.
struct Case<'i> {
    /// How the value is built and matched: `Self` or `Type::Variant`.
    path: TokenStream,
    attrs: Attrs,
    fields: Vec<Part<'i>>,
}

struct Part<'i> {
    member: Member,
    ty: &'i Type,
    attrs: Attrs,
}

impl<'i> Case<'i> {
    fn read(path: TokenStream, attrs: Attrs, fields: &'i Fields) -> syn::Result<Self> {
        let fields = fields
            .members()
            .zip(fields.iter())
            .map(|(member, field): (Member, &Field)| {
                Ok(Part {
                    member,
                    ty: &field.ty,
                    attrs: Attrs::read(&field.attrs)?,
                })
            })
            .collect::<syn::Result<_>>()?;
        Ok(Self {
            path,
            attrs,
            fields,
        })
    }

    fn from(&self) -> Option<&Part<'i>> {
        self.fields.iter().find(|field| field.attrs.from)
    }

    fn source(&self) -> Option<&Part<'i>> {
        let marked = |field: &&Part<'i>| field.attrs.from || field.attrs.source;
        let named =
            |field: &&Part<'i>| matches!(&field.member, Member::Named(name) if name == "source");
        let fields = &self.fields;
        fields.iter().find(marked).or(fields.iter().find(named))
    }

    fn backtrace(&self) -> Option<&Part<'i>> {
        let marked = |field: &&Part<'i>| field.attrs.backtrace;
        let typed = |field: &&Part<'i>| last_is(field.ty, "Backtrace");
        let fields = &self.fields;
        fields.iter().find(marked).or(fields.iter().find(typed))
    }

    /// The only field of a transparent error.
    fn only(&self) -> syn::Result<&Part<'i>> {
        match self.fields.as_slice() {
            [first, ..] => Ok(first),
            [] => Err(syn::Error::new(
                proc_macro2::Span::call_site(),
                "a transparent error needs a field",
            )),
        }
    }

    /// A pattern that binds every field, tuple fields as `_0`, `_1`, ..
    fn pattern(&self) -> TokenStream {
        let (path, locals) = (&self.path, self.fields.iter().map(Part::local));
        match self.fields.first().map(|field| &field.member) {
            Some(Member::Named(_)) => quote!(#path { #(#locals),* }),
            Some(Member::Unnamed(_)) => quote!(#path(#(#locals),*)),
            None => quote!(#path {}),
        }
    }
}

impl Part<'_> {
    fn local(&self) -> Ident {
        match &self.member {
            Member::Named(name) => name.clone(),
            Member::Unnamed(index) => format_ident!("_{}", index.index),
        }
    }
}

/// `#[derive(Error)]`
fn error(invocation: &Invocation<'_>) -> Expansion {
    let names = Names::of(invocation.version);
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ident = &input.ident;
    let attrs = Attrs::read(&input.attrs)?;
    let cases = match &input.data {
        Data::Struct(data) => vec![Case::read(quote!(#ident), attrs, &data.fields)?],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let name = &variant.ident;
                let own = Attrs::read(&variant.attrs)?.or_template(&attrs);
                Case::read(quote!(#ident::#name), own, &variant.fields)
            })
            .collect::<syn::Result<_>>()?,
        Data::Union(_) => return Err(Refusal::new("unions are no errors")),
    };
    let is_enum = matches!(input.data, Data::Enum(_));
    let parameters: Vec<_> = input
        .generics
        .type_params()
        .map(|param| &param.ident)
        .collect();

    let mut error_bounds = Bounds::new(&parameters);
    let source = source(&cases, is_enum, &names, &mut error_bounds)?;
    if !parameters.is_empty() {
        error_bounds.always(quote!(Self), quote!(::core::fmt::Debug));
        error_bounds.always(quote!(Self), quote!(::core::fmt::Display));
    }
    let display = display(&cases, is_enum, &names, ident, &input.generics, &parameters)?;
    let from = cases
        .iter()
        .filter_map(|case| from(case, ident, &input.generics));

    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = error_bounds.extend(&input.generics);
    Ok(quote! {
        #[allow(unused_qualifications)]
        #[automatically_derived]
        impl #impl_generics ::core::error::Error for #ident #ty_generics #where_clause {
            #source
        }
        #display
        #(#from)*
    })
}

/// `Error::source`, if any case has one.
fn source<'i>(
    cases: &[Case<'i>],
    is_enum: bool,
    names: &Names,
    bounds: &mut Bounds<'i>,
) -> syn::Result<Option<TokenStream>> {
    let has_source =
        |case: &Case<'_>| case.source().is_some() || case.attrs.template.is_transparent();
    if !cases.iter().any(has_source) {
        return Ok(None);
    }
    let mut arms = Vec::new();
    for case in cases {
        let path = &case.path;
        arms.push(if case.attrs.template.is_transparent() {
            let only = case.only()?;
            bounds.add(only.ty, only.ty, quote!(::core::error::Error));
            let member = &only.member;
            quote! {
                #path { #member: transparent } => {
                    ::core::error::Error::source(transparent.as_dyn_error())
                }
            }
        } else if let Some(source) = case.source() {
            let inner = option_argument(source.ty);
            let bound = quote!(::core::error::Error + 'static);
            bounds.add(source.ty, inner.unwrap_or(source.ty), bound);
            let member = &source.member;
            let unwrap = inner.map(|_| quote!(.as_ref()?));
            quote! {
                #path { #member: source, .. } => {
                    ::core::option::Option::Some(source #unwrap.as_dyn_error())
                }
            }
        } else {
            quote!(#path { .. } => ::core::option::Option::None,)
        });
    }
    let private = &names.private;
    // A struct's only arm is irrefutable, so one form serves both.
    debug_assert!(is_enum || arms.len() == 1);
    Ok(Some(quote! {
        fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
            use #private::AsDynError as _;
            #[allow(deprecated)]
            match self {
                #(#arms)*
            }
        }
    }))
}

/// `Display`, unless the error leaves it to its author.
fn display<'i>(
    cases: &[Case<'i>],
    is_enum: bool,
    names: &Names,
    ident: &Ident,
    generics: &Generics,
    parameters: &[&'i Ident],
) -> syn::Result<Option<TokenStream>> {
    let given =
        |case: &Case<'_>| !matches!(case.attrs.template, Template::None | Template::Transparent);
    let transparent = |case: &Case<'_>| case.attrs.template.is_transparent();
    if !cases.iter().any(given) && !cases.iter().all(transparent) {
        return Ok(None);
    }
    let mut bounds = Bounds::new(parameters);
    let mut as_display = false;
    let mut arms = Vec::new();
    for case in cases {
        let (pattern, body) = match &case.attrs.template {
            Template::Message { text, args } => {
                let message = Message::expand(text, args, case, names)?;
                as_display |= message.uses_as_display;
                for (field, bound) in message.bounds {
                    let ty = case.fields[field].ty;
                    let bound = format_ident!("{bound}");
                    bounds.add(ty, ty, quote!(::core::fmt::#bound));
                }
                (case.pattern(), message.tokens)
            }
            Template::Function(path) => {
                let locals = case.fields.iter().map(Part::local);
                (case.pattern(), quote!(#path(#(#locals,)* __formatter)))
            }
            // A case without a message of its own is checked by the macro elsewhere.
            Template::Transparent | Template::None => {
                let only = case.only()?;
                bounds.add(only.ty, only.ty, quote!(::core::fmt::Display));
                let local = only.local();
                (
                    case.pattern(),
                    quote!(::core::fmt::Display::fmt(#local, __formatter)),
                )
            }
        };
        arms.push(quote!(#pattern => #body));
    }
    let private = &names.private;
    let use_as_display = as_display.then(|| quote!(use #private::AsDisplay as _;));
    let deref = (is_enum && cases.is_empty()).then(|| quote!(*));
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let where_clause = bounds.extend(generics);
    Ok(Some(quote! {
        #[allow(unused_qualifications)]
        #[automatically_derived]
        impl #impl_generics ::core::fmt::Display for #ident #ty_generics #where_clause {
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                #use_as_display
                #[allow(unused_variables, deprecated)]
                match #deref self {
                    #(#arms,)*
                }
            }
        }
    }))
}

/// `From` for the field marked `#[from]`.
fn from(case: &Case<'_>, ident: &Ident, generics: &Generics) -> Option<TokenStream> {
    let field = case.from()?;
    let inner = option_argument(field.ty);
    let ty = inner.unwrap_or(field.ty);
    let member = &field.member;
    let value = match inner {
        Some(_) => quote!(::core::option::Option::Some(source)),
        None => quote!(source),
    };
    let backtrace = case
        .backtrace()
        .filter(|backtrace| backtrace.member != field.member)
        .map(|backtrace| {
            let member = &backtrace.member;
            let wrap = match option_argument(backtrace.ty) {
                Some(_) => quote!(::core::option::Option::Some),
                None => quote!(::core::convert::From::from),
            };
            quote!(#member: #wrap(::std::backtrace::Backtrace::capture()),)
        });
    let path = &case.path;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Some(quote! {
        #[allow(deprecated, unused_qualifications)]
        #[automatically_derived]
        impl #impl_generics ::core::convert::From<#ty> for #ident #ty_generics #where_clause {
            fn from(source: #ty) -> Self {
                #path { #member: #value, #backtrace }
            }
        }
    })
}

/// `T` of an `Option<T>`, however it is spelled.
fn option_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(list) if last.ident == "Option" && list.args.len() == 1 => {
            match list.args.first() {
                Some(GenericArgument::Type(ty)) => Some(ty),
                _ => None,
            }
        }
        _ => None,
    }
}

fn last_is(ty: &Type, name: &str) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == name && last.arguments.is_none())
}
