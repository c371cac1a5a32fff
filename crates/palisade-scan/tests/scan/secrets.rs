//! Tokens that are made when the test runs, so that none is in this
//! repository, and planted in a package.

use std::collections::BTreeMap;

use palisade_scan::{Category, Report, Severity, rules};

use crate::fixture::Fixture;
use crate::scan;

/// How a family's tokens look: text, and `%` with a class and a length.
/// `A` letters and digits, `a` small letters and digits, `H` hexadecimal
/// digits, `D` digits, `U` capital letters and digits, `B` base 32, `L`
/// letters, `W` letters, digits, `_` and `-`, `6` base64.
const SHAPES: &[(&str, &str)] = &[
    ("secret-crates-io-token", "cio%A32"),
    ("secret-npm-token", "npm_%A30%crc"),
    ("secret-pypi-token", "pypi-AgEIcHlwaS5vcmc%W120"),
    ("secret-rubygems-key", "rubygems_%H48"),
    ("secret-docker-hub-token", "dckr_pat_%W27"),
    ("secret-nuget-key", "oy2%a43"),
    ("secret-jfrog-key", "AKCp%A69"),
    ("secret-github-token", "ghp_%A30%crc"),
    ("secret-github-fine-grained-token", "github_pat_%A22_%A59"),
    ("secret-gitlab-token", "glpat-%W20"),
    ("secret-bitbucket-token", "ATBB%A32"),
    ("secret-atlassian-token", "ATATT3xFfG%W170"),
    ("secret-aws-access-key", "AKIA%B16"),
    ("secret-aws-secret-key", "aws_secret_access_key = %640"),
    ("secret-google-api-key", "AIza%W35"),
    ("secret-google-client-secret", "GOCSPX-%W28"),
    ("secret-azure-storage-key", "AccountKey=%685A=="),
    ("secret-azure-client-secret", ""),
    ("secret-digitalocean-token", "dop_v1_%H64"),
    ("secret-alibaba-key", "LTAI%A20"),
    ("secret-heroku-key", "HRKU-%W40"),
    ("secret-fly-token", "fo1_%W43"),
    ("secret-databricks-token", "dapi%H32"),
    ("secret-vault-token", "hvs.%W95"),
    ("secret-terraform-token", "%A14.atlasv1.%W64"),
    ("secret-pulumi-token", "pul-%H40"),
    ("secret-slack-token", "xoxb-%D12-%D12-%A24"),
    ("secret-slack-app-token", "xapp-1-A%U10-%D13-%H64"),
    (
        "secret-slack-webhook",
        "hooks.slack.com/services/T%U9/B%U9/%A24",
    ),
    (
        "secret-discord-webhook",
        "discord.com/api/webhooks/%D18/%W68",
    ),
    ("secret-discord-bot-token", ""),
    ("secret-telegram-bot-token", "%D10:AA%W33"),
    ("secret-stripe-key", "sk_live_%A24"),
    ("secret-square-token", "sq0atp-%W22"),
    ("secret-shopify-token", "shpat_%H32"),
    (
        "secret-braintree-token",
        "access_token$production$%a16$%H32",
    ),
    ("secret-openai-key", "sk-proj-%W40T3BlbkFJ%W40"),
    ("secret-anthropic-key", "sk-ant-api03-%W93AA"),
    ("secret-hugging-face-token", "hf_%L34"),
    ("secret-groq-key", "gsk_%A52"),
    ("secret-replicate-token", "r8_%A37"),
    ("secret-perplexity-key", "pplx-%A48"),
    ("secret-xai-key", "xai-%A80"),
    ("secret-sendgrid-key", "SG.%W22.%W43"),
    ("secret-twilio-key", "twilio=SK%H32"),
    ("secret-mailgun-key", "mailgun=key-%H32"),
    ("secret-mailchimp-key", "%H32-us14"),
    ("secret-grafana-token", "glsa_%A32_%H8"),
    ("secret-sentry-token", "sntryu_%H64"),
    ("secret-linear-key", "lin_api_%A40"),
    ("secret-notion-token", "ntn_%D11%A35"),
    ("secret-postman-key", "PMAK-%H24-%H34"),
    ("secret-doppler-token", "dp.pt.%A43"),
    ("secret-netlify-token", "nfp_%A36"),
    ("secret-new-relic-key", "NRAK-%U27"),
    ("secret-private-key", ""),
    ("secret-age-key", ""),
    ("secret-json-web-token", ""),
    (
        "secret-database-password",
        "postgres://app:%A20@db.example.com/app",
    ),
];

