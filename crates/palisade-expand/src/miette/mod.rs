//! `miette-derive`: `Diagnostic`.

mod attrs;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Fields, Member};

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{Expansion, Refusal, at_least};

use attrs::{Attrs, Help, LabelKind, Marks, Url};

pub(crate) const MACROS: &[Macro] = &[Macro::derive("miette-derive", "Diagnostic", diagnostic)];

/// The methods of the trait.
#[derive(Clone, Copy)]
enum Method {
    Code,
    Help,
    Url,
    Severity,
    Labels,
    SourceCode,
    Related,
    DiagnosticSource,
}

impl Method {
    const ALL: [Self; 8] = [
        Self::Code,
        Self::Help,
        Self::Url,
        Self::Severity,
        Self::Labels,
        Self::SourceCode,
        Self::Related,
        Self::DiagnosticSource,
    ];

    fn name(self) -> Ident {
        format_ident!(
            "{}",
            match self {
                Self::Code => "code",
                Self::Help => "help",
                Self::Url => "url",
                Self::Severity => "severity",
                Self::Labels => "labels",
                Self::SourceCode => "source_code",
                Self::Related => "related",
                Self::DiagnosticSource => "diagnostic_source",
            }
        )
    }

    /// What is in the `Option` that it returns.
    fn output(self) -> TokenStream {
        match self {
            Self::Code | Self::Help | Self::Url => {
                quote!(std::boxed::Box<dyn std::fmt::Display + '_>)
            }
            Self::Severity => quote!(miette::Severity),
            Self::Labels => {
                quote!(std::boxed::Box<dyn std::iter::Iterator<Item = miette::LabeledSpan> + '_>)
            }
            Self::SourceCode => quote!(&dyn miette::SourceCode),
            Self::Related => {
                quote!(
                    std::boxed::Box<dyn std::iter::Iterator<Item = &dyn miette::Diagnostic> + '_>
                )
            }
            Self::DiagnosticSource => quote!(&dyn miette::Diagnostic),
        }
    }
}

/// A struct or a variant.
struct Case<'a> {
    /// `Self` or `Self::Variant`.
    path: TokenStream,
    /// The page of its documentation, below that of its module.
    page: String,
    is_variant: bool,
    fields: &'a Fields,
    attrs: Attrs,
    marks: Marks,
}

impl<'a> Case<'a> {
    fn new<'b>(
        invocation: &Invocation<'_>,
        (path, page, is_variant): (TokenStream, String, bool),
        fields: &'a Fields,
        attributes: impl Iterator<Item = &'b Attribute>,
    ) -> Result<Self, Refusal> {
        let mut attrs = Attrs::read(attributes)?;
        if attrs.is_transparent {
            let mut members = fields.members();
            attrs.forward = match (members.next(), members.next()) {
                (Some(member), None) => Some(member),
                _ => return Err(Refusal::new("`transparent` needs exactly one field")),
            };
        }
        Ok(Self {
            path,
            page,
            is_variant,
            fields,
            attrs,
            marks: Marks::read(fields, invocation.version)?,
        })
    }

