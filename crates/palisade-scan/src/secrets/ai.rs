//! Keys of providers of language models.

use super::{SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A key of OpenAI.
        "secret-openai-key" Critical, anchors: &["T3BlbkFJ"], before: 110, length: 160,
        pattern: r"(sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// A key of Anthropic.
        "secret-anthropic-key" Critical, anchors: &["sk-ant-"], before: 0, length: 120,
        pattern: r"(sk-ant-(?:api|admin)[0-9]{2}-[A-Za-z0-9_-]{86,93}AA)(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// A token of Hugging Face.
        "secret-hugging-face-token" High, anchors: &["hf_"], before: 0, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9_])(hf_[A-Za-z]{34})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A key of Groq.
        "secret-groq-key" High, anchors: &["gsk_"], before: 0, length: 56,
        pattern: r"(?:^|[^A-Za-z0-9_])(gsk_[A-Za-z0-9]{52})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A token of Replicate.
        "secret-replicate-token" High, anchors: &["r8_"], before: 0, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9_])(r8_[A-Za-z0-9]{37})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A key of Perplexity.
        "secret-perplexity-key" High, anchors: &["pplx-"], before: 0, length: 61,
        pattern: r"(?:^|[^A-Za-z0-9_])(pplx-[A-Za-z0-9]{48,56})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A key of xAI.
        "secret-xai-key" High, anchors: &["xai-"], before: 0, length: 84,
        pattern: r"(?:^|[^A-Za-z0-9_])(xai-[A-Za-z0-9]{80})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
];
