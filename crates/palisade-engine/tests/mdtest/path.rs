//! Paths as assertions write them, and which functions they mean.

use palisade_model::Function;

/// `crate::module::Type::method`, any suffix of it, or `<Type as Trait>::method`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// As written, for messages.
    pub(crate) text: String,
    /// Last segments of `Type` and `Trait`.
    qualified: Option<(String, String)>,
    /// The path's segments without generics; the last is the function's name.
    segments: Vec<String>,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        let wrong = || format!("`{text}` is not a path");
        let (qualified, rest) = match text.strip_prefix('<') {
            Some(inner) => {
                let close = closing(inner).ok_or_else(wrong)?;
                let (ty, tr) = split_as(&inner[..close]).ok_or_else(wrong)?;
                let rest = inner[close + 1..].strip_prefix("::").ok_or_else(wrong)?;
                (Some((type_name(ty), type_name(tr))), rest)
            }
            None => (None, text),
        };
        let segments = segments(rest);
        let good =
            |it: &String| !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || c == '_');
        if segments.is_empty() || !segments.iter().all(good) {
            return Err(wrong());
        }
        Ok(Pattern {
            text: text.to_owned(),
            qualified,
            segments,
        })
    }

    /// Every identifier of the path that source code must have spelled.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &str> {
        let qualified = self
            .qualified
            .iter()
            .flat_map(|(ty, tr)| [ty.as_str(), tr.as_str()]);
        qualified
            .filter(|it| *it != "?")
            .chain(self.segments.iter().map(String::as_str))
    }

    /// Whether the path names the standard library.
    pub(crate) fn is_std(&self) -> bool {
        self.qualified.is_none() && matches!(self.segments[0].as_str(), "std" | "core" | "alloc")
    }

    pub(crate) fn matches(&self, function: &Function) -> bool {
        let (name, container) = self.segments.split_last().expect("a path has a segment");
        if *name != function.name {
            return false;
        }
        if let Some((ty, tr)) = &self.qualified {
            return function.self_type.as_deref() == Some(ty)
                && function.trait_name.as_deref() == Some(tr);
        }
        let mut defined = segments(&function.path);
        defined.pop();
        let by_owner = |owner: &Option<String>| {
            let owner: Vec<_> = [&function.crate_name]
                .into_iter()
                .chain(owner)
                .cloned()
                .collect();
            owner.ends_with(container)
        };
        defined.ends_with(container)
            || by_owner(&function.self_type)
            || by_owner(&function.trait_name)
    }
}

/// Splits a list at its commas, those between brackets apart.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |c: char| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|item| !item.is_empty())
}

/// The position of the `>` that closes a `<` just before `text`.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' if at == 0 || text.as_bytes()[at - 1] != b'-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Splits `Type as Trait` outside of any brackets.
pub(crate) fn split_as(text: &str) -> Option<(&str, &str)> {
    let mut found = None;
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' | b')' | b']' => depth -= 1,
            b' ' if depth == 0 && text[at..].starts_with(" as ") => found = Some(at),
            _ => {}
        }
    }
    found.map(|at| (&text[..at], &text[at + 4..]))
}

/// The last segment of a nominal type's path, `?` for every other type.
pub(crate) fn type_name(ty: &str) -> String {
    let plain = ty.trim();
    let last = segments(plain).pop().unwrap_or_default();
    let nominal = last.starts_with(|c: char| c.is_uppercase());
    let structural = plain.starts_with(['&', '*', '(', '[', '!']) || plain.starts_with("dyn ");
    if nominal && !structural {
        last
    } else {
        "?".to_owned()
    }
}

/// The segments of a path, generic arguments removed.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut depth = 0;
    let mut previous = ' ';
    for c in path.chars() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
        previous = c;
    }
    plain
        .split("::")
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}
