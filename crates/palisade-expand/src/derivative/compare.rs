//! `Eq`, `PartialEq`, `PartialOrd` and `Ord`.

use std::cmp::Ordering;

use proc_macro2::TokenStream;
use quote::quote;

use super::{Derive, Says, Variant};
use crate::support::{Expansion, Refusal};

impl Derive<'_> {
    pub(super) fn eq(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::cmp::Eq);
        let generics = self.generics(says, "Eq", "PartialEq", &of)?;
        Ok(self.implement(&generics, &of, &TokenStream::new()))
    }

    pub(super) fn partial_eq(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::cmp::PartialEq);
        let generics = self.generics(says, "PartialEq", "PartialEq", &of)?;
        let same = if self.is_enum {
            let discriminant = quote!(::#library::mem::discriminant);
            quote!((#discriminant(&*self) == #discriminant(&*other)))
        } else {
            quote!(true)
        };
        let has_fields = self.variants.iter().any(|variant| !variant.is_unit);
        let fields = if self.is_enum && !has_fields {
            quote!(true)
        } else {
            self.equal_fields()?
        };
        let members = quote! {
            fn eq(&self, other: &Self) -> bool {
                #same && #fields
            }
        };
        Ok(self.implement(&generics, &of, &members))
    }

    fn equal_fields(&self) -> Expansion {
        let mut arms = TokenStream::new();
        for variant in &self.variants {
            // A tuple of references binds by reference anyway.
            let mode = (self.variants.len() == 1).then(|| quote!(ref));
            let mode = mode.unwrap_or_default();
            let (left, left_names) = variant.pattern("__self", &mode);
            let (right, right_names) = variant.pattern("__other", &mode);
            let mut body = quote!(true);
            for (field, (left, right)) in variant
                .fields
                .iter()
                .zip(left_names.iter().zip(&right_names))
            {
                if field.is_ignored("PartialEq")? {
                    continue;
                }
                body.extend(match field.path("PartialEq", "compare_with")? {
                    Some(with) => quote!(&& #with(&(*#left), &(*#right))),
                    None => quote!(&& &(*#left) == &(*#right)),
                });
            }
            if self.variants.len() == 1 {
                return Ok(quote! {
                    match *self {
                        #left => match *other { #right => #body, },
                    }
                });
            }
            arms.extend(quote!((#left, #right) => { #body }));
        }
        Ok(quote! {
            match (&*self, &*other) {
                #arms
                _ => unreachable!(),
            }
        })
    }

    pub(super) fn partial_ord(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::cmp::PartialOrd);
        let generics = self.generics(says, "PartialOrd", "PartialOrd", &of)?;
        let (option, ordering) = (
            quote!(::#library::option::Option),
            quote!(::#library::cmp::Ordering),
        );
        let body = self.ordered(
            "PartialOrd",
            &quote!(#of::partial_cmp),
            &|result| quote!(#option::Some(#ordering::#result)),
        )?;
        let members = quote! {
            fn partial_cmp(&self, other: &Self) -> #option<#ordering> { #body }
        };
        Ok(self.implement(&generics, &of, &members))
    }

    pub(super) fn ord(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::cmp::Ord);
        let generics = self.generics(says, "Ord", "Ord", &of)?;
        let ordering = quote!(::#library::cmp::Ordering);
        let body = self.ordered(
            "Ord",
            &quote!(#of::cmp),
            &|result| quote!(#ordering::#result),
        )?;
        let members = quote!(fn cmp(&self, other: &Self) -> #ordering { #body });
        Ok(self.implement(&generics, &of, &members))
    }

    /// Compares variant with variant, and fields of the same variant in order.
    fn ordered(
        &self,
        name: &str,
        compare: &TokenStream,
        result: &dyn Fn(TokenStream) -> TokenStream,
    ) -> Expansion {
        let mut arms = TokenStream::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let (pattern, _) = variant.pattern("__self", &quote!(ref));
            let mut inner = TokenStream::new();
            for (other_index, other) in self.variants.iter().enumerate() {
                let (pattern, _) = other.pattern("__other", &quote!(ref));
                let body = match index.cmp(&other_index) {
                    Ordering::Less => result(quote!(Less)),
                    Ordering::Greater => result(quote!(Greater)),
                    Ordering::Equal => lexical(variant, name, compare, &result(quote!(Equal)))?,
                };
                inner.extend(quote!(#pattern => { #body }));
            }
            arms.extend(quote!(#pattern => { match *other { #inner } }));
        }
        Ok(quote!(match *self { #arms }))
    }
}

/// The first difference between the fields of two values of a variant.
fn lexical(
    variant: &Variant<'_>,
    name: &str,
    compare: &TokenStream,
    equal: &TokenStream,
) -> Result<TokenStream, Refusal> {
    let (_, left_names) = variant.pattern("__self", &quote!(ref));
    let (_, right_names) = variant.pattern("__other", &quote!(ref));
    let mut body = equal.clone();
    let pairs = left_names.iter().zip(&right_names);
    for (field, (left, right)) in variant.fields.iter().zip(pairs).rev() {
        if field.is_ignored(name)? {
            continue;
        }
        let with = match field.path(name, "compare_with")? {
            Some(with) => quote!(#with),
            None => compare.clone(),
        };
        body = quote! {
            match #with(&(*#left), &(*#right)) {
                #equal => #body,
                __derive_ordering_other => __derive_ordering_other,
            }
        };
    }
    Ok(body)
}
