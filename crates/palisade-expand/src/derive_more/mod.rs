//! `derive_more` 0.99, 1.x and 2.x: impls of the standard library's traits.
//!
//! From 1.0 on the macros live in `derive_more-impl`; before, `derive_more` was
//! itself the crate of macros. Both write the same functions for the same
//! input, so one expander serves them with a few words exchanged.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Generics, Meta, Type};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

mod access;
mod arithmetic;
mod convert;
mod error;
mod format;
mod template;
mod variants;

/// The macros that both packages have, and those of one alone.
macro_rules! macros {
    ($package:literal $(, $name:literal => $expand:path)*) => {
        &[
            Macro::derive($package, "From", convert::from),
            Macro::derive($package, "Into", convert::into),
            Macro::derive($package, "TryInto", convert::try_into),
            Macro::derive($package, "FromStr", convert::from_str),
            Macro::derive($package, "Constructor", convert::constructor),
            Macro::derive($package, "Deref", access::deref),
            Macro::derive($package, "DerefMut", access::deref_mut),
            Macro::derive($package, "AsRef", access::as_ref),
            Macro::derive($package, "AsMut", access::as_mut),
            Macro::derive($package, "Index", access::index),
            Macro::derive($package, "IndexMut", access::index_mut),
            Macro::derive($package, "IntoIterator", access::into_iterator),
            Macro::derive($package, "Add", arithmetic::add_like),
            Macro::derive($package, "Sub", arithmetic::add_like),
            Macro::derive($package, "BitAnd", arithmetic::add_like),
            Macro::derive($package, "BitOr", arithmetic::add_like),
            Macro::derive($package, "BitXor", arithmetic::add_like),
            Macro::derive($package, "AddAssign", arithmetic::add_assign_like),
            Macro::derive($package, "SubAssign", arithmetic::add_assign_like),
            Macro::derive($package, "BitAndAssign", arithmetic::add_assign_like),
            Macro::derive($package, "BitOrAssign", arithmetic::add_assign_like),
            Macro::derive($package, "BitXorAssign", arithmetic::add_assign_like),
            Macro::derive($package, "Mul", arithmetic::mul_like),
            Macro::derive($package, "Div", arithmetic::mul_like),
            Macro::derive($package, "Rem", arithmetic::mul_like),
            Macro::derive($package, "Shl", arithmetic::mul_like),
            Macro::derive($package, "Shr", arithmetic::mul_like),
            Macro::derive($package, "MulAssign", arithmetic::mul_assign_like),
            Macro::derive($package, "DivAssign", arithmetic::mul_assign_like),
            Macro::derive($package, "RemAssign", arithmetic::mul_assign_like),
            Macro::derive($package, "ShlAssign", arithmetic::mul_assign_like),
            Macro::derive($package, "ShrAssign", arithmetic::mul_assign_like),
            Macro::derive($package, "Not", arithmetic::not_like),
            Macro::derive($package, "Neg", arithmetic::not_like),
            Macro::derive($package, "Sum", arithmetic::sum_like),
            Macro::derive($package, "Product", arithmetic::sum_like),
            Macro::derive($package, "Display", format::display_like),
            Macro::derive($package, "Binary", format::display_like),
            Macro::derive($package, "Octal", format::display_like),
            Macro::derive($package, "LowerHex", format::display_like),
            Macro::derive($package, "UpperHex", format::display_like),
            Macro::derive($package, "LowerExp", format::display_like),
            Macro::derive($package, "UpperExp", format::display_like),
            Macro::derive($package, "Pointer", format::display_like),
            Macro::derive($package, "Error", error::error),
            Macro::derive($package, "IsVariant", variants::is_variant),
            Macro::derive($package, "Unwrap", variants::unwrap),
            $(Macro::derive($package, $name, $expand),)*
        ]
    };
}

/// `derive_more-impl`, from 1.0 on.
pub(crate) const MACROS: &[Macro] = macros!(
    "derive_more-impl",
    "TryFrom" => convert::try_from,
    "Debug" => format::debug,
    "TryUnwrap" => variants::try_unwrap
);
/// `derive_more` before 1.0.
pub(crate) const OLD_MACROS: &[Macro] = macros!("derive_more");

/// A struct, or one variant of an enum.
struct Shape<'a> {
    variant: Option<&'a Ident>,
    fields: &'a Fields,
    attributes: &'a [Attribute],
}

