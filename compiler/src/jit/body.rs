//! Statements as machine code: loops whose addresses advance by addition, and kernel calls.
//!
//! The pointer of an access is `base + 4·offset`; where it begins, the section's [record](super::form) says. A loop keeps, in place
//! of its variable `i`, the products `4·c·i` for each coefficient `c` that an access inside multiplies it by; they advance by `4·c`, and
//! the first of them tells when the loop is over.

use super::JitError;
use super::form::Form;
use super::link::Link;
use super::places::{Begin, ELEMENT, coefficient};
use crate::loops::{Access, Call, For, Stmt, VarId};
use cnnc_runtime::kernel::MAX_ARGS;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    BlockArg, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::FuncId;

/// Bytes of a pointer.
const WORD: i32 = size_of::<*mut f32>() as i32;

/// What the function's arguments are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// `(bases, pool, record)`
    Section,
    /// `(context, from, to)`; the context is bases and record.
    Parallel,
}

/// A loop variable's multiples: coefficient in elements, and the product in bytes.
type Products = Vec<(i64, Value)>;

/// A function's body while it is being emitted.
pub(super) struct Body<'e, 'p, 'b, 'f> {
    link: &'e mut Link<'p>,
    builder: &'b mut FunctionBuilder<'f>,
    form: &'e Form,
    arguments: Vec<Value>,
    bases: Value,
    record: Value,
    null: Value,
    /// Loops around the current statement, outermost first.
    nest: Vec<(VarId, Products)>,
}

impl<'e, 'p, 'b, 'f> Body<'e, 'p, 'b, 'f> {
    /// Starts a body of a section of that form.
    pub fn new(
        link: &'e mut Link<'p>,
        builder: &'b mut FunctionBuilder<'f>,
        entry: Entry,
        form: &'e Form,
    ) -> Self {
        let block = builder.current_block().expect("the entry");
        let arguments = builder.block_params(block).to_vec();
        let mut context = |word| load(builder, arguments[0], word * WORD);
        let (bases, record) = match entry {
            Entry::Section => (arguments[0], arguments[2]),
            Entry::Parallel => (context(0), context(1)),
        };
        let null = builder.ins().iconst(types::I64, 0);
        Body {
            link,
            builder,
            form,
            arguments,
            bases,
            record,
            null,
            nest: Vec::new(),
        }
    }

    /// A statement; loops are serial.
    pub fn stmt(&mut self, stmt: &Stmt) -> Result<(), JitError> {
        match stmt {
            Stmt::Call(call) => self.call(call),
            Stmt::For(inner) => {
                let trip = self.builder.ins().iconst(types::I64, i64::from(inner.trip));
                self.repeat(inner, self.null, trip)
            }
        }
    }

    /// The iterations that the function's arguments name. A pool never asks for none.
    pub fn iterations(mut self, inner: &For) -> Result<(), JitError> {
        let (from, to) = (self.arguments[1], self.arguments[2]);
        self.repeat(inner, from, to)
    }

    /// `parallel_for(pool, function, context, trip)`.
    pub fn parallel_for(&mut self, function: FuncId, trip: u32) -> Result<(), JitError> {
        let parallel_for = self.link.parallel_for()?;
        let parallel_for = self.link.callee(parallel_for, self.builder.func);
        let function = self.link.callee(function, self.builder.func);
        let words = StackSlotData::new(StackSlotKind::ExplicitSlot, 2 * WORD as u32, 3);
        let context = self.builder.create_sized_stack_slot(words);
        self.builder
            .ins()
            .stack_store(types::I64, self.bases, context, 0);
        self.builder
            .ins()
            .stack_store(types::I64, self.record, context, WORD);
        let context = self.builder.ins().stack_addr(types::I64, context, 0);
        let pool = self.arguments[1];
        let address = self.builder.ins().func_addr(types::I64, function);
        let trip = self.builder.ins().iconst(types::I64, i64::from(trip));
        self.builder
            .ins()
            .call(parallel_for, &[pool, address, context, trip]);
        Ok(())
    }

