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
/// finds them only from within that body.
fn impls_in_bodies(text: &str, tree: &SourceFile) -> Vec<Gap> {
    tree.syntax()
        .descendants()
        .filter_map(ast::Impl::cast)
        .filter(|item| {
            let body = item
                .syntax()
                .ancestors()
                .filter(|node| ast::Fn::can_cast(node.kind()));
            item.trait_().is_some() && body.last().is_some_and(|body| !is_of_local(item, &body))
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

/// Whether an impl is for a type that the body itself declares: nobody outside
/// can ask for it without having come from there.
fn is_of_local(item: &ast::Impl, body: &SyntaxNode) -> bool {
    let Some(ast::Type::PathType(ty)) = item.self_ty() else {
        return false;
    };
    let name = ty
        .path()
        .and_then(|path| path.segment())
        .and_then(|segment| segment.name_ref());
    let Some(name) = name else { return false };
    body.descendants().filter_map(ast::Adt::cast).any(|adt| {
        adt.name()
            .is_some_and(|declared| declared.text() == name.text())
    })
}

fn collect(node: &SyntaxNode, words: &mut FxHashSet<String>) {
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
