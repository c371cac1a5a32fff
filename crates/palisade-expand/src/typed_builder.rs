//! `typed-builder-macro`: a builder that knows by its type which fields are set.
//!
//! Mutators are not covered.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Data, DeriveInput, Expr, Field, Fields, GenericArgument, GenericParam, Generics, Pat, Path,
    PathArguments, Type, Visibility, parse_quote,
};

use crate::Invocation;
use crate::options::Options;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, unraw};

pub(crate) const MACROS: &[Macro] = &[Macro::derive(
    "typed-builder-macro",
    "TypedBuilder",
    typed_builder,
)];

/// A field with what its attributes say, or else those of all fields.
struct Setting<'a> {
    name: &'a Ident,
    ty: &'a Type,
    /// The type parameter for whether it is set.
    param: Ident,
    default: Option<TokenStream>,
    setter: Options,
    by_default: Options,
}

impl<'a> Setting<'a> {
    fn read(field: &'a Field, defaults: &Options) -> Result<Self, Refusal> {
        let Some(name) = &field.ident else {
            return Err(Refusal::new("a field without a name"));
        };
        let options = Options::of(&field.attrs, "builder")?;
        if options.has("via_mutators") || options.has("mutators") {
            return Err(Refusal::new("mutators are not covered"));
        }
        let mut setting = Self {
            name,
            ty: &field.ty,
            param: format_ident!("__{}", unraw(name)),
            default: match default(&options)? {
                Some(own) => Some(own),
                None => default(defaults)?,
            },
            setter: options.inside("setter")?,
            by_default: defaults.inside("setter")?,
        };
        if setting.flag("strip_bool") {
            setting.default = Some(quote!(false));
        }
        Ok(setting)
    }

    fn flag(&self, key: &str) -> bool {
        let own = self.setter.flag(key);
        own.or(self.by_default.flag(key)).unwrap_or(false)
    }

    fn text(&self, key: &str) -> String {
        let own = self.setter.text(key).or(self.by_default.text(key));
        own.map(syn::LitStr::value).unwrap_or_default()
    }

    fn is_included(&self) -> bool {
        !self.flag("skip")
    }

