//! Keys of cloud providers.

use super::{Proof, SecretRule, checks, secret};
use crate::source::base64;

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// An access key of AWS.
        "secret-aws-access-key" Medium, anchors: &["AKIA", "ASIA", "ABIA", "ACCA"], before: 0, length: 20,
        pattern: r"(?:^|[^A-Za-z0-9+/])((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})(?:$|[^A-Za-z0-9+/])",
        check: checks::aws_key
    },
    secret! {
        /// A secret key of AWS.
        "secret-aws-secret-key" Critical, anchors: &["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "aws_secret_key", "SecretAccessKey"], before: 0, length: 100,
        pattern: r#"(?i)(?:aws_secret_access_key|aws_secret_key|SecretAccessKey)["\x27]?\s*[:=]\s*["\x27]?([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])"#,
        check: checks::random
    },
    secret! {
        /// A key of a Google API.
        "secret-google-api-key" High, anchors: &["AIza"], before: 0, length: 39,
        pattern: r"(?:^|[^A-Za-z0-9_-])(AIza[A-Za-z0-9_-]{35})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// A client secret of Google.
        "secret-google-client-secret" High, anchors: &["GOCSPX-"], before: 0, length: 35,
        pattern: r"(GOCSPX-[A-Za-z0-9_-]{28})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
    secret! {
        /// An account key of Azure storage.
        "secret-azure-storage-key" Critical, anchors: &["AccountKey="], before: 0, length: 110,
        pattern: r"AccountKey=([A-Za-z0-9+/]{86}==)",
        check: azure
    },
    secret! {
        /// A client secret of Azure.
        "secret-azure-client-secret" High, anchors: &["8Q~"], before: 4, length: 45,
        pattern: r"(?:^|[^A-Za-z0-9_~.-])([A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34})(?:$|[^A-Za-z0-9_~.-])",
        check: checks::random
    },
    secret! {
        /// A token of DigitalOcean.
        "secret-digitalocean-token" Critical, anchors: &["dop_v1_", "doo_v1_", "dor_v1_"], before: 0, length: 71,
        pattern: r"(do[opr]_v1_[0-9a-f]{64})(?:$|[^0-9a-f])",
        check: checks::random
    },
    secret! {
        /// A token of Alibaba Cloud.
        "secret-alibaba-key" High, anchors: &["LTAI"], before: 0, length: 24,
        pattern: r"(?:^|[^A-Za-z0-9])(LTAI[A-Za-z0-9]{20})(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A key of Heroku.
        "secret-heroku-key" High, anchors: &["HRKU-"], before: 0, length: 65,
        pattern: r"(HRKU-[A-Za-z0-9_-]{36,60})",
        check: checks::random
    },
    secret! {
        /// A token of Fly.io.
        "secret-fly-token" High, anchors: &["fo1_", "FlyV1 fm"], before: 0, length: 600,
        pattern: r"(?:^|[^A-Za-z0-9_])(fo1_[A-Za-z0-9_-]{43}|FlyV1 fm[12][ar]?_[A-Za-z0-9+/=,_-]{100,})",
        check: checks::random
    },
    secret! {
        /// A token of Databricks.
        "secret-databricks-token" High, anchors: &["dapi"], before: 0, length: 38,
        pattern: r"(?:^|[^A-Za-z0-9])(dapi[0-9a-f]{32}(?:-\d)?)(?:$|[^A-Za-z0-9])",
        check: checks::random
    },
    secret! {
        /// A token of HashiCorp Vault.
        "secret-vault-token" High, anchors: &["hvs.", "hvb."], before: 0, length: 200,
        pattern: r"(?:^|[^A-Za-z0-9])(hv[sb]\.[A-Za-z0-9_-]{90,})",
        check: checks::random
    },
    secret! {
        /// A token of Terraform.
        "secret-terraform-token" High, anchors: &[".atlasv1."], before: 14, length: 90,
        pattern: r"([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70})",
        check: checks::random
    },
    secret! {
        /// A token of Pulumi.
        "secret-pulumi-token" High, anchors: &["pul-"], before: 0, length: 44,
        pattern: r"(?:^|[^A-Za-z0-9_-])(pul-[0-9a-f]{40})(?:$|[^0-9a-f])",
        check: checks::random
    },
];

/// A key of a storage account has 64 bytes.
fn azure(token: &str) -> Proof {
    match base64(token.as_bytes()) {
        Some(key) if key.len() == 64 => Proof::Right,
        _ => Proof::Wrong,
    }
}
