//! Just enough of Rust's lexical grammar to read a build script: identifiers,
//! string literals and punctuation, without comments.

/// A token of a build script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An identifier or a keyword.
    Ident(String),
    /// The value of a string literal, escapes resolved.
    Text(String),
    /// A number, as written.
    Number(String),
    /// Any other character.
    Punct(char),
}

impl Token {
    pub(super) fn ident(&self) -> Option<&str> {
        match self {
            Token::Ident(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is(&self, punct: char) -> bool {
        *self == Token::Punct(punct)
    }
}

/// Splits any text into tokens; what is not Rust gives tokens that mean
/// nothing, never an error.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    while let Some(c) = lexer.peek(0) {
        if c.is_whitespace() {
            lexer.at += 1;
        } else if c == '/' && lexer.peek(1) == Some('/') {
            lexer.skip_while(|c| c != '\n');
        } else if c == '/' && lexer.peek(1) == Some('*') {
            lexer.block_comment();
        } else if c == '"' {
            lexer.at += 1;
            tokens.push(Token::Text(lexer.string()));
        } else if let Some(skip) = lexer.raw_string_start() {
            lexer.at += skip.0;
            tokens.push(Token::Text(lexer.raw_string(skip.1)));
        } else if c == '\'' {
            lexer.quote(&mut tokens);
        } else if c.is_alphabetic() || c == '_' {
            let name = lexer.take_while(|c| c.is_alphanumeric() || c == '_');
            // `b"…"` and `c"…"`: the prefix is no identifier.
            if !(matches!(name.as_str(), "b" | "c") && lexer.peek(0) == Some('"')) {
                tokens.push(Token::Ident(name));
            }
        } else if c.is_ascii_digit() {
            tokens.push(Token::Number(
                lexer.take_while(|c| c.is_ascii_alphanumeric() || c == '_'),
            ));
        } else {
            lexer.at += 1;
            tokens.push(Token::Punct(c));
        }
    }
    tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let start = self.at;
        self.skip_while(wanted);
        self.chars[start..self.at].iter().collect()
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A literal whose opening quote is behind us.
    fn string(&mut self) -> String {
        let mut value = String::new();
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '"' => break,
                '\\' => {
                    let escaped = self.peek(0);
                    self.at += 1;
                    match escaped {
                        Some('n') => value.push('\n'),
                        Some('t') => value.push('\t'),
                        Some('\n') => self.skip_while(char::is_whitespace),
                        Some(other) => value.push(other),
                        None => {}
                    }
                }
                other => value.push(other),
            }
        }
        value
    }

    /// Length and number of hashes of `r"`, `r#"`, `br##"`, … at this point.
    fn raw_string_start(&self) -> Option<(usize, usize)> {
        let prefix = match (self.peek(0)?, self.peek(1)) {
            ('r', _) => 1,
            ('b' | 'c', Some('r')) => 2,
            _ => return None,
        };
        let mut hashes = 0;
        while self.peek(prefix + hashes) == Some('#') {
            hashes += 1;
        }
        (self.peek(prefix + hashes) == Some('"')).then_some((prefix + hashes + 1, hashes))
    }

    fn raw_string(&mut self, hashes: usize) -> String {
        let start = self.at;
        while self.at < self.chars.len() {
            let closes = self.peek(0) == Some('"')
                && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                let value = self.chars[start..self.at].iter().collect();
                self.at += hashes + 1;
                return value;
            }
            self.at += 1;
        }
        self.chars[start..].iter().collect()
    }

    /// A character literal, which is skipped, or a lifetime.
    fn quote(&mut self, tokens: &mut Vec<Token>) {
        self.at += 1;
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.at += 2;
                self.skip_while(|c| c != '\'' && c != '\n');
                self.at += 1;
            }
            (Some(_), Some('\'')) => self.at += 2,
            _ => tokens.push(Token::Punct('\'')),
        }
    }
}
