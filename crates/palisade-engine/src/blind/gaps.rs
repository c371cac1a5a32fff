//! Constructs that the analysis library resolves differently from the
//! compiler, found in the text.

use palisade_model::BlindSpotCause;
use ra_ap_syntax::{
    AstNode, SourceFile, SyntaxKind, SyntaxNode,
    ast::{self, HasAttrs, HasName},
};
use rustc_hash::{FxHashMap, FxHashSet};

/// A place where resolution may differ, and the words of what it may miss.
pub(super) struct Gap {
    pub(super) line: u32,
    pub(super) cause: BlindSpotCause,
    pub(super) detail: String,
    pub(super) words: FxHashSet<String>,
}

/// Finds the gaps of one file; `tree` is only asked for when its text gives a
/// reason to.
pub(super) fn find(text: &str, tree: impl FnOnce() -> SourceFile) -> Vec<Gap> {
    let redefines = text.matches("macro_rules!").count() > 1;
    let local_impls = text.contains("    impl");
    if !redefines && !local_impls {
        return Vec::new();
    }
    let tree = tree();
    let mut gaps = Vec::new();
    if redefines {
        gaps.extend(redefined_macros(text, &tree));
    }
    if local_impls {
        gaps.extend(impls_in_bodies(text, &tree));
    }
    gaps
}

/// In bodies the library takes the last `macro_rules!` of a name in a module,
/// not the last one above.
fn redefined_macros(text: &str, tree: &SourceFile) -> Vec<Gap> {
    let mut by_name: FxHashMap<(SyntaxNode, String), Vec<ast::MacroRules>> = FxHashMap::default();
    for rules in tree
        .syntax()
        .descendants()
        .filter_map(ast::MacroRules::cast)
    {
        if let (Some(parent), Some(name)) = (rules.syntax().parent(), rules.name()) {
            by_name
                .entry((parent, name.text().to_string()))
                .or_default()
                .push(rules);
        }
    }
    let mut gaps: Vec<Gap> = by_name
        .into_iter()
        // Alternatives of which a `cfg` chooses one are not redefinitions.
        .filter(|(_, definitions)| definitions.len() > 1 && !definitions.iter().any(has_cfg))
        .map(|((_, name), definitions)| {
            let (_, earlier) = definitions.split_last().expect("there are at least two");
            let mut words = FxHashSet::default();
            for rules in earlier {
                collect(rules.syntax(), &mut words);
            }
            Gap {
                line: line(text, earlier[0].syntax()),
                cause: BlindSpotCause::ExpansionFailed,
                detail: format!("macro `{name}` is defined again in its module"),
                words,
            }
        })
        .collect();
    gaps.sort_by_key(|gap| gap.line);
    gaps
}

fn has_cfg(rules: &ast::MacroRules) -> bool {
    rules
        .attrs()
        .any(|attr| attr.syntax().text().to_string().contains("cfg"))
}

/// Impls of traits inside of function bodies count everywhere; the library
/// finds them only when the trait or the type belongs to that body too.
fn impls_in_bodies(text: &str, tree: &SourceFile) -> Vec<Gap> {
    tree.syntax()
        .descendants()
        .filter_map(ast::Impl::cast)
        .filter(|item| {
            let mut bodies = item
                .syntax()
                .ancestors()
                .filter(|node| ast::Fn::can_cast(node.kind()));
            let Some((Some(of), Some(for_type))) = bodies.next().map(|body| {
                let declares = |ty: Option<ast::Type>| {
                    ty.map(|ty| path_name(&ty).is_some_and(|name| declares(&body, &name)))
                };
                (declares(item.trait_()), declares(item.self_ty()))
            }) else {
                return false;
            };
            !of && !for_type && !is_test(item.syntax())
        })
        .map(|item| {
            let mut words = FxHashSet::default();
            if let Some(items) = item.assoc_item_list() {
                collect(items.syntax(), &mut words);
            }
            Gap {
                line: line(text, item.syntax()),
                cause: BlindSpotCause::UnresolvedCall,
                detail: "an impl inside of a function body".to_owned(),
                words,
            }
        })
        .collect()
}

/// The last name of a path type.
fn path_name(ty: &ast::Type) -> Option<String> {
    let ast::Type::PathType(ty) = ty else {
        return None;
    };
    let name = ty.path()?.segment()?.name_ref()?;
    Some(name.text().to_string())
}

/// Whether a body declares a type or trait, in the open or in the input of a
/// macro (`pin_project!` takes a whole struct).
fn declares(body: &SyntaxNode, name: &str) -> bool {
    let mut keyword = false;
    for token in body
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
        .filter(|token| !token.kind().is_trivia())
    {
        if keyword && token.text() == name {
            return true;
        }
        keyword = matches!(token.text(), "struct" | "enum" | "union" | "trait");
    }
    false
}

/// Whether an item is only compiled for tests of its own crate.
fn is_test(item: &SyntaxNode) -> bool {
    item.ancestors()
        .filter_map(ast::AnyHasAttrs::cast)
        .flat_map(|owner| owner.attrs())
        .any(|attr| {
            matches!(
                attr.syntax().text().to_string().as_str(),
                "#[cfg(test)]" | "#[test]"
            )
        })
}

/// Adds the identifiers below a node.
pub(super) fn collect(node: &SyntaxNode, words: &mut FxHashSet<String>) {
    for token in node
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
    {
        if token.kind() == SyntaxKind::IDENT {
            words.insert(token.text().to_owned());
        }
    }
}

fn line(text: &str, node: &SyntaxNode) -> u32 {
    let at: usize = node.text_range().start().into();
    let newlines = text[..at].bytes().filter(|byte| *byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}
