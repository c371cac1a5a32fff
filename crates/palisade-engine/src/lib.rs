//! From source to call facts: a whole-program, monomorphic collector on
//! rust-analyzer's libraries.
//!
//! [`Engine::load`] puts a [`palisade_project::Plan`] into a database without
//! running anything of it; [`Engine::resolve`] finds the functions that an
//! advisory's path means; [`Engine::collect`] walks from a target's entry
//! points and says which goals are reached, by which path, and what could not
//! be followed.
//!
//! It is *not* a judge: verdicts, advisories and remedies are
//! `palisade-check`'s. This is the only crate that names `ra_ap_hir*`.

mod api;
mod blind;
mod engine;
mod extract;
mod facts;
mod kept;
mod load;
mod names;
mod outcome;
mod resolve;
mod roots;
mod walk;

pub use api::{
    Call, Collection, Dispatch, EngineError, Expansion, FunctionHandle, Goal, Limits, LoadOptions,
    Outcome, PathQuery, PathSegment, ReachedFunction, Request, Resolution, ResolutionKind, Stats,
};
pub use engine::Engine;
