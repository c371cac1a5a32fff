//! Doc comments as help texts.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The short and the long help of a documented item.
pub(crate) struct Help {
    pub(crate) short: String,
    pub(crate) long: Option<String>,
}

/// Reads the doc comments in `attrs`.
///
/// `verbatim` keeps line breaks and the final full stop; `force_long` makes a
/// long help even of a single paragraph.
pub(crate) fn read(attrs: &[Attribute], verbatim: bool, force_long: bool) -> Option<Help> {
    let lines = lines(attrs);
    if lines.is_empty() {
        return None;
    }
    let paragraphs: Vec<String> = lines
        .split(|line| line.trim().is_empty())
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| {
            if verbatim {
                paragraph.join("\n")
            } else {
                let words: Vec<&str> = paragraph.iter().map(|line| line.trim()).collect();
                words.join(" ")
            }
        })
        .collect();
    let has_long = force_long || lines.iter().any(|line| line.trim().is_empty());
    let long = has_long.then(|| {
        if verbatim {
            lines.join("\n")
        } else {
            paragraphs.join("\n\n")
        }
    });
    let mut short = paragraphs.into_iter().next().unwrap_or_default();
    if !verbatim && short.ends_with('.') && !short.ends_with("..") {
        short.pop();
    }
    Some(Help { short, long })
}

fn lines(attrs: &[Attribute]) -> Vec<String> {
    let mut lines: Vec<String> = attrs
        .iter()
        .filter_map(doc_text)
        .skip_while(|text| text.trim().is_empty())
        .flat_map(|text| {
            text.split('\n')
                .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

fn doc_text(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
