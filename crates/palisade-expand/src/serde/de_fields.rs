//! Deserialising fields: named ones, tuples and nothing at all, of structs and
//! of variants.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::attrs::Fallback;
use super::de_identifier::{self, Choice};
use super::deserialize::Context;
use super::model::Field;

/// What the fields belong to.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    Struct,
    External(&'a Ident),
    Internal(&'a Ident),
    Untagged(&'a Ident),
}

impl<'a> Form<'a> {
    fn variant(self) -> Option<&'a Ident> {
        match self {
            Self::Struct => None,
            Self::External(ident) | Self::Internal(ident) | Self::Untagged(ident) => Some(ident),
        }
    }

    /// The path that constructs it.
    fn path(self, cx: &Context<'_>) -> TokenStream {
        let construct = if cx.has_getter {
            let ident = cx.container.ident;
            quote!(#ident)
        } else {
            let this_value = &cx.this_value;
            quote!(#this_value)
        };
        match self.variant() {
            Some(ident) => quote!(#construct::#ident),
            None => construct,
        }
    }

    fn expecting(self, cx: &Context<'_>, kind: &str) -> String {
        let name = cx.type_name();
        cx.expecting(match self.variant() {
            Some(ident) => format!("{kind} variant {name}::{ident}"),
            None => format!("{kind} struct {name}").replace("struct struct", "struct"),
        })
    }
}

/// The variable for a field, which is also its variant in the identifier enum.
pub(super) fn slot(index: usize) -> Ident {
    format_ident!("__field{index}")
}

/// A unit struct.
pub(super) fn unit(cx: &Context<'_>) -> TokenStream {
    let Context {
        container,
        private: p,
        this_value,
        ..
    } = cx;
    let expecting = cx.expecting_method(&cx.expecting(format!("unit struct {}", cx.type_name())));
    let visitor = cx.visitor(
        "__Visitor",
        &quote! {
            #expecting

            #[inline]
            fn visit_unit<__E>(self) -> #p::Result<Self::Value, __E>
            where
                __E: _serde::de::Error,
            {
                #p::Ok(#this_value)
            }
        },
    );
    let name = &container.name.de;
    let value = cx.visitor_value("__Visitor");
    quote! {
        #visitor
        _serde::Deserializer::deserialize_unit_struct(__deserializer, #name, #value,)
    }
}

/// A struct or variant with unnamed fields.
pub(super) fn tuple(cx: &Context<'_>, fields: &[Field<'_>], form: Form<'_>) -> TokenStream {
    let Context {
        container,
        private: p,
        input,
        ..
    } = cx;
    let count = fields.iter().filter(|field| !field.skips_de()).count();
    let path = form.path(cx);
    let expecting = form.expecting(cx, "tuple");
    let newtype = match (form, fields) {
        (Form::Struct, [field]) => Some(visit_newtype_struct(cx, &path, field)),
        _ => None,
    };
    let visit_seq = sequence(cx, fields, &path, false, &expecting);
    let sequence_variable = if count == 0 {
        quote!(_)
    } else {
        quote!(mut __seq)
    };
    let expecting = cx.expecting_method(&expecting);
    let visitor = cx.visitor(
        "__Visitor",
        &quote! {
            #expecting
            #newtype

            #[inline]
            fn visit_seq<__A>(self, #sequence_variable: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::SeqAccess<#input>,
            {
                #visit_seq
            }
        },
    );
    let value = cx.visitor_value("__Visitor");
    let name = &container.name.de;
    let dispatch = match form {
        Form::Struct if fields.len() == 1 => {
            quote!(_serde::Deserializer::deserialize_newtype_struct(__deserializer, #name, #value))
        }
        Form::Struct => quote! {
            _serde::Deserializer::deserialize_tuple_struct(__deserializer, #name, #count, #value)
        },
        Form::External(_) => {
            quote!(_serde::de::VariantAccess::tuple_variant(__variant, #count, #value))
        }
        Form::Internal(_) | Form::Untagged(_) => {
            quote!(_serde::Deserializer::deserialize_tuple(__deserializer, #count, #value))
        }
    };
    quote!(#visitor #dispatch)
}

fn visit_newtype_struct(cx: &Context<'_>, path: &TokenStream, field: &Field<'_>) -> TokenStream {
    let Context {
        private: p, input, ..
    } = cx;
    let ty = field.ty;
    let function = match &field.attrs.with.de {
        None => quote!(<#ty as _serde::Deserialize>::deserialize),
        Some(path) => quote!(#path),
    };
    let result = finish(cx, quote!(#path(__field0)));
    quote! {
        #[inline]
        fn visit_newtype_struct<__E>(self, __e: __E) -> #p::Result<Self::Value, __E::Error>
        where
            __E: _serde::Deserializer<#input>,
        {
            let __field0: #ty = #function(__e)?;
            #p::Ok(#result)
        }
    }
}

/// A struct or variant with named fields.
pub(super) fn named(cx: &Context<'_>, fields: &[Field<'_>], form: Form<'_>) -> TokenStream {
    let Context {
        container,
        private: p,
        input,
        impl_generics,
        helper_generics,
        ty_generics,
        this_type,
        where_clause,
        ..
    } = cx;
    let path = form.path(cx);
    let expecting = form.expecting(cx, "struct");
    let flattens = fields
        .iter()
        .any(|field| field.attrs.flatten && !field.skips_de());
    let choices: Vec<_> = own_fields(fields)
        .map(|(index, field)| Choice {
            ident: slot(index),
            accepted: &field.name.accepted,
        })
        .collect();
    let identifier = de_identifier::of_fields(cx, &choices, flattens);
    let visit_seq = if flattens || matches!(form, Form::Untagged(_)) {
        None
    } else {
        let variable = if choices.is_empty() {
            quote!(_)
        } else {
            quote!(mut __seq)
        };
        let body = sequence(cx, fields, &path, true, &expecting);
        Some(quote! {
            #[inline]
            fn visit_seq<__A>(self, #variable: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::SeqAccess<#input>,
            {
                #body
            }
        })
    };
    let visit_map = map(cx, fields, &path, flattens);
    let expecting = cx.expecting_method(&expecting);
    let visitor = cx.visitor(
        "__Visitor",
        &quote! {
            #expecting
            #visit_seq

            #[inline]
            fn visit_map<__A>(self, mut __map: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::MapAccess<#input>,
            {
                #visit_map
            }
        },
    );
    let seed = (flattens && matches!(form, Form::External(_))).then(|| quote! {
        #[automatically_derived]
        impl #impl_generics _serde::de::DeserializeSeed<#input> for __Visitor #helper_generics #where_clause {
            type Value = #this_type #ty_generics;

            fn deserialize<__D>(self, __deserializer: __D) -> #p::Result<Self::Value, __D::Error>
            where
                __D: _serde::Deserializer<#input>,
            {
                _serde::Deserializer::deserialize_map(__deserializer, self)
            }
        }
    });
    let names = choices.iter().flat_map(|choice| choice.accepted);
    let fields_constant = (!flattens).then(|| {
        quote! {
            #[doc(hidden)]
            const FIELDS: &'static [&'static str] = &[#(#names),*];
        }
    });
    let value = cx.visitor_value("__Visitor");
    let name = &container.name.de;
    let dispatch = match form {
        Form::Struct if flattens => {
            quote!(_serde::Deserializer::deserialize_map(__deserializer, #value))
        }
        Form::Struct => quote! {
            _serde::Deserializer::deserialize_struct(__deserializer, #name, FIELDS, #value)
        },
        Form::External(_) if flattens => {
            quote!(_serde::de::VariantAccess::newtype_variant_seed(__variant, #value))
        }
        Form::External(_) => {
            quote!(_serde::de::VariantAccess::struct_variant(__variant, FIELDS, #value))
        }
        Form::Internal(_) | Form::Untagged(_) => {
            quote!(_serde::Deserializer::deserialize_any(__deserializer, #value))
        }
    };
    quote!(#identifier #visitor #seed #fields_constant #dispatch)
}

/// Fields that have a key of their own.
fn own_fields<'f, 'a>(fields: &'f [Field<'a>]) -> impl Iterator<Item = (usize, &'f Field<'a>)> {
    fields
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.skips_de() && !field.attrs.flatten)
}

/// The constructed value, converted to the remote type if that hides its fields.
fn finish(cx: &Context<'_>, value: TokenStream) -> TokenStream {
    let Context {
        private: p,
        this_type,
        ty_generics,
        ..
    } = cx;
    if cx.has_getter {
        quote!(#p::Into::<#this_type #ty_generics>::into(#value))
    } else {
        value
    }
}

/// The body of `visit_seq`.
fn sequence(
    cx: &Context<'_>,
    fields: &[Field<'_>],
    path: &TokenStream,
    is_named: bool,
    expecting: &str,
) -> TokenStream {
    let Context {
        container,
        private: p,
        ..
    } = cx;
    let count = fields.iter().filter(|field| !field.skips_de()).count();
    let plural = if count == 1 { "" } else { "s" };
    let expecting = cx.expecting(format!("{expecting} with {count} element{plural}"));
    let mut position = 0_usize;
    let mut values = TokenStream::new();
    for (index, field) in fields.iter().enumerate() {
        let slot = slot(index);
        if field.skips_de() {
            let missing = cx.missing(field);
            values.extend(quote!(let #slot = #missing;));
            continue;
        }
        let ty = field.ty;
        let visit = match &field.attrs.with.de {
            None => quote!(_serde::de::SeqAccess::next_element::<#ty>(&mut __seq)?),
            Some(function) => {
                let (wrapper, wrapper_ty) = cx.wrap_with(function, &quote!(#ty));
                quote!({
                    #wrapper
                    #p::Option::map(
                        _serde::de::SeqAccess::next_element::<#wrapper_ty>(&mut __seq)?,
                        |__wrap| __wrap.value)
                })
            }
        };
        let member = &field.member;
        let missing = match (&field.attrs.default, &container.attrs.default) {
            (Fallback::Trait, _) => quote!(#p::Default::default()),
            (Fallback::Path(path), _) => quote!(#path()),
            (Fallback::None, Fallback::None) => {
                quote!(return #p::Err(_serde::de::Error::invalid_length(#position, &#expecting)))
            }
            (Fallback::None, _) => quote!(__default.#member),
        };
        values.extend(quote! {
            let #slot = match #visit {
                #p::Some(__value) => __value,
                #p::None => #missing,
            };
        });
        position += 1;
    }
    let slots = (0..fields.len()).map(slot);
    let members = fields.iter().map(|field| &field.member);
    let result = finish(
        cx,
        if is_named {
            quote!(#path { #(#members: #slots),* })
        } else {
            quote!(#path(#(#slots),*))
        },
    );
    let let_default = cx.let_default();
    quote!(#let_default #values #p::Ok(#result))
}

/// The body of `visit_map`.
fn map(cx: &Context<'_>, fields: &[Field<'_>], path: &TokenStream, flattens: bool) -> TokenStream {
    let Context {
        container,
        private: p,
        ..
    } = cx;
    let mut slots = TokenStream::new();
    let mut arms = TokenStream::new();
    let mut extract = TokenStream::new();
    for (index, field) in own_fields(fields) {
        let (slot, ty, name) = (slot(index), field.ty, &field.name.de);
        slots.extend(quote!(let mut #slot: #p::Option<#ty> = #p::None;));
        let visit = match &field.attrs.with.de {
            None => quote!(_serde::de::MapAccess::next_value::<#ty>(&mut __map)?),
            Some(function) => {
                let (wrapper, wrapper_ty) = cx.wrap_with(function, &quote!(#ty));
                quote!({
                    #wrapper
                    match _serde::de::MapAccess::next_value::<#wrapper_ty>(&mut __map) {
                        #p::Ok(__wrapper) => __wrapper.value,
                        #p::Err(__err) => {
                            return #p::Err(__err);
                        }
                    }
                })
            }
        };
        arms.extend(quote! {
            __Field::#slot => {
                if #p::Option::is_some(&#slot) {
                    return #p::Err(<__A::Error as _serde::de::Error>::duplicate_field(#name));
                }
                #slot = #p::Some(#visit);
            }
        });
        let missing = cx.missing(field);
        extract.extend(quote! {
            let #slot = match #slot {
                #p::Some(#slot) => #slot,
                #p::None => #missing,
            };
        });
    }
    let collect = flattens.then(|| {
        quote! {
            let mut __collect =
                #p::Vec::<#p::Option<(#p::de::Content, #p::de::Content)>>::new();
        }
    });
    arms.extend(if flattens {
        let value = if container.version.has_content_visitor() {
            quote!(_serde::de::MapAccess::next_value_seed(&mut __map, #p::de::ContentVisitor::new())?)
        } else {
            quote!(_serde::de::MapAccess::next_value(&mut __map)?)
        };
        quote!(__Field::__other(__name) => { __collect.push(#p::Some((__name, #value))); })
    } else if container.attrs.deny_unknown_fields {
        TokenStream::new()
    } else {
        quote! {
            _ => { let _ = _serde::de::MapAccess::next_value::<_serde::de::IgnoredAny>(&mut __map)?; }
        }
    });
    let keys = if container.attrs.deny_unknown_fields && fields.iter().all(Field::skips_de) {
        quote! {
            #p::Option::map(
                _serde::de::MapAccess::next_key::<__Field>(&mut __map)?,
                |__impossible| match __impossible {});
        }
    } else {
        quote! {
            while let #p::Some(__key) = _serde::de::MapAccess::next_key::<__Field>(&mut __map)? {
                match __key { #arms }
            }
        }
    };
    for (index, field) in fields.iter().enumerate() {
        if !field.attrs.flatten || field.skips_de() {
            continue;
        }
        let (slot, ty) = (slot(index), field.ty);
        let function = match &field.attrs.with.de {
            None => quote!(_serde::de::Deserialize::deserialize),
            Some(path) => quote!(#path),
        };
        extract.extend(quote! {
            let #slot: #ty =
                #function(#p::de::FlatMapDeserializer(&mut __collect, #p::PhantomData))?;
        });
    }
    if flattens && container.attrs.deny_unknown_fields {
        let text = if container.version.has_content_as_str() {
            quote!(#p::de::content_as_str(&__key))
        } else {
            quote!(__key.as_str())
        };
        extract.extend(quote! {
            if let #p::Some(#p::Some((__key, _))) =
                __collect.into_iter().filter(#p::Option::is_some).next()
            {
                if let #p::Some(__key) = #text {
                    return #p::Err(
                        _serde::de::Error::custom(format_args!("unknown field `{}`", &__key)));
                } else {
                    return #p::Err(_serde::de::Error::custom(format_args!("unexpected map key")));
                }
            }
        });
    }
    let values = fields.iter().enumerate().map(|(index, field)| {
        let member = &field.member;
        if field.skips_de() {
            let missing = cx.missing(field);
            quote!(#member: #missing)
        } else {
            let slot = slot(index);
            quote!(#member: #slot)
        }
    });
    let result = finish(cx, quote!(#path { #(#values),* }));
    let let_default = cx.let_default();
    quote! {
        #slots
        #collect
        #keys
        #let_default
        #extract
        #p::Ok(#result)
    }
}
