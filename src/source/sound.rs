//! Sounds of WAV files: read, mixed to the channels of a network, resampled, cut into frames of its length.

use super::SourceError;
use cnnc_compiler::graph::Hearing;
use cnnc_runtime::files::open_ordinary;
use hound::{SampleFormat, WavReader, WavSpec};
use std::f64::consts::PI;
use std::io::{self, BufReader};
use std::path::Path;

/// Rates that are resampled, in Hz: those of telephones to the highest of converters, with room.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;

/// Zeros of the sinc on each side of the window, and the part of the lower rate's band that passes: torchaudio's `resample`.
const ZEROS: f64 = 6.0;
const ROLLOFF: f64 = 0.99;

/// A sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Samples from −1 to 1, a list for each channel.
    pub channels: Vec<Vec<f32>>,
    /// Samples of a channel in a second.
    pub rate: u32,
}

/// Why a file is no sound.
#[derive(Debug)]
pub enum SoundError {
    /// It cannot be read.
    Read(io::Error),
    /// What is wrong with what it says.
    Broken(String),
}

impl SoundError {
    /// The error of the file.
    pub fn of(self, path: &Path) -> SourceError {
        SourceError {
            place: path.display().to_string(),
            why: match self {
                SoundError::Read(error) => error.to_string(),
                SoundError::Broken(why) => why,
            },
        }
    }
}

impl Sound {
    /// Reads a WAV file. Whole numbers become −1 … 1.
    ///
    /// # Errors
    /// When the file cannot be read, is no WAV, or is shorter than it says.
    pub fn open(path: &Path) -> Result<Sound, SoundError> {
        let broken = |why: &str| SoundError::Broken(why.to_owned());
        let file = open_ordinary(path).map_err(SoundError::Read)?;
        let most = file.metadata().map_err(SoundError::Read)?.len();
        let wrong =
            |error: hound::Error| SoundError::Broken(format!("the sound is broken: {error}"));
        let mut reader = WavReader::new(BufReader::new(file)).map_err(wrong)?;
        let WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format,
        } = reader.spec();
        // A file has a byte at least for each.
        if channels == 0 || u64::from(reader.len()) > most {
            return Err(broken("the sound is shorter than it says"));
        }
        let values: Vec<f32> = match sample_format {
            SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>(),
            SampleFormat::Int => {
                let one = 1.0 / f64::from(bits_per_sample.saturating_sub(1)).exp2();
                let samples = reader.samples::<i32>();
                let scaled = samples.map(|sample| Ok((f64::from(sample?) * one) as f32));
                scaled.collect()
            }
        }
        .map_err(wrong)?;
        if values.is_empty() {
            return Err(broken("a sound without samples"));
        }
        let channels = usize::from(channels);
        let of = |channel: usize| values.iter().copied().skip(channel).step_by(channels);
        Ok(Sound {
            channels: (0..channels).map(|channel| of(channel).collect()).collect(),
            rate: sample_rate,
        })
    }

    /// The same with so many channels: as it is, or the mean of all where one is wanted.
    ///
    /// # Errors
    /// When others would have to be made up.
    pub fn with_channels(self, channels: usize) -> Result<Sound, SoundError> {
        match self.channels.len() {
            found if found == channels => Ok(self),
            found if channels == 1 => {
                let share = 1.0 / found as f32;
                let length = self.channels.iter().map(Vec::len).min().unwrap_or(0);
                let mean = |at: usize| {
                    self.channels.iter().map(|channel| channel[at]).sum::<f32>() * share
                };
                Ok(Sound {
                    channels: vec![(0..length).map(mean).collect()],
                    rate: self.rate,
                })
            }
            found => Err(SoundError::Broken(format!(
                "{found} channels, but the network hears {channels}"
            ))),
        }
    }

    /// The same at another rate.
    ///
    /// # Errors
    /// When its own rate is none that sounds have.
    pub fn at_rate(self, rate: u32) -> Result<Sound, SoundError> {
        if self.rate == rate {
            return Ok(self);
        }
        if !RATES.contains(&self.rate) || !RATES.contains(&rate) {
            return Err(SoundError::Broken(format!(
                "{} Hz cannot be made {rate} Hz: {} to {} Hz are resampled",
                self.rate,
                RATES.start(),
                RATES.end()
            )));
        }
        let channels = self.channels.iter();
        let channels = channels.map(|channel| resampled(channel, self.rate, rate));
        Ok(Sound {
            channels: channels.collect(),
            rate,
        })
    }
}

