//! What clap 3's attributes say about one struct, enum, variant or field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, Field, Lit, LitStr, Type, Variant};

use super::defaults;
use crate::clap::attr::{Directive, Scope, Setting};
use crate::clap::casing::{Casing, Name};
use crate::clap::docs;
use crate::clap::shape::{Shape, is_named, value_type};
use crate::structopt::parser::{Parser, Source, separated};

/// The version of the macro and the environment of the crate that uses it.
#[derive(Clone, Copy)]
pub(super) struct Era<'e> {
    pub(super) env: &'e dyn Fn(&str) -> Option<String>,
    /// From 3.1 on, `App` is called `Command`.
    pub(super) has_commands: bool,
    /// From 3.2 on, values are parsed before they are asked for.
    pub(super) is_typed: bool,
    /// The feature `unstable-v4`.
    pub(super) like_4: bool,
}

impl Era<'_> {
    pub(super) fn command(self) -> TokenStream {
        if self.has_commands {
            quote!(clap::Command)
        } else {
            quote!(clap::App)
        }
    }

    /// What flattened parts do around their own heading, which is `calls`.
    pub(super) fn under_heading(
        self,
        app: &TokenStream,
        calls: &TokenStream,
        augmented: &TokenStream,
    ) -> TokenStream {
        let (get, set) = if self.has_commands {
            (quote!(get_next_help_heading), quote!(next_help_heading))
        } else {
            (quote!(get_help_heading), quote!(help_heading))
        };
        quote! {
            let __clap_old_heading = #app.#get();
            let #app = #app #calls;
            let #app = #augmented(#app);
            let #app = #app.#set(__clap_old_heading);
        }
    }

    pub(super) fn value_enum(self) -> TokenStream {
        if self.is_typed {
            quote!(clap::ValueEnum)
        } else {
            quote!(clap::ArgEnum)
        }
    }

    /// The function that makes a value of the matches.
    pub(super) fn reader(self) -> TokenStream {
        if self.is_typed {
            quote!(from_arg_matches_mut)
        } else {
            quote!(from_arg_matches)
        }
    }

    /// The function that overwrites a value with what the matches mention.
    pub(super) fn updater(self) -> TokenStream {
        if self.is_typed {
            quote!(update_from_arg_matches_mut)
        } else {
            quote!(update_from_arg_matches)
        }
    }

    /// The functions of `FromArgMatches`, given what its two bodies do.
    pub(super) fn functions(self, from_matches: &TokenStream, update: &TokenStream) -> TokenStream {
        if !self.is_typed {
            return quote! {
                fn from_arg_matches(__clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                    #from_matches
                }
                fn update_from_arg_matches(&mut self, __clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                    #update
                    ::std::result::Result::Ok(())
                }
            };
        }
        quote! {
            fn from_arg_matches(__clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }
            fn from_arg_matches_mut(__clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<Self, clap::Error> {
                #from_matches
            }
            fn update_from_arg_matches(&mut self, __clap_arg_matches: &clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                self.update_from_arg_matches_mut(&mut __clap_arg_matches.clone())
            }
            fn update_from_arg_matches_mut(&mut self, __clap_arg_matches: &mut clap::ArgMatches) -> ::std::result::Result<(), clap::Error> {
                #update
                ::std::result::Result::Ok(())
            }
        }
    }
}

/// What an item stands for on the command line.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// A field that is an argument, or a container, or a variant that is a command.
    Plain,
    FromGlobal,
    Subcommand,
    External,
    Flatten,
    Skip(Option<Box<Expr>>),
}

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

/// A value parser or an action: bare, or with an expression.
#[derive(Clone, Debug)]
enum Choice {
    Implied,
    Given(TokenStream),
}

