//! Keys of other services.

use super::{SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A key of SendGrid.
        "secret-sendgrid-key" High, anchors: &["SG."], before: 0, length: 69,
        pattern: r"(?:^|[^A-Za-z0-9_.-])(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// A key of Twilio.
        "secret-twilio-key" High, anchors: &["twilio", "TWILIO", "Twilio"], before: 0, length: 120,
        pattern: r"[^A-Za-z0-9](SK[0-9a-f]{32})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A key of Mailgun.
        "secret-mailgun-key" High, anchors: &["mailgun", "MAILGUN", "Mailgun"], before: 0, length: 120,
        pattern: r"[^A-Za-z0-9](key-[0-9a-f]{32})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A key of Mailchimp.
        "secret-mailchimp-key" High, anchors: &["-us1", "-us2"], before: 33, length: 8,
        pattern: r"(?:^|[^A-Za-z0-9])([0-9a-f]{32}-us[12][0-9]?)(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of Grafana.
        "secret-grafana-token" High, anchors: &["glsa_", "glc_eyJ"], before: 0, length: 400,
        pattern: r"(glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_eyJ[A-Za-z0-9+/=]{60,})",
        check: checks::random
    },
    secret! {
        /// A token of Sentry.
        "secret-sentry-token" High, anchors: &["sntrys_", "sntryu_"], before: 0, length: 400,
        pattern: r"(sntrys_eyJ[A-Za-z0-9+/=_-]{80,}|sntryu_[0-9a-f]{64})",
        check: checks::random
    },
    secret! {
        /// A key of Linear.
        "secret-linear-key" High, anchors: &["lin_api_"], before: 0, length: 48,
        pattern: r"(lin_api_[A-Za-z0-9]{40})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of Notion.
        "secret-notion-token" High, anchors: &["ntn_"], before: 0, length: 50,
        pattern: r"(?:^|[^A-Za-z0-9_])(ntn_[0-9]{11}[A-Za-z0-9]{35})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A key of Postman.
        "secret-postman-key" High, anchors: &["PMAK-"], before: 0, length: 64,
        pattern: r"(PMAK-[0-9a-f]{24}-[0-9a-f]{34})",
        check: checks::random
    },
    secret! {
        /// A token of Doppler.
        "secret-doppler-token" High, anchors: &["dp.pt.", "dp.st."], before: 0, length: 80,
        pattern: r"(?:^|[^A-Za-z0-9_])(dp\.(?:pt|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of Netlify.
        "secret-netlify-token" High, anchors: &["nfp_"], before: 0, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9_])(nfp_[A-Za-z0-9_]{36})(?:$|[^A-Za-z0-9_])",
        check: checks::random
    },
    secret! {
        /// A key of New Relic.
        "secret-new-relic-key" High, anchors: &["NRAK-"], before: 0, length: 32,
        pattern: r"(NRAK-[A-Z0-9]{27})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
];
