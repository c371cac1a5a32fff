//! A cargo workspace as data: what to analyse, and where its source is.
//!
//! It is *not* an analysis, and it never runs anything of the checkout: the
//! only processes are the toolchain's own `rustc` and `cargo metadata`, with
//! everything that a checkout could use to redirect them neutralised.

mod plan;

pub use plan::{Diagnostic, Plan, Target, Unit, UnitId, UnitKind};
