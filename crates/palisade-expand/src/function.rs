//! Functions as attribute macros see them.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility};

/// A function whose body is left as it is written.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The attributes inside the body.
    inner: TokenStream,
    /// The rest of the body, with its braces.
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let (inner, body) = match input.parse()? {
            TokenTree::Group(body) => split(&body),
            other => return Err(syn::Error::new(other.span(), "expected a body")),
        };
        Ok(Self {
            attrs,
            vis,
            sig,
            inner,
            body,
        })
    }
}

impl Function {
    /// The same function with these statements as its body.
    pub(crate) fn with_body(&self, statements: &TokenStream) -> TokenStream {
        let Self {
            attrs,
            vis,
            sig,
            inner,
            ..
        } = self;
        quote::quote!(#(#attrs)* #vis #sig { #inner #statements })
    }

    /// The output type, `()` when there is none.
    pub(crate) fn output(&self) -> TokenStream {
        match &self.sig.output {
            syn::ReturnType::Default => quote::quote!(()),
            syn::ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }
}

/// A body's `#![..]` attributes, and the body without them.
fn split(body: &Group) -> (TokenStream, Group) {
    let tokens: Vec<_> = body.stream().into_iter().collect();
    let is = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    let attributes = tokens
        .chunks_exact(3)
        .take_while(|chunk| {
            is(&chunk[0], '#') && is(&chunk[1], '!') && matches!(chunk[2], TokenTree::Group(_))
        })
        .count();
    let (inner, rest) = tokens.split_at(3 * attributes);
    let mut outer = Group::new(body.delimiter(), rest.iter().cloned().collect());
    outer.set_span(body.span());
    (inner.iter().cloned().collect(), outer)
}
