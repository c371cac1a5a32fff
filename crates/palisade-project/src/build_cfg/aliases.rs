//! `cfg_aliases!`: flags that are formulas over other flags.
//!
//! The macro's body is `name: { predicate }, …`, where a predicate is what
//! `#[cfg(…)]` takes and may name aliases above it.

use super::lex::Token;
use super::rule::Probe;

/// The aliases of a script.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// All their names.
    pub(super) names: Vec<String>,
    /// Those that hold.
    pub(super) set: Vec<String>,
}

/// How deep a predicate may nest.
const DEPTH: usize = 64;

/// Evaluates every `cfg_aliases!` of a script.
pub(super) fn evaluate(tokens: &[Token], probe: &Probe<'_>) -> Aliases {
    let mut aliases = Aliases::default();
    for (at, token) in tokens.iter().enumerate() {
        let is_call = token.ident() == Some("cfg_aliases")
            && tokens.get(at + 1).is_some_and(|next| next.is('!'));
        if is_call {
            let mut parser = Parser {
                tokens,
                at: at + 3,
                probe,
            };
            parser.body(&mut aliases);
        }
    }
    aliases
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    probe: &'a Probe<'a>,
}

impl Parser<'_> {
    /// Reads aliases until something is not one.
    fn body(&mut self, aliases: &mut Aliases) {
        while let Some(name) = self.ident() {
            if !self.eat(':') || !self.eat('{') {
                return;
            }
            let Some(holds) = self.predicate(&aliases.set, DEPTH) else {
                return;
            };
            if !self.eat('}') {
                return;
            }
            if holds {
                aliases.set.push(name.clone());
            }
            aliases.names.push(name);
            self.eat(',');
        }
    }

    fn predicate(&mut self, set: &[String], depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let name = self.ident()?;
        if self.eat('=') {
            let value = self.tokens.get(self.at)?.text()?.to_owned();
            self.at += 1;
            return Some(self.probe.is(&name, &value));
        }
        if !self.eat('(') {
            return Some(set.contains(&name) || self.probe.has(&name));
        }
        let mut parts = Vec::new();
        while !self.eat(')') {
            parts.push(self.predicate(set, depth)?);
            self.eat(',');
        }
        match name.as_str() {
            "all" => Some(parts.iter().all(|&part| part)),
            "any" => Some(parts.iter().any(|&part| part)),
            "not" => parts.first().map(|part| !part),
            _ => None,
        }
    }

    fn ident(&mut self) -> Option<String> {
        let name = self.tokens.get(self.at)?.ident()?.to_owned();
        self.at += 1;
        Some(name)
    }

    fn eat(&mut self, punct: char) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|token| token.is(punct));
        if found {
            self.at += 1;
        }
        found
    }
}
