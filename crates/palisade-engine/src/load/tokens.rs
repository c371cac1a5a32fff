//! Between rust-analyzer's token trees and `proc_macro2`'s.
//!
//! `proc_macro2` cannot carry a foreign span, so the input is printed with a
//! table from byte offset to span and parsed again; what an expander takes
//! from its input still knows its offset and gets its span back.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use ra_ap_span::Span;
use ra_ap_tt as tt;
use rustc_hash::FxHashMap;

/// The inputs of one expansion, to give spans back to its output.
#[derive(Default)]
pub(super) struct SpanTable {
    /// For each parsed input: its name in `proc_macro2`, and its offsets.
    inputs: Vec<(String, FxHashMap<usize, Span>)>,
}

impl SpanTable {
    /// Parses a token tree.
    ///
    /// # Errors
    /// The lexer's message, for tokens that no Rust file could hold.
    pub(super) fn parse(&mut self, tree: &tt::TopSubtree) -> Result<TokenStream, String> {
        let mut text = String::new();
        let mut spans = FxHashMap::default();
        print(tree.token_trees().iter(), &mut text, &mut spans);
        let stream: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
        if let Some(first) = stream.clone().into_iter().next() {
            self.inputs.push((first.span().file(), spans));
        }
        Ok(stream)
    }

    fn span(&self, span: proc_macro2::Span) -> Option<Span> {
        let range = span.byte_range();
        if range.is_empty() {
            return None;
        }
        let file = span.file();
        let (_, spans) = self.inputs.iter().find(|(name, _)| *name == file)?;
        spans.get(&range.start).copied()
    }

    /// Prints an expansion as a token tree; what the expander made itself gets
    /// the span of the call.
    pub(super) fn print(&self, stream: TokenStream, call_site: Span) -> tt::TopSubtree {
        let top = tt::Delimiter::invisible_spanned(call_site);
        let mut builder = tt::TopSubtreeBuilder::new(top);
        self.build(stream, call_site, &mut builder);
        builder.build()
    }

    fn build(&self, stream: TokenStream, call_site: Span, builder: &mut tt::TopSubtreeBuilder) {
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                // One word to rust-analyzer, two tokens to `proc_macro2`; where
                // it stands in the input says whose crate it means.
                TokenTree::Punct(punct)
                    if punct.as_char() == '$'
                        && tokens
                            .next_if(|next| matches!(next, TokenTree::Ident(it) if *it == "crate"))
                            .is_some() =>
                {
                    let span = self.span(punct.span()).unwrap_or(call_site);
                    builder.push(tt::Ident::new("$crate", span).into());
                }
                TokenTree::Group(group) => {
                    let kind = match group.delimiter() {
                        Delimiter::Parenthesis => tt::DelimiterKind::Parenthesis,
                        Delimiter::Brace => tt::DelimiterKind::Brace,
                        Delimiter::Bracket => tt::DelimiterKind::Bracket,
                        Delimiter::None => tt::DelimiterKind::Invisible,
                    };
                    let open = self.span(group.span_open()).unwrap_or(call_site);
                    let close = self.span(group.span_close()).unwrap_or(call_site);
                    builder.open(kind, open);
                    self.build(group.stream(), call_site, builder);
                    builder.close(close);
                }
                TokenTree::Ident(ident) => {
                    let span = self.span(ident.span()).unwrap_or(call_site);
                    builder.push(tt::Ident::new(&ident.to_string(), span).into());
                }
                TokenTree::Punct(punct) => {
                    let span = self.span(punct.span()).unwrap_or(call_site);
                    let spacing = match punct.spacing() {
                        Spacing::Alone => tt::Spacing::Alone,
                        Spacing::Joint => tt::Spacing::Joint,
                    };
                    builder.push(
                        tt::Punct {
                            char: punct.as_char(),
                            spacing,
                            span,
                        }
                        .into(),
                    );
                }
                TokenTree::Literal(literal) => {
                    let span = self.span(literal.span()).unwrap_or(call_site);
                    let text = literal.to_string();
                    let text = match text.strip_prefix('-') {
                        Some(positive) => {
                            let spacing = tt::Spacing::Alone;
                            builder.push(
                                tt::Punct {
                                    char: '-',
                                    spacing,
                                    span,
                                }
                                .into(),
                            );
                            positive
                        }
                        None => &text,
                    };
                    builder.push(tt::token_to_literal(text, span).into());
                }
            }
        }
    }
}

fn print(tokens: tt::TtIter<'_>, text: &mut String, spans: &mut FxHashMap<usize, Span>) {
    for token in tokens {
        match token {
            tt::TtElement::Leaf(leaf) => {
                spans.insert(text.len(), *leaf.span());
                text.push_str(&leaf.to_string());
                let joined = matches!(
                    &leaf,
                    tt::Leaf::Punct(punct)
                        if punct.char == '\'' || punct.spacing == tt::Spacing::Joint
                );
                if !joined {
                    text.push(' ');
                }
            }
            tt::TtElement::Subtree(subtree, inner) => {
                let (open, close) = match subtree.delimiter.kind {
                    tt::DelimiterKind::Parenthesis => ("(", ") "),
                    tt::DelimiterKind::Brace => ("{", "} "),
                    tt::DelimiterKind::Bracket => ("[", "] "),
                    tt::DelimiterKind::Invisible => ("", " "),
                };
                spans.insert(text.len(), subtree.delimiter.open);
                text.push_str(open);
                print(inner, text, spans);
                spans.insert(text.len(), subtree.delimiter.close);
                text.push_str(close);
            }
        }
    }
}
