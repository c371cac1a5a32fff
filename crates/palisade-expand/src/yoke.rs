//! `yoke-derive`: `Yokeable`, a type that can be carried with what it borrows from.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::visit_mut::VisitMut;
use syn::{DeriveInput, Lifetime, Type, TypeParam, TypePath, WherePredicate};

use crate::Invocation;
use crate::registry::Macro;
use crate::shapes::shapes;
use crate::support::{Expansion, Refusal, at_least};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("yoke-derive", "Yokeable", yokeable)];

fn yokeable(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let params: Vec<TypeParam> = input
        .generics
        .type_params()
        .map(|param| {
            let mut param = param.clone();
            param.eq_token = None;
            param.default = None;
            param
        })
        .collect();
    let lifetimes: Vec<_> = input.generics.lifetimes().collect();
    if lifetimes.len() > 1 {
        return Err(Refusal::new("more than one lifetime parameter"));
    }
    let derive = Derive {
        idents: params.iter().map(|param| param.ident.clone()).collect(),
        lifetime: lifetimes.first().map(|param| param.lifetime.ident.clone()),
        bounds: params,
        input: &input,
    };
    let is_manual = input.attrs.iter().any(|attribute| {
        attribute.path().is_ident("yoke")
            && attribute
                .parse_args::<Ident>()
                .is_ok_and(|word| word == "prove_covariance_manually")
    });
    // Later releases transmute where earlier ones read through a pointer.
    let is_new = at_least(invocation.version, (0, 8, 1));
    match (&derive.lifetime, is_manual, is_new) {
        (None, ..) => Ok(derive.owned()),
        (Some(_), false, true) => Ok(derive.covariant(
            &quote! {
                if false {
                    let _: *const &'yoke Self::Output = &raw const self;
                }
                self
            },
            &make(true),
            &transform_mut(true),
        )),
        (Some(_), false, false) => {
            Ok(derive.covariant(&quote!(self), &make(false), &transform_mut(false)))
        }
        (Some(_), true, true) => derive.manual(),
        (Some(_), true, false) => derive.manual_by_field(),
    }
}

struct Derive<'a> {
    input: &'a DeriveInput,
    /// The type parameters without their defaults.
    bounds: Vec<TypeParam>,
    idents: Vec<Ident>,
    lifetime: Option<Ident>,
}

/// How `make` turns the borrowed form into the one that is stored.
fn make(is_new: bool) -> TokenStream {
    if is_new {
        return quote! {
            unsafe fn make(from: Self::Output) -> Self {
                unsafe { ::core::mem::transmute::<Self::Output, Self>(from) }
            }
        };
    }
    quote! {
        unsafe fn make(this: Self::Output) -> Self {
            use core::{mem, ptr};
            debug_assert!(mem::size_of::<Self::Output>() == mem::size_of::<Self>());
            let ptr: *const Self = (&this as *const Self::Output).cast();
            #[allow(forgetting_copy_types, clippy::forget_copy, clippy::forget_non_drop)]
            mem::forget(this);
            ptr::read(ptr)
        }
    }
}

