//! The names of the flags that a build script may set, read from its text.

use std::collections::BTreeSet;

use super::lex::Token;
use super::rule::Probe;

/// What a script's text says about flags.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Flags that it sets for sure.
    pub(super) set: Vec<String>,
    /// Flags that it names outright, whether or not it sets them.
    pub(super) named: Vec<String>,
    /// Words that may be flags, because it composes some at run time.
    pub(super) guessed: Vec<String>,
}

/// The instruction that sets a flag, behind `cargo:` or `cargo::`.
const SET: &str = "rustc-cfg=";
/// The instruction that declares flags to the compiler.
const DECLARE: &str = "rustc-check-cfg=";

/// Reads the names.
pub(super) fn names(tokens: &[Token], probe: &Probe<'_>) -> Names {
    let mut names = Names::default();
    let mut composed = false;
    for text in tokens.iter().filter_map(Token::text) {
        for (at, _) in text.match_indices(SET) {
            let flag = text[at + SET.len()..].lines().next().unwrap_or_default();
            if flag.is_empty() || flag.starts_with('{') {
                composed = true;
            } else if let Some((start, _)) = flag.split_once('{') {
                // `level="{}"` has a name, `since_1_{}` the start of one.
                names.named.push(match start.split_once('=') {
                    Some((name, _)) if name != "feature" => name.to_owned(),
                    _ => format!("{start}*"),
                });
            } else {
                names.named.push(flag.trim().to_owned());
            }
        }
    }
    autocfg(tokens, probe, &mut names);
    if composed {
        let helpers = helpers(tokens);
        let arguments = arguments(tokens, &helpers);
        if helpers.is_empty() || arguments.is_empty() {
            names.guessed = words(tokens);
            if names.guessed.is_empty() {
                names.guessed.push("*".to_owned());
            }
        } else {
            names.named.extend(arguments);
        }
    }
    names
}

/// The other files that a script is made of: `mod x;` and literals that name
/// a Rust file.
pub(super) fn parts(tokens: &[Token]) -> Vec<String> {
    let mut parts: Vec<String> = tokens
        .windows(3)
        .filter_map(|window| match window {
            [Token::Ident(keyword), Token::Ident(name), end] if keyword == "mod" && end.is(';') => {
                Some([format!("{name}.rs"), name.clone()])
            }
            _ => None,
        })
        .flatten()
        .collect();
    parts.extend(
        tokens
            .iter()
            .filter_map(Token::text)
            .filter(|text| text.ends_with(".rs") && !text.contains(".."))
            .map(str::to_owned),
    );
    parts
}

/// The calls of the `autocfg` crate. Only the compiler's version is certain;
/// the rest compiles probes.
fn autocfg(tokens: &[Token], probe: &Probe<'_>, names: &mut Names) {
    for (at, token) in tokens.iter().enumerate() {
        let Some(method) = token.ident().filter(|name| name.starts_with("emit")) else {
            continue;
        };
        // Its definition is not a call.
        if at > 0 && tokens[at - 1].ident() == Some("fn") {
            continue;
        }
        let Some(arguments) = call(tokens, at + 1) else {
            continue;
        };
        let literals: Vec<&str> = arguments.iter().filter_map(Token::text).collect();
        let (first, last) = (literals.first(), literals.last());
        match method {
            "emit_rustc_version" => {
                let numbers: Vec<u64> = arguments
                    .iter()
                    .filter_map(|token| match token {
                        Token::Number(number) => number.parse().ok(),
                        _ => None,
                    })
                    .collect();
                if let [1, minor] = numbers[..]
                    && minor <= probe.toolchain.minor
                {
                    names.set.push(format!("rustc_1_{minor}"));
                }
            }
            "emit" => names
                .named
                .extend(last.filter(|name| is_name(name)).map(|&n| n.to_owned())),
            _ if method.ends_with("_cfg") => {
                names
                    .named
                    .extend(last.filter(|name| is_name(name)).map(|&n| n.to_owned()));
            }
            "emit_has_path" | "emit_has_trait" | "emit_has_type" | "emit_sysroot_crate" => {
                names
                    .named
                    .extend(first.map(|path| format!("has_{}", mangled(path))));
            }
            _ => {}
        }
    }
}

