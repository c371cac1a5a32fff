//! `Debug`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{GenericParam, Path, parse_quote};

use super::{Derive, Field, Says};
use crate::options::Options;
use crate::support::{Expansion, Refusal};

impl Derive<'_> {
    pub(super) fn debug(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::fmt::Debug);
        let generics = self.generics(says, "Debug", "Debug", &of)?;
        let mut arms = TokenStream::new();
        for variant in &self.variants {
            let (pattern, names) = variant.pattern("__arg", &quote!(ref));
            let own = Options::of(variant.attrs, "derivative")?;
            let is_transparent =
                Says::of(&own, "Debug")?.is_some_and(|says| says.has("transparent"));
            let mut shown = TokenStream::new();
            for (field, name) in variant.fields.iter().zip(&names) {
                if field.is_ignored("Debug")? {
                    continue;
                }
                if is_transparent {
                    shown.extend(quote!(#of::fmt(__arg_0, __f)));
                    continue;
                }
                let label = field.ident.map(|ident| {
                    let label = ident.to_string();
                    quote!(#label,)
                });
                shown.extend(match field.path("Debug", "format_with")? {
                    Some(with) => {
                        let dummy = self.dummy(field, name, &with, says)?;
                        quote!(#dummy let _ = __debug_trait_builder.field(#label &#name);)
                    }
                    None => quote!(let _ = __debug_trait_builder.field(#label &&(*#name));),
                });
            }
            let body = if is_transparent {
                shown
            } else {
                let method = if variant.is_named {
                    quote!(debug_struct)
                } else {
                    quote!(debug_tuple)
                };
                let label = variant.ident.to_string();
                quote! {
                    let mut __debug_trait_builder = __f.#method(#label);
                    #shown
                    __debug_trait_builder.finish()
                }
            };
            arms.extend(quote!(#pattern => { #body }));
        }
        let members = quote! {
            fn fmt(&self, __f: &mut ::#library::fmt::Formatter) -> ::#library::fmt::Result {
                match *self { #arms }
            }
        };
        Ok(self.implement(&generics, &of, &members))
    }

    /// A field in a wrapper whose `Debug` calls the given function.
    fn dummy(
        &self,
        field: &Field<'_>,
        name: &Ident,
        with: &Path,
        says: &Says,
    ) -> Result<TokenStream, Refusal> {
        let library = &self.library;
        let mut generics = self.input.generics.clone();
        for param in generics.type_params_mut() {
            param.eq_token = None;
            param.default = None;
        }
        let own: GenericParam = parse_quote!('_derivative);
        generics.params.insert(0, own);
        let params: Vec<_> = generics.type_params().map(|it| it.ident.clone()).collect();
        let clause = generics.make_where_clause();
        clause
            .predicates
            .extend(field.says("Debug")?.bound.unwrap_or_default());
        for param in &params {
            clause.predicates.push(parse_quote!(#param: '_derivative));
        }
        clause
            .predicates
            .extend(says.bound.iter().flatten().cloned());
        let mut used = generics.clone();
        if let Some(first) = used.lifetimes_mut().next() {
            first.lifetime = parse_quote!('_);
        }
        let (_, used_generics, _) = used.split_for_impl();
        let used_generics = used_generics.as_turbofish();
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let ty = field.ty;
        let phantom = quote!(::#library::marker::PhantomData);
        Ok(quote! {
            let #name = {
                struct Dummy #impl_generics (&'_derivative #ty, #phantom<(#(#params,)*)>)
                    #where_clause;
                impl #impl_generics ::#library::fmt::Debug for Dummy #ty_generics #where_clause {
                    fn fmt(
                        &self,
                        __f: &mut ::#library::fmt::Formatter,
                    ) -> ::#library::fmt::Result {
                        match self.0 {
                            this => #with(this, __f),
                        }
                    }
                }
                Dummy #used_generics (&&(*#name), #phantom)
            };
        })
    }
}
