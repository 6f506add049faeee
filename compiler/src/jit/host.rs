//! The machine that code is made for, and what code may refer to by name.

use super::JitError;
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::KERNELS;
use cnnc_runtime::threads;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, ModuleDeclarations, default_libcall_names};
use std::sync::LazyLock;

/// The symbol of the runtime's parallel loop.
pub(super) const PARALLEL_FOR: &str = "parallel_for";

/// What differs from cranelift's defaults, which are made for quick compilation of untrusted code.
const FLAGS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    // The other one (`single_pass`) compiles faster and spills around every call.
    ("regalloc_algorithm", "backtracking"),
    (
        "enable_verifier",
        if cfg!(debug_assertions) {
            "true"
        } else {
            "false"
        },
    ),
    // Addresses are absolute: kernels may be further away than a relative call reaches.
    ("is_pic", "false"),
    ("use_colocated_libcalls", "false"),
    // Kernels never unwind, so nobody walks these frames.
    ("unwind_info", "false"),
];

/// What differs from these for functions without loops, where each instruction is run once: they are compiled in half of the time.
const QUICK: &[(&str, &str)] = &[("opt_level", "none"), ("regalloc_algorithm", "single_pass")];

/// Cranelift for this machine, with all that its processor has.
type Target = LazyLock<Result<OwnedTargetIsa, &'static str>>;

fn target(more: &[(&str, &str)]) -> Result<OwnedTargetIsa, &'static str> {
    let mut flags = settings::builder();
    for (name, value) in FLAGS.iter().chain(more) {
        flags.set(name, value).map_err(|_| "unknown setting")?;
    }
    let host = cranelift_native::builder()?;
    host.finish(settings::Flags::new(flags))
        .map_err(|_| "settings do not fit")
}

/// The code generator for functions without loops.
pub(super) fn quick() -> Result<OwnedTargetIsa, JitError> {
    static TARGET: Target = Target::new(|| target(QUICK));
    TARGET.clone().map_err(JitError::Host)
}

/// An empty module that knows every kernel of the ISA.
pub(super) fn module(isa: Isa) -> Result<JITModule, JitError> {
    static TARGET: Target = Target::new(|| target(&[]));
    let target = TARGET.clone().map_err(JitError::Host)?;
    let mut builder = JITBuilder::with_isa(target, default_libcall_names());
    builder.symbol(PARALLEL_FOR, threads::parallel_for as *const u8);
    for kernel in KERNELS {
        if let Some(entry) = (kernel.entry)(isa) {
            builder.symbol(kernel.name, entry as *const u8);
        }
    }
    Ok(JITModule::new(builder))
}

/// Puts names where cranelift prints numbers: `u0:7` for a function, `userextname1` for data, of which there is one.
pub(super) fn with_names(text: &str, declarations: &ModuleDeclarations) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('u') {
        out += &rest[..at];
        rest = &rest[at..];
        if let Some((number, after)) = number(rest, "u0:") {
            let declaration = declarations.get_function_decl(FuncId::from_u32(number));
            out.push('%');
            out += declaration.name.as_deref().unwrap_or("anonymous");
            rest = after;
        } else if let Some((_, after)) = number(rest, "userextname") {
            out += "%constants";
            rest = after;
        } else {
            out.push('u');
            rest = &rest[1..];
        }
    }
    out + rest
}

/// The number behind that prefix, and the text behind it.
fn number<'t>(text: &'t str, prefix: &str) -> Option<(u32, &'t str)> {
    let digits = text.strip_prefix(prefix)?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    Some((digits[..end].parse().ok()?, &digits[end..]))
}
