//! One Rust file, read once for all detectors.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::items::{Item, ItemKind, Items, ModuleFile, items};
use super::lex::{Kind, Token, lex, value};
use super::uses::{Uses, uses};

/// A Rust file.
///
/// Its tokens take several times its own size, so they are kept only where
/// something in them matters, and read again where that turns out later.
#[derive(Debug)]
pub(crate) struct SourceFile<'t> {
    pub(crate) path: &'t str,
    pub(crate) source: Cow<'t, str>,
    /// What is known of every file.
    pub(crate) outline: Outline,
    /// The names that it brings in; empty unless one of them may matter.
    pub(crate) uses: Uses,
    code: OnceCell<Code>,
}

/// What is known of a file when its tokens are gone.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Modules whose file is elsewhere.
    pub(crate) modules: Vec<ModuleFile>,
    /// Files that it includes as code.
    pub(crate) includes: Vec<String>,
    /// How many of its items are only there for tests.
    pub(crate) tests: usize,
    /// Uses of unsafe code outside of tests.
    pub(crate) unsafe_code: usize,
    /// Whether unsafe code is forbidden, and whether it is denied.
    pub(crate) forbids_unsafe: bool,
    pub(crate) denies_unsafe: bool,
    /// Whether something in it runs before `main`.
    pub(crate) constructors: bool,
    /// Names that were made to be hard to read: how many, a few of them, and
    /// the number of all names.
    pub(crate) strange_names: Option<(usize, Vec<String>, usize)>,
    /// Whether words occur in it that may stand for something.
    pub(crate) notable: bool,
    /// Whether it holds operations that turn texts into others.
    pub(crate) decodes: bool,
}

/// Tokens, and the items that they belong to.
#[derive(Debug)]
struct Code {
    tokens: Vec<Token>,
    items: OnceCell<Items>,
}

/// Which words matter, for whoever knows what they stand for.
pub(crate) trait Vocabulary {
    /// The number of a word, below [`WORDS`].
    fn number(&self, word: &str) -> Option<usize>;
    /// Whether these words together may stand for something.
    fn is_notable(&self, present: &Present) -> bool;
}

/// The most words of a vocabulary.
pub(crate) const WORDS: usize = 1024;

/// The words that occur in a file.
#[derive(Clone, Debug)]
pub(crate) struct Present([u64; WORDS / 64]);

impl Present {
    pub(crate) fn has(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    fn add(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }
}

impl<'t> SourceFile<'t> {
    pub(crate) fn read(
        path: &'t str,
        bytes: &'t [u8],
        vocabulary: &dyn Vocabulary,
    ) -> SourceFile<'t> {
        // The usual case takes a fraction of the time of the other one.
        let source = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        let mut file = SourceFile {
            path,
            source,
            outline: Outline::default(),
            uses: Uses::default(),
            code: OnceCell::new(),
        };
        file.outline = outline(&file, vocabulary);
        if file.outline.notable {
            file.read_uses();
        }
        file
    }

    /// Its tokens, read now if they are not at hand.
    fn code(&self) -> &Code {
        self.code.get_or_init(|| Code {
            tokens: lex(&self.source),
            items: OnceCell::new(),
        })
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.code().tokens
    }

    pub(crate) fn items(&self) -> &Items {
        let code = self.code();
        code.items.get_or_init(|| items(&self.source, &code.tokens))
    }

    /// Asks about tokens and items, and lets them go afterwards unless they
    /// were at hand.
    pub(crate) fn with_code<T>(&self, ask: impl FnOnce(&SourceFile<'_>) -> T) -> T {
        if self.code.get().is_some() {
            return ask(self);
        }
        ask(&SourceFile {
            path: self.path,
            source: Cow::Borrowed(&self.source),
            outline: Outline::default(),
            uses: Uses::default(),
            code: OnceCell::new(),
        })
    }

    /// Lets the tokens go.
    pub(crate) fn forget(&mut self) {
        self.code.take();
    }

    /// How much memory its tokens take, in bytes.
    pub(crate) fn code_bytes(&self) -> usize {
        self.code.get().map_or(0, |code| {
            code.tokens.len() * (size_of::<Token>() + size_of::<u32>())
        })
    }

    /// Reads the names that it brings in.
    pub(crate) fn read_uses(&mut self) {
        self.uses = uses(&self.source, self.tokens());
    }

    /// The text of a token; empty behind the last.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.tokens()
            .get(at)
            .map_or("", |token| token.text(&self.source))
    }

