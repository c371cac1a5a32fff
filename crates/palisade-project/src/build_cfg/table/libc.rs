//! libc: which fields and functions a system has.

use super::super::rule::Rule;
use super::super::rule::When::{self, All, Always, Any, Feature, Is, Not, Since, Unknown};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["libc"],
        versions: ">=0.2, <0.2.169",
        reviewed: "0.2.168",
        flags: &[
            ("freebsd10", Not(&Always)),
            ("freebsd11", Not(&STD)),
            ("freebsd12", STD),
            ("freebsd13", Not(&Always)),
            ("freebsd14", Not(&Always)),
            ("freebsd15", Not(&Always)),
            ("libc_deny_warnings", Not(&Always)),
            ("libc_priv_mod_use", Since(15)),
            ("libc_union", Since(19)),
            ("libc_const_size_of", Since(24)),
            ("libc_align", Since(25)),
            ("libc_int128", Since(26)),
            ("libc_core_cvoid", Since(30)),
            ("libc_packedN", Since(33)),
            ("libc_cfg_target_vendor", Since(33)),
            ("libc_underscore_const_names", Since(37)),
            ("libc_non_exhaustive", Since(40)),
            ("libc_long_array", Since(47)),
            ("libc_ptr_addr_of", Since(51)),
            ("libc_thread_local", STD),
            ("libc_const_extern_fn_unstable", Feature("const-extern-fn")),
            ("emscripten_new_stat_abi", EMSCRIPTEN),
        ],
    },
    // Up to here it took a feature, afterwards only a newer compiler.
    Rule {
        packages: &["libc"],
        versions: ">=0.2, <0.2.127",
        reviewed: "0.2.126",
        flags: &[("libc_const_extern_fn", Feature("const-extern-fn"))],
    },
    Rule {
        packages: &["libc"],
        versions: ">=0.2.127, <0.2.169",
        reviewed: "0.2.168",
        flags: &[("libc_const_extern_fn", Since(62))],
    },
    Rule {
        packages: &["libc"],
        versions: ">=0.2.169, <0.2.190",
        reviewed: "0.2.189",
        flags: &[
            ("freebsd10", Not(&Always)),
            ("freebsd13", Not(&Always)),
            ("freebsd14", Not(&Always)),
            ("freebsd15", Not(&Always)),
            ("libc_const_extern_fn", Always),
            ("libc_thread_local", STD),
            ("libc_deny_warnings", Not(&Always)),
            ("emscripten_new_stat_abi", EMSCRIPTEN),
            ("emscripten_old_stat_abi", EMSCRIPTEN),
            ("vxworks_lt_25_09", VXWORKS),
            ("musl_v1_2_3", MUSL_1_2),
            ("musl32_time64", MUSL_TIME64),
            ("musl_redir_time64", MUSL_REDIRECTED),
            ("linux_time_bits64", MUSL_TIME64),
            ("gnu_file_offset_bits64", Not(&Always)),
            ("gnu_time_bits64", Not(&Always)),
            ("espidf_picolibc", ESPIDF),
            ("espidf_time32", ESPIDF),
            ("espidf_time64", ESPIDF),
            ("libc_pauthtest", Is("target_abi", &["pauthtest"])),
        ],
    },
    // The default for FreeBSD moved.
    Rule {
        packages: &["libc"],
        versions: ">=0.2.169, <0.2.176",
        reviewed: "0.2.175",
        flags: &[("freebsd11", Not(&STD)), ("freebsd12", STD)],
    },
    Rule {
        packages: &["libc"],
        versions: ">=0.2.176, <0.2.190",
        reviewed: "0.2.189",
        flags: &[("freebsd11", Not(&Always)), ("freebsd12", Always)],
    },
    Rule {
        packages: &["libc"],
        versions: ">=0.2.190, <0.3",
        reviewed: "0.2.191",
        flags: &[
            ("freebsd10", Not(&Always)),
            ("freebsd11", Not(&Always)),
            ("freebsd12", Is("target_os", &["freebsd"])),
            ("freebsd13", Not(&Always)),
            ("freebsd14", Not(&Always)),
            ("freebsd15", Not(&Always)),
            ("libc_deny_warnings", Not(&Always)),
            ("libc_elfv2", Is("target_abi", &["elfv2"])),
            ("libc_pauthtest", Is("target_abi", &["pauthtest"])),
            ("emscripten_old_stat_abi", EMSCRIPTEN),
            ("emscripten_fsblkcnt_is_32bit", EMSCRIPTEN),
            ("emscripten_sigset_large", EMSCRIPTEN),
            ("emscripten_nfds_is_ulong", EMSCRIPTEN),
            ("vxworks_lt_25_09", VXWORKS),
            ("espidf_picolibc", ESPIDF),
            ("espidf_time32", ESPIDF),
            ("musl_v1_2", MUSL_1_2),
            ("musl32_time64", MUSL_TIME64),
            ("musl_redir_time64", Not(&Always)),
            (
                "linux_time_bits64",
                Any(&[
                    All(&[
                        Is("target_os", &["linux"]),
                        Is("target_pointer_width", &["64"]),
                    ]),
                    MUSL_1_2,
                ]),
            ),
            ("gnu_file_offset_bits64", Not(&Always)),
            ("gnu_time_bits64", Not(&Always)),
            ("uclibc32_time64", Not(&Always)),
        ],
    },
];

/// As part of the standard library.
const STD: When = Feature("rustc-dep-of-std");
/// The script asks the C compiler of the system for its version.
const EMSCRIPTEN: When = All(&[Is("target_os", &["emscripten"]), Unknown]);
const VXWORKS: When = All(&[Is("target_os", &["vxworks"]), Unknown]);
const ESPIDF: When = All(&[Is("target_os", &["espidf"]), Unknown]);
/// Targets whose musl is always a new one.
const MUSL_1_2: When = All(&[
    Is("target_env", &["musl", "ohos"]),
    Any(&[
        Is("target_arch", &["loongarch64", "hexagon", "riscv32"]),
        Is("target_env", &["ohos"]),
        Is("target_abi", &["pauthtest"]),
    ]),
]);
const MUSL_TIME64: When = All(&[MUSL_1_2, Is("target_pointer_width", &["32"])]);
const MUSL_REDIRECTED: When = All(&[
    MUSL_1_2,
    Is("target_arch", &["arm", "mips", "powerpc", "x86"]),
]);