/// One struct, enum, variant or field with its attributes applied.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) role: Role,
    pub(super) is_enum: bool,
    pub(super) positional: bool,
    /// The parser that `parse(..)` asks for.
    pub(super) parser: Option<Parser>,
    name: Name,
    casing: Casing,
    env_casing: Casing,
    docs: Vec<Call>,
    calls: Vec<Call>,
    value_parser: Option<Choice>,
    action: Option<Choice>,
    display_order: Option<Call>,
    next_help_heading: Option<Call>,
    help_heading: Option<Call>,
    verbatim: bool,
}

impl Item {
    /// The struct or enum itself.
    pub(super) fn container(attrs: &[Attribute], name: Name, era: Era<'_>) -> syn::Result<Self> {
        let mut item = Self::new(name, Casing::Kebab, Casing::ScreamingSnake);
        item.apply(attrs, None, era)?;
        item.document(attrs, "about", true);
        Ok(item)
    }

    /// A variant of an enum of subcommands.
    pub(super) fn variant(variant: &Variant, parent: &Self, era: Era<'_>) -> syn::Result<Self> {
        let mut item = parent.child(&variant.ident);
        item.apply(&variant.attrs, None, era)?;
        item.document(&variant.attrs, "about", true);
        Ok(item)
    }

    /// A variant of an enum of values.
    pub(super) fn value(variant: &Variant, parent: &Self, era: Era<'_>) -> syn::Result<Self> {
        let mut item = parent.child(&variant.ident);
        item.apply(&variant.attrs, None, era)?;
        item.document(&variant.attrs, "help", false);
        Ok(item)
    }

