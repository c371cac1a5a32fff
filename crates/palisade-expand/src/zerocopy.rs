//! `zerocopy-derive` 0.8: `FromBytes`, `IntoBytes`, `KnownLayout` and their kin.
//!
//! Most of these traits are promises without methods. What the real macros
//! check at compile time, such as the absence of padding, is left out: nothing
//! of it can be called. The helper impls behind `TryFromBytes` have changed
//! between releases, and other releases than the known ones are refused.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, GenericParam, Index, Path, Type, WherePredicate};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least, unraw};

pub(crate) const MACROS: &[Macro] = &[
    Macro::derive("zerocopy-derive", "Immutable", |it| marker(it, "Immutable")),
    Macro::derive("zerocopy-derive", "IntoBytes", into_bytes),
    Macro::derive("zerocopy-derive", "Unaligned", |it| marker(it, "Unaligned")),
    Macro::derive("zerocopy-derive", "KnownLayout", known_layout),
    Macro::derive("zerocopy-derive", "TryFromBytes", |it| {
        Target::read(it)?.try_from_bytes(false)
    }),
    Macro::derive("zerocopy-derive", "FromZeros", |it| {
        from_bytes(it, &["FromZeros"])
    }),
    Macro::derive("zerocopy-derive", "FromBytes", |it| {
        from_bytes(it, &["FromZeros", "FromBytes"])
    }),
];

/// A trait whose only function says that nobody else may implement it.
fn marker(invocation: &Invocation<'_>, name: &str) -> Expansion {
    let target = Target::read(invocation)?;
    Ok(target.marked(name))
}

