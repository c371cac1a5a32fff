//! How advisories and users name functions.

use std::fmt;

use thiserror::Error;

/// The path of a function, a type, a trait, a macro or a whole crate, as an
/// advisory or a user writes it. What it names is for a resolver to find out.
///
/// Advisories begin with the crate's library name (`demo::Pool<H,T>::free`).
/// Users may also write `Pool::free`, a bare `demo`, or `<T as Trait>::method`.
/// Generic arguments may stand behind `::` or not, a leading `::` is dropped,
/// and so is a trailing `!` or `()`.
///
/// `Display` writes the same path in one normal form, which parses to an equal
/// value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionPath {
    /// The part in angle brackets that the path begins with, if it does.
    pub qualified: Option<QualifiedSelf>,
    /// The segments that follow, at least one.
    pub segments: Vec<Segment>,
}

/// `<T as Trait>` or `<T>` at the head of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QualifiedSelf {
    /// The type, as written with runs of white space made one blank.
    pub self_type: String,
    /// The path of the trait, when one is named.
    pub trait_path: Option<Vec<Segment>>,
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    /// The identifier, without `r#`.
    pub name: String,
    /// The generic arguments, as written with runs of white space made one
    /// blank; `None` where there are no angle brackets.
    pub generics: Option<Vec<String>>,
}

/// A path that cannot be read. Offsets count bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// Nothing but white space.
    #[error("the path is empty")]
    Empty,
    /// Longer than any real path.
    #[error("the path has {length} bytes, more than the {limit} that are allowed")]
    TooLong {
        /// The length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A name was expected.
    #[error("expected a name at offset {offset}, found {}", describe(*.found))]
    ExpectedName {
        /// Where.
        offset: usize,
        /// What stands there, `None` at the end.
        found: Option<char>,
    },
    /// `::` was expected.
    #[error("expected `::` at offset {offset}, found {}", describe(*.found))]
    ExpectedSeparator {
        /// Where.
        offset: usize,
        /// What stands there, `None` at the end.
        found: Option<char>,
    },
    /// Brackets that do not pair up.
    #[error("the bracket at offset {offset} has no partner")]
    Unbalanced {
        /// Where the first such bracket is.
        offset: usize,
    },
    /// Angle brackets behind a segment that already has some.
    #[error("a second list of generic arguments at offset {offset}")]
    RepeatedGenerics {
        /// Where it begins.
        offset: usize,
    },
    /// An argument, or the type in `<T as Trait>`, that is missing or breaks
    /// off.
    #[error("an empty or unfinished type in the brackets at offset {offset}")]
    EmptyArgument {
        /// Where the brackets begin.
        offset: usize,
    },
}

fn describe(found: Option<char>) -> String {
    match found {
        Some(found) => format!("`{}`", found.escape_default()),
        None => "the end".to_owned(),
    }
}

/// Advisories stay below 120 bytes; a type written out in full may be long.
const MAX_LENGTH: usize = 4096;

impl FunctionPath {
    /// Reads a path.
    ///
    /// # Errors
    /// When the text does not have one of the forms above.
    pub fn parse(text: &str) -> Result<FunctionPath, PathError> {
        if text.len() > MAX_LENGTH {
            return Err(PathError::TooLong {
                length: text.len(),
                limit: MAX_LENGTH,
            });
        }
        let mut cursor = Cursor {
            text: trim_call(text),
            offset: 0,
        };
        cursor.skip_blanks();
        if cursor.rest().is_empty() {
            return Err(PathError::Empty);
        }
        if cursor.rest().starts_with('<') {
            let qualified = Some(cursor.qualified_self()?);
            cursor.expect_separator()?;
            return Ok(FunctionPath {
                qualified,
                segments: cursor.segments()?,
            });
        }
        cursor.eat("::");
        Ok(FunctionPath {
            qualified: None,
            segments: cursor.segments()?,
        })
    }

    /// The first segment, which in an advisory is the crate's library name;
    /// `None` for `<T as Trait>::method`.
    pub fn crate_name(&self) -> Option<&str> {
        if self.qualified.is_some() {
            return None;
        }
        self.segments.first().map(|segment| segment.name.as_str())
    }

