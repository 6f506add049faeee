//! Heads as constants: what code that is generated says in their place.
//!
//! A type declares its fields once more with the macro `constant!`; a field that is left out does not compile. Whoever prints code
//! knows the forms of [`Value`] and no head.

use std::borrow::Cow;

/// A constant, in the forms that heads are made of. Types are those of this crate's module `answer`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true`
    Flag(bool),
    /// `7`
    Count(usize),
    /// `0.5`, to the bit
    Real(f32),
    /// `"cat"`
    Text(String),
    /// `(1.0, 2.0)`
    Tuple(Vec<Value>),
    /// `[1.0, 2.0]`
    Array(Vec<Value>),
    /// A list that is part of the program.
    List(Vec<Value>),
    /// `Some(…)` or `None`
    Maybe(Option<Box<Value>>),
    /// `Yolo1 { side: 7, … }`
    Struct(&'static str, Vec<(&'static str, Value)>),
    /// `Overlap::Class`, or `Task::Yolo1(…)`
    Variant(&'static str, &'static str, Option<Box<Value>>),
}

/// What can be written down as a constant.
pub trait Constant {
    /// The constant.
    fn constant(&self) -> Value;
}

impl Constant for bool {
    fn constant(&self) -> Value {
        Value::Flag(*self)
    }
}

impl Constant for usize {
    fn constant(&self) -> Value {
        Value::Count(*self)
    }
}

impl Constant for f32 {
    fn constant(&self) -> Value {
        Value::Real(*self)
    }
}

impl<A: Constant, B: Constant> Constant for (A, B) {
    fn constant(&self) -> Value {
        Value::Tuple(vec![self.0.constant(), self.1.constant()])
    }
}

impl<T: Constant, const N: usize> Constant for [T; N] {
    fn constant(&self) -> Value {
        Value::Array(self.iter().map(Constant::constant).collect())
    }
}

impl<T: Constant> Constant for Option<T> {
    fn constant(&self) -> Value {
        Value::Maybe(self.as_ref().map(|value| Box::new(value.constant())))
    }
}

impl<T: Constant + Clone> Constant for Cow<'_, [T]> {
    fn constant(&self) -> Value {
        Value::List(self.iter().map(Constant::constant).collect())
    }
}

impl Constant for Cow<'_, str> {
    fn constant(&self) -> Value {
        Value::Text(self.to_string())
    }
}

/// The constant of a struct (all its fields, which are public) or of an enum without fields (all its variants).
macro_rules! constant {
    (enum $name:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::answer::constant::Constant for $name {
            fn constant(&self) -> $crate::answer::constant::Value {
                let variant = match self {
                    $($name::$variant => stringify!($variant),)*
                };
                $crate::answer::constant::Value::Variant(stringify!($name), variant, None)
            }
        }
    };
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::answer::constant::Constant for $name {
            fn constant(&self) -> $crate::answer::constant::Value {
                let $name { $($field),* } = self;
                let fields = vec![
                    $((stringify!($field), $crate::answer::constant::Constant::constant($field)),)*
                ];
                $crate::answer::constant::Value::Struct(stringify!($name), fields)
            }
        }
    };
}

pub(super) use constant;
