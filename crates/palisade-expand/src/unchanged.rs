//! Attribute macros that give their item back as it is.

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

pub(crate) const MACROS: &[Macro] = &[
    // Stands in for `multiversion` where a target needs one version only.
    Macro::attribute("multiversion_no_op", "multiversion", unchanged),
];

pub(crate) fn unchanged(invocation: &Invocation<'_>) -> Expansion {
    Ok(invocation.item.clone())
}
