//! `#[make_varule]`: the form of a type of variable length that is read in
//! place.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    Data, DeriveInput, Fields, GenericArgument, Lifetime, Member, PathArguments, Token, Type,
    Visibility,
};

use super::var_ule::var_ule_impl;
use super::{Names, Options, is_own};
use crate::Invocation;
use crate::support::{Expansion, Refusal};

/// The form of one part of variable length.
struct Kind {
    /// The type that is read in place.
    ule: TokenStream,
    /// The type that is written.
    encoded: TokenStream,
    /// Whether the field is written as it is, not as what it dereferences to.
    is_custom: bool,
    /// Whether the field can be made without copying.
    is_borrowed: bool,
}

/// A field and its place.
struct Part {
    member: Member,
    vis: Visibility,
    ty: Type,
    /// What reads it, where several parts share one field.
    getter: Ident,
    /// `None` for a part of fixed length.
    kind: Option<Kind>,
}

impl Part {
    /// The field's name and a colon, for fields that have names.
    fn setter(&self) -> TokenStream {
        match &self.member {
            Member::Named(name) => quote!(#name:),
            Member::Unnamed(_) => TokenStream::new(),
        }
    }

    /// A call of one of `EncodeAsVarULE`'s functions.
    fn encode(&self, kind: &Kind, method: &str, rest: TokenStream) -> TokenStream {
        let (ule, encoded, value) = (&kind.ule, &kind.encoded, self.value(kind));
        let method = format_ident!("{method}");
        quote!(<#encoded as zerovec::ule::EncodeAsVarULE<#ule>>::#method(#value, #rest))
    }

    fn value(&self, kind: &Kind) -> TokenStream {
        let member = &self.member;
        match kind.is_custom {
            true => quote!(&self.#member),
            false => quote!(&*self.#member),
        }
    }
}

pub(super) fn expand(invocation: &Invocation<'_>) -> Expansion {
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let ule_name: Ident = syn::parse2(invocation.args.clone())?;
    let names = Names::of(invocation.version);
    let options = Options::take(&mut input.attrs)?;
    let generics = &input.generics;
    let lifetime = generics.lifetimes().next().map(|it| it.lifetime.clone());
    if generics.params.len() > usize::from(lifetime.is_some()) {
        return Err(Refusal::new("expected no parameters but one lifetime"));
    }
    let parts = parts(&mut input)?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("expected a struct"));
    };
    let (sized, long): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|it| it.kind.is_none());
    let long: Vec<(&Part, &Kind)> = long
        .into_iter()
        .filter_map(|part| Some((part, part.kind.as_ref()?)))
        .collect();
    let Some((first, _)) = long.first() else {
        return Err(Refusal::new("expected a field of variable length"));
    };
    let is_alone = long.len() == 1;
    let layout = Layout {
        name: &input.ident,
        ule_name: &ule_name,
        lifetime: lifetime.as_ref(),
        fields: &data.fields,
        sized: &sized,
        long: &long,
        format: match &options.format {
            Some(format) => format.clone(),
            None => quote!(zerovec::vecs::Index16),
        },
        shared: match (&first.member, is_alone) {
            (Member::Named(_), false) => Member::Named(format_ident!("unsized_fields")),
            (member, _) => member.clone(),
        },
    };
    let ule = layout.ule(&input.vis)?;
    let own = var_ule_impl(&ule, layout.validator(), &names)?;
    let (getters, encode) = (layout.getters(), layout.encode(&names));
    let zero_from = layout.zero_from(names.has_owned && !options.skips_from)?;
    let rest = layout.rest(&options, &names)?;
    Ok(quote!(#input #ule #getters #encode #zero_from #own #rest))
}

/// Reads the fields, and removes the macro's own attributes from them.
fn parts(input: &mut DeriveInput) -> Result<Vec<Part>, Refusal> {
    let Data::Struct(data) = &mut input.data else {
        return Err(Refusal::new("expected a struct"));
    };
    let members: Vec<Member> = data.fields.members().collect();
    let mut parts = Vec::new();
    for (index, (field, member)) in data.fields.iter_mut().zip(members).enumerate() {
        let mut custom: Option<Ident> = None;
        for attribute in field.attrs.iter().filter(|it| is_own(it)) {
            let words =
                attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
            custom = words.into_iter().next();
        }
        field.attrs.retain(|attribute| !is_own(attribute));
        let getter = match &member {
            Member::Named(name) => name.clone(),
            Member::Unnamed(_) => format_ident!("field_{index}"),
        };
        parts.push(Part {
            member,
            vis: field.vis.clone(),
            ty: field.ty.clone(),
            getter,
            kind: kind(&field.ty, custom),
        });
    }
    Ok(parts)
}

/// How a field of this type is read in place; `None` when its length is fixed.
fn kind(ty: &Type, custom: Option<Ident>) -> Option<Kind> {
    let plain = |ule: TokenStream, is_borrowed| Kind {
        encoded: ule.clone(),
        ule,
        is_custom: false,
        is_borrowed,
    };
    // Of slices and `str`.
    let owned = |ty: &Type| match ty {
        Type::Slice(slice) => {
            let element = &slice.elem;
            Some(quote!([#element]))
        }
        Type::Path(path) if path.path.is_ident("str") => Some(quote!(str)),
        _ => None,
    };
    match ty {
        Type::Reference(reference) => Some(plain(owned(&reference.elem)?, true)),
        Type::Path(path) => {
            if let Some(custom) = custom {
                return Some(Kind {
                    ule: custom.to_token_stream(),
                    encoded: path.to_token_stream(),
                    is_custom: true,
                    is_borrowed: true,
                });
            }
            let mut segments = path.path.segments.iter();
            let (Some(segment), None) = (segments.next(), segments.next()) else {
                return None;
            };
            let arguments = match &segment.arguments {
                PathArguments::None if segment.ident == "String" => {
                    return Some(plain(quote!(str), false));
                }
                PathArguments::AngleBracketed(arguments) => &arguments.args,
                _ => return None,
            };
            let mut has_lifetime = false;
            let mut of: Option<&Type> = None;
            for argument in arguments {
                match argument {
                    GenericArgument::Lifetime(_) if !has_lifetime => has_lifetime = true,
                    GenericArgument::Type(ty) if of.is_none() => of = Some(ty),
                    _ => return None,
                }
            }
            let of = of?;
            match (segment.ident.to_string().as_str(), has_lifetime) {
                ("ZeroVec", true) => Some(plain(quote!(zerovec::ZeroSlice<#of>), true)),
                ("VarZeroVec", true) => Some(plain(quote!(zerovec::VarZeroSlice<#of>), true)),
                ("Cow" | "VarZeroCow", true) => Some(plain(owned(of)?, true)),
                ("Vec", false) => Some(plain(quote!([#of]), false)),
                ("Box", false) => Some(plain(owned(of)?, false)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Everything that the impls are made from.
struct Layout<'a> {
    name: &'a Ident,
    ule_name: &'a Ident,
    lifetime: Option<&'a Lifetime>,
    fields: &'a Fields,
    sized: &'a [&'a Part],
    long: &'a [(&'a Part, &'a Kind)],
    /// How offsets are stored where there are several parts.
    format: TokenStream,
    /// The field of the form that holds all parts of variable length.
    shared: Member,
}

impl Layout<'_> {
    /// The type of several parts together.
    fn multi(&self) -> TokenStream {
        let (count, format) = (self.long.len(), &self.format);
        quote!(zerovec::ule::MultiFieldsULE::<#count, #format>)
    }

    /// Values of all fields, in the braces or parentheses of the struct.
    fn wrap(&self, values: &[TokenStream]) -> TokenStream {
        match self.fields {
            Fields::Named(_) => quote!({ #(#values),* }),
            Fields::Unnamed(_) | Fields::Unit => quote!((#(#values),*)),
        }
    }

    /// The struct that is read in place.
    fn ule(&self, vis: &Visibility) -> Result<DeriveInput, Refusal> {
        let mut fields: Vec<TokenStream> = self
            .sized
            .iter()
            .map(|part| {
                let (vis, setter, ty) = (&part.vis, part.setter(), &part.ty);
                quote!(#vis #setter <#ty as zerovec::ule::AsULE>::ULE)
            })
            .collect();
        fields.push(match self.long {
            [(part, kind)] => {
                let (vis, setter, ule) = (&part.vis, part.setter(), &kind.ule);
                quote!(#vis #setter #ule)
            }
            _ => {
                let multi = self.multi();
                match &self.shared {
                    Member::Named(name) => quote!(#name: #multi),
                    Member::Unnamed(_) => multi,
                }
            }
        });
        let (name, fields) = (self.ule_name, self.wrap(&fields));
        let repr = match self.fields.len() {
            1 => quote!(transparent),
            _ => quote!(C, packed),
        };
        let semi = matches!(self.fields, Fields::Unnamed(_)).then(|| quote!(;));
        Ok(syn::parse2(quote! {
            #[repr(#repr)]
            #[allow(missing_docs)]
            #vis struct #name #fields #semi
        })?)
    }

    fn validator(&self) -> Option<TokenStream> {
        if self.long.len() == 1 {
            return None;
        }
        let multi = self.multi();
        let checks = self.long.iter().enumerate().map(|(index, (_, kind))| {
            let ule = &kind.ule;
            quote!(multi.validate_field::<#ule>(#index)?;)
        });
        Some(quote! {
            let multi = #multi::parse_bytes(last_field_bytes)?;
            unsafe { #(#checks)* }
        })
    }

    fn getters(&self) -> Option<TokenStream> {
        if self.long.len() == 1 {
            return None;
        }
        let (ule_name, shared) = (self.ule_name, &self.shared);
        let getters = self.long.iter().enumerate().map(|(index, (part, kind))| {
            let (getter, ule) = (&part.getter, &kind.ule);
            quote! {
                pub fn #getter<'a>(&'a self) -> &'a #ule {
                    unsafe { self.#shared.get_field::<#ule>(#index) }
                }
            }
        });
        Some(quote!(impl #ule_name { #(#getters)* }))
    }

    fn encode(&self, names: &Names) -> TokenStream {
        let (name, ule_name) = (self.name, self.ule_name);
        let as_bytes = &names.slice_as_bytes;
        let params = self.lifetime.map(|lifetime| quote!(<#lifetime>));
        let mut sizes = Vec::new();
        let mut writes = Vec::new();
        let mut offset = format_ident!("ZERO");
        for (index, part) in self.sized.iter().enumerate() {
            let (ty, member) = (&part.ty, &part.member);
            let ule = quote!(<#ty as zerovec::ule::AsULE>::ULE);
            let (size, next) = (
                format_ident!("SIZE_{index}"),
                format_ident!("OFFSET_{index}"),
            );
            sizes.push(quote!(::core::mem::size_of::<#ule>()));
            writes.push(quote! {
                const #size: usize = ::core::mem::size_of::<#ule>();
                const #next: usize = #offset + #size;
                let out = &mut dst[#offset .. #offset + #size];
                let unaligned = zerovec::ule::AsULE::to_unaligned(self.#member);
                let unaligned_slice = &[unaligned];
                let src = <#ule as zerovec::ule::ULE>::#as_bytes(unaligned_slice);
                out.copy_from_slice(src);
            });
            offset = next;
        }
        let lengths: Vec<TokenStream> = self
            .long
            .iter()
            .map(|(part, kind)| part.encode(kind, "encode_var_ule_len", TokenStream::new()))
            .collect();
        let multi = self.multi();
        let (length, write) = match self.long {
            [(part, kind)] => (
                quote!(#(#lengths)*),
                part.encode(kind, "encode_var_ule_write", quote!(out)),
            ),
            _ => {
                let fields = self.long.iter().enumerate().map(|(index, (part, kind))| {
                    let (ule, encoded, value) = (&kind.ule, &kind.encoded, part.value(kind));
                    quote!(multi.set_field_at::<#ule, #encoded>(#index, #value);)
                });
                (
                    quote!(#multi::compute_encoded_len_for([#(#lengths),*])),
                    quote! {
                        let lengths = [#(#lengths),*];
                        let mut multi =
                            #multi::new_from_lengths_partially_initialized(lengths, out);
                        unsafe { #(#fields)* }
                    },
                )
            }
        };
        quote! {
            unsafe impl #params zerovec::ule::EncodeAsVarULE<#ule_name> for #name #params {
                fn encode_var_ule_as_slices<R>(&self, cb: impl FnOnce(&[&[u8]]) -> R) -> R {
                    unreachable!("other two methods implemented")
                }
                fn encode_var_ule_len(&self) -> usize {
                    #(#sizes +)* #length
                }
                fn encode_var_ule_write(&self, mut dst: &mut [u8]) {
                    debug_assert_eq!(self.encode_var_ule_len(), dst.len());
                    const ZERO: usize = 0;
                    #(#writes)*
                    let out = &mut dst[#offset..];
                    #write
                }
            }
            unsafe impl #params zerovec::ule::EncodeAsVarULE<#ule_name> for &'_ #name #params {
                fn encode_var_ule_as_slices<R>(&self, cb: impl FnOnce(&[&[u8]]) -> R) -> R {
                    unreachable!("other two methods implemented")
                }
                fn encode_var_ule_len(&self) -> usize {
                    (**self).encode_var_ule_len()
                }
                fn encode_var_ule_write(&self, mut dst: &mut [u8]) {
                    (**self).encode_var_ule_write(dst)
                }
            }
        }
    }

    fn zero_from(&self, has_from: bool) -> Result<Option<TokenStream>, Refusal> {
        if !self.long.iter().all(|(_, kind)| kind.is_borrowed) {
            return Ok(None);
        }
        let Some(lt) = self.lifetime else {
            return Err(Refusal::new("expected a lifetime"));
        };
        let (name, ule_name) = (self.name, self.ule_name);
        let zero_from = quote!(zerovec::__zerovec_internal_reexport::ZeroFrom);
        let mut values: Vec<TokenStream> = self
            .sized
            .iter()
            .map(|part| {
                let (setter, ty, member) = (part.setter(), &part.ty, &part.member);
                quote!(#setter <#ty as zerovec::ule::AsULE>::from_unaligned(other.#member))
            })
            .collect();
        for (part, kind) in self.long {
            let (setter, ty, ule) = (part.setter(), &part.ty, &kind.ule);
            let (member, getter) = (&part.member, &part.getter);
            let from = match self.long.len() {
                1 => quote!(other.#member),
                _ => quote!(other.#getter()),
            };
            values.push(quote!(#setter <#ty as #zero_from<#lt, #ule>>::zero_from(&#from)));
        }
        let values = self.wrap(&values);
        let from = has_from.then(|| {
            quote! {
                impl<#lt> From<&#lt #ule_name> for #name<#lt> {
                    fn from(other: &#lt #ule_name) -> Self {
                        <Self as #zero_from<#lt, #ule_name>>::zero_from(other)
                    }
                }
            }
        });
        Ok(Some(quote! {
            impl<#lt> #zero_from<#lt, #ule_name> for #name<#lt> {
                fn zero_from(other: &#lt #ule_name) -> Self {
                    Self #values
                }
            }
            #from
        }))
    }

    /// Comparison, and what the options ask for.
    fn rest(&self, options: &Options, names: &Names) -> Expansion {
        let (name, ule_name) = (self.name, self.ule_name);
        let internal = quote!(zerovec::__zerovec_internal_reexport);
        let bytes = match names.has_owned {
            true => format_ident!("as_bytes"),
            false => names.slice_as_bytes.clone(),
        };
        let zero_from = quote!(<#name as #internal::ZeroFrom<#ule_name>>::zero_from);
        let ord = (!options.skips_ord).then(|| {
            quote! {
                impl core::cmp::PartialOrd for #ule_name {
                    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
                        Some(self.cmp(other))
                    }
                }
                impl core::cmp::Ord for #ule_name {
                    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                        let this = #zero_from(self);
                        let other = #zero_from(other);
                        <#name as core::cmp::Ord>::cmp(&this, &other)
                    }
                }
            }
        });
        let debug = options.has_debug.then(|| {
            quote! {
                impl core::fmt::Debug for #ule_name {
                    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
                        let this = #zero_from(self);
                        <#name as core::fmt::Debug>::fmt(&this, f)
                    }
                }
            }
        });
        let hash = options.has_hash.then(|| {
            quote! {
                impl core::hash::Hash for #ule_name {
                    fn hash<H>(&self, state: &mut H) where H: core::hash::Hasher {
                        state.write(<#ule_name as zerovec::ule::VarULE>::#bytes(&self));
                    }
                }
            }
        });
        let to_owned = (names.has_owned && !options.skips_to_owned).then(|| {
            quote! {
                impl #internal::borrow::ToOwned for #ule_name {
                    type Owned = #internal::boxed::Box<Self>;
                    fn to_owned(&self) -> Self::Owned {
                        zerovec::ule::encode_varule_to_box(self)
                    }
                }
            }
        });
        let map = (!options.skips_map).then(|| {
            quote! {
                impl<'a> zerovec::maps::ZeroMapKV<'a> for #ule_name {
                    type Container = zerovec::VarZeroVec<'a, #ule_name>;
                    type Slice = zerovec::VarZeroSlice<#ule_name>;
                    type GetType = #ule_name;
                    type OwnedType = #internal::boxed::Box<#ule_name>;
                }
            }
        });
        let serde = self.serde(options, names)?;
        Ok(quote! {
            impl core::cmp::PartialEq for #ule_name {
                fn eq(&self, other: &Self) -> bool {
                    <Self as zerovec::ule::VarULE>::#bytes(&self)
                        == <Self as zerovec::ule::VarULE>::#bytes(&other)
                }
            }
            impl core::cmp::Eq for #ule_name {}
            #ord #debug #hash #to_owned #map #serde
        })
    }

    fn serde(&self, options: &Options, names: &Names) -> Expansion {
        if !options.has_serialize && !options.has_deserialize {
            return Ok(TokenStream::new());
        }
        if !names.has_owned {
            return Err(Refusal::new("serde impls of this release are not known"));
        }
        let (name, ule_name) = (self.name, self.ule_name);
        let internal = quote!(zerovec::__zerovec_internal_reexport);
        let serde = quote!(#internal::serde);
        let serialize = options.has_serialize.then(|| {
            quote! {
                impl #serde::Serialize for #ule_name {
                    fn serialize<S>(&self, serializer: S) -> Result<S::Ok, S::Error>
                    where S: #serde::Serializer
                    {
                        if serializer.is_human_readable() {
                            let this =
                                <#name as #internal::ZeroFrom<#ule_name>>::zero_from(self);
                            <#name as #serde::Serialize>::serialize(&this, serializer)
                        } else {
                            serializer.serialize_bytes(zerovec::ule::VarULE::as_bytes(self))
                        }
                    }
                }
            }
        });
        let error = format!("&{ule_name} can only deserialize in zero-copy ways");
        let deserialize = options.has_deserialize.then(|| {
            quote! {
                impl<'de> #serde::Deserialize<'de> for #internal::boxed::Box<#ule_name> {
                    fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
                    where D: #serde::Deserializer<'de>
                    {
                        if deserializer.is_human_readable() {
                            let this = <#name as #serde::Deserialize>::deserialize(deserializer)?;
                            Ok(zerovec::ule::encode_varule_to_box(&this))
                        } else {
                            let deserialized = <&#ule_name>::deserialize(deserializer)?;
                            Ok(zerovec::ule::VarULE::to_boxed(deserialized))
                        }
                    }
                }
                impl<'a, 'de: 'a> #serde::Deserialize<'de> for &'a #ule_name {
                    fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
                    where D: #serde::Deserializer<'de>
                    {
                        if !deserializer.is_human_readable() {
                            let bytes = <&[u8]>::deserialize(deserializer)?;
                            <#ule_name as zerovec::ule::VarULE>::parse_bytes(bytes)
                                .map_err(#serde::de::Error::custom)
                        } else {
                            Err(#serde::de::Error::custom(#error))
                        }
                    }
                }
            }
        });
        Ok(quote!(#serialize #deserialize))
    }
}
