//! Machine code for this process: native drivers for each network, one per run of sections, made by cranelift.
//!
//! ```text
//! driver(bases, pool)
//!   section 0(bases, pool, record)    straight-line kernel calls and serial loops
//!   section 1(bases, pool, record)
//!     parallel_for(pool, body, [bases, record], trip)
//!                        body([bases, record], from, to)
//! ```
//!
//! Sections of one form share a function; the record says where the pointers of each begin.
//! The hot work is in the runtime's kernels, called through their addresses; what is compiled here is everything around them, with every
//! stride and trip count folded. Kernels' constants and sections' records lie in one read-only table beside the code. Memory of the code goes when
//! the last [`Code`] does.
//!
//! A program is run only if it has been [proven](crate::loops::prove); [`compile`] asks.

mod body;
mod emit;
mod form;
mod host;
mod link;
mod places;

use crate::id::NodeId;
use crate::loops::Unproven;
use crate::lower::Lowered;
use cnnc_runtime::Isa;
use cnnc_runtime::session::Driver;
use cnnc_runtime::threads::Pool;
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Module, ModuleError, ModuleReloc};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Why a network could not be compiled. None of these is the network's fault.
#[derive(Debug)]
pub enum JitError {
    /// Cranelift has no code generator for this machine.
    Host(&'static str),
    /// The loops are for an ISA that this machine does not have.
    Unavailable(Isa),
    /// The loops are too much for the proof.
    Unproven(Unproven),
    /// Cranelift or the operating system refused, for want of memory most likely.
    Module(Box<ModuleError>),
}

impl fmt::Display for JitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JitError::Host(why) => write!(f, "the JIT does not support this machine: {why}"),
            JitError::Unavailable(isa) => write!(f, "this machine cannot run {isa} code"),
            JitError::Unproven(error) => error.fmt(f),
            JitError::Module(_) => f.write_str("the JIT could not make machine code"),
        }
    }
}

impl std::error::Error for JitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JitError::Module(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ModuleError> for JitError {
    fn from(error: ModuleError) -> JitError {
        JitError::Module(Box::new(error))
    }
}

/// The code of one section.
#[derive(Clone, Debug)]
pub struct SectionCode {
    /// The node it computes; `None` at the network's edges.
    pub node: Option<NodeId>,
    /// Its label.
    pub label: String,
    function: Section,
    /// Address of the section's record.
    record: usize,
}

/// A function that sections of one form share.
type Section = unsafe extern "C" fn(*const *mut f32, *const Pool, usize);

impl SectionCode {
    /// Runs the section. It takes what the driver takes.
    ///
    /// # Safety
    /// As the driver's, with all sections before it run; a [`Code`] of its network lives.
    pub unsafe fn run(&self, bases: *const *mut f32, pool: *const Pool) {
        // SAFETY: passed on; the record lies beside the code.
        unsafe { (self.function)(bases, pool, self.record) }
    }
}

/// A function of machine code, for profilers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Where it begins.
    pub address: usize,
    /// How long it is.
    pub bytes: usize,
    /// `3.conv1`, `3.conv1.parallel0 (and 2 like it)`, `Net.driver`
    pub name: String,
}

/// The machine code of one network. Clones share it; the last one frees it.
#[derive(Clone)]
pub struct Code(Arc<Inner>);

struct Inner {
    drivers: Vec<Driver>,
    sections: Vec<SectionCode>,
    bytes: usize,
    /// Every function with the length of its code.
    functions: Vec<(FuncId, usize)>,
    /// The function of each section.
    section_functions: Vec<FuncId>,
    /// `None` only while being dropped.
    module: Mutex<Option<JITModule>>,
}

impl Code {
    /// The functions that run the network, one for each run of its plan. They are valid while a `Code` of this network lives.
    pub fn drivers(&self) -> &[Driver] {
        &self.0.drivers
    }

    /// The sections that the driver calls, in order.
    pub fn sections(&self) -> &[SectionCode] {
        &self.0.sections
    }

    /// Every function: where its code is, how long it is, and a name made of the labels of the sections that it is of.
    pub fn symbols(&self) -> Vec<Symbol> {
        let module = self.0.module.lock();
        let module = module.unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(module) = &*module else {
            return Vec::new();
        };
        let name = |id: FuncId| {
            let name = &module.declarations().get_function_decl(id).name;
            name.as_deref().unwrap_or("anonymous")
        };
        let mut shared: HashMap<&str, usize> = HashMap::new();
        for &id in &self.0.section_functions {
            *shared.entry(name(id)).or_default() += 1;
        }
        let functions = self.0.functions.iter();
        let symbol = |&(id, bytes): &(FuncId, usize)| {
            let name = name(id);
            // The body of a parallel loop is its section's.
            let of = name.rsplit_once(".parallel").map_or(name, |(of, _)| of);
            let more = match shared.get(of) {
                None | Some(1) => String::new(),
                Some(sections) => format!(" (and {} like it)", sections - 1),
            };
            Symbol {
                address: module.get_finalized_function(id) as usize,
                bytes,
                name: format!("{name}{more}"),
            }
        };
        functions.map(symbol).collect()
    }

