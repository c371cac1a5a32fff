//! A feed of new versions: RSS 2.0 as the default registry publishes it, with
//! elements `name` and `version` in each item, or a title that ends in both.

use camino::Utf8Path;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::{Batch, Change, ChangeKind};
use crate::http::{Answer, Client, Conditions, HttpOptions};
use crate::{IndexError, is_crate_name};

/// The most bytes of a feed.
const FEED_BYTES: u64 = 32 << 20;
/// The most items of a feed that are remembered.
const ITEMS: usize = 20_000;

/// A feed of what was published.
#[derive(Debug)]
pub struct FeedDiscovery {
    address: String,
    client: Client,
    checkpoint: Checkpoint,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    #[serde(flatten)]
    conditions: Conditions,
    /// What the feed held when it was last read.
    seen: Vec<String>,
}

/// One item, with what tells it from others.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    id: String,
    change: Change,
}

impl FeedDiscovery {
    /// The feed at `address`; `checkpoint` remembers what was in it.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(
        address: &str,
        checkpoint: &Utf8Path,
        options: HttpOptions,
    ) -> Result<FeedDiscovery, IndexError> {
        Ok(FeedDiscovery {
            address: address.to_owned(),
            client: Client::new(options)?,
            checkpoint: Checkpoint::new(checkpoint, format!("the feed {address}")),
        })
    }

    /// What is in the feed that was not in it before, oldest first.
    ///
    /// # Errors
    /// The feed cannot be fetched or is none.
    pub fn next(&self) -> Result<Batch, IndexError> {
        let old: State = self.checkpoint.load()?;
        let answer = self
            .client
            .text(&self.address, &old.conditions, false, FEED_BYTES)?;
        let malformed = |reason: String| IndexError::Malformed {
            subject: format!("the feed {}", self.address),
            reason,
        };
        let (text, conditions) = match answer {
            Answer::Text { text, conditions } => (text, conditions),
            Answer::NotModified => {
                return Ok(Batch {
                    changes: Vec::new(),
                    gap: false,
                    more: false,
                    confirm: Box::new(|| Ok(())),
                });
            }
            Answer::Missing => return Err(malformed("there is none".to_owned())),
        };
        let items = parse(&text).map_err(malformed)?;
        // Without anything in common, there may have been more in between.
        let gap = !old.seen.is_empty() && !items.iter().any(|item| old.seen.contains(&item.id));
        let state = State {
            conditions,
            seen: items.iter().map(|item| item.id.clone()).collect(),
        };
        // A feed has the newest first.
        let new = items
            .into_iter()
            .rev()
            .filter(|item| !old.seen.contains(&item.id));
        let checkpoint = self.checkpoint.clone();
        Ok(Batch {
            changes: new.map(|item| item.change).collect(),
            gap,
            more: false,
            confirm: Box::new(move || checkpoint.save(&state)),
        })
    }
}

/// The fields of an item, as they come.
#[derive(Default)]
struct Fields {
    name: String,
    version: String,
    title: String,
    guid: String,
    date: String,
}

fn parse(text: &str) -> Result<Vec<Item>, String> {
    let mut reader = Reader::from_str(text);
    let mut items = Vec::new();
    let mut fields: Option<Fields> = None;
    let mut element = String::new();
    let mut is_feed = false;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Eof => break,
            Event::Start(start) => {
                element = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                is_feed |= matches!(element.as_str(), "rss" | "feed");
                if matches!(element.as_str(), "item" | "entry") {
                    fields = Some(Fields::default());
                }
            }
            Event::End(end) => {
                element.clear();
                if matches!(end.local_name().as_ref(), b"item" | b"entry") {
                    items.extend(fields.take().and_then(item));
                    if items.len() >= ITEMS {
                        break;
                    }
                }
            }
            Event::Text(part) => {
                let part = part.decode().map_err(|error| error.to_string())?;
                push(&mut fields, &element, &part);
            }
            Event::CData(part) => {
                let part = part.decode().map_err(|error| error.to_string())?;
                push(&mut fields, &element, &part);
            }
            _ => {}
        }
    }
    if is_feed {
        Ok(items)
    } else {
        Err("it is not a feed".to_owned())
    }
}

fn push(fields: &mut Option<Fields>, element: &str, part: &str) {
    let Some(fields) = fields else { return };
    let field = match element {
        "name" => &mut fields.name,
        "version" => &mut fields.version,
        "title" => &mut fields.title,
        "guid" | "id" => &mut fields.guid,
        "pubDate" | "published" | "updated" => &mut fields.date,
        _ => return,
    };
    field.push_str(part);
}

/// An item that names a crate; others are skipped.
fn item(fields: Fields) -> Option<Item> {
    let (mut name, mut version) = (fields.name.trim(), fields.version.trim());
    if name.is_empty() {
        // `New crate version published: demo v1.0.0`
        let words = fields.title.rsplit(": ").next()?.trim();
        (name, version) = words.split_once(' ').unwrap_or((words, ""));
    }
    if !is_crate_name(name) {
        return None;
    }
    let version: Option<Version> = match version.trim_start_matches('v') {
        "" => None,
        text => Some(text.parse().ok()?),
    };
    let guid = fields.guid.trim();
    let id = if guid.is_empty() {
        format!("{name} {version:?}")
    } else {
        guid.to_owned()
    };
    Some(Item {
        id,
        change: Change {
            name: name.to_owned(),
            version,
            kind: ChangeKind::Published,
            published: date(fields.date.trim()),
        },
    })
}

fn date(text: &str) -> Option<Timestamp> {
    let rfc2822 = jiff::fmt::rfc2822::DateTimeParser::new();
    rfc2822
        .parse_timestamp(text)
        .ok()
        .or_else(|| text.parse().ok())
}
