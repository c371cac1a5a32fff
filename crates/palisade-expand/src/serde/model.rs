//! The item that a derive stands on, with its attributes resolved.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{
    Data, DeriveInput, ExprPath, Fields, GenericArgument, Generics, Lifetime, Member,
    PathArguments, Type, Visibility,
};

use super::attrs::{Attrs, Fallback, Sides};
use super::names::Rule;
use super::version::Version;
use crate::support::{Refusal, unraw};

/// The direction that is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Serialize,
    Deserialize,
}

/// How fields are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Named,
    Tuple,
    /// A tuple of one.
    Newtype,
    Unit,
}

/// How an enum tells its variants apart.
pub(super) enum Tagging {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
    Untagged,
}

/// Whether an enum stands for the names of fields or variants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Identifier {
    No,
    Field,
    Variant,
}

pub(super) struct Field<'a> {
    pub(super) member: Member,
    pub(super) ty: &'a Type,
    pub(super) attrs: Attrs,
    pub(super) name: Names,
    /// Lifetimes that are borrowed from the input.
    pub(super) borrowed: BTreeSet<Lifetime>,
}

impl Field<'_> {
    pub(super) fn skips_ser(&self) -> bool {
        self.attrs.skip.ser.is_some()
    }

    pub(super) fn skips_de(&self) -> bool {
        self.attrs.skip.de.is_some()
    }
}

pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    pub(super) shape: Shape,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) attrs: Attrs,
    pub(super) name: Names,
}

impl Variant<'_> {
    pub(super) fn skips_ser(&self) -> bool {
        self.attrs.skip.ser.is_some()
    }

    pub(super) fn skips_de(&self) -> bool {
        self.attrs.skip.de.is_some()
    }

    /// The only field of a newtype variant.
    pub(super) fn newtype(&self) -> Option<&Field<'_>> {
        if self.shape == Shape::Newtype {
            self.fields.first()
        } else {
            None
        }
    }
}

/// The serialised names of a field, variant or container.
pub(super) struct Names {
    pub(super) ser: String,
    pub(super) de: String,
    /// Everything accepted when deserialising, the name itself included.
    pub(super) accepted: BTreeSet<String>,
}

impl Names {
    fn new(
        source: &str,
        attrs: &Attrs,
        rules: &Sides<Rule>,
        apply: fn(Rule, &str) -> String,
    ) -> Self {
        let renamed = |name: &Option<String>, rule: Option<Rule>| match (name, rule) {
            (Some(name), _) => name.clone(),
            (None, Some(rule)) => apply(rule, source),
            (None, None) => source.to_owned(),
        };
        let de = renamed(&attrs.rename.de, rules.de);
        let mut accepted = attrs.aliases.clone();
        accepted.insert(de.clone());
        Self {
            ser: renamed(&attrs.rename.ser, rules.ser),
            de,
            accepted,
        }
    }
}

pub(super) enum Body<'a> {
    Struct(Shape, Vec<Field<'a>>),
    Enum(Vec<Variant<'a>>),
}

/// A struct or enum that is derived on.
pub(super) struct Container<'a> {
    pub(super) ident: &'a Ident,
    pub(super) vis: &'a Visibility,
    pub(super) generics: &'a Generics,
    pub(super) attrs: Attrs,
    pub(super) name: Names,
    pub(super) body: Body<'a>,
    pub(super) tagging: Tagging,
    pub(super) identifier: Identifier,
    pub(super) packed: bool,
    pub(super) non_exhaustive: bool,
    pub(super) version: Version,
}

