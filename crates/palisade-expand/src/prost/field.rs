//! One field of a message, or the one field of an alternative.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitInt, Meta, Path, Token};

use super::map::Map;
use super::scalar::{Scalar, Ty};
use crate::support::{Refusal, parse_literal};

/// What is on the wire for a field.
pub(super) enum Kind {
    Scalar(Scalar),
    /// A message, or the older form of one, a group.
    Message {
        label: Label,
        is_group: bool,
    },
    Map(Map),
    /// A type that derives `Oneof`.
    Oneof(Path),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Label {
    Plain,
    Optional,
    Required,
    Repeated,
}

pub(super) struct Field {
    pub(super) kind: Kind,
    /// Never empty.
    pub(super) tags: Vec<u32>,
}

/// The text or the literal in `key = "text"` and `key = literal`.
fn value_of(meta: &Meta) -> Option<&Lit> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        },
        Meta::Path(_) | Meta::List(_) => None,
    }
}

/// A path in `key = "path"` or `key(path)`.
fn path_of(meta: &Meta) -> Result<Path, Refusal> {
    match (meta, value_of(meta)) {
        (_, Some(Lit::Str(text))) => Ok(parse_literal(text)?),
        (Meta::List(list), _) => Ok(list.parse_args()?),
        _ => Err(Refusal::new("expected a path")),
    }
}

/// The numbers in `tag = "1"`, `tag(1)` and `tags = "1, 2"`.
fn tags_of(meta: &Meta) -> Result<Vec<u32>, Refusal> {
    match (meta, value_of(meta)) {
        (_, Some(Lit::Str(text))) => text
            .value()
            .split(',')
            .map(|tag| tag.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| Refusal::new("expected a number as the tag")),
        (_, Some(Lit::Int(tag))) => Ok(vec![tag.base10_parse()?]),
        (Meta::List(list), _) => {
            let tags = list.parse_args_with(Punctuated::<LitInt, Token![,]>::parse_terminated)?;
            Ok(tags
                .iter()
                .map(LitInt::base10_parse)
                .collect::<Result<_, _>>()?)
        }
        _ => Err(Refusal::new("expected a number as the tag")),
    }
}

/// The two types in `map = "key, value"` or `map(key, value)`.
fn map_types(meta: &Meta) -> Result<(String, String), Refusal> {
    let text = match (meta, value_of(meta)) {
        (_, Some(Lit::Str(text))) => text.value(),
        (Meta::List(list), _) => list.tokens.to_string(),
        _ => String::new(),
    };
    match text.split_once(',') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err(Refusal::new("a map needs the types of key and value")),
    }
}

impl Field {
    /// Reads `#[prost(..)]`; a field of a message may leave out its tag.
    pub(super) fn read(attributes: &[Attribute], next_tag: Option<u32>) -> Result<Self, Refusal> {
        let (mut ty, mut map, mut oneof) = (None, None, None);
        let (mut is_message, mut is_group, mut packed) = (false, false, None);
        let (mut label, mut default, mut tags) = (Label::Plain, None, Vec::new());
        for attribute in attributes.iter().filter(|it| it.path().is_ident("prost")) {
            let metas =
                attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
            for meta in &metas {
                let Some(key) = meta.path().get_ident().map(Ident::to_string) else {
                    return Err(Refusal::new("expected a word"));
                };
                match key.as_str() {
                    "message" => is_message = true,
                    "group" => is_group = true,
                    "boxed" => {}
                    "optional" => label = Label::Optional,
                    "required" => label = Label::Required,
                    "repeated" => label = Label::Repeated,
                    "tag" | "tags" => tags = tags_of(meta)?,
                    "packed" => {
                        packed = Some(match value_of(meta) {
                            Some(Lit::Str(text)) => text.value() == "true",
                            Some(Lit::Bool(value)) => value.value,
                            _ => true,
                        });
                    }
                    "default" => default = value_of(meta).cloned(),
                    "oneof" => oneof = Some(path_of(meta)?),
                    "map" | "hash_map" | "btree_map" => {
                        let (key_ty, value_ty) = map_types(meta)?;
                        map = Some(Map::new(key != "btree_map", &key_ty, &value_ty)?);
                    }
                    "enumeration" => ty = Some(Ty::Enumeration(path_of(meta)?)),
                    "bytes" => {
                        let is_bytes = matches!(value_of(meta),
                            Some(Lit::Str(text)) if text.value() == "bytes");
                        ty = Some(Ty::Bytes { is_bytes });
                    }
                    word => {
                        let known = Ty::named(word);
                        ty = Some(known.ok_or_else(|| Refusal::new("unknown type of field"))?);
                    }
                }
            }
        }
        if tags.is_empty() {
            tags.extend(next_tag);
        }
        if tags.is_empty() {
            return Err(Refusal::new("a field without a tag"));
        }
        let kind = if let Some(ty) = ty {
            Kind::Scalar(Scalar::new(ty, label, packed, default.as_ref())?)
        } else if is_message || is_group {
            let label = match label {
                Label::Plain => Label::Optional,
                other => other,
            };
            Kind::Message { label, is_group }
        } else if let Some(map) = map {
            Kind::Map(map)
        } else if let Some(oneof) = oneof {
            Kind::Oneof(oneof)
        } else {
            return Err(Refusal::new("a field without a type"));
        };
        Ok(Self { kind, tags })
    }

