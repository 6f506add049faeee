//! The fit of weights to a network: every tensor that it reads, checked.

use super::error::Fault;
use super::prefix::{self, Fit};
use super::tensor::{Place, long_extents};
use super::{Problem, Store, Stored, Weights, WeightsError, darknet};
use crate::memory::element_count;
use crate::memory::{OutOfMemory, zeros};
use crate::plan::Source;
use crate::synthetic::Synthetic;
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Names at least this similar are suggested (1 is equal).
const SIMILAR: f64 = 0.6;

/// Most names of a file that are compared, and most missing tensors that are compared with them:
/// a file of a million tensors must not take minutes to refuse.
const COMPARED: (usize, usize) = (10_000, 20);

/// Prefixes that a note lists.
const LISTED: usize = 3;

/// The tensors that a network reads, in the order of its sources: all there, with the right shapes.
#[derive(Debug)]
pub struct Bound<'a> {
    pub(crate) origin: &'a str,
    pub(crate) sources: &'a [Source],
    pub(crate) tensors: Vec<Values<'a>>,
    prefix: &'a str,
    unused: Vec<&'a str>,
    notes: Vec<String>,
}

/// Where the elements of one tensor come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a> {
    /// Elements of a floating-point type.
    File(Stored<'a>),
    Synthetic(Synthetic, usize),
    /// Written in the spec; they repeat.
    Literal(&'a [f32]),
}

impl<'a> Values<'a> {
    pub fn len(&self) -> usize {
        match self {
            Values::File(stored) => stored.len(),
            Values::Synthetic(_, len) => *len,
            Values::Literal(values) => values.len(),
        }
    }

    /// Whether any part of the elements can be had without the others.
    pub fn in_parts(&self) -> bool {
        match self {
            Values::File(stored) => stored.in_parts(),
            Values::Synthetic(..) | Values::Literal(_) => true,
        }
    }

    /// The elements of a range, where they already lie in memory as f32.
    pub fn borrow(&self, range: Range<usize>) -> Option<&'a [f32]> {
        let all = match self {
            Values::File(stored) => stored.borrow()?,
            Values::Synthetic(..) => return None,
            Values::Literal(values) => values,
        };
        all.get(range)
    }

    /// Reads the elements from index `start` on.
    pub fn read(&self, start: usize, out: &mut [f32]) -> Result<(), Fault> {
        match self {
            Values::File(stored) => stored.read(start, out)?,
            Values::Synthetic(synthetic, _) => synthetic.fill(start, out),
            Values::Literal(values) => {
                let mut from = start % values.len();
                let mut left = out;
                while !left.is_empty() {
                    let (now, later) = left.split_at_mut(left.len().min(values.len() - from));
                    now.copy_from_slice(&values[from..][..now.len()]);
                    (left, from) = (later, 0);
                }
            }
        }
        Ok(())
    }

    /// The first `count` elements.
    pub fn to_f32(self, count: usize) -> Result<Cow<'a, [f32]>, Fault> {
        if let Some(floats) = self.borrow(0..count) {
            return Ok(Cow::Borrowed(floats));
        }
        let mut values = zeros(count)?;
        self.read(0, &mut values)?;
        Ok(Cow::Owned(values))
    }
}

/// A tensor's elements as they are asked for, a part at a time: what lies in memory already is not copied, and what is read is
/// read in large pieces.
struct Window<'a> {
    values: Values<'a>,
    buffer: Vec<f32>,
    /// Index of the buffer's first element.
    start: usize,
}

impl<'a> Window<'a> {
    /// Elements that are read at least at a time.
    const LEAST: usize = 64 << 10;

