//! `run --compare`: where outputs differ from those of another engine.

use crate::{Failure, print};
use cnnc::Outputs;
use cnnc::onnx::Imported;
use cnnc::rt::tensor_file::{Tensor, read_tensors};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// What `run` takes for it.
#[derive(clap::Args)]
pub struct Args {
    /// Say where outputs differ from those in a .npy, .npz or .safetensors file of another engine, and end with exit code 1 if one differs by more than the tolerance
    #[arg(long, value_name = "FILE", conflicts_with_all = ["slide", "frames"])]
    compare: Option<PathBuf>,
    /// With `--compare`: largest difference, as a share of the largest number of that output
    #[arg(long, value_name = "X", default_value_t = 1e-3, requires = "compare", value_parser = tolerance)]
    tolerance: f64,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share from 0 to 1 is expected, such as 1e-3".to_owned()),
    }
}

impl Args {
    /// The file, if it is asked for.
    pub fn file(&self) -> Option<&Path> {
        self.compare.as_deref()
    }

    /// What will be compared; `None` if nothing is asked for.
    pub fn begin(&self) -> Result<Option<Compare>, Failure> {
        let Some(path) = &self.compare else {
            return Ok(None);
        };
        Ok(Some(Compare {
            file: path.display().to_string(),
            theirs: read_tensors(path)?,
            tolerance: self.tolerance,
            ours: Vec::new(),
        }))
    }
}

/// Outputs of a network, and those that they are compared with.
pub struct Compare {
    file: String,
    theirs: Vec<Tensor>,
    tolerance: f64,
    /// Name, shape for one image, values of all.
    ours: Vec<(String, Vec<usize>, Vec<f32>)>,
}

/// What was found.
pub struct Compared {
    rows: Vec<Row>,
    /// Outputs that the file does not have.
    absent: Vec<String>,
    /// Tensors of the file that are of no output.
    unused: Vec<String>,
    tolerance: f64,
}

/// What was found of an output.
struct Row {
    name: String,
    /// What the file calls it.
    theirs: String,
    shape: Vec<usize>,
    /// Largest difference, and where it is.
    worst: f64,
    at: Vec<usize>,
    values: [f32; 2],
    /// Largest difference as a share of the other's value there.
    relative: f64,
    /// Largest difference as a share of the largest number of the output.
    share: f64,
    /// How many elements differ by more than the tolerance.
    beyond: usize,
}

/// Name, extents and numbers of an output.
type Found<'a> = (&'a str, &'a [usize], Cow<'a, [f32]>);

