//! A network section by section: how long each takes, and what it leaves.

use crate::network::{Engine, Inner, SectionInfo, Session, State};
use crate::{Error, Input, bench::Times};
use cnnc_compiler::id::ValueId;
use cnnc_compiler::loops::Place;
use cnnc_compiler::loops::interpret::{self, Memory};
use cnnc_compiler::lower::Made;
use cnnc_runtime::denormals::Flushed;
use cnnc_runtime::session as rt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

impl Session {
    /// Runs the sections one by one, round after round for that long, and times each; empty for backends that are
    /// not made of sections.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn time_sections(
        &mut self,
        inputs: &[&dyn Input],
        budget: Duration,
    ) -> Result<Vec<(SectionInfo, Times)>, Error> {
        if !matches!(self.state, State::Jit(_)) {
            return Ok(Vec::new());
        }
        // A whole run first: it checks the inputs and warms up.
        self.run(inputs)?;
        let mut durations = vec![Vec::new(); self.network.0.sections.len()];
        let start = Instant::now();
        while start.elapsed() < budget || durations[0].len() < 3 {
            let mut taken = vec![Duration::ZERO; durations.len()];
            self.pieces(|number, call, _| {
                let begin = Instant::now();
                call();
                taken[number] += begin.elapsed();
                ControlFlow::Continue(())
            });
            for (durations, taken) in durations.iter_mut().zip(taken) {
                durations.push(taken);
            }
        }
        let times = durations.into_iter().map(Times::of);
        Ok(self.network.0.sections.iter().cloned().zip(times).collect())
    }

    /// Runs the network once, with a look at what every layer has made, in order. It is what the layer makes in the first image.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub(crate) fn watch(
        &mut self,
        inputs: &[&dyn Input],
        look: &mut dyn FnMut(ValueId, &mut dyn Iterator<Item = f32>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let network = self.network.clone();
        let mut at = |made: &Option<Made>, memory: &Memory<'_>| match made {
            Some(made) => look(made.value, &mut made.elements(memory(made.place, made.len))),
            None => ControlFlow::Continue(()),
        };
        match &network.0.engine {
            Engine::Jit { results, .. } => {
                self.run(inputs)?;
                self.pieces(|number, call, memory| {
                    call();
                    at(&results[number], memory)
                });
            }
            Engine::Interp { lowered, packed } => {
                let inputs = rt::elements(self.network.inputs(), network.batch(), inputs)?;
                let inputs: Vec<&[f32]> = inputs.iter().map(|input| &**input).collect();
                interpret::watch(&lowered.program, packed, &inputs, &mut |number, memory| {
                    at(&lowered.results[number], memory)
                })?;
            }
            Engine::Reference(reference) => {
                let inputs = rt::elements(self.network.inputs(), network.batch(), inputs)?;
                reference.visit(&inputs, &mut |node, result| {
                    // Nothing stops the reference.
                    let _ = look(node.output, &mut result.iter().map(|&x| x as f32));
                })?;
            }
        }
        Ok(())
    }

    /// Machine code piece by piece, on the inputs of the last run, which must still be there: `around` gets the number of each section, its call,
    /// and what buffers hold.
    fn pieces(&mut self, mut around: impl FnMut(usize, &dyn Fn(), &Memory<'_>) -> ControlFlow<()>) {
        let Inner {
            engine: Engine::Jit { code, .. },
            runs,
            inputs,
            outputs,
            ..
        } = &*self.network.0
        else {
            return;
        };
        let State::Jit(session) = &mut self.state else {
            return;
        };
        let sections = code.sections();
        let mut flow = ControlFlow::Continue(());
        let _flushed = Flushed::enter();
        for (kind, run) in runs {
            session.each(*kind, |bases, pool| {
                let memory = |place: Place, len| {
                    let (base, start) = place.base(inputs.len(), outputs.len());
                    // SAFETY: a buffer of the program lies where its place says, in memory that the session has initialised, and nothing
                    // writes to it between the calls.
                    unsafe { std::slice::from_raw_parts((*bases.add(base)).add(start), len) }
                };
                for number in run.clone() {
                    if flow.is_break() {
                        return;
                    }
                    // SAFETY: the driver is sound for these bases, bound to inputs that live, and it is these calls in this order; `code` is
                    // kept by the network, and the session is borrowed exclusively.
                    let call = || unsafe { sections[number].run(bases, pool) };
                    flow = around(number, &call, &memory);
                }
            });
        }
    }
}
