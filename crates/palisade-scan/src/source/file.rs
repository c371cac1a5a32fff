//! One Rust file, read once for all detectors.

use std::borrow::Cow;

use super::items::{Item, ItemKind, Items, items};
use super::lex::{Token, lex};
use super::strings::{Text, texts};
use super::uses::{Uses, uses};

/// A Rust file: its tokens, items, names and texts.
#[derive(Debug)]
pub(crate) struct SourceFile<'t> {
    pub(crate) path: &'t str,
    pub(crate) source: Cow<'t, str>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) items: Items,
    pub(crate) uses: Uses,
    pub(crate) texts: Vec<Text>,
}

impl<'t> SourceFile<'t> {
    pub(crate) fn read(path: &'t str, bytes: &'t [u8]) -> SourceFile<'t> {
        let source = String::from_utf8_lossy(bytes);
        let tokens = lex(&source);
        SourceFile {
            items: items(&source, &tokens),
            uses: uses(&source, &tokens),
            texts: texts(&source, &tokens),
            path,
            source,
            tokens,
        }
    }

    /// The text of a token; empty behind the last.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.tokens
            .get(at)
            .map_or("", |token| token.text(&self.source))
    }

    /// The item that a token belongs to.
    pub(crate) fn item(&self, at: usize) -> (usize, &Item) {
        let index = self.items.of_token.get(at).map_or(0, |&item| item as usize);
        (index, &self.items.items[index])
    }

    /// Whether a token is only there for tests.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        let (_, item) = self.item(at);
        item.test || (item.kind == ItemKind::File && self.path.ends_with("/tests.rs"))
    }
}
