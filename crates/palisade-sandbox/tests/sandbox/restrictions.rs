//! What a worker cannot do. Where the kernel cannot enforce something, the
//! report has to say so, and the test of it then has nothing to look at.

use std::fs;
use std::net::TcpListener;

use palisade_sandbox::{Pool, Protection, SandboxError, Status, Verdict};

use crate::chores::Chore;
use crate::{Test, command, limits, options, pool, verdict};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("the_report_names_every_protection", report),
        ("the_environment_is_empty", environment),
        ("files_are_read_in_named_directories_only", reading),
        ("nothing_is_written", writing),
        ("there_is_no_network", network),
        ("no_program_is_started", programs),
        ("threads_are_allowed", threads),
        ("open_files_are_limited", open_files),
        ("a_missing_directory_is_an_error", missing),
        ("what_is_required_and_not_in_force_is_an_error", required),
    ]
}

fn answer(pool: &mut Pool, chore: Chore) -> String {
    match verdict(pool, chore) {
        Verdict::Done(answer) => answer,
        Verdict::Failed(failure) => panic!("{failure:?}"),
    }
}

fn refused(pool: &mut Pool, protection: Protection, chore: Chore) {
    let said = answer(pool, chore.clone());
    match pool.report().status(protection) {
        Status::InForce(_) => assert!(said.starts_with("refused: "), "{chore:?}: {said}"),
        weaker => assert!(!weaker.detail().is_empty()),
    }
}

/// Guards that nothing is silently absent; on the kernels that the project is
/// tested on everything but inherited files, which are whoever starts the
/// tests' doing, is in force.
fn report() {
    let pool = pool(options(1));
    let report = pool.report();
    let named: Vec<_> = report.entries().map(|(protection, _)| protection).collect();
    assert_eq!(named, Protection::ALL);
    for (protection, status) in report.entries() {
        assert!(!status.detail().is_empty(), "{protection}");
        if cfg!(target_os = "linux") && protection != Protection::Inherited {
            // Landlock alone is a matter of how the kernel was built.
            let lacking = protection == Protection::Reading
                && status.detail().starts_with("Landlock: the kernel");
            assert!(status.is_in_force() || lacking, "{report}");
        }
    }
}

fn environment() {
    let mut pool = pool(options(1));
    assert_eq!(answer(&mut pool, Chore::Environment), "[] in Some(\"/\")");
}

fn reading() {
    let inside = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let secret = outside.path().join("secret");
    let named = outside.path().join("named");
    fs::write(&secret, "secret").expect("it is ours");
    fs::write(&named, "by name").expect("it is ours");
    fs::write(inside.path().join("plain"), "plain").expect("it is ours");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, inside.path().join("link")).expect("it is ours");

    let mut options = options(1);
    options.readable = vec![inside.path().to_owned(), named.clone()];
    let mut pool = pool(options);
    for (path, text) in [(inside.path().join("plain"), "plain"), (named, "by name")] {
        let said = answer(&mut pool, Chore::Read(path));
        assert_eq!(said, format!("allowed: {text:?}"));
    }
    let said = answer(&mut pool, Chore::List(inside.path().to_owned()));
    assert_eq!(said, "allowed: 2");
    let outer = inside.path().join("..").join(
        outside
            .path()
            .file_name()
            .expect("the directory has a name"),
    );
    for chore in [
        Chore::Read(secret),
        Chore::Read(inside.path().join("link")),
        Chore::Read(outer.join("secret")),
        Chore::Read("/etc/passwd".into()),
        Chore::Read("/proc/self/environ".into()),
        Chore::List(outside.path().to_owned()),
        Chore::List("/".into()),
    ] {
        refused(&mut pool, Protection::Reading, chore);
    }
}

fn writing() {
    let inside = tempfile::tempdir().expect("a directory");
    let file = inside.path().join("file");
    fs::write(&file, "as it was").expect("it is ours");
    let mut options = options(1);
    options.readable = vec![inside.path().to_owned()];
    let mut pool = pool(options);
    for chore in [
        Chore::Write(file.clone()),
        Chore::Write(inside.path().join("new")),
        Chore::Remove(file.clone()),
        Chore::Chmod(file.clone()),
    ] {
        refused(&mut pool, Protection::Writing, chore);
    }
    if pool.report().status(Protection::Writing).is_in_force() {
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "as it was");
        assert!(!inside.path().join("new").exists());
    }
}

fn network() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let mut pool = pool(options(1));
    refused(&mut pool, Protection::Network, Chore::Connect(port));
    refused(&mut pool, Protection::Network, Chore::Datagram);
}

fn programs() {
    let mut pool = pool(options(1));
    refused(&mut pool, Protection::Processes, Chore::Exec);
}

fn threads() {
    let mut pool = pool(options(1));
    assert_eq!(answer(&mut pool, Chore::Threads(20)), "190");
}

fn open_files() {
    let inside = tempfile::tempdir().expect("a directory");
    let file = inside.path().join("file");
    fs::write(&file, "").expect("it is ours");
    assert!(limits().open_files < 500);
    let mut options = options(1);
    options.readable = vec![inside.path().to_owned()];
    let mut pool = pool(options);
    refused(&mut pool, Protection::OpenFiles, Chore::OpenMany(file));
}

fn missing() {
    let inside = tempfile::tempdir().expect("a directory");
    let mut options = options(1);
    options.readable = vec![inside.path().join("not-there")];
    let started = Pool::start(command("worker"), options);
    if cfg!(target_os = "linux") {
        let text = started.err().map(|error| error.to_string());
        assert!(text.is_some_and(|text| text.contains("not-there")));
    }
}

/// The worker of this test reports nothing at all.
fn required() {
    for protection in Protection::ALL {
        let mut options = options(1);
        options.require = vec![protection];
        let error = Pool::start(command("deaf"), options).err();
        assert!(
            matches!(error, Some(SandboxError::Required { protection: p, .. }) if p == protection),
            "{error:?}"
        );
    }
}
