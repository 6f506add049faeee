//! The declaration of a kernel's calls: what a call is made of, and how it becomes pointers and constants.
//!
//! A kernel is declared once, by `declare!` at the top of its file. From that come the struct that the compiler fills
//! ([`KernelCall`]), the order and the types of arguments and constants ([`Arg`], [`Const`]) that the dump, the verifier and the
//! tests read, and the view of the constants that the kernel's own code works with. Strides stand beside the pointer that they
//! belong to, and counts, strides and floats have types of their own, so that they cannot change places.

use super::{Deviation, Fusion, KernelId, Reduction, Rule, Statistic, Step, Term, ZipOp, bits};

/// Element type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// 32-bit float.
    F32,
}

/// What a kernel does with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Reads it; it does not overlap what is written.
    Read,
    /// Reads it, each element before the one of the output is written: it may be exactly the output's elements.
    Same,
    /// Writes it.
    Write,
}

/// An argument, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Its elements.
    pub elem: Elem,
    /// What happens to it.
    pub usage: Use,
}

/// Type of a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number of iterations or elements.
    Count,
    /// A distance between elements.
    Stride,
    /// A position, among elements that are counted.
    Index,
    /// The bits of a float, see [`bits`].
    Float,
    /// The bits of a float of 64 bits, which is rounded where it is used.
    Double,
    /// Yes or no.
    Flag,
    /// An operation, by number.
    Code,
}

/// A constant, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Const {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Of a code, how many operations there are, by the numbers from 0 on.
    pub operations: usize,
}

/// What a kernel's calls are made of.
#[derive(Debug)]
pub struct Signature {
    /// The pointers, the output first.
    pub args: &'static [Arg],
    /// The constants, in order.
    pub consts: &'static [Const],
    /// The constants behind them: a group, as often as the last of `consts` says.
    pub repeated: &'static [Const],
}

impl Signature {
    /// Whether the output may be exactly the elements of that argument.
    pub fn in_place(&self, arg: usize) -> bool {
        self.args[arg].usage == Use::Same
    }

    /// What each constant of a call is; for ever, if a group is repeated.
    pub fn constants(&self) -> impl Iterator<Item = &'static Const> {
        self.consts.iter().chain(self.repeated.iter().cycle())
    }

    /// How many constants a call has that begins with these; `None` if there are too few to tell.
    pub fn count(&self, consts: &[i64]) -> Option<i64> {
        let fixed = self.consts.len();
        match self.repeated.len() {
            0 => Some(fixed as i64),
            group => (group as i64)
                .checked_mul(*consts.get(fixed - 1)?)?
                .checked_add(fixed as i64),
        }
    }
}

/// A call of a kernel; `P` is what points to elements.
pub trait KernelCall<P> {
    /// Which kernel.
    fn kernel(&self) -> KernelId;
    /// The pointers, in the order of [`Signature::args`].
    fn args(&self) -> Vec<Option<P>>;
    /// The constants, in the order of [`Signature::consts`].
    fn consts(&self) -> Vec<i64>;
}

/// A tensor that a kernel walks by rows and pixels; the channels of a pixel are adjacent.
#[derive(Clone, Debug)]
pub struct Pixels<P> {
    /// The first element.
    pub at: P,
    /// From one row to the next.
    pub row: i64,
    /// From one pixel to the next.
    pub pixel: i64,
}

/// Two tensors of the same extents that a kernel walks together, pixel by pixel.
#[derive(Clone, Debug)]
pub struct Pixelwise<P> {
    /// Rows.
    pub rows: usize,
    /// Pixels in a row.
    pub pixels: usize,
    /// Channels.
    pub channels: usize,
    /// The result.
    pub out: Pixels<P>,
    /// The operand.
    pub x: Pixels<P>,
}

/// An axis along which one argument is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Iterations.
    pub count: usize,
    /// From one to the next.
    pub stride: i64,
}

impl Axis {
    /// One iteration.
    pub const ONCE: Axis = Axis {
        count: 1,
        stride: 0,
    };
}

/// Where what is added is, if anything is.
pub(super) fn pointer<P: Clone>(residual: &Option<Pixels<P>>) -> Option<P> {
    residual.as_ref().map(|residual| residual.at.clone())
}

/// Row and pixel stride of what is added, if anything is.
pub(super) fn strides<P>(residual: &Option<Pixels<P>>) -> (i64, i64) {
    residual
        .as_ref()
        .map_or((0, 0), |residual| (residual.row, residual.pixel))
}

/// How a constant of each type is written down.
pub(super) mod encode {
    #![allow(non_snake_case)] // Each is called like its variant of `Type`.
    use super::{Deviation, Fusion, Reduction, Rule, Statistic, Step, Term, ZipOp, bits};

    pub fn Count(count: usize) -> i64 {
        count as i64
    }
    pub fn Stride(stride: i64) -> i64 {
        stride
    }
    pub fn Index(index: usize) -> i64 {
        index as i64
    }
    pub fn Float(value: f64) -> i64 {
        bits(value)
    }
    pub fn Double(value: f64) -> i64 {
        value.to_bits() as i64
    }
    pub fn Flag(flag: bool) -> i64 {
        flag.into()
    }
    pub fn Code(operation: impl Operation) -> i64 {
        operation.code()
    }

