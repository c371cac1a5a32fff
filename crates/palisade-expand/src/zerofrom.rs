//! `zerofrom-derive`: `ZeroFrom`, borrowing from a type's own borrowed form.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, DeriveInput, Lifetime, MetaList, Token, Type, TypeParam, TypeParamBound, TypePath,
    parse_quote,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::shapes::shapes;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("zerofrom-derive", "ZeroFrom", zero_from)];

/// A type parameter, and the parameter of what is borrowed from, if that differs.
struct Param {
    ident: Ident,
    borrowed: Option<Ident>,
}

fn zero_from(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let lifetimes = input.generics.lifetimes().count();
    if lifetimes > 1 {
        return Err(Refusal::new("more than one lifetime parameter"));
    }
    let borrowing = borrowing_params(&input.attrs)?;
    let mut bounds: Vec<TypeParam> = Vec::new();
    let mut params = Vec::new();
    for param in input.generics.type_params() {
        let mut param = param.clone();
        param.eq_token = None;
        param.default = None;
        let borrows = borrowing.contains(&param.ident) || has(&param.attrs, "may_borrow");
        if borrows {
            param.bounds = param
                .bounds
                .into_iter()
                .filter(|it| !is_maybe_sized(it))
                .collect();
        }
        params.push(Param {
            borrowed: borrows.then(|| format_ident!("{}ZFParamC", param.ident)),
            ident: param.ident.clone(),
        });
        bounds.push(param);
    }
    if lifetimes == 0 && params.iter().all(|param| param.borrowed.is_none()) {
        return owned(&input, &bounds, &params);
    }
    borrowed(&input, &bounds, &params, lifetimes > 0)
}

/// A type without anything borrowed is copied.
fn owned(input: &DeriveInput, bounds: &[TypeParam], params: &[Param]) -> Expansion {
    let name = &input.ident;
    let clones = shapes(input)?
        .iter()
        .any(|shape| shape.fields.iter().any(|field| has(&field.attrs, "clone")));
    let (value, needed) = if clones {
        (quote!(this.clone()), quote!(Clone))
    } else {
        (quote!(*this), quote!(Copy))
    };
    let params: Vec<_> = params.iter().map(|param| &param.ident).collect();
    Ok(quote! {
        impl<'zf, #(#bounds),*> zerofrom::ZeroFrom<'zf, #name<#(#params),*>> for #name<#(#params),*>
        where #(#params: #needed + 'static),*
        {
            fn zero_from(this: &'zf Self) -> Self {
                #value
            }
        }
    })
}

fn borrowed(
    input: &DeriveInput,
    bounds: &[TypeParam],
    params: &[Param],
    has_lifetime: bool,
) -> Expansion {
    let name = &input.ident;
    let mut predicates = Vec::new();
    let mut arms = TokenStream::new();
    for shape in shapes(input)? {
        let bindings = shape.numbered("__binding_");
        let values = shape.fields.iter().zip(&bindings).map(|(field, binding)| {
            if has(&field.attrs, "clone") {
                return quote!(#binding.clone());
            }
            let uses = Uses::of(&field.ty, params);
            let to = replaced(&field.ty, "'zf", &[]);
            let from = replaced(&field.ty, "'zf_inner", params);
            if uses.param {
                let from = if uses.lifetime { &from } else { &to };
                predicates.push(quote!(#to: zerofrom::ZeroFrom<'zf, #from>));
            }
            if uses.param || uses.lifetime {
                quote!(<#to as zerofrom::ZeroFrom<'zf, #from>>::zero_from(#binding))
            } else {
                quote!(*#binding)
            }
        });
        let values: Vec<_> = values.collect();
        let value = shape.with(&values);
        let patterns: Vec<_> = bindings.iter().map(|it| quote!(ref #it)).collect();
        let pattern = shape.with(&patterns);
        arms.extend(quote!(#pattern => { #value }));
    }
    let to: Vec<_> = params.iter().map(|param| &param.ident).collect();
    let from: Vec<_> = params
        .iter()
        .map(|param| param.borrowed.as_ref().unwrap_or(&param.ident))
        .collect();
    let new: Vec<_> = params
        .iter()
        .filter_map(|param| param.borrowed.as_ref())
        .collect();
    for param in params {
        if let Some(borrowed) = &param.borrowed {
            let ident = &param.ident;
            predicates.push(quote!(#borrowed: zerofrom::ZeroFrom<'zf_inner, #ident>));
        }
    }
    let (outer, inner) = if has_lifetime {
        (quote!('zf,), quote!('zf_inner,))
    } else {
        (quote!(), quote!())
    };
    Ok(quote! {
        impl<'zf, 'zf_inner, #(#bounds,)* #(#new),*>
            zerofrom::ZeroFrom<'zf, #name<#inner #(#from),*>> for #name<#outer #(#to),*>
        where #(#predicates,)*
        {
            fn zero_from(this: &'zf #name<#inner #(#from),*>) -> Self {
                match *this { #arms }
            }
        }
    })
}

/// Whether `#[zerofrom(word)]` stands there.
fn has(attributes: &[Attribute], word: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.parse_args::<Ident>().is_ok_and(|it| it == word))
}

/// The parameters in `#[zerofrom(may_borrow(T, U))]`.
fn borrowing_params(attributes: &[Attribute]) -> Result<Vec<Ident>, Refusal> {
    let mut params = Vec::new();
    for attribute in attributes {
        if let Ok(list) = attribute.parse_args::<MetaList>()
            && list.path.is_ident("may_borrow")
        {
            params.extend(list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?);
        }
    }
    Ok(params)
}

fn is_maybe_sized(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(it)
        if it.path.is_ident("Sized") && matches!(it.modifier, syn::TraitBoundModifier::Maybe(_)))
}

/// What a field's type is made of.
struct Uses<'a> {
    params: &'a [Param],
    /// A type parameter.
    param: bool,
    /// A lifetime other than `'static`, or a parameter that may borrow.
    lifetime: bool,
}

impl<'a> Uses<'a> {
    fn of(ty: &Type, params: &'a [Param]) -> Self {
        let mut uses = Self {
            params,
            param: false,
            lifetime: false,
        };
        uses.visit_type(ty);
        uses
    }
}

impl Visit<'_> for Uses<'_> {
    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        self.lifetime |= lifetime.ident != "static";
    }

    fn visit_type_path(&mut self, ty: &TypePath) {
        if let Some(ident) = ty.path.get_ident()
            && let Some(param) = self.params.iter().find(|param| param.ident == *ident)
        {
            self.param = true;
            self.lifetime |= param.borrowed.is_some();
        }
        visit::visit_type_path(self, ty);
    }
}

/// The type with all lifetimes replaced, and the parameters that borrow.
fn replaced(ty: &Type, lifetime: &str, params: &[Param]) -> Type {
    struct Replace<'a>(Lifetime, &'a [Param]);

    impl VisitMut for Replace<'_> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            *lifetime = self.0.clone();
        }

        fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
            if ty.qself.is_none()
                && let Some(ident) = ty.path.get_ident()
                && let Some(param) = self.1.iter().find(|param| param.ident == *ident)
                && let Some(borrowed) = &param.borrowed
            {
                *ty = parse_quote!(#borrowed);
                return;
            }
            visit_mut::visit_type_path_mut(self, ty);
        }
    }

    let mut ty = ty.clone();
    Replace(Lifetime::new(lifetime, Span::call_site()), params).visit_type_mut(&mut ty);
    ty
}
