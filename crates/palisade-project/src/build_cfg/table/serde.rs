//! serde and its formats.

use super::super::rule::Rule;
use super::super::rule::When::{self, All, Always, Any, Before, Is, Not, Since, TriplePrefix};

const EMSCRIPTEN: [&str; 2] = ["asmjs-unknown-emscripten", "wasm32-unknown-emscripten"];
const ATOMIC64: [&str; 7] = [
    "x86_64",
    "i686",
    "aarch64",
    "powerpc64",
    "sparc64",
    "mips64el",
    "riscv64",
];

pub(super) const RULES: &[Rule] = &[
    // Up to 1.0.130 a flag said what the compiler has.
    Rule {
        packages: &["serde"],
        versions: "<1.0.131",
        reviewed: "1.0.130",
        flags: &[
            ("ops_bound", Since(26)),
            ("collections_bound", All(&[Since(17), Before(26)])),
            ("core_reverse", Since(19)),
            ("de_boxed_c_str", Since(20)),
            ("de_boxed_path", Since(20)),
            ("de_rc_dst", Since(21)),
            ("core_duration", Since(25)),
            ("integer128", Since(40)),
            ("range_inclusive", Since(27)),
            ("iterator_try_fold", Since(27)),
            ("num_nonzero", Since(28)),
            ("serde_derive", Since(31)),
            ("core_try_from", Since(34)),
            ("num_nonzero_signed", Since(34)),
            ("systemtime_checked_add", Since(34)),
            ("std_atomic64", TriplePrefix(&ATOMIC64)),
            (
                "std_atomic",
                Any(&[TriplePrefix(&ATOMIC64), TriplePrefix(&EMSCRIPTEN)]),
            ),
        ],
    },
    Rule {
        packages: &["serde"],
        versions: ">=1.0.220",
        reviewed: "1.0.229",
        flags: &[("if_docsrs_then_no_serde_core", Always)],
    },
    // From 1.0.131 on a flag says what it lacks.
    Rule {
        packages: &["serde", "serde_core"],
        versions: ">=1.0.131",
        reviewed: "1.0.229",
        flags: &[
            ("no_ops_bound", Before(26)),
            ("no_collections_bound", Before(17)),
            ("no_core_reverse", Before(19)),
            ("no_de_boxed_c_str", Before(20)),
            ("no_de_boxed_path", Before(20)),
            ("no_de_rc_dst", Before(21)),
            ("no_core_duration", Before(25)),
            ("no_integer128", Before(26)),
            ("no_range_inclusive", Before(27)),
            ("no_iterator_try_fold", Before(27)),
            ("no_num_nonzero", Before(28)),
            ("no_core_try_from", Before(34)),
            ("no_num_nonzero_signed", Before(34)),
            ("no_systemtime_checked_add", Before(34)),
            ("no_relaxed_trait_bounds", Before(34)),
            ("no_float_copysign", Before(35)),
            ("no_serde_derive", Before(61)),
            ("no_target_has_atomic", Before(60)),
            (
                "no_std_atomic64",
                All(&[Before(60), Not(&TriplePrefix(&ATOMIC64))]),
            ),
            (
                "no_std_atomic",
                All(&[
                    Before(60),
                    Not(&TriplePrefix(&ATOMIC64)),
                    Not(&TriplePrefix(&EMSCRIPTEN)),
                ]),
            ),
            ("no_core_cstr", Before(64)),
            ("no_core_num_saturating", Before(74)),
            ("no_core_net", Before(77)),
            ("no_diagnostic_namespace", Before(78)),
            ("no_core_error", Before(81)),
        ],
    },
    Rule {
        packages: &["serde_derive"],
        versions: "1",
        reviewed: "1.0.160",
        flags: &[
            ("underscore_consts", Since(37)),
            ("no_underscore_consts", Before(37)),
            ("ptr_addr_of", Since(51)),
            ("no_ptr_addr_of", Before(51)),
        ],
    },
    Rule {
        packages: &["serde_json"],
        versions: "1",
        reviewed: "1.0.154",
        flags: &[
            ("fast_arithmetic=\"64\"", FAST_64),
            ("fast_arithmetic=\"32\"", Not(&FAST_64)),
            ("limb_width_64", LIMB_64),
            ("limb_width_32", Not(&LIMB_64)),
            ("no_btreemap_get_key_value", Before(40)),
            ("no_btreemap_remove_entry", Before(45)),
            ("no_btreemap_retain", Before(53)),
        ],
    },
];

const FAST_64: When = Any(&[
    Is(
        "target_arch",
        &[
            "aarch64",
            "loongarch64",
            "mips64",
            "powerpc64",
            "riscv64",
            "wasm32",
            "x86_64",
        ],
    ),
    Is("target_pointer_width", &["64"]),
]);

/// Versions before `fast_arithmetic`, with a shorter list.
const LIMB_64: When = Is("target_arch", &["aarch64", "mips64", "powerpc64", "x86_64"]);
