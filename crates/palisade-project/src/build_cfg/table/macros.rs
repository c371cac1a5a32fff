//! What procedural macros are written with, and some of them.

use super::super::rule::Rule;
use super::super::rule::When::{
    self, All, Always, Any, Before, Feature, Has, Is, Nightly, Not, Probe, Since,
};

/// Somebody asked for the unstable API with `--cfg`.
const SEMVER_EXEMPT: When = Has("procmacro2_semver_exempt");

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["proc-macro2"],
        versions: "1",
        reviewed: "1.0.107",
        flags: &[
            ("procmacro2_semver_exempt", SEMVER_EXEMPT),
            (
                "span_locations",
                Any(&[SEMVER_EXEMPT, Feature("span-locations")]),
            ),
            (
                "use_proc_macro",
                All(&[Feature("proc-macro"), Not(&Is("target_arch", &["wasm32"]))]),
            ),
            (
                "wrap_proc_macro",
                All(&[Feature("proc-macro"), Any(&[Nightly, Not(&SEMVER_EXEMPT)])]),
            ),
            ("proc_macro_span", All(&[Feature("proc-macro"), Probe])),
            (
                "proc_macro_span_location",
                All(&[Feature("proc-macro"), Since(88)]),
            ),
            (
                "proc_macro_span_file",
                All(&[Feature("proc-macro"), Since(88)]),
            ),
            (
                "super_unstable",
                All(&[Feature("proc-macro"), SEMVER_EXEMPT, Nightly]),
            ),
            ("no_libprocmacro_unwind_safe", Before(32)),
            ("no_try_from", Before(34)),
            ("no_bind_by_move_pattern_guard", Before(39)),
            ("no_lexerror_display", Before(44)),
            ("no_hygiene", Before(45)),
            ("no_ident_new_raw", Before(47)),
            ("no_literal_from_str", Before(54)),
            ("no_group_open_close", Before(55)),
            ("no_is_available", Before(57)),
            ("no_source_text", Before(66)),
            ("no_literal_byte_character", Before(79)),
            ("no_literal_c_string", Before(79)),
        ],
    },
    Rule {
        packages: &["proc-macro2-diagnostics"],
        versions: "0.10",
        reviewed: "0.10.1",
        flags: &[("nightly_diagnostics", Nightly)],
    },
    Rule {
        packages: &["quote"],
        versions: "1",
        reviewed: "1.0.47",
        flags: &[
            ("needs_invalid_span_workaround", Before(53)),
            ("no_diagnostic_namespace", Before(78)),
        ],
    },
    Rule {
        packages: &["syn"],
        versions: "1",
        reviewed: "1.0.109",
        flags: &[
            ("syn_omit_await_from_token_macro", Before(36)),
            ("syn_no_const_vec_new", Before(39)),
            ("syn_no_non_exhaustive", Before(40)),
            ("syn_no_negative_literal_parse", Before(56)),
            ("syn_disable_nightly_tests", Not(&Nightly)),
        ],
    },
    Rule {
        packages: &["async-trait"],
        versions: "0.1",
        reviewed: "0.1.68",
        flags: &[
            ("no_span_mixed_site", Before(45)),
            ("self_span_hack", Before(47)),
        ],
    },
    Rule {
        packages: &["paste"],
        versions: "1",
        reviewed: "1.0.15",
        flags: &[("no_literal_fromstr", Before(54))],
    },
    Rule {
        packages: &["ref-cast"],
        versions: "1",
        reviewed: "1.0.27",
        flags: &[
            ("no_phantom_pinned", Before(33)),
            ("no_intrinsic_type_name", Before(38)),
        ],
    },
    Rule {
        packages: &["rustversion"],
        versions: "1",
        reviewed: "1.0.23",
        flags: &[
            ("cfg_macro_not_allowed", Before(55)),
            // The script asks what it runs on, and it runs on the host.
            ("host_os=\"windows\"", Has("windows")),
        ],
    },
    Rule {
        packages: &["linkme", "linkme-impl"],
        versions: "0.3",
        reviewed: "0.3.37",
        flags: &[
            ("no_unsafe_attributes", Before(82)),
            ("no_unsafe_extern_blocks", Before(82)),
        ],
    },
    Rule {
        packages: &["typeid"],
        versions: "1",
        reviewed: "1.0.3",
        flags: &[("no_const_type_id", Before(61))],
    },
    Rule {
        packages: &["rstest_macros"],
        versions: "0.14",
        reviewed: "0.14.0",
        flags: &[("use_proc_macro_diagnostic", Nightly)],
    },
    Rule {
        packages: &["semver"],
        versions: "1",
        reviewed: "1.0.23",
        flags: &[
            ("no_exhaustive_int_match", Before(33)),
            ("no_alloc_crate", Before(36)),
            ("no_const_vec_new", Before(39)),
            ("no_non_exhaustive", Before(40)),
            ("no_str_strip_prefix", Before(45)),
            ("no_track_caller", Before(46)),
            ("no_unsafe_op_in_unsafe_fn_lint", Before(52)),
            ("no_nonzero_bitscan", Before(53)),
        ],
    },
    Rule {
        packages: &["generic-array"],
        versions: "0.14",
        reviewed: "0.14.7",
        flags: &[("relaxed_coherence", Since(41))],
    },
    Rule {
        packages: &["wasm-bindgen"],
        versions: "0.2",
        reviewed: "0.2.130",
        flags: &[
            ("wbg_diagnostic", Since(78)),
            (
                "wbg_reference_types",
                Any(&[
                    Is("target_feature", &["reference-types"]),
                    All(&[
                        Is("target_arch", &["wasm32", "wasm64"]),
                        Is("target_os", &["unknown"]),
                        Since(82),
                        Before(84),
                    ]),
                ]),
            ),
        ],
    },
    Rule {
        packages: &["slotmap"],
        versions: "1",
        reviewed: "1.1.1",
        flags: &[("nightly", Nightly)],
    },
    Rule {
        packages: &["cookie"],
        versions: ">=0.16, <0.19",
        reviewed: "0.18.1",
        flags: &[("nightly", Nightly)],
    },
    Rule {
        packages: &["pastel"],
        versions: "0.12",
        reviewed: "0.12.0",
        flags: &[("pastel_normal_build", Always)],
    },
];
