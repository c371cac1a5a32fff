//! Rust source as tokens.
//!
//! The compiler's own lexer decides, so that what is seen here is what the
//! compiler sees. It is iterative and accepts any text: a file that does not
//! parse, or that is nested a million deep, hides nothing.

use std::borrow::Cow;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, strip_shebang, tokenize};

/// What a token is. Whitespace and comments are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword, without a leading `r#`.
    Ident,
    /// A string, byte string or C string of any spelling.
    Text,
    /// A character or a byte.
    Char,
    /// A number.
    Number,
    /// A lifetime.
    Lifetime,
    /// Anything else: one ASCII character.
    Punct(u8),
}

/// One token and where it is, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    pub(crate) fn is(&self, punct: u8) -> bool {
        self.kind == Kind::Punct(punct)
    }

    pub(crate) fn text<'t>(&self, source: &'t str) -> &'t str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// The tokens of a file. `source` is shorter than 4 GiB, which the limits of
/// reading an archive see to.
pub(crate) fn lex(source: &str) -> Vec<Token> {
    let mut at = strip_shebang(source).unwrap_or(0);
    let mut tokens = Vec::with_capacity(source.len() / 6);
    for token in tokenize(&source[at..], FrontmatterAllowed::Yes) {
        let start = at;
        at += token.len as usize;
        let kind = match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. }
            | TokenKind::Frontmatter { .. } => continue,
            TokenKind::Eof => break,
            TokenKind::Ident | TokenKind::InvalidIdent | TokenKind::UnknownPrefix => Kind::Ident,
            TokenKind::RawIdent => {
                tokens.push(token_at(Kind::Ident, start + 2, at));
                continue;
            }
            TokenKind::Lifetime { .. }
            | TokenKind::RawLifetime
            | TokenKind::UnknownPrefixLifetime => Kind::Lifetime,
            TokenKind::Literal { kind, .. } => match kind {
                LiteralKind::Int { .. } | LiteralKind::Float { .. } => Kind::Number,
                LiteralKind::Char { .. } | LiteralKind::Byte { .. } => Kind::Char,
                LiteralKind::Str { .. }
                | LiteralKind::ByteStr { .. }
                | LiteralKind::CStr { .. }
                | LiteralKind::RawStr { .. }
                | LiteralKind::RawByteStr { .. }
                | LiteralKind::RawCStr { .. } => Kind::Text,
            },
            _ => Kind::Punct(source.as_bytes()[start]),
        };
        tokens.push(token_at(kind, start, at));
    }
    tokens
}

fn token_at(kind: Kind, start: usize, end: usize) -> Token {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Token {
        kind,
        start: offset(start),
        end: offset(end),
    }
}

/// The bytes that a string, byte string, character or byte literal stands
/// for. Malformed escapes are kept as they are written.
pub(crate) fn value(literal: &str) -> Cow<'_, [u8]> {
    let Some(open) = literal.find(['"', '\'']) else {
        return literal.as_bytes().into();
    };
    let prefix = &literal[..open];
    let quote = literal.as_bytes()[open];
    let hashes = prefix.bytes().filter(|&byte| byte == b'#').count();
    let body = &literal.as_bytes()[open + 1..];
    // A suffix may follow the closing quote.
    let close = body.iter().rposition(|&byte| byte == quote);
    let body = &body[..close.unwrap_or(body.len())];
    let raw = prefix.contains('r') && (hashes > 0 || quote == b'"');
    if raw || memchr::memchr(b'\\', body).is_none() {
        return body.into();
    }
    unescape(body).into()
}

fn unescape(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&escape) = body.get(at) else { break };
        at += 1;
        match escape {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'0' => out.push(0),
            b'x' => match body.get(at..at + 2).and_then(hex_number) {
                Some(number) => {
                    out.push(u8::try_from(number).unwrap_or_default());
                    at += 2;
                }
                None => out.extend(b"\\x"),
            },
            b'u' => {
                let rest = &body[at..];
                let end = rest.iter().take(12).position(|&byte| byte == b'}');
                let digits: Option<Vec<u8>> = end.filter(|_| rest[0] == b'{').map(|end| {
                    let digits = rest[1..end].iter().copied();
                    digits.filter(|&byte| byte != b'_').collect()
                });
                let character = digits
                    .and_then(|digits| hex_number(&digits))
                    .and_then(char::from_u32);
                match (character, end) {
                    (Some(character), Some(end)) => {
                        out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                        at += end + 1;
                    }
                    _ => out.extend(b"\\u"),
                }
            }
            // A line break swallows the indentation of the next line.
            b'\n' | b'\r' => {
                while body.get(at).is_some_and(u8::is_ascii_whitespace) {
                    at += 1;
                }
            }
            other => out.push(other),
        }
    }
    out
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(text, 16).ok()
}

/// The value of a number literal.
pub(crate) fn number(literal: &str) -> Option<u64> {
    let digits: String = literal.chars().filter(|&c| c != '_').collect();
    let digits = [
        "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "usize", "isize",
    ]
    .into_iter()
    .find_map(|suffix| digits.strip_suffix(suffix))
    .unwrap_or(&digits);
    let radix = |text, radix| u64::from_str_radix(text, radix).ok();
    match digits.get(..2) {
        Some("0x") => radix(&digits[2..], 16),
        Some("0o") => radix(&digits[2..], 8),
        Some("0b") => radix(&digits[2..], 2),
        _ => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the values of literals in every spelling, since a detector that
    /// misses an escape is evaded by it.
    #[test]
    fn values() {
        for (literal, expected) in [
            (r#""a\x62\u{63}\n""#, "abc\n"),
            (r##"r#"a"b\x62"#"##, "a\"b\\x62"),
            (r#"b"\x68i""#, "hi"),
            (r"'\''", "'"),
            (r"b'h'", "h"),
            ("\"a\\\n   b\"", "ab"),
            (r#"c"path""#, "path"),
            (r#""\u{zz}""#, "\\u{zz}"),
            (r#""open"#, "open"),
        ] {
            assert_eq!(
                String::from_utf8_lossy(&value(literal)),
                expected,
                "{literal}"
            );
        }
        assert_eq!(number("0x6_8u8"), Some(0x68));
        assert_eq!(number("104"), Some(104));
        assert_eq!(number("1.5"), None);
    }

    proptest::proptest! {
        /// Guards that any text is accepted, and that no token leaves it.
        #[test]
        fn any_text(text in "(\\PC|[\"'\\\\{}()#!r]){0,64}") {
            for token in lex(&text) {
                proptest::prop_assert!(token.start < token.end || token.kind == Kind::Ident);
                value(token.text(&text));
                number(token.text(&text));
            }
        }
    }
}