    /// Bytes of machine code and of the kernels' constants.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Code({} sections, {} bytes)",
            self.0.sections.len(),
            self.0.bytes
        )
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let module = self
            .module
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(module) = module.take() {
            // SAFETY: this is the last handle, and whoever uses an address from it keeps a handle.
            unsafe { module.free_memory() }
        }
    }
}

/// Compiles loops for this process.
///
/// # Errors
/// When this machine cannot run such code, memory for it cannot be had, or the network is too much for the proof.
///
/// # Panics
/// As [`Lowered::prove`]: a bug of the compiler.
pub fn compile(lowered: &Lowered) -> Result<Code, JitError> {
    let program = &lowered.program;
    if !program.isa.available() {
        return Err(JitError::Unavailable(program.isa));
    }
    lowered.prove().map_err(JitError::Unproven)?;
    let mut module = Owned(Some(host::module(program.isa)?));
    let quick = host::quick()?;
    let (mut bytes, mut functions) = (0, Vec::new());
    let ids = emit::network(lowered, module.get(), &mut |module, id, context| {
        // One block has no loop.
        match context.func.layout.blocks().nth(1) {
            None => define(module, &*quick, id, context)?,
            Some(_) => module.define_function(id, context)?,
        }
        let code = context.compiled_code();
        let len = code.map_or(0, |code| code.code_buffer().len());
        functions.push((id, len));
        bytes += len;
        Ok(())
    })?;
    let (table, len) = ids.constants;
    bytes += len;
    module.get().finalize_definitions()?;
    let finished = module.get();
    let table = finished.get_finalized_data(table).0 as usize;
    let driver = |id: FuncId| {
        let address = finished.get_finalized_function(id);
        // SAFETY: `emit` gave the function this signature.
        unsafe { std::mem::transmute::<*const u8, Driver>(address) }
    };
    let sections = program.sections.iter().zip(&ids.sections);
    let sections = sections.map(|(section, id)| {
        let address = finished.get_finalized_function(id.function);
        SectionCode {
            node: section.node,
            label: section.label.clone(),
            // SAFETY: as above.
            function: unsafe { std::mem::transmute::<*const u8, Section>(address) },
            record: table + id.record as usize,
        }
    });
    let (drivers, sections) = (
        ids.drivers.into_iter().map(driver).collect(),
        sections.collect(),
    );
    Ok(Code(Arc::new(Inner {
        drivers,
        sections,
        bytes,
        functions,
        section_functions: ids.sections.iter().map(|id| id.function).collect(),
        module: Mutex::new(module.0.take()),
    })))
}

/// Defines a function by another code generator than the module's.
fn define(
    module: &mut JITModule,
    isa: &dyn TargetIsa,
    id: FuncId,
    context: &mut Context,
) -> Result<(), JitError> {
    let compiled = context.compile(isa, &mut ControlPlane::default());
    compiled.map_err(ModuleError::from)?;
    let code = context.compiled_code().expect("compiled just now");
    let relocs = code.buffer.relocs().iter();
    let relocs = relocs.map(|reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, id));
    let relocs: Vec<ModuleReloc> = relocs.collect();
    let alignment = u64::from(code.buffer.alignment);
    module.define_function_bytes(id, alignment, code.code_buffer(), &relocs)?;
    Ok(())
}

/// The text of `dump --stage=clif`: cranelift's IR before optimisation, kernels by name.
///
/// # Errors
/// When this machine has no code generator.
pub fn clif(lowered: &Lowered) -> Result<String, JitError> {
    let program = &lowered.program;
    let mut module = Owned(Some(host::module(program.isa)?));
    let mut text = String::new();
    emit::network(lowered, module.get(), &mut |module, _, context| {
        let function = context.func.display().to_string();
        text += &host::with_names(&function, module.declarations());
        text.push('\n');
        Ok(())
    })?;
    Ok(text)
}

/// A module that is freed unless it is taken, whatever happens on the way.
struct Owned(Option<JITModule>);

impl Owned {
    fn get(&mut self) -> &mut JITModule {
        self.0.as_mut().expect("not yet taken")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: no address has left the module.
            unsafe { module.free_memory() }
        }
    }
}
