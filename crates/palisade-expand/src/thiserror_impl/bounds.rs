//! The `where` predicates that generic fields need.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, Generics, PathArguments, Type, WhereClause, parse_quote};

/// Predicates in order of their first mention, each bound once per type.
pub(super) struct Bounds<'i> {
    parameters: Vec<&'i Ident>,
    predicates: Vec<(TokenStream, Vec<TokenStream>)>,
}

impl<'i> Bounds<'i> {
    pub(super) fn new(parameters: &[&'i Ident]) -> Self {
        Self {
            parameters: parameters.to_vec(),
            predicates: Vec::new(),
        }
    }

    /// Bounds `ty` if the field's type mentions a type parameter.
    pub(super) fn add(&mut self, field: &Type, ty: &Type, bound: TokenStream) {
        if self.mentions_parameter(field) {
            self.always(ty.to_token_stream(), bound);
        }
    }

    /// Bounds `ty` in any case.
    pub(super) fn always(&mut self, ty: TokenStream, bound: TokenStream) {
        let text = ty.to_string();
        let known = |(known, _): &&mut (TokenStream, _)| known.to_string() == text;
        match self.predicates.iter_mut().find(known) {
            Some((_, bounds)) => {
                if bounds
                    .iter()
                    .all(|known| known.to_string() != bound.to_string())
                {
                    bounds.push(bound);
                }
            }
            None => self.predicates.push((ty, vec![bound])),
        }
    }

    /// The `where` clause of `generics` with these predicates added.
    pub(super) fn extend(&self, generics: &Generics) -> Option<WhereClause> {
        let mut generics = generics.clone();
        for (ty, bounds) in &self.predicates {
            let predicate = quote!(#ty: #(#bounds)+*);
            generics
                .make_where_clause()
                .predicates
                .push(parse_quote!(#predicate));
        }
        generics.where_clause
    }

    fn mentions_parameter(&self, ty: &Type) -> bool {
        let Type::Path(path) = ty else { return false };
        let at_front = match &path.qself {
            Some(qself) => self.mentions_parameter(&qself.ty),
            None => path.path.segments.first().is_some_and(|first| {
                first.arguments.is_none() && self.parameters.contains(&&first.ident)
            }),
        };
        at_front
            || path.path.segments.iter().any(|segment| {
                match &segment.arguments {
                PathArguments::AngleBracketed(list) => list.args.iter().any(|argument| {
                    matches!(argument, GenericArgument::Type(ty) if self.mentions_parameter(ty))
                }),
                _ => false,
            }
            })
    }
}
