//! Deserialising enums, in the four ways of tagging.

use proc_macro2::TokenStream;
use quote::quote;

use super::de_fields::slot;
use super::de_identifier;
use super::de_variant;
use super::deserialize::Context;
use super::model::{Shape, Tagging, Variant};
use crate::support::Expansion;

/// The body of `deserialize`.
pub(super) fn enumeration(cx: &Context<'_>, variants: &[Variant<'_>]) -> Expansion {
    let p = &cx.private;
    let Some(first) = variants.iter().position(|variant| variant.attrs.untagged) else {
        return tagged(cx, variants);
    };
    // Variants that are untagged themselves come last and are tried last.
    let (with_tag, without) = variants.split_at(first);
    let attempt = tagged(cx, with_tag)?;
    let attempt = quote! {
        if let #p::Result::<_, __D::Error>::Ok(__ok) = (|| { #attempt })() {
            return #p::Ok(__ok);
        }
    };
    untagged(cx, without, Some(&attempt))
}

fn tagged(cx: &Context<'_>, variants: &[Variant<'_>]) -> Expansion {
    match &cx.container.tagging {
        Tagging::External => external(cx, variants),
        Tagging::Internal { tag } => internal(cx, variants, tag),
        Tagging::Adjacent { tag, content } => adjacent(cx, variants, tag, content),
        Tagging::Untagged => untagged(cx, variants, None),
    }
}

/// The variants that are deserialised, with their places.
fn wanted<'v, 'a>(variants: &'v [Variant<'a>]) -> impl Iterator<Item = (usize, &'v Variant<'a>)> {
    variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| !variant.skips_de())
}