impl<'a> Shape<'a> {
    /// `Name` or `Name::Variant`.
    fn path(&self, name: &Ident) -> TokenStream {
        match self.variant {
            Some(variant) => quote!(#name::#variant),
            None => quote!(#name),
        }
    }

    fn types(&self) -> Vec<&'a Type> {
        self.fields.iter().map(|field| &field.ty).collect()
    }

    fn members(&self) -> Vec<syn::Member> {
        self.fields.members().collect()
    }

    /// One value per field, in the delimiters that the fields have.
    fn with_values(&self, values: &[TokenStream]) -> TokenStream {
        match self.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((#(#values),*)),
            Fields::Named(_) => {
                let members = self.members();
                quote!({ #(#members: #values),* })
            }
        }
    }

    /// A pattern that binds the fields to numbered variables.
    fn bound(&self, prefix: &str) -> (Vec<Ident>, TokenStream) {
        let names: Vec<_> = (0..self.fields.len())
            .map(|index| format_ident!("{prefix}{index}"))
            .collect();
        let values: Vec<_> = names.iter().map(|name| quote!(#name)).collect();
        let pattern = self.with_values(&values);
        (names, pattern)
    }

    /// A pattern that looks at no field.
    fn ignoring(&self) -> TokenStream {
        match self.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((..)),
            Fields::Named(_) => quote!({ .. }),
        }
    }
}

/// The item that a derive stands on.
struct Item<'a> {
    input: &'a DeriveInput,
    shapes: Vec<Shape<'a>>,
    is_enum: bool,
    /// The name of the derive, which mostly is the trait's.
    derive: Ident,
    /// Before 1.0.
    old: bool,
    /// The path to `core`.
    core: TokenStream,
    /// The major and minor number of the release.
    version: (u32, u32),
}

impl<'a> Item<'a> {
    fn read(input: &'a DeriveInput, invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        let shapes = match &input.data {
            Data::Struct(data) => {
                vec![Shape {
                    variant: None,
                    fields: &data.fields,
                    attributes: &input.attrs,
                }]
            }
            Data::Enum(data) => data
                .variants
                .iter()
                .map(|variant| Shape {
                    variant: Some(&variant.ident),
                    fields: &variant.fields,
                    attributes: &variant.attrs,
                })
                .collect(),
            Data::Union(_) => return Err(Refusal::new("derive_more does not support unions")),
        };
        let old = invocation.package == "derive_more";
        let mut numbers = invocation
            .version
            .unwrap_or_default()
            .split('.')
            .map(str::parse);
        let mut number = || numbers.next().and_then(Result::ok);
        Ok(Self {
            input,
            shapes,
            is_enum: matches!(input.data, Data::Enum(_)),
            derive: Ident::new(invocation.name, Span::call_site()),
            old,
            core: if old {
                quote!(::core)
            } else {
                quote!(derive_more::core)
            },
            version: (number().unwrap_or(u32::MAX), number().unwrap_or(u32::MAX)),
        })
    }

    fn name(&self) -> &'a Ident {
        &self.input.ident
    }

    /// The only shape of a struct.
    fn structure(&self) -> Result<&Shape<'a>, Refusal> {
        match &self.shapes[..] {
            [shape] if !self.is_enum => Ok(shape),
            _ => Err(Refusal::new(format!("{} needs a struct", self.derive))),
        }
    }

    /// `impl<..> Trait for Type where .. { body }`
    fn implement(&self, of: &TokenStream, more: &More, body: &TokenStream) -> Expansion {
        let generics = more.extend(&self.input.generics)?;
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let (name, (_, ty_generics, _)) = (self.name(), self.input.generics.split_for_impl());
        let this = match &more.this {
            Some(this) => this.clone(),
            None => quote!(#name #ty_generics),
        };
        let of = (!of.is_empty()).then(|| quote!(#of for));
        Ok(quote! {
            #[allow(deprecated, unreachable_code)]
            #[automatically_derived]
            impl #impl_generics #of #this #where_clause { #body }
        })
    }

    /// The derived type with its arguments.
    fn this(&self) -> TokenStream {
        let (name, (_, ty_generics, _)) = (self.name(), self.input.generics.split_for_impl());
        quote!(#name #ty_generics)
    }

    /// Whether a type depends on a parameter of the derived type.
    fn is_generic(&self, ty: &Type) -> bool {
        let params: Vec<_> = self
            .input
            .generics
            .type_params()
            .map(|param| &param.ident)
            .collect();
        mentions(ty.to_token_stream(), &params)
    }
}

/// What an impl has beyond the generics of the type.
#[derive(Default)]
struct More {
    params: Vec<TokenStream>,
    predicates: Vec<TokenStream>,
    /// The type, if it is not the derived one.
    this: Option<TokenStream>,
}

impl More {
    fn predicate(predicate: TokenStream) -> Self {
        Self {
            predicates: vec![predicate],
            ..Self::default()
        }
    }

    fn extend(&self, generics: &Generics) -> Result<Generics, Refusal> {
        let mut generics = generics.clone();
        for param in &self.params {
            let param: GenericParam = syn::parse2(param.clone())?;
            let first = matches!(param, GenericParam::Lifetime(_));
            let index = if first { 0 } else { generics.params.len() };
            generics.params.insert(index, param);
        }
        if !self.predicates.is_empty() {
            let clause = generics.make_where_clause();
            for predicate in &self.predicates {
                clause.predicates.push(syn::parse2(predicate.clone())?);
            }
        }
        Ok(generics)
    }
}

/// Whether any of the identifiers occurs among the tokens.
fn mentions(tokens: TokenStream, idents: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => idents.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), idents),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// One argument of an attribute such as `#[into(owned(u8, u16), ref)]`.
enum Argument {
    /// `word` alone, or something with its own arguments.
    Word(Ident, Vec<Type>),
    Type(Box<Type>),
}

/// Reads `#[name(..)]`: `None` if there is no such attribute, and no arguments
/// for `#[name]`. The words are those that are not types.
fn arguments(
    attributes: &[Attribute],
    name: &str,
    words: &[&str],
) -> Result<Option<Vec<Argument>>, Refusal> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let list = found.get_or_insert_with(Vec::new);
        if let Meta::List(meta) = &attribute.meta {
            let parser = |input: syn::parse::ParseStream<'_>| parse_arguments(input, words);
            list.extend(meta.parse_args_with(parser)?);
        }
    }
    Ok(found)
}

fn parse_arguments(
    input: syn::parse::ParseStream<'_>,
    words: &[&str],
) -> syn::Result<Vec<Argument>> {
    use syn::ext::IdentExt as _;
    let mut list = Vec::new();
    while !input.is_empty() {
        let fork = input.fork();
        let word = fork.call(Ident::parse_any).ok();
        match word.filter(|word| words.iter().any(|known| word == known)) {
            Some(_) => {
                let word = input.call(Ident::parse_any)?;
                let mut types = Vec::new();
                if input.peek(syn::token::Paren) {
                    let content;
                    syn::parenthesized!(content in input);
                    while !content.is_empty() {
                        types.push(content.parse()?);
                        if !content.is_empty() {
                            content.parse::<syn::Token![,]>()?;
                        }
                    }
                }
                list.push(Argument::Word(word, types));
            }
            None => list.push(Argument::Type(Box::new(input.parse()?))),
        }
        if !input.is_empty() {
            input.parse::<syn::Token![,]>()?;
        }
    }
    Ok(list)
}

impl Argument {
    fn is_word(&self, names: &[&str]) -> bool {
        matches!(self, Self::Word(word, _) if names.iter().any(|name| word == name))
    }
}

/// Whether `#[name(skip)]` or `#[name(ignore)]` stands there.
fn is_skipped(attributes: &[Attribute], name: &str) -> bool {
    const WORDS: [&str; 2] = ["skip", "ignore"];
    let Ok(Some(list)) = arguments(attributes, name, &WORDS) else {
        return false;
    };
    list.iter().any(|argument| argument.is_word(&WORDS))
}

/// Reads the item and hands it on.
fn with_item(
    invocation: &Invocation<'_>,
    expand: impl FnOnce(&Item<'_>) -> Expansion,
) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    expand(&Item::read(&input, invocation)?)
}

/// A trait's name as that of its method or attribute: `AddAssign` as `add_assign`.
fn snake(name: &str) -> String {
    let mut output = String::new();
    let mut last: Option<char> = None;
    for c in name.chars() {
        let starts = c.is_uppercase() && last.is_some_and(|last| last != '_');
        let number = last.is_some_and(|last| {
            last.is_alphanumeric() && last.is_ascii_digit() != c.is_ascii_digit() && c != '_'
        });
        let inside = last.is_some_and(char::is_uppercase) && c.is_uppercase();
        if (starts && !inside) || number {
            output.push('_');
        }
        output.extend(c.to_lowercase());
        last = Some(c);
    }
    output
}
