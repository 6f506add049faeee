//! A program's functions: the driver, its sections, the bodies of their parallel loops.

use super::JitError;
use super::body::{Body, Entry};
use super::form::{Form, Part};
use super::host::PARALLEL_FOR;
use crate::id::Id;
use crate::loops::{BufferId, For, Program, Section, Stmt};
use crate::lower::Lowered;
use cnnc_runtime::kernel::{KernelId, MAX_ARGS};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{
    AbiParam, FuncRef, Function, GlobalValueData, InstBuilder, Signature, UserFuncName, Value,
    types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::JITModule;
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module};
use std::collections::HashMap;
use std::ops::Index;

/// What to do with a finished function: define it, or print it.
type Finish<'a> = &'a mut dyn FnMut(&mut JITModule, FuncId, &mut Context) -> Result<(), JitError>;

/// Where things are, once they are emitted.
pub(super) struct Ids {
    /// The drivers, one for each run of sections.
    pub drivers: Vec<FuncId>,
    /// The sections, in the program's order.
    pub sections: Vec<SectionId>,
    /// The table of constants, and its bytes.
    pub constants: (DataId, usize),
}

/// A section: a function that takes a record, and the record's byte offset in the table of constants.
#[derive(Clone, Copy)]
pub(super) struct SectionId {
    pub function: FuncId,
    pub record: i64,
}

/// Emits every function of a program, and its constants.
pub(super) fn network(
    lowered: &Lowered,
    module: &mut JITModule,
    finish: Finish<'_>,
) -> Result<Ids, JitError> {
    let program = &lowered.program;
    let constants = module.declare_data("constants", Linkage::Local, false, false)?;
    let mut emit = Emit {
        program,
        places: Places::new(lowered),
        context: module.make_context(),
        module,
        frontend: FunctionBuilderContext::new(),
        finish,
        kernels: HashMap::new(),
        forms: HashMap::new(),
        constants: Constants::new(constants),
    };
    let mut sections = Vec::with_capacity(program.sections.len());
    for (index, section) in program.sections.iter().enumerate() {
        sections.push(emit.section(index, section)?);
    }
    let runs = program.runs().into_iter().enumerate();
    let drivers = runs.map(|(number, run)| emit.driver(number, &sections[run]));
    let drivers = drivers.collect::<Result<_, _>>()?;
    let bytes = emit.constants.define(emit.module)?;
    Ok(Ids {
        drivers,
        sections,
        constants: (constants, bytes),
    })
}

/// What all functions of a program share.
pub(super) struct Emit<'a> {
    program: &'a Program,
    pub places: Places,
    pub module: &'a mut JITModule,
    context: Context,
    frontend: FunctionBuilderContext,
    finish: Finish<'a>,
    kernels: HashMap<KernelId, FuncId>,
    forms: HashMap<Vec<Part>, FuncId>,
    pub constants: Constants,
}

