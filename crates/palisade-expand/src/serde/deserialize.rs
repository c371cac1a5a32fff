//! `impl Deserialize`: the container, and what all its parts share.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{ExprPath, Index, Lifetime, Path, PathArguments, Type};

use super::attrs::Fallback;
use super::model::{Body, Container, Direction, Field, Identifier, Shape, Variant};
use super::{bounds, de_enum, de_fields, de_identifier};
use crate::support::{Expansion, Refusal};

/// The whole impl.
pub(super) fn implementation(container: &Container<'_>) -> Expansion {
    if let Body::Struct(_, fields) = &container.body
        && fields
            .last()
            .is_some_and(|field| matches!(field.ty, Type::Slice(_)))
    {
        return Err(Refusal::new(
            "a dynamically sized struct cannot be deserialised",
        ));
    }
    let cx = Context::new(container)?;
    let Context {
        private: p,
        input,
        impl_generics,
        ty_generics,
        where_clause,
        ..
    } = &cx;
    let ident = container.ident;
    let body = body(&cx)?;
    Ok(match &container.attrs.remote {
        Some(remote) => {
            let vis = container.vis;
            let used = pretend_used(container);
            quote! {
                #[automatically_derived]
                impl #impl_generics #ident #ty_generics #where_clause {
                    #vis fn deserialize<__D>(__deserializer: __D) -> #p::Result<#remote #ty_generics, __D::Error>
                    where
                        __D: _serde::Deserializer<#input>,
                    {
                        #used
                        #body
                    }
                }
            }
        }
        None => quote! {
            #[automatically_derived]
            impl #impl_generics _serde::Deserialize<#input> for #ident #ty_generics #where_clause {
                fn deserialize<__D>(__deserializer: __D) -> #p::Result<Self, __D::Error>
                where
                    __D: _serde::Deserializer<#input>,
                {
                    #body
                }
            }
        },
    })
}

fn body(cx: &Context<'_>) -> Expansion {
    let Context {
        container,
        private: p,
        ..
    } = cx;
    let attrs = &container.attrs;
    if attrs.transparent {
        return transparent(cx);
    }
    if let Some(from) = &attrs.from {
        return Ok(quote! {
            #p::Result::map(
                <#from as _serde::Deserialize>::deserialize(__deserializer),
                #p::From::from)
        });
    }
    if let Some(from) = &attrs.try_from {
        return Ok(quote! {
            #p::Result::and_then(
                <#from as _serde::Deserialize>::deserialize(__deserializer),
                |v| #p::TryFrom::try_from(v).map_err(_serde::de::Error::custom))
        });
    }
    match &container.body {
        Body::Enum(variants) if container.identifier != Identifier::No => {
            Ok(de_identifier::custom(cx, variants))
        }
        Body::Enum(variants) => de_enum::enumeration(cx, variants),
        Body::Struct(Shape::Named, fields) => {
            Ok(de_fields::named(cx, fields, de_fields::Form::Struct))
        }
        Body::Struct(Shape::Tuple | Shape::Newtype, fields) => {
            Ok(de_fields::tuple(cx, fields, de_fields::Form::Struct))
        }
        Body::Struct(Shape::Unit, _) => Ok(de_fields::unit(cx)),
    }
}

