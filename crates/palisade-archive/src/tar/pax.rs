//! PAX records, `length key=value\n` each, after POSIX.1-2001.

/// What the records of one header say, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// A key of the GNU sparse formats.
    pub(super) sparse: bool,
    /// Malformed, or a key occurs twice.
    pub(super) odd: Option<&'static str>,
}

/// Reads records. The length decides where one ends; cargo's parser splits at
/// line ends and sees another record in a value that holds one, so such a
/// value is odd.
pub(super) fn parse(mut bytes: &[u8]) -> Records {
    let mut records = Records::default();
    while !bytes.is_empty() {
        let Some((key, value, rest)) = record(bytes) else {
            records.odd = Some("malformed");
            return records;
        };
        bytes = rest;
        if value.contains(&b'\n') {
            records.odd = Some("a line end in a value");
        }
        let twice = match key {
            b"path" => known_before(&mut records.path, value.to_vec()),
            b"linkpath" => known_before(&mut records.link, value.to_vec()),
            b"size" => {
                let digits = value.iter().all(u8::is_ascii_digit);
                let number = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse().ok());
                match number.filter(|_| digits) {
                    Some(number) => known_before(&mut records.size, number),
                    None => {
                        records.odd = Some("the size is no number");
                        false
                    }
                }
            }
            key => {
                records.sparse |= key.starts_with(b"GNU.sparse.");
                false
            }
        };
        if twice {
            records.odd = Some("a key occurs twice");
        }
    }
    records
}

/// Keeps the first value of a key, as cargo's parser does, and says whether
/// this is another one.
fn known_before<T>(slot: &mut Option<T>, value: T) -> bool {
    let known = slot.is_some();
    slot.get_or_insert(value);
    known
}

/// The first record's key and value, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let digits = &bytes[..space];
    if digits.is_empty() || digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let body = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&byte| byte == b'=')?;
    Some((&body[..equals], &body[equals + 1..], rest))
}