    /// The last segment, which names the function itself where the path names
    /// a function.
    pub fn last(&self) -> &Segment {
        self.segments
            .last()
            .expect("a path has at least one segment")
    }
}

impl fmt::Display for FunctionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(qualified) = &self.qualified {
            write!(f, "<{}", qualified.self_type)?;
            if let Some(trait_path) = &qualified.trait_path {
                f.write_str(" as ")?;
                write_segments(f, trait_path)?;
            }
            f.write_str(">::")?;
        }
        write_segments(f, &self.segments)
    }
}

fn write_segments(f: &mut fmt::Formatter<'_>, segments: &[Segment]) -> fmt::Result {
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            f.write_str("::")?;
        }
        write!(f, "{segment}")?;
    }
    Ok(())
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.generics {
            Some(arguments) => write!(f, "<{}>", arguments.join(", ")),
            None => Ok(()),
        }
    }
}

/// Drops what makes a path a call.
fn trim_call(text: &str) -> &str {
    let text = text.trim_end();
    let text = text.strip_suffix("()").unwrap_or(text);
    text.strip_suffix('!').unwrap_or(text)
}

struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn skip_blanks(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_start().len();
    }

    /// Skips blanks, the token if it stands there, and blanks behind it.
    fn eat(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.offset += token.len();
            self.skip_blanks();
        }
        found
    }

    fn expect_separator(&mut self) -> Result<(), PathError> {
        if self.eat("::") {
            return Ok(());
        }
        Err(PathError::ExpectedSeparator {
            offset: self.offset,
            found: self.rest().chars().next(),
        })
    }

    /// Reads segments up to the end of the text.
    fn segments(&mut self) -> Result<Vec<Segment>, PathError> {
        let mut segments: Vec<Segment> = Vec::new();
        loop {
            match segments.last_mut() {
                Some(last) if self.rest().starts_with('<') => {
                    if last.generics.is_some() {
                        return Err(PathError::RepeatedGenerics {
                            offset: self.offset,
                        });
                    }
                    last.generics = Some(self.generics()?);
                }
                _ => {
                    let name = self.name()?;
                    self.skip_blanks();
                    let generics = match self.rest().starts_with('<') {
                        true => Some(self.generics()?),
                        false => None,
                    };
                    segments.push(Segment { name, generics });
                }
            }
            self.skip_blanks();
            if self.rest().is_empty() {
                return Ok(segments);
            }
            self.expect_separator()?;
        }
    }

    fn name(&mut self) -> Result<String, PathError> {
        let raw = self.rest().strip_prefix("r#");
        let rest = raw.unwrap_or(self.rest());
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || name.starts_with(char::is_numeric) {
            let found = self.rest().chars().next();
            return Err(PathError::ExpectedName {
                offset: self.offset,
                found,
            });
        }
        self.offset += end + self.rest().len() - rest.len();
        Ok(name.to_owned())
    }

    /// Reads `<A, B>`; the cursor stands at the opening bracket.
    fn generics(&mut self) -> Result<Vec<String>, PathError> {
        let open = self.offset;
        let inner = self.angle_brackets()?;
        if inner.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments: Vec<String> = split(inner, ',').map(normalise).collect();
        // A trailing comma is not an argument.
        if arguments.len() > 1 && arguments.last().is_some_and(String::is_empty) {
            arguments.pop();
        }
        match arguments.iter().all(|argument| is_type(argument)) {
            true => Ok(arguments),
            false => Err(PathError::EmptyArgument { offset: open }),
        }
    }

    /// Reads `<T as Trait>` or `<T>`; the cursor stands at the opening bracket.
    fn qualified_self(&mut self) -> Result<QualifiedSelf, PathError> {
        let open = self.offset;
        let inner = self.angle_brackets()?;
        let (self_type, trait_path) = match find_as(inner) {
            None => (inner, None),
            Some(at) => {
                // Errors inside the trait's path count from the whole text.
                let start = open + 1 + at + "as".len();
                let mut cursor = Cursor {
                    text: &self.text[..open + 1 + inner.len()],
                    offset: start,
                };
                cursor.skip_blanks();
                cursor.eat("::");
                (&inner[..at], Some(cursor.segments()?))
            }
        };
        let self_type = normalise(self_type);
        if !is_type(&self_type) {
            return Err(PathError::EmptyArgument { offset: open });
        }
        Ok(QualifiedSelf {
            self_type,
            trait_path,
        })
    }

    /// Passes a pair of angle brackets and returns what is between them.
    fn angle_brackets(&mut self) -> Result<&'a str, PathError> {
        let open = self.offset;
        let mut expected = Vec::new();
        for (offset, bracket, is_open) in brackets(self.rest()) {
            if is_open {
                expected.push(partner(bracket));
            } else if expected.pop() != Some(bracket) {
                return Err(PathError::Unbalanced {
                    offset: open + offset,
                });
            }
            if expected.is_empty() {
                self.offset = open + offset + 1;
                return Ok(&self.text[open + 1..open + offset]);
            }
        }
        Err(PathError::Unbalanced { offset: open })
    }
}

