//! `bytemuck_derive`: which types may be seen as bytes, and the checks of it.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, ExprUnary, Fields, Lit, LitStr, Meta, Path, Type,
    UnOp, Variant, WherePredicate, parse_quote,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

const PACKAGE: &str = "bytemuck_derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "Pod", pod),
    Macro::derive(PACKAGE, "AnyBitPattern", any_bit_pattern),
    Macro::derive(PACKAGE, "Zeroable", zeroable),
    Macro::derive(PACKAGE, "NoUninit", no_uninit),
    Macro::derive(PACKAGE, "CheckedBitPattern", checked_bit_pattern),
    Macro::derive(PACKAGE, "TransparentWrapper", transparent_wrapper),
    Macro::derive(PACKAGE, "Contiguous", contiguous),
    Macro::derive(PACKAGE, "ByteEq", byte_eq),
    Macro::derive(PACKAGE, "ByteHash", byte_hash),
];

/// The item, and the path that `#[bytemuck(crate = "..")]` gives.
fn read(invocation: &Invocation<'_>) -> Result<(DeriveInput, TokenStream), Refusal> {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let mut path = quote!(::bytemuck);
    for attribute in input
        .attrs
        .iter()
        .filter(|it| it.path().is_ident("bytemuck"))
    {
        attribute.parse_nested_meta(|meta| {
            let value: LitStr = meta.value()?.parse()?;
            if meta.path.is_ident("crate") {
                path = parse_literal::<Path>(&value)?.into_token_stream();
            }
            Ok(())
        })?;
    }
    Ok((input, path))
}

/// The words inside of every `#[repr(..)]`.
fn repr(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("repr"))
        .filter_map(|attribute| attribute.meta.require_list().ok())
        .flat_map(|list| list.tokens.clone())
        .map(|token| token.to_string())
        .filter(|token| token != ",")
        .collect()
}

/// The integer type of an enum with `#[repr(u8)]` and the like.
fn integer(attributes: &[Attribute]) -> Option<Ident> {
    repr(attributes)
        .into_iter()
        .find(|word| {
            word.trim_start_matches(['u', 'i'])
                .parse::<u8>()
                .is_ok_and(|bits| word.len() > 1 && bits >= 8)
                || word == "usize"
                || word == "isize"
        })
        .map(|word| format_ident!("{word}"))
}

/// The fields that are checked: those of a struct, or of one variant.
fn types(fields: &Fields) -> impl Iterator<Item = &Type> {
    fields.iter().map(|field| &field.ty)
}

/// A function for each field that compiles only if its type has the trait.
fn assert_fields(input: &DeriveInput, fields: &Fields, of: &TokenStream) -> TokenStream {
    let (impl_generics, _, where_clause) = input.generics.split_for_impl();
    let types = types(fields);
    quote! {#(
        const _: fn() = || {
            #[allow(clippy::missing_const_for_fn)]
            #[doc(hidden)]
            fn check #impl_generics () #where_clause {
                fn assert_impl<T: #of>() {}
                assert_impl::<#types>();
            }
        };
    )*}
}