fn mangled(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect()
}

/// The tokens between the parentheses of a call whose opening one is at `at`.
fn call(tokens: &[Token], at: usize) -> Option<&[Token]> {
    if !tokens.get(at)?.is('(') {
        return None;
    }
    let mut depth = 0_usize;
    for (end, token) in tokens.iter().enumerate().skip(at) {
        if token.is('(') {
            depth += 1;
        } else if token.is(')') {
            depth -= 1;
            if depth == 0 {
                return Some(&tokens[at + 1..end]);
            }
        }
    }
    None
}

/// Functions that set a flag which they are given: those whose body composes
/// one, and those that hand a parameter on to such a function.
fn helpers(tokens: &[Token]) -> BTreeSet<String> {
    let functions = functions(tokens);
    let mut helpers = BTreeSet::new();
    loop {
        let before = helpers.len();
        for (name, body) in &functions {
            let composes = body.iter().filter_map(Token::text).any(|text| {
                text.split_once(SET)
                    .is_some_and(|(_, flag)| flag.is_empty() || flag.starts_with('{'))
            });
            let hands_on = body.iter().enumerate().any(|(at, token)| {
                token.ident().is_some_and(|callee| helpers.contains(callee))
                    && call(body, at + 1)
                        .is_some_and(|arguments| !arguments.iter().any(|a| a.text().is_some()))
            });
            // `main` is given nothing.
            if *name != "main" && (composes || hands_on) {
                helpers.insert((*name).to_owned());
            }
        }
        if helpers.len() == before {
            return helpers;
        }
    }
}

/// The functions of a script with the tokens of their bodies.
fn functions(tokens: &[Token]) -> Vec<(&str, &[Token])> {
    let mut functions = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        if keyword.ident() != Some("fn") {
            continue;
        }
        let Some(name) = name.ident() else { continue };
        let Some(open) = tokens[at..].iter().position(|token| token.is('{')) else {
            continue;
        };
        let start = at + open;
        let mut depth = 0_usize;
        for (end, token) in tokens.iter().enumerate().skip(start) {
            if token.is('{') {
                depth += 1;
            } else if token.is('}') {
                depth -= 1;
                if depth == 0 {
                    functions.push((name, &tokens[start..end]));
                    break;
                }
            }
        }
    }
    functions
}

/// The literals that are given to the helpers.
fn arguments(tokens: &[Token], helpers: &BTreeSet<String>) -> Vec<String> {
    tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| {
            token.ident().is_some_and(|name| helpers.contains(name))
                && (*at == 0 || tokens[at - 1].ident() != Some("fn"))
        })
        .filter_map(|(at, _)| call(tokens, at + 1))
        .flatten()
        .filter_map(Token::text)
        .filter(|text| is_name(text))
        .map(str::to_owned)
        .collect()
}

/// Every literal that could be the name of a flag, and what is declared.
fn words(tokens: &[Token]) -> Vec<String> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    for text in tokens.iter().filter_map(Token::text) {
        if is_name(text) {
            words.insert(text.to_owned());
        }
        for (at, _) in text.match_indices(DECLARE) {
            let declared = text[at + DECLARE.len()..].trim_start_matches("cfg(");
            words.extend(
                declared
                    .split([',', '(', ')', '='])
                    .map(str::trim)
                    .filter(|word| is_name(word) && *word != "values")
                    .map(str::to_owned),
            );
        }
    }
    words.into_iter().collect()
}

/// Whether a text could be the name of a flag: nobody writes them in capitals,
/// which are for environment variables.
fn is_name(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_lowercase())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
