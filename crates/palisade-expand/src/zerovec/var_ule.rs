//! `#[derive(VarULE)]`: a struct whose last field has no fixed length.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::DeriveInput;

use super::{Names, fields, validators};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn expand(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    var_ule_impl(&input, None, &Names::of(invocation.version))
}

/// The impl for a struct; `validator` checks `last_field_bytes` where that is
/// not up to the last field's type alone.
pub(super) fn var_ule_impl(
    input: &DeriveInput,
    validator: Option<TokenStream>,
    names: &Names,
) -> Expansion {
    let fields = fields(input)?;
    let Some((last, sized)) = fields.split_last() else {
        return Err(Refusal::new("expected a field"));
    };
    let (validate, error, unchecked) = (&names.validate, &names.error, &names.from_unchecked);
    let name = &input.ident;
    let ty = &last.ty;
    let size = format_ident!("__IMPL_VarULE_FOR_{name}_ULE_SIZE");
    let sizes = sized.iter().map(|field| &field.ty);
    let (validators, end) = validators(sized, names);
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
    let validator = validator
        .unwrap_or_else(|| quote!(<#ty as zerovec::ule::VarULE>::#validate(last_field_bytes)?;));
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
                #validator
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
