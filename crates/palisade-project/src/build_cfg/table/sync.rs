//! Atomics, locks and runtimes.

use super::super::rule::Rule;
use super::super::rule::When::{
    self, All, Always, Any, Before, Is, Nightly, Not, Since, Triple, TriplePrefix, Unknown,
};

/// A sanitizer is switched on with an unstable compiler flag, which is not
/// modelled.
const SANITIZER: When = Not(&Always);

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &[
            "crossbeam-utils",
            "crossbeam-epoch",
            "crossbeam-queue",
            "crossbeam-deque",
        ],
        versions: "*",
        reviewed: "0.9.21",
        flags: &[
            ("crossbeam_no_atomic", NO_ATOMIC),
            ("crossbeam_no_atomic_cas", NO_CAS),
            (
                "crossbeam_no_atomic_64",
                Not(&Is("target_has_atomic", &["64"])),
            ),
            ("crossbeam_no_const_fn_trait_bound", Before(61)),
            (
                "crossbeam_sanitize_thread",
                Triple(&["x86_64-unknown-linux-gnutsan"]),
            ),
        ],
    },
    Rule {
        packages: &[
            "futures-core",
            "futures-task",
            "futures-util",
            "futures-channel",
        ],
        versions: "0.3",
        reviewed: "0.3.28",
        flags: &[
            ("futures_no_atomic_cas", NO_CAS),
            ("futures_sanitize_thread", SANITIZER),
        ],
    },
    Rule {
        packages: &["valuable"],
        versions: "0.1",
        reviewed: "0.1.1",
        flags: &[
            ("valuable_no_atomic_cas", NO_CAS),
            ("valuable_no_atomic", NO_ATOMIC),
            (
                "valuable_no_atomic_64",
                Not(&Is("target_has_atomic", &["64"])),
            ),
        ],
    },
    Rule {
        packages: &["parking_lot_core"],
        versions: ">=0.8, <0.10",
        reviewed: "0.9.12",
        flags: &[("tsan_enabled", SANITIZER)],
    },
    Rule {
        packages: &["lock_api"],
        versions: "0.4",
        reviewed: "0.4.13",
        flags: &[("has_const_fn_trait_bound", Since(61))],
    },
    Rule {
        packages: &["slab"],
        versions: "0.4",
        reviewed: "0.4.9",
        flags: &[
            ("slab_no_const_vec_new", Before(39)),
            ("slab_no_track_caller", Before(46)),
        ],
    },
    Rule {
        packages: &["log"],
        versions: "0.4",
        reviewed: "0.4.17",
        flags: &[
            ("atomic_cas", Not(&LOG_NO_CAS)),
            ("has_atomics", Not(&LOG_NONE)),
        ],
    },
    Rule {
        packages: &["tokio"],
        versions: "1",
        reviewed: "1.28.0",
        flags: &[
            ("tokio_const_thread_local", Since(59)),
            ("tokio_no_const_thread_local", Before(59)),
            ("tokio_no_target_has_atomic", Before(60)),
            ("tokio_no_const_mutex_new", Before(63)),
            ("tokio_no_as_fd", Before(63)),
            (
                "tokio_no_atomic_u64",
                All(&[Before(60), Not(&Is("target_has_atomic", &["64"]))]),
            ),
            ("tokio_wasm", TriplePrefix(&["wasm"])),
            (
                "tokio_wasi",
                All(&[TriplePrefix(&["wasm"]), Is("target_os", &["wasi"])]),
            ),
            (
                "tokio_wasm_not_wasi",
                All(&[TriplePrefix(&["wasm"]), Not(&Is("target_os", &["wasi"]))]),
            ),
        ],
    },
    Rule {
        packages: &["async-io"],
        versions: "2",
        reviewed: "2.6.0",
        flags: &[("async_io_no_pipe", Before(87))],
    },
    Rule {
        packages: &["polling"],
        versions: "2",
        reviewed: "2.8.0",
        flags: &[
            ("polling_no_io_safety", Before(63)),
            ("polling_no_unsupported_error_kind", Before(53)),
        ],
    },
    Rule {
        packages: &["heapless"],
        versions: "0.8",
        reviewed: "0.8.0",
        flags: &[
            (
                "has_atomic_load_store",
                Triple(&[
                    "armv4t-none-eabi",
                    "armv5te-none-eabi",
                    "avr-unknown-gnu-atmega328",
                    "bpfeb-unknown-none",
                    "bpfel-unknown-none",
                    "thumbv4t-none-eabi",
                    "thumbv5te-none-eabi",
                    "thumbv6m-none-eabi",
                ]),
            ),
            // It tries to assemble an instruction of 32-bit ARM.
            ("arm_llsc", All(&[Is("target_arch", &["arm"]), Unknown])),
        ],
    },
    Rule {
        packages: &["portable-atomic", "portable-atomic-util"],
        versions: "*",
        reviewed: "1.15.0",
        flags: &[
            ("portable_atomic_no_atomic_min_max", Before(45)),
            ("portable_atomic_no_track_caller", Before(46)),
            ("portable_atomic_no_min_const_generics", Before(51)),
            ("portable_atomic_no_unsafe_op_in_unsafe_fn", Before(52)),
            ("portable_atomic_no_const_transmute", Before(56)),
            ("portable_atomic_no_core_unwind_safe", Before(56)),
            ("portable_atomic_no_const_raw_ptr_deref", Before(58)),
            ("portable_atomic_no_io_safety", Before(63)),
            ("portable_atomic_no_stronger_failure_ordering", Before(64)),
            ("portable_atomic_no_asm_maybe_uninit", Before(74)),
            ("portable_atomic_no_offset_of", Before(77)),
            ("portable_atomic_no_diagnostic_namespace", Before(78)),
            ("portable_atomic_no_error_in_core", Before(81)),
            ("portable_atomic_no_const_mut_refs", Before(83)),
            ("portable_atomic_no_strict_provenance", Before(84)),
            (
                "portable_atomic_no_strict_provenance_atomic_ptr",
                Before(91),
            ),
            (
                "portable_atomic_atomic_intrinsics",
                All(&[Nightly, Since(64), Before(89)]),
            ),
            (
                "portable_atomic_new_atomic_intrinsics",
                All(&[Nightly, Since(64)]),
            ),
            ("portable_atomic_unstable_asm", All(&[Nightly, Before(59)])),
            ("portable_atomic_no_asm", Any(&[Before(59), NO_ARCH_ASM])),
            (
                "portable_atomic_no_asm_syscall",
                Is("target_arch", &["powerpc64"]),
            ),
            (
                "portable_atomic_unstable_asm_experimental_arch",
                All(&[
                    Nightly,
                    Is("target_arch", &["arm64ec", "s390x", "powerpc64"]),
                    Unknown,
                ]),
            ),
            (
                "portable_atomic_unstable_cfg_target_has_atomic",
                All(&[Nightly, Before(60)]),
            ),
            ("portable_atomic_no_cfg_target_has_atomic", Before(60)),
            ("portable_atomic_no_atomic_cas", All(&[Before(60), NO_CAS])),
            (
                "portable_atomic_no_atomic_64",
                All(&[Before(60), Not(&Is("target_has_atomic", &["64"]))]),
            ),
            ("portable_atomic_no_atomic_load_store", NO_ATOMIC),
            ("portable_atomic_pre_llvm_20", Before(87)),
            ("portable_atomic_pre_llvm_18", Before(78)),
            ("portable_atomic_pre_llvm_16", Before(70)),
            ("portable_atomic_pre_llvm_15", Before(65)),
            ("portable_atomic_sanitize_thread", SANITIZER),
            (
                "portable_atomic_no_cmpxchg16b_target_feature",
                All(&[Is("target_arch", &["x86_64"]), Before(69)]),
            ),
            (
                "portable_atomic_no_cmpxchg16b_intrinsic",
                All(&[Is("target_arch", &["x86_64"]), Before(70)]),
            ),
            (
                "portable_atomic_ll_sc_rmw",
                All(&[
                    Is("target_arch", &["aarch64"]),
                    Is("target_vendor", &["apple"]),
                ]),
            ),
            (
                "portable_atomic_unstable_isa_attribute",
                All(&[Nightly, Is("target_arch", &["arm"]), Before(67)]),
            ),
            // What stands in for target features that the compiler does not
            // tell about; x86-64 has none left on compilers since 1.69.
            (
                "portable_atomic_target_feature",
                All(&[
                    Not(&Is("target_arch", &["x86_64", "x86", "wasm32"])),
                    Unknown,
                ]),
            ),
            ("portable_atomic_unsafe_assume_single_core", Not(&Always)),
            ("portable_atomic_unsafe_assume_privileged", Not(&Always)),
            ("portable_atomic_s_mode", Not(&Always)),
            ("portable_atomic_force_amo", Not(&Always)),
            ("portable_atomic_disable_fiq", Not(&Always)),
        ],
    },
];

/// The lists of targets in these crates are those without the instructions.
const NO_CAS: When = Not(&Is("target_has_atomic", &["8", "16", "32", "64", "ptr"]));
/// Not even loads and stores: only few targets, all without compare-and-swap.
const NO_ATOMIC: When = All(&[
    NO_CAS,
    Any(&[
        Is("target_arch", &["mips", "bpf", "avr", "msp430"]),
        TriplePrefix(&["armv4t", "armv5te-none", "thumbv4t", "thumbv5te"]),
    ]),
]);
const NO_ARCH_ASM: When = Any(&[
    All(&[Is("target_arch", &["arm64ec", "s390x"]), Before(84)]),
    All(&[Is("target_arch", &["powerpc64"]), Before(95)]),
]);
const LOG_NO_CAS: When = Triple(&[
    "thumbv6m-none-eabi",
    "msp430-none-elf",
    "riscv32i-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
]);
const LOG_NONE: When = Triple(&[
    "thumbv4t-none-eabi",
    "msp430-none-elf",
    "riscv32i-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
]);
