//! `lazy-regex-proc_macros`: regular expressions in statics, each used at once.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr, Token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

const PACKAGE: &str = "lazy-regex-proc_macros";

pub(crate) const MACROS: &[Macro] = &[
    Macro::function(PACKAGE, "regex", |it| expand(it, false, Form::Reference)),
    Macro::function(PACKAGE, "bytes_regex", |it| {
        expand(it, true, Form::Reference)
    }),
    Macro::function(PACKAGE, "lazy_regex", |it| expand(it, false, Form::Lazy)),
    Macro::function(PACKAGE, "bytes_lazy_regex", |it| {
        expand(it, true, Form::Lazy)
    }),
    Macro::function(PACKAGE, "regex_is_match", |it| {
        expand(it, false, Form::IsMatch)
    }),
    Macro::function(PACKAGE, "bytes_regex_is_match", |it| {
        expand(it, true, Form::IsMatch)
    }),
    Macro::function(PACKAGE, "regex_find", |it| expand(it, false, Form::Find)),
    Macro::function(PACKAGE, "bytes_regex_find", |it| {
        expand(it, true, Form::Find)
    }),
    Macro::function(PACKAGE, "regex_captures", |it| {
        expand(it, false, Form::Captures)
    }),
    Macro::function(PACKAGE, "bytes_regex_captures", |it| {
        expand(it, true, Form::Captures)
    }),
    Macro::function(PACKAGE, "regex_captures_iter", |it| {
        expand(it, false, Form::CapturesIter)
    }),
    Macro::function(PACKAGE, "bytes_regex_captures_iter", |it| {
        expand(it, true, Form::CapturesIter)
    }),
    Macro::function(PACKAGE, "regex_replace", |it| {
        expand(it, false, Form::Replace(1))
    }),
    Macro::function(PACKAGE, "bytes_regex_replace", |it| {
        expand(it, true, Form::Replace(1))
    }),
    Macro::function(PACKAGE, "regex_replace_all", |it| {
        expand(it, false, Form::Replace(0))
    }),
    Macro::function(PACKAGE, "bytes_regex_replace_all", |it| {
        expand(it, true, Form::Replace(0))
    }),
    Macro::function(PACKAGE, "regex_if", |it| expand(it, false, Form::If)),
    Macro::function(PACKAGE, "bytes_regex_if", |it| expand(it, true, Form::If)),
];

#[derive(Clone, Copy)]
enum Form {
    Reference,
    Lazy,
    IsMatch,
    Find,
    Captures,
    CapturesIter,
    /// Up to this many times, 0 for all.
    Replace(usize),
    If,
}

/// What is between the parentheses.
struct Input {
    pattern: LitStr,
    values: Vec<Expr>,
}

impl Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let pattern = input.parse()?;
        let mut values = Vec::new();
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            values.push(input.parse()?);
        }
        Ok(Self { pattern, values })
    }

    fn value(&self, index: usize) -> syn::Result<&Expr> {
        let missing = || syn::Error::new(self.pattern.span(), "expected one more expression");
        self.values.get(index).ok_or_else(missing)
    }
}

/// The groups of a pattern: the whole match, then a name or none for each.
fn groups(pattern: &str) -> Vec<Option<String>> {
    let mut groups = vec![None];
    let mut rest = pattern.chars();
    let mut in_class = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                rest.next();
            }
            '[' => in_class += 1,
            ']' => in_class = in_class.saturating_sub(1),
            '(' if in_class == 0 => {
                let after = rest.as_str();
                let name = after
                    .strip_prefix("?P<")
                    .or_else(|| after.strip_prefix("?<"))
                    .and_then(|name| name.split('>').next());
                if name.is_some() || !after.starts_with('?') {
                    groups.push(name.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    groups
}

fn expand(invocation: &Invocation<'_>, is_bytes: bool, form: Form) -> Expansion {
    let input = Input::parse.parse2(invocation.item.clone())?;
    let suffix = input.pattern.suffix();
    let is_bytes = is_bytes || suffix.contains('B');
    let flags = ['i', 'm', 's', 'x', 'U'].map(|flag| suffix.contains(flag));
    let [
        case_insensitive,
        multi_line,
        dot_matches_new_line,
        ignore_whitespace,
        swap_greed,
    ] = flags;
    let (builder, regex) = if is_bytes {
        (quote!(BytesRegexBuilder), quote!(BytesRegex))
    } else {
        (quote!(RegexBuilder), quote!(Regex))
    };
    let pattern = input.pattern.value();
    let build = quote! {
        lazy_regex::Lazy::new(|| {
            lazy_regex::#builder::new(#pattern)
                .case_insensitive(#case_insensitive)
                .multi_line(#multi_line)
                .dot_matches_new_line(#dot_matches_new_line)
                .ignore_whitespace(#ignore_whitespace)
                .swap_greed(#swap_greed)
                .build()
                .unwrap()
        })
    };
    if let Form::Lazy = form {
        return Ok(build);
    }
    let (empty, text, text_type, captures) = if is_bytes {
        (
            quote!(&b""[..]),
            quote!(as_bytes),
            quote!(&[u8]),
            quote!(lazy_regex::regex::bytes::Captures<'_>),
        )
    } else {
        (
            quote!(""),
            quote!(as_str),
            quote!(&str),
            quote!(lazy_regex::Captures<'_>),
        )
    };
    let groups = groups(&pattern);
    let group = |index: usize| quote!(caps.get(#index).map_or(#empty, |c| c.#text()));
    let all = (0..groups.len()).map(group);
    let body = match form {
        Form::Reference | Form::Lazy => quote!(&RE),
        Form::IsMatch => {
            let value = input.value(0)?;
            quote!(RE.is_match(#value))
        }
        Form::Find => {
            let value = input.value(0)?;
            quote!(RE.find(#value).map(|mat| mat.#text()))
        }
        Form::Captures => {
            let value = input.value(0)?;
            quote!(RE.captures(#value).map(|caps| (#(#all),*)))
        }
        Form::CapturesIter => {
            let value = input.value(0)?;
            quote!(RE.captures_iter(#value))
        }
        Form::Replace(limit) => {
            let (value, replacer) = (input.value(0)?, input.value(1)?);
            if let Expr::Closure(_) = replacer {
                quote! {
                    RE.replacen(#value, #limit, |caps: &#captures| {
                        let mut fun = #replacer;
                        fun(#(#all),*)
                    })
                }
            } else {
                quote!(RE.replacen(#value, #limit, #replacer))
            }
        }
        Form::If => {
            let (value, then) = (input.value(0)?, input.value(1)?);
            let mut names = TokenStream::new();
            for (index, name) in groups.iter().enumerate() {
                let Some(name) = name else {
                    continue;
                };
                let name = syn::parse_str::<Ident>(name)
                    .map_err(|error| syn::Error::new(Span::call_site(), error))?;
                let name = format_ident!("{name}");
                let group = group(index);
                names.extend(quote!(let #name: #text_type = #group;));
            }
            quote! {
                match RE.captures(#value) {
                    Some(caps) => {
                        #names
                        Some(#then)
                    }
                    None => None,
                }
            }
        }
    };
    Ok(quote! {{
        static RE: lazy_regex::Lazy<lazy_regex::#regex> = #build;
        #body
    }})
}
