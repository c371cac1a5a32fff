//! A struct or a variant with named fields, and its arms in the impls.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, ExprLit, Fields, Lit, Type};

use super::Era;
use super::attrs::{Attrs, Context, From, Suffix};
use crate::support::Refusal;

/// How an error is made.
pub(super) enum Kind {
    /// By a context selector of this name.
    Selector(Name),
    /// Out of a message, this field.
    Whatever,
    /// Out of its source alone.
    Converted,
}

/// The name of a context selector.
pub(super) enum Name {
    Given(Ident),
    Suffixed(Suffix),
}

/// The field with the error underneath.
pub(super) struct Source<'a> {
    pub(super) name: &'a Ident,
    ty: &'a Type,
    transform: Option<(Type, Expr)>,
    pub(super) is_generic: bool,
    delegates_backtrace: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        name: &'a Ident,
        ty: &'a Type,
        from: &Option<From>,
        is_generic: bool,
    ) -> Self {
        Self {
            name,
            ty,
            transform: match from {
                Some(From::Transform(pair)) => Some((**pair).clone()),
                Some(From::Exact | From::Generic) | None => None,
            },
            is_generic,
            delegates_backtrace: false,
        }
    }

    /// The type of what is given.
    pub(super) fn given(&self) -> &Type {
        match &self.transform {
            Some((ty, _)) => ty,
            None => self.ty,
        }
    }

    /// What makes the field's value out of what is given.
    pub(super) fn function(&self) -> TokenStream {
        match &self.transform {
            Some((_, function)) => quote!(#function),
            None if self.is_generic => quote!(::core::convert::Into::into),
            None => quote!(|v| v),
        }
    }

    /// Converts the local `error`.
    pub(super) fn convert(&self) -> TokenStream {
        let (ty, function) = (self.ty, self.function());
        quote!(let error: #ty = (#function)(error);)
    }
}

pub(super) struct Case<'a> {
    pub(super) ident: &'a Ident,
    /// What matches it: `Self` or `Name::Variant`.
    pub(super) pattern: TokenStream,
    /// What constructs it: `Name` or `Name::Variant`.
    pub(super) path: TokenStream,
    pub(super) kind: Kind,
    pub(super) source: Option<Source<'a>>,
    pub(super) backtrace: Option<&'a Ident>,
    pub(super) implicit: Vec<&'a Ident>,
    /// The fields that the caller gives.
    pub(super) user: Vec<(&'a Ident, &'a Type)>,
    names: Vec<&'a Ident>,
    display: Option<Vec<Expr>>,
    doc: String,
    is_transparent: bool,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        era: Era,
        ident: &'a Ident,
        (pattern, path): (TokenStream, TokenStream),
        fields: &'a Fields,
        attrs: Attrs,
    ) -> Result<Self, Refusal> {
        let is_transparent = attrs.transparent == Some(true);
        let kind = match attrs.context {
            _ if attrs.whatever.is_some() => Kind::Whatever,
            Some(Context::Flag(false)) => Kind::Converted,
            None if is_transparent => Kind::Converted,
            None => Kind::Selector(Name::Suffixed(Suffix::Default)),
            Some(Context::Flag(true)) if era >= Era::V0_9 => {
                Kind::Selector(Name::Suffixed(Suffix::Default))
            }
            Some(Context::Flag(true)) => Kind::Selector(Name::Suffixed(Suffix::Nothing)),
            Some(Context::Name(name)) => Kind::Selector(Name::Given(name)),
            Some(Context::Suffix(suffix)) => Kind::Selector(Name::Suffixed(suffix)),
        };
        let mut case = Self {
            ident,
            pattern,
            path,
            kind,
            source: None,
            backtrace: None,
            implicit: Vec::new(),
            user: Vec::new(),
            names: Vec::new(),
            display: attrs.display,
            doc: attrs.doc,
            is_transparent,
        };
        for field in fields {
            let Some(name) = &field.ident else {
                return Err(Refusal::new("expected named fields"));
            };
            let attrs = Attrs::read(&field.attrs)?;
            case.names.push(name);
            let is_source = attrs
                .source
                .unwrap_or(attrs.from.is_some() || name == "source");
            let is_backtrace = attrs.backtrace.unwrap_or(name == "backtrace");
            // Before 0.8 a location was filled in without being asked for.
            let is_implicit = attrs
                .implicit
                .unwrap_or(era < Era::V0_8 && name == "location");
            if is_source {
                let is_generic = matches!(attrs.from, Some(From::Generic));
                let mut source = Source::new(name, &field.ty, &attrs.from, is_generic);
                source.delegates_backtrace = is_backtrace;
                if case.source.replace(source).is_some() {
                    return Err(Refusal::new("there can be only one source"));
                }
            } else if is_backtrace {
                if case.backtrace.replace(name).is_some() {
                    return Err(Refusal::new("there can be only one backtrace"));
                }
            } else if is_implicit {
                case.implicit.push(name);
            } else {
                case.user.push((name, &field.ty));
            }
        }
        case.check()
    }

    fn check(self) -> Result<Self, Refusal> {
        let is_generic = self.source.as_ref().is_some_and(|it| it.is_generic);
        let reason = match self.kind {
            Kind::Converted if !self.user.is_empty() => "fields beside the source need a context",
            Kind::Converted if self.source.is_none() => "without a context there must be a source",
            Kind::Whatever if self.user.len() != 1 || self.user[0].0 != "message" => {
                "expected the field `message` alone"
            }
            Kind::Selector(_) | Kind::Whatever if is_generic => {
                "a generic source needs `context(false)`"
            }
            Kind::Selector(_) | Kind::Whatever | Kind::Converted => return Ok(self),
        };
        Err(Refusal::new(reason))
    }

    /// The arm of `Display`.
    pub(super) fn display(&self, era: Era) -> TokenStream {
        let Self { pattern, names, .. } = self;
        let source = self.source.as_ref().map(|source| source.name);
        if self.is_transparent {
            return quote! {
                #pattern { ref #source, .. } => {
                    ::core::fmt::Display::fmt(#source, __snafu_display_formatter)
                }
            };
        }
        let ident = self.ident;
        let (format, text, assigned) = match (&self.display, source) {
            (Some(arguments), _) => (
                quote!(#(#arguments),*),
                first_text(arguments).unwrap_or_default(),
                assigned(arguments),
            ),
            (None, _) if !self.doc.is_empty() => {
                let doc = &self.doc;
                (quote!(#doc), doc.clone(), BTreeSet::new())
            }
            (None, Some(source)) if era < Era::V0_8 => (
                quote!(concat!(stringify!(#ident), ": {}"), #source),
                String::new(),
                BTreeSet::new(),
            ),
            (None, _) => (quote!(stringify!(#ident)), String::new(), BTreeSet::new()),
        };
        let wanted = placeholders(&text);
        let shorthand = names.iter().filter(|name| {
            let name = name.to_string();
            wanted.contains(name.as_str()) && !assigned.contains(&name)
        });
        quote! {
            #pattern { #(ref #names),* } => {
                write!(__snafu_display_formatter, #format, #(#shorthand = #shorthand),*)
            }
        }
    }

    /// The arm of `source` and `cause`.
    pub(super) fn source_arm(&self) -> TokenStream {
        let pattern = &self.pattern;
        let Some(Source { name, .. }) = &self.source else {
            return quote!(#pattern { .. } => { ::core::option::Option::None });
        };
        let value = match self.kind {
            Kind::Whatever => quote!(#name.as_ref().map(|e| e.as_error_source())),
            _ if self.is_transparent => quote!(#name.as_error_source().source()),
            _ => quote!(::core::option::Option::Some(#name.as_error_source())),
        };
        quote!(#pattern { ref #name, .. } => { #value })
    }

    /// The arm of `ErrorCompat::backtrace`.
    pub(super) fn backtrace_arm(&self, root: &TokenStream) -> TokenStream {
        let pattern = &self.pattern;
        match (&self.source, self.backtrace) {
            (Some(source), _) if source.delegates_backtrace => {
                let name = source.name;
                quote!(#pattern { ref #name, .. } => { #root::ErrorCompat::backtrace(#name) })
            }
            (_, Some(name)) => {
                quote!(#pattern { ref #name, .. } => { #root::AsBacktrace::as_backtrace(#name) })
            }
            _ => quote!(#pattern { .. } => { ::core::option::Option::None }),
        }
    }
}

fn first_text(arguments: &[Expr]) -> Option<String> {
    match arguments.first()? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// The names in `"..", name = value`.
fn assigned(arguments: &[Expr]) -> BTreeSet<String> {
    arguments
        .iter()
        .filter_map(|argument| match argument {
            Expr::Assign(assignment) => match &*assignment.left {
                Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// The names in `{name}` and `{name:?}`.
fn placeholders(mut text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    while let Some((_, rest)) = text.split_once('{') {
        if let Some(escaped) = rest.strip_prefix('{') {
            text = escaped;
            continue;
        }
        let Some((inside, _)) = rest.split_once('}') else {
            break;
        };
        names.insert(inside.split(':').next().unwrap_or(inside));
        text = rest;
    }
    names
}
