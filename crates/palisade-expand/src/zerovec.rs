//! `zerovec-derive`: types that are read from bytes in place.
//!
//! `make_varule` is not among them: an attribute that nobody knows leaves its
//! item as written.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Field, Fields, Lit, Token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

const PACKAGE: &str = "zerovec-derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "ULE", ule),
    Macro::derive(PACKAGE, "VarULE", var_ule),
    Macro::attribute(PACKAGE, "make_ule", make_ule),
];

/// Names that changed in a release.
struct Names {
    validate: Ident,
    from_unchecked: Ident,
    slice_as_bytes: Ident,
    error: TokenStream,
    /// Whether a pointer's parts are a struct of their own.
    has_fat_pointer: bool,
    /// Whether the smallest discriminant need not be 0.
    checks_each_discriminant: bool,
}

impl Names {
    fn of(version: Option<&str>) -> Self {
        if at_least(version, (0, 11, 0)) {
            return Self {
                validate: format_ident!("validate_bytes"),
                from_unchecked: format_ident!("from_bytes_unchecked"),
                slice_as_bytes: format_ident!("slice_as_bytes"),
                error: quote!(zerovec::ule::UleError),
                has_fat_pointer: at_least(version, (0, 11, 7)),
                checks_each_discriminant: at_least(version, (0, 11, 4)),
            };
        }
        Self {
            validate: format_ident!("validate_byte_slice"),
            from_unchecked: format_ident!("from_byte_slice_unchecked"),
            slice_as_bytes: format_ident!("as_byte_slice"),
            error: quote!(zerovec::ZeroVecError),
            has_fat_pointer: false,
            checks_each_discriminant: false,
        }
    }
}

/// The fields of a struct that has some, and no parameters.
fn fields(input: &DeriveInput) -> Result<Vec<&Field>, Refusal> {
    match &input.data {
        Data::Struct(data) if !data.fields.is_empty() && input.generics.params.is_empty() => {
            Ok(data.fields.iter().collect())
        }
        _ => Err(Refusal::new(
            "expected a struct with fields and without parameters",
        )),
    }
}

