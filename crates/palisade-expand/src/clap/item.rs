//! What clap's attributes say about one struct, enum, variant or field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Field, Fields, Lit, Type, Variant};

use super::attr::{Directive, Scope, Setting};
use super::casing::{Casing, Name};
use super::defaults;
use super::docs;
use super::shape::{Shape, is_named, value_type};

/// A builder call, `.name(args)`.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: Ident,
    pub(super) args: TokenStream,
}

impl Call {
    pub(super) fn new(name: &str, args: impl ToTokens) -> Self {
        Self {
            name: Ident::new(name, Span::call_site()),
            args: args.into_token_stream(),
        }
    }
}

impl ToTokens for Call {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, args } = self;
        quote!(.#name(#args)).to_tokens(tokens);
    }
}

/// What an item stands for on the command line.
#[derive(Clone, Debug)]
pub(super) enum Role {
    Command,
    Arg,
    Value,
    FromGlobal,
    Subcommand,
    Flatten,
    Skip(Option<TokenStream>),
    External,
}

/// One struct, enum, variant or field with its attributes applied.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: Name,
    pub(super) role: Role,
    pub(super) casing: Casing,
    pub(super) env_casing: Casing,
    pub(super) positional: bool,
    pub(super) defer: bool,
    /// The group's name; none under `#[group(skip)]`.
    pub(super) group: Option<Name>,
    pub(super) group_calls: Vec<Call>,
    help: Vec<Call>,
    calls: Vec<Call>,
    value_parser: Option<Call>,
    action: Option<Call>,
    display_order: Option<Call>,
    help_heading: Option<Call>,
    verbatim: bool,
    force_long: bool,
}

/// The environment of the crate that uses the macro.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

impl Item {
    /// A container: the struct or enum that derives `Parser`, `Args`, `Subcommand`.
    pub(super) fn command(
        ident: &Ident,
        attrs: &[Attribute],
        name: Name,
        env: Env<'_>,
    ) -> syn::Result<Self> {
        let mut item = Self::new(
            name,
            ident,
            Role::Command,
            Casing::Kebab,
            Casing::ScreamingSnake,
        );
        item.apply(attrs, None, env)?;
        item.document(attrs, "about", Some("long_about"));
        Ok(item)
    }

    /// An enum that derives `ValueEnum`.
    pub(super) fn value_enum(
        ident: &Ident,
        attrs: &[Attribute],
        env: Env<'_>,
    ) -> syn::Result<Self> {
        let name = Name::Derived(ident.clone());
        let mut item = Self::new(
            name,
            ident,
            Role::Value,
            Casing::Kebab,
            Casing::ScreamingSnake,
        );
        item.apply(attrs, None, env)?;
        Ok(item)
    }

    /// A variant of a subcommand enum.
    pub(super) fn subcommand(variant: &Variant, parent: &Self, env: Env<'_>) -> syn::Result<Self> {
        let mut item = Self::child(&variant.ident, Role::Command, parent);
        item.apply(&variant.attrs, None, env)?;
        if matches!(item.role, Role::Command | Role::Subcommand) {
            item.document(&variant.attrs, "about", Some("long_about"));
        }
        Ok(item)
    }

    /// A variant of a `ValueEnum`.
    pub(super) fn value(variant: &Variant, parent: &Self, env: Env<'_>) -> syn::Result<Self> {
        let mut item = Self::child(&variant.ident, Role::Value, parent);
        item.apply(&variant.attrs, None, env)?;
        if matches!(item.role, Role::Value) {
            if !matches!(variant.fields, Fields::Unit) {
                return Err(syn::Error::new_spanned(
                    variant,
                    "`ValueEnum` needs unit variants, others must be skipped",
                ));
            }
            item.document(&variant.attrs, "help", None);
        }
        Ok(item)
    }