fn transform_mut(is_new: bool) -> TokenStream {
    let body = if is_new {
        quote! {
            let y = unsafe { &mut *(self as *mut Self as *mut Self::Output) };
            f(y)
        }
    } else {
        quote! {
            unsafe { f(core::mem::transmute::<&'yoke mut Self, &'yoke mut Self::Output>(self)) }
        }
    };
    quote! {
        fn transform_mut<F>(&'yoke mut self, f: F)
        where
            F: 'static + for<'_yoke> FnOnce(&'_yoke mut Self::Output)
        {
            #body
        }
    }
}

impl Derive<'_> {
    fn where_types(&self) -> impl Iterator<Item = &WherePredicate> {
        self.input
            .generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates)
            .filter(|predicate| matches!(predicate, WherePredicate::Type(_)))
    }

    /// Without a lifetime parameter, the type is its own borrowed form.
    fn owned(&self) -> TokenStream {
        let (name, bounds, idents) = (&self.input.ident, &self.bounds, &self.idents);
        let types = self.where_types();
        quote! {
            unsafe impl<'yoke, #(#bounds),*> yoke::Yokeable<'yoke> for #name<#(#idents),*>
            where #(#idents: 'static,)* #(#types,)* Self: Sized
            {
                type Output = Self;
                #[inline]
                fn transform(&self) -> &Self::Output {
                    self
                }
                #[inline]
                fn transform_owned(self) -> Self::Output {
                    self
                }
                #[inline]
                unsafe fn make(this: Self::Output) -> Self {
                    this
                }
                #[inline]
                fn transform_mut<F>(&'yoke mut self, f: F)
                where
                    F: 'static + for<'_yoke> FnOnce(&'_yoke mut Self::Output)
                {
                    f(self)
                }
            }
        }
    }

    fn implement(&self, predicates: &[TokenStream], methods: &TokenStream) -> TokenStream {
        let (name, bounds, idents) = (&self.input.ident, &self.bounds, &self.idents);
        let types = self.where_types();
        quote! {
            unsafe impl<'yoke, #(#bounds),*> yoke::Yokeable<'yoke> for #name<'static, #(#idents),*>
            where #(#idents: 'static,)* #(#types,)* #(#predicates,)*
            {
                type Output = #name<'yoke, #(#idents),*>;
                #methods
            }
        }
    }

    /// The compiler sees that the lifetime may be shortened.
    fn covariant(
        &self,
        transform: &TokenStream,
        make: &TokenStream,
        transform_mut: &TokenStream,
    ) -> TokenStream {
        let methods = quote! {
            #[inline]
            fn transform(&'yoke self) -> &'yoke Self::Output {
                #transform
            }
            #[inline]
            fn transform_owned(self) -> Self::Output {
                self
            }
            #[inline]
            #make
            #[inline]
            #transform_mut
        };
        self.implement(&[], &methods)
    }

    /// Every field is proved to be `Yokeable` itself, in code that never runs.
    fn manual(&self) -> Expansion {
        let (mut predicates, mut yokeable, mut output) =
            (Vec::new(), TokenStream::new(), TokenStream::new());
        for shape in shapes(self.input)? {
            let bindings = shape.numbered("__binding_");
            let (mut in_self, mut in_output) = (TokenStream::new(), TokenStream::new());
            for (field, binding) in shape.fields.iter().zip(&bindings) {
                let uses = self.uses(&field.ty, true);
                let fixed = self.replaced(&field.ty, "'static");
                if uses.param {
                    let short = self.replaced(&field.ty, "'yoke");
                    predicates.push(if uses.lifetime {
                        quote!(#fixed: yoke::Yokeable<'yoke, Output = #short>)
                    } else {
                        quote!(#fixed: 'static)
                    });
                }
                if uses.lifetime {
                    in_self.extend(quote! {
                        __yoke_derive_require_yokeable::<'yoke, #fixed>(&raw const #binding);
                    });
                } else {
                    in_output.extend(quote! {
                        __yoke_derive_require_static::<'yoke, #fixed>(&raw const #binding);
                    });
                }
            }
            let patterns: Vec<_> = bindings.iter().map(|it| quote!(#it)).collect();
            let pattern = shape.with(&patterns);
            yokeable.extend(quote!(#pattern => { #in_self }));
            output.extend(quote!(#pattern => { #in_output }));
        }
        let (make, transform_mut) = (make(true), transform_mut(true));
        let methods = quote! {
            #[inline]
            fn transform(&'yoke self) -> &'yoke Self::Output {
                if false {
                    #[allow(dead_code)]
                    fn __yoke_derive_require_yokeable<'yoke: 'yoke, T: yoke::Yokeable<'yoke>>(
                        _t: *const &'yoke T,
                    ) {}
                    match self { #yokeable }
                }
                let output = unsafe {
                    ::core::mem::transmute::<&'yoke Self, &'yoke Self::Output>(self)
                };
                if false {
                    #[allow(dead_code)]
                    fn __yoke_derive_require_static<'yoke: 'yoke, T: 'static>(
                        _t: *const &'yoke T,
                    ) {}
                    match output { #output }
                }
                output
            }
            #[inline]
            fn transform_owned(self) -> Self::Output {
                unsafe { ::core::mem::transmute::<Self, Self::Output>(self) }
            }
            #[inline]
            #make
            #[inline]
            #transform_mut
        };
        Ok(self.implement(&predicates, &methods))
    }

    /// The earlier form of the same: field by field, and some of it does run.
    fn manual_by_field(&self) -> Expansion {
        let (mut predicates, mut borrowed, mut owned) =
            (Vec::new(), TokenStream::new(), TokenStream::new());
        for shape in shapes(self.input)? {
            let bindings: Vec<_> = (0..shape.fields.len())
                .map(|index| format_ident!("__binding_{index}"))
                .collect();
            let mut checks = TokenStream::new();
            let mut values = Vec::new();
            for (field, binding) in shape.fields.iter().zip(&bindings) {
                let uses = self.uses(&field.ty, false);
                if !(uses.param || uses.lifetime) {
                    values.push(quote!(#binding));
                    continue;
                }
                let fixed = self.replaced_all(&field.ty, "'static");
                let short = self.replaced_all(&field.ty, "'yoke");
                if uses.param {
                    let output = if uses.lifetime { &short } else { &fixed };
                    predicates.push(quote!(#fixed: yoke::Yokeable<'yoke, Output = #output>));
                }
                values.push(quote!(<#fixed as yoke::Yokeable<'yoke>>::transform_owned(#binding)));
                checks.extend(quote! {
                    let _: &#short = &<#fixed as yoke::Yokeable<'yoke>>::transform(#binding);
                });
            }
            let patterns: Vec<_> = bindings.iter().map(|it| quote!(#it)).collect();
            let (pattern, value) = (shape.with(&patterns), shape.with(&values));
            borrowed.extend(quote!(#pattern => { { #checks } }));
            owned.extend(quote!(#pattern => { #value }));
        }
        let (make, transform_mut) = (make(false), transform_mut(false));
        let methods = quote! {
            #[inline]
            fn transform(&'yoke self) -> &'yoke Self::Output {
                if false {
                    match self { #borrowed }
                }
                unsafe { ::core::mem::transmute(self) }
            }
            #[inline]
            fn transform_owned(self) -> Self::Output {
                match self { #owned }
            }
            #[inline]
            #make
            #[inline]
            #transform_mut
        };
        Ok(self.implement(&predicates, &methods))
    }

    /// What a type mentions: only the item's own lifetime, or any but `'static`.
    fn uses(&self, ty: &Type, own: bool) -> Uses<'_> {
        let mut uses = Uses {
            idents: &self.idents,
            own: self.lifetime.as_ref().filter(|_| own),
            param: false,
            lifetime: false,
        };
        uses.visit_type(ty);
        uses
    }

    /// The type with the item's lifetime replaced.
    fn replaced(&self, ty: &Type, lifetime: &str) -> Type {
        replace(ty, self.lifetime.as_ref(), lifetime)
    }

    /// The type with every lifetime replaced.
    fn replaced_all(&self, ty: &Type, lifetime: &str) -> Type {
        replace(ty, None, lifetime)
    }
}

/// What a field's type is made of.
struct Uses<'a> {
    idents: &'a [Ident],
    own: Option<&'a Ident>,
    /// A type parameter.
    param: bool,
    /// A lifetime.
    lifetime: bool,
}

impl Visit<'_> for Uses<'_> {
    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        self.lifetime |= match self.own {
            Some(own) => lifetime.ident == *own,
            None => lifetime.ident != "static",
        };
    }

    fn visit_type_path(&mut self, ty: &TypePath) {
        if let Some(ident) = ty.path.get_ident() {
            self.param |= self.idents.contains(ident);
        }
        visit::visit_type_path(self, ty);
    }
}

/// Replaces one lifetime, or all of them.
fn replace(ty: &Type, only: Option<&Ident>, with: &str) -> Type {
    struct Replace<'a>(Option<&'a Ident>, Lifetime);

    impl VisitMut for Replace<'_> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if self.0.is_none_or(|only| lifetime.ident == *only) {
                *lifetime = self.1.clone();
            }
        }
    }

    let mut ty = ty.clone();
    Replace(only, Lifetime::new(with, Span::call_site())).visit_type_mut(&mut ty);
    ty
}
