//! `tokio-macros`: `main`, `test`, and what `select!` asks for.

mod entry;
mod select;

use crate::registry::Macro;

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute("tokio-macros", "main", entry::main),
    Macro::attribute("tokio-macros", "main_rt", entry::main_rt),
    Macro::attribute("tokio-macros", "test", entry::test),
    Macro::attribute("tokio-macros", "test_rt", entry::test),
    Macro::function(
        "tokio-macros",
        "select_priv_declare_output_enum",
        select::declare_output_enum,
    ),
    Macro::function(
        "tokio-macros",
        "select_priv_clean_pattern",
        select::clean_pattern,
    ),
];