/// A constant that compiles only if the fields fill the whole type.
fn assert_no_padding(
    input: &DeriveInput,
    first: Option<&Ident>,
    fields: &Fields,
    of: &str,
) -> TokenStream {
    let words = repr(&input.attrs);
    if words
        .iter()
        .any(|word| word == "transparent" || word == "packed")
    {
        return TokenStream::new();
    }
    let name = &input.ident;
    let sizes = first
        .map(ToTokens::to_token_stream)
        .into_iter()
        .chain(types(fields).map(ToTokens::to_token_stream))
        .map(|ty| quote!(+ ::core::mem::size_of::<#ty>()));
    let message = format!("derive({of}) was applied to a type with padding");
    quote! {
        const _: () = {
            assert!(::core::mem::size_of::<#name>() == (0 #(#sizes)*), #message);
        };
    }
}

/// Demands the trait of every type parameter.
fn bound(input: &mut DeriveInput, of: &TokenStream) {
    let params = input.generics.type_params().map(|it| it.ident.clone());
    for param in params.collect::<Vec<_>>() {
        let clause = input.generics.make_where_clause();
        clause.predicates.push(parse_quote!(#param: #of));
    }
}

/// The `unsafe impl` with these members.
fn implement(input: &DeriveInput, of: &TokenStream, members: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote!(unsafe impl #impl_generics #of for #name #ty_generics #where_clause { #members })
}

fn fields(input: &DeriveInput) -> Result<&Fields, Refusal> {
    match &input.data {
        Data::Struct(data) => Ok(&data.fields),
        Data::Enum(_) | Data::Union(_) => Err(Refusal::new("expected a struct")),
    }
}

fn pod(invocation: &Invocation<'_>) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let of = quote!(#path::Pod);
    bound(&mut input, &of);
    let fields = fields(&input)?;
    let mut output = assert_no_padding(&input, None, fields, "Pod");
    output.extend(assert_fields(&input, fields, &of));
    output.extend(implement(&input, &of, &TokenStream::new()));
    Ok(output)
}

fn any_bit_pattern(invocation: &Invocation<'_>) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let of = quote!(#path::AnyBitPattern);
    bound(&mut input, &of);
    let mut output = match &input.data {
        Data::Struct(data) => assert_fields(&input, &data.fields, &of),
        Data::Union(_) => TokenStream::new(),
        Data::Enum(_) => return Err(Refusal::new("an enum has invalid bit patterns")),
    };
    output.extend(implement(&input, &of, &TokenStream::new()));
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    output.extend(quote! {
        unsafe impl #impl_generics #path::Zeroable for #name #ty_generics #where_clause {}
    });
    Ok(output)
}

fn zeroable(invocation: &Invocation<'_>) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let of = quote!(#path::Zeroable);
    let fields = match &input.data {
        Data::Struct(data) => data.fields.clone(),
        Data::Enum(data) => {
            let zero = discriminants(data.variants.iter())?
                .into_iter()
                .find(|(value, _)| *value == 0);
            let (_, variant) = zero.ok_or_else(|| Refusal::new("no variant is 0"))?;
            variant.fields.clone()
        }
        Data::Union(_) => Fields::Unit,
    };
    match explicit_bounds(&input.attrs)? {
        Some(own) => {
            let clause = input.generics.make_where_clause();
            clause.predicates.extend(own);
            for ty in types(&fields) {
                clause.predicates.push(parse_quote!(#ty: #of));
            }
        }
        None => bound(&mut input, &of),
    }
    let mut output = assert_fields(&input, &fields, &of);
    output.extend(implement(&input, &of, &TokenStream::new()));
    Ok(output)
}

/// The predicates of `#[zeroable(bound = "T: Zeroable")]`.
fn explicit_bounds(attributes: &[Attribute]) -> Result<Option<Vec<WherePredicate>>, Refusal> {
    let mut bounds = None;
    for attribute in attributes
        .iter()
        .filter(|it| it.path().is_ident("zeroable"))
    {
        attribute.parse_nested_meta(|meta| {
            let value: LitStr = meta.value()?.parse()?;
            let bounds: &mut Vec<_> = bounds.get_or_insert_default();
            let clause: syn::WhereClause = parse_literal(&LitStr::new(
                &format!("where {}", value.value()),
                value.span(),
            ))?;
            bounds.extend(clause.predicates);
            Ok(())
        })?;
    }
    Ok(bounds)
}

fn no_uninit(invocation: &Invocation<'_>) -> Expansion {
    let (mut input, path) = read(invocation)?;
    let of = quote!(#path::NoUninit);
    bound(&mut input, &of);
    let mut output = match &input.data {
        Data::Struct(data) => {
            let mut checks = assert_no_padding(&input, None, &data.fields, "NoUninit");
            checks.extend(assert_fields(&input, &data.fields, &of));
            checks
        }
        Data::Enum(data) if has_fields(data.variants.iter()) => {
            let tag = format_ident!("{}Discriminant", input.ident);
            let mut checks = TokenStream::new();
            for variant in &data.variants {
                let fields = &variant.fields;
                checks.extend(assert_no_padding(&input, Some(&tag), fields, "NoUninit"));
                checks.extend(assert_fields(&input, fields, &of));
            }
            let repr = match integer(&input.attrs) {
                Some(integer) => quote!(#integer),
                None => quote!(C),
            };
            let variants = data.variants.iter().map(|variant| {
                let mut unit = variant.clone();
                unit.fields = Fields::Unit;
                unit
            });
            quote! {
                const _: () = {
                    #[repr(#repr)]
                    #[allow(dead_code)]
                    enum #tag { #(#variants,)* }
                    #checks
                };
            }
        }
        Data::Enum(_) => TokenStream::new(),
        Data::Union(_) => return Err(Refusal::new("expected a struct or an enum")),
    };
    output.extend(implement(&input, &of, &TokenStream::new()));
    Ok(output)
}

fn checked_bit_pattern(invocation: &Invocation<'_>) -> Expansion {
    let (input, path) = read(invocation)?;
    match &input.data {
        Data::Struct(data) => Ok(checked_struct(&input, &data.fields, &path)),
        Data::Enum(data) if !has_fields(data.variants.iter()) => checked_enum(&input, &path),
        Data::Enum(_) | Data::Union(_) => Err(Refusal::new(
            "CheckedBitPattern is only covered for structs and enums without fields",
        )),
    }
}

fn checked_struct(input: &DeriveInput, fields: &Fields, path: &TokenStream) -> TokenStream {
    let of = quote!(#path::CheckedBitPattern);
    let bits = format_ident!("{}Bits", input.ident);
    let names: Vec<_> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| match &field.ident {
            Some(ident) => ident.clone(),
            None => format_ident!("field{index}"),
        })
        .collect();
    let types: Vec<_> = types(fields).collect();
    let repr = input.attrs.iter().filter(|it| it.path().is_ident("repr"));
    let mut output = assert_fields(input, fields, &of);
    output.extend(quote! {
        #(#repr)*
        #[derive(Clone, Copy, #path::AnyBitPattern)]
        #[allow(missing_docs)]
        pub struct #bits {
            #(#names: <#types as #of>::Bits,)*
        }
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(target_arch = "spirv"))]
            impl ::core::fmt::Debug for #bits {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    let mut debug_struct =
                        ::core::fmt::Formatter::debug_struct(f, ::core::stringify!(#bits));
                    #(::core::fmt::DebugStruct::field(
                        &mut debug_struct, ::core::stringify!(#names), &{ self.#names }
                    );)*
                    ::core::fmt::DebugStruct::finish(&mut debug_struct)
                }
            }
        };
    });
    let members = quote! {
        type Bits = #bits;
        #[inline]
        #[allow(clippy::double_comparisons, unused)]
        fn is_valid_bit_pattern(bits: &#bits) -> bool {
            #(<#types as #of>::is_valid_bit_pattern(&{ bits.#names }) &&)* true
        }
    };
    output.extend(implement(input, &of, &members));
    output
}

fn checked_enum(input: &DeriveInput, path: &TokenStream) -> Expansion {
    let of = quote!(#path::CheckedBitPattern);
    let name = &input.ident;
    let bits = match integer(&input.attrs) {
        Some(integer) => quote!(#integer),
        None => quote! {
            <[::core::primitive::u8; ::core::mem::size_of::<#name>()]
                as #path::derive::EnumTagIntegerBytes>::Integer
        },
    };
    let (low, high, count) = range(input)?;
    let check = if count == 0 {
        quote!(false)
    } else if high - low == count - 1 {
        let (low, high) = (literal(low), literal(high));
        quote!(*bits >= #low && *bits <= #high)
    } else {
        let Data::Enum(data) = &input.data else {
            return Err(Refusal::new("expected an enum"));
        };
        let values = discriminants(data.variants.iter())?;
        let values = values.iter().map(|(value, _)| literal(*value));
        quote!(matches!(*bits, #(#values)|*))
    };
    let members = quote! {
        type Bits = #bits;
        #[inline]
        #[allow(clippy::double_comparisons)]
        fn is_valid_bit_pattern(bits: &Self::Bits) -> bool {
            #check
        }
    };
    Ok(implement(input, &of, &members))
}

fn transparent_wrapper(invocation: &Invocation<'_>) -> Expansion {
    let (input, path) = read(invocation)?;
    let fields = fields(&input)?;
    let explicit = input.attrs.iter().find_map(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return None;
        };
        list.path
            .is_ident("transparent")
            .then(|| syn::parse2::<Type>(list.tokens.clone()).ok())?
    });
    let wrapped = match (explicit, fields.len()) {
        (Some(ty), _) => ty,
        (None, 1) => types(fields)
            .next()
            .cloned()
            .ok_or_else(|| Refusal::new("no field"))?,
        (None, _) => return Err(Refusal::new("expected #[transparent(Type)]")),
    };
    let text = wrapped.to_token_stream().to_string();
    let others = types(fields).filter(|ty| ty.to_token_stream().to_string() != text);
    let others: Vec<_> = others.collect();
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        const _: () = {
            #[repr(transparent)]
            #[allow(clippy::multiple_bound_locations)]
            struct AssertWrappedIsWrapped #impl_generics(
                (u8, ::core::marker::PhantomData<#wrapped>), #(#others),*
            ) #where_clause;
            fn assert_zeroable<Z: #path::Zeroable>() {}
            #[allow(clippy::multiple_bound_locations)]
            fn check #impl_generics () #where_clause {
                #(assert_zeroable::<#others>();)*
            }
        };
        unsafe impl #impl_generics #path::TransparentWrapper<#wrapped>
            for #name #ty_generics #where_clause {}
    })
}

fn contiguous(invocation: &Invocation<'_>) -> Expansion {
    let (input, path) = read(invocation)?;
    let integer =
        integer(&input.attrs).ok_or_else(|| Refusal::new("expected an integer as the repr"))?;
    let (low, high, _) = range(&input)?;
    let (low, high) = (literal(low), literal(high));
    let members = quote! {
        type Int = #integer;
        #[allow(clippy::missing_docs_in_private_items)]
        const MIN_VALUE: #integer = #low;
        #[allow(clippy::missing_docs_in_private_items)]
        const MAX_VALUE: #integer = #high;
        #[inline]
        fn from_integer(value: Self::Int) -> Option<Self> {
            #[allow(clippy::manual_range_contains)]
            if Self::MIN_VALUE <= value && value <= Self::MAX_VALUE {
                Some(unsafe { ::core::mem::transmute(value) })
            } else {
                None
            }
        }
        #[inline]
        fn into_integer(self) -> Self::Int {
            self as #integer
        }
    };
    Ok(implement(&input, &quote!(#path::Contiguous), &members))
}

fn byte_eq(invocation: &Invocation<'_>) -> Expansion {
    let (input, path) = read(invocation)?;
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics ::core::cmp::PartialEq for #name #ty_generics #where_clause {
            #[inline]
            #[must_use]
            fn eq(&self, other: &Self) -> bool {
                #path::bytes_of(self) == #path::bytes_of(other)
            }
        }
        impl #impl_generics ::core::cmp::Eq for #name #ty_generics #where_clause {}
    })
}

fn byte_hash(invocation: &Invocation<'_>) -> Expansion {
    let (input, path) = read(invocation)?;
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics ::core::hash::Hash for #name #ty_generics #where_clause {
            #[inline]
            fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) {
                ::core::hash::Hash::hash_slice(#path::bytes_of(self), state)
            }
            #[inline]
            fn hash_slice<H: ::core::hash::Hasher>(data: &[Self], state: &mut H) {
                ::core::hash::Hash::hash_slice(#path::cast_slice::<_, u8>(data), state)
            }
        }
    })
}

fn has_fields<'a>(mut variants: impl Iterator<Item = &'a Variant>) -> bool {
    variants.any(|variant| !matches!(variant.fields, Fields::Unit))
}

/// Each variant with its number.
fn discriminants<'a>(
    variants: impl Iterator<Item = &'a Variant>,
) -> Result<Vec<(i128, &'a Variant)>, Refusal> {
    let mut last: i128 = -1;
    variants
        .map(|variant| {
            last = match &variant.discriminant {
                Some((_, value)) => number(value)?,
                None => last.wrapping_add(1),
            };
            Ok((last, variant))
        })
        .collect()
}

fn number(value: &Expr) -> Result<i128, Refusal> {
    match value {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => Ok(number(expr)?.wrapping_neg()),
        Expr::Lit(ExprLit {
            lit: Lit::Int(value),
            ..
        }) => Ok(value.base10_parse()?),
        Expr::Lit(ExprLit {
            lit: Lit::Byte(value),
            ..
        }) => Ok(value.value().into()),
        _ => Err(Refusal::new("expected an integer")),
    }
}

/// The smallest and the largest number of an enum, and how many there are.
fn range(input: &DeriveInput) -> Result<(i128, i128, i128), Refusal> {
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("expected an enum"));
    };
    let values = discriminants(data.variants.iter())?;
    let (mut low, mut high, mut count) = (0, 0, 0);
    for (value, _) in values {
        low = if count == 0 { value } else { low.min(value) };
        high = if count == 0 { value } else { high.max(value) };
        count += 1;
    }
    if high.checked_sub(low).is_none() {
        return Err(Refusal::new("the numbers are too far apart"));
    }
    Ok((low, high, count))
}

/// A number as tokens; a negative one has a sign in front.
fn literal(value: i128) -> TokenStream {
    let number = Literal::u128_unsuffixed(value.unsigned_abs());
    if value < 0 {
        quote!(-#number)
    } else {
        quote!(#number)
    }
}
