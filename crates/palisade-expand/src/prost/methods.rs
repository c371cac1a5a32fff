//! The accessors of a message.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::field::{Field, Kind, Label};
use super::map::Map;
use super::scalar::{Scalar, Ty};

/// The accessors of one field, `member` being its name or its index.
pub(super) fn of(field: &Field, member: &TokenStream) -> Option<TokenStream> {
    match &field.kind {
        Kind::Scalar(scalar) => of_scalar(scalar, member),
        Kind::Map(map) => of_map(map, member),
        Kind::Message { .. } | Kind::Oneof(_) => None,
    }
}

fn name(member: &TokenStream) -> String {
    let name = member.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// `name` for a field with a name, else `get_0`.
fn getter(member: &TokenStream) -> TokenStream {
    match syn::parse2::<Ident>(member.clone()) {
        Ok(_) => member.clone(),
        Err(_) => {
            let get = format_ident!("get_{}", name(member));
            quote!(#get)
        }
    }
}

fn of_scalar(scalar: &Scalar, member: &TokenStream) -> Option<TokenStream> {
    let (get, default) = (getter(member), &scalar.default);
    let Ty::Enumeration(ty) = &scalar.ty else {
        if scalar.label != Label::Optional {
            return None;
        }
        let ty = scalar.ty.borrowed();
        let some = if scalar.ty.is_numeric() {
            quote!(::core::option::Option::Some(val) => val,)
        } else {
            quote!(::core::option::Option::Some(ref val) => &val[..],)
        };
        return Some(quote! {
            pub fn #get(&self) -> #ty {
                match self.#member {
                    #some
                    ::core::option::Option::None => #default,
                }
            }
        });
    };
    let set = format_ident!("set_{}", name(member));
    Some(match scalar.label {
        Label::Plain | Label::Required => quote! {
            pub fn #get(&self) -> #ty {
                ::core::convert::TryFrom::try_from(self.#member).unwrap_or(#default)
            }
            pub fn #set(&mut self, value: #ty) {
                self.#member = value as i32;
            }
        },
        Label::Optional => quote! {
            pub fn #get(&self) -> #ty {
                self.#member.and_then(|x| {
                    let result: ::core::result::Result<#ty, _> =
                        ::core::convert::TryFrom::try_from(x);
                    result.ok()
                }).unwrap_or(#default)
            }
            pub fn #set(&mut self, value: #ty) {
                self.#member = ::core::option::Option::Some(value as i32);
            }
        },
        Label::Repeated => {
            let push = format_ident!("push_{}", name(member));
            quote! {
                pub fn #get(&self) -> ::core::iter::FilterMap<
                    ::core::iter::Cloned<::core::slice::Iter<i32>>,
                    fn(i32) -> ::core::option::Option<#ty>,
                > {
                    self.#member.iter().cloned().filter_map(|x| {
                        let result: ::core::result::Result<#ty, _> =
                            ::core::convert::TryFrom::try_from(x);
                        result.ok()
                    })
                }
                pub fn #push(&mut self, value: #ty) {
                    self.#member.push(value as i32);
                }
            }
        }
    })
}

fn of_map(map: &Map, member: &TokenStream) -> Option<TokenStream> {
    let Some(Ty::Enumeration(ty)) = &map.value else {
        return None;
    };
    let (get, insert) = (
        format_ident!("get_{}", name(member)),
        format_ident!("insert_{}", name(member)),
    );
    let (key, key_ref) = (map.key.owned(), map.key.borrowed());
    let by_ref = map.key.is_numeric().then(|| quote!(&));
    let convert = quote! {
        |x| {
            let result: ::core::result::Result<#ty, _> = ::core::convert::TryFrom::try_from(x);
            result.ok()
        }
    };
    Some(quote! {
        pub fn #get(&self, key: #key_ref) -> ::core::option::Option<#ty> {
            self.#member.get(#by_ref key).cloned().and_then(#convert)
        }
        pub fn #insert(&mut self, key: #key, value: #ty) -> ::core::option::Option<#ty> {
            self.#member.insert(key, value as i32).and_then(#convert)
        }
    })
}