    /// The type of a field that is set.
    fn set(&self) -> TokenStream {
        let ty = self.ty;
        quote!((#ty,))
    }

    fn free(&self) -> TokenStream {
        let param = &self.param;
        quote!(#param)
    }
}

/// `default`, `default = value` or `default_code = "value"`.
fn default(options: &Options) -> Result<Option<TokenStream>, Refusal> {
    if let Some(code) = options.parse::<Expr>("default_code")? {
        return Ok(Some(quote!(#code)));
    }
    Ok(match options.find("default") {
        None => None,
        Some(syn::Meta::NameValue(pair)) => {
            let value = &pair.value;
            Some(quote!(#value))
        }
        Some(_) => Some(quote!(::core::default::Default::default())),
    })
}

fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if last.ident == "Option" => Some(ty),
        _ => None,
    }
}

struct Builder<'a> {
    input: &'a DeriveInput,
    options: Options,
    builder_name: Ident,
    fields: Vec<Setting<'a>>,
    root: Path,
}

fn typed_builder(invocation: &Invocation<'_>) -> Expansion {
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let Data::Struct(data) = &input.data else {
        return Err(Refusal::new("expected a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Refusal::new("expected fields with names"));
    };
    let options = Options::of(&input.attrs, "builder")?;
    if options.has("mutators") {
        return Err(Refusal::new("mutators are not covered"));
    }
    let defaults = options.inside("field_defaults")?;
    let own_name: Option<Ident> = options.inside("builder_type")?.parse("name")?;
    let builder = Builder {
        builder_name: own_name.unwrap_or(format_ident!("{}Builder", input.ident)),
        fields: fields
            .named
            .iter()
            .map(|field| Setting::read(field, &defaults))
            .collect::<Result<_, _>>()?,
        root: options
            .parse("crate_module_path")?
            .unwrap_or(parse_quote!(::typed_builder)),
        options,
        input: &input,
    };
    let mut output = builder.creation()?;
    for field in builder.included() {
        output.extend(builder.setter(field)?);
    }
    for field in builder.included().filter(|field| field.default.is_none()) {
        output.extend(builder.missing(field)?);
    }
    output.extend(builder.build()?);
    Ok(output)
}

impl Builder<'_> {
    /// The fields that a builder holds.
    fn included(&self) -> impl Iterator<Item = &Setting<'_>> {
        self.fields.iter().filter(|field| field.is_included())
    }

    /// The struct's own arguments, then one tuple for the fields.
    fn arguments(&self, fields: &[TokenStream]) -> TokenStream {
        let own = self.input.generics.params.iter().map(|param| match param {
            GenericParam::Lifetime(param) => {
                let lifetime = &param.lifetime;
                quote!(#lifetime)
            }
            GenericParam::Type(param) => {
                let ident = &param.ident;
                quote!(#ident)
            }
            GenericParam::Const(param) => {
                let ident = &param.ident;
                quote!(#ident)
            }
        });
        quote!(<#(#own,)* (#(#fields,)*)>)
    }

    /// The struct's own parameters, then these.
    fn generics<'a>(&self, more: impl Iterator<Item = &'a Ident>) -> Generics {
        let mut generics = self.input.generics.clone();
        for param in more {
            generics.params.push(parse_quote!(#param));
        }
        generics
    }

    fn build_name(&self) -> Result<(Ident, Visibility), Refusal> {
        let options = self.options.inside("build_method")?;
        let name = options.parse("name")?.unwrap_or(format_ident!("build"));
        Ok((name, options.parse("vis")?.unwrap_or(parse_quote!(pub))))
    }

    fn creation(&self) -> Expansion {
        let (name, builder, vis) = (&self.input.ident, &self.builder_name, &self.input.vis);
        let (impl_generics, ty_generics, where_clause) = self.input.generics.split_for_impl();
        let method = self.options.inside("builder_method")?;
        let builder_type = self.options.inside("builder_type")?;
        let type_vis = builder_type.parse("vis")?.unwrap_or(vis.clone());
        let method_vis = method.parse("vis")?.unwrap_or(type_vis.clone());
        let method_name = method.parse("name")?.unwrap_or(format_ident!("builder"));
        let empty: Vec<_> = self.included().map(|_| quote!(())).collect();
        let arguments = self.arguments(&empty);

        let mut held = self.input.generics.clone();
        held.params
            .push(parse_quote!(TypedBuilderFields = (#(#empty,)*)));
        let (held_impl, held_types, _) = held.split_for_impl();
        let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
        let phantoms = self.input.generics.params.iter().filter_map(|param| {
            let inner = match param {
                GenericParam::Lifetime(param) => {
                    let lifetime = &param.lifetime;
                    quote!(&#lifetime ())
                }
                GenericParam::Type(param) => {
                    let ident = &param.ident;
                    quote!(#ident)
                }
                GenericParam::Const(_) => return None,
            };
            Some(quote!(::core::marker::PhantomData<#inner>))
        });
        Ok(quote! {
            #[automatically_derived]
            impl #impl_generics #name #ty_generics #where_clause {
                #[allow(dead_code, clippy::default_trait_access)]
                #method_vis fn #method_name() -> #builder #arguments {
                    #builder {
                        fields: (#(#empty,)*),
                        phantom: ::core::default::Default::default(),
                    }
                }
            }
            #[must_use]
            #[allow(dead_code, non_camel_case_types, non_snake_case)]
            #type_vis struct #builder #held #where_clause {
                fields: TypedBuilderFields,
                phantom: ::core::marker::PhantomData<(#(#phantoms),*)>,
            }
            #[automatically_derived]
            impl #held_impl Clone for #builder #held_types
            where TypedBuilderFields: Clone, #(#predicates,)*
            {
                #[allow(clippy::default_trait_access)]
                fn clone(&self) -> Self {
                    Self {
                        fields: self.fields.clone(),
                        phantom: ::core::default::Default::default(),
                    }
                }
            }
        })
    }

    /// The methods that set one field, and what forbids to set it twice.
    fn setter(&self, field: &Setting<'_>) -> Expansion {
        let builder = &self.builder_name;
        let is_it = |other: &Setting<'_>| other.name == field.name;
        let others = self.included().filter(|other| !is_it(other));
        let generics = self.generics(others.map(|other| &other.param));
        let types = |with: TokenStream| -> Vec<TokenStream> {
            self.included()
                .map(|other| {
                    if is_it(other) {
                        with.clone()
                    } else {
                        other.free()
                    }
                })
                .collect()
        };
        let before = self.arguments(&types(quote!(())));
        let after = self.arguments(&types(field.set()));
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let name = field.name;
        let names: Vec<_> = self.included().map(|other| other.name).collect();
        let taken = self.included().map(|other| {
            if is_it(other) {
                quote!(())
            } else {
                quote_name(other.name)
            }
        });
        let taken: Vec<_> = taken.collect();
        let method = |method: &Ident, params: &TokenStream, value: &TokenStream| {
            quote! {
                #[allow(clippy::used_underscore_binding, clippy::no_effect_underscore_binding)]
                pub fn #method(self, #params) -> #builder #after {
                    let #name = (#value,);
                    let (#(#taken,)*) = self.fields;
                    #builder {
                        fields: (#(#names,)*),
                        phantom: self.phantom,
                    }
                }
            }
        };

        let transform: Option<Expr> = field.setter.parse("transform")?;
        let strips = field.flag("strip_option") && transform.is_none();
        let stripped = inside_option(field.ty).filter(|_| strips);
        let ty = stripped.unwrap_or(field.ty);
        let (ty, value) = if field.flag("into") {
            (
                quote!(impl ::core::convert::Into<#ty>),
                quote!(#name.into()),
            )
        } else {
            (quote!(#ty), quote!(#name))
        };
        let (params, given) = if field.flag("strip_bool") {
            (TokenStream::new(), quote!(true))
        } else if let Some(Expr::Closure(closure)) = &transform {
            let typed = closure
                .inputs
                .iter()
                .all(|input| matches!(input, Pat::Type(_)));
            if !typed {
                return Err(Refusal::new("a transformation without types"));
            }
            let (params, body) = (&closure.inputs, &closure.body);
            (quote!(#params), quote!({ #body }))
        } else if stripped.is_some() {
            (quote!(#name: #ty), quote!(Some(#value)))
        } else {
            (quote!(#name: #ty), value.clone())
        };
        let plain = field.name;
        let (prefix, suffix) = (field.text("prefix"), field.text("suffix"));
        let method_name = if prefix.is_empty() && suffix.is_empty() {
            plain.clone()
        } else {
            format_ident!("{prefix}{}{suffix}", unraw(plain))
        };
        let mut methods = method(&method_name, &params, &given);
        let whole = {
            let ty = field.ty;
            quote!(#name: #ty)
        };
        for key in ["strip_option", "strip_bool"] {
            let own = field.setter.inside(key)?;
            let own = if field.setter.has(key) {
                own
            } else {
                field.by_default.inside(key)?
            };
            let affix = |key: &str| own.text(key).map(syn::LitStr::value).unwrap_or_default();
            let (prefix, suffix) = (affix("fallback_prefix"), affix("fallback_suffix"));
            let fallback = match own.parse::<Ident>("fallback")? {
                Some(fallback) => Some(fallback),
                None if prefix.is_empty() && suffix.is_empty() => None,
                None => Some(format_ident!("{prefix}{}{suffix}", unraw(plain))),
            };
            if let Some(fallback) = fallback {
                methods.extend(method(&fallback, &whole, &value));
            }
        }
        let twice = format_ident!("{builder}_Error_Repeated_field_{}", unraw(plain));
        Ok(quote! {
            #[allow(dead_code, non_camel_case_types, missing_docs)]
            #[automatically_derived]
            impl #impl_generics #builder #before #where_clause { #methods }
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types, non_snake_case)]
            #[allow(clippy::exhaustive_enums)]
            pub enum #twice {}
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types, missing_docs)]
            #[automatically_derived]
            impl #impl_generics #builder #after #where_clause {
                #[deprecated(note = "Repeated field")]
                pub fn #method_name(self, _: #twice) -> #builder #after {
                    self
                }
            }
        })
    }

    /// What forbids to build without one of the fields.
    fn missing(&self, field: &Setting<'_>) -> Expansion {
        let builder = &self.builder_name;
        let (mut params, mut types) = (Vec::new(), Vec::new());
        let mut is_after = false;
        for other in self.included() {
            if other.name == field.name {
                types.push(quote!(()));
                is_after = true;
            } else if other.default.is_some() || is_after {
                params.push(&other.param);
                types.push(other.free());
            } else {
                types.push(other.set());
            }
        }
        let generics = self.generics(params.into_iter());
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let arguments = self.arguments(&types);
        let missing = format_ident!(
            "{builder}_Error_Missing_required_field_{}",
            unraw(field.name)
        );
        let (build, vis) = self.build_name()?;
        Ok(quote! {
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types, non_snake_case)]
            #[allow(clippy::exhaustive_enums)]
            pub enum #missing {}
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types, missing_docs, clippy::panic)]
            #[automatically_derived]
            impl #impl_generics #builder #arguments #where_clause {
                #[deprecated(note = "Missing required field")]
                #vis fn #build(self, _: #missing) -> ! {
                    panic!()
                }
            }
        })
    }

    fn build(&self) -> Expansion {
        let (name, builder, root) = (&self.input.ident, &self.builder_name, &self.root);
        let mut generics = self.input.generics.clone();
        let mut types = Vec::new();
        for field in self.included() {
            if field.default.is_some() {
                let (param, ty) = (&field.param, field.ty);
                generics
                    .params
                    .push(parse_quote!(#param: #root::Optional<#ty>));
                types.push(field.free());
            } else {
                types.push(field.set());
            }
        }
        let (impl_generics, _, _) = generics.split_for_impl();
        let (_, ty_generics, where_clause) = self.input.generics.split_for_impl();
        let arguments = self.arguments(&types);
        let included = self.included().map(|field| field.name);
        let assignments = self.fields.iter().map(|field| {
            let name = field.name;
            match &field.default {
                Some(default) if !field.is_included() => quote!(let #name = #default;),
                Some(default) => {
                    quote!(let #name = #root::Optional::into_value(#name, || #default);)
                }
                None => quote!(let #name = #name.0;),
            }
        });
        let all = self.fields.iter().map(|field| field.name);
        let (build, vis) = self.build_name()?;
        let options = self.options.inside("build_method")?;
        let (method_generics, output, method_where) = match options.find("into") {
            None => (None, quote!(#name #ty_generics), None),
            Some(syn::Meta::Path(_)) => (
                Some(quote!(<__R>)),
                quote!(__R),
                Some(quote!(where #name #ty_generics: Into<__R>)),
            ),
            Some(_) => {
                let into: Option<Type> = options.parse("into")?;
                (None, quote!(#into), None)
            }
        };
        let turbofish = ty_generics.as_turbofish();
        Ok(quote! {
            #[allow(dead_code, non_camel_case_types, missing_docs)]
            #[automatically_derived]
            impl #impl_generics #builder #arguments #where_clause {
                #[allow(clippy::default_trait_access, clippy::used_underscore_binding)]
                #vis fn #build #method_generics (self) -> #output #method_where {
                    let (#(#included,)*) = self.fields;
                    #(#assignments)*
                    #[allow(deprecated)]
                    #name #turbofish { #(#all),* }.into()
                }
            }
        })
    }
}

fn quote_name(name: &Ident) -> TokenStream {
    quote!(#name)
}
