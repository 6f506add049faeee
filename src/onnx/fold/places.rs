//! Elements that are put together or picked out.

use super::super::error::{Why, invalid};
use super::super::shapes;
use super::super::tensor::{Tensor, product, strides};
use super::Folding;

impl Folding<'_> {
    /// Tensors behind one another.
    pub fn concat(&mut self, list: &[&Tensor], at: usize) -> Result<Tensor, Why> {
        let mut dims = list[0].dims.clone();
        dims[at] = 0;
        for tensor in list {
            let fits = tensor.dims.len() == dims.len()
                && (0..dims.len()).all(|axis| axis == at || tensor.dims[axis] == dims[axis]);
            if !fits {
                return invalid(format!(
                    "{:?} and {:?} cannot stand behind one another along axis {at}",
                    list[0].dims, tensor.dims
                ));
            }
            dims[at] = dims[at].saturating_add(tensor.dims[at]);
        }
        self.pay_dims(&dims)?;
        if product(&dims) == Some(0) {
            return Ok(list[0].picked(dims, &[]));
        }
        let outer: usize = dims[..at].iter().product();
        let block = |tensor: &Tensor| tensor.dims[at..].iter().product::<usize>();
        let ints: Option<Vec<&[i64]>> = list.iter().map(|tensor| tensor.to_ints()).collect();
        if let Some(ints) = ints {
            let mut all = Vec::new();
            for i in 0..outer {
                for (tensor, values) in list.iter().zip(&ints) {
                    all.extend_from_slice(&values[i * block(tensor)..][..block(tensor)]);
                }
            }
            return Ok(Tensor::whole(dims, all, list[0].kind()));
        }
        let floats: Vec<_> = list.iter().map(|tensor| tensor.to_floats()).collect();
        let mut all = Vec::new();
        for i in 0..outer {
            for (tensor, values) in list.iter().zip(&floats) {
                all.extend_from_slice(&values[i * block(tensor)..][..block(tensor)]);
            }
        }
        Ok(Tensor::floats(dims, all))
    }

    /// Ranges of axes.
    pub fn slice(&mut self, x: &Tensor, ranges: &[shapes::Range]) -> Result<Tensor, Why> {
        let steps = strides(&x.dims);
        let mut dims = x.dims.clone();
        for range in ranges {
            dims[range.axis] = range.count;
        }
        self.pay_dims(&dims)?;
        if product(&dims) == Some(0) {
            return Ok(x.picked(dims, &[]));
        }
        let mut at = vec![0];
        for (axis, &count) in dims.iter().enumerate() {
            let range = ranges.iter().find(|range| range.axis == axis);
            let (first, step) = range.map_or((0, 1), |range| (range.first, range.step));
            let place = |i: usize| (first as i64 + i as i64 * step) as usize * steps[axis];
            let mut all = Vec::with_capacity(at.len() * count);
            for &base in &at {
                all.extend((0..count).map(|i| base + place(i)));
            }
            at = all;
        }
        Ok(x.picked(dims, &at))
    }

    /// Places of an axis.
    pub fn gather(&mut self, x: &Tensor, places: &Tensor, at: usize) -> Result<Tensor, Why> {
        let n = x.dims[at];
        let list = places_of(places, n)?;
        let mut dims = x.dims[..at].to_vec();
        dims.extend(&places.dims);
        dims.extend(&x.dims[at + 1..]);
        self.pay_dims(&dims)?;
        if product(&dims) == Some(0) {
            return Ok(x.picked(dims, &[]));
        }
        let inner: usize = x.dims[at + 1..].iter().product();
        let outer: usize = x.dims[..at].iter().product();
        let mut all = Vec::new();
        for i in 0..outer {
            for &place in &list {
                all.extend((0..inner).map(|j| (i * n + place) * inner + j));
            }
        }
        Ok(x.picked(dims, &all))
    }

    /// `ScatterND`: elements in the place of others; nothing, if they are combined with those.
    pub fn scattered(&mut self, x: &Tensor) -> Result<Option<Tensor>, Why> {
        let (places, updates) = (self.get(1)?, self.get(2)?);
        if self.attrs.text("reduction", "none")? != "none" {
            return Ok(None);
        }
        self.pay(x.len().saturating_add(3 * places.len()))?;
        let (depth, places) = written_places(places, &x.dims)?;
        let inner: usize = x.dims[depth..].iter().product();
        let steps = strides(&x.dims);
        let start = |tuple: &[u32]| {
            let places = tuple.iter().zip(&steps);
            places
                .map(|(&place, step)| place as usize * step)
                .sum::<usize>()
        };
        let starts: Vec<usize> = places.chunks_exact(depth).map(start).collect();
        if updates.len() != starts.len() * inner {
            return invalid(format!("{:?} at {} places", updates.dims, starts.len()));
        }
        if let (Some(old), Some(new)) = (x.to_ints(), updates.to_ints()) {
            let mut all = old.to_vec();
            for (at, &start) in starts.iter().enumerate() {
                all[start..][..inner].copy_from_slice(&new[at * inner..][..inner]);
            }
            return Ok(Some(Tensor::whole(x.dims.clone(), all, x.kind())));
        }
        let (mut all, new) = (x.to_floats().into_owned(), updates.to_floats());
        for (at, &start) in starts.iter().enumerate() {
            all[start..][..inner].copy_from_slice(&new[at * inner..][..inner]);
        }
        Ok(Some(Tensor::floats(x.dims.clone(), all)))
    }

    /// `NonZero`.
    pub fn non_zero(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let rank = x.dims.len();
        let values = x.to_floats();
        let found: Vec<usize> = (0..x.len()).filter(|&i| values[i] != 0.0).collect();
        self.pay(found.len().saturating_mul(rank.max(1)))?;
        let steps = strides(&x.dims);
        let mut all = Vec::new();
        for (step, extent) in steps.iter().zip(&x.dims) {
            all.extend(found.iter().map(|i| ((i / step) % extent.max(&1)) as i64));
        }
        Ok(Tensor::ints(vec![rank, found.len()], all))
    }
}

/// Places along an axis of that extent, counted from the end where they are negative.
pub fn places_of(places: &Tensor, extent: usize) -> Result<Vec<usize>, Why> {
    let Some(list) = places.to_ints() else {
        return invalid("places that are no whole numbers");
    };
    let place = |&i: &i64| {
        let at = if i < 0 {
            i.saturating_add(extent as i64)
        } else {
            i
        };
        usize::try_from(at).ok().filter(|&at| at < extent)
    };
    match list.iter().map(place).collect() {
        Some(list) => Ok(list),
        None => invalid(format!(
            "places {:?} of an axis with {extent}",
            &list[..list.len().min(8)]
        )),
    }
}

/// How many axes the places of a `ScatterND` say, and each place, axis by axis.
pub fn written_places(places: &Tensor, dims: &[usize]) -> Result<(usize, Vec<u32>), Why> {
    let Some(list) = places.to_ints() else {
        return invalid("places that are no whole numbers");
    };
    let depth = places.dims.last().copied().unwrap_or(0);
    if depth == 0 || depth > dims.len() {
        return invalid(format!("places of {depth} axes in {dims:?}"));
    }
    let place = |(&i, &extent): (&i64, &usize)| {
        let at = match i < 0 {
            true => i.saturating_add(extent as i64),
            false => i,
        };
        u32::try_from(at).ok().filter(|&at| (at as usize) < extent)
    };
    match list
        .iter()
        .zip(dims[..depth].iter().cycle())
        .map(place)
        .collect()
    {
        Some(all) => Ok((depth, all)),
        None => invalid(format!("places beyond {dims:?}")),
    }
}
