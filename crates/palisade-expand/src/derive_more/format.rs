//! `Display`, the other formatting traits, and `Debug`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Fields;

use super::template::{Attrs, Template};
use super::{Item, More, Shape, snake, with_item};
use crate::Invocation;
use crate::support::{Expansion, Refusal, unraw};

/// The variables that the fields of a shape are bound to.
fn variables(shape: &Shape<'_>) -> Vec<Ident> {
    let fields = shape.fields.iter().enumerate();
    fields
        .map(|(index, field)| {
            field
                .ident
                .clone()
                .unwrap_or_else(|| format_ident!("_{index}"))
        })
        .collect()
}

/// The name under which a shape is written.
fn shape_name(item: &Item<'_>, shape: &Shape<'_>) -> String {
    unraw(shape.variant.unwrap_or(item.name()))
}

/// `fn fmt` with one body per shape.
fn implement(item: &Item<'_>, bodies: &[TokenStream], more: &More, inline: bool) -> Expansion {
    let core = &item.core;
    let of = &item.derive;
    let body = if item.is_enum {
        let arms = item.shapes.iter().zip(bodies).map(|(shape, body)| {
            let variables = variables(shape);
            let values: Vec<_> = variables.iter().map(|name| quote!(#name)).collect();
            let (variant, pattern) = (
                shape.variant,
                match shape.fields {
                    Fields::Named(_) => quote!({ #(#values),* }),
                    _ => shape.with_values(&values),
                },
            );
            quote!(Self::#variant #pattern => { #body })
        });
        let arms: Vec<_> = arms.collect();
        if arms.is_empty() {
            quote!(match *self {})
        } else {
            quote!(match self { #(#arms)* })
        }
    } else {
        let shape = item.structure()?;
        let (variables, members) = (variables(shape), shape.members());
        let body = bodies.first();
        quote!(#(let #variables = &self.#members;)* #body)
    };
    let inline = inline.then(|| quote!(#[inline]));
    item.implement(
        &quote!(#core::fmt::#of),
        more,
        &quote! {
            #[allow(unused_variables)]
            #inline
            fn fmt(&self, __derive_more_f: &mut #core::fmt::Formatter<'_>) -> #core::fmt::Result {
                #body
            }
        },
    )
}

/// Predicates for the generic fields that a template writes.
fn template_bounds(item: &Item<'_>, shape: &Shape<'_>, template: &Template, more: &mut More) {
    let core = &item.core;
    for (variable, field) in variables(shape).iter().zip(shape.fields) {
        if !item.is_generic(&field.ty) {
            continue;
        }
        for of in template.traits_of(&variable.to_string()) {
            let (of, ty) = (Ident::new(of, Span::call_site()), &field.ty);
            more.predicates.push(quote!(#ty: #core::fmt::#of));
        }
    }
}

pub(super) fn display_like(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let attribute = snake(&item.derive.to_string());
        let container = Attrs::read(&item.input.attrs, &attribute)?;
        let bounds = container
            .bounds
            .iter()
            .map(|bound| quote!(#bound))
            .collect();
        let mut more = More {
            predicates: bounds,
            ..More::default()
        };
        let mut bodies = Vec::new();
        for shape in &item.shapes {
            // The attribute of a struct is its only shape's.
            let own = if item.is_enum {
                Attrs::read(shape.attributes, &attribute)?
            } else {
                Attrs::read(&item.input.attrs, &attribute)?
            };
            if item.is_enum {
                more.predicates
                    .extend(own.bounds.iter().map(|bound| quote!(#bound)));
            }
            let shared = if item.is_enum {
                container.template.as_ref()
            } else {
                None
            };
            bodies.push(display_body(
                item,
                shape,
                own.template.as_ref(),
                shared,
                &mut more,
            )?);
        }
        implement(item, &bodies, &more, false)
    })
}

fn display_body(
    item: &Item<'_>,
    shape: &Shape<'_>,
    own: Option<&Template>,
    shared: Option<&Template>,
    more: &mut More,
) -> Expansion {
    let core = &item.core;
    let write = |template: &Template| {
        let arguments = template.arguments();
        quote!(#core::write!(__derive_more_f, #arguments))
    };
    if let Some(template) = own {
        template_bounds(item, shape, template, more);
    }
    // A format of the enum wraps that of the variant where it names it, and
    // else is for variants without one.
    let wrapper = shared.filter(|template| template.mentions("_variant"));
    if let Some(wrapper) = wrapper {
        let inner = match own {
            Some(template) => {
                let arguments = template.arguments();
                quote!(&#core::format_args!(#arguments))
            }
            None => only_value(item, shape, more)?,
        };
        let body = write(wrapper);
        return Ok(quote!(match #inner { _variant => #body, }));
    }
    match (own, shared) {
        (Some(template), _) => Ok(match template.transparent().filter(|_| !item.old) {
            Some((value, of)) => {
                let of = Ident::new(of, Span::call_site());
                quote!(#core::fmt::#of::fmt(#value, __derive_more_f))
            }
            None => write(template),
        }),
        (None, Some(template)) => {
            template_bounds(item, shape, template, more);
            Ok(write(template))
        }
        (None, None) if shape.fields.is_empty() => {
            let name = shape_name(item, shape);
            Ok(quote!(__derive_more_f.write_str(#name)))
        }
        (None, None) => {
            let (value, of) = (only_value(item, shape, more)?, &item.derive);
            Ok(quote!(#core::fmt::#of::fmt(#value, __derive_more_f)))
        }
    }
}

/// The only field of a shape, or its name if it has none.
fn only_value(item: &Item<'_>, shape: &Shape<'_>, more: &mut More) -> Expansion {
    let core = &item.core;
    let fields: Vec<_> = shape.fields.iter().collect();
    match fields[..] {
        [] => {
            let name = shape_name(item, shape);
            Ok(quote!(#name))
        }
        [field] => {
            if item.is_generic(&field.ty) {
                let (ty, of) = (&field.ty, &item.derive);
                more.predicates.push(quote!(#ty: #core::fmt::#of));
            }
            let variable = variables(shape);
            Ok(quote!(#(#variable)*))
        }
        _ => Err(Refusal::new("several fields need a format")),
    }
}

pub(super) fn debug(invocation: &Invocation<'_>) -> Expansion {
    with_item(invocation, |item| {
        let container = Attrs::read(&item.input.attrs, "debug")?;
        let bounds = container
            .bounds
            .iter()
            .map(|bound| quote!(#bound))
            .collect();
        let mut more = More {
            predicates: bounds,
            ..More::default()
        };
        let mut bodies = Vec::new();
        for shape in &item.shapes {
            let own = Attrs::read(shape.attributes, "debug")?;
            let body = match &own.template {
                Some(template) => {
                    template_bounds(item, shape, template, &mut more);
                    let (core, arguments) = (&item.core, template.arguments());
                    match template.transparent() {
                        Some((value, of)) => {
                            let of = Ident::new(of, Span::call_site());
                            quote!(#core::fmt::#of::fmt(#value, __derive_more_f))
                        }
                        None => quote!(#core::write!(__derive_more_f, #arguments)),
                    }
                }
                None => debug_fields(item, shape, &mut more)?,
            };
            bodies.push(body);
        }
        implement(item, &bodies, &more, true)
    })
}

fn debug_fields(item: &Item<'_>, shape: &Shape<'_>, more: &mut More) -> Expansion {
    let core = &item.core;
    let name = shape_name(item, shape);
    let is_named = match shape.fields {
        Fields::Unit => {
            return Ok(quote!(#core::fmt::Formatter::write_str(__derive_more_f, #name)));
        }
        Fields::Named(_) => true,
        Fields::Unnamed(_) => false,
    };
    let (builder, mut chain) = if is_named {
        (
            quote!(#core::fmt::DebugStruct),
            quote!(&mut #core::fmt::Formatter::debug_struct(__derive_more_f, #name)),
        )
    } else {
        (
            quote!(derive_more::__private::DebugTuple),
            quote!(&mut derive_more::__private::debug_tuple(__derive_more_f, #name)),
        )
    };
    let mut skips = false;
    for (variable, field) in variables(shape).iter().zip(shape.fields) {
        let attrs = Attrs::read(&field.attrs, "debug")?;
        if attrs.skip {
            skips = true;
            continue;
        }
        let value = match &attrs.template {
            Some(template) => {
                template_bounds(item, shape, template, more);
                let arguments = template.arguments();
                quote!(&#core::format_args!(#arguments))
            }
            None => {
                if item.is_generic(&field.ty) {
                    let ty = &field.ty;
                    more.predicates.push(quote!(#ty: #core::fmt::Debug));
                }
                quote!(&#variable)
            }
        };
        let label = is_named.then(|| {
            let label = unraw(variable);
            quote!(#label,)
        });
        chain = quote!(#builder::field(#chain, #label #value));
    }
    Ok(if skips {
        quote!(#builder::finish_non_exhaustive(#chain))
    } else {
        quote!(#builder::finish(#chain))
    })
}
