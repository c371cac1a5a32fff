//! Serialising enums: one arm per variant, in the four ways of tagging.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Member;

use super::bounds;
use super::model::{Field, Shape, Tagging, Variant};
use super::ser_fields::{binding, elements, length, members, mut_if};
use super::serialize::Context;
use crate::support::{Expansion, Refusal};

/// `match self { .. }`
pub(super) fn enumeration(cx: &Context<'_>, variants: &[Variant<'_>]) -> Expansion {
    let Context {
        container,
        private: p,
        this,
        ..
    } = cx;
    let mut arms = TokenStream::new();
    for (index, variant) in variants.iter().enumerate() {
        arms.extend(arm(cx, variant, index as u32)?);
    }
    if container.attrs.remote.is_some() && container.non_exhaustive {
        arms.extend(quote! {
            ref unrecognized => #p::Err(_serde::ser::Error::custom(
                #p::ser::CannotSerializeVariant(unrecognized))),
        });
    }
    Ok(quote!(match *#this { #arms }))
}

fn arm(cx: &Context<'_>, variant: &Variant<'_>, index: u32) -> Expansion {
    let Context {
        container,
        private: p,
        this_value,
        ..
    } = cx;
    let ident = variant.ident;
    if variant.skips_ser() {
        let message = format!(
            "the enum variant {}::{ident} cannot be serialized",
            cx.type_name()
        );
        let pattern = match variant.shape {
            Shape::Unit => quote!(),
            Shape::Newtype | Shape::Tuple => quote!((..)),
            Shape::Named => quote!({ .. }),
        };
        return Ok(quote! {
            #this_value::#ident #pattern => #p::Err(_serde::ser::Error::custom(#message)),
        });
    }
    let bindings = bindings(variant);
    let pattern = match variant.shape {
        Shape::Unit => quote!(),
        Shape::Newtype | Shape::Tuple => quote!((#(ref #bindings),*)),
        Shape::Named => quote!({ #(ref #bindings),* }),
    };
    let form = Form { cx, variant, index };
    let body = match &container.tagging {
        _ if variant.attrs.untagged => form.untagged()?,
        Tagging::External => form.external()?,
        Tagging::Internal { tag } => form.internal(tag)?,
        Tagging::Adjacent { tag, content } => form.adjacent(tag, content)?,
        Tagging::Untagged => form.untagged()?,
    };
    Ok(quote!(#this_value::#ident #pattern => { #body }))
}

/// The variables that the fields of a variant are bound to.
fn bindings(variant: &Variant<'_>) -> Vec<Member> {
    let fields = variant.fields.iter().enumerate();
    fields
        .map(|(index, field)| match &field.member {
            Member::Named(ident) => Member::Named(ident.clone()),
            Member::Unnamed(_) => Member::Named(binding(index)),
        })
        .collect()
}

/// A newtype variant whose field is skipped is like a unit variant.
fn effective_shape(variant: &Variant<'_>) -> Shape {
    match variant.newtype() {
        Some(field) if field.skips_ser() => Shape::Unit,
        _ => variant.shape,
    }
}

/// How a variant with named fields is put into its enum.
enum Named<'t> {
    External,
    Internal(&'t str),
    Plain,
}

/// One variant to serialise.
struct Form<'a> {
    cx: &'a Context<'a>,
    variant: &'a Variant<'a>,
    index: u32,
}

impl Form<'_> {
    /// The whole variant through the function of its `with`.
    fn with(&self) -> Option<TokenStream> {
        let function = self.variant.attrs.with.ser.as_ref()?;
        let types: Vec<_> = self.variant.fields.iter().map(|field| field.ty).collect();
        let values: Vec<_> = bindings(self.variant)
            .into_iter()
            .map(|member| quote!(#member))
            .collect();
        Some(self.cx.wrap_with(function, &types, &values))
    }

    /// The value of a newtype variant.
    fn newtype(&self) -> Result<TokenStream, Refusal> {
        let field = self
            .variant
            .newtype()
            .ok_or_else(|| Refusal::new("a newtype has one field"))?;
        Ok(match &field.attrs.with.ser {
            Some(path) => self.cx.wrap_with(path, &[field.ty], &[quote!(__field0)]),
            None => quote!(__field0),
        })
    }

    fn external(&self) -> Expansion {
        let type_name = &self.cx.container.name.ser;
        let (index, name) = (self.index, &self.variant.name.ser);
        let head = quote!(__serializer, #type_name, #index, #name);
        if let Some(value) = self.with() {
            return Ok(quote!(_serde::Serializer::serialize_newtype_variant(#head, #value,)));
        }
        Ok(match effective_shape(self.variant) {
            Shape::Unit => quote!(_serde::Serializer::serialize_unit_variant(#head,)),
            Shape::Newtype => {
                let value = self.newtype()?;
                quote!(_serde::Serializer::serialize_newtype_variant(#head, #value,))
            }
            Shape::Tuple => self.tuple(
                "SerializeTupleVariant",
                |len| quote!(serialize_tuple_variant(#head, #len)),
            ),
            Shape::Named => self.named(&Named::External, type_name),
        })
    }

    fn internal(&self, tag: &str) -> Expansion {
        let p = &self.cx.private;
        let type_name = &self.cx.container.name.ser;
        let name = &self.variant.name.ser;
        let (enum_ident, variant_ident) = (self.cx.type_name(), self.variant.ident.to_string());
        let tagged = |value| {
            quote! {
                #p::ser::serialize_tagged_newtype(
                    __serializer, #enum_ident, #variant_ident, #tag, #name, #value,
                )
            }
        };
        if let Some(value) = self.with() {
            return Ok(tagged(value));
        }
        Ok(match effective_shape(self.variant) {
            Shape::Unit => quote! {
                let mut __struct = _serde::Serializer::serialize_struct(__serializer, #type_name, 1)?;
                _serde::ser::SerializeStruct::serialize_field(&mut __struct, #tag, #name)?;
                _serde::ser::SerializeStruct::end(__struct)
            },
            Shape::Newtype => tagged(self.newtype()?),
            Shape::Named => self.named(&Named::Internal(tag), type_name),
            Shape::Tuple => {
                return Err(Refusal::new("a tuple variant cannot be tagged internally"));
            }
        })
    }

    fn adjacent(&self, tag: &str, content: &str) -> Expansion {
        let cx = self.cx;
        let Context {
            private: p,
            this_type,
            ..
        } = cx;
        let type_name = &cx.container.name.ser;
        let (index, name) = (self.index, &self.variant.name.ser);
        let tag_value = if cx.container.version.has_adjacent_variant_types() {
            quote! {
                &#p::ser::AdjacentlyTaggedEnumVariant {
                    enum_name: #type_name,
                    variant_index: #index,
                    variant_name: #name,
                }
            }
        } else {
            quote!(#name)
        };
        let open = |len: usize| {
            let len = proc_macro2::Literal::usize_unsuffixed(len);
            quote! {
                let mut __struct = _serde::Serializer::serialize_struct(__serializer, #type_name, #len)?;
                _serde::ser::SerializeStruct::serialize_field(&mut __struct, #tag, #tag_value)?;
            }
        };
        let inner = if let Some(value) = self.with() {
            quote!(_serde::Serialize::serialize(#value, __serializer))
        } else {
            match effective_shape(self.variant) {
                Shape::Unit => {
                    let open = open(1);
                    return Ok(quote!(#open _serde::ser::SerializeStruct::end(__struct)));
                }
                Shape::Newtype => {
                    let open = open(2);
                    let value = self.newtype()?;
                    return Ok(quote! {
                        #open
                        _serde::ser::SerializeStruct::serialize_field(&mut __struct, #content, #value)?;
                        _serde::ser::SerializeStruct::end(__struct)
                    });
                }
                Shape::Tuple => self.plain_tuple(),
                Shape::Named => self.named(&Named::Plain, name),
            }
        };
        let types = self.variant.fields.iter().map(|field| field.ty);
        let bindings = bindings(self.variant);
        let (_, ty_generics, where_clause) = cx.generics.split_for_impl();
        let wrapper = if bindings.is_empty() {
            cx.generics.clone()
        } else {
            bounds::outliving(&cx.generics, "'__a")
        };
        let (wrapper_impl, wrapper_ty, _) = wrapper.split_for_impl();
        let open = open(2);
        Ok(quote! {
            #[doc(hidden)]
            struct __AdjacentlyTagged #wrapper_impl #where_clause {
                data: (#(&'__a #types,)*),
                phantom: #p::PhantomData<#this_type #ty_generics>,
            }

            #[automatically_derived]
            impl #wrapper_impl _serde::Serialize for __AdjacentlyTagged #wrapper_ty #where_clause {
                fn serialize<__S>(&self, __serializer: __S) -> #p::Result<__S::Ok, __S::Error>
                where
                    __S: _serde::Serializer,
                {
                    #[allow(unused_variables)]
                    let (#(#bindings,)*) = self.data;
                    #inner
                }
            }

            #open
            _serde::ser::SerializeStruct::serialize_field(
                &mut __struct, #content, &__AdjacentlyTagged {
                    data: (#(#bindings,)*),
                    phantom: #p::PhantomData::<#this_type #ty_generics>,
                })?;
            _serde::ser::SerializeStruct::end(__struct)
        })
    }

    fn untagged(&self) -> Expansion {
        if let Some(value) = self.with() {
            return Ok(quote!(_serde::Serialize::serialize(#value, __serializer)));
        }
        Ok(match effective_shape(self.variant) {
            Shape::Unit => quote!(_serde::Serializer::serialize_unit(__serializer)),
            Shape::Newtype => {
                let value = self.newtype()?;
                quote!(_serde::Serialize::serialize(#value, __serializer))
            }
            Shape::Tuple => self.plain_tuple(),
            Shape::Named => self.named(&Named::Plain, &self.cx.container.name.ser),
        })
    }

    fn plain_tuple(&self) -> TokenStream {
        self.tuple(
            "SerializeTuple",
            |len| quote!(serialize_tuple(__serializer, #len)),
        )
    }

    fn tuple(&self, kind: &str, open: impl Fn(TokenStream) -> TokenStream) -> TokenStream {
        let fields = &self.variant.fields;
        let statements = elements(self.cx, fields, true, kind);
        let let_mut = let_mut(fields);
        let open = open(length(fields, quote!(0), |index, _| {
            let bound = binding(index);
            quote!(#bound)
        }));
        let kind = Ident::new(kind, Span::call_site());
        quote! {
            let #let_mut __serde_state = _serde::Serializer::#open?;
            #statements
            _serde::ser::#kind::end(__serde_state)
        }
    }

    fn named(&self, form: &Named<'_>, type_name: &str) -> TokenStream {
        let cx = self.cx;
        let fields = &self.variant.fields;
        if fields.iter().any(|field| field.attrs.flatten) {
            return self.flattened(form, type_name);
        }
        let (index, name) = (self.index, &self.variant.name.ser);
        let let_mut = let_mut(fields);
        let len = length(fields, quote!(0), |_, field| {
            let member = &field.member;
            quote!(#member)
        });
        match form {
            Named::External => {
                let statements = members(cx, fields, true, "SerializeStructVariant");
                quote! {
                    let #let_mut __serde_state = _serde::Serializer::serialize_struct_variant(
                        __serializer, #type_name, #index, #name, #len,
                    )?;
                    #statements
                    _serde::ser::SerializeStructVariant::end(__serde_state)
                }
            }
            Named::Internal(tag) => {
                let statements = members(cx, fields, true, "SerializeStruct");
                quote! {
                    let mut __serde_state =
                        _serde::Serializer::serialize_struct(__serializer, #type_name, #len + 1,)?;
                    _serde::ser::SerializeStruct::serialize_field(&mut __serde_state, #tag, #name,)?;
                    #statements
                    _serde::ser::SerializeStruct::end(__serde_state)
                }
            }
            Named::Plain => {
                let statements = members(cx, fields, true, "SerializeStruct");
                quote! {
                    let #let_mut __serde_state =
                        _serde::Serializer::serialize_struct(__serializer, #type_name, #len,)?;
                    #statements
                    _serde::ser::SerializeStruct::end(__serde_state)
                }
            }
        }
    }

    fn flattened(&self, form: &Named<'_>, type_name: &str) -> TokenStream {
        let cx = self.cx;
        let Context {
            private: p,
            this_type,
            ..
        } = cx;
        let fields = &self.variant.fields;
        let statements = members(cx, fields, true, "SerializeMap");
        let let_mut = let_mut(fields);
        let (index, name) = (self.index, &self.variant.name.ser);
        let open = quote!(_serde::Serializer::serialize_map(__serializer, #p::None)?);
        let close = quote!(_serde::ser::SerializeMap::end(__serde_state));
        match form {
            Named::External => {
                let types = fields.iter().map(|field| field.ty);
                let bindings = bindings(self.variant);
                let (_, ty_generics, where_clause) = cx.generics.split_for_impl();
                let wrapper = bounds::outliving(&cx.generics, "'__a");
                let (wrapper_impl, wrapper_ty, _) = wrapper.split_for_impl();
                quote! {
                    #[doc(hidden)]
                    struct __EnumFlatten #wrapper_impl #where_clause {
                        data: (#(&'__a #types,)*),
                        phantom: #p::PhantomData<#this_type #ty_generics>,
                    }

                    #[automatically_derived]
                    impl #wrapper_impl _serde::Serialize for __EnumFlatten #wrapper_ty #where_clause {
                        fn serialize<__S>(&self, __serializer: __S) -> #p::Result<__S::Ok, __S::Error>
                        where
                            __S: _serde::Serializer,
                        {
                            let (#(#bindings,)*) = self.data;
                            let #let_mut __serde_state = #open;
                            #statements
                            #close
                        }
                    }

                    _serde::Serializer::serialize_newtype_variant(
                        __serializer, #type_name, #index, #name,
                        &__EnumFlatten {
                            data: (#(#bindings,)*),
                            phantom: #p::PhantomData::<#this_type #ty_generics>,
                        })
                }
            }
            Named::Internal(tag) => quote! {
                let #let_mut __serde_state = #open;
                _serde::ser::SerializeMap::serialize_entry(&mut __serde_state, #tag, #name,)?;
                #statements
                #close
            },
            Named::Plain => quote! {
                let #let_mut __serde_state = #open;
                #statements
                #close
            },
        }
    }
}

fn let_mut(fields: &[Field<'_>]) -> Option<TokenStream> {
    mut_if(fields.iter().any(|field| !field.skips_ser()))
}
