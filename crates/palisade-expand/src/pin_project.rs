//! `pin-project-internal` 1.x: `#[pin_project]` and `#[pinned_drop]`.
//!
//! `pin-project-lite` is a declarative macro and needs no expander.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Data, DeriveInput, Fields, GenericParam, Generics, ItemImpl, Lifetime, LifetimeParam, Member,
    Path, Token, Type, Visibility,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{self, Expansion, Refusal};

const PACKAGE: &str = "pin-project-internal";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "pin_project", pin_project),
    Macro::attribute(PACKAGE, "pinned_drop", pinned_drop),
];

/// The arguments of `#[pin_project(..)]`.
#[derive(Default)]
struct Args {
    pinned_drop: bool,
    unsafe_unpin: bool,
    not_unpin: bool,
    project: Option<Ident>,
    project_ref: Option<Ident>,
    /// `project_replace`, with the name if it has one.
    project_replace: Option<Option<Ident>>,
    krate: Option<Path>,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            if input.peek(Token![!]) {
                input.parse::<Token![!]>()?;
                input.parse::<Ident>()?;
                args.not_unpin = true;
            } else if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                args.krate = Some(input.parse()?);
            } else {
                let name: Ident = input.parse()?;
                let value = if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    Some(input.parse()?)
                } else {
                    None
                };
                match name.to_string().as_str() {
                    "PinnedDrop" => args.pinned_drop = true,
                    "UnsafeUnpin" => args.unsafe_unpin = true,
                    "project" => args.project = value,
                    "project_ref" => args.project_ref = value,
                    "project_replace" => args.project_replace = Some(value),
                    _ => return Err(syn::Error::new(name.span(), "unknown argument")),
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

fn pin_project(invocation: &Invocation<'_>) -> Expansion {
    if invocation
        .version
        .is_some_and(|version| version.starts_with("0."))
    {
        return Err(Refusal::new("pin-project before 1.0 writes something else"));
    }
    let args: Args = syn::parse2(invocation.args.clone())?;
    let mut original: DeriveInput = syn::parse2(invocation.item.clone())?;
    let pinned = take_pins(&mut original);
    let mut named = support::named_input(invocation)?;
    take_pins(&mut named);
    let shapes = match &named.data {
        Data::Struct(data) => vec![Shape::new(None, &data.fields, &pinned[..])],
        Data::Enum(data) => {
            let mut rest = &pinned[..];
            let mut shapes = Vec::new();
            for variant in &data.variants {
                let (here, after) = rest.split_at(variant.fields.len());
                shapes.push(Shape::new(Some(&variant.ident), &variant.fields, here));
                rest = after;
            }
            shapes
        }
        Data::Union(_) => return Err(Refusal::new("a union cannot be projected")),
    };
    if shapes.iter().all(|shape| shape.fields.is_empty()) {
        return Err(Refusal::new("nothing to project"));
    }
    let project = Project::new(
        &args,
        &named,
        shapes,
        has_pinned_fields_of(invocation.version),
    );
    let types = project.types();
    let methods = project.methods();
    let packed = project.packed_assertion();
    let unpin = project.unpin();
    let drop = project.drop();
    let import = match &args.krate {
        Some(path) => quote!(use #path as _pin_project;),
        None => quote!(
            extern crate pin_project as _pin_project;
        ),
    };
    let (outside, inside) = types;
    Ok(quote! {
        #original
        #outside
        #[allow(unused_qualifications, deprecated, explicit_outlives_requirements, single_use_lifetimes, unreachable_pub)]
        const _: () = {
            #[allow(unused_extern_crates)]
            #import
            #inside
            #methods
            #packed
            #unpin
            #drop
        };
    })
}

/// Whether the bounds of `Unpin` go through `PinnedFieldsOf`, which is so from
/// 1.1.7 on.
fn has_pinned_fields_of(version: Option<&str>) -> bool {
    let Some(version) = version else { return true };
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= (1, 1, 7)
}

/// Removes every `#[pin]` and tells, field by field, where they were.
fn take_pins(input: &mut DeriveInput) -> Vec<bool> {
    let mut take = |field: &mut syn::Field| {
        let before = field.attrs.len();
        field
            .attrs
            .retain(|attribute| !attribute.path().is_ident("pin"));
        before != field.attrs.len()
    };
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().map(&mut take).collect(),
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .flat_map(|variant| variant.fields.iter_mut())
            .map(&mut take)
            .collect(),
        Data::Union(data) => data.fields.named.iter_mut().map(&mut take).collect(),
    }
}

struct ProjectedField<'a> {
    vis: &'a Visibility,
    member: Member,
    /// The variable that the field is bound to.
    binding: Ident,
    ty: &'a Type,
    pinned: bool,
}

/// A struct or one variant of an enum.
struct Shape<'a> {
    variant: Option<&'a Ident>,
    is_named: bool,
    fields: Vec<ProjectedField<'a>>,
}

