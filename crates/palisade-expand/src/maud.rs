//! `maud_macros`: `html!`, a template of elements, splices and control flow.
//!
//! The template becomes a sequence of pieces: text that is known now, which
//! ends up in one `push_str` per run, and statements around it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitInt, LitStr, Pat, Stmt, Token, braced, bracketed, parenthesized, token};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::Expansion;

pub(crate) const MACROS: &[Macro] = &[Macro::function("maud_macros", "html", html)];

fn html(invocation: &Invocation<'_>) -> Expansion {
    // The real macro reserves as much as its own input is long.
    let capacity = invocation.item.to_string().len();
    let template = |input: ParseStream<'_>| markups(input, Place::Content);
    let statements = template.parse2(invocation.item.clone())?.finish();
    Ok(quote! {{
        extern crate alloc;
        extern crate maud;
        let mut __maud_output = alloc::string::String::with_capacity(#capacity);
        #statements
        maud::PreEscaped(__maud_output)
    }})
}

/// Where a piece of a template stands: elements cannot be inside an attribute.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Content,
    Attribute,
}

enum Piece {
    /// Text of the page, already escaped.
    Text(String),
    Statements(TokenStream),
}

/// What a part of a template writes.
#[derive(Default)]
struct Output {
    pieces: Vec<Piece>,
    /// Whether a binding stands among the pieces, which needs a scope.
    binds: bool,
}

