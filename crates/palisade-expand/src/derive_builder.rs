//! `derive_builder_macro`: a builder with one setter for each field.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, GenericArgument, LitStr, Meta, Path, PathArguments, Token,
    Type, TypeParamBound, Visibility, parse_quote,
};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal, unraw};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("derive_builder_macro", "Builder", builder)];

#[derive(Clone, Copy, PartialEq)]
enum Pattern {
    Owned,
    Mutable,
    Immutable,
}

impl Pattern {
    fn of(options: &Options) -> Option<Self> {
        match options.text("pattern")?.value().as_str() {
            "owned" => Some(Self::Owned),
            "immutable" => Some(Self::Immutable),
            _ => Some(Self::Mutable),
        }
    }
}

/// The visibility that an attribute asks for.
fn visibility(options: &Options) -> Result<Option<Visibility>, Refusal> {
    if options.has("public") {
        return Ok(Some(parse_quote!(pub)));
    }
    if let Some(own) = options.parse("vis")? {
        return Ok(Some(own));
    }
    Ok(options.has("private").then_some(Visibility::Inherited))
}

/// Code in a string, which may be statements, or an expression.
fn block(options: &Options, key: &str) -> Result<Option<TokenStream>, Refusal> {
    if let Some(text) = options.text(key) {
        let text = LitStr::new(&format!("{{{}}}", text.value()), text.span());
        return Ok(Some(
            parse_literal::<syn::Block>(&text)?.into_token_stream(),
        ));
    }
    Ok(options.parse::<Expr>(key)?.map(|value| quote!({ #value })))
}

/// `default`, or `default = ".."`.
fn default(options: &Options, root: &TokenStream) -> Result<Option<TokenStream>, Refusal> {
    match options.find("default") {
        None => Ok(None),
        Some(Meta::Path(_)) => Ok(Some(
            quote!(#root::export::core::default::Default::default()),
        )),
        Some(_) => block(options, "default"),
    }
}

/// The attributes that are handed on: common ones, and those inside of `own`.
fn forwarded(attributes: &[Attribute], common: &[&str], own: &str) -> TokenStream {
    attributes
        .iter()
        .map(|attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident(own) => {
                let inner = &list.tokens;
                quote!(#[#inner])
            }
            _ if common.iter().any(|name| attribute.path().is_ident(name)) => {
                attribute.to_token_stream()
            }
            _ => TokenStream::new(),
        })
        .collect()
}

/// The type inside of an `Option`.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let segments = &path.path.segments;
    let names: Vec<_> = segments.iter().map(|it| it.ident.to_string()).collect();
    let is_option = matches!(
        names.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["Option"] | ["std" | "core", "option", "Option"]
    );
    let PathArguments::AngleBracketed(arguments) = &segments.last()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if is_option && path.qself.is_none() => Some(ty),
        _ => None,
    }
}

/// What holds for the whole struct.
struct Builder {
    root: TokenStream,
    options: Options,
    setter: Options,
    pattern: Pattern,
    has_default: bool,
}

fn builder(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("Builder needs a struct"));
    };
    let options = Options::of(&input.attrs, "builder")?;
    let root = match options.parse::<Path>("crate")? {
        Some(path) => path.into_token_stream(),
        None => quote!(::derive_builder),
    };
    let name = &input.ident;
    let builder_name = match options.parse::<Ident>("name")? {
        Some(own) => own,
        None => format_ident!("{name}Builder"),
    };
    let build = options.inside("build_fn")?;
    let default_struct = default(&options, &root)?;
    let shared = Builder {
        setter: options.inside("setter")?,
        pattern: Pattern::of(&options).unwrap_or(Pattern::Mutable),
        has_default: default_struct.is_some(),
        root,
        options,
    };
    let Builder {
        root,
        options,
        pattern,
        ..
    } = &shared;
    let vis = visibility(options)?.unwrap_or(input.vis.clone());
    let (mut parts, mut needs_clone) = (Parts::default(), *pattern != Pattern::Owned);
    for field in &data.fields {
        needs_clone |= parts.field(field, &shared)?;
    }
    let Parts {
        fields,
        empty,
        setters,
        initializers,
    } = &parts;

    let own_error =
        build.text("error").is_some() || matches!(build.find("error"), Some(Meta::NameValue(_)));
    let error_name = format_ident!("{builder_name}Error");
    let error_type: Path = match build.parse("error") {
        Ok(Some(own)) if own_error => own,
        _ => parse_quote!(#error_name),
    };
    let error = (!own_error)
        .then(|| {
            let inside = build.inside("error")?;
            let validates = inside.flag("validation_error").unwrap_or(true);
            Ok::<_, Refusal>(shared.error(&error_name, &vis, validates))
        })
        .transpose()?;
    let build_fn = if build.flag("skip") == Some(true) {
        TokenStream::new()
    } else {
        let (_, ty_generics, _) = input.generics.split_for_impl();
        let build_name = build
            .parse::<Ident>("name")?
            .unwrap_or(format_ident!("build"));
        let build_vis = visibility(&build)?.unwrap_or(vis.clone());
        let validate = build
            .parse::<Path>("validate")?
            .map(|it| quote!(#it(&self)?;));
        let default_struct =
            default_struct.map(|value| quote!(let __default: #name #ty_generics = #value;));
        let receiver = match pattern {
            Pattern::Owned => quote!(self),
            Pattern::Mutable | Pattern::Immutable => quote!(&self),
        };
        quote! {
            #build_vis fn #build_name(#receiver)
                -> #root::export::core::result::Result<#name #ty_generics, #error_type>
            {
                #validate
                #default_struct
                Ok(#name { #initializers })
            }
        }
    };

    let mut bounded = input.generics.clone();
    if *pattern != Pattern::Owned {
        let clone: TypeParamBound = parse_quote!(#root::export::core::clone::Clone);
        for param in bounded.type_params_mut() {
            param.bounds.push(clone.clone());
        }
    }
    let (impl_generics, ty_generics, where_clause) = bounded.split_for_impl();
    let (generics, struct_where) = (&input.generics, &input.generics.where_clause);
    let derives = match options.find("derive") {
        Some(Meta::List(list)) => {
            list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)?
        }
        _ => Punctuated::new(),
    };
    let clone = needs_clone.then(|| quote!(Clone,));
    let create = options
        .parse::<Ident>("create_empty")?
        .unwrap_or(format_ident!("create_empty"));
    let struct_attrs = forwarded(&input.attrs, &["cfg", "allow"], "builder_struct_attr");
    let impl_attrs = forwarded(&input.attrs, &["cfg", "allow"], "builder_impl_attr");
    let default = (!options.has("custom_constructor")).then(|| {
        quote! {
            impl #impl_generics #root::export::core::default::Default
                for #builder_name #ty_generics #where_clause
            {
                fn default() -> Self {
                    Self::#create()
                }
            }
        }
    });
    Ok(quote! {
        #[allow(clippy::all)]
        #[derive(#clone #derives)]
        #struct_attrs
        #vis struct #builder_name #generics #struct_where { #fields }
        #[allow(clippy::all)]
        #impl_attrs
        #[allow(dead_code)]
        impl #impl_generics #builder_name #ty_generics #where_clause {
            #setters
            #build_fn
            fn #create() -> Self {
                Self { #empty }
            }
        }
        #default
        #error
    })
}

impl Builder {
    /// The error type that is made for the builder.
    fn error(&self, name: &Ident, vis: &Visibility, validates: bool) -> TokenStream {
        let root = &self.root;
        let string = quote!(#root::export::core::string::String);
        let variant = validates.then(|| quote!(ValidationError(#string),));
        let shown =
            validates.then(|| quote!(Self::ValidationError(error) => write!(f, "{}", error),));
        let from = validates.then(|| {
            quote! {
                impl #root::export::core::convert::From<#string> for #name {
                    fn from(s: #string) -> Self {
                        Self::ValidationError(s)
                    }
                }
            }
        });
        let std =
            (!self.options.has("no_std")).then(|| quote!(impl std::error::Error for #name {}));
        quote! {
            #[derive(Debug)]
            #[non_exhaustive]
            #vis enum #name {
                UninitializedField(&'static str),
                #variant
            }
            impl #root::export::core::convert::From<#root::UninitializedFieldError> for #name {
                fn from(s: #root::UninitializedFieldError) -> Self {
                    Self::UninitializedField(s.field_name())
                }
            }
            #from
            impl #root::export::core::fmt::Display for #name {
                fn fmt(
                    &self,
                    f: &mut #root::export::core::fmt::Formatter,
                ) -> #root::export::core::fmt::Result {
                    match self {
                        Self::UninitializedField(field) => {
                            write!(f, "`{}` must be initialized", field)
                        }
                        #shown
                    }
                }
            }
            #std
        }
    }
}

/// What the fields contribute.
#[derive(Default)]
struct Parts {
    fields: TokenStream,
    empty: TokenStream,
    setters: TokenStream,
    initializers: TokenStream,
}

impl Parts {
    /// Adds a field; returns whether its setters clone the builder.
    fn field(&mut self, field: &syn::Field, builder: &Builder) -> Result<bool, Refusal> {
        let Some(ident) = &field.ident else {
            return Err(Refusal::new("Builder needs fields with names"));
        };
        let root = &builder.root;
        let options = Options::of(&field.attrs, "builder")?;
        let setter = Setter::new(&options, builder)?;
        let own = options.inside("field")?;
        let pattern = Pattern::of(&options).unwrap_or(builder.pattern);
        let own_type: Option<Type> = own.parse("ty")?;
        let own_build = block(&own, "build")?;

        let field_attrs = forwarded(&field.attrs, &["doc", "cfg", "allow"], "builder_field_attr");
        let ty = &field.ty;
        let held = if !setter.has_field {
            quote!(#root::export::core::marker::PhantomData<#ty>)
        } else if let Some(own) = &own_type {
            own.to_token_stream()
        } else {
            quote!(#root::export::core::option::Option<#ty>)
        };
        let struct_level = builder.options.inside("field")?;
        let vis = match visibility(&own)? {
            Some(own) => own,
            None if !setter.has_field => Visibility::Inherited,
            None => visibility(&struct_level)?.unwrap_or(Visibility::Inherited),
        };
        self.fields.extend(quote!(#field_attrs #vis #ident: #held,));
        self.empty
            .extend(quote!(#ident: #root::export::core::default::Default::default(),));

        let default = default(&options, root)?;
        let value = if !setter.has_field {
            match default {
                Some(value) => value,
                None if builder.has_default => quote!(__default.#ident),
                None => quote!(#root::export::core::default::Default::default()),
            }
        } else if let Some(build) = own_build {
            build
        } else if own_type.is_some() {
            quote!(self.#ident)
        } else {
            let some = match pattern {
                Pattern::Owned => quote!(Some(value) => value),
                Pattern::Mutable | Pattern::Immutable => quote! {
                    Some(ref value) => #root::export::core::clone::Clone::clone(value)
                },
            };
            let name = ident.to_string();
            let none = match default {
                Some(value) => value,
                None if builder.has_default => quote!(__default.#ident),
                None => quote! {
                    return #root::export::core::result::Result::Err(
                        #root::export::core::convert::Into::into(
                            #root::UninitializedFieldError::from(#name)
                        )
                    )
                },
            };
            quote!(match self.#ident { #some, None => #none, })
        };
        self.initializers.extend(quote!(#ident: #value,));
        if setter.is_enabled && setter.has_field {
            let attrs = forwarded(
                &field.attrs,
                &["doc", "cfg", "allow"],
                "builder_setter_attr",
            );
            let held = own_type.as_ref().unwrap_or(ty);
            let functions = setter.functions(ident, held, own_type.is_none(), pattern, builder)?;
            for function in functions {
                self.setters.extend(quote!(#attrs #function));
            }
        }
        Ok(pattern != Pattern::Owned)
    }
}

/// How a field is set.
struct Setter {
    options: Options,
    vis: Visibility,
    is_enabled: bool,
    /// Whether the builder holds the field at all.
    has_field: bool,
    tries: bool,
}

impl Setter {
    fn new(options: &Options, builder: &Builder) -> Result<Self, Refusal> {
        let own = options.inside("setter")?;
        let has_field = match own.flag("skip") {
            Some(skips) => Some(!skips),
            None => {
                let used = ["prefix", "name", "into", "strip_option", "each"];
                let is_word = matches!(options.find("setter"), Some(Meta::Path(_)));
                (is_word || used.iter().any(|key| own.has(key))).then_some(true)
            }
        };
        let by_struct = builder.setter.flag("skip").map(|skips| !skips);
        let vis = match visibility(options)? {
            Some(own) => own,
            None => visibility(&builder.options)?.unwrap_or(parse_quote!(pub)),
        };
        Ok(Self {
            is_enabled: own
                .flag("custom")
                .map(|custom| !custom)
                .or(has_field)
                .or(by_struct)
                .unwrap_or(true),
            has_field: has_field.or(by_struct).unwrap_or(true),
            tries: options.has("try_setter") || builder.options.has("try_setter"),
            options: own,
            vis,
        })
    }

    fn flag(&self, key: &str, builder: &Builder) -> bool {
        let own = self.options.flag(key);
        own.or(builder.setter.flag(key)).unwrap_or(false)
    }

    fn functions(
        &self,
        field: &Ident,
        held: &Type,
        is_optional: bool,
        pattern: Pattern,
        builder: &Builder,
    ) -> Result<Vec<TokenStream>, Refusal> {
        let (root, vis) = (&builder.root, &self.vis);
        let prefix = match self.options.parse::<Ident>("prefix")? {
            Some(own) => Some(own),
            None => builder.setter.parse("prefix")?,
        };
        let name = match (self.options.parse::<Ident>("name")?, prefix) {
            (Some(own), _) => own,
            (None, Some(prefix)) => format_ident!("{prefix}_{}", unraw(field)),
            (None, None) => field.clone(),
        };
        let (receiver, output, this) = match pattern {
            Pattern::Owned => (quote!(self), quote!(Self), quote!(self)),
            Pattern::Mutable => (quote!(&mut self), quote!(&mut Self), quote!(self)),
            Pattern::Immutable => (
                quote!(&self),
                quote!(Self),
                quote!(#root::export::core::clone::Clone::clone(self)),
            ),
        };
        let stripped = inside_option(held).filter(|_| self.flag("strip_option", builder));
        let ty = stripped.unwrap_or(held);
        let wrapped = |mut value: TokenStream| {
            for _ in 0..usize::from(stripped.is_some()) + usize::from(is_optional) {
                value = quote!(#root::export::core::option::Option::Some(#value));
            }
            value
        };
        let (params, param, value) = if self.flag("into", builder) {
            (
                quote!(<VALUE: #root::export::core::convert::Into<#ty>>),
                quote!(VALUE),
                quote!(value.into()),
            )
        } else {
            (quote!(), quote!(#ty), quote!(value))
        };
        let value = wrapped(value);
        let mut functions = vec![quote! {
            #[allow(unused_mut)]
            #vis fn #name #params(#receiver, value: #param) -> #output {
                let mut new = #this;
                new.#field = #value;
                new
            }
        }];
        if self.tries {
            let name = format_ident!("try_{}", unraw(&name));
            let value = wrapped(quote!(converted));
            functions.push(quote! {
                #vis fn #name<VALUE: #root::export::core::convert::TryInto<#ty>>(
                    #receiver,
                    value: VALUE,
                ) -> #root::export::core::result::Result<#output, VALUE::Error> {
                    let converted: #ty = value.try_into()?;
                    let mut new = #this;
                    new.#field = #value;
                    Ok(new)
                }
            });
        }
        if self.options.has("each") {
            let inside = self.options.inside("each")?;
            let name: Option<Ident> = match inside.parse("name")? {
                Some(name) => Some(name),
                None => self.options.parse("each")?,
            };
            let name = name.ok_or_else(|| Refusal::new("a setter without a name"))?;
            let default = quote!(#root::export::core::default::Default::default);
            let collection = if stripped.is_some() {
                quote!(.get_or_insert_with(|| Some(#default())).get_or_insert_with(#default))
            } else {
                quote!(.get_or_insert_with(#default))
            };
            let (params, param, item) = if inside.flag("into") == Some(true) {
                (
                    quote!(<VALUE, FROM_VALUE: #root::export::core::convert::Into<VALUE>>),
                    quote!(FROM_VALUE),
                    quote!(#root::export::core::convert::Into::into(item)),
                )
            } else {
                (quote!(<VALUE>), quote!(VALUE), quote!(item))
            };
            functions.push(quote! {
                #[allow(unused_mut)]
                #vis fn #name #params(#receiver, item: #param) -> #output
                where
                    #ty: #root::export::core::default::Default
                        + #root::export::core::iter::Extend<VALUE>,
                {
                    let mut new = #this;
                    new.#field
                        #collection
                        .extend(#root::export::core::option::Option::Some(#item));
                    new
                }
            });
        }
        Ok(functions)
    }
}
