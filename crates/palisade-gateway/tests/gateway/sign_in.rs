//! Browsers: passwords with a second factor, accounts elsewhere, sessions.

use base64::Engine as _;
use palisade_gateway::identity::{password, totp};
use palisade_store::{Actor, Role};
use serde_json::json;

use crate::client::{Answer, get_as, send};
use crate::issuer::Issuer;
use crate::world::World;

const PASSWORD: &str = "correct horse battery";

/// Sends a form, as a browser does.
fn form(world: &World, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
    form_from(world, path, cookie, fields, &world.url(""))
}

fn form_from(
    world: &World,
    path: &str,
    cookie: &str,
    fields: &[(&str, &str)],
    origin: &str,
) -> Answer {
    let encoded: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('*', "%2A")))
        .collect();
    let head = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", cookie),
        ("origin", origin),
    ];
    send(
        "POST",
        &world.url(path),
        &head,
        encoded.join("&").as_bytes(),
    )
}

fn page(world: &World, path: &str, cookie: &str) -> Answer {
    send("GET", &world.url(path), &[("cookie", cookie)], b"")
}

/// The cookie that an answer sets.
fn cookie(answer: &Answer, name: &str) -> String {
    let value = answer
        .head
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .find(|value| value.starts_with(name))
        .unwrap_or_else(|| panic!("no cookie {name}: {}", answer.head));
    assert!(
        value.contains("HttpOnly") && value.contains("SameSite=Lax"),
        "{value}"
    );
    value.split(';').next().unwrap().to_owned()
}

/// What forms of a page show back.
fn proof(page: &Answer) -> String {
    let text = page.text();
    let start = text.find("name=\"proof\" value=\"").unwrap() + 20;
    text[start..].split('"').next().unwrap().to_owned()
}

fn set(world: &World, login: &str, key: Option<&str>) {
    world.runtime.block_on(async {
        let store = world.store();
        let user = store.user(login).await.unwrap();
        let hash = password::hash(PASSWORD).unwrap();
        let mut tx = store
            .begin(&Actor::operator("test"), world.now())
            .await
            .unwrap();
        tx.set_password(&user, Some(&hash)).await.unwrap();
        tx.set_second_factor(&user, key).await.unwrap();
        tx.commit().await.unwrap();
    });
}

