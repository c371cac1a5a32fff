//! Tokens of chats.

use super::{SecretRule, checks, secret};

/// The families, in the order of the documentation.
pub(super) const RULES: &[SecretRule] = &[
    secret! {
        /// A token of Slack.
        "secret-slack-token" High, anchors: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe."], before: 0, length: 200,
        pattern: r"(?:^|[^A-Za-z0-9])(xox[bpars]-[0-9]{9,14}-[0-9A-Za-z-]{20,}|xoxe[.-][A-Za-z0-9-]{60,})",
        check: checks::random
    },
    secret! {
        /// An application token of Slack.
        "secret-slack-app-token" High, anchors: &["xapp-"], before: 0, length: 130,
        pattern: r"(xapp-[0-9]-[A-Z0-9]{9,13}-[0-9]{10,15}-[0-9a-f]{64})",
        check: checks::random
    },
    secret! {
        /// A webhook of Slack.
        "secret-slack-webhook" High, anchors: &["hooks.slack.com/"], before: 8, length: 120,
        pattern: r"(hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{7,12}/[AB][A-Z0-9]{7,12}/[A-Za-z0-9/]{20,44})",
        check: checks::random
    },
    secret! {
        /// A webhook of Discord.
        "secret-discord-webhook" High, anchors: &["/api/webhooks/"], before: 20, length: 130,
        pattern: r"(discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80})",
        check: checks::random
    },
    secret! {
        /// A token of a Discord bot.
        "secret-discord-bot-token" Critical, anchors: &["discord", "DISCORD", "Discord"], before: 0, length: 160,
        pattern: r"(?:^|[^A-Za-z0-9_.-])([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})(?:$|[^A-Za-z0-9_.-])",
        check: checks::discord_bot
    },
    secret! {
        /// A token of a Telegram bot.
        "secret-telegram-bot-token" Critical, anchors: &[":AA"], before: 11, length: 40,
        pattern: r"(?:^|[^A-Za-z0-9])([0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?:$|[^A-Za-z0-9_-])",
        check: checks::random
    },
];
