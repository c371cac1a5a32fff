//! `derivative`: the standard derives, with exceptions.

mod compare;
mod debug;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, Generics, LitStr, Path, Type, WhereClause,
    WherePredicate, parse_quote,
};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("derivative", "Derivative", derivative)];

/// What an attribute says about one trait.
#[derive(Default)]
struct Says {
    /// `Trait = ".."`, such as `ignore`.
    word: Option<String>,
    /// `Trait(..)`.
    inside: Options,
    bound: Option<Vec<WherePredicate>>,
}

impl Says {
    fn of(options: &Options, name: &str) -> Result<Option<Self>, Refusal> {
        if !options.has(name) {
            return Ok(None);
        }
        let inside = options.inside(name)?;
        let bound = match inside.text("bound") {
            None => None,
            Some(text) if text.value().is_empty() => Some(Vec::new()),
            Some(text) => {
                let clause = LitStr::new(&format!("where {}", text.value()), text.span());
                let clause: WhereClause = parse_literal(&clause)?;
                Some(clause.predicates.into_iter().collect())
            }
        };
        Ok(Some(Self {
            word: options.text(name).map(LitStr::value),
            bound,
            inside,
        }))
    }

    fn has(&self, word: &str) -> bool {
        self.word.as_deref() == Some(word) || self.inside.flag(word) == Some(true)
    }
}

struct Field<'a> {
    ident: Option<&'a Ident>,
    ty: &'a Type,
    options: Options,
}

impl Field<'_> {
    fn says(&self, name: &str) -> Result<Says, Refusal> {
        Ok(Says::of(&self.options, name)?.unwrap_or_default())
    }

    fn is_ignored(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.says(name)?.has("ignore"))
    }

    /// The path in `Trait(key = "path")`.
    fn path(&self, name: &str, key: &str) -> Result<Option<Path>, Refusal> {
        self.says(name)?.inside.parse(key)
    }
}

/// A struct, or one variant of an enum.
struct Variant<'a> {
    path: TokenStream,
    ident: &'a Ident,
    attrs: &'a [Attribute],
    is_named: bool,
    is_unit: bool,
    fields: Vec<Field<'a>>,
}

