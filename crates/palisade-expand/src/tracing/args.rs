//! The arguments of `#[instrument(..)]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, LitInt, LitStr, Path, Token, braced, parenthesized};

/// How the event for a result is written.
#[derive(Default)]
pub(super) enum Format {
    #[default]
    Default,
    Display,
    Debug,
}

/// `err(..)` or `ret(..)`
#[derive(Default)]
pub(super) struct Event {
    pub(super) level: Option<TokenStream>,
    pub(super) format: Format,
}

/// All arguments.
#[derive(Default)]
pub(super) struct Args {
    pub(super) name: Option<TokenStream>,
    pub(super) parent: Option<Expr>,
    pub(super) follows_from: Option<Expr>,
    pub(super) skips: Vec<Ident>,
    pub(super) skip_all: bool,
    pub(super) fields: Vec<Field>,
    pub(super) err: Option<Event>,
    pub(super) ret: Option<Event>,
    level: Option<TokenStream>,
    target: Option<TokenStream>,
}

impl Args {
    pub(super) fn level(&self) -> TokenStream {
        self.level
            .clone()
            .unwrap_or_else(|| quote!(::tracing::Level::INFO))
    }

    pub(super) fn target(&self) -> TokenStream {
        self.target
            .clone()
            .unwrap_or_else(|| quote!(module_path!()))
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            if input.peek(LitStr) {
                args.name = Some(input.parse::<LitStr>()?.into_token_stream());
                continue;
            }
            let Some(keyword) = input.call(Ident::parse_any).ok() else {
                // What it does not know, the macro only warns about.
                input.parse::<TokenTree>()?;
                continue;
            };
            match keyword.to_string().as_str() {
                "name" => args.name = Some(text_or_name(input)?),
                "target" => args.target = Some(text_or_name(input)?),
                "parent" => args.parent = Some(assigned(input)?),
                "follows_from" => args.follows_from = Some(assigned(input)?),
                "level" => args.level = Some(level(input)?),
                "skip_all" => args.skip_all = true,
                "skip" => {
                    let names;
                    parenthesized!(names in input);
                    let names = names.parse_terminated(Ident::parse_any, Token![,])?;
                    args.skips.extend(names);
                }
                "fields" => {
                    let fields;
                    parenthesized!(fields in input);
                    args.fields
                        .extend(fields.parse_terminated(Field::parse, Token![,])?);
                }
                "err" => args.err = Some(event(input)?),
                "ret" => args.ret = Some(event(input)?),
                _ => {}
            }
        }
        Ok(args)
    }
}

fn assigned<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn text_or_name(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) {
        Ok(input.parse::<LitStr>()?.into_token_stream())
    } else {
        Ok(input.parse::<Ident>()?.into_token_stream())
    }
}

fn level(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    input.parse::<Token![=]>()?;
    let name = if input.peek(LitStr) {
        input.parse::<LitStr>()?.value().to_ascii_uppercase()
    } else if input.peek(LitInt) {
        input.parse::<LitInt>()?.base10_digits().to_owned()
    } else {
        return Ok(input.parse::<Path>()?.into_token_stream());
    };
    Ok(match name.as_str() {
        "TRACE" | "1" => quote!(::tracing::Level::TRACE),
        "DEBUG" | "2" => quote!(::tracing::Level::DEBUG),
        "INFO" | "3" => quote!(::tracing::Level::INFO),
        "WARN" | "4" => quote!(::tracing::Level::WARN),
        "ERROR" | "5" => quote!(::tracing::Level::ERROR),
        _ => return Err(input.error("unknown level")),
    })
}

fn event(input: ParseStream<'_>) -> syn::Result<Event> {
    let mut event = Event::default();
    if !input.peek(syn::token::Paren) {
        return Ok(event);
    }
    let inside;
    parenthesized!(inside in input);
    while !inside.is_empty() {
        let keyword = inside.call(Ident::parse_any)?;
        match keyword.to_string().as_str() {
            "level" => event.level = Some(level(&inside)?),
            "Display" => event.format = Format::Display,
            "Debug" => event.format = Format::Debug,
            _ => return Err(syn::Error::new(keyword.span(), "unknown format")),
        }
        inside.parse::<Option<Token![,]>>()?;
    }
    Ok(event)
}

/// One entry of `fields(..)`.
pub(super) struct Field {
    name: Name,
    /// `%` or `?`
    sigil: Option<TokenStream>,
    value: Option<Expr>,
}

enum Name {
    Dotted(Punctuated<Ident, Token![.]>),
    Computed(Box<Expr>),
}

impl Field {
    /// Whether the field replaces the recording of this parameter.
    pub(super) fn is_named(&self, param: &Ident) -> bool {
        matches!(&self.name, Name::Dotted(name)
            if name.first() == name.last() && name.first() == Some(param))
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut sigil = sigil_of(input)?;
        let name = if input.peek(syn::token::Brace) {
            let inside;
            braced!(inside in input);
            Name::Computed(Box::new(inside.parse()?))
        } else {
            Name::Dotted(Punctuated::parse_separated_nonempty_with(
                input,
                Ident::parse_any,
            )?)
        };
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            sigil = sigil_of(input)?.or(sigil);
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { name, sigil, value })
    }
}

fn sigil_of(input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    Ok(if input.parse::<Option<Token![%]>>()?.is_some() {
        Some(quote!(%))
    } else {
        input.parse::<Option<Token![?]>>()?.map(|_| quote!(?))
    })
}

impl ToTokens for Field {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let name = match &self.name {
            Name::Dotted(name) => name.to_token_stream(),
            Name::Computed(expr) => quote!({ #expr }),
        };
        let sigil = &self.sigil;
        tokens.extend(match (&self.value, sigil) {
            (Some(value), _) => quote!(#name = #sigil #value),
            // A field without a value is filled in later.
            (None, None) => quote!(#name = ::tracing::field::Empty),
            (None, Some(_)) => quote!(#sigil #name),
        });
    }
}
