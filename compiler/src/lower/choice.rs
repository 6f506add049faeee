//! Which schedule was taken for a convolution, among which, for those who ask why and for those who measure.

use super::Lower;
use super::job::ConvJob;
use super::schedule::{Direct, Order, Schedule, Winograd, choose, cost, trials};
use super::tiling::Band;
use crate::id::NodeId;
use std::fmt;

/// How a convolution is computed, and how else it could be. A node may have several.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Whose it is.
    pub node: NodeId,
    /// The number of the schedule that was taken.
    pub taken: usize,
    /// The number of the candidate that is estimated to cost least: the one that is taken unless another is asked for.
    pub cheapest: usize,
    /// The schedules: the candidates, or all that are worth a measurement where one was asked for.
    pub schedules: Vec<Schedule>,
    /// What each is estimated to take: cycles of one core.
    pub cycles: Vec<f64>,
}

impl Lower<'_> {
    /// The schedule of the convolution: the cheapest of the candidates, if no other is asked for.
    pub(super) fn take(&mut self, job: &ConvJob, candidates: &[Schedule]) -> Schedule {
        let cheapest = choose(job, &self.machine, candidates);
        let cheapest = candidates.iter().position(|other| other == cheapest);
        let cheapest = cheapest.expect("the cheapest is one of them");
        // The candidates come first among those that are tried.
        let schedules = match self.schedule {
            None => candidates.to_vec(),
            Some(_) => trials(job, &self.machine, candidates),
        };
        let asked = self.schedule.filter(|&asked| asked < schedules.len());
        let taken = asked.unwrap_or(cheapest);
        let schedule = schedules[taken].clone();
        if let Some(node) = self.node {
            let cycles = |schedule: &Schedule| cost(job, schedule, &self.machine).cycles;
            self.choices.push(Choice {
                node,
                taken,
                cheapest,
                cycles: schedules.iter().map(cycles).collect(),
                schedules,
            });
        }
        schedule
    }
}

impl Schedule {
    /// Whether it has fewer multiplications than there are weights and outputs.
    pub fn is_winograd(&self) -> bool {
        matches!(self, Schedule::Winograd(_))
    }
}

/// `direct, panels of 3, pixels in 8 blocks`: panels are of so many vectors of output channels.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Depthwise { cut } => write!(f, "depthwise, rows in {}", count(*cut, "part")),
            Schedule::Direct(Direct { bands, long, order }) => {
                f.write_str(if *long {
                    "direct in f64 blocks"
                } else {
                    "direct"
                })?;
                panels(f, bands)?;
                match order {
                    Order::Panels => f.write_str(" outermost"),
                    Order::Blocks(cut) => write!(f, ", pixels in {}", count(*cut, "block")),
                }
            }
            Schedule::Winograd(Winograd {
                bands,
                blocks,
                shared,
                expand,
                ..
            }) => {
                f.write_str("winograd")?;
                panels(f, bands)?;
                write!(
                    f,
                    ", {} of {} tiles",
                    count(blocks.count, "block"),
                    blocks.tiles
                )?;
                if expand.is_some() {
                    f.write_str(", weights expanded")?;
                } else if *shared {
                    f.write_str(", each shared")?;
                }
                Ok(())
            }
        }
    }
}

/// `, panels of 3+1`
fn panels(f: &mut fmt::Formatter<'_>, bands: &[Band]) -> fmt::Result {
    f.write_str(", panels of ")?;
    for (index, band) in bands.iter().enumerate() {
        let plus = if index == 0 { "" } else { "+" };
        write!(f, "{plus}{}", band.nr)?;
    }
    Ok(())
}

/// `1 block`, `2 blocks`
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
