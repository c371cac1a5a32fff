//! `#[serde(..)]` as written, on a container, a variant or a field.
//!
//! The three places share most attributes, so one reader serves all; what an
//! attribute means where it stands is decided in `model`.

use std::collections::BTreeSet;

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprPath, Lifetime, LitStr, Path, Token, Type, WherePredicate};

use super::names::Rule;
use crate::support::{Refusal, parse_literal};

/// One value for each direction.
#[derive(Debug)]
pub(super) struct Sides<T> {
    pub(super) ser: Option<T>,
    pub(super) de: Option<T>,
}

impl<T> Default for Sides<T> {
    fn default() -> Self {
        Self {
            ser: None,
            de: None,
        }
    }
}

/// Where a missing value comes from.
#[derive(Debug, Default)]
pub(super) enum Fallback {
    /// There is none: missing is an error.
    #[default]
    None,
    /// `Default::default`.
    Trait,
    /// A function.
    Path(ExprPath),
}

/// All that `#[serde(..)]` can say.
#[derive(Debug, Default)]
pub(super) struct Attrs {
    pub(super) rename: Sides<String>,
    /// Names accepted in addition, `rename`s for deserialising included.
    pub(super) aliases: BTreeSet<String>,
    pub(super) rename_all: Sides<Rule>,
    pub(super) rename_all_fields: Sides<Rule>,
    pub(super) bound: Sides<Vec<WherePredicate>>,
    pub(super) with: Sides<ExprPath>,
    pub(super) skip: Sides<()>,
    pub(super) skip_if: Option<ExprPath>,
    pub(super) default: Fallback,
    pub(super) tag: Option<String>,
    pub(super) content: Option<String>,
    pub(super) from: Option<Type>,
    pub(super) try_from: Option<Type>,
    pub(super) into: Option<Type>,
    pub(super) remote: Option<Path>,
    pub(super) serde_path: Option<Path>,
    pub(super) getter: Option<ExprPath>,
    pub(super) expecting: Option<String>,
    /// `borrow`, with the lifetimes if it names them.
    pub(super) borrow: Option<Option<BTreeSet<Lifetime>>>,
    pub(super) transparent: bool,
    pub(super) deny_unknown_fields: bool,
    pub(super) untagged: bool,
    pub(super) other: bool,
    pub(super) flatten: bool,
    pub(super) field_identifier: bool,
    pub(super) variant_identifier: bool,
}