fn transparent(cx: &Context<'_>) -> Expansion {
    let Context {
        container,
        private: p,
        this_value,
        ..
    } = cx;
    let transparent = container.transparent_field(Direction::Deserialize)?;
    let function = match &transparent.attrs.with.de {
        Some(path) => quote!(#path),
        None => quote!(_serde::Deserialize::deserialize),
    };
    let assignments = container.fields().into_iter().map(|field| {
        let member = &field.member;
        if *member == transparent.member {
            return quote!(#member: __transparent);
        }
        let value = match &field.attrs.default {
            Fallback::Trait => quote!(#p::Default::default()),
            Fallback::Path(path) => quote!(#path()),
            Fallback::None => quote!(#p::PhantomData),
        };
        quote!(#member: #value)
    });
    Ok(quote! {
        #p::Result::map(
            #function(__deserializer),
            |__transparent| #this_value { #(#assignments),* })
    })
}

/// What every part of the output needs to know.
pub(super) struct Context<'a> {
    pub(super) container: &'a Container<'a>,
    /// The runtime's private module.
    pub(super) private: TokenStream,
    /// The type that is made, as a type and in an expression.
    pub(super) this_type: Path,
    pub(super) this_value: Path,
    /// The lifetime of the input: `'de`, or `'static` when that is borrowed.
    pub(super) input: Lifetime,
    /// `<'de, T: Bound>`, `<'de, T>`, `<T>` and the where clause.
    pub(super) impl_generics: TokenStream,
    pub(super) helper_generics: TokenStream,
    pub(super) ty_generics: TokenStream,
    pub(super) where_clause: TokenStream,
    /// A remote struct with a getter is made through `Into`.
    pub(super) has_getter: bool,
}

impl<'a> Context<'a> {
    fn new(container: &'a Container<'a>) -> Result<Self, Refusal> {
        let borrowed: BTreeSet<Lifetime> = container
            .fields()
            .into_iter()
            .filter(|field| !field.skips_de())
            .flat_map(|field| field.borrowed.iter().cloned())
            .collect();
        let is_static = borrowed.iter().any(|lifetime| lifetime.ident == "static");
        let input = if is_static { "'static" } else { "'de" };
        if !is_static
            && container
                .generics
                .lifetimes()
                .any(|param| param.lifetime.ident == "de")
        {
            return Err(Refusal::new("the lifetime `'de` is taken"));
        }
        let input = Lifetime::new(input, Span::call_site());
        let generics = bounds::deserialize(container, &input)?;
        let (_, ty_generics, where_clause) = generics.split_for_impl();
        let helper = if is_static {
            generics.clone()
        } else {
            bounds::with_input_lifetime(&generics, &borrowed)
        };
        let (impl_generics, helper_generics, _) = helper.split_for_impl();
        let (this_type, this_value) = paths(container);
        Ok(Self {
            container,
            private: container.version.private(),
            this_type,
            this_value,
            input,
            impl_generics: impl_generics.to_token_stream(),
            helper_generics: helper_generics.to_token_stream(),
            ty_generics: ty_generics.to_token_stream(),
            where_clause: where_clause.to_token_stream(),
            has_getter: container
                .fields()
                .iter()
                .any(|field| field.attrs.getter.is_some()),
        })
    }

    /// The name of the type for messages.
    pub(super) fn type_name(&self) -> String {
        self.this_type
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default()
    }

    /// What the visitor says it expects.
    pub(super) fn expecting(&self, otherwise: String) -> String {
        self.container.attrs.expecting.clone().unwrap_or(otherwise)
    }

    /// A helper type with the lifetime of the input and a marker for the type
    /// that is made, perhaps with more fields.
    pub(super) fn helper_struct(&self, name: &str, fields: &TokenStream) -> TokenStream {
        let Self {
            private: p,
            this_type,
            input,
            impl_generics,
            ty_generics,
            where_clause,
            ..
        } = self;
        let name = Ident::new(name, Span::call_site());
        quote! {
            #[doc(hidden)]
            struct #name #impl_generics #where_clause {
                #fields
                marker: #p::PhantomData<#this_type #ty_generics>,
                lifetime: #p::PhantomData<&#input ()>,
            }
        }
    }

    /// `impl Visitor for __Visitor` (or another helper type) with its type.
    pub(super) fn visitor(&self, name: &str, methods: &TokenStream) -> TokenStream {
        let Self {
            this_type,
            input,
            impl_generics,
            helper_generics,
            ty_generics,
            where_clause,
            ..
        } = self;
        let helper = self.helper_struct(name, &TokenStream::new());
        let name = Ident::new(name, Span::call_site());
        quote! {
            #helper

            #[automatically_derived]
            impl #impl_generics _serde::de::Visitor<#input> for #name #helper_generics #where_clause {
                type Value = #this_type #ty_generics;
                #methods
            }
        }
    }

    /// A value of such a helper type.
    pub(super) fn visitor_value(&self, name: &str) -> TokenStream {
        let Self {
            private: p,
            this_type,
            ty_generics,
            ..
        } = self;
        let name = Ident::new(name, Span::call_site());
        quote! {
            #name {
                marker: #p::PhantomData::<#this_type #ty_generics>,
                lifetime: #p::PhantomData,
            }
        }
    }

    /// `fn expecting`
    pub(super) fn expecting_method(&self, text: &str) -> TokenStream {
        let p = &self.private;
        quote! {
            fn expecting(&self, __formatter: &mut #p::Formatter) -> #p::fmt::Result {
                #p::Formatter::write_str(__formatter, #text)
            }
        }
    }

    /// A type whose `Deserialize` calls the given function: its definition, and
    /// how to name it.
    pub(super) fn wrap_with(
        &self,
        function: &ExprPath,
        ty: &TokenStream,
    ) -> (TokenStream, TokenStream) {
        let Self {
            private: p,
            this_type,
            input,
            impl_generics,
            helper_generics,
            ty_generics,
            where_clause,
            ..
        } = self;
        let definition = quote! {
            #[doc(hidden)]
            struct __DeserializeWith #impl_generics #where_clause {
                value: #ty,
                phantom: #p::PhantomData<#this_type #ty_generics>,
                lifetime: #p::PhantomData<&#input ()>,
            }

            #[automatically_derived]
            impl #impl_generics _serde::Deserialize<#input> for __DeserializeWith #helper_generics #where_clause {
                fn deserialize<__D>(__deserializer: __D) -> #p::Result<Self, __D::Error>
                where
                    __D: _serde::Deserializer<#input>,
                {
                    #p::Ok(__DeserializeWith {
                        value: #function(__deserializer)?,
                        phantom: #p::PhantomData,
                        lifetime: #p::PhantomData,
                    })
                }
            }
        };
        (definition, quote!(__DeserializeWith #helper_generics))
    }

    /// A closure from the value that a variant's `with` made to the variant.
    pub(super) fn unwrap_variant(&self, variant: &Variant<'_>, wrapped: bool) -> TokenStream {
        let this_value = &self.this_value;
        let ident = variant.ident;
        let types = variant.fields.iter().map(|field| field.ty);
        let (argument, value) = if wrapped {
            (quote!(__wrap), quote!(__wrap.value))
        } else {
            (quote!(__wrap: (#(#types),*)), quote!(__wrap))
        };
        let indices = (0..variant.fields.len()).map(Index::from);
        let members = variant.fields.iter().map(|field| &field.member);
        match (variant.shape, variant.fields.len()) {
            (Shape::Named, 1) => quote!(|#argument| #this_value::#ident { #(#members: #value)* }),
            (Shape::Named, _) => {
                quote!(|#argument| #this_value::#ident { #(#members: #value.#indices),* })
            }
            (Shape::Tuple, _) => quote!(|#argument| #this_value::#ident(#(#value.#indices),*)),
            (Shape::Newtype, _) => quote!(|#argument| #this_value::#ident(#value)),
            (Shape::Unit, _) => quote!(|#argument| #this_value::#ident),
        }
    }

    /// What a missing field is in a map: an expression, which may return.
    pub(super) fn missing(&self, field: &Field<'_>) -> TokenStream {
        let p = &self.private;
        match &field.attrs.default {
            Fallback::Trait => return quote!(#p::Default::default()),
            Fallback::Path(path) => return quote!(#path()),
            Fallback::None => {}
        }
        if !matches!(self.container.attrs.default, Fallback::None) {
            let member = &field.member;
            return quote!(__default.#member);
        }
        let name = &field.name.de;
        match field.attrs.with.de {
            None => quote!(#p::de::missing_field(#name)?),
            Some(_) => {
                quote!(return #p::Err(<__A::Error as _serde::de::Error>::missing_field(#name)))
            }
        }
    }

    /// `let __default`, if the container has one to take missing fields from.
    pub(super) fn let_default(&self) -> Option<TokenStream> {
        let p = &self.private;
        match &self.container.attrs.default {
            Fallback::Trait => Some(quote!(let __default: Self::Value = #p::Default::default();)),
            Fallback::Path(path) => Some(quote!(let __default: Self::Value = #path();)),
            Fallback::None => None,
        }
    }
}

/// The derived type, or the remote type that it stands for: as a type, and as
/// the start of an expression.
pub(super) fn paths(container: &Container<'_>) -> (Path, Path) {
    let Some(remote) = &container.attrs.remote else {
        return (
            container.ident.clone().into(),
            container.ident.clone().into(),
        );
    };
    let (mut this_type, mut this_value) = (remote.clone(), remote.clone());
    for segment in &mut this_type.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = None;
        }
    }
    for segment in &mut this_value.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = Some(Default::default());
        }
    }
    (this_type, this_value)
}

/// Statements that mention every field and variant of a stand-in for a remote
/// type, which nothing else does.
pub(super) fn pretend_used(container: &Container<'_>) -> TokenStream {
    let p = container.version.private();
    let ident = container.ident;
    let (_, ty_generics, _) = container.generics.split_for_impl();
    let destructure = |path: TokenStream, fields: &[Field<'_>]| {
        let members = fields.iter().map(|field| &field.member);
        let names = (0..fields.len()).map(|index| format_ident!("__v{index}"));
        quote!(#p::Some(#path { #(#members: #names),* }) => {})
    };
    match &container.body {
        Body::Struct(Shape::Unit, _) => TokenStream::new(),
        Body::Struct(_, fields) if container.packed => {
            let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
            quote! {
                match #p::None::<&#ident #ty_generics> {
                    #p::Some(__v @ #ident { #(#members: _),* }) => {
                        #(let _ = #p::ptr::addr_of!(__v.#members);)*
                    }
                    _ => {}
                }
            }
        }
        Body::Struct(_, fields) => {
            let arm = destructure(quote!(#ident), fields);
            quote!(match #p::None::<&#ident #ty_generics> { #arm _ => {} })
        }
        Body::Enum(variants) => {
            let arms = variants
                .iter()
                .filter(|variant| variant.shape != Shape::Unit)
                .map(|variant| {
                    let name = variant.ident;
                    destructure(quote!(#ident::#name), &variant.fields)
                });
            let turbofish = ty_generics.as_turbofish();
            let constructions = variants.iter().map(|variant| {
                let name = variant.ident;
                let values: Vec<_> = (0..variant.fields.len())
                    .map(|index| format_ident!("__v{index}"))
                    .collect();
                let members = variant.fields.iter().map(|field| &field.member);
                let fields = match variant.shape {
                    Shape::Named => quote!({ #(#members: #values),* }),
                    Shape::Tuple | Shape::Newtype => quote!((#(#values),*)),
                    Shape::Unit => quote!(),
                };
                quote! {
                    match #p::None {
                        #p::Some((#(#values,)*)) => {
                            let _ = #ident::#name #turbofish #fields;
                        }
                        _ => {}
                    }
                }
            });
            quote! {
                match #p::None::<&#ident #ty_generics> { #(#arms)* _ => {} }
                #(#constructions)*
            }
        }
    }
}
