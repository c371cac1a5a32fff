//! Error handling: anyhow, thiserror, eyre.

use super::super::rule::Rule;
use super::super::rule::When::{All, Any, Before, Beta, Feature, Nightly, Not, Probe, Since};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["anyhow"],
        versions: "1",
        reviewed: "1.0.104",
        flags: &[
            ("backtrace", All(&[Feature("std"), Probe])),
            ("error_generic_member_access", All(&[Feature("std"), Probe])),
            ("std_backtrace", All(&[Feature("std"), Since(65)])),
            ("anyhow_no_ptr_addr_of", Before(51)),
            ("anyhow_no_fmt_arguments_as_str", Before(52)),
            ("anyhow_no_unsafe_op_in_unsafe_fn_lint", Before(52)),
            ("anyhow_no_core_error", Before(81)),
            ("anyhow_no_core_unwind_safe", Before(56)),
            ("anyhow_no_clippy_format_args", Before(85)),
        ],
    },
    Rule {
        packages: &["thiserror"],
        versions: "1",
        reviewed: "1.0.69",
        flags: &[
            ("provide_any", Probe),
            ("error_generic_member_access", Probe),
        ],
    },
    Rule {
        packages: &["thiserror"],
        versions: "2",
        reviewed: "2.0.21",
        flags: &[
            ("error_generic_member_access", Probe),
            ("feature=\"std\"", All(&[Not(&Feature("std")), Before(81)])),
            ("thiserror_no_backtrace_type", Before(65)),
        ],
    },
    Rule {
        packages: &["eyre"],
        versions: "0.6",
        reviewed: "0.6.12",
        flags: &[
            // Its probe uses a method of `Error` that was removed in 1.65.
            ("backtrace", All(&[Nightly, Before(65)])),
            ("track_caller", Since(46)),
            ("nightly", Nightly),
            ("stable", Not(&Any(&[Nightly, Beta]))),
            ("beta", Beta),
            ("eyre_no_fmt_arguments_as_str", Before(52)),
            ("eyre_no_fmt_args_capture", Before(58)),
        ],
    },
    Rule {
        packages: &["color-spantrace"],
        versions: "0.3",
        reviewed: "0.3.0",
        flags: &[
            ("nightly", Nightly),
            ("stable", Not(&Any(&[Nightly, Beta]))),
            ("beta", Beta),
        ],
    },
];
