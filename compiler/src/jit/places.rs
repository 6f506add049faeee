//! Where pointers begin: in buffers, and in the table of constants.

use super::JitError;
use crate::id::Id;
use crate::loops::{Access, Affine, VarId};
use crate::lower::Lowered;
use cranelift_jit::JITModule;
use cranelift_module::{DataDescription, DataId, Module};
use std::collections::HashMap;

/// Bytes of an element.
pub(super) const ELEMENT: i64 = size_of::<f32>() as i64;

/// Where a pointer begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Begin {
    /// Offset of the base in `bases`, and of the pointer from there, both in bytes.
    Memory(i64, i64),
    /// Byte offset in the table of constants.
    Constants(i64),
}

/// What the variable is multiplied by.
pub(super) fn coefficient(offset: &Affine, var: VarId) -> i64 {
    let terms = offset.terms.iter().filter(|term| term.0 == var);
    terms.map(|term| term.1).sum()
}

/// Where buffers are: the index of a base in `bases` (`arena, weights, inputs…, outputs…, between…, state…`), and the elements from there.
pub(super) struct Places(Vec<(usize, i64)>);

impl Places {
    /// Those of a program.
    pub fn new(lowered: &Lowered) -> Places {
        let (inputs, outputs) = (lowered.plan.inputs.len(), lowered.plan.outputs.len());
        let buffers = lowered.program.buffers.values();
        let places = buffers.map(|buffer| {
            let (base, start) = buffer.place.base(inputs, outputs);
            (base, start as i64)
        });
        Places(places.collect())
    }

    /// Where an access begins, all variables at 0.
    pub fn begin(&self, access: &Access) -> Begin {
        let (index, start) = self.0[access.buffer.index()];
        let base = index * size_of::<*mut f32>();
        Begin::Memory(base as i64, (start + access.offset.base) * ELEMENT)
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
    /// None yet.
    pub fn new(data: DataId) -> Constants {
        Constants {
            data,
            words: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Where these constants are.
    pub fn begin(&mut self, constants: &[i64]) -> Begin {
        Begin::Constants(self.offset(constants))
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
    pub fn define(&self, module: &mut JITModule) -> Result<usize, JitError> {
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
