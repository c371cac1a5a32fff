//! `displaydoc`: `Display` as the documentation comment says.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Fields, Lit, LitStr, Meta, Type, WherePredicate,
    parse_quote,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("displaydoc", "Display", display)];

fn display(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = bounded(&input);
    let body = match &input.data {
        Data::Struct(data) => match message(&input.attrs)? {
            Some(message) => {
                let pattern = match &data.fields {
                    Fields::Unit => quote!(_),
                    fields => pattern(&quote!(Self), fields),
                };
                quote! {
                    #[allow(unused_variables, unused_assignments)]
                    let #pattern = self;
                    #message
                }
            }
            None => TokenStream::new(),
        },
        Data::Enum(data) if data.variants.is_empty() => {
            quote!(unreachable!(
                "empty enums cannot be instantiated and thus cannot be printed"
            ))
        }
        Data::Enum(data) => {
            let prefix = if has(&input.attrs, "prefix_enum_doc_attributes") {
                let message = message(&input.attrs)?;
                quote!(#message?; write!(formatter, ": ")?;)
            } else {
                TokenStream::new()
            };
            let mut arms = TokenStream::new();
            for variant in &data.variants {
                let ident = &variant.ident;
                let pattern = pattern(&quote!(Self::#ident), &variant.fields);
                let message = message_of(&variant.attrs, &input.attrs)?
                    .ok_or_else(|| Refusal::new("a variant without documentation"))?;
                arms.extend(quote!(#pattern => { #prefix #message },));
            }
            quote! {
                #[allow(unused_variables, unused_assignments)]
                match self { #arms }
            }
        }
        Data::Union(_) => return Err(Refusal::new("a union cannot be displayed")),
    };
    let helpers = helpers();
    let implementation = (!body.is_empty()).then(|| {
        quote! {
            impl #impl_generics ::core::fmt::Display for #name #ty_generics #where_clause {
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                    #body
                }
            }
        }
    });
    Ok(quote! {
        #[allow(non_upper_case_globals, unused_attributes, unused_qualifications)]
        const _: () = {
            #helpers
            #implementation
        };
    })
}

fn pattern(path: &TokenStream, fields: &Fields) -> TokenStream {
    match fields {
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!(#path { #(#names),* })
        }
        Fields::Unnamed(fields) => {
            let names = (0..fields.unnamed.len()).map(|index| format_ident!("_{index}"));
            quote!(#path(#(#names),*))
        }
        Fields::Unit => path.clone(),
    }
}

/// What lets a path be displayed like anything else.
fn helpers() -> TokenStream {
    quote! {
        trait DisplayToDisplayDoc {
            fn __displaydoc_display(&self) -> Self;
        }
        impl<T: ::core::fmt::Display> DisplayToDisplayDoc for &T {
            fn __displaydoc_display(&self) -> Self {
                self
            }
        }
        extern crate std;
        trait PathToDisplayDoc {
            fn __displaydoc_display(&self) -> std::path::Display<'_>;
        }
        impl PathToDisplayDoc for std::path::Path {
            fn __displaydoc_display(&self) -> std::path::Display<'_> {
                self.display()
            }
        }
        impl PathToDisplayDoc for std::path::PathBuf {
            fn __displaydoc_display(&self) -> std::path::Display<'_> {
                self.display()
            }
        }
    }
}

/// The where clause: a type parameter without any bound has to be `Display`.
fn bounded(input: &DeriveInput) -> syn::WhereClause {
    let mut clause = input.generics.where_clause.clone();
    let clause = clause.get_or_insert_with(|| parse_quote!(where));
    for param in input.generics.type_params() {
        let ident = &param.ident;
        let is_it = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident(ident));
        let is_bounded = !param.bounds.is_empty()
            || clause.predicates.iter().any(
                |predicate| matches!(predicate, WherePredicate::Type(it) if is_it(&it.bounded_ty)),
            );
        if !is_bounded {
            clause
                .predicates
                .push(parse_quote!(#ident: ::core::fmt::Display));
        }
    }
    clause.clone()
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident(name))
}

fn message(attributes: &[Attribute]) -> Result<Option<TokenStream>, Refusal> {
    message_of(attributes, attributes)
}

/// The `write!` for an attribute or a documentation comment. What `on_type` is
/// on says whether further paragraphs are ignored.
fn message_of(
    attributes: &[Attribute],
    on_type: &[Attribute],
) -> Result<Option<TokenStream>, Refusal> {
    for attribute in attributes {
        if attribute.path().is_ident("displaydoc") {
            return Ok(Some(written(&attribute.parse_args()?)));
        }
    }
    let mut paragraphs = Vec::new();
    let mut first = None;
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            first.get_or_insert(text.span());
            paragraphs.push(trimmed(&text.value()));
        }
    }
    let Some(span) = first else {
        return Ok(None);
    };
    if has(on_type, "ignore_extra_doc_attributes") {
        let kept = paragraphs
            .iter()
            .take_while(|line| !line.is_empty())
            .count();
        paragraphs.truncate(kept);
    }
    Ok(Some(written(&LitStr::new(&paragraphs.join(" "), span))))
}

/// A comment without the decoration at the start of its lines.
fn trimmed(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.trim().trim_start_matches('*').trim())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// The call that writes a message: `{name}` and `{0}` become arguments.
fn written(literal: &LitStr) -> TokenStream {
    let value = literal.value();
    let (mut text, mut arguments) = (String::new(), TokenStream::new());
    let mut rest = value.as_str();
    while let Some(brace) = rest.find('{') {
        text += &rest[..=brace];
        rest = &rest[brace + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            text.push('{');
            rest = escaped;
            continue;
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("_{name}")
        } else {
            name.to_owned()
        };
        let Ok(ident) = syn::parse_str::<Ident>(&name) else {
            // A placeholder in any other form is left to the formatter.
            return quote!(write!(formatter, #literal));
        };
        rest = after;
        arguments.extend(if after.starts_with('}') {
            quote!(, #ident.__displaydoc_display())
        } else {
            quote!(, #ident)
        });
    }
    text += rest;
    let text = LitStr::new(&text, literal.span());
    quote!(write!(formatter, #text #arguments))
}
