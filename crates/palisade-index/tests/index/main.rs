#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]