impl<'a> Container<'a> {
    pub(super) fn read(input: &'a DeriveInput, version: Version) -> Result<Self, Refusal> {
        let mut attrs = Attrs::read(&input.attrs)?;
        if let Some(remote) = &mut attrs.remote
            && remote.is_ident("Self")
        {
            *remote = input.ident.clone().into();
        }
        let body = match &input.data {
            Data::Struct(data) => {
                let reader = FieldReader {
                    rules: &attrs.rename_all,
                    outer: &Sides::default(),
                    container_default: &attrs.default,
                    borrow: None,
                    version: &version,
                };
                let (shape, fields) = reader.all(&data.fields)?;
                Body::Struct(shape, fields)
            }
            Data::Enum(data) => Body::Enum(
                data.variants
                    .iter()
                    .map(|variant| read_variant(variant, &attrs, &version))
                    .collect::<Result<_, _>>()?,
            ),
            Data::Union(_) => return Err(Refusal::new("serde does not support unions")),
        };
        let tagging = match (attrs.untagged, attrs.tag.clone(), attrs.content.clone()) {
            (false, None, None) => Tagging::External,
            (true, None, None) => Tagging::Untagged,
            (false, Some(tag), None) => Tagging::Internal { tag },
            (false, Some(tag), Some(content)) => Tagging::Adjacent { tag, content },
            _ => return Err(Refusal::new("conflicting `tag`, `content` and `untagged`")),
        };
        let identifier = match (attrs.field_identifier, attrs.variant_identifier) {
            (false, false) => Identifier::No,
            (true, false) => Identifier::Field,
            (false, true) => Identifier::Variant,
            (true, true) => return Err(Refusal::new("both kinds of identifier")),
        };
        let container = Self {
            ident: &input.ident,
            vis: &input.vis,
            generics: &input.generics,
            name: Names::new(
                &unraw(&input.ident),
                &attrs,
                &Sides::default(),
                Rule::variant,
            ),
            attrs,
            body,
            tagging,
            identifier,
            packed: input.attrs.iter().any(is_packed),
            non_exhaustive: input
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("non_exhaustive")),
            version,
        };
        container.check()?;
        Ok(container)
    }

    /// All fields, those of variants included.
    pub(super) fn fields(&self) -> Vec<&Field<'a>> {
        match &self.body {
            Body::Struct(_, fields) => fields.iter().collect(),
            Body::Enum(variants) => variants
                .iter()
                .flat_map(|variant| &variant.fields)
                .collect(),
        }
    }

    /// The one field that a transparent struct stands for.
    pub(super) fn transparent_field(&self, direction: Direction) -> Result<&Field<'a>, Refusal> {
        let Body::Struct(_, fields) = &self.body else {
            return Err(Refusal::new("`transparent` on an enum"));
        };
        let candidates: Vec<_> = fields
            .iter()
            .filter(|field| !is_phantom(field.ty))
            .filter(|field| match direction {
                Direction::Serialize => !field.skips_ser(),
                Direction::Deserialize => {
                    !field.skips_de() && matches!(field.attrs.default, Fallback::None)
                }
            })
            .collect();
        match candidates[..] {
            [field] => Ok(field),
            _ => Err(Refusal::new("`transparent` needs exactly one field")),
        }
    }

    /// The mistakes that would otherwise surface in the middle of the output.
    fn check(&self) -> Result<(), Refusal> {
        let has_getter = self
            .fields()
            .iter()
            .any(|field| field.attrs.getter.is_some());
        if has_getter && self.attrs.remote.is_none() {
            return Err(Refusal::new("`getter` without `remote`"));
        }
        let Body::Enum(variants) = &self.body else {
            return if self.identifier == Identifier::No {
                Ok(())
            } else {
                Err(Refusal::new("an identifier must be an enum"))
            };
        };
        if matches!(self.tagging, Tagging::Internal { .. })
            && variants
                .iter()
                .any(|variant| variant.shape == Shape::Tuple && !variant.attrs.untagged)
        {
            return Err(Refusal::new("a tuple variant cannot be tagged internally"));
        }
        Ok(())
    }
}

fn read_variant<'a>(
    variant: &'a syn::Variant,
    container: &Attrs,
    version: &Version,
) -> Result<Variant<'a>, Refusal> {
    let attrs = Attrs::read(&variant.attrs)?;
    let reader = FieldReader {
        rules: &attrs.rename_all,
        outer: &container.rename_all_fields,
        container_default: &container.default,
        borrow: attrs.borrow.as_ref(),
        version,
    };
    let (shape, fields) = reader.all(&variant.fields)?;
    let name = Names::new(
        &unraw(&variant.ident),
        &attrs,
        &container.rename_all,
        Rule::variant,
    );
    Ok(Variant {
        ident: &variant.ident,
        shape,
        fields,
        attrs,
        name,
    })
}

/// What fields inherit from what is around them.
struct FieldReader<'r> {
    rules: &'r Sides<Rule>,
    /// Rules for where `rules` has none.
    outer: &'r Sides<Rule>,
    container_default: &'r Fallback,
    borrow: Option<&'r Option<BTreeSet<Lifetime>>>,
    version: &'r Version,
}

impl FieldReader<'_> {
    fn all<'a>(&self, fields: &'a Fields) -> Result<(Shape, Vec<Field<'a>>), Refusal> {
        let shape = match fields {
            Fields::Named(_) => Shape::Named,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Shape::Newtype,
            Fields::Unnamed(_) => Shape::Tuple,
            Fields::Unit => Shape::Unit,
        };
        let fields = fields
            .iter()
            .enumerate()
            .map(|(index, field)| self.one(index, field))
            .collect::<Result<_, _>>()?;
        Ok((shape, fields))
    }

    fn one<'a>(&self, index: usize, field: &'a syn::Field) -> Result<Field<'a>, Refusal> {
        let mut attrs = Attrs::read(&field.attrs)?;
        let (member, source) = match &field.ident {
            Some(ident) => (Member::Named(ident.clone()), unraw(ident)),
            None => (Member::Unnamed(index.into()), index.to_string()),
        };
        let skipped = attrs.skip.de.is_some();
        if skipped
            && matches!(self.container_default, Fallback::None)
            && matches!(attrs.default, Fallback::None)
        {
            attrs.default = Fallback::Trait;
        }
        let rules = Sides {
            ser: self.rules.ser.or(self.outer.ser),
            de: self.rules.de.or(self.outer.de),
        };
        let borrowed = match attrs.borrow.as_ref().or(self.borrow) {
            Some(Some(lifetimes)) => lifetimes.clone(),
            Some(None) => lifetimes_of(&field.ty),
            None => BTreeSet::new(),
        };
        let borrowed = if !borrowed.is_empty() {
            if attrs.with.de.is_none() {
                attrs.with.de = borrowing_cow(&field.ty, self.version);
            }
            borrowed
        } else if is_implicitly_borrowed(&field.ty) {
            lifetimes_of(&field.ty)
        } else {
            borrowed
        };
        let name = Names::new(&source, &attrs, &rules, Rule::field);
        Ok(Field {
            member,
            ty: &field.ty,
            attrs,
            name,
            borrowed,
        })
    }
}

