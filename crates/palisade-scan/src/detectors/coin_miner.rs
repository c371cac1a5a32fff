//! Mining at somebody else's expense.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Code mines coins.
    ///
    /// ## What it does
    /// Looks for the protocol of mining pools, with or without its name, and for well-known miners,
    /// beside code that uses the network or starts programs.
    ///
    /// ## Why is this bad?
    /// It uses the machines of whoever builds or runs it. Software of miners and pools does it openly,
    /// which is why it is *medium* where name or description say so and nothing is hidden.
    ///
    /// ## Example
    /// ```rust
    /// Command::new("./helper").args(["-o", "stratum+tcp://pool.example.invalid:3333"]).spawn()?;
    /// ```
    ///
    /// ## How to fix it
    /// Remove it.
    CoinMiner "coin-miner" Malice High High Stable
}

impl CoinMiner {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            scope.has(Fact::Miner)
                && scope.any(&[Fact::Network, Fact::Process, Fact::NetworkCommand])
        };
        for scope in subject.facts().scopes(2, condition) {
            let openly = subject.says(&["mine", "mining", "miner", "stratum", "pool"]);
            let severe =
                scope.unit.is_build() || scope.any(&[Fact::HiddenText, Fact::Process]) || !openly;
            let severity = if severe {
                Severity::High
            } else {
                Severity::Medium
            };
            let places = scope.places(subject, &[Fact::Miner, Fact::Process, Fact::Network]);
            let message = format!("{} mines coins", scope.unit.as_str());
            findings
                .rated(&Self::RULE, severity, Confidence::Medium, message, places)
                .reached_as(&scope);
        }
    }
}
