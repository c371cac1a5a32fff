//! Asking politely: conditional requests, a rate limit, and patience.

use std::error::Error;
use std::fmt;
use std::io::Read;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::redirect;
use serde::{Deserialize, Serialize};

use crate::IndexError;
use crate::source::{ARCHIVE_BYTES, INDEX_FILE_BYTES};

/// How to ask a registry.
#[derive(Clone)]
pub struct HttpOptions {
    /// Give up on one request after this long.
    pub timeout: Duration,
    /// How often to try before giving up.
    pub attempts: u32,
    /// How long to wait before the second attempt; twice as long before each
    /// further one.
    pub pause: Duration,
    /// The longest wait between two attempts, whatever the registry asks for.
    pub longest_pause: Duration,
    /// The least time between the beginnings of two requests.
    pub interval: Duration,
    /// Who is asking. Registries want to know whom to write to.
    pub user_agent: String,
    /// What to say to a registry that answers nobody else. It is sent to such
    /// a registry alone and never shown.
    pub token: Option<String>,
    /// The most bytes of one crate's index file, unpacked. The largest have a
    /// few megabytes.
    pub index_file_bytes: u64,
    /// The most bytes of one archive.
    pub archive_bytes: u64,
    /// Answer from what was fetched before, and never use the network.
    pub offline: bool,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            timeout: Duration::from_secs(60),
            attempts: 5,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            interval: Duration::ZERO,
            user_agent: concat!("palisade/", env!("CARGO_PKG_VERSION")).to_owned(),
            token: None,
            index_file_bytes: INDEX_FILE_BYTES,
            archive_bytes: ARCHIVE_BYTES,
            offline: false,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .field("interval", &self.interval)
            .field("user_agent", &self.user_agent)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

/// What a registry said about an answer, to ask whether it still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// The tag of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When it last changed, as the registry writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// The answer to a question for text.
#[derive(Debug)]
pub(crate) enum Answer {
    Text {
        text: String,
        conditions: Conditions,
    },
    NotModified,
    Missing,
}

/// A client that keeps to [`HttpOptions`].
pub(crate) struct Client {
    inner: reqwest::blocking::Client,
    pub(crate) options: HttpOptions,
    last: Mutex<Option<Instant>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

/// Why one attempt failed.
pub(crate) enum Failure {
    /// Another attempt may succeed, after this long if the registry says so.
    Passing(Box<dyn Error + Send + Sync>, Option<Duration>),
    /// No other attempt would.
    Lasting(IndexError),
}

impl Client {
    pub(crate) fn new(options: HttpOptions) -> Result<Client, IndexError> {
        // Whoever embeds this crate may have chosen another provider already.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let redirects = redirect::Policy::custom(|attempt| {
            let from = attempt.previous().last().map_or("", |url| url.scheme());
            if from == "https" && attempt.url().scheme() != "https" {
                attempt.error("a redirection gives up encryption")
            } else if attempt.previous().len() > 5 {
                attempt.error("too many redirections")
            } else {
                attempt.follow()
            }
        });
        let inner = reqwest::blocking::Client::builder()
            .user_agent(options.user_agent.clone())
            .timeout(options.timeout)
            .redirect(redirects)
            .build()
            .map_err(|error| IndexError::Fetch {
                address: "anything".to_owned(),
                attempts: 0,
                source: Box::new(error),
            })?;
        Ok(Client {
            inner,
            options,
            last: Mutex::new(None),
        })
    }

    /// Fetches a text of at most `limit` bytes.
    pub(crate) fn text(
        &self,
        address: &str,
        conditions: &Conditions,
        authorised: bool,
        limit: u64,
    ) -> Result<Answer, IndexError> {
        self.patiently(address, || {
            let mut request = self
                .request(address, authorised)
                .header(header::ACCEPT, "text/plain, */*")
                .header(header::ACCEPT_ENCODING, "gzip")
                .header("cargo-protocol", "version=1");
            // With both, servers heed the first alone.
            if let Some(etag) = &conditions.etag {
                request = request.header(header::IF_NONE_MATCH, etag);
            } else if let Some(time) = &conditions.last_modified {
                request = request.header(header::IF_MODIFIED_SINCE, time);
            }
            let response = self.send(address, request)?;
            match response.status().as_u16() {
                304 => Ok(Answer::NotModified),
                404 | 410 | 451 => Ok(Answer::Missing),
                _ => read_text(address, response, limit),
            }
        })
    }

