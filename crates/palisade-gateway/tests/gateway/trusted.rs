//! Trusted publishing, against an issuer of our own.

use palisade_gateway::Scope::{PublishNew, TrustedPublishing, Yank};
use palisade_store::Role;
use serde_json::{Value, json};

use crate::client::{Answer, send};
use crate::issuer::Issuer;
use crate::upload::upload;
use crate::world::World;

struct Scene {
    world: World,
    issuer: Issuer,
}

/// A registry with the crates `demo` and `other` of ann, and a workflow that
/// may publish `demo`.
fn scene() -> Scene {
    // The issuer lives in a runtime of its own, because the registry's
    // configuration names it.
    let (send_issuer, issuer) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            send_issuer.send(Issuer::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let issuer = issuer.recv().unwrap();
    let world = World::new(&format!(
        "[[gateway.trusted-publishing]]\nissuer = \"{}\"\naudience = \"house\"\n",
        issuer.name()
    ));
    world.user("ann", &[Role::Publisher]);
    let token = world.token("ann", &[PublishNew, TrustedPublishing, Yank], "*");
    for name in ["demo", "other"] {
        let sent = upload(&world, &token, name, "1.0.0");
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    let publisher = json!({
        "issuer": issuer.name(), "repository": "ann/demo", "repository_id": "42",
        "repository_owner_id": "7", "workflow": "release.yml", "environment": "publish",
    });
    let url = world.url("/api/v1/crates/demo/publishers");
    let fields = [("authorization", token.as_str())];
    let added = send("PUT", &url, &fields, publisher.to_string().as_bytes());
    assert_eq!(added.status, 200, "{}", added.text());
    let listed = send("GET", &url, &fields, b"").json();
    assert_eq!(listed["publishers"][0]["repository_id"], "42");
    Scene { world, issuer }
}

impl Scene {
    fn claims(&self, id: &str) -> Value {
        let now = self.world.now().as_second();
        json!({
            "iss": self.issuer.name(), "aud": "house", "jti": id, "exp": now + 300,
            "nbf": now - 5, "iat": now, "sub": "repo:ann/demo:environment:publish",
            "repository": "ann/demo", "repository_id": "42", "repository_owner_id": "7",
            "workflow_ref": "ann/demo/.github/workflows/release.yml@refs/heads/main",
            "environment": "publish", "event_name": "push",
        })
    }

    fn exchange(&self, jwt: &str) -> Answer {
        let url = self.world.url("/api/v1/trusted_publishing/tokens");
        send(
            "POST",
            &url,
            &[],
            json!({ "jwt": jwt }).to_string().as_bytes(),
        )
    }
}

/// Guards the token of a workflow: it publishes new versions of its crates for
/// half an hour, and nothing else.
#[test]
fn a_workflow_publishes() {
    let scene = scene();
    let world = &scene.world;
    let jwt = scene.issuer.sign(&scene.claims("first"));
    let given = scene.exchange(&jwt);
    assert_eq!(given.status, 200, "{}", given.text());
    let token = given.json()["token"].as_str().unwrap().to_owned();

    let sent = upload(world, &token, "demo", "1.1.0");
    assert_eq!(sent.status, 200, "{}", sent.text());
    let other = upload(world, &token, "other", "1.1.0");
    assert_eq!(other.status, 403);
    assert!(
        other.text().contains("leaves out `other`"),
        "{}",
        other.text()
    );
    let new = upload(world, &token, "brand-new", "1.0.0");
    assert!(
        new.text().contains("lacks the scope `publish-new`"),
        "{}",
        new.text()
    );
    let yank = world.url("/api/v1/crates/demo/1.1.0/yank");
    let yank = send("DELETE", &yank, &[("authorization", &token)], b"");
    assert_eq!(yank.status, 403, "{}", yank.text());

    // What was exchanged once is worth nothing.
    let again = scene.exchange(&jwt);
    assert_eq!(again.status, 403);
    assert!(
        again.text().contains("exchanged already"),
        "{}",
        again.text()
    );

    // Who gives the token back ends it.
    let second = scene
        .exchange(&scene.issuer.sign(&scene.claims("second")))
        .json();
    let second = second["token"].as_str().unwrap();
    let url = world.url("/api/v1/trusted_publishing/tokens");
    let fields = [("authorization", second)];
    assert_eq!(send("DELETE", &url, &fields, b"").status, 200);
    let ended = upload(world, second, "demo", "1.2.0");
    assert!(ended.text().contains("was revoked"), "{}", ended.text());

    world.pass(1);
    let late = upload(world, &token, "demo", "1.2.0");
    assert_eq!(late.status, 403);
    assert!(late.text().contains("expired"), "{}", late.text());
    world.audit_is_whole();
}

/// Guards every claim: each one that is not as it was set up is refused, and
/// the answer says which.
#[test]
fn nobody_else_publishes() {
    let scene = scene();
    let now = scene.world.now().as_second();
    let changes: [(&str, Value, &str); 15] = [
        ("aud", json!("elsewhere"), "audience"),
        (
            "iss",
            json!("https://issuer.example"),
            "not one that this registry trusts",
        ),
        ("exp", json!(now - 60), "expired"),
        ("exp", Value::Null, "exp"),
        ("nbf", json!(now + 600), "future"),
        ("iat", json!(now + 600), "future"),
        // A new repository of the same name, and a new owner of that name.
        ("repository_id", json!("43"), "no crate trusts"),
        ("repository_owner_id", json!("8"), "owner differ"),
        ("repository", json!("eve/demo"), "workflow_ref"),
        (
            "workflow_ref",
            json!("ann/demo/.github/workflows/test.yml@refs/heads/main"),
            "differ",
        ),
        (
            "workflow_ref",
            json!("eve/demo/.github/workflows/release.yml@refs/heads/main"),
            "workflow_ref",
        ),
        ("environment", Value::Null, "differ"),
        ("environment", json!("test"), "differ"),
        ("event_name", json!("pull_request_target"), "strangers"),
        ("jti", Value::Null, "jti"),
    ];
    for (number, (claim, value, said)) in changes.into_iter().enumerate() {
        let mut claims = scene.claims(&format!("id-{number}"));
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        } else {
            claims[claim] = value;
        }
        let refused = scene.exchange(&scene.issuer.sign(&claims));
        assert!(
            [400, 403].contains(&refused.status),
            "{claim}: {}",
            refused.text()
        );
        assert!(
            refused.text().to_lowercase().contains(&said.to_lowercase()),
            "{claim}: {}",
            refused.text()
        );
    }
}

/// Guards the signature: it is the issuer's, by the one algorithm that is
/// taken, whatever the token itself says about that.
#[test]
fn a_signature_is_the_issuers() {
    let scene = scene();
    let claims = scene.claims("forged");
    let good = scene.issuer.sign(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "typ": "JWT", "kid": kid });
    let mut forged = vec![
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(parts[2].len())),
        scene.issuer.sign_with(&header("HS256", "one"), &claims),
        scene.issuer.sign_with(&header("RS512", "one"), &claims),
        scene.issuer.sign_with(&header("none", "one"), &claims),
        scene.issuer.sign_with(&header("RS256", "two"), &claims),
        scene.issuer.sign_with(&json!({ "alg": "RS256" }), &claims),
        "not a token".to_owned(),
        "a.".repeat(20_000),
    ];
    // The public key as the secret of a symmetric signature.
    let unsigned = {
        let token = scene.issuer.sign_with(&header("HS256", "one"), &claims);
        token.rsplit_once('.').unwrap().0.to_owned()
    };
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &scene.issuer.modulus());
    let tag = ring::hmac::sign(&key, unsigned.as_bytes());
    use base64::Engine as _;
    let tag = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag);
    forged.push(format!("{unsigned}.{tag}"));
    // The claims of one token under the signature of another.
    let mut other = claims.clone();
    other["repository_id"] = json!("1");
    let other = scene.issuer.sign(&other);
    let signature = other.rsplit_once('.').unwrap().1;
    forged.push(format!("{}.{}.{signature}", parts[0], parts[1]));
    for token in forged {
        let refused = scene.exchange(&token);
        let shown: String = token.chars().take(60).collect();
        assert!(
            [400, 403].contains(&refused.status),
            "{shown}: {}",
            refused.text()
        );
    }
    assert_eq!(scene.exchange(&good).status, 200, "it was never used up");
}