    /// The same for the field of an alternative, which is always there.
    pub(super) fn read_in_oneof(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut field = Self::read(attributes, None)?;
        match &mut field.kind {
            Kind::Scalar(scalar) => scalar.label = Label::Required,
            Kind::Message { label, .. } => *label = Label::Required,
            Kind::Map(_) => {}
            Kind::Oneof(_) => return Err(Refusal::new("an alternative inside an alternative")),
        }
        Ok(field)
    }

    fn tag(&self) -> u32 {
        self.tags.first().copied().unwrap_or_default()
    }

    /// Writes the field at `place`.
    pub(super) fn encode(&self, place: &TokenStream) -> TokenStream {
        let tag = self.tag();
        match &self.kind {
            Kind::Scalar(scalar) => scalar.encode(tag, place),
            Kind::Map(map) => map.encode(tag, place),
            Kind::Oneof(_) => quote! {
                if let Some(ref oneof) = #place {
                    oneof.encode(buf)
                }
            },
            Kind::Message { label, is_group } => {
                let module = message_module(*is_group);
                match label {
                    Label::Repeated => quote! {
                        for msg in &#place {
                            #module::encode(#tag, msg, buf);
                        }
                    },
                    Label::Optional => quote! {
                        if let Some(ref msg) = #place {
                            #module::encode(#tag, msg, buf);
                        }
                    },
                    Label::Plain | Label::Required => quote!(#module::encode(#tag, &#place, buf);),
                }
            }
        }
    }

    /// Reads into the mutable reference `place`.
    pub(super) fn merge(&self, place: &TokenStream) -> TokenStream {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.merge(place),
            Kind::Map(map) => map.merge(place),
            Kind::Oneof(ty) => quote!(#ty::merge(#place, tag, wire_type, buf, ctx)),
            Kind::Message { label, is_group } => {
                let module = message_module(*is_group);
                let tag = is_group.then(|| quote!(tag,));
                match label {
                    Label::Repeated => {
                        quote!(#module::merge_repeated(#tag wire_type, #place, buf, ctx))
                    }
                    Label::Optional => quote! {
                        #module::merge(
                            #tag
                            wire_type,
                            #place.get_or_insert_with(::core::default::Default::default),
                            buf,
                            ctx,
                        )
                    },
                    Label::Plain | Label::Required => {
                        quote!(#module::merge(#tag wire_type, #place, buf, ctx))
                    }
                }
            }
        }
    }

    pub(super) fn encoded_len(&self, place: &TokenStream) -> TokenStream {
        let tag = self.tag();
        match &self.kind {
            Kind::Scalar(scalar) => scalar.encoded_len(tag, place),
            Kind::Map(map) => map.encoded_len(tag, place),
            Kind::Oneof(ty) => quote!(#place.as_ref().map_or(0, #ty::encoded_len)),
            Kind::Message { label, is_group } => {
                let module = message_module(*is_group);
                match label {
                    Label::Repeated => quote!(#module::encoded_len_repeated(#tag, &#place)),
                    Label::Optional => quote! {
                        #place.as_ref().map_or(0, |msg| #module::encoded_len(#tag, msg))
                    },
                    Label::Plain | Label::Required => quote!(#module::encoded_len(#tag, &#place)),
                }
            }
        }
    }

    pub(super) fn clear(&self, place: &TokenStream) -> TokenStream {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.clear(place),
            Kind::Oneof(_)
            | Kind::Message {
                label: Label::Optional,
                ..
            } => quote!(#place = ::core::option::Option::None),
            Kind::Map(_) | Kind::Message { .. } => quote!(#place.clear()),
        }
    }

    pub(super) fn default(&self) -> TokenStream {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.default(),
            Kind::Map(_) | Kind::Oneof(_) | Kind::Message { .. } => {
                quote!(::core::default::Default::default())
            }
        }
    }

    /// What is shown of the field: a wrapper, if it knows better than the type.
    pub(super) fn debug(&self, place: &TokenStream) -> TokenStream {
        match &self.kind {
            Kind::Scalar(scalar) => {
                let wrapper = scalar.debug(&quote!(ScalarWrapper));
                quote!({ #wrapper ScalarWrapper(&#place) })
            }
            Kind::Map(map) => {
                let wrapper = map.debug();
                quote!({ #wrapper MapWrapper(&#place) })
            }
            Kind::Oneof(_) | Kind::Message { .. } => quote!(&#place),
        }
    }
}

fn message_module(is_group: bool) -> TokenStream {
    if is_group {
        quote!(::prost::encoding::group)
    } else {
        quote!(::prost::encoding::message)
    }
}
