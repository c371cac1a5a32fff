//! What `#[snafu(..)]` and doc comments say about an error, a variant or a field.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitBool, LitStr, Meta, Path, Token, Type, Visibility,
    parenthesized, token,
};

use crate::support::Refusal;

/// What stands behind the name of a context selector.
pub(super) enum Suffix {
    /// The one of the enum, or else `Snafu`.
    Default,
    Nothing,
    Word(Ident),
}

/// Whether there is a context selector, and how it is called.
pub(super) enum Context {
    Flag(bool),
    Name(Ident),
    Suffix(Suffix),
}

/// How the value that is given becomes the source.
pub(super) enum From {
    /// It must have the type of the field.
    Exact,
    /// Anything that can be converted into the field's type.
    Generic,
    /// It has this type, and this function makes the field's value out of it.
    Transform(Box<(Type, Expr)>),
}

/// Everything that is written on one thing, each at most once.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) backtrace: Option<bool>,
    pub(super) context: Option<Context>,
    pub(super) crate_root: Option<Path>,
    pub(super) display: Option<Vec<Expr>>,
    /// The first paragraph of the documentation, as one line.
    pub(super) doc: String,
    pub(super) implicit: Option<bool>,
    /// `Some(None)` for a module that is called after the error.
    pub(super) module: Option<Option<Ident>>,
    pub(super) source: Option<bool>,
    pub(super) from: Option<From>,
    pub(super) transparent: Option<bool>,
    pub(super) visibility: Option<TokenStream>,
    pub(super) whatever: Option<()>,
}

impl Attrs {
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        let mut is_first_paragraph = true;
        for attribute in attributes {
            if attribute.path().is_ident("snafu") {
                attribute.parse_args_with(|input: ParseStream<'_>| attrs.words(input))?;
            } else if let Some(line) = doc_line(attribute)
                && is_first_paragraph
            {
                let line = line.value();
                let line = line.trim();
                is_first_paragraph = !line.is_empty();
                if !attrs.doc.is_empty() && is_first_paragraph {
                    attrs.doc.push(' ');
                }
                attrs.doc.push_str(line);
            }
        }
        Ok(attrs)
    }

    /// The comma-separated list inside of one attribute.
    fn words(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "backtrace" => once(&word, &mut self.backtrace, flag(input)?)?,
                "context" => once(&word, &mut self.context, context(input)?)?,
                "crate_root" => {
                    let content;
                    parenthesized!(content in input);
                    once(&word, &mut self.crate_root, content.parse()?)?;
                }
                "display" => {
                    let content;
                    parenthesized!(content in input);
                    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
                    once(&word, &mut self.display, arguments.into_iter().collect())?;
                }
                "implicit" => once(&word, &mut self.implicit, flag(input)?)?,
                "module" => once(&word, &mut self.module, argument(input)?)?,
                // Without the feature for it, which is refused, it has no effect.
                "provide" => {
                    argument::<TokenStream>(input)?;
                }
                "source" => self.sources(&word, input)?,
                "transparent" => once(&word, &mut self.transparent, flag(input)?)?,
                "visibility" => {
                    let visibility = argument::<Visibility>(input)?;
                    once(&word, &mut self.visibility, visibility.to_token_stream())?;
                }
                "whatever" => once(&word, &mut self.whatever, ())?,
                _ => return Err(syn::Error::new(word.span(), "unknown option of `snafu`")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// `source`, `source(false)` and `source(from(Type, function))`.
    fn sources(&mut self, word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.peek(token::Paren) {
            return once(word, &mut self.source, true);
        }
        let content;
        parenthesized!(content in input);
        while !content.is_empty() {
            if content.peek(LitBool) {
                once(word, &mut self.source, content.parse::<LitBool>()?.value)?;
            } else {
                let keyword: Ident = content.parse()?;
                if keyword != "from" {
                    return Err(syn::Error::new(keyword.span(), "expected `from`"));
                }
                let inner;
                parenthesized!(inner in content);
                once(word, &mut self.from, inner.call(from)?)?;
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

fn doc_line(attribute: &Attribute) -> Option<&LitStr> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn once<T>(word: &Ident, place: &mut Option<T>, value: T) -> syn::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(word.span(), "given more than once")),
    }
}

/// What is in the parentheses, if there are any.
fn argument<T: Parse>(input: ParseStream<'_>) -> syn::Result<Option<T>> {
    if !input.peek(token::Paren) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    content.parse().map(Some)
}

/// A word alone is `true`.
fn flag(input: ParseStream<'_>) -> syn::Result<bool> {
    Ok(argument::<LitBool>(input)?.is_none_or(|value| value.value))
}

fn context(input: ParseStream<'_>) -> syn::Result<Context> {
    if !input.peek(token::Paren) {
        return Ok(Context::Flag(true));
    }
    let content;
    parenthesized!(content in input);
    if content.peek(LitBool) {
        return Ok(Context::Flag(content.parse::<LitBool>()?.value));
    }
    let keyword: Ident = content.parse()?;
    let inner;
    parenthesized!(inner in content);
    if keyword == "name" {
        return Ok(Context::Name(inner.parse()?));
    }
    if keyword != "suffix" {
        return Err(syn::Error::new(
            keyword.span(),
            "expected `name` or `suffix`",
        ));
    }
    Ok(Context::Suffix(if inner.peek(LitBool) {
        match inner.parse::<LitBool>()?.value {
            true => Suffix::Default,
            false => Suffix::Nothing,
        }
    } else {
        Suffix::Word(inner.parse()?)
    }))
}

fn from(input: ParseStream<'_>) -> syn::Result<From> {
    let fork = input.fork();
    if let Ok(word) = fork.parse::<Ident>()
        && fork.is_empty()
    {
        let kind = match word.to_string().as_str() {
            "exact" => From::Exact,
            "generic" => From::Generic,
            _ => return Err(fork.error("expected a function")),
        };
        input.parse::<Ident>()?;
        return Ok(kind);
    }
    let ty = input.parse()?;
    input.parse::<Token![,]>()?;
    Ok(From::Transform(Box::new((ty, input.parse()?))))
}

impl Attrs {
    /// The crate that the expansion refers to.
    pub(super) fn root(&self) -> TokenStream {
        match &self.crate_root {
            Some(path) => path.to_token_stream(),
            None => quote!(::snafu),
        }
    }
}
