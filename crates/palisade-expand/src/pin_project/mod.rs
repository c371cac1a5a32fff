//! `pin-project-internal` 1.x: `#[pin_project]` and `#[pinned_drop]`.
//!
//! `pin-project-lite` is a declarative macro and needs no expander.

mod pinned_drop;
mod project;
mod shape;

use proc_macro2::Ident;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Data, DeriveInput, Path, Token};

use self::project::Project;
use self::shape::Shape;

use crate::Invocation;
use crate::registry::Macro;
use crate::support::{self, Expansion, Refusal};

const PACKAGE: &str = "pin-project-internal";

pub(crate) const MACROS: &[Macro] = &[
    Macro::attribute(PACKAGE, "pin_project", pin_project),
    Macro::attribute(PACKAGE, "pinned_drop", pinned_drop::pinned_drop),
];

/// The arguments of `#[pin_project(..)]`.
#[derive(Default)]
struct Args {
    pinned_drop: bool,
    unsafe_unpin: bool,
    not_unpin: bool,
    project: Option<Ident>,
    project_ref: Option<Ident>,
    /// `project_replace`, with the name if it has one.
    project_replace: Option<Option<Ident>>,
    krate: Option<Path>,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            if input.peek(Token![!]) {
                input.parse::<Token![!]>()?;
                input.parse::<Ident>()?;
                args.not_unpin = true;
            } else if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                args.krate = Some(input.parse()?);
            } else {
                let name: Ident = input.parse()?;
                let value = if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    Some(input.parse()?)
                } else {
                    None
                };
                match name.to_string().as_str() {
                    "PinnedDrop" => args.pinned_drop = true,
                    "UnsafeUnpin" => args.unsafe_unpin = true,
                    "project" => args.project = value,
                    "project_ref" => args.project_ref = value,
                    "project_replace" => args.project_replace = Some(value),
                    _ => return Err(syn::Error::new(name.span(), "unknown argument")),
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

fn pin_project(invocation: &Invocation<'_>) -> Expansion {
    if invocation
        .version
        .is_some_and(|version| version.starts_with("0."))
    {
        return Err(Refusal::new("pin-project before 1.0 writes something else"));
    }
    let args: Args = syn::parse2(invocation.args.clone())?;
    let mut original: DeriveInput = syn::parse2(invocation.item.clone())?;
    let pinned = take_pins(&mut original);
    let mut named = support::named_input(invocation)?;
    take_pins(&mut named);
    let shapes = match &named.data {
        Data::Struct(data) => vec![Shape::new(None, &data.fields, &pinned[..])],
        Data::Enum(data) => {
            let mut rest = &pinned[..];
            let mut shapes = Vec::new();
            for variant in &data.variants {
                let (here, after) = rest.split_at(variant.fields.len());
                shapes.push(Shape::new(Some(&variant.ident), &variant.fields, here));
                rest = after;
            }
            shapes
        }
        Data::Union(_) => return Err(Refusal::new("a union cannot be projected")),
    };
    if shapes.iter().all(|shape| shape.fields.is_empty()) {
        return Err(Refusal::new("nothing to project"));
    }
    let project = Project::new(
        &args,
        &named,
        shapes,
        has_pinned_fields_of(invocation.version),
    );
    let types = project.types();
    let methods = project.methods();
    let packed = project.packed_assertion();
    let unpin = project.unpin();
    let drop = project.drop();
    let import = match &args.krate {
        Some(path) => quote!(use #path as _pin_project;),
        None => quote!(
            extern crate pin_project as _pin_project;
        ),
    };
    let (outside, inside) = types;
    Ok(quote! {
        #original
        #outside
        #[allow(unused_qualifications, deprecated, explicit_outlives_requirements, single_use_lifetimes, unreachable_pub)]
        const _: () = {
            #[allow(unused_extern_crates)]
            #import
            #inside
            #methods
            #packed
            #unpin
            #drop
        };
    })
}

/// Whether the bounds of `Unpin` go through `PinnedFieldsOf`, which is so from
/// 1.1.7 on.
fn has_pinned_fields_of(version: Option<&str>) -> bool {
    let Some(version) = version else { return true };
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= (1, 1, 7)
}

/// Removes every `#[pin]` and tells, field by field, where they were.
fn take_pins(input: &mut DeriveInput) -> Vec<bool> {
    let mut take = |field: &mut syn::Field| {
        let before = field.attrs.len();
        field
            .attrs
            .retain(|attribute| !attribute.path().is_ident("pin"));
        before != field.attrs.len()
    };
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().map(&mut take).collect(),
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .flat_map(|variant| variant.fields.iter_mut())
            .map(&mut take)
            .collect(),
        Data::Union(data) => data.fields.named.iter_mut().map(&mut take).collect(),
    }
}
