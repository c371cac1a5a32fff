//! Private keys that go into a request.
//!
//! No flow of data is followed but the shortest: what a function's own text
//! puts into the body of a request, directly or by a variable of its own.

use rustc_hash::FxHashSet;

use crate::source::{Kind, SourceFile};

/// Names of what nobody gives away.
const KEYS: [&str; 11] = [
    "private_key",
    "privatekey",
    "priv_key",
    "privkey",
    "mnemonic",
    "seed_phrase",
    "recovery_phrase",
    "keypair",
    "wallet_key",
    "seed_words",
    "secret_phrase",
];

/// Methods that fill a request.
const FILLS: [&str; 9] = [
    "body",
    "json",
    "form",
    "query",
    "send_json",
    "send_string",
    "send_bytes",
    "send_form",
    "multipart",
];

/// The most tokens of an argument that are looked at.
const ARGUMENT: usize = 200;

/// Where a key goes into a request: the method's token and the key's name.
pub(super) fn keys(file: &SourceFile<'_>) -> Vec<(usize, String)> {
    let tokens = file.tokens();
    let is_word = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| token.kind == Kind::Ident)
    };
    if !(0..tokens.len()).any(|at| is_word(at) && FILLS.contains(&file.word(at))) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut held: FxHashSet<String> = FxHashSet::default();
    let mut item = usize::MAX;
    let mut assigned: Option<usize> = None;
    for (at, token) in tokens.iter().enumerate() {
        let (own, _) = file.item(at);
        if own != item {
            item = own;
            held.clear();
        }
        match token.kind {
            Kind::Punct(b';') => assigned = None,
            Kind::Ident | Kind::Text => {
                let word = file.word(at);
                if word == "let" {
                    let skip = usize::from(file.word(at + 1) == "mut");
                    assigned = Some(at + 1 + skip);
                    continue;
                }
                if let Some(name) = assigned
                    && name != at
                    && key(file, at, &held).is_some()
                {
                    held.insert(file.word(name).to_owned());
                }
                let method = at > 0 && file.word(at - 1) == "." && file.word(at + 1) == "(";
                if method && FILLS.contains(&word) {
                    let mut depth = 0_usize;
                    for (inner, token) in tokens.iter().enumerate().skip(at + 1).take(ARGUMENT) {
                        match token.kind {
                            Kind::Punct(b'(') => depth += 1,
                            Kind::Punct(b')') => {
                                depth = depth.saturating_sub(1);
                                if depth == 0 {
                                    break;
                                }
                            }
                            _ => {}
                        }
                        if let Some(name) = key(file, inner, &held) {
                            found.push((at, name));
                            break;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The key that a token names: by itself, by a variable that holds it, or
/// inside of a text that is filled in.
fn key(file: &SourceFile<'_>, at: usize, held: &FxHashSet<String>) -> Option<String> {
    let token = file.tokens().get(at)?;
    let word = file.word(at);
    let names = |word: &str| {
        let lower = word.to_ascii_lowercase();
        KEYS.iter().any(|key| lower.contains(key))
    };
    match token.kind {
        Kind::Ident => {
            // `public_key` is no key, and the name of a type or a field in a
            // text is none either.
            let is = held.contains(word)
                || word.len() >= 7 && names(word) && !word.to_ascii_lowercase().contains("public");
            is.then(|| word.to_owned())
        }
        Kind::Text => word.split('{').skip(1).find_map(|rest| {
            let name = rest.split(['}', ':']).next()?;
            (held.contains(name) || name.len() >= 7 && names(name)).then(|| name.to_owned())
        }),
        _ => None,
    }
}
