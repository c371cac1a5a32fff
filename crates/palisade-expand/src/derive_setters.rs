//! `derive_setters`: a setter for each field.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{
    Data, DeriveInput, Field, Fields, GenericArgument, Generics, Path, PathArguments, Type,
    Visibility,
};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("derive_setters", "Setters", setters)];

fn setters(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("expected a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Refusal::new("expected named fields"));
    };
    let options = Options::of(&input.attrs, "setters")?;
    let fields: Vec<Setter> = fields
        .named
        .iter()
        .map(|field| Setter::read(field, &options))
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    let (impl_generics, type_generics, clause) = input.generics.split_for_impl();
    let name = &input.ident;
    let own = fields.iter().map(|field| field.method(None, None));
    let own = own.collect::<Result<Vec<_>, _>>()?;
    let mut output = quote!(impl #impl_generics #name #type_generics #clause { #(#own)* });
    for delegate in options.groups("generate_delegates")? {
        let Some(ty) = delegate.text("ty") else {
            return Err(Refusal::new("expected the type of a delegate"));
        };
        let ty: Path = parse_literal(ty)?;
        let generics: Generics = match delegate.text("generics") {
            Some(text) => parse_literal(text)?,
            None => Generics::default(),
        };
        let place = match (delegate.text("field"), delegate.text("method")) {
            (Some(field), None) => {
                let field: Ident = parse_literal(field)?;
                quote!(#field)
            }
            (None, Some(method)) => {
                let method: Ident = parse_literal(method)?;
                quote!(#method())
            }
            _ => return Err(Refusal::new("expected a field or a method of a delegate")),
        };
        let prefix = delegate.text("prefix").map(syn::LitStr::value);
        let (impl_generics, _, clause) = generics.split_for_impl();
        let methods = fields
            .iter()
            .map(|field| field.method(prefix.as_deref(), Some(&place)))
            .collect::<Result<Vec<_>, _>>()?;
        output.extend(quote!(impl #impl_generics #ty #clause { #(#methods)* }));
    }
    Ok(output)
}

/// The setter of one field.
struct Setter {
    field: Ident,
    name: String,
    ty: Type,
    is_stripped: bool,
    converts: bool,
    borrows: bool,
    sets_true: bool,
}

impl Setter {
    /// `None` for a field without a setter.
    fn read(field: &Field, container: &Options) -> Result<Option<Self>, Refusal> {
        let options = Options::of(&field.attrs, "setters")?;
        let is_on = |key| container.flag(key).unwrap_or(true);
        let by_default = is_on("generate")
            && match field.vis {
                Visibility::Public(_) => is_on("generate_public"),
                Visibility::Restricted(_) | Visibility::Inherited => is_on("generate_private"),
            };
        let asked = options.flag("generate").unwrap_or(false);
        if options.flag("skip").unwrap_or(false) || !(asked || by_default) {
            return Ok(None);
        }
        let Some(ident) = &field.ident else {
            return Err(Refusal::new("expected named fields"));
        };
        let name = match (options.find("rename"), options.text("rename")) {
            (None, _) => {
                let prefix = container.text("prefix").map(syn::LitStr::value);
                format!("{}{ident}", prefix.unwrap_or_default())
            }
            (Some(_), Some(name)) => name.value(),
            (Some(_), None) => return Err(Refusal::new("expected a name")),
        };
        let flag = |key| {
            let own = options.flag(key).or_else(|| container.flag(key));
            own.unwrap_or(false)
        };
        let stripped = flag("strip_option").then(|| stripped(&field.ty)).flatten();
        Ok(Some(Self {
            field: ident.clone(),
            name,
            is_stripped: stripped.is_some(),
            ty: stripped.unwrap_or(&field.ty).clone(),
            converts: flag("into"),
            borrows: flag("borrow_self"),
            sets_true: flag("bool"),
        }))
    }

    /// The method, on a wrapper if there is a place in one.
    fn method(&self, prefix: Option<&str>, place: Option<&TokenStream>) -> Expansion {
        let Self { field, ty, .. } = self;
        let name: Ident = syn::parse_str(&format!("{}{}", prefix.unwrap_or_default(), self.name))?;
        let mut value = match self.converts {
            true => quote!(value.into()),
            false => quote!(value),
        };
        if self.sets_true {
            value = quote!(true);
        }
        if self.is_stripped {
            value = quote!(Some(#value));
        }
        let parameter = match (self.sets_true, self.converts) {
            (true, _) => TokenStream::new(),
            (false, true) => quote!(value: impl ::std::convert::Into<#ty>),
            (false, false) => quote!(value: #ty),
        };
        let (receiver, result) = match self.borrows {
            true => (quote!(&mut self), quote!(&mut Self)),
            false => (quote!(mut self), quote!(Self)),
        };
        let place = place.map(|place| quote!(#place.));
        Ok(quote! {
            pub fn #name(#receiver, #parameter) -> #result {
                self.#place #field = #value;
                self
            }
        })
    }
}

/// The `T` of `Option<T>`.
fn stripped(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    match (&last.arguments, last.ident == "Option") {
        (PathArguments::AngleBracketed(arguments), true) => match arguments.args.first()? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}
