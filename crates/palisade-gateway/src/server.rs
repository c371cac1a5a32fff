//! The running service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use palisade_store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::catalogue::{Catalogue, chain};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::http::{self, App};
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::policy::Mode;
use crate::scanner::Scanner;
use crate::{GatewayError, admin, jobs, tls};

/// How often changes of other processes are looked for. A hold or a release by
/// command is seen that fast.
const FOLLOW: Duration = Duration::from_millis(250);

/// How often the database of advisories is read again.
const ADVISORIES: Duration = Duration::from_secs(600);

/// How often holds that end are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How long requests in flight may take when the service ends.
const FAREWELL: Duration = Duration::from_secs(30);

/// The setting that names the policy that versions were last judged by.
const POLICY: &str = "policy";

/// What a gateway is made of, beside its configuration.
#[derive(Clone)]
pub struct Parts {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What looks into archives.
    pub scanner: Option<Arc<dyn Scanner>>,
    /// How often holds that end are looked for.
    pub sweep: Duration,
}

impl Default for Parts {
    fn default() -> Parts {
        Parts {
            clock: Arc::new(SystemClock),
            scanner: None,
            sweep: SWEEP,
        }
    }
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    store: Store,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts to serve, and returns as soon as requests are answered.
    ///
    /// # Errors
    /// The state cannot be opened, the address cannot be listened at, or the
    /// configuration asks for what is not there.
    pub async fn start(config: Config, parts: Parts) -> Result<Gateway, GatewayError> {
        let mut config = config;
        config.policy.settle(parts.scanner.is_some());
        if config.policy.scan.mode() != Mode::Off && parts.scanner.is_none() {
            return Err(GatewayError::NoScanner);
        }
        let store = admin::open(&config).await?;
        let listen = config.listen;
        let failed = |source| GatewayError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // With port 0, the system has chosen one.
        config.listen = address;
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let mailer = config.mail.as_ref().map(Mailer::open).transpose()?;
        let mailer = mailer.map(Arc::new);
        let config = Arc::new(config);
        // A client with a connection pool of its own is made, which must not
        // happen on a thread that serves.
        let catalogue = {
            let (store, config) = (store.clone(), config.clone());
            let (clock, scanner) = (parts.clock.clone(), parts.scanner.clone());
            tokio::task::spawn_blocking(move || {
                Catalogue::new(store, config, clock, Arc::new(Metrics::default()), scanner)
            })
            .await
            .map_err(|error| GatewayError::Refused(error.to_string()))??
        };
        let catalogue = Arc::new(catalogue);
        let head = store.head().await?;
        catalogue.reload_orders().await?;
        judge_by_policy(&catalogue).await?;

        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        let router = http::router(App::new(catalogue.clone())?);
        let mut ended = stopped.clone();
        let signal = async move {
            let _ = ended.wait_for(|&stop| stop).await;
        };
        tasks.push(match acceptor {
            None => tokio::spawn(async move {
                let service = axum::serve(listener, router).with_graceful_shutdown(signal);
                log_end(service.await);
            }),
            Some(acceptor) => tokio::spawn(async move {
                let listener = tls::TlsListener::new(listener, acceptor);
                let service = axum::serve(listener, router).with_graceful_shutdown(signal);
                log_end(service.await);
            }),
        });
        tasks.push(tokio::spawn(follow(
            catalogue.clone(),
            head,
            stopped.clone(),
        )));
        tasks.push(tokio::spawn(read_advisories(
            catalogue.clone(),
            stopped.clone(),
        )));
        tasks.push(tokio::spawn(jobs::schedule(
            catalogue.clone(),
            parts.sweep,
            stopped.clone(),
        )));
        for number in 0..jobs::WORKERS {
            let name = format!("{}:{address}:{number}", std::process::id());
            let work = jobs::work(catalogue.clone(), mailer.clone(), name, stopped.clone());
            tasks.push(tokio::spawn(work));
        }
        Ok(Gateway {
            address,
            store,
            stop,
            tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its state.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Answers what is being asked, accepts nothing more, and ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for mut task in self.tasks {
            if tokio::time::timeout(FAREWELL, &mut task).await.is_err() {
                tracing::warn!("requests were cut off");
                task.abort();
            }
        }
        self.store.close().await;
    }
}

fn log_end(result: std::io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "the service ended");
    }
}

/// After a change of the policy, what it decided before is looked at again.
async fn judge_by_policy(catalogue: &Catalogue) -> Result<(), GatewayError> {
    let fingerprint = format!(
        "{} {}",
        catalogue.config.policy.fingerprint(),
        catalogue.advisories.fingerprint()
    );
    let before = catalogue.store.setting(POLICY).await?;
    if before.as_ref() == Some(&fingerprint) {
        return Ok(());
    }
    catalogue.judge_everything().await?;
    let actor = palisade_store::Actor::policy();
    let mut tx = catalogue.store.begin(&actor, catalogue.clock.now()).await?;
    tx.set(POLICY, &fingerprint).await?;
    Ok(tx.commit().await?)
}

/// Forgets what other processes have changed. Every change has a record, so
/// the audit log says what that is.
async fn follow(catalogue: Arc<Catalogue>, mut seen: i64, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|&stop| stop) => return,
            () = tokio::time::sleep(FOLLOW) => {}
        }
        match catalogue.store.records(seen).await {
            Ok(records) => {
                let mut ordered = orders_end(&catalogue);
                for record in &records {
                    let mut words = record.subject.split(' ');
                    match (words.next(), words.next()) {
                        (Some("crate" | "version"), Some(name)) => catalogue.forget(name),
                        (Some("waiver" | "hold" | "name"), _) => ordered = true,
                        _ => {}
                    }
                    seen = record.seq;
                }
                if ordered && let Err(error) = catalogue.reload_orders().await {
                    tracing::error!(error = %chain(&error), "cannot read what was ordered");
                }
            }
            Err(error) => tracing::error!(error = %chain(&error), "cannot follow changes"),
        }
    }
}

/// Whether something that was ordered is over.
fn orders_end(catalogue: &Catalogue) -> bool {
    let next = catalogue.orders().next;
    next.is_some_and(|next| next <= catalogue.clock.now())
}

/// Reads the database of advisories again, now and then.
async fn read_advisories(catalogue: Arc<Catalogue>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|&stop| stop) => return,
            () = tokio::time::sleep(ADVISORIES) => {}
        }
        let reading = catalogue.clone();
        let read = tokio::task::spawn_blocking(move || reading.advisories.reload()).await;
        let judged = match read {
            Ok(Ok(true)) => judge_by_policy(&catalogue).await,
            Ok(Ok(false)) | Err(_) => Ok(()),
            Ok(Err(error)) => Err(error),
        };
        if let Err(error) = judged {
            tracing::error!(error = %chain(&error), "cannot follow the advisories; what they said before counts");
        }
    }
}
