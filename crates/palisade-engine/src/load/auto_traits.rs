//! Auto traits are taken as given.
//!
//! The compiler has accepted the program, so every `Send`, `Sync`, `Unpin` or
//! `UnwindSafe` that a call needs holds. Proving it again means to take every
//! type apart down to its last field, coroutines included, which costs more
//! than everything else that the solver does and is where it gives up: one
//! unproven `Send` in the conditions of an impl, and the impl is lost.
//!
//! So the file of the standard library that declares an auto trait is read
//! with one line more, an impl for every type.

/// What to append to the source of a file that declares `source`'s auto traits
/// at its top level. No line moves.
pub(super) fn given(source: &str) -> String {
    let mut impls = String::new();
    for line in source.lines() {
        let declaration = line.strip_prefix("pub ").unwrap_or(line);
        let (marker, declaration) = match declaration.strip_prefix("unsafe ") {
            Some(rest) => ("unsafe ", rest),
            None => ("", declaration),
        };
        let Some(rest) = declaration.strip_prefix("auto trait ") else {
            continue;
        };
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        impls.push_str(&format!("\n{marker}impl<T: ?Sized> {name} for T {{}}"));
    }
    impls
}
