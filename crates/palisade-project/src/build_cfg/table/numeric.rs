//! Numbers: the `num` family, and what prints and parses them.

use super::super::rule::Rule;
use super::super::rule::When::{self, All, Always, Any, Before, Feature, Is, Not, Since, Unknown};

const BIT64: When = Is("target_pointer_width", &["64"]);

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["num-traits"],
        versions: "0.2",
        reviewed: "0.2.19",
        flags: &[
            ("has_i128", Always),
            ("has_to_int_unchecked", Since(44)),
            ("has_reverse_bits", Since(37)),
            ("has_leading_trailing_ones", Since(46)),
            ("has_int_assignop_ref", Since(22)),
            ("has_div_euclid", Since(38)),
            ("has_copysign", All(&[Feature("std"), Since(35)])),
            ("has_is_subnormal", Since(53)),
            ("has_total_cmp", Since(62)),
            ("has_int_to_from_bytes", Since(32)),
            ("has_float_to_from_bytes", Since(40)),
        ],
    },
    Rule {
        packages: &["num-integer", "num-iter", "num-bigint-dig"],
        versions: "*",
        reviewed: "0.8.6",
        flags: &[("has_i128", Always)],
    },
    Rule {
        packages: &["num-rational"],
        versions: "0.4",
        reviewed: "0.4.1",
        flags: &[("has_int_exp_fmt", Since(42))],
    },
    Rule {
        packages: &["num-bigint"],
        versions: ">=0.2, <0.5",
        reviewed: "0.4.6",
        flags: &[
            ("u64_digit", BIT64),
            ("has_try_from", Since(34)),
            ("use_addcarry", Is("target_arch", &["x86_64", "x86"])),
        ],
    },
    Rule {
        packages: &["libm"],
        versions: "<0.2.12",
        reviewed: "0.2.11",
        // Only in an optimised build, and then only for a link-time check.
        flags: &[("assert_no_panic", Not(&Always))],
    },
    Rule {
        packages: &["libm"],
        versions: ">=0.2.12, <0.3",
        reviewed: "0.2.16",
        flags: &[
            ("assert_no_panic", Not(&Always)),
            (
                "intrinsics_enabled",
                All(&[
                    Feature("unstable-intrinsics"),
                    Not(&Feature("force-soft-floats")),
                ]),
            ),
            (
                "arch_enabled",
                All(&[Feature("arch"), Not(&Feature("force-soft-floats"))]),
            ),
            ("optimizations_enabled", Not(&Always)),
            (
                "x86_no_sse",
                All(&[
                    Is("target_arch", &["x86"]),
                    Not(&Is("target_feature", &["sse"])),
                ]),
            ),
            ("f16_enabled", All(&[Feature("unstable-float"), Unknown])),
            ("f128_enabled", All(&[Feature("unstable-float"), Unknown])),
        ],
    },
    Rule {
        packages: &["lexical-core"],
        versions: "0.7",
        reviewed: "0.7.6",
        flags: &[
            ("limb_width_64", LEXICAL_64),
            ("limb_width_32", Not(&LEXICAL_64)),
        ],
    },
    Rule {
        packages: &["zmij"],
        versions: "1",
        reviewed: "1.0.23",
        // A development build is not optimised for size.
        flags: &[
            ("zmij_no_select_unpredictable", Before(88)),
            ("opt_level=\"s\"", Not(&Always)),
        ],
    },
    Rule {
        packages: &["nom"],
        versions: "5",
        reviewed: "5.1.3",
        flags: &[("stable_i128", Since(28))],
    },
    Rule {
        packages: &["radium"],
        versions: "0.7",
        reviewed: "0.7.0",
        flags: &[
            ("radium_atomic_8", Is("target_has_atomic", &["8"])),
            ("radium_atomic_16", Is("target_has_atomic", &["16"])),
            ("radium_atomic_32", Is("target_has_atomic", &["32"])),
            ("radium_atomic_64", Is("target_has_atomic", &["64"])),
            ("radium_atomic_ptr", Is("target_has_atomic", &["ptr"])),
        ],
    },
    Rule {
        packages: &["ahash"],
        versions: ">=0.7, <0.9",
        reviewed: "0.8.12",
        flags: &[
            ("specialize", NIGHTLY),
            ("feature=\"specialize\"", NIGHTLY),
            ("feature=\"stdsimd\"", All(&[NIGHTLY, Before(78)])),
            (
                "feature=\"runtime-rng\"",
                Is(
                    "target_os",
                    &[
                        "linux",
                        "android",
                        "windows",
                        "macos",
                        "ios",
                        "freebsd",
                        "openbsd",
                        "dragonfly",
                        "solaris",
                        "illumos",
                        "fuchsia",
                        "redox",
                        "cloudabi",
                        "haiku",
                        "vxworks",
                        "emscripten",
                        "wasi",
                    ],
                ),
            ),
            ("folded_multiply", MULTIPLY),
            ("feature=\"folded_multiply\"", MULTIPLY),
        ],
    },
    Rule {
        packages: &["indexmap"],
        versions: "1",
        reviewed: "1.9.3",
        flags: &[(
            "has_std",
            // Without the feature it tries whether the target has `std`.
            Any(&[Feature("std"), Not(&Is("target_os", &["none"]))]),
        )],
    },
];

const NIGHTLY: When = When::Nightly;
const LEXICAL_64: When = Is("target_arch", &["aarch64", "mips64", "powerpc64", "x86_64"]);
const MULTIPLY: When = Is(
    "target_arch",
    &["x86_64", "aarch64", "mips64", "powerpc64", "s390x"],
);