impl<'a> Variant<'a> {
    fn new(
        path: TokenStream,
        ident: &'a Ident,
        attrs: &'a [Attribute],
        fields: &'a Fields,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            path,
            ident,
            attrs,
            is_named: matches!(fields, Fields::Named(_)),
            is_unit: matches!(fields, Fields::Unit),
            fields: fields
                .iter()
                .map(|field| {
                    Ok(Field {
                        ident: field.ident.as_ref(),
                        ty: &field.ty,
                        options: Options::of(&field.attrs, "derivative")?,
                    })
                })
                .collect::<Result<_, Refusal>>()?,
        })
    }

    /// The path with a value or a pattern for each field.
    fn with(&self, values: &[TokenStream]) -> TokenStream {
        let path = &self.path;
        if self.is_unit {
            return path.clone();
        }
        if self.is_named {
            let names = self.fields.iter().map(|field| field.ident);
            quote!(#path { #(#names: #values,)* })
        } else {
            quote!(#path(#(#values,)*))
        }
    }

    /// The pattern that binds every field by reference, and the names.
    fn pattern(&self, prefix: &str, mode: &TokenStream) -> (TokenStream, Vec<Ident>) {
        let names: Vec<_> = (0..self.fields.len())
            .map(|index| format_ident!("{prefix}_{index}"))
            .collect();
        let patterns: Vec<_> = names.iter().map(|name| quote!(#mode #name)).collect();
        (self.with(&patterns), names)
    }
}

struct Derive<'a> {
    input: &'a DeriveInput,
    options: Options,
    variants: Vec<Variant<'a>>,
    is_enum: bool,
    /// `std` or `core`.
    library: Ident,
}

fn derivative(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let is_packed = input.attrs.iter().any(|attribute| {
        attribute.path().is_ident("repr")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("packed"))
    });
    if is_packed {
        return Err(Refusal::new("packed types are not covered"));
    }
    let name = &input.ident;
    let variants = match &input.data {
        Data::Struct(data) => {
            vec![Variant::new(
                quote!(#name),
                name,
                &input.attrs,
                &data.fields,
            )?]
        }
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                Variant::new(
                    quote!(#name::#ident),
                    ident,
                    &variant.attrs,
                    &variant.fields,
                )
            })
            .collect::<Result<_, _>>()?,
        Data::Union(_) => return Err(Refusal::new("a union has no derives")),
    };
    let is_core = (invocation.env)("feature:use_core").is_some();
    let derive = Derive {
        options: Options::of(&input.attrs, "derivative")?,
        variants,
        is_enum: matches!(input.data, Data::Enum(_)),
        library: format_ident!("{}", if is_core { "core" } else { "std" }),
        input: &input,
    };
    let mut output = TokenStream::new();
    for (name, expand) in TRAITS {
        if let Some(says) = Says::of(&derive.options, name)? {
            output.extend(expand(&derive, &says)?);
        }
    }
    Ok(output)
}

type Expand = fn(&Derive<'_>, &Says) -> Expansion;

const TRAITS: [(&str, Expand); 9] = [
    ("Clone", |it, says| it.clone(says)),
    ("Copy", |it, says| it.copy(says)),
    ("Debug", |it, says| it.debug(says)),
    ("Default", |it, says| it.default(says)),
    ("Eq", |it, says| it.eq(says)),
    ("Hash", |it, says| it.hash(says)),
    ("PartialEq", |it, says| it.partial_eq(says)),
    ("PartialOrd", |it, says| it.partial_ord(says)),
    ("Ord", |it, says| it.ord(says)),
];

impl Derive<'_> {
    /// The generics of the impl: with the bounds that are asked for, or else
    /// with the trait for every type parameter that a field uses.
    fn generics(
        &self,
        says: &Says,
        name: &str,
        ignored_by: &str,
        of: &TokenStream,
    ) -> Result<Generics, Refusal> {
        let mut generics = self.input.generics.clone();
        for param in generics.type_params_mut() {
            param.eq_token = None;
            param.default = None;
        }
        let mut used = Used {
            params: generics.type_params().map(|it| it.ident.clone()).collect(),
            found: Vec::new(),
        };
        let mut predicates: Vec<WherePredicate> = Vec::new();
        for field in self.variants.iter().flat_map(|variant| &variant.fields) {
            match field.says(name)?.bound {
                Some(own) => predicates.extend(own),
                None if field.is_ignored(ignored_by)? => {}
                None => used.visit_type(field.ty),
            }
        }
        match &says.bound {
            Some(own) => predicates.extend(own.iter().cloned()),
            None => {
                for param in used.params.iter().filter(|it| used.found.contains(it)) {
                    predicates.push(parse_quote!(#param: #of));
                }
            }
        }
        generics.make_where_clause().predicates.extend(predicates);
        Ok(generics)
    }

    fn implement(
        &self,
        generics: &Generics,
        of: &TokenStream,
        members: &TokenStream,
    ) -> TokenStream {
        let name = &self.input.ident;
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        quote! {
            #[allow(unused_qualifications)]
            #[allow(clippy::unneeded_field_pattern)]
            impl #impl_generics #of for #name #ty_generics #where_clause { #members }
        }
    }

    fn copy(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::marker::Copy);
        let generics = self.generics(says, "Copy", "Copy", &of)?;
        Ok(self.implement(&generics, &of, &TokenStream::new()))
    }

    fn clone(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::clone::Clone);
        let generics = self.generics(says, "Clone", "", &of)?;
        if self.options.has("Copy") && generics.type_params().next().is_none() {
            let clone = quote!(
                fn clone(&self) -> Self {
                    *self
                }
            );
            return Ok(self.implement(&generics, &of, &clone));
        }
        let mut arms = TokenStream::new();
        for variant in &self.variants {
            let (pattern, names) = variant.pattern("__arg", &quote!(ref));
            let mut values = Vec::new();
            for (field, name) in variant.fields.iter().zip(&names) {
                values.push(match field.path("Clone", "clone_with")? {
                    Some(with) => quote!(#with(&(*#name))),
                    None => quote!((*#name).clone()),
                });
            }
            let value = variant.with(&values);
            arms.extend(quote!(#pattern => { #value }));
        }
        let clone_from = says.has("clone_from").then(|| self.clone_from());
        let members = quote! {
            fn clone(&self) -> Self {
                match *self { #arms }
            }
            #clone_from
        };
        Ok(self.implement(&generics, &of, &members))
    }

    fn clone_from(&self) -> TokenStream {
        let mut arms = TokenStream::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let (pattern, names) = variant.pattern("__arg", &quote!(ref mut));
            let mut inner = TokenStream::new();
            for (other_index, other) in self.variants.iter().enumerate() {
                let (pattern, others) = other.pattern("__other", &quote!(ref));
                let body = (index == other_index).then(|| {
                    quote! {
                        #((*#names).clone_from(&(*#others));)*
                        return;
                    }
                });
                inner.extend(quote!(#pattern => { #body }));
            }
            arms.extend(quote!(#pattern => { match *other { #inner } }));
        }
        let fallback = self.is_enum.then(|| quote!(*self = other.clone();));
        quote! {
            #[allow(clippy::needless_return)]
            fn clone_from(&mut self, other: &Self) {
                match *self { #arms }
                #fallback
            }
        }
    }

    fn default(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::default::Default);
        let generics = self.generics(says, "Default", "", &of)?;
        let mut body = TokenStream::new();
        for variant in &self.variants {
            let own = Options::of(variant.attrs, "derivative")?;
            if !own.has("Default") {
                continue;
            }
            let mut values = Vec::new();
            for field in &variant.fields {
                let value = field.says("Default")?.inside.parse::<Expr>("value")?;
                values.push(match value {
                    Some(value) => quote!(#value),
                    None => quote!(#of::default()),
                });
            }
            body.extend(variant.with(&values));
        }
        let new = says.has("new").then(|| {
            let name = &self.input.ident;
            let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
            quote! {
                #[allow(unused_qualifications)]
                impl #impl_generics #name #ty_generics #where_clause {
                    #[inline]
                    pub fn new() -> Self {
                        <Self as #of>::default()
                    }
                }
            }
        });
        let members = quote!(fn default() -> Self { #body });
        let implementation = self.implement(&generics, &of, &members);
        Ok(quote!(#new #implementation))
    }

    fn hash(&self, says: &Says) -> Expansion {
        let library = &self.library;
        let of = quote!(::#library::hash::Hash);
        let generics = self.generics(says, "Hash", "Hash", &of)?;
        let mut arms = TokenStream::new();
        for variant in &self.variants {
            let (pattern, names) = variant.pattern("__arg", &quote!(ref));
            let mut body = TokenStream::new();
            for (field, name) in variant.fields.iter().zip(&names) {
                if field.is_ignored("Hash")? {
                    continue;
                }
                body.extend(match field.path("Hash", "hash_with")? {
                    Some(with) => quote!(#with(&(*#name), __state);),
                    None => quote!(#of::hash(&(*#name), __state);),
                });
            }
            arms.extend(quote!(#pattern => { #body }));
        }
        let discriminant = self
            .is_enum
            .then(|| quote!(#of::hash(&::#library::mem::discriminant(self), __state);));
        let members = quote! {
            fn hash<__HT>(&self, __state: &mut __HT)
            where
                __HT: ::#library::hash::Hasher,
            {
                #discriminant
                match *self { #arms }
            }
        };
        Ok(self.implement(&generics, &of, &members))
    }
}

/// The type parameters that a type mentions, other than in `PhantomData`.
struct Used {
    params: Vec<Ident>,
    found: Vec<Ident>,
}

impl Visit<'_> for Used {
    fn visit_path(&mut self, path: &Path) {
        let last = path.segments.last();
        if last.is_some_and(|last| last.ident == "PhantomData") {
            return;
        }
        if let Some(first) = path.segments.first()
            && path.leading_colon.is_none()
            && path.segments.len() == 1
            && self.params.contains(&first.ident)
        {
            self.found.push(first.ident.clone());
        }
        visit::visit_path(self, path);
    }
}
