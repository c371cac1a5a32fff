//! `EnumIter`: an iterator over the variants.

use quote::{format_ident, quote};

use super::with_enum;
use crate::Invocation;
use crate::support::{Expansion, Refusal};

pub(super) fn enum_iter(invocation: &Invocation<'_>) -> Expansion {
    with_enum(invocation, |item| {
        if item.input.generics.lifetimes().next().is_some() {
            return Err(Refusal::new("EnumIter does not support lifetimes"));
        }
        let (name, vis, strum) = (&item.input.ident, &item.input.vis, item.strum());
        let iter = format_ident!("{name}Iter");
        let generics = &item.input.generics;
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let types = generics.type_params().map(|param| &param.ident);
        let marker = quote!(::core::marker::PhantomData<fn() -> (#(#types),*)>);
        let count = item.enabled().count();
        let mut arms = proc_macro2::TokenStream::new();
        for (index, variant) in item.enabled().enumerate() {
            let (ident, fields) = (variant.ident, variant.defaults());
            arms.extend(quote!(#index => ::core::option::Option::Some(#name::#ident #fields),));
        }
        let declared = &generics.params;
        let text = iter.to_string();
        let next = quote!(::core::option::Option<<Self as Iterator>::Item>);
        Ok(quote! {
            #[allow(missing_copy_implementations)]
            #vis struct #iter<#declared> #where_clause {
                idx: usize,
                back_idx: usize,
                marker: #marker,
            }
            #[automatically_derived]
            impl #impl_generics ::core::fmt::Debug for #iter #ty_generics #where_clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#text).field("len", &self.len()).finish()
                }
            }
            #[automatically_derived]
            impl #impl_generics #iter #ty_generics #where_clause {
                fn get(&self, idx: usize) -> ::core::option::Option<#name #ty_generics> {
                    match idx {
                        #arms
                        _ => ::core::option::Option::None,
                    }
                }
            }
            #[automatically_derived]
            impl #impl_generics #strum::IntoEnumIterator for #name #ty_generics #where_clause {
                type Iterator = #iter #ty_generics;
                #[inline]
                fn iter() -> #iter #ty_generics {
                    #iter { idx: 0, back_idx: 0, marker: ::core::marker::PhantomData }
                }
            }
            #[automatically_derived]
            impl #impl_generics ::core::iter::Iterator for #iter #ty_generics #where_clause {
                type Item = #name #ty_generics;
                #[inline]
                fn next(&mut self) -> #next {
                    self.nth(0)
                }
                #[inline]
                fn size_hint(&self) -> (usize, ::core::option::Option<usize>) {
                    let t = if self.idx + self.back_idx >= #count {
                        0
                    } else {
                        #count - self.idx - self.back_idx
                    };
                    (t, ::core::option::Option::Some(t))
                }
                #[inline]
                fn nth(&mut self, n: usize) -> #next {
                    let idx = self.idx + n + 1;
                    if idx + self.back_idx > #count {
                        self.idx = #count;
                        ::core::option::Option::None
                    } else {
                        self.idx = idx;
                        #iter::get(self, idx - 1)
                    }
                }
            }
            #[automatically_derived]
            impl #impl_generics ::core::iter::ExactSizeIterator for #iter #ty_generics #where_clause {
                #[inline]
                fn len(&self) -> usize {
                    self.size_hint().0
                }
            }
            #[automatically_derived]
            impl #impl_generics ::core::iter::DoubleEndedIterator for #iter #ty_generics #where_clause {
                #[inline]
                fn next_back(&mut self) -> #next {
                    let back_idx = self.back_idx + 1;
                    if self.idx + back_idx > #count {
                        self.back_idx = #count;
                        ::core::option::Option::None
                    } else {
                        self.back_idx = back_idx;
                        #iter::get(self, #count - self.back_idx)
                    }
                }
            }
            #[automatically_derived]
            impl #impl_generics ::core::iter::FusedIterator for #iter #ty_generics #where_clause {}
            #[automatically_derived]
            impl #impl_generics ::core::clone::Clone for #iter #ty_generics #where_clause {
                #[inline]
                fn clone(&self) -> #iter #ty_generics {
                    #iter { idx: self.idx, back_idx: self.back_idx, marker: self.marker.clone() }
                }
            }
        })
    })
}