/// `#[derive(IntoBytes)]`: a marker, but the check of an enum has a tag of its own.
fn into_bytes(invocation: &Invocation<'_>) -> Expansion {
    let target = Target::read(invocation)?;
    let main = target.marked("IntoBytes");
    let Data::Enum(data) = &target.input.data else {
        return Ok(main);
    };
    let variants = data.variants.iter().map(|variant| {
        let ident = &variant.ident;
        match &variant.discriminant {
            Some((eq, value)) => quote!(#ident #eq #value),
            None => quote!(#ident),
        }
    });
    let derives =
        (target.era == Some(Era::Safe)).then(|| quote!(#[derive(Copy, Clone, PartialEq)]));
    let zerocopy = &target.zerocopy;
    Ok(quote! {
        #main
        const _: () = {
            #[allow(dead_code)]
            #derives
            pub enum ___ZerocopyTag {
                #(#variants,)*
            }
            unsafe impl #zerocopy::Immutable for ___ZerocopyTag {
                fn only_derive_is_allowed_to_implement_this_trait() {}
            }
        };
    })
}

fn from_bytes(invocation: &Invocation<'_>, names: &[&str]) -> Expansion {
    let target = Target::read(invocation)?;
    let mut output = target.try_from_bytes(names.len() > 1)?;
    output.extend(names.iter().map(|name| target.marked(name)));
    Ok(output)
}

fn known_layout(invocation: &Invocation<'_>) -> Expansion {
    let target = Target::read(invocation)?;
    let zerocopy = &target.zerocopy;
    let core = quote!(#zerocopy::util::macro_util::core_reexport);
    if let Data::Struct(data) = &target.input.data
        && target.is_repr_c()
        && !data.fields.is_empty()
    {
        return Ok(target.layout_of_fields(&core));
    }
    let bounds = [syn::parse_quote!(Self: #core::marker::Sized)];
    Ok(target.implement(
        &quote!(#zerocopy::KnownLayout),
        &[],
        &bounds,
        &quote! {
            type PointerMetadata = ();
            type MaybeUninit = #core::mem::MaybeUninit<Self>;
            const LAYOUT: #zerocopy::DstLayout = #zerocopy::DstLayout::for_type::<Self>();
            #[inline(always)]
            fn raw_from_ptr_len(bytes: #core::ptr::NonNull<u8>, _meta: ()) -> #core::ptr::NonNull<Self> {
                bytes.cast::<Self>()
            }
            #[inline(always)]
            fn pointer_to_metadata(_ptr: *mut Self) -> () {}
        },
    ))
}

/// How the helper impls of a release look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Era {
    /// 0.8.48: `is_bit_valid`, and one projection for each field.
    BitValid,
    /// 0.8.63: `is_safe`, and three projections for each client and field.
    Safe,
}

/// The item that derives, and how to name the crate `zerocopy`.
struct Target {
    input: DeriveInput,
    zerocopy: Path,
    era: Option<Era>,
}

impl Target {
    fn read(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        let version = invocation.version;
        if !at_least(version, (0, 8, 0)) {
            return Err(Refusal::new("no expansion is known for this version"));
        }
        let era = if at_least(version, (0, 8, 63)) {
            Some(Era::Safe)
        } else if at_least(version, (0, 8, 48)) && !at_least(version, (0, 8, 49)) {
            Some(Era::BitValid)
        } else {
            None
        };
        let input: DeriveInput = syn::parse2(invocation.item.clone())?;
        let zerocopy = Options::of(&input.attrs, "zerocopy")?
            .parse::<Path>("crate")?
            .unwrap_or_else(|| syn::parse_quote!(::zerocopy));
        Ok(Self {
            input,
            zerocopy,
            era,
        })
    }

    /// The names and types of all fields of a struct.
    fn fields(&self) -> Vec<(TokenStream, &Type)> {
        let fields = match &self.input.data {
            Data::Struct(data) => data.fields.iter().collect(),
            Data::Enum(_) | Data::Union(_) => Vec::new(),
        };
        fields
            .into_iter()
            .enumerate()
            .map(|(index, field)| {
                let name = match &field.ident {
                    Some(ident) => ident.to_token_stream(),
                    None => Index::from(index).to_token_stream(),
                };
                (name, &field.ty)
            })
            .collect()
    }

    fn is_repr_c(&self) -> bool {
        self.input.attrs.iter().any(|attr| {
            let mut is_c = false;
            if attr.path().is_ident("repr") {
                // Whatever else stands there says nothing about the field order.
                let _ = attr.parse_nested_meta(|meta| {
                    is_c |= meta.path.is_ident("C");
                    if meta.input.peek(syn::token::Paren) {
                        meta.input.parse::<proc_macro2::Group>()?;
                    }
                    Ok(())
                });
            }
            is_c
        })
    }

    fn marked(&self, name: &str) -> TokenStream {
        let (zerocopy, name) = (&self.zerocopy, format_ident!("{name}"));
        let path = quote!(#zerocopy::#name);
        let bounds = self.bounds(&path);
        self.implement(&path, &[], &bounds, &TokenStream::new())
    }

    /// All fields have to implement the trait.
    fn bounds(&self, path: &TokenStream) -> Vec<WherePredicate> {
        let fields: Vec<_> = match &self.input.data {
            Data::Struct(data) => data.fields.iter().collect(),
            Data::Enum(data) => data.variants.iter().flat_map(|it| &it.fields).collect(),
            Data::Union(data) => data.fields.named.iter().collect(),
        };
        fields
            .iter()
            .map(|field| {
                let ty = &field.ty;
                syn::parse_quote!(#ty: #path)
            })
            .collect()
    }

    /// An impl with the function that every impl of these traits has.
    fn implement(
        &self,
        path: &TokenStream,
        extra: &[GenericParam],
        bounds: &[WherePredicate],
        inside: &TokenStream,
    ) -> TokenStream {
        let ident = &self.input.ident;
        let mut params: Vec<GenericParam> = self.input.generics.params.iter().cloned().collect();
        let arguments: Vec<_> = params.iter().map(argument).collect();
        params.extend(extra.iter().cloned());
        for param in &mut params {
            match param {
                GenericParam::Type(param) => param.default = None,
                GenericParam::Const(param) => param.default = None,
                GenericParam::Lifetime(_) => {}
            }
        }
        params.sort_by_key(|param| match param {
            GenericParam::Lifetime(_) => 0,
            GenericParam::Type(_) => 1,
            GenericParam::Const(_) => 2,
        });
        let clause = &self.input.generics.where_clause;
        let own = clause.iter().flat_map(|clause| &clause.predicates);
        quote! {
            #[automatically_derived]
            const _: () = {
                unsafe impl<#(#params),*> #path for #ident<#(#arguments),*>
                where
                    #(#own,)*
                    #(#bounds,)*
                {
                    fn only_derive_is_allowed_to_implement_this_trait() {}
                    #inside
                }
            };
        }
    }

    fn try_from_bytes(&self, trusted: bool) -> Result<TokenStream, Refusal> {
        let Some(era) = self.era else {
            return Err(Refusal::new(
                "the helper impls of this version are not known",
            ));
        };
        let zerocopy = &self.zerocopy;
        let core = quote!(#zerocopy::util::macro_util::core_reexport);
        let name = match era {
            Era::BitValid => format_ident!("is_bit_valid"),
            Era::Safe => format_ident!("is_safe"),
        };
        let is_trusted = trusted && self.input.generics.params.is_empty();
        let is_struct = matches!(self.input.data, Data::Struct(_));
        let is_trusted_enum = is_trusted && matches!(self.input.data, Data::Enum(_));
        if !(is_struct || is_trusted_enum) {
            return Err(Refusal::new("only structs are known to be checked"));
        }
        let body = if is_trusted {
            quote! {
                if false {
                    fn assert_is_from_bytes<T>()
                    where
                        T: #zerocopy::FromBytes,
                        T: ?#core::marker::Sized,
                    {
                    }
                    assert_is_from_bytes::<Self>();
                }
                true
            }
        } else {
            self.checks(era)
        };
        let inside = quote! {
            #[inline]
            fn #name<___ZcAlignment>(
                mut candidate: #zerocopy::Maybe<'_, Self, ___ZcAlignment>,
            ) -> #core::primitive::bool
            where
                ___ZcAlignment: #zerocopy::invariant::Alignment,
            {
                #body
            }
        };
        let path = quote!(#zerocopy::TryFromBytes);
        let main = self.implement(&path, &[], &self.bounds(&path), &inside);
        let projections = is_struct.then(|| self.projections(era, &core));
        Ok(quote!(#main #projections))
    }

    /// Whether every field of the candidate is valid.
    fn checks(&self, era: Era) -> TokenStream {
        let zerocopy = &self.zerocopy;
        let checks = self.fields().into_iter().map(|(name, ty)| match era {
            Era::BitValid => quote! {{
                let field_candidate = #zerocopy::into_inner!(candidate.reborrow().project::<
                    _,
                    { #zerocopy::STRUCT_VARIANT_ID },
                    { #zerocopy::ident_id!(#name) }
                >());
                <#ty as #zerocopy::TryFromBytes>::is_bit_valid(field_candidate)
            }},
            Era::Safe => quote! {
                #zerocopy::into_inner!(
                    candidate.project::<
                        #zerocopy::project_clients::TryFromBytesDerive,
                        _,
                        { #zerocopy::STRUCT_VARIANT_ID },
                        { #zerocopy::ident_id!(#name) },
                    >()
                ).try_into_safe::<_, #zerocopy::BecauseImmutable>().is_ok()
            },
        });
        quote!(true #(&& #checks)*)
    }

    /// The impls through which a check reaches the fields.
    fn projections(&self, era: Era, core: &TokenStream) -> TokenStream {
        let zerocopy = &self.zerocopy;
        let fields = self.fields();
        if fields.is_empty() {
            return TokenStream::new();
        }
        let client = match era {
            Era::BitValid => TokenStream::new(),
            Era::Safe => quote!(#zerocopy::project_clients::TryFromBytesDerive,),
        };
        let tag = match era {
            Era::BitValid => quote!(#zerocopy::HasTag),
            Era::Safe => quote!(#zerocopy::HasTag<#zerocopy::project_clients::TryFromBytesDerive>),
        };
        let mut items = self.implement(
            &tag,
            &[],
            &[],
            &quote! {
                type Tag = ();
                type ProjectToTag = #zerocopy::pointer::cast::CastToUnit;
            },
        );
        for (name, ty) in fields {
            let token = handle(&name);
            items.extend(quote!(pub enum #token {}));
            let place = quote! {
                { #zerocopy::STRUCT_VARIANT_ID }, { #zerocopy::ident_id!(#name) }
            };
            let path = quote!(#zerocopy::HasField<#client #token, #place>);
            items.extend(self.implement(
                &path,
                &[],
                &[],
                &quote! {
                    type Type = #ty;
                    #[inline(always)]
                    fn project(
                        slf: #zerocopy::pointer::PtrInner<'_, Self>
                    ) -> *mut <Self as #path>::Type {
                        let slf = slf.as_ptr();
                        unsafe { #core::ptr::addr_of_mut!((*slf).#name) }
                    }
                },
            ));
            let (validities, aliasing, alignment): (&[&str], _, _) = match era {
                Era::BitValid => (&["Initialized"], "Aliasing", "Alignment"),
                Era::Safe => (
                    &["Uninit", "Initialized", "Safe"],
                    "___ZcAliasing",
                    "___ZcAlignment",
                ),
            };
            let (aliasing, alignment) = (format_ident!("{aliasing}"), format_ident!("{alignment}"));
            for validity in validities {
                let validity = format_ident!("{validity}");
                let invariants = quote! {
                    (#aliasing, #alignment, #zerocopy::invariant::#validity)
                };
                items.extend(self.implement(
                    &quote!(#zerocopy::ProjectField<#client #token, #invariants, #place>),
                    &[
                        syn::parse_quote!(#aliasing: #zerocopy::invariant::Aliasing),
                        syn::parse_quote!(#alignment: #zerocopy::invariant::Alignment),
                    ],
                    &[],
                    &quote! {
                        type Error = #core::convert::Infallible;
                        type Invariants = #invariants;
                    },
                ));
            }
        }
        quote!(const _: () = { #items };)
    }

    /// `KnownLayout` of a `repr(C)` struct: the layout of its last field decides.
    fn layout_of_fields(&self, core: &TokenStream) -> TokenStream {
        let zerocopy = &self.zerocopy;
        let (ident, vis) = (&self.input.ident, &self.input.vis);
        let fields = self.fields();
        let params = &self.input.generics.params;
        let (impl_generics, ty_generics, where_clause) = self.input.generics.split_for_impl();
        let predicates = where_clause.map(|clause| &clause.predicates);
        let handles: Vec<Ident> = fields
            .iter()
            .map(|(name, _)| format_ident!("__Zerocopy_Field_{}", plain(name)))
            .collect();
        let Some(((_, last), leading)) = fields.split_last() else {
            return TokenStream::new();
        };
        let leading = leading.iter().map(|(_, ty)| ty);
        let types = fields.iter().map(|(_, ty)| ty);
        let Some((last_handle, leading_handles)) = handles.split_last() else {
            return TokenStream::new();
        };
        let last_type = quote! {
            <#ident #ty_generics as #zerocopy::util::macro_util::Field<#last_handle>>::Type
        };
        let layout = quote!(#zerocopy::KnownLayout);
        let methods = |ty: &TokenStream| {
            // Older releases name the function without its trait.
            let of_field = match self.era {
                Some(Era::Safe) => quote!(<#ty as #layout>),
                Some(Era::BitValid) | None => quote!(<#ty>),
            };
            quote! {
                #[inline(always)]
                fn raw_from_ptr_len(
                    bytes: #core::ptr::NonNull<u8>,
                    meta: <Self as #layout>::PointerMetadata,
                ) -> #core::ptr::NonNull<Self> {
                    let trailing = <#ty as #layout>::raw_from_ptr_len(bytes, meta);
                    let slf = trailing.as_ptr() as *mut Self;
                    unsafe { #core::ptr::NonNull::new_unchecked(slf) }
                }
                #[inline(always)]
                fn pointer_to_metadata(ptr: *mut Self) -> <Self as #layout>::PointerMetadata {
                    #of_field::pointer_to_metadata(ptr as *mut _)
                }
            }
        };
        let own = methods(&last.to_token_stream());
        let uninit = methods(&quote!(<#last_type as #layout>::MaybeUninit));
        let main = self.implement(
            &layout,
            &[],
            &[syn::parse_quote!(#last: #layout)],
            &quote! {
                type PointerMetadata = <#last as #layout>::PointerMetadata;
                type MaybeUninit = __ZerocopyKnownLayoutMaybeUninit #ty_generics;
                const LAYOUT: #zerocopy::DstLayout = #zerocopy::DstLayout::for_repr_c_struct(
                    #core::option::Option::None,
                    #core::option::Option::None,
                    &[
                        #(#zerocopy::DstLayout::for_type::<#leading>(),)*
                        <#last as #layout>::LAYOUT
                    ],
                );
                #own
            },
        );
        quote! {
            const _: () = {
                #main
                #(#[allow(missing_debug_implementations)] #vis struct #handles;)*
                #(
                    unsafe impl #impl_generics #zerocopy::util::macro_util::Field<#handles>
                        for #ident #ty_generics
                    where
                        #predicates
                    {
                        type Type = #types;
                    }
                )*
                #[repr(C)]
                #[doc(hidden)]
                #[allow(missing_debug_implementations)]
                #vis struct __ZerocopyKnownLayoutMaybeUninit<#params>(
                    #(#core::mem::MaybeUninit<
                        <#ident #ty_generics as #zerocopy::util::macro_util::Field<#leading_handles>>::Type
                    >,)*
                    #core::mem::ManuallyDrop<<#last_type as #layout>::MaybeUninit>
                )
                where
                    #last_type: #layout,
                    #predicates;

                unsafe impl #impl_generics #layout for __ZerocopyKnownLayoutMaybeUninit #ty_generics
                where
                    #last_type: #layout,
                    #predicates
                {
                    fn only_derive_is_allowed_to_implement_this_trait() {}
                    type PointerMetadata = <#ident #ty_generics as #layout>::PointerMetadata;
                    type MaybeUninit = Self;
                    const LAYOUT: #zerocopy::DstLayout = <#ident #ty_generics as #layout>::LAYOUT;
                    #uninit
                }
            };
        }
    }
}

/// A parameter as an argument for itself.
fn argument(param: &GenericParam) -> TokenStream {
    match param {
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        GenericParam::Const(param) => {
            let ident = &param.ident;
            quote!({ #ident })
        }
    }
}

/// The type that stands for a field.
fn handle(name: &TokenStream) -> Ident {
    format_ident!("ẕ{}", plain(name))
}

/// A field's name or number as text.
fn plain(name: &TokenStream) -> String {
    match syn::parse2::<Ident>(name.clone()) {
        Ok(ident) => unraw(&ident),
        Err(_) => name.to_string(),
    }
}
