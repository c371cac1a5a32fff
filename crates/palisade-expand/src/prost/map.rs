//! Maps from a scalar to a scalar or a message.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{LitStr, Path};

use super::scalar::{Ty, debug_one};
use crate::support::{Refusal, parse_literal};

pub(super) struct Map {
    /// Whether it is a hash map instead of a tree.
    is_hash: bool,
    pub(super) key: Ty,
    /// The values, messages if there is none.
    pub(super) value: Option<Ty>,
}

/// The type of a key or a value, an enumeration too.
fn ty(text: &str) -> Result<Option<Ty>, Refusal> {
    if text == "message" {
        return Ok(None);
    }
    if let Some(rest) = text.strip_prefix("enumeration") {
        let path = rest
            .trim()
            .strip_prefix(['<', '('])
            .and_then(|rest| rest.strip_suffix(['>', ')']))
            .ok_or_else(|| Refusal::new("expected the path of an enumeration"))?;
        let path: Path = parse_literal(&LitStr::new(path.trim(), proc_macro2::Span::call_site()))?;
        return Ok(Some(Ty::Enumeration(path)));
    }
    Ty::named(text)
        .map(Some)
        .ok_or_else(|| Refusal::new("unknown type in a map"))
}

impl Map {
    pub(super) fn new(is_hash: bool, key: &str, value: &str) -> Result<Self, Refusal> {
        Ok(Self {
            is_hash,
            key: ty(key)?.ok_or_else(|| Refusal::new("a message as a key"))?,
            value: ty(value)?,
        })
    }

    fn module(&self) -> TokenStream {
        if self.is_hash {
            quote!(::prost::encoding::hash_map)
        } else {
            quote!(::prost::encoding::btree_map)
        }
    }

    /// The module of the values.
    fn values(&self) -> TokenStream {
        match &self.value {
            Some(ty) => ty.module(),
            None => quote!(::prost::encoding::message),
        }
    }

    /// The default that the functions for enumerations ask for.
    fn default(&self) -> Option<TokenStream> {
        match &self.value {
            Some(Ty::Enumeration(path)) => Some(quote!(#path::default() as i32)),
            _ => None,
        }
    }

    pub(super) fn encode(&self, tag: u32, place: &TokenStream) -> TokenStream {
        let (module, key, value) = (self.module(), self.key.module(), self.values());
        let functions =
            quote!(#key::encode, #key::encoded_len, #value::encode, #value::encoded_len);
        match self.default() {
            Some(default) => quote! {
                #module::encode_with_default(#functions, &(#default), #tag, &#place, buf);
            },
            None => quote!(#module::encode(#functions, #tag, &#place, buf);),
        }
    }

    pub(super) fn merge(&self, place: &TokenStream) -> TokenStream {
        let (module, key, value) = (self.module(), self.key.module(), self.values());
        match self.default() {
            Some(default) => quote! {
                #module::merge_with_default(
                    #key::merge, #value::merge, #default, &mut #place, buf, ctx,
                )
            },
            None => quote!(#module::merge(#key::merge, #value::merge, &mut #place, buf, ctx)),
        }
    }

    pub(super) fn encoded_len(&self, tag: u32, place: &TokenStream) -> TokenStream {
        let (module, key, value) = (self.module(), self.key.module(), self.values());
        let functions = quote!(#key::encoded_len, #value::encoded_len);
        match self.default() {
            Some(default) => quote! {
                #module::encoded_len_with_default(#functions, &(#default), #tag, &#place)
            },
            None => quote!(#module::encoded_len(#functions, #tag, &#place)),
        }
    }

    /// The type that shows the map.
    pub(super) fn debug(&self) -> TokenStream {
        let (library, ty) = if self.is_hash {
            (quote!(::std), format_ident!("HashMap"))
        } else {
            (quote!(::prost::alloc), format_ident!("BTreeMap"))
        };
        let key = self.key.owned();
        let show_key = debug_one(&self.key, &quote!(KeyWrapper));
        let show_value = match &self.value {
            Some(ty) => debug_one(ty, &quote!(ValueWrapper)),
            None => quote! {
                fn ValueWrapper<T>(v: T) -> T { v }
            },
        };
        let fmt = quote! {
            fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                #show_key
                #show_value
                let mut builder = f.debug_map();
                for (k, v) in self.0 {
                    builder.entry(&KeyWrapper(k), &ValueWrapper(v));
                }
                builder.finish()
            }
        };
        match &self.value {
            Some(Ty::Bytes { .. }) => quote! {
                struct MapWrapper<'a>(&'a dyn ::core::fmt::Debug);
                impl<'a> ::core::fmt::Debug for MapWrapper<'a> {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                        self.0.fmt(f)
                    }
                }
            },
            Some(value) => {
                let value = value.owned();
                quote! {
                    struct MapWrapper<'a>(&'a #library::collections::#ty<#key, #value>);
                    impl<'a> ::core::fmt::Debug for MapWrapper<'a> { #fmt }
                }
            }
            None => quote! {
                struct MapWrapper<'a, V: 'a>(&'a #library::collections::#ty<#key, V>);
                impl<'a, V> ::core::fmt::Debug for MapWrapper<'a, V>
                where
                    V: ::core::fmt::Debug + 'a,
                {
                    #fmt
                }
            },
        }
    }
}
