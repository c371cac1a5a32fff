//! What is projected: the fields of a struct, or of each variant.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Fields, Member, Type, Visibility};

/// A field, and how it is projected.
pub(super) struct ProjectedField<'a> {
    pub(super) vis: &'a Visibility,
    pub(super) member: Member,
    /// The variable that the field is bound to.
    pub(super) binding: Ident,
    pub(super) ty: &'a Type,
    pub(super) pinned: bool,
}

/// A struct or one variant of an enum.
pub(super) struct Shape<'a> {
    pub(super) variant: Option<&'a Ident>,
    pub(super) is_named: bool,
    pub(super) fields: Vec<ProjectedField<'a>>,
}

impl<'a> Shape<'a> {
    pub(super) fn new(variant: Option<&'a Ident>, fields: &'a Fields, pinned: &[bool]) -> Self {
        let is_named = matches!(fields, Fields::Named(_));
        let fields = fields.iter().zip(pinned).enumerate();
        let fields = fields
            .map(|(index, (field, &pinned))| ProjectedField {
                vis: &field.vis,
                member: match &field.ident {
                    Some(ident) => Member::Named(ident.clone()),
                    None => Member::Unnamed(index.into()),
                },
                binding: field
                    .ident
                    .clone()
                    .unwrap_or_else(|| format_ident!("_{index}")),
                ty: &field.ty,
                pinned,
            })
            .collect();
        Self {
            variant,
            is_named,
            fields,
        }
    }

    /// Delimiters and separators around one piece per field.
    pub(super) fn delimited(&self, pieces: impl Iterator<Item = TokenStream>) -> TokenStream {
        match (self.is_named, self.fields.is_empty()) {
            (true, _) => quote!({ #(#pieces,)* }),
            (false, false) => quote!((#(#pieces,)*)),
            (false, true) => TokenStream::new(),
        }
    }

    /// The fields as they are declared in a projected type.
    pub(super) fn declaration(
        &self,
        ty: impl Fn(&ProjectedField<'_>) -> TokenStream,
    ) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let ProjectedField { vis, member, .. } = field;
            let ty = ty(field);
            if self.is_named {
                quote!(#vis #member: #ty)
            } else {
                quote!(#vis #ty)
            }
        }))
    }

    /// The fields bound to variables.
    pub(super) fn pattern(&self) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let binding = &field.binding;
            quote!(#binding)
        }))
    }

    /// The fields of a projected value.
    pub(super) fn construction(
        &self,
        value: impl Fn(&ProjectedField<'_>) -> TokenStream,
    ) -> TokenStream {
        self.delimited(self.fields.iter().map(|field| {
            let member = &field.member;
            let value = value(field);
            if self.is_named {
                quote!(#member: #value)
            } else {
                value
            }
        }))
    }

    /// `Type` or `Type::Variant`.
    pub(super) fn path(&self, ty: &Ident) -> TokenStream {
        match self.variant {
            Some(variant) => quote!(#ty::#variant),
            None => quote!(#ty),
        }
    }
}
