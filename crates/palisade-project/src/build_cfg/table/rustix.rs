//! rustix and io-lifetimes: which system interface they use.

use super::super::rule::Rule;
use super::super::rule::When::{
    self, All, Always, Any, Feature, Has, Is, Not, Probe, Since, Unknown,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["rustix"],
        versions: ">=0.38, <2",
        reviewed: "1.1.6",
        flags: &[
            (
                "linux_raw_dep",
                All(&[
                    Is("target_os", &["linux", "android"]),
                    Not(&Has("rustix_no_linux_raw")),
                ]),
            ),
            ("linux_raw", RAW),
            ("libc", Not(&RAW)),
            (
                "asm_experimental_arch",
                All(&[RAW, Has("rustix_use_experimental_asm")]),
            ),
            ("static_assertions", Since(65)),
            ("lower_upper_exp_for_non_zero", Since(84)),
            ("rustc_diagnostics", Since(78)),
            ("fix_y2038", All(&[Not(&RAW), Y2038])),
            ("thumb_mode", THUMB),
            ("linux_like", LINUX_LIKE),
            ("linux_kernel", LINUX),
            ("freebsdlike", FREEBSD_LIKE),
            ("netbsdlike", NETBSD_LIKE),
            ("apple", APPLE),
            ("solarish", SOLARISH),
            ("bsd", BSD),
            ("rustc_attrs", Probe),
            ("core_intrinsics", EXPERIMENTAL),
            ("core_c_str", NO_STD_PROBE),
            ("core_ffi_c", NO_STD_PROBE),
            ("alloc_c_string", NO_STD_PROBE),
            ("alloc_ffi", NO_STD_PROBE),
            ("error_in_core", NO_STD_PROBE),
            ("wasi_ext", WASI_PROBE),
            ("wasip2", WASI_PROBE),
        ],
    },
    Rule {
        packages: &["rustix"],
        versions: ">=0.34, <0.38",
        reviewed: "0.37.27",
        flags: &[
            ("linux_raw", OUTLINE_RAW),
            ("libc", Not(&OUTLINE_RAW)),
            (
                "asm",
                All(&[
                    OUTLINE_RAW,
                    Since(59),
                    Not(&Is("target_arch", &["x86", "powerpc64", "mips", "mips64"])),
                ]),
            ),
            (
                "naked_functions",
                All(&[OUTLINE_RAW, Is("target_arch", &["x86"]), Probe]),
            ),
            (
                "asm_experimental_arch",
                All(&[OUTLINE_RAW, Has("rustix_use_experimental_asm")]),
            ),
            ("thumb_mode", THUMB),
            ("linux_like", LINUX_LIKE),
            ("linux_kernel", LINUX),
            ("freebsdlike", FREEBSD_LIKE),
            ("netbsdlike", NETBSD_LIKE),
            ("apple", APPLE),
            ("solarish", SOLARISH),
            ("bsd", BSD),
            ("rustc_attrs", Probe),
            ("core_intrinsics", All(&[OUTLINE_RAW, Probe])),
            ("const_raw_ptr_deref", NO_STD_STABLE_PROBE),
            ("core_c_str", NO_STD_PROBE),
            ("core_ffi_c", NO_STD_PROBE),
            ("alloc_c_string", NO_STD_PROBE),
            ("wasi_ext", WASI_PROBE),
        ],
    },
    Rule {
        packages: &["io-lifetimes"],
        versions: ">=1, <3",
        reviewed: "1.0.10",
        flags: &[
            ("io_safety_is_in_std", Since(63)),
            ("panic_in_const_fn", Since(57)),
            ("wasi_ext", Probe),
        ],
    },
];

/// Architectures with inline assembly, in the sizes that are supported. Those
/// whose assembly is experimental are left out.
const RAW: When = All(&[
    LINUX_ONLY,
    Not(&Feature("use-libc")),
    Not(&Has("rustix_use_libc")),
    Any(&[
        Is("target_arch", &["arm", "x86"]),
        All(&[
            Is("target_arch", &["aarch64", "riscv64", "x86_64"]),
            Is("target_pointer_width", &["64"]),
        ]),
        All(&[
            Has("rustix_use_experimental_asm"),
            Any(&[
                Is("target_arch", &["s390x"]),
                All(&[
                    Is(
                        "target_arch",
                        &["powerpc64", "mips", "mips32r6", "mips64", "mips64r6"],
                    ),
                    Is("target_endian", &["little"]),
                ]),
                Is("target_arch", &["powerpc"]),
            ]),
        ]),
    ]),
]);
/// The same for versions with assembly outside Rust.
const OUTLINE_RAW: When = All(&[
    LINUX_ONLY,
    Not(&Feature("use-libc")),
    Not(&Has("rustix_use_libc")),
    Any(&[
        Is("target_arch", &["arm", "x86"]),
        All(&[
            Is("target_arch", &["aarch64", "riscv64", "x86_64"]),
            Is("target_pointer_width", &["64"]),
        ]),
        All(&[
            Is("target_arch", &["powerpc64", "mips", "mips64"]),
            Is("target_endian", &["little"]),
        ]),
    ]),
]);
const LINUX_ONLY: When = Is("target_os", &["linux"]);
const LINUX: When = Is("target_os", &["linux", "android"]);
const LINUX_LIKE: When = Is("target_os", &["linux", "l4re", "android", "emscripten"]);
const FREEBSD_LIKE: When = Is("target_os", &["freebsd", "dragonfly"]);
const NETBSD_LIKE: When = Is("target_os", &["openbsd", "netbsd"]);
const APPLE: When = Is(
    "target_os",
    &["macos", "ios", "tvos", "visionos", "watchos"],
);
const SOLARISH: When = Is("target_os", &["solaris", "illumos"]);
const BSD: When = Any(&[APPLE, FREEBSD_LIKE, NETBSD_LIKE]);
const THUMB: When = All(&[Is("target_arch", &["arm"]), Unknown]);
const EXPERIMENTAL: When = All(&[Has("rustix_use_experimental_features"), Probe]);
const NO_STD_PROBE: When = All(&[Not(&Feature("std")), Probe]);
/// A probe for a feature that has become stable passes on a nightly compiler
/// only, too: it spells `#![feature]`.
const NO_STD_STABLE_PROBE: When = NO_STD_PROBE;
const WASI_PROBE: When = All(&[Is("target_os", &["wasi"]), Probe]);
const Y2038: When = All(&[
    Any(&[
        Is("target_arch", &["arm", "powerpc", "mips", "sparc", "x86"]),
        All(&[
            Is("target_arch", &["wasm32"]),
            Is("target_os", &["emscripten"]),
        ]),
        ILP32,
    ]),
    Any(&[
        APPLE,
        Is("target_os", &["android", "emscripten", "haiku"]),
        Is("target_env", &["gnu"]),
        All(&[Is("target_os", &["freebsd"]), Is("target_arch", &["x86"])]),
        All(&[Is("target_env", &["musl"]), Is("target_arch", &["x86"])]),
        ILP32,
    ]),
]);
const ILP32: When = All(&[
    Is("target_arch", &["aarch64"]),
    LINUX_ONLY,
    Is("target_abi", &["ilp32"]),
    Always,
]);
