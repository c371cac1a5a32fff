//! Mails, to a server of our own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use palisade_gateway::Scope::PublishNew;
use palisade_store::{Actor, Role};

use crate::world::{World, wait};

/// A mail server that keeps what it is sent, and refuses the first so many.
fn server(refuse: usize) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = mails.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut say = |text: &str| stream.write_all(text.as_bytes()).is_ok();
            if number < refuse {
                say("421 not now\r\n");
                continue;
            }
            say("220 test\r\n");
            let mut mail = None;
            while let Some(Ok(line)) = lines.next() {
                if let Some(text) = &mut mail {
                    if line == "." {
                        kept.lock().unwrap().push(std::mem::take(text));
                        mail = None;
                        say("250 ok\r\n");
                    } else {
                        *text += &line;
                        *text += "\n";
                    }
                    continue;
                }
                match line.split(' ').next() {
                    Some("DATA") => {
                        mail = Some(String::new());
                        say("354 go\r\n");
                    }
                    Some("QUIT") => {
                        say("221 bye\r\n");
                        break;
                    }
                    _ => {
                        say("250 ok\r\n");
                    }
                }
            }
        }
    });
    (address, mails)
}

/// Guards notices: a locked account and a token that ends soon are told by
/// mail, once each, also when the mail server comes back only later; and they
/// are kept.
#[test]
fn people_are_told() {
    let (address, mails) = server(1);
    let world = World::new(&format!(
        "[gateway.mail]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         from = \"Registry <registry@example.com>\"\n",
        address.port()
    ));
    world.user("ann", &[Role::Publisher]);
    world.user("bob", &[Role::Publisher]);
    world.runtime.block_on(async {
        let mut tx = world
            .store()
            .begin(&Actor::operator("test"), world.now())
            .await
            .unwrap();
        tx.set_email("ann", Some("ann@example.com")).await.unwrap();
        tx.commit().await.unwrap();
    });
    world.lock("ann", 1, "the laptop was stolen");
    world.lock("bob", 1, "the laptop was stolen");
    // The first attempt is refused; a person does not want to wait.
    let job = || {
        let jobs = world.runtime.block_on(world.store().jobs()).unwrap();
        jobs.into_iter()
            .find(|job| job.kind == "mail" && job.error.is_some())
    };
    wait(|| job().is_some());
    let failed = job().unwrap();
    assert!(
        failed.error.as_ref().unwrap().contains("not now"),
        "{failed:?}"
    );
    world.runtime.block_on(async {
        let mut tx = world
            .store()
            .begin(&Actor::operator("test"), world.now())
            .await
            .unwrap();
        tx.retry_job(failed.id, jiff::Timestamp::now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    wait(|| mails.lock().unwrap().len() == 1);
    let mail = mails.lock().unwrap()[0].clone();
    assert!(mail.contains("To: ann@example.com"), "{mail}");
    assert!(
        mail.contains("Subject: The account ann is locked"),
        "{mail}"
    );
    assert!(mail.contains("the laptop was stolen"), "{mail}");
    world.lock("ann", 0, "it was found again");
    wait(|| mails.lock().unwrap().len() == 2);

    // A token that ends within a week is told of once.
    world.token("ann", &[PublishNew], "*");
    world.pass(24 * 25);
    wait(|| {
        let mails = mails.lock().unwrap();
        mails
            .iter()
            .any(|mail| mail.contains("The token `test` ends soon"))
    });
    let kinds = |login: &str| {
        world.runtime.block_on(async {
            let user = world.store().user(login).await.unwrap();
            let notices = world.store().notices(user.id).await.unwrap();
            notices
                .into_iter()
                .map(|notice| notice.kind)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        kinds("ann"),
        ["token-ends-soon", "user-unlocked", "user-locked"]
    );
    // Who has no address reads it here.
    assert_eq!(kinds("bob"), ["user-locked"]);
    wait(|| {
        world
            .runtime
            .block_on(world.store().jobs())
            .unwrap()
            .is_empty()
    });
    assert_eq!(mails.lock().unwrap().len(), 3);
    world.audit_is_whole();
}