    pub fn new(values: Values<'a>) -> Window<'a> {
        Window {
            values,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// The elements from index `start` to before `end`, which the tensor must have.
    pub fn get(&mut self, start: usize, end: usize) -> Result<&[f32], Fault> {
        if let Some(floats) = self.values.borrow(start..end) {
            return Ok(floats);
        }
        if start < self.start || end > self.start + self.buffer.len() {
            let (from, to) = match self.values {
                // To be had as a whole only.
                Values::File(stored) if !stored.in_parts() => (0, stored.len()),
                Values::Literal(_) => (start, end),
                _ => (start, end.max(self.values.len().min(start + Self::LEAST))),
            };
            let room = (to - from).saturating_sub(self.buffer.len());
            let reserved = self.buffer.try_reserve_exact(room);
            reserved.map_err(|_| OutOfMemory::of::<f32>(to - from))?;
            self.buffer.resize(to - from, 0.0);
            self.start = from;
            self.values.read(from, &mut self.buffer)?;
        }
        Ok(&self.buffer[start - self.start..end - self.start])
    }
}

impl Weights {
    /// Finds every source and checks its shape and type. Extents of 1 do not count: `16x8` and `16x8x1x1` are one shape.
    ///
    /// Where all names of the network stand in the file behind a prefix (`module.`, `model.backbone.`), they are read there:
    /// [`Bound::prefix`] says so.
    ///
    /// Values are not read yet: [`pack`](crate::pack::pack) does that, and finds those that are
    /// not finite; whoever uses the values without packing calls [`Bound::check_finite`].
    ///
    /// # Errors
    /// [`WeightsError::Unfit`] with all problems of all sources; [`WeightsError::Format`] where a file
    /// without names has other numbers than the sources, which must then be in the order of the layers;
    /// [`WeightsError::Unused`] where the weights are [strict](Weights::strict).
    pub fn bind<'a>(&'a self, sources: &'a [Source]) -> Result<Bound<'a>, WeightsError> {
        let file = match &self.store {
            Store::File(file) => file,
            Store::Synthetic => return Ok(self.bind_synthetic(sources)),
        };
        if let Some(header) = self.in_order {
            let starts = darknet::assign(file.len(), header, sources);
            let starts = starts.map_err(|error| WeightsError::new(&self.origin, error.into()))?;
            let tensor = |(source, start): (&'a Source, usize)| {
                Values::File(Stored {
                    file,
                    shape: &source.shape,
                    dtype: Dtype::F32,
                    place: Place::Plain(start),
                })
            };
            let tensors = sources.iter().zip(starts).map(tensor).collect();
            return Ok(self.bound(sources, tensors));
        }
        let names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
        let mut notes = self.notes.clone();
        let prefix = match self.fit(&names, sources) {
            Fit::All("", _) => "",
            Fit::All(prefix, others) => {
                notes.push(behind(prefix, &others));
                prefix
            }
            Fit::Several(prefixes) => {
                let prefixes = prefixes.into_iter().map(str::to_owned).collect();
                let origin = self.origin.clone();
                return Err(WeightsError::Ambiguous { origin, prefixes });
            }
            Fit::Most(prefix) => prefix,
        };
        let wanted: BTreeSet<&str> = names.into_iter().collect();
        let read = |name: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| wanted.contains(rest))
        };
        let unused: Vec<&str> = self.names().filter(|name| !read(name)).collect();
        let mut tensors = Vec::with_capacity(sources.len());
        let mut problems = Vec::new();
        for source in sources {
            let candidates = if problems.len() < COMPARED.1 {
                &unused[..]
            } else {
                &[]
            };
            match self.find(source, prefix, candidates) {
                Ok(values) => tensors.push(values),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(WeightsError::Unfit {
                origin: self.origin.clone(),
                prefix: prefix.to_owned(),
                problems,
            });
        }
        // PyTorch's count of training batches, which inference never needs.
        let counts = |name: &&str| name.rsplit('.').next() == Some("num_batches_tracked");
        let unused = unused.into_iter().filter(|name| !counts(name)).collect();
        let bound = Bound {
            prefix,
            unused,
            notes,
            ..self.bound(sources, tensors)
        };
        match self.strict {
            true => bound.strict(),
            false => Ok(bound),
        }
    }

    fn bound<'a>(&'a self, sources: &'a [Source], tensors: Vec<Values<'a>>) -> Bound<'a> {
        Bound {
            origin: &self.origin,
            sources,
            tensors,
            prefix: "",
            unused: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn bind_synthetic<'a>(&'a self, sources: &'a [Source]) -> Bound<'a> {
        let values = |source: &Source| {
            let len = element_count(&source.shape).expect("a network's shapes can be counted");
            Values::Synthetic(Synthetic::tensor(&source.name, &source.shape), len)
        };
        self.bound(sources, sources.iter().map(values).collect())
    }

    /// Behind which prefix the file has the names.
    fn fit(&self, names: &[&str], sources: &[Source]) -> Fit<'_> {
        let shapes: HashMap<&str, &[usize]> = names
            .iter()
            .zip(sources)
            .map(|(name, source)| (*name, &*source.shape))
            .collect();
        let fits = |found: &str, wanted: &str| {
            let (found, wanted) = (self.index.get(found), shapes.get(wanted));
            found
                .zip(wanted)
                .is_some_and(|(found, wanted)| same(&found.shape, wanted))
        };
        prefix::find(self.names(), names, fits)
    }

    fn find<'a>(
        &'a self,
        source: &Source,
        prefix: &str,
        unused: &[&str],
    ) -> Result<Values<'a>, Problem> {
        let name = format!("{prefix}{}", source.name);
        let expected = source.shape.to_vec();
        let Some(entry) = self.index.get(&name) else {
            if let Some(what) = self.unread.get(&name) {
                let what = what.clone();
                return Err(Problem::Unread { name, what });
            }
            let same_shape = self.of_shape(unused, &expected);
            let nearest = nearest(&name, unused, &same_shape);
            return Err(Problem::Missing {
                name,
                shape: expected,
                nearest,
                same_shape,
                pair: None,
            });
        };
        if !same(&entry.shape, &expected) {
            return Err(Problem::Shape {
                name,
                expected,
                found: entry.shape.clone(),
            });
        }
        match (entry.dtype, self.stored(entry)) {
            (Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64, Some(stored)) => {
                Ok(Values::File(stored))
            }
            (dtype, _) => Err(Problem::Dtype { name, dtype }),
        }
    }

    fn of_shape(&self, unused: &[&str], shape: &[usize]) -> Vec<String> {
        let same = unused
            .iter()
            .filter(|name| same(&self.index[**name].shape, shape));
        same.take(3).map(|name| (*name).to_owned()).collect()
    }
}

