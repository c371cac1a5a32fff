//! Bounds on the input, checked before anything recursive looks at it.
//!
//! The parser underneath recurses with the nesting of what it parses, and
//! nesting does not need delimiters: `&&&&T`, `fn() -> fn() -> T` and
//! `a = b = c` nest as well. So the check follows the tokens without recursion
//! and bounds how many of them can possibly be open at once.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::support::Refusal;

/// How large an input may be.
///
/// With the defaults, an expansion fits into a stack of 8 MiB, or of 64 MiB when
/// this crate and its dependencies are compiled without optimisation.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Tokens in total, each pair of delimiters counted once.
    pub tokens: usize,
    /// Delimiters nested inside each other.
    pub depth: usize,
    /// Tokens that may all be open at the same place: those since the last
    /// `,` or `;`, summed over the delimiters around it.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens: 1_000_000,
            depth: 96,
            open: 1000,
        }
    }
}

/// The state of one level of delimiters.
struct Level {
    rest: proc_macro2::token_stream::IntoIter,
    /// Tokens in the levels around this one that are still open.
    outer: usize,
    /// Tokens of this level since the last separator.
    open: usize,
    /// `<` without their `>`: a comma in there separates nothing that is finished.
    angles: usize,
    /// `|` since the last `;`: each may have started a closure that is still open.
    pipes: usize,
    /// The last token, if it was a brace group: one that may have ended a statement.
    after_braces: bool,
    /// The last token was `-` or `=`, so that `>` closes no angle.
    after_arrow_stem: bool,
}

impl Level {
    fn new(stream: TokenStream, outer: usize) -> Self {
        Self {
            rest: stream.into_iter(),
            outer,
            open: 0,
            angles: 0,
            pipes: 0,
            after_braces: false,
            after_arrow_stem: false,
        }
    }

    /// Takes note of one token of this level.
    fn count(&mut self, token: &TokenTree) {
        let starts_statement = match token {
            TokenTree::Punct(punct) => punct.as_char() == '#',
            TokenTree::Ident(ident) => ident != "else" && ident != "as",
            TokenTree::Group(_) | TokenTree::Literal(_) => true,
        };
        if std::mem::take(&mut self.after_braces) && starts_statement {
            self.open = self.pipes;
        }
        let after_arrow_stem = std::mem::take(&mut self.after_arrow_stem);
        self.open += 1;
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => (self.open, self.angles, self.pipes) = (0, 0, 0),
                ',' if self.angles == 0 => self.open = self.pipes,
                '<' => self.angles += 1,
                '>' if !after_arrow_stem => self.angles = self.angles.saturating_sub(1),
                '|' => self.pipes += 1,
                '-' | '=' => self.after_arrow_stem = punct.spacing() == Spacing::Joint,
                _ => {}
            },
            TokenTree::Group(group) => {
                self.after_braces = group.delimiter() == Delimiter::Brace && self.angles == 0;
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
}

impl Limits {
    /// Refuses a stream that exceeds a limit.
    pub(crate) fn check(&self, stream: &TokenStream) -> Result<(), Refusal> {
        let mut tokens = 0;
        let mut levels = vec![Level::new(stream.clone(), 0)];
        while let Some(level) = levels.last_mut() {
            let Some(token) = level.rest.next() else {
                levels.pop();
                continue;
            };
            level.count(&token);
            tokens += 1;
            if tokens > self.tokens {
                return Err(Refusal::new(format!("more than {} tokens", self.tokens)));
            }
            let open = level.outer + level.open;
            if open > self.open {
                return Err(Refusal::new(format!(
                    "more than {} tokens open at once",
                    self.open
                )));
            }
            if let TokenTree::Group(group) = token {
                if levels.len() > self.depth {
                    return Err(Refusal::new(format!(
                        "delimiters nested more than {} deep",
                        self.depth
                    )));
                }
                levels.push(Level::new(group.stream(), open));
            }
        }
        Ok(())
    }
}
