//! `actix-web-codegen`: handlers that register themselves, `#[get("/path")]`.

use heck::ToUpperCamelCase;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, LitStr, Path, Token};

use crate::Invocation;
use crate::function::Function;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, parse_literal};

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute("actix-web-codegen", "route", method),
    Macro::attribute("actix-web-codegen", "routes", routes),
    Macro::attribute("actix-web-codegen", "connect", method),
    Macro::attribute("actix-web-codegen", "delete", method),
    Macro::attribute("actix-web-codegen", "get", method),
    Macro::attribute("actix-web-codegen", "head", method),
    Macro::attribute("actix-web-codegen", "options", method),
    Macro::attribute("actix-web-codegen", "patch", method),
    Macro::attribute("actix-web-codegen", "post", method),
    Macro::attribute("actix-web-codegen", "put", method),
    Macro::attribute("actix-web-codegen", "query", method),
    Macro::attribute("actix-web-codegen", "trace", method),
];

/// The attributes that name a method of HTTP, beside `route`.
const METHODS: &[&str] = &[
    "connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "trace",
];

/// One attribute with a path.
fn method(invocation: &Invocation<'_>) -> Expansion {
    let function: Function = syn::parse2(invocation.item.clone())?;
    let mut route: Route = syn::parse2(invocation.args.clone())?;
    route.take_method(invocation.name);
    factory(&function, &[route])
}

/// `#[routes]`: several of them on one function.
fn routes(invocation: &Invocation<'_>) -> Expansion {
    let mut function: Function = syn::parse2(invocation.item.clone())?;
    let mut routes = Vec::new();
    let mut others = Vec::new();
    for attr in std::mem::take(&mut function.attrs) {
        match attr.path().get_ident().map(ToString::to_string) {
            Some(name) if METHODS.contains(&name.as_str()) => {
                let mut route: Route = attr.parse_args()?;
                route.take_method(&name);
                routes.push(route);
            }
            _ => others.push(attr),
        }
    }
    function.attrs = others;
    factory(&function, &routes)
}

/// The arguments of one attribute.
struct Route {
    path: LitStr,
    name: Option<LitStr>,
    methods: Vec<LitStr>,
    guards: Vec<Path>,
    wraps: Vec<Expr>,
}

impl Parse for Route {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut route = Self {
            path: input.parse()?,
            name: None,
            methods: Vec::new(),
            guards: Vec::new(),
            wraps: Vec::new(),
        };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value: LitStr = input.parse()?;
            match key.to_string().as_str() {
                "name" => route.name = Some(value),
                "method" => route.methods.push(value),
                "guard" => route.guards.push(parse_literal(&value)?),
                "wrap" => route.wraps.push(parse_literal(&value)?),
                _ => return Err(syn::Error::new(key.span(), "unknown argument")),
            }
        }
        Ok(route)
    }
}

impl Route {
    /// The attribute's own name is a method, unless it is `route`.
    fn take_method(&mut self, name: &str) {
        if name != "route" {
            self.methods
                .push(LitStr::new(&name.to_uppercase(), Span::call_site()));
        }
    }

    fn registration(&self, handler: &Ident) -> TokenStream {
        let path = &self.path;
        let name = match &self.name {
            Some(name) => name.value(),
            None => handler.to_string(),
        };
        let (guards, wraps) = (&self.guards, &self.wraps);
        let methods = match self.methods.as_slice() {
            [single] => guard(single),
            methods => {
                let mut methods = methods.iter().map(guard);
                let first = methods.next();
                quote!(::actix_web::guard::Any(#first) #(.or(#methods))*)
            }
        };
        quote! {
            let __resource = ::actix_web::Resource::new(#path)
                .name(#name)
                .guard(#methods)
                #(.guard(::actix_web::guard::fn_guard(#guards)))*
                #(.wrap(#wraps))*
                .to(#handler);
            ::actix_web::dev::HttpServiceFactory::register(__resource, __config);
        }
    }
}

fn guard(method: &LitStr) -> TokenStream {
    let name = method.value().to_lowercase();
    if METHODS.contains(&name.as_str()) {
        let guard = format_ident!("{}", name.to_upper_camel_case());
        quote!(::actix_web::guard::#guard())
    } else {
        quote! {
            ::actix_web::guard::Method(
                ::actix_web::http::Method::from_bytes(#method.as_bytes()).unwrap()
            )
        }
    }
}

/// A unit struct that registers the function under its routes.
fn factory(function: &Function, routes: &[Route]) -> Expansion {
    if routes.iter().any(|route| route.methods.is_empty()) || routes.is_empty() {
        return Err(Refusal::new("a handler needs a method"));
    }
    let (vis, name) = (&function.vis, &function.sig.ident);
    let is_doc = |attr: &&Attribute| attr.path().is_ident("doc");
    let docs = function.attrs.iter().filter(is_doc);
    let body = &function.body;
    let handler = function.with_body(&body.stream());
    let registrations = routes.iter().map(|route| route.registration(name));
    Ok(quote! {
        #(#docs)*
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name;

        impl ::actix_web::dev::HttpServiceFactory for #name {
            fn register(self, __config: &mut actix_web::dev::AppService) {
                #handler
                #(#registrations)*
            }
        }
    })
}