/// The characters of a class.
fn class(letter: char) -> &'static str {
    match letter {
        'A' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'a' => "abcdefghijklmnopqrstuvwxyz0123456789",
        'H' => "0123456789abcdef",
        'D' => "123456789",
        'U' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        'B' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'L' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        'W' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_",
        '6' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        other => panic!("{other}"),
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // Numerical Recipes' constants.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn text(&mut self, letter: char, length: usize) -> String {
        let characters = class(letter).as_bytes();
        (0..length)
            .map(|_| char::from(characters[self.next() as usize % characters.len()]))
            .collect()
    }
}

/// An independent implementation of the checksum, from its definition.
fn crc(bytes: &[u8]) -> String {
    let mut crc = 0xffff_ffff_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut number = !crc;
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = Vec::new();
    for _ in 0..6 {
        text.push(digits[(number % 62) as usize]);
        number /= 62;
    }
    text.iter().rev().map(|&digit| char::from(digit)).collect()
}

fn token(id: &str, shape: &str, random: &mut Random) -> String {
    match id {
        "secret-azure-client-secret" => {
            return format!("{}8Q~{}", random.text('A', 3), random.text('A', 34));
        }
        // Eighteen digits, the number of a bot, in base64.
        "secret-discord-bot-token" => {
            let id: String = random.text('D', 18);
            return format!(
                "discord={}.{}.{}",
                base64(id.as_bytes()),
                random.text('A', 6),
                random.text('A', 38)
            );
        }
        "secret-private-key" => {
            let mut key = vec![0x30, 0x82, 0x04, 0xbd];
            key.extend((0..600).map(|_| random.next() as u8));
            let body = base64(&key);
            let lines: Vec<&str> = (0..body.len())
                .step_by(64)
                .map(|at| &body[at..body.len().min(at + 64)])
                .collect();
            let dashes = "-".repeat(5);
            return format!(
                "{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n{dashes}END PRIVATE KEY{dashes}",
                lines.join("\n")
            );
        }
        "secret-json-web-token" => {
            let header = base64(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}").replace('=', "");
            let body = base64(format!("{{\"sub\":\"{}\"}}", random.text('D', 9)).as_bytes())
                .replace('=', "");
            return format!("{header}.{body}.{}", random.text('A', 43));
        }
        "secret-age-key" => return age(random),
        _ => {}
    }
    let mut text = String::new();
    let mut rest = shape;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix("crc") {
            let body = text.rsplit('_').next().unwrap().to_owned();
            text.push_str(&crc(body.as_bytes()));
            rest = after;
            continue;
        }
        let letter = after.chars().next().unwrap();
        let digits: String = after[1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        text.push_str(&random.text(letter, digits.parse().unwrap()));
        rest = &after[1 + digits.len()..];
    }
    text.push_str(rest);
    text
}

