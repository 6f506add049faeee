//! What functions name: each other, kernels, the runtime, and the table of constants.

use super::JitError;
use super::host::PARALLEL_FOR;
use super::places::{Constants, Places};
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{KernelId, MAX_ARGS};
use cranelift_codegen::ir::{
    AbiParam, FuncRef, Function, GlobalValueData, InstBuilder, Signature, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Linkage, Module};
use std::collections::HashMap;

/// What all functions of a program share.
pub(super) struct Link<'a> {
    /// Whose kernels are called.
    pub isa: Isa,
    pub places: Places,
    pub module: &'a mut JITModule,
    /// Kernels that are declared.
    pub kernels: HashMap<KernelId, FuncId>,
    pub constants: Constants,
}

impl Link<'_> {
    /// A signature of that many words, without result. Every one here is of that kind.
    pub fn signature(&self, words: usize) -> Signature {
        let mut signature = self.module.make_signature();
        signature.params = vec![AbiParam::new(types::I64); words];
        signature
    }

    /// The function as something that `function` can call, however far away it is.
    pub fn callee(&mut self, id: FuncId, function: &mut Function) -> FuncRef {
        let callee = self.module.declare_func_in_func(id, function);
        function.dfg.ext_funcs[callee].colocated = false;
        callee
    }

    /// The kernel's function.
    ///
    /// # Panics
    /// When the ISA lacks it: a bug in lowering.
    pub fn kernel(&mut self, id: KernelId) -> Result<FuncId, JitError> {
        if let Some(&known) = self.kernels.get(&id) {
            return Ok(known);
        }
        let (row, isa) = (id.row(), self.isa);
        assert!(
            (row.entry)(isa).is_some(),
            "jit: {} does not exist for {isa}",
            row.name
        );
        let signature = self.signature(MAX_ARGS + 1);
        let function = self
            .module
            .declare_function(row.name, Linkage::Import, &signature)?;
        self.kernels.insert(id, function);
        Ok(function)
    }

    /// An address in the table of constants, an immediate.
    pub fn table(&mut self, builder: &mut FunctionBuilder<'_>, offset: i64) -> Value {
        let table = self
            .module
            .declare_data_in_func(self.constants.data, builder.func);
        let GlobalValueData::Symbol { name, .. } = &builder.func.global_values[table] else {
            unreachable!("data is a symbol");
        };
        let at = GlobalValueData::Symbol {
            name: name.clone(),
            offset: offset.into(),
            // Code and data may be further apart than a relative address reaches.
            colocated: false,
            tls: false,
        };
        // In place of the one that `declare_data_in_func` made: each use has its own.
        builder.func.global_values[table] = at;
        builder.ins().symbol_value(types::I64, table)
    }

    /// The runtime's `parallel_for(pool, body, bases, trip)`.
    pub fn parallel_for(&mut self) -> Result<FuncId, JitError> {
        let signature = self.signature(4);
        Ok(self
            .module
            .declare_function(PARALLEL_FOR, Linkage::Import, &signature)?)
    }
}