/// Whether tensors of these shapes hold the same numbers in the same order.
fn same(a: &[usize], b: &[usize]) -> bool {
    long_extents(a).eq(long_extents(b))
}

/// That names are read behind a prefix, in one line.
fn behind(prefix: &str, others: &[&str]) -> String {
    let said = format!("names are read behind `{prefix}`");
    if others.is_empty() {
        return said;
    }
    let listed: Vec<_> = others
        .iter()
        .take(LISTED)
        .map(|other| format!("`{other}`"))
        .collect();
    let more = if others.len() > LISTED { " …" } else { "" };
    format!("{said}, not behind {}{more}", listed.join(", "))
}

fn nearest(name: &str, unused: &[&str], same_shape: &[String]) -> Option<String> {
    let mut best = (SIMILAR, None);
    for &candidate in unused.iter().take(COMPARED.0) {
        if candidate.len() > 2 * name.len() {
            continue;
        }
        let mut score = strsim::normalized_levenshtein(name, candidate);
        if same_shape.iter().any(|same| same == candidate) {
            // Between names that are about as similar, the shape decides.
            score += 0.1;
        }
        if score >= best.0 {
            best = (score, Some(candidate));
        }
    }
    best.1.map(str::to_owned)
}

impl<'a> Bound<'a> {
    /// Tensors of the file that the network does not read, without PyTorch's counters.
    pub fn unused(&self) -> &[&'a str] {
        &self.unused
    }

    /// Refuses a file with tensors that the network does not read.
    ///
    /// # Errors
    /// [`WeightsError::Unused`] with their names.
    pub fn strict(self) -> Result<Bound<'a>, WeightsError> {
        if self.unused.is_empty() {
            return Ok(self);
        }
        Err(WeightsError::Unused {
            origin: self.origin.to_owned(),
            names: self.unused.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    /// What stands in front of every name in the file; mostly nothing.
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// What a user should know of how the file was read: a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The elements of a source, by its index.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn values(&self, source: usize) -> Result<Cow<'a, [f32]>, WeightsError> {
        let tensor = self.tensors[source];
        let values = tensor.to_f32(tensor.len());
        values.map_err(|fault| WeightsError::new(self.origin, fault))
    }

    /// Looks for NaN and infinities, as packing does on the way.
    ///
    /// # Errors
    /// [`WeightsError::Unfit`] with the first such value of each tensor; and when the file cannot be read any more.
    pub fn check_finite(&self) -> Result<(), WeightsError> {
        let mut problems = Vec::new();
        for source in 0..self.tensors.len() {
            problems.extend(self.not_finite(source)?);
        }
        self.refuse(problems)
    }

    /// The first value of a source that is NaN or infinite.
    pub(crate) fn not_finite(&self, source: usize) -> Result<Option<Problem>, WeightsError> {
        let tensor = self.tensors[source];
        let mut window = Window::new(tensor);
        for start in (0..tensor.len()).step_by(Window::LEAST) {
            let end = tensor.len().min(start + Window::LEAST);
            let values = window.get(start, end);
            let values = values.map_err(|fault| WeightsError::new(self.origin, fault))?;
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Ok(Some(Problem::NotFinite {
                    name: self.sources[source].name.clone().into_owned(),
                    index: start + index,
                    value: values[index],
                }));
            }
        }
        Ok(None)
    }

    pub(crate) fn refuse(&self, problems: Vec<Problem>) -> Result<(), WeightsError> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(WeightsError::Unfit {
            origin: self.origin.to_owned(),
            prefix: self.prefix.to_owned(),
            problems,
        })
    }
}
