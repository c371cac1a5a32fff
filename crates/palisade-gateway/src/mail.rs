//! Mails over SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::GatewayError;
use crate::config::{Mail, Security};

/// How long a mail server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends mails.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    pub(crate) fn open(config: &Mail) -> Result<Mailer, GatewayError> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let failed = |reason: String| GatewayError::Mail { reason };
        let from = config
            .from
            .parse()
            .map_err(|error| failed(format!("`from` is no address: {error}")))?;
        let mut builder = match config.security {
            Security::Starttls => Transport::starttls_relay(&config.server),
            Security::Tls => Transport::relay(&config.server),
            Security::None => Ok(Transport::builder_dangerous(&config.server)),
        }
        .map_err(|error| failed(error.to_string()))?
        .timeout(Some(PATIENCE));
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(file)) = (&config.user, &config.password_file) {
            let password = std::fs::read_to_string(file).map_err(|source| GatewayError::File {
                operation: "read",
                path: file.clone(),
                source,
            })?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Mailer {
            transport: builder.build(),
            from,
        })
    }

    /// Sends one mail; why not, when it was not taken.
    pub(crate) async fn send(&self, to: &str, subject: &str, body: &str) -> Result<(), String> {
        let to: Mailbox = to
            .parse()
            .map_err(|error| format!("the address cannot be used: {error}"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            // Names of tokens are their users' text, and must not end a line.
            .subject(palisade_archive::visible(subject))
            .header(header::ContentType::TEXT_PLAIN)
            .body(body.to_owned())
            .map_err(|error| error.to_string())?;
        self.transport
            .send(message)
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}