fn external(cx: &Context<'_>, variants: &[Variant<'_>]) -> Expansion {
    let Context {
        container,
        private: p,
        input,
        ..
    } = cx;
    let identifier = de_identifier::of_variants(cx, variants);
    let results = Results { cx };
    let mut arms = TokenStream::new();
    for (index, variant) in wanted(variants) {
        let (slot, body) = (slot(index), de_variant::external(cx, variant)?);
        let pattern = results.ok(&quote!((__Field::#slot, __variant)));
        arms.extend(quote!(#pattern => { #body }));
    }
    let (question_mark, error) = (results.question_mark(), results.error_arm());
    let body = if arms.is_empty() {
        quote! {
            #p::Result::map(
                _serde::de::EnumAccess::variant::<__Field>(__data),
                |(__impossible, _)| match __impossible {})
        }
    } else {
        quote! {
            match _serde::de::EnumAccess::variant(__data) #question_mark {
                #arms
                #error
            }
        }
    };
    let expecting = cx.expecting_method(&cx.expecting(format!("enum {}", cx.type_name())));
    let visitor = cx.visitor(
        "__Visitor",
        &quote! {
            #expecting

            fn visit_enum<__A>(self, __data: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::EnumAccess<#input>,
            {
                #body
            }
        },
    );
    let name = &container.name.de;
    let value = cx.visitor_value("__Visitor");
    Ok(quote! {
        #identifier
        #visitor
        _serde::Deserializer::deserialize_enum(__deserializer, #name, VARIANTS, #value,)
    })
}

fn internal(cx: &Context<'_>, variants: &[Variant<'_>], tag: &str) -> Expansion {
    let p = &cx.private;
    let identifier = de_identifier::of_variants(cx, variants);
    let mut arms = TokenStream::new();
    for (index, variant) in wanted(variants) {
        let (slot, body) = (slot(index), de_variant::internal(cx, variant)?);
        arms.extend(quote!(__Field::#slot => { #body }));
    }
    let expecting = cx.expecting(format!("internally tagged enum {}", cx.type_name()));
    Ok(quote! {
        #identifier
        let (__tag, __content) = _serde::Deserializer::deserialize_any(
            __deserializer,
            #p::de::TaggedContentVisitor::<__Field>::new(#tag, #expecting))?;
        let __deserializer = #p::de::ContentDeserializer::<__D::Error>::new(__content);
        match __tag { #arms }
    })
}

fn untagged(
    cx: &Context<'_>,
    variants: &[Variant<'_>],
    first_attempt: Option<&TokenStream>,
) -> Expansion {
    let p = &cx.private;
    let mut attempts = TokenStream::new();
    for (_, variant) in wanted(variants) {
        let body = de_variant::untagged(cx, variant)?;
        attempts.extend(quote! {
            if let #p::Ok(__ok) = { #body } {
                return #p::Ok(__ok);
            }
        });
    }
    let message = cx.expecting(format!(
        "data did not match any variant of untagged enum {}",
        cx.type_name()
    ));
    let content = if cx.container.version.has_content_visitor() {
        quote!(_serde::de::DeserializeSeed::deserialize(#p::de::ContentVisitor::new(), __deserializer)?)
    } else {
        quote!(<#p::de::Content as _serde::Deserialize>::deserialize(__deserializer)?)
    };
    Ok(quote! {
        let __content = #content;
        let __deserializer = #p::de::ContentRefDeserializer::<__D::Error>::new(&__content);
        #first_attempt
        #attempts
        #p::Err(_serde::de::Error::custom(#message))
    })
}

fn adjacent(cx: &Context<'_>, variants: &[Variant<'_>], tag: &str, content: &str) -> Expansion {
    let Context {
        container,
        private: p,
        this_type,
        input,
        impl_generics,
        helper_generics,
        ty_generics,
        where_clause,
        ..
    } = cx;
    let identifier = de_identifier::of_variants(cx, variants);
    let mut arms = TokenStream::new();
    for (index, variant) in wanted(variants) {
        let (slot, body) = (slot(index), de_variant::untagged(cx, variant)?);
        arms.extend(quote!(__Field::#slot => { #body }));
    }
    let seed_field = if container.version.seeds_buffered_content() {
        quote!(variant)
    } else {
        quote!(field)
    };
    let keys = AdjacentKeys { cx, tag, content };
    let (next_key, variant_value) = (keys.next(), keys.variant());
    let remaining = quote! {
        match #next_key {
            #p::Some(#p::de::TagOrContentField::Tag) => {
                #p::Err(<__A::Error as _serde::de::Error>::duplicate_field(#tag))
            }
            #p::Some(#p::de::TagOrContentField::Content) => {
                #p::Err(<__A::Error as _serde::de::Error>::duplicate_field(#content))
            }
            #p::None => #p::Ok(__ret),
        }
    };
    let content_then_tag = if arms.is_empty() {
        quote!(match #variant_value {})
    } else if !container.version.seeds_buffered_content() {
        quote! {
            let __deserializer = #p::de::ContentDeserializer::<__A::Error>::new(__content);
            let __ret = match #variant_value { #arms }?;
            #remaining
        }
    } else {
        quote! {
            let __seed = __Seed {
                #seed_field: #variant_value,
                marker: #p::PhantomData,
                lifetime: #p::PhantomData,
            };
            let __deserializer = #p::de::ContentDeserializer::<__A::Error>::new(__content);
            let __ret = _serde::de::DeserializeSeed::deserialize(__seed, __deserializer)?;
            #remaining
        }
    };
    let missing_content = missing_content(cx, variants, content);
    let read_content = if container.version.has_content_visitor() {
        quote!(_serde::de::MapAccess::next_value_seed(&mut __map, #p::de::ContentVisitor::new())?)
    } else {
        quote!(_serde::de::MapAccess::next_value::<#p::de::Content>(&mut __map)?)
    };
    let results = Results { cx };
    let (question_mark, error) = (results.question_mark(), results.error_arm());
    let some_variant = results.ok(&quote!(#p::Some(__variant)));
    let some_ret = results.ok(&quote!(#p::Some(__ret)));
    let none = results.ok(&quote!(#p::None));
    let seed = cx.helper_struct("__Seed", &quote!(#seed_field: __Field,));
    let expecting =
        cx.expecting_method(&cx.expecting(format!("adjacently tagged enum {}", cx.type_name())));
    let visitor = cx.visitor(
        "__Visitor",
        &quote! {
            #expecting

            fn visit_map<__A>(self, mut __map: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::MapAccess<#input>,
            {
                match #next_key {
                    #p::Some(#p::de::TagOrContentField::Tag) => {
                        let __field = #variant_value;
                        match #next_key {
                            #p::Some(#p::de::TagOrContentField::Tag) => {
                                #p::Err(<__A::Error as _serde::de::Error>::duplicate_field(#tag))
                            }
                            #p::Some(#p::de::TagOrContentField::Content) => {
                                let __ret = _serde::de::MapAccess::next_value_seed(&mut __map,
                                    __Seed {
                                        #seed_field: __field,
                                        marker: #p::PhantomData,
                                        lifetime: #p::PhantomData,
                                    })?;
                                #remaining
                            }
                            #p::None => #missing_content
                        }
                    }
                    #p::Some(#p::de::TagOrContentField::Content) => {
                        let __content = #read_content;
                        match #next_key {
                            #p::Some(#p::de::TagOrContentField::Tag) => {
                                #content_then_tag
                            }
                            #p::Some(#p::de::TagOrContentField::Content) => {
                                #p::Err(<__A::Error as _serde::de::Error>::duplicate_field(#content))
                            }
                            #p::None => {
                                #p::Err(<__A::Error as _serde::de::Error>::missing_field(#tag))
                            }
                        }
                    }
                    #p::None => #p::Err(<__A::Error as _serde::de::Error>::missing_field(#tag)),
                }
            }

            fn visit_seq<__A>(self, mut __seq: __A) -> #p::Result<Self::Value, __A::Error>
            where
                __A: _serde::de::SeqAccess<#input>,
            {
                match _serde::de::SeqAccess::next_element(&mut __seq) #question_mark {
                    #some_variant => {
                        match _serde::de::SeqAccess::next_element_seed(
                            &mut __seq,
                            __Seed {
                                #seed_field: __variant,
                                marker: #p::PhantomData,
                                lifetime: #p::PhantomData,
                            },
                        ) #question_mark {
                            #some_ret => #p::Ok(__ret),
                            #none => {
                                #p::Err(_serde::de::Error::invalid_length(1, &self))
                            }
                            #error
                        }
                    }
                    #none => #p::Err(_serde::de::Error::invalid_length(0, &self)),
                    #error
                }
            }
        },
    );
    let name = &container.name.de;
    let value = cx.visitor_value("__Visitor");
    Ok(quote! {
        #identifier
        #seed

        #[automatically_derived]
        impl #impl_generics _serde::de::DeserializeSeed<#input> for __Seed #helper_generics #where_clause {
            type Value = #this_type #ty_generics;

            fn deserialize<__D>(self, __deserializer: __D) -> #p::Result<Self::Value, __D::Error>
            where
                __D: _serde::Deserializer<#input>,
            {
                match self.#seed_field { #arms }
            }
        }

        #visitor

        #[doc(hidden)]
        const FIELDS: &'static [&'static str] = &[#tag, #content];
        _serde::Deserializer::deserialize_struct(__deserializer, #name, FIELDS, #value,)
    })
}

/// How a `match` on a result deals with errors, which depends on the release.
struct Results<'a> {
    cx: &'a Context<'a>,
}

impl Results<'_> {
    fn early(&self) -> bool {
        self.cx.container.version.uses_question_mark()
    }

    /// `?` after what is matched on, if errors return from there.
    fn question_mark(&self) -> Option<TokenStream> {
        self.early().then(|| quote!(?))
    }

    /// A pattern for a success.
    fn ok(&self, pattern: &TokenStream) -> TokenStream {
        let p = &self.cx.private;
        if self.early() {
            pattern.clone()
        } else {
            quote!(#p::Ok(#pattern))
        }
    }

    /// The arm for an error, if it needs one.
    fn error_arm(&self) -> Option<TokenStream> {
        let p = &self.cx.private;
        (!self.early()).then(|| quote!(#p::Err(__err) => #p::Err(__err),))
    }
}

/// How the keys of an adjacently tagged enum are read.
struct AdjacentKeys<'a> {
    cx: &'a Context<'a>,
    tag: &'a str,
    content: &'a str,
}

impl AdjacentKeys<'_> {
    /// The next key that is the tag or the content.
    fn next(&self) -> TokenStream {
        let Self { cx, tag, content } = self;
        let p = &cx.private;
        let denies = cx.container.attrs.deny_unknown_fields;
        let visitor = if denies {
            quote!(TagOrContentFieldVisitor)
        } else {
            quote!(TagContentOtherFieldVisitor)
        };
        let next = quote! {
            _serde::de::MapAccess::next_key_seed(&mut __map, #p::de::#visitor {
                tag: #tag,
                content: #content,
            })?
        };
        if denies {
            return next;
        }
        quote!({
            let mut __rk: #p::Option<#p::de::TagOrContentField> = #p::None;
            while let #p::Some(__k) = #next {
                match __k {
                    #p::de::TagContentOtherField::Other => {
                        let _ = _serde::de::MapAccess::next_value::<_serde::de::IgnoredAny>(&mut __map)?;
                        continue;
                    }
                    #p::de::TagContentOtherField::Tag => {
                        __rk = #p::Some(#p::de::TagOrContentField::Tag);
                        break;
                    }
                    #p::de::TagContentOtherField::Content => {
                        __rk = #p::Some(#p::de::TagOrContentField::Content);
                        break;
                    }
                }
            }
            __rk
        })
    }

    /// The value of the tag.
    fn variant(&self) -> TokenStream {
        let p = &self.cx.private;
        if !self.cx.container.version.has_adjacent_variant_types() {
            return quote!(_serde::de::MapAccess::next_value(&mut __map)?);
        }
        let name = self.cx.type_name();
        quote! {
            _serde::de::MapAccess::next_value_seed(&mut __map,
                #p::de::AdjacentlyTaggedEnumVariantSeed::<__Field> {
                    enum_name: #name,
                    variants: VARIANTS,
                    fields_enum: #p::PhantomData
                })?
        }
    }
}

/// What it means when there is a tag but no content.
fn missing_content(cx: &Context<'_>, variants: &[Variant<'_>], content: &str) -> TokenStream {
    let Context {
        private: p,
        this_value,
        ..
    } = cx;
    let missing = quote!(#p::Err(<__A::Error as _serde::de::Error>::missing_field(#content)));
    let mut arms = TokenStream::new();
    let mut rest = None;
    for (index, variant) in wanted(variants) {
        let (slot, ident) = (slot(index), variant.ident);
        match variant.shape {
            Shape::Unit => arms.extend(quote!(__Field::#slot => #p::Ok(#this_value::#ident),)),
            Shape::Newtype if variant.attrs.with.de.is_none() => arms.extend(quote! {
                __Field::#slot => #p::de::missing_field(#content).map(#this_value::#ident),
            }),
            _ => rest = Some(quote!(_ => #missing)),
        }
    }
    if arms.is_empty() {
        missing
    } else {
        quote!(match __field { #arms #rest })
    }
}
