//! Assertions: comments inside the Rust fences.

use std::collections::BTreeSet;

use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, TextSize};

use crate::document::{BUILD_SCRIPT, Section, Source};
use crate::path::{Pattern, split_list};

/// One claim, and where it is written.
pub(crate) struct Assertion {
    pub(crate) claim: Claim,
    /// `file.md:line`.
    pub(crate) place: String,
}

/// What a comment claims.
pub(crate) enum Claim {
    /// `// calls: …`: the function has a call edge to this one.
    Calls { caller: Caller, callee: Pattern },
    /// `// reaches: …`: reached at run time, and not only possibly.
    Reaches(Pattern),
    /// `// reaches at build time: …`.
    ReachesAtBuildTime(Pattern),
    /// `// over-approximated: …`: reached, though the linker drops it.
    OverApproximated(Pattern),
    /// `// not reached: …`: not even possibly.
    NotReached(Pattern),
    /// `// unknown: … [cause]`: only through a blind spot.
    Unknown {
        path: Pattern,
        cause: Option<String>,
    },
    /// `// blind spot: cause detail`.
    BlindSpot { cause: String, detail: String },
    /// `// dispatch: a -> b kind`.
    Dispatch {
        from: Pattern,
        to: Pattern,
        kind: String,
    },
}

/// The function that a `// calls:` stands in or before.
pub(crate) struct Caller {
    pub(crate) krate: String,
    /// The path of its file below the package's directory.
    pub(crate) file: String,
    pub(crate) name: String,
    /// From its first attribute to its name, counted from 1.
    pub(crate) lines: (u32, u32),
}

const CAUSES: [&str; 9] = [
    "unexpanded-macro",
    "expansion-failed",
    "generated-source",
    "build-script-cfg",
    "unresolved-call",
    "limit-hit",
    "analysis-panic",
    "broken-source",
    "foreign-code",
];

/// Reads the assertions of one file.
pub(crate) fn read(krate: &str, source: &Source) -> Result<Vec<Assertion>, String> {
    let file = SourceFile::parse(&source.text, Edition::CURRENT).tree();
    let line_of = |at: TextSize| {
        let before = &source.text[..usize::from(at)];
        1 + u32::try_from(before.matches('\n').count()).expect("a fence is short")
    };
    let mut assertions = Vec::new();
    let tokens = file
        .syntax()
        .descendants_with_tokens()
        .filter_map(|it| it.into_token());
    for token in tokens.filter(|token| token.kind() == SyntaxKind::COMMENT) {
        let Some(text) = token.text().strip_prefix("// ") else {
            continue;
        };
        let Some((head, rest)) = text.split_once(": ") else {
            continue;
        };
        let at = token.text_range().start();
        let line = line_of(at);
        let place = format!("{}:{}", source.document, source.line + line - 1);
        let mut claim = |claim| {
            assertions.push(Assertion {
                claim,
                place: place.clone(),
            })
        };
        let located = |message: String| format!("{place}: {message}");
        match head {
            "blind spot" => {
                let (cause, detail) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                known_cause(cause).map_err(located)?;
                claim(Claim::BlindSpot {
                    cause: cause.to_owned(),
                    detail: detail.to_owned(),
                });
            }
            "dispatch" => {
                let parts = rest.split_once(" -> ").and_then(|(from, to)| {
                    let (to, kind) = to.trim().rsplit_once(' ')?;
                    Some((from, to, kind))
                });
                let (from, to, kind) =
                    parts.ok_or_else(|| located("expected `a -> b kind`".to_owned()))?;
                claim(Claim::Dispatch {
                    from: Pattern::parse(from).map_err(located)?,
                    to: Pattern::parse(to).map_err(located)?,
                    kind: kind.to_owned(),
                });
            }
            "calls"
            | "reaches"
            | "reaches at build time"
            | "over-approximated"
            | "not reached"
            | "unknown" => {
                for item in split_list(rest) {
                    let (item, cause) =
                        match item.strip_suffix(']').and_then(|it| it.split_once('[')) {
                            Some((item, cause)) if head == "unknown" => {
                                known_cause(cause).map_err(located)?;
                                (item, Some(cause.to_owned()))
                            }
                            _ => (item, None),
                        };
                    let path = Pattern::parse(item).map_err(located)?;
                    claim(match head {
                        "calls" => Claim::Calls {
                            caller: caller(krate, source, &file, at, &line_of)
                                .ok_or_else(|| located("no function follows".to_owned()))?,
                            callee: path,
                        },
                        "reaches" => Claim::Reaches(path),
                        "reaches at build time" => Claim::ReachesAtBuildTime(path),
                        "over-approximated" => Claim::OverApproximated(path),
                        "not reached" => Claim::NotReached(path),
                        _ => Claim::Unknown { path, cause },
                    });
                }
            }
            // A slip such as `reachs:` would silently assert nothing.
            _ if head.chars().all(|c| c.is_ascii_lowercase() || c == ' ') => {
                return Err(located(format!("unknown assertion `{head}:`")));
            }
            _ => {}
        }
    }
    Ok(assertions)
}

