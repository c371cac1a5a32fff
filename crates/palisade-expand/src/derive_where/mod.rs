//! `derive-where`: the standard derives with bounds of one's own choice.
//!
//! The real attribute hands the item on to a derive of its crate; here the
//! impls follow the item at once. So an item with a conditional field or
//! variant is refused: which of them are there is decided only afterwards.

mod attrs;
mod order;
mod plain;
mod zeroize;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, Member, PredicateType, Type, WhereClause,
    WherePredicate,
};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least, unraw};

use attrs::{Attrs, Generic, Request, Skip, Trait};

pub(crate) const MACROS: &[Macro] = &[Macro::attribute(
    "derive-where",
    "derive_where",
    derive_where,
)];

/// What the output depends on beside the item.
struct Context<'a> {
    invocation: &'a Invocation<'a>,
    input: &'a DeriveInput,
}

impl Context<'_> {
    fn has(&self, feature: &str) -> bool {
        (self.invocation.env)(&format!("feature:{feature}")).is_some()
    }

    fn since(&self, minor: u32) -> bool {
        at_least(self.invocation.version, (1, minor, 0))
    }
}

struct Field<'a> {
    member: Member,
    ty: &'a Type,
    attrs: Attrs,
    /// The names that patterns bind it to.
    this: Ident,
    other: Ident,
}

/// A struct, a union or one variant.
struct Case<'a> {
    ident: &'a Ident,
    path: TokenStream,
    shape: &'a Fields,
    fields: Vec<Field<'a>>,
    skip: Skip,
    is_incomparable: bool,
    is_default: bool,
    discriminant: Option<&'a Expr>,
}

