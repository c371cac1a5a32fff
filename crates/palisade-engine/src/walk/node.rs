//! The nodes of the walk: instances, and the steps between them.

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, BuiltinDeriveImplId, ConstId, DefWithBodyId, FunctionId, MacroId, hir::ExprId,
};
use ra_ap_hir_expand::MacroCallId;
use ra_ap_hir_ty::next_solver::{StoredGenericArgs, StoredTy};

use crate::api::Dispatch;

/// Something that the walk visits once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Node {
    /// A function, constant or static with its generic arguments.
    Body(DefWithBodyId, StoredGenericArgs),
    /// What a body does whatever its generic arguments are.
    Shared(DefWithBodyId),
    /// The method of a built-in derive, which has no body of its own; the
    /// function is the trait's declaration.
    Derived(BuiltinDeriveImplId, FunctionId, StoredGenericArgs),
    /// A trait method for concrete arguments, still to be resolved.
    Method(FunctionId, StoredGenericArgs),
    /// An associated constant for concrete arguments, still to be resolved.
    AssocConst(ConstId, StoredGenericArgs),
    /// The drop glue of a type.
    Drop(StoredTy),
    /// The vtables made by turning the first type into the second.
    Unsize(StoredTy, StoredTy),
    /// Awaiting a value of this type.
    Await(StoredTy),
    /// Code that a macro wrote, and by which call; no call is known where
    /// unseen code may call it. Leads nowhere: what it wrote belongs to the
    /// body that it stands in.
    Expansion(MacroId, Option<MacroCallId>),
}

/// Where an edge comes from in the source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Site {
    pub(crate) body: DefWithBodyId,
    pub(crate) expr: ExprId,
}

/// One step of the walk.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) to: Node,
    pub(crate) site: Option<Site>,
    pub(crate) dispatch: Dispatch,
}

/// A trait method that no impl could be found for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Unresolved {
    pub(crate) method: FunctionId,
    /// The self type, where that much is known: only its impls and blanket
    /// ones can be meant.
    pub(crate) adt: Option<AdtId>,
}

/// What visiting one node gives.
#[derive(Default)]
pub(crate) struct Visit {
    pub(crate) edges: Vec<Edge>,
    /// Trait methods that no impl could be found for.
    pub(crate) unresolved: Vec<Unresolved>,
    /// Crates of what was left out.
    pub(crate) left_out: Vec<Crate>,
    /// What was approximated because a limit was hit.
    pub(crate) limit: Option<&'static str>,
    /// Whether the analysis library panicked on this node.
    pub(crate) panicked: bool,
}
