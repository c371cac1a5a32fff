//! The texts of a file: as written, decoded, and put together.

use super::Disguise;
use super::decode::{reveal, reveal_bytes};
use super::lex::{Kind, Token, number, value};

/// A text that the code has at hand.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// The tokens that it comes from.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// How it was hidden, if it was.
    pub(crate) disguise: Option<Disguise>,
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

/// All texts, in the order of their tokens.
pub(crate) fn texts(source: &str, tokens: &[Token]) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut statement = Run::default();
    let mut nearby = Run::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Text => {
                let literal = token.text(source);
                let bytes = value(literal);
                let revealed = match std::str::from_utf8(&bytes) {
                    Ok(_) => reveal(&bytes),
                    Err(_) => reveal_bytes(&bytes),
                };
                if let Some((value, disguise)) = revealed {
                    texts.push(text(value, at, at, Some(disguise)));
                }
                let value = String::from_utf8_lossy(&bytes).into_owned();
                statement.add(&value, at, PIECE, usize::MAX, &mut texts);
                nearby.add(&value, at, SHORT_PIECE, GAP, &mut texts);
                texts.push(text(value, at, at, None));
            }
            Kind::Char => {
                let bytes = value(token.text(source));
                if let Ok(character) = std::str::from_utf8(&bytes) {
                    statement.add(character, at, PIECE, usize::MAX, &mut texts);
                }
            }
            Kind::Punct(b'[') => {
                if let Some((bytes, last)) = numbers(source, tokens, at + 1) {
                    if let Some((value, disguise)) = reveal_bytes(&bytes) {
                        texts.push(text(value, at, last, Some(disguise)));
                    }
                    at = last;
                    continue;
                }
            }
            Kind::Punct(b';' | b'{' | b'}') => statement.end(&mut texts),
            _ => {}
        }
        at += 1;
    }
    statement.end(&mut texts);
    nearby.end(&mut texts);
    texts
}

fn text(value: String, first: usize, last: usize, disguise: Option<Disguise>) -> Text {
    Text {
        value,
        first,
        last,
        disguise,
    }
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
                bytes.extend(value(token.text(source)));
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
    fn add(&mut self, piece: &str, at: usize, longest: usize, gap: usize, texts: &mut Vec<Text>) {
        let far = self.pieces > 0 && at - self.last > gap;
        if far || piece.len() > longest || self.pieces >= PIECES || self.joined.len() > JOINED {
            self.end(texts);
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

    fn end(&mut self, texts: &mut Vec<Text>) {
        let Run {
            joined,
            pieces,
            first,
            last,
        } = std::mem::take(self);
        if pieces < 2 {
            return;
        }
        if let Some((value, _)) = reveal(joined.as_bytes()) {
            texts.push(text(value, first, last, Some(Disguise::Layers)));
        }
        texts.push(text(joined, first, last, Some(Disguise::Split)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lex::lex;

    #[track_caller]
    fn finds(source: &str, expected: &str, disguise: Disguise) {
        let texts = texts(source, &lex(source));
        let found = texts
            .iter()
            .any(|text| text.value.contains(expected) && text.disguise == Some(disguise));
        assert!(found, "{source}: {texts:?}");
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
