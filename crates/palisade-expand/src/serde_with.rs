//! `serde_with_macros`: attributes that write serde's own attributes, and two
//! derives that go through `Display` and `FromStr`.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Data, DeriveInput, Field, Meta, Path, Token, Type, parse_quote};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

const PACKAGE: &str = "serde_with_macros";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "skip_serializing_none", skip_serializing_none),
    Macro::attribute(PACKAGE, "serde_as", serde_as),
    Macro::derive(PACKAGE, "SerializeDisplay", |it| {
        serialize_display(it, false)
    }),
    Macro::derive(PACKAGE, "SerializeDisplayAlt", |it| {
        serialize_display(it, true)
    }),
    Macro::derive(PACKAGE, "DeserializeFromStr", deserialize_from_str),
    Macro::derive(PACKAGE, "__private_consume_serde_as_attributes", |_| {
        Ok(TokenStream::new())
    }),
];

/// Every field of a struct, or of all variants.
fn fields(data: &mut Data) -> Result<Vec<&mut Field>, Refusal> {
    match data {
        Data::Struct(data) => Ok(data.fields.iter_mut().collect()),
        Data::Enum(data) => Ok(data
            .variants
            .iter_mut()
            .flat_map(|variant| variant.fields.iter_mut())
            .collect()),
        Data::Union(_) => Err(Refusal::new("expected a struct or an enum")),
    }
}

fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        Type::Path(path) => {
            if let Some(qself) = &path.qself {
                return is_option(&qself.ty);
            }
            let names: Vec<_> = path
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            match names[..] {
                ["Option"] => path.path.leading_colon.is_none(),
                ["std" | "core", "option", "Option"] => true,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether `#[serde(key)]` or `#[serde(key = ..)]` stands there.
fn has_serde(attributes: &[Attribute], key: &str) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| {
            let list = Punctuated::<Meta, Token![,]>::parse_terminated;
            attribute.parse_args_with(list).ok()
        })
        .flatten()
        .any(|meta| meta.path().is_ident(key))
}