    pub trait Operation {
        fn code(&self) -> i64;
    }
    impl Operation for ZipOp {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Reduction {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Term {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Statistic {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Deviation {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Rule {
        fn code(&self) -> i64 {
            *self as i64
        }
    }
    impl Operation for Fusion {
        fn code(&self) -> i64 {
            self.key().0
        }
    }
    impl Operation for &Step {
        fn code(&self) -> i64 {
            Step::code(self)
        }
    }
}

/// What a constant of each type is to the kernel's code.
pub(super) mod view {
    pub type Count = isize;
    pub type Stride = isize;
    pub type Index = isize;
    pub type Float = isize;
    pub type Double = f64;
    pub type Flag = isize;
    pub type Code = isize;

    /// Constants become what the kernel's code works with.
    pub trait Decode {
        fn decode(constant: i64) -> Self;
    }
    impl Decode for isize {
        #[inline(always)]
        fn decode(constant: i64) -> isize {
            constant as isize
        }
    }
    impl Decode for f64 {
        #[inline(always)]
        fn decode(constant: i64) -> f64 {
            super::super::double(constant)
        }
    }
}

/// Declares a kernel's call: the struct that the compiler fills, the tables of arguments and constants, and the view of the constants.
/// The operations of a code are those in its type's `ALL`: `op: Code of ZipOp = …`.
macro_rules! declare {
    (
        $(#[$doc:meta])*
        pub struct $call:ident: $view:ident {
            $($(#[$field_doc:meta])* $field:ident: $of:ty),* $(,)?
        }
        kernel($k:ident) = $kernel:expr;
        args($a:ident) { $($arg:ident: $usage:ident = $pointer:expr),* $(,)? }
        consts($c:ident) { $($const:ident: $ty:ident $(of $operations:ty)? = $value:expr),* $(,)? }
        $(each($item:ident in $items:ident) { $($repeated:ident: $repeated_ty:ident = $repeated_value:expr),* $(,)? })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $call<P> {
            $($(#[$field_doc])* pub $field: $of),*
        }

        impl<P: Clone> $crate::kernel::KernelCall<P> for $call<P> {
            fn kernel(&self) -> $crate::kernel::KernelId {
                #[allow(unused_variables)]
                let $k = self;
                $kernel
            }
            fn args(&self) -> Vec<Option<P>> {
                let $a = self;
                vec![$(Option::<P>::from($pointer.clone())),*]
            }
            fn consts(&self) -> Vec<i64> {
                use $crate::kernel::declare::encode;
                let $c = self;
                #[allow(unused_mut)]
                let mut consts = vec![$(encode::$ty($value)),*];
                $(for $item in &self.$items {
                    consts.extend([$(encode::$repeated_ty($repeated_value)),*]);
                })?
                consts
            }
        }

        #[derive(Clone, Copy)]
        #[allow(dead_code)] // Not every kernel's code reads each of them.
        pub(super) struct $view {
            $(pub $const: $crate::kernel::declare::view::$ty),*
        }

        impl $view {
            /// What a call is made of.
            pub const SIGNATURE: &'static $crate::kernel::Signature = &$crate::kernel::Signature {
                args: &[$($crate::kernel::Arg {
                    name: stringify!($arg),
                    elem: $crate::kernel::Elem::F32,
                    usage: $crate::kernel::Use::$usage,
                }),*],
                consts: &[$($crate::kernel::Const {
                    name: stringify!($const),
                    ty: $crate::kernel::Type::$ty,
                    operations: 0 $(+ <$operations>::ALL.len())?,
                }),*],
                repeated: &[$($($crate::kernel::Const {
                    name: stringify!($repeated),
                    ty: $crate::kernel::Type::$repeated_ty,
                    operations: 0,
                }),*)?],
            };

            /// How many constants there are, but for repeated ones.
            pub const CONSTS: usize = Self::SIGNATURE.consts.len();

            /// From a slice, for footprints and twins. Panics when it is too short: a compiler bug.
            pub fn new(consts: &[i64]) -> Self {
                let [$($const,)* ..] = *consts else {
                    panic!("{} takes {} constants, not {}", stringify!($view), Self::CONSTS, consts.len())
                };
                $view { $($const: $crate::kernel::declare::view::Decode::decode($const)),* }
            }

            /// From a kernel's last argument.
            ///
            /// # Safety
            /// `consts` must point to as many constants as there are names.
            #[inline(always)]
            pub unsafe fn read(consts: *const i64) -> Self {
                // SAFETY: the caller promises that many constants.
                let [$($const),*] = unsafe { *consts.cast::<[i64; Self::CONSTS]>() };
                $view { $($const: $crate::kernel::declare::view::Decode::decode($const)),* }
            }
        }
    };
}
pub(super) use declare;
