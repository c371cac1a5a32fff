//! `#[make_ule]`: the form of a type of fixed length that is read in place.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Expr, ExprLit, Fields, Lit};

use super::{Names, Options, ule_impl};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn expand(invocation: &Invocation<'_>) -> Expansion {
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
