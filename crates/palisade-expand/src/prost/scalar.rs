//! Numbers, text, bytes and enumerations.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Lit, LitStr, Path};

use super::field::Label;
use crate::support::{Refusal, parse_literal, unraw};

pub(super) enum Ty {
    /// A number or a bool: its name on the wire, and the Rust type.
    Number {
        module: &'static str,
        rust: &'static str,
    },
    String,
    Bytes {
        /// Whether it is `Bytes` instead of a vector.
        is_bytes: bool,
    },
    Enumeration(Path),
}

/// Name on the wire, and Rust type.
const NUMBERS: [(&str, &str); 13] = [
    ("double", "f64"),
    ("float", "f32"),
    ("int32", "i32"),
    ("int64", "i64"),
    ("uint32", "u32"),
    ("uint64", "u64"),
    ("sint32", "i32"),
    ("sint64", "i64"),
    ("fixed32", "u32"),
    ("fixed64", "u64"),
    ("sfixed32", "i32"),
    ("sfixed64", "i64"),
    ("bool", "bool"),
];

impl Ty {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::String),
            "bytes" => Some(Self::Bytes { is_bytes: false }),
            _ => {
                let (module, rust) = NUMBERS.iter().find(|(module, _)| *module == name)?;
                Some(Self::Number { module, rust })
            }
        }
    }

    pub(super) fn is_numeric(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::Enumeration(_))
    }

    /// The module with the functions that read and write this type.
    pub(super) fn module(&self) -> TokenStream {
        let module = match self {
            Self::Number { module, .. } => format_ident!("{module}"),
            Self::String => format_ident!("string"),
            Self::Bytes { .. } => format_ident!("bytes"),
            Self::Enumeration(_) => format_ident!("int32"),
        };
        quote!(::prost::encoding::#module)
    }

    /// The type of a field.
    pub(super) fn owned(&self) -> TokenStream {
        match self {
            Self::String => quote!(::prost::alloc::string::String),
            Self::Bytes { is_bytes: false } => quote!(::prost::alloc::vec::Vec<u8>),
            Self::Bytes { is_bytes: true } => quote!(::prost::bytes::Bytes),
            Self::Number { .. } | Self::Enumeration(_) => self.borrowed(),
        }
    }

    /// The type of what a getter returns.
    pub(super) fn borrowed(&self) -> TokenStream {
        match self {
            Self::String => quote!(&str),
            Self::Bytes { .. } => quote!(&[u8]),
            Self::Enumeration(_) => quote!(i32),
            Self::Number { rust, .. } => {
                let rust = format_ident!("{rust}");
                quote!(#rust)
            }
        }
    }
}

pub(super) struct Scalar {
    pub(super) ty: Ty,
    pub(super) label: Label,
    is_packed: bool,
    /// The value of a field that is not on the wire.
    pub(super) default: TokenStream,
    has_default: bool,
}

impl Scalar {
    pub(super) fn new(
        ty: Ty,
        label: Label,
        packed: Option<bool>,
        default: Option<&Lit>,
    ) -> Result<Self, Refusal> {
        let value = match default {
            Some(value) => given(&ty, value)?,
            None => zero(&ty),
        };
        Ok(Self {
            is_packed: label == Label::Repeated && packed.unwrap_or(ty.is_numeric()),
            default: value,
            has_default: default.is_some(),
            ty,
            label,
        })
    }

    /// The function of the module for this label, such as `encode_packed`.
    fn function(&self, name: &str) -> TokenStream {
        let module = self.ty.module();
        let name = match (self.label, self.is_packed) {
            (Label::Repeated, true) => format_ident!("{name}_packed"),
            (Label::Repeated, false) => format_ident!("{name}_repeated"),
            _ => format_ident!("{name}"),
        };
        quote!(#module::#name)
    }

    /// The default as the type on the wire.
    fn typed(&self) -> TokenStream {
        let default = &self.default;
        match self.ty {
            Ty::Enumeration(_) => quote!(#default as i32),
            _ => default.clone(),
        }
    }

    pub(super) fn encode(&self, tag: u32, place: &TokenStream) -> TokenStream {
        let encode = self.function("encode");
        match self.label {
            Label::Plain => {
                let default = self.typed();
                quote! {
                    if #place != #default {
                        #encode(#tag, &#place, buf);
                    }
                }
            }
            Label::Optional => quote! {
                if let ::core::option::Option::Some(ref value) = #place {
                    #encode(#tag, value, buf);
                }
            },
            Label::Required | Label::Repeated => quote!(#encode(#tag, &#place, buf);),
        }
    }

    pub(super) fn merge(&self, place: &TokenStream) -> TokenStream {
        let module = self.ty.module();
        match self.label {
            Label::Repeated => quote!(#module::merge_repeated(wire_type, #place, buf, ctx)),
            Label::Optional => quote! {
                #module::merge(
                    wire_type,
                    #place.get_or_insert_with(::core::default::Default::default),
                    buf,
                    ctx,
                )
            },
            Label::Plain | Label::Required => {
                quote!(#module::merge(wire_type, #place, buf, ctx))
            }
        }
    }

    pub(super) fn encoded_len(&self, tag: u32, place: &TokenStream) -> TokenStream {
        let encoded_len = self.function("encoded_len");
        match self.label {
            Label::Plain => {
                let default = self.typed();
                quote! {
                    if #place != #default {
                        #encoded_len(#tag, &#place)
                    } else {
                        0
                    }
                }
            }
            Label::Optional => {
                quote!(#place.as_ref().map_or(0, |value| #encoded_len(#tag, value)))
            }
            Label::Required | Label::Repeated => quote!(#encoded_len(#tag, &#place)),
        }
    }

    pub(super) fn clear(&self, place: &TokenStream) -> TokenStream {
        match (self.label, &self.ty) {
            (Label::Optional, _) => quote!(#place = ::core::option::Option::None),
            (Label::Repeated, _) | (_, Ty::String | Ty::Bytes { .. }) => quote!(#place.clear()),
            (Label::Plain | Label::Required, _) => {
                let default = self.typed();
                quote!(#place = #default)
            }
        }
    }

    pub(super) fn default(&self) -> TokenStream {
        let default = &self.default;
        match (self.label, &self.ty) {
            (Label::Optional, _) => quote!(::core::option::Option::None),
            (Label::Repeated, _) => quote!(::prost::alloc::vec::Vec::new()),
            (_, Ty::String) if !self.has_default => {
                quote!(::prost::alloc::string::String::new())
            }
            (_, Ty::Bytes { .. }) if !self.has_default => {
                quote!(::core::default::Default::default())
            }
            (_, Ty::String) => quote!(#default.into()),
            (_, Ty::Bytes { .. }) => quote!(#default.as_ref().into()),
            _ => self.typed(),
        }
    }

    /// A type or function of this name that shows the field.
    pub(super) fn debug(&self, name: &TokenStream) -> TokenStream {
        let ty = self.ty.owned();
        let inner = debug_one(&self.ty, &quote!(Inner));
        match self.label {
            Label::Plain | Label::Required => debug_one(&self.ty, name),
            Label::Optional => quote! {
                struct #name<'a>(&'a ::core::option::Option<#ty>);
                impl<'a> ::core::fmt::Debug for #name<'a> {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                        #inner
                        ::core::fmt::Debug::fmt(&self.0.as_ref().map(Inner), f)
                    }
                }
            },
            Label::Repeated => quote! {
                struct #name<'a>(&'a ::prost::alloc::vec::Vec<#ty>);
                impl<'a> ::core::fmt::Debug for #name<'a> {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                        let mut vec_builder = f.debug_list();
                        for v in self.0 {
                            #inner
                            vec_builder.entry(&Inner(v));
                        }
                        vec_builder.finish()
                    }
                }
            },
        }
    }
}

/// A type or function of this name that shows one value.
pub(super) fn debug_one(ty: &Ty, name: &TokenStream) -> TokenStream {
    let Ty::Enumeration(ty) = ty else {
        return quote! {
            #[allow(non_snake_case)]
            fn #name<T>(v: T) -> T { v }
        };
    };
    quote! {
        struct #name<'a>(&'a i32);
        impl<'a> ::core::fmt::Debug for #name<'a> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                let res: ::core::result::Result<#ty, _> =
                    ::core::convert::TryFrom::try_from(*self.0);
                match res {
                    Err(_) => ::core::fmt::Debug::fmt(&self.0, f),
                    Ok(en) => ::core::fmt::Debug::fmt(&en, f),
                }
            }
        }
    }
}

/// The default of a type.
fn zero(ty: &Ty) -> TokenStream {
    match ty {
        Ty::Number { rust: "bool", .. } => quote!(false),
        Ty::Number {
            rust: "f32" | "f64",
            ..
        } => quote!(0.0),
        Ty::Number { .. } => quote!(0),
        Ty::String => quote!(""),
        Ty::Bytes { .. } => quote!(b"" as &[u8]),
        Ty::Enumeration(path) => quote!(#path::default()),
    }
}

/// The default that an attribute gives, mostly in a string.
fn given(ty: &Ty, value: &Lit) -> Result<TokenStream, Refusal> {
    match (ty, value) {
        (Ty::String, Lit::Str(text)) => Ok(quote!(#text)),
        (Ty::Bytes { .. }, Lit::ByteStr(bytes)) => Ok(quote!(#bytes)),
        (Ty::Bytes { .. }, Lit::Str(text)) => {
            let text = LitStr::new(text.value().trim(), text.span());
            let bytes: syn::LitByteStr = parse_literal(&text)?;
            Ok(quote!(#bytes))
        }
        (Ty::Enumeration(path), Lit::Str(text)) => {
            let text = LitStr::new(text.value().trim(), text.span());
            let variant: Ident = parse_literal(&text)?;
            let variant = format_ident!("{}", unraw(&variant));
            Ok(quote!(#path::#variant))
        }
        (Ty::Number { rust, .. }, Lit::Str(text)) => number(rust, text.value().trim()),
        (Ty::Number { .. }, other) => Ok(quote!(#other)),
        _ => Err(Refusal::new("a default of another type")),
    }
}

/// A number out of a string.
fn number(rust: &str, text: &str) -> Result<TokenStream, Refusal> {
    let refuse = || Refusal::new("a default that is no number");
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (quote!(-), digits),
        None => (TokenStream::new(), text),
    };
    let value = match rust {
        "bool" => match text {
            "true" => quote!(true),
            "false" => quote!(false),
            _ => return Err(refuse()),
        },
        "f32" | "f64" => {
            let ty = format_ident!("{rust}");
            match digits {
                "inf" if !minus.is_empty() => return Ok(quote!(::core::#ty::NEG_INFINITY)),
                "inf" => quote!(::core::#ty::INFINITY),
                "nan" => quote!(::core::#ty::NAN),
                digits => {
                    let value: f64 = digits.parse().map_err(|_| refuse())?;
                    if !value.is_finite() || value.is_sign_negative() {
                        return Err(refuse());
                    }
                    let value = Literal::f64_unsuffixed(value);
                    quote!(#value)
                }
            }
        }
        _ => {
            let value: u64 = digits.parse().map_err(|_| refuse())?;
            let value = Literal::u64_unsuffixed(value);
            quote!(#value)
        }
    };
    Ok(quote!(#minus #value))
}