fn skip_serializing_none(invocation: &Invocation<'_>) -> Expansion {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    for field in fields(&mut input.data)? {
        let count = field.attrs.len();
        field
            .attrs
            .retain(|attribute| !attribute.path().is_ident("serialize_always"));
        let always = field.attrs.len() < count;
        if is_option(&field.ty) && !always && !has_serde(&field.attrs, "skip_serializing_if") {
            field
                .attrs
                .push(parse_quote!(#[serde(skip_serializing_if = "Option::is_none")]));
        }
    }
    Ok(input.into_token_stream())
}

fn serde_as(invocation: &Invocation<'_>) -> Expansion {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let args: Attribute = {
        let args = &invocation.args;
        parse_quote!(#[serde_as(#args)])
    };
    let path = match Options::of(&[args], "serde_as")?.parse::<Path>("crate")? {
        Some(path) => path,
        None => parse_quote!(::serde_with),
    };
    for field in fields(&mut input.data)? {
        add_serde(field, &path)?;
    }
    // The rest of the attributes would be unknown to the compiler.
    input
        .attrs
        .push(parse_quote!(#[derive(#path::__private_consume_serde_as_attributes)]));
    Ok(input.into_token_stream())
}

/// Adds what `#[serde_as(as = "..")]` means to serde.
fn add_serde(field: &mut Field, path: &Path) -> Result<(), Refusal> {
    for attribute in &mut field.attrs {
        // A keyword is no name of an option.
        if let Meta::List(list) = &mut attribute.meta
            && list.path.is_ident("serde_as")
        {
            let tokens = std::mem::take(&mut list.tokens);
            list.tokens = tokens
                .into_iter()
                .map(|token| match token {
                    TokenTree::Ident(ident) if ident == "as" => {
                        proc_macro2::Ident::new_raw("as", ident.span()).into()
                    }
                    other => other,
                })
                .collect();
        }
    }
    let options = Options::of(&field.attrs, "serde_as")?;
    let mut added: Vec<Attribute> = Vec::new();
    for (key, serde_key, function) in [
        ("r#as", quote!(with), None),
        (
            "deserialize_as",
            quote!(deserialize_with),
            Some(quote!(::deserialize)),
        ),
        (
            "serialize_as",
            quote!(serialize_with),
            Some(quote!(::serialize)),
        ),
    ] {
        let Some(mut ty) = options.parse::<Type>(key)? else {
            continue;
        };
        if key != "serialize_as" {
            if borrows(&ty) && !has_serde(&field.attrs, "borrow") {
                added.push(parse_quote!(#[serde(borrow)]));
            }
            let is_default = is_option(&ty) && is_option(&field.ty);
            if is_default && !options.has("no_default") && !has_serde(&field.attrs, "default") {
                added.push(parse_quote!(#[serde(default)]));
            }
        }
        Same(path).visit_type_mut(&mut ty);
        let with = quote!(#path::As::<#ty> #function).to_string();
        added.push(parse_quote!(#[serde(#serde_key = #with)]));
    }
    field.attrs.extend(added);
    Ok(())
}

/// Whether a type mentions `BorrowCow`.
fn borrows(ty: &Type) -> bool {
    struct Search(bool);

    impl Visit<'_> for Search {
        fn visit_type_path(&mut self, path: &syn::TypePath) {
            self.0 |= path.path.is_ident("BorrowCow");
            visit::visit_type_path(self, path);
        }
    }

    let mut search = Search(false);
    search.visit_type(ty);
    search.0
}

/// Replaces every `_` by `Same`.
struct Same<'a>(&'a Path);

impl VisitMut for Same<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::Infer(_)) {
            let path = self.0;
            *ty = parse_quote!(#path::Same);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

/// The item, and the path that `#[serde_with(crate = "..")]` gives.
fn read(invocation: &Invocation<'_>) -> Result<(DeriveInput, TokenStream), Refusal> {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let own = Options::of(&input.attrs, "serde_with")?.parse::<Path>("crate")?;
    let path = match own {
        Some(path) => path.into_token_stream(),
        None => quote!(::serde_with),
    };
    Ok((input, quote!(#path::__private__)))
}

fn serialize_display(invocation: &Invocation<'_>, is_alternate: bool) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let clause = input.generics.make_where_clause();
    clause.predicates.push(parse_quote!(Self: #path::Display));
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let value = if is_alternate {
        quote!(&format_args!("{self:#}"))
    } else {
        quote!(&self)
    };
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #path::Serialize for #name #ty_generics #where_clause {
            fn serialize<__S>(&self, serializer: __S) -> #path::Result<__S::Ok, __S::Error>
            where
                __S: #path::Serializer,
            {
                serializer.collect_str(#value)
            }
        }
    })
}

fn deserialize_from_str(invocation: &Invocation<'_>) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let clause = input.generics.make_where_clause();
    clause.predicates.push(parse_quote!(Self: #path::FromStr));
    clause
        .predicates
        .push(parse_quote!(<Self as #path::FromStr>::Err: #path::Display));
    let mut with_lifetime = input.generics.clone();
    with_lifetime.params.insert(0, parse_quote!('de));
    let name = &input.ident;
    let (impl_generics, _, _) = with_lifetime.split_for_impl();
    let (_, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #path::Deserialize<'de> for #name #ty_generics #where_clause {
            fn deserialize<__D>(deserializer: __D) -> #path::Result<Self, __D::Error>
            where
                __D: #path::Deserializer<'de>,
            {
                struct Helper<__S>(#path::PhantomData<__S>);

                impl<'de, __S> #path::Visitor<'de> for Helper<__S>
                where
                    __S: #path::FromStr,
                    <__S as #path::FromStr>::Err: #path::Display,
                {
                    type Value = __S;

                    fn expecting(
                        &self,
                        formatter: &mut #path::fmt::Formatter<'_>,
                    ) -> #path::fmt::Result {
                        #path::Display::fmt("a string", formatter)
                    }

                    fn visit_str<__E>(self, value: &str) -> #path::Result<Self::Value, __E>
                    where
                        __E: #path::DeError,
                    {
                        value.parse::<Self::Value>().map_err(#path::DeError::custom)
                    }

                    fn visit_bytes<__E>(self, value: &[u8]) -> #path::Result<Self::Value, __E>
                    where
                        __E: #path::DeError,
                    {
                        let utf8 =
                            #path::str::from_utf8(value).map_err(#path::DeError::custom)?;
                        self.visit_str(utf8)
                    }
                }

                deserializer.deserialize_str(Helper(#path::PhantomData))
            }
        }
    })
}
