//! What `#[structopt(..)]` says about one struct, enum, variant or field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, Field, Lit, LitStr, Type, Variant};

use super::parser::{Parser, separated};
use crate::clap::attr::{Directive, Setting};
use crate::clap::casing::{Casing, Name};
use crate::clap::docs;
use crate::clap::shape::is_named;

pub(super) use crate::clap::shape::Shape;

/// The environment of the crate that uses the macro.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What an item stands for on the command line.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// A field that is an argument, or a container, or a variant that is a command.
    Plain,
    Subcommand,
    External,
    Flatten,
    Skip(Option<Box<Expr>>),
}

/// A builder call, `.name(args)`.
#[derive(Clone, Debug)]
struct Call {
    name: Ident,
    args: TokenStream,
}

impl ToTokens for Call {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, args } = self;
        quote!(.#name(#args)).to_tokens(tokens);
    }
}

/// One struct, enum, variant or field with its attributes applied.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) role: Role,
    pub(super) parser: Parser,
    has_parser: bool,
    name: Name,
    casing: Casing,
    env_casing: Casing,
    docs: Vec<Call>,
    calls: Vec<Call>,
    author: Option<Call>,
    about: Option<Call>,
    version: Option<Call>,
    /// The version of the package, which containers have unless they refuse it.
    package_version: String,
    no_version: bool,
    verbatim: bool,
}

impl Item {
    /// The struct or enum itself.
    pub(super) fn container(attrs: &[Attribute], name: Name, env: Env<'_>) -> syn::Result<Self> {
        let mut item = Self {
            role: Role::Plain,
            parser: Parser::from_str(),
            has_parser: false,
            name,
            casing: Casing::Kebab,
            env_casing: Casing::ScreamingSnake,
            docs: Vec::new(),
            calls: Vec::new(),
            author: None,
            about: None,
            version: None,
            package_version: env("CARGO_PKG_VERSION").unwrap_or_default(),
            no_version: false,
            verbatim: false,
        };
        item.apply(attrs, None, env)?;
        item.document(attrs, "about");
        Ok(item)
    }

    /// A variant of an enum of subcommands.
    pub(super) fn variant(variant: &Variant, parent: &Self, env: Env<'_>) -> syn::Result<Self> {
        let mut item = parent.child(&variant.ident);
        item.apply(&variant.attrs, None, env)?;
        item.document(&variant.attrs, "about");
        Ok(item)
    }

