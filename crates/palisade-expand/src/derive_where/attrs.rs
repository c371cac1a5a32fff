//! What `#[derive_where(..)]` says on an item, a variant or a field.

use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, BoundLifetimes, Expr, ExprLit, Lit, Meta, Path, Token, Type, WherePredicate,
    parse_quote,
};

use crate::support::{Refusal, parse_literal};

/// Traits with the bounds that their impls need.
pub(super) struct Request {
    pub(super) traits: Vec<Trait>,
    pub(super) generics: Vec<Generic>,
}

/// One trait, with its options.
pub(super) struct Trait {
    pub(super) name: String,
    pub(super) root: Option<Path>,
    pub(super) no_drop: bool,
}

/// What stands behind the `;`.
pub(super) enum Generic {
    /// With bounds of its own.
    Predicate(WherePredicate),
    /// Bound by the trait that is implemented.
    Bare(Option<BoundLifetimes>, Type),
}

impl Request {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.traits.iter().any(|of| of.name == name)
    }

    fn spelled(&self) -> Vec<String> {
        self.generics
            .iter()
            .map(|generic| match generic {
                Generic::Predicate(predicate) => predicate.to_token_stream().to_string(),
                Generic::Bare(lifetimes, ty) => {
                    format!("{} {}", lifetimes.to_token_stream(), ty.to_token_stream())
                }
            })
            .collect()
    }
}

impl Parse for Request {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut traits = Vec::new();
        while !input.is_empty() && !input.peek(Token![;]) {
            traits.push(Trait::read(&input.parse()?)?);
            if input.is_empty() || input.peek(Token![;]) {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        let mut generics = Vec::new();
        if input.parse::<Option<Token![;]>>()?.is_some() {
            generics = Punctuated::<Generic, Token![,]>::parse_terminated(input)?
                .into_iter()
                .collect();
        }
        Ok(Self { traits, generics })
    }
}

impl Parse for Generic {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.fork().parse::<WherePredicate>().is_ok() {
            return input.parse().map(Self::Predicate);
        }
        Ok(Self::Bare(input.parse()?, input.parse()?))
    }
}

impl Trait {
    fn read(meta: &Meta) -> syn::Result<Self> {
        let mut read = Self {
            name: meta.path().to_token_stream().to_string(),
            root: None,
            no_drop: false,
        };
        match meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                for option in nested(list)? {
                    if option.path().is_ident("no_drop") {
                        read.no_drop = true;
                    } else if option.path().is_ident("crate") {
                        read.root = Some(path(&option)?);
                    } else {
                        return Err(syn::Error::new_spanned(option, "unknown option"));
                    }
                }
            }
            Meta::NameValue(_) => return Err(syn::Error::new_spanned(meta, "expected a trait")),
        }
        Ok(read)
    }
}

fn nested(list: &syn::MetaList) -> syn::Result<Punctuated<Meta, Token![,]>> {
    list.parse_args_with(Punctuated::parse_terminated)
}

/// The path in `crate = path` or `crate = "path"`.
fn path(meta: &Meta) -> syn::Result<Path> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => parse_literal(text),
            Expr::Path(path) => Ok(path.path.clone()),
            other => Err(syn::Error::new_spanned(other, "expected a path")),
        },
        Meta::Path(_) | Meta::List(_) => Err(syn::Error::new_spanned(meta, "expected a path")),
    }
}

/// What is left out of some impls.
#[derive(Default)]
pub(super) struct Skip {
    all: bool,
    groups: Vec<String>,
}

impl Skip {
    fn read(&mut self, meta: &Meta) -> syn::Result<()> {
        match meta {
            Meta::Path(_) => self.all = true,
            Meta::List(list) => {
                for group in nested(list)? {
                    self.groups.push(group.to_token_stream().to_string());
                }
            }
            Meta::NameValue(_) => return Err(syn::Error::new_spanned(meta, "expected groups")),
        }
        Ok(())
    }

    pub(super) fn skips(&self, name: &str) -> bool {
        let in_group = |group: &String| match group.as_str() {
            "EqHashOrd" => matches!(name, "Eq" | "Hash" | "Ord" | "PartialEq" | "PartialOrd"),
            "Zeroize" => matches!(name, "Zeroize" | "ZeroizeOnDrop"),
            group => group == name,
        };
        let never_as_a_whole = matches!(
            name,
            "Clone" | "Copy" | "Default" | "Serialize" | "Deserialize"
        );
        self.all && !never_as_a_whole || self.groups.iter().any(in_group)
    }
}

/// Everything that is written on one thing.
#[derive(Default)]
pub(super) struct Attrs {
    /// Those with the same bounds, one after the other, are one.
    pub(super) requests: Vec<Request>,
    pub(super) skip: Skip,
    pub(super) is_incomparable: bool,
    pub(super) is_default: bool,
    /// `zeroize` is called as a function of the trait.
    pub(super) is_qualified: bool,
}

impl Attrs {
    /// The options of a variant or a field.
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("derive_where") {
                let metas =
                    attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
                for meta in &metas {
                    if !attrs.option(meta)? {
                        return Err(Refusal::new("unknown option of `derive_where`"));
                    }
                }
            }
        }
        Ok(attrs)
    }

    /// The traits and options of an item, the first attribute by its arguments.
    pub(super) fn of_item(
        args: proc_macro2::TokenStream,
        attributes: &[Attribute],
    ) -> Result<Self, Refusal> {
        let first: Attribute = parse_quote!(#[derive_where(#args)]);
        let mut attrs = Self::default();
        let rest = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive_where"));
        for attribute in std::iter::once(&first).chain(rest) {
            let single = attribute.parse_args::<Meta>();
            if let Ok(meta) = single
                && (meta.path().is_ident("crate") || attrs.option(&meta)?)
            {
                continue;
            }
            let request: Request = attribute.parse_args()?;
            match attrs.requests.last_mut() {
                Some(last) if last.spelled() == request.spelled() => {
                    last.traits.extend(request.traits);
                }
                _ => attrs.requests.push(request),
            }
        }
        Ok(attrs)
    }

    /// Whether this was an option.
    fn option(&mut self, meta: &Meta) -> syn::Result<bool> {
        let path = meta.path();
        if path.is_ident("skip") || path.is_ident("skip_inner") {
            self.skip.read(meta)?;
        } else if path.is_ident("incomparable") {
            self.is_incomparable = true;
        } else if path.is_ident("default") {
            self.is_default = true;
        } else if path.is_ident("Zeroize")
            && let Meta::List(list) = meta
            && list.tokens.to_string() == "fqs"
        {
            self.is_qualified = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}
