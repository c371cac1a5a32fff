//! What is logged, and what never is.

use std::io::Write;
use std::sync::{Arc, Mutex};

use palisade_gateway::Scope::{PublishNew, Read};
use palisade_gateway::identity::password;
use palisade_store::{Actor, Role};

use crate::client::{get, send};
use crate::upload::body;
use crate::world::World;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Guards secrets against the log, at its most talkative: tokens wherever a
/// client may put one, passwords, codes and sessions. And a request's id is in
/// its answer, in the log and in the audit log.
#[test]
fn a_secret_is_never_logged() {
    let kept = Kept::default();
    let writer = kept.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let world = World::new("auth-required = true");
    world.user("ann", &[Role::Publisher]);
    let secret_password = "a very secret password";
    world.runtime.block_on(async {
        let store = world.store();
        let user = store.user("ann").await.unwrap();
        let hash = password::hash(secret_password).unwrap();
        let mut tx = store
            .begin(&Actor::operator("test"), world.now())
            .await
            .unwrap();
        tx.set_password(&user, Some(&hash)).await.unwrap();
        tx.commit().await.unwrap();
    });
    let token = world.token("ann", &[PublishNew, Read], "*");
    let mut mistyped = token.clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == 'x' { 'y' } else { 'x' });
    for token in [&token, &mistyped] {
        let bearer = format!("Bearer {token}");
        for value in [token, &bearer] {
            send(
                "GET",
                &world.url("/api/v1/tokens/current"),
                &[("authorization", value)],
                b"",
            );
        }
        let fields = [("authorization", token.as_str())];
        for path in [
            format!("/index/pa/li/{token}"),
            format!("/api/v1/crates?q={token}"),
            format!("/api/v1/crates/{token}/1.0.0/download"),
            format!("/nothing/{token}"),
        ] {
            send("GET", &world.url(&path), &fields, b"");
            get(&world.url(&path));
        }
        let jwt = format!("{{\"jwt\":\"{token}\"}}");
        send(
            "POST",
            &world.url("/api/v1/trusted_publishing/tokens"),
            &[],
            jwt.as_bytes(),
        );
    }
    let (sent, _) = body("demo", "1.0.0", "");
    let new = world.url("/api/v1/crates/new");
    let published = send("PUT", &new, &[("authorization", &token)], &sent);
    assert_eq!(published.status, 200, "{}", published.text());
    let form = format!(
        "login=ann&password={}&code=123456",
        secret_password.replace(' ', "+")
    );
    let head = [("content-type", "application/x-www-form-urlencoded")];
    let signed_in = send("POST", &world.url("/login"), &head, form.as_bytes());
    assert_eq!(signed_in.status, 303);
    let cookie = signed_in.field("set-cookie").unwrap();
    let session = cookie.split([';', '=']).nth(1).unwrap().to_owned();
    send(
        "GET",
        &world.url("/me"),
        &[("cookie", &format!("palisade-session={session}"))],
        b"",
    );

    let log = String::from_utf8_lossy(&kept.0.lock().unwrap()).into_owned();
    for (what, secret) in [
        ("the token", &token[9..]),
        ("the mistyped token", &mistyped[9..]),
        ("the session", &session[9..]),
        ("the password", secret_password),
        ("the password as sent", "a+very+secret+password"),
    ] {
        if let Some(at) = log.find(secret) {
            let line = log[..at].rfind('\n').map_or(0, |at| at + 1);
            panic!("{what} is logged: {}", &log[line..at]);
        }
    }
    let id = published.field("x-request-id").unwrap();
    let line = log
        .lines()
        .find(|line| line.contains(id) && line.contains("request"));
    let line = line.unwrap_or_else(|| panic!("{id} is not logged"));
    assert!(
        line.contains("status=200") && line.contains("path=\"/api/v1/crates/new\""),
        "{line}"
    );
    let records = world.runtime.block_on(world.store().records(0)).unwrap();
    assert!(records.iter().any(|record| record.request == id));
    world.audit_is_whole();
}