/// Statements that check the bytes of each field, and the offset after the last.
fn validators(fields: &[&Field], names: &Names) -> (TokenStream, Ident) {
    let (validate, error) = (&names.validate, &names.error);
    let mut offset = format_ident!("ZERO");
    let mut code = quote!(
        const ZERO: usize = 0;
    );
    for (index, field) in fields.iter().enumerate() {
        let ty = &field.ty;
        let (size, next) = (
            format_ident!("SIZE_{index}"),
            format_ident!("OFFSET_{index}"),
        );
        code.extend(quote! {
            const #size: usize = ::core::mem::size_of::<#ty>();
            const #next: usize = #offset + #size;
            if let Some(bytes) = bytes_one.get(#offset .. #offset + #size) {
                <#ty as zerovec::ule::ULE>::#validate(bytes)?;
            } else {
                return Err(#error::parse::<Self>());
            }
        });
        offset = next;
    }
    (code, offset)
}

fn ule(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    ule_impl(
        &input.ident,
        &fields(&input)?,
        &Names::of(invocation.version),
    )
}

fn ule_impl(name: &Ident, fields: &[&Field], names: &Names) -> Expansion {
    let (validate, error) = (&names.validate, &names.error);
    let (validators, end) = validators(fields, names);
    Ok(quote! {
        unsafe impl zerovec::ule::ULE for #name {
            #[inline]
            fn #validate(bytes_all: &[u8]) -> Result<(), #error> {
                const SIZE: usize = ::core::mem::size_of::<#name>();
                #[allow(clippy::modulo_one)]
                if bytes_all.len() % SIZE != 0 {
                    return Err(#error::length::<Self>(bytes_all.len()));
                }
                #[allow(clippy::indexing_slicing)]
                for bytes_one in bytes_all.chunks_exact(SIZE) {
                    #validators
                    debug_assert_eq!(#end, SIZE);
                }
                Ok(())
            }
        }
    })
}

fn var_ule(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let names = Names::of(invocation.version);
    let fields = fields(&input)?;
    let Some((last, sized)) = fields.split_last() else {
        return Err(Refusal::new("expected a field"));
    };
    let (validate, error, unchecked) = (&names.validate, &names.error, &names.from_unchecked);
    let name = &input.ident;
    let ty = &last.ty;
    let size = format_ident!("__IMPL_VarULE_FOR_{name}_ULE_SIZE");
    let sizes = sized.iter().map(|field| &field.ty);
    let (validators, end) = validators(sized, &names);
    let pointer = if names.has_fat_pointer {
        quote! {
            #[repr(C)]
            struct FatPtr {
                ptr: usize,
                metadata: usize,
            }
            const {
                assert!(::core::mem::size_of::<FatPtr>() == ::core::mem::size_of::<&#ty>());
                assert!(::core::mem::align_of::<FatPtr>() == ::core::mem::align_of::<&#ty>());
            }
            let unsized_bytes = bytes.get_unchecked(#size..);
            let unsized_ref = <#ty as zerovec::ule::VarULE>::#unchecked(unsized_bytes);
            let FatPtr { metadata, .. } = ::core::mem::transmute::<&#ty, FatPtr>(unsized_ref);
            let entire_struct_as_slice: *const [u8] =
                ::core::ptr::slice_from_raw_parts(bytes.as_ptr(), metadata);
        }
    } else {
        quote! {
            let unsized_bytes = bytes.get_unchecked(#size..);
            let unsized_ref = <#ty as zerovec::ule::VarULE>::#unchecked(unsized_bytes);
            let (_ptr, metadata) =
                ::core::mem::transmute::<&#ty, (usize, usize)>(unsized_ref);
            let entire_struct_as_slice: *const [u8] =
                ::core::slice::from_raw_parts(bytes.as_ptr(), metadata);
        }
    };
    Ok(quote! {
        const #size: usize = 0 #(+ ::core::mem::size_of::<#sizes>())*;
        unsafe impl zerovec::ule::VarULE for #name {
            #[inline]
            fn #validate(bytes_one: &[u8]) -> Result<(), #error> {
                debug_assert_eq!(#end, #size);
                let Some(last_field_bytes) = bytes_one.get(#end..) else {
                    return Err(#error::parse::<Self>());
                };
                #validators
                <#ty as zerovec::ule::VarULE>::#validate(last_field_bytes)?;
                Ok(())
            }
            #[inline]
            #[allow(clippy::transmute_undefined_repr)]
            unsafe fn #unchecked(bytes: &[u8]) -> &Self {
                #pointer
                &*(entire_struct_as_slice as *const Self)
            }
        }
    })
}

fn make_ule(invocation: &Invocation<'_>) -> Expansion {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ule_name: Ident = syn::parse2(invocation.args.clone())?;
    if !input.generics.params.is_empty() {
        return Err(Refusal::new("expected a type without parameters"));
    }
    let options = Options::take(&mut input.attrs)?;
    let names = Names::of(invocation.version);
    let own = match &input.data {
        Data::Struct(data) if !data.fields.is_empty() => {
            make_struct(&input, &data.fields, &ule_name, &options, &names)?
        }
        Data::Enum(_) => make_enum(&input, &ule_name, &options, &names)?,
        Data::Struct(_) | Data::Union(_) => return Err(Refusal::new("expected fields")),
    };
    let name = &input.ident;
    let debug = options.has_debug.then(|| {
        quote! {
            impl core::fmt::Debug for #ule_name {
                fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
                    let this = <#name as zerovec::ule::AsULE>::from_unaligned(*self);
                    <#name as core::fmt::Debug>::fmt(&this, f)
                }
            }
        }
    });
    let map = (!options.skips_map).then(|| {
        quote! {
            impl<'a> zerovec::maps::ZeroMapKV<'a> for #name {
                type Container = zerovec::ZeroVec<'a, #name>;
                type Slice = zerovec::ZeroSlice<#name>;
                type GetType = #ule_name;
                type OwnedType = #name;
            }
        }
    });
    Ok(quote!(#input #own #debug #map))
}

/// What `#[zerovec::derive(..)]` and `#[zerovec::skip_derive(..)]` say.
#[derive(Default)]
struct Options {
    has_debug: bool,
    has_hash: bool,
    skips_ord: bool,
    skips_map: bool,
}

impl Options {
    /// Reads and removes the attributes.
    fn take(attributes: &mut Vec<Attribute>) -> syn::Result<Self> {
        let mut options = Self::default();
        let is_own = |attribute: &Attribute| {
            let segments = &attribute.path().segments;
            segments.len() == 2 && segments[0].ident == "zerovec"
        };
        for attribute in attributes.iter().filter(|attribute| is_own(attribute)) {
            let skips = attribute.path().segments[1].ident == "skip_derive";
            let words =
                attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
            for word in words {
                match (skips, word.to_string().as_str()) {
                    (false, "Debug") => options.has_debug = true,
                    (false, "Hash") => options.has_hash = true,
                    (true, "Ord") => options.skips_ord = true,
                    (true, "ZeroMapKV") => options.skips_map = true,
                    _ => {}
                }
            }
        }
        attributes.retain(|attribute| !is_own(attribute));
        Ok(options)
    }
}

fn make_struct(
    input: &DeriveInput,
    fields: &Fields,
    ule_name: &Ident,
    options: &Options,
    names: &Names,
) -> Expansion {
    let (name, vis) = (&input.ident, &input.vis);
    let mut unaligned = fields.clone();
    for field in &mut unaligned {
        let ty = &field.ty;
        field.ty = syn::parse2(quote!(<#ty as zerovec::ule::AsULE>::ULE))?;
        field.attrs.clear();
    }
    let semi = matches!(fields, Fields::Unnamed(_)).then(|| quote!(;));
    let repr = if fields.len() == 1 {
        quote!(transparent)
    } else {
        quote!(C, packed)
    };
    let all: Vec<_> = unaligned.iter().collect();
    let derived = ule_impl(ule_name, &all, names)?;
    let convert = |method: Ident, from: TokenStream| {
        let values = fields.members().zip(fields).map(|(member, field)| {
            let ty = &field.ty;
            let value = quote!(<#ty as zerovec::ule::AsULE>::#method(#from.#member));
            match &field.ident {
                Some(ident) => quote!(#ident: #value),
                None => value,
            }
        });
        match fields {
            Fields::Named(_) => quote!({ #(#values),* }),
            Fields::Unnamed(_) | Fields::Unit => quote!((#(#values),*)),
        }
    };
    let to = convert(format_ident!("to_unaligned"), quote!(self));
    let from = convert(format_ident!("from_unaligned"), quote!(unaligned));
    let ord = (!options.skips_ord).then(|| {
        quote! {
            impl core::cmp::PartialOrd for #ule_name {
                fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
                    Some(self.cmp(other))
                }
            }
            impl core::cmp::Ord for #ule_name {
                fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                    let this = <#name as zerovec::ule::AsULE>::from_unaligned(*self);
                    let other = <#name as zerovec::ule::AsULE>::from_unaligned(*other);
                    <#name as core::cmp::Ord>::cmp(&this, &other)
                }
            }
        }
    });
    let slice_as_bytes = &names.slice_as_bytes;
    let hash = options.has_hash.then(|| {
        quote! {
            #[allow(clippy::derive_hash_xor_eq)]
            impl core::hash::Hash for #ule_name {
                fn hash<H>(&self, state: &mut H) where H: core::hash::Hasher {
                    state.write(<#ule_name as zerovec::ule::ULE>::#slice_as_bytes(&[*self]));
                }
            }
        }
    });
    Ok(quote! {
        impl zerovec::ule::AsULE for #name {
            type ULE = #ule_name;
            fn to_unaligned(self) -> Self::ULE {
                #ule_name #to
            }
            fn from_unaligned(unaligned: Self::ULE) -> Self {
                Self #from
            }
        }
        #[repr(#repr)]
        #[derive(Copy, Clone, PartialEq, Eq)]
        #[allow(missing_docs)]
        #vis struct #ule_name #unaligned #semi
        #derived
        #ord
        #hash
    })
}

fn make_enum(input: &DeriveInput, ule_name: &Ident, options: &Options, names: &Names) -> Expansion {
    let (name, vis) = (&input.ident, &input.vis);
    let Data::Enum(data) = &input.data else {
        return Err(Refusal::new("expected an enum"));
    };
    let mut values = std::collections::BTreeSet::new();
    for variant in &data.variants {
        let value = match (&variant.fields, &variant.discriminant) {
            (
                Fields::Unit,
                Some((
                    _,
                    Expr::Lit(ExprLit {
                        lit: Lit::Int(value),
                        ..
                    }),
                )),
            ) => value.base10_parse::<u8>()?,
            _ => {
                return Err(Refusal::new(
                    "expected variants with a number from 0 to 255",
                ));
            }
        };
        values.insert(value);
    }
    let (Some(low), Some(high)) = (values.first(), values.last()) else {
        return Err(Refusal::new("expected variants"));
    };
    let (validate, error) = (&names.validate, &names.error);
    let ord = (!options.skips_ord).then(|| quote!(#[derive(Ord, PartialOrd)]));
    let (check, new) = if names.checks_each_discriminant {
        let values = &values;
        let values = values.iter();
        (
            quote! {
                match *byte {
                    #(#values)|* => {}
                    _ => return Err(#error::parse::<Self>()),
                }
            },
            quote! {
                if <#ule_name as zerovec::ule::ULE>::#validate(&[value]).is_ok() {
                    Some(zerovec::ule::AsULE::from_unaligned(#ule_name(value)))
                } else {
                    None
                }
            },
        )
    } else {
        (
            quote! {
                if *byte < #low || *byte > #high {
                    return Err(#error::parse::<Self>());
                }
            },
            quote! {
                if value <= #high {
                    unsafe { Some(::core::mem::transmute(value)) }
                } else {
                    None
                }
            },
        )
    };
    Ok(quote! {
        #[repr(transparent)]
        #[derive(Copy, Clone, PartialEq, Eq)]
        #ord
        #vis struct #ule_name(u8);
        unsafe impl zerovec::ule::ULE for #ule_name {
            #[inline]
            fn #validate(bytes: &[u8]) -> Result<(), #error> {
                for byte in bytes { #check }
                Ok(())
            }
        }
        impl zerovec::ule::AsULE for #name {
            type ULE = #ule_name;
            fn to_unaligned(self) -> Self::ULE {
                #ule_name(self as u8)
            }
            fn from_unaligned(other: Self::ULE) -> Self {
                unsafe { ::core::mem::transmute::<u8, Self>(other.0) }
            }
        }
        impl #name {
            pub(crate) fn new_from_u8(value: u8) -> Option<Self> {
                #new
            }
        }
    })
}
