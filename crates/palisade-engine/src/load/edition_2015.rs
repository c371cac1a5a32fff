//! Parameters without a name, as trait methods of the 2015 edition have them:
//! `fn is_set(&self, ArgSettings) -> bool`.
//!
//! The parser does not know them, and an error inside of a trait costs the
//! rest of it. Written `_: ArgSettings` they mean the same; no line moves.

use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxToken, T};

/// The text with a name for every parameter of a function with a name, if it
/// has a trait at all.
pub(super) fn name_parameters(text: &str) -> String {
    if !text.contains("trait") {
        return text.to_owned();
    }
    let file = SourceFile::parse(text, Edition::Edition2015).tree();
    let tokens: Vec<SyntaxToken> = file
        .syntax()
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
        .filter(|token| !token.kind().is_trivia())
        .collect();
    let mut unnamed = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].kind() == T![fn]
            && tokens.get(at + 1).map(SyntaxToken::kind) == Some(SyntaxKind::IDENT)
        {
            unnamed.extend(parameters(&tokens[at + 2..]).filter_map(insertion));
        }
    }
    let mut named = String::with_capacity(text.len() + 3 * unnamed.len());
    let mut done = 0;
    for at in unnamed {
        named.push_str(&text[done..at]);
        named.push_str("_: ");
        done = at;
    }
    named.push_str(&text[done..]);
    named
}

/// The parameters of a function, given what follows its name.
fn parameters(tokens: &[SyntaxToken]) -> impl Iterator<Item = &[SyntaxToken]> {
    let open = match tokens.first().map(SyntaxToken::kind) {
        Some(T![<]) => nested(tokens).map(|generics| generics.len() + 2),
        _ => Some(0),
    };
    let list = open
        .filter(|open| tokens.get(*open).map(SyntaxToken::kind) == Some(T!['(']))
        .and_then(|open| nested(&tokens[open..]))
        // In a macro's definition the list is a pattern.
        .filter(|list| list.iter().all(|token| token.kind() != T![$]))
        .unwrap_or_default();
    let mut depth = Depth::default();
    list.split(move |token| {
        depth.step(token);
        depth.0 == 0 && token.kind() == T![,]
    })
}

/// What stands inside of the brackets that `tokens` begin with.
fn nested(tokens: &[SyntaxToken]) -> Option<&[SyntaxToken]> {
    let mut depth = Depth::default();
    let end = tokens.iter().position(|token| {
        depth.step(token);
        depth.0 == 0
    })?;
    tokens.get(1..end)
}

/// How deep a token stands in brackets.
#[derive(Default)]
struct Depth(usize);

impl Depth {
    fn step(&mut self, token: &SyntaxToken) {
        match token.kind() {
            T!['('] | T!['['] | T!['{'] | T![<] => self.0 += 1,
            T![')'] | T![']'] | T!['}'] | T![>] => {
                // The arrow of a function type ends nothing.
                let arrow = token.kind() == T![>]
                    && token
                        .prev_token()
                        .is_some_and(|before| before.kind() == T![-]);
                if !arrow {
                    self.0 = self.0.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}

/// Where a parameter needs a name, if it has none.
fn insertion(param: &[SyntaxToken]) -> Option<usize> {
    let first = param.first()?;
    let mut depth = Depth::default();
    let mut at = 0;
    while let Some(token) = param.get(at) {
        depth.step(token);
        match token.kind() {
            T![self] if depth.0 == 0 => return None,
            // The arguments of a variadic function; in the input of a macro
            // the dots are three tokens, as the colons of a path are two.
            T![...] => return None,
            T![.] if depth.0 == 0 => return None,
            T![:] if depth.0 == 0 => {
                let is_colon = |token: &&SyntaxToken| token.kind() == T![:];
                let colons = param[at..].iter().take_while(is_colon).count();
                // `a::b` has two, `a: b` one, `a: ::b` three.
                if colons % 2 == 1 {
                    return None;
                }
                at += colons - 1;
            }
            _ => {}
        }
        at += 1;
    }
    Some(first.text_range().start().into())
}

#[cfg(test)]
mod tests {
    use super::name_parameters;

    #[test]
    fn unnamed_parameters_get_a_name() {
        let text = "trait A<T> {\n    fn f(&self, u8, Vec<(u8, T)>, &mut a::B<T>) -> bool;\n    \
                    fn g<'a, F: Fn(u8) -> u8>(self: Box<Self>, [u8; 4], fn(u8, u16), F);\n}";
        let named = "trait A<T> {\n    fn f(&self, _: u8, _: Vec<(u8, T)>, _: &mut a::B<T>) -> bool;\n    \
                     fn g<'a, F: Fn(u8) -> u8>(self: Box<Self>, _: [u8; 4], _: fn(u8, u16), _: F);\n}";
        assert_eq!(name_parameters(text), named);
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        let text = "trait T {}\nfn f(a: u8, (b, c): (u8, u8), &d: &u8, _: ::std::vec::Vec<u8>) {}\n\
                    fn g() {}\nextern { fn p(f: *const u8, g: ::a::B, ...); }\n\
                    m! { extern { fn p(f: *const u8, g: ::a::B, h: a::B, ...) -> ::a::B; } }\n\
                    macro_rules! m { ($n:ident, $($a:tt)*) => { fn h($($a)*) {} } }\n\
                    type T = fn(u8);\nfn attributed(#[cfg(x)] a: u8, mut b: u8) {}";
        assert_eq!(name_parameters(text), text);
    }
}