impl<'a> Case<'a> {
    fn new(
        ident: &'a Ident,
        path: TokenStream,
        shape: &'a Fields,
        attrs: Attrs,
    ) -> Result<Self, Refusal> {
        let fields = shape
            .members()
            .zip(shape)
            .map(|(member, field)| {
                unconditional(&field.attrs)?;
                let name = match &member {
                    Member::Named(name) => unraw(name),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                Ok(Field {
                    member,
                    ty: &field.ty,
                    attrs: Attrs::read(&field.attrs)?,
                    this: format_ident!("__field_{name}"),
                    other: format_ident!("__other_field_{name}"),
                })
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Self {
            ident,
            path,
            shape,
            fields,
            skip: attrs.skip,
            is_incomparable: attrs.is_incomparable,
            is_default: attrs.is_default,
            discriminant: None,
        })
    }

    /// The fields that the impl of this trait looks at.
    fn fields(&self, name: &str) -> impl Iterator<Item = &Field<'a>> {
        self.fields
            .iter()
            .filter(move |field| !self.skip.skips(name) && !field.attrs.skip.skips(name))
    }

    fn is_empty(&self, name: &str) -> bool {
        self.fields(name).next().is_none()
    }

    /// Binds every field.
    fn pattern(&self, of: impl Fn(&Field<'a>) -> Ident) -> TokenStream {
        let path = &self.path;
        let members = self.fields.iter().map(|field| &field.member);
        let names = self.fields.iter().map(of);
        quote!(#path { #(#members: #names,)* })
    }

    fn this(&self) -> TokenStream {
        self.pattern(|field| field.this.clone())
    }

    fn other(&self) -> TokenStream {
        self.pattern(|field| field.other.clone())
    }
}

struct Item<'a> {
    cases: Vec<Case<'a>>,
    is_enum: bool,
    is_union: bool,
    is_incomparable: bool,
}

impl Item<'_> {
    fn is_empty(&self, name: &str) -> bool {
        self.cases.iter().all(|case| case.is_empty(name))
    }

    fn is_incomparable(&self) -> bool {
        self.is_incomparable
            || !self.cases.is_empty() && self.cases.iter().all(|case| case.is_incomparable)
    }
}

fn derive_where(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (1, 2, 0)) {
        return Err(Refusal::new("a release before 1.2"));
    }
    let mut input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let mut attrs = Attrs::of_item(invocation.args.clone(), &input.attrs)?;
    let requests = std::mem::take(&mut attrs.requests);
    let mut impls = TokenStream::new();
    let mut serde = Vec::new();
    {
        let context = Context {
            invocation,
            input: &input,
        };
        let fields;
        let item = match &input.data {
            Data::Union(data) => {
                fields = Fields::Named(data.fields.clone());
                item(&input, Some(&fields), attrs)?
            }
            Data::Struct(_) | Data::Enum(_) => item(&input, None, attrs)?,
        };
        for request in &requests {
            for of in &request.traits {
                match of.name.as_str() {
                    "Serialize" | "Deserialize" => {
                        serde.push(through_serde(&context, request, of)?)
                    }
                    _ => impls.extend(implement(&context, &item, request, of)?),
                }
            }
        }
    }
    strip(&mut input);
    Ok(quote!(#(#serde)* #input #impls))
}

fn item<'a>(
    input: &'a DeriveInput,
    union: Option<&'a Fields>,
    attrs: Attrs,
) -> Result<Item<'a>, Refusal> {
    let name = &input.ident;
    let is_incomparable = attrs.is_incomparable;
    let mut cases = Vec::new();
    match (&input.data, union) {
        (Data::Enum(data), _) => {
            for variant in &data.variants {
                unconditional(&variant.attrs)?;
                let ident = &variant.ident;
                let attrs = Attrs::read(&variant.attrs)?;
                let mut case = Case::new(ident, quote!(#name::#ident), &variant.fields, attrs)?;
                case.discriminant = variant.discriminant.as_ref().map(|(_, value)| value);
                cases.push(case);
            }
        }
        (Data::Struct(data), _) => {
            let mut attrs = attrs;
            attrs.is_default = true;
            cases.push(Case::new(name, quote!(#name), &data.fields, attrs)?);
        }
        (Data::Union(_), Some(fields)) => {
            cases.push(Case::new(name, quote!(#name), fields, attrs)?)
        }
        (Data::Union(_), None) => return Err(Refusal::new("expected the union's fields")),
    }
    Ok(Item {
        cases,
        is_enum: matches!(input.data, Data::Enum(_)),
        is_union: union.is_some(),
        is_incomparable,
    })
}

fn unconditional(attributes: &[Attribute]) -> Result<(), Refusal> {
    let is_conditional = attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"));
    match is_conditional {
        true => Err(Refusal::new("a field or variant is conditional")),
        false => Ok(()),
    }
}

/// The item's `where` clause with the bounds that were asked for.
fn clause(
    context: &Context<'_>,
    request: &Request,
    bound: &TokenStream,
) -> Result<Option<WhereClause>, Refusal> {
    let mut generics = context.input.generics.clone();
    for generic in &request.generics {
        let predicate = match generic {
            Generic::Predicate(predicate) => predicate.clone(),
            Generic::Bare(lifetimes, ty) => WherePredicate::Type(PredicateType {
                lifetimes: lifetimes.clone(),
                bounded_ty: ty.clone(),
                colon_token: Default::default(),
                bounds: Punctuated::parse_separated_nonempty.parse2(bound.clone())?,
            }),
        };
        generics.make_where_clause().predicates.push(predicate);
    }
    Ok(generics.where_clause)
}

fn implement(context: &Context<'_>, item: &Item<'_>, request: &Request, of: &Trait) -> Expansion {
    if item.is_union && !matches!(of.name.as_str(), "Clone" | "Copy") {
        return Err(Refusal::new("a union can be cloned and copied only"));
    }
    let zeroize = match &of.root {
        Some(root) => root.to_token_stream(),
        None => quote!(::zeroize),
    };
    let (path, items) = match of.name.as_str() {
        "Clone" => (plain::path("Clone"), plain::clone(context, item, request)),
        "Copy" => (plain::path("Copy"), TokenStream::new()),
        "Debug" => (plain::path("Debug"), plain::debug(item)),
        "Default" => (plain::path("Default"), plain::default(item)?),
        "Eq" => (plain::path("Eq"), TokenStream::new()),
        "Hash" => (plain::path("Hash"), plain::hash(item)),
        "Ord" => (plain::path("Ord"), order::ord(context, item, request)?),
        "PartialEq" => (plain::path("PartialEq"), order::partial_eq(context, item)),
        "PartialOrd" => (
            plain::path("PartialOrd"),
            order::partial_ord(context, item, request)?,
        ),
        "Zeroize" => (quote!(#zeroize::Zeroize), zeroize::zeroize(item, &zeroize)),
        "ZeroizeOnDrop" => {
            let path = quote!(#zeroize::ZeroizeOnDrop);
            let clause = clause(context, request, &path)?;
            return zeroize::on_drop(context, item, of, &zeroize, clause.as_ref());
        }
        other => return Err(Refusal::new(format!("unknown trait `{other}`"))),
    };
    let bound = match item.is_union && of.name == "Clone" {
        true => quote!(#path + ::core::marker::Copy),
        false => path.clone(),
    };
    let clause = clause(context, request, &bound)?;
    let (items, beside) = match of.name.as_str() {
        "Eq" => order::eq(context, item, clause.as_ref()),
        _ => (items, TokenStream::new()),
    };
    let name = &context.input.ident;
    let (generics, arguments, _) = context.input.generics.split_for_impl();
    Ok(quote! {
        #beside
        #[automatically_derived]
        impl #generics #path for #name #arguments #clause { #items }
    })
}

/// Serde's own derive, told the bounds.
fn through_serde(context: &Context<'_>, request: &Request, of: &Trait) -> Expansion {
    let root = context
        .input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .find_map(|attribute| {
            let mut root = None;
            // Whatever else is in there is for the derive to understand.
            let _ = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    root = Some(meta.value()?.parse::<syn::LitStr>()?.parse::<syn::Path>()?);
                }
                Ok(())
            });
            root
        })
        .map_or_else(|| quote!(::serde), ToTokens::into_token_stream);
    let name = format_ident!("{}", of.name);
    let (path, key) = match of.name.as_str() {
        "Serialize" => (quote!(#root::Serialize), quote!(serialize)),
        _ => (quote!(#root::Deserialize<'de>), quote!(deserialize)),
    };
    let bounds = clause(context, request, &path)?
        .map(|clause| clause.predicates.to_token_stream().to_string())
        .unwrap_or_default();
    Ok(quote!(#[derive(#root::#name)] #[serde(bound(#key = #bounds))]))
}

/// Removes the attributes that only this macro reads.
fn strip(input: &mut DeriveInput) {
    let strip = |attributes: &mut Vec<Attribute>| {
        attributes.retain(|attribute| !attribute.path().is_ident("derive_where"));
    };
    let strip_all = |fields: &mut Fields| {
        fields.iter_mut().for_each(|field| strip(&mut field.attrs));
    };
    strip(&mut input.attrs);
    match &mut input.data {
        Data::Struct(data) => strip_all(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                strip(&mut variant.attrs);
                strip_all(&mut variant.fields);
            }
        }
        Data::Union(data) => {
            let fields = data.fields.named.iter_mut();
            fields.for_each(|field| strip(&mut field.attrs));
        }
    }
}