    /// Binds every field to a local.
    fn pattern(&self) -> TokenStream {
        let path = &self.path;
        let members = self.fields.members();
        let locals = self.fields.members().map(|member| local(&member));
        quote!(#path { #(#members: #locals,)* })
    }

    /// A field, and a reference to it.
    fn place(&self, member: &Member) -> (TokenStream, TokenStream) {
        let local = local(member);
        match self.is_variant {
            true => (quote!(#local), quote!(#local)),
            false => (quote!(self.#member), quote!(&self.#member)),
        }
    }

    /// What a method returns, if it is not left to the trait.
    fn value(&self, method: Method) -> Result<Option<TokenStream>, Refusal> {
        let own = match self.attrs.is_transparent {
            true => None,
            false => self.own(method)?,
        };
        Ok(own.or_else(|| {
            let (place, _) = self.place(self.attrs.forward.as_ref()?);
            let name = method.name();
            Some(quote!(#place.#name()))
        }))
    }

    fn own(&self, method: Method) -> Result<Option<TokenStream>, Refusal> {
        let boxed =
            |value: TokenStream| quote!(std::option::Option::Some(std::boxed::Box::new(#value)));
        Ok(match method {
            Method::Code => self.attrs.code.as_ref().map(|code| boxed(quote!(#code))),
            Method::Severity => self
                .attrs
                .severity
                .as_ref()
                .map(|name| quote!(std::option::Option::Some(miette::Severity::#name))),
            Method::Url => match &self.attrs.url {
                None => None,
                Some(Url::Text(text)) => Some(boxed(text.formatted(self.fields)?)),
                Some(Url::DocsRs) => {
                    let page = &self.page;
                    Some(boxed(quote! {
                        format!(
                            "https://docs.rs/{crate_name}/{crate_version}/{mod_name}/{item_path}",
                            crate_name = env!("CARGO_PKG_NAME"),
                            crate_version = env!("CARGO_PKG_VERSION"),
                            mod_name = env!("CARGO_PKG_NAME").replace('-', "_"),
                            item_path = #page
                        )
                    }))
                }
            },
            Method::Help => match (&self.attrs.help, &self.marks.help) {
                (Some(_), Some(_)) => return Err(Refusal::new("`help` given more than once")),
                (Some(Help::Text(text)), None) => Some(boxed(text.formatted(self.fields)?)),
                (Some(Help::Field(member, ty)), None) | (None, Some(Help::Field(member, ty))) => {
                    let (place, _) = self.place(member);
                    Some(quote! {
                        use miette::macro_helpers::ToOption;
                        miette::macro_helpers::OptionalWrapper::<#ty>::new()
                            .to_option(&#place)
                            .as_ref()
                            .map(|__miette_internal_var|
                                -> std::boxed::Box<dyn std::fmt::Display + '_> {
                                std::boxed::Box::new(format!("{}", __miette_internal_var))
                            })
                    })
                }
                _ => None,
            },
            Method::Labels if self.marks.labels.is_empty() => None,
            Method::Labels => Some(self.labels()?),
            Method::SourceCode => self.marks.source_code.as_ref().map(|(member, is_option)| {
                let (place, reference) = self.place(member);
                match is_option {
                    true => quote!(#place.as_ref().map(|s| s as _)),
                    false => quote!(std::option::Option::Some(#reference)),
                }
            }),
            Method::Related => self.marks.related.as_ref().map(|member| {
                let (place, _) = self.place(member);
                let (import, item) = match self.is_variant {
                    true => (TokenStream::new(), quote!(&*x)),
                    false => (
                        quote!(
                            use ::core::borrow::Borrow;
                        ),
                        quote!(&*x.borrow()),
                    ),
                };
                let related =
                    boxed(quote!(#place.iter().map(|x| -> &(dyn miette::Diagnostic) { #item })));
                quote!(#import #related)
            }),
            Method::DiagnosticSource => self.marks.diagnostic_source.as_ref().map(|member| {
                let (_, reference) = self.place(member);
                quote!(std::option::Option::Some(std::borrow::Borrow::borrow(#reference)))
            }),
        })
    }

    fn labels(&self) -> Expansion {
        let (mut single, mut chained) = (Vec::new(), Vec::new());
        for label in &self.marks.labels {
            let (place, reference) = self.place(&label.member);
            let text = match &label.text {
                Some(text) => {
                    let text = text.formatted(self.fields)?;
                    quote!(std::option::Option::Some(#text))
                }
                None => quote!(std::option::Option::None),
            };
            let ty = &label.ty;
            let constructor = match label.kind {
                LabelKind::Default => quote!(new_with_span),
                LabelKind::Primary => quote!(new_primary_with_span),
                LabelKind::Collection => {
                    chained.push(quote! {
                        .chain({
                            let display = #text;
                            #place.iter().map(move |span| {
                                use miette::macro_helpers::{ToLabelSpanWrapper, ToLabeledSpan};
                                let mut labeled_span =
                                    ToLabelSpanWrapper::to_labeled_span(span.clone());
                                if display.is_some() && labeled_span.label().is_none() {
                                    labeled_span.set_label(display.clone())
                                }
                                Some(labeled_span)
                            })
                        })
                    });
                    continue;
                }
            };
            single.push(quote! {
                miette::macro_helpers::OptionalWrapper::<#ty>::new()
                    .to_option(#reference)
                    .map(|__miette_internal_var| miette::LabeledSpan::#constructor(
                        #text,
                        __miette_internal_var.clone(),
                    ))
            });
        }
        Ok(quote! {
            use miette::macro_helpers::ToOption;
            let labels_iter = vec![#(#single),*].into_iter() #(#chained)*;
            std::option::Option::Some(std::boxed::Box::new(
                labels_iter.filter(Option::is_some).map(Option::unwrap),
            ))
        })
    }
}

/// The name of a field in patterns.
fn local(member: &Member) -> Ident {
    match member {
        Member::Named(name) => name.clone(),
        Member::Unnamed(index) => format_ident!("_{}", index.index),
    }
}

fn diagnostic(invocation: &Invocation<'_>) -> Expansion {
    if !at_least(invocation.version, (5, 0, 0)) {
        return Err(Refusal::new("a release before 5.0"));
    }
    let input: DeriveInput = syn::parse2(invocation.item.clone())?;
    let name = &input.ident;
    let mut methods = TokenStream::new();
    match &input.data {
        Data::Struct(data) => {
            let page = format!("struct.{name}.html");
            let attributes = input.attrs.iter();
            let case = Case::new(
                invocation,
                (quote!(Self), page, false),
                &data.fields,
                attributes,
            )?;
            let pattern = case.pattern();
            for method in Method::ALL {
                if let Some(value) = case.value(method)? {
                    methods.extend(definition(method, &quote!(let #pattern = self; #value)));
                }
            }
        }
        Data::Enum(data) => {
            let mut cases = Vec::new();
            for variant in &data.variants {
                let ident = &variant.ident;
                let page = format!("enum.{name}.html#variant.{ident}");
                cases.push(Case::new(
                    invocation,
                    (quote!(Self::#ident), page, true),
                    &variant.fields,
                    input.attrs.iter().chain(&variant.attrs),
                )?);
            }
            for method in Method::ALL {
                let mut arms = Vec::new();
                for case in &cases {
                    if let Some(value) = case.value(method)? {
                        let pattern = case.pattern();
                        arms.push(quote!(#pattern => { #value }));
                    }
                }
                if !arms.is_empty() {
                    let body = quote!(match self { #(#arms)* _ => std::option::Option::None });
                    methods.extend(definition(method, &body));
                }
            }
        }
        Data::Union(_) => return Err(Refusal::new("expected a struct or an enum")),
    }
    let (generics, arguments, clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics miette::Diagnostic for #name #arguments #clause { #methods }
    })
}

fn definition(method: Method, body: &TokenStream) -> TokenStream {
    let (name, output) = (method.name(), method.output());
    quote! {
        #[allow(unused_variables, deprecated)]
        fn #name(&self) -> std::option::Option<#output> { #body }
    }
}
