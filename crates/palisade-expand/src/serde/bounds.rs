//! The generics of the generated impls, with the bounds that serde infers.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{
    GenericArgument, GenericParam, Generics, Lifetime, LifetimeParam, PathArguments, ReturnType,
    Type, TypeParamBound, TypePath, WherePredicate, parse_quote,
};

use super::attrs::{Attrs, Fallback, Sides};
use super::model::{Body, Container, Field};
use crate::support::Refusal;

/// The generics of `impl Serialize`.
pub(super) fn serialize(container: &Container<'_>) -> Result<Generics, Refusal> {
    let mut generics = declared(container, |bound| bound.ser.as_deref());
    if container.attrs.bound.ser.is_none() {
        let wants = |field: &Field<'_>, variant: Option<&Attrs>| {
            let free = |attrs: &Attrs| {
                attrs.skip.ser.is_none() && attrs.with.ser.is_none() && attrs.bound.ser.is_none()
            };
            free(&field.attrs) && variant.is_none_or(free)
        };
        bind(container, &mut generics, wants, &quote!(_serde::Serialize))?;
    }
    Ok(generics)
}

/// The generics of `impl Deserialize`, without the lifetime of the input.
pub(super) fn deserialize(
    container: &Container<'_>,
    input_lifetime: &Lifetime,
) -> Result<Generics, Refusal> {
    let mut generics = declared(container, |bound| bound.de.as_deref());
    if container.attrs.bound.de.is_some() {
        return Ok(generics);
    }
    let private = container.version.private();
    if matches!(container.attrs.default, Fallback::Trait) {
        let ident = container.ident;
        let (_, arguments, _) = container.generics.split_for_impl();
        let predicate: WherePredicate = syn::parse2(quote!(#ident #arguments: #private::Default))?;
        generics.make_where_clause().predicates.push(predicate);
    }
    let wants = |field: &Field<'_>, variant: Option<&Attrs>| {
        let free = |attrs: &Attrs| {
            attrs.skip.de.is_none() && attrs.with.de.is_none() && attrs.bound.de.is_none()
        };
        free(&field.attrs) && variant.is_none_or(free)
    };
    bind(
        container,
        &mut generics,
        wants,
        &quote!(_serde::Deserialize<#input_lifetime>),
    )?;
    let defaults =
        |field: &Field<'_>, _: Option<&Attrs>| matches!(field.attrs.default, Fallback::Trait);
    bind(
        container,
        &mut generics,
        defaults,
        &quote!(#private::Default),
    )?;
    Ok(generics)
}

/// The same generics with one more lifetime in front that all of them outlive.
pub(super) fn outliving(generics: &Generics, lifetime: &str) -> Generics {
    let lifetime = Lifetime::new(lifetime, Span::call_site());
    let mut output = generics.clone();
    for param in &mut output.params {
        match param {
            GenericParam::Lifetime(param) => param.bounds.push(lifetime.clone()),
            GenericParam::Type(param) => {
                param
                    .bounds
                    .push(TypeParamBound::Lifetime(lifetime.clone()));
            }
            GenericParam::Const(_) => {}
        }
    }
    output
        .params
        .insert(0, GenericParam::Lifetime(LifetimeParam::new(lifetime)));
    output
}

/// What the item and its attributes declare, without defaults of parameters,
/// which an impl cannot have.
fn declared(
    container: &Container<'_>,
    pick: fn(&Sides<Vec<WherePredicate>>) -> Option<&[WherePredicate]>,
) -> Generics {
    let mut generics = container.generics.clone();
    for param in &mut generics.params {
        if let GenericParam::Type(param) = param {
            param.default = None;
            param.eq_token = None;
        }
    }
    let mut attrs: Vec<&Attrs> = container
        .fields()
        .iter()
        .map(|field| &field.attrs)
        .collect();
    if let Body::Enum(variants) = &container.body {
        attrs.extend(variants.iter().map(|variant| &variant.attrs));
    }
    attrs.push(&container.attrs);
    let predicates: Vec<_> = attrs
        .into_iter()
        .filter_map(|attrs| pick(&attrs.bound))
        .flatten()
        .cloned()
        .collect();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

/// Adds a bound for every type parameter, and every associated type of one,
/// that occurs in a field which wants it.
fn bind(
    container: &Container<'_>,
    generics: &mut Generics,
    wants: impl Fn(&Field<'_>, Option<&Attrs>) -> bool,
    bound: &TokenStream,
) -> Result<(), Refusal> {
    let mut usage = Usage {
        params: container
            .generics
            .type_params()
            .map(|param| param.ident.clone())
            .collect(),
        used: BTreeSet::new(),
        associated: Vec::new(),
    };
    match &container.body {
        Body::Struct(_, fields) => {
            fields
                .iter()
                .filter(|field| wants(field, None))
                .for_each(|field| usage.field(field.ty));
        }
        Body::Enum(variants) => {
            for variant in variants {
                let fields = variant.fields.iter();
                fields
                    .filter(|field| wants(field, Some(&variant.attrs)))
                    .for_each(|field| usage.field(field.ty));
            }
        }
    }
    let mut predicates: Vec<WherePredicate> = Vec::new();
    for param in container.generics.type_params() {
        let ident = &param.ident;
        if usage.used.contains(ident) {
            predicates.push(syn::parse2(quote!(#ident: #bound))?);
        }
    }
    for path in usage.associated {
        predicates.push(syn::parse2(quote!(#path: #bound))?);
    }
    generics.make_where_clause().predicates.extend(predicates);
    Ok(())
}

/// Which type parameters the fields mention.
struct Usage<'a> {
    params: BTreeSet<Ident>,
    used: BTreeSet<Ident>,
    associated: Vec<&'a TypePath>,
}

impl<'a> Usage<'a> {
    fn field(&mut self, ty: &'a Type) {
        let mut inner = ty;
        while let Type::Group(group) = inner {
            inner = &group.elem;
        }
        if let Type::Path(path) = inner
            && path.path.segments.len() > 1
            && self.params.contains(&path.path.segments[0].ident)
        {
            self.associated.push(path);
        }
        self.ty(ty);
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Array(ty) => self.ty(&ty.elem),
            Type::Group(ty) => self.ty(&ty.elem),
            Type::Paren(ty) => self.ty(&ty.elem),
            Type::Ptr(ty) => self.ty(&ty.elem),
            Type::Reference(ty) => self.ty(&ty.elem),
            Type::Slice(ty) => self.ty(&ty.elem),
            Type::Tuple(ty) => ty.elems.iter().for_each(|ty| self.ty(ty)),
            Type::BareFn(ty) => {
                ty.inputs.iter().for_each(|input| self.ty(&input.ty));
                self.result(&ty.output);
            }
            Type::ImplTrait(ty) => self.bounds(&ty.bounds),
            Type::TraitObject(ty) => self.bounds(&ty.bounds),
            Type::Path(ty) => {
                if let Some(qself) = &ty.qself {
                    self.ty(&qself.ty);
                }
                self.path(&ty.path);
            }
            // A macro's tokens do not count as a use, as they do not for serde.
            _ => {}
        }
    }

    fn bounds<'b>(&mut self, bounds: impl IntoIterator<Item = &'b TypeParamBound>) {
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound {
                self.path(&bound.path);
            }
        }
    }

    fn result(&mut self, output: &ReturnType) {
        if let ReturnType::Type(_, ty) = output {
            self.ty(ty);
        }
    }

    fn path(&mut self, path: &syn::Path) {
        // `PhantomData<T>` is serialised whatever `T` is.
        if path
            .segments
            .last()
            .is_some_and(|last| last.ident == "PhantomData")
        {
            return;
        }
        if path.leading_colon.is_none()
            && path.segments.len() == 1
            && self.params.contains(&path.segments[0].ident)
        {
            self.used.insert(path.segments[0].ident.clone());
        }
        for segment in &path.segments {
            match &segment.arguments {
                PathArguments::None => {}
                PathArguments::AngleBracketed(arguments) => {
                    for argument in &arguments.args {
                        match argument {
                            GenericArgument::Type(ty) => self.ty(ty),
                            GenericArgument::AssocType(binding) => self.ty(&binding.ty),
                            _ => {}
                        }
                    }
                }
                PathArguments::Parenthesized(arguments) => {
                    arguments.inputs.iter().for_each(|ty| self.ty(ty));
                    self.result(&arguments.output);
                }
            }
        }
    }
}

/// The lifetime `'de` in front, bounded by what is borrowed from the input.
pub(super) fn with_input_lifetime(generics: &Generics, borrowed: &BTreeSet<Lifetime>) -> Generics {
    let borrowed = borrowed.iter();
    let param: LifetimeParam = parse_quote!('de: #(#borrowed)+*);
    let mut output = generics.clone();
    output.params.insert(0, GenericParam::Lifetime(param));
    output
}