impl Compare {
    /// Adds the outputs of an image; of an .onnx whose end has become a head, those of the file.
    pub fn add(&mut self, outputs: &Outputs<'_>, file: Option<&Imported>) {
        let found: Vec<Found<'_>> = match file.filter(|file| file.ends_with_head()) {
            Some(file) => {
                let all = file.outputs.iter().enumerate();
                all.filter_map(|(at, output)| {
                    let shape = output.dims.get(1..)?;
                    Some((&*output.name, shape, file.output(at, outputs)?))
                })
                .collect()
            }
            None => outputs
                .iter()
                .map(|output| (output.name, output.shape, Cow::Borrowed(output.data)))
                .collect(),
        };
        for (index, (name, shape, data)) in found.into_iter().enumerate() {
            match self.ours.get_mut(index) {
                Some((_, _, values)) => values.extend_from_slice(&data),
                None => {
                    let (name, shape) = (name.to_owned(), shape.to_vec());
                    self.ours.push((name, shape, data.into_owned()));
                }
            }
        }
    }

    /// Compares all that was added.
    ///
    /// # Errors
    /// A file without any of the outputs, or with one of another shape.
    pub fn finish(&self) -> Result<Compared, Failure> {
        let wrong = |why: String| Failure::Compare {
            file: self.file.clone(),
            why,
        };
        let mut compared = Compared {
            rows: Vec::new(),
            absent: Vec::new(),
            unused: Vec::new(),
            tolerance: self.tolerance,
        };
        let mut used = vec![false; self.theirs.len()];
        for (index, (name, shape, values)) in self.ours.iter().enumerate() {
            let named = self.theirs.iter().position(|tensor| tensor.name == *name);
            // One tensor alone that has no output's name is the first output, whatever another engine calls it.
            let is_ours = |tensor: &Tensor| self.ours.iter().any(|(name, ..)| *name == tensor.name);
            let only = match &self.theirs[..] {
                [tensor] if index == 0 && !is_ours(tensor) => Some(0),
                _ => None,
            };
            let Some(place) = named.or(only) else {
                compared.absent.push(name.clone());
                continue;
            };
            used[place] = true;
            let theirs = &self.theirs[place];
            let images = values.len() / shape.iter().product::<usize>().max(1);
            let whole: Vec<usize> = match images {
                1 => shape.clone(),
                images => [&[images][..], shape].concat(),
            };
            // Extents of one say nothing: a batch of one, or a vector as a map of one pixel.
            let plain = |shape: &[usize]| -> Vec<usize> {
                shape
                    .iter()
                    .copied()
                    .filter(|&extent| extent != 1)
                    .collect()
            };
            if plain(&theirs.shape) != plain(&whole) {
                return Err(wrong(format!(
                    "output `{name}` is {}, but the tensor `{}` is {}",
                    print::shape(&whole),
                    theirs.name,
                    print::shape(&theirs.shape)
                )));
            }
            let mut row = row(name, whole, values, &theirs.values, self.tolerance);
            row.theirs.clone_from(&theirs.name);
            compared.rows.push(row);
        }
        let others = self.theirs.iter().zip(used).filter(|(_, used)| !used);
        compared.unused = others.map(|(tensor, _)| tensor.name.clone()).collect();
        if compared.rows.is_empty() {
            let theirs = self.theirs.iter().map(|tensor| tensor.name.as_str());
            let theirs: Vec<&str> = theirs.collect();
            let ours: Vec<&str> = self.ours.iter().map(|(name, ..)| name.as_str()).collect();
            return Err(wrong(format!(
                "it has none of the outputs {}; it has {}",
                ours.join(", "),
                theirs.join(", ")
            )));
        }
        Ok(compared)
    }
}

/// How far two numbers are apart: not at all if both are no numbers, or the same infinity.
fn apart(a: f32, b: f32) -> f64 {
    match (f64::from(a) - f64::from(b)).abs() {
        difference if difference.is_finite() => difference,
        _ if a == b || (a.is_nan() && b.is_nan()) => 0.0,
        _ => f64::INFINITY,
    }
}

fn row(name: &str, shape: Vec<usize>, ours: &[f32], theirs: &[f32], tolerance: f64) -> Row {
    let finite = theirs.iter().filter(|value| value.is_finite());
    let largest = finite.fold(0.0f64, |most, &value| most.max(f64::from(value.abs())));
    let (mut worst, mut at, mut relative, mut beyond) = (0.0f64, 0, 0.0f64, 0);
    for (index, (&a, &b)) in ours.iter().zip(theirs).enumerate() {
        let difference = apart(a, b);
        if difference > worst {
            (worst, at) = (difference, index);
        }
        if difference > 0.0 {
            relative = relative.max(difference / f64::from(b.abs()));
        }
        beyond += usize::from(difference > tolerance * largest);
    }
    let share = match worst {
        0.0 => 0.0,
        worst => worst / largest,
    };
    let value = |values: &[f32]| values.get(at).copied().unwrap_or_default();
    Row {
        values: [value(ours), value(theirs)],
        at: place(at, &shape),
        name: name.to_owned(),
        theirs: name.to_owned(),
        shape,
        worst,
        relative,
        share,
        beyond,
    }
}

/// The indices of an element, channels first.
fn place(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut indices: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&extent| {
            let index = at % extent.max(1);
            at /= extent.max(1);
            index
        })
        .collect();
    indices.reverse();
    indices
}

