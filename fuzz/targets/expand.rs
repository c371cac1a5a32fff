//! Tokens as the input of every macro that is expanded in this process.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_expand::{ExpandError, Invocation, expand, known};
use proc_macro2::TokenStream;

fuzz_target!(|text: &str| {
    // The first line is the arguments, the rest the item.
    let (args, item) = text.split_once('\n').unwrap_or(("", text));
    let (Ok(args), Ok(item)) = (args.parse::<TokenStream>(), item.parse::<TokenStream>()) else {
        return;
    };
    for (package, name, kind) in known() {
        let result = expand(&Invocation {
            package,
            version: None,
            name,
            kind,
            item: item.clone(),
            args: args.clone(),
            env: &|_| None,
        });
        assert!(!matches!(result, Err(ExpandError::Unknown { .. })));
    }
});