    /// `for var in from..to`, at least once.
    fn repeat(&mut self, inner: &For, from: Value, to: Value) -> Result<(), JitError> {
        let mut coefficients = Vec::new();
        accesses(&inner.body, &mut |access| {
            let coefficient = coefficient(&access.offset, inner.var);
            if coefficient != 0 && !coefficients.contains(&coefficient) {
                coefficients.push(coefficient);
            }
        });
        if coefficients.is_empty() {
            // Nothing depends on the variable; it only counts.
            coefficients.push(1);
        }
        let scaled = |body: &mut Self, value: Value| -> Vec<Value> {
            let scale =
                |&coefficient: &i64| body.builder.ins().imul_imm_s(value, coefficient * ELEMENT);
            coefficients.iter().map(scale).collect()
        };
        let start: Vec<BlockArg> = scaled(self, from).into_iter().map(BlockArg::from).collect();
        let end = self.builder.ins().imul_imm_s(to, coefficients[0] * ELEMENT);
        let head = self.builder.create_block();
        let exit = self.builder.create_block();
        self.builder.ins().jump(head, &start);
        self.builder.switch_to_block(head);
        let products: Products = coefficients
            .iter()
            .map(|&coefficient| {
                (
                    coefficient,
                    self.builder.append_block_param(head, types::I64),
                )
            })
            .collect();
        self.nest.push((inner.var, products.clone()));
        for stmt in &inner.body {
            self.stmt(stmt)?;
        }
        self.nest.pop();
        let next: Vec<Value> = products
            .iter()
            .map(|&(coefficient, product)| {
                self.builder
                    .ins()
                    .iadd_imm_s(product, coefficient * ELEMENT)
            })
            .collect();
        let again = self.builder.ins().icmp(IntCC::NotEqual, next[0], end);
        let next: Vec<BlockArg> = next.into_iter().map(BlockArg::from).collect();
        self.builder.ins().brif(again, head, &next, exit, &[]);
        self.builder.switch_to_block(exit);
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<(), JitError> {
        let kernel = self.link.kernel(call.kernel)?;
        let kernel = self.link.callee(kernel, self.builder.func);
        let mut arguments: Vec<Value> = Vec::with_capacity(MAX_ARGS + 1);
        for index in 0..MAX_ARGS {
            let argument = match call.args.get(index) {
                Some(Some(access)) => self.pointer(access),
                _ => self.null,
            };
            arguments.push(argument);
        }
        let constants = self.link.constants.begin(&call.consts);
        arguments.push(self.begin(constants));
        self.builder.ins().call(kernel, &arguments);
        Ok(())
    }

    fn pointer(&mut self, access: &Access) -> Value {
        // Innermost last, so that what a loop does not change can leave it.
        let mut pointer = self.begin(self.link.places.begin(access));
        for (var, products) in &self.nest {
            let wanted = coefficient(&access.offset, *var);
            if let Some(&(_, product)) = products.iter().find(|(known, _)| *known == wanted) {
                pointer = self.builder.ins().iadd(pointer, product);
            }
        }
        pointer
    }

    /// Where a pointer begins.
    fn begin(&mut self, begin: Begin) -> Value {
        let at = self.form.offset(begin);
        let first = load(self.builder, self.record, at);
        let (base, offset) = match begin {
            Begin::Constants(_) => (self.link.table(self.builder, 0), first),
            Begin::Memory(..) => {
                let base = self.builder.ins().iadd(self.bases, first);
                let base = load(self.builder, base, 0);
                (base, load(self.builder, self.record, at + WORD))
            }
        };
        self.builder.ins().iadd(base, offset)
    }
}

/// A word that nothing changes while the function runs.
fn load(builder: &mut FunctionBuilder<'_>, address: Value, offset: i32) -> Value {
    let flags = MemFlagsData::trusted().with_readonly().with_can_move();
    builder.ins().load(types::I64, flags, address, offset)
}

/// Every access in the statements.
fn accesses(stmts: &[Stmt], see: &mut impl FnMut(&Access)) {
    for stmt in stmts {
        match stmt {
            Stmt::For(inner) => accesses(&inner.body, see),
            Stmt::Call(call) => call.args.iter().flatten().for_each(&mut *see),
        }
    }
}