/// Guards a session from its beginning to its end: what it takes, what can be
/// done with it, and that nobody else can do it.
#[test]
fn a_session() {
    let world = World::new("");
    world.user("ann", &[Role::Publisher]);
    let key = totp::generate().unwrap();
    set(&world, "ann", Some(&key));
    let now = world.now().as_second();
    let code = totp::code(&key, now).unwrap();
    let sign_in = |login: &str, password: &str, code: &str| {
        form(
            &world,
            "/login",
            "",
            &[("login", login), ("password", password), ("code", code)],
        )
    };
    assert_eq!(page(&world, "/me", "").status, 303);
    let login = page(&world, "/login", "");
    assert_eq!(login.status, 200);
    assert!(
        login
            .field("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    // Nobody learns what was wrong.
    let wrong: Vec<String> = [
        ("ann", "wrong", code.as_str()),
        ("ann", PASSWORD, "000000"),
        ("ann", PASSWORD, ""),
        ("nobody", PASSWORD, &code),
    ]
    .iter()
    .map(|(login, password, code)| {
        let refused = sign_in(login, password, code);
        assert_eq!(refused.status, 403);
        refused.text()
    })
    .collect();
    assert!(wrong.iter().all(|text| *text == wrong[0]));

    let done = sign_in("ann", PASSWORD, &code);
    assert_eq!(
        (done.status, done.field("location")),
        (303, Some("/me")),
        "{}",
        done.text()
    );
    let session = cookie(&done, "palisade-session");
    let me = page(&world, "/me", &session);
    assert!(
        me.status == 200 && me.text().contains("<h1>ann</h1>"),
        "{}",
        me.text()
    );
    // A code is good once.
    assert_eq!(sign_in("ann", PASSWORD, &code).status, 403);

    // A token by form, which works, and is not to be had without the form.
    let fields = |proof: &'static str| {
        [
            ("proof", proof),
            ("name", "<b>ci"),
            ("scope", "publish-update"),
            ("scope", "yank"),
            ("crates", "acme-* demo"),
            ("days", "30"),
        ]
    };
    assert_eq!(
        form(&world, "/me/tokens", &session, &fields("guessed")).status,
        403
    );
    let proof = proof(&me);
    let mut right = fields("").to_vec();
    right[0].1 = &proof;
    let made = form(&world, "/me/tokens", &session, &right);
    assert_eq!(made.status, 200, "{}", made.text());
    let text = made.text();
    assert!(
        text.contains("`demo` matches nothing that `ann` owns"),
        "{text}"
    );
    assert!(
        text.contains("&lt;b&gt;ci") && !text.contains("<b>ci"),
        "{text}"
    );
    let start = text.find("palisade_").unwrap();
    let token = &text[start..start + 58];
    let shown = get_as(&world.url("/api/v1/tokens/current"), token).json();
    assert_eq!(shown["crates"], json!(["acme-*", "demo"]));
    assert_eq!(shown["scopes"], json!(["publish-update", "yank"]));
    // The session is no token, and the token no session.
    assert_eq!(get_as(&world.url("/me"), token).status, 303);
    let refused = send(
        "GET",
        &world.url("/api/v1/tokens/current"),
        &[("cookie", &session)],
        b"",
    );
    assert_eq!(refused.status, 401);
    // Nobody gets a scope by form that their role does not have.
    right[2].1 = "admin:users";
    right[3].1 = "admin:users";
    let admin = form(&world, "/me/tokens", &session, &right);
    assert!(
        admin.status == 400 && admin.text().contains("needs the role"),
        "{}",
        admin.text()
    );

    // Another site's forms are refused, and others' tokens are not found.
    let foreign = form_from(
        &world,
        "/login",
        "",
        &[("login", "ann"), ("password", PASSWORD)],
        "https://evil.example",
    );
    assert!(
        foreign.status == 403 && foreign.text().contains("another site"),
        "{}",
        foreign.text()
    );
    let other = form(
        &world,
        "/me/tokens/999/revoke",
        &session,
        &[("proof", &proof)],
    );
    assert_eq!(other.status, 404);

    let out = form(&world, "/logout", &session, &[("proof", &proof)]);
    assert_eq!(out.field("location"), Some("/login"));
    assert_eq!(
        page(&world, "/me", &session).status,
        303,
        "the session has ended"
    );
    world.audit_is_whole();
}

/// Guards sessions against what happens to the account, and against time.
#[test]
fn a_session_ends() {
    let world = World::new("[gateway.sign-in]\nhours = 2\n");
    world.user("ann", &[Role::Publisher]);
    let sign_in = || {
        set(&world, "ann", None);
        let done = form(
            &world,
            "/login",
            "",
            &[("login", "ann"), ("password", PASSWORD)],
        );
        assert_eq!(done.status, 303, "{}", done.text());
        cookie(&done, "palisade-session")
    };
    let signed_in = |session: &str| page(&world, "/me", session).status == 200;
    let first = sign_in();
    world.pass(1);
    assert!(signed_in(&first), "its use makes it last");
    world.pass(1);
    assert!(signed_in(&first));
    world.pass(3);
    assert!(!signed_in(&first));
    let second = sign_in();
    world.lock("ann", 1, "the laptop was stolen");
    assert!(!signed_in(&second), "a locked account has no session");
    world.lock("ann", 0, "it was found again");
    let third = sign_in();
    assert!(!signed_in(&second), "a new password ends every session");
    assert!(signed_in(&third));
    // Strangers who guess have to wait, also when they guess right.
    for _ in 0..6 {
        form(
            &world,
            "/login",
            "",
            &[("login", "ann"), ("password", "guess guess guess")],
        );
    }
    let right = || {
        form(
            &world,
            "/login",
            "",
            &[("login", "ann"), ("password", PASSWORD)],
        )
        .status
    };
    assert_eq!(right(), 403);
    world.pass(1);
    assert_eq!(right(), 303);
}

/// Guards sign-in by an issuer of identities: who comes back has to be who was
/// sent, and a name that is taken gives nothing of its owner's.
#[test]
fn an_account_elsewhere() {
    let (tell, issuer) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            tell.send(Issuer::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let issuer = issuer.recv().unwrap();
    let world = World::new(&format!(
        "[gateway.sign-in]\nlocal = false\n[gateway.sign-in.oidc]\nissuer = \"{}\"\n\
         client-id = \"house\"\ncreate-accounts = true\nroles = [\"publisher\"]\n",
        issuer.name()
    ));
    world.user("ann", &[Role::Admin]);
    let claims = |subject: &str, nonce: &str| {
        let now = world.now().as_second();
        json!({ "iss": issuer.name(), "aud": "house", "sub": subject, "nonce": nonce,
                "exp": now + 300, "iat": now, "preferred_username": "Ann",
                "email": "ann@example.com", "email_verified": true })
    };
    // What the browser is sent away with: state, nonce, challenge and cookie.
    let begin = || {
        let away = page(&world, "/login/oidc", "");
        assert_eq!(away.status, 303, "{}", away.text());
        let place = away.field("location").unwrap().to_owned();
        assert!(place.contains("code_challenge_method=S256"), "{place}");
        let field = |name: &str| {
            let prefix = format!("{name}=");
            let value = place
                .split(['?', '&'])
                .find_map(|pair| pair.strip_prefix(&prefix));
            value.unwrap().to_owned()
        };
        let remembered = cookie(&away, "palisade-sign-in");
        assert!(
            !place.contains(remembered.rsplit('.').next().unwrap()),
            "the verifier stays"
        );
        (
            field("state"),
            field("nonce"),
            field("code_challenge"),
            remembered,
        )
    };
    let back = |code: &str, state: &str, remembered: &str| {
        let path = format!("/login/oidc/callback?code={code}&state={state}");
        page(&world, &path, remembered)
    };

    let (state, nonce, challenge, remembered) = begin();
    issuer.agree("good", &challenge, claims("sub-1", &nonce));
    assert_eq!(back("good", "guessed", &remembered).status, 403);
    assert_eq!(back("good", &state, "").status, 403, "another browser");
    let done = back("good", &state, &remembered);
    assert_eq!(done.status, 303, "{}", done.text());
    let me = page(&world, "/me", &cookie(&done, "palisade-session"));
    assert!(
        me.text().contains("<h1>ann-1</h1>"),
        "`ann` is somebody else: {}",
        me.text()
    );
    let made = world.runtime.block_on(world.store().user("ann-1")).unwrap();
    assert_eq!(
        (made.roles, made.email.as_deref()),
        (vec![Role::Publisher], Some("ann@example.com"))
    );
    assert_eq!(
        back("good", &state, &remembered).status,
        403,
        "a code is good once"
    );

    // The same person comes again.
    let (state, nonce, challenge, remembered) = begin();
    issuer.agree("again", &challenge, claims("sub-1", &nonce));
    let done = back("again", &state, &remembered);
    let me = page(&world, "/me", &cookie(&done, "palisade-session"));
    assert!(me.text().contains("<h1>ann-1</h1>"), "{}", me.text());

    // A token that was made for another sign-in, and a code that was stolen.
    let (state, _, challenge, remembered) = begin();
    issuer.agree("old", &challenge, claims("sub-1", "another"));
    assert_eq!(back("old", &state, &remembered).status, 403);
    let (state, nonce, _, remembered) = begin();
    let other = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([0; 32]);
    issuer.agree("stolen", &other, claims("sub-1", &nonce));
    assert_eq!(back("stolen", &state, &remembered).status, 403);
    let local = form(
        &world,
        "/login",
        "",
        &[("login", "ann"), ("password", PASSWORD)],
    );
    assert_eq!(local.status, 404, "passwords are off");
    world.audit_is_whole();
}