    /// A field of a struct or of a struct-like variant.
    pub(super) fn field(field: &Field, parent: &Self, env: Env<'_>) -> syn::Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new_spanned(
                field,
                "arguments need named fields",
            ));
        };
        let mut item = parent.child(ident);
        item.apply(&field.attrs, Some(&field.ty), env)?;
        item.document(&field.attrs, "help");
        Ok(item)
    }

    /// An item inside of this one, before its attributes are applied.
    fn child(&self, ident: &Ident) -> Self {
        Self {
            role: Role::Plain,
            parser: Parser::from_str(),
            has_parser: false,
            name: Name::Derived(ident.clone()),
            docs: Vec::new(),
            calls: Vec::new(),
            author: None,
            about: None,
            version: None,
            verbatim: false,
            package_version: self.package_version.clone(),
            ..*self
        }
    }

    fn apply(&mut self, attrs: &[Attribute], ty: Option<&Type>, env: Env<'_>) -> syn::Result<()> {
        let own: Vec<Attribute> = attrs
            .iter()
            .filter(|attr| attr.path().is_ident("structopt"))
            .cloned()
            .collect();
        for directive in Directive::read(&own)? {
            self.apply_one(&directive, ty, env)?;
        }
        Ok(())
    }

    fn apply_one(
        &mut self,
        directive: &Directive,
        ty: Option<&Type>,
        env: Env<'_>,
    ) -> syn::Result<()> {
        let ident = &directive.name;
        let name = ident.to_string();
        match (name.as_str(), &directive.setting) {
            ("parse", Setting::Call(spec)) => {
                self.parser = Parser::read(spec)?;
                self.has_parser = true;
            }
            (_, Setting::Call(args)) => self.push(ident, args.clone()),
            ("short" | "long", Setting::Flag) => self.push(ident, self.cased_name()),
            ("env", Setting::Flag) => self.push(ident, self.name.cased(self.env_casing)),
            ("flatten", Setting::Flag) => self.role = Role::Flatten,
            ("subcommand", Setting::Flag) => self.role = Role::Subcommand,
            ("external_subcommand", Setting::Flag) => self.role = Role::External,
            ("skip", Setting::Flag) => self.role = Role::Skip(None),
            ("skip", Setting::Assigned(value)) => self.role = Role::Skip(Some(value.clone())),
            ("no_version", Setting::Flag) => self.no_version = true,
            ("verbatim_doc_comment", Setting::Flag) => self.verbatim = true,
            ("default_value", Setting::Flag) => {
                let value = default_value(ident, ty)?;
                self.push(ident, value);
            }
            ("about", Setting::Flag) => {
                let text = env("CARGO_PKG_DESCRIPTION").unwrap_or_default();
                self.about = Some(Call::new(ident, text));
            }
            ("author", Setting::Flag) => {
                let text = env("CARGO_PKG_AUTHORS").unwrap_or_default();
                self.author = Some(Call::new(ident, separated(&text)));
            }
            // Only literals replace what the manifest says; expressions are plain calls.
            ("about", Setting::Assigned(_)) if directive.literal().is_some() => {
                self.about = Some(Call::new(ident, directive.required()?));
            }
            ("author", Setting::Assigned(_)) if directive.literal().is_some() => {
                let text = string(directive)?.value();
                self.author = Some(Call::new(ident, separated(&text)));
            }
            ("rename_all", Setting::Assigned(_)) => self.casing = casing(directive)?,
            ("rename_all_env", Setting::Assigned(_)) => self.env_casing = casing(directive)?,
            (_, Setting::Assigned(value)) => self.push(ident, value.to_token_stream()),
            (_, Setting::Flag) => {
                return Err(syn::Error::new(
                    ident.span(),
                    format!("unexpected attribute `{name}`"),
                ));
            }
        }
        Ok(())
    }

    fn push(&mut self, ident: &Ident, args: TokenStream) {
        if ident == "name" {
            self.name = Name::Given(args);
        } else if ident == "version" {
            self.version = Some(Call::new(ident, args));
        } else {
            self.calls.push(Call::new(ident, args));
        }
    }

    fn document(&mut self, attrs: &[Attribute], short: &str) {
        let Some(help) = docs::read(attrs, self.verbatim, false) else {
            return;
        };
        let call = |name: &str| Ident::new(name, Span::call_site());
        self.docs.push(Call::new(&call(short), help.short));
        if let Some(long) = help.long {
            self.docs
                .push(Call::new(&call(&format!("long_{short}")), long));
        }
    }

    /// The name as the user types it.
    pub(super) fn cased_name(&self) -> TokenStream {
        self.name.cased(self.casing)
    }

    /// How many values a field of this type takes, given its parser.
    ///
    /// With a parser of its own, `bool` is a type like any other, and so is
    /// `Option<Option<T>>`.
    pub(super) fn shape(&self, ty: &Type) -> Shape {
        match Shape::of(ty) {
            Shape::OptionOption if self.has_parser => Shape::Other,
            Shape::Unit => Shape::Other,
            shape => shape,
        }
    }

    /// Whether the field is a switch that takes no value.
    pub(super) fn is_switch(&self, ty: &Type) -> bool {
        !self.has_parser && is_named(ty, "bool")
    }

    pub(super) fn has_default(&self) -> bool {
        self.calls.iter().any(|call| call.name == "default_value")
    }

    /// The calls that a command gets.
    pub(super) fn command_calls(&self) -> TokenStream {
        let Self {
            docs,
            author,
            about,
            calls,
            ..
        } = self;
        quote!(#(#docs)* #author #about #(#calls)*)
    }

    /// The calls that an argument gets.
    pub(super) fn argument_calls(&self) -> TokenStream {
        let Self { docs, calls, .. } = self;
        quote!(#(#docs)* #(#calls)*)
    }

    /// The call that sets a command's version, if it has one.
    pub(super) fn version_call(&self) -> Option<TokenStream> {
        match &self.version {
            _ if self.no_version => None,
            Some(call) => Some(call.to_token_stream()),
            None => {
                let version = &self.package_version;
                Some(quote!(.version(#version)))
            }
        }
    }
}

impl Call {
    fn new(name: &Ident, args: impl ToTokens) -> Self {
        Self {
            name: name.clone(),
            args: args.into_token_stream(),
        }
    }
}

/// The text of a bare `default_value`: that of the type's default.
fn default_value(ident: &Ident, ty: Option<&Type>) -> syn::Result<TokenStream> {
    let Some(ty) = ty else {
        return Err(syn::Error::new(
            ident.span(),
            "`default_value` without a value belongs on a field",
        ));
    };
    Ok(quote!({
        ::structopt::lazy_static::lazy_static! {
            static ref DEFAULT_VALUE: &'static str = {
                let val = <#ty as ::std::default::Default>::default();
                let s = ::std::string::ToString::to_string(&val);
                ::std::boxed::Box::leak(s.into_boxed_str())
            };
        }
        *DEFAULT_VALUE
    }))
}

fn string(directive: &Directive) -> syn::Result<&LitStr> {
    match directive.literal() {
        Some(Lit::Str(text)) => Ok(text),
        _ => Err(syn::Error::new(
            directive.name.span(),
            "expected a string literal",
        )),
    }
}

fn casing(directive: &Directive) -> syn::Result<Casing> {
    let text = string(directive)?;
    Casing::read(&text.value()).ok_or_else(|| syn::Error::new_spanned(text, "unknown casing"))
}