    /// A named field of a struct or of a struct-like variant.
    pub(super) fn argument(field: &Field, parent: &Self, env: Env<'_>) -> syn::Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new_spanned(
                field,
                "arguments need named fields",
            ));
        };
        let mut item = Self::child(ident, Role::Arg, parent);
        item.apply(&field.attrs, Some(&field.ty), env)?;
        if matches!(item.role, Role::Arg) {
            item.document(&field.attrs, "help", Some("long_help"));
        }
        Ok(item)
    }

    fn child(ident: &Ident, role: Role, parent: &Self) -> Self {
        let name = Name::Derived(ident.clone());
        Self::new(name, ident, role, parent.casing, parent.env_casing)
    }

    fn new(name: Name, ident: &Ident, role: Role, casing: Casing, env_casing: Casing) -> Self {
        Self {
            name,
            role,
            casing,
            env_casing,
            positional: true,
            defer: false,
            group: Some(Name::Derived(ident.clone())),
            group_calls: Vec::new(),
            help: Vec::new(),
            calls: Vec::new(),
            value_parser: None,
            action: None,
            display_order: None,
            help_heading: None,
            verbatim: false,
            force_long: false,
        }
    }

    fn apply(&mut self, attrs: &[Attribute], ty: Option<&Type>, env: Env<'_>) -> syn::Result<()> {
        let directives = Directive::read(attrs)?;
        for directive in &directives {
            self.set_role(directive);
        }
        let value_enum = directives
            .iter()
            .any(|directive| directive.name == "value_enum");
        for directive in &directives {
            self.apply_one(directive, ty, value_enum, env)?;
        }
        Ok(())
    }

    /// The role must be known first: it decides what the other directives mean.
    fn set_role(&mut self, directive: &Directive) {
        let name = directive.name.to_string();
        self.role = match (name.as_str(), &directive.setting) {
            ("from_global", Setting::Flag) => Role::FromGlobal,
            ("subcommand", Setting::Flag) => Role::Subcommand,
            ("external_subcommand", Setting::Flag) => Role::External,
            ("flatten", Setting::Flag) => Role::Flatten,
            ("skip", Setting::Flag) if directive.scope != Scope::Group => Role::Skip(None),
            ("skip", Setting::Assigned(expr)) if directive.scope != Scope::Group => {
                Role::Skip(Some(expr.to_token_stream()))
            }
            _ => return,
        };
    }

    fn apply_one(
        &mut self,
        directive: &Directive,
        ty: Option<&Type>,
        value_enum: bool,
        env: Env<'_>,
    ) -> syn::Result<()> {
        let name = directive.name.to_string();
        match (name.as_str(), &directive.setting) {
            (_, Setting::Call(args)) => {
                self.push(directive.scope, directive.name.clone(), args.clone());
            }
            ("short", Setting::Flag) => {
                let value = self.name.first_char(self.casing);
                self.push(directive.scope, directive.name.clone(), value);
            }
            ("long", Setting::Flag) => {
                let value = self.name.cased(self.casing);
                self.push(directive.scope, directive.name.clone(), value);
            }
            ("env", Setting::Flag) => {
                let value = self.name.cased(self.env_casing);
                self.push(directive.scope, directive.name.clone(), value);
            }
            ("verbatim_doc_comment", Setting::Flag) => self.verbatim = true,
            ("long_about" | "long_help", Setting::Flag) => self.force_long = true,
            ("about", Setting::Flag) => {
                self.push_env(&directive.name, "CARGO_PKG_DESCRIPTION", env)
            }
            ("author", Setting::Flag) => self.push_env(&directive.name, "CARGO_PKG_AUTHORS", env),
            ("version", Setting::Flag) => self.push_env(&directive.name, "CARGO_PKG_VERSION", env),
            // Bare forms that only repeat the default, and roles read before.
            (
                "value_enum"
                | "value_parser"
                | "action"
                | "from_global"
                | "subcommand"
                | "external_subcommand"
                | "flatten",
                Setting::Flag,
            ) => {}
            ("skip", _) => {
                if directive.scope == Scope::Group {
                    self.group = None;
                }
            }
            (
                "default_value_t"
                | "default_values_t"
                | "default_value_os_t"
                | "default_values_os_t",
                _,
            ) => {
                let call = defaults::call(directive, &name, ty, value_enum)?;
                self.calls.push(call);
            }
            ("next_display_order", _) => {
                self.display_order = Some(Call::new(&name, directive.required()?));
            }
            ("next_help_heading", _) => {
                self.help_heading = Some(Call::new(&name, directive.required()?));
            }
            ("rename_all", _) => self.casing = casing(directive)?,
            ("rename_all_env", _) => self.env_casing = casing(directive)?,
            ("defer", _) => {
                self.defer = matches!(directive.literal(), Some(Lit::Bool(flag)) if flag.value);
            }
            _ => {
                let value = directive.required()?;
                self.push(directive.scope, directive.name.clone(), value);
            }
        }
        Ok(())
    }

    fn push(&mut self, scope: Scope, name: Ident, args: TokenStream) {
        let text = name.to_string();
        let call = Call { name, args };
        match (text.as_str(), scope) {
            ("id", Scope::Group) => self.group = Some(Name::Given(call.args)),
            ("name", Scope::Group) => self.group_calls.push(call),
            ("id" | "name", _) => self.name = Name::Given(call.args),
            ("value_parser", _) => self.value_parser = Some(call),
            ("action", _) => self.action = Some(call),
            (_, Scope::Group) => self.group_calls.push(call),
            (_, _) => {
                self.positional &= text != "short" && text != "long";
                self.calls.push(call);
            }
        }
    }

    /// A builder call with a value of the package's manifest, left out when empty.
    fn push_env(&mut self, name: &Ident, variable: &str, env: Env<'_>) {
        if let Some(value) = env(variable).filter(|value| !value.is_empty()) {
            self.calls.push(Call {
                name: name.clone(),
                args: value.into_token_stream(),
            });
        }
    }

    fn document(&mut self, attrs: &[Attribute], short: &str, long: Option<&str>) {
        let Some(help) = docs::read(attrs, self.verbatim, self.force_long) else {
            return;
        };
        self.help.push(Call::new(short, help.short));
        if let Some(long) = long {
            let value = match help.long {
                Some(text) => text.into_token_stream(),
                None => quote!(None),
            };
            self.help.push(Call::new(long, value));
        }
    }

    /// The name as the user types it.
    pub(super) fn cased_name(&self) -> TokenStream {
        self.name.cased(self.casing)
    }

    /// The placeholder in the usage text.
    pub(super) fn value_name(&self) -> TokenStream {
        self.name.cased(Casing::ScreamingSnake)
    }

    /// Calls that come before an item's arguments are added.
    pub(super) fn first_calls(&self) -> TokenStream {
        let (order, heading) = (&self.display_order, &self.help_heading);
        quote!(#order #heading)
    }

    /// The same, in the order that flattened fields and variants use.
    pub(super) fn flatten_calls(&self) -> TokenStream {
        let (order, heading) = (&self.display_order, &self.help_heading);
        quote!(#heading #order)
    }

    /// Help texts, then the calls that the attributes ask for.
    pub(super) fn last_calls(&self) -> TokenStream {
        let (help, calls) = (&self.help, &self.calls);
        quote!(#(#help)* #(#calls)*)
    }

    pub(super) fn has_default(&self) -> bool {
        self.calls
            .iter()
            .any(|call| call.name == "default_value" || call.name == "default_value_os")
    }

    pub(super) fn value_parser(&self, ty: &Type) -> Call {
        self.value_parser.clone().unwrap_or_else(|| {
            let value = value_type(ty);
            Call::new("value_parser", quote!(clap::value_parser!(#value)))
        })
    }

    pub(super) fn action(&self, ty: &Type) -> Call {
        self.action.clone().unwrap_or_else(|| {
            let action = match Shape::of(ty) {
                Shape::Vec | Shape::OptionVec => "Append",
                Shape::Unit | Shape::Other if is_named(ty, "bool") => "SetTrue",
                _ => "Set",
            };
            let action = format_ident!("{action}");
            Call::new("action", quote!(clap::ArgAction::#action))
        })
    }
}

fn casing(directive: &Directive) -> syn::Result<Casing> {
    match directive.literal() {
        Some(Lit::Str(text)) => Casing::read(&text.value())
            .ok_or_else(|| syn::Error::new_spanned(text, "unknown casing")),
        _ => Err(syn::Error::new(
            directive.name.span(),
            "expected a string literal",
        )),
    }
}