fn known_cause(cause: &str) -> Result<(), String> {
    if CAUSES.contains(&cause) {
        Ok(())
    } else {
        Err(format!("unknown cause `{cause}`"))
    }
}

/// The innermost function around `at`, else the first one after it.
fn caller(
    krate: &str,
    source: &Source,
    file: &SourceFile,
    at: TextSize,
    line_of: &dyn Fn(TextSize) -> u32,
) -> Option<Caller> {
    let functions: Vec<_> = file
        .syntax()
        .descendants()
        .filter_map(ast::Fn::cast)
        .collect();
    let around = functions
        .iter()
        .filter(|it| it.syntax().text_range().contains(at))
        .min_by_key(|it| it.syntax().text_range().len());
    let found = around.or_else(|| {
        functions
            .iter()
            .find(|it| it.syntax().text_range().start() > at)
    })?;
    let name = found.name()?;
    Some(Caller {
        krate: krate.to_owned(),
        file: source.path.clone(),
        name: name.text().to_string(),
        lines: (
            line_of(found.syntax().text_range().start()),
            line_of(name.syntax().text_range().end()),
        ),
    })
}

/// A path that is not reached because nothing has that name proves nothing:
/// every identifier of a path must occur in the section's code.
pub(crate) fn validate(section: &Section) -> Result<(), String> {
    let mut words = BTreeSet::from([BUILD_SCRIPT.to_owned()]);
    for krate in &section.crates {
        words.insert(krate.name.clone());
        for source in &krate.files {
            let file = SourceFile::parse(&source.text, Edition::CURRENT).tree();
            for token in file
                .syntax()
                .descendants_with_tokens()
                .filter_map(|it| it.into_token())
            {
                match token.kind() {
                    SyntaxKind::COMMENT => {}
                    // Macros written as text spell names inside of literals.
                    SyntaxKind::STRING => words.extend(
                        token
                            .text()
                            .split(|c: char| !c.is_alphanumeric() && c != '_')
                            .map(str::to_owned),
                    ),
                    _ => drop(words.insert(token.text().to_owned())),
                }
            }
        }
    }
    if words.contains("derive") {
        // The methods of the built-in derives, which nobody spells.
        let derived = [
            "clone",
            "cmp",
            "default",
            "eq",
            "fmt",
            "hash",
            "partial_cmp",
        ];
        words.extend(derived.map(str::to_owned));
    }
    for assertion in &section.assertions {
        let paths: Vec<&Pattern> = match &assertion.claim {
            Claim::NotReached(path) | Claim::Unknown { path, .. } => vec![path],
            _ => Vec::new(),
        };
        let in_section = |word: &&str| !words.contains(*word);
        for path in paths.into_iter().filter(|path| !path.is_std()) {
            if let Some(word) = path.identifiers().find(in_section) {
                return Err(format!(
                    "{}: `{word}` does not occur in the code",
                    assertion.place
                ));
            }
        }
    }
    Ok(())
}