impl Attrs {
    /// Reads every `#[serde(..)]` among the attributes.
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self, Refusal> {
        let mut attrs = Self::default();
        for attribute in attributes {
            if !attribute.path().is_ident("serde") {
                continue;
            }
            if let syn::Meta::List(list) = &attribute.meta
                && list.tokens.is_empty()
            {
                continue;
            }
            attribute.parse_nested_meta(|meta| attrs.entry(&meta))?;
        }
        Ok(attrs)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = meta
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match name.as_str() {
            "rename" => {
                let mut ser = None;
                let mut de = Vec::new();
                per_side(meta, |side, value| {
                    if side.ser {
                        ser = Some(value.value());
                    }
                    if side.de {
                        de.push(value.value());
                    }
                    Ok(())
                })?;
                self.rename.ser = ser.or(self.rename.ser.take());
                if self.rename.de.is_none() {
                    self.rename.de = de.first().cloned();
                }
                self.aliases.extend(de);
            }
            "alias" => drop(self.aliases.insert(string(meta)?.value())),
            "rename_all" => rules(meta, &mut self.rename_all)?,
            "rename_all_fields" => rules(meta, &mut self.rename_all_fields)?,
            "bound" => per_side(meta, |side, value| {
                let predicates: Predicates = parse_literal(&value)?;
                let list = || predicates.0.iter().cloned().collect();
                if side.ser {
                    self.bound.ser = Some(list());
                }
                if side.de {
                    self.bound.de = Some(list());
                }
                Ok(())
            })?,
            "with" => {
                let module: ExprPath = parse_literal(&string(meta)?)?;
                self.with.ser = Some(member_of(&module, "serialize"));
                self.with.de = Some(member_of(&module, "deserialize"));
            }
            "serialize_with" => self.with.ser = Some(parse_literal(&string(meta)?)?),
            "deserialize_with" => self.with.de = Some(parse_literal(&string(meta)?)?),
            "skip" => {
                self.skip = Sides {
                    ser: Some(()),
                    de: Some(()),
                }
            }
            "skip_serializing" => self.skip.ser = Some(()),
            "skip_deserializing" => self.skip.de = Some(()),
            "skip_serializing_if" => self.skip_if = Some(parse_literal(&string(meta)?)?),
            "default" if meta.input.peek(Token![=]) => {
                self.default = Fallback::Path(parse_literal(&string(meta)?)?);
            }
            "default" => self.default = Fallback::Trait,
            "tag" => self.tag = Some(string(meta)?.value()),
            "content" => self.content = Some(string(meta)?.value()),
            "from" => self.from = Some(parse_literal(&string(meta)?)?),
            "try_from" => self.try_from = Some(parse_literal(&string(meta)?)?),
            "into" => self.into = Some(parse_literal(&string(meta)?)?),
            "remote" => self.remote = Some(parse_literal(&string(meta)?)?),
            "crate" => self.serde_path = Some(parse_literal(&string(meta)?)?),
            "getter" => self.getter = Some(parse_literal(&string(meta)?)?),
            "expecting" => self.expecting = Some(string(meta)?.value()),
            "borrow" if meta.input.peek(Token![=]) => {
                let lifetimes: Lifetimes = parse_literal(&string(meta)?)?;
                self.borrow = Some(Some(lifetimes.0));
            }
            "borrow" => self.borrow = Some(None),
            "transparent" => self.transparent = true,
            "deny_unknown_fields" => self.deny_unknown_fields = true,
            "untagged" => self.untagged = true,
            "other" => self.other = true,
            "flatten" => self.flatten = true,
            "field_identifier" => self.field_identifier = true,
            "variant_identifier" => self.variant_identifier = true,
            _ => return Err(meta.error(format!("unknown serde attribute `{name}`"))),
        }
        Ok(())
    }
}

/// A comma-separated list of bounds.
struct Predicates(Punctuated<WherePredicate, Token![,]>);

impl syn::parse::Parse for Predicates {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

/// Lifetimes joined by `+`.
struct Lifetimes(BTreeSet<Lifetime>);

impl syn::parse::Parse for Lifetimes {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let lifetimes = Punctuated::<Lifetime, Token![+]>::parse_terminated(input)?;
        Ok(Self(lifetimes.into_iter().collect()))
    }
}

/// Which directions a value is for.
#[derive(Clone, Copy)]
struct Side {
    ser: bool,
    de: bool,
}

/// `name = "both"` or `name(serialize = "..", deserialize = "..")`.
fn per_side(
    meta: &ParseNestedMeta<'_>,
    mut set: impl FnMut(Side, LitStr) -> syn::Result<()>,
) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        return set(
            Side {
                ser: true,
                de: true,
            },
            string(meta)?,
        );
    }
    meta.parse_nested_meta(|meta| {
        let side = Side {
            ser: meta.path.is_ident("serialize"),
            de: meta.path.is_ident("deserialize"),
        };
        if !side.ser && !side.de {
            return Err(meta.error("expected `serialize` or `deserialize`"));
        }
        set(side, string(&meta)?)
    })
}

fn rules(meta: &ParseNestedMeta<'_>, rules: &mut Sides<Rule>) -> syn::Result<()> {
    per_side(meta, |side, value| {
        let rule = Rule::parse(&value.value())
            .ok_or_else(|| meta.error(format!("unknown rename rule {:?}", value.value())))?;
        if side.ser {
            rules.ser = Some(rule);
        }
        if side.de {
            rules.de = Some(rule);
        }
        Ok(())
    })
}

/// The string after `name =`.
fn string(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let mut value: Expr = meta.value()?.parse()?;
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    match value {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(string),
            ..
        }) => Ok(string),
        _ => Err(meta.error("expected a string")),
    }
}

/// `module::function`, for `with = "module"`.
fn member_of(module: &ExprPath, function: &str) -> ExprPath {
    let mut path = module.clone();
    let span = path
        .path
        .segments
        .last()
        .map_or_else(proc_macro2::Span::call_site, |segment| segment.ident.span());
    path.path
        .segments
        .push(syn::Ident::new(function, span).into());
    path
}
