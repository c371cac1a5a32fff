//! Every route, for everybody. The expectations are written by hand; a route
//! without a row fails the test.

use palisade_gateway::Scope::{
    self, AdminAudit, AdminReview, AdminUsers, ChangeOwners, PublishNew, PublishUpdate, Read,
    TrustedPublishing, Yank,
};
use palisade_store::Role;

use crate::client::send;
use crate::upstream::archive;
use crate::world::World;

/// Who asks, in the order of the columns.
const CALLERS: [&str; 16] = [
    "anonymous",
    "garbage",
    "expired",
    "revoked",
    "locked",
    "read",
    "publish-new",
    "publish-update",
    "yank",
    "change-owners",
    "wrong-crate",
    "not-owner",
    "owner",
    "reviewer",
    "admin",
    "auditor",
];

/// Method, path, what is sent, and one letter for each caller:
/// `.` the request is taken (2xx, or refused for what it says and not for who
/// says it), `L` a token is asked for (401), `S` sent to sign in, `-` refused
/// (403).
#[rustfmt::skip]
const ROWS: [(&str, &str, &str, &str); 45] = [
    // method, path                                    body        agErlRnuycwnovda
    ("GET",    "/index/config.json",                   "",        "L----.----......"),
    ("GET",    "/index/1/{name}",                      "",        "L----.----......"),
    ("GET",    "/index/2/{name}",                      "",        "L----.----......"),
    ("GET",    "/index/3/{first}/{name}",              "",        "L----.----......"),
    ("GET",    "/index/{first}/{second}/{name}",       "",        "L----.----......"),
    ("GET",    "/api/v1/crates/{name}/{version}/download", "",    "L----.----......"),
    ("GET",    "/api/v1/crates/{name}/{version}",      "",        "L----.----......"),
    ("GET",    "/api/v1/crates/{name}/{version}/case", "",        "L----......-..--"),
    ("POST",   "/api/v1/crates/{name}/{version}/evidence", "text", "L------.----.---"),
    ("POST",   "/api/v1/crates/{name}/{version}/appeal", "text",  "L------.----.---"),
    ("POST",   "/api/v1/crates/{name}/{version}/waiver", "waive", "L----..........."),
    ("GET",    "/api/v1/notices",                      "",        "L----..........."),
    ("GET",    "/api/v1/crates",                       "",        "L----.----......"),
    ("PUT",    "/api/v1/crates/new",                   "publish", "L------.----.---"),
    ("DELETE", "/api/v1/crates/{name}/{version}/yank", "",        "L-------.---.---"),
    ("PUT",    "/api/v1/crates/{name}/{version}/unyank", "",      "L-------.---.---"),
    ("GET",    "/api/v1/crates/{name}/owners",         "",        "L----.----......"),
    ("PUT",    "/api/v1/crates/{name}/owners",         "owners",  "L--------.--.---"),
    ("DELETE", "/api/v1/crates/{name}/owners",         "owners",  "L--------.--.---"),
    ("GET",    "/api/v1/tokens/current",               "",        "L----..........."),
    ("DELETE", "/api/v1/tokens/current",               "",        "L----..........."),
    ("GET",    "/api/v1/crates/{name}/publishers",     "",        "L-----------.---"),
    ("PUT",    "/api/v1/crates/{name}/publishers",     "publisher", "L-----------.---"),
    ("DELETE", "/api/v1/crates/{name}/publishers/{id}", "",       "L-----------.---"),
    ("POST",   "/api/v1/trusted_publishing/tokens",    "",        "................"),
    ("DELETE", "/api/v1/trusted_publishing/tokens",    "",        "L----..........."),
    ("GET",    "/login",                               "",        "................"),
    ("POST",   "/login",                               "",        "................"),
    ("GET",    "/login/oidc",                          "",        "................"),
    ("GET",    "/login/oidc/callback",                 "",        "................"),
    // A token is no session, whatever it may do.
    ("POST",   "/logout",                              "",        "SSSSSSSSSSSSSSSS"),
    ("GET",    "/me",                                  "",        "SSSSSSSSSSSSSSSS"),
    ("POST",   "/me/tokens",                           "",        "SSSSSSSSSSSSSSSS"),
    ("POST",   "/me/tokens/{id}/revoke",               "",        "SSSSSSSSSSSSSSSS"),
    ("GET",    "/api/v1/admin/cases",                  "",        "L------------.--"),
    ("POST",   "/api/v1/admin/cases/{name}/{version}", "decide",  "L------------.--"),
    ("GET",    "/api/v1/admin/waivers",                "",        "L------------.--"),
    ("POST",   "/api/v1/admin/waivers/{id}",           "approve", "L------------.--"),
    ("GET",    "/api/v1/admin/appeals",                "",        "L------------.--"),
    ("POST",   "/api/v1/admin/appeals/{id}",           "grant",   "L------------.--"),
    ("POST",   "/api/v1/admin/users/{login}/lock",     "lock",    "L-------------.-"),
    ("GET",    "/api/v1/admin/audit",                  "",        "L--------------."),
    ("GET",    "/healthz",                             "",        "................"),
    ("GET",    "/readyz",                              "",        "................"),
    ("GET",    "/metrics",                             "",        "................"),
];