    /// A field of a struct or of a struct-like variant.
    pub(super) fn field(field: &Field, parent: &Self, era: Era<'_>) -> syn::Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new_spanned(
                field,
                "arguments need named fields",
            ));
        };
        let mut item = parent.child(ident);
        item.apply(&field.attrs, Some(&field.ty), era)?;
        item.document(&field.attrs, "help", true);
        Ok(item)
    }

    fn child(&self, ident: &Ident) -> Self {
        Self::new(Name::Derived(ident.clone()), self.casing, self.env_casing)
    }

    fn new(name: Name, casing: Casing, env_casing: Casing) -> Self {
        Self {
            role: Role::Plain,
            is_enum: false,
            positional: true,
            parser: None,
            name,
            casing,
            env_casing,
            docs: Vec::new(),
            calls: Vec::new(),
            value_parser: None,
            action: None,
            display_order: None,
            next_help_heading: None,
            help_heading: None,
            verbatim: false,
        }
    }

    fn apply(&mut self, attrs: &[Attribute], ty: Option<&Type>, era: Era<'_>) -> syn::Result<()> {
        let directives: Vec<_> = Directive::read(attrs)?
            .into_iter()
            .filter(|directive| directive.scope == Scope::Any)
            .collect();
        self.is_enum = directives
            .iter()
            .any(|directive| directive.name == "arg_enum" || directive.name == "value_enum");
        for directive in &directives {
            self.apply_one(directive, ty, era)?;
        }
        Ok(())
    }

    fn apply_one(
        &mut self,
        directive: &Directive,
        ty: Option<&Type>,
        era: Era<'_>,
    ) -> syn::Result<()> {
        let ident = &directive.name;
        let name = ident.to_string();
        match (name.as_str(), &directive.setting) {
            ("parse", Setting::Call(spec)) => self.parser = Some(Parser::read(spec)?),
            (_, Setting::Call(args)) => self.push(ident, args.clone()),
            ("short", Setting::Flag) => self.push(ident, self.name.first_char(self.casing)),
            ("long", Setting::Flag) => self.push(ident, self.cased_name()),
            ("env", Setting::Flag) => self.push(ident, self.name.cased(self.env_casing)),
            ("value_parser", Setting::Flag) => self.value_parser = Some(Choice::Implied),
            ("action", Setting::Flag) => self.action = Some(Choice::Implied),
            // Read before all others: they decide what a default means.
            ("arg_enum" | "value_enum", Setting::Flag) => {}
            ("from_global", Setting::Flag) => self.role = Role::FromGlobal,
            ("flatten", Setting::Flag) => self.role = Role::Flatten,
            ("subcommand", Setting::Flag) => self.role = Role::Subcommand,
            ("external_subcommand", Setting::Flag) => self.role = Role::External,
            ("skip", Setting::Flag) => self.role = Role::Skip(None),
            ("skip", Setting::Assigned(value)) => self.role = Role::Skip(Some(value.clone())),
            ("verbatim_doc_comment", Setting::Flag) => self.verbatim = true,
            ("about", Setting::Flag) => self.push_env(ident, "CARGO_PKG_DESCRIPTION", era),
            ("author", Setting::Flag) => self.push_env(ident, "CARGO_PKG_AUTHORS", era),
            ("version", Setting::Flag) => self.push_env(ident, "CARGO_PKG_VERSION", era),
            (
                "default_value_t"
                | "default_values_t"
                | "default_value_os_t"
                | "default_values_os_t",
                _,
            ) => {
                let call = defaults::call(directive, &name, ty, self.is_enum, era)?;
                self.calls.push(call);
            }
            ("next_display_order", _) => {
                self.display_order = Some(Call::new(&name, directive.required()?));
            }
            ("next_help_heading", _) => {
                self.next_help_heading = Some(Call::new(&name, directive.required()?));
            }
            ("help_heading", _) => {
                self.help_heading = Some(Call::new(&name, directive.required()?));
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
        match ident.to_string().as_str() {
            "name" | "id" => self.name = Name::Given(args),
            "value_parser" => self.value_parser = Some(Choice::Given(args)),
            "action" => self.action = Some(Choice::Given(args)),
            text => {
                self.positional &= text != "short" && text != "long";
                self.calls.push(Call {
                    name: ident.clone(),
                    args,
                });
            }
        }
    }

    /// A builder call with a value of the package's manifest, left out when empty.
    fn push_env(&mut self, ident: &Ident, variable: &str, era: Era<'_>) {
        if let Some(value) = (era.env)(variable).filter(|value| !value.is_empty()) {
            let value = if ident == "author" {
                separated(&value)
            } else {
                value
            };
            self.calls.push(Call {
                name: ident.clone(),
                args: value.into_token_stream(),
            });
        }
    }

    fn document(&mut self, attrs: &[Attribute], short: &str, with_long: bool) {
        let Some(help) = docs::read(attrs, self.verbatim, false) else {
            return;
        };
        self.docs.push(Call::new(short, help.short));
        if with_long {
            let long = match help.long {
                Some(text) => text.into_token_stream(),
                None => quote!(None),
            };
            self.docs.push(Call::new(&format!("long_{short}"), long));
        }
    }

    /// The name as the user types it.
    pub(super) fn cased_name(&self) -> TokenStream {
        self.name.cased(self.casing)
    }

    /// The name under which the value is found.
    pub(super) fn id(&self, era: Era<'_>) -> TokenStream {
        if era.like_4 {
            self.name.to_token_stream()
        } else {
            self.cased_name()
        }
    }

    /// The placeholder in the usage text.
    pub(super) fn value_name(&self) -> TokenStream {
        self.name.cased(Casing::ScreamingSnake)
    }

    /// Calls that come before a command's arguments are added.
    pub(super) fn first_calls(&self) -> TokenStream {
        let Self {
            display_order,
            next_help_heading,
            help_heading,
            ..
        } = self;
        quote!(#display_order #next_help_heading #help_heading)
    }

    /// Calls that come after a command's arguments.
    pub(super) fn last_calls(&self) -> TokenStream {
        let Self { docs, calls, .. } = self;
        quote!(#(#docs)* #(#calls)*)
    }

    /// The calls that an argument or a possible value gets.
    pub(super) fn field_calls(&self) -> TokenStream {
        let Self {
            docs,
            help_heading,
            calls,
            ..
        } = self;
        quote!(#(#docs)* #help_heading #(#calls)*)
    }

    pub(super) fn has_default(&self) -> bool {
        self.calls
            .iter()
            .any(|call| call.name == "default_value" || call.name == "default_value_os")
    }

    /// Whether values are compared without regard to case.
    pub(super) fn ignore_case(&self) -> TokenStream {
        self.calls
            .iter()
            .find(|call| call.name == "ignore_case")
            .map_or_else(|| quote!(false), |call| call.args.clone())
    }

    /// How many values a field of this type takes, given its parser.
    pub(super) fn shape(&self, ty: &Type) -> Shape {
        match Shape::of(ty) {
            Shape::OptionOption if self.parser.is_some() => Shape::Other,
            Shape::Unit => Shape::Other,
            shape => shape,
        }
    }

    /// Whether the value comes parsed out of the matches.
    pub(super) fn is_parsed(&self, era: Era<'_>) -> bool {
        if era.like_4 {
            era.is_typed && self.parser.is_none()
        } else {
            era.is_typed && (self.value_parser.is_some() || self.action.is_some())
        }
    }

    /// The parser of a field of this type.
    pub(super) fn parser_for(&self, ty: &Type) -> Parser {
        match &self.parser {
            Some(parser) => parser.clone(),
            None if is_named(ty, "bool") => Parser {
                source: Source::Flag,
                function: quote!(::std::convert::From::from),
            },
            None => Parser::from_str(),
        }
    }

    /// The call that sets how the value is parsed; none before 3.2.
    pub(super) fn value_parser(&self, ty: &Type, era: Era<'_>) -> Option<Call> {
        let value = value_type(ty);
        let args = match &self.value_parser {
            _ if !era.is_typed => return None,
            Some(Choice::Given(args)) => args.clone(),
            Some(Choice::Implied) => quote!(clap::value_parser!(#value)),
            None if self.action.is_some() || self.is_parsed(era) => {
                quote!(clap::value_parser!(#value))
            }
            None => match self.parser_for(ty).source {
                Source::Str | Source::TryStr => quote!(clap::builder::ValueParser::string()),
                Source::OsStr | Source::TryOsStr => {
                    quote!(clap::builder::ValueParser::os_string())
                }
                Source::Occurrences => quote!(clap::value_parser!(u64)),
                Source::Flag => quote!(clap::builder::ValueParser::bool()),
            },
        };
        Some(Call::new("value_parser", args))
    }

    /// What is done with the value; none before 3.2.
    pub(super) fn action(&self, ty: &Type, era: Era<'_>) -> Option<Call> {
        let implied = || match Shape::of(ty) {
            Shape::Vec | Shape::OptionVec => quote!(clap::ArgAction::Append),
            Shape::Unit | Shape::Other if is_named(ty, "bool") => quote!(clap::ArgAction::SetTrue),
            _ => quote!(clap::ArgAction::Set),
        };
        let args = match &self.action {
            _ if !era.is_typed => return None,
            Some(Choice::Given(args)) => args.clone(),
            Some(Choice::Implied) => implied(),
            None if self.value_parser.is_some() || self.is_parsed(era) => implied(),
            None => match self.parser_for(ty).source {
                Source::Occurrences | Source::Flag => quote!(clap::ArgAction::IncOccurrence),
                _ => quote!(clap::ArgAction::StoreValue),
            },
        };
        Some(Call::new("action", args))
    }
}

fn casing(directive: &Directive) -> syn::Result<Casing> {
    let text: &LitStr = match directive.literal() {
        Some(Lit::Str(text)) => text,
        _ => {
            return Err(syn::Error::new(
                directive.name.span(),
                "expected a string literal",
            ));
        }
    };
    Casing::read(&text.value()).ok_or_else(|| syn::Error::new_spanned(text, "unknown casing"))
}
