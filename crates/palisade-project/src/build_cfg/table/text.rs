//! Bytes and text: parsers, searchers, terminals.

use super::super::rule::Rule;
use super::super::rule::When::{self, All, Any, Before, Feature, Is, Not, Since};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["httparse"],
        versions: "1",
        reviewed: "1.10.1",
        flags: &[
            ("httparse_simd", STD),
            ("httparse_simd_neon_intrinsics", All(&[STD, Since(59)])),
            (
                "httparse_simd_target_feature_sse42",
                All(&[STD, Is("target_feature", &["sse4.2"])]),
            ),
            (
                "httparse_simd_target_feature_avx2",
                All(&[STD, Is("target_feature", &["avx2"])]),
            ),
        ],
    },
    Rule {
        packages: &["memchr"],
        versions: "2",
        reviewed: "2.5.0",
        flags: &[
            ("memchr_runtime_simd", Any(&[SSE2, WASM128])),
            ("memchr_runtime_sse2", SSE2),
            ("memchr_runtime_sse42", SSE2),
            ("memchr_runtime_avx", SSE2),
            ("memchr_runtime_wasm128", WASM128),
            (
                "memchr_libc",
                All(&[
                    Feature("libc"),
                    Not(&Is("target_arch", &["wasm32", "windows"])),
                    Not(&Is("target_env", &["sgx"])),
                ]),
            ),
        ],
    },
    Rule {
        packages: &["unicase"],
        versions: "2",
        reviewed: "2.7.0",
        flags: &[
            ("__unicase__iter_cmp", Since(5)),
            ("__unicase__default_hasher", Since(13)),
            ("__unicase__const_fns", Since(31)),
            ("__unicase__core_and_alloc", Since(36)),
        ],
    },
    Rule {
        packages: &["encoding_rs"],
        versions: "0.8",
        reviewed: "0.8.44",
        flags: &[("slow_mm_packus_epi16", All(&[Since(96), Before(99)]))],
    },
    Rule {
        packages: &["crc32fast"],
        versions: "1",
        reviewed: "1.5.5",
        flags: &[
            ("stable_arm_crc32_intrinsics", Since(80)),
            ("stable_vpclmulqdq", Since(89)),
        ],
    },
    Rule {
        packages: &["owo-colors"],
        versions: "4",
        reviewed: "4.2.3",
        flags: &[("const_mut_refs", Since(83))],
    },
    Rule {
        packages: &["memoffset"],
        versions: ">=0.6, <0.10",
        reviewed: "0.9.1",
        flags: &[
            ("tuple_ty", Since(20)),
            ("allow_clippy", Since(31)),
            ("maybe_uninit", Since(36)),
            ("doctests", Since(40)),
            ("raw_ref_macros", Since(51)),
            ("stable_const", Since(65)),
            ("stable_offset_of", Since(77)),
        ],
    },
];

const STD: When = Feature("std");
const SSE2: When = All(&[
    Is("target_arch", &["x86_64"]),
    Is("target_feature", &["sse2"]),
]);
const WASM128: When = All(&[
    Is("target_arch", &["wasm32", "wasm64"]),
    Is("target_feature", &["simd128"]),
]);