/// A registry with one crate, and a fresh token for every caller.
fn world() -> World {
    let world = World::new("auth-required = true");
    world.user("owner", &[Role::Publisher]);
    world.user("other", &[Role::Publisher]);
    world.user("locked", &[Role::Publisher]);
    world.user("spare", &[]);
    world.user("reviewer", &[Role::Reviewer]);
    world.user("admin", &[Role::Admin]);
    world.user("auditor", &[Role::Auditor]);
    let owner = world.token("owner", &[PublishNew], "*");
    let url = world.url("/api/v1/crates/new");
    let sent = send("PUT", &url, &[("authorization", &owner)], &publish("1.0.0"));
    assert_eq!(sent.status, 200, "{}", sent.text());
    world.lock("locked", 1000, "locked for the test");
    world
}

fn token(world: &World, caller: &str) -> Option<String> {
    const PUBLISHER: &[Scope] = &[
        PublishNew,
        PublishUpdate,
        Yank,
        ChangeOwners,
        TrustedPublishing,
        Read,
    ];
    let token =
        |login: &str, scopes: &[Scope], pattern: &str| Some(world.token(login, scopes, pattern));
    match caller {
        "anonymous" => None,
        "garbage" => Some("palisade_garbage".to_owned()),
        "revoked" => {
            let token = token("owner", PUBLISHER, "*")?;
            let url = world.url("/api/v1/tokens/current");
            assert_eq!(
                send("DELETE", &url, &[("authorization", &token)], b"").status,
                200
            );
            Some(token)
        }
        "expired" | "owner" => token("owner", PUBLISHER, "*"),
        "locked" => token("locked", PUBLISHER, "*"),
        "read" => token("owner", &[Read], "*"),
        "publish-new" => token("owner", &[PublishNew], "*"),
        "publish-update" => token("owner", &[PublishUpdate], "*"),
        "yank" => token("owner", &[Yank], "*"),
        "change-owners" => token("owner", &[ChangeOwners], "*"),
        "wrong-crate" => token("owner", PUBLISHER, "other*"),
        "not-owner" => token("other", PUBLISHER, "*"),
        "reviewer" => token("reviewer", &[AdminReview, Read], "*"),
        "admin" => token("admin", &[AdminUsers, Read], "*"),
        "auditor" => token("auditor", &[AdminAudit, Read], "*"),
        other => panic!("{other}"),
    }
}

