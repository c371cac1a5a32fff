//! Everything that is generated for one item.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, GenericParam, Generics, Lifetime, LifetimeParam, Visibility};

use super::Args;
use super::shape::{ProjectedField, Shape};

/// How a projected type holds its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ownership {
    Mutable,
    Shared,
    Owned,
}

/// One of the projected types.
struct Projection {
    ident: Ident,
    ownership: Ownership,
    /// The user named it, so it stands beside the item and not in the constant.
    is_public: bool,
}

/// Everything that is generated for one item.
pub(super) struct Project<'a> {
    args: &'a Args,
    input: &'a DeriveInput,
    shapes: Vec<Shape<'a>>,
    projections: Vec<Projection>,
    /// Without defaults, which no impl can have.
    generics: Generics,
    pin: Lifetime,
    /// The generics with that lifetime in front.
    pinned_generics: Generics,
    has_pinned_fields_of: bool,
}

impl<'a> Project<'a> {
    pub(super) fn new(
        args: &'a Args,
        input: &'a DeriveInput,
        shapes: Vec<Shape<'a>>,
        has_pinned_fields_of: bool,
    ) -> Self {
        let is_struct = matches!(input.data, Data::Struct(_));
        let ident = &input.ident;
        let mut projections = Vec::new();
        let mut add = |name: &Option<Ident>, wanted: bool, suffix: &str, ownership| {
            if name.is_some() || wanted {
                projections.push(Projection {
                    ident: name
                        .clone()
                        .unwrap_or_else(|| format_ident!("__{ident}{suffix}")),
                    ownership,
                    is_public: name.is_some(),
                });
            }
        };
        add(&args.project, is_struct, "Projection", Ownership::Mutable);
        add(
            &args.project_ref,
            is_struct,
            "ProjectionRef",
            Ownership::Shared,
        );
        if let Some(name) = &args.project_replace {
            add(name, is_struct, "ProjectionOwned", Ownership::Owned);
        }
        let mut generics = input.generics.clone();
        for param in &mut generics.params {
            match param {
                GenericParam::Type(param) => (param.default, param.eq_token) = (None, None),
                GenericParam::Const(param) => (param.default, param.eq_token) = (None, None),
                GenericParam::Lifetime(_) => {}
            }
        }
        let mut pin = Lifetime::new("'pin", Span::call_site());
        while generics
            .lifetimes()
            .any(|param| param.lifetime.ident == pin.ident)
        {
            pin.ident = format_ident!("{}_", pin.ident);
        }
        let mut pinned_generics = generics.clone();
        let param = GenericParam::Lifetime(LifetimeParam::new(pin.clone()));
        pinned_generics.params.insert(0, param);
        Self {
            args,
            input,
            shapes,
            projections,
            generics,
            pin,
            pinned_generics,
            has_pinned_fields_of,
        }
    }

