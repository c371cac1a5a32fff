//! `impl Serialize`: the container, and what all its parts share.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{ExprPath, Generics, Index, Member, Path, Type};

use super::model::{Body, Container, Direction, Field, Identifier, Shape, Tagging};
use super::{bounds, ser_enum, ser_fields};
use crate::support::{Expansion, Refusal};

/// The whole impl.
pub(super) fn implementation(container: &Container<'_>) -> Expansion {
    if container.identifier != Identifier::No {
        return Err(Refusal::new("identifiers cannot be serialised"));
    }
    let cx = Context::new(container)?;
    let Context { private: p, .. } = &cx;
    let ident = container.ident;
    let body = body(&cx)?;
    let (impl_generics, ty_generics, where_clause) = cx.generics.split_for_impl();
    let result = quote!(#p::Result<__S::Ok, __S::Error>);
    Ok(match &container.attrs.remote {
        Some(remote) => {
            let vis = container.vis;
            let used = super::deserialize::pretend_used(container);
            quote! {
                #[automatically_derived]
                impl #impl_generics #ident #ty_generics #where_clause {
                    #vis fn serialize<__S>(__self: &#remote #ty_generics, __serializer: __S) -> #result
                    where
                        __S: _serde::Serializer,
                    {
                        #used
                        #body
                    }
                }
            }
        }
        None => quote! {
            #[automatically_derived]
            impl #impl_generics _serde::Serialize for #ident #ty_generics #where_clause {
                fn serialize<__S>(&self, __serializer: __S) -> #result
                where
                    __S: _serde::Serializer,
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
        this,
        ..
    } = cx;
    if container.attrs.transparent {
        let field = container.transparent_field(Direction::Serialize)?;
        let member = &field.member;
        let function = match &field.attrs.with.ser {
            Some(path) => quote!(#path),
            None => quote!(_serde::Serialize::serialize),
        };
        return Ok(quote!(#function(&#this.#member, __serializer)));
    }
    if let Some(into) = &container.attrs.into {
        return Ok(quote! {
            _serde::Serialize::serialize(
                &#p::Into::<#into>::into(#p::Clone::clone(#this)),
                __serializer)
        });
    }
    let name = &container.name.ser;
    Ok(match &container.body {
        Body::Enum(variants) => ser_enum::enumeration(cx, variants)?,
        Body::Struct(Shape::Named, fields) => structure(cx, fields),
        Body::Struct(Shape::Tuple, fields) => {
            let statements = ser_fields::elements(cx, fields, false, "SerializeTupleStruct");
            let let_mut = ser_fields::mut_if(fields.iter().any(|field| !field.skips_ser()));
            let len = ser_fields::length(fields, quote!(0), |index, field| {
                cx.access(field, &Member::Unnamed(Index::from(index)))
            });
            quote! {
                let #let_mut __serde_state =
                    _serde::Serializer::serialize_tuple_struct(__serializer, #name, #len)?;
                #statements
                _serde::ser::SerializeTupleStruct::end(__serde_state)
            }
        }
        Body::Struct(Shape::Newtype, fields) => {
            let [field] = &fields[..] else {
                return Err(Refusal::new("a newtype has one field"));
            };
            let mut value = cx.access(field, &Member::Unnamed(Index::from(0)));
            if let Some(path) = &field.attrs.with.ser {
                value = cx.wrap_with(path, &[field.ty], &[value]);
            }
            quote!(_serde::Serializer::serialize_newtype_struct(__serializer, #name, #value))
        }
        Body::Struct(Shape::Unit, _) => {
            quote!(_serde::Serializer::serialize_unit_struct(__serializer, #name))
        }
    })
}

fn structure(cx: &Context<'_>, fields: &[Field<'_>]) -> TokenStream {
    let Context {
        container,
        private: p,
        ..
    } = cx;
    let name = &container.name.ser;
    let as_map = fields
        .iter()
        .any(|field| field.attrs.flatten && !field.skips_ser());
    let (kind, method) = if as_map {
        (
            Ident::new("SerializeMap", Span::call_site()),
            quote!(serialize_entry),
        )
    } else {
        (
            Ident::new("SerializeStruct", Span::call_site()),
            quote!(serialize_field),
        )
    };
    let tag = match &container.tagging {
        Tagging::Internal { tag } => {
            Some(quote!(_serde::ser::#kind::#method(&mut __serde_state, #tag, #name)?;))
        }
        _ => None,
    };
    let tagged = tag.is_some();
    let let_mut = ser_fields::mut_if(tagged || fields.iter().any(|field| !field.skips_ser()));
    let statements = ser_fields::members(cx, fields, false, &kind.to_string());
    let open = if as_map {
        quote!(_serde::Serializer::serialize_map(__serializer, #p::None)?)
    } else {
        let len = ser_fields::length(fields, quote!(#tagged as usize), |_, field| {
            cx.access(field, &field.member)
        });
        quote!(_serde::Serializer::serialize_struct(__serializer, #name, #len)?)
    };
    quote! {
        let #let_mut __serde_state = #open;
        #tag
        #statements
        _serde::ser::#kind::end(__serde_state)
    }
}

/// What every part of the output needs to know.
pub(super) struct Context<'a> {
    pub(super) container: &'a Container<'a>,
    /// The runtime's private module.
    pub(super) private: TokenStream,
    /// `self`, or `__self` in a function that serialises a remote type.
    pub(super) this: Ident,
    /// The type that is serialised, as a type and in a pattern.
    pub(super) this_type: Path,
    pub(super) this_value: Path,
    pub(super) generics: Generics,
}

impl<'a> Context<'a> {
    fn new(container: &'a Container<'a>) -> Result<Self, Refusal> {
        let remote = container.attrs.remote.is_some();
        let this = if remote { "__self" } else { "self" };
        let (this_type, this_value) = super::deserialize::paths(container);
        Ok(Self {
            container,
            private: container.version.private(),
            this: Ident::new(this, Span::call_site()),
            this_type,
            this_value,
            generics: bounds::serialize(container)?,
        })
    }

    /// The name of the type for messages and for `serialize_tagged_newtype`.
    pub(super) fn type_name(&self) -> String {
        self.this_type
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default()
    }

    /// A reference to a field of the struct.
    pub(super) fn access(&self, field: &Field<'_>, member: &Member) -> TokenStream {
        let Self {
            container,
            private: p,
            this,
            ..
        } = self;
        let ty = field.ty;
        let plain = if container.packed {
            quote!(&{ #this.#member })
        } else {
            quote!(&#this.#member)
        };
        match (&container.attrs.remote, &field.attrs.getter) {
            (None, _) => plain,
            (Some(_), None) => quote!(#p::ser::constrain::<#ty>(#plain)),
            (Some(_), Some(getter)) => quote!(#p::ser::constrain::<#ty>(&#getter(#this))),
        }
    }

    /// A value of a type whose `Serialize` calls the given function.
    pub(super) fn wrap_with(
        &self,
        function: &ExprPath,
        types: &[&Type],
        values: &[TokenStream],
    ) -> TokenStream {
        let Self {
            private: p,
            this_type,
            ..
        } = self;
        let (_, ty_generics, where_clause) = self.generics.split_for_impl();
        let wrapper = if values.is_empty() {
            self.generics.clone()
        } else {
            bounds::outliving(&self.generics, "'__a")
        };
        let (wrapper_impl, wrapper_ty, _) = wrapper.split_for_impl();
        let indices = (0..values.len()).map(Index::from);
        quote!(&{
            #[doc(hidden)]
            struct __SerializeWith #wrapper_impl #where_clause {
                values: (#(&'__a #types,)*),
                phantom: #p::PhantomData<#this_type #ty_generics>,
            }

            #[automatically_derived]
            impl #wrapper_impl _serde::Serialize for __SerializeWith #wrapper_ty #where_clause {
                fn serialize<__S>(&self, __s: __S) -> #p::Result<__S::Ok, __S::Error>
                where
                    __S: _serde::Serializer,
                {
                    #function(#(self.values.#indices,)* __s)
                }
            }

            __SerializeWith {
                values: (#(#values,)*),
                phantom: #p::PhantomData::<#this_type #ty_generics>,
            }
        })
    }
}
