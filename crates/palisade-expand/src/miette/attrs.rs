//! What the attributes of a diagnostic and of its fields say.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Fields, Ident, Index, LitInt, LitStr, Member, Path, Token, Type, parenthesized,
    token,
};

use crate::support::{Refusal, at_least};
use crate::thiserror_impl::shorthand;

/// A format string with its arguments, which start with their comma.
pub(super) struct Text {
    format: LitStr,
    args: TokenStream,
}

impl Parse for Text {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let format = input.parse()?;
        let args: TokenStream = input.parse()?;
        Ok(Self {
            format,
            args: shorthand(args.into_iter().collect(), false),
        })
    }
}

impl Text {
    /// `format!(..)`, where the fields are locals: by their names, or `_0`.
    pub(super) fn formatted(&self, fields: &Fields) -> Result<TokenStream, Refusal> {
        let value = self.format.value();
        let is_tuple = matches!(fields, Fields::Unnamed(_));
        let mut named = named(&self.args);
        let mut output = String::new();
        let mut args = self.args.clone();
        let mut rest = value.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            output.push_str(before);
            output.push('{');
            rest = after;
            if let Some(escaped) = rest.strip_prefix('{') {
                output.push('{');
                rest = escaped;
                continue;
            }
            let end = rest
                .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = after;
            let local = match name.parse::<usize>() {
                Ok(index) if is_tuple && index < fields.len() => format_ident!("_{index}"),
                _ if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) => {
                    output.push_str(name);
                    continue;
                }
                _ => syn::parse_str::<Ident>(name)?,
            };
            let argument = match local.to_string().starts_with('_') {
                true => format_ident!("field_{local}"),
                false => local.clone(),
            };
            output.push_str(&argument.to_string());
            if named.insert(argument.to_string()) {
                let ends_with_comma = args
                    .clone()
                    .into_iter()
                    .last()
                    .is_some_and(|last| last.to_string() == ",");
                let comma = (!ends_with_comma).then(<Token![,]>::default);
                args.extend(quote!(#comma #argument = #local));
            }
        }
        output.push_str(rest);
        let format = LitStr::new(&output, self.format.span());
        Ok(quote!(format!(#format #args)))
    }
}

/// The names in `, name = expression, ..`.
fn named(args: &TokenStream) -> BTreeSet<String> {
    let tokens: Vec<_> = args.clone().into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [
                TokenTree::Punct(comma),
                TokenTree::Ident(name),
                TokenTree::Punct(equals),
            ] if comma.as_char() == ',' && equals.as_char() == '=' => Some(name.to_string()),
            _ => None,
        })
        .collect()
}

pub(super) enum Url {
    Text(Text),
    /// The documentation of the type on docs.rs.
    DocsRs,
}

pub(super) enum Help {
    Text(Text),
    Field(Member, Box<Type>),
}

/// What `#[diagnostic(..)]` says, on an enum for all of its variants.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) is_transparent: bool,
    pub(super) forward: Option<Member>,
    pub(super) code: Option<String>,
    pub(super) severity: Option<Ident>,
    pub(super) help: Option<Help>,
    pub(super) url: Option<Url>,
}