    /// The crate as it is named outside of the constant.
    fn root(&self) -> TokenStream {
        match &self.args.krate {
            Some(path) => quote!(#path),
            None => quote!(::pin_project),
        }
    }

    /// The projections of a public type are visible in its crate.
    fn vis(&self) -> TokenStream {
        match &self.input.vis {
            Visibility::Public(_) => quote!(pub(crate)),
            vis => quote!(#vis),
        }
    }

    /// The projected types: those beside the item, and those in the constant.
    pub(super) fn types(&self) -> (TokenStream, TokenStream) {
        let (root, vis, pin) = (self.root(), self.vis(), &self.pin);
        let ident = &self.input.ident;
        let (_, ty_generics, where_clause) = self.generics.split_for_impl();
        let predicates = where_clause.map(|clause| &clause.predicates);
        let mut predicates = predicates.map(|list| quote!(#list)).unwrap_or_default();
        if where_clause.is_some_and(|clause| {
            !clause.predicates.trailing_punct() && !clause.predicates.is_empty()
        }) {
            predicates.extend(quote!(,));
        }
        let (mut outside, mut inside) = (TokenStream::new(), TokenStream::new());
        for projection in &self.projections {
            let name = &projection.ident;
            let field = |field: &ProjectedField<'_>| {
                let ty = field.ty;
                match (projection.ownership, field.pinned) {
                    (Ownership::Mutable, true) => {
                        quote!(#root::__private::Pin<&#pin mut (#ty)>)
                    }
                    (Ownership::Mutable, false) => quote!(&#pin mut (#ty)),
                    (Ownership::Shared, true) => quote!(#root::__private::Pin<&#pin (#ty)>),
                    (Ownership::Shared, false) => quote!(&#pin (#ty)),
                    (Ownership::Owned, true) => quote!(#root::__private::PhantomData<#ty>),
                    (Ownership::Owned, false) => quote!(#ty),
                }
            };
            let (generics, where_clause) = if projection.ownership == Ownership::Owned {
                let params = &self.generics.params;
                let clause = &self.generics.where_clause;
                (quote!(<#params>), quote!(#clause))
            } else {
                let params = &self.pinned_generics.params;
                (
                    quote!(<#params>),
                    quote!(where #predicates #ident #ty_generics: #pin),
                )
            };
            let definition = match &self.input.data {
                Data::Enum(_) => {
                    let variants = self.shapes.iter().map(|shape| {
                        let (variant, fields) = (shape.variant, shape.declaration(field));
                        quote!(#variant #fields)
                    });
                    quote!(#vis enum #name #generics #where_clause { #(#variants,)* })
                }
                Data::Struct(_) | Data::Union(_) => {
                    let fields: TokenStream = self
                        .shapes
                        .iter()
                        .map(|shape| shape.declaration(field))
                        .collect();
                    if self.shapes.iter().all(|shape| shape.is_named) {
                        quote!(#vis struct #name #generics #where_clause #fields)
                    } else {
                        quote!(#vis struct #name #generics #fields #where_clause;)
                    }
                }
            };
            let target = if projection.is_public {
                &mut outside
            } else {
                &mut inside
            };
            target.extend(quote!(#[allow(dead_code)] #definition));
        }
        (outside, inside)
    }

    pub(super) fn methods(&self) -> TokenStream {
        let (vis, pin, ident) = (self.vis(), &self.pin, &self.input.ident);
        let (impl_generics, ty_generics, where_clause) = self.generics.split_for_impl();
        let (_, pinned_ty_generics, _) = self.pinned_generics.split_for_impl();
        let private = quote!(_pin_project::__private);
        let methods = self.projections.iter().map(|projection| {
            let name = &projection.ident;
            let (signature, subject) = match projection.ownership {
                Ownership::Mutable => (
                    quote!(project<#pin>(self: #private::Pin<&#pin mut Self>) -> #name #pinned_ty_generics),
                    quote!(self.get_unchecked_mut()),
                ),
                Ownership::Shared => (
                    quote!(project_ref<#pin>(self: #private::Pin<&#pin Self>) -> #name #pinned_ty_generics),
                    quote!(self.get_ref()),
                ),
                Ownership::Owned => (
                    quote! {
                        project_replace(self: #private::Pin<&mut Self>, __replacement: Self)
                            -> #name #ty_generics
                    },
                    quote!(&mut *__self_ptr),
                ),
            };
            let prepare = (projection.ownership == Ownership::Owned).then(|| quote! {
                let __self_ptr: *mut Self = self.get_unchecked_mut();
                let __guard =
                    #private::UnsafeOverwriteGuard::new(__self_ptr, __replacement);
            });
            let body = self.destructure(&subject, |shape| self.projected(projection, shape));
            quote! {
                #[allow(dead_code)]
                #[inline]
                #vis fn #signature {
                    unsafe {
                        #prepare
                        #body
                    }
                }
            }
        });
        quote!(impl #impl_generics #ident #ty_generics #where_clause { #(#methods)* })
    }

    /// A `let` for a struct, a `match` for an enum.
    fn destructure(
        &self,
        subject: &TokenStream,
        body: impl Fn(&Shape<'_>) -> TokenStream,
    ) -> TokenStream {
        if let (Data::Struct(_), [shape]) = (&self.input.data, &self.shapes[..]) {
            let (pattern, body) = (shape.pattern(), body(shape));
            return quote!(let Self #pattern = #subject; #body);
        }
        let arms = self.shapes.iter().map(|shape| {
            let (variant, pattern, body) = (shape.variant, shape.pattern(), body(shape));
            quote!(Self::#variant #pattern => { #body })
        });
        quote!(match #subject { #(#arms)* })
    }

    /// A projected value, from the variables that the fields are bound to.
    fn projected(&self, projection: &Projection, shape: &Shape<'_>) -> TokenStream {
        let private = quote!(_pin_project::__private);
        let path = shape.path(&projection.ident);
        let owned = projection.ownership == Ownership::Owned;
        let value = |field: &ProjectedField<'_>| {
            let binding = &field.binding;
            match (owned, field.pinned) {
                (false, true) => quote!(#private::Pin::new_unchecked(#binding)),
                (false, false) => quote!(#binding),
                (true, true) => quote!(#private::PhantomData),
                (true, false) => quote!(#private::ptr::read(#binding)),
            }
        };
        let construction = shape.construction(value);
        if !owned {
            return quote!(#path #construction);
        }
        let pinned = shape
            .fields
            .iter()
            .filter(|field| field.pinned)
            .map(|field| &field.binding);
        quote! {
            let __result = #path #construction;
            {
                #(let __guard = #private::UnsafeDropInPlaceGuard::new(#pinned);)*
            }
            __result
        }
    }

    /// A function that does not compile for a packed struct.
    pub(super) fn packed_assertion(&self) -> Option<TokenStream> {
        let (Data::Struct(_), [shape]) = (&self.input.data, &self.shapes[..]) else {
            return None;
        };
        let ident = &self.input.ident;
        let (impl_generics, ty_generics, where_clause) = self.generics.split_for_impl();
        let members = shape.fields.iter().map(|field| &field.member);
        Some(quote! {
            #[forbid(unaligned_references, safe_packed_borrows)]
            fn __assert_not_repr_packed #impl_generics (this: &#ident #ty_generics) #where_clause {
                #(let _ = &this.#members;)*
            }
        })
    }

    /// `impl Unpin`, conditional on the pinned fields.
    pub(super) fn unpin(&self) -> TokenStream {
        let (pin, ident, vis) = (&self.pin, &self.input.ident, &self.input.vis);
        let private = quote!(_pin_project::__private);
        let (impl_generics, pinned_ty_generics, where_clause) =
            self.pinned_generics.split_for_impl();
        let (_, ty_generics, _) = self.generics.split_for_impl();
        let conditional = |bound: TokenStream| {
            let mut generics = self.generics.clone();
            let clause = generics.make_where_clause();
            let mut predicates = TokenStream::new();
            for predicate in &clause.predicates {
                predicates.extend(quote!(#predicate,));
            }
            quote!(where #predicates #bound)
        };
        let fields_of = |ty: TokenStream| {
            if self.has_pinned_fields_of {
                quote!(#private::PinnedFieldsOf<#ty>)
            } else {
                ty
            }
        };
        if self.args.unsafe_unpin {
            let wrapper = fields_of(quote!(#private::Wrapper<#pin, Self>));
            let clause = conditional(quote!(#wrapper: _pin_project::UnsafeUnpin));
            return quote!(impl #impl_generics #private::Unpin for #ident #ty_generics #clause {});
        }
        let (helper, subject) = if self.args.not_unpin {
            (
                None,
                quote!(#private::Wrapper<#pin, #private::PhantomPinned>),
            )
        } else {
            let name = format_ident!("__{ident}");
            let types = self.generics.type_params().map(|param| &param.ident);
            let pinned = self.shapes.iter().flat_map(|shape| &shape.fields);
            let pinned = pinned
                .filter(|field| field.pinned)
                .enumerate()
                .map(|(index, field)| {
                    let (name, ty) = (format_ident!("__field{index}"), field.ty);
                    quote!(#name: #ty,)
                });
            let lifetimes = self.generics.lifetimes().enumerate().map(|(index, param)| {
                let (name, lifetime) = (format_ident!("__lifetime{index}"), &param.lifetime);
                quote!(#name: &#lifetime (),)
            });
            let params = &self.pinned_generics.params;
            let helper = quote! {
                #[allow(missing_debug_implementations)]
                #vis struct #name <#params> #where_clause {
                    __pin_project_use_generics: #private::AlwaysUnpin<
                        #pin, (#(#private::PhantomData<#types>),*)>,
                    #(#pinned)*
                    #(#lifetimes)*
                }
            };
            (Some(helper), quote!(#name #pinned_ty_generics))
        };
        let subject = fields_of(subject);
        let clause = conditional(quote!(#subject: #private::Unpin));
        quote! {
            #helper
            impl #impl_generics #private::Unpin for #ident #ty_generics #clause {}
            #[doc(hidden)]
            unsafe impl #impl_generics _pin_project::UnsafeUnpin for #ident #ty_generics #clause {}
        }
    }

    /// `impl Drop` that calls the user's, or what forbids one.
    pub(super) fn drop(&self) -> TokenStream {
        let ident = &self.input.ident;
        let private = quote!(_pin_project::__private);
        let (impl_generics, ty_generics, where_clause) = self.generics.split_for_impl();
        if self.args.pinned_drop {
            return quote! {
                impl #impl_generics #private::Drop for #ident #ty_generics #where_clause {
                    fn drop(&mut self) {
                        unsafe {
                            let __pinned_self = #private::Pin::new_unchecked(self);
                            #private::PinnedDrop::drop(__pinned_self);
                        }
                    }
                }
            };
        }
        let guard = format_ident!("{ident}MustNotImplDrop");
        quote! {
            trait #guard {}
            #[allow(clippy::drop_bounds, drop_bounds)]
            impl<T: #private::Drop> #guard for T {}
            impl #impl_generics #guard for #ident #ty_generics #where_clause {}
            #[doc(hidden)]
            impl #impl_generics #private::PinnedDrop for #ident #ty_generics #where_clause {
                unsafe fn drop(self: #private::Pin<&mut Self>) {}
            }
        }
    }
}