/// Whether something stands there, and not half an arrow that a bracket behind
/// it would complete.
fn is_type(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('-')
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn partner(open: char) -> char {
    match open {
        '<' => '>',
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The brackets of a type: offset, character, and whether it opens. The `>`
/// of an arrow is none.
fn brackets(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let mut previous = None;
    text.char_indices().filter_map(move |(offset, c)| {
        let arrow = c == '>' && previous == Some('-');
        previous = Some(c);
        match c {
            '<' | '(' | '[' | '{' => Some((offset, c, true)),
            '>' | ')' | ']' | '}' if !arrow => Some((offset, c, false)),
            _ => None,
        }
    })
}

/// Splits at a character that stands outside all brackets. The brackets are
/// balanced already.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut depths = brackets(text).peekable();
    let mut depth = 0usize;
    let mut ends = Vec::new();
    for (offset, _) in text.match_indices(separator) {
        while let Some((_, _, is_open)) = depths.next_if(|(bracket, ..)| *bracket < offset) {
            depth = if is_open {
                depth + 1
            } else {
                depth.saturating_sub(1)
            };
        }
        if depth == 0 {
            ends.push(offset);
        }
    }
    let starts = std::iter::once(0).chain(ends.clone().into_iter().map(|end| end + 1));
    starts
        .zip(ends.into_iter().chain(std::iter::once(text.len())))
        .map(|(s, e)| &text[s..e])
}

/// The offset of the keyword `as` outside all brackets, the last one.
fn find_as(text: &str) -> Option<usize> {
    let depth_at = |offset: usize| {
        brackets(text)
            .take_while(|(bracket, ..)| *bracket < offset)
            .fold(
                0i64,
                |depth, bracket| {
                    if bracket.2 { depth + 1 } else { depth - 1 }
                },
            )
    };
    text.rmatch_indices("as")
        .map(|(offset, _)| offset)
        .find(|&offset| {
            let before = text[..offset].chars().next_back();
            let after = text[offset + 2..].chars().next();
            !before.is_some_and(|c| is_name(c) || c == '#')
                && !after.is_some_and(is_name)
                && depth_at(offset) == 0
        })
}

fn normalise(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses, compares the normal form, and parses that again.
    #[track_caller]
    fn check(text: &str, normal_form: &str) -> FunctionPath {
        let path = FunctionPath::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(path.to_string(), normal_form);
        assert_eq!(FunctionPath::parse(normal_form).as_ref(), Ok(&path));
        path
    }

    fn segment(name: &str, generics: &[&str]) -> Segment {
        let generics = generics
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        Segment {
            name: name.to_owned(),
            generics: Some(generics),
        }
    }

    /// Guards each shape that occurs in published advisories.
    #[test]
    fn shapes_of_advisories() {
        assert_eq!(check("a::b::c", "a::b::c").segments.len(), 3);
        let path = check(
            "crayon::utils::ObjectPool<H,T>::free",
            "crayon::utils::ObjectPool<H, T>::free",
        );
        assert_eq!(path.segments[2], segment("ObjectPool", &["H", "T"]));
        let path = check(
            "diesel::deserialize::FromSql::<Text,Sqlite>::from_sql",
            "diesel::deserialize::FromSql<Text, Sqlite>::from_sql",
        );
        assert_eq!(path.segments[2], segment("FromSql", &["Text", "Sqlite"]));
        assert_eq!(path.last().name, "from_sql");
        let path = check(
            "diesel::ToSql<Timestamp,Mysql>",
            "diesel::ToSql<Timestamp, Mysql>",
        );
        assert_eq!(path.last(), &segment("ToSql", &["Timestamp", "Mysql"]));
        let path = check(
            "prost_types::Timestamp::Into<SystemTime>",
            "prost_types::Timestamp::Into<SystemTime>",
        );
        assert_eq!(path.crate_name(), Some("prost_types"));
    }

    /// Guards the forms that only users write.
    #[test]
    fn forms_of_users() {
        let path = check(
            "<Vec<T> as core::ops::Index<usize>>::index",
            "<Vec<T> as core::ops::Index<usize>>::index",
        );
        let qualified = path.qualified.clone().unwrap();
        assert_eq!(qualified.self_type, "Vec<T>");
        assert_eq!(
            qualified.trait_path.unwrap()[2],
            segment("Index", &["usize"])
        );
        assert_eq!(path.crate_name(), None);
        check("<&mut [u8] as Read>::read", "<&mut [u8] as Read>::read");
        check("<T>::m", "<T>::m");
        check("<<T as A>::B as C>::m", "<<T as A>::B as C>::m");
        check("<fn(u8) -> u8 as Tr>::m", "<fn(u8) -> u8 as Tr>::m");
        check("Type::m", "Type::m");
        check("demo", "demo");
        check(" ::demo :: r#type ", "demo::type");
        check("demo::offset_of!", "demo::offset_of");
        check("demo::run()", "demo::run");
        let path = check(
            "a::F<fn(A, B) -> C, [u8; 3],>",
            "a::F<fn(A, B) -> C, [u8; 3]>",
        );
        assert_eq!(path.last(), &segment("F", &["fn(A, B) -> C", "[u8; 3]"]));
    }

    /// Guards that each mistake is told apart and placed.
    #[test]
    fn mistakes() {
        let check = |text: &str, error: PathError| {
            assert_eq!(FunctionPath::parse(text), Err(error), "{text}");
        };
        check("  ", PathError::Empty);
        check(
            "a::",
            PathError::ExpectedName {
                offset: 3,
                found: None,
            },
        );
        check(
            "a::-b",
            PathError::ExpectedName {
                offset: 3,
                found: Some('-'),
            },
        );
        check(
            "a::1b",
            PathError::ExpectedName {
                offset: 3,
                found: Some('1'),
            },
        );
        check(
            "a-b::c",
            PathError::ExpectedSeparator {
                offset: 1,
                found: Some('-'),
            },
        );
        check(
            "a:b",
            PathError::ExpectedSeparator {
                offset: 1,
                found: Some(':'),
            },
        );
        check(
            "<T>",
            PathError::ExpectedSeparator {
                offset: 3,
                found: None,
            },
        );
        check("a<b", PathError::Unbalanced { offset: 1 });
        check("a<(b>", PathError::Unbalanced { offset: 4 });
        check("a<b>::<c>", PathError::RepeatedGenerics { offset: 6 });
        check("a<b,,c>", PathError::EmptyArgument { offset: 1 });
        check("< as T>::m", PathError::EmptyArgument { offset: 0 });
        // Printed without the blank, this would be an arrow.
        check("<a- >::m", PathError::EmptyArgument { offset: 0 });
        check("a<b, c- >", PathError::EmptyArgument { offset: 1 });
        check(
            "<T as >::m",
            PathError::ExpectedName {
                offset: 6,
                found: None,
            },
        );
        check(
            &"a".repeat(5000),
            PathError::TooLong {
                length: 5000,
                limit: 4096,
            },
        );
    }
}
