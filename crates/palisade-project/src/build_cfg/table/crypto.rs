//! Cryptography, randomness and compression.

use super::super::rule::Rule;
use super::super::rule::When::{
    self, All, Always, Any, Before, Feature, Has, Is, Nightly, Not, Unknown,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["getrandom"],
        versions: ">=0.3, <0.5",
        reviewed: "0.4.3",
        flags: &[
            ("getrandom_msan", Not(&Always)),
            (
                "getrandom_backend=\"windows_legacy\"",
                All(&[Has("windows"), Before(78)]),
            ),
        ],
    },
    Rule {
        packages: &["rustls"],
        versions: ">=0.20, <0.24",
        reviewed: "0.23.46",
        flags: &[("read_buf", All(&[Feature("read_buf"), Nightly]))],
    },
    Rule {
        packages: &["curve25519-dalek"],
        versions: "4",
        reviewed: "4.1.3",
        flags: &[
            (
                "curve25519_dalek_bits=\"64\"",
                Is("target_pointer_width", &["64"]),
            ),
            (
                "curve25519_dalek_bits=\"32\"",
                Not(&Is("target_pointer_width", &["64"])),
            ),
            ("curve25519_dalek_backend=\"simd\"", DALEK_SIMD),
            ("curve25519_dalek_backend=\"serial\"", Not(&DALEK_SIMD)),
            ("nightly", Nightly),
            ("allow_unused_unsafe", Before(65)),
        ],
    },
    Rule {
        packages: &["zstd-safe", "zstd-sys"],
        versions: "*",
        reviewed: "8.3.0",
        flags: &[(
            "feature=\"std\"",
            Any(&[
                Is("target_arch", &["wasm32", "wasm64"]),
                Is("target_os", &["hermit"]),
            ]),
        )],
    },
    Rule {
        packages: &["aws-lc-rs"],
        versions: "1",
        reviewed: "1.19.0",
        flags: &[("disable_slow_tests", Unknown), ("dev_tests_only", Unknown)],
    },
    // The script asks which library is installed: any supported one today.
    Rule {
        packages: &["libgit2-sys"],
        versions: "0.18",
        reviewed: "0.18.8",
        flags: &[
            ("libgit2_vendored", Unknown),
            ("libgit2_experimental_sha256", Feature("unstable-sha256")),
        ],
    },
];

const DALEK_SIMD: When = All(&[
    Is("target_arch", &["x86_64"]),
    Is("target_pointer_width", &["64"]),
]);
