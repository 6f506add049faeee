//! Statements as machine code: loops whose addresses advance by addition, and kernel calls.
//!
//! The pointer of an access is `base + 4·offset`. Buffers of the arena share one base, loaded once per function. A loop keeps, in place
//! of its variable `i`, the products `4·c·i` for each coefficient `c` that an access inside multiplies it by; they advance by `4·c`, and
//! the first of them tells when the loop is over.

use super::JitError;
use super::emit::Emit;
use crate::loops::{Access, Affine, Call, For, Stmt, VarId};
use cnnc_runtime::kernel::MAX_ARGS;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, GlobalValueData, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::{FuncId, Module};

/// Bytes of an element.
const ELEMENT: i64 = size_of::<f32>() as i64;

/// What the function's arguments are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// `(bases, pool)`
    Section,
    /// `(bases, from, to)`
    Parallel,
}

/// A loop variable's multiples: coefficient in elements, and the product in bytes.
type Products = Vec<(i64, Value)>;

/// A function's body while it is being emitted.
pub(super) struct Body<'e, 'p, 'b, 'f> {
    emit: &'e mut Emit<'p>,
    builder: &'b mut FunctionBuilder<'f>,
    arguments: Vec<Value>,
    null: Value,
    /// Base addresses by index in `bases`.
    bases: Vec<Option<Value>>,
    /// Loops around the current statement, outermost first.
    nest: Vec<(VarId, Products)>,
}

impl<'e, 'p, 'b, 'f> Body<'e, 'p, 'b, 'f> {
    /// Starts a body, and loads the bases that `stmts` need (parallel loops in a section have functions of their own).
    pub fn new(
        emit: &'e mut Emit<'p>,
        builder: &'b mut FunctionBuilder<'f>,
        entry: Entry,
        stmts: &[Stmt],
    ) -> Self {
        let block = builder.current_block().expect("the entry");
        let arguments = builder.block_params(block).to_vec();
        let mut bases = vec![None; emit.places.bases];
        let mut load = |access: &Access| {
            let (index, _) = emit.places[access.buffer];
            if bases[index].is_none() {
                let flags = MemFlagsData::trusted().with_readonly().with_can_move();
                let offset = (index * size_of::<*mut f32>()) as i32;
                bases[index] = Some(builder.ins().load(types::I64, flags, arguments[0], offset));
            }
        };
        let own = |stmt: &&Stmt| {
            entry == Entry::Parallel || !matches!(stmt, Stmt::For(inner) if inner.parallel)
        };
        for stmt in stmts.iter().filter(own) {
            accesses(std::slice::from_ref(stmt), &mut load);
        }
        let null = builder.ins().iconst(types::I64, 0);
        Body {
            emit,
            builder,
            arguments,
            null,
            bases,
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

    /// `parallel_for(pool, function, bases, trip)`.
    pub fn parallel_for(&mut self, function: FuncId, trip: u32) -> Result<(), JitError> {
        let parallel_for = self.emit.parallel_for()?;
        let parallel_for = self.emit.callee(parallel_for, self.builder.func);
        let function = self.emit.callee(function, self.builder.func);
        let (bases, pool) = (self.arguments[0], self.arguments[1]);
        let address = self.builder.ins().func_addr(types::I64, function);
        let trip = self.builder.ins().iconst(types::I64, i64::from(trip));
        self.builder
            .ins()
            .call(parallel_for, &[pool, address, bases, trip]);
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
        let kernel = self.emit.kernel(call.kernel)?;
        let kernel = self.emit.callee(kernel, self.builder.func);
        let mut arguments: Vec<Value> = Vec::with_capacity(MAX_ARGS + 1);
        for index in 0..MAX_ARGS {
            let argument = match call.args.get(index) {
                Some(Some(access)) => self.pointer(access),
                _ => self.null,
            };
            arguments.push(argument);
        }
        arguments.push(self.constants(&call.consts));
        self.builder.ins().call(kernel, &arguments);
        Ok(())
    }

    fn pointer(&mut self, access: &Access) -> Value {
        let (index, start) = self.emit.places[access.buffer];
        let base = self.bases[index].expect("loaded at the start");
        // Innermost last, so that what a loop does not change can leave it.
        let offset = (start + access.offset.base) * ELEMENT;
        let mut pointer = self.add(base, offset);
        for (var, products) in &self.nest {
            let wanted = coefficient(&access.offset, *var);
            if let Some(&(_, product)) = products.iter().find(|(known, _)| *known == wanted) {
                pointer = self.builder.ins().iadd(pointer, product);
            }
        }
        pointer
    }

    /// The address of these constants, an immediate.
    fn constants(&mut self, constants: &[i64]) -> Value {
        let offset = self.emit.constants.offset(constants);
        let table = self.emit.constants.data;
        let table = self
            .emit
            .module
            .declare_data_in_func(table, self.builder.func);
        let GlobalValueData::Symbol { name, .. } = &self.builder.func.global_values[table] else {
            unreachable!("data is a symbol");
        };
        let at = GlobalValueData::Symbol {
            name: name.clone(),
            offset: offset.into(),
            // Code and data may be further apart than a relative address reaches.
            colocated: false,
            tls: false,
        };
        // In place of the one that `declare_data_in_func` made: each call has its own.
        self.builder.func.global_values[table] = at;
        self.builder.ins().symbol_value(types::I64, table)
    }

    fn add(&mut self, value: Value, constant: i64) -> Value {
        match constant {
            0 => value,
            _ => self.builder.ins().iadd_imm_s(value, constant),
        }
    }
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

/// What the variable is multiplied by.
fn coefficient(offset: &Affine, var: VarId) -> i64 {
    let terms = offset.terms.iter().filter(|term| term.0 == var);
    terms.map(|term| term.1).sum()
}
