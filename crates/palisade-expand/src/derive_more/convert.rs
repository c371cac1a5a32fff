//! Conversions: `From`, `Into`, `TryInto`, `TryFrom`, `FromStr`, `Constructor`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::{Argument, Item, More, Shape, arguments, is_skipped, with_item};
use crate::Invocation;
use crate::support::{Expansion, Refusal, unraw};

pub(super) fn from(invocation: &Invocation<'_>) -> Expansion {
    const WORDS: [&str; 4] = ["forward", "skip", "ignore", "types"];
    with_item(invocation, |item| {
        let attributes = item
            .shapes
            .iter()
            .map(|shape| arguments(shape.attributes, "from", &WORDS));
        let attributes = attributes.collect::<Result<Vec<_>, Refusal>>()?;
        let is_skip = |list: &[Argument]| list.iter().any(|arg| arg.is_word(&["skip", "ignore"]));
        let explicit = attributes.iter().flatten().any(|list| !is_skip(list));
        let mut output = TokenStream::new();
        for (shape, attribute) in item.shapes.iter().zip(&attributes) {
            match attribute {
                Some(list) if is_skip(list) => {}
                Some(list) => output.extend(from_attribute(item, shape, list)?),
                None if item.is_enum && explicit => {}
                None if item.is_enum && !item.old && shape.fields.is_empty() => {}
                None => output.extend(from_fields(item, shape)?),
            }
        }
        Ok(output)
    })
}

