//! What stands in for procedural macros: our expanders, or a record that
//! nothing was expanded.

use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Component, Utf8Path};
use palisade_expand::{ExpandError, Invocation, MacroKind};
use palisade_project::UnitId;
use ra_ap_hir_expand::{
    proc_macro::{ProcMacroExpander, ProcMacroExpansionError},
    tt,
};
use ra_ap_ide_db::base_db::{Env, SourceDatabase};
use ra_ap_span::Span;

use super::tokens::SpanTable;

/// One use of a procedural macro that was not expanded.
#[derive(Clone, Debug)]
pub(crate) struct MacroUse {
    /// The package that defines the macro.
    pub(crate) package: String,
    /// The unit that defines it.
    pub(crate) unit: UnitId,
    /// The macro's own name.
    pub(crate) name: String,
    pub(crate) kind: MacroKind,
    /// Where it is used.
    pub(crate) site: Span,
    /// Why a known macro was not expanded.
    pub(crate) failure: Option<String>,
    /// Every identifier of its input, those in string literals too.
    pub(crate) words: Vec<String>,
}

/// Every use that was not expanded, in the order met.
#[derive(Debug, Default)]
pub(crate) struct MacroLog(Mutex<Vec<MacroUse>>);

impl MacroLog {
    fn push(&self, entry: MacroUse) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// The uses so far.
    pub(crate) fn uses(&self) -> Vec<MacroUse> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Stands in for one macro of one package.
#[derive(Clone, Debug)]
pub(super) struct Expander {
    pub(super) package: String,
    pub(super) unit: UnitId,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) kind: MacroKind,
    /// Features of the macro's own package.
    pub(super) features: Vec<String>,
    /// Most bytes of a data file that an expander asks for.
    pub(super) file_bytes: u64,
    pub(super) log: Arc<MacroLog>,
    /// Why the macro itself could not be asked, when that was wanted.
    pub(super) unavailable: Option<String>,
}

impl Expander {
    fn expand_known(
        &self,
        item: &tt::TopSubtree,
        args: Option<&tt::TopSubtree>,
        env: &Env,
        call_site: Span,
        package_dir: &str,
    ) -> Result<tt::TopSubtree, String> {
        let mut spans = SpanTable::default();
        let invocation = Invocation {
            package: &self.package,
            version: Some(&self.version),
            name: &self.name,
            kind: self.kind,
            item: spans.parse(item)?,
            args: args
                .map(|args| spans.parse(args))
                .transpose()?
                .unwrap_or_default(),
            env: &|key| self.answer(key, env, package_dir),
        };
        let expansion = palisade_expand::expand(&invocation).map_err(|error| match error {
            ExpandError::Input { reason, .. } => reason,
            other => other.to_string(),
        })?;
        Ok(spans.print(expansion, call_site))
    }
}

impl Expander {
    /// What an expander may ask: a compile-time variable, a feature of the
    /// macro's package, or a data file of the calling package.
    fn answer(&self, key: &str, env: &Env, package_dir: &str) -> Option<String> {
        if let Some(feature) = key.strip_prefix("feature:") {
            return self
                .features
                .iter()
                .any(|on| on == feature)
                .then(String::new);
        }
        let Some(path) = key.strip_prefix("file:") else {
            return env.get(key);
        };
        let path = Utf8Path::new(path);
        let inside = path
            .components()
            .all(|part| matches!(part, Utf8Component::Normal(_)));
        if !inside {
            return None;
        }
        // The calling package's own, else its workspace's.
        Utf8Path::new(package_dir)
            .ancestors()
            .take(3)
            .find_map(|dir| {
                let path = dir.join(path);
                let small = path
                    .metadata()
                    .is_ok_and(|meta| meta.len() <= self.file_bytes);
                small.then(|| std::fs::read_to_string(path).ok()).flatten()
            })
    }
}

impl ProcMacroExpander for Expander {
    fn expand(
        &self,
        _db: &dyn SourceDatabase,
        item: &tt::TopSubtree,
        args: Option<&tt::TopSubtree>,
        env: &Env,
        _def_site: Span,
        call_site: Span,
        _mixed_site: Span,
        current_dir: String,
    ) -> Result<tt::TopSubtree, ProcMacroExpansionError> {
        let call_site = use_site(item, call_site);
        let mut failure = self.unavailable.clone();
        if palisade_expand::knows(&self.package, &self.name, self.kind) {
            let expansion = self.expand_known(item, args, env, call_site, &current_dir);
            // The parser keeps every text it saw for its spans; they are of
            // no use after this expansion.
            proc_macro2::extra::invalidate_current_thread_spans();
            match expansion {
                Ok(expansion) => return Ok(expansion),
                Err(reason) => failure = failure.or(Some(reason)),
            }
        }
        let mut words = Vec::new();
        identifiers(item, &mut words);
        if let Some(args) = args {
            identifiers(args, &mut words);
        }
        self.log.push(MacroUse {
            package: self.package.clone(),
            unit: self.unit,
            name: self.name.clone(),
            kind: self.kind,
            site: call_site,
            failure,
            words,
        });
        Ok(match self.kind {
            // An attribute nobody knows leaves its item as written.
            MacroKind::Attribute => item.clone(),
            MacroKind::Derive | MacroKind::Function => {
                tt::TopSubtree::empty(tt::DelimSpan::from_single(call_site))
            }
        })
    }

    fn eq_dyn(&self, other: &dyn ProcMacroExpander) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Expander>().is_some_and(|other| {
            (self.unit, &self.name, self.kind) == (other.unit, &other.name, other.kind)
        })
    }
}

fn identifiers(tree: &tt::TopSubtree, words: &mut Vec<String>) {
    for token in tree.token_trees().iter_flat_tokens() {
        match token {
            tt::TokenTree::Leaf(tt::Leaf::Ident(ident)) => {
                words.push(ident.sym.as_str().to_owned());
            }
            // Attributes name functions in strings: `#[serde(with = "path")]`.
            tt::TokenTree::Leaf(tt::Leaf::Literal(literal)) => {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let parts = literal.text().split(|c| !is_word(c));
                words.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// The library gives the place of the macro's definition as that of its call;
/// the input knows better where it is used.
fn use_site(item: &tt::TopSubtree, call_site: Span) -> Span {
    match item.token_trees().first_span() {
        Some(first) => Span {
            ctx: call_site.ctx,
            ..first
        },
        None => Span {
            ctx: call_site.ctx,
            ..item.top_subtree().delimiter.open
        },
    }
}
