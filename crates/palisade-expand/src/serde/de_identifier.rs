//! The enum `__Field` that stands for a key or a variant, and its visitor.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};

use super::de_fields::slot;
use super::deserialize::Context;
use super::model::{Identifier, Shape, Variant};

/// One variant of an identifier enum, with the names that lead to it.
pub(super) struct Choice<'a> {
    pub(super) ident: Ident,
    pub(super) accepted: &'a BTreeSet<String>,
}

/// `__Field` for the keys of a struct.
pub(super) fn of_fields(cx: &Context<'_>, choices: &[Choice<'_>], flattens: bool) -> TokenStream {
    let p = &cx.private;
    let (extra, fallthrough) = if flattens {
        (
            Some(quote!(__other(#p::de::Content<'de>),)),
            Some(quote!(#p::Ok(__Field::__other(__value)))),
        )
    } else if cx.container.attrs.deny_unknown_fields {
        (None, None)
    } else {
        (
            Some(quote!(__ignore,)),
            Some(quote!(#p::Ok(__Field::__ignore))),
        )
    };
    generated(cx, choices, flattens, false, extra, fallthrough)
}

/// `__Field` for the variants of an enum, and the constant with their names.
pub(super) fn of_variants(cx: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let p = &cx.private;
    let wanted = || {
        variants
            .iter()
            .enumerate()
            .filter(|(_, variant)| !variant.skips_de())
    };
    let fallthrough = wanted()
        .find(|(_, variant)| variant.attrs.other)
        .map(|(index, _)| {
            let slot = slot(index);
            quote!(#p::Ok(__Field::#slot))
        });
    let choices: Vec<_> = wanted()
        .map(|(index, variant)| Choice {
            ident: slot(index),
            accepted: &variant.name.accepted,
        })
        .collect();
    let names = choices.iter().flat_map(|choice| choice.accepted);
    let constant = quote! {
        #[doc(hidden)]
        const VARIANTS: &'static [&'static str] = &[#(#names),*];
    };
    let field = generated(cx, &choices, false, true, None, fallthrough);
    quote!(#field #constant)
}

fn generated(
    cx: &Context<'_>,
    choices: &[Choice<'_>],
    collects: bool,
    of_variants: bool,
    extra: Option<TokenStream>,
    fallthrough: Option<TokenStream>,
) -> TokenStream {
    let p = &cx.private;
    let idents = choices.iter().map(|choice| &choice.ident);
    let lifetime = collects.then(|| quote!(<'de>));
    let methods = Methods {
        private: p,
        this_value: quote!(__Field),
        choices,
        of_variants,
        fallthrough,
        fallthrough_borrowed: None,
        collects,
        expecting: None,
    }
    .write();
    quote! {
        #[allow(non_camel_case_types)]
        #[doc(hidden)]
        enum __Field #lifetime {
            #(#idents,)*
            #extra
        }

        #[doc(hidden)]
        struct __FieldVisitor;

        #[automatically_derived]
        impl<'de> _serde::de::Visitor<'de> for __FieldVisitor {
            type Value = __Field #lifetime;
            #methods
        }

        #[automatically_derived]
        impl<'de> _serde::Deserialize<'de> for __Field #lifetime {
            #[inline]
            fn deserialize<__D>(__deserializer: __D) -> #p::Result<Self, __D::Error>
            where
                __D: _serde::Deserializer<'de>,
            {
                _serde::Deserializer::deserialize_identifier(__deserializer, __FieldVisitor)
            }
        }
    }
}

/// An enum that is itself an identifier.
pub(super) fn custom(cx: &Context<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let Context {
        container,
        private: p,
        this_value,
        ..
    } = cx;
    let of_variants = container.identifier == Identifier::Variant;
    let (ordinary, fallthrough, fallthrough_borrowed) = match variants.split_last() {
        Some((last, rest)) if last.attrs.other => {
            let ident = last.ident;
            (rest, Some(quote!(#p::Ok(#this_value::#ident))), None)
        }
        Some((last, rest)) if last.shape == Shape::Newtype => {
            let ident = last.ident;
            let fallthrough = |value: TokenStream| {
                quote! {
                    #p::Result::map(
                        _serde::Deserialize::deserialize(#p::de::IdentifierDeserializer::from(#value)),
                        #this_value::#ident)
                }
            };
            let borrowed = fallthrough(quote!(#p::de::Borrowed(__value)));
            (rest, Some(fallthrough(quote!(__value))), Some(borrowed))
        }
        _ => (variants, None, None),
    };
    let choices: Vec<_> = ordinary
        .iter()
        .map(|variant| Choice {
            ident: variant.ident.clone(),
            accepted: &variant.name.accepted,
        })
        .collect();
    let names = choices.iter().flat_map(|choice| choice.accepted);
    let constant = fallthrough.is_none().then(|| {
        let name = if of_variants {
            quote!(VARIANTS)
        } else {
            quote!(FIELDS)
        };
        quote! {
            #[doc(hidden)]
            const #name: &'static [&'static str] = &[#(#names),*];
        }
    });
    let methods = Methods {
        private: p,
        this_value: this_value.to_token_stream(),
        choices: &choices,
        of_variants,
        fallthrough,
        fallthrough_borrowed,
        collects: false,
        expecting: container.attrs.expecting.as_deref(),
    }
    .write();
    let visitor = cx.visitor("__FieldVisitor", &methods);
    let value = cx.visitor_value("__FieldVisitor");
    quote! {
        #constant
        #visitor
        let __visitor = #value;
        _serde::Deserializer::deserialize_identifier(__deserializer, __visitor)
    }
}

/// The methods of a visitor for an identifier.
struct Methods<'a> {
    private: &'a TokenStream,
    this_value: TokenStream,
    choices: &'a [Choice<'a>],
    of_variants: bool,
    /// What an unknown name is, unless it is an error.
    fallthrough: Option<TokenStream>,
    /// The same where the name is borrowed from the input.
    fallthrough_borrowed: Option<TokenStream>,
    /// Unknown keys are kept, whatever type they have.
    collects: bool,
    expecting: Option<&'a str>,
}

impl Methods<'_> {
    fn write(&self) -> TokenStream {
        let Self {
            private: p,
            choices,
            this_value,
            ..
        } = self;
        let kind = if self.of_variants { "variant" } else { "field" };
        let expecting = self
            .expecting
            .map_or_else(|| format!("{kind} identifier"), str::to_owned);
        let strings: TokenStream = choices
            .iter()
            .map(|Choice { ident, accepted }| {
                let names = accepted.iter();
                quote!(#(#names => #p::Ok(#this_value::#ident),)*)
            })
            .collect();
        let bytes: TokenStream = choices
            .iter()
            .map(|Choice { ident, accepted }| {
                let names = accepted
                    .iter()
                    .map(|name| Literal::byte_string(name.as_bytes()));
                quote!(#(#names => #p::Ok(#this_value::#ident),)*)
            })
            .collect();
        let unknown = self.fallthrough.clone().unwrap_or_else(|| {
            if self.of_variants {
                quote!(#p::Err(_serde::de::Error::unknown_variant(__value, VARIANTS)))
            } else {
                quote!(#p::Err(_serde::de::Error::unknown_field(__value, FIELDS)))
            }
        });
        let text = (self.fallthrough.is_none() && !self.collects)
            .then(|| quote!(let __value = &#p::from_utf8_lossy(__value);));
        let keep = |content: TokenStream| {
            self.collects
                .then(|| quote!(let __value = #p::de::Content::#content;))
        };
        let keep_str = keep(quote!(String(#p::ToString::to_string(__value))));
        let keep_bytes = keep(quote!(ByteBuf(__value.to_vec())));
        let others = if self.collects {
            self.keep_others()
        } else {
            self.visit_u64(kind)
        };
        let visit_str = self.visit(
            "visit_str",
            &quote!(&str),
            &strings,
            &quote!(#keep_str #unknown),
        );
        let visit_bytes = self.visit(
            "visit_bytes",
            &quote!(&[u8]),
            &bytes,
            &quote!(#text #keep_bytes #unknown),
        );
        let borrowed = (self.fallthrough_borrowed.is_some() || self.collects).then(|| {
            let unknown = self.fallthrough_borrowed.as_ref().unwrap_or(&unknown);
            let keep_str = keep(quote!(Str(__value)));
            let keep_bytes = keep(quote!(Bytes(__value)));
            let visit_str = self.visit(
                "visit_borrowed_str",
                &quote!(&'de str),
                &strings,
                &quote!(#keep_str #unknown),
            );
            let visit_bytes = self.visit(
                "visit_borrowed_bytes",
                &quote!(&'de [u8]),
                &bytes,
                &quote!(#text #keep_bytes #unknown),
            );
            quote!(#visit_str #visit_bytes)
        });
        quote! {
            fn expecting(&self, __formatter: &mut #p::Formatter) -> #p::fmt::Result {
                #p::Formatter::write_str(__formatter, #expecting)
            }
            #others
            #visit_str
            #visit_bytes
            #borrowed
        }
    }

    fn visit(
        &self,
        name: &str,
        ty: &TokenStream,
        arms: &TokenStream,
        unknown: &TokenStream,
    ) -> TokenStream {
        self.method(name, ty, &quote!(match __value { #arms _ => { #unknown } }))
    }

    fn method(&self, name: &str, ty: &TokenStream, body: &TokenStream) -> TokenStream {
        let p = self.private;
        let name = Ident::new(name, proc_macro2::Span::call_site());
        quote! {
            fn #name<__E>(self, __value: #ty) -> #p::Result<Self::Value, __E>
            where
                __E: _serde::de::Error,
            {
                #body
            }
        }
    }

    /// Keys by number, for formats that have no names.
    fn visit_u64(&self, kind: &str) -> TokenStream {
        let Self {
            private: p,
            choices,
            this_value,
            ..
        } = self;
        let arms = choices
            .iter()
            .enumerate()
            .map(|(index, Choice { ident, .. })| {
                let index = index as u64;
                quote!(#index => #p::Ok(#this_value::#ident),)
            });
        let message = format!("{kind} index 0 <= i < {}", choices.len());
        let unknown = self.fallthrough.clone().unwrap_or_else(|| {
            quote! {
                #p::Err(_serde::de::Error::invalid_value(
                    _serde::de::Unexpected::Unsigned(__value),
                    &#message,
                ))
            }
        });
        self.method(
            "visit_u64",
            &quote!(u64),
            &quote!(match __value { #(#arms)* _ => #unknown, }),
        )
    }

    /// Keys of every other type, kept as content.
    fn keep_others(&self) -> TokenStream {
        const TYPES: [(&str, &str); 12] = [
            ("bool", "Bool"),
            ("i8", "I8"),
            ("i16", "I16"),
            ("i32", "I32"),
            ("i64", "I64"),
            ("u8", "U8"),
            ("u16", "U16"),
            ("u32", "U32"),
            ("u64", "U64"),
            ("f32", "F32"),
            ("f64", "F64"),
            ("char", "Char"),
        ];
        let p = self.private;
        let mut output = TokenStream::new();
        for (ty, content) in TYPES {
            let span = proc_macro2::Span::call_site();
            let (ty_ident, content) = (Ident::new(ty, span), Ident::new(content, span));
            output.extend(self.method(
                &format!("visit_{ty}"),
                &quote!(#ty_ident),
                &quote!(#p::Ok(__Field::__other(#p::de::Content::#content(__value)))),
            ));
        }
        output.extend(quote! {
            fn visit_unit<__E>(self) -> #p::Result<Self::Value, __E>
            where
                __E: _serde::de::Error,
            {
                #p::Ok(__Field::__other(#p::de::Content::Unit))
            }
        });
        output
    }
}