fn is_packed(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("repr")
        && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.clone().into_iter().any(
            |token| matches!(token, TokenTree::Ident(ident) if ident == "packed")
        ))
}

fn ungroup(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

/// The last segment of a path type, with its generic arguments.
fn last_segment(ty: &Type) -> Option<(&Ident, Vec<&GenericArgument>)> {
    let Type::Path(path) = ungroup(ty) else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        PathArguments::None | PathArguments::Parenthesized(_) => Vec::new(),
    };
    Some((&segment.ident, arguments))
}

fn is_phantom(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|(ident, _)| ident == "PhantomData")
}

fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident(name))
}

fn is_bytes(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::Slice(slice) if is_named(&slice.elem, "u8"))
}

/// `&str`, `&[u8]`, and these in an `Option`, borrow without being asked to.
fn is_implicitly_borrowed(ty: &Type) -> bool {
    let is_reference = |ty: &Type| {
        matches!(ungroup(ty), Type::Reference(reference)
            if reference.mutability.is_none()
                && (is_named(&reference.elem, "str") || is_bytes(&reference.elem)))
    };
    is_reference(ty)
        || matches!(last_segment(ty), Some((ident, arguments)) if ident == "Option"
            && matches!(arguments[..], [GenericArgument::Type(inner)] if is_reference(inner)))
}

/// The function that borrows into a `Cow`, which otherwise always owns.
fn borrowing_cow(ty: &Type, version: &Version) -> Option<ExprPath> {
    let (ident, arguments) = last_segment(ty)?;
    let [GenericArgument::Lifetime(_), GenericArgument::Type(inner)] = arguments[..] else {
        return None;
    };
    let function = match ident == "Cow" {
        true if is_named(inner, "str") => "borrow_cow_str",
        true if is_bytes(inner) => "borrow_cow_bytes",
        _ => return None,
    };
    let private = version.private();
    let function = Ident::new(function, Span::call_site());
    syn::parse2(quote!(#private::de::#function)).ok()
}

/// All lifetimes in a type.
fn lifetimes_of(ty: &Type) -> BTreeSet<Lifetime> {
    let mut lifetimes = BTreeSet::new();
    collect_lifetimes(ty, &mut lifetimes);
    lifetimes
}

fn collect_lifetimes(ty: &Type, output: &mut BTreeSet<Lifetime>) {
    match ty {
        Type::Slice(ty) => collect_lifetimes(&ty.elem, output),
        Type::Array(ty) => collect_lifetimes(&ty.elem, output),
        Type::Ptr(ty) => collect_lifetimes(&ty.elem, output),
        Type::Paren(ty) => collect_lifetimes(&ty.elem, output),
        Type::Group(ty) => collect_lifetimes(&ty.elem, output),
        Type::Reference(ty) => {
            output.extend(ty.lifetime.clone());
            collect_lifetimes(&ty.elem, output);
        }
        Type::Tuple(ty) => ty.elems.iter().for_each(|ty| collect_lifetimes(ty, output)),
        Type::Path(ty) => {
            if let Some(qself) = &ty.qself {
                collect_lifetimes(&qself.ty, output);
            }
            for segment in &ty.path.segments {
                let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
                    continue;
                };
                for argument in &arguments.args {
                    match argument {
                        GenericArgument::Lifetime(lifetime) => {
                            output.insert(lifetime.clone());
                        }
                        GenericArgument::Type(ty) => collect_lifetimes(ty, output),
                        GenericArgument::AssocType(binding) => {
                            collect_lifetimes(&binding.ty, output)
                        }
                        _ => {}
                    }
                }
            }
        }
        Type::Macro(ty) => lifetimes_in_tokens(ty.mac.tokens.clone(), output),
        _ => {}
    }
}

fn lifetimes_in_tokens(tokens: TokenStream, output: &mut BTreeSet<Lifetime>) {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                if let Some(TokenTree::Ident(ident)) = tokens.next() {
                    output.insert(Lifetime {
                        apostrophe: punct.span(),
                        ident,
                    });
                }
            }
            TokenTree::Group(group) => lifetimes_in_tokens(group.stream(), output),
            _ => {}
        }
    }
}
