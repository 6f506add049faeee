//! The machine that is measured on, and whether it is quiet enough for figures to mean something.

use cnnc_compiler::words;
use cnnc_runtime::peak;
use std::fs;
use std::time::{Duration, Instant};

/// What figures are of, beside the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The processor's name as it gives it, or the architecture's where it gives none.
    pub cpu: String,
    /// Processors that this process may run on at the same time.
    pub processors: usize,
}

impl Machine {
    /// This one.
    pub fn this() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Machine {
            cpu: cpu(&info).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            processors: peak::processors(),
        }
    }
}

/// The first name of a processor in `/proc/cpuinfo`, with single spaces.
fn cpu(info: &str) -> Option<String> {
    let (_, name) = info.lines().find_map(|line| {
        let (key, name) = line.split_once(':')?;
        (key.trim() == "model name").then_some((key, name))
    })?;
    let words: Vec<&str> = name.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// What went on beside the measurement, as far as the system tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// Processors that other processes kept busy.
    pub others: Option<f64>,
    /// Share of all processors' time that the host gave to other machines.
    pub stolen: Option<f64>,
    /// Share of the time in which a thread could have run and waited for a processor.
    pub waited: Option<f64>,
    /// How often a second the system took the processor from a thread.
    pub switches: Option<f64>,
    /// What this process computed, on all its threads.
    pub cpu: Option<Duration>,
}

/// Largest spread of runs on a quiet machine.
const SPREAD: f64 = 0.1;

impl Load {
    /// Why figures of so many threads that spread like that are not to be trusted; nothing, if they are.
    pub fn reasons(&self, threads: usize, machine: &Machine, spread: f64) -> Vec<String> {
        let mut reasons = Vec::new();
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let processors = machine.processors;
        if let Some(others) = self.others
            && others > 0.25
            && others + threads as f64 > processors as f64 + 0.25
        {
            let processors = words::count(processors, "processor");
            reasons.push(format!("others keep {others:.1} of {processors} busy"));
        }
        if let Some(stolen) = self.stolen.filter(|&stolen| stolen > 0.01) {
            let stolen = percent(stolen);
            reasons.push(format!("the host takes {stolen} of the time for others"));
        }
        if threads > processors {
            // What they wait for, they take from each other.
            let processors = words::count(processors, "processor");
            reasons.push(format!("{threads} threads share {processors}"));
        } else {
            if let Some(waited) = self.waited.filter(|&waited| waited > 0.02) {
                let waited = percent(waited);
                reasons.push(format!("threads wait {waited} of the time for a processor"));
            }
            if let Some(switches) = self.switches.filter(|&switches| switches > 100.0) {
                reasons.push(format!(
                    "threads are interrupted {switches:.0} times a second"
                ));
            }
        }
        if spread > SPREAD {
            reasons.push(format!(
                "half of the runs differ by more than ± {}",
                percent(spread)
            ));
        }
        reasons
    }
}

/// Watches the machine from now on.
pub(super) struct Watch {
    start: Instant,
    ticks: Option<Ticks>,
    own: Option<Own>,
}

impl Watch {
    pub fn start() -> Watch {
        let (ticks, own) = (Ticks::now(), Own::now());
        Watch {
            start: Instant::now(),
            ticks,
            own,
        }
    }

    /// What went on since.
    pub fn end(self, threads: usize) -> Load {
        let seconds = self.start.elapsed().as_secs_f64();
        let own = self.own.zip(Own::now());
        let own = own.map(|(before, after)| after.since(before));
        let ticks = self.ticks.zip(Ticks::now());
        let ticks = ticks.map(|(before, after)| after.since(before));
        // Shares of less than a few ticks are chance.
        let long = ticks.filter(|ticks| ticks.all >= 20);
        let others = long.zip(own).map(|(ticks, own)| {
            let processors = peak::processors() as f64;
            let all = processors_of(ticks, seconds).unwrap_or(processors);
            let busy = ticks.busy as f64 / ticks.all as f64 * all;
            (busy - own.ran / seconds).max(0.0)
        });
        Load {
            others,
            stolen: long.map(|ticks| ticks.stolen as f64 / ticks.all as f64),
            waited: own.map(|own| own.waited / (seconds * threads.max(1) as f64)),
            switches: own.map(|own| own.switches as f64 / seconds),
            cpu: own.map(|own| Duration::from_secs_f64(own.ran)),
        }
    }
}

/// How many processors the counters are of: a tick is a hundredth of a second of one.
fn processors_of(ticks: Ticks, seconds: f64) -> Option<f64> {
    let processors = ticks.all as f64 / 100.0 / seconds;
    (processors >= 0.5).then(|| processors.round().max(1.0))
}

/// Counters of all processors since the machine started.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ticks {
    all: u64,
    /// Neither idle nor stolen.
    busy: u64,
    stolen: u64,
}

