//! How a name can look like another one: typomania's checks, and those that
//! the known cases showed to be missing.

use std::sync::LazyLock;

use palisade_index::canonical_name;
use typomania::checks::{
    Check, Omitted, Repeated, SwappedCharacters, SwappedWords, Typos, Version,
};
use typomania::{AuthorSet, Corpus, Package};

use super::NameCorpus;

/// What names are made of.
const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz0123456789-";

/// Words that say nothing about what a crate is.
const AFFIXES: &[&str] = &[
    "api", "cargo", "cli", "core", "lib", "rs", "rust", "sys", "rst", "main", "service", "client",
    "sdk", "utils", "util", "new", "dev", "official", "crate", "r",
];

/// Characters that look alike or lie beside each other.
const CONFUSED: &[(char, &[&str])] = &[
    ('0', &["o"]),
    ('o', &["0"]),
    ('1', &["l", "i"]),
    ('l', &["1", "i"]),
    ('i', &["l", "1"]),
    ('m', &["rn", "n"]),
    ('n', &["m"]),
    ('w', &["vv"]),
    ('v', &["u"]),
    ('u', &["v"]),
    ('c', &["k", "s"]),
    ('k', &["c"]),
    ('s', &["z", "c"]),
    ('z', &["s"]),
    ('e', &["a", "r", "w"]),
    ('a', &["e", "s"]),
    ('y', &["i"]),
    ('d', &["s", "f"]),
    ('f', &["ph", "g"]),
    ('g', &["q"]),
];

static CHECKS: LazyLock<Vec<(&'static str, Box<dyn Check>)>> = LazyLock::new(|| {
    let confused = CONFUSED.iter().map(|(letter, others)| {
        let others = others.iter().map(|other| (*other).to_owned());
        (*letter, others.collect())
    });
    vec![
        ("a letter is missing", Box::new(Omitted::new(ALPHABET))),
        ("a letter is doubled", Box::new(Repeated)),
        ("letters are swapped", Box::new(SwappedCharacters)),
        ("words are swapped", Box::new(SwappedWords::new("-"))),
        (
            "a letter is mistaken for another",
            Box::new(Typos::new(confused)),
        ),
        ("a number is added", Box::new(Version)),
    ]
});

/// The shortest name that a letter more or less is evidence for. Below,
/// nearly every name is near to another one.
const SHORT: usize = 5;

/// The canonical names that `name` looks like, each with how it differs.
pub(super) fn candidates(corpus: &NameCorpus, name: &str) -> Vec<(String, String)> {
    let name = canonical_name(name);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |target: String, how: String| {
        let known = target != name && corpus.crates.contains_key(&target);
        if known && !found.iter().any(|(other, _)| *other == target) {
            found.push((target, how));
        }
    };
    let nobody = Nobody;
    if name.len() >= SHORT - 1 {
        for (how, check) in CHECKS.iter() {
            // The corpus never fails.
            for squat in check.check(corpus, &name, &nobody).unwrap_or_default() {
                if squat.package().len() >= SHORT - 1 {
                    add(squat.package().to_owned(), (*how).to_owned());
                }
            }
        }
    }
    for (at, letter) in name.char_indices() {
        let shorter = format!("{}{}", &name[..at], &name[at + letter.len_utf8()..]);
        if letter == '-' || shorter.len() >= SHORT - 1 {
            let how = if letter == '-' {
                "a separator is added".to_owned()
            } else {
                format!("`{letter}` is added")
            };
            add(shorter, how);
        }
        if letter.is_ascii_digit() {
            for digit in '0'..='9' {
                let other = format!("{}{digit}{}", &name[..at], &name[at + 1..]);
                add(other, "it counts on".to_owned());
            }
        }
        if at > 0 && letter != '-' && !name[..at].ends_with('-') {
            let split = format!("{}-{}", &name[..at], &name[at..]);
            add(split, "a separator is missing".to_owned());
        }
    }
    for affix in AFFIXES {
        let how = || format!("`{affix}` is added");
        for rest in [
            name.strip_suffix(affix)
                .map(|rest| rest.strip_suffix('-').unwrap_or(rest)),
            name.strip_prefix(affix)
                .and_then(|rest| rest.strip_prefix('-')),
        ]
        .into_iter()
        .flatten()
        {
            let separated = name.len() - rest.len() > affix.len();
            if rest.len() >= 3 && (separated || rest.len() >= SHORT) {
                add(rest.to_owned(), how());
            }
        }
        for other in AFFIXES {
            if let Some(rest) = name
                .strip_suffix(affix)
                .and_then(|rest| rest.strip_suffix('-'))
                && other != affix
            {
                add(
                    format!("{rest}-{other}"),
                    format!("`{affix}` stands for `{other}`"),
                );
            }
        }
    }
    found
}

/// The crate that is looked at: who owns it is judged afterwards.
struct Nobody;

impl Package for Nobody {
    fn authors(&self) -> &dyn AuthorSet {
        self
    }

    fn description(&self) -> Option<&str> {
        None
    }

    fn shared_authors(&self, _: &dyn AuthorSet) -> bool {
        false
    }
}

impl AuthorSet for Nobody {
    fn contains(&self, _: &str) -> bool {
        false
    }
}

impl Corpus for NameCorpus {
    fn contains_name(&self, name: &str) -> typomania::Result<bool> {
        Ok(self.crates.contains_key(name))
    }

    fn get(&self, name: &str) -> typomania::Result<Option<&dyn Package>> {
        Ok(self
            .crates
            .contains_key(name)
            .then_some(&Nobody as &dyn Package))
    }
}
