//! The attributes of an error, a variant or a field.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, TokenStream, TokenTree};
use quote::format_ident;
use syn::parse::ParseStream;
use syn::{Attribute, ExprPath, LitStr, Meta, Token};

/// How an error is displayed.
#[derive(Clone)]
pub(super) enum Template {
    None,
    /// `#[error("..", args)]`; `args` starts with its comma.
    Message {
        text: LitStr,
        args: TokenStream,
    },
    /// `#[error(fmt = path)]`
    Function(ExprPath),
    /// `#[error(transparent)]`
    Transparent,
}

impl Template {
    pub(super) fn is_transparent(&self) -> bool {
        matches!(self, Self::Transparent)
    }
}

/// What thiserror's attributes say about one thing.
pub(super) struct Attrs {
    pub(super) template: Template,
    pub(super) from: bool,
    pub(super) source: bool,
    pub(super) backtrace: bool,
}

impl Attrs {
    pub(super) fn read(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self {
            template: Template::None,
            from: false,
            source: false,
            backtrace: false,
        };
        for attr in attrs {
            let path = attr.path();
            let bare = matches!(attr.meta, Meta::Path(_));
            if path.is_ident("error") {
                read.template = attr.parse_args_with(template)?;
            } else if path.is_ident("from") {
                // With arguments it belongs to another derive.
                read.from |= bare;
            } else if path.is_ident("source") {
                read.source |= bare;
            } else if path.is_ident("backtrace") {
                read.backtrace |= bare;
            }
        }
        Ok(read)
    }

    /// A variant without a template takes the one of its enum.
    pub(super) fn or_template(mut self, outer: &Self) -> Self {
        if matches!(self.template, Template::None) {
            self.template = outer.template.clone();
        }
        self
    }
}

fn template(input: ParseStream<'_>) -> syn::Result<Template> {
    if input.peek(LitStr) {
        let text = input.parse()?;
        let args: TokenStream = input.parse()?;
        let args: Vec<_> = args.into_iter().collect();
        // A lone trailing comma introduces nothing.
        let args = if args.len() > 1 {
            shorthand(args, false)
        } else {
            TokenStream::new()
        };
        return Ok(Template::Message { text, args });
    }
    let keyword: Ident = input.parse()?;
    if keyword == "transparent" {
        return Ok(Template::Transparent);
    }
    if keyword == "fmt" {
        input.parse::<Token![=]>()?;
        return Ok(Template::Function(input.parse()?));
    }
    Err(syn::Error::new(
        keyword.span(),
        "expected a message, `transparent` or `fmt = ..`",
    ))
}

/// Replaces `.field` and `.0`, where an expression begins, by the local of that field.
pub(crate) fn shorthand(tokens: Vec<TokenTree>, mut begins: bool) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    let mut turbofish = 0_usize;
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let mut begins_next = false;
        match token {
            TokenTree::Punct(dot) if begins && dot.as_char() == '.' => match rest.peek() {
                Some(TokenTree::Ident(_)) => {}
                Some(TokenTree::Literal(literal)) if starts_with_digit(literal) => {
                    output.extend(indexed(literal));
                    rest.next();
                }
                _ => output.push(dot.into()),
            },
            TokenTree::Punct(punct) => {
                begins_next = match punct.as_char() {
                    '<' => {
                        if turbofish > 0 || ends_with(&output, "::") {
                            turbofish += 1;
                        }
                        true
                    }
                    '>' if turbofish > 0 && !ends_with(&output, "-") => {
                        turbofish -= 1;
                        false
                    }
                    character => "+&!^,/=>|%;*-".contains(character),
                };
                output.push(punct.into());
            }
            TokenTree::Ident(ident) => {
                begins_next = matches!(
                    ident.to_string().as_str(),
                    "break" | "continue" | "if" | "in" | "match" | "mut" | "return" | "while"
                );
                output.push(ident.into());
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::None => {
                let inner = shorthand(group.stream().into_iter().collect(), true);
                let mut replaced = Group::new(group.delimiter(), inner);
                replaced.set_span(group.span());
                output.push(replaced.into());
            }
            other => output.push(other),
        }
        begins = begins_next;
    }
    output.into_iter().collect()
}

fn starts_with_digit(literal: &Literal) -> bool {
    literal
        .to_string()
        .starts_with(|first: char| first.is_ascii_digit())
}

/// The local of a tuple field; `0.1` is field 1 of field 0.
fn indexed(literal: &Literal) -> Vec<TokenTree> {
    let text = literal.to_string();
    let (first, second) = match text.split_once('.') {
        Some((first, second)) => (first, second.parse::<u32>().ok()),
        None => (text.as_str(), None),
    };
    let is_index = first.bytes().all(|byte| byte.is_ascii_digit());
    if !is_index {
        return vec![literal.clone().into()];
    }
    let mut tokens: Vec<TokenTree> = vec![format_ident!("_{first}").into()];
    if let Some(second) = second {
        tokens.push(Punct::new('.', Spacing::Alone).into());
        tokens.push(Literal::u32_unsuffixed(second).into());
    }
    tokens
}

fn ends_with(tokens: &[TokenTree], punctuation: &str) -> bool {
    tokens.len() >= punctuation.len()
        && tokens.iter().rev().zip(punctuation.chars().rev()).all(
            |(token, wanted)| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted),
        )
}
