//! From source to fragments: what to make, in which worker, and what became of
//! it.

mod batch;
mod registry;
mod run;
mod wire;
mod work;
mod worker;

pub use registry::RegistryOptions;
pub use run::{Failed, Made, MakeError, MakeOptions, Progress, make};
pub use work::{Piece, Work};
pub use worker::serve_worker;