impl Output {
    fn text(&mut self, text: &str) {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn escaped(&mut self, text: &str) {
        let mut buffer = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => buffer.push_str("&amp;"),
                '<' => buffer.push_str("&lt;"),
                '>' => buffer.push_str("&gt;"),
                '"' => buffer.push_str("&quot;"),
                other => buffer.push(other),
            }
        }
        self.text(&buffer);
    }

    fn statements(&mut self, tokens: TokenStream) {
        self.pieces.push(Piece::Statements(tokens));
    }

    fn splice(&mut self, value: &impl ToTokens) {
        self.statements(quote! {
            maud::macro_private::render_to!(&(#value), &mut __maud_output);
        });
    }

    fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Text(text) => self.text(&text),
                Piece::Statements(tokens) => self.statements(tokens),
            }
        }
    }

    /// Appends what is between braces: in a scope of its own if it binds names.
    fn append_block(&mut self, block: Self) {
        if block.binds {
            self.scope(block);
        } else {
            self.append(block);
        }
    }

    fn scope(&mut self, block: Self) {
        let statements = block.finish();
        self.statements(quote!({ #statements }));
    }

    fn finish(self) -> TokenStream {
        self.pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => quote!(__maud_output.push_str(#text);),
                Piece::Statements(tokens) => tokens,
            })
            .collect()
    }
}

/// The rest of the input, markup after markup.
fn markups(input: ParseStream<'_>, place: Place) -> syn::Result<Output> {
    let mut output = Output::default();
    while !input.is_empty() {
        markup(input, place, &mut output)?;
    }
    Ok(output)
}

/// The markups between braces.
fn block(input: ParseStream<'_>, place: Place) -> syn::Result<Output> {
    let content;
    braced!(content in input);
    markups(&content, place)
}

fn markup(input: ParseStream<'_>, place: Place, output: &mut Output) -> syn::Result<()> {
    if input.peek(token::Brace) {
        output.append_block(block(input, place)?);
    } else if input.peek(LitStr) {
        output.escaped(&input.parse::<LitStr>()?.value());
    } else if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        output.splice(&content.parse::<Expr>()?);
        ended(&content)?;
    } else if input.peek(Token![@]) {
        input.parse::<Token![@]>()?;
        control_flow(input, place, output)?;
    } else if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
    } else if place == Place::Content
        && (input.peek(Ident::peek_any) || input.peek(Token![.]) || input.peek(Token![#]))
    {
        element(input, output)?;
    } else {
        return Err(input.error("expected markup"));
    }
    Ok(())
}

/// Refuses leftovers inside delimiters.
fn ended(content: ParseStream<'_>) -> syn::Result<()> {
    if content.is_empty() {
        Ok(())
    } else {
        Err(content.error("expected one expression"))
    }
}

/// What is between brackets: a condition, or an optional value.
fn toggle(input: ParseStream<'_>) -> syn::Result<Expr> {
    let content;
    bracketed!(content in input);
    let condition = content.parse()?;
    ended(&content)?;
    Ok(condition)
}

fn element(input: ParseStream<'_>, output: &mut Output) -> syn::Result<()> {
    let name = if input.peek(Ident::peek_any) {
        name(input)?
    } else {
        "div".to_owned()
    };
    output.text("<");
    output.escaped(&name);
    attributes(input, output)?;
    output.text(">");
    if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
        return Ok(());
    }
    // Names bound in an element stay in sight after it: only blocks are scopes.
    output.append(block(input, Place::Content)?);
    output.text("</");
    output.escaped(&name);
    output.text(">");
    Ok(())
}

/// The name of an element or an attribute: words and literals with `-` and `:` between.
fn name(input: ParseStream<'_>) -> syn::Result<String> {
    let mut name = String::new();
    loop {
        if input.peek(Ident::peek_any) {
            name += &input.call(Ident::parse_any)?.to_string();
        } else if input.peek(LitInt) {
            name += &input.parse::<LitInt>()?.to_string();
        } else if input.peek(LitStr) {
            name += &input.parse::<LitStr>()?.value();
        } else if !(input.peek(Token![-]) || input.peek(Token![:])) {
            return Err(input.error("expected a name"));
        }
        if input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            name.push('-');
        } else if input.peek(Token![:]) {
            input.parse::<Token![:]>()?;
            name.push(':');
        } else {
            return Ok(name);
        }
    }
}

/// A class or an id: a name, or markup that writes one.
fn name_or_markup(input: ParseStream<'_>) -> syn::Result<Output> {
    let mut output = Output::default();
    if input.peek(Ident::peek_any) || input.peek(syn::Lit) {
        output.escaped(&name(input)?);
    } else {
        markup(input, Place::Attribute, &mut output)?;
    }
    Ok(output)
}

/// Classes are written first, those that can be toggled last among them; then
/// the id, then all others.
fn attributes(input: ParseStream<'_>, output: &mut Output) -> syn::Result<()> {
    let (mut classes, mut toggled) = (Vec::new(), Vec::new());
    let (mut id, mut named) = (None, Output::default());
    loop {
        if input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            let class = name_or_markup(input)?;
            let is_first = classes.is_empty() && toggled.is_empty();
            if input.peek(token::Bracket) {
                toggled.push((is_first, class, toggle(input)?));
            } else {
                classes.push((is_first, class));
            }
        } else if input.peek(Token![#]) {
            input.parse::<Token![#]>()?;
            if id.replace(name_or_markup(input)?).is_some() {
                return Err(input.error("a second id"));
            }
        } else if input.peek(Ident::peek_any) || input.peek(syn::Lit) {
            attribute(input, &mut named)?;
        } else {
            break;
        }
    }
    if !(classes.is_empty() && toggled.is_empty()) {
        output.text(" class=\"");
        for (is_first, class) in classes {
            output.text(if is_first { "" } else { " " });
            output.append(class);
        }
        for (is_first, class, condition) in toggled {
            let mut body = Output::default();
            body.text(if is_first { "" } else { " " });
            body.append(class);
            let body = body.finish();
            output.statements(quote!(if (#condition) { #body }));
        }
        output.text("\"");
    }
    if let Some(id) = id {
        output.text(" id=\"");
        output.append(id);
        output.text("\"");
    }
    output.append(named);
    Ok(())
}

/// `name`, `name=value`, `name=[optional]` or `name[condition]`.
fn attribute(input: ParseStream<'_>, output: &mut Output) -> syn::Result<()> {
    let name = name(input)?;
    if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
    }
    let mut start = Output::default();
    start.text(" ");
    start.escaped(&name);
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        start.text("=\"");
        if input.peek(token::Bracket) {
            let value = toggle(input)?;
            start.splice(&quote!(inner_value));
            start.text("\"");
            let body = start.finish();
            output.statements(quote!(if let Some(inner_value) = (#value) { #body }));
        } else {
            output.append(start);
            markup(input, Place::Attribute, output)?;
            output.text("\"");
        }
    } else if input.peek(token::Bracket) {
        let condition = toggle(input)?;
        let body = start.finish();
        output.statements(quote!(if (#condition) { #body }));
    } else {
        output.append(start);
    }
    Ok(())
}

/// What follows an `@`.
fn control_flow(input: ParseStream<'_>, place: Place, output: &mut Output) -> syn::Result<()> {
    if input.peek(Token![if]) {
        return branches(input, place, output);
    }
    if input.peek(Token![let]) {
        let Stmt::Local(local) = input.parse()? else {
            return Err(input.error("expected a binding"));
        };
        output.binds = true;
        output.statements(local.into_token_stream());
    } else if input.peek(Token![for]) {
        let keyword: Token![for] = input.parse()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let of: Token![in] = input.parse()?;
        let iterated = Expr::parse_without_eager_brace(input)?;
        output.statements(quote!(#keyword #pattern #of (#iterated)));
        output.scope(block(input, place)?);
    } else if input.peek(Token![while]) {
        let keyword: Token![while] = input.parse()?;
        let condition = Expr::parse_without_eager_brace(input)?;
        output.statements(quote!(#keyword #condition));
        output.scope(block(input, place)?);
    } else if input.peek(Token![match]) {
        let keyword: Token![match] = input.parse()?;
        let matched = Expr::parse_without_eager_brace(input)?;
        let content;
        braced!(content in input);
        let arms = arms(&content, place)?;
        output.statements(quote!(#keyword #matched { #arms }));
    } else {
        return Err(input.error("expected `if`, `for`, `while`, `match` or `let`"));
    }
    Ok(())
}

/// `if .. { .. } @else if .. { .. } @else { .. }`
fn branches(input: ParseStream<'_>, place: Place, output: &mut Output) -> syn::Result<()> {
    loop {
        let keyword: Token![if] = input.parse()?;
        let condition = Expr::parse_without_eager_brace(input)?;
        output.statements(quote!(#keyword #condition));
        output.scope(block(input, place)?);
        if !(input.peek(Token![@]) && input.peek2(Token![else])) {
            return Ok(());
        }
        input.parse::<Token![@]>()?;
        output.statements(input.parse::<Token![else]>()?.into_token_stream());
        if !input.peek(Token![if]) {
            output.scope(block(input, place)?);
            return Ok(());
        }
    }
}

fn arms(input: ParseStream<'_>, place: Place) -> syn::Result<TokenStream> {
    let mut arms = TokenStream::new();
    while !input.is_empty() {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let guard = if input.peek(Token![if]) {
            let keyword: Token![if] = input.parse()?;
            let condition: Expr = input.parse()?;
            quote!(#keyword #condition)
        } else {
            TokenStream::new()
        };
        let arrow: Token![=>] = input.parse()?;
        let mut body = Output::default();
        markup(input, place, &mut body)?;
        let body = body.finish();
        let comma: Option<Token![,]> = input.parse()?;
        arms.extend(quote!(#pattern #guard #arrow { #body } #comma));
    }
    Ok(arms)
}
