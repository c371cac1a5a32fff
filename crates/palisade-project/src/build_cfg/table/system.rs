//! Paths, files, platforms and bindings to systems.

use super::super::rule::Rule;
use super::super::rule::When::{All, Always, Before, Has, Is, Not, Since, Unknown};

pub(super) const RULES: &[Rule] = &[
    Rule {
        packages: &["camino"],
        versions: "1",
        reviewed: "1.2.6",
        flags: &[
            ("path_buf_capacity", Since(44)),
            ("shrink_to", Since(56)),
            ("try_reserve_2", Since(63)),
            ("path_buf_deref_mut", Since(68)),
            ("os_str_bytes", Since(74)),
            ("absolute_path", Since(79)),
            ("os_string_pathbuf_leak", Since(89)),
            ("path_add_extension", Since(91)),
            ("pathbuf_const_new", Since(91)),
        ],
    },
    Rule {
        packages: &["target-lexicon"],
        versions: ">=0.12, <0.14",
        reviewed: "0.13.5",
        flags: &[("feature=\"rust_1_40\"", Since(40))],
    },
    Rule {
        packages: &["object"],
        versions: "0.37",
        reviewed: "0.37.3",
        flags: &[("core_error", Since(81))],
    },
    // Only empty on other systems; there, features imply one another.
    Rule {
        packages: &["winapi"],
        versions: "0.3",
        reviewed: "0.3.9",
        flags: &[("feature=\"*", All(&[Has("windows"), Unknown]))],
    },
    Rule {
        packages: &["backtrace"],
        versions: "0.3",
        reviewed: "0.3.71",
        flags: &[(
            "feature=\"dl_iterate_phdr\"",
            // It asks the C compiler of the Android kit for its level.
            All(&[Is("target_os", &["android"]), Unknown]),
        )],
    },
    Rule {
        packages: &[
            "icu_normalizer_data",
            "icu_properties_data",
            "icu_collections_data",
            "icu_casemap_data",
        ],
        versions: "*",
        reviewed: "2.4.0",
        // Only when somebody points ICU4X_DATA_DIR to other data.
        flags: &[("icu4x_custom_data", Not(&Always))],
    },
    Rule {
        packages: &["trybuild"],
        versions: "1",
        reviewed: "1.0.99",
        flags: &[("host_os=\"windows\"", Has("windows"))],
    },
    Rule {
        packages: &["doc-comment"],
        versions: "0.3",
        reviewed: "0.3.3",
        flags: &[("feature=\"old_macros\"", Before(30))],
    },
];
