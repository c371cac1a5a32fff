//! Keys of payment services and shops.

use super::{SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A live key of Stripe.
        "secret-stripe-key" Critical, anchors: &["sk_live_", "rk_live_"], before: 0, length: 120,
        pattern: r"(?:^|[^A-Za-z0-9])([sr]k_live_[A-Za-z0-9]{24,})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of Square.
        "secret-square-token" High, anchors: &["sq0atp-", "sq0csp-", "EAAAE"], before: 0, length: 64,
        pattern: r"(?:^|[^A-Za-z0-9])(sq0atp-[A-Za-z0-9_-]{22}|sq0csp-[A-Za-z0-9_-]{43}|EAAAE[A-Za-z0-9_-]{59})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// A token of Shopify.
        "secret-shopify-token" High, anchors: &["shpat_", "shpca_", "shppa_", "shpss_"], before: 0, length: 38,
        pattern: r"(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})(?:$|[^0-9a-fA-F])",
        check: checks::random
    },
    secret! {
        /// A token of PayPal's Braintree.
        "secret-braintree-token" High, anchors: &["access_token$production$"], before: 0, length: 80,
        pattern: r"(access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32})",
        check: checks::random
    },
];
