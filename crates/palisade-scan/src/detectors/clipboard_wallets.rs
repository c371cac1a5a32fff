//! Addresses of wallets in the clipboard.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};

detector! {
    /// The clipboard is watched for addresses of wallets.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, use the clipboard and hold a pattern that finds
    /// keys or addresses of wallets, or that read and replace its contents and know how such addresses
    /// begin.
    ///
    /// ## Why is this bad?
    /// Whoever pastes an address pastes the attacker's.
    ///
    /// ## Example
    /// ```rust
    /// let mut board = arboard::Clipboard::new()?;
    /// if Regex::new("0x[a-fA-F0-9]{64}")?.is_match(&board.get_text()?) {
    ///     board.set_text(OURS)?;
    /// }
    /// ```
    ///
    /// ## How to fix it
    /// Leave the clipboard alone unless the user asks for it.
    ClipboardWallets "clipboard-wallets" Malice High Medium Stable
}

impl ClipboardWallets {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            let replaces = scope.has(Fact::ClipboardWrite) && scope.has(Fact::ClipboardRead);
            scope.has(Fact::Clipboard)
                && (scope.has(Fact::WalletPattern) || replaces && scope.has(Fact::WalletShape))
        };
        for scope in subject.facts().scopes(3, condition) {
            let places = scope.places(
                subject,
                &[
                    Fact::Clipboard,
                    Fact::WalletPattern,
                    Fact::WalletShape,
                    Fact::ClipboardWrite,
                ],
            );
            let message = format!("{} looks for wallets in the clipboard", scope.unit.as_str());
            findings
                .add(&Self::RULE, message, places)
                .reached_as(&scope);
        }
    }
}
