//! For whoever receives the product:
//! [OpenVEX 0.2.0](https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md).
//!
//! One statement per vulnerability, product and affected package; the targets
//! of a product share it, and the most urgent of their verdicts counts. The
//! format speaks of vulnerabilities, so unmaintained crates and notices are
//! left out. Its `@id` is the digest of the statements, so that the same
//! answer has the same name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_model::{Finding, Kind, Level, Package, Verdict};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::sarif_model::hex;
use super::{View, purl, remedy_text};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: &'static str,
    timestamp: String,
    version: u32,
    tooling: String,
    statements: &'a [Statement],
}

#[derive(Serialize)]
struct Statement {
    vulnerability: Vulnerability,
    products: Vec<Product>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_statement: Option<String>,
}

#[derive(Serialize)]
struct Vulnerability {
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

#[derive(Serialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
}

/// Writes one OpenVEX document.
pub(crate) fn render(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let statements = statements(view);
    let timestamp = jiff::Timestamp::from_second(view.timestamp).map_err(io::Error::other)?;
    let digest = Sha256::digest(serde_json::to_vec(&statements)?);
    let document = Document {
        context: "https://openvex.dev/ns/v0.2.0",
        id: format!("https://openvex.dev/docs/public/vex-{}", hex(&digest)),
        author: "palisade",
        timestamp: timestamp.to_string(),
        version: 1,
        tooling: concat!("palisade ", env!("CARGO_PKG_VERSION")).to_owned(),
        statements: &statements,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn statements(view: &View<'_>) -> Vec<Statement> {
    let mut worst: BTreeMap<(&str, &Package, &Package), &Finding> = BTreeMap::new();
    for finding in &view.report.findings {
        if matches!(finding.kind, Kind::Unmaintained | Kind::Notice) {
            continue;
        }
        let owners = match view.project.owner(&finding.target) {
            Some(owner) => std::slice::from_ref(owner),
            None => &view.project.members,
        };
        for product in owners {
            let key = (finding.id.as_str(), &finding.package, product);
            let known = worst.entry(key).or_insert(finding);
            if (finding.verdict, finding.level) > (known.verdict, known.level) {
                *known = finding;
            }
        }
    }
    worst
        .into_iter()
        .map(|((_, _, product), finding)| statement(view, product, finding))
        .collect()
}

fn statement(view: &View<'_>, product: &Package, finding: &Finding) -> Statement {
    let (status, justification) = match (finding.verdict, finding.level) {
        (Verdict::Reached, _) => ("affected", None),
        (Verdict::Unknown, _) => ("under_investigation", None),
        (Verdict::NotReached, Level::Required) => {
            ("not_affected", Some("vulnerable_code_not_present"))
        }
        (Verdict::NotReached, _) => ("not_affected", Some("vulnerable_code_not_in_execute_path")),
    };
    let ignored = finding
        .ignored
        .as_ref()
        .map(|reason| format!("ignored by configuration: {reason}"));
    Statement {
        vulnerability: Vulnerability {
            id: finding.url.clone(),
            name: finding.id.clone(),
            description: finding.title.clone(),
            aliases: finding.aliases.clone(),
        },
        products: vec![Product {
            id: purl(product),
            subcomponents: vec![Component {
                id: purl(&finding.package),
            }],
        }],
        status,
        status_notes: match status {
            "not_affected" => ignored,
            _ => Some(ignored.unwrap_or_else(|| finding.reason.clone())),
        },
        justification,
        impact_statement: justification.map(|_| finding.reason.clone()),
        action_statement: (status == "affected")
            .then(|| remedy_text(&finding.remedy, view.project)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::rendered;

    /// Guards statuses, justifications, package URLs and the stable id.
    #[test]
    fn report() {
        insta::assert_snapshot!(rendered(render), @r#"
        {
          "@context": "https://openvex.dev/ns/v0.2.0",
          "@id": "https://openvex.dev/docs/public/vex-35a99e7e7533f095f248c2cd9477e657c6ac1f5c16c552763f527c232bf91ac1",
          "author": "palisade",
          "timestamp": "2023-11-14T22:13:20Z",
          "version": 1,
          "tooling": "palisade 0.1.0",
          "statements": [
            {
              "vulnerability": {
                "@id": "https://rustsec.org/advisories/RUSTSEC-2099-0001.html",
                "name": "RUSTSEC-2099-0001",
                "description": "The problem RUSTSEC-2099-0001",
                "aliases": [
                  "CVE-2099-1"
                ]
              },
              "products": [
                {
                  "@id": "pkg:cargo/app@0.1.0",
                  "subcomponents": [
                    {
                      "@id": "pkg:cargo/demo@1.0.0"
                    }
                  ]
                }
              ],
              "status": "affected",
              "status_notes": "a call path leads to demo::f",
              "action_statement": "cargo update -p demo --precise 1.0.1"
            },
            {
              "vulnerability": {
                "@id": "https://rustsec.org/advisories/RUSTSEC-2099-0002.html",
                "name": "RUSTSEC-2099-0002",
                "description": "The problem RUSTSEC-2099-0002"
              },
              "products": [
                {
                  "@id": "pkg:cargo/app@0.1.0",
                  "subcomponents": [
                    {
                      "@id": "pkg:cargo/macros@2.0.0%2Bbuild"
                    }
                  ]
                }
              ],
              "status": "under_investigation",
              "status_notes": "only through what could not be followed may macros::run be reached"
            },
            {
              "vulnerability": {
                "@id": "https://rustsec.org/advisories/RUSTSEC-2099-0003.html",
                "name": "RUSTSEC-2099-0003",
                "description": "The problem RUSTSEC-2099-0003"
              },
              "products": [
                {
                  "@id": "pkg:cargo/app@0.1.0",
                  "subcomponents": [
                    {
                      "@id": "pkg:cargo/demo@1.0.0"
                    }
                  ]
                }
              ],
              "status": "not_affected",
              "justification": "vulnerable_code_not_in_execute_path",
              "impact_statement": "no call path leads to demo::f"
            },
            {
              "vulnerability": {
                "@id": "https://rustsec.org/advisories/RUSTSEC-2099-0004.html",
                "name": "RUSTSEC-2099-0004",
                "description": "The problem RUSTSEC-2099-0004"
              },
              "products": [
                {
                  "@id": "pkg:cargo/app@0.1.0",
                  "subcomponents": [
                    {
                      "@id": "pkg:cargo/windows-only@0.3.0"
                    }
                  ]
                }
              ],
              "status": "not_affected",
              "justification": "vulnerable_code_not_present",
              "impact_statement": "the package is locked, but no part of the build"
            },
            {
              "vulnerability": {
                "@id": "https://rustsec.org/advisories/RUSTSEC-2099-0006.html",
                "name": "RUSTSEC-2099-0006",
                "description": "The problem RUSTSEC-2099-0006"
              },
              "products": [
                {
                  "@id": "pkg:cargo/app@0.1.0",
                  "subcomponents": [
                    {
                      "@id": "pkg:cargo/demo@1.0.0"
                    }
                  ]
                }
              ],
              "status": "affected",
              "status_notes": "ignored by configuration: behind a proxy",
              "action_statement": "no fixed version exists"
            }
          ]
        }
        "#);
    }
}
