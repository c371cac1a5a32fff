//! Code behind configuration flags that only a build script decides.

use palisade_model::Location;
use palisade_project::Unit;
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode, ast};
use rustc_hash::FxHashSet;

use crate::load::files::Files;

/// For every place of a unit's source that an undecided flag governs: where,
/// which flag, and the words of the governed code.
pub(super) fn undecided(unit: &Unit, files: &Files) -> Vec<(Location, String, FxHashSet<String>)> {
    let mut found = Vec::new();
    for path in files.below(&unit.package_dir) {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let flags: Vec<&String> = unit
            .unknown_cfgs
            .iter()
            .filter(|flag| mentions(&text, flag))
            .collect();
        if flags.is_empty() {
            continue;
        }
        let file = SourceFile::parse(&text, Edition::Edition2024).tree();
        for flag in flags {
            let mut words = FxHashSet::default();
            let mut line = None;
            for node in file.syntax().descendants() {
                if governs(&node, flag) {
                    let at: usize = node.text_range().start().into();
                    line.get_or_insert_with(|| {
                        text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
                    });
                    let governed = node.parent().unwrap_or(node);
                    for token in governed
                        .descendants_with_tokens()
                        .filter_map(|it| it.into_token())
                    {
                        if token.kind() == SyntaxKind::IDENT {
                            words.insert(token.text().to_owned());
                        }
                    }
                }
            }
            if let Some(line) = line {
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                found.push((
                    Location {
                        file: path.to_string(),
                        line,
                    },
                    flag.clone(),
                    words,
                ));
            }
        }
    }
    found
}

fn mentions(text: &str, flag: &str) -> bool {
    text.contains("cfg") && text.contains(flag)
}

/// Whether a node is a `#[cfg(…)]`, `cfg!(…)` or `cfg_if!` that asks the flag.
fn governs(node: &SyntaxNode, flag: &str) -> bool {
    let asks = if let Some(attr) = ast::Attr::cast(node.clone()) {
        attr.syntax().text().to_string().contains("cfg")
    } else if let Some(call) = ast::MacroCall::cast(node.clone()) {
        call.path()
            .is_some_and(|path| path.syntax().text().to_string().contains("cfg"))
    } else {
        false
    };
    asks && node
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
        .any(|token| token.kind() == SyntaxKind::IDENT && token.text() == flag)
}
