//! The instruction sets that kernels are built for, and the choice between them at run time.

use std::fmt;
use std::str::FromStr;

/// An instruction set that every kernel has an entry for.
///
/// A *plan* depends on an ISA only through [`Isa::lanes`] and [`Isa::registers`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Isa {
    /// AVX-512F: 16 lanes, 32 registers, fused multiply-add.
    Avx512 = 0,
    /// AVX2 and FMA: 8 lanes, 16 registers, fused multiply-add.
    Avx2 = 1,
    /// Plain Rust, 8 lanes; multiplies and adds round separately.
    Portable = 2,
    /// Plain Rust at 16 lanes: runs the plan of AVX-512 on any machine, for tests.
    Portable16 = 3,
}

impl Isa {
    /// Every ISA, best first.
    pub const ALL: [Isa; 4] = [Isa::Avx512, Isa::Avx2, Isa::Portable, Isa::Portable16];

    /// Number of f32 in one vector.
    pub const fn lanes(self) -> usize {
        match self {
            Isa::Avx512 | Isa::Portable16 => 16,
            Isa::Avx2 | Isa::Portable => 8,
        }
    }

    /// Number of vector registers that a tile may use.
    pub const fn registers(self) -> usize {
        match self {
            Isa::Avx512 | Isa::Portable16 => 32,
            Isa::Avx2 | Isa::Portable => 16,
        }
    }

    /// Whether `a * b + c` is rounded once.
    pub const fn fused(self) -> bool {
        matches!(self, Isa::Avx512 | Isa::Avx2)
    }

    /// Whether this machine can run it.
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => is_x86_feature_detected!("avx512f") && Isa::Avx2.available(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx512 | Isa::Avx2 => false,
            Isa::Portable | Isa::Portable16 => true,
        }
    }

    /// The name used in `CNNC_ISA`, in kernel symbols and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
            Isa::Portable16 => "portable16",
        }
    }

    /// The best ISA of this machine, or the one that the environment variable `CNNC_ISA` forces.
    ///
    /// # Errors
    /// A name that is no ISA, or an ISA that this machine does not have.
    pub fn detect() -> Result<Isa, IsaError> {
        match std::env::var("CNNC_ISA") {
            Ok(name) if !name.is_empty() => {
                let isa: Isa = name.parse()?;
                if isa.available() {
                    Ok(isa)
                } else {
                    Err(IsaError::Unavailable(isa))
                }
            }
            _ => Ok(Isa::ALL
                .into_iter()
                .find(|isa| isa.available())
                .unwrap_or(Isa::Portable)),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;
    fn from_str(name: &str) -> Result<Isa, IsaError> {
        let wanted = name.to_ascii_lowercase();
        Isa::ALL
            .into_iter()
            .find(|isa| isa.name() == wanted)
            .ok_or_else(|| IsaError::Unknown(name.to_owned()))
    }
}

/// Why no ISA could be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IsaError {
    /// Not the name of an ISA.
    Unknown(String),
    /// This machine cannot run it.
    Unavailable(Isa),
}

impl fmt::Display for IsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IsaError::Unknown(name) => {
                write!(f, "unknown ISA `{name}`; known: ")?;
                let names: Vec<_> = Isa::ALL.iter().map(|isa| isa.name()).collect();
                f.write_str(&names.join(", "))
            }
            IsaError::Unavailable(isa) => write!(f, "this machine cannot run {isa} code"),
        }
    }
}

impl std::error::Error for IsaError {}
