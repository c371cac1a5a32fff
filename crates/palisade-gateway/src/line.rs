//! Index lines, changed in nothing but `yanked`.

use std::borrow::Cow;
use std::ops::Range;

/// The line with `yanked` as wanted; every other byte is kept, and so is the
/// whole line when it says so already. `None` when it is not the line of a
/// JSON object.
pub(crate) fn with_yanked(line: &str, wanted: bool) -> Option<Cow<'_, str>> {
    let text = if wanted { "true" } else { "false" };
    match value_of_yanked(line) {
        Some(range) if &line[range.clone()] == text => Some(Cow::Borrowed(line)),
        Some(range) => Some(Cow::Owned(format!(
            "{}{text}{}",
            &line[..range.start],
            &line[range.end..]
        ))),
        None if !wanted => Some(Cow::Borrowed(line)),
        None => {
            let end = line.rfind('}')?;
            let comma = if line[..end].trim_end().ends_with('{') {
                ""
            } else {
                ","
            };
            let (before, after) = line.split_at(end);
            Some(Cow::Owned(format!("{before}{comma}\"yanked\":true{after}")))
        }
    }
}

/// Where the value of the object's own key `yanked` stands. Keys of
/// dependencies and features lie deeper, and texts are skipped.
fn value_of_yanked(line: &str) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let (mut at, mut depth) = (0, 0_u32);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(bytes, at)?;
                let colon = skip_space(bytes, end + 1);
                if depth == 1 && &line[at..=end] == "\"yanked\"" && bytes.get(colon) == Some(&b':')
                {
                    let start = skip_space(bytes, colon + 1);
                    let length = bytes[start..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_alphabetic())
                        .count();
                    return Some(start..start + length);
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::with_yanked;

    /// Guards the bytes of lines: what cargo has pinned must stay as it is.
    #[test]
    fn only_the_value_changes() {
        let line = r#"{"name":"a","deps":[{"name":"yanked","yanked":true}],"x":"\"yanked\":true","yanked" : false , "new":[1]}"#;
        let changed = with_yanked(line, true).unwrap();
        assert_eq!(changed, line.replace(": false", ": true"));
        assert_eq!(with_yanked(&changed, false).unwrap(), line);
        assert_eq!(with_yanked(line, false).unwrap(), line);
        assert_eq!(with_yanked("{}", true).unwrap(), r#"{"yanked":true}"#);
        assert_eq!(with_yanked(r#"{"a":1}"#, false).unwrap(), r#"{"a":1}"#);
        assert_eq!(
            with_yanked(r#"{"a":1}"#, true).unwrap(),
            r#"{"a":1,"yanked":true}"#
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"(yanked|[\\"{}:, a-z]){0,6}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(r#"(yanked|[a-z"\\]{0,3})"#, inner, 0..4)
                    .prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        /// Guards against a line that hides its own key from the scanner.
        #[test]
        fn agrees_with_a_parser(
            mut object in prop::collection::btree_map(r#"[a-z"\\{]{0,4}"#, value(), 0..5),
            has in any::<Option<bool>>(),
            wanted in any::<bool>(),
        ) {
            if let Some(yanked) = has {
                object.insert("yanked".to_owned(), json!(yanked));
            }
            let line = json!(object).to_string();
            let changed = with_yanked(&line, wanted).unwrap();
            if wanted || has.is_some() {
                object.insert("yanked".to_owned(), json!(wanted));
            }
            prop_assert_eq!(serde_json::from_str::<Value>(&changed).unwrap(), json!(object));
        }
    }
}
