//! The texts of a file: as written, decoded, and put together.

use super::Disguise;
use super::decode::{reveal, reveal_bytes};
use super::lex::{Kind, Token, number, value};

/// A text that the code has at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'v> {
    pub(crate) value: &'v str,
    /// The tokens that it comes from.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// How it was hidden, if it was.
    pub(crate) disguise: Option<Disguise>,
}

/// What a file holds that may be a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown<'v> {
    Text(Text<'v>),
    /// Bytes that are written as numbers or escapes, and their first token.
    Bytes(&'v [u8], usize),
}

/// The fewest numbers that may be a text.
const FEWEST_NUMBERS: usize = 6;
/// The most numbers that are tried.
const MOST_NUMBERS: usize = 1 << 20;
/// The most pieces that are put together, and their size in bytes.
const PIECES: usize = 512;
const JOINED: usize = 16 << 10;
/// Pieces are short, or there would be no use in them.
const PIECE: usize = 100;
/// Short texts that follow each other closely are put together even across
/// statements.
const SHORT_PIECE: usize = 16;
const GAP: usize = 14;

/// Shows all texts: as they are written, what they hide, and what pieces come
/// to that are put together.
pub(crate) fn texts(source: &str, tokens: &[Token], visit: &mut dyn FnMut(Shown<'_>)) {
    let mut statement = Run::default();
    let mut nearby = Run::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Text => {
                let bytes = value(token.text(source));
                let text = std::str::from_utf8(&bytes);
                let revealed = match text {
                    Ok(_) => reveal(&bytes),
                    Err(_) => reveal_bytes(&bytes),
                };
                if let Some((value, disguise)) = revealed {
                    visit(Shown::Text(Text {
                        value: &value,
                        first: at,
                        last: at,
                        disguise: Some(disguise),
                    }));
                }
                if text.is_err() {
                    visit(Shown::Bytes(&bytes, at));
                }
                let lossy;
                let value = match text {
                    Ok(text) => text,
                    Err(_) => {
                        lossy = String::from_utf8_lossy(&bytes).into_owned();
                        &lossy
                    }
                };
                statement.add(value, at, PIECE, usize::MAX, visit);
                nearby.add(value, at, SHORT_PIECE, GAP, visit);
                visit(Shown::Text(Text {
                    value,
                    first: at,
                    last: at,
                    disguise: None,
                }));
            }
            Kind::Char => {
                let bytes = value(token.text(source));
                if let Ok(character) = std::str::from_utf8(&bytes) {
                    statement.add(character, at, PIECE, usize::MAX, visit);
                }
            }
            Kind::Punct(b'[') => {
                if let Some((bytes, last)) = numbers(source, tokens, at + 1) {
                    visit(Shown::Bytes(&bytes, at));
                    if let Some((value, disguise)) = reveal_bytes(&bytes) {
                        visit(Shown::Text(Text {
                            value: &value,
                            first: at,
                            last,
                            disguise: Some(disguise),
                        }));
                    }
                    at = last;
                    continue;
                }
            }
            Kind::Punct(b';' | b'{' | b'}') => statement.end(visit),
            _ => {}
        }
        at += 1;
    }
    statement.end(visit);
    nearby.end(visit);
}

/// The bytes of a list of numbers that begins at `first`, and the index of
/// what ends it.
fn numbers(source: &str, tokens: &[Token], first: usize) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut at = first;
    loop {
        let token = tokens.get(at)?;
        match token.kind {
            Kind::Number => bytes.push(u8::try_from(number(token.text(source))?).ok()?),
            Kind::Char if token.text(source).starts_with('b') => {
                bytes.extend(value(token.text(source)).iter());
            }
            Kind::Punct(b',') => {}
            Kind::Punct(b']') => {
                return (bytes.len() >= FEWEST_NUMBERS).then_some((bytes, at));
            }
            _ => return None,
        }
        if bytes.len() > MOST_NUMBERS {
            return None;
        }
        at += 1;
    }
}

/// Pieces that may belong together.
#[derive(Default)]
struct Run {
    joined: String,
    pieces: usize,
    first: usize,
    last: usize,
}

impl Run {
    fn add(
        &mut self,
        piece: &str,
        at: usize,
        longest: usize,
        gap: usize,
        visit: &mut dyn FnMut(Shown<'_>),
    ) {
        let far = self.pieces > 0 && at - self.last > gap;
        if far || piece.len() > longest || self.pieces >= PIECES || self.joined.len() > JOINED {
            self.end(visit);
        }
        if piece.len() > longest {
            return;
        }
        if self.pieces == 0 {
            self.first = at;
        }
        self.joined.push_str(piece);
        self.pieces += 1;
        self.last = at;
    }

    fn end(&mut self, visit: &mut dyn FnMut(Shown<'_>)) {
        if self.pieces >= 2 {
            let mut show = |value: &str, disguise| {
                visit(Shown::Text(Text {
                    value,
                    first: self.first,
                    last: self.last,
                    disguise: Some(disguise),
                }));
            };
            if let Some((value, _)) = reveal(self.joined.as_bytes()) {
                show(&value, Disguise::Layers);
            }
            show(&self.joined, Disguise::Split);
        }
        // The buffer serves the next run.
        self.joined.clear();
        self.pieces = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lex::lex;

    #[track_caller]
    fn finds(source: &str, expected: &str, disguise: Disguise) {
        let mut found = Vec::new();
        texts(source, &lex(source), &mut |shown| {
            if let Shown::Text(text) = shown {
                found.push((text.value.to_owned(), text.disguise));
            }
        });
        let is_there = found
            .iter()
            .any(|(value, how)| value.contains(expected) && *how == Some(disguise));
        assert!(is_there, "{source}: {found:?}");
    }

    /// Guards that an address is found however it is cut and encoded.
    #[test]
    fn pieces_and_encodings() {
        let address = "https://drop.example.invalid/a";
        finds(
            "f(\"aHR0cHM6Ly9kcm9wLmV4YW1wbGUuaW52YWxpZC9h\")",
            address,
            Disguise::Base64,
        );
        finds(
            "[\"ht\", \"tps://drop.exam\", \"ple.invalid/a\"].join(\"\")",
            address,
            Disguise::Split,
        );
        finds(
            "const P: [&str; 3] = [\"aHR0cHM6Ly9kcm9w\", \"LmV4YW1wbGUu\", \"aW52YWxpZC9h\"];",
            address,
            Disguise::Layers,
        );
        finds(
            "let mut s = String::new(); s.push_str(\"ht\"); s.push_str(\"tps://\"); s.push_str(\"drop.example\");",
            "https://drop.example",
            Disguise::Split,
        );
        let bytes: Vec<String> = address.bytes().map(|byte| format!("{byte:#x}")).collect();
        finds(
            &format!("&[{}]", bytes.join(", ")),
            address,
            Disguise::Bytes,
        );
        let hidden: Vec<String> = address
            .bytes()
            .map(|byte| (byte ^ 0x5a).to_string())
            .collect();
        finds(
            &format!("vec![{}]", hidden.join(",")),
            address,
            Disguise::Xor,
        );
    }
}