/// What a network hears of a sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    sound: Sound,
    hearing: Hearing,
    /// Samples of a frame.
    length: usize,
}

impl Heard {
    /// What a network with an input of so many channels and samples hears of a file.
    ///
    /// # Errors
    /// Those of [`Sound::open`], and when the sound has not the channels or a rate that can be made the network's.
    pub fn open(
        path: &Path,
        hearing: Hearing,
        [channels, length]: [usize; 2],
    ) -> Result<Heard, SoundError> {
        let mut sound = Sound::open(path)?.with_channels(channels)?;
        if let Some(rate) = hearing.rate {
            sound = sound.at_rate(rate)?;
        }
        Ok(Heard {
            sound,
            hearing,
            length,
        })
    }

    /// Samples in a second.
    pub fn rate(&self) -> u32 {
        self.sound.rate
    }

    /// Numbers of a frame, of all channels.
    pub fn elements(&self) -> usize {
        self.sound.channels.len() * self.length
    }

    /// Where frames begin; none where the sound is taken as a whole, and too short for one.
    pub fn starts(&self) -> Vec<usize> {
        let samples = self.sound.channels.first().map_or(0, Vec::len);
        match self.hearing.hop {
            Some(hop) if samples >= self.length => (0..=samples - self.length)
                .step_by(hop.max(1) as usize)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The frame that begins there, or the middle of the sound, as the network takes it: channels one behind the other.
    ///
    /// # Panics
    /// If there are not as many numbers as the network takes.
    pub fn frame(&self, start: Option<usize>, to: &mut [f32]) {
        let frames = to.chunks_exact_mut(self.length.max(1));
        for (from, to) in self.sound.channels.iter().zip(frames) {
            match start {
                Some(start) => to.copy_from_slice(&from[start..start + self.length]),
                None => centred(from, to),
            }
            if self.hearing.standardize {
                standardize(to);
            }
        }
    }
}

/// Least deviation that numbers are divided by: silence stays silence.
const LEAST_DEVIATION: f64 = 1e-8;

/// Takes the mean away, and divides by the deviation (of all numbers, not of a sample of them), in f64.
fn standardize(numbers: &mut [f32]) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let square = numbers
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>();
    let deviation = (square / count).sqrt().max(LEAST_DEVIATION);
    for number in numbers {
        *number = ((f64::from(*number) - mean) / deviation) as f32;
    }
}

/// Samples of one rate at another: by a sinc of the lower rate's band under a Hann window, as torchaudio's `resample` has it (Smith,
/// Digital Audio Resampling). Both rates are more than zero.
pub fn resampled(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    let (from, to) = (f64::from(from), f64::from(to));
    let length = (samples.len() as f64 * to / from).ceil() as usize;
    // Of the input's rate.
    let band = ROLLOFF * (to / from).min(1.0);
    let reach = ZEROS / band;
    let at = |index: usize| {
        let time = index as f64 * from / to;
        let first = (time - reach).ceil().max(0.0) as usize;
        let last = ((time + reach).floor() as usize).min(samples.len() - 1);
        let mut sum = 0.0;
        for (sample, number) in samples[first.min(last)..=last]
            .iter()
            .zip(first.min(last)..)
        {
            let x = (number as f64 - time) * band;
            let window = (x * PI / ZEROS / 2.0).cos().powi(2);
            let sinc = if x == 0.0 {
                1.0
            } else {
                (PI * x).sin() / (PI * x)
            };
            sum += f64::from(*sample) * sinc * window;
        }
        (sum * band) as f32
    };
    match samples.is_empty() {
        true => Vec::new(),
        false => (0..length).map(at).collect(),
    }
}

/// The middle of what is longer, silence around what is shorter.
pub fn centred(from: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    let length = from.len().min(to.len());
    let (skip, left) = ((from.len() - length) / 2, (to.len() - length) / 2);
    to[left..left + length].copy_from_slice(&from[skip..skip + length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone is the same tone at another rate, away from the ends; one above the new band is gone.
    #[test]
    fn tones_are_resampled() {
        let tone = |hertz: f64, rate: f64, count: usize| -> Vec<f32> {
            let at = |index: usize| (2.0 * PI * hertz * index as f64 / rate).sin() as f32;
            (0..count).map(at).collect()
        };
        for (from, to) in [
            (44_100, 16_000),
            (8_000, 16_000),
            (48_000, 44_100),
            (16_000, 16_000),
        ] {
            let found = resampled(&tone(440.0, from.into(), 8_000), from, to);
            let expected = tone(440.0, to.into(), found.len());
            assert_eq!(found.len(), (8_000 * to as usize).div_ceil(from as usize));
            let inner = 100..found.len() - 100;
            let most = inner
                .map(|at| (found[at] - expected[at]).abs())
                .fold(0.0, f32::max);
            assert!(most < 5e-3, "{from} to {to}: {most}");
        }
        let gone = resampled(&tone(15_000.0, 44_100.0, 8_000), 44_100, 16_000);
        let most = gone[100..gone.len() - 100]
            .iter()
            .fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(most < 2e-2, "{most}");
        assert!(resampled(&[], 1, 2).is_empty());
    }

    #[test]
    fn frames_follow_one_another() {
        let heard = |hop, standardize, samples: usize| Heard {
            sound: Sound {
                channels: vec![(0..samples).map(|at| at as f32).collect()],
                rate: 8_000,
            },
            hearing: Hearing {
                rate: None,
                hop,
                standardize,
            },
            length: 4,
        };
        assert_eq!(heard(Some(3), false, 11).starts(), [0, 3, 6]);
        assert_eq!(heard(Some(3), false, 4).starts(), [0]);
        assert!(heard(Some(3), false, 3).starts().is_empty());
        assert!(heard(None, false, 11).starts().is_empty());
        let mut frame = [9.0; 4];
        heard(Some(3), false, 11).frame(Some(3), &mut frame);
        assert_eq!(frame, [3.0, 4.0, 5.0, 6.0]);
        heard(None, false, 2).frame(None, &mut frame);
        assert_eq!(frame, [0.0, 0.0, 1.0, 0.0]);
        heard(Some(3), true, 11).frame(Some(3), &mut frame);
        let sums = frame
            .iter()
            .fold([0.0, 0.0], |[sum, square], x| [sum + x, square + x * x]);
        assert!(
            sums[0].abs() < 1e-6 && (sums[1] - 4.0).abs() < 1e-5,
            "{frame:?}"
        );
        heard(None, true, 1).frame(None, &mut frame);
        assert_eq!(frame, [0.0; 4]);
    }

    #[test]
    fn channels_are_mixed_but_not_made_up() {
        let sound = Sound {
            channels: vec![vec![1.0, 0.0], vec![0.0, 0.5]],
            rate: 8_000,
        };
        assert_eq!(sound.clone().with_channels(2).unwrap(), sound);
        assert_eq!(
            sound.clone().with_channels(1).unwrap().channels,
            [[0.5, 0.25]]
        );
        let error = sound
            .clone()
            .with_channels(3)
            .unwrap_err()
            .of(Path::new("a.wav"));
        assert_eq!(
            error.to_string(),
            "`a.wav` cannot be read: 2 channels, but the network hears 3"
        );
        let slow = Sound { rate: 3, ..sound };
        let error = slow.at_rate(8_000).unwrap_err().of(Path::new("a.wav"));
        assert!(
            error.to_string().contains("3 Hz cannot be made 8000 Hz"),
            "{error}"
        );
    }
}