impl Emit<'_> {
    /// `driver(bases, pool)`: calls the sections of a run one after another.
    fn driver(&mut self, run: usize, sections: &[SectionId]) -> Result<FuncId, JitError> {
        let signature = self.signature(2);
        let name = match run {
            0 => format!("{}.driver", self.program.name),
            run => format!("{}.driver{run}", self.program.name),
        };
        self.function(&name, &signature, |emit, builder| {
            let block = builder.current_block().expect("the entry");
            let mut arguments = builder.block_params(block).to_vec();
            for section in sections {
                let callee = emit.callee(section.function, builder.func);
                arguments.truncate(2);
                arguments.push(emit.table(builder, section.record));
                builder.ins().call(callee, &arguments);
            }
            Ok(())
        })
    }

    /// A section, whose function may be there already.
    fn section(&mut self, index: usize, section: &Section) -> Result<SectionId, JitError> {
        let mut form = Form::new(&section.body, &self.places, &mut self.constants);
        let record = self.constants.offset(&form.record);
        let parts = std::mem::take(&mut form.parts);
        let function = match self.forms.get(&parts) {
            Some(&known) => known,
            None => {
                let function = self.form(&format!("{index}.{}", section.label), section, &form)?;
                self.forms.insert(parts, function);
                function
            }
        };
        Ok(SectionId { function, record })
    }

    /// `section(bases, pool, record)`.
    fn form(&mut self, name: &str, section: &Section, form: &Form) -> Result<FuncId, JitError> {
        let mut parallel = Vec::new();
        for stmt in &section.body {
            if let Stmt::For(inner) = stmt
                && inner.parallel
            {
                let name = format!("{name}.parallel{}", parallel.len());
                parallel.push(self.parallel(&name, inner, form)?);
            }
        }
        let signature = self.signature(3);
        self.function(name, &signature, |emit, builder| {
            let mut parallel = parallel.into_iter();
            let mut body = Body::new(emit, builder, Entry::Section, form);
            for stmt in &section.body {
                match stmt {
                    Stmt::For(inner) if inner.parallel => {
                        let function = parallel.next().expect("one per parallel loop");
                        body.parallel_for(function, inner.trip)?;
                    }
                    stmt => body.stmt(stmt)?,
                }
            }
            Ok(())
        })
    }

    /// `body(context, from, to)`: some iterations of a parallel loop.
    fn parallel(&mut self, name: &str, inner: &For, form: &Form) -> Result<FuncId, JitError> {
        let signature = self.signature(3);
        self.function(name, &signature, |emit, builder| {
            Body::new(emit, builder, Entry::Parallel, form).iterations(inner)
        })
    }

    /// Builds one function and hands it on.
    fn function(
        &mut self,
        name: &str,
        signature: &Signature,
        build: impl FnOnce(&mut Self, &mut FunctionBuilder<'_>) -> Result<(), JitError>,
    ) -> Result<FuncId, JitError> {
        let id = self
            .module
            .declare_function(name, Linkage::Local, signature)?;
        let name = UserFuncName::user(0, id.as_u32());
        let mut function = Function::with_name_signature(name, signature.clone());
        // Taken for the time being, so that `build` may use all of `self`.
        let mut frontend = std::mem::take(&mut self.frontend);
        let mut builder = FunctionBuilder::new(&mut function, &mut frontend);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        build(self, &mut builder)?;
        builder.ins().return_(&[]);
        builder.seal_all_blocks();
        builder.finalize(self.module.target_config());
        self.frontend = frontend;
        self.context.func = function;
        (self.finish)(self.module, id, &mut self.context)?;
        self.context.clear();
        Ok(id)
    }

    /// A signature of that many words, without result. Every one here is of that kind.
    fn signature(&self, words: usize) -> Signature {
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
        let (row, isa) = (id.row(), self.program.isa);
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

/// Where buffers are: the index of a base in `bases` (`arena, weights, inputs…, outputs…, between…, state…`), and the elements from there.
pub(super) struct Places(Vec<(usize, i64)>);

impl Places {
    fn new(lowered: &Lowered) -> Places {
        let (inputs, outputs) = (lowered.plan.inputs.len(), lowered.plan.outputs.len());
        let buffers = lowered.program.buffers.values();
        let places = buffers.map(|buffer| {
            let (base, start) = buffer.place.base(inputs, outputs);
            (base, start as i64)
        });
        Places(places.collect())
    }
}

impl Index<BufferId> for Places {
    type Output = (usize, i64);
    fn index(&self, buffer: BufferId) -> &(usize, i64) {
        &self.0[buffer.index()]
    }
}

/// The constants of all kernel calls, equal ones stored once.
pub(super) struct Constants {
    /// The table.
    pub data: DataId,
    words: Vec<i64>,
    known: HashMap<Vec<i64>, usize>,
}

impl Constants {
    fn new(data: DataId) -> Constants {
        Constants {
            data,
            words: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Byte offset of these constants in the table.
    pub fn offset(&mut self, constants: &[i64]) -> i64 {
        let word = match self.known.get(constants) {
            Some(&word) => word,
            None => {
                let word = self.words.len();
                self.words.extend(constants);
                self.known.insert(constants.to_vec(), word);
                word
            }
        };
        (word * size_of::<i64>()) as i64
    }

    /// Defines the table and says how long it is.
    fn define(&self, module: &mut JITModule) -> Result<usize, JitError> {
        let bytes: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        let len = bytes.len();
        let mut data = DataDescription::new();
        data.define(bytes.into());
        data.set_align(64);
        module.define_data(self.data, &data)?;
        Ok(len)
    }
}
