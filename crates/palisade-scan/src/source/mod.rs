//! The Rust files of a package: tokens, items, names in scope, and which of
//! the package's crates each file belongs to.

mod decode;
mod file;
mod items;
mod lex;
mod strings;
mod units;
mod uses;

pub(crate) use decode::{
    Disguise, PROGRAM_MARK, base64, program as program_head, reveal as reveal_file, reveal_bytes,
};
pub(crate) use file::{Present, SourceFile, Vocabulary, WORDS};
pub(crate) use items::{Item, ItemKind};
pub(crate) use lex::{Kind, number, value};
pub(crate) use strings::{Shown, Text, texts};
pub(crate) use units::{Unit, Units, joined};