impl Attrs {
    pub(super) fn read<'a>(
        attributes: impl Iterator<Item = &'a Attribute>,
    ) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes.filter(|it| it.path().is_ident("diagnostic")) {
            attribute.parse_args_with(|input: ParseStream<'_>| attrs.words(input))?;
        }
        Ok(attrs)
    }

    fn words(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            let is_new = match word.to_string().as_str() {
                "transparent" => !std::mem::replace(&mut self.is_transparent, true),
                "forward" => {
                    let content;
                    parenthesized!(content in input);
                    let member = if content.peek(LitInt) {
                        Member::Unnamed(content.parse::<Index>()?)
                    } else {
                        Member::Named(content.parse()?)
                    };
                    self.forward.replace(member).is_none()
                }
                "code" => self.code.replace(value(input, code)?).is_none(),
                "severity" => self.severity.replace(value(input, severity)?).is_none(),
                "help" => {
                    let help = Help::Text(value(input, Text::parse)?);
                    self.help.replace(help).is_none()
                }
                "url" => self.url.replace(value(input, url)?).is_none(),
                _ => return Err(syn::Error::new(word.span(), "unknown option")),
            };
            if !is_new {
                return Err(syn::Error::new(word.span(), "given more than once"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

/// What is in `word(..)`, or the string in `word = ".."`.
fn value<T>(
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        return parse(&content);
    }
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    syn::parse::Parser::parse2(parse, text.to_token_stream())
}

fn code(input: ParseStream<'_>) -> syn::Result<String> {
    if input.peek(LitStr) {
        return Ok(input.parse::<LitStr>()?.value());
    }
    let path: Path = input.parse()?;
    let segments: Vec<_> = path
        .segments
        .iter()
        .map(|it| it.ident.to_string())
        .collect();
    Ok(segments.join("::"))
}

fn severity(input: ParseStream<'_>) -> syn::Result<Ident> {
    let (word, span) = if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        (text.value(), text.span())
    } else {
        let ident: Ident = input.parse()?;
        (ident.to_string(), ident.span())
    };
    let name = match word.to_lowercase().as_str() {
        "error" | "err" => "Error",
        "warning" | "warn" => "Warning",
        "advice" | "adv" | "info" => "Advice",
        _ => return Err(syn::Error::new(span, "unknown severity")),
    };
    Ok(Ident::new(name, span))
}

fn url(input: ParseStream<'_>) -> syn::Result<Url> {
    if input.peek(LitStr) {
        return Ok(Url::Text(input.parse()?));
    }
    let word: Ident = input.parse()?;
    match word == "docsrs" {
        true => Ok(Url::DocsRs),
        false => Err(syn::Error::new(word.span(), "expected `docsrs`")),
    }
}

#[derive(PartialEq)]
pub(super) enum LabelKind {
    Default,
    Primary,
    Collection,
}

pub(super) struct Label {
    pub(super) member: Member,
    pub(super) ty: Type,
    pub(super) kind: LabelKind,
    pub(super) text: Option<Text>,
}

/// What the attributes of the fields say.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) labels: Vec<Label>,
    /// The field, and whether it may be missing.
    pub(super) source_code: Option<(Member, bool)>,
    pub(super) related: Option<Member>,
    pub(super) help: Option<Help>,
    pub(super) diagnostic_source: Option<Member>,
}

impl Marks {
    pub(super) fn read(fields: &Fields, version: Option<&str>) -> Result<Self, Refusal> {
        let mut marks = Self::default();
        for (member, field) in fields.members().zip(fields) {
            let ty = &field.ty;
            for attribute in &field.attrs {
                let Some(name) = attribute.path().get_ident() else {
                    continue;
                };
                match name.to_string().as_str() {
                    "label" => {
                        let (kind, text) = label(attribute)?;
                        marks.labels.push(Label {
                            member: member.clone(),
                            ty: ty.clone(),
                            kind,
                            text,
                        });
                    }
                    "source_code" if marks.source_code.is_none() => {
                        let is_option = matches!(ty, Type::Path(path)
                            if path.path.segments.last().is_some_and(|it| it.ident == "Option"));
                        if is_option && !at_least(version, (7, 0, 0)) {
                            return Err(Refusal::new("an optional source before 7.0"));
                        }
                        marks.source_code = Some((member.clone(), is_option));
                    }
                    "related" => {
                        marks.related.get_or_insert(member.clone());
                    }
                    "help" => {
                        let help = Help::Field(member.clone(), Box::new(ty.clone()));
                        marks.help.get_or_insert(help);
                    }
                    "diagnostic_source" => {
                        marks.diagnostic_source.get_or_insert(member.clone());
                    }
                    _ => {}
                }
            }
        }
        Ok(marks)
    }
}

/// `#[label]`, `#[label = ".."]` and `#[label(primary, "..", args)]`.
fn label(attribute: &Attribute) -> syn::Result<(LabelKind, Option<Text>)> {
    match &attribute.meta {
        syn::Meta::Path(_) => Ok((LabelKind::Default, None)),
        syn::Meta::NameValue(pair) => {
            let text = syn::parse2(pair.value.to_token_stream())?;
            Ok((LabelKind::Default, Some(text)))
        }
        syn::Meta::List(list) => list.parse_args_with(|input: ParseStream<'_>| {
            let mut kind = LabelKind::Default;
            if input.peek(Ident::peek_any) {
                let word: Ident = input.parse()?;
                kind = match word.to_string().as_str() {
                    "primary" => LabelKind::Primary,
                    "collection" => LabelKind::Collection,
                    _ => return Err(syn::Error::new(word.span(), "unknown kind of label")),
                };
                input.parse::<Option<Token![,]>>()?;
            }
            let text = (!input.is_empty()).then(|| input.parse()).transpose()?;
            Ok((kind, text))
        }),
    }
}