fn base64(bytes: &[u8]) -> String {
    let digits = class('6').as_bytes();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(
                    digits[(number >> (18 - 6 * place) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// A key of age: bech32 of 32 bytes, after its specification.
fn age(random: &mut Random) -> String {
    let characters = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let prefix = "age-secret-key-";
    let mut data: Vec<u8> = (0..51).map(|_| (random.next() % 32) as u8).collect();
    // The last group holds one bit of the key.
    data.push(0);
    let polymod = |values: &[u8]| {
        let mut sum = 1_u32;
        for value in values {
            let top = sum >> 25;
            sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(*value);
            for (bit, generator) in [
                0x3b6a_57b2,
                0x2650_8e6d,
                0x1ea1_19fa,
                0x3d42_33dd,
                0x2a14_62b3,
            ]
            .iter()
            .enumerate()
            {
                if top >> bit & 1 == 1 {
                    sum ^= generator;
                }
            }
        }
        sum
    };
    let mut values: Vec<u8> = prefix.bytes().map(|byte| byte >> 5).collect();
    values.push(0);
    values.extend(prefix.bytes().map(|byte| byte & 31));
    values.extend(&data);
    values.extend([0; 6]);
    let sum = polymod(&values) ^ 1;
    data.extend((0..6).map(|place| (sum >> (5 * (5 - place)) & 31) as u8));
    let body: String = data
        .iter()
        .map(|&value| char::from(characters[value as usize]))
        .collect();
    format!("{prefix}1{body}").to_uppercase()
}

fn planted(path: &str, text: String) -> Report {
    scan(&Fixture {
        files: BTreeMap::from([(path.to_owned(), text)]),
        ..Fixture::default()
    })
}

/// Guards recall: of twenty tokens of each family that are planted in a
/// package, nineteen at least are found, and none is shown.
#[test]
fn every_family_is_found_and_never_shown() {
    let mut random = Random(0x5eed);
    let mut wrong = Vec::new();
    for rule in rules()
        .into_iter()
        .filter(|rule| rule.category == Category::Secret)
    {
        if rule.id == "secret-credential-file" {
            continue;
        }
        let Some((_, shape)) = SHAPES.iter().find(|(id, _)| *id == rule.id) else {
            wrong.push(format!("{} has no shape", rule.id));
            continue;
        };
        let mut found = 0;
        let mut missed = String::new();
        for _ in 0..20 {
            let token = token(rule.id, shape, &mut random);
            let report = planted(
                "config/settings.ini",
                format!("[service]\nvalue = \"{token}\"\n"),
            );
            let hit = report
                .findings
                .iter()
                .any(|finding| finding.detector == rule.id);
            found += usize::from(hit);
            if !hit {
                missed = token.clone();
            }
            let shown = serde_json::to_string(&report.findings).unwrap();
            let secret = token.lines().max_by_key(|line| line.len()).unwrap();
            let tail = &secret[secret.len() - 12..];
            if hit && rule.id != "secret-database-password" && shown.contains(tail) {
                wrong.push(format!("{} is shown: {shown}", rule.id));
            }
        }
        if found < 19 {
            wrong.push(format!("{}: {found} of 20, missed {missed}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Guards precision: placeholders are left out, samples are low, and a digest
/// is no token.
#[test]
fn samples_and_placeholders() {
    let mut random = Random(7);
    let live = token("secret-github-token", "ghp_%A30%crc", &mut random);
    let severity = |path: &str, text: String| {
        let report = planted(path, text);
        let own = report
            .findings
            .iter()
            .filter(|finding| finding.category == Category::Secret);
        own.map(|finding| finding.severity).max()
    };
    assert_eq!(
        severity("src/lib.rs", format!("const T: &str = \"{live}\";")),
        Some(Severity::Critical)
    );
    assert_eq!(
        severity("tests/t.rs", format!("const T: &str = \"{live}\";")),
        Some(Severity::Low)
    );
    assert_eq!(
        severity("README.md", format!("token {live}")),
        Some(Severity::Low)
    );
    assert_eq!(
        severity("src/lib.rs", format!("/// `{live}`\n")),
        Some(Severity::Low)
    );
    let stale = format!("{}{}", &live[..34], "000000");
    assert_eq!(
        severity("src/lib.rs", format!("const T: &str = \"{stale}\";")),
        Some(Severity::Medium)
    );
    for harmless in [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "cio_read_write_all",
    ] {
        assert_eq!(
            severity("src/lib.rs", format!("const T: &str = \"{harmless}\";")),
            None,
            "{harmless}"
        );
    }
}

/// Guards files that are shipped by accident.
#[test]
fn credential_files() {
    let mut random = Random(11);
    let value = random.text('A', 24);
    for (path, text, found) in [
        (".env", format!("API_KEY={value}\n"), true),
        (".env", "RUST_LOG=debug\n".to_owned(), false),
        (".env", "API_KEY=your-key-here\n".to_owned(), false),
        (
            ".cargo/credentials.toml",
            format!("[registry]\ntoken = \"{value}\"\n"),
            true,
        ),
        (
            ".npmrc",
            format!("//registry.example.com/:_authToken={value}\n"),
            true,
        ),
        ("src/env.rs", "fn f() {}".to_owned(), false),
    ] {
        let report = planted(path, text.clone());
        let hit = report
            .findings
            .iter()
            .any(|finding| finding.detector == "secret-credential-file");
        assert_eq!(hit, found, "{path}: {text}");
    }
}
