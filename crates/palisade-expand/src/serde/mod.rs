//! `serde_derive`: `Serialize` and `Deserialize`.

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("serde_derive", "Serialize", serialize)];

fn serialize(_: &Invocation<'_>) -> Expansion {
    Err(Refusal::new("not written yet"))
}
