//! `zerovec-derive`: types that are read from bytes in place.

mod make_ule;
mod make_varule;
mod var_ule;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

const PACKAGE: &str = "zerovec-derive";

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive(PACKAGE, "ULE", ule),
    Macro::derive(PACKAGE, "VarULE", var_ule::expand),
    Macro::attribute(PACKAGE, "make_ule", make_ule::expand),
    Macro::attribute(PACKAGE, "make_varule", make_varule::expand),
];

/// Names that changed in a release.
struct Names {
    validate: Ident,
    from_unchecked: Ident,
    slice_as_bytes: Ident,
    error: TokenStream,
    /// Whether a type of variable length gets `ToOwned` and `From` impls, and
    /// whether its serde impls tell formats for people from others.
    has_owned: bool,
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
                has_owned: true,
                has_fat_pointer: at_least(version, (0, 11, 7)),
                checks_each_discriminant: at_least(version, (0, 11, 4)),
            };
        }
        Self {
            validate: format_ident!("validate_byte_slice"),
            from_unchecked: format_ident!("from_byte_slice_unchecked"),
            slice_as_bytes: format_ident!("as_byte_slice"),
            error: quote!(zerovec::ZeroVecError),
            has_owned: false,
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

/// Whether an attribute is `#[zerovec::name ..]`.
fn is_own(attribute: &Attribute) -> bool {
    let segments = &attribute.path().segments;
    segments.len() == 2 && segments[0].ident == "zerovec"
}

/// What `#[zerovec::derive(..)]` and `#[zerovec::skip_derive(..)]` say.
#[derive(Default)]
struct Options {
    has_debug: bool,
    has_hash: bool,
    skips_ord: bool,
    skips_map: bool,
    skips_to_owned: bool,
    skips_from: bool,
    has_serialize: bool,
    has_deserialize: bool,
    /// How the offsets of several parts of variable length are stored.
    format: Option<TokenStream>,
}

impl Options {
    /// Reads and removes the attributes.
    fn take(attributes: &mut Vec<Attribute>) -> syn::Result<Self> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|it| is_own(it)) {
            let name = &attribute.path().segments[1].ident;
            if name == "format" {
                options.format = Some(attribute.parse_args()?);
                continue;
            }
            let skips = name == "skip_derive";
            let words =
                attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
            for word in words {
                match (skips, word.to_string().as_str()) {
                    (false, "Debug") => options.has_debug = true,
                    (false, "Hash") => options.has_hash = true,
                    (true, "Ord") => options.skips_ord = true,
                    (true, "ZeroMapKV") => options.skips_map = true,
                    (true, "ToOwned") => options.skips_to_owned = true,
                    (true, "From") => options.skips_from = true,
                    (false, "Serialize") => options.has_serialize = true,
                    (false, "Deserialize") => options.has_deserialize = true,
                    _ => return Err(syn::Error::new_spanned(word, "unknown option")),
                }
            }
        }
        attributes.retain(|attribute| !is_own(attribute));
        Ok(options)
    }
}
