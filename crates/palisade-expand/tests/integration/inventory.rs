//! What an expanded file contributes to a call graph: its types, impls and
//! functions, and what each function mentions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, Item};

/// The inventory of a file as text, one line per fact, sorted.
pub(crate) fn of(file: &syn::File) -> String {
    let mut collector = Collector::default();
    collector.visit_file(file);
    let mut text = String::new();
    for (subject, mentions) in collector.facts {
        for mut mentions in mentions {
            mentions.sort();
            writeln!(text, "{subject}").expect("writing to a string");
            for mention in mentions {
                writeln!(text, "    {mention}").expect("writing to a string");
            }
        }
    }
    text
}

#[derive(Default)]
struct Collector {
    facts: BTreeMap<String, Vec<Vec<String>>>,
    /// The functions around the current place, each with what it mentioned so far.
    open: Vec<Vec<String>>,
    /// `Some` inside an impl or a trait.
    container: Option<String>,
}

impl Collector {
    fn fact(&mut self, subject: String) {
        self.facts.entry(subject).or_default().push(Vec::new());
    }

    fn function(&mut self, name: &syn::Ident, visit: impl FnOnce(&mut Self)) {
        let subject = match &self.container {
            Some(container) => format!("fn {container}::{name}"),
            None => format!("fn {name}"),
        };
        let container = self.container.take();
        self.open.push(Vec::new());
        visit(self);
        self.container = container;
        let mentions = self.open.pop().expect("pushed above");
        self.facts.entry(subject).or_default().push(mentions);
    }

    fn mention(&mut self, what: String) {
        if let Some(open) = self.open.last_mut() {
            open.push(what);
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(item) => self.fact(format!("struct {}", item.ident)),
            Item::Enum(item) => self.fact(format!("enum {}", item.ident)),
            Item::Union(item) => self.fact(format!("union {}", item.ident)),
            Item::Trait(item) => self.fact(format!("trait {}", item.ident)),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let this = short(item.self_ty.to_token_stream());
        let header = match &item.trait_ {
            Some((not, path, _)) => {
                let not = not.map(|_| "!").unwrap_or_default();
                format!("<{this} as {not}{}>", short(path.to_token_stream()))
            }
            None => this,
        };
        self.fact(format!("impl {header}"));
        let outer = self.container.replace(header);
        visit::visit_item_impl(self, item);
        self.container = outer;
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let outer = self.container.replace(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.container = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outer = self.container.take();
        self.function(&item.sig.ident, |this| visit::visit_item_fn(this, item));
        self.container = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, |this| {
            visit::visit_impl_item_fn(this, item)
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig.ident, |this| {
            visit::visit_trait_item_fn(this, item)
        });
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Call(call) => {
                if let Expr::Path(path) = &*call.func
                    && path.qself.is_none()
                    && path.path.segments.len() == 1
                {
                    self.mention(short(path.to_token_stream()));
                }
            }
            Expr::Path(path) if path.qself.is_some() || path.path.segments.len() > 1 => {
                self.mention(callee(path));
            }
            Expr::MethodCall(call) => {
                let generics = call
                    .turbofish
                    .as_ref()
                    .map(|args| short(args.to_token_stream()));
                self.mention(format!(".{}{}", call.method, generics.unwrap_or_default()));
            }
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let name = invocation
            .path
            .segments
            .last()
            .expect("not empty")
            .ident
            .to_string();
        self.mention(format!("{name}!"));
        // The arguments of the formatting macros are expressions like any others.
        let arguments = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = invocation.parse_body_with(arguments) {
            arguments.iter().for_each(|argument| {
                // An owned expression cannot be visited for 'ast; its mentions are what counts.
                let mut inner = Collector {
                    open: vec![Vec::new()],
                    ..Collector::default()
                };
                inner.visit_expr(argument);
                inner
                    .open
                    .pop()
                    .into_iter()
                    .flatten()
                    .for_each(|what| self.mention(what));
            });
        }
    }
}

/// The last two segments of a path: enough to tell functions apart, without
/// the ways in which a printer may spell a prefix.
fn callee(path: &syn::ExprPath) -> String {
    if path.qself.is_some() {
        return short(path.to_token_stream());
    }
    // Constructors of the prelude are spelled with and without their enum.
    if let Some(last) = path.path.segments.last()
        && ["Some", "None", "Ok", "Err"]
            .iter()
            .any(|name| last.ident == name)
        && path
            .path
            .segments
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|enumeration| {
                enumeration.ident == "Option" || enumeration.ident == "Result"
            })
    {
        return short(last.to_token_stream());
    }
    let segments: Vec<_> = path
        .path
        .segments
        .iter()
        .map(|segment| short(segment.to_token_stream()))
        .collect();
    segments[segments.len().saturating_sub(2)..].join("::")
}

/// Tokens as text, every path reduced to its last segment.
pub(crate) fn short(tokens: TokenStream) -> String {
    let mut text = String::new();
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Ident(ident) => {
                let next = (
                    tokens.get(index + 1),
                    tokens.get(index + 2),
                    tokens.get(index + 3),
                );
                if let (
                    Some(TokenTree::Punct(a)),
                    Some(TokenTree::Punct(b)),
                    Some(TokenTree::Ident(_)),
                ) = next
                    && a.as_char() == ':'
                    && b.as_char() == ':'
                {
                    index += 3;
                    continue;
                }
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&ident.to_string());
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                text.push_str(open);
                text.push_str(&short(group.stream()));
                text.push_str(close);
            }
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            TokenTree::Literal(literal) => text.push_str(&literal.to_string()),
        }
        index += 1;
    }
    text.strip_prefix("::")
        .map(str::to_owned)
        .unwrap_or(text)
        .replace("&::", "&")
        .replace(",>", ">")
        .replace("<::", "<")
        // An empty list of arguments is printed by one side only.
        .replace("<>", "")
}
