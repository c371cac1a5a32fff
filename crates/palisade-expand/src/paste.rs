//! `paste` and its successor `pastey`: identifiers glued from pieces, `[<get_ a:snake>]`.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::function("paste", "paste", paste),
    Macro::function("paste", "item", paste),
    Macro::function("paste", "expr", paste),
    Macro::function("pastey", "paste", paste),
    Macro::function("pastey", "item", paste),
    Macro::function("pastey", "expr", paste),
    Macro::function("paste-impl", "item", paste),
    Macro::function("paste-impl", "expr", paste),
];

/// `paste! { .. }`
fn paste(invocation: &Invocation<'_>) -> Expansion {
    expand(invocation.item.clone(), true, invocation.env)
}

type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What stood before the current token, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Pound,
    PoundBang,
    Colon,
    PathSeparator,
    Other,
}

fn expand(input: TokenStream, flatten: bool, env: Env<'_>) -> Expansion {
    let mut output = TokenStream::new();
    let mut before = Before::Other;
    let mut tokens = input.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let next = match &token {
            TokenTree::Punct(punct) => match (punct.as_char(), before) {
                (':', Before::Colon) => Before::PathSeparator,
                (':', _) if punct.spacing() == Spacing::Joint => Before::Colon,
                ('#', _) => Before::Pound,
                ('!', Before::Pound) => Before::PoundBang,
                _ => Before::Other,
            },
            _ => Before::Other,
        };
        match token {
            TokenTree::Group(group) => {
                let attribute = matches!(before, Before::Pound | Before::PoundBang)
                    && group.delimiter() == Delimiter::Bracket;
                group_tokens(
                    &group,
                    attribute,
                    before,
                    &mut tokens,
                    flatten,
                    env,
                    &mut output,
                )?;
            }
            other => output.extend([other]),
        }
        before = next;
    }
    Ok(output)
}

fn group_tokens(
    group: &Group,
    attribute: bool,
    before: Before,
    rest: &mut Peekable<IntoIter>,
    flatten: bool,
    env: Env<'_>,
    output: &mut TokenStream,
) -> Result<(), Refusal> {
    let content = group.stream();
    if group.delimiter() == Delimiter::Bracket
        && let Some(pieces) = pasted(&content)
    {
        let text = glue(&mut pieces.into_iter().peekable(), env)?;
        output.extend(tokens_of(&text, group.span())?);
        return Ok(());
    }
    if group.delimiter() == Delimiter::None {
        // A fragment of a `macro_rules` macro; as part of a path it needs no borders.
        let path_follows = matches!(
            rest.peek(),
            Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint
        );
        if path_follows || before == Before::PathSeparator || (flatten && is_simple(&content)) {
            output.extend(expand(content, flatten, env)?);
            return Ok(());
        }
    }
    let mut inner = expand(content, flatten && !attribute, env)?;
    if attribute {
        inner = attribute_text(inner, env)?;
    }
    let mut replaced = Group::new(group.delimiter(), inner);
    replaced.set_span(group.span());
    output.extend([TokenTree::Group(replaced)]);
    Ok(())
}

/// The pieces between `<` and `>`, if that is all that the brackets hold.
fn pasted(content: &TokenStream) -> Option<Vec<TokenTree>> {
    let is = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    let mut tokens: Vec<_> = content.clone().into_iter().collect();
    let close = tokens.pop().filter(|token| is(token, '>'));
    let inside = tokens.len() > 1 && is(&tokens[0], '<');
    (close.is_some() && inside && !tokens.iter().any(|token| is(token, '>')))
        .then(|| tokens.split_off(1))
}

/// One identifier, path, literal or lifetime.
fn is_simple(content: &TokenStream) -> bool {
    let tokens: Vec<_> = content.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(_) | TokenTree::Literal(_)] => true,
        [TokenTree::Punct(punct), TokenTree::Ident(_)] => punct.as_char() == '\'',
        [TokenTree::Ident(_), path @ ..] => path.chunks(3).all(|chunk| {
            matches!(
                chunk,
                [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(_)]
                    if a.as_char() == ':' && b.as_char() == ':'
            )
        }),
        _ => false,
    }
}

/// Evaluates pieces and modifiers to one text.
fn glue(
    tokens: &mut Peekable<impl Iterator<Item = TokenTree>>,
    env: Env<'_>,
) -> Result<String, Refusal> {
    let mut pieces: Vec<String> = Vec::new();
    let mut lifetime = false;
    collect(tokens, env, &mut pieces, &mut lifetime)?;
    let text = pieces.concat();
    Ok(if lifetime { format!("'{text}") } else { text })
}