    /// A request for an address, with the token where that is wanted.
    pub(crate) fn request(&self, address: &str, authorised: bool) -> RequestBuilder {
        let request = self.inner.get(address);
        match self.options.token.as_deref().filter(|_| authorised) {
            Some(token) => request.header(header::AUTHORIZATION, token),
            None => request,
        }
    }

    /// Sends a request when its time has come. Whatever status another attempt
    /// could change is a failure.
    pub(crate) fn send(&self, address: &str, request: RequestBuilder) -> Result<Response, Failure> {
        self.wait_for_turn();
        let response = request.send().map_err(passing)?;
        let status = response.status();
        if status.is_success() || matches!(status.as_u16(), 304 | 404 | 410 | 416 | 451) {
            return Ok(response);
        }
        let code = status.as_u16();
        let wait = retry_after(response.headers());
        let error = IndexError::Status {
            address: shown(address),
            status: code,
            message: message(response),
        };
        if status.is_server_error() || code == 429 {
            return Err(Failure::Passing(Box::new(error), wait));
        }
        Err(Failure::Lasting(error))
    }

    /// Tries until it works, the failure lasts, or patience ends.
    pub(crate) fn patiently<T>(
        &self,
        address: &str,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, IndexError> {
        let mut pause = self.options.pause;
        let mut tried = 0;
        loop {
            tried += 1;
            let (source, asked) = match attempt() {
                Ok(done) => return Ok(done),
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing(source, asked)) => (source, asked),
            };
            if tried >= self.options.attempts {
                return Err(IndexError::Fetch {
                    address: shown(address),
                    attempts: tried,
                    source,
                });
            }
            std::thread::sleep(asked.unwrap_or(pause).min(self.options.longest_pause));
            pause = pause.saturating_mul(2);
        }
    }

    fn wait_for_turn(&self) {
        if self.options.interval.is_zero() {
            return;
        }
        // The lock is held while waiting: the next one waits behind it.
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(last) = *last {
            std::thread::sleep(self.options.interval.saturating_sub(last.elapsed()));
        }
        *last = Some(Instant::now());
    }
}

fn passing(error: reqwest::Error) -> Failure {
    // Its own text names the address with whatever is in it.
    Failure::Passing(Box::new(error.without_url()), None)
}

fn read_text(address: &str, response: Response, limit: u64) -> Result<Answer, Failure> {
    let field = |name: HeaderName| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let conditions = Conditions {
        etag: field(header::ETAG),
        last_modified: field(header::LAST_MODIFIED),
    };
    let packed = field(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    let mut bytes = Vec::new();
    let most = limit.saturating_add(1);
    let read = if packed {
        MultiGzDecoder::new(response.take(most))
            .take(most)
            .read_to_end(&mut bytes)
    } else {
        response.take(most).read_to_end(&mut bytes)
    };
    // A connection that breaks off is a failure here.
    read.map_err(|error| Failure::Passing(Box::new(error), None))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::Lasting(IndexError::TooLarge {
            subject: shown(address),
            limit,
        }));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::Lasting(IndexError::Malformed {
            subject: shown(address),
            reason: "it is not UTF-8".to_owned(),
        })
    })?;
    Ok(Answer::Text { text, conditions })
}

/// How long the registry wants us to wait. Dates are not understood; then the
/// usual pause applies.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The beginning of what the registry says, on one line and harmless.
fn message(response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    response.take(2048).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.trim().lines().next()?;
    let shown: String = line.chars().filter(|c| !c.is_control()).take(512).collect();
    (!shown.is_empty()).then_some(shown)
}

/// An address without a user name, a password or a query.
pub(crate) fn shown(address: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(address) else {
        return "an address that is none".to_owned();
    };
    // Both fail for addresses that cannot have either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.into()
}