impl Ticks {
    fn now() -> Option<Ticks> {
        Ticks::read(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat`: user, nice, system, idle, waiting for disks, interrupts (two kinds), stolen.
    fn read(text: &str) -> Option<Ticks> {
        let counters = text.lines().next()?.strip_prefix("cpu ")?;
        let counters = counters.split_whitespace().map(str::parse);
        let counters: Vec<u64> = counters.take(8).collect::<Result<_, _>>().ok()?;
        let [_, _, _, idle, waiting, _, _, stolen] = counters[..] else {
            return None;
        };
        let all: u64 = counters.iter().sum();
        Some(Ticks {
            all,
            busy: all - idle - waiting - stolen,
            stolen,
        })
    }

    fn since(self, before: Ticks) -> Ticks {
        Ticks {
            all: self.all.saturating_sub(before.all),
            busy: self.busy.saturating_sub(before.busy),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }
}

/// Counters of this process's threads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Own {
    /// Seconds on a processor.
    ran: f64,
    /// Seconds in which it could have been on one.
    waited: f64,
    /// How often it was taken from one.
    switches: u64,
}

impl Own {
    fn now() -> Option<Own> {
        let mut own = Own::default();
        for thread in fs::read_dir("/proc/self/task").ok()? {
            let of = thread.ok()?.path();
            // A thread may end meanwhile.
            let (Ok(times), Ok(status)) = (
                fs::read_to_string(of.join("schedstat")),
                fs::read_to_string(of.join("status")),
            ) else {
                continue;
            };
            own = own.and(&times, &status)?;
        }
        (own.ran > 0.0).then_some(own)
    }

    /// That and a thread's: nanoseconds that it ran and that it waited, and a line of its status.
    fn and(self, times: &str, status: &str) -> Option<Own> {
        let mut times = times.split_whitespace().map(str::parse::<u64>);
        let mut seconds = || Some(times.next()?.ok()? as f64 / 1e9);
        let switches = status.lines().find_map(|line| {
            let count = line.strip_prefix("nonvoluntary_ctxt_switches:")?;
            count.trim().parse::<u64>().ok()
        });
        Some(Own {
            ran: self.ran + seconds()?,
            waited: self.waited + seconds()?,
            switches: self.switches + switches?,
        })
    }

    fn since(self, before: Own) -> Own {
        Own {
            ran: (self.ran - before.ran).max(0.0),
            waited: (self.waited - before.waited).max(0.0),
            switches: self.switches.saturating_sub(before.switches),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        let info = "processor\t: 0\nmodel name\t: AMD  EPYC 9654   96-Core\nmodel name\t: other\n";
        assert_eq!(cpu(info).as_deref(), Some("AMD EPYC 9654 96-Core"));
        assert_eq!(cpu("processor: 0\nmodel name:\n"), None);

        let ticks = Ticks::read("cpu  10 20 30 400 5 6 7 80 0 0\ncpu0 1 2\n").unwrap();
        assert_eq!((ticks.all, ticks.busy, ticks.stolen), (558, 73, 80));
        assert_eq!(Ticks::read("cpu  10 20"), None);
        assert_eq!(Ticks::read(""), None);

        let status = "Name:\tcnnc\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t4\n";
        let own = Own::default().and("2000000000 500000000 7", status);
        let own = own
            .and_then(|own| own.and("1000000000 0 7", status))
            .unwrap();
        assert_eq!((own.ran, own.waited, own.switches), (3.0, 0.5, 8));
        assert_eq!(Own::default().and("2000", status), None);
    }

    #[test]
    fn a_quiet_machine_is_not_complained_of() {
        let machine = Machine {
            cpu: String::new(),
            processors: 4,
        };
        let quiet = Load {
            others: Some(1.0),
            stolen: Some(0.0),
            waited: Some(0.01),
            switches: Some(3.0),
            cpu: None,
        };
        assert!(quiet.reasons(3, &machine, 0.05).is_empty());
        assert_eq!(
            quiet.reasons(4, &machine, 0.05),
            ["others keep 1.0 of 4 processors busy"]
        );
        let loud = Load {
            others: None,
            stolen: Some(0.05),
            waited: Some(0.3),
            switches: Some(500.0),
            cpu: None,
        };
        assert_eq!(
            loud.reasons(1, &machine, 0.2),
            [
                "the host takes 5 % of the time for others",
                "threads wait 30 % of the time for a processor",
                "threads are interrupted 500 times a second",
                "half of the runs differ by more than ± 20 %",
            ]
        );
        assert_eq!(
            loud.reasons(8, &machine, 0.0)[1..],
            ["8 threads share 4 processors"]
        );
        assert!(Load::default().reasons(4, &machine, 0.0).is_empty());
    }
}
