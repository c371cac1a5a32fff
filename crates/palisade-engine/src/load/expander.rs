//! What stands in for procedural macros: our expanders, or a record that
//! nothing was expanded.

use std::sync::{Arc, Mutex, PoisonError};

use palisade_expand::{ExpandError, Invocation, MacroKind};
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
    /// The macro's own name.
    pub(crate) name: String,
    pub(crate) kind: MacroKind,
    /// Where it is used.
    pub(crate) site: Span,
    /// Why a known macro was not expanded.
    pub(crate) failure: Option<String>,
    /// Every identifier of its input.
    pub(crate) words: Vec<String>,
}

/// Every use that was not expanded, in the order met.
#[derive(Debug, Default)]
pub(crate) struct MacroLog(Mutex<Vec<MacroUse>>);

impl MacroLog {
    fn push(&self, entry: MacroUse) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// The uses so far.
    pub(crate) fn uses(&self) -> Vec<MacroUse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Stands in for one macro of one package.
#[derive(Debug)]
pub(super) struct Expander {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) kind: MacroKind,
    pub(super) log: Arc<MacroLog>,
}

impl Expander {
    fn expand_known(
        &self,
        item: &tt::TopSubtree,
        args: Option<&tt::TopSubtree>,
        env: &Env,
        call_site: Span,
    ) -> Result<tt::TopSubtree, String> {
        let mut spans = SpanTable::default();
        let invocation = Invocation {
            package: &self.package,
            version: Some(&self.version),
            name: &self.name,
            kind: self.kind,
            item: spans.parse(item)?,
            args: args.map(|args| spans.parse(args)).transpose()?.unwrap_or_default(),
            env: &|key| env.get(key),
        };
        let expansion = palisade_expand::expand(&invocation).map_err(|error| match error {
            ExpandError::Input { reason, .. } => reason,
            other => other.to_string(),
        })?;
        Ok(spans.print(expansion, call_site))
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
        _current_dir: String,
    ) -> Result<tt::TopSubtree, ProcMacroExpansionError> {
        let mut failure = None;
        if palisade_expand::knows(&self.package, &self.name, self.kind) {
            let expansion = self.expand_known(item, args, env, call_site);
            // The parser keeps every text it saw for its spans; they are of
            // no use after this expansion.
            proc_macro2::extra::invalidate_current_thread_spans();
            match expansion {
                Ok(expansion) => return Ok(expansion),
                Err(reason) => failure = Some(reason),
            }
        }
        let mut words = Vec::new();
        identifiers(item, &mut words);
        if let Some(args) = args {
            identifiers(args, &mut words);
        }
        self.log.push(MacroUse {
            package: self.package.clone(),
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
            (&self.package, &self.version, &self.name, self.kind)
                == (&other.package, &other.version, &other.name, other.kind)
        })
    }
}

fn identifiers(tree: &tt::TopSubtree, words: &mut Vec<String>) {
    for token in tree.token_trees().iter_flat_tokens() {
        if let tt::TokenTree::Leaf(tt::Leaf::Ident(ident)) = token {
            words.push(ident.sym.as_str().to_owned());
        }
    }
}
