//! Cryptography, randomness and compression.

use super::super::rule::Rule;
use super::super::rule::When::{
    self, All, Always, Any, Assumed, Before, Feature, Has, Is, Nightly, Not, Unknown,
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
    Rule {
        packages: &["getrandom"],
        versions: "0.1",
        reviewed: "0.1.16",
        flags: &[(
            "getrandom_uwp",
            All(&[Has("windows"), Is("target_vendor", &["uwp"])]),
        )],
    },
    Rule {
        packages: &["zerocopy"],
        versions: "0.8",
        reviewed: "0.8.63",
        // In its manifest.
        flags: &[],
    },
    // The scripts ask for the installed OpenSSL. Version 3 is what systems
    // have; LibreSSL and the others are rare.
    Rule {
        packages: &["openssl", "openssl-sys"],
        versions: "*",
        reviewed: "0.10.66",
        flags: &[
            ("openssl", Assumed),
            ("ossl101", Assumed),
            ("ossl102", Assumed),
            ("ossl102f", Assumed),
            ("ossl102h", Assumed),
            ("ossl110", Assumed),
            ("ossl110f", Assumed),
            ("ossl110g", Assumed),
            ("ossl110h", Assumed),
            ("ossl111", Assumed),
            ("ossl111b", Assumed),
            ("ossl111c", Assumed),
            ("ossl111d", Assumed),
            ("ossl300", Assumed),
            ("ossl310", Unknown),
            ("ossl320", Unknown),
            ("ossl330", Unknown),
            ("ossl340", Unknown),
            ("osslconf", Unknown),
            ("libressl", Unknown),
            ("boringssl", Unknown),
            ("awslc", Unknown),
        ],
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
