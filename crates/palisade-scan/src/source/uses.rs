//! The names that a file's `use` declarations, `extern crate` and type
//! aliases bring in.

use rustc_hash::FxHashMap;

use super::lex::{Kind, Token};

/// A path, its segments in order.
pub(crate) type Path = Vec<String>;

/// The most names of one file. Nobody imports more.
const NAMES: usize = 20_000;
/// The most segments of a path.
const SEGMENTS: usize = 16;

/// What names stand for.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// A name in this file, and the path that it stands for.
    pub(crate) names: FxHashMap<String, Path>,
    /// Modules all of whose names are in scope.
    pub(crate) globs: Vec<Path>,
    /// Imported paths, each with the index of its last token.
    pub(crate) imported: Vec<(Path, usize)>,
}

pub(crate) fn uses(source: &str, tokens: &[Token]) -> Uses {
    let mut uses = Uses::default();
    for at in 0..tokens.len() {
        if tokens[at].kind != Kind::Ident {
            continue;
        }
        let word = |offset: usize| {
            tokens
                .get(at + offset)
                .map_or("", |token| token.text(source))
        };
        match word(0) {
            "use" => {
                let mut reader = Reader {
                    source,
                    tokens,
                    at: at + 1,
                    uses: &mut uses,
                };
                reader.tree();
            }
            // `extern crate a as b;`
            "extern" if word(1) == "crate" && word(3) == "as" => {
                uses.name(word(4), vec![word(2).to_owned()]);
            }
            // `type A = b::C;`
            "type" if word(2) == "=" => {
                let mut reader = Reader {
                    source,
                    tokens,
                    at: at + 3,
                    uses: &mut Uses::default(),
                };
                let path = reader.path();
                if path.len() > 1 {
                    uses.name(word(1), path);
                }
            }
            _ => {}
        }
    }
    uses
}

impl Uses {
    fn name(&mut self, name: &str, path: Path) {
        if self.names.len() < NAMES && path.last().is_some() {
            self.names.insert(name.to_owned(), path);
        }
    }
}

struct Reader<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    uses: &'a mut Uses,
}

impl Reader<'_> {
    fn word(&self) -> &str {
        self.tokens
            .get(self.at)
            .map_or("", |token| token.text(self.source))
    }

    /// `a::b::`, up to what is no name.
    fn path(&mut self) -> Path {
        let mut path = Path::new();
        loop {
            match self.tokens.get(self.at) {
                Some(token) if token.is(b':') => self.at += 1,
                Some(token)
                    if token.kind == Kind::Ident
                        && self.word() != "as"
                        && (path.is_empty() || self.tokens[self.at - 1].is(b':')) =>
                {
                    if path.len() < SEGMENTS {
                        path.push(self.word().to_owned());
                    }
                    self.at += 1;
                }
                _ => return path,
            }
        }
    }

    /// A whole tree. Groups are kept on a list, so that no nesting is too
    /// deep.
    fn tree(&mut self) {
        let mut groups: Vec<Path> = vec![Path::new()];
        loop {
            let mut path = groups.last().cloned().unwrap_or_default();
            let own = self.path();
            let any = !own.is_empty();
            path.extend(own);
            path.truncate(SEGMENTS);
            let last = self.at.saturating_sub(1);
            match self.word() {
                "{" => {
                    self.at += 1;
                    groups.push(path);
                    continue;
                }
                "*" => {
                    self.at += 1;
                    self.uses.imported.push((path.clone(), last));
                    if self.uses.globs.len() < NAMES {
                        self.uses.globs.push(path);
                    }
                }
                "as" if any => {
                    self.at += 1;
                    let name = self.word().to_owned();
                    self.at += 1;
                    self.keep(&name, path, last);
                }
                _ if any => {
                    let name = path.last().cloned().unwrap_or_default();
                    self.keep(&name, path, last);
                }
                _ => {}
            }
            loop {
                match self.word() {
                    "," if groups.len() > 1 => {
                        self.at += 1;
                        break;
                    }
                    "}" if groups.len() > 1 => {
                        self.at += 1;
                        groups.pop();
                    }
                    _ => return,
                }
            }
        }
    }

    fn keep(&mut self, name: &str, mut path: Path, last: usize) {
        // `use a::b::{self, self as c}` names `a::b`.
        let mut name = name.to_owned();
        if path.last().is_some_and(|segment| segment == "self") && path.len() > 1 {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        self.uses.imported.push((path.clone(), last));
        self.uses.name(&name, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lex::lex;

    /// Guards every way to rename, since each is a way around a detector that
    /// looks for names.
    #[test]
    fn every_way_to_rename() {
        let source = "use std::process::Command as C; use std::{fs::{self, File}, process as p};
            extern crate reqwest as r; type T = std::net::TcpStream; use a::*; use ::ureq::get;
            pub use self::x::{self as y};";
        let uses = uses(source, &lex(source));
        let mut shown: Vec<String> = uses
            .names
            .iter()
            .map(|(name, path)| format!("{name} = {}", path.join("::")))
            .collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                "C = std::process::Command",
                "File = std::fs::File",
                "T = std::net::TcpStream",
                "fs = std::fs",
                "get = ureq::get",
                "p = std::process",
                "r = reqwest",
                "y = self::x",
            ]
        );
        assert_eq!(uses.globs, [["a"]]);
    }

    proptest::proptest! {
        /// Guards that any declaration ends.
        #[test]
        fn any_tree(source in "use ([a-c]|::|\\{|\\}|,|\\*| as |;|self){0,40}") {
            uses(&source, &lex(&source));
        }
    }
}
