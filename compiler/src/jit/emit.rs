//! A program's functions: the driver, its sections, the bodies of their parallel loops.

use super::JitError;
use super::body::{Body, Entry};
use super::form::{Form, Part};
use super::link::Link;
use super::places::{Constants, Places};
use crate::loops::{For, Program, Section, Stmt};
use crate::lower::Lowered;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{Function, InstBuilder, Signature, UserFuncName};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::JITModule;
use cranelift_module::{DataId, FuncId, Linkage, Module};
use std::collections::HashMap;

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
        context: module.make_context(),
        frontend: FunctionBuilderContext::new(),
        finish,
        forms: HashMap::new(),
        link: Link {
            isa: program.isa,
            places: Places::new(lowered),
            module,
            kernels: HashMap::new(),
            constants: Constants::new(constants),
        },
    };
    let mut sections = Vec::with_capacity(program.sections.len());
    for (index, section) in program.sections.iter().enumerate() {
        sections.push(emit.section(index, section)?);
    }
    let runs = program.runs().into_iter().enumerate();
    let drivers = runs.map(|(number, run)| emit.driver(number, &sections[run]));
    let drivers = drivers.collect::<Result<_, _>>()?;
    let bytes = emit.link.constants.define(emit.link.module)?;
    Ok(Ids {
        drivers,
        sections,
        constants: (constants, bytes),
    })
}

/// The functions of a program while they are emitted.
struct Emit<'a> {
    program: &'a Program,
    context: Context,
    frontend: FunctionBuilderContext,
    finish: Finish<'a>,
    forms: HashMap<Vec<Part>, FuncId>,
    link: Link<'a>,
}

impl Emit<'_> {
    /// `driver(bases, pool)`: calls the sections of a run one after another.
    fn driver(&mut self, run: usize, sections: &[SectionId]) -> Result<FuncId, JitError> {
        let signature = self.link.signature(2);
        let name = match run {
            0 => format!("{}.driver", self.program.name),
            run => format!("{}.driver{run}", self.program.name),
        };
        self.function(&name, &signature, |emit, builder| {
            let block = builder.current_block().expect("the entry");
            let mut arguments = builder.block_params(block).to_vec();
            for section in sections {
                let callee = emit.link.callee(section.function, builder.func);
                arguments.truncate(2);
                arguments.push(emit.link.table(builder, section.record));
                builder.ins().call(callee, &arguments);
            }
            Ok(())
        })
    }

    /// A section, whose function may be there already.
    fn section(&mut self, index: usize, section: &Section) -> Result<SectionId, JitError> {
        let mut form = Form::new(&section.body, &self.link.places, &mut self.link.constants);
        let record = self.link.constants.offset(&form.record);
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
        let signature = self.link.signature(3);
        self.function(name, &signature, |emit, builder| {
            let mut parallel = parallel.into_iter();
            let mut body = Body::new(&mut emit.link, builder, Entry::Section, form);
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
        let signature = self.link.signature(3);
        self.function(name, &signature, |emit, builder| {
            Body::new(&mut emit.link, builder, Entry::Parallel, form).iterations(inner)
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
            .link
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
        builder.finalize(self.link.module.target_config());
        self.frontend = frontend;
        self.context.func = function;
        (self.finish)(self.link.module, id, &mut self.context)?;
        self.context.clear();
        Ok(id)
    }
}