    /// The item that a token belongs to.
    pub(crate) fn item(&self, at: usize) -> (usize, &Item) {
        let items = self.items();
        let index = items.of_token.get(at).map_or(0, |&item| item as usize);
        (index, &items.items[index])
    }

    /// Whether a token is only there for tests.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        let (_, item) = self.item(at);
        item.test || (item.kind == ItemKind::File && self.path.ends_with("/tests.rs"))
    }
}

/// As many different strange names are no accident.
const STRANGE_NAMES: usize = 6;

/// One pass over the words; items are only looked for where they matter.
fn outline(file: &SourceFile<'_>, vocabulary: &dyn Vocabulary) -> Outline {
    let tokens = file.tokens();
    let mut outline = Outline::default();
    let mut present = Present([0; WORDS / 64]);
    let mut modules = false;
    let mut tests = false;
    let mut unsafe_at = Vec::new();
    let mut strange: BTreeSet<&str> = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Ident {
            outline.decodes |= token.is(b'^');
            continue;
        }
        let word = token.text(&file.source);
        let before = |steps: usize| at.checked_sub(steps).map(|before| &tokens[before]);
        match word {
            "mod" => modules |= tokens.get(at + 2).is_some_and(|token| token.is(b';')),
            "test" | "bench" | "rstest" | "proptest" | "quickcheck" | "test_case" => {
                tests |= before(1).is_some_and(|token| {
                    token.is(b'[') || token.is(b':') || token.is(b'(') || token.is(b',')
                });
            }
            "unsafe" if matches!(file.word(at + 1), "{" | "impl" | "fn") => unsafe_at.push(at),
            "unsafe_code" if before(1).is_some_and(|token| token.is(b'(')) => {
                let level = before(2).map_or("", |token| token.text(&file.source));
                outline.forbids_unsafe |= level == "forbid";
                outline.denies_unsafe |= level == "deny";
            }
            "include"
                if tokens.get(at + 1).is_some_and(|token| token.is(b'!'))
                    && tokens
                        .get(at + 3)
                        .is_some_and(|token| token.kind == Kind::Text) =>
            {
                let path = value(file.word(at + 3));
                let path = String::from_utf8_lossy(&path).replace('\\', "/");
                outline.includes.push(path);
            }
            "ctor" | "dtor" | "link_section" => outline.constructors = true,
            "rev" | "reverse" | "rsplit" | "replace" | "replacen" | "split" | "filter"
            | "retain" | "step_by" | "wrapping_sub" | "wrapping_add" | "overflowing_sub"
            | "bitxor" | "bitxor_assign" => outline.decodes = true,
            _ => {
                if is_strange(word) {
                    strange.insert(word);
                }
            }
        }
        if let Some(number) = vocabulary.number(word) {
            present.add(number);
        }
    }
    outline.notable = vocabulary.is_notable(&present);
    if strange.len() >= STRANGE_NAMES {
        let all: BTreeSet<&str> = tokens
            .iter()
            .filter(|token| token.kind == Kind::Ident)
            .map(|token| token.text(&file.source))
            .collect();
        let shown = strange.iter().take(3).map(|name| (*name).to_owned());
        outline.strange_names = Some((strange.len(), shown.collect(), all.len()));
    }
    if modules {
        outline.modules.clone_from(&file.items().modules);
    }
    if tests {
        let items = file.items().items.iter();
        outline.tests = items.filter(|item| item.test).count();
    }
    outline.constructors =
        outline.constructors && file.items().items.iter().any(|item| item.constructor);
    let in_code = unsafe_at.into_iter().filter(|&at| !file.is_test(at));
    outline.unsafe_code = in_code.count();
    outline
}

fn is_strange(name: &str) -> bool {
    let hexadecimal = || {
        name.strip_prefix("_0x").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    let of = |letters: &str| name.len() >= 5 && name.chars().all(|c| letters.contains(c));
    match name.as_bytes().first() {
        Some(b'_') if hexadecimal() => true,
        Some(b'l' | b'I' | b'1' | b'i' | b'_')
            if of("lI1i_") && name.contains('I') && name.contains(['l', '1']) =>
        {
            true
        }
        Some(b'o' | b'O' | b'Q' | b'_') => {
            of("oO0Q_") && name.contains('O') && name.contains(['0', 'o', 'Q'])
        }
        _ => false,
    }
}
