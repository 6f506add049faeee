//! A network section by section: how long each takes, and what it leaves.

use crate::bench::{Event, Settings, Times, Trace};
use crate::network::{Engine, Inner, SectionInfo, Session, State};
use crate::{Error, Input};
use cnnc_compiler::id::ValueId;
use cnnc_compiler::loops::Place;
use cnnc_compiler::loops::interpret::{self, Memory};
use cnnc_compiler::lower::Made;
use cnnc_runtime::denormals::Flushed;
use cnnc_runtime::session as rt;
use cnnc_runtime::threads::MOST_SPANS;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Fewest rounds that sections are timed for, however long they take, and most: each section keeps a time for each.
const FEWEST_ROUNDS: usize = 3;
const MOST_ROUNDS: usize = 1 << 16;

/// Whether so many rounds in that time are what the settings ask for, or all that are kept.
fn enough(settings: &Settings, rounds: usize, elapsed: Duration) -> bool {
    match settings.runs {
        Some(runs) => rounds >= runs.clamp(1, MOST_ROUNDS),
        None => rounds >= MOST_ROUNDS || (rounds >= FEWEST_ROUNDS && elapsed >= settings.budget),
    }
}

impl Session {
    /// Runs the sections one by one, round after round for as long as the settings say, and times each; empty for backends that are
    /// not made of sections. There are 65,536 rounds at most, and one at least.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn time_sections(
        &mut self,
        inputs: &[&dyn Input],
        settings: &Settings,
    ) -> Result<Vec<(SectionInfo, Times)>, Error> {
        if !matches!(self.state, State::Jit(_)) {
            return Ok(Vec::new());
        }
        // A whole run first: it checks the inputs and warms up.
        for _ in 0..settings.warmup.unwrap_or(1).max(1) {
            self.run(inputs)?;
        }
        let mut durations: Vec<Vec<Duration>> = vec![Vec::new(); self.network.0.sections.len()];
        let start = Instant::now();
        while !enough(settings, durations[0].len(), start.elapsed()) {
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

    /// Runs the network so many times and notes which thread computes what, and when. Images of a batch are run one after the other; empty for
    /// backends that are not made of sections.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn trace(&mut self, inputs: &[&dyn Input], runs: usize) -> Result<Trace, Error> {
        self.run(inputs)?;
        let mut events = Vec::new();
        let record = |session: &Session, on| {
            if let State::Jit(session) = &session.state {
                session.record(on);
            }
        };
        record(self, true);
        let start = Instant::now();
        for run in 0..runs {
            self.pieces(|section, call, _| {
                let begin = start.elapsed();
                call();
                events.push(Event {
                    thread: 0,
                    run,
                    section,
                    begin,
                    length: start.elapsed() - begin,
                    iterations: None,
                });
                ControlFlow::Continue(())
            });
        }
        record(self, false);
        let threads = self.threads();
        let State::Jit(session) = &self.state else {
            return Ok(Trace {
                threads,
                events,
                whole: true,
            });
        };
        // Sections follow one another on the caller's thread, and what others do is within one of them.
        let sections = events.len();
        let spans = session.take_spans();
        let whole = spans.iter().all(|spans| spans.len() < MOST_SPANS);
        for (thread, spans) in spans.into_iter().enumerate() {
            for span in spans {
                let begin = span.from.saturating_duration_since(start);
                let at = events[..sections].partition_point(|event| event.begin <= begin);
                let Some(of) = at.checked_sub(1) else {
                    continue;
                };
                events.push(Event {
                    thread,
                    begin,
                    length: span.to - span.from,
                    iterations: Some((span.first as u64, span.count as u64)),
                    ..events[of]
                });
            }
        }
        events.sort_by_key(|event| (event.thread, event.begin, event.iterations));
        Ok(Trace {
            threads,
            events,
            whole,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_one_at_least_and_bounded() {
        let settings = |runs, budget| Settings {
            runs,
            budget: Duration::from_secs(budget),
            ..Settings::default()
        };
        let none = Duration::ZERO;
        assert!(!enough(&settings(Some(0), 1), 0, none));
        assert!(enough(&settings(Some(0), 1), 1, none));
        assert!(enough(&settings(Some(usize::MAX), 1), MOST_ROUNDS, none));
        assert!(enough(&settings(None, 86_400), MOST_ROUNDS, none));
        assert!(!enough(&settings(None, 0), FEWEST_ROUNDS - 1, none));
        assert!(enough(&settings(None, 0), FEWEST_ROUNDS, none));
    }
}
