//! Finding and renaming `self`: inside the boxed future it is called `__self`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, ExprPath, Item, Macro, Path, Receiver, Signature, TypePath};

/// Whether a signature mentions `self` or `Self`.
pub(super) fn in_signature(sig: &Signature) -> bool {
    let mut search = Search(false);
    search.visit_signature(sig);
    search.0
}

/// Whether a body mentions `Self`.
pub(super) fn in_block(block: &Block) -> bool {
    let mut search = Search(false);
    search.visit_block(block);
    search.0
}

/// Replaces `self` by `__self` throughout a body.
pub(super) fn rename(block: &mut Block) {
    Rename.visit_block_mut(block);
}

struct Search(bool);

impl Visit<'_> for Search {
    fn visit_expr_path(&mut self, expr: &ExprPath) {
        self.0 |= starts_with_self(&expr.path);
        visit::visit_expr_path(self, expr);
    }

    fn visit_type_path(&mut self, ty: &TypePath) {
        self.0 |= starts_with_self(&ty.path);
        visit::visit_type_path(self, ty);
    }

    fn visit_receiver(&mut self, _: &Receiver) {
        self.0 = true;
    }

    // A nested item has a `Self` of its own.
    fn visit_item(&mut self, _: &Item) {}

    fn visit_macro(&mut self, invocation: &Macro) {
        let tokens = &invocation.tokens;
        self.0 |= !mentions(tokens, "fn") && mentions(tokens, "Self");
    }
}

fn starts_with_self(path: &Path) -> bool {
    path.segments
        .first()
        .is_some_and(|first| first.ident == "Self")
}

struct Rename;

impl VisitMut for Rename {
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "self" {
            *ident = Ident::new("__self", ident.span());
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        // `self::function` is a path into the module.
        let single = path.segments.len() == 1;
        for segment in &mut path.segments {
            if single {
                self.visit_ident_mut(&mut segment.ident);
            }
            self.visit_path_arguments_mut(&mut segment.arguments);
        }
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        // Other items have a `self` of their own; a local macro may mean this
        // one, and `select! { .. }` is parsed as an item but is an expression.
        if let Item::Macro(item) = item {
            let last = item.mac.path.segments.last();
            if last.is_some_and(|last| last.ident == "macro_rules" || last.ident == "select") {
                self.visit_macro_mut(&mut item.mac);
            }
        }
    }

    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        // A function in the input means that `self` is rather its parameter.
        if !mentions(&invocation.tokens, "fn") {
            invocation.tokens = renamed(invocation.tokens.clone());
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut syn::Expr) {
        if let syn::Expr::Verbatim(tokens) = expr {
            *tokens = renamed(tokens.clone());
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn renamed(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) if ident == "self" => Ident::new("__self", ident.span()).into(),
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), renamed(group.stream()));
                replaced.set_span(group.span());
                replaced.into()
            }
            other => other,
        })
        .collect()
}
