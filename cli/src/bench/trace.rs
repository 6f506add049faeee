//! A timeline in Chrome's format: a process for each network and number of threads, in it a line for each thread.

use cnnc::Network;
use cnnc::bench::{Event, Trace};
use cnnc::compiler::words;
use serde_json::json;
use std::time::Duration;

/// Runs of each network that are shown.
pub const RUNS: usize = 10;

/// Events, written down as they come.
#[derive(Default)]
pub struct Timeline {
    events: Vec<String>,
    processes: usize,
    /// When the last process ended: the next one begins there, since they ran one after the other.
    end: Duration,
}

impl Timeline {
    /// Adds the runs of a network, which become a process of their own.
    pub fn add(&mut self, network: &Network, trace: &Trace) {
        self.processes += 1;
        let process = self.processes;
        let named = |kind: &str, thread: usize, name: String| {
            json!({ "name": kind, "ph": "M", "pid": process, "tid": thread, "args": { "name": name } })
                .to_string()
        };
        let threads = words::count(trace.threads, "thread");
        let title = format!("{} on {threads}", network.name());
        self.events.push(named("process_name", 0, title));
        for thread in 0..trace.threads {
            let name = match thread {
                0 => "caller".to_owned(),
                worker => format!("worker {worker}"),
            };
            self.events.push(named("thread_name", thread, name));
        }
        let sections: Vec<_> = network.sections().iter().collect();
        let start = self.end;
        for event in &trace.events {
            self.end = self.end.max(start + event.begin + event.length);
            let section = sections[event.section];
            let args = match event.iterations {
                Some((first, count)) => {
                    json!({ "first": first, "iterations": count, "run": event.run })
                }
                None => json!({
                    "layer": section.layer,
                    "schedule": section.schedule,
                    "macs": section.macs,
                    "run": event.run,
                }),
            };
            self.events
                .push(line(process, start, event, &section.label, &args));
        }
    }

    /// The file.
    pub fn finish(self) -> String {
        let events = self.events.join(",\n");
        format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{events}\n]}}\n")
    }
}

/// A complete event, whose times are in microseconds.
fn line(
    process: usize,
    start: Duration,
    event: &Event,
    name: &str,
    args: &serde_json::Value,
) -> String {
    let microseconds = |duration: Duration| duration.as_nanos() as f64 / 1e3;
    let category = match event.iterations {
        None => "section",
        Some(_) => "share",
    };
    json!({
        "name": name,
        "cat": category,
        "ph": "X",
        "ts": microseconds(start + event.begin),
        "dur": microseconds(event.length),
        "pid": process,
        "tid": event.thread,
        "args": args,
    })
    .to_string()
}