impl<'a> Shape<'a> {
    fn new(variant: Option<&'a Ident>, fields: &'a Fields, pinned: &[bool]) -> Self {
        let is_named = matches!(fields, Fields::Named(_));
        let fields = fields.iter().zip(pinned).enumerate();
        let fields = fields
            .map(|(index, (field, &pinned))| ProjectedField {
                vis: &field.vis,
                member: match &field.ident {
                    Some(ident) => Member::Named(ident.clone()),
                    None => Member::Unnamed(index.into()),
                },
                binding: field
                    .ident
                    .clone()
                    .unwrap_or_else(|| format_ident!("_{index}")),
                ty: &field.ty,
                pinned,
            })
            .collect();
        Self {
            variant,
            is_named,
            fields,
        }
    }

    /// Delimiters and separators around one piece per field.
    fn delimited(&self, pieces: impl Iterator<Item = TokenStream>) -> TokenStream {
        match (self.is_named, self.fields.is_empty()) {
            (true, _) => quote!({ #(#pieces,)* }),
            (false, false) => quote!((#(#pieces,)*)),
            (false, true) => TokenStream::new(),
        }
    }

    /// The fields as they are declared in a projected type.
    fn declaration(&self, ty: impl Fn(&ProjectedField<'_>) -> TokenStream) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let ProjectedField { vis, member, .. } = field;
            let ty = ty(field);
            if self.is_named {
                quote!(#vis #member: #ty)
            } else {
                quote!(#vis #ty)
            }
        }))
    }

    /// The fields bound to variables.
    fn pattern(&self) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let binding = &field.binding;
            quote!(#binding)
        }))
    }

    /// The fields of a projected value.
    fn construction(&self, value: impl Fn(&ProjectedField<'_>) -> TokenStream) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let member = &field.member;
            let value = value(field);
            if self.is_named {
                quote!(#member: #value)
            } else {
                value
            }
        }))
    }

    /// `Type` or `Type::Variant`.
    fn path(&self, ty: &Ident) -> TokenStream {
        match self.variant {
            Some(variant) => quote!(#ty::#variant),
            None => quote!(#ty),
        }
    }
}

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
struct Project<'a> {
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
    fn new(
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
    fn types(&self) -> (TokenStream, TokenStream) {
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

    fn methods(&self) -> TokenStream {
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
    fn packed_assertion(&self) -> Option<TokenStream> {
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
    fn unpin(&self) -> TokenStream {
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
    fn drop(&self) -> TokenStream {
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

fn pinned_drop(invocation: &Invocation<'_>) -> Expansion {
    let mut item: ItemImpl = syn::parse2(invocation.item.clone())?;
    let [syn::ImplItem::Fn(method)] = &item.items[..] else {
        return Err(Refusal::new("expected one method"));
    };
    let method = method.clone();
    let Some(syn::FnArg::Receiver(receiver)) = method.sig.inputs.first() else {
        return Err(Refusal::new("expected `self: Pin<&mut Self>`"));
    };
    let Some((_, trait_path, _)) = &mut item.trait_ else {
        return Err(Refusal::new("expected an impl of `PinnedDrop`"));
    };
    *trait_path = syn::parse2(quote!(::pin_project::__private::PinnedDrop))?;
    let this = &item.self_ty;
    let (receiver_ty, mutability) = (&receiver.ty, &receiver.mutability);
    let inner_ty = rename_receiver(quote!(#receiver_ty), this);
    let block = &method.block;
    let statements = block
        .stmts
        .iter()
        .map(|statement| rename_receiver(quote!(#statement), this));
    let (impl_generics, _, where_clause) = item.generics.split_for_impl();
    let attributes = &method.attrs;
    item.items = vec![syn::parse2(quote! {
        #(#attributes)*
        unsafe fn drop(self: #receiver_ty) {
            fn __drop_inner #impl_generics (#mutability __self: #inner_ty) #where_clause {
                fn __drop_inner() {}
                #(#statements)*
            }
            __drop_inner(self);
        }
    })?];
    Ok(quote!(#[doc(hidden)] #item))
}

/// `self` as `__self`, and `Self` as the type, for a body that moves into a
/// function outside of the impl.
fn rename_receiver(tokens: TokenStream, this: &Type) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "self" => {
                output.extend([TokenTree::from(Ident::new("__self", ident.span()))]);
            }
            TokenTree::Ident(ident) if ident == "Self" => match tokens.peek() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => {
                    output.extend(quote!(<#this>));
                }
                Some(TokenTree::Group(_)) => output.extend(without_arguments(this)),
                _ => output.extend(quote!(#this)),
            },
            TokenTree::Group(group) => {
                let inner = rename_receiver(group.stream(), this);
                let mut renamed = proc_macro2::Group::new(group.delimiter(), inner);
                renamed.set_span(group.span());
                output.extend([TokenTree::from(renamed)]);
            }
            token => output.extend([token]),
        }
    }
    output
}

/// The path of a type as it stands in a constructor or pattern.
fn without_arguments(ty: &Type) -> TokenStream {
    let Type::Path(path) = ty else {
        return quote!(#ty);
    };
    let mut path = path.path.clone();
    for segment in &mut path.segments {
        segment.arguments = syn::PathArguments::None;
    }
    quote!(#path)
}
