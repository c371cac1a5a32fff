//! The core check: our expansion of every fixture has the recorded inventory.
//!
//! A record is written by the comparison with the real macros (see
//! `compare.rs`), and only after the two agreed.

use std::fs;

use crate::fixture::Fixture;
use crate::inventory;

/// Guards every function and call of every fixture against an unnoticed change.
#[test]
fn expansions_have_the_recorded_inventory() {
    let mut wrong = Vec::new();
    for fixture in Fixture::all() {
        let record = fixture.path.with_extension("inventory");
        let expected = fs::read_to_string(&record).unwrap_or_default();
        match fixture.expand() {
            Ok(file) if inventory::of(&file) == expected => {}
            Ok(_) => wrong.push(format!(
                "{}: differs from its record",
                fixture.path.display()
            )),
            Err(error) => wrong.push(format!("{}: {error}", fixture.path.display())),
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nrun with PALISADE_EXPAND_COMPARE=1 to see how, and to record anew what agrees",
        wrong.join("\n")
    );
}
