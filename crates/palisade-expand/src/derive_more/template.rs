//! Format strings: `#[display("{x} and {}", y)]`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token, WherePredicate};

use crate::support::{Refusal, parse_literal};

/// One argument after a format string.
struct Argument {
    name: Option<Ident>,
    value: Expr,
}

/// A format string with its arguments.
pub(super) struct Template {
    literal: LitStr,
    arguments: Vec<Argument>,
}

/// Where a placeholder takes its value from.
#[derive(Clone, PartialEq, Eq)]
enum Source {
    Position(usize),
    Name(String),
}

/// `{source:spec}`, with the trait that the spec calls.
struct Placeholder {
    source: Source,
    of: &'static str,
}

/// What `#[display(..)]` or `#[debug(..)]` says.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) template: Option<Template>,
    pub(super) bounds: Vec<WherePredicate>,
    pub(super) skip: bool,
}

impl Attrs {
    pub(super) fn read(attributes: &[Attribute], name: &str) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident(name))
        {
            if let Meta::List(list) = &attribute.meta {
                list.parse_args_with(|input: ParseStream<'_>| attrs.parse(input))?;
            }
        }
        Ok(attrs)
    }

    fn parse(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(LitStr) {
            self.template = Some(input.parse()?);
            return Ok(());
        }
        let word: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        match word.to_string().as_str() {
            // The form before 1.0.
            "fmt" => {
                input.parse::<Token![=]>()?;
                let mut template: Template = input.parse()?;
                template.parse_string_arguments()?;
                self.template = Some(template);
                // An attribute that does not parse was passed over, such as one
                // whose string ends early at a quotation mark inside of it.
                if !input.is_empty() {
                    input.parse::<TokenStream>()?;
                    self.template = None;
                }
            }
            "bound" | "bounds" | "where" => {
                if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    let bounds: Bounds = parse_literal(&input.parse()?)?;
                    self.bounds.extend(bounds.0);
                } else {
                    let content;
                    syn::parenthesized!(content in input);
                    self.bounds.extend(content.parse::<Bounds>()?.0);
                }
            }
            "skip" | "ignore" => self.skip = true,
            _ => return Err(syn::Error::new(word.span(), "expected a format string")),
        }
        Ok(())
    }
}

struct Bounds(Punctuated<WherePredicate, Token![,]>);

impl Parse for Bounds {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

impl Parse for Template {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let literal = input.parse()?;
        let mut arguments = Vec::new();
        while input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name = if input.peek2(Token![=]) && !input.peek2(Token![==]) {
                let name = input.parse()?;
                input.parse::<Token![=]>()?;
                Some(name)
            } else {
                None
            };
            arguments.push(Argument {
                name,
                value: input.parse()?,
            });
        }
        Ok(Self { literal, arguments })
    }
}

impl Template {
    /// Before 1.0, an argument may be an expression inside a string.
    fn parse_string_arguments(&mut self) -> syn::Result<()> {
        for argument in &mut self.arguments {
            if let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &argument.value
            {
                argument.value = parse_literal(text)?;
            }
        }
        Ok(())
    }

    /// What goes between the parentheses of a formatting macro.
    pub(super) fn arguments(&self) -> TokenStream {
        let literal = &self.literal;
        let arguments = self
            .arguments
            .iter()
            .map(|Argument { name, value }| match name {
                Some(name) => quote!(#name = #value),
                None => quote!(#value),
            });
        quote!(#literal #(, #arguments)*)
    }

    /// The one value and trait that the text consists of, if it has no other text.
    pub(super) fn transparent(&self) -> Option<(TokenStream, &'static str)> {
        let text = self.literal.value();
        let inner = text.strip_prefix('{')?.strip_suffix('}')?;
        if inner.contains(['{', '}']) {
            return None;
        }
        let spec = inner.split_once(':').map_or("", |(_, spec)| spec);
        if !matches!(spec, "" | "?" | "x" | "X" | "o" | "b" | "e" | "E" | "p") {
            return None;
        }
        let [placeholder] = &self.placeholders()[..] else {
            return None;
        };
        let value = match self.argument(&placeholder.source) {
            Some(value) => quote!(#value),
            None => match &placeholder.source {
                Source::Name(name) => {
                    let ident = syn::parse_str::<Ident>(name).ok()?;
                    quote!(#ident)
                }
                Source::Position(_) => return None,
            },
        };
        Some((value, placeholder.of))
    }

    /// Whether the text mentions this variable.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.placeholders()
            .iter()
            .any(|placeholder| placeholder.source == Source::Name(name.to_owned()))
            || self
                .arguments
                .iter()
                .any(|argument| is_variable(&argument.value, name))
    }

    /// The traits by which a variable is written.
    pub(super) fn traits_of(&self, variable: &str) -> Vec<&'static str> {
        let mut traits = Vec::new();
        for placeholder in self.placeholders() {
            let is_it = match self.argument(&placeholder.source) {
                Some(value) => is_variable(value, variable),
                None => placeholder.source == Source::Name(variable.to_owned()),
            };
            if is_it && !traits.contains(&placeholder.of) {
                traits.push(placeholder.of);
            }
        }
        traits
    }

    /// The argument that a placeholder refers to, unless it captures a variable.
    fn argument(&self, source: &Source) -> Option<&Expr> {
        let mut arguments = self.arguments.iter();
        let found = match source {
            Source::Position(index) => arguments.nth(*index),
            Source::Name(name) => {
                arguments.find(|argument| argument.name.as_ref().is_some_and(|given| given == name))
            }
        };
        found.map(|argument| &argument.value)
    }

    fn placeholders(&self) -> Vec<Placeholder> {
        let text = self.literal.value();
        let mut output = Vec::new();
        let mut next = 0;
        let mut rest = text.as_str();
        while let Some(start) = rest.find('{') {
            rest = &rest[start + 1..];
            if let Some(escaped) = rest.strip_prefix('{') {
                rest = escaped;
                continue;
            }
            let Some(end) = rest.find('}') else { break };
            let (argument, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
            let argument = argument.trim();
            let spec = spec.trim_end();
            if spec.contains(".*") {
                next += 1;
            }
            let source = match argument.parse() {
                Ok(index) => Source::Position(index),
                Err(_) if argument.is_empty() => {
                    next += 1;
                    Source::Position(next - 1)
                }
                Err(_) => Source::Name(argument.to_owned()),
            };
            output.push(Placeholder {
                source,
                of: trait_of(spec),
            });
            rest = &rest[end + 1..];
        }
        output
    }
}

/// Whether an expression is this variable and nothing else.
fn is_variable(value: &Expr, name: &str) -> bool {
    matches!(value, Expr::Path(path) if path.path.is_ident(name))
}

/// The formatting trait that a spec such as `>8x` calls.
fn trait_of(spec: &str) -> &'static str {
    match spec.chars().next_back() {
        Some('?') => "Debug",
        Some('x') => "LowerHex",
        Some('X') => "UpperHex",
        Some('o') => "Octal",
        Some('b') => "Binary",
        Some('e') => "LowerExp",
        Some('E') => "UpperExp",
        Some('p') => "Pointer",
        _ => "Display",
    }
}