fn publish(version: &str) -> Vec<u8> {
    let manifest = format!(
        "[package]\nname = \"qqqq\"\nversion = \"{version}\"\ndescription = \"d\"\nlicense = \"MIT\"\n"
    );
    let archive = archive(
        &format!("qqqq-{version}"),
        &[("Cargo.toml", &manifest), ("src/lib.rs", "")],
    );
    let metadata = format!("{{\"name\":\"qqqq\",\"vers\":\"{version}\",\"deps\":[]}}");
    let mut body = u32::try_from(metadata.len())
        .unwrap()
        .to_le_bytes()
        .to_vec();
    body.extend(metadata.as_bytes());
    body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
    body.extend(archive);
    body
}

/// Guards every route against every caller.
#[test]
fn every_route_for_everybody() {
    let declared: Vec<(&str, &str)> = palisade_gateway::declared()
        .into_iter()
        .map(|route| (route.method, route.path))
        .collect();
    let rows: Vec<(&str, &str)> = ROWS.iter().map(|row| (row.0, row.1)).collect();
    for route in &declared {
        assert!(rows.contains(route), "{route:?} has no row");
    }
    assert_eq!(rows.len(), declared.len(), "a row without a route");

    let world = world();
    // Made first, because the clock has to move for it.
    let expired = token(&world, "expired").unwrap();
    world.pass(31 * 24);
    let mut wrong = Vec::new();
    let mut minor = 0;
    for (method, path, body, expected) in ROWS {
        assert_eq!(expected.len(), CALLERS.len(), "{method} {path}");
        for (caller, expected) in CALLERS.into_iter().zip(expected.chars()) {
            let token = match caller {
                "expired" => Some(expired.clone()),
                caller => token(&world, caller),
            };
            minor += 1;
            let body = match body {
                "publish" => publish(&format!("1.{minor}.0")),
                "owners" => b"{\"users\":[\"nobody-at-all\"]}".to_vec(),
                "decide" => {
                    b"{\"decision\":\"release\",\"reason\":\"for the test\",\"checksum\":\"00\"}"
                        .to_vec()
                }
                "text" => b"{\"text\":\"for the test of routes\"}".to_vec(),
                "waive" => b"{\"reason\":\"for the test of routes\",\"days\":1}".to_vec(),
                "approve" => b"{\"approve\":true,\"reason\":\"for the test\"}".to_vec(),
                "grant" => b"{\"grant\":true,\"reply\":\"for the test\"}".to_vec(),
                "publisher" => b"{\"issuer\":\"https://nobody.example\"}".to_vec(),
                "lock" => b"{\"hours\":1,\"reason\":\"for the test\"}".to_vec(),
                _ => Vec::new(),
            };
            let path = path
                .replace("{first}/{second}/{name}", "qq/qq/qqqq")
                .replace("{first}", "q")
                .replace("{name}", "qqqq")
                .replace("{version}", "1.0.0")
                .replace("{login}", "spare")
                .replace("{id}", "999");
            let fields: Vec<(&str, &str)> = token
                .as_deref()
                .map(|token| ("authorization", token))
                .into_iter()
                .collect();
            let answer = send(method, &world.url(&path), &fields, &body);
            // cargo prints these bodies as they are, cut at 512 characters; and
            // newer releases fail the whole resolution on 410 and 451.
            if path.starts_with("/index/") || path.ends_with("/download") {
                assert!(![410, 451].contains(&answer.status), "{path} as {caller}");
                let long = answer.text().chars().count() > 512;
                assert!(answer.status < 400 || !long, "{path} as {caller}");
                let kind = answer.field("content-type").unwrap_or_default();
                let plain = kind.starts_with("text/plain") || answer.status < 400;
                assert!(plain, "{path} as {caller}: {kind}");
            }
            let got = match answer.status {
                401 => 'L',
                303 => 'S',
                403 => '-',
                500.. => '!',
                _ => '.',
            };
            if got != expected {
                wrong.push(format!(
                    "{method} {path} as {caller}: {} {}, not `{expected}`",
                    answer.status,
                    answer.text()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.audit_is_whole();
}
