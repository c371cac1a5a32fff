//! Tokens of code hosts.

use super::{SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A token of GitHub.
        "secret-github-token" Critical, anchors: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], before: 0, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36})(?:$|[^A-Za-z0-9_])",
        check: checks::crc_suffix
    },
    secret! {
        /// A fine-grained token of GitHub.
        "secret-github-fine-grained-token" Critical, anchors: &["github_pat_"], before: 0, length: 93,
        pattern: r"(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A token of GitLab.
        "secret-gitlab-token" Critical, anchors: &["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-"], before: 0, length: 110,
        pattern: r"(?:^|[^A-Za-z0-9_-])(gl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent)-[A-Za-z0-9_-]{20,64}(?:\.[0-9a-z]{2}\.[0-9a-z]{9,12})?)",
        check: checks::random
    },
    secret! {
        /// A token of Bitbucket.
        "secret-bitbucket-token" High, anchors: &["ATBB", "ATCTT3xFfG"], before: 0, length: 220,
        pattern: r"(?:^|[^A-Za-z0-9])(ATBB[A-Za-z0-9]{32}|ATCTT3xFfG[A-Za-z0-9_=-]{150,})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of Atlassian.
        "secret-atlassian-token" High, anchors: &["ATATT3xFfG"], before: 0, length: 220,
        pattern: r"(ATATT3xFfG[A-Za-z0-9_=-]{150,})",
        check: checks::random
    },
];
