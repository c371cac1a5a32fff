//! The shape of a field's type, which decides how clap reads the argument.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// How many values a field takes, judged from the spelling of its type alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Unit,
    Vec,
    Option,
    OptionOption,
    OptionVec,
    Other,
}

impl Shape {
    pub(crate) fn of(ty: &Type) -> Self {
        if matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) {
            return Self::Unit;
        }
        if argument_of(ty, "Vec").is_some() {
            return Self::Vec;
        }
        match argument_of(ty, "Option") {
            Some(inner) if argument_of(inner, "Option").is_some() => Self::OptionOption,
            Some(inner) if argument_of(inner, "Vec").is_some() => Self::OptionVec,
            Some(_) => Self::Option,
            None => Self::Other,
        }
    }
}

/// The type of one value of the field.
pub(crate) fn value_type(ty: &Type) -> &Type {
    let inner = match Shape::of(ty) {
        Shape::Vec | Shape::Option => argument(ty),
        Shape::OptionOption | Shape::OptionVec => argument(ty).and_then(argument),
        Shape::Unit | Shape::Other => None,
    };
    inner.unwrap_or(ty)
}

/// The type that a `subcommand` or `flatten` field delegates to.
pub(crate) fn delegate_type(ty: &Type) -> &Type {
    match Shape::of(ty) {
        Shape::Option => argument(ty).unwrap_or(ty),
        _ => ty,
    }
}

/// Whether `ty` is the bare name `name`.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    single_segment(ty).is_some_and(|segment| segment.arguments.is_none() && segment.ident == name)
}

/// `T` of `name<T>`.
pub(crate) fn argument_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    single_segment(ty)
        .filter(|segment| segment.ident == name)
        .and_then(only_argument)
}

fn argument(ty: &Type) -> Option<&Type> {
    single_segment(ty).and_then(only_argument)
}

fn only_argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) if list.args.len() == 1 => match list.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

fn single_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        // A type that came through a `macro_rules` fragment.
        Type::Group(group) => single_segment(&group.elem),
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => {
            match path.path.segments.len() {
                1 => path.path.segments.first(),
                _ => None,
            }
        }
        _ => None,
    }
}