fn collect(
    tokens: &mut Peekable<impl Iterator<Item = TokenTree>>,
    env: Env<'_>,
    pieces: &mut Vec<String>,
    lifetime: &mut bool,
) -> Result<(), Refusal> {
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                let text = text.strip_prefix("r#").unwrap_or(&text).to_owned();
                let bang = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
                if text == "env" && bang {
                    tokens.next();
                    pieces.push(variable(tokens.next(), env)?);
                } else {
                    pieces.push(text);
                }
            }
            TokenTree::Literal(literal) => pieces.push(piece_of(&literal)?),
            TokenTree::Punct(punct) if punct.as_char() == '_' => pieces.push("_".to_owned()),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => *lifetime = true,
            TokenTree::Punct(punct) if punct.as_char() == '#' => pieces.push("r#".to_owned()),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                let (Some(TokenTree::Ident(modifier)), Some(last)) = (tokens.next(), pieces.pop())
                else {
                    return Err(Refusal::new("a modifier needs a piece and a name"));
                };
                pieces.push(modified(&last, &modifier.to_string())?);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                collect(
                    &mut group.stream().into_iter().peekable(),
                    env,
                    pieces,
                    lifetime,
                )?;
            }
            other => return Err(Refusal::new(format!("`{other}` cannot be pasted"))),
        }
    }
    Ok(())
}

/// The value of `env!("NAME")`, given its parenthesised part.
fn variable(argument: Option<TokenTree>, env: Env<'_>) -> Result<String, Refusal> {
    let Some(TokenTree::Group(group)) = argument else {
        return Err(Refusal::new("`env!` needs an argument"));
    };
    let name: syn::LitStr = syn::parse2(group.stream())?;
    let name = name.value();
    env(&name)
        .map(|value| value.replace('-', "_"))
        .ok_or_else(|| Refusal::new(format!("the environment variable `{name}` is not set")))
}

/// What a literal contributes to an identifier.
fn piece_of(literal: &Literal) -> Result<String, Refusal> {
    Ok(match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(text) => text.value().replace('-', "_"),
        syn::Lit::Char(character) => character.value().to_string().replace('-', "_"),
        _ => {
            let text = literal.to_string();
            if text.contains(['.', '+', '"', '\'']) {
                return Err(Refusal::new(format!("`{text}` cannot be pasted")));
            }
            text
        }
    })
}

fn modified(text: &str, modifier: &str) -> Result<String, Refusal> {
    Ok(match modifier {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "snake" => snake(text),
        "camel" | "upper_camel" => camel(text, false, false),
        "lower_camel" => camel(text, true, false),
        "camel_edge" => camel(text, false, true),
        _ => return Err(Refusal::new(format!("unknown modifier `{modifier}`"))),
    })
}

fn snake(text: &str) -> String {
    let mut output = String::new();
    let mut previous = '_';
    for character in text.chars() {
        if character.is_uppercase() && previous != '_' {
            output.push('_');
        }
        output.push(character);
        previous = character;
    }
    output.to_lowercase()
}

/// `lower` leaves the first word in lower case; `edge` keeps underscores that
/// follow one another.
fn camel(text: &str, lower: bool, edge: bool) -> String {
    let mut output = String::new();
    let mut lower = lower;
    let mut previous = '_';
    for character in text.chars() {
        if character == '_' {
            if edge && previous == '_' {
                output.push('_');
            }
        } else if previous == '_' {
            if std::mem::take(&mut lower) {
                output.extend(character.to_lowercase());
            } else {
                output.extend(character.to_uppercase());
            }
        } else if previous.is_uppercase() {
            output.extend(character.to_lowercase());
        } else {
            output.push(character);
        }
        previous = character;
    }
    output
}

/// The pasted text as tokens: an identifier, a lifetime or a number.
fn tokens_of(text: &str, span: Span) -> Expansion {
    let invalid = || Refusal::new(format!("`{text}` is no identifier"));
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let mut literal: Literal = text.parse().map_err(|_| invalid())?;
        literal.set_span(span);
        return Ok(TokenTree::Literal(literal).into());
    }
    let mut output = TokenStream::new();
    let name = match text.strip_prefix('\'') {
        Some(name) => {
            let mut apostrophe = Punct::new('\'', Spacing::Joint);
            apostrophe.set_span(span);
            output.extend([TokenTree::Punct(apostrophe)]);
            name
        }
        None => text,
    };
    let tokens: TokenStream = name.parse().map_err(|_| invalid())?;
    let mut tokens = tokens.into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(mut ident)), None) => {
            ident.set_span(span);
            output.extend([TokenTree::Ident(ident)]);
            Ok(output)
        }
        _ => Err(invalid()),
    }
}

/// `name = "a" ident "b"` in an attribute is one string.
fn attribute_text(content: TokenStream, env: Env<'_>) -> Expansion {
    let tokens: Vec<_> = content.clone().into_iter().collect();
    let equals = tokens
        .iter()
        .position(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '='));
    let Some(equals) = equals else {
        return Ok(content);
    };
    let value = &tokens[equals + 1..];
    if value.len() < 2 || !value.iter().all(is_text) {
        return Ok(content);
    }
    let text = glue(&mut value.iter().cloned().peekable(), env)?;
    let mut output: TokenStream = tokens[..=equals].iter().cloned().collect();
    output.extend([TokenTree::Literal(Literal::string(&text))]);
    Ok(output)
}

fn is_text(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Literal(literal) => !literal.to_string().starts_with(['b', '\'']),
        TokenTree::Group(group) => {
            let mut inner = group.stream().into_iter();
            group.delimiter() == Delimiter::None
                && inner.next().is_some_and(|first| is_text(&first))
                && inner.next().is_none()
        }
        TokenTree::Punct(punct) => {
            punct.as_char() == '\'' || punct.as_char() == ':' && punct.spacing() == Spacing::Alone
        }
    }
}