/// From the fields as they are.
fn from_fields(item: &Item<'_>, shape: &Shape<'_>) -> Expansion {
    let types = shape.types();
    let values = values_of(&quote!(value), shape.fields.len(), |_, value| value);
    convert_from(
        item,
        shape,
        &quote!((#(#types),*)),
        &values,
        &More::default(),
    )
}

fn from_attribute(item: &Item<'_>, shape: &Shape<'_>, list: &[Argument]) -> Expansion {
    let core = &item.core;
    let types = shape.types();
    if list.iter().any(|argument| argument.is_word(&["forward"])) {
        let params: Vec<_> = (0..types.len())
            .map(|index| format_ident!("__FromT{index}"))
            .collect();
        let values = values_of(&quote!(value), types.len(), |index, value| {
            let (ty, param) = (types[index], &params[index]);
            quote!(<#ty as #core::convert::From<#param>>::from(#value))
        });
        let more = More {
            params: params.iter().map(|param| quote!(#param)).collect(),
            predicates: types
                .iter()
                .zip(&params)
                .map(|(ty, param)| quote!(#ty: #core::convert::From<#param>))
                .collect(),
            ..More::default()
        };
        return convert_from(item, shape, &quote!((#(#params),*)), &values, &more);
    }
    let mut sources: Vec<&Type> = Vec::new();
    for argument in list {
        match argument {
            Argument::Type(ty) => sources.push(ty),
            Argument::Word(_, types) => sources.extend(types),
        }
    }
    if sources.is_empty() {
        return from_fields(item, shape);
    }
    let mut output = if item.old {
        from_fields(item, shape)?
    } else {
        TokenStream::new()
    };
    for source in sources {
        let parts: Vec<&Type> = match source {
            Type::Tuple(tuple) if types.len() > 1 => tuple.elems.iter().collect(),
            source => vec![source],
        };
        if parts.len() != types.len() {
            return Err(Refusal::new(
                "a type in `from` has another number of fields",
            ));
        }
        let values = values_of(&quote!(value), types.len(), |index, value| {
            let (ty, part) = (types[index], parts[index]);
            quote!(<#ty as #core::convert::From<#part>>::from(#value))
        });
        output.extend(convert_from(
            item,
            shape,
            &quote!(#source),
            &values,
            &More::default(),
        )?);
    }
    Ok(output)
}

fn convert_from(
    item: &Item<'_>,
    shape: &Shape<'_>,
    source: &TokenStream,
    values: &[TokenStream],
    more: &More,
) -> Expansion {
    let core = &item.core;
    let path = shape.path(item.name());
    let fields = shape.with_values(values);
    item.implement(
        &quote!(#core::convert::From<#source>),
        more,
        &quote! {
            #[inline]
            fn from(value: #source) -> Self {
                #path #fields
            }
        },
    )
}

/// `value` itself for one field, else `value.0`, `value.1` and so on.
fn values_of(
    value: &TokenStream,
    count: usize,
    convert: impl Fn(usize, TokenStream) -> TokenStream,
) -> Vec<TokenStream> {
    let each = |index: usize| {
        let position = syn::Index::from(index);
        let value = if count == 1 {
            value.clone()
        } else {
            quote!(#value.#position)
        };
        convert(index, value)
    };
    (0..count).map(each).collect()
}

pub(super) fn into(invocation: &Invocation<'_>) -> Expansion {
    const WORDS: [&str; 6] = ["owned", "ref", "ref_mut", "skip", "ignore", "types"];
    with_item(invocation, |item| {
        let shape = item.structure()?;
        let members = shape.members();
        let mut kept = Vec::new();
        let mut output = TokenStream::new();
        let mut only_fields = false;
        for (field, member) in shape.fields.iter().zip(&members) {
            if is_skipped(&field.attrs, "into") {
                continue;
            }
            if let Some(list) = arguments(&field.attrs, "into", &WORDS)? {
                only_fields = true;
                output.extend(into_impls(item, &[(member, &field.ty)], &list)?);
            }
            kept.push((member, &field.ty));
        }
        let container = arguments(&item.input.attrs, "into", &WORDS)?;
        if container.is_some() || !only_fields {
            output.extend(into_impls(item, &kept, &container.unwrap_or_default())?);
        }
        Ok(output)
    })
}

fn into_impls(item: &Item<'_>, fields: &[(&syn::Member, &Type)], list: &[Argument]) -> Expansion {
    let own: Type = {
        let types = fields.iter().map(|(_, ty)| ty);
        syn::parse2(quote!((#(#types),*)))?
    };
    let mut targets: Vec<(&str, Type)> = Vec::new();
    let mut free_types = Vec::new();
    for argument in list {
        match argument {
            Argument::Type(ty) => free_types.push((**ty).clone()),
            Argument::Word(word, types) => {
                let kind = match word.to_string().as_str() {
                    "owned" => "owned",
                    "ref" => "ref",
                    "ref_mut" => "ref_mut",
                    _ => {
                        free_types.extend(types.iter().cloned());
                        continue;
                    }
                };
                if types.is_empty() {
                    targets.push((kind, own.clone()));
                }
                targets.extend(types.iter().map(|ty| (kind, ty.clone())));
            }
        }
    }
    if item.old && !free_types.is_empty() {
        free_types.insert(0, own.clone());
    }
    targets.extend(free_types.into_iter().map(|ty| ("owned", ty)));
    if targets.is_empty() {
        targets.push(("owned", own));
    }
    let mut output = TokenStream::new();
    for (kind, target) in &targets {
        output.extend(into_impl(item, fields, kind, target)?);
    }
    Ok(output)
}

fn into_impl(
    item: &Item<'_>,
    fields: &[(&syn::Member, &Type)],
    kind: &str,
    target: &Type,
) -> Expansion {
    let core = &item.core;
    let this = item.this();
    let (reference, access, short) = match kind {
        "ref" => (quote!(&'__derive_more_into), quote!(&), quote!(&)),
        "ref_mut" => (quote!(&'__derive_more_into mut), quote!(&mut), quote!(&mut)),
        _ => (quote!(), quote!(), quote!()),
    };
    let parts: Vec<&Type> = match target {
        Type::Tuple(tuple) if fields.len() != 1 => tuple.elems.iter().collect(),
        Type::Paren(paren) if fields.len() == 1 => vec![&paren.elem],
        target => vec![target],
    };
    if parts.len() != fields.len() {
        return Err(Refusal::new(
            "a type in `into` has another number of fields",
        ));
    }
    let values = fields.iter().zip(&parts).map(|((member, _), part)| {
        if item.old && kind == "owned" && fields.iter().any(|(_, ty)| ty == part) {
            quote!(value.#member)
        } else {
            quote!(<#short #part as #core::convert::From<_>>::from(#access value.#member))
        }
    });
    let more = More {
        params: if reference.is_empty() {
            vec![]
        } else {
            vec![quote!('__derive_more_into)]
        },
        this: Some(quote!((#(#reference #parts),*))),
        ..More::default()
    };
    item.implement(
        &quote!(#core::convert::From<#reference #this>),
        &more,
        &quote! {
            #[inline]
            fn from(value: #reference #this) -> Self {
                (#(#values),*)
            }
        },
    )
}

pub(super) fn try_into(invocation: &Invocation<'_>) -> Expansion {
    const WORDS: [&str; 3] = ["owned", "ref", "ref_mut"];
    with_item(invocation, |item| {
        let list = arguments(&item.input.attrs, "try_into", &WORDS)?.unwrap_or_default();
        let mut kinds: Vec<&str> = WORDS
            .into_iter()
            .filter(|word| list.iter().any(|argument| argument.is_word(&[word])))
            .collect();
        if kinds.is_empty() {
            kinds.push("owned");
        }
        // Variants with the same types share an impl.
        let mut groups: Vec<(String, Vec<&Shape<'_>>)> = Vec::new();
        for shape in &item.shapes {
            if is_skipped(shape.attributes, "try_into") {
                continue;
            }
            let types = shape.types();
            let key = quote!(#(#types),*).to_string();
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, shapes)) => shapes.push(shape),
                None => groups.push((key, vec![shape])),
            }
        }
        let mut output = TokenStream::new();
        for kind in kinds {
            for (_, shapes) in &groups {
                output.extend(try_into_impl(item, shapes, kind)?);
            }
        }
        Ok(output)
    })
}

fn try_into_impl(item: &Item<'_>, shapes: &[&Shape<'_>], kind: &str) -> Expansion {
    let (core, this, name) = (&item.core, item.this(), item.name());
    let reference = match kind {
        "ref" => quote!(&'__deriveMoreLifetime),
        "ref_mut" => quote!(&'__deriveMoreLifetime mut),
        _ => quote!(),
    };
    let Some(first) = shapes.first() else {
        return Ok(TokenStream::new());
    };
    let types = first.types();
    let arms = shapes.iter().map(|shape| {
        let (names, pattern) = shape.bound("__");
        let path = shape.path(name);
        quote!(#path #pattern => #core::result::Result::Ok((#(#names),*)),)
    });
    let variants: Vec<_> = shapes
        .iter()
        .filter_map(|shape| shape.variant)
        .map(ToString::to_string)
        .collect();
    let (variants, target) = (variants.join(", "), quote!((#(#types),*)).to_string());
    let (error, failure) = if item.old {
        let message = format!("Only {variants} can be converted to {target}");
        (quote!(&'static str), quote!(#message))
    } else {
        (
            quote!(derive_more::TryIntoError<#reference #this>),
            quote!(derive_more::TryIntoError::new(value, #variants, #target)),
        )
    };
    let more = More {
        params: if reference.is_empty() {
            vec![]
        } else {
            vec![quote!('__deriveMoreLifetime)]
        },
        this: Some(quote!((#(#reference #types),*))),
        ..More::default()
    };
    item.implement(
        &quote!(#core::convert::TryFrom<#reference #this>),
        &more,
        &quote! {
            type Error = #error;
            #[allow(unreachable_patterns)]
            #[inline]
            fn try_from(value: #reference #this) -> #core::result::Result<Self, #error> {
                match value {
                    #(#arms)*
                    _ => #core::result::Result::Err(#failure),
                }
            }
        },
    )
}

pub(super) fn try_from(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let syn::Data::Enum(data) = &item.input.data else {
            return Err(Refusal::new("TryFrom needs an enum"));
        };
        let core = &item.core;
        let repr = item
            .input
            .attrs
            .iter()
            .find(|attribute| attribute.path().is_ident("repr"));
        let repr: syn::Ident = match repr {
            Some(attribute) => attribute.parse_args()?,
            None => format_ident!("isize"),
        };
        let (mut constants, mut arms) = (TokenStream::new(), TokenStream::new());
        let (mut base, mut offset) = (quote!(0), 0_usize);
        for variant in &data.variants {
            if let Some((_, value)) = &variant.discriminant {
                (base, offset) = (value.to_token_stream(), 0);
            }
            if variant.fields.is_empty() {
                let constant = format_ident!("__DISCRIMINANT_{}", variant.ident);
                let (name, ident, pattern) = (
                    item.name(),
                    &variant.ident,
                    match &variant.fields {
                        syn::Fields::Unit => quote!(),
                        syn::Fields::Unnamed(_) => quote!(()),
                        syn::Fields::Named(_) => quote!({}),
                    },
                );
                let step = proc_macro2::Literal::usize_unsuffixed(offset);
                constants.extend(quote! {
                    #[allow(non_upper_case_globals)]
                    const #constant: #repr = #base + #step;
                });
                arms.extend(
                    quote!(#constant => #core::result::Result::Ok(#name::#ident #pattern),),
                );
            }
            offset += 1;
        }
        let error = quote!(derive_more::TryFromReprError<#repr>);
        item.implement(
            &quote!(#core::convert::TryFrom<#repr>),
            &More::default(),
            &quote! {
                type Error = #error;
                #[inline]
                fn try_from(val: #repr) -> #core::result::Result<Self, #error> {
                    #constants
                    match val {
                        #arms
                        _ => #core::result::Result::Err(derive_more::TryFromReprError::new(val)),
                    }
                }
            },
        )
    })
}

pub(super) fn from_str(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let core = &item.core;
        let of = quote!(#core::str::FromStr);
        if item.is_enum {
            return from_str_enum(item, &of);
        }
        let shape = item.structure()?;
        let [ty] = shape.types()[..] else {
            return Err(Refusal::new("FromStr needs one field"));
        };
        let fields = shape.with_values(&[quote!(v)]);
        let more = if item.is_generic(ty) {
            More::predicate(quote!(#ty: #of))
        } else {
            More::default()
        };
        item.implement(
            &of,
            &more,
            &quote! {
                type Err = <#ty as #of>::Err;
                #[inline]
                fn from_str(s: &str) -> #core::result::Result<Self, Self::Err> {
                    #of::from_str(s).map(|v| Self #fields)
                }
            },
        )
    })
}

fn from_str_enum(item: &Item<'_>, of: &TokenStream) -> Expansion {
    let core = &item.core;
    let variants: Vec<_> = item
        .shapes
        .iter()
        .filter_map(|shape| shape.variant)
        .collect();
    let lower = |ident: &syn::Ident| unraw(ident).to_lowercase();
    let arms = variants.iter().map(|ident| {
        let (text, exact) = (lower(ident), unraw(ident));
        let is_unique = variants.iter().filter(|other| lower(other) == text).count() == 1;
        if is_unique {
            quote!(#text => Self::#ident,)
        } else {
            quote!(#text if s == #exact => Self::#ident,)
        }
    });
    let name = item.name().to_string();
    let error = if item.old {
        quote!(::derive_more::FromStrError)
    } else {
        quote!(derive_more::FromStrError)
    };
    item.implement(
        of,
        &More::default(),
        &quote! {
            type Err = #error;
            #[inline]
            fn from_str(s: &str) -> #core::result::Result<Self, <Self as #of>::Err> {
                #core::result::Result::Ok(match s.to_lowercase().as_str() {
                    #(#arms)*
                    _ => return #core::result::Result::Err(#error::new(#name)),
                })
            }
        },
    )
}

pub(super) fn constructor(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let shape = item.structure()?;
        let names: Vec<_> = shape
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                field
                    .ident
                    .clone()
                    .unwrap_or_else(|| format_ident!("__{index}"))
            })
            .collect();
        let values: Vec<_> = names.iter().map(|name| quote!(#name)).collect();
        let (fields, types) = (shape.with_values(&values), shape.types());
        let (name, this) = (item.name(), item.this());
        let constness = (!item.old).then(|| quote!(const));
        item.implement(
            &TokenStream::new(),
            &More::default(),
            &quote! {
                #[inline]
                pub #constness fn new(#(#names: #types),*) -> #this {
                    #name #fields
                }
            },
        )
    })
}