impl Compared {
    /// For people: a row for each output, and the verdict.
    pub fn text(&self) -> String {
        let headings = [
            "output",
            "shape",
            ">max abs",
            ">of largest",
            ">max rel",
            "at",
            ">here",
            ">there",
        ];
        let mut table = print::table(&headings);
        for row in &self.rows {
            table.add_row([
                row.name.clone(),
                print::shape(&row.shape),
                format!("{:.3e}", row.worst),
                format!("{:.3e}", row.share),
                format!("{:.3e}", row.relative),
                format!("{:?}", row.at),
                format!("{}", row.values[0]),
                format!("{}", row.values[1]),
            ]);
        }
        let mut text = table.trim_fmt();
        if !self.absent.is_empty() {
            text += &format!("\nnot in the file: {}", self.absent.join(", "));
        }
        if !self.unused.is_empty() {
            text += &format!("\nof no output, in the file: {}", self.unused.join(", "));
        }
        for row in self.rows.iter().filter(|row| row.theirs != row.name) {
            text += &format!(
                "\n`{}` of the file was taken for `{}`",
                row.theirs, row.name
            );
        }
        if self.agrees() {
            let (rows, tolerance) = (self.rows.len(), self.tolerance);
            let who = match rows + self.absent.len() {
                all if all > rows => format!("they agree in {rows} of {all} outputs"),
                _ => "they agree".to_owned(),
            };
            text += &format!(
                "\n{who}: no difference is more than {tolerance} of its output's largest number"
            );
        }
        text
    }

    /// For tools.
    pub fn json(&self) -> Value {
        // JSON has no infinities.
        let number = |value: f64| value.is_finite().then_some(value);
        let rows = self.rows.iter().map(|row| {
            json!({
                "output": row.name, "tensor": row.theirs, "shape": row.shape, "max_abs": number(row.worst), "share": number(row.share),
                "max_rel": number(row.relative), "at": row.at, "ours": row.values[0], "theirs": row.values[1], "beyond": row.beyond,
            })
        });
        json!({ "tolerance": self.tolerance, "agrees": self.agrees(), "outputs": rows.collect::<Vec<_>>(), "absent": self.absent, "unused": self.unused })
    }

    fn agrees(&self) -> bool {
        self.rows.iter().all(|row| row.beyond == 0)
    }

    /// Whether they agree, as the end of the command.
    pub fn verdict(&self) -> Result<(), Failure> {
        let worst = self.rows.iter().max_by(|a, b| a.share.total_cmp(&b.share));
        match worst.filter(|_| !self.agrees()) {
            None => Ok(()),
            Some(row) => Err(Failure::Differs {
                output: row.name.clone(),
                elements: row.beyond,
                tolerance: self.tolerance,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_differs_but_from_its_like() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        assert_eq!(apart(1.0, 1.5), 0.5);
        for (a, b) in [(nan, nan), (inf, inf), (-0.0, 0.0)] {
            assert_eq!(apart(a, b), 0.0);
        }
        for (a, b) in [(nan, 1.0), (1.0, nan), (inf, -inf), (inf, 1.0)] {
            assert_eq!(apart(a, b), f64::INFINITY);
        }
        let found = row(
            "raw",
            vec![2, 3],
            &[0.0, 0.0, 0.0, 0.0, nan, 9.0],
            &[0.0, 0.0, 0.0, 0.0, 1.0, 9.0],
            1e-3,
        );
        assert_eq!(
            (found.at, found.beyond, found.worst),
            (vec![1, 1], 1, f64::INFINITY)
        );
    }

    #[test]
    fn the_tolerance_is_a_share_of_the_largest() {
        let found = |off: f32| {
            row(
                "raw",
                vec![3],
                &[100.0, 1.0 + off, 0.0],
                &[100.0, 1.0, 0.0],
                1e-3,
            )
        };
        assert_eq!(found(0.09).beyond, 0);
        let beyond = found(0.11);
        assert_eq!((beyond.beyond, beyond.at), (1, vec![1]));
        assert!((beyond.relative - 0.11).abs() < 1e-6 && (beyond.share - 0.0011).abs() < 1e-6);
        // Of an output that is 0 everywhere, nothing else is near enough.
        assert_eq!(row("raw", vec![1], &[1e-9], &[0.0], 1e-3).beyond, 1);
    }
}
